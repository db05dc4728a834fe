//! Members that stand outside of what they are members of.

use rustc_hash::FxHashMap;

use crate::facts::{NONE, NameId, Row};
use crate::model::{SymbolKind, flags};
use crate::walk::Walked;

use super::types::Types;

/// Gives members that stand outside their type's body (Rust's `impl`, Go's methods) that type as parent.
pub(super) fn adopt_owned_symbols(walked: &mut Walked, types: &Types) {
    for row in 0..walked.symbols.len() {
        let symbol = &walked.symbols[row];
        if symbol.owner != NONE
            && let Some(owner) = types.seen_from(&walked.symbols, symbol.parent, symbol.owner)
        {
            let symbol = &mut walked.symbols[row];
            symbol.parent = owner;
            symbol.holder = owner;
        }
    }
}

/// Gives members that are assigned to a function or object of the file (`f.x = …`) that one as parent.
pub(super) fn adopt_assigned_members(walked: &mut Walked) {
    if walked.symbols.iter().all(|symbol| symbol.owner == NONE) {
        return;
    }
    let mut holders: FxHashMap<NameId, Row> = FxHashMap::default();
    for (row, symbol) in walked.symbols.iter().enumerate() {
        use SymbolKind as K;
        let holds = matches!(symbol.kind, K::Function | K::Variable | K::Constant);
        if holds
            && symbol.owner == NONE
            && symbol.parent == NONE
            && symbol.flags & flags::LOCAL == 0
        {
            holders.entry(symbol.name).or_insert(row as Row);
        }
    }
    for symbol in &mut walked.symbols {
        if symbol.owner != NONE
            && symbol.parent == NONE
            && let Some(&holder) = holders.get(&symbol.owner)
        {
            symbol.parent = holder;
        }
    }
}
