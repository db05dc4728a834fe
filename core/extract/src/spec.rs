//! A language as data: which node kinds define, bind, scope, call, import; which tokens are identifiers.
//!
//! The words are tree-sitter's: a *kind* is a node type of the grammar, a *field* names a child's place. The walk
//! hands every child a [`Role`], which says what an identifier token in that place stands for. A node kind that the
//! specification does not list hands its own role on to its children.

use tree_sitter_language::LanguageFn;

use crate::masks::Masks;
use crate::model::{Access, SymbolKind, Visibility};
use crate::walk::Walk;

/// What an identifier token in some place stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// The role of the node itself goes to its children.
    Inherit,
    /// An expression; the token kind's own default applies.
    Read,
    /// A variable where the function binds one so far, a call on the current object elsewhere (Ruby's bare names).
    ReadOrCall,
    /// The target of an assignment.
    Write,
    /// What is called.
    Call,
    /// The type or function that is instantiated.
    New,
    /// A type.
    Type,
    /// A type where the whole stands for one (`list[int]`), an expression elsewhere (`list[0]`).
    TypeArgument,
    /// A type that the enclosing definition extends.
    Extends,
    /// An interface or trait that the enclosing definition implements.
    Implements,
    /// The type of the current object in a method's head (Go's receiver).
    SelfType,
    /// A parameter's type.
    ParameterType,
    /// A function's result type.
    ReturnType,
    /// A member of whatever stands before it.
    Member,
    /// A member that is assigned, without a receiver before it (`new T { Name = 1 }`).
    WriteMember,
    /// A name of the whole program, which no scope binds (Ruby's `$name`).
    Global,
    /// A member of the object whose code this is, without a receiver (Ruby's `@name`).
    OwnMember,
    /// A member of the object whose code this is, where it gets its first value (C++'s constructors).
    OwnWrite,
    /// A type or namespace whose member follows.
    Qualifier,
    /// An expression where the token looks like a type.
    Value,
    /// Part of the name or path of what is imported.
    Import,
    /// The name that an import binds in this file; it is also the last part of what is imported.
    ImportBind,
    /// The name that an import binds in this file for the whole of what is imported (an alias).
    ImportWhole,
    /// The name of a new variable; the innermost binder says of which kind.
    Bind,
    /// The target of an assignment that also declares, where the name is not bound yet.
    BindOrWrite,
    /// The name of a new variable, unless this very scope has bound it already (Go's `:=`).
    BindHere,
    /// The name of a new parameter.
    Parameter,
    /// A name that this function takes from an outer scope (Python's `global`, the `use` of a PHP closure).
    Outer,
    /// A name that no scope binds: a label, the name of a keyword argument or of an attribute.
    Label,
}

/// What a scope is, as far as name lookup cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeKind {
    /// A file, a module or a namespace.
    Module,
    /// The body of a type: its bindings are members.
    Type,
    /// A function or lambda with its parameters.
    Function,
    /// A block inside a function.
    Block,
    /// Holds only what is bound in it on purpose ([`BindScope::Own`]); all else is bound around it.
    Transparent,
}

/// When a binding becomes visible in its scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visible {
    /// In the whole scope, also before the binding.
    Hoisted,
    /// From the end of the binder on, so that its own initializer sees an outer binding.
    AfterBinder,
    /// Inside a function from the name itself on, so that its own initializer sees it (C); elsewhere in the whole
    /// scope.
    FromName,
    /// From the end of the binder on inside a function, in the whole scope elsewhere.
    AfterBinderInFunction,
    /// Nowhere by its bare name.
    Never,
}

/// Which names share a name space, so that one shadows the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameSpaces {
    /// All.
    One,
    /// Types have one, everything else another (C#).
    Types,
    /// All but a type's methods, which have one of their own (Rust).
    Methods,
    /// Types, what is called, and values have one each (Java).
    TypesAndCallables,
    /// Types and values have one each, and what is both is in both: classes, enums, namespaces (TypeScript).
    TypesBesideValues,
}

/// Which scope a binder binds into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindScope {
    /// The innermost one.
    Innermost,
    /// The innermost function, module or type.
    Function,
    /// The scope around the innermost type in which bare names are looked up (C's enumerators).
    AroundType,
    /// The innermost one, be it transparent or not.
    Own,
    /// The file, whatever the definition stands in (a preprocessor's macros).
    File,
}

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

/// What a declarator makes of the names below it, where the declaration around it says something else.
#[derive(Debug, Clone, Copy)]
pub struct Declarator {
    /// Kind outside of and in types; `None` stands for the declaration's own.
    pub(crate) kinds: Option<(SymbolKind, SymbolKind)>,
    pub(crate) flags: u32,
}

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
    Find(for<'t> fn(tree_sitter::Node<'t>, &[u8]) -> Option<std::ops::Range<usize>>),
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

