//! C++.

use crate::spec::{LanguageSpec, language};

pub static CPP: LanguageSpec = LanguageSpec {
    extensions: &[
        "cpp", "cc", "cxx", "c++", "hpp", "hh", "hxx", "h++", "ipp", "inl", "tcc",
    ],
    separator: "::",
    ..language("cpp", tree_sitter_cpp::LANGUAGE)
};
