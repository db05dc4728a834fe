//! Ruby.
//!
//! Names are of three sorts that never meet: variables and constants, methods of instances ([`INSTANCE`]), methods of
//! a class or module itself ([`STATIC`]); writers are found as `x` where they are called as `self.x = …`
//! ([`WRITER`]).

use std::ops::Range;

use tree_sitter::Node;

use crate::model::{SymbolKind, Visibility, flags};
use crate::spec::{
    BindScope, Defined, LanguageSpec, Modifier, Name, NodeSpec, Role, ScopeKind, Used, Visible,
    language, node,
};
use crate::walk::Walk;

const INSTANCE: u8 = 1;
const STATIC: u8 = 2;
const WRITER: u8 = 3;

pub static RUBY: LanguageSpec = LanguageSpec {
    extensions: &["rb", "rake", "gemspec", "ru"],
    file_names: &["Rakefile", "Gemfile"],
    separator: "::",
    leaves: &[
        ("identifier", Role::ReadOrCall),
        ("constant", Role::Read),
        ("instance_variable", Role::OwnMember),
        ("class_variable", Role::OwnMember),
        ("global_variable", Role::Global),
    ],
    receivers: &["self"],
    implicit_this: true,
    fields_by_assignment: true,
    constructors: &["initialize"],
    section_words: &[
        ("private", Modifier::visibility(Visibility::Private)),
        ("protected", Modifier::visibility(Visibility::Protected)),
        ("public", Modifier::visibility(Visibility::Public)),
        ("module_function", Modifier::flags(flags::STATIC)),
    ],
    default_visibility: visibility,
    binds: |name| !name.first().is_some_and(u8::is_ascii_uppercase),
    bound_as,
    extra_flags,
    sort_of_symbol,
    sort_of_use: Some(sort_of_use),
    closed: |kind, _| kind == SymbolKind::Variable,
    nodes: &[NODES],
    ..language("ruby", tree_sitter_ruby::LANGUAGE)
};

