//! JavaScript and JSX: one grammar, two names. TypeScript builds on these rules.

use std::ops::Range;

use tree_sitter::Node;

use crate::model::{SymbolKind, Visibility, flags};
use crate::spec::{
    BindScope, Defined, LanguageSpec, Modifier, Name, NodeSpec, Role, ScopeKind, Visible, language,
    node,
};
use crate::text::unquote;
use crate::walk::{Found, Walk};

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

/// A re-export names members of another module, any other export names of this one.
fn export_role(walk: &mut Walk<'_>, node: Node<'_>, _: Role) -> Role {
    if node.child_by_field_name("source").is_some() {
        return Role::Import;
    }
    // `export default x`, `export = x`.
    let last = node.child_by_field_name("value").or_else(|| {
        let last = node.named_child_count().checked_sub(1)?;
        node.named_child(last as u32)
    });
    if let Some(name) = last.filter(|last| last.kind() == "identifier") {
        walk.export_name(name.byte_range());
    }
    Role::Read
}

fn export_specifier(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    let Some(name) = node.child_by_field_name("name") else {
        return role;
    };
    if role == Role::Import {
        let bound = node.child_by_field_name("alias").unwrap_or(name);
        walk.define_reexport(
            node,
            unquote(bound.byte_range(), walk.source),
            unquote(name.byte_range(), walk.source),
            false,
        );
    } else {
        walk.export_name(name.byte_range());
    }
    role
}

/// `export * as name from …`.
fn namespace_export(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    if let Some(name) = node.named_child(0) {
        let name = unquote(name.byte_range(), walk.source);
        walk.define_reexport(node, name.clone(), name, true);
    }
    role
}

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

fn is_function(node: Node<'_>) -> bool {
    FUNCTION_VALUES.contains(&node.kind())
}

/// Where the signature of something that holds this value ends: before a function's body.
fn head_end(node: Node<'_>, value: Node<'_>) -> usize {
    let body = Some(value)
        .filter(|value| is_function(*value))
        .and_then(|value| value.child_by_field_name("body"));
    body.map_or(node.end_byte(), |body| body.start_byte())
}

/// The two sides of a member's assignment: the object, the property and the value.
fn assigned<'t>(node: Node<'t>) -> Option<(Node<'t>, Node<'t>, Node<'t>)> {
    let left = node.child_by_field_name("left")?;
    if left.kind() != "member_expression" {
        return None;
    }
    Some((
        left.child_by_field_name("object")?,
        left.child_by_field_name("property")?,
        node.child_by_field_name("right")?,
    ))
}

/// Whether the expression is the object that holds a module's exports.
fn is_exports(node: Node<'_>, source: &[u8]) -> bool {
    match node.kind() {
        "identifier" => &source[node.byte_range()] == b"exports",
        "member_expression" => &source[node.byte_range()] == b"module.exports",
        _ => false,
    }
}

/// `exports.name = function …`, `Type.name = function …` and `Type.prototype.name = function …`; neither the module's
/// whole export nor a member of the current object.
fn assigned_member(node: Node<'_>, source: &[u8]) -> Option<Range<usize>> {
    let (object, property, _) = assigned(node)?;
    let is_named = property.kind() == "property_identifier"
        && !matches!(object.kind(), "this" | "super")
        && !is_exports(node.child_by_field_name("left")?, source);
    is_named.then(|| property.byte_range())
}

/// The name of the function or object whose member is assigned.
fn assigned_owner(node: Node<'_>, source: &[u8]) -> Option<Range<usize>> {
    let (object, _, _) = assigned(node)?;
    if is_exports(object, source) {
        return None;
    }
    if object.kind() == "identifier" {
        return Some(object.byte_range());
    }
    let property = object.child_by_field_name("property")?;
    if &source[property.byte_range()] != b"prototype" {
        return None;
    }
    let owner = object.child_by_field_name("object")?;
    let owner = match owner.kind() {
        "identifier" => owner,
        "member_expression" => owner.child_by_field_name("property")?,
        _ => return None,
    };
    Some(owner.byte_range())
}

