//! Definitions of PHP: what name, words and body say of one, and constants and properties that other code defines.

use std::ops::Range;

use tree_sitter::Node;

use crate::model::{SymbolKind, Visibility, flags};
use crate::spec::{Defined, Modifier, Role};
use crate::walk::Walk;

/// Everything that another file can name is public unless a word says otherwise.
pub(super) fn visibility(defined: Defined<'_>) -> Option<Visibility> {
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

pub(super) fn visibility_word(walk: &mut Walk<'_>, word: Node<'_>, role: Role) -> Role {
    if let Some(visibility) = visibility_of(&walk.source[word.byte_range()]) {
        walk.modify(Modifier::visibility(visibility));
    }
    role
}

/// A class is a test case by its name or its base's.
pub(super) fn class(walk: &mut Walk<'_>, class: Node<'_>, role: Role) -> Role {
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
pub(super) fn method(walk: &mut Walk<'_>, method: Node<'_>, role: Role) -> Role {
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
pub(super) fn property_name(property: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    Some(
        property
            .child_by_field_name("name")?
            .named_child(0)?
            .byte_range(),
    )
}

/// A constructor's parameter with a visibility is a property too.
pub(super) fn promoted_parameter(walk: &mut Walk<'_>, parameter: Node<'_>, role: Role) -> Role {
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
pub(super) fn constant_by_call(walk: &mut Walk<'_>, call: Node<'_>, role: Role) -> Role {
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
