//! PHP.

mod definitions;
mod imports;
mod names;

use tree_sitter::Node;

use crate::model::{SymbolKind, flags};
use crate::spec::{
    BindScope, LanguageSpec, Modifier, Name, NodeSpec, Role, ScopeKind, Visible, language, node,
};
use crate::walk::Walk;

use self::definitions::{
    class, constant_by_call, method, promoted_parameter, property_name, visibility, visibility_word,
};
use self::imports::{import_clause, import_declaration, include};
use self::names::{
    CONSTANT, FUNCTION, PREFIX, QUALIFIED, VARIABLE, prefix, relative_scope, sort_of_symbol,
    sort_of_use,
};

pub static PHP: LanguageSpec = LanguageSpec {
    extensions: &["php", "phtml", "inc"],
    opaque: &["string"],
    separator: "::",
    anonymous: "class@anonymous",
    namespace_separator: Some("\\"),
    leaves: &[("name", Role::Read), ("variable_name", Role::Read)],
    sigils: &["variable_name"],
    receiver_names: &["this"],
    own_type_names: &["self", "static"],
    doc_prefixes: &["/**"],
    modifiers: &[
        ("static_modifier", Modifier::flags(flags::STATIC)),
        ("abstract_modifier", Modifier::flags(flags::ABSTRACT)),
        ("readonly_modifier", Modifier::flags(flags::READONLY)),
        ("final_modifier", Modifier::NONE),
        ("var_modifier", Modifier::NONE),
    ],
    modifier_lists: &["visibility_modifier"],
    attributes: &["attribute_list"],
    attribute_patterns: &[
        ("[Test]", Modifier::flags(flags::TEST)),
        ("\\Test]", Modifier::flags(flags::TEST)),
        ("[Deprecated", Modifier::flags(flags::DEPRECATED)),
        ("\\Deprecated", Modifier::flags(flags::DEPRECATED)),
    ],
    doc_patterns: &[
        ("* @deprecated", Modifier::flags(flags::DEPRECATED)),
        ("* @test", Modifier::flags(flags::TEST)),
    ],
    constructors: &["__construct"],
    default_visibility: visibility,
    predefined: &[
        "this", "GLOBALS", "_GET", "_POST", "_SERVER", "_COOKIE", "_SESSION", "_REQUEST", "_FILES",
        "_ENV",
    ],
    sort_of_symbol,
    sort_of_use: Some(sort_of_use),
    closed: |kind, _| kind == SymbolKind::Variable,
    import_separator: "\\",
    nodes: &[DEFINITIONS, BINDINGS, NAMES, EXPRESSIONS, STATEMENTS],
    ..language("php", tree_sitter_php::LANGUAGE_PHP)
};

