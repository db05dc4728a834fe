//! A language as data: which node kinds define, bind, scope, call, import; which tokens are identifiers.
//!
//! The words are tree-sitter's: a *kind* is a node type of the grammar, a *field* names a child's place. The walk
//! hands every child a [`Role`], which says what an identifier token in that place stands for. A node kind that the
//! specification does not list hands its own role on to its children.
//!
//! [`language()`] starts the specification of a language, [`node()`] that of a kind of node. What a node can be is built by
//! its methods: those of every node stand in `node.rs`, those of definitions in `define.rs`, those of what only binds
//! names in `binder.rs`.

mod binder;
mod define;
mod language;
mod modifier;
mod node;
mod roles;
mod scopes;

pub use self::binder::{Binder, Declarator};
pub use self::define::{Define, Name};
pub use self::language::{Defined, LanguageSpec, Used, language};
pub use self::modifier::Modifier;
pub(crate) use self::node::Shape;
pub use self::node::{Hook, NodeSpec, node};
pub use self::roles::{Before, ReadToken, Role, TokenPlace};
pub use self::scopes::{BindScope, NameSpaces, ScopeKind, Visible};
