//! Python.

use std::ops::Range;

use tree_sitter::Node;

use crate::model::{SymbolKind, Visibility, flags};
use crate::spec::{
    BindScope, Defined, LanguageSpec, Modifier, Name, NodeSpec, Role, ScopeKind, Visible, language,
    node,
};
use crate::walk::{Walk, is_type_role};

pub static PYTHON: LanguageSpec = LanguageSpec {
    extensions: &["py", "pyi", "pyw"],
    separator: ".",
    receiver_names: &["self", "cls"],
    // What Sphinx reads as the documentation of an attribute; definitions have docstrings.
    doc_prefixes: &["#:"],
    doc_in_body: Some(docstring),
    modifiers: &[("async", Modifier::flags(flags::ASYNC))],
    attributes: &["decorator"],
    fields_by_assignment: true,
    constructors: &["__init__"],
    default_visibility: visibility,
    bound_as,
    extra_flags: |defined| if is_test(defined) { flags::TEST } else { 0 },
    closed: |kind, scope| scope == ScopeKind::Type && kind != SymbolKind::Type,
    sequential_types: true,
    call_instantiates: Some(is_class_name),
    nodes: &[NODES],
    ..language("python", tree_sitter_python::LANGUAGE)
};

/// A call of `super` with more than this between its parentheses is none of the usual ones.
const MAX_SUPER: usize = 256;

