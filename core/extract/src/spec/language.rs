//! A language as a whole: its words, its customs, and the rules of its node kinds.

use std::ops::Range;

use tree_sitter::Node;
use tree_sitter_language::LanguageFn;

use crate::masks::Masks;
use crate::model::{Access, SymbolKind, Visibility};

use super::{Modifier, NameSpaces, NodeSpec, Role, ScopeKind};

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
    pub sort_of_symbol: fn(SymbolKind, u32) -> u8,
    /// The sort of name that a use means; `None` where all names are of one sort.
    pub sort_of_use: Option<fn(Used) -> u8>,
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
        sort_of_symbol: |_, _| 0,
        sort_of_use: None,
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
    pub sort: u8,
    /// Whether the name is the receiver of a member access.
    pub is_receiver: bool,
    /// Whether it is the member's name in one.
    pub is_member: bool,
    /// Whether it is a member of a name that is not the current object.
    pub of_name: bool,
    /// Whether the current object is a type: the code stands in a static method or directly in a type's body.
    pub in_static: bool,
}

/// Finds the bytes of the documentation inside a definition.
pub type FindDoc = for<'t> fn(Node<'t>) -> Option<Range<usize>>;
