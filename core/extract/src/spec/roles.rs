//! Roles: what an identifier token stands for, by the place it stands in or by the text around it.

use std::ops::Range;

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

/// What the text around a token tells of it, where the grammar has tokens and nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenPlace {
    /// What it stands for.
    pub role: Role,
    /// What stands before it.
    pub before: Before,
    /// Its sort, see [`LanguageSpec::sort_of_use`](super::LanguageSpec::sort_of_use).
    pub sort: u8,
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
pub type ReadToken = fn(&[u8], Range<usize>) -> TokenPlace;
