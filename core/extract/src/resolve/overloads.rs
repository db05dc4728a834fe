//! Methods of one name that are told apart by their parameters.

use rustc_hash::FxHashMap;

use crate::facts::{NONE, NameId, Row, Symbol, UNCOUNTED};
use crate::model::Resolution;
use crate::walk::Walked;

use super::members::{MAX_BASES, Members};
use super::spaces::space;
use super::types::{TypeKey, Types, holder, is_callable};

/// How many definitions of one name are told apart by their parameters.
const MAX_OVERLOADS: usize = 64;

/// What is defined several times under one name: by the symbol around it and the name.
pub(super) type Overloads = FxHashMap<(Row, NameId), Vec<Row>>;

/// What is called and defined several times under one name in one place.
pub(super) fn overloads(symbols: &[Symbol]) -> Overloads {
    let mut firsts = FxHashMap::default();
    firsts.reserve(symbols.len() / 4);
    let mut overloads = Overloads::default();
    for (row, symbol) in symbols.iter().enumerate() {
        if is_callable(symbol) && !symbol.hidden {
            let key = (symbol.parent, symbol.name);
            let first = *firsts.entry(key).or_insert(row);
            if first == row {
                continue;
            }
            let rows = overloads.entry(key).or_insert_with(|| vec![first as Row]);
            if rows.len() < MAX_OVERLOADS {
                rows.push(row as Row);
            }
        }
    }
    overloads
}

/// A method is called with as many arguments as it has parameters. Of several that fit the target stays a guess; if
/// none fits here or in the base types, the target is not in this file.
pub(super) fn choose_overloads(walked: &mut Walked, types: &Types, members: &Members) {
    for row in 0..walked.identifiers.len() {
        let identifier = &walked.identifiers[row];
        let Some(target) = walked.symbols.get(identifier.target as usize) else {
            continue;
        };
        if !is_callable(target) {
            continue;
        }
        let (target_row, arguments) = (identifier.target, identifier.arguments);
        let is_overloaded = members
            .overloads
            .contains_key(&(target.parent, target.name));
        let (target, resolution) = if arguments != UNCOUNTED {
            members.fitting(walked, types, target_row, arguments)
        } else if is_overloaded {
            (target_row, Some(Resolution::Candidate))
        } else {
            continue;
        };
        let identifier = &mut walked.identifiers[row];
        identifier.target = target;
        identifier.resolution = resolution.unwrap_or(identifier.resolution);
    }
}

impl Members {
    /// The method of the target's name that takes so many arguments, and how sure that is, where not as before.
    fn fitting(
        &self,
        walked: &Walked,
        types: &Types,
        target: Row,
        arguments: u16,
    ) -> (Row, Option<Resolution>) {
        let symbols = &walked.symbols;
        let start = &symbols[target as usize];
        let found = |row: Row| {
            let symbol = &symbols[row as usize];
            let alone = [row];
            let rows = self
                .overloads
                .get(&(symbol.parent, symbol.name))
                .map_or(&alone[..], |rows| rows);
            let fits = |row: &&Row| {
                let symbol = &symbols[**row as usize];
                symbol.variadic || symbol.arity == arguments
            };
            let mut fitting = rows.iter().filter(fits);
            let first = *fitting.next()?;
            let exact = rows.iter().find(|row| {
                let symbol = &symbols[**row as usize];
                !symbol.variadic && symbol.arity == arguments
            });
            let resolution = fitting.next().map(|_| Resolution::Candidate);
            Some((exact.copied().unwrap_or(first), resolution))
        };
        if let Some(found) = found(target) {
            return found;
        }
        let mut queue: Vec<TypeKey> = holder(start, types).into_iter().collect();
        let mut at = 0;
        while at < queue.len() && at < MAX_BASES {
            for base in self.bases.get(&queue[at]).into_iter().flatten() {
                if queue.len() < MAX_BASES && !queue.contains(base) {
                    queue.push(*base);
                }
            }
            at += 1;
        }
        let inherited = queue.iter().skip(1).find_map(|base| {
            let row = [space::CALLABLE, space::VALUE]
                .iter()
                .find_map(|space| self.rows.get(&(*base, start.name, *space)))?;
            found(*row)
        });
        match inherited {
            Some((row, resolution)) => (row, resolution.or(Some(Resolution::Receiver))),
            None => (NONE, Some(Resolution::None)),
        }
    }
}
