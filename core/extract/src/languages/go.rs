//! Go.

use crate::spec::{LanguageSpec, language};

pub static GO: LanguageSpec = LanguageSpec {
    extensions: &["go"],
    separator: ".",
    ..language("go", tree_sitter_go::LANGUAGE)
};
