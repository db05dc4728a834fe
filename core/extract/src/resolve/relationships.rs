//! Relationships: what contains, imports, names and overrides what. Each is read from one symbol or identifier, which
//! gives it its id.

use crate::facts::{FileFacts, NONE, Relationship, Row, Text};
use crate::ids;
use crate::model::{RelationshipKind, Resolution, SymbolKind, flags};

use super::members::Members;
use super::spaces::space;
use super::types::{Types, holder, is_callable};

/// Builds the relationships of a file whose symbols and identifiers have targets and ids.
pub(super) fn relate(
    facts: &mut FileFacts,
    types: &Types,
    imports: &[(Row, Text)],
    members: &Members,
) {
    let rows = facts.identifiers.len() / 2 + facts.symbols.len();
    facts.relationships.reserve(rows);
    relate_parts(facts);
    relate_imports(facts, imports);
    relate_identifiers(facts, types);
    relate_overrides(facts, types, members);
    facts.relationships.shrink_to_fit();
    facts.identifiers.shrink_to_fit();
    facts.symbols.shrink_to_fit();
}

fn relate_imports(facts: &mut FileFacts, imports: &[(Row, Text)]) {
    for &(symbol, path) in imports {
        let import = &facts.symbols[symbol as usize];
        let kind = RelationshipKind::Imports;
        facts.relationships.push(Relationship {
            from: symbol,
            to: NONE,
            to_name: path,
            kind,
            line: import.start_line,
            confidence: 0.0,
            id: ids::of_relationship(&import.id, kind),
        });
    }
}

fn relate_parts(facts: &mut FileFacts) {
    for row in 0..facts.symbols.len() {
        let symbol = &facts.symbols[row];
        if symbol.parent == NONE || symbol.flags & flags::LOCAL != 0 {
            continue;
        }
        let parent_kind = facts.symbols[symbol.parent as usize].kind;
        if symbol.kind == SymbolKind::Import && parent_kind == SymbolKind::Namespace {
            continue;
        }
        let kind = if parent_kind.is_namespace() {
            RelationshipKind::Defines
        } else {
            RelationshipKind::Contains
        };
        facts.relationships.push(Relationship {
            from: symbol.parent,
            to: row as Row,
            to_name: facts.names[symbol.name as usize],
            kind,
            line: symbol.start_line,
            confidence: 1.0,
            id: ids::of_relationship(&symbol.id, kind),
        });
    }
}

fn relate_identifiers(facts: &mut FileFacts, types: &Types) {
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
        facts.relationships.push(Relationship {
            from,
            to: target,
            to_name: facts.names[identifier.name as usize],
            kind,
            line: identifier.line,
            confidence: identifier.resolution.confidence(),
            id: ids::of_relationship(&identifier.id, kind),
        });
    }
}

fn relate_overrides(facts: &mut FileFacts, types: &Types, members: &Members) {
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
            let kind = RelationshipKind::Overrides;
            facts.relationships.push(Relationship {
                from: row as Row,
                to: target,
                to_name: facts.names[symbol.name as usize],
                kind,
                line: symbol.start_line,
                confidence: Resolution::Receiver.confidence(),
                id: ids::of_relationship(&symbol.id, kind),
            });
        }
    }
}
