//! The `symbol` table.

use arrow_array::StringArray;
use rustc_hash::FxHasher;
use std::hash::Hasher;

use super::classes::{Class, equal_text, hash_text};
use super::files::FileKeys;
use super::symbol_keys::SymbolKeys;
use super::{Encoder, Progress, finish, too_many};
use crate::StoreError;
use crate::contract::{Columns, optional};
use crate::image::{Image, Record};

/// The columns of `symbols` with few values.
#[derive(Debug, Clone, Copy)]
pub(super) struct SymbolClass<'a> {
    kind: &'a str,
    language: &'a str,
    visibility: Option<&'a str>,
    flags: u32,
}

impl Class for SymbolClass<'_> {
    type Owned = (String, String, Option<String>, u32);

    fn hash(&self, hasher: &mut FxHasher) {
        hash_text(hasher, self.kind);
        hash_text(hasher, self.language);
        hasher.write_u8(self.visibility.is_some().into());
        hash_text(hasher, self.visibility.unwrap_or_default());
        hasher.write_u32(self.flags);
    }

    fn equals(&self, (kind, language, visibility, flags): &Self::Owned) -> bool {
        equal_text(self.kind, kind)
            && equal_text(self.language, language)
            && self.visibility == visibility.as_deref()
            && self.flags == *flags
    }

    fn to_owned(&self) -> Self::Owned {
        (
            self.kind.into(),
            self.language.into(),
            self.visibility.map(str::to_owned),
            self.flags,
        )
    }

    fn write((kind, language, visibility, flags): &Self::Owned, record: &mut Record) {
        record.text(kind.as_bytes());
        record.text(language.as_bytes());
        record.optional_text(visibility.as_deref().map(str::as_bytes));
        record.number(*flags);
    }
}

struct SymbolColumns<'a> {
    id: &'a StringArray,
    name: &'a StringArray,
    kind: &'a StringArray,
    language: &'a StringArray,
    start_line: &'a [u32],
    end_line: &'a [u32],
    signature: &'a StringArray,
    doc_comment: &'a StringArray,
    parent_id: &'a StringArray,
    code_context: &'a StringArray,
    start_column: &'a [u32],
    end_column: &'a [u32],
    start_byte: &'a [u32],
    end_byte: &'a [u32],
    qualified_name: &'a StringArray,
    visibility: &'a StringArray,
    flags: &'a [u32],
}

/// The symbols of one batch, in the order of their keys.
pub(super) struct Symbols<'a> {
    columns: SymbolColumns<'a>,
    /// The row and the file of each symbol: the files' symbols stand together.
    order: Vec<(u32, usize)>,
    /// The key of the first; the others follow without a gap.
    first: u32,
}

impl<'a> Symbols<'a> {
    pub(super) fn new(
        table: Columns<'a>,
        files: &mut FileKeys<'a>,
        progress: &mut Progress,
    ) -> Result<Self, StoreError> {
        let columns = SymbolColumns {
            id: table.text("id"),
            name: table.text("name"),
            kind: table.text("kind"),
            language: table.text("language"),
            start_line: table.numbers("start_line"),
            end_line: table.numbers("end_line"),
            signature: table.text("signature"),
            doc_comment: table.text("doc_comment"),
            parent_id: table.text("parent_id"),
            code_context: table.text("code_context"),
            start_column: table.numbers("start_column"),
            end_column: table.numbers("end_column"),
            start_byte: table.numbers("start_byte"),
            end_byte: table.numbers("end_byte"),
            qualified_name: table.text("qualified_name"),
            visibility: table.text("visibility"),
            flags: table.numbers("flags"),
        };
        let rows = table.rows();
        let mut order = Vec::with_capacity(rows);
        let mut lookup = files.lookup(&table, table.text("file_path"));
        for row in 0..rows {
            order.push((lookup.key(row)?, row));
        }
        // Stable and, as tables come file by file, mostly nothing to do.
        order.sort_by_key(|&(file, _)| file);
        let first = progress
            .symbol_keys
            .checked_add(1)
            .ok_or_else(|| too_many("symbols"))?;
        let mut key = i64::from(first);
        for group in order.chunk_by(|a, b| a.0 == b.0) {
            files.set_symbols(group[0].0, key, key + group.len() as i64 - 1);
            key += group.len() as i64;
        }
        progress.counts.symbols += rows as u64;
        Ok(Self {
            columns,
            order,
            first,
        })
    }

    /// The keys of the symbols by id.
    pub(super) fn keys(&self) -> Result<SymbolKeys<'a>, StoreError> {
        let ids = self
            .order
            .iter()
            .map(|&(_, row)| self.columns.id.value(row));
        SymbolKeys::new(ids.collect(), self.first)
    }
}

impl Encoder {
    pub(super) fn encode_symbols<'a>(
        &mut self,
        symbols: &Symbols<'a>,
        keys: &mut SymbolKeys<'a>,
        image: &mut Image,
    ) -> Result<(), StoreError> {
        let mut table = image.table();
        let mut parents = keys.lookup(symbols.columns.parent_id);
        for index in 0..symbols.order.len() {
            let (file, row) = symbols.order[index];
            let parent = parents.key(keys, row)?;
            let columns = &symbols.columns;
            let class = self.symbol_classes.intern(SymbolClass {
                kind: columns.kind.value(row),
                language: columns.language.value(row),
                visibility: optional(columns.visibility, row),
                flags: columns.flags[row],
            });
            let name = self
                .names
                .intern(columns.name.value(row))
                .ok_or_else(|| too_many("names"))?;
            let record = &mut self.record;
            record.clear();
            record.null();
            record.text(columns.id.value(row).as_bytes());
            for number in [
                name,
                class,
                file,
                columns.start_line[row],
                columns.end_line[row],
                columns.start_column[row],
                columns.end_column[row],
                columns.start_byte[row],
                columns.end_byte[row],
            ] {
                record.number(number);
            }
            record.optional_number(parent);
            record.text(columns.qualified_name.value(row).as_bytes());
            for text in [columns.signature, columns.doc_comment, columns.code_context] {
                record.optional_text(optional(text, row).map(str::as_bytes));
            }
            image.push(&mut table, i64::from(symbols.first) + index as i64, record);
        }
        finish(image, "symbol", table);
        Ok(())
    }
}
