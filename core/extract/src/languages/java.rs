//! Java.

use tree_sitter::Node;

use crate::model::{SymbolKind, Visibility, flags};
use crate::spec::{
    BindScope, Defined, LanguageSpec, Modifier, Name, NameSpaces, NodeSpec, Role, ScopeKind,
    Visible, language, node,
};
use crate::walk::Walk;

pub static JAVA: LanguageSpec = LanguageSpec {
    extensions: &["java"],
    leaves: &[("identifier", Role::Read), ("type_identifier", Role::Type)],
    receivers: &["this"],
    base_receivers: &["super"],
    comments: &["line_comment", "block_comment"],
    doc_prefixes: &["/**"],
    modifiers: &[
        ("public", Modifier::visibility(Visibility::Public)),
        ("protected", Modifier::visibility(Visibility::Protected)),
        ("private", Modifier::visibility(Visibility::Private)),
        ("static", Modifier::flags(flags::STATIC)),
        ("abstract", Modifier::flags(flags::ABSTRACT)),
        ("final", Modifier::flags(flags::READONLY)),
    ],
    modifier_lists: &["modifiers"],
    attributes: &["annotation", "marker_annotation"],
    soft_keywords: &["var"],
    implicit_this: true,
    initializer_blocks: true,
    name_spaces: NameSpaces::TypesAndCallables,
    overloads: true,
    reopens_types: false,
    default_visibility: visibility,
    final_kind: kind,
    nodes: &[DECLARATIONS, STATEMENTS, EXPRESSIONS],
    ..language("java", tree_sitter_java::LANGUAGE)
};

const DECLARATIONS: &[NodeSpec] = &[
    node("program").child(Role::Read),
    node("package_declaration")
        .define(SymbolKind::Namespace)
        .name(Name::Child(&["scoped_identifier", "identifier"]))
        .until_parent_ends()
        .child(Role::Read),
    node("import_declaration").hook(import_all),
    node("scoped_identifier").member("scope", "name"),
    // Modules.
    node("module_declaration")
        .define(SymbolKind::Module)
        .child(Role::Read),
    node("requires_module_directive").child(Role::Import),
    node("uses_module_directive").child(Role::Type),
    node("provides_module_directive").child(Role::Type),
    // Types.
    node("class_declaration")
        .define(SymbolKind::Class)
        .scope(ScopeKind::Type)
        .child(Role::Read),
    node("interface_declaration")
        .define(SymbolKind::Interface)
        .scope(ScopeKind::Type)
        .child(Role::Read),
    node("enum_declaration")
        .define(SymbolKind::Enum)
        .scope(ScopeKind::Type)
        .child(Role::Read),
    node("record_declaration")
        .define(SymbolKind::Class)
        .scope(ScopeKind::Type)
        .child(Role::Read)
        .fields(&[("parameters", Role::Bind)]),
    node("annotation_type_declaration")
        .define(SymbolKind::Interface)
        .scope(ScopeKind::Type)
        .child(Role::Read),
    // Also the body of an anonymous class or of an enum's constant.
    node("class_body").scope(ScopeKind::Type).child(Role::Read),
    node("superclass").child(Role::Extends),
    node("extends_interfaces").child(Role::Extends),
    node("super_interfaces").child(Role::Implements),
    node("type_parameter")
        .child(Role::Bind)
        .binder(SymbolKind::Type, Visible::Hoisted, BindScope::Innermost)
        .bind_flags(flags::PARAMETER | flags::LOCAL),
    node("type_bound").child(Role::Type),
    node("type_arguments").child(Role::Type),
    node("generic_type").first_only(Role::Type),
    node("scoped_type_identifier").positional_member(),
    node("dimensions_expr").child(Role::Read),
    // Members.
    node("enum_constant")
        .define(SymbolKind::EnumMember)
        .child(Role::Read),
    node("field_declaration").child(Role::Read).wraps().binder(
        SymbolKind::Field,
        Visible::Hoisted,
        BindScope::Innermost,
    ),
    node("constant_declaration")
        .child(Role::Read)
        .wraps()
        .binder(SymbolKind::Constant, Visible::Hoisted, BindScope::Innermost)
        .bind_flags(flags::STATIC | flags::READONLY),
    node("method_declaration")
        .define(SymbolKind::Method)
        .without_body(flags::ABSTRACT)
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("type", Role::ReturnType)]),
    node("constructor_declaration")
        .define(SymbolKind::Constructor)
        .unbound()
        .scope(ScopeKind::Function)
        .child(Role::Read),
    node("compact_constructor_declaration")
        .define(SymbolKind::Constructor)
        .unbound()
        .scope(ScopeKind::Function)
        .child(Role::Read),
    node("annotation_type_element_declaration")
        .define(SymbolKind::Method)
        .body(&[])
        .flags(flags::ABSTRACT)
        .child(Role::Read)
        .fields(&[("type", Role::ReturnType)]),
    node("static_initializer")
        .scope(ScopeKind::Function)
        .child(Role::Read),
    node("formal_parameter")
        .child(Role::Read)
        .fields(&[("name", Role::Inherit), ("type", Role::ParameterType)])
        // The parameters of a record are its components.
        .binder(SymbolKind::Property, Visible::Hoisted, BindScope::Innermost)
        .bind_flags(flags::READONLY)
        .hook(parameter),
    node("spread_parameter")
        .child(Role::ParameterType)
        .hook(spread_parameter),
    node("receiver_parameter").child(Role::Read),
    // Annotations.
    node("annotation")
        .child(Role::Read)
        .fields(&[("name", Role::Type)])
        .hook(annotation),
    node("marker_annotation")
        .child(Role::Read)
        .fields(&[("name", Role::Type)])
        .hook(annotation),
    node("element_value_pair")
        .child(Role::Read)
        .fields(&[("key", Role::Label)]),
];

