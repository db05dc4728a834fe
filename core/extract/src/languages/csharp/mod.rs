//! C#.

mod hooks;

use crate::model::{SymbolKind, Visibility, flags};
use crate::spec::{
    BindScope, LanguageSpec, Modifier, Name, NameSpaces, NodeSpec, Role, ScopeKind, Visible,
    language, node,
};

use self::hooks::{
    accessor, assignment, attribute, base_role, conversion_name, destructor_name, extra_flags,
    foreach, generator, goto, indexer_name, parameter, parameter_list, property_or_value, unary,
    using, visibility,
};

pub static CSHARP: LanguageSpec = LanguageSpec {
    extensions: &["cs"],
    opaque: &["string_literal", "raw_string_literal", "character_literal"],
    leaves: &[
        ("identifier", Role::Read),
        ("implicit_parameter", Role::Parameter),
    ],
    receivers: &["this"],
    base_receivers: &["base"],
    soft_keywords: &["dynamic", "var"],
    doc_prefixes: &["///", "/**"],
    modifiers: &[
        ("public", Modifier::visibility(Visibility::Public)),
        ("protected", Modifier::visibility(Visibility::Protected)),
        ("private", Modifier::visibility(Visibility::Private)),
        ("internal", Modifier::visibility(Visibility::Internal)),
        ("static", Modifier::flags(flags::STATIC)),
        ("abstract", Modifier::flags(flags::ABSTRACT)),
        ("async", Modifier::flags(flags::ASYNC)),
        ("readonly", Modifier::flags(flags::READONLY)),
        (
            "const",
            Modifier::kind(SymbolKind::Constant).and(Modifier::flags(flags::READONLY)),
        ),
        ("event", Modifier::kind(SymbolKind::Event)),
        // `record struct`.
        ("struct", Modifier::kind(SymbolKind::Struct)),
    ],
    modifier_lists: &["modifier", "attribute_list", "preproc_if_in_attribute_list"],
    attributes: &["attribute_list", "preproc_if_in_attribute_list"],
    implicit_this: true,
    initializer_blocks: true,
    name_spaces: NameSpaces::Types,
    overloads: true,
    reopens_types: false,
    default_visibility: visibility,
    base_role,
    extra_flags,
    binds: |name| name != b"_",
    nodes: &[
        DECLARATIONS,
        MEMBERS,
        TYPES,
        STATEMENTS,
        PATTERNS,
        EXPRESSIONS,
    ],
    ..language("csharp", tree_sitter_c_sharp::LANGUAGE)
};

const DECLARATIONS: &[NodeSpec] = &[
    node("compilation_unit").child(Role::Read),
    node("namespace_declaration")
        .define(SymbolKind::Namespace)
        .unbound()
        .scope(ScopeKind::Module)
        .child(Role::Read),
    node("file_scoped_namespace_declaration")
        .define(SymbolKind::Namespace)
        .unbound()
        .until_parent_ends()
        .child(Role::Read),
    node("using_directive").hook(using),
    node("extern_alias_directive").child(Role::ImportWhole),
    node("class_declaration")
        .define(SymbolKind::Class)
        .scope(ScopeKind::Type)
        .child(Role::Read),
    node("struct_declaration")
        .define(SymbolKind::Struct)
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
    // The parameters of a record are its properties; those of a class are seen in all of it.
    node("record_declaration")
        .define(SymbolKind::Class)
        .scope(ScopeKind::Type)
        .child(Role::Bind)
        .fields(&[("body", Role::Read)]),
    node("delegate_declaration")
        .define(SymbolKind::Delegate)
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("type", Role::ReturnType)]),
    node("base_list")
        .child(Role::Extends)
        .first_only(Role::Implements),
    node("primary_constructor_base_type").fields(&[("type", Role::Inherit)]),
    node("type_parameter")
        .child(Role::Read)
        .fields(&[("name", Role::Bind)])
        .binder(SymbolKind::Type, Visible::Hoisted, BindScope::Innermost)
        .bind_flags(flags::PARAMETER | flags::LOCAL),
    node("type_parameter_constraints_clause").child(Role::Type),
    node("attribute")
        .child(Role::Read)
        .fields(&[("name", Role::Type)])
        .hook(attribute),
    node("attribute_argument")
        .child(Role::Read)
        .fields(&[("name", Role::Label)]),
];

