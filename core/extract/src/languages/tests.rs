//! What holds for every language, and a golden file for each.
//!
//! `testdata/<language>/<case>.<extension>` is a source file, `<case>.<extension>.rows` what the engine makes of it:
//! one line a row, written by `BOWSTRING_BLESS=1 cargo test -p bowstring-extract golden` and read by eye before it is
//! committed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::control::Control;
use crate::facts::{FileFacts, NONE};
use crate::file::FileWorker;
use crate::model::flags;
use crate::options::ExtractOptions;
use crate::rules::bits;
use crate::scan::Entry;

#[test]
fn every_name_in_every_specification_is_in_its_grammar() {
    for spec in SPECS {
        if let Err(unknown) = Rules::compile(spec) {
            panic!("{}: {unknown:?}", spec.name);
        }
    }
}

#[test]
fn extensions_are_unique() {
    let all: usize = SPECS.iter().map(|spec| spec.extensions.len()).sum();
    assert_eq!(BY_EXTENSION.len(), all);
}

fn test_files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut files: Vec<PathBuf> = ignore::Walk::new(root)
        .map(|entry| entry.expect("testdata is readable").into_path())
        .filter(|path| path.is_file() && is_known(path))
        .collect();
    files.sort();
    files
}

fn facts(path: &Path) -> FileFacts {
    let options = ExtractOptions::new("/");
    let control = Control::default();
    let name = path
        .file_name()
        .expect("a file")
        .to_string_lossy()
        .into_owned();
    let entry = Entry {
        path: path.to_owned(),
        name,
        size: 0,
        error: None,
        escaped: false,
    };
    FileWorker::new(&options, &control)
        .process(&entry)
        .expect("nobody cancels")
}

/// Identifier tokens of a file that have no row of their own and are in no definition's name, and rows too many.
pub(super) fn uncovered(path: &Path) -> (usize, Vec<String>) {
    let facts = facts(path);
    let Some(content) = &facts.content else {
        return (0, Vec::new());
    };
    let rules = &RULES[detect(path, &content.source).expect("known")];
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&rules.language).expect("compatible");
    let masks = (rules.spec.masks)(&content.source);
    let seen = masks.apply(&content.source);
    let tree = parser
        .parse(seen.as_ref().unwrap_or(&content.source), None)
        .expect("no limit");
    let mut rows: FxHashMap<u32, u32> = FxHashMap::default();
    for identifier in &facts.identifiers {
        *rows.entry(identifier.start_byte).or_default() += 1;
    }
    let mut names: Vec<(u32, u32)> = facts
        .symbols
        .iter()
        .map(|symbol| symbol.name_bytes)
        .collect();
    names.sort_unstable();
    let mut wrong = Vec::new();
    for word in &masks.words {
        if rows.remove(&(word.bytes.start as u32)) != Some(1) {
            let line = word.line + 1;
            wrong.push(format!("{}:{line} a hidden word", path.display()));
        }
    }
    let mut leaves = 0;
    let mut cursor = tree.walk();
    let mut descend = true;
    loop {
        let node = cursor.node();
        let is_leaf = rules.kind(node.kind_id()).has(bits::LEAF) && node.child_count() == 0;
        if descend && is_leaf && !node.byte_range().is_empty() {
            leaves += 1;
            let start = node.start_byte() as u32;
            let at = names.partition_point(|name| name.0 <= start);
            let own = names[..at].iter().rev().take(4).any(|name| start < name.1);
            let count = rows.remove(&start).unwrap_or(0);
            if count != u32::from(!own) {
                let text = String::from_utf8_lossy(&content.source[node.byte_range()]);
                wrong.push(format!(
                    "{}:{} {text}: {count} rows{}",
                    path.display(),
                    node.start_position().row + 1,
                    if own { ", a definition's own name" } else { "" },
                ));
            }
        }
        if descend && cursor.goto_first_child() {
            continue;
        }
        if cursor.goto_next_sibling() {
            descend = true;
        } else if cursor.goto_parent() {
            descend = false;
        } else {
            break;
        }
    }
    wrong.extend(
        rows.keys()
            .map(|start| format!("{}: a row at byte {start}", path.display())),
    );
    (leaves, wrong)
}

