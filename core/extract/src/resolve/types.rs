//! The types and namespaces of a file, and which of them a name means at some place.

use rustc_hash::FxHashMap;

use crate::facts::{NONE, NameId, Row, Symbol};
use crate::model::{SymbolKind, flags};
use crate::rules::Rules;

use super::MAX_LOOKBACK;

/// A type that has members: its row, or its name where the file does not define it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum TypeKey {
    Row(Row),
    Name(NameId),
}

/// The types and namespaces of the file.
pub(super) struct Types {
    /// The first of each name.
    pub(super) by_name: FxHashMap<NameId, Row>,
    /// The first of each name directly in one place: the row of a namespace, type or function, or [`NONE`].
    by_place: FxHashMap<(Row, NameId), Row>,
    /// For each row of a type or namespace that is defined in several places: the first of them.
    first: FxHashMap<Row, Row>,
}

impl Types {
    pub(super) fn new(symbols: &[Symbol], rules: &Rules) -> Self {
        let mut types = Self {
            by_name: FxHashMap::default(),
            by_place: FxHashMap::default(),
            first: FxHashMap::default(),
        };
        let mut firsts: FxHashMap<(Row, NameId), Row> = FxHashMap::default();
        for (row, symbol) in symbols.iter().enumerate() {
            let row = row as Row;
            let is_type = symbol.kind.is_type() && symbol.flags & flags::PARAMETER == 0;
            if is_type {
                types.by_name.entry(symbol.name).or_insert(row);
                // What belongs elsewhere is not found by the place it stands in.
                if symbol.owner == NONE {
                    let place = (types.first(symbol.parent), symbol.name);
                    types.by_place.entry(place).or_insert(row);
                }
            }
            if symbol.kind.is_namespace() || (is_type && rules.spec.reopens_types) {
                let key = (types.first(symbol.parent), symbol.name);
                let first = *firsts.entry(key).or_insert(row);
                if first != row {
                    types.first.insert(row, first);
                }
            }
        }
        types
    }

    pub(super) fn first(&self, row: Row) -> Row {
        self.first.get(&row).copied().unwrap_or(row)
    }

    /// The type that a name means at `at`: the nearest around, or one in some other namespace.
    pub(super) fn seen_from(&self, symbols: &[Symbol], at: Row, name: NameId) -> Option<Row> {
        let mut place = at;
        for _ in 0..MAX_LOOKBACK {
            if let Some(&row) = self.by_place.get(&(self.first(place), name)) {
                return Some(row);
            }
            match symbols.get(place as usize) {
                Some(symbol) => place = symbol.parent,
                None => break,
            }
        }
        let row = *self.by_name.get(&name)?;
        let symbol = &symbols[row as usize];
        // What a function or an alias among a type's members defines is not seen elsewhere.
        let is_alias = symbol.kind == SymbolKind::Type;
        let is_hidden = (is_alias && symbol.owner != NONE)
            || symbols
                .get(symbol.parent as usize)
                .is_some_and(|parent| is_callable(parent) || (is_type(parent) && is_alias));
        Some(row).filter(|_| !is_hidden)
    }

    pub(super) fn named(&self, symbols: &[Symbol], at: Row, name: NameId) -> TypeKey {
        self.seen_from(symbols, at, name)
            .map_or(TypeKey::Name(name), |row| TypeKey::Row(self.first(row)))
    }

    /// The type around `at` that has this name, or the namespace whose code has a current object (Ruby's modules).
    pub(super) fn around(&self, symbols: &[Symbol], from: Row, name: NameId) -> TypeKey {
        let mut at = from;
        for _ in 0..MAX_LOOKBACK {
            let Some(symbol) = symbols.get(at as usize) else {
                break;
            };
            if (is_type(symbol) || symbol.kind.is_namespace()) && symbol.name == name {
                return TypeKey::Row(self.first(at));
            }
            at = symbol.parent;
        }
        self.named(symbols, from, name)
    }
}

pub(super) fn is_type(symbol: &Symbol) -> bool {
    symbol.kind.is_type() && symbol.flags & flags::PARAMETER == 0
}

pub(super) fn holds_members(kind: SymbolKind) -> bool {
    kind.is_type() || kind.is_namespace() || kind == SymbolKind::Import
}

pub(super) fn is_callable(symbol: &Symbol) -> bool {
    matches!(
        symbol.kind,
        SymbolKind::Method | SymbolKind::Function | SymbolKind::Constructor
    )
}

/// The type or namespace that has the symbol as a member.
pub(super) fn holder(symbol: &Symbol, types: &Types) -> Option<TypeKey> {
    match (symbol.owner, symbol.holder) {
        _ if symbol.flags & (flags::LOCAL | flags::PARAMETER) != 0 => None,
        (NONE, NONE) => None,
        (owner, NONE) => Some(TypeKey::Name(owner)),
        (_, holder) => Some(TypeKey::Row(types.first(holder))),
    }
}
