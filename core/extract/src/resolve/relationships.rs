//! Relationships: what contains, names and overrides what.

use crate::facts::{FileFacts, NONE, Row};
use crate::model::{RelationshipKind, Resolution, SymbolKind, flags};

use super::members::Members;
use super::naming::Naming;
use super::spaces::space;
use super::types::{Types, holder, is_callable};

impl Naming {
    pub(super) fn contain(&mut self, facts: &mut FileFacts) {
        for row in 0..facts.symbols.len() {
            let symbol = &facts.symbols[row];
            if symbol.parent == NONE || symbol.flags & flags::LOCAL != 0 {
                continue;
            }
            let (parent, line) = (symbol.parent, symbol.start_line);
            let name = facts.names[symbol.name as usize];
            let parent_kind = facts.symbols[parent as usize].kind;
            if symbol.kind == SymbolKind::Import && parent_kind == SymbolKind::Namespace {
                continue;
            }
            let kind = if parent_kind.is_namespace() {
                RelationshipKind::Defines
            } else {
                RelationshipKind::Contains
            };
            self.relate(facts, parent, row as Row, name, kind, line, 1.0);
        }
    }

    pub(super) fn relate_identifiers(&mut self, facts: &mut FileFacts, types: &Types) {
        for row in 0..facts.identifiers.len() {
            let identifier = &facts.identifiers[row];
            let Some(kind) = identifier.relation else {
                continue;
            };
            let from = match identifier.derived {
                NONE => identifier.containing,
                derived => types
                    .seen_from(&facts.symbols, identifier.containing, derived)
                    .unwrap_or(NONE),
            };
            let target = identifier.target;
            let to_local = facts
                .symbols
                .get(target as usize)
                .is_some_and(|symbol| symbol.flags & flags::LOCAL != 0);
            // A reference that leads nowhere, or to a local, tells nothing about how symbols hang together.
            let dull = kind == RelationshipKind::References && (target == NONE || target == from);
            if from == NONE || to_local || dull {
                continue;
            }
            let name = facts.names[identifier.name as usize];
            let (line, confidence) = (identifier.line, identifier.resolution.confidence());
            self.relate(facts, from, target, name, kind, line, confidence);
        }
    }

    pub(super) fn relate_overrides(
        &mut self,
        facts: &mut FileFacts,
        types: &Types,
        members: &Members,
    ) {
        use SymbolKind as K;
        if members.bases.is_empty() {
            return;
        }
        for row in 0..facts.symbols.len() {
            let symbol = &facts.symbols[row];
            let spaces: &[u8] = match symbol.kind {
                K::Method => &[space::CALLABLE, space::VALUE],
                K::Property | K::Event => &[space::VALUE],
                _ => continue,
            };
            let Some(of) = holder(symbol, types) else {
                continue;
            };
            let Some(mut target) = members.find(of, symbol.name, spaces, false) else {
                continue;
            };
            let base = &facts.symbols[target as usize];
            if members.told_apart && is_callable(base) {
                let same = |row: &&Row| facts.symbols[**row as usize].arity == symbol.arity;
                let alone = [target];
                let key = (base.parent, base.name);
                let rows = members.overloads.get(&key).map_or(&alone[..], |rows| rows);
                let Some(&same) = rows.iter().find(same) else {
                    continue;
                };
                target = same;
            }
            if target != row as Row {
                let (name, line) = (facts.names[symbol.name as usize], symbol.start_line);
                let confidence = Resolution::Receiver.confidence();
                let kind = RelationshipKind::Overrides;
                self.relate(facts, row as Row, target, name, kind, line, confidence);
            }
        }
    }
}