#[test]
fn every_identifier_token_has_exactly_one_row_or_is_a_definitions_name() {
    for path in test_files() {
        let (leaves, wrong) = uncovered(&path);
        assert!(leaves > 0, "{}: no identifier", path.display());
        assert!(
            wrong.is_empty(),
            "{} of {leaves}:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }
}

#[test]
fn ids_are_unique() {
    for path in test_files() {
        let facts = facts(&path);
        let ids = (facts.symbols.iter().map(|row| row.id))
            .chain(facts.identifiers.iter().map(|row| row.id))
            .chain(facts.relationships.iter().map(|row| row.id));
        let count = ids.clone().count();
        let different: std::collections::HashSet<_> = ids.collect();
        assert_eq!(different.len(), count, "{}", path.display());
    }
}

/// The same over any directory: `BOWSTRING_COVERAGE=<dir>` names it. Without it there is nothing to look at.
#[test]
fn coverage_of_a_directory() {
    let Some(root) = std::env::var_os("BOWSTRING_COVERAGE") else {
        return;
    };
    let (mut all, mut missed) = (0, 0);
    for entry in ignore::Walk::new(root)
        .flatten()
        .filter(|entry| is_known(entry.path()))
    {
        let (leaves, wrong) = uncovered(entry.path());
        all += leaves;
        missed += wrong.len();
        wrong.iter().take(2).for_each(|line| println!("{line}"));
    }
    println!("{missed} of {all} identifier tokens are not covered");
    assert!(missed * 100 <= all);
}

#[test]
fn golden_rows() {
    let bless = std::env::var_os("BOWSTRING_BLESS").is_some();
    let mut stale = Vec::new();
    for path in test_files() {
        let rows = show(&facts(&path));
        let mut golden = path.clone().into_os_string();
        golden.push(".rows");
        if bless {
            fs::write(&golden, &rows).expect("testdata is writable");
        } else if fs::read_to_string(&golden).ok().as_deref() != Some(&rows) {
            stale.push(path.display().to_string());
        }
    }
    assert!(
        stale.is_empty(),
        "the rows differ from the golden ones: {stale:?}"
    );
}

fn show(facts: &FileFacts) -> String {
    let mut out = String::new();
    let text = |text| String::from_utf8_lossy(facts.text(text)).into_owned();
    let name = |id| String::from_utf8_lossy(facts.name(id)).into_owned();
    let qualified = |row: u32| match facts.symbols.get(row as usize) {
        Some(symbol) => {
            format!(
                "{} {}@{}",
                symbol.kind.as_str(),
                text(symbol.qualified_name),
                symbol.start_line
            )
        }
        None => "-".to_owned(),
    };
    out.push_str("# symbols\n");
    for (row, symbol) in facts.symbols.iter().enumerate() {
        let _ = write!(
            out,
            "{}-{}: {} in {}",
            symbol.start_line,
            symbol.end_line,
            qualified(row as u32)
                .rsplit_once('@')
                .expect("made above")
                .0,
            qualified(symbol.parent)
        );
        if let Some(visibility) = symbol.visibility {
            let _ = write!(out, " {}", visibility.as_str());
        }
        const NAMES: [(u32, &str); 10] = [
            (flags::TEST, "test"),
            (flags::ASYNC, "async"),
            (flags::STATIC, "static"),
            (flags::EXPORTED, "exported"),
            (flags::ABSTRACT, "abstract"),
            (flags::DEPRECATED, "deprecated"),
            (flags::READONLY, "readonly"),
            (flags::GENERATOR, "generator"),
            (flags::LOCAL, "local"),
            (flags::PARAMETER, "parameter"),
        ];
        for (_, flag) in NAMES.iter().filter(|(bit, _)| symbol.flags & bit != 0) {
            let _ = write!(out, " +{flag}");
        }
        if !symbol.signature.is_empty() {
            let _ = write!(out, " `{}`", text(symbol.signature));
        }
        if !symbol.doc_comment.is_empty() {
            let _ = write!(out, " doc {:?}", text(symbol.doc_comment));
        }
        out.push('\n');
    }
    out.push_str("# identifiers\n");
    for identifier in &facts.identifiers {
        let _ = write!(
            out,
            "{}:{} {} {} {}",
            identifier.line,
            identifier.column,
            name(identifier.name),
            identifier.kind.as_str(),
            identifier.access.as_str(),
        );
        if identifier.containing != NONE {
            let _ = write!(out, " in {}", qualified(identifier.containing));
        }
        if identifier.target != NONE {
            let how = identifier.resolution.as_str();
            let _ = write!(out, " -> {} ({how})", qualified(identifier.target));
        }
        out.push('\n');
    }
    out.push_str("# relationships\n");
    for relationship in &facts.relationships {
        let target = match relationship.to {
            NONE => format!("{:?}", text(relationship.to_name)),
            row => qualified(row),
        };
        let kind = relationship.kind.as_str();
        let _ = writeln!(
            out,
            "{}: {} {kind} {target}",
            relationship.line,
            qualified(relationship.from)
        );
    }
    for error in &facts.errors {
        let _ = writeln!(
            out,
            "# {} {}: {}",
            error.severity.as_str(),
            error.code,
            error.message
        );
    }
    out
}