const NODES: &[NodeSpec] = &[
    node("program").child(Role::Read),
    // Definitions.
    node("class")
        .define(SymbolKind::Class)
        .name(Name::Find(last_constant))
        .belongs_to(Name::Find(outer_constant))
        .scope(ScopeKind::Type)
        .child(Role::Read)
        .fields(&[("superclass", Role::Extends)]),
    node("module")
        .define(SymbolKind::Module)
        .name(Name::Find(last_constant))
        .belongs_to(Name::Find(outer_constant))
        .scope(ScopeKind::Type)
        .child(Role::Read),
    node("singleton_class")
        .child(Role::Read)
        .hook(singleton_class),
    node("method")
        .define(SymbolKind::Function)
        .in_type(SymbolKind::Method)
        .unbound_in_type()
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("parameters", Role::Parameter)]),
    node("singleton_method")
        .define(SymbolKind::Function)
        .in_type(SymbolKind::Method)
        .flags(flags::STATIC)
        .unbound()
        .scope(ScopeKind::Function)
        .child(Role::Read)
        .fields(&[("parameters", Role::Parameter)]),
    node("setter").hook(setter),
    node("alias")
        .define(SymbolKind::Function)
        .in_type(SymbolKind::Method)
        .name(Name::Find(alias_name))
        .unbound_in_type()
        .child(Role::Call),
    node("undef").child(Role::Label),
    // Parameters.
    node("lambda")
        .scope(ScopeKind::Block)
        .child(Role::Read)
        .fields(&[("parameters", Role::Parameter)]),
    node("block")
        .scope(ScopeKind::Block)
        .child(Role::Read)
        .fields(&[("parameters", Role::Parameter)]),
    node("do_block")
        .scope(ScopeKind::Block)
        .child(Role::Read)
        .fields(&[("parameters", Role::Parameter)]),
    node("optional_parameter").fields(&[("value", Role::Read)]),
    node("keyword_parameter").fields(&[("value", Role::Read)]),
    // Bindings.
    node("assignment")
        .define(SymbolKind::Class)
        .name(Name::Find(made_type))
        .body(&["right.block"])
        .child(Role::Read)
        .fields(&[("left", Role::BindOrWrite)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Innermost),
    node("operator_assignment")
        .child(Role::Read)
        .fields(&[("left", Role::BindOrWrite)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Innermost),
    node("exception_variable")
        .child(Role::BindOrWrite)
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Innermost)
        .each(),
    node("exceptions").child(Role::Type),
    node("for")
        .child(Role::Read)
        .fields(&[("pattern", Role::BindOrWrite)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Innermost)
        .each(),
    node("in_clause")
        .child(Role::Read)
        .fields(&[("pattern", Role::Bind)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Innermost)
        .each(),
    node("match_pattern")
        .child(Role::Read)
        .fields(&[("pattern", Role::Bind)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Innermost)
        .each(),
    node("test_pattern")
        .child(Role::Read)
        .fields(&[("pattern", Role::Bind)])
        .binder(SymbolKind::Variable, Visible::Hoisted, BindScope::Innermost)
        .each(),
    node("keyword_pattern").hook(key_pattern),
    node("variable_reference_pattern").child(Role::Read),
    node("expression_reference_pattern").child(Role::Read),
    // Expressions.
    node("call")
        .define(SymbolKind::Function)
        .in_type(SymbolKind::Method)
        .name(Name::Find(described))
        .flags(flags::TEST)
        .body(&["block"])
        .unbound()
        .member("receiver", "method")
        .child(Role::Read)
        .hook(call),
    node("argument_list"),
    node("element_reference").child(Role::Read),
    node("scope_resolution").member("scope", "name"),
    node("interpolation").child(Role::Read),
];

/// The constant that a class or module is named by, without those before it in its path.
fn last_constant(node: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    let name = node.child_by_field_name("name")?;
    Some(
        name.child_by_field_name("name")
            .unwrap_or(name)
            .byte_range(),
    )
}

/// In `class A::B`, A.
fn outer_constant(node: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    Some(
        node.child_by_field_name("name")?
            .child_by_field_name("scope")?
            .byte_range(),
    )
}

/// `class << self`.
fn singleton_class(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    if node
        .child_by_field_name("value")
        .is_some_and(|value| value.kind() == "self")
    {
        walk.open_static();
    }
    role
}

/// A method `x=` is what `self.x = …` calls.
fn setter(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    if let (Some(method), Some(name)) = (walk.parent_symbol(), node.named_child(0)) {
        walk.file_member(method, name.byte_range(), WRITER);
    }
    role
}

fn alias_name(node: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    let name = node.child_by_field_name("name")?;
    match name.kind() {
        "identifier" | "constant" | "operator" | "setter" => Some(name.byte_range()),
        "simple_symbol" => Some(symbol_name(name)),
        _ => None,
    }
}

/// `Name = Struct.new(…)` and the like define a type.
fn made_type(node: Node<'_>, source: &[u8]) -> Option<Range<usize>> {
    let left = node
        .child_by_field_name("left")
        .filter(|left| left.kind() == "constant")?;
    let right = node
        .child_by_field_name("right")
        .filter(|right| right.kind() == "call")?;
    let maker = right
        .child_by_field_name("receiver")
        .filter(|maker| maker.kind() == "constant")?;
    let method = right.child_by_field_name("method")?;
    let text = |node: Node<'_>| &source[node.byte_range()];
    let makes = matches!(
        (text(maker), text(method)),
        (b"Struct" | b"Class" | b"Module", b"new") | (b"Data", b"define")
    );
    makes.then(|| left.byte_range())
}

/// `it "does something" do …`: the text names a test.
fn described(node: Node<'_>, source: &[u8]) -> Option<Range<usize>> {
    let method = node.child_by_field_name("method")?;
    let is_test = matches!(
        &source[method.byte_range()],
        b"test" | b"it" | b"specify" | b"describe" | b"context" | b"scenario"
    );
    if !is_test || node.child_by_field_name("receiver").is_some() {
        return None;
    }
    node.child_by_field_name("block")?;
    let text = node.child_by_field_name("arguments")?.named_child(0)?;
    let content = text.named_child(0).filter(|_| text.kind() == "string")?;
    (text.named_child_count() == 1 && content.kind() == "string_content")
        .then(|| content.byte_range())
}

/// In a pattern, `name:` without a value binds the name.
fn key_pattern(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    let key = node
        .child_by_field_name("key")
        .filter(|key| key.kind() == "hash_key_symbol");
    if let Some(key) = key.filter(|_| node.child_by_field_name("value").is_none()) {
        walk.name_whole(key, key.byte_range(), role, None);
    }
    role
}

/// The bytes of a symbol without its colon.
fn symbol_name(node: Node<'_>) -> Range<usize> {
    node.start_byte() + 1..node.end_byte()
}

/// The symbols among the arguments.
fn symbols<'t>(arguments: Option<Node<'t>>) -> Vec<Node<'t>> {
    let Some(arguments) = arguments else {
        return Vec::new();
    };
    let mut cursor = arguments.walk();
    arguments
        .named_children(&mut cursor)
        .filter(|node| node.kind() == "simple_symbol")
        .collect()
}

/// Calls that define, import, mix in, or say who may call.
fn call(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    let role = match role {
        Role::Write | Role::Bind | Role::BindOrWrite => Role::Write,
        _ => Role::Call,
    };
    let Some(method) = node.child_by_field_name("method") else {
        return role;
    };
    let name = &walk.source[method.byte_range()];
    if name == b"new" {
        walk.give_roles(Some(Role::New), None);
        return role;
    }
    if name == b"class" {
        let receiver = node.child_by_field_name("receiver");
        if receiver.is_some_and(|receiver| receiver.kind() == "self") {
            walk.receive_own_type();
        }
        return role;
    }
    if !matches!(name.first(), Some(b'a' | b'e' | b'i' | b'm' | b'p' | b'r'))
        || node.child_by_field_name("receiver").is_some()
    {
        return role;
    }
    let arguments = node.child_by_field_name("arguments");
    match name {
        b"attr_accessor" | b"attr_reader" | b"attr_writer" | b"attr" => {
            for symbol in symbols(arguments) {
                let range = symbol_name(symbol);
                let property = walk.define_at(node, range.clone(), SymbolKind::Property, false);
                if name == b"attr_reader" || name == b"attr" {
                    walk.modify_symbol(property, Modifier::flags(flags::READONLY));
                } else {
                    walk.file_member(property, range, WRITER);
                }
            }
        }
        b"private" | b"protected" | b"public" | b"private_class_method" | b"private_constant" => {
            let visibility = match name {
                b"protected" => Visibility::Protected,
                b"public" => Visibility::Public,
                _ => Visibility::Private,
            };
            let sort = match name {
                b"private_class_method" => STATIC,
                b"private_constant" => 0,
                _ => walk.instance_sort(INSTANCE, STATIC),
            };
            let modifier = Modifier::visibility(visibility);
            for symbol in symbols(arguments) {
                walk.modify_member(symbol_name(symbol), sort, modifier);
            }
            if name != b"private_constant" {
                walk.modify_own(modifier);
            }
        }
        b"module_function" => {
            for symbol in symbols(arguments) {
                let modifier = Modifier::flags(flags::STATIC);
                let name = symbol_name(symbol);
                if let Some(method) = walk.modify_member(name.clone(), INSTANCE, modifier) {
                    walk.file_member(method, name, STATIC);
                }
            }
            walk.modify_own(Modifier::flags(flags::STATIC));
        }
        b"include" | b"extend" | b"prepend" if walk.is_in_type() => {
            walk.give_roles(None, Some(Role::Implements));
        }
        b"require" | b"require_relative" | b"autoload" => import(walk, node, arguments, name),
        b"alias_method" => {
            if let Some(symbol) = symbols(arguments).first() {
                walk.define_at(node, symbol_name(*symbol), SymbolKind::Method, false);
            }
        }
        _ => {}
    }
    role
}

/// `require "path"`, and `autoload :Name, "path"`, which binds the name.
fn import(walk: &mut Walk<'_>, node: Node<'_>, arguments: Option<Node<'_>>, name: &[u8]) {
    let Some(arguments) = arguments else { return };
    let first = arguments.named_child(0);
    let path = if name == b"autoload" {
        arguments.named_child(1)
    } else {
        first
    };
    let Some(path) = path.filter(|path| path.kind() == "string" && path.named_child_count() == 1)
    else {
        return;
    };
    let Some(content) = path
        .named_child(0)
        .filter(|child| child.kind() == "string_content")
    else {
        return;
    };
    let bound = first
        .filter(|first| first.kind() == "simple_symbol")
        .map(symbol_name);
    let binds = bound.is_some();
    let import = walk.define_at(
        node,
        bound.unwrap_or(content.byte_range()),
        SymbolKind::Import,
        binds,
    );
    walk.add_import(import, content.byte_range());
}

/// Capitals make a constant; other names that an assignment binds are local, wherever it stands.
fn bound_as(defined: Defined<'_>) -> (SymbolKind, u32) {
    if defined.name.first().is_some_and(u8::is_ascii_uppercase) {
        (SymbolKind::Constant, defined.flags & !flags::LOCAL)
    } else {
        (SymbolKind::Variable, defined.flags | flags::LOCAL)
    }
}

/// `@@name` belongs to the class; minitest runs the methods whose names begin so.
fn extra_flags(defined: Defined<'_>) -> u32 {
    if defined.kind == SymbolKind::Field && defined.name.starts_with(b"@@") {
        flags::STATIC
    } else if defined.kind == SymbolKind::Method && defined.name.starts_with(b"test_") {
        flags::TEST
    } else {
        0
    }
}

fn sort_of_symbol(kind: SymbolKind, symbol_flags: u32) -> u8 {
    match kind {
        SymbolKind::Function
        | SymbolKind::Method
        | SymbolKind::Constructor
        | SymbolKind::Property
            if symbol_flags & flags::STATIC != 0 =>
        {
            STATIC
        }
        SymbolKind::Function
        | SymbolKind::Method
        | SymbolKind::Constructor
        | SymbolKind::Property => INSTANCE,
        _ => 0,
    }
}

fn sort_of_use(used: Used) -> u8 {
    match used.role {
        Role::Call if used.of_name || used.in_static => STATIC,
        Role::Call => INSTANCE,
        Role::Write if used.is_member => WRITER,
        _ => 0,
    }
}

/// Methods are public, instance variables are reached by the object alone.
fn visibility(defined: Defined<'_>) -> Option<Visibility> {
    match defined.kind {
        SymbolKind::Field => Some(Visibility::Private),
        SymbolKind::Variable => None,
        _ if defined.flags & flags::TEST != 0 => None,
        _ => Some(Visibility::Public),
    }
}