/// Code for what no table says. It runs when the node is entered, before its own rules, and may change the node's
/// role or define symbols through the walk.
pub type Hook = for<'w, 't, 's> fn(&'w mut Walk<'s>, tree_sitter::Node<'t>, Role) -> Role;

/// Code that runs once the node's scope is open.
pub type Inside = for<'w, 't, 's> fn(&'w mut Walk<'s>, tree_sitter::Node<'t>);

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

/// What the text around a token tells of it, where the grammar has tokens and nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenPlace {
    /// What it stands for.
    pub role: Role,
    /// What stands before it.
    pub before: Before,
    /// Its sort, see [`LanguageSpec::space_of_use`].
    pub space: u8,
}

/// What stands before a token in a place that has no member accesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Nothing: the name stands alone.
    Nothing,
    /// The current object or type.
    Own,
    /// The name that ends at this byte, or something that is no name.
    Name(usize),
}

/// Reads the text around the token in these bytes. It looks at a bounded part of the source.
pub type ReadToken = fn(&[u8], std::ops::Range<usize>) -> TokenPlace;

/// Finds the bytes of the documentation inside a definition.
pub type FindDoc = for<'t> fn(tree_sitter::Node<'t>) -> Option<std::ops::Range<usize>>;

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
    pub(crate) label_before: Option<u8>,
    pub(crate) tokens: Option<ReadToken>,
    pub(crate) wraps: bool,
    pub(crate) first_only: Option<Role>,
    pub(crate) scope_from: &'static [&'static str],
    pub(crate) space: u8,
    pub(crate) hook: Option<Hook>,
    pub(crate) inside: Option<Inside>,
}

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
        label_before: None,
        tokens: None,
        wraps: false,
        first_only: None,
        scope_from: &[],
        space: 0,
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

    /// Names directly below this node are of this sort, see [`LanguageSpec::space_of_use`].
    pub const fn space(mut self, space: u8) -> Self {
        self.space = space;
        self
    }

    /// Opens the scope of a type that is defined elsewhere (Rust's `impl`): members belong to the named type.
    pub const fn scope_of(mut self, owner: Name) -> Self {
        self.scope = Some(ScopeKind::Type);
        self.owner = Some(owner);
        self
    }

    /// Names with the role `Bind` below this node become symbols of this kind.
    pub const fn binder(mut self, kind: SymbolKind, visible: Visible, scope: BindScope) -> Self {
        self.binder = Some(Binder {
            kind,
            visible,
            scope,
            flags: 0,
            visibility: None,
            each: false,
            declarators: false,
            holds: false,
        });
        self
    }

    /// What stands beside a name that is no local, in the same declarator, is contained in the symbol it names (a
    /// variable's initializer).
    pub const fn holds(mut self) -> Self {
        match &mut self.binder {
            Some(binder) => binder.holds = true,
            None => panic!("call binder() first"),
        }
        self
    }

    /// The names stand inside declarators: what these hold (a function's parameters, a variable's initializer) is
    /// contained in the symbol they name, and the type before them has no share in the doc comment.
    pub const fn declarators(mut self) -> Self {
        match &mut self.binder {
            Some(binder) => binder.declarators = true,
            None => panic!("call binder() first"),
        }
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

    /// The type defined or named here is found by its tag only, apart from all other names (C's `struct x`).
    pub const fn tag(mut self) -> Self {
        self.tag = true;
        self
    }

    /// Bits of `symbols.flags` for the names that this node's binder binds.
    pub const fn bind_flags(mut self, flags: u32) -> Self {
        match &mut self.binder {
            Some(binder) => binder.flags = flags,
            None => panic!("call binder() first"),
        }
        self
    }

    /// The visibility of the names that this node's binder binds, where no modifier says otherwise.
    pub const fn bind_visibility(mut self, visibility: Visibility) -> Self {
        match &mut self.binder {
            Some(binder) => binder.visibility = Some(visibility),
            None => panic!("call binder() first"),
        }
        self
    }

    /// Each bound name is a definition of its own extent, not of the whole node's.
    pub const fn each(mut self) -> Self {
        match &mut self.binder {
            Some(binder) => binder.each = true,
            None => panic!("call binder() first"),
        }
        self
    }

    /// Names bound below this node have its extent, by the rules of the binder around it (one declarator of several).
    pub const fn extent(mut self) -> Self {
        self.extent = true;
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

    /// Sequential names bound below are visible from the end of the child in this field on.
    pub const fn visible_after(mut self, field: &'static str) -> Self {
        self.visible_after = Some(field);
        self
    }

    /// A name directly below that this byte follows is a label (`name = value` that has no node of its own).
    pub const fn label_before(mut self, sign: u8) -> Self {
        self.label_before = Some(sign);
        self
    }

    /// Directly below are tokens that the grammar knows nothing of (a macro's arguments); the text around a name says
    /// what an expression's name is there.
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

/// What is known of a definition when its visibility is decided.
#[derive(Debug, Clone, Copy)]
pub struct Defined<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Its kind.
    pub kind: SymbolKind,
    /// The kind of the symbol directly around it.
    pub parent: Option<SymbolKind>,
    /// Flags so far.
    pub flags: u32,
    /// Its signature.
    pub signature: &'a [u8],
    /// Its doc comment.
    pub doc_comment: &'a [u8],
}

/// What is known of a use of a name when its sort is decided.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    /// What the place says.
    pub role: Role,
    /// The sort that the node around it gives, 0 for none.
    pub space: u8,
    /// Whether the name is the receiver of a member access.
    pub is_receiver: bool,
    /// Whether it is the member's name in one.
    pub is_member: bool,
    /// Whether it is a member of a name that is not the current object.
    pub of_name: bool,
    /// Whether the current object is a type: the code stands in a static method or directly in a type's body.
    pub in_static: bool,
}

