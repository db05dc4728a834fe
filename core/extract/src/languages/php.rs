//! PHP.

use std::ops::Range;

use tree_sitter::Node;

use crate::model::{SymbolKind, Visibility, flags};
use crate::spec::{
    BindScope, Defined, LanguageSpec, Modifier, Name, NodeSpec, Role, ScopeKind, Used, Visible,
    language, node,
};
use crate::walk::Walk;

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
    space_of_symbol,
    space_of_use,
    closed: |kind, _| kind == SymbolKind::Variable,
    import_separator: "\\",
    nodes: &[DEFINITIONS, BINDINGS, NAMES, EXPRESSIONS, STATEMENTS],
    ..language("php", tree_sitter_php::LANGUAGE_PHP)
};

/// Sorts of names: each may use the spellings of the others.
const TYPE: u8 = 0;
const FUNCTION: u8 = 1;
/// Variables and properties.
const VARIABLE: u8 = 2;
const CONSTANT: u8 = 3;
/// The first part of a qualified name, which only an import binds.
const PREFIX: u8 = 4;
/// The last part of a qualified name, which nothing here binds.
const QUALIFIED: u8 = 5;

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
    node("variable_name").space(VARIABLE),
    node("dynamic_variable_name")
        .space(VARIABLE)
        .child(Role::Read),
    // As a leaf it is a token; with children it is an expression in the place of one.
    node("name").child(Role::Read),
    node("namespace_name")
        .space(PREFIX)
        .first_only(Role::Member)
        .hook(prefix),
    node("qualified_name").space(QUALIFIED),
    node("relative_name").space(QUALIFIED),
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
        .space(VARIABLE)
        .hook(target_or_read),
    node("nullsafe_member_access_expression")
        .member("object", "name")
        .space(VARIABLE)
        .hook(target_or_read),
    node("member_call_expression")
        .member("object", "name")
        .fields(&[("arguments", Role::Read)])
        .space(FUNCTION)
        .hook(|_, _, _| Role::Call),
    node("nullsafe_member_call_expression")
        .member("object", "name")
        .fields(&[("arguments", Role::Read)])
        .space(FUNCTION)
        .hook(|_, _, _| Role::Call),
    node("scoped_call_expression")
        .member("scope", "name")
        .fields(&[("arguments", Role::Read)])
        .space(FUNCTION)
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
        .space(CONSTANT)
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

fn space_of_symbol(kind: SymbolKind, _: u32) -> u8 {
    match kind {
        SymbolKind::Function | SymbolKind::Method | SymbolKind::Constructor => FUNCTION,
        SymbolKind::Variable | SymbolKind::Field | SymbolKind::Property => VARIABLE,
        SymbolKind::Constant | SymbolKind::EnumMember => CONSTANT,
        _ => TYPE,
    }
}

fn space_of_use(used: Used) -> u8 {
    match used {
        Used {
            is_receiver: true,
            space: TYPE | FUNCTION | CONSTANT,
            ..
        } => TYPE,
        Used {
            space: TYPE,
            role: Role::Call,
            ..
        } => FUNCTION,
        Used {
            space: TYPE,
            role: Role::Read | Role::Inherit,
            ..
        } => CONSTANT,
        Used { space, .. } => space,
    }
}

/// Everything that another file can name is public unless a word says otherwise.
fn visibility(defined: Defined<'_>) -> Option<Visibility> {
    let is_member = defined.parent.is_some_and(SymbolKind::is_type);
    let is_nameable = defined.kind.is_type()
        || matches!(defined.kind, SymbolKind::Function | SymbolKind::Constant);
    (is_member || is_nameable).then_some(Visibility::Public)
}

/// `private(set)` says who may write, not who may read.
fn visibility_of(word: &[u8]) -> Option<Visibility> {
    const WORDS: [(&[u8], Visibility); 3] = [
        (b"public", Visibility::Public),
        (b"protected", Visibility::Protected),
        (b"private", Visibility::Private),
    ];
    let found = WORDS
        .iter()
        .find(|(spelling, _)| word.eq_ignore_ascii_case(spelling));
    found.map(|(_, visibility)| *visibility)
}

fn visibility_word(walk: &mut Walk<'_>, word: Node<'_>, role: Role) -> Role {
    if let Some(visibility) = visibility_of(&walk.source[word.byte_range()]) {
        walk.modify(Modifier::visibility(visibility));
    }
    role
}

/// A class is a test case by its name or its base's.
fn class(walk: &mut Walk<'_>, class: Node<'_>, role: Role) -> Role {
    let source = walk.source;
    let named = class.child_by_field_name("name").is_some_and(|name| {
        let name = &source[name.byte_range()];
        [&b"Test"[..], b"TestCase"]
            .iter()
            .any(|end| name.ends_with(end))
            || [&b"Test_"[..], b"Tests_"]
                .iter()
                .any(|start| name.starts_with(start))
    });
    let mut cursor = class.walk();
    let derived = class.children(&mut cursor).any(|child| {
        child.kind() == "base_clause" && source[child.byte_range()].ends_with(b"TestCase")
    });
    if named || derived {
        walk.modify_own(Modifier::flags(flags::TEST));
    }
    role
}

/// A method without a body is abstract; in a test case, one that is named `test…` is a test.
fn method(walk: &mut Walk<'_>, method: Node<'_>, role: Role) -> Role {
    if method.child_by_field_name("body").is_none() {
        walk.modify_own(Modifier::flags(flags::ABSTRACT));
    }
    let is_named = method
        .child_by_field_name("name")
        .is_some_and(|name| walk.source[name.byte_range()].starts_with(b"test"));
    if is_named && walk.outer_flags() & flags::TEST != 0 {
        walk.modify_own(Modifier::flags(flags::TEST));
    }
    role
}

