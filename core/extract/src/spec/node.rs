//! Rules for one kind of node, and the functions that build them.

use tree_sitter::Node;

use crate::walk::Walk;

use super::{Binder, Declarator, Define, Name, ReadToken, Role, ScopeKind};

/// What the walk does at one kind of node.
#[derive(Debug, Clone, Copy)]
pub struct NodeSpec {
    pub(crate) kind: &'static str,
    pub(crate) child: Role,
    pub(crate) fields: &'static [(&'static str, Role)],
    pub(crate) define: Option<Define>,
    pub(crate) scope: Option<ScopeKind>,
    pub(crate) owner: Option<Name>,
    pub(crate) binder: Option<Binder>,
    pub(crate) extent: bool,
    pub(crate) declarator: Option<Declarator>,
    pub(crate) tag: bool,
    pub(crate) import_path: Option<&'static str>,
    pub(crate) member: Option<(&'static str, &'static str)>,
    pub(crate) shape: Shape,
    pub(crate) visible_after: Option<&'static str>,
    pub(crate) tokens: Option<ReadToken>,
    pub(crate) wraps: bool,
    pub(crate) first_only: Option<Role>,
    pub(crate) scope_from: &'static [&'static str],
    pub(crate) sort: u8,
    pub(crate) hook: Option<Hook>,
    pub(crate) inside: Option<Inside>,
}

/// What a node is in a member access or a call, beyond its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Nothing, or a member access by its fields.
    Plain,
    /// A call of a member or, without a receiver, of a bare name.
    Call,
    /// A member access without fields.
    Positional,
    /// Members named below it belong to the receiver of the node around it.
    PassesReceiver,
    /// The arguments of a call.
    Arguments,
}

/// Code for what no table says. It runs when the node is entered, before its own rules, and may change the node's
/// role or define symbols through the walk.
pub type Hook = for<'w, 't, 's> fn(&'w mut Walk<'s>, Node<'t>, Role) -> Role;

/// Code that runs once the node's scope is open.
pub type Inside = for<'w, 't, 's> fn(&'w mut Walk<'s>, Node<'t>);

/// Starts the specification of one kind of node. Its children inherit its role until told otherwise.
pub const fn node(kind: &'static str) -> NodeSpec {
    NodeSpec {
        kind,
        child: Role::Inherit,
        fields: &[],
        define: None,
        scope: None,
        owner: None,
        binder: None,
        extent: false,
        declarator: None,
        tag: false,
        import_path: None,
        member: None,
        shape: Shape::Plain,
        visible_after: None,
        tokens: None,
        wraps: false,
        first_only: None,
        scope_from: &[],
        sort: 0,
        hook: None,
        inside: None,
    }
}

impl NodeSpec {
    /// The role of children that no field rule names.
    pub const fn child(mut self, role: Role) -> Self {
        self.child = role;
        self
    }

    /// Roles by field.
    pub const fn fields(mut self, fields: &'static [(&'static str, Role)]) -> Self {
        self.fields = fields;
        self
    }

    /// Opens a scope.
    pub const fn scope(mut self, scope: ScopeKind) -> Self {
        self.scope = Some(scope);
        self
    }

    /// The names of this node's scope are seen from the first of these fields on: what stands before them (defaults,
    /// annotations, bases) is looked up outside.
    pub const fn scope_from(mut self, fields: &'static [&'static str]) -> Self {
        self.scope_from = fields;
        self
    }

    /// Names directly below this node are of this sort, see [`LanguageSpec::sort_of_use`](super::LanguageSpec::sort_of_use).
    pub const fn sort(mut self, sort: u8) -> Self {
        self.sort = sort;
        self
    }

    /// Opens the scope of a type that is defined elsewhere (Rust's `impl`): members belong to the named type.
    pub const fn scope_of(mut self, owner: Name) -> Self {
        self.scope = Some(ScopeKind::Type);
        self.owner = Some(owner);
        self
    }

    /// The type defined or named here is found by its tag only, apart from all other names (C's `struct x`).
    pub const fn tag(mut self) -> Self {
        self.tag = true;
        self
    }

    /// An import statement or clause; `path` is the field with the part of the path that it adds for names below it.
    pub const fn import(mut self, path: &'static str) -> Self {
        self.import_path = Some(path);
        self
    }

    /// A member access: the receiver's field and the member's field.
    pub const fn member(mut self, object: &'static str, property: &'static str) -> Self {
        self.member = Some((object, property));
        self
    }

    /// A call of a member or, without a receiver, of a bare name, where one node is both call and member access:
    /// the receiver's field and the name's. What the call returns is not the member.
    pub const fn call_member(mut self, object: &'static str, name: &'static str) -> Self {
        self.member = Some((object, name));
        self.shape = Shape::Call;
        self
    }

    /// A member access without fields: the first named child is the receiver, the names after it are members.
    pub const fn positional_member(mut self) -> Self {
        self.shape = Shape::Positional;
        self
    }

    /// The child in this field names the type of the members named below (`new T { name: … }`).
    pub const fn members_of(mut self, field: &'static str) -> Self {
        self.member = Some((field, ""));
        self
    }

    /// Members named below belong to the receiver of the node around this one.
    pub const fn passes_receiver(mut self) -> Self {
        self.shape = Shape::PassesReceiver;
        self
    }

    /// The arguments of the call whose name stands before; one named child each.
    pub const fn arguments(mut self) -> Self {
        self.shape = Shape::Arguments;
        self
    }

    /// Directly below are tokens, and the grammar does not say which is what (a macro's arguments, the names in
    /// `new { name = value }`); the text around a name says what an expression's name is there.
    pub const fn tokens(mut self, read: ReadToken) -> Self {
        self.tokens = Some(read);
        self
    }

    /// Modifiers and doc comments before this node belong to the definition inside it, and its start is the
    /// definition's start as far as the signature goes.
    pub const fn wraps(mut self) -> Self {
        self.wraps = true;
        self
    }

    /// Only the first named child stands in this node's place (a name with type arguments); the others have this
    /// role.
    pub const fn first_only(mut self, others: Role) -> Self {
        self.first_only = Some(others);
        self
    }

    /// Code for what no table says of the inside of the node's scope.
    pub const fn inside(mut self, inside: Inside) -> Self {
        self.inside = Some(inside);
        self
    }

    /// Code for what no table says.
    pub const fn hook(mut self, hook: Hook) -> Self {
        self.hook = Some(hook);
        self
    }
}
