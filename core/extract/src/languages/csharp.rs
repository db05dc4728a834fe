//! C#.

use crate::spec::{LanguageSpec, language};

pub static CSHARP: LanguageSpec = LanguageSpec {
    extensions: &["cs"],
    separator: ".",
    ..language("csharp", tree_sitter_c_sharp::LANGUAGE)
};
