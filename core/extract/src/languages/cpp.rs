//! C++: the rules of C, and those of classes, namespaces and templates.

use std::ops::Range;

use tree_sitter::Node;

use super::c::{self, ATTRIBUTE_PATTERNS, ATTRIBUTES, COMMON, MODIFIER_LISTS};
use super::preprocessor;
use crate::model::{Access, SymbolKind, Visibility, flags};
use crate::spec::{
    BindScope, Defined, LanguageSpec, Modifier, Name, NodeSpec, Role, ScopeKind, Visible, language,
    node,
};
use crate::walk::Walk;

pub static CPP: LanguageSpec = LanguageSpec {
    extensions: &[
        "cpp", "cc", "cxx", "c++", "hpp", "hh", "hxx", "h++", "ipp", "inl", "tcc",
    ],
    separator: "::",
    import_separator: "::",
    opaque: &["string_literal", "raw_string_literal", "char_literal"],
    leaves: &[
        ("identifier", Role::Read),
        ("type_identifier", Role::Type),
        ("field_identifier", Role::Member),
        ("namespace_identifier", Role::Qualifier),
        ("statement_identifier", Role::Label),
    ],
    receivers: &["this"],
    modifiers: &[
        ("public", Modifier::visibility(Visibility::Public)),
        ("protected", Modifier::visibility(Visibility::Protected)),
        ("private", Modifier::visibility(Visibility::Private)),
    ],
    modifier_lists: MODIFIER_LISTS,
    sections: &["access_specifier"],
    attributes: ATTRIBUTES,
    attribute_patterns: ATTRIBUTE_PATTERNS,
    implicit_this: true,
    fits,
    constructors: &[""],
    default_visibility: visibility,
    masks: preprocessor::cpp,
    nodes: &[COMMON, TYPES, DECLARATIONS, EXPRESSIONS],
    ..language("cpp", tree_sitter_cpp::LANGUAGE)
};

const TYPES: &[NodeSpec] = &[
    node("class_specifier")
        .define(SymbolKind::Class)
        .name(Name::Find(type_name))
        .only_with("body", &[("field_declaration_list", SymbolKind::Class)])
        .scope(ScopeKind::Type)
        .fields(&[("body", Role::Read)]),
    node("struct_specifier")
        .define(SymbolKind::Struct)
        .name(Name::Find(type_name))
        .only_with("body", &[("field_declaration_list", SymbolKind::Struct)])
        .scope(ScopeKind::Type)
        .fields(&[("body", Role::Read)]),
    node("union_specifier")
        .define(SymbolKind::Union)
        .name(Name::Find(type_name))
        .only_with("body", &[("field_declaration_list", SymbolKind::Union)])
        .scope(ScopeKind::Type)
        .fields(&[("body", Role::Read)]),
    node("enum_specifier")
        .define(SymbolKind::Enum)
        .name(Name::Find(type_name))
        .only_with("body", &[("enumerator_list", SymbolKind::Enum)])
        .scope(ScopeKind::Type)
        .fields(&[("body", Role::Read), ("base", Role::Type)])
        .hook(scoped_enum),
    // The words in it are of the inheritance, not of a section: its own scope keeps them.
    node("base_class_clause")
        .scope(ScopeKind::Block)
        .child(Role::Extends),
    node("template_type").fields(&[("arguments", Role::Read)]),
    node("template_argument_list").child(Role::Read),
    node("type_descriptor").fields(&[("type", Role::Type)]),
    node("qualified_identifier").member("scope", "name"),
    node("decltype").child(Role::Read),
    node("trailing_return_type").child(Role::ReturnType),
    node("friend_declaration")
        .scope(ScopeKind::Block)
        .child(Role::Type),
    node("concept_definition")
        .define(SymbolKind::Interface)
        .body(&[])
        .child(Role::Read),
    node("alias_declaration")
        .define(SymbolKind::Type)
        .body(&[])
        .child(Role::Type),
];

