//! Modifiers: what words, attributes and doc comments say of the definition they stand at.

use crate::model::{SymbolKind, Visibility};

/// What a modifier word or attribute adds to the definition it stands at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Modifier {
    pub(crate) flags: u32,
    pub(crate) visibility: Option<Visibility>,
    pub(crate) kind: Option<SymbolKind>,
}

impl Modifier {
    /// A modifier that changes nothing.
    pub const NONE: Self = Self {
        flags: 0,
        visibility: None,
        kind: None,
    };

    /// Sets bits of `symbols.flags`.
    pub const fn flags(flags: u32) -> Self {
        Self {
            flags,
            ..Self::NONE
        }
    }

    /// Sets the visibility.
    pub const fn visibility(visibility: Visibility) -> Self {
        Self {
            visibility: Some(visibility),
            ..Self::NONE
        }
    }

    /// Turns a definition of a variable, field or method into another kind (`const` makes a constant).
    pub const fn kind(kind: SymbolKind) -> Self {
        Self {
            kind: Some(kind),
            ..Self::NONE
        }
    }

    /// Both at once.
    pub const fn and(self, other: Self) -> Self {
        Self {
            flags: self.flags | other.flags,
            visibility: if other.visibility.is_some() {
                other.visibility
            } else {
                self.visibility
            },
            kind: if other.kind.is_some() {
                other.kind
            } else {
                self.kind
            },
        }
    }
}
