//! Modules of JavaScript: ECMAScript's `import` and `export`, and CommonJS, whose modules are made by assignments and
//! calls.

use std::ops::Range;

use tree_sitter::Node;

use crate::model::{SymbolKind, flags};
use crate::spec::{Modifier, Role, ScopeKind};
use crate::text::unquote;
use crate::walk::{Found, Walk};

use super::VALUES;
use super::members::assigned;

/// A re-export names members of another module, any other export names of this one.
pub(super) fn export_role(walk: &mut Walk<'_>, node: Node<'_>, _: Role) -> Role {
    if node.child_by_field_name("source").is_some() {
        return Role::Import;
    }
    // `export default x`, `export = x`.
    let last = node.child_by_field_name("value").or_else(|| {
        let last = node.named_child_count().checked_sub(1)?;
        node.named_child(last as u32)
    });
    if let Some(name) = last.filter(|last| last.kind() == "identifier") {
        walk.export_name(name.byte_range());
    }
    Role::Read
}

pub(super) fn export_specifier(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    let Some(name) = node.child_by_field_name("name") else {
        return role;
    };
    if role == Role::Import {
        let bound = node.child_by_field_name("alias").unwrap_or(name);
        walk.define_reexport(
            node,
            unquote(bound.byte_range(), walk.source),
            unquote(name.byte_range(), walk.source),
            false,
        );
    } else {
        walk.export_name(name.byte_range());
    }
    role
}

/// `export * as name from …`.
pub(super) fn namespace_export(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    if let Some(name) = node.named_child(0) {
        let name = unquote(name.byte_range(), walk.source);
        walk.define_reexport(node, name.clone(), name, true);
    }
    role
}

/// In `a as b`, b is bound and a is not.
pub(super) fn import_role(_: &mut Walk<'_>, node: Node<'_>, _: Role) -> Role {
    if node.child_by_field_name("alias").is_some() {
        Role::Import
    } else {
        Role::ImportWhole
    }
}

/// Whether the expression is the object that holds a module's exports.
pub(super) fn is_exports(node: Node<'_>, source: &[u8]) -> bool {
    match node.kind() {
        "identifier" => &source[node.byte_range()] == b"exports",
        "member_expression" => &source[node.byte_range()] == b"module.exports",
        _ => false,
    }
}

/// What a module of CommonJS exports.
pub(super) fn assignment(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    let Some((object, property, value)) = assigned(node) else {
        return role;
    };
    if is_exports(object, walk.source) {
        if VALUES.iter().any(|(kind, _)| *kind == value.kind()) {
            walk.modify_own(Modifier::flags(flags::EXPORTED));
        } else if property.kind() == "property_identifier" && !is_void(value) {
            let name = property.byte_range();
            let found = Found {
                name,
                kind: SymbolKind::Export,
                flags: flags::EXPORTED,
                head_end: node.end_byte(),
                opens: false,
            };
            walk.define_found(node, found);
            if value.kind() == "identifier" {
                walk.export_name(value.byte_range());
            }
        }
    } else if object.kind() == "identifier"
        && &walk.source[object.byte_range()] == b"module"
        && &walk.source[property.byte_range()] == b"exports"
    {
        match value.kind() {
            "identifier" => walk.export_name(value.byte_range()),
            "object" => export_members(walk, value),
            _ => {}
        }
    }
    role
}

/// Compilers first set what they export to nothing: `exports.a = exports.b = void 0`.
fn is_void(mut value: Node<'_>) -> bool {
    const LONGEST: usize = 64;
    for _ in 0..LONGEST {
        match value.kind() {
            "assignment_expression" => match value.child_by_field_name("right") {
                Some(right) => value = right,
                None => return false,
            },
            kind => return kind == "unary_expression",
        }
    }
    true
}

/// `module.exports = { a, b: c }` exports a and c.
fn export_members(walk: &mut Walk<'_>, object: Node<'_>) {
    let mut cursor = object.walk();
    for member in object.named_children(&mut cursor) {
        let name = match member.kind() {
            "shorthand_property_identifier" => Some(member),
            "pair" => member
                .child_by_field_name("value")
                .filter(|value| value.kind() == "identifier"),
            _ => None,
        };
        if let Some(name) = name {
            walk.export_name(name.byte_range());
        }
    }
}

/// What holds a class is one; `const x = require("y")` at the top of a module imports.
pub(in crate::languages) fn declared(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    let (Some(name), Some(value)) = (walk.child(node, "name"), walk.child(node, "value")) else {
        return role;
    };
    // `const` makes no constant of a class.
    if value.kind() == "class" {
        walk.modify_own(Modifier::kind(SymbolKind::Class));
    }
    if walk.scope_kind() != ScopeKind::Module {
        return role;
    }
    let member = (value.kind() == "member_expression" && name.kind() == "identifier")
        .then(|| value.child_by_field_name("property"))
        .flatten();
    let call = match member {
        Some(_) => value.child_by_field_name("object"),
        None => Some(value),
    };
    let Some(path) = call.and_then(|call| required_path(call, walk.source)) else {
        return role;
    };
    match name.kind() {
        "identifier" => {
            walk.push_import_path(path);
            if let Some(member) = member {
                walk.push_import_path(member.byte_range());
            }
            walk.import_name(name);
        }
        "object_pattern" if node.child_by_field_name("type").is_none() => {
            walk.push_import_path(path);
            walk.give_roles(None, Some(Role::ImportBind));
        }
        _ => {}
    }
    role
}

/// The path in `require("path")`.
fn required_path(call: Node<'_>, source: &[u8]) -> Option<Range<usize>> {
    if call.kind() != "call_expression" {
        return None;
    }
    let function = call.child_by_field_name("function")?;
    let arguments = call.child_by_field_name("arguments")?;
    let path = arguments.named_child(0)?;
    (&source[function.byte_range()] == b"require"
        && arguments.named_child_count() == 1
        && path.kind() == "string")
        .then(|| unquote(path.byte_range(), source))
}

/// In `const {a: b} = require("y")` b is bound to a.
pub(super) fn imported_pair(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    if role != Role::ImportBind {
        return role;
    }
    if let Some(key) = node.child_by_field_name("key") {
        walk.push_import_path(unquote(key.byte_range(), walk.source));
    }
    match node.child_by_field_name("value") {
        Some(value) if value.kind() == "object_pattern" => Role::ImportBind,
        _ => Role::ImportWhole,
    }
}

/// Whether the expression is all that the module exports: `module.exports = …`.
pub(super) fn is_module(node: Node<'_>, source: &[u8]) -> bool {
    let before = source[..node.start_byte()].trim_ascii_end();
    before
        .strip_suffix(b"=")
        .is_some_and(|before| before.trim_ascii_end().ends_with(b"module.exports"))
}