const DECLARATIONS: &[NodeSpec] = &[
    // Namespaces.
    node("namespace_definition")
        .define(SymbolKind::Namespace)
        .only_with(
            "name",
            &[
                ("namespace_identifier", SymbolKind::Namespace),
                ("nested_namespace_specifier", SymbolKind::Namespace),
            ],
        )
        .body_at(Name::Field("body"))
        .scope(ScopeKind::Module)
        .child(Role::Read)
        .hook(unnamed_namespace),
    node("namespace_alias_definition")
        .child(Role::Qualifier)
        .fields(&[("name", Role::Bind)])
        .binder(
            SymbolKind::Namespace,
            Visible::Hoisted,
            BindScope::Innermost,
        )
        .each(),
    node("nested_namespace_specifier").child(Role::Qualifier),
    node("using_declaration").hook(using),
    // Templates.
    node("template_declaration")
        .wraps()
        .scope(ScopeKind::Transparent)
        .child(Role::Read),
    node("type_parameter_declaration")
        .child(Role::Bind)
        .binder(SymbolKind::Type, Visible::Hoisted, BindScope::Own)
        .bind_flags(flags::PARAMETER | flags::LOCAL)
        .each(),
    node("variadic_type_parameter_declaration")
        .child(Role::Bind)
        .binder(SymbolKind::Type, Visible::Hoisted, BindScope::Own)
        .bind_flags(flags::PARAMETER | flags::LOCAL)
        .each(),
    node("optional_type_parameter_declaration")
        .child(Role::Type)
        .fields(&[("name", Role::Bind)])
        .binder(SymbolKind::Type, Visible::Hoisted, BindScope::Own)
        .bind_flags(flags::PARAMETER | flags::LOCAL)
        .each(),
    node("optional_parameter_declaration")
        .child(Role::ParameterType)
        .fields(&[
            ("declarator", Role::Parameter),
            ("default_value", Role::Read),
        ]),
    node("variadic_parameter_declaration")
        .child(Role::ParameterType)
        .fields(&[("declarator", Role::Parameter)]),
    // Functions.
    node("function_definition")
        .define(SymbolKind::Function)
        .in_type(SymbolKind::Method)
        .name(Name::Find(function_name))
        .belongs_to(Name::Find(owner_name))
        .path(Name::Find(path))
        .body_at(Name::Find(body))
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("type", Role::ReturnType)]),
    node("function_declarator")
        .declares(SymbolKind::Function, SymbolKind::Method, flags::ABSTRACT)
        .child(Role::Read)
        .fields(&[("declarator", Role::Inherit), ("parameters", Role::Inherit)])
        .hook(function_declarator),
    node("parameter_list").hook(parameters),
    node("parameter_declaration")
        .fields(&[("declarator", Role::Parameter)])
        .hook(parameter),
    node("operator_name").hook(operator),
    node("operator_cast").child(Role::Read).hook(operator),
    node("destructor_name").hook(destructor),
    node("field_initializer_list").child(Role::OwnWrite),
    node("lambda_expression")
        .scope(ScopeKind::Function)
        .child(Role::Read),
    node("lambda_capture_initializer")
        .fields(&[("left", Role::Bind), ("right", Role::Read)])
        .binder(
            SymbolKind::Variable,
            Visible::FromName,
            BindScope::Innermost,
        )
        .each(),
    node("requires_expression")
        .scope(ScopeKind::Function)
        .child(Role::Read),
    node("catch_clause")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    // Declarations.
    node("field_declaration")
        .binder(
            SymbolKind::Variable,
            Visible::FromName,
            BindScope::Innermost,
        )
        .declarators()
        .fields(&[
            ("declarator", Role::Bind),
            ("type", Role::Inherit),
            ("default_value", Role::Read),
        ])
        .child(Role::Read)
        .hook(c::declared_type),
    node("declaration")
        .binder(
            SymbolKind::Variable,
            Visible::FromName,
            BindScope::Innermost,
        )
        .declarators()
        .fields(&[
            ("declarator", Role::Bind),
            ("type", Role::Inherit),
            ("default_value", Role::Read),
            ("value", Role::Read),
        ])
        .child(Role::Read)
        .hook(c::declared_type),
    node("for_range_loop")
        .scope(ScopeKind::Block)
        .child(Role::Read)
        .fields(&[("declarator", Role::Bind), ("type", Role::Type)])
        .binder(
            SymbolKind::Variable,
            Visible::FromName,
            BindScope::Innermost,
        )
        .each(),
    node("template_instantiation").child(Role::Type),
    // Statements that declare.
    node("if_statement")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("while_statement")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("switch_statement")
        .scope(ScopeKind::Block)
        .child(Role::Read),
];

