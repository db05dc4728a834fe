//! JavaScript and JSX: one grammar, two names. TypeScript builds on these rules.

use std::ops::Range;

use tree_sitter::Node;

use crate::model::{SymbolKind, Visibility, flags};
use crate::spec::{
    BindScope, Defined, LanguageSpec, Modifier, Name, NodeSpec, Role, ScopeKind, Visible, language,
    node,
};
use crate::walk::Walk;

pub static JAVASCRIPT: LanguageSpec = LanguageSpec {
    extensions: &["js", "mjs", "cjs"],
    ..SHARED
};

pub static JSX: LanguageSpec = LanguageSpec {
    name: "jsx",
    extensions: &["jsx"],
    ..SHARED
};

const SHARED: LanguageSpec = LanguageSpec {
    leaves: LEAVES,
    opaque: &["string", "regex"],
    receivers: &["this"],
    comments: COMMENTS,
    doc_prefixes: &["/**"],
    modifiers: MODIFIERS,
    attributes: &["decorator"],
    fields_by_assignment: true,
    constructors: &["constructor"],
    default_visibility: visibility,
    import_separator: "#",
    nodes: &[COMMON, FUNCTIONS, ELEMENTS, OWN],
    ..language("javascript", tree_sitter_javascript::LANGUAGE)
};

pub(super) const LEAVES: &[(&str, Role)] = &[
    ("identifier", Role::Read),
    ("property_identifier", Role::Member),
    ("private_property_identifier", Role::Member),
    ("shorthand_property_identifier", Role::Read),
    ("shorthand_property_identifier_pattern", Role::Bind),
    ("statement_identifier", Role::Label),
];

pub(super) const COMMENTS: &[&str] = &["comment", "html_comment"];

pub(super) const MODIFIERS: &[(&str, Modifier)] = &[
    ("async", Modifier::flags(flags::ASYNC)),
    ("static", Modifier::flags(flags::STATIC)),
    ("export", Modifier::flags(flags::EXPORTED)),
    (
        "const",
        Modifier::kind(SymbolKind::Constant).and(Modifier::flags(flags::READONLY)),
    ),
    ("get", Modifier::kind(SymbolKind::Property)),
    ("set", Modifier::kind(SymbolKind::Property)),
];

/// What a variable or property must hold to be a definition of another kind.
const VALUES: &[(&str, SymbolKind)] = &[
    ("arrow_function", SymbolKind::Function),
    ("function_expression", SymbolKind::Function),
    ("generator_function", SymbolKind::Function),
    ("class", SymbolKind::Class),
];