const NODES: &[NodeSpec] = &[
    node("module").child(Role::Read),
    node("expression_statement").wraps(),
    // Definitions.
    node("decorator").child(Role::Call).hook(decorator),
    node("class_definition")
        .define(SymbolKind::Class)
        .scope(ScopeKind::Type)
        .scope_from(&["type_parameters", "body"])
        .child(Role::Read)
        .fields(&[
            ("superclasses", Role::Extends),
            ("type_parameters", Role::Bind),
        ])
        .hook(class_kind),
    node("function_definition")
        .define(SymbolKind::Function)
        .in_type(SymbolKind::Method)
        .scope(ScopeKind::Function)
        .scope_from(&["type_parameters", "body"])
        .child(Role::Read)
        .fields(&[
            ("parameters", Role::Parameter),
            ("return_type", Role::ReturnType),
            ("type_parameters", Role::Bind),
        ]),
    node("lambda")
        .scope(ScopeKind::Function)
        .scope_from(&["body"])
        .child(Role::Read)
        .fields(&[("parameters", Role::Parameter)]),
    node("typed_parameter").fields(&[("type", Role::ParameterType)]),
    node("default_parameter").fields(&[("value", Role::Read)]),
    node("typed_default_parameter").fields(&[("type", Role::ParameterType), ("value", Role::Read)]),
    node("type_alias_statement")
        .define(SymbolKind::Type)
        .name(Name::Find(alias_name))
        .body(&[])
        .child(Role::Type),
    // Bindings.
    node("assignment")
        .child(Role::Read)
        .fields(&[("left", Role::BindOrWrite), ("type", Role::Type)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Function),
    node("augmented_assignment")
        .child(Role::Read)
        .fields(&[("left", Role::Write)]),
    node("named_expression")
        .child(Role::Read)
        .fields(&[("name", Role::BindOrWrite)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Function)
        .each(),
    node("for_statement")
        .child(Role::Read)
        .fields(&[("left", Role::BindOrWrite)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Function)
        .each(),
    node("with_item").child(Role::Read),
    node("as_pattern")
        .fields(&[("alias", Role::BindOrWrite)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Function)
        .each(),
    node("except_clause")
        .child(Role::Read)
        .fields(&[("value", Role::Type), ("alias", Role::BindOrWrite)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Function)
        .each(),
    node("delete_statement").child(Role::Write),
    node("global_statement").child(Role::Outer),
    node("nonlocal_statement").child(Role::Outer),
    // Comprehensions.
    node("list_comprehension")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("set_comprehension")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("dictionary_comprehension")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("generator_expression")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("for_in_clause")
        .child(Role::Read)
        .fields(&[("left", Role::Bind)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Innermost)
        .bind_flags(flags::LOCAL)
        .each()
        .hook(first_iterable),
    // Patterns of `match`.
    node("case_clause")
        .child(Role::BindOrWrite)
        .fields(&[("guard", Role::Read), ("consequence", Role::Read)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Function)
        .each(),
    node("class_pattern")
        .first_only(Role::BindOrWrite)
        .hook(class_pattern),
    node("keyword_pattern")
        .first_only(Role::BindOrWrite)
        .hook(keyword_pattern),
    node("dict_pattern").fields(&[("key", Role::Read)]),
    // Types.
    node("type"),
    node("type_parameter")
        .hook(type_parameters)
        .binder(SymbolKind::Type, Visible::Hoisted, BindScope::Innermost)
        .bind_flags(flags::PARAMETER | flags::LOCAL)
        .each(),
    node("constrained_type").first_only(Role::Type),
    node("member_type").first_only(Role::Member),
    node("subscript")
        .fields(&[("subscript", Role::TypeArgument)])
        .hook(type_or_read),
    node("binary_operator").hook(type_or_read),
    // Expressions.
    node("attribute").member("object", "attribute"),
    node("call")
        .child(Role::Read)
        .fields(&[("function", Role::Call)])
        .hook(base_object),
    node("keyword_argument")
        .child(Role::Read)
        .fields(&[("name", Role::Label)]),
    node("conditional_expression").child(Role::Read),
    node("boolean_operator").child(Role::Read),
    node("comparison_operator").child(Role::Read),
    node("await").child(Role::Read),
    node("dictionary").child(Role::Read),
    node("dictionary_splat").child(Role::Read),
    node("interpolation").child(Role::Read),
    node("yield").child(Role::Read).hook(yields),
    // Imports.
    node("import_statement").child(Role::ImportWhole),
    node("import_from_statement")
        .import("module_name")
        .child(Role::ImportBind)
        .fields(&[("module_name", Role::Import)]),
    node("future_import_statement")
        .child(Role::ImportBind)
        .hook(future_import),
    node("aliased_import")
        .import("name")
        .fields(&[("name", Role::Import), ("alias", Role::ImportWhole)]),
    node("dotted_name")
        .first_only(Role::Member)
        .hook(dotted_name),
];

/// `super()` and `super(C, self)` are the object as its bases define it.
fn base_object(walk: &mut Walk<'_>, call: Node<'_>, role: Role) -> Role {
    let text = &walk.source[call.byte_range()];
    if !text.starts_with(b"super") || text.len() > MAX_SUPER {
        return role;
    }
    let function = call.child_by_field_name("function");
    let second = call
        .child_by_field_name("arguments")
        .map(|all| (all.named_child_count(), all.named_child(1)));
    let of_own = match second {
        Some((0, _)) => true,
        Some((2, Some(object))) => matches!(&walk.source[object.byte_range()], b"self" | b"cls"),
        _ => false,
    };
    if of_own && function.is_some_and(|name| &walk.source[name.byte_range()] == b"super") {
        walk.receive_base();
    }
    role
}

/// What a comprehension goes over first is looked up around it.
fn first_iterable(walk: &mut Walk<'_>, _: Node<'_>, role: Role) -> Role {
    if walk.place_in_parent() == 2 {
        walk.look_outside_from("right");
    }
    role
}

/// The string that a body begins with.
fn docstring(definition: Node<'_>) -> Option<Range<usize>> {
    let body = definition.child_by_field_name("body")?;
    let mut cursor = body.walk();
    let first = body
        .named_children(&mut cursor)
        .find(|child| child.kind() != "comment")?;
    let string = first.named_child(0)?;
    let is_text = matches!(string.kind(), "string" | "concatenated_string");
    (first.kind() == "expression_statement" && is_text).then(|| string.byte_range())
}

/// What a decorator says, by the last part of its name.
fn decorator(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    let text = &walk.source[node.start_byte() + 1..node.end_byte()];
    let name = text
        .split(|byte| *byte == b'(')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    let last = name
        .rsplit(|byte| *byte == b'.')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    walk.modify_next(match last {
        b"staticmethod" | b"classmethod" => Modifier::flags(flags::STATIC),
        b"abstractmethod" => Modifier::flags(flags::ABSTRACT),
        b"abstractproperty" => {
            Modifier::kind(SymbolKind::Property).and(Modifier::flags(flags::ABSTRACT))
        }
        b"setter" | b"getter" | b"deleter" => Modifier::kind(SymbolKind::Property),
        b"deprecated" => Modifier::flags(flags::DEPRECATED),
        last if last.ends_with(b"property") => Modifier::kind(SymbolKind::Property),
        _ => Modifier::NONE,
    });
    role
}

/// Enumerations, protocols, abstract classes and test cases are told by their bases.
fn class_kind(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    let Some(bases) = node.child_by_field_name("superclasses") else {
        return role;
    };
    let mut cursor = bases.walk();
    for base in bases.named_children(&mut cursor) {
        let text = &walk.source[base.byte_range()];
        let name = text.split(|byte| *byte == b'[').next().unwrap_or_default();
        let last = name
            .rsplit(|byte| matches!(byte, b'.' | b'='))
            .next()
            .unwrap_or_default();
        walk.modify_own(match last.trim_ascii() {
            b"Enum" | b"IntEnum" | b"StrEnum" | b"Flag" | b"IntFlag" | b"TextChoices"
            | b"IntegerChoices" => Modifier::kind(SymbolKind::Enum),
            b"Protocol" => Modifier::kind(SymbolKind::Interface),
            b"ABC" | b"ABCMeta" => Modifier::flags(flags::ABSTRACT),
            last if last.ends_with(b"TestCase") => Modifier::flags(flags::TEST),
            _ => Modifier::NONE,
        });
    }
    role
}

fn yields(walk: &mut Walk<'_>, _: Node<'_>, role: Role) -> Role {
    walk.modify_function(Modifier::flags(flags::GENERATOR));
    role
}

/// `type X = …` and `type X[T] = …`.
fn alias_name(node: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    let mut name = node.child_by_field_name("left")?.named_child(0)?;
    if matches!(name.kind(), "generic_type" | "subscript") {
        name = name.named_child(0)?;
    }
    (name.kind() == "identifier").then(|| name.byte_range())
}

/// Operands and what is subscripted are types where the whole is one.
fn type_or_read(_: &mut Walk<'_>, _: Node<'_>, role: Role) -> Role {
    if is_type_role(role) { role } else { Role::Read }
}

/// The parameters of a definition bind, the arguments of a type do not.
fn type_parameters(_: &mut Walk<'_>, _: Node<'_>, role: Role) -> Role {
    if role == Role::Bind { role } else { Role::Type }
}

fn class_pattern(_: &mut Walk<'_>, _: Node<'_>, _: Role) -> Role {
    Role::Type
}

fn keyword_pattern(_: &mut Walk<'_>, _: Node<'_>, _: Role) -> Role {
    Role::Label
}

/// In an import the first part is bound, for the whole of a plain import's path; in a pattern only a name without a
/// dot is.
fn dotted_name(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    match role {
        Role::ImportWhole => walk.push_import_path(node.byte_range()),
        Role::BindOrWrite | Role::Type if node.child_count() > 1 => return Role::Read,
        _ => {}
    }
    role
}

/// `from __future__ import …`, whose module is a keyword.
fn future_import(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    if let Some(module) = node.child(1) {
        walk.push_import_path(module.byte_range());
    }
    role
}

/// Names in capitals are constants of their module; the names that an enumeration binds are its members.
fn bound_as(defined: Defined<'_>) -> (SymbolKind, u32) {
    let has = |test: fn(&u8) -> bool| defined.name.iter().any(test);
    let in_capitals = has(u8::is_ascii_uppercase) && !has(u8::is_ascii_lowercase);
    let kind = match defined.kind {
        SymbolKind::Field
            if defined.parent == Some(SymbolKind::Enum) && !defined.name.starts_with(b"_") =>
        {
            SymbolKind::EnumMember
        }
        SymbolKind::Variable if in_capitals && defined.flags & flags::LOCAL == 0 => {
            SymbolKind::Constant
        }
        kind => kind,
    };
    (kind, defined.flags)
}

/// Classes are named in words that begin with a capital.
fn is_class_name(name: &[u8]) -> bool {
    let start = name.iter().position(|byte| *byte != b'_').unwrap_or(0);
    name[start..].first().is_some_and(u8::is_ascii_uppercase)
        && name.iter().any(u8::is_ascii_lowercase)
}

/// What pytest and unittest collect.
fn is_test(defined: Defined<'_>) -> bool {
    let is_function = match defined.kind {
        SymbolKind::Function => defined.parent.is_none(),
        SymbolKind::Method => true,
        _ => false,
    };
    is_function && defined.name.starts_with(b"test_")
}

/// By convention: one underscore for what is not meant for others, two for what is not meant for subclasses either.
fn visibility(defined: Defined<'_>) -> Option<Visibility> {
    let in_type = match defined.parent {
        None => false,
        Some(parent) if parent.is_type() => true,
        Some(_) => return None,
    };
    let name = defined.name;
    Some(
        if name.starts_with(b"__") && name.ends_with(b"__") || !name.starts_with(b"_") {
            Visibility::Public
        } else if !in_type {
            Visibility::Internal
        } else if name.starts_with(b"__") {
            Visibility::Private
        } else {
            Visibility::Protected
        },
    )
}
