//! C. C++ builds on these rules.

use std::ops::Range;

use tree_sitter::Node;

use super::preprocessor;
use crate::model::{SymbolKind, Visibility, flags};
use crate::spec::{
    BindScope, Defined, LanguageSpec, Modifier, Name, NodeSpec, Role, ScopeKind, Visible, language,
    node,
};
use crate::text::unquote;
use crate::walk::Walk;

pub static C: LanguageSpec = LanguageSpec {
    extensions: &["c", "h"],
    separator: "::",
    leaves: LEAVES,
    opaque: &["string_literal", "char_literal"],
    modifier_lists: MODIFIER_LISTS,
    attributes: ATTRIBUTES,
    attribute_patterns: ATTRIBUTE_PATTERNS,
    default_visibility: visibility,
    masks: preprocessor::c,
    nodes: &[COMMON, OWN],
    ..language("c", tree_sitter_c::LANGUAGE)
};

pub(super) const LEAVES: &[(&str, Role)] = &[
    ("identifier", Role::Read),
    ("type_identifier", Role::Type),
    ("field_identifier", Role::Member),
    ("statement_identifier", Role::Label),
];

pub(super) const MODIFIER_LISTS: &[&str] = &["storage_class_specifier", "type_qualifier"];

pub(super) const ATTRIBUTES: &[&str] = &[
    "attribute_specifier",
    "attribute_declaration",
    "ms_declspec_modifier",
];

pub(super) const ATTRIBUTE_PATTERNS: &[(&str, Modifier)] =
    &[("deprecated", Modifier::flags(flags::DEPRECATED))];