const DEFINITIONS: &[NodeSpec] = &[
    node("program").child(Role::Read),
    // The name is the whole path; nothing in the file is reached through it.
    node("namespace_definition")
        .define(SymbolKind::Namespace)
        .unbound()
        .until_parent_ends()
        .scope(ScopeKind::Module)
        .child(Role::Read),
    // Types.
    node("class_declaration")
        .define(SymbolKind::Class)
        .scope(ScopeKind::Type)
        .child(Role::Read)
        .hook(class),
    node("anonymous_class")
        .scope(ScopeKind::Type)
        .child(Role::Read),
    node("interface_declaration")
        .define(SymbolKind::Interface)
        .scope(ScopeKind::Type)
        .child(Role::Read),
    node("trait_declaration")
        .define(SymbolKind::Trait)
        .scope(ScopeKind::Type)
        .child(Role::Read),
    node("enum_declaration")
        .define(SymbolKind::Enum)
        .scope(ScopeKind::Type)
        .child(Role::Read),
    node("base_clause").child(Role::Extends),
    node("class_interface_clause").child(Role::Implements),
    // Traits give their members to the class, as bases do.
    node("use_declaration").child(Role::Implements),
    node("use_list").child(Role::Label),
    node("use_instead_of_clause").child(Role::Type),
    node("visibility_modifier").hook(visibility_word),
    // Members.
    node("enum_case")
        .define(SymbolKind::EnumMember)
        .unbound()
        .child(Role::Read),
    node("property_declaration")
        .wraps()
        .child(Role::Read)
        .fields(&[("type", Role::Type)]),
    node("property_element")
        .define(SymbolKind::Field)
        .name(Name::Find(property_name))
        .unbound()
        .child(Role::Read),
    node("property_hook_list").child(Role::Read),
    node("property_hook")
        .scope(ScopeKind::Function)
        .child(Role::Label)
        .fields(&[
            ("attributes", Role::Read),
            ("parameters", Role::Read),
            ("body", Role::Read),
        ]),
    node("const_declaration")
        .wraps()
        .child(Role::Read)
        .fields(&[("type", Role::Type)]),
    node("const_element")
        .define(SymbolKind::Constant)
        .name(Name::Child(&["name"]))
        .flags(flags::READONLY)
        .unbound_in_type()
        .child(Role::Read),
    node("method_declaration")
        .define(SymbolKind::Method)
        .unbound()
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("return_type", Role::ReturnType)])
        .hook(method),
    // Functions.
    node("function_definition")
        .define(SymbolKind::Function)
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("return_type", Role::ReturnType)]),
    node("anonymous_function")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("return_type", Role::ReturnType)]),
    // It sees the variables around it, as a block does.
    node("arrow_function")
        .scope(ScopeKind::Block)
        .child(Role::Read)
        .fields(&[("return_type", Role::ReturnType)]),
    node("simple_parameter")
        .child(Role::Read)
        .fields(&[("type", Role::ParameterType), ("name", Role::Parameter)]),
    node("variadic_parameter")
        .child(Role::Read)
        .fields(&[("type", Role::ParameterType), ("name", Role::Parameter)]),
    node("property_promotion_parameter")
        .child(Role::Read)
        .fields(&[("type", Role::ParameterType), ("name", Role::Parameter)])
        .hook(promoted_parameter),
    node("attribute")
        .child(Role::Type)
        .fields(&[("parameters", Role::Read)]),
    node("attribute_list").child(Role::Read),
];

/// A node whose variables belong to the function, each of its own extent.
const fn variables(kind: &'static str) -> NodeSpec {
    node(kind)
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Function)
        .each()
}

