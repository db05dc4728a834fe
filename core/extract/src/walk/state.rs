//! What the walk keeps of the nodes around the current one: an entry of each of its stacks.

use std::ops::Range;

use tree_sitter::{Node, Point};

use crate::facts::{NameId, Receiver, Row, Text};
use crate::model::SymbolKind;
use crate::rules::KindRule;
use crate::spec::{Binder, Modifier, Role};

/// A doc comment that is longer documents only the first of several names, so that names never multiply with length.
const MAX_SHARED_DOC: u32 = 4096;

#[derive(Clone, Copy)]
pub(super) struct Frame<'s> {
    pub(super) rule: &'s KindRule,
    pub(super) role: Role,
    /// The symbol that this node defines.
    pub(super) symbol: Row,
    pub(super) opens: u32,
    pub(super) scopes: u32,
    pub(super) binders: u32,
    pub(super) imports: u32,
    pub(super) pending_binds: u32,
    /// The node's scope, until its names are seen.
    pub(super) late_scope: u32,
    pub(super) named_children: u32,
    pub(super) receiver: Receiver,
    /// The row of the member's name, in a member access.
    pub(super) member_row: Row,
    /// Whether the definition here stays open for what follows it.
    pub(super) stays: bool,
    /// Whether this node is the receiver of a member access around it.
    pub(super) is_object: bool,
    /// Whether a hook has said what it is as one.
    pub(super) is_known: bool,
    /// Whether a first name below this node is the member of a member access around it.
    pub(super) is_property: bool,
    /// Whether the child before was the last that does not see the names bound here.
    pub(super) binds_now: bool,
    /// The identifier whose call's arguments these are.
    pub(super) call: Row,
    pub(super) doc: Doc,
    pub(super) modifier: Modifier,
    pub(super) next_modifier: Modifier,
    /// What the methods to come under this node are.
    pub(super) section: Modifier,
    /// Roles that a hook gave to the receiver and to the other children.
    pub(super) object_role: Option<Role>,
    pub(super) child_role: Option<Role>,
    /// The field from which on names are looked up outside of the scope around the node, 0 for none.
    pub(super) outside_from: u16,
    /// That scope, while it is left.
    pub(super) left_scope: u32,
    pub(super) wrapper_start: u32,
    /// Where the first of the wrapped declarations starts.
    pub(super) head_end: u32,
    /// The named child before.
    pub(super) last_named: Option<Node<'s>>,
    pub(super) start_byte: u32,
}

/// A definition, or a type's body defined elsewhere, around the current node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    pub(super) symbol: Row,
    pub(super) kind: Option<SymbolKind>,
    /// Whether members may be said to be the current object's here.
    pub(super) is_type: bool,
    /// Whether the current object is the type itself.
    pub(super) is_static: bool,
    /// Whether methods defined directly here belong to the type, not to its instances.
    pub(super) defines_static: bool,
    /// How many scopes lie around it.
    pub(super) scopes: u32,
    /// The key that members are filed under.
    pub(super) type_name: NameId,
    /// The name of the type whose code this is.
    pub(super) enclosing_type: NameId,
    pub(super) qualified_name: Text,
    /// The scope of its parameters.
    pub(super) scope: u32,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct OpenBinder {
    pub(super) binder: Binder,
    pub(super) start: Point,
    pub(super) end: Point,
    pub(super) start_byte: u32,
    pub(super) end_byte: u32,
    /// Position of the binder's frame.
    pub(super) frame: usize,
    /// Position of the frame of a declarator whose modifiers are the name's own.
    pub(super) indirect: Option<usize>,
}

/// A run of comments that may document the next definition.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Doc {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) end_line: u32,
    pub(super) present: bool,
    /// It stands before the wrapper, and documents all that the wrapper holds.
    pub(super) shared: bool,
}

impl Doc {
    /// Its bytes, if there is one.
    pub(super) fn range(&self) -> Option<Range<usize>> {
        let range = self.start as usize..self.end as usize;
        Some(range).filter(|_| self.present)
    }

    /// Whether it may be that of several names.
    pub(super) fn is_short(&self) -> bool {
        self.end - self.start <= MAX_SHARED_DOC
    }
}

#[derive(Clone, Copy, Default)]
pub(super) struct Context {
    pub(super) doc: Doc,
    pub(super) modifier: Modifier,
    /// Where the signature starts.
    pub(super) start: u32,
    /// Where it ends to be shared with other declarations of the same wrapper.
    pub(super) head_end: u32,
    /// Where it starts to be this declaration's own.
    pub(super) own_start: u32,
}
