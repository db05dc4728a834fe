//! What a walk hands to lookup: rows without targets, and the events that lookup replays.

use rustc_hash::FxHashMap;

use crate::facts::{Identifier, NameId, Row, Symbol, Text};
use crate::spec::{ScopeKind, Visible};

/// Everything the walk learned; the resolver's input.
pub struct Walked {
    pub symbols: Vec<Symbol>,
    pub identifiers: Vec<Identifier>,
    pub names: Vec<Text>,
    pub arena: Vec<u8>,
    pub scopes: Vec<Scope>,
    pub bindings: Vec<Binding>,
    pub events: Vec<Event>,
    /// Members by the row of their type (or module) and their own name, as far as the walk itself asks for them.
    pub members: FxHashMap<(Row, NameId), Row>,
    /// Further names of members: row of the type, name, row of the member.
    pub aliases: Vec<(Row, NameId, Row)>,
    /// Parameters that stand for the current object, with the name of its type.
    pub self_parameters: FxHashMap<Row, NameId>,
    /// What each import symbol imports.
    pub imports: Vec<(Row, Text)>,
    pub parse_errors: u32,
    pub first_error: Option<u32>,
}

/// One step of name lookup, in source order.
#[derive(Debug, Clone, Copy)]
pub enum Event {
    Enter(u32),
    Exit,
    Bind(u32),
    Use(Row),
}

/// A region of name lookup.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    pub kind: ScopeKind,
    /// The innermost scope, this one included, that is not a block.
    pub(super) base: u32,
    /// Whether a function lies between here and the enclosing type or module.
    pub(super) in_function: bool,
    /// Where names declared here are bound: this scope or, if it is transparent, the one around it.
    pub(super) binds_in: u32,
}

/// A name bound to a symbol in a scope.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    pub name: NameId,
    pub symbol: Row,
    pub scope: u32,
    pub visible: Visible,
    /// Whether only its tag leads to it.
    pub tag: bool,
    /// Whether functions below the scope do not see it.
    pub closed: bool,
}