/// The name in a property's `$name`.
fn property_name(property: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    Some(
        property
            .child_by_field_name("name")?
            .named_child(0)?
            .byte_range(),
    )
}

/// A constructor's parameter with a visibility is a property too.
fn promoted_parameter(walk: &mut Walk<'_>, parameter: Node<'_>, role: Role) -> Role {
    let mut modifier = Modifier::NONE;
    let mut cursor = parameter.walk();
    for child in parameter.children(&mut cursor) {
        modifier = match child.kind() {
            "visibility_modifier" => match visibility_of(&walk.source[child.byte_range()]) {
                Some(visibility) => modifier.and(Modifier::visibility(visibility)),
                None => modifier,
            },
            "readonly_modifier" => modifier.and(Modifier::flags(flags::READONLY)),
            _ => modifier,
        };
    }
    let name = parameter.child_by_field_name("name").and_then(|name| {
        let variable = if name.kind() == "by_ref" {
            name.named_child(0)?
        } else {
            name
        };
        variable.named_child(0)
    });
    if let Some(name) = name {
        walk.define_field_as(parameter, &name.byte_range(), modifier);
    }
    role
}

/// `define('NAME', …)` defines a constant.
fn constant_by_call(walk: &mut Walk<'_>, call: Node<'_>, role: Role) -> Role {
    let function = call
        .child_by_field_name("function")
        .map(|function| function.byte_range());
    if function.is_none_or(|function| &walk.source[function] != b"define") || walk.in_function() {
        return role;
    }
    let name = call
        .child_by_field_name("arguments")
        .and_then(|arguments| arguments.named_child(0)?.named_child(0))
        .filter(|name| matches!(name.kind(), "string" | "encapsed_string"))
        .filter(|name| name.named_child_count() == 1)
        .and_then(|name| name.named_child(0));
    if let Some(name) = name.filter(|name| name.kind() == "string_content") {
        let symbol = walk.define_at(call, name.byte_range(), SymbolKind::Constant, true);
        walk.modify_symbol(symbol, Modifier::flags(flags::READONLY));
    }
    role
}

/// A file that is included by a literal path is imported.
fn include(walk: &mut Walk<'_>, expression: Node<'_>, role: Role) -> Role {
    let mut path = expression.named_child(0);
    while let Some(inner) = path.filter(|path| path.kind() == "parenthesized_expression") {
        path = inner.named_child(0);
    }
    let content = path
        .filter(|path| matches!(path.kind(), "string" | "encapsed_string"))
        .filter(|path| path.named_child_count() == 1)
        .and_then(|path| path.named_child(0))
        .filter(|content| content.kind() == "string_content");
    if let Some(content) = content {
        let range = content.byte_range();
        let import = walk.define_at(expression, range.clone(), SymbolKind::Import, false);
        walk.add_import(import, range);
    }
    role
}

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

/// The first part of a path leads to an import unless the path starts at the root.
fn prefix(walk: &mut Walk<'_>, path: Node<'_>, role: Role) -> Role {
    match role {
        Role::Import | Role::ImportBind | Role::ImportWhole => Role::Import,
        _ if path.start_byte() > 0 && walk.source[path.start_byte() - 1] == b'\\' => Role::Label,
        _ => Role::Read,
    }
}

/// `parent` is the object as its base defines it, `self` and `static` are its type.
fn relative_scope(walk: &mut Walk<'_>, scope: Node<'_>, role: Role) -> Role {
    if walk.source[scope.byte_range()].eq_ignore_ascii_case(b"parent") {
        walk.receive_base();
    } else {
        walk.receive_own();
    }
    role
}

/// The sorts of names that `use`, `use function` and `use const` bind.
fn imported(word: Option<Node<'_>>) -> &'static [u8] {
    match word.map(|word| word.kind()) {
        Some("function") => &[FUNCTION],
        Some("const") => &[CONSTANT],
        _ => &[TYPE, PREFIX],
    }
}

/// The role says whether the clauses below may have a word of their own.
fn import_declaration(walk: &mut Walk<'_>, declaration: Node<'_>, _: Role) -> Role {
    let is_group = declaration.child_by_field_name("body").is_some();
    // Without a group, the first clause has the word for all.
    let word = declaration.child_by_field_name("type").or_else(|| {
        let first = declaration.named_child(0).filter(|_| !is_group)?;
        first.child_by_field_name("type")
    });
    walk.import_into(imported(word));
    let mut cursor = declaration.walk();
    let common = declaration
        .named_children(&mut cursor)
        .find(|child| child.kind() == "namespace_name");
    if let Some(common) = common {
        walk.push_import_path(common.byte_range());
    }
    if word.is_some() {
        Role::Import
    } else {
        Role::ImportBind
    }
}

/// Without an alias, the last part of the path is the name bound.
fn import_clause(walk: &mut Walk<'_>, clause: Node<'_>, role: Role) -> Role {
    let word = clause.child_by_field_name("type");
    if role == Role::ImportBind {
        walk.import_into(imported(word));
    }
    if let Some(path) = clause.named_child(0) {
        let range = path.byte_range();
        let rooted = walk.source.get(range.start) == Some(&b'\\');
        walk.push_import_path(range.start + usize::from(rooted)..range.end);
    }
    if clause.child_by_field_name("alias").is_some() {
        Role::Import
    } else {
        Role::ImportWhole
    }
}
