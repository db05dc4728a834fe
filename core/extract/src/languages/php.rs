//! PHP.

use crate::spec::{LanguageSpec, language};

pub static PHP: LanguageSpec = LanguageSpec {
    extensions: &["php", "phtml", "inc"],
    separator: "::",
    leaves: &[("name", crate::spec::Role::Read)],
    ..language("php", tree_sitter_php::LANGUAGE_PHP)
};
