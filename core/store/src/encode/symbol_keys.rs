//! The keys by which the tables know a symbol.

use arrow_array::{Array, StringArray};

use super::slots::Slots;
use super::too_many;
use crate::StoreError;

/// The keys of the ids in one batch.
///
/// The table from ids to keys lives as long as the batch, so memory does not grow with the repository. An id that names
/// no symbol of the batch (today no reference leaves its file) gets a key too, whose row in `other_symbol` holds the
/// id itself: the views give it back unchanged, and a later step may look it up once all symbols are there.
pub(super) struct SymbolKeys<'a> {
    /// The ids in the order of their keys: first those of the batch's symbols, then the others.
    ids: Vec<&'a str>,
    symbols: usize,
    /// The key of the first id.
    first: u32,
    /// From ids to their index in `ids`, counted from 1.
    slots: Slots,
}

impl<'a> SymbolKeys<'a> {
    /// `ids` are those of the batch's symbols, whose keys start at `first`. Of two with one id, the first is meant.
    pub(super) fn new(ids: Vec<&'a str>, first: u32) -> Result<Self, StoreError> {
        let mut keys = Self {
            symbols: ids.len(),
            ids,
            first,
            slots: Slots::default(),
        };
        if u64::from(first) + keys.symbols as u64 > u64::from(u32::MAX) {
            return Err(too_many("symbols"));
        }
        keys.rehash();
        Ok(keys)
    }

    /// Looks up a column of ids, row after row.
    pub(super) fn lookup(&self, column: &'a StringArray) -> SymbolLookup<'a> {
        SymbolLookup {
            column,
            has_nulls: column.null_count() > 0,
            last: None,
        }
    }

    /// The ids that name no symbol of the batch, with their keys in ascending order.
    pub(super) fn others(&self) -> impl Iterator<Item = (u32, &'a str)> {
        (self.first..)
            .zip(self.ids.iter().copied())
            .skip(self.symbols)
    }

    /// The greatest key given out.
    pub(super) fn last_key(&self) -> u32 {
        self.first + self.ids.len() as u32 - 1
    }

    #[inline]
    fn key(&mut self, id: &'a str) -> Result<u32, StoreError> {
        if self.slots.is_full() {
            self.rehash();
        }
        let index = match self
            .slots
            .find(id.as_bytes(), |index| text(&self.ids, index))
        {
            Ok(index) => index,
            Err(vacant) => {
                if self.last_key() == u32::MAX - 1 {
                    return Err(too_many("symbols"));
                }
                self.ids.push(id);
                let index = self.ids.len() as u32;
                self.slots.insert(vacant, index);
                index
            }
        };
        Ok(self.first + index - 1)
    }

    #[cold]
    fn rehash(&mut self) {
        self.slots.reset(2 * self.ids.len());
        for index in 1..=self.ids.len() as u32 {
            let vacant = self
                .slots
                .find(text(&self.ids, index), |index| text(&self.ids, index));
            if let Err(vacant) = vacant {
                self.slots.insert(vacant, index);
            }
        }
    }
}

fn text<'a>(ids: &[&'a str], index: u32) -> &'a [u8] {
    ids[index as usize - 1].as_bytes()
}

/// Finds the key of row after row. Neighbours often have the same id, so the last answer is tried first.
pub(super) struct SymbolLookup<'a> {
    column: &'a StringArray,
    has_nulls: bool,
    last: Option<(&'a str, u32)>,
}

impl<'a> SymbolLookup<'a> {
    /// The key of the id in a row, or `None` for null.
    #[inline]
    pub(super) fn key(
        &mut self,
        keys: &mut SymbolKeys<'a>,
        row: usize,
    ) -> Result<Option<u32>, StoreError> {
        if self.has_nulls && self.column.is_null(row) {
            return Ok(None);
        }
        let id = self.column.value(row);
        match self.last {
            Some((last, key)) if last == id => Ok(Some(key)),
            _ => {
                let key = keys.key(id)?;
                self.last = Some((id, key));
                Ok(Some(key))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_and_other_ids_keep_their_keys_while_the_table_grows() {
        let texts: Vec<String> = (0..3_000).map(|index| format!("id{index}")).collect();
        let ids: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut keys = SymbolKeys::new(ids[..1_000].to_vec(), 70).unwrap();
        for _ in 0..2 {
            for (key, id) in (70..).zip(&ids) {
                assert_eq!(keys.key(id).unwrap(), key);
            }
        }
        assert_eq!(keys.last_key(), 3_069);
        let others: Vec<_> = keys.others().collect();
        assert_eq!(
            others,
            (1_070..)
                .zip(ids[1_000..].iter().copied())
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn the_numbers_run_out() {
        let error = SymbolKeys::new(vec!["a", "b"], u32::MAX - 1).err().unwrap();
        assert_eq!(
            error.to_string(),
            "an index holds at most 4294967294 symbols"
        );
        let mut keys = SymbolKeys::new(vec!["a"], u32::MAX - 1).unwrap();
        assert_eq!(keys.key("a").unwrap(), u32::MAX - 1);
        assert_eq!(
            keys.key("b").unwrap_err().to_string(),
            "an index holds at most 4294967294 symbols"
        );
    }
}