const EXPRESSIONS: &[NodeSpec] = &[
    node("template_function")
        .fields(&[("arguments", Role::Read)])
        .hook(cast),
    node("template_method").fields(&[("arguments", Role::Read)]),
    node("new_expression")
        .child(Role::Read)
        .fields(&[("type", Role::New)]),
    node("compound_literal_expression")
        .child(Role::Read)
        .fields(&[("type", Role::New)]),
    node("subscript_argument_list").child(Role::Read),
    node("noexcept").child(Role::Read),
    node("requires_clause").child(Role::Read),
    node("static_assert_declaration").child(Role::Read),
];

/// The members of `enum class` are named through the enum only: one more scope keeps them in.
fn scoped_enum(walk: &mut Walk<'_>, specifier: Node<'_>, role: Role) -> Role {
    let is_scoped = specifier
        .child(1)
        .is_some_and(|word| matches!(word.kind(), "class" | "struct"));
    if is_scoped && specifier.child_by_field_name("body").is_some() {
        walk.open_scope(ScopeKind::Transparent);
    }
    role
}

/// What an unnamed namespace holds is visible around it, and nowhere outside of the file.
fn unnamed_namespace(walk: &mut Walk<'_>, namespace: Node<'_>, role: Role) -> Role {
    if namespace.child_by_field_name("name").is_none() {
        walk.open_scope(ScopeKind::Transparent);
        walk.modify_section(Modifier::visibility(Visibility::Internal));
    }
    role
}

/// `using a::b` imports b; `using namespace a` binds no name, nor does a base's member in a class.
fn using(walk: &mut Walk<'_>, declaration: Node<'_>, _: Role) -> Role {
    let is_namespace = declaration
        .child(1)
        .is_some_and(|word| word.kind() == "namespace");
    if is_namespace {
        Role::Import
    } else if walk.scope_kind() == ScopeKind::Type {
        Role::Read
    } else {
        Role::ImportBind
    }
}

/// Macros that define a test: the suite and the test are their arguments.
const TESTS: &[&[u8]] = &[
    b"TEST",
    b"TEST_F",
    b"TEST_P",
    b"TYPED_TEST",
    b"TYPED_TEST_P",
];

/// The body of a function; what a constructor initializes is part of it.
fn body(definition: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    let mut cursor = definition.walk();
    let mut children = definition.named_children(&mut cursor);
    let start = children.find(|child| {
        matches!(
            child.kind(),
            "field_initializer_list" | "compound_statement" | "try_statement"
        )
    });
    Some(start?.byte_range())
}

/// The arguments of a test macro, which look like parameters without names.
fn test_arguments<'t>(declarator: Node<'t>, source: &[u8]) -> Option<[Node<'t>; 2]> {
    let name = declarator.child_by_field_name("declarator")?;
    if name.kind() != "identifier" || !TESTS.contains(&&source[name.byte_range()]) {
        return None;
    }
    let parameters = declarator.child_by_field_name("parameters")?;
    let argument = |at| parameters.named_child(at)?.child_by_field_name("type");
    Some([argument(0)?, argument(1)?])
}

/// The name of a function, or of the test that a macro defines.
fn function_name(definition: Node<'_>, source: &[u8]) -> Option<Range<usize>> {
    let declarator = definition.child_by_field_name("declarator")?;
    if let Some([_, test]) = test_arguments(declarator, source) {
        return Some(test.byte_range());
    }
    c::declared_name(definition, source)
}

/// Marks tests, and tells `Type name(argument)` from a function without a body: in a function it is a variable.
fn function_declarator(walk: &mut Walk<'_>, declarator: Node<'_>, role: Role) -> Role {
    if role == Role::Read && test_arguments(declarator, walk.source).is_some() {
        walk.modify(Modifier::flags(flags::TEST));
    }
    let parameters = declarator.child_by_field_name("parameters");
    if role == Role::Bind && parameters.is_some_and(|list| are_arguments(walk, list)) {
        walk.keep_kind();
    }
    role
}

fn are_arguments(walk: &Walk<'_>, list: Node<'_>) -> bool {
    let mut cursor = list.walk();
    walk.in_function()
        && list.named_child_count() > 0
        && list.named_children(&mut cursor).all(|parameter| {
            parameter.named_child_count() == 1
                && parameter.named_child(0).is_some_and(|only| {
                    matches!(only.kind(), "type_identifier" | "qualified_identifier")
                })
        })
}