const MEMBERS: &[NodeSpec] = &[
    node("field_declaration").child(Role::Read).wraps(),
    node("event_field_declaration").child(Role::Read).wraps(),
    node("method_declaration")
        .define(SymbolKind::Method)
        .without_body(flags::ABSTRACT)
        .hidden_by("explicit_interface_specifier")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("returns", Role::ReturnType)]),
    node("constructor_declaration")
        .define(SymbolKind::Constructor)
        .unbound()
        .scope(ScopeKind::Function)
        .child(Role::Read),
    node("destructor_declaration")
        .define(SymbolKind::Method)
        .name(Name::Find(destructor_name))
        .unbound()
        .scope(ScopeKind::Function)
        .child(Role::Read),
    node("operator_declaration")
        .define(SymbolKind::Operator)
        .name(Name::Field("operator"))
        .unbound()
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("type", Role::ReturnType)]),
    node("conversion_operator_declaration")
        .define(SymbolKind::Operator)
        .name(Name::Find(conversion_name))
        .unbound()
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("type", Role::ReturnType)]),
    node("property_declaration")
        .define(SymbolKind::Property)
        .body(&["accessors", "value"])
        .hidden_by("explicit_interface_specifier")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("type", Role::Type)]),
    node("indexer_declaration")
        .define(SymbolKind::Property)
        .name(Name::Find(indexer_name))
        .body(&["accessors", "value"])
        .unbound()
        .hidden_by("explicit_interface_specifier")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("type", Role::Type)]),
    node("event_declaration")
        .define(SymbolKind::Event)
        .body(&["accessors"])
        .hidden_by("explicit_interface_specifier")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("type", Role::Type)]),
    node("accessor_declaration")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("name", Role::Label)])
        .inside(accessor),
    node("explicit_interface_specifier").child(Role::Type),
    node("enum_member_declaration")
        .define(SymbolKind::EnumMember)
        .child(Role::Read),
    node("parameter")
        .child(Role::Read)
        .fields(&[("name", Role::Inherit), ("type", Role::ParameterType)])
        .binder(SymbolKind::Property, Visible::Hoisted, BindScope::Innermost)
        .bind_visibility(Visibility::Public)
        .hook(parameter),
    // `params` stands in the list itself.
    node("parameter_list")
        .fields(&[("name", Role::Inherit), ("type", Role::ParameterType)])
        .hook(parameter_list),
    node("bracketed_parameter_list")
        .fields(&[("name", Role::Parameter), ("type", Role::ParameterType)]),
    node("constructor_initializer").child(Role::Read),
];

const TYPES: &[NodeSpec] = &[
    node("generic_name").first_only(Role::Type),
    node("type_argument_list").child(Role::Type),
    node("qualified_name").member("qualifier", "name"),
    node("alias_qualified_name").member("alias", "name"),
    node("array_type").fields(&[("rank", Role::Read)]),
    node("tuple_element").fields(&[("type", Role::Type), ("name", Role::Label)]),
    node("function_pointer_type").child(Role::Type),
    node("calling_convention").child(Role::Label),
];

const STATEMENTS: &[NodeSpec] = &[
    node("block").scope(ScopeKind::Block).child(Role::Read),
    node("local_function_statement")
        .define(SymbolKind::Function)
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("type", Role::ReturnType)]),
    node("local_declaration_statement")
        .child(Role::Read)
        .wraps(),
    node("variable_declaration")
        .child(Role::Bind)
        .fields(&[("type", Role::Type)])
        .wraps()
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinderInFunction,
            BindScope::Innermost,
        ),
    node("variable_declarator")
        .extent()
        .child(Role::Read)
        .fields(&[("name", Role::Bind)]),
    node("for_statement")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("foreach_statement")
        .scope(ScopeKind::Block)
        .child(Role::Read)
        .fields(&[("type", Role::Type), ("left", Role::Inherit)])
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinder,
            BindScope::Innermost,
        )
        .visible_after("right")
        .hook(foreach),
    node("using_statement")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("fixed_statement")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("switch_body")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("switch_section").child(Role::Read),
    node("catch_clause")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("catch_declaration")
        .fields(&[("type", Role::Type), ("name", Role::Bind)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Innermost),
    node("labeled_statement")
        .child(Role::Label)
        .first_only(Role::Read),
    node("goto_statement").hook(goto),
    node("yield_statement").child(Role::Read).hook(generator),
    // Directives.
    node("preproc_if").fields(&[("condition", Role::Label)]),
    node("preproc_elif").fields(&[("condition", Role::Label)]),
    node("preproc_if_in_attribute_list").fields(&[("condition", Role::Label)]),
    node("preproc_pragma").child(Role::Label),
];

