//! Go.

use std::ops::Range;

use tree_sitter::Node;

use crate::model::{SymbolKind, Visibility, flags};
use crate::spec::{
    BindScope, Defined, LanguageSpec, Name, NodeSpec, Role, ScopeKind, Visible, language, node,
};
use crate::walk::Walk;

pub static GO: LanguageSpec = LanguageSpec {
    extensions: &["go"],
    opaque: &["interpreted_string_literal", "raw_string_literal"],
    leaves: &[
        ("identifier", Role::Read),
        ("type_identifier", Role::Type),
        ("field_identifier", Role::Member),
        ("package_identifier", Role::Read),
        ("label_name", Role::Label),
    ],
    soft_keywords: &["nil"],
    import_separator: "/",
    default_visibility: visibility,
    binds: |name| name != b"_",
    extra_flags,
    nodes: &[DECLARATIONS, TYPES, STATEMENTS, EXPRESSIONS],
    ..language("go", tree_sitter_go::LANGUAGE)
};

const DECLARATIONS: &[NodeSpec] = &[
    node("source_file").child(Role::Read),
    node("package_clause")
        .define(SymbolKind::Namespace)
        .name(Name::Child(&["package_identifier"]))
        .until_parent_ends()
        .unbound(),
    node("import_spec")
        .import("path")
        .fields(&[("name", Role::ImportWhole)])
        .hook(import),
    node("function_declaration")
        .define(SymbolKind::Function)
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("result", Role::ReturnType)]),
    node("method_declaration")
        .define(SymbolKind::Method)
        .belongs_to(Name::Find(receiver_type))
        .self_parameter(Name::Find(receiver_name))
        .unbound()
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("receiver", Role::SelfType), ("result", Role::ReturnType)]),
    node("func_literal")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("result", Role::Type)]),
    node("parameter_declaration")
        .fields(&[("name", Role::Parameter)])
        .hook(parameter),
    node("variadic_parameter_declaration")
        .fields(&[("name", Role::Parameter)])
        .hook(parameter),
    node("type_parameter_declaration")
        .child(Role::Type)
        .fields(&[("name", Role::Bind)])
        .binder(SymbolKind::Type, Visible::Hoisted, BindScope::Innermost)
        .bind_flags(flags::PARAMETER | flags::LOCAL),
    // `const`, `var` and `type` stand before one declaration or before a group.
    node("const_declaration").child(Role::Read).wraps(),
    node("const_spec")
        .child(Role::Read)
        .fields(&[("name", Role::Bind), ("type", Role::Type)])
        .binder(
            SymbolKind::Constant,
            Visible::AfterBinderInFunction,
            BindScope::Innermost,
        )
        .bind_flags(flags::READONLY),
    node("var_declaration").child(Role::Read).wraps(),
    node("var_spec_list").wraps(),
    node("var_spec")
        .child(Role::Read)
        .fields(&[("name", Role::Bind), ("type", Role::Type)])
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinderInFunction,
            BindScope::Innermost,
        ),
    node("type_declaration").child(Role::Read).wraps(),
    node("type_spec")
        .define(SymbolKind::Type)
        .only_with("type", TYPE_KINDS)
        .body_at(Name::Find(type_body))
        .scope(ScopeKind::Type)
        .child(Role::Type),
    node("type_alias")
        .define(SymbolKind::Type)
        .scope(ScopeKind::Type)
        .child(Role::Type),
];

/// What a type declaration defines, by the type after the name.
const TYPE_KINDS: &[(&str, SymbolKind)] = &[
    ("struct_type", SymbolKind::Struct),
    ("interface_type", SymbolKind::Interface),
    ("array_type", SymbolKind::Type),
    ("channel_type", SymbolKind::Type),
    ("function_type", SymbolKind::Type),
    ("generic_type", SymbolKind::Type),
    ("map_type", SymbolKind::Type),
    ("negated_type", SymbolKind::Type),
    ("parenthesized_type", SymbolKind::Type),
    ("pointer_type", SymbolKind::Type),
    ("qualified_type", SymbolKind::Type),
    ("slice_type", SymbolKind::Type),
    ("type_identifier", SymbolKind::Type),
];

const TYPES: &[NodeSpec] = &[
    node("struct_type").scope(ScopeKind::Type),
    node("field_declaration")
        .fields(&[("name", Role::Bind)])
        .binder(SymbolKind::Field, Visible::Never, BindScope::Innermost)
        .hook(field),
    node("interface_type")
        .scope(ScopeKind::Type)
        .child(Role::Extends),
    node("method_elem")
        .define(SymbolKind::Method)
        .flags(flags::ABSTRACT)
        .unbound()
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("result", Role::ReturnType)]),
    node("function_type")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("result", Role::Type)]),
    node("qualified_type").member("package", "name"),
    node("generic_type").first_only(Role::Type),
    node("type_arguments")
        .binder(SymbolKind::Type, Visible::Hoisted, BindScope::Innermost)
        .bind_flags(flags::PARAMETER | flags::LOCAL)
        .each()
        .hook(type_arguments),
    node("negated_type").child(Role::Type),
    // The elements of a literal of these types may leave out their own type.
    node("array_type")
        .fields(&[("length", Role::Read), ("element", Role::Type)])
        .members_of("element"),
    node("implicit_length_array_type")
        .child(Role::Type)
        .members_of("element"),
    node("slice_type").child(Role::Type).members_of("element"),
    node("map_type").child(Role::Type).members_of("value"),
    node("pointer_type").first_only(Role::Type),
    node("channel_type").child(Role::Type),
];

