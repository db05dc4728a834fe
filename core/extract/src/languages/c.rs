//! C.

use crate::spec::{LanguageSpec, language};

pub static C: LanguageSpec = LanguageSpec {
    extensions: &["c", "h"],
    separator: "::",
    ..language("c", tree_sitter_c::LANGUAGE)
};
