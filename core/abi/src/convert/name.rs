//! Names that are there twice, and names of a map's entries.

use std::collections::HashSet;

use super::ORIGINAL_NAME;
use super::schema::{set, take};
use crate::SchemaTree;

/// The children of a struct or a map under names that JavaScript's Arrow library tells apart, or uses itself.
pub(super) fn convert(tree: &SchemaTree) -> Vec<SchemaTree> {
    match tree.format.as_str() {
        "+s" => unique(&tree.children),
        "+m" => canonical(&tree.children),
        _ => tree.children.clone(),
    }
}

/// Later children with the name of an earlier one get a number after it.
fn unique(children: &[SchemaTree]) -> Vec<SchemaTree> {
    let mut taken: HashSet<String> = children.iter().map(|child| child.name.clone()).collect();
    if taken.len() == children.len() {
        return children.to_vec();
    }
    let mut seen = HashSet::new();
    let rename = |child: &SchemaTree| {
        if seen.insert(child.name.clone()) {
            return child.clone();
        }
        let numbered = (2..).map(|number| format!("{}_{number}", child.name));
        let name = numbered
            .into_iter()
            .find(|name| !taken.contains(name))
            .unwrap_or_default();
        taken.insert(name.clone());
        renamed(child, &name)
    };
    children.iter().map(rename).collect()
}

/// JavaScript's Arrow library gives these names to every map.
fn canonical(children: &[SchemaTree]) -> Vec<SchemaTree> {
    let rename = |entries: &SchemaTree| {
        let mut entries = renamed(entries, "entries");
        for (child, name) in entries.children.iter_mut().zip(["key", "value"]) {
            // Equal names have been told apart before.
            restore_one(child);
            *child = renamed(child, name);
        }
        entries
    };
    children.iter().map(rename).collect()
}

fn renamed(child: &SchemaTree, name: &str) -> SchemaTree {
    let mut child = child.clone();
    if child.name != name {
        let original = std::mem::replace(&mut child.name, name.to_owned());
        set(&mut child, ORIGINAL_NAME, original);
    }
    child
}

/// Gives the children of `tree` their names back.
pub(super) fn restore(tree: &mut SchemaTree) {
    tree.children.iter_mut().for_each(restore_one);
}

fn restore_one(child: &mut SchemaTree) {
    if let Some((_, name)) = take(child, |key| key == ORIGINAL_NAME).pop() {
        child.name = name;
    }
}