const STATEMENTS: &[NodeSpec] = &[
    node("block").scope(ScopeKind::Block).child(Role::Read),
    node("if_statement")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("for_statement")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("expression_switch_statement")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("select_statement").child(Role::Read),
    node("expression_case")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("default_case")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("communication_case")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("type_switch_statement")
        .scope(ScopeKind::Block)
        .child(Role::Read)
        .fields(&[("alias", Role::Bind)])
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinder,
            BindScope::Innermost,
        )
        .visible_after("value"),
    node("type_case")
        .scope(ScopeKind::Block)
        .child(Role::Read)
        .fields(&[("type", Role::Type)]),
    node("short_var_declaration")
        .child(Role::Read)
        .fields(&[("left", Role::BindHere)])
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinder,
            BindScope::Innermost,
        ),
    node("range_clause")
        .child(Role::Read)
        .fields(&[("left", Role::Inherit)])
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinder,
            BindScope::Innermost,
        )
        .hook(declares_or_assigns),
    node("receive_statement")
        .child(Role::Read)
        .fields(&[("left", Role::Inherit)])
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinder,
            BindScope::Innermost,
        )
        .hook(declares_or_assigns),
    node("assignment_statement")
        .child(Role::Read)
        .fields(&[("left", Role::Write)]),
    node("inc_statement").child(Role::Write),
    node("dec_statement").child(Role::Write),
];

const EXPRESSIONS: &[NodeSpec] = &[
    node("selector_expression").member("operand", "field"),
    node("call_expression")
        .child(Role::Read)
        .fields(&[("function", Role::Call), ("type_arguments", Role::Type)]),
    node("argument_list").child(Role::Read),
    node("unary_expression").child(Role::Read),
    node("index_expression").child(Role::Read),
    node("slice_expression").child(Role::Read),
    node("type_assertion_expression")
        .child(Role::Read)
        .fields(&[("type", Role::Type)]),
    node("type_conversion_expression")
        .child(Role::Read)
        .fields(&[("type", Role::Inherit)])
        .hook(conversion),
    node("type_instantiation_expression").child(Role::Type),
    node("composite_literal")
        .child(Role::Read)
        .fields(&[("type", Role::New), ("body", Role::Inherit)])
        .members_of("type")
        .hook(composite_literal),
    node("literal_value").passes_receiver().hook(literal_value),
    node("keyed_element")
        .passes_receiver()
        .fields(&[("value", Role::Read)]),
    node("literal_element")
        .passes_receiver()
        .hook(literal_element),
];

/// The name that an import binds is, without an alias, by custom the last part of the path.
fn import(walk: &mut Walk<'_>, spec: Node<'_>, role: Role) -> Role {
    let alias = walk.child(spec, "name").map(|name| name.kind());
    if alias == Some("package_identifier") {
        return role;
    }
    if let Some(path) = walk.child(spec, "path") {
        let range = path.byte_range();
        let path = range.start + 1..range.end.saturating_sub(1).max(range.start + 1);
        let name = package_name(path.clone(), walk.source);
        if !name.is_empty() {
            let symbol = walk.define_at(spec, name, SymbolKind::Import, alias.is_none());
            walk.add_import(symbol, path);
        }
    }
    role
}

