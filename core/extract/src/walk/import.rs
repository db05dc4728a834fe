//! Imports: the name that is bound, and the path of what it stands for.

use std::ops::Range;

use tree_sitter::Node;

use crate::facts::Text;
use crate::model::SymbolKind;
use crate::spec::{BindScope, Role, Visible};
use crate::text::unquote;

use super::*;

impl<'s> Walk<'s> {
    pub(super) fn import_leaf(
        &mut self,
        node: Node<'_>,
        range: Range<usize>,
        role: Role,
        is_property: bool,
    ) {
        let path = self.imported_path(range.clone(), role, is_property);
        let symbol = self.add_symbol(NewSymbol {
            name: range.clone(),
            kind: SymbolKind::Import,
            flags: 0,
            owner: None,
            start: node.start_position(),
            end: node.end_position(),
            bytes: range,
            signature: None,
            doc: None,
            modifier: self.import_modifier,
        });
        let scope = self.bind_scope(BindScope::Innermost);
        self.bind(symbol, scope, Visible::Hoisted, false);
        self.out.imports.push((symbol, path));
    }

    /// What a name imports: the paths of the clauses around it and, unless it is an alias, the name itself.
    pub(super) fn imported_path(
        &mut self,
        name: Range<usize>,
        role: Role,
        is_property: bool,
    ) -> Text {
        let own = match self.frames.last() {
            _ if role == Role::ImportWhole => 0..0,
            // `a.b.C` binds C and imports all of it.
            Some(frame) if is_property => frame.start_byte as usize..name.end,
            _ => name.clone(),
        };
        let separator = self.rules.spec.import_separator.as_bytes();
        let start = self.out.arena.len();
        for at in 0..self.import_paths.len() {
            let part = self.import_paths[at].clone();
            let is_own = || self.source[part.clone()] == *self.rules.spec.import_own.as_bytes();
            if part.is_empty() || (at > 0 && is_own()) {
                continue;
            }
            if self.out.arena.len() > start && !self.out.arena.ends_with(separator) {
                self.out.arena.extend_from_slice(separator);
            }
            self.out.arena.extend_from_slice(&self.source[part]);
        }
        if !own.is_empty() || self.out.arena.len() == start {
            if self.out.arena.len() > start && !self.out.arena.ends_with(separator) {
                self.out.arena.extend_from_slice(separator);
            }
            let own = if own.is_empty() { name } else { own };
            self.out.arena.extend_from_slice(&self.source[own]);
        }
        Text::arena(start..self.out.arena.len())
    }
}

/// What an import clause adds to the path: the bytes of this node, without quotes.
pub(super) fn import_path(path: Option<Node<'_>>, source: &[u8]) -> Range<usize> {
    path.map_or(0..0, |path| unquote(path.byte_range(), source))
}