/// Rules that hold for C and C++.
pub(super) const COMMON: &[NodeSpec] = &[
    node("translation_unit").child(Role::Read),
    // The preprocessor.
    node("preproc_include").hook(include),
    node("preproc_def")
        .define(SymbolKind::Macro)
        .body(&[])
        .bound_in(BindScope::File)
        .child(Role::Read),
    node("preproc_function_def")
        .define(SymbolKind::Macro)
        .body(&["value"])
        .bound_in(BindScope::File)
        .scope(ScopeKind::Function)
        .child(Role::Read),
    node("preproc_params").child(Role::Parameter),
    node("preproc_ifdef").fields(&[("name", Role::Read)]),
    node("preproc_elifdef").fields(&[("name", Role::Read)]),
    node("preproc_if").fields(&[("condition", Role::Read)]),
    node("preproc_elif").fields(&[("condition", Role::Read)]),
    node("preproc_defined").child(Role::Read),
    // Declarations.
    node("function_definition")
        .define(SymbolKind::Function)
        .in_type(SymbolKind::Method)
        .name(Name::Find(declared_name))
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("type", Role::ReturnType)]),
    node("declaration")
        .binder(
            SymbolKind::Variable,
            Visible::FromName,
            BindScope::Innermost,
        )
        .declarators()
        .fields(&[("declarator", Role::Bind), ("type", Role::Inherit)])
        .child(Role::Read)
        .hook(declared_type),
    node("field_declaration")
        .binder(
            SymbolKind::Variable,
            Visible::FromName,
            BindScope::Innermost,
        )
        .declarators()
        .fields(&[("declarator", Role::Bind), ("type", Role::Inherit)])
        .child(Role::Read)
        .hook(declared_type),
    node("type_definition")
        .define(SymbolKind::Struct)
        .name(Name::Find(typedef_name))
        .only_with("type", BODIES)
        .binder(SymbolKind::Type, Visible::FromName, BindScope::Innermost)
        .declarators()
        .child(Role::Type)
        .fields(&[("declarator", Role::Bind)]),
    node("init_declarator").fields(&[("value", Role::Read)]),
    node("function_declarator")
        .declares(SymbolKind::Function, SymbolKind::Method, flags::ABSTRACT)
        .child(Role::Read)
        .fields(&[("declarator", Role::Inherit), ("parameters", Role::Inherit)]),
    node("pointer_declarator").indirect(),
    node("array_declarator").fields(&[("size", Role::Read)]),
    node("abstract_array_declarator").fields(&[("size", Role::Read)]),
    node("parameter_list").hook(parameters),
    node("parameter_declaration")
        .child(Role::ParameterType)
        .fields(&[("declarator", Role::Parameter)]),
    node("bitfield_clause").child(Role::Read),
    node("attribute_specifier").child(Role::Label),
    node("attribute").child(Role::Label),
    node("ms_declspec_modifier").child(Role::Label),
    node("storage_class_specifier").hook(storage_class),
    node("type_qualifier").child(Role::Read).hook(qualifier),
    // Types.
    node("struct_specifier")
        .define(SymbolKind::Struct)
        .only_with("body", &[("field_declaration_list", SymbolKind::Struct)])
        .scope(ScopeKind::Type)
        .fields(&[("body", Role::Read)]),
    node("union_specifier")
        .define(SymbolKind::Union)
        .only_with("body", &[("field_declaration_list", SymbolKind::Union)])
        .scope(ScopeKind::Type)
        .fields(&[("body", Role::Read)]),
    node("enum_specifier")
        .define(SymbolKind::Enum)
        .only_with("body", &[("enumerator_list", SymbolKind::Enum)])
        .scope(ScopeKind::Type)
        .fields(&[("body", Role::Read)]),
    node("enumerator")
        .define(SymbolKind::EnumMember)
        .body(&[])
        .bound_in(BindScope::AroundType)
        .child(Role::Read),
    // Statements.
    node("compound_statement")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("for_statement")
        .scope(ScopeKind::Block)
        .child(Role::Read),
    node("labeled_statement")
        .child(Role::Read)
        .fields(&[("label", Role::Label)]),
    node("goto_statement").child(Role::Label),
    node("gnu_asm_goto_list").child(Role::Label),
    node("gnu_asm_input_operand")
        .child(Role::Read)
        .fields(&[("symbol", Role::Label)]),
    node("gnu_asm_output_operand")
        .child(Role::Read)
        .fields(&[("symbol", Role::Label), ("value", Role::Write)]),
    // Expressions.
    node("call_expression")
        .child(Role::Read)
        .fields(&[("function", Role::Call)]),
    node("argument_list").child(Role::Read),
    node("field_expression").member("argument", "field"),
    node("subscript_expression").child(Role::Read),
    node("pointer_expression").hook(pointed_to),
    node("assignment_expression")
        .child(Role::Read)
        .fields(&[("left", Role::Write)]),
    node("update_expression").child(Role::Write),
    node("binary_expression").child(Role::Read),
    node("unary_expression").child(Role::Read),
    node("conditional_expression").child(Role::Read),
    node("cast_expression")
        .child(Role::Read)
        .fields(&[("type", Role::Type)]),
    node("sizeof_expression")
        .child(Role::Read)
        .fields(&[("type", Role::Type)]),
    node("alignof_expression").child(Role::Type),
    node("offsetof_expression").fields(&[("type", Role::Type), ("member", Role::Member)]),
    node("generic_expression").child(Role::Read),
    node("compound_literal_expression")
        .child(Role::Read)
        .fields(&[("type", Role::Type)]),
    node("initializer_list").child(Role::Read),
    node("initializer_pair").child(Role::Read),
    node("field_designator").child(Role::Member),
    node("subscript_designator").child(Role::Read),
    node("subscript_range_designator").child(Role::Read),
];

/// What a typedef must hold to be the definition of a type that has no other name.
pub(super) const BODIES: &[(&str, SymbolKind)] = &[
    ("struct_specifier", SymbolKind::Struct),
    ("union_specifier", SymbolKind::Union),
    ("enum_specifier", SymbolKind::Enum),
];

/// Tags are apart from all other names, and a type's body is no scope for types.
const OWN: &[NodeSpec] = &[
    node("struct_specifier")
        .define(SymbolKind::Struct)
        .only_with("body", &[("field_declaration_list", SymbolKind::Struct)])
        .bound_in(BindScope::AroundType)
        .tag()
        .scope(ScopeKind::Type)
        .fields(&[("body", Role::Read)]),
    node("union_specifier")
        .define(SymbolKind::Union)
        .only_with("body", &[("field_declaration_list", SymbolKind::Union)])
        .bound_in(BindScope::AroundType)
        .tag()
        .scope(ScopeKind::Type)
        .fields(&[("body", Role::Read)]),
    node("enum_specifier")
        .define(SymbolKind::Enum)
        .only_with("body", &[("enumerator_list", SymbolKind::Enum)])
        .bound_in(BindScope::AroundType)
        .tag()
        .scope(ScopeKind::Type)
        .fields(&[("body", Role::Read)]),
];

