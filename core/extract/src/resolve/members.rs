//! The members of each type, its own and those of its bases.

use rustc_hash::FxHashMap;

use crate::facts::{Identifier, NONE, NameId, Row};
use crate::model::{RelationshipKind, flags};
use crate::rules::Rules;
use crate::walk::Walked;

use super::overloads::Overloads;
use super::spaces::{space, spaces_of};
use super::types::{TypeKey, Types, holder, is_type};

/// How far a chain of base types is followed.
pub(super) const MAX_BASES: usize = 16;

/// The members and bases of each type.
pub(super) struct Members {
    pub(super) rows: FxHashMap<(TypeKey, NameId, u8), Row>,
    pub(super) bases: FxHashMap<TypeKey, Vec<TypeKey>>,
    pub(super) overloads: Overloads,
    /// Whether methods of one name are told apart by their parameters.
    pub(super) told_apart: bool,
}

impl Members {
    pub(super) fn new(walked: &Walked, types: &Types, rules: &Rules) -> Self {
        let mut rows = FxHashMap::default();
        rows.reserve(walked.symbols.len());
        for (row, symbol) in walked.symbols.iter().enumerate() {
            let Some(holder) = holder(symbol, types).filter(|_| !symbol.hidden) else {
                continue;
            };
            let spaces = spaces_of(symbol, rules);
            for bit in (0..space::COUNT).map(|at| 1 << at) {
                if spaces & bit != 0 {
                    let known: &mut Row = rows.entry((holder, symbol.name, bit)).or_insert(NONE);
                    // A definition is found before what only declares it.
                    let declares = walked
                        .symbols
                        .get(*known as usize)
                        .is_none_or(|known| known.flags & !symbol.flags & flags::ABSTRACT != 0);
                    if declares {
                        *known = row as Row;
                    }
                }
            }
        }
        for &(holder, name, row) in &walked.aliases {
            let holder = TypeKey::Row(types.first(holder));
            rows.entry((holder, name, space::VALUE)).or_insert(row);
        }
        Self {
            rows,
            bases: FxHashMap::default(),
            overloads: Overloads::default(),
            told_apart: rules.spec.overloads,
        }
    }

    pub(super) fn add_bases(&mut self, walked: &Walked, types: &Types) {
        for identifier in walked.identifiers.iter().filter(|row| is_base(row)) {
            let containing = walked.symbols.get(identifier.containing as usize);
            let derived = match identifier.derived {
                NONE if containing.is_some_and(is_type) => {
                    TypeKey::Row(types.first(identifier.containing))
                }
                NONE => continue,
                derived => types.named(&walked.symbols, identifier.containing, derived),
            };
            let Some(target) = walked.symbols.get(identifier.target as usize) else {
                continue;
            };
            let base = TypeKey::Row(types.first(identifier.target));
            if is_type(target) && base != derived {
                self.bases.entry(derived).or_default().push(base);
            }
        }
    }

    /// The member `name` of a type, or of the nearest of its bases in this file.
    pub(super) fn find(&self, of: TypeKey, name: NameId, spaces: &[u8], own: bool) -> Option<Row> {
        let mut queue = [of; MAX_BASES];
        let (mut at, mut end) = (0, 1);
        while at < end {
            for &space in spaces {
                if (own || at > 0)
                    && let Some(&row) = self.rows.get(&(queue[at], name, space))
                {
                    return Some(row);
                }
            }
            for base in self.bases.get(&queue[at]).into_iter().flatten() {
                if end < MAX_BASES && !queue[..end].contains(base) {
                    queue[end] = *base;
                    end += 1;
                }
            }
            at += 1;
        }
        None
    }
}

/// Whether the identifier names what a type extends or implements.
pub(super) fn is_base(identifier: &Identifier) -> bool {
    matches!(
        identifier.relation,
        Some(RelationshipKind::Extends | RelationshipKind::Implements)
    )
}
