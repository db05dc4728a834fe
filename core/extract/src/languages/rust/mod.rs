//! Rust.

mod tokens;

use std::ops::Range;

use tree_sitter::Node;

use crate::model::{Access, SymbolKind, Visibility, flags};
use crate::spec::{
    BindScope, Defined, LanguageSpec, Modifier, Name, NameSpaces, NodeSpec, Role, ScopeKind,
    Visible, language, node,
};
use crate::walk::Walk;

pub static RUST: LanguageSpec = LanguageSpec {
    extensions: &["rs"],
    opaque: &["string_literal", "raw_string_literal"],
    separator: "::",
    import_separator: "::",
    import_own: "self",
    leaves: &[
        ("identifier", Role::Read),
        ("type_identifier", Role::Type),
        ("field_identifier", Role::Member),
        ("shorthand_field_identifier", Role::Read),
    ],
    receivers: &["self"],
    receiver_names: &["Self"],
    own_type_names: &["Self"],
    comments: &["line_comment", "block_comment"],
    doc_prefixes: &["///", "/**"],
    no_doc_prefixes: &["////", "/***", "/**/"],
    doc_in_body: Some(inner_doc),
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
        ("#[macro_export", PUBLIC),
        ("pub", Modifier::visibility(Visibility::Public)),
        ("pub(", Modifier::visibility(Visibility::Internal)),
        ("crate", Modifier::visibility(Visibility::Internal)),
    ],
    modifier_lists: &["function_modifiers"],
    default_visibility: visibility,
    extra_flags,
    name_spaces: NameSpaces::Methods,
    binds,
    fits,
    call_instantiates: Some(|_| false),
    sort_of_symbol: |kind, _| match kind {
        SymbolKind::Macro => tokens::MACROS,
        _ => 0,
    },
    sort_of_use: Some(|used| used.sort),
    nodes: &[NODES],
    ..language("rust", tree_sitter_rust::LANGUAGE)
};

const PUBLIC: Modifier =
    Modifier::visibility(Visibility::Public).and(Modifier::flags(flags::EXPORTED));

const NODES: &[NodeSpec] = &[
    node("source_file").child(Role::Read),
    // Items.
    node("function_item")
        .define(SymbolKind::Function)
        .in_type(SymbolKind::Method)
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("return_type", Role::ReturnType)])
        .hook(function),
    node("function_signature_item")
        .define(SymbolKind::Function)
        .in_type(SymbolKind::Method)
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("return_type", Role::ReturnType)])
        .hook(function),
    node("parameter")
        .child(Role::Read)
        .fields(&[("pattern", Role::Parameter), ("type", Role::ParameterType)]),
    node("closure_expression")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("parameters", Role::Parameter), ("return_type", Role::Type)]),
    node("struct_item")
        .define(SymbolKind::Struct)
        .body_at(Name::Find(named_fields))
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
        .body_at(Name::Find(named_fields))
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
        .fields(&[("trait", Role::Implements), ("type", Role::Type)])
        .inside(implementation),
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
        .scope(ScopeKind::Type)
        .inside(alias)
        .child(Role::Type),
    node("associated_type")
        .define(SymbolKind::Type)
        .flags(flags::ABSTRACT)
        .unbound()
        .body(&[])
        .scope(ScopeKind::Type)
        .inside(alias)
        .child(Role::Type),
    node("macro_definition")
        .define(SymbolKind::Macro)
        .body_at(Name::Find(macro_rules))
        .child(Role::Read),
    node("attribute")
        .child(Role::Label)
        .fields(&[("value", Role::Read)]),
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
    node("generic_type").first_only(Role::Type),
    node("generic_type_with_turbofish").first_only(Role::Type),
    node("type_arguments").child(Role::Type),
    node("type_binding")
        .child(Role::Type)
        .fields(&[("name", Role::Member)]),
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
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinder,
            BindScope::Innermost,
        )
        .visible_after("value"),
    node("match_arm")
        .scope(ScopeKind::Block)
        .child(Role::Read)
        .fields(&[("pattern", Role::Bind)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Innermost),
    node("match_pattern")
        .extent()
        .fields(&[("condition", Role::Read)]),
    node("if_expression")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("else_clause").hook(otherwise),
    node("while_expression")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("block").scope(ScopeKind::Block).child(Role::Read),
    // Patterns.
    node("tuple_struct_pattern").fields(&[("type", Role::Read)]),
    node("struct_pattern")
        .members_of("type")
        .fields(&[("type", Role::Type)]),
    node("field_pattern").passes_receiver(),
    node("range_pattern").child(Role::Read),
    // Expressions.
    node("call_expression")
        .child(Role::Read)
        .fields(&[("function", Role::Call)]),
    node("generic_function").fields(&[("type_arguments", Role::Type)]),
    node("arguments").child(Role::Read),
    node("parenthesized_expression").child(Role::Read),
    node("field_expression").member("value", "field"),
    node("scoped_identifier")
        .fields(&[("path", Role::Qualifier)])
        .member("path", "name"),
    node("scoped_type_identifier")
        .fields(&[("path", Role::Qualifier)])
        .member("path", "name"),
    node("index_expression").child(Role::Read),
    node("struct_expression")
        .members_of("name")
        .child(Role::Read)
        .fields(&[("name", Role::New)]),
    node("field_initializer_list").passes_receiver(),
    node("field_initializer")
        .passes_receiver()
        .child(Role::Read)
        .fields(&[("field", Role::WriteMember)]),
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
        .sort(tokens::MACROS)
        .fields(&[("macro", Role::Call)]),
    node("token_tree_pattern").child(Role::Label),
    node("token_tree")
        .scope(ScopeKind::Block)
        .binder(
            SymbolKind::Variable,
            Visible::FromName,
            BindScope::Innermost,
        )
        .bind_flags(flags::LOCAL)
        .each()
        .tokens(tokens::read)
        .hook(arguments),
    node("token_repetition").tokens(tokens::read),
    // Imports.
    node("use_declaration").child(Role::ImportBind).hook(import),
    node("use_as_clause")
        .import("path")
        .fields(&[("path", Role::Import), ("alias", Role::ImportWhole)]),
    node("scoped_use_list")
        .import("path")
        .members_of("path")
        .fields(&[("path", Role::Import)])
        .hook(use_list),
    node("use_wildcard").child(Role::Import),
    node("extern_crate_declaration")
        .import("name")
        .fields(&[("name", Role::Inherit), ("alias", Role::ImportWhole)])
        .hook(extern_crate),
];

