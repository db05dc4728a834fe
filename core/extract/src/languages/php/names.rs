//! Names of PHP, which come in sorts that share their spellings, and what the first word of a path means.

use tree_sitter::Node;

use crate::model::SymbolKind;
use crate::spec::{Role, Used};
use crate::walk::Walk;

/// Sorts of names: each may use the spellings of the others.
pub(super) const TYPE: u8 = 0;
pub(super) const FUNCTION: u8 = 1;
/// Variables and properties.
pub(super) const VARIABLE: u8 = 2;
pub(super) const CONSTANT: u8 = 3;
/// The first part of a qualified name, which only an import binds.
pub(super) const PREFIX: u8 = 4;
/// The last part of a qualified name, which nothing here binds.
pub(super) const QUALIFIED: u8 = 5;

pub(super) fn sort_of_symbol(kind: SymbolKind, _: u32) -> u8 {
    match kind {
        SymbolKind::Function | SymbolKind::Method | SymbolKind::Constructor => FUNCTION,
        SymbolKind::Variable | SymbolKind::Field | SymbolKind::Property => VARIABLE,
        SymbolKind::Constant | SymbolKind::EnumMember => CONSTANT,
        _ => TYPE,
    }
}

pub(super) fn sort_of_use(used: Used) -> u8 {
    match used {
        Used {
            is_receiver: true,
            sort: TYPE | FUNCTION | CONSTANT,
            ..
        } => TYPE,
        Used {
            sort: TYPE,
            role: Role::Call,
            ..
        } => FUNCTION,
        Used {
            sort: TYPE,
            role: Role::Read | Role::Inherit,
            ..
        } => CONSTANT,
        Used { sort, .. } => sort,
    }
}

/// The first part of a path leads to an import unless the path starts at the root.
pub(super) fn prefix(walk: &mut Walk<'_>, path: Node<'_>, role: Role) -> Role {
    match role {
        Role::Import | Role::ImportBind | Role::ImportWhole => Role::Import,
        _ if path.start_byte() > 0 && walk.source[path.start_byte() - 1] == b'\\' => Role::Label,
        _ => Role::Read,
    }
}

/// `parent` is the object as its base defines it, `self` and `static` are its type.
pub(super) fn relative_scope(walk: &mut Walk<'_>, scope: Node<'_>, role: Role) -> Role {
    if walk.source[scope.byte_range()].eq_ignore_ascii_case(b"parent") {
        walk.receive_base();
    } else {
        walk.receive_own();
    }
    role
}