const PATTERNS: &[NodeSpec] = &[
    node("declaration_expression")
        .fields(&[("type", Role::Type), ("name", Role::Bind)])
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinder,
            BindScope::Innermost,
        ),
    node("declaration_pattern")
        .child(Role::Bind)
        .fields(&[("type", Role::Type)])
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinder,
            BindScope::Innermost,
        ),
    node("var_pattern").child(Role::Bind).binder(
        SymbolKind::Variable,
        Visible::AfterBinder,
        BindScope::Innermost,
    ),
    node("recursive_pattern")
        .child(Role::Read)
        .fields(&[("type", Role::Type), ("name", Role::Bind)])
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinder,
            BindScope::Innermost,
        ),
    node("list_pattern")
        .child(Role::Read)
        .fields(&[("name", Role::Bind)])
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinder,
            BindScope::Innermost,
        ),
    node("parenthesized_variable_designation").child(Role::Bind),
    node("tuple_pattern").child(Role::Bind),
    node("type_pattern").child(Role::Type),
    node("constant_pattern").child(Role::Read),
    node("relational_pattern").child(Role::Read),
    node("subpattern")
        .child(Role::Member)
        .first_only(Role::Read),
    node("switch_expression").child(Role::Read),
    node("switch_expression_arm")
        .scope(ScopeKind::Block)
        .child(Role::Read),
];

const EXPRESSIONS: &[NodeSpec] = &[
    node("lambda_expression")
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("parameters", Role::Parameter), ("type", Role::Type)]),
    node("anonymous_method_expression")
        .scope(ScopeKind::Function)
        .child(Role::Read),
    node("invocation_expression")
        .child(Role::Read)
        .fields(&[("function", Role::Call)]),
    node("argument_list").child(Role::Read).arguments(),
    node("bracketed_argument_list").child(Role::Read),
    node("argument").fields(&[("name", Role::Label)]),
    node("member_access_expression").member("expression", "name"),
    // `?.name`: what it is a member of stands elsewhere.
    node("member_binding_expression").member("expression", "name"),
    node("conditional_access_expression").fields(&[("condition", Role::Read)]),
    node("element_access_expression").child(Role::Read),
    node("element_binding_expression").child(Role::Read),
    node("object_creation_expression")
        .child(Role::Read)
        .fields(&[("type", Role::New)]),
    node("array_creation_expression")
        .child(Role::Read)
        .fields(&[("type", Role::New)]),
    node("stackalloc_expression")
        .child(Role::Read)
        .fields(&[("type", Role::Type)]),
    node("anonymous_object_creation_expression")
        .child(Role::Read)
        .tokens(property_or_value),
    node("initializer_expression").child(Role::Read),
    node("with_expression").child(Role::Read),
    node("with_initializer")
        .child(Role::WriteMember)
        .first_only(Role::Read),
    node("assignment_expression")
        .child(Role::Read)
        .fields(&[("left", Role::Inherit)])
        .hook(assignment),
    node("prefix_unary_expression").hook(unary),
    node("postfix_unary_expression").hook(unary),
    node("cast_expression")
        .child(Role::Read)
        .fields(&[("type", Role::Type)]),
    node("as_expression")
        .child(Role::Read)
        .fields(&[("right", Role::Type)]),
    node("is_expression")
        .child(Role::Read)
        .fields(&[("right", Role::Type)]),
    node("is_pattern_expression").child(Role::Read),
    node("typeof_expression").child(Role::Type),
    node("sizeof_expression").child(Role::Type),
    node("default_expression").child(Role::Type),
    node("refvalue_expression")
        .child(Role::Read)
        .fields(&[("type", Role::Type)]),
    node("conditional_expression").child(Role::Read),
    node("binary_expression").child(Role::Read),
    // Queries.
    node("query_expression")
        .scope(ScopeKind::Function)
        .child(Role::Bind)
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Innermost),
    node("from_clause")
        .child(Role::Read)
        .fields(&[("name", Role::Bind), ("type", Role::Type)])
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinder,
            BindScope::Innermost,
        ),
    node("let_clause")
        .child(Role::Bind)
        .first_only(Role::Read)
        .binder(
            SymbolKind::Variable,
            Visible::AfterBinder,
            BindScope::Innermost,
        ),
    // What is joined is seen in the rest of its own clause.
    node("join_clause")
        .child(Role::Bind)
        .fields(&[("type", Role::Type)])
        .first_only(Role::Read)
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Innermost),
    node("join_into_clause").child(Role::Bind).binder(
        SymbolKind::Variable,
        Visible::Hoisted,
        BindScope::Innermost,
    ),
    node("where_clause").child(Role::Read),
    node("select_clause").child(Role::Read),
    node("group_clause").child(Role::Read),
    node("order_by_clause").child(Role::Read),
];