/// A header is imported under the path that the directive spells.
fn include(walk: &mut Walk<'_>, directive: Node<'_>, role: Role) -> Role {
    if let Some(path) = directive.child_by_field_name("path")
        && matches!(path.kind(), "string_literal" | "system_lib_string")
    {
        let range = unquote(path.byte_range(), walk.source);
        if !range.is_empty() {
            let symbol = walk.define_at(directive, range.clone(), SymbolKind::Import, false);
            walk.add_import(symbol, range);
        }
    }
    role
}

/// The type before a function's declarator is what it returns; in a function such a declarator rather holds arguments.
pub(super) fn declared_type(walk: &mut Walk<'_>, declaration: Node<'_>, _: Role) -> Role {
    let mut declarator = declaration.child_by_field_name("declarator");
    while let Some(node) = declarator {
        match node.kind() {
            "function_declarator" if !walk.in_function() => return Role::ReturnType,
            "pointer_declarator" => declarator = node.child_by_field_name("declarator"),
            "reference_declarator" => declarator = node.named_child(0),
            _ => break,
        }
    }
    Role::Type
}

/// The parameters of a definition belong to its body's scope; of all others they are bound nowhere else.
pub(super) fn parameters(walk: &mut Walk<'_>, _: Node<'_>, role: Role) -> Role {
    if role == Role::Read {
        return Role::Parameter;
    }
    walk.open_scope(ScopeKind::Function);
    Role::Read
}

/// `static` keeps a name within its file, its function or its type; `extern` only declares.
fn storage_class(walk: &mut Walk<'_>, specifier: Node<'_>, role: Role) -> Role {
    match &walk.source[specifier.byte_range()] {
        b"static" => walk.modify(Modifier::flags(flags::STATIC)),
        b"extern" => walk.modify_bound(Modifier::flags(flags::ABSTRACT)),
        _ => {}
    }
    role
}

/// `const` makes a constant of what is declared; of a function it is said of what it returns.
fn qualifier(walk: &mut Walk<'_>, qualifier: Node<'_>, role: Role) -> Role {
    if matches!(
        &walk.source[qualifier.byte_range()],
        b"const" | b"constexpr"
    ) {
        let constant = Modifier::kind(SymbolKind::Constant);
        walk.modify_bound(constant.and(Modifier::flags(flags::READONLY)));
    }
    role
}

/// `*p = x` does not write to p, and `(*f)(x)` calls f.
fn pointed_to(_: &mut Walk<'_>, _: Node<'_>, role: Role) -> Role {
    if role == Role::Call {
        Role::Call
    } else {
        Role::Read
    }
}

/// The name inside a declarator, however deep it lies.
pub(super) fn declared_name(declaration: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    let mut node = declaration.child_by_field_name("declarator")?;
    loop {
        node = match node.kind() {
            "identifier" | "field_identifier" | "type_identifier" | "primitive_type"
            | "operator_name" | "destructor_name" => return Some(node.byte_range()),
            "qualified_identifier" | "template_function" | "template_method" => {
                node.child_by_field_name("name")?
            }
            "operator_cast" => {
                let end = node.child_by_field_name("type")?.end_byte();
                return Some(node.start_byte()..end);
            }
            _ => match node.child_by_field_name("declarator") {
                Some(inner) => inner,
                None => {
                    let mut cursor = node.walk();
                    let inner = node.named_children(&mut cursor).find(is_declarator);
                    inner?
                }
            },
        };
    }
}

fn is_declarator(node: &Node<'_>) -> bool {
    matches!(
        node.kind(),
        "identifier" | "field_identifier" | "type_identifier" | "operator_name"
    ) || node.kind().ends_with("declarator")
}

/// The name that a typedef gives to a type without a tag.
pub(super) fn typedef_name(typedef: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    let type_node = typedef.child_by_field_name("type")?;
    if type_node.child_by_field_name("name").is_some()
        || type_node.child_by_field_name("body").is_none()
    {
        return None;
    }
    let mut cursor = typedef.walk();
    let name = typedef
        .children_by_field_name("declarator", &mut cursor)
        .find(|declarator| declarator.kind() == "type_identifier")?;
    Some(name.byte_range())
}

/// What the linker sees is public, what is static stays in its file; for all else C has no word.
fn visibility(defined: Defined<'_>) -> Option<Visibility> {
    match defined.kind {
        SymbolKind::Function | SymbolKind::Variable | SymbolKind::Constant => {
            Some(linkage(defined))
        }
        _ => None,
    }
}

/// Who sees a name outside of types.
pub(super) fn linkage(defined: Defined<'_>) -> Visibility {
    if defined.flags & flags::STATIC == 0 {
        Visibility::Public
    } else {
        Visibility::Internal
    }
}