/// One language.
pub struct LanguageSpec {
    /// The name in the tables.
    pub name: &'static str,
    /// File extensions, lower case, without the dot.
    pub extensions: &'static [&'static str],
    /// Whole file names.
    pub file_names: &'static [&'static str],
    /// The tree-sitter grammar.
    pub grammar: LanguageFn,
    /// What stands between the parts of a qualified name.
    pub separator: &'static str,
    /// What stands for the name of a type without one in a qualified name; empty: its members are qualified by what is
    /// around the type.
    pub anonymous: &'static str,
    /// What stands after a namespace in a qualified name, if something else than `separator`.
    pub namespace_separator: Option<&'static str>,
    /// Identifier tokens: kind, and the role it has where the place says only `Read`.
    pub leaves: &'static [(&'static str, Role)],
    /// Identifier kinds that hold the name with something before it (PHP's `$name`): the one named child is the token,
    /// the kind says role and sort. What it names is a value, never a type; and where the node around it has a sort
    /// of its own, the value says which member is meant (`$object->$name`).
    pub sigils: &'static [&'static str],
    /// Texts of type names that mean the enclosing type (PHP's `self`).
    pub own_type_names: &'static [&'static str],
    /// Node kinds that mean the current object (`this`).
    pub receivers: &'static [&'static str],
    /// Node kinds that mean the current object as one of its base types (`super`).
    pub base_receivers: &'static [&'static str],
    /// Identifier texts that mean the current object or type (`self`, `cls`).
    pub receiver_names: &'static [&'static str],
    /// Words of the language that the grammar takes for the name of a type (`var`).
    pub soft_keywords: &'static [&'static str],
    /// Comment kinds.
    pub comments: &'static [&'static str],
    /// Kinds in which no name ever stands (strings without interpolation): the walk does not look into them.
    pub opaque: &'static [&'static str],
    /// What a doc comment starts with; empty: any comment directly before a definition is one.
    pub doc_prefixes: &'static [&'static str],
    /// What looks like the start of a doc comment and is none (a line of slashes).
    pub no_doc_prefixes: &'static [&'static str],
    /// Words, as named or anonymous kinds, that modify the definition they stand in.
    pub modifiers: &'static [(&'static str, Modifier)],
    /// Kinds that hold modifiers.
    pub modifier_lists: &'static [&'static str],
    /// Kinds whose text is searched for the patterns of `attribute_patterns`; they modify the definition they stand
    /// in, or the next one.
    pub attributes: &'static [&'static str],
    /// Kinds whose modifiers hold for all that follows in the scope (C++'s `public:`).
    pub sections: &'static [&'static str],
    /// Text in an attribute, and what it says.
    pub attribute_patterns: &'static [(&'static str, Modifier)],
    /// Text in a doc comment, and what it says of the definition.
    pub doc_patterns: &'static [(&'static str, Modifier)],
    /// Whether members are visible by their bare name inside the type (Java), or need a receiver (Python).
    pub implicit_this: bool,
    /// Whether a block directly in a type's body is code of its own (Java's initializers).
    pub initializer_blocks: bool,
    /// Whether a name used so can mean a symbol of this kind; one that cannot does not hide one that can.
    pub fits: fn(Access, SymbolKind) -> bool,
    /// Which names shadow one another.
    pub name_spaces: NameSpaces,
    /// Whether methods of one name are told apart by their parameters.
    pub overloads: bool,
    /// Whether two definitions of one type's name are one type (partial types, reopened classes).
    pub reopens_types: bool,
    /// Whether assigning to a member of the current object defines it (Python's `self.x = 1`).
    pub fields_by_assignment: bool,
    /// Whether assigning to a member of a function or object defines it (JavaScript's `f.x = …`).
    pub members_by_assignment: bool,
    /// Names of constructors; a method named as its type is one where this holds "".
    pub constructors: &'static [&'static str],
    /// Visibility where no modifier says it.
    pub default_visibility: fn(Defined<'_>) -> Option<Visibility>,
    /// Whether a name in a pattern binds (Rust's constants and unit variants do not).
    pub binds: fn(&[u8]) -> bool,
    /// Names that the language binds itself, so that assigning to them declares nothing (PHP's `$_GET`).
    pub predefined: &'static [&'static str],
    /// Kind and flags of what a binder binds, where its name or place says more than the grammar does.
    pub bound_as: fn(Defined<'_>) -> (SymbolKind, u32),
    /// Calls without arguments that modify the methods after them under the same parent (Ruby's `private`).
    pub section_words: &'static [(&'static str, Modifier)],
    /// The sort of name that a symbol of this kind and with these flags has. Names of different sorts never meet,
    /// however they are spelled (PHP's variables and functions).
    pub space_of_symbol: fn(SymbolKind, u32) -> u8,
    /// The sort of name that a use means.
    pub space_of_use: fn(Used) -> u8,
    /// Whether a symbol of this kind, bound in such a scope, is invisible in the functions below that scope (what a
    /// Python class binds, PHP's variables).
    pub closed: fn(SymbolKind, ScopeKind) -> bool,
    /// Whether names bound in a type's body are visible from there on, and not before (Python).
    pub sequential_types: bool,
    /// Whether calling what has this name makes an instance of it, as far as the name tells; for languages where
    /// that looks like any other call.
    pub call_instantiates: Option<fn(&[u8]) -> bool>,
    /// Where the documentation of a definition stands, if it is inside (Python's docstrings); given the definition.
    pub doc_in_body: Option<FindDoc>,
    /// Further flags that follow from name and place (a test by its name).
    pub extra_flags: fn(Defined<'_>) -> u32,
    /// The kind, where flags or the name decide on it.
    pub final_kind: fn(Defined<'_>) -> SymbolKind,
    /// `Extends` or `Implements`, where a base's name and the kind of the derived type tell more than its place.
    pub base_role: fn(&[u8], SymbolKind, Role) -> Role,
    /// What the parser should not see of a source.
    pub masks: fn(&[u8]) -> Masks,
    /// What stands between the parts of an imported path.
    pub import_separator: &'static str,
    /// The path of an import that stands for what is around it (`{self as name}`), if not the first part.
    pub import_own: &'static str,
    /// Rules by node kind, in groups; a later rule for a kind replaces an earlier one.
    pub nodes: &'static [&'static [NodeSpec]],
}

