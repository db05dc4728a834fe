//! Ids of rows: a hash of what the row is called and of what stands around it, so that edits elsewhere keep them;
//! equal rows are told apart by counting on from it.

use std::hash::BuildHasher;

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::facts::{FileFacts, NONE, Row, Text, resolve as text_of};
use crate::ids::{IdHasher, NextId};

/// Gives ids to symbols and identifiers, and keeps the id that the next of several equal rows gets.
#[derive(Default)]
pub(super) struct Naming {
    hasher: IdHasher,
    next_symbols: FxHashMap<(Row, u8, u64), NextId>,
    next_identifiers: FxHashMap<(Row, u8, Text), NextId>,
}

impl Naming {
    pub(super) fn name_rows(mut self, facts: &mut FileFacts) {
        self.next_symbols.reserve(facts.symbols.len());
        self.next_identifiers.reserve(facts.identifiers.len() / 2);
        self.name_symbols(facts);
        self.name_identifiers(facts);
    }

    fn name_symbols(&mut self, facts: &mut FileFacts) {
        let source = facts
            .content
            .as_ref()
            .map_or(&[][..], |content| &content.source);
        for row in 0..facts.symbols.len() {
            let symbol = &facts.symbols[row];
            let qualified = text_of(source, &facts.arena, symbol.qualified_name);
            // What stands inside another definition is named by that one's id, so that the parameters of two overloads
            // differ. A parent that comes later has no id yet; its members carry its name in theirs.
            let parent = match symbol.parent {
                parent if symbol.owner == NONE && (parent as usize) < row => parent,
                _ => NONE,
            };
            let key = (parent, symbol.kind as u8, hash(qualified));
            let next = self.next_symbols.entry(key).or_insert_with(|| {
                self.hasher.start(b's');
                match facts.symbols.get(parent as usize) {
                    Some(parent) => self.hasher.id(&parent.id),
                    None => self.hasher.text(facts.path.as_bytes()),
                };
                self.hasher
                    .text(qualified)
                    .text(symbol.kind.as_str().as_bytes())
                    .finish()
            });
            facts.symbols[row].id = next.take();
        }
    }

    fn name_identifiers(&mut self, facts: &mut FileFacts) {
        let source = facts
            .content
            .as_ref()
            .map_or(&[][..], |content| &content.source);
        for identifier in &mut facts.identifiers {
            let name = facts.names[identifier.name as usize];
            let key = (identifier.containing, identifier.kind as u8, name);
            let next = self.next_identifiers.entry(key).or_insert_with(|| {
                self.hasher.start(b'i');
                match facts.symbols.get(identifier.containing as usize) {
                    Some(symbol) => self.hasher.id(&symbol.id),
                    None => self.hasher.text(facts.path.as_bytes()),
                };
                self.hasher
                    .text(identifier.kind.as_str().as_bytes())
                    .text(text_of(source, &facts.arena, name))
                    .finish()
            });
            identifier.id = next.take();
        }
    }
}

/// Stands for a text among the keys of ordinals; nothing is allocated for it.
fn hash(text: &[u8]) -> u64 {
    FxBuildHasher.hash_one(text)
}