/// A function without a receiver in a type's body belongs to the type; one without a body in a trait is abstract.
fn function(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    if !walk.is_in_type() {
        return role;
    }
    if node.kind() == "function_signature_item" {
        walk.modify_own(Modifier::flags(flags::ABSTRACT));
    }
    let mut cursor = node.walk();
    let takes_self = node.child_by_field_name("parameters").is_some_and(|all| {
        let first = all
            .named_children(&mut cursor)
            .find(|child| matches!(child.kind(), "self_parameter" | "parameter"));
        first.is_some_and(|first| {
            let pattern = first.child_by_field_name("pattern");
            pattern.is_none_or(|pattern| pattern.kind() == "self")
        })
    });
    if !takes_self {
        walk.modify_own(Modifier::flags(flags::STATIC));
    }
    role
}

/// What implements a trait is as visible as the trait.
fn implementation(walk: &mut Walk<'_>, node: Node<'_>) {
    if node.child_by_field_name("trait").is_some() {
        walk.implement_trait();
    }
}

/// An alias has no members; its type parameters are all that it binds.
fn alias(walk: &mut Walk<'_>, _: Node<'_>) {
    walk.stay_in_type();
}

/// Fields with names have rows of their own; those without are part of the signature.
fn named_fields(node: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    let body = node.child_by_field_name("body")?;
    Some(body.byte_range()).filter(|_| body.kind() == "field_declaration_list")
}

/// Where the rules of a macro start.
fn macro_rules(node: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    let rules = node.child_by_field_name("name")?.next_sibling()?;
    Some(rules.byte_range())
}

/// What is derived are traits; the arguments of other attributes are words of their own.
fn arguments(walk: &mut Walk<'_>, tokens: Node<'_>, role: Role) -> Role {
    match role {
        Role::Label if walk.source[..tokens.start_byte()].ends_with(b"derive") => Role::Type,
        role => role,
    }
}

/// What a condition binds is not seen in its `else`.
fn otherwise(walk: &mut Walk<'_>, _: Node<'_>, role: Role) -> Role {
    walk.close_scope();
    role
}

/// What is imported with `pub` is offered to others; macros are imported like all else.
fn import(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    walk.import_into(&[0, tokens::MACROS]);
    let word = node
        .named_child(0)
        .filter(|child| child.kind() == "visibility_modifier");
    walk.modify_imports(match word {
        Some(word) if word.child_count() > 1 => Modifier::visibility(Visibility::Internal),
        Some(_) => PUBLIC,
        None => Modifier::NONE,
    });
    role
}

/// `a::{self}` binds the last name of the path.
fn use_list(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    let mut cursor = node.walk();
    let names_itself = node.child_by_field_name("list").is_some_and(|list| {
        list.named_children(&mut cursor)
            .any(|child| child.kind() == "self")
    });
    if names_itself {
        walk.give_roles(Some(Role::ImportWhole), None);
    }
    role
}

/// The documentation inside a module, `//!`.
fn inner_doc(node: Node<'_>) -> Option<Range<usize>> {
    if node.kind() != "mod_item" {
        return None;
    }
    let body = node.child_by_field_name("body")?;
    let mut cursor = body.walk();
    let mut lines = body
        .named_children(&mut cursor)
        .take_while(|child| child.child_by_field_name("inner").is_some());
    let first = lines.next()?;
    let last = lines.last().unwrap_or(first);
    Some(first.start_byte()..last.end_byte())
}

/// The name of an extern crate is bound under its alias where there is one.
fn extern_crate(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    import(walk, node, role);
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

/// A type's name means a type (or a constant argument), and only a path leads into a module.
fn fits(access: Access, kind: SymbolKind) -> bool {
    match access {
        Access::Type => kind.is_type() || matches!(kind, SymbolKind::Import | SymbolKind::Constant),
        _ => kind != SymbolKind::Module,
    }
}

/// What `pub` alone stands before is offered to other crates.
fn extra_flags(defined: Defined<'_>) -> u32 {
    if defined.signature.starts_with(b"pub ") {
        flags::EXPORTED
    } else {
        0
    }
}

/// Items are private to their module unless a word says otherwise; what a trait or enum lists is as public as it.
fn visibility(defined: Defined<'_>) -> Option<Visibility> {
    match defined.kind {
        SymbolKind::EnumMember => None,
        _ if matches!(
            defined.parent,
            Some(SymbolKind::Trait | SymbolKind::EnumMember)
        ) =>
        {
            None
        }
        _ => Some(Visibility::Private),
    }
}
