//! The languages, one file or folder of data each, and how a file's language is told.

use std::path::Path;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::rules::Rules;
use crate::spec::LanguageSpec;

mod c;
mod cpp;
mod csharp;
mod go;
mod java;
mod javascript;
mod php;
mod preprocessor;
mod python;
mod ruby;
mod rust;
#[cfg(test)]
mod tests;
mod typescript;

/// Every language, in alphabetical order.
static SPECS: &[&LanguageSpec] = &[
    &c::C,
    &cpp::CPP,
    &csharp::CSHARP,
    &go::GO,
    &java::JAVA,
    &javascript::JAVASCRIPT,
    &javascript::JSX,
    &php::PHP,
    &python::PYTHON,
    &ruby::RUBY,
    &rust::RUST,
    &typescript::TSX,
    &typescript::TYPESCRIPT,
];

static RULES: LazyLock<Vec<Rules>> = LazyLock::new(|| {
    let compile = |spec: &&'static LanguageSpec| {
        Rules::compile(spec)
            .unwrap_or_else(|unknown| panic!("{}: the grammar has no {unknown:?}", spec.name))
    };
    SPECS.iter().map(compile).collect()
});

static BY_EXTENSION: LazyLock<FxHashMap<&str, usize>> = LazyLock::new(|| {
    let extensions = |(at, spec): (usize, &&'static LanguageSpec)| {
        spec.extensions
            .iter()
            .map(move |extension| (*extension, at))
    };
    SPECS.iter().enumerate().flat_map(extensions).collect()
});

/// Compiled rules by index.
pub fn rules(index: usize) -> &'static Rules {
    &RULES[index]
}

/// How many languages there are.
pub fn count() -> usize {
    SPECS.len()
}

/// Whether a file of this name has a language.
pub fn is_known(path: &Path) -> bool {
    by_name(path).is_some()
}

/// The language of a file: by its name and, where that leaves it open, its text.
pub fn detect(path: &Path, source: &[u8]) -> Option<usize> {
    let found = by_name(path)?;
    let is_header = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("h"));
    if is_header && looks_like_cpp(source) {
        return SPECS
            .iter()
            .position(|spec| spec.name == "cpp")
            .or(Some(found));
    }
    Some(found)
}

fn by_name(path: &Path) -> Option<usize> {
    // The rest of the name need not be UTF-8.
    let name = path.file_name()?.to_str().unwrap_or_default();
    if let Some(at) = SPECS
        .iter()
        .position(|spec| spec.file_names.contains(&name))
    {
        return Some(at);
    }
    let extension = path.extension()?.to_str()?;
    BY_EXTENSION.get(extension).copied().or_else(|| {
        let lower = extension.to_ascii_lowercase();
        BY_EXTENSION.get(lower.as_str()).copied()
    })
}

/// Whether a header uses words that C does not have.
fn looks_like_cpp(source: &[u8]) -> bool {
    const SIGNS: [&[u8]; 10] = [
        b"\nclass ",
        b"\nnamespace ",
        b"template <",
        b"template<",
        b"public:",
        b"private:",
        b"protected:",
        b"std::",
        b"virtual ",
        b"\nusing ",
    ];
    let head = &source[..source.len().min(1 << 16)];
    SIGNS
        .iter()
        .any(|sign| memchr::memmem::find(head, sign).is_some())
}