/// What a module of CommonJS exports.
fn assignment(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    let Some((object, property, value)) = assigned(node) else {
        return role;
    };
    if is_exports(object, walk.source) {
        if VALUES.iter().any(|(kind, _)| *kind == value.kind()) {
            walk.modify_own(Modifier::flags(flags::EXPORTED));
        } else if property.kind() == "property_identifier" && !is_void(value) {
            let name = property.byte_range();
            let found = Found {
                name,
                kind: SymbolKind::Export,
                flags: flags::EXPORTED,
                head_end: node.end_byte(),
                opens: false,
            };
            walk.define_found(node, found);
            if value.kind() == "identifier" {
                walk.export_name(value.byte_range());
            }
        }
    } else if object.kind() == "identifier"
        && &walk.source[object.byte_range()] == b"module"
        && &walk.source[property.byte_range()] == b"exports"
    {
        match value.kind() {
            "identifier" => walk.export_name(value.byte_range()),
            "object" => export_members(walk, value),
            _ => {}
        }
    }
    role
}

/// Compilers first set what they export to nothing: `exports.a = exports.b = void 0`.
fn is_void(mut value: Node<'_>) -> bool {
    const LONGEST: usize = 64;
    for _ in 0..LONGEST {
        match value.kind() {
            "assignment_expression" => match value.child_by_field_name("right") {
                Some(right) => value = right,
                None => return false,
            },
            kind => return kind == "unary_expression",
        }
    }
    true
}

/// `module.exports = { a, b: c }` exports a and c.
fn export_members(walk: &mut Walk<'_>, object: Node<'_>) {
    let mut cursor = object.walk();
    for member in object.named_children(&mut cursor) {
        let name = match member.kind() {
            "shorthand_property_identifier" => Some(member),
            "pair" => member
                .child_by_field_name("value")
                .filter(|value| value.kind() == "identifier"),
            _ => None,
        };
        if let Some(name) = name {
            walk.export_name(name.byte_range());
        }
    }
}

/// The same, and what a function makes of the current object.
fn own_assignment(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    if let Some((object, property, value)) = assigned(node)
        && object.kind() == "this"
    {
        let is_function = is_function(value);
        let found = Found {
            name: property.byte_range(),
            kind: if is_function {
                SymbolKind::Method
            } else {
                SymbolKind::Field
            },
            flags: 0,
            head_end: head_end(node, value),
            opens: is_function,
        };
        walk.define_own_member(node, found);
        return role;
    }
    assignment(walk, node, role)
}

/// What holds a class is one; `const x = require("y")` at the top of a module imports.
pub(super) fn declared(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    let (Some(name), Some(value)) = (
        node.child_by_field_name("name"),
        node.child_by_field_name("value"),
    ) else {
        return role;
    };
    // `const` makes no constant of a class.
    if value.kind() == "class" {
        walk.modify_own(Modifier::kind(SymbolKind::Class));
    }
    if walk.scope_kind() != ScopeKind::Module {
        return role;
    }
    let member = (value.kind() == "member_expression" && name.kind() == "identifier")
        .then(|| value.child_by_field_name("property"))
        .flatten();
    let call = match member {
        Some(_) => value.child_by_field_name("object"),
        None => Some(value),
    };
    let Some(path) = call.and_then(|call| required_path(call, walk.source)) else {
        return role;
    };
    match name.kind() {
        "identifier" => {
            walk.push_import_path(path);
            if let Some(member) = member {
                walk.push_import_path(member.byte_range());
            }
            walk.import_name(name);
        }
        "object_pattern" if node.child_by_field_name("type").is_none() => {
            walk.push_import_path(path);
            walk.give_roles(None, Some(Role::ImportBind));
        }
        _ => {}
    }
    role
}

/// The path in `require("path")`.
fn required_path(call: Node<'_>, source: &[u8]) -> Option<Range<usize>> {
    if call.kind() != "call_expression" {
        return None;
    }
    let function = call.child_by_field_name("function")?;
    let arguments = call.child_by_field_name("arguments")?;
    let path = arguments.named_child(0)?;
    (&source[function.byte_range()] == b"require"
        && arguments.named_child_count() == 1
        && path.kind() == "string")
        .then(|| unquote(path.byte_range(), source))
}

/// In `const {a: b} = require("y")` b is bound to a.
fn imported_pair(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    if role != Role::ImportBind {
        return role;
    }
    if let Some(key) = node.child_by_field_name("key") {
        walk.push_import_path(unquote(key.byte_range(), walk.source));
    }
    match node.child_by_field_name("value") {
        Some(value) if value.kind() == "object_pattern" => Role::ImportBind,
        _ => Role::ImportWhole,
    }
}