/// A language with nothing but a grammar; the starting point of each specification.
pub const fn language(name: &'static str, grammar: LanguageFn) -> LanguageSpec {
    LanguageSpec {
        name,
        extensions: &[],
        file_names: &[],
        grammar,
        separator: ".",
        anonymous: "",
        namespace_separator: None,
        leaves: &[("identifier", Role::Read)],
        sigils: &[],
        own_type_names: &[],
        receivers: &[],
        base_receivers: &[],
        receiver_names: &[],
        soft_keywords: &[],
        comments: &["comment"],
        opaque: &[],
        doc_prefixes: &[],
        no_doc_prefixes: &[],
        modifiers: &[],
        modifier_lists: &[],
        attributes: &[],
        sections: &[],
        attribute_patterns: &[],
        doc_patterns: &[],
        implicit_this: false,
        initializer_blocks: false,
        fits: |_, _| true,
        name_spaces: NameSpaces::One,
        overloads: false,
        reopens_types: true,
        fields_by_assignment: false,
        members_by_assignment: false,
        constructors: &[],
        default_visibility: |_| None,
        binds: |_| true,
        predefined: &[],
        bound_as: |defined| (defined.kind, defined.flags),
        section_words: &[],
        space_of_symbol: |_, _| 0,
        space_of_use: |_| 0,
        closed: |_, _| false,
        sequential_types: false,
        call_instantiates: None,
        doc_in_body: None,
        extra_flags: |_| 0,
        final_kind: |defined| defined.kind,
        base_role: |_, _, role| role,
        masks: |_| Masks::default(),
        import_separator: ".",
        import_own: "",
        nodes: &[],
    }
}
