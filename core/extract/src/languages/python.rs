//! Python.

use crate::spec::{LanguageSpec, language};

pub static PYTHON: LanguageSpec = LanguageSpec {
    extensions: &["py", "pyi", "pyw"],
    separator: ".",
    ..language("python", tree_sitter_python::LANGUAGE)
};