/// As in C, but for what are arguments in truth.
fn parameters(walk: &mut Walk<'_>, list: Node<'_>, role: Role) -> Role {
    if role == Role::Bind && are_arguments(walk, list) {
        return Role::Value;
    }
    c::parameters(walk, list, role)
}

fn parameter(_: &mut Walk<'_>, _: Node<'_>, role: Role) -> Role {
    if role == Role::Value {
        Role::Value
    } else {
        Role::ParameterType
    }
}

/// An operator's name is not one token.
fn operator(walk: &mut Walk<'_>, name: Node<'_>, role: Role) -> Role {
    let mut end = name.end_byte();
    if name.kind() == "operator_cast" {
        let Some(result) = name.child_by_field_name("type") else {
            return role;
        };
        end = result.end_byte();
    }
    walk.name_whole(
        name,
        name.start_byte()..end,
        role,
        Some(SymbolKind::Operator),
    );
    role
}

/// A destructor's name begins with a tilde.
fn destructor(walk: &mut Walk<'_>, name: Node<'_>, role: Role) -> Role {
    walk.name_whole(name, name.byte_range(), role, None);
    role
}

/// The words of the four casts look like functions.
fn cast(walk: &mut Walk<'_>, function: Node<'_>, role: Role) -> Role {
    let name = function.child_by_field_name("name");
    match name.map(|name| &walk.source[name.byte_range()]) {
        Some(b"static_cast" | b"dynamic_cast" | b"const_cast" | b"reinterpret_cast") => Role::Label,
        _ => role,
    }
}

/// The name of a type that is defined: without its template arguments and what it is nested in.
fn type_name(specifier: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    let mut name = specifier.child_by_field_name("name")?;
    while let Some(inner) = name.child_by_field_name("name") {
        name = inner;
    }
    Some(name.byte_range())
}

/// `a::Foo::bar` of a function that is defined so: the owner's name alone tells less.
fn path(definition: Node<'_>, source: &[u8]) -> Option<Range<usize>> {
    let mut node = definition.child_by_field_name("declarator")?;
    while node.kind() != "qualified_identifier" {
        node = node
            .child_by_field_name("declarator")
            .or_else(|| node.named_child(0))?;
    }
    let inner = node.child_by_field_name("name")?;
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'~');
    let path = node.child_by_field_name("scope")?.start_byte()..node.end_byte();
    (inner.kind() == "qualified_identifier" && source[path.clone()].iter().all(is_plain))
        .then_some(path)
}

/// `Foo` of a function that is defined as `Foo::bar`.
fn owner_name(definition: Node<'_>, source: &[u8]) -> Option<Range<usize>> {
    let mut node = definition.child_by_field_name("declarator")?;
    if let Some([suite, _]) = test_arguments(node, source) {
        return Some(suite.byte_range());
    }
    let mut owner = None;
    loop {
        node = match node.kind() {
            "qualified_identifier" => {
                owner = node.child_by_field_name("scope");
                node.child_by_field_name("name")?
            }
            "identifier" | "operator_name" | "destructor_name" | "operator_cast"
            | "template_function" | "field_identifier" => break,
            _ => match node.child_by_field_name("declarator") {
                Some(inner) => inner,
                None => node.named_child(0)?,
            },
        };
    }
    let owner = owner?;
    Some(
        owner
            .child_by_field_name("name")
            .unwrap_or(owner)
            .byte_range(),
    )
}

/// A type is never meant where a variable hides it.
fn fits(access: Access, kind: SymbolKind) -> bool {
    access != Access::Type
        || kind.is_type()
        || kind.is_namespace()
        || matches!(kind, SymbolKind::Import | SymbolKind::Macro)
}

/// A class keeps its members to itself, a struct does not; outside of types the linker decides.
fn visibility(defined: Defined<'_>) -> Option<Visibility> {
    match (defined.parent, defined.kind) {
        (_, SymbolKind::EnumMember | SymbolKind::Macro) | (Some(SymbolKind::Type), _) => None,
        (Some(SymbolKind::Class), _) => Some(Visibility::Private),
        (Some(SymbolKind::Struct | SymbolKind::Union), _) => Some(Visibility::Public),
        (None | Some(SymbolKind::Namespace), kind) if !kind.is_namespace() => {
            Some(c::linkage(defined))
        }
        _ => None,
    }
}
