//! JavaScript and JSX: one grammar, two names. TypeScript builds on these rules.

mod functions;
mod members;
mod modules;

use tree_sitter::Node;

use crate::model::{SymbolKind, Visibility, flags};
use crate::spec::{
    BindScope, Defined, LanguageSpec, Modifier, Name, NodeSpec, Role, ScopeKind, Visible, language,
    node,
};
use crate::walk::Walk;

use self::functions::function_declaration;
pub(super) use self::functions::{function_declared, function_value, own_name, variable_name};
use self::members::{
    assigned_member, assigned_owner, class_inside, class_value, expect_members, own_assignment,
    pair_name,
};
pub(super) use self::members::{class_name, field_value, method};
pub(super) use self::modules::declared;
use self::modules::{
    assignment, export_role, export_specifier, import_role, imported_pair, namespace_export,
};

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
    modifier_lists: FUNCTION_VALUES,
    attributes: &["decorator"],
    doc_patterns: DOC_PATTERNS,
    base_receivers: &["super"],
    fields_by_assignment: true,
    members_by_assignment: true,
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

/// Functions that stand in expressions: their `async` speaks of what holds them.
pub(super) const FUNCTION_VALUES: &[&str] = &[
    "arrow_function",
    "function_expression",
    "generator_function",
];

pub(super) const DOC_PATTERNS: &[(&str, Modifier)] =
    &[("@deprecated", Modifier::flags(flags::DEPRECATED))];

/// What a variable or property must hold to be a definition of another kind.
pub(super) const VALUES: &[(&str, SymbolKind)] = &[
    ("arrow_function", SymbolKind::Function),
    ("function_expression", SymbolKind::Function),
    ("generator_function", SymbolKind::Function),
    ("class", SymbolKind::Class),
];

/// The same for a property of an object.
const PROPERTY_VALUES: &[(&str, SymbolKind)] = &[
    ("arrow_function", SymbolKind::Method),
    ("function_expression", SymbolKind::Method),
    ("generator_function", SymbolKind::Method),
    ("class", SymbolKind::Class),
];

/// Rules that hold for JavaScript and TypeScript.
pub(super) const COMMON: &[NodeSpec] = &[
    node("program").child(Role::Read),
    node("expression_statement").child(Role::Read).wraps(),
    node("export_statement")
        .import("source")
        .wraps()
        .hook(export_role),
    node("export_specifier")
        .fields(&[("alias", Role::Bind)])
        .binder(SymbolKind::Export, Visible::Never, BindScope::Innermost)
        .bind_flags(flags::EXPORTED)
        .hook(export_specifier),
    node("namespace_export").hook(namespace_export),
    // Classes.
    node("class_declaration")
        .define(SymbolKind::Class)
        .scope(ScopeKind::Type)
        .child(Role::Read),
    node("class")
        .define(SymbolKind::Class)
        .unbound()
        .scope(ScopeKind::Type)
        .child(Role::Read)
        .inside(class_name),
    node("class_static_block")
        .scope(ScopeKind::Function)
        .child(Role::Read),
    // Variables.
    node("lexical_declaration")
        .child(Role::Read)
        .wraps()
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Innermost)
        .holds(),
    node("variable_declaration")
        .child(Role::Read)
        .wraps()
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Function)
        .holds(),
    node("for_in_statement")
        .scope(ScopeKind::Block)
        .child(Role::Read)
        .fields(&[("left", Role::Inherit)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Innermost)
        .hook(loop_role)
        .inside(loop_scope),
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
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Innermost)
        .each(),
    // Patterns.
    node("pair_pattern")
        .fields(&[("key", Role::Member)])
        .hook(imported_pair),
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
        .define(SymbolKind::Method)
        .name(Name::Find(pair_name))
        .only_with("value", PROPERTY_VALUES)
        .unbound()
        .child(Role::Read)
        .fields(&[("key", Role::Label)]),
    node("assignment_expression")
        .define(SymbolKind::Function)
        .in_type(SymbolKind::Method)
        .name(Name::Find(assigned_member))
        .belongs_to(Name::Find(assigned_owner))
        .only_with("right", VALUES)
        .unbound()
        .child(Role::Read)
        .fields(&[("left", Role::Write)])
        .hook(assignment),
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
        .fields(&[("name", Role::Call)])
        .hook(element_role),
    node("jsx_self_closing_element")
        .child(Role::Read)
        .fields(&[("name", Role::Call)])
        .hook(element_role),
    node("jsx_closing_element")
        .child(Role::Read)
        .fields(&[("name", Role::Read)])
        .hook(element_role),
    node("jsx_namespace_name").child(Role::Label),
    node("jsx_expression").child(Role::Read),
];

