//! Definitions: a node of its own extent that says where its name stands and what the name means.

use std::ops::Range;

use tree_sitter::Node;

use crate::model::SymbolKind;

use super::{BindScope, NodeSpec, Visible};

/// Where a definition's name stands.
#[derive(Debug, Clone, Copy)]
pub enum Name {
    /// The child in this field.
    Field(&'static str),
    /// Follow this field, again and again, to the innermost node (C's declarators).
    Descend(&'static str),
    /// The first child of one of these kinds.
    Child(&'static [&'static str]),
    /// A function that finds the bytes of the name; for grammars that hide it.
    Find(for<'t> fn(Node<'t>, &[u8]) -> Option<Range<usize>>),
}

/// A definition: the node's extent, its name, and what the name means.
#[derive(Debug, Clone, Copy)]
pub struct Define {
    pub(crate) kind: SymbolKind,
    pub(crate) in_type: Option<SymbolKind>,
    pub(crate) name: Name,
    pub(crate) owner: Option<Name>,
    pub(crate) path: Option<Name>,
    pub(crate) self_parameter: Option<Name>,
    pub(crate) body: &'static [&'static str],
    pub(crate) body_at: Option<Name>,
    pub(crate) flags: u32,
    pub(crate) without_body: u32,
    pub(crate) hidden_by: Option<&'static str>,
    pub(crate) until_parent_ends: bool,
    pub(crate) visible: Visible,
    pub(crate) unbound_in_type: bool,
    pub(crate) scope: BindScope,
    pub(crate) only_with: Option<(&'static str, &'static [(&'static str, SymbolKind)])>,
}

impl NodeSpec {
    /// A definition of this kind, named by the child in field `name`, with its body in field `body`.
    pub const fn define(mut self, kind: SymbolKind) -> Self {
        self.define = Some(Define {
            kind,
            in_type: None,
            name: Name::Field("name"),
            owner: None,
            path: None,
            self_parameter: None,
            body: &["body"],
            body_at: None,
            flags: 0,
            without_body: 0,
            hidden_by: None,
            until_parent_ends: false,
            visible: Visible::Hoisted,
            unbound_in_type: false,
            scope: BindScope::Innermost,
            only_with: None,
        });
        self
    }

    const fn defined(&mut self) -> &mut Define {
        match &mut self.define {
            Some(define) => define,
            None => panic!("call define() first"),
        }
    }

    /// The definition's kind directly inside a type's body.
    pub const fn in_type(mut self, kind: SymbolKind) -> Self {
        self.defined().in_type = Some(kind);
        self
    }

    /// Where the definition's name stands, if not in field `name`.
    pub const fn name(mut self, name: Name) -> Self {
        self.defined().name = name;
        self
    }

    /// Fields of the body, any of which ends the signature; `a.b` is the field b of what stands in a.
    pub const fn body(mut self, fields: &'static [&'static str]) -> Self {
        self.defined().body = fields;
        self
    }

    /// Where the body starts, for grammars that give it no field.
    pub const fn body_at(mut self, body: Name) -> Self {
        self.defined().body_at = Some(body);
        self
    }

    /// Bits of `symbols.flags` that the definition has when it has no body.
    pub const fn without_body(mut self, flags: u32) -> Self {
        self.defined().without_body = flags;
        self
    }

    /// The parameter that stands for the current object inside the definition (Go's receiver).
    pub const fn self_parameter(mut self, name: Name) -> Self {
        self.defined().self_parameter = Some(name);
        self
    }

    /// The type that the definition belongs to although it stands elsewhere (Go's receivers).
    pub const fn belongs_to(mut self, owner: Name) -> Self {
        self.defined().owner = Some(owner);
        self
    }

    /// The name with all that it is qualified by, where the definition's own place does not tell it (`a::B::f` in C++).
    pub const fn path(mut self, path: Name) -> Self {
        self.defined().path = Some(path);
        self
    }

    /// Bits of `symbols.flags` that the definition always has.
    pub const fn flags(mut self, flags: u32) -> Self {
        self.defined().flags = flags;
        self
    }

    /// A child of this kind makes the definition one that no name reaches (C#'s explicit implementations of an
    /// interface).
    pub const fn hidden_by(mut self, kind: &'static str) -> Self {
        self.defined().hidden_by = Some(kind);
        self
    }

    /// The definition holds all that follows it under the same parent (a package or file-scoped namespace).
    pub const fn until_parent_ends(mut self) -> Self {
        self.defined().until_parent_ends = true;
        self
    }

    /// The definition binds its name in another scope than the innermost one.
    pub const fn bound_in(mut self, scope: BindScope) -> Self {
        self.defined().scope = scope;
        self
    }

    /// Defines, and opens its scope, only when the field holds a child of one of these kinds, which also says what is
    /// defined.
    pub const fn only_with(
        mut self,
        field: &'static str,
        kinds: &'static [(&'static str, SymbolKind)],
    ) -> Self {
        self.defined().only_with = Some((field, kinds));
        self
    }

    /// The bare name is bound in no scope (a method that needs a receiver).
    pub const fn unbound(mut self) -> Self {
        self.defined().visible = Visible::Never;
        self
    }

    /// The bare name is visible in its scope from the end of the definition on.
    pub const fn bound_after(mut self) -> Self {
        self.defined().visible = Visible::AfterBinder;
        self
    }

    /// Directly inside a type's body the bare name is bound in no scope.
    pub const fn unbound_in_type(mut self) -> Self {
        self.defined().unbound_in_type = true;
        self
    }
}
