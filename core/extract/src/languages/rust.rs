//! Rust.

use tree_sitter::Node;

use crate::model::{SymbolKind, Visibility, flags};
use crate::spec::{
    BindScope, Defined, LanguageSpec, Modifier, Name, NodeSpec, Role, ScopeKind, Visible, language,
    node,
};
use crate::walk::Walk;

pub static RUST: LanguageSpec = LanguageSpec {
    extensions: &["rs"],
    separator: "::",
    import_separator: "::",
    leaves: &[
        ("identifier", Role::Read),
        ("type_identifier", Role::Type),
        ("field_identifier", Role::Member),
        ("shorthand_field_identifier", Role::Read),
    ],
    receivers: &["self"],
    receiver_names: &["Self"],
    comments: &["line_comment", "block_comment"],
    doc_prefixes: &["///", "/**"],
    modifiers: &[
        ("async", Modifier::flags(flags::ASYNC)),
        ("mutable_specifier", Modifier::NONE),
    ],
    attributes: &["attribute_item", "visibility_modifier"],
    attribute_patterns: &[
        ("#[test", Modifier::flags(flags::TEST)),
        ("::test]", Modifier::flags(flags::TEST)),
        ("::test(", Modifier::flags(flags::TEST)),
        ("#[deprecated", Modifier::flags(flags::DEPRECATED)),
        (
            "pub",
            Modifier::visibility(Visibility::Public).and(Modifier::flags(flags::EXPORTED)),
        ),
        ("pub(", Modifier::visibility(Visibility::Internal)),
        ("crate", Modifier::visibility(Visibility::Internal)),
    ],
    modifier_lists: &["function_modifiers"],
    default_visibility: visibility,
    binds,
    nodes: &[NODES],
    ..language("rust", tree_sitter_rust::LANGUAGE)
};

