//! Ruby.

use crate::spec::{LanguageSpec, language};

pub static RUBY: LanguageSpec = LanguageSpec {
    extensions: &["rb", "rake", "gemspec", "ru"],
    separator: "::",
    ..language("ruby", tree_sitter_ruby::LANGUAGE)
};
