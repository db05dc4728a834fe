//! Imports of PHP: `use` with its sorts of names, and files that are included by a literal path.

use tree_sitter::Node;

use crate::model::SymbolKind;
use crate::spec::Role;
use crate::walk::Walk;

use super::names::{CONSTANT, FUNCTION, PREFIX, TYPE};

/// A file that is included by a literal path is imported.
pub(super) fn include(walk: &mut Walk<'_>, expression: Node<'_>, role: Role) -> Role {
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

/// The sorts of names that `use`, `use function` and `use const` bind.
fn imported(word: Option<Node<'_>>) -> &'static [u8] {
    match word.map(|word| word.kind()) {
        Some("function") => &[FUNCTION],
        Some("const") => &[CONSTANT],
        _ => &[TYPE, PREFIX],
    }
}

/// The role says whether the clauses below may have a word of their own.
pub(super) fn import_declaration(walk: &mut Walk<'_>, declaration: Node<'_>, _: Role) -> Role {
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
pub(super) fn import_clause(walk: &mut Walk<'_>, clause: Node<'_>, role: Role) -> Role {
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
