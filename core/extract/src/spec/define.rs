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

    const fn with_define(mut self, define: Define) -> Self {
        self.define = Some(define);
        self
    }

    const fn defined(&self) -> Define {
        match self.define {
            Some(define) => define,
            None => panic!("call define() first"),
        }
    }

    /// The definition's kind directly inside a type's body.
    pub const fn in_type(self, kind: SymbolKind) -> Self {
        let define = Define {
            in_type: Some(kind),
            ..self.defined()
        };
        self.with_define(define)
    }

    /// Where the definition's name stands, if not in field `name`.
    pub const fn name(self, name: Name) -> Self {
        let define = Define {
            name,
            ..self.defined()
        };
        self.with_define(define)
    }

    /// Fields of the body, any of which ends the signature; `a.b` is the field b of what stands in a.
    pub const fn body(self, fields: &'static [&'static str]) -> Self {
        let define = Define {
            body: fields,
            ..self.defined()
        };
        self.with_define(define)
    }

    /// Where the body starts, for grammars that give it no field.
    pub const fn body_at(self, body: Name) -> Self {
        let define = Define {
            body_at: Some(body),
            ..self.defined()
        };
        self.with_define(define)
    }

    /// Bits of `symbols.flags` that the definition has when it has no body.
    pub const fn without_body(self, flags: u32) -> Self {
        let define = Define {
            without_body: flags,
            ..self.defined()
        };
        self.with_define(define)
    }

    /// The parameter that stands for the current object inside the definition (Go's receiver).
    pub const fn self_parameter(self, name: Name) -> Self {
        let define = Define {
            self_parameter: Some(name),
            ..self.defined()
        };
        self.with_define(define)
    }

    /// The type that the definition belongs to although it stands elsewhere (Go's receivers).
    pub const fn belongs_to(self, owner: Name) -> Self {
        let define = Define {
            owner: Some(owner),
            ..self.defined()
        };
        self.with_define(define)
    }

    /// The name with all that it is qualified by, where the definition's own place does not tell it (`a::B::f` in C++).
    pub const fn path(self, path: Name) -> Self {
        let define = Define {
            path: Some(path),
            ..self.defined()
        };
        self.with_define(define)
    }

    /// Bits of `symbols.flags` that the definition always has.
    pub const fn flags(self, flags: u32) -> Self {
        let define = Define {
            flags,
            ..self.defined()
        };
        self.with_define(define)
    }

    /// A child of this kind makes the definition one that no name reaches (C#'s explicit implementations of an
    /// interface).
    pub const fn hidden_by(self, kind: &'static str) -> Self {
        let define = Define {
            hidden_by: Some(kind),
            ..self.defined()
        };
        self.with_define(define)
    }

    /// The definition holds all that follows it under the same parent (a package or file-scoped namespace).
    pub const fn until_parent_ends(self) -> Self {
        let define = Define {
            until_parent_ends: true,
            ..self.defined()
        };
        self.with_define(define)
    }

    /// The definition binds its name in another scope than the innermost one.
    pub const fn bound_in(self, scope: BindScope) -> Self {
        let define = Define {
            scope,
            ..self.defined()
        };
        self.with_define(define)
    }

    /// Defines, and opens its scope, only when the field holds a child of one of these kinds, which also says what is
    /// defined.
    pub const fn only_with(
        self,
        field: &'static str,
        kinds: &'static [(&'static str, SymbolKind)],
    ) -> Self {
        let define = Define {
            only_with: Some((field, kinds)),
            ..self.defined()
        };
        self.with_define(define)
    }

    /// The bare name is bound in no scope (a method that needs a receiver).
    pub const fn unbound(self) -> Self {
        let define = Define {
            visible: Visible::Never,
            ..self.defined()
        };
        self.with_define(define)
    }

    /// The bare name is visible in its scope from the end of the definition on.
    pub const fn bound_after(self) -> Self {
        let define = Define {
            visible: Visible::AfterBinder,
            ..self.defined()
        };
        self.with_define(define)
    }

    /// Directly inside a type's body the bare name is bound in no scope.
    pub const fn unbound_in_type(self) -> Self {
        let define = Define {
            unbound_in_type: true,
            ..self.defined()
        };
        self.with_define(define)
    }
}