/// Rules that hold for JavaScript and TypeScript.
pub(super) const COMMON: &[NodeSpec] = &[
    node("program").child(Role::Read),
    node("export_statement").wraps().hook(export_role),
    node("export_specifier")
        .fields(&[("alias", Role::Bind)])
        .binder(SymbolKind::Export, Visible::Never, BindScope::Innermost),
    node("namespace_export").child(Role::Bind).binder(
        SymbolKind::Export,
        Visible::Never,
        BindScope::Innermost,
    ),
    // Classes.
    node("class_declaration")
        .define(SymbolKind::Class)
        .scope(ScopeKind::Type)
        .child(Role::Read),
    node("class")
        .define(SymbolKind::Class)
        .unbound()
        .scope(ScopeKind::Type)
        .child(Role::Read),
    node("class_static_block")
        .scope(ScopeKind::Function)
        .child(Role::Read),
    // Variables.
    node("lexical_declaration")
        .child(Role::Read)
        .wraps()
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Innermost),
    node("variable_declaration")
        .child(Role::Read)
        .wraps()
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Function),
    node("for_in_statement")
        .scope(ScopeKind::Block)
        .child(Role::Read)
        .fields(&[("left", Role::Inherit)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Innermost)
        .hook(loop_role),
    node("for_statement")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("statement_block")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("switch_body")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("catch_clause")
        .scope(ScopeKind::Block)
        .child(Role::Read)
        .fields(&[("parameter", Role::Bind)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Innermost),
    // Patterns.
    node("pair_pattern").fields(&[("key", Role::Member)]),
    node("assignment_pattern").fields(&[("right", Role::Read)]),
    node("object_assignment_pattern").fields(&[("right", Role::Read)]),
    node("computed_property_name").child(Role::Read),
    // Expressions.
    node("member_expression").member("object", "property"),
    node("subscript_expression").child(Role::Read),
    node("arguments").child(Role::Read),
    node("template_string").child(Role::Read),
    node("object").child(Role::Read),
    node("array").child(Role::Read),
    node("pair")
        .define(SymbolKind::Function)
        .name(Name::Find(pair_name))
        .only_with("value", VALUES)
        .unbound()
        .child(Role::Read)
        .fields(&[("key", Role::Label)]),
    node("assignment_expression")
        .define(SymbolKind::Function)
        .name(Name::Find(assigned_member))
        .only_with("right", VALUES)
        .unbound()
        .child(Role::Read)
        .fields(&[("left", Role::Write)]),
    node("augmented_assignment_expression")
        .child(Role::Read)
        .fields(&[("left", Role::Write)]),
    node("update_expression").child(Role::Write),
    node("ternary_expression").child(Role::Read),
    node("binary_expression").child(Role::Read),
    node("await_expression").child(Role::Read),
    node("sequence_expression").child(Role::Read),
    node("meta_property").child(Role::Label),
    node("decorator").child(Role::Call),
    // Imports.
    node("import_statement")
        .import("source")
        .child(Role::ImportWhole),
    node("named_imports").child(Role::ImportBind),
    node("import_specifier")
        .import("name")
        .fields(&[("name", Role::Inherit), ("alias", Role::ImportWhole)])
        .hook(import_role),
    node("import_attribute").child(Role::Label),
];

/// Elements of JSX and TSX.
pub(super) const ELEMENTS: &[NodeSpec] = &[
    node("jsx_opening_element")
        .child(Role::Read)
        .fields(&[("name", Role::Call)]),
    node("jsx_self_closing_element")
        .child(Role::Read)
        .fields(&[("name", Role::Call)]),
    node("jsx_closing_element").child(Role::Read),
    node("jsx_namespace_name").child(Role::Label),
    node("jsx_expression").child(Role::Read),
];

const FUNCTIONS: &[NodeSpec] = &[
    node("function_declaration")
        .define(SymbolKind::Function)
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("parameters", Role::Parameter)]),
    node("generator_function_declaration")
        .define(SymbolKind::Function)
        .flags(flags::GENERATOR)
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("parameters", Role::Parameter)]),
    node("function_expression")
        .scope(ScopeKind::Function)
        .binder(SymbolKind::Function, Visible::Hoisted, BindScope::Innermost)
        .child(Role::Read)
        .fields(&[("name", Role::Bind), ("parameters", Role::Parameter)]),
    node("generator_function")
        .scope(ScopeKind::Function)
        .binder(SymbolKind::Function, Visible::Hoisted, BindScope::Innermost)
        .child(Role::Read)
        .fields(&[("name", Role::Bind), ("parameters", Role::Parameter)]),
    node("arrow_function")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[
            ("parameter", Role::Parameter),
            ("parameters", Role::Parameter),
        ]),
    node("method_definition")
        .define(SymbolKind::Function)
        .in_type(SymbolKind::Method)
        .unbound()
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("parameters", Role::Parameter)]),
    node("variable_declarator")
        .define(SymbolKind::Function)
        .name(Name::Find(variable_name))
        .only_with("value", VALUES)
        .extent()
        .child(Role::Read)
        .fields(&[("name", Role::Bind)]),
    node("call_expression")
        .child(Role::Read)
        .fields(&[("function", Role::Call)]),
    node("new_expression")
        .child(Role::Read)
        .fields(&[("constructor", Role::New)]),
];

const OWN: &[NodeSpec] = &[
    node("class_heritage").child(Role::Extends),
    node("field_definition")
        .define(SymbolKind::Field)
        .name(Name::Field("property"))
        .unbound()
        .child(Role::Read),
];

/// A re-export names members of another module, any other export names of this one.
fn export_role(_: &mut Walk<'_>, node: Node<'_>, _: Role) -> Role {
    if node.child_by_field_name("source").is_some() {
        Role::Import
    } else {
        Role::Read
    }
}

/// `for (const x of …)` declares; `for (x of …)` assigns.
fn loop_role(_: &mut Walk<'_>, node: Node<'_>, _: Role) -> Role {
    if node.child_by_field_name("kind").is_some() {
        Role::Bind
    } else {
        Role::Write
    }
}

/// In `a as b`, b is bound and a is not.
fn import_role(_: &mut Walk<'_>, node: Node<'_>, _: Role) -> Role {
    if node.child_by_field_name("alias").is_some() {
        Role::Import
    } else {
        Role::ImportWhole
    }
}

/// The name of a variable that holds a function or class.
pub(super) fn variable_name(node: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    let name = node.child_by_field_name("name")?;
    (name.kind() == "identifier").then(|| name.byte_range())
}

fn pair_name(node: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    let key = node.child_by_field_name("key")?;
    (key.kind() == "property_identifier").then(|| key.byte_range())
}

/// `exports.name = function …` and `Type.prototype.name = function …`.
fn assigned_member(node: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    let left = node.child_by_field_name("left")?;
    let property = left.child_by_field_name("property")?;
    (property.kind() == "property_identifier").then(|| property.byte_range())
}

/// Private names are private; other members are public; elsewhere the module decides by its exports.
pub(super) fn visibility(defined: Defined<'_>) -> Option<Visibility> {
    if defined.name.starts_with(b"#") {
        Some(Visibility::Private)
    } else if defined.parent.is_some_and(SymbolKind::is_type)
        || defined.flags & flags::EXPORTED != 0
    {
        Some(Visibility::Public)
    } else {
        None
    }
}
