//! Java.

use crate::spec::{LanguageSpec, language};

pub static JAVA: LanguageSpec = LanguageSpec {
    extensions: &["java"],
    separator: ".",
    comments: &["line_comment", "block_comment"],
    ..language("java", tree_sitter_java::LANGUAGE)
};
