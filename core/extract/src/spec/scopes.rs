//! Scopes and bindings: where a name is bound, from where on it is seen, and which names it shadows.

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

/// Which names share a name space, so that one shadows the other.
///
/// This is not the same as the sorts of names ([`LanguageSpec::sort_of_symbol`](super::LanguageSpec::sort_of_symbol)).
/// Name spaces may overlap, and a use looks into several by preference (a class of TypeScript is a type and a value; a
/// bare name of Java that is read is a value or else a type), so they are told apart where a use meets a binding, when
/// kinds are final. Sorts never meet, and the place of a use says which is meant; so a sort is part of the name's id, and
/// what the walk itself asks of names (is it bound already, has the type this member) is asked of the right one.
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
