//! A language as data: which node kinds define, bind, scope, call, import; which tokens are identifiers.
//!
//! The words are tree-sitter's: a *kind* is a node type of the grammar, a *field* names a child's place. The walk
//! hands every child a [`Role`], which says what an identifier token in that place stands for. A node kind that the
//! specification does not list hands its own role on to its children.

use tree_sitter_language::LanguageFn;

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
    /// The target of an assignment.
    Write,
    /// What is called.
    Call,
    /// The type or function that is instantiated.
    New,
    /// A type.
    Type,
    /// A type that the enclosing definition extends.
    Extends,
    /// An interface or trait that the enclosing definition implements.
    Implements,
    /// A parameter's type.
    ParameterType,
    /// A function's result type.
    ReturnType,
    /// A member of whatever stands before it.
    Member,
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
    /// The name of a new parameter.
    Parameter,
    /// A name that this function takes from an outer scope (Python's `global`).
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
    /// Nowhere by its bare name.
    Never,
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
    pub(crate) each: bool,
    pub(crate) declarators: bool,
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
    pub(crate) body: &'static [&'static str],
    pub(crate) flags: u32,
    pub(crate) until_parent_ends: bool,
    pub(crate) visible: Visible,
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
    pub(crate) wraps: bool,
    pub(crate) first_only: Option<Role>,
    pub(crate) hook: Option<Hook>,
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
        wraps: false,
        first_only: None,
        hook: None,
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
            body: &["body"],
            flags: 0,
            until_parent_ends: false,
            visible: Visible::Hoisted,
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

    /// Fields of the body, any of which ends the signature.
    pub const fn body(self, fields: &'static [&'static str]) -> Self {
        let define = Define {
            body: fields,
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

    /// Bits of `symbols.flags` that the definition always has.
    pub const fn flags(self, flags: u32) -> Self {
        let define = Define {
            flags,
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

    /// The name is visible from the end of the definition on.
    pub const fn sequential(self) -> Self {
        let define = Define {
            visible: Visible::AfterBinder,
            ..self.defined()
        };
        self.with_define(define)
    }

    /// The definition binds its name in the innermost function or module (JavaScript's `var`).
    pub const fn function_scoped(self) -> Self {
        let define = Define {
            scope: BindScope::Function,
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

    /// Opens a scope.
    pub const fn scope(mut self, scope: ScopeKind) -> Self {
        self.scope = Some(scope);
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
            each: false,
            declarators: false,
        });
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

    /// Modifiers and doc comments before this node belong to the definition inside it, and its start is the
    /// definition's start as far as the signature goes.
    pub const fn wraps(mut self) -> Self {
        self.wraps = true;
        self
    }

    /// Only the first named child has the inherited role; the others have this one.
    pub const fn first_only(mut self, others: Role) -> Self {
        self.first_only = Some(others);
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
    /// Identifier tokens: kind, and the role it has where the place says only `Read`.
    pub leaves: &'static [(&'static str, Role)],
    /// Node kinds that mean the current object (`this`).
    pub receivers: &'static [&'static str],
    /// Identifier texts that mean the current object or type (`self`, `cls`).
    pub receiver_names: &'static [&'static str],
    /// Comment kinds.
    pub comments: &'static [&'static str],
    /// What a doc comment starts with; empty: any comment directly before a definition is one.
    pub doc_prefixes: &'static [&'static str],
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
    /// Whether members are visible by their bare name inside the type (Java), or need a receiver (Python).
    pub implicit_this: bool,
    /// Whether a name used so can mean a symbol of this kind; one that cannot does not hide one that can.
    pub fits: fn(Access, SymbolKind) -> bool,
    /// Whether assigning to a member of the current object defines it (Python's `self.x = 1`).
    pub fields_by_assignment: bool,
    /// Names of constructors; a method named as its type is one where this holds "".
    pub constructors: &'static [&'static str],
    /// Visibility where no modifier says it.
    pub default_visibility: fn(Defined<'_>) -> Option<Visibility>,
    /// Whether a name in a pattern binds (Rust's constants and unit variants do not).
    pub binds: fn(&[u8]) -> bool,
    /// Further flags that follow from name and place (a test by its name).
    pub extra_flags: fn(Defined<'_>) -> u32,
    /// What stands between the parts of an imported path.
    pub import_separator: &'static str,
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
        leaves: &[("identifier", Role::Read)],
        receivers: &[],
        receiver_names: &[],
        comments: &["comment"],
        doc_prefixes: &[],
        modifiers: &[],
        modifier_lists: &[],
        attributes: &[],
        sections: &[],
        attribute_patterns: &[],
        implicit_this: false,
        fits: |_, _| true,
        fields_by_assignment: false,
        constructors: &[],
        default_visibility: |_| None,
        binds: |_| true,
        extra_flags: |_| 0,
        import_separator: ".",
        nodes: &[],
    }
}