const FUNCTIONS: &[NodeSpec] = &[
    node("function_declaration")
        .define(SymbolKind::Function)
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("parameters", Role::Parameter)])
        .hook(function_declaration),
    node("generator_function_declaration")
        .define(SymbolKind::Function)
        .flags(flags::GENERATOR)
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("parameters", Role::Parameter)])
        .hook(function_declaration),
    node("function_expression")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("parameters", Role::Parameter)])
        .hook(function_value)
        .inside(own_name),
    node("generator_function")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("parameters", Role::Parameter)])
        .hook(function_value)
        .inside(own_name),
    node("arrow_function")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[
            ("parameter", Role::Parameter),
            ("parameters", Role::Parameter),
        ]),
    node("method_definition")
        .define(SymbolKind::Method)
        .unbound()
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("parameters", Role::Parameter)])
        .hook(method),
    node("variable_declarator")
        .define(SymbolKind::Function)
        .name(Name::Find(variable_name))
        .only_with("value", VALUES)
        .extent()
        .child(Role::Read)
        .fields(&[("name", Role::Bind)])
        .hook(declared),
    node("call_expression")
        .child(Role::Read)
        .fields(&[("function", Role::Call)]),
    node("new_expression")
        .child(Role::Read)
        .fields(&[("constructor", Role::New)]),
];

const OWN: &[NodeSpec] = &[
    node("class_declaration")
        .define(SymbolKind::Class)
        .scope(ScopeKind::Type)
        .child(Role::Read)
        .inside(expect_members),
    node("class")
        .define(SymbolKind::Class)
        .unbound()
        .scope(ScopeKind::Type)
        .child(Role::Read)
        .hook(class_value)
        .inside(class_inside),
    node("class_heritage").child(Role::Extends),
    node("field_definition")
        .define(SymbolKind::Field)
        .name(Name::Field("property"))
        .body(&["value.body"])
        .unbound()
        .child(Role::Read)
        .hook(field_value),
    node("assignment_expression")
        .define(SymbolKind::Function)
        .in_type(SymbolKind::Method)
        .name(Name::Find(assigned_member))
        .belongs_to(Name::Find(assigned_owner))
        .only_with("right", VALUES)
        .unbound()
        .child(Role::Read)
        .fields(&[("left", Role::Write)])
        .hook(own_assignment),
];

/// `for (const x of …)` declares; `for (x of …)` assigns.
fn loop_role(_: &mut Walk<'_>, node: Node<'_>, _: Role) -> Role {
    if node.child_by_field_name("kind").is_some() {
        Role::Bind
    } else {
        Role::Write
    }
}

/// A loop's variable extends over what its head says; `var` is bound around the loop.
fn loop_scope(walk: &mut Walk<'_>, node: Node<'_>) {
    if let (Some(first), Some(last)) = (
        node.child_by_field_name("kind"),
        node.child_by_field_name("right"),
    ) {
        walk.bind_extent(first, last);
    }
    if node
        .child_by_field_name("kind")
        .is_some_and(|kind| kind.kind() == "var")
    {
        walk.bind_into(BindScope::Function);
    }
}

/// Elements with a small first letter are the platform's, whatever the scope holds.
fn element_role(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    let is_plain = node.child_by_field_name("name").is_some_and(|name| {
        name.kind() == "identifier" && walk.source[name.start_byte()].is_ascii_lowercase()
    });
    if is_plain {
        walk.give_roles(None, Some(Role::Label));
    }
    role
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
