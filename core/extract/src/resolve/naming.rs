//! Ids of rows: a hash of what the row is called and of what stands around it, so that edits elsewhere keep them, and
//! a counter that tells equal ones apart.

use std::hash::BuildHasher;

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::facts::{FileFacts, NONE, Relationship, Row, Text, resolve as text_of};
use crate::ids::IdHasher;
use crate::model::RelationshipKind;

use super::members::Members;
use super::types::Types;

/// Builds relationships and ids, with the counters that make equal rows differ.
#[derive(Default)]
pub(super) struct Naming {
    hasher: IdHasher,
    symbol_ordinals: FxHashMap<(Row, u8, u64), u32>,
    identifier_ordinals: FxHashMap<(Row, u8, Text), u32>,
    relationship_ordinals: FxHashMap<(Row, u8, Row, u64), u32>,
}

impl Naming {
    pub(super) fn name_rows(
        mut self,
        facts: &mut FileFacts,
        types: &Types,
        imports: &[(Row, Text)],
        members: &Members,
    ) {
        let rows = facts.identifiers.len();
        self.identifier_ordinals.reserve(rows / 2);
        self.relationship_ordinals
            .reserve(rows / 2 + facts.symbols.len());
        facts.relationships.reserve(rows / 2 + facts.symbols.len());
        self.name_symbols(facts);
        self.name_identifiers(facts);
        self.contain(facts);
        for &(symbol, path) in imports {
            let line = facts.symbols[symbol as usize].start_line;
            self.relate(
                facts,
                symbol,
                NONE,
                path,
                RelationshipKind::Imports,
                line,
                0.0,
            );
        }
        self.relate_identifiers(facts, types);
        self.relate_overrides(facts, types, members);
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
            let ordinal = next(self.symbol_ordinals.entry(key).or_default());
            self.hasher.start(b's');
            match facts.symbols.get(parent as usize) {
                Some(parent) => self.hasher.id(&parent.id),
                None => self.hasher.text(facts.path.as_bytes()),
            };
            let id = self
                .hasher
                .text(qualified)
                .text(symbol.kind.as_str().as_bytes())
                .finish(ordinal);
            facts.symbols[row].id = id;
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
            let ordinal = next(self.identifier_ordinals.entry(key).or_default());
            let name = text_of(source, &facts.arena, name);
            self.hasher.start(b'i');
            match facts.symbols.get(identifier.containing as usize) {
                Some(symbol) => self.hasher.id(&symbol.id),
                None => self.hasher.text(facts.path.as_bytes()),
            };
            identifier.id = self
                .hasher
                .text(identifier.kind.as_str().as_bytes())
                .text(name)
                .finish(ordinal);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a row of the table")]
    pub(super) fn relate(
        &mut self,
        facts: &mut FileFacts,
        from: Row,
        to: Row,
        to_name: Text,
        kind: RelationshipKind,
        line: u32,
        confidence: f32,
    ) {
        let name: &[u8] = if to == NONE { facts.text(to_name) } else { &[] };
        let key = (from, kind as u8, to, hash(name));
        let ordinal = next(self.relationship_ordinals.entry(key).or_default());
        self.hasher
            .start(b'r')
            .id(&facts.symbols[from as usize].id)
            .text(kind.as_str().as_bytes());
        match facts.symbols.get(to as usize) {
            Some(symbol) => self.hasher.id(&symbol.id).text(&[]),
            None => self.hasher.text(name),
        };
        let id = self.hasher.finish(ordinal);
        facts.relationships.push(Relationship {
            from,
            to,
            to_name,
            kind,
            line,
            confidence,
            id,
        });
    }
}

/// Stands for a text among the keys of ordinals; nothing is allocated for it.
fn hash(text: &[u8]) -> u64 {
    FxBuildHasher.hash_one(text)
}

fn next(ordinal: &mut u32) -> u32 {
    let now = *ordinal;
    *ordinal += 1;
    now
}
