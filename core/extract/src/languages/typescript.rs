//! TypeScript and TSX.

use std::ops::Range;

use tree_sitter::Node;

use super::javascript::{
    self, COMMENTS, COMMON, DOC_PATTERNS, ELEMENTS, FUNCTION_VALUES, LEAVES, MODIFIERS, VALUES,
    declared, field_value, function_declared, function_value, method, own_name, variable_name,
};
use crate::model::{SymbolKind, Visibility, flags};
use crate::spec::{
    BindScope, LanguageSpec, Modifier, Name, NameSpaces, NodeSpec, Role, ScopeKind, Visible,
    language, node,
};
use crate::walk::Walk;

pub static TYPESCRIPT: LanguageSpec = LanguageSpec {
    extensions: &["ts", "mts", "cts"],
    nodes: &[COMMON, FUNCTIONS, TYPES],
    ..SHARED
};

pub static TSX: LanguageSpec = LanguageSpec {
    name: "tsx",
    extensions: &["tsx"],
    grammar: tree_sitter_typescript::LANGUAGE_TSX,
    nodes: &[COMMON, ELEMENTS, FUNCTIONS, TYPES],
    ..SHARED
};

const SHARED: LanguageSpec = LanguageSpec {
    leaves: {
        const ALL: [(&str, Role); LEAVES.len() + 1] = {
            let mut all = [("type_identifier", Role::Type); LEAVES.len() + 1];
            let mut at = 0;
            while at < LEAVES.len() {
                all[at] = LEAVES[at];
                at += 1;
            }
            all
        };
        &ALL
    },
    receivers: &["this"],
    opaque: &["string", "regex"],
    comments: COMMENTS,
    doc_prefixes: &["/**"],
    modifiers: {
        const OWN: [(&str, Modifier); 6] = [
            ("private", Modifier::visibility(Visibility::Private)),
            ("protected", Modifier::visibility(Visibility::Protected)),
            ("public", Modifier::visibility(Visibility::Public)),
            ("abstract", Modifier::flags(flags::ABSTRACT)),
            ("readonly", Modifier::flags(flags::READONLY)),
            ("declare", Modifier::NONE),
        ];
        const ALL: [(&str, Modifier); MODIFIERS.len() + OWN.len()] = {
            let mut all = [OWN[0]; MODIFIERS.len() + OWN.len()];
            let mut at = 0;
            while at < all.len() {
                all[at] = if at < OWN.len() {
                    OWN[at]
                } else {
                    MODIFIERS[at - OWN.len()]
                };
                at += 1;
            }
            all
        };
        &ALL
    },
    modifier_lists: {
        const ALL: [&str; FUNCTION_VALUES.len() + 1] = {
            let mut all = ["accessibility_modifier"; FUNCTION_VALUES.len() + 1];
            let mut at = 0;
            while at < FUNCTION_VALUES.len() {
                all[at] = FUNCTION_VALUES[at];
                at += 1;
            }
            all
        };
        &ALL
    },
    attributes: &["decorator"],
    doc_patterns: DOC_PATTERNS,
    base_receivers: &["super"],
    name_spaces: NameSpaces::TypesBesideValues,
    members_by_assignment: true,
    constructors: &["constructor"],
    default_visibility: javascript::visibility,
    import_separator: "#",
    ..language("typescript", tree_sitter_typescript::LANGUAGE_TYPESCRIPT)
};

