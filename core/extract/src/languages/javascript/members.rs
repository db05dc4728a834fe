//! Members of JavaScript's classes, objects and functions, which assignments define as well as bodies do.

use std::ops::Range;

use tree_sitter::Node;

use crate::model::{SymbolKind, flags};
use crate::spec::{Modifier, Role};
use crate::walk::{Found, Walk};

use super::FUNCTION_VALUES;
use super::modules::{assignment, is_exports, is_module};

/// The two sides of a member's assignment: the object, the property and the value.
pub(super) fn assigned<'t>(node: Node<'t>) -> Option<(Node<'t>, Node<'t>, Node<'t>)> {
    let left = node.child_by_field_name("left")?;
    if left.kind() != "member_expression" {
        return None;
    }
    Some((
        left.child_by_field_name("object")?,
        left.child_by_field_name("property")?,
        node.child_by_field_name("right")?,
    ))
}

/// `exports.name = function …`, `Type.name = function …` and `Type.prototype.name = function …`; neither the module's
/// whole export nor a member of the current object.
pub(super) fn assigned_member(node: Node<'_>, source: &[u8]) -> Option<Range<usize>> {
    let (object, property, _) = assigned(node)?;
    let is_named = property.kind() == "property_identifier"
        && !matches!(object.kind(), "this" | "super")
        && !is_exports(node.child_by_field_name("left")?, source);
    is_named.then(|| property.byte_range())
}

/// The name of the function or object whose member is assigned.
pub(super) fn assigned_owner(node: Node<'_>, source: &[u8]) -> Option<Range<usize>> {
    let (object, _, _) = assigned(node)?;
    if is_exports(object, source) {
        return None;
    }
    if object.kind() == "identifier" {
        return Some(object.byte_range());
    }
    let property = object.child_by_field_name("property")?;
    if &source[property.byte_range()] != b"prototype" {
        return None;
    }
    let owner = object.child_by_field_name("object")?;
    let owner = match owner.kind() {
        "identifier" => owner,
        "member_expression" => owner.child_by_field_name("property")?,
        _ => return None,
    };
    Some(owner.byte_range())
}

/// The same, and what a function makes of the current object.
pub(super) fn own_assignment(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    if let Some((object, property, value)) = assigned(node)
        && object.kind() == "this"
    {
        let is_function = is_function(value);
        let found = Found {
            name: property.byte_range(),
            kind: if is_function {
                SymbolKind::Method
            } else {
                SymbolKind::Field
            },
            flags: 0,
            head_end: head_end(node, value),
            opens: is_function,
        };
        walk.define_own_member(node, found);
        return role;
    }
    assignment(walk, node, role)
}

fn is_function(node: Node<'_>) -> bool {
    FUNCTION_VALUES.contains(&node.kind())
}

/// Where the signature of something that holds this value ends: before a function's body.
fn head_end(node: Node<'_>, value: Node<'_>) -> usize {
    let body = Some(value)
        .filter(|value| is_function(*value))
        .and_then(|value| value.child_by_field_name("body"));
    body.map_or(node.end_byte(), |body| body.start_byte())
}

pub(super) fn pair_name(node: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    let key = node.child_by_field_name("key")?;
    (key.kind() == "property_identifier").then(|| key.byte_range())
}

/// A method outside of classes belongs to an object of no named type.
pub(in crate::languages) fn method(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    if !walk.is_in_type() {
        walk.leave_type();
    }
    let mut cursor = node.walk();
    let is_generator = node
        .children(&mut cursor)
        .take_while(|child| child.kind() != "formal_parameters")
        .any(|child| child.kind() == "*");
    if is_generator {
        walk.modify_own(Modifier::flags(flags::GENERATOR));
    }
    role
}

/// A field that holds a function is a method.
pub(in crate::languages) fn field_value(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    if node.child_by_field_name("value").is_some_and(is_function) {
        walk.modify_own(Modifier::kind(SymbolKind::Method));
    }
    role
}

pub(super) fn class_value(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    if is_module(node, walk.source) {
        walk.modify_own(Modifier::flags(flags::EXPORTED));
    }
    role
}

pub(super) fn class_inside(walk: &mut Walk<'_>, node: Node<'_>) {
    class_name(walk, node);
    expect_members(walk, node);
}

/// A class expression's name is known inside it.
pub(in crate::languages) fn class_name(walk: &mut Walk<'_>, node: Node<'_>) {
    if node.child_by_field_name("name").is_some() {
        walk.bind_open();
    }
}

/// What a class defines in its body is not defined by assigning to it.
pub(super) fn expect_members(walk: &mut Walk<'_>, node: Node<'_>) {
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    let mut cursor = body.walk();
    for member in body.named_children(&mut cursor) {
        let name = match member.kind() {
            "method_definition" => member.child_by_field_name("name"),
            "field_definition" => member.child_by_field_name("property"),
            _ => None,
        };
        if let Some(name) = name {
            walk.expect_member(name.byte_range());
        }
    }
}
