//! Functions of JavaScript: what they are called, and what `this` is in them.

use std::ops::Range;

use tree_sitter::Node;

use crate::model::flags;
use crate::spec::{Modifier, Role};
use crate::walk::Walk;

use super::modules::is_module;

/// The name of a variable that holds a function or class.
pub(in crate::languages) fn variable_name(node: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    let name = node.child_by_field_name("name")?;
    (name.kind() == "identifier").then(|| name.byte_range())
}

/// A function may be what `new` is called with: by custom its name says so.
fn is_maker(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_uppercase)
}

pub(super) fn function_declaration(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    match node.child_by_field_name("name") {
        Some(name) if is_maker(&walk.source[name.byte_range()]) => {
            walk.open_maker(name.byte_range());
        }
        _ => walk.leave_type(),
    }
    role
}

/// Functions but arrow functions have a current object of their own.
pub(in crate::languages) fn function_declared(
    walk: &mut Walk<'_>,
    _: Node<'_>,
    role: Role,
) -> Role {
    walk.leave_type();
    role
}

pub(in crate::languages) fn function_value(
    walk: &mut Walk<'_>,
    node: Node<'_>,
    role: Role,
) -> Role {
    let holder = walk.parent_symbol();
    if let Some(holder) = holder
        && node.kind() == "generator_function"
    {
        walk.modify_symbol(holder, Modifier::flags(flags::GENERATOR));
    }
    match (walk.parent_kind(), holder) {
        (Some("assignment_expression" | "field_definition" | "public_field_definition"), _) => {}
        (Some("variable_declarator"), Some(holder)) if walk.is_named(holder, is_maker) => {
            walk.open_maker_symbol(holder);
        }
        _ if keeps_this(&walk.source[node.end_byte()..]) => {}
        _ => walk.leave_type(),
    }
    role
}

/// Whether what follows a function hands the current object on: `.bind(this)`, or `this` as the next argument.
fn keeps_this(rest: &[u8]) -> bool {
    if rest.starts_with(b".bind(this") {
        return true;
    }
    let rest = rest.trim_ascii_start();
    rest.strip_prefix(b",")
        .is_some_and(|next| next.trim_ascii_start().starts_with(b"this)"))
}

/// A function expression's name is known inside it.
pub(in crate::languages) fn own_name(walk: &mut Walk<'_>, node: Node<'_>) {
    let Some(name) = node.child_by_field_name("name") else {
        return;
    };
    let mut found = 0;
    if node.kind() == "generator_function" {
        found |= flags::GENERATOR;
    }
    if walk.source[node.byte_range()].starts_with(b"async") {
        found |= flags::ASYNC;
    }
    if is_module(node, walk.source) {
        found |= flags::EXPORTED;
    }
    walk.define_inside(node, name.byte_range(), found);
}