const FUNCTIONS: &[NodeSpec] = &[
    node("function_declaration")
        .define(SymbolKind::Function)
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("return_type", Role::ReturnType)])
        .hook(function_declared),
    node("generator_function_declaration")
        .define(SymbolKind::Function)
        .flags(flags::GENERATOR)
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("return_type", Role::ReturnType)])
        .hook(function_declared),
    node("function_signature")
        .define(SymbolKind::Function)
        .flags(flags::ABSTRACT)
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("return_type", Role::ReturnType)]),
    node("function_expression")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("return_type", Role::ReturnType)])
        .hook(function_value)
        .inside(own_name),
    node("generator_function")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("return_type", Role::ReturnType)])
        .hook(function_value)
        .inside(own_name),
    node("arrow_function")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[
            ("parameter", Role::Parameter),
            ("return_type", Role::ReturnType),
        ]),
    node("method_definition")
        .define(SymbolKind::Method)
        .unbound()
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("return_type", Role::ReturnType)])
        .hook(method),
    node("method_signature")
        .define(SymbolKind::Method)
        .flags(flags::ABSTRACT)
        .unbound()
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("return_type", Role::ReturnType)]),
    node("abstract_method_signature")
        .define(SymbolKind::Method)
        .flags(flags::ABSTRACT)
        .unbound()
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("return_type", Role::ReturnType)]),
    node("required_parameter")
        .child(Role::Read)
        .fields(&[("pattern", Role::Parameter), ("type", Role::ParameterType)])
        .hook(parameter_property),
    node("optional_parameter")
        .child(Role::Read)
        .fields(&[("pattern", Role::Parameter), ("type", Role::ParameterType)])
        .hook(parameter_property),
    node("variable_declarator")
        .define(SymbolKind::Function)
        .name(Name::Find(variable_name))
        .only_with("value", VALUES)
        .extent()
        .child(Role::Read)
        .fields(&[("name", Role::Bind), ("type", Role::Type)])
        .hook(declared),
    node("call_expression")
        .child(Role::Read)
        .fields(&[("function", Role::Call), ("type_arguments", Role::Type)]),
    node("new_expression")
        .child(Role::Read)
        .fields(&[("constructor", Role::New), ("type_arguments", Role::Type)]),
    node("instantiation_expression").fields(&[("type_arguments", Role::Type)]),
    node("as_expression").child(Role::Read),
    node("satisfies_expression").child(Role::Read),
];

const TYPES: &[NodeSpec] = &[
    node("ambient_declaration").child(Role::Read).wraps(),
    node("abstract_class_declaration")
        .define(SymbolKind::Class)
        .flags(flags::ABSTRACT)
        .scope(ScopeKind::Type)
        .child(Role::Read),
    // What an inline type in a head has is no member of what the head declares.
    node("class_heritage").scope(ScopeKind::Function),
    node("extends_clause").fields(&[("value", Role::Extends), ("type_arguments", Role::Type)]),
    node("extends_type_clause")
        .scope(ScopeKind::Function)
        .child(Role::Extends),
    node("implements_clause").child(Role::Implements),
    node("public_field_definition")
        .define(SymbolKind::Field)
        .body(&["value.body"])
        .unbound()
        .child(Role::Read)
        .fields(&[("type", Role::Type)])
        .hook(field_value),
    node("interface_declaration")
        .define(SymbolKind::Interface)
        .scope(ScopeKind::Type)
        .child(Role::Read),
    node("property_signature")
        .define(SymbolKind::Property)
        .unbound()
        .child(Role::Type)
        .fields(&[("type", Role::Type)]),
    node("index_signature")
        .scope(ScopeKind::Block)
        .child(Role::Type)
        .fields(&[("name", Role::Parameter)]),
    node("call_signature")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("return_type", Role::ReturnType)]),
    node("construct_signature")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("type", Role::ReturnType)]),
    node("function_type")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("return_type", Role::Type)]),
    node("constructor_type")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("type", Role::Type)]),
    node("type_alias_declaration")
        .define(SymbolKind::Type)
        .body(&[])
        .scope(ScopeKind::Type)
        .child(Role::Type),
    node("type_parameter")
        .fields(&[
            ("name", Role::Bind),
            ("constraint", Role::Type),
            ("value", Role::Type),
        ])
        .binder(SymbolKind::Type, Visible::Hoisted, BindScope::Innermost)
        .bind_flags(flags::PARAMETER | flags::LOCAL)
        .hook(variance),
    node("conditional_type").scope(ScopeKind::Block),
    node("infer_type")
        .child(Role::Bind)
        .first_only(Role::Type)
        .binder(SymbolKind::Type, Visible::Hoisted, BindScope::Innermost)
        .bind_flags(flags::PARAMETER | flags::LOCAL),
    node("mapped_type_clause")
        .child(Role::Type)
        .fields(&[("name", Role::Bind)])
        .binder(SymbolKind::Type, Visible::Hoisted, BindScope::Innermost)
        .bind_flags(flags::PARAMETER | flags::LOCAL),
    node("generic_type").fields(&[("type_arguments", Role::Type)]),
    node("type_arguments").child(Role::Type),
    node("nested_type_identifier").member("module", "name"),
    node("nested_identifier").member("object", "property"),
    node("type_query").child(Role::Read),
    node("type_predicate")
        .child(Role::Type)
        .fields(&[("name", Role::Read)]),
    node("asserts").child(Role::Read),
    node("enum_declaration")
        .define(SymbolKind::Enum)
        .scope(ScopeKind::Type)
        .child(Role::Read),
    node("enum_body")
        .fields(&[("name", Role::Bind)])
        .binder(SymbolKind::EnumMember, Visible::Never, BindScope::Innermost)
        .each(),
    node("enum_assignment")
        .define(SymbolKind::EnumMember)
        .bound_after()
        .child(Role::Read),
    node("internal_module")
        .define(SymbolKind::Namespace)
        .scope(ScopeKind::Module)
        .child(Role::Read),
    node("module")
        .define(SymbolKind::Module)
        .scope(ScopeKind::Module)
        .child(Role::Read),
    node("import_alias")
        .child(Role::ImportBind)
        .first_only(Role::Import),
    node("import_require_clause")
        .import("source")
        .child(Role::ImportWhole),
];