const BINDINGS: &[NodeSpec] = &[
    node("assignment_expression")
        .child(Role::Read)
        .fields(&[("left", Role::BindOrWrite)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Function),
    node("reference_assignment_expression")
        .child(Role::Read)
        .fields(&[("left", Role::BindOrWrite)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Function),
    node("augmented_assignment_expression")
        .child(Role::Read)
        .fields(&[("left", Role::BindOrWrite)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Function),
    node("update_expression").child(Role::Write),
    // What is looped over stands first, keys and values after it.
    variables("foreach_statement")
        .first_only(Role::BindOrWrite)
        .hook(|_, _, _| Role::Read),
    variables("catch_clause")
        .child(Role::Read)
        .fields(&[("type", Role::Type), ("name", Role::BindOrWrite)]),
    variables("global_declaration").child(Role::BindOrWrite),
    node("function_static_declaration").child(Role::Read),
    node("static_variable_declaration")
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Function)
        .bind_flags(flags::STATIC)
        .child(Role::Read)
        .fields(&[("name", Role::BindOrWrite)]),
    variables("anonymous_function_use_clause").child(Role::Outer),
];

const NAMES: &[NodeSpec] = &[
    node("variable_name").sort(VARIABLE),
    node("dynamic_variable_name")
        .sort(VARIABLE)
        .child(Role::Read),
    // As a leaf it is a token; with children it is an expression in the place of one.
    node("name").child(Role::Read),
    node("namespace_name")
        .sort(PREFIX)
        .first_only(Role::Member)
        .hook(prefix),
    node("qualified_name").sort(QUALIFIED),
    node("relative_name").sort(QUALIFIED),
    node("relative_scope").hook(relative_scope),
    node("namespace_use_declaration").hook(import_declaration),
    node("namespace_use_clause")
        .fields(&[("alias", Role::ImportWhole)])
        .hook(import_clause),
    node("named_label_statement").child(Role::Label),
    node("goto_statement").child(Role::Label),
    node("argument")
        .child(Role::Read)
        .fields(&[("name", Role::Label)]),
];

const EXPRESSIONS: &[NodeSpec] = &[
    node("function_call_expression")
        .child(Role::Read)
        .fields(&[("function", Role::Call)])
        .hook(constant_by_call),
    node("object_creation_expression").child(Role::New),
    node("member_access_expression")
        .member("object", "name")
        .sort(VARIABLE)
        .hook(target_or_read),
    node("nullsafe_member_access_expression")
        .member("object", "name")
        .sort(VARIABLE)
        .hook(target_or_read),
    node("member_call_expression")
        .member("object", "name")
        .fields(&[("arguments", Role::Read)])
        .sort(FUNCTION)
        .hook(|_, _, _| Role::Call),
    node("nullsafe_member_call_expression")
        .member("object", "name")
        .fields(&[("arguments", Role::Read)])
        .sort(FUNCTION)
        .hook(|_, _, _| Role::Call),
    node("scoped_call_expression")
        .member("scope", "name")
        .fields(&[("arguments", Role::Read)])
        .sort(FUNCTION)
        .hook(|walk, _, _| {
            walk.give_roles(Some(Role::Type), None);
            Role::Call
        }),
    node("scoped_property_access_expression")
        .member("scope", "name")
        .hook(|walk, node, role| {
            walk.give_roles(Some(Role::Type), None);
            target_or_read(walk, node, role)
        }),
    node("class_constant_access_expression")
        .positional_member()
        .sort(CONSTANT)
        .hook(|walk, _, _| {
            walk.give_roles(Some(Role::Type), None);
            Role::Read
        }),
    // `$list[] = …` writes the list; the index is only read.
    node("subscript_expression")
        .first_only(Role::Read)
        .hook(target_or_read),
    node("array_creation_expression").hook(target_or_read),
    node("binary_expression").hook(operator),
    node("yield_expression")
        .child(Role::Read)
        .hook(|walk, _, role| {
            walk.modify_function(Modifier::flags(flags::GENERATOR));
            role
        }),
    node("arguments").child(Role::Read),
    node("unary_op_expression").child(Role::Read),
    node("conditional_expression").child(Role::Read),
    node("match_expression").child(Role::Read),
    node("cast_expression").child(Role::Read),
    node("clone_expression").child(Role::Read),
    node("parenthesized_expression").child(Role::Read),
    node("error_suppression_expression").child(Role::Read),
    node("print_intrinsic").child(Role::Read),
    node("throw_expression").child(Role::Read),
    node("include_expression").child(Role::Read).hook(include),
    node("include_once_expression")
        .child(Role::Read)
        .hook(include),
    node("require_expression").child(Role::Read).hook(include),
    node("require_once_expression")
        .child(Role::Read)
        .hook(include),
    node("encapsed_string").child(Role::Read),
    node("heredoc").child(Role::Read),
    node("shell_command_expression").child(Role::Read),
    node("sequence_expression").child(Role::Read),
];

/// Statements may stand where a loop's variables do, as its body without braces.
const STATEMENTS: &[NodeSpec] = &[
    node("expression_statement").wraps().child(Role::Read),
    node("compound_statement").child(Role::Read),
    node("colon_block").child(Role::Read),
    node("if_statement").child(Role::Read),
    node("switch_statement").child(Role::Read),
    node("while_statement").child(Role::Read),
    node("do_statement").child(Role::Read),
    node("for_statement").child(Role::Read),
    node("echo_statement").child(Role::Read),
    node("return_statement").child(Role::Read),
    node("try_statement").child(Role::Read),
    node("unset_statement").child(Role::Read),
    node("exit_statement").child(Role::Read),
    node("declare_statement").child(Role::Read),
    node("break_statement").child(Role::Read),
    node("continue_statement").child(Role::Read),
];

/// What is assigned through an access is written; anything else about it is read.
fn target_or_read(_: &mut Walk<'_>, _: Node<'_>, role: Role) -> Role {
    match role {
        Role::Write | Role::BindOrWrite => role,
        _ => Role::Read,
    }
}

/// The right side of `instanceof` is a type.
fn operator(_: &mut Walk<'_>, expression: Node<'_>, _: Role) -> Role {
    match expression.child_by_field_name("operator") {
        Some(operator) if operator.kind() == "instanceof" => Role::Type,
        _ => Role::Read,
    }
}