/// A function may be what `new` is called with: by custom its name says so.
fn is_maker(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_uppercase)
}

fn function_declaration(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    match node.child_by_field_name("name") {
        Some(name) if is_maker(&walk.source[name.byte_range()]) => {
            walk.open_maker(name.byte_range());
        }
        _ => walk.leave_type(),
    }
    role
}

/// Functions but arrow functions have a current object of their own.
pub(super) fn function_declared(walk: &mut Walk<'_>, _: Node<'_>, role: Role) -> Role {
    walk.leave_type();
    role
}

pub(super) fn function_value(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    let holder = walk.parent_symbol();
    if let Some(holder) = holder
        && node.kind() == "generator_function"
    {
        walk.modify_symbol(holder, Modifier::flags(flags::GENERATOR));
    }
    match (walk.parent_kind(), holder) {
        (Some("assignment_expression" | "field_definition" | "public_field_definition"), _) => {}
        (Some("variable_declarator"), Some(holder)) if walk.is_named(holder, is_maker) => {
            walk.open_maker_symbol(holder);
        }
        _ if keeps_this(&walk.source[node.end_byte()..]) => {}
        _ => walk.leave_type(),
    }
    role
}

/// Whether what follows a function hands the current object on: `.bind(this)`, or `this` as the next argument.
fn keeps_this(rest: &[u8]) -> bool {
    if rest.starts_with(b".bind(this") {
        return true;
    }
    let rest = rest.trim_ascii_start();
    rest.strip_prefix(b",")
        .is_some_and(|next| next.trim_ascii_start().starts_with(b"this)"))
}

/// A function expression's name is known inside it.
pub(super) fn own_name(walk: &mut Walk<'_>, node: Node<'_>) {
    let Some(name) = node.child_by_field_name("name") else {
        return;
    };
    let mut found = 0;
    if node.kind() == "generator_function" {
        found |= flags::GENERATOR;
    }
    if walk.source[node.byte_range()].starts_with(b"async") {
        found |= flags::ASYNC;
    }
    if is_module(node, walk.source) {
        found |= flags::EXPORTED;
    }
    walk.define_inside(node, name.byte_range(), found);
}

/// Whether the expression is all that the module exports: `module.exports = …`.
fn is_module(node: Node<'_>, source: &[u8]) -> bool {
    let before = source[..node.start_byte()].trim_ascii_end();
    before
        .strip_suffix(b"=")
        .is_some_and(|before| before.trim_ascii_end().ends_with(b"module.exports"))
}

fn class_value(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    if is_module(node, walk.source) {
        walk.modify_own(Modifier::flags(flags::EXPORTED));
    }
    role
}

/// A method outside of classes belongs to an object of no named type.
pub(super) fn method(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    if !walk.is_in_type() {
        walk.leave_type();
    }
    let mut cursor = node.walk();
    let is_generator = node
        .children(&mut cursor)
        .take_while(|child| child.kind() != "formal_parameters")
        .any(|child| child.kind() == "*");
    if is_generator {
        walk.modify_own(Modifier::flags(flags::GENERATOR));
    }
    role
}

/// A field that holds a function is a method.
pub(super) fn field_value(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    if node.child_by_field_name("value").is_some_and(is_function) {
        walk.modify_own(Modifier::kind(SymbolKind::Method));
    }
    role
}

/// What a class defines in its body is not defined by assigning to it.
fn expect_members(walk: &mut Walk<'_>, node: Node<'_>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    let mut cursor = body.walk();
    for member in body.named_children(&mut cursor) {
        let name = match member.kind() {
            "method_definition" => member.child_by_field_name("name"),
            "field_definition" => member.child_by_field_name("property"),
            _ => None,
        };
        if let Some(name) = name {
            walk.expect_member(name.byte_range());
        }
    }
}

fn class_inside(walk: &mut Walk<'_>, node: Node<'_>) {
    class_name(walk, node);
    expect_members(walk, node);
}

/// A class expression's name is known inside it.
pub(super) fn class_name(walk: &mut Walk<'_>, node: Node<'_>) {
    if node.child_by_field_name("name").is_some() {
        walk.bind_open();
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