/// A constructor's parameter with a modifier is a field too.
fn parameter_property(walk: &mut Walk<'_>, parameter: Node<'_>, role: Role) -> Role {
    let mut cursor = parameter.walk();
    let mut modifier = Modifier::NONE;
    let mut is_field = false;
    for child in parameter.children(&mut cursor) {
        let said = match child.kind() {
            "accessibility_modifier" => match &walk.source[child.byte_range()] {
                b"private" => Modifier::visibility(Visibility::Private),
                b"protected" => Modifier::visibility(Visibility::Protected),
                _ => Modifier::visibility(Visibility::Public),
            },
            "readonly" => Modifier::flags(flags::READONLY),
            "override_modifier" => Modifier::NONE,
            _ => continue,
        };
        is_field = true;
        modifier = modifier.and(said);
    }
    if is_field && let Some(name) = parameter.child_by_field_name("pattern") {
        walk.define_field_as(parameter, &name.byte_range(), modifier);
    }
    role
}

/// The grammar takes the words of variance before a type parameter's name (`in out T`) for the name, and the type
/// arguments of an imported type (`import("x").T<U>`) for parameters.
fn variance(walk: &mut Walk<'_>, parameter: Node<'_>, role: Role) -> Role {
    if walk.is_in_error() {
        walk.give_roles(None, Some(Role::Type));
        return role;
    }
    let Some(word) = parameter.child_by_field_name("name") else {
        return role;
    };
    let mut name = word.byte_range();
    // At most `in` and `out` stand before it.
    for _ in 0..2 {
        if !matches!(&walk.source[name.clone()], b"in" | b"out") {
            break;
        }
        match next_word(walk.source, name.end) {
            Some(next) if &walk.source[next.clone()] != b"extends" => name = next,
            _ => break,
        }
    }
    if name.start == word.start_byte() {
        return role;
    }
    walk.give_roles(None, Some(Role::Label));
    walk.define_type_parameter(parameter, name);
    role
}

/// The word that follows, with nothing but space before it.
fn next_word(source: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = &source[at..];
    let start = at + rest.len() - rest.trim_ascii_start().len();
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
    let len = source[start..]
        .iter()
        .take_while(|byte| is_part(byte))
        .count();
    (start > at && len > 0).then(|| start..start + len)
}
