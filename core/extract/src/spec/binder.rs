//! Binders: nodes below which every name in a binding place becomes a symbol, and the declarators among them.

use crate::model::{SymbolKind, Visibility};

use super::{BindScope, NodeSpec, Visible};

/// How the names below a node become symbols.
#[derive(Debug, Clone, Copy)]
pub struct Binder {
    pub(crate) kind: SymbolKind,
    pub(crate) visible: Visible,
    pub(crate) scope: BindScope,
    pub(crate) flags: u32,
    pub(crate) visibility: Option<Visibility>,
    pub(crate) each: bool,
    pub(crate) declarators: bool,
    pub(crate) holds: bool,
}

impl Binder {
    /// A binder of which nothing more is said.
    pub(crate) const fn new(kind: SymbolKind, visible: Visible, scope: BindScope) -> Self {
        Self {
            kind,
            visible,
            scope,
            flags: 0,
            visibility: None,
            each: false,
            declarators: false,
            holds: false,
        }
    }
}

/// What a declarator makes of the names below it, where the declaration around it says something else.
#[derive(Debug, Clone, Copy)]
pub struct Declarator {
    /// Kind outside of and in types; `None` stands for the declaration's own.
    pub(crate) kinds: Option<(SymbolKind, SymbolKind)>,
    pub(crate) flags: u32,
}

impl NodeSpec {
    /// Names with the role `Bind` below this node become symbols of this kind.
    pub const fn binder(mut self, kind: SymbolKind, visible: Visible, scope: BindScope) -> Self {
        self.binder = Some(Binder::new(kind, visible, scope));
        self
    }

    const fn bound(&mut self) -> &mut Binder {
        match &mut self.binder {
            Some(binder) => binder,
            None => panic!("call binder() first"),
        }
    }

    /// What stands beside a name that is no local, in the same declarator, is contained in the symbol it names (a
    /// variable's initializer).
    pub const fn holds(mut self) -> Self {
        self.bound().holds = true;
        self
    }

    /// The names stand inside declarators: what these hold (a function's parameters, a variable's initializer) is
    /// contained in the symbol they name, and the type before them has no share in the doc comment.
    pub const fn declarators(mut self) -> Self {
        self.bound().declarators = true;
        self
    }

    /// Bits of `symbols.flags` for the names that this node's binder binds.
    pub const fn bind_flags(mut self, flags: u32) -> Self {
        self.bound().flags = flags;
        self
    }

    /// The visibility of the names that this node's binder binds, where no modifier says otherwise.
    pub const fn bind_visibility(mut self, visibility: Visibility) -> Self {
        self.bound().visibility = Some(visibility);
        self
    }

    /// Each bound name is a definition of its own extent, not of the whole node's.
    pub const fn each(mut self) -> Self {
        self.bound().each = true;
        self
    }

    /// Names bound below this node have its extent, by the rules of the binder around it (one declarator of several).
    pub const fn extent(mut self) -> Self {
        self.extent = true;
        self
    }

    /// A declarator that makes its name this kind, in a type's body `in_type`; what the declaration's modifiers say
    /// of kind and constancy is not said of it.
    pub const fn declares(mut self, kind: SymbolKind, in_type: SymbolKind, flags: u32) -> Self {
        self.declarator = Some(Declarator {
            kinds: Some((kind, in_type)),
            flags,
        });
        self
    }

    /// A declarator whose name only leads to what the declaration describes (a pointer).
    pub const fn indirect(mut self) -> Self {
        self.declarator = Some(Declarator {
            kinds: None,
            flags: 0,
        });
        self
    }

    /// Sequential names bound below are visible from the end of the child in this field on.
    pub const fn visible_after(mut self, field: &'static str) -> Self {
        self.visible_after = Some(field);
        self
    }
}