const STATEMENTS: &[NodeSpec] = &[
    node("block").scope(ScopeKind::Block).child(Role::Read),
    node("constructor_body")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("switch_block")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("switch_rule")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("for_statement")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("try_with_resources_statement")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("catch_clause")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("catch_formal_parameter")
        .child(Role::Read)
        .fields(&[("name", Role::Bind)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Innermost),
    node("local_variable_declaration")
        .child(Role::Read)
        .wraps()
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinder,
            BindScope::Innermost,
        ),
    node("variable_declarator")
        .extent()
        .child(Role::Read)
        .fields(&[("name", Role::Inherit)])
        .hook(declarator),
    node("enhanced_for_statement")
        .scope(ScopeKind::Block)
        .child(Role::Read)
        .fields(&[("name", Role::Bind)])
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinder,
            BindScope::Innermost,
        )
        .visible_after("value"),
    node("resource")
        .child(Role::Read)
        .fields(&[("name", Role::Bind)])
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinder,
            BindScope::Innermost,
        ),
    node("labeled_statement")
        .child(Role::Label)
        .first_only(Role::Read),
    node("break_statement").child(Role::Label),
    node("continue_statement").child(Role::Label),
    // Patterns.
    node("instanceof_expression")
        .child(Role::Read)
        .fields(&[("name", Role::Bind)])
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinder,
            BindScope::Innermost,
        ),
    node("type_pattern")
        .child(Role::Type)
        .first_only(Role::Bind)
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinder,
            BindScope::Innermost,
        ),
    node("record_pattern").child(Role::Type),
    node("record_pattern_component")
        .child(Role::Type)
        .first_only(Role::Bind)
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinder,
            BindScope::Innermost,
        ),
];

const EXPRESSIONS: &[NodeSpec] = &[
    node("lambda_expression")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("parameters", Role::Parameter)]),
    node("method_invocation")
        .child(Role::Read)
        .call_member("object", "name"),
    node("argument_list").child(Role::Read).arguments(),
    node("object_creation_expression")
        .child(Role::Read)
        .fields(&[("type", Role::New)]),
    node("array_creation_expression")
        .child(Role::Read)
        .fields(&[("type", Role::New)]),
    node("explicit_constructor_invocation").child(Role::Read),
    node("field_access")
        .child(Role::Read)
        .member("object", "field"),
    node("method_reference").positional_member(),
    node("array_access").child(Role::Read),
    node("assignment_expression")
        .child(Role::Read)
        .fields(&[("left", Role::Write)]),
    node("update_expression").child(Role::Write),
    node("cast_expression")
        .child(Role::Read)
        .fields(&[("type", Role::Type)]),
];

/// An import with an asterisk binds no name of its own.
fn import_all(walk: &mut Walk<'_>, import: Node<'_>, _: Role) -> Role {
    let mut cursor = import.walk();
    let mut parts = import.named_children(&mut cursor);
    let path = parts.find(|part| matches!(part.kind(), "scoped_identifier" | "identifier"));
    let asterisk = parts.find(|part| part.kind() == "asterisk");
    let (Some(path), Some(asterisk)) = (path, asterisk) else {
        return Role::ImportBind;
    };
    let symbol = walk.define_at(import, asterisk.byte_range(), SymbolKind::Import, false);
    walk.add_import(symbol, path.start_byte()..asterisk.end_byte());
    Role::Import
}

/// Among the components of a record a name is a member, elsewhere it is a parameter.
fn parameter(_: &mut Walk<'_>, _: Node<'_>, role: Role) -> Role {
    if role == Role::Bind {
        Role::Bind
    } else {
        Role::Parameter
    }
}

fn spread_parameter(walk: &mut Walk<'_>, _: Node<'_>, role: Role) -> Role {
    walk.mark_variadic();
    role
}

fn declarator(walk: &mut Walk<'_>, _: Node<'_>, _: Role) -> Role {
    if walk.parent_kind() == Some("spread_parameter") {
        Role::Parameter
    } else {
        Role::Bind
    }
}

/// What an annotation says of the definition that it stands at.
fn annotation(walk: &mut Walk<'_>, annotation: Node<'_>, role: Role) -> Role {
    if let Some(name) = walk.child(annotation, "name") {
        let name = &walk.source[name.byte_range()];
        let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
        match last {
            b"Test" | b"ParameterizedTest" | b"RepeatedTest" | b"TestFactory" | b"TestTemplate"
            | b"Benchmark" => walk.modify(Modifier::flags(flags::TEST)),
            b"Deprecated" => walk.modify(Modifier::flags(flags::DEPRECATED)),
            _ => {}
        }
    }
    role
}

/// A static field that is never assigned again is a constant.
fn kind(defined: Defined<'_>) -> SymbolKind {
    const CONSTANT: u32 = flags::STATIC | flags::READONLY;
    match defined.kind {
        SymbolKind::Field if defined.flags & CONSTANT == CONSTANT => SymbolKind::Constant,
        kind => kind,
    }
}

/// The package, where no word says otherwise; the members of an interface are public.
fn visibility(defined: Defined<'_>) -> Option<Visibility> {
    match defined.kind {
        SymbolKind::Namespace | SymbolKind::Module => None,
        SymbolKind::EnumMember | SymbolKind::Property => Some(Visibility::Public),
        _ if defined.parent == Some(SymbolKind::Interface) => Some(Visibility::Public),
        _ => Some(Visibility::Internal),
    }
}