/// The part of an import path that names the package: not the major version after it, without `go-` and `.v2`.
fn package_name(path: Range<usize>, source: &[u8]) -> Range<usize> {
    let last = |end: usize| {
        let slash = source[path.start..end]
            .iter()
            .rposition(|byte| *byte == b'/');
        slash.map_or(path.start, |at| path.start + at + 1)..end
    };
    let is_version = |name: &[u8]| match name {
        [b'v', digits @ ..] => {
            !digits.is_empty() && digits != b"1" && digits.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    };
    let mut name = last(path.end);
    if is_version(&source[name.clone()]) && name.start > path.start {
        name = last(name.start - 1);
    }
    if let Some(dot) = source[name.clone()].iter().rposition(|byte| *byte == b'.')
        && is_version(&source[name.start + dot + 1..name.end])
    {
        name.end = name.start + dot;
    }
    if source[name.clone()].starts_with(b"go-") {
        name.start += 3;
    }
    name
}

/// The type in a method's receiver, without pointer and type arguments.
fn receiver_type(method: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    let parameter = method.child_by_field_name("receiver")?.named_child(0)?;
    let mut at = parameter.child_by_field_name("type")?;
    loop {
        at = match at.kind() {
            "type_identifier" => return Some(at.byte_range()),
            "generic_type" => at.child_by_field_name("type")?,
            "pointer_type" | "parenthesized_type" => at.named_child(0)?,
            _ => return None,
        };
    }
}

fn receiver_name(method: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    let parameter = method.child_by_field_name("receiver")?.named_child(0)?;
    Some(parameter.child_by_field_name("name")?.byte_range())
}

/// The fields of a struct or the methods of an interface.
fn type_body(declaration: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    let body = declaration.child_by_field_name("type")?;
    match body.kind() {
        "struct_type" => Some(body.named_child(0)?.byte_range()),
        "interface_type" => Some(body.child(1)?.byte_range()),
        _ => None,
    }
}

/// Parameters, results and receivers look alike; the list around them tells.
fn parameter(_: &mut Walk<'_>, _: Node<'_>, role: Role) -> Role {
    match role {
        Role::ReturnType | Role::Type | Role::SelfType => role,
        _ => Role::ParameterType,
    }
}

/// The type arguments of a receiver are names that the method binds.
fn type_arguments(walk: &mut Walk<'_>, _: Node<'_>, role: Role) -> Role {
    match walk.parent_role() {
        Some(Role::SelfType) => Role::Bind,
        _ => role,
    }
}

/// A field without a name embeds its type.
fn field(walk: &mut Walk<'_>, field: Node<'_>, _: Role) -> Role {
    match walk.child(field, "name") {
        Some(_) => Role::Type,
        None => Role::Extends,
    }
}

/// `:=` declares, `=` assigns.
fn declares_or_assigns(_: &mut Walk<'_>, clause: Node<'_>, _: Role) -> Role {
    match clause.child(1).map(|sign| sign.kind()) {
        Some(":=") => Role::BindHere,
        _ => Role::Write,
    }
}

/// `f[T](x)` looks like a conversion and is in most cases a call.
fn conversion(_: &mut Walk<'_>, expression: Node<'_>, _: Role) -> Role {
    let converted = expression.child_by_field_name("type");
    match converted.map(|converted| converted.kind()) {
        Some("generic_type") => Role::Call,
        _ => Role::Type,
    }
}

/// The keys of a literal of a named type are taken for its fields, those of a map or slice are expressions.
fn composite_literal(walk: &mut Walk<'_>, literal: Node<'_>, _: Role) -> Role {
    match walk.child(literal, "type").map(|named| named.kind()) {
        Some("type_identifier" | "qualified_type" | "generic_type" | "struct_type") => {
            Role::WriteMember
        }
        _ => Role::Read,
    }
}

/// A literal that leaves out its type is an element of a slice or map; most of these are structs.
fn literal_value(walk: &mut Walk<'_>, _: Node<'_>, role: Role) -> Role {
    match walk.parent_kind() {
        Some("literal_element") => Role::WriteMember,
        _ => role,
    }
}

/// What stands without a key is a value.
fn literal_element(walk: &mut Walk<'_>, _: Node<'_>, role: Role) -> Role {
    match walk.parent_kind() {
        Some("literal_value") => Role::Read,
        _ => role,
    }
}

fn is_exported(name: &[u8]) -> bool {
    let mut first = name.utf8_chunks().flat_map(|chunk| chunk.valid().chars());
    first.next().is_some_and(char::is_uppercase)
}

fn is_inside_function(defined: Defined<'_>) -> bool {
    matches!(
        defined.parent,
        Some(SymbolKind::Function | SymbolKind::Method)
    )
}

/// A capital letter makes a name visible outside of its package.
fn visibility(defined: Defined<'_>) -> Option<Visibility> {
    match defined.kind {
        SymbolKind::Namespace => None,
        _ if is_inside_function(defined) => None,
        _ if is_exported(defined.name) => Some(Visibility::Public),
        _ => Some(Visibility::Internal),
    }
}

fn extra_flags(defined: Defined<'_>) -> u32 {
    let is_inner = is_inside_function(defined)
        || defined.flags & (flags::LOCAL | flags::PARAMETER) != 0
        || matches!(defined.kind, SymbolKind::Import | SymbolKind::Namespace);
    if is_inner {
        return 0;
    }
    let mut found = 0;
    if is_exported(defined.name) {
        found |= flags::EXPORTED;
    }
    if defined.kind == SymbolKind::Function && is_test(defined.name, defined.signature) {
        found |= flags::TEST;
    }
    if contains(defined.doc_comment, b"Deprecated: ") {
        found |= flags::DEPRECATED;
    }
    found
}

/// What `go test` runs: by the name, and by the parameter that it needs.
fn is_test(name: &[u8], signature: &[u8]) -> bool {
    const TESTS: [(&[u8], &[u8]); 4] = [
        (b"Test", b"*testing.T)"),
        (b"Benchmark", b"*testing.B)"),
        (b"Fuzz", b"*testing.F)"),
        (b"Example", b"()"),
    ];
    TESTS.iter().any(|(prefix, parameter)| {
        name.strip_prefix(*prefix)
            .is_some_and(|rest| !rest.first().is_some_and(u8::is_ascii_lowercase))
            && signature.ends_with(parameter)
    })
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}