const NODES: &[NodeSpec] = &[
    node("source_file").child(Role::Read),
    // Items.
    node("function_item")
        .define(SymbolKind::Function)
        .in_type(SymbolKind::Method)
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("return_type", Role::ReturnType)]),
    node("function_signature_item")
        .define(SymbolKind::Function)
        .in_type(SymbolKind::Method)
        .flags(flags::ABSTRACT)
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("return_type", Role::ReturnType)]),
    node("parameter")
        .child(Role::Read)
        .fields(&[("pattern", Role::Parameter), ("type", Role::ParameterType)]),
    node("closure_expression")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("parameters", Role::Parameter), ("return_type", Role::Type)]),
    node("struct_item")
        .define(SymbolKind::Struct)
        .scope(ScopeKind::Type)
        .child(Role::Read),
    node("union_item")
        .define(SymbolKind::Union)
        .scope(ScopeKind::Type)
        .child(Role::Read),
    node("enum_item")
        .define(SymbolKind::Enum)
        .scope(ScopeKind::Type)
        .child(Role::Read),
    node("field_declaration")
        .define(SymbolKind::Field)
        .unbound()
        .child(Role::Type),
    node("ordered_field_declaration_list").child(Role::Type),
    node("enum_variant")
        .define(SymbolKind::EnumMember)
        .unbound()
        .child(Role::Read),
    node("trait_item")
        .define(SymbolKind::Trait)
        .scope(ScopeKind::Type)
        .child(Role::Read)
        .fields(&[("bounds", Role::Extends)]),
    node("impl_item")
        .scope_of(Name::Descend("type"))
        .child(Role::Read)
        .fields(&[("trait", Role::Implements), ("type", Role::Type)]),
    node("mod_item")
        .define(SymbolKind::Module)
        .scope(ScopeKind::Module)
        .child(Role::Read),
    node("const_item")
        .define(SymbolKind::Constant)
        .body(&[])
        .flags(flags::READONLY)
        .child(Role::Read)
        .fields(&[("type", Role::Type)]),
    node("static_item")
        .define(SymbolKind::Variable)
        .body(&[])
        .flags(flags::STATIC)
        .child(Role::Read)
        .fields(&[("type", Role::Type)]),
    node("type_item")
        .define(SymbolKind::Type)
        .body(&[])
        .child(Role::Type),
    node("associated_type")
        .define(SymbolKind::Type)
        .unbound()
        .body(&[])
        .child(Role::Type),
    node("macro_definition")
        .define(SymbolKind::Macro)
        .child(Role::Read),
    node("attribute").child(Role::Label),
    // Generics.
    node("type_parameter")
        .child(Role::Type)
        .fields(&[("name", Role::Bind)])
        .binder(SymbolKind::Type, Visible::Hoisted, BindScope::Innermost)
        .bind_flags(flags::PARAMETER | flags::LOCAL),
    node("const_parameter")
        .child(Role::Type)
        .fields(&[("name", Role::Bind), ("value", Role::Read)])
        .binder(SymbolKind::Constant, Visible::Hoisted, BindScope::Innermost)
        .bind_flags(flags::PARAMETER | flags::LOCAL),
    node("lifetime").child(Role::Label),
    node("label").child(Role::Label),
    node("generic_type").fields(&[("type_arguments", Role::Type)]),
    node("type_arguments").child(Role::Type),
    node("type_binding")
        .child(Role::Type)
        .fields(&[("name", Role::Label)]),
    node("where_predicate").child(Role::Type),
    node("bracketed_type").child(Role::Type),
    node("qualified_type").child(Role::Type),
    node("array_type").fields(&[("length", Role::Read)]),
    // Bindings.
    node("let_declaration")
        .child(Role::Read)
        .fields(&[("pattern", Role::Bind), ("type", Role::Type)])
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinder,
            BindScope::Innermost,
        ),
    node("let_condition")
        .child(Role::Read)
        .fields(&[("pattern", Role::Bind)])
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinder,
            BindScope::Innermost,
        ),
    node("for_expression")
        .scope(ScopeKind::Block)
        .child(Role::Read)
        .fields(&[("pattern", Role::Bind)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Innermost),
    node("match_arm")
        .scope(ScopeKind::Block)
        .child(Role::Read)
        .fields(&[("pattern", Role::Bind)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Innermost),
    node("match_pattern").fields(&[("condition", Role::Read)]),
    node("if_expression")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("while_expression")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("block").scope(ScopeKind::Block).child(Role::Read),
    // Patterns.
    node("tuple_struct_pattern").fields(&[("type", Role::Read)]),
    node("struct_pattern").fields(&[("type", Role::Type)]),
    node("field_pattern"),
    node("range_pattern").child(Role::Read),
    // Expressions.
    node("call_expression")
        .child(Role::Read)
        .fields(&[("function", Role::Call)]),
    node("generic_function").fields(&[("type_arguments", Role::Type)]),
    node("arguments").child(Role::Read),
    node("parenthesized_expression").child(Role::Read),
    node("field_expression").member("value", "field"),
    node("scoped_identifier").member("path", "name"),
    node("scoped_type_identifier").member("path", "name"),
    node("index_expression").child(Role::Read),
    node("struct_expression")
        .child(Role::Read)
        .fields(&[("name", Role::New)]),
    node("field_initializer")
        .child(Role::Read)
        .fields(&[("field", Role::Member)]),
    node("shorthand_field_initializer").child(Role::Read),
    node("assignment_expression")
        .child(Role::Read)
        .fields(&[("left", Role::Write)]),
    node("compound_assignment_expr")
        .child(Role::Read)
        .fields(&[("left", Role::Write)]),
    node("type_cast_expression")
        .child(Role::Read)
        .fields(&[("type", Role::Type)]),
    node("macro_invocation")
        .child(Role::Read)
        .fields(&[("macro", Role::Call)]),
    node("token_tree").child(Role::Read),
    // Imports.
    node("use_declaration").child(Role::ImportBind),
    node("use_as_clause")
        .import("path")
        .fields(&[("path", Role::Import), ("alias", Role::ImportWhole)]),
    node("scoped_use_list")
        .import("path")
        .fields(&[("path", Role::Import)]),
    node("use_wildcard").child(Role::Import),
    node("extern_crate_declaration")
        .import("name")
        .fields(&[("name", Role::Inherit), ("alias", Role::ImportWhole)])
        .hook(extern_crate),
];

/// The name of an extern crate is bound under its alias where there is one.
fn extern_crate(_: &mut Walk<'_>, node: Node<'_>, _: Role) -> Role {
    if node.child_by_field_name("alias").is_some() {
        Role::Import
    } else {
        Role::ImportWhole
    }
}

/// Constants, unit structs and enum members in a pattern are compared with, not bound.
fn binds(name: &[u8]) -> bool {
    name.first()
        .is_some_and(|first| !first.is_ascii_uppercase())
}

/// Items are private to their module unless a word says otherwise; what a trait or enum lists is as public as it.
fn visibility(defined: Defined<'_>) -> Option<Visibility> {
    match defined.kind {
        SymbolKind::EnumMember => None,
        _ if defined.parent == Some(SymbolKind::Trait) => None,
        _ => Some(Visibility::Private),
    }
}
