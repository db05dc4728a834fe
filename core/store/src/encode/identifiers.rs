//! The `identifier` table: by far the most rows, so this is the code that decides how fast a load is.
//!
//! The rows of a batch are sorted by name. Each name then has one range of rowids a batch, kept in `name_use`, and the
//! index from names to identifiers has a tenth of the entries that one over every row would have.

use std::hash::Hasher;

use arrow_array::StringArray;
use rustc_hash::FxHasher;

use super::classes::{Class, equal_text, hash_text};
use super::files::FileKeys;
use super::symbol_keys::SymbolKeys;
use super::{Encoder, Progress, finish, too_many};
use crate::StoreError;
use crate::contract::Columns;
use crate::image::{Image, Record};

/// The columns of `identifiers` with few values.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdentifierClass<'a> {
    kind: &'a str,
    language: &'a str,
    access: &'a str,
    resolution: &'a str,
    confidence: f32,
}

impl Class for IdentifierClass<'_> {
    type Owned = (String, String, String, String, f32);

    #[inline]
    fn hash(&self, hasher: &mut FxHasher) {
        hash_text(hasher, self.kind);
        hash_text(hasher, self.language);
        hash_text(hasher, self.access);
        hash_text(hasher, self.resolution);
        hasher.write_u32(self.confidence.to_bits());
    }

    #[inline]
    fn equals(&self, (kind, language, access, resolution, confidence): &Self::Owned) -> bool {
        equal_text(self.kind, kind)
            && equal_text(self.language, language)
            && equal_text(self.access, access)
            && equal_text(self.resolution, resolution)
            && self.confidence.to_bits() == confidence.to_bits()
    }

    fn to_owned(&self) -> Self::Owned {
        (
            self.kind.into(),
            self.language.into(),
            self.access.into(),
            self.resolution.into(),
            self.confidence,
        )
    }

    fn write((kind, language, access, resolution, confidence): &Self::Owned, record: &mut Record) {
        for text in [kind, language, access, resolution] {
            record.text(text.as_bytes());
        }
        record.real(f64::from(*confidence));
    }
}

/// A row as it is read from the Arrow columns in their order, before the sort, after which rows are taken from all
/// over the batch: one cache line holds all there is to know of one.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Row {
    id: [u8; ID],
    /// The length of the id; 0 for one that does not fit and is to be had from its column.
    id_length: u8,
    class: u32,
    file: u32,
    start_line: u32,
    start_column: u32,
    start_byte: u32,
    /// Bytes, or [`ODD`].
    length: u32,
    /// 0 for none.
    container: u32,
    /// 0 for none.
    target: u32,
}

/// Room for an id: 128 bits as base64url take 22 bytes.
const ID: usize = 24;

/// The length of an identifier that does not end on its first line at its start plus its length. Its end is in
/// `identifier_end`.
const ODD: u32 = u32::MAX;

/// Rows that are read together: 32 KiB of them, which stay in the cache from column to column.
const BLOCK: usize = 512;

/// How many rows ahead of its use a row is fetched into the cache: a miss takes about as long as a few rows.
const PREFETCH: usize = 16;

/// Asks for a row to be fetched. Without it, waiting for memory is a tenth of a load.
#[inline(always)]
fn prefetch(row: &Row) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint: nothing is read or written, and any address is allowed. SSE is part of x86-64.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch(std::ptr::from_ref(row).cast(), _MM_HINT_T0);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}

/// Memory reused from batch to batch.
#[derive(Debug, Default)]
pub(super) struct IdentifierScratch {
    rows: Vec<Row>,
    /// Name in the upper half, row in the lower.
    order: Vec<u64>,
}

impl Encoder {
    pub(super) fn encode_identifiers<'a>(
        &mut self,
        table: Columns<'a>,
        files: &FileKeys<'a>,
        keys: &mut SymbolKeys<'a>,
        image: &mut Image,
        progress: &mut Progress,
    ) -> Result<(), StoreError> {
        let end_line = table.numbers("end_line");
        let end_column = table.numbers("end_column");
        let end_byte = table.numbers("end_byte");
        let id = table.text("id");
        self.read_identifiers(&table, [end_line, end_column, end_byte], files, keys)?;
        self.scratch.order.sort_unstable();

        let IdentifierScratch { rows, order } = &self.scratch;
        let record = &mut self.record;
        let mut identifiers = image.table();
        let mut ends = image.table();
        let mut uses = image.table();
        let mut rowid = progress.counts.identifiers as i64;
        let mut ahead = order.iter().skip(PREFETCH);
        for group in order.chunk_by(|a, b| a >> 32 == b >> 32) {
            let first = rowid + 1;
            for &entry in group {
                if let Some(&entry) = ahead.next() {
                    prefetch(&rows[entry as u32 as usize]);
                }
                let index = entry as u32 as usize;
                let row = &rows[index];
                rowid += 1;
                record.clear();
                match usize::from(row.id_length) {
                    0 => record.text(id.value(index).as_bytes()),
                    length => record.text(&row.id[..length]),
                }
                record.number(row.class);
                record.number(row.file);
                record.number(row.start_line);
                record.number(row.start_column);
                record.number(row.start_byte);
                record.optional_number((row.length != ODD).then_some(row.length));
                record.optional_number((row.container != 0).then_some(row.container));
                record.optional_number((row.target != 0).then_some(row.target));
                image.push(&mut identifiers, rowid, record);
                if row.length == ODD {
                    record.clear();
                    record.null();
                    record.number(end_line[index]);
                    record.number(end_column[index]);
                    record.number(end_byte[index]);
                    image.push(&mut ends, rowid, record);
                }
            }
            record.clear();
            record.int((group[0] >> 32) as i64);
            record.int(first);
            record.int(rowid);
            progress.name_uses += 1;
            image.push(&mut uses, progress.name_uses as i64, record);
        }
        finish(image, "identifier", identifiers);
        finish(image, "identifier_end", ends);
        finish(image, "name_use", uses);
        progress.counts.identifiers += table.rows() as u64;
        Ok(())
    }

    /// Fills the scratch memory with the rows and their names, block after block and within a block column after
    /// column: in a short loop over one column the processor waits for several cache misses at once.
    fn read_identifiers<'a>(
        &mut self,
        table: &Columns<'a>,
        [end_line, end_column, end_byte]: [&[u32]; 3],
        files: &FileKeys<'a>,
        keys: &mut SymbolKeys<'a>,
    ) -> Result<(), StoreError> {
        let id = table.text("id");
        let name = table.text("name");
        let texts: [&StringArray; 4] = [
            table.text("kind"),
            table.text("language"),
            table.text("access"),
            table.text("resolution"),
        ];
        let confidence = table.reals("confidence");
        let start_line = table.numbers("start_line");
        let start_column = table.numbers("start_column");
        let start_byte = table.numbers("start_byte");
        let mut file = files.lookup(table, table.text("file_path"));
        let mut container = keys.lookup(table.text("containing_symbol_id"));
        let mut target = keys.lookup(table.text("target_symbol_id"));
        let count =
            u32::try_from(table.rows()).map_err(|_| too_many("identifiers in one batch"))?;

        let IdentifierScratch { rows, order } = &mut self.scratch;
        rows.clear();
        order.clear();
        let count = count as usize;
        for start in (0..count).step_by(BLOCK) {
            let block = start..count.min(start + BLOCK);
            rows.extend(block.clone().map(|row| {
                let length = end_byte[row].wrapping_sub(start_byte[row]);
                let plain = end_line[row] == start_line[row]
                    && start_byte[row] <= end_byte[row]
                    && start_column[row].checked_add(length) == Some(end_column[row]);
                let text = id.value(row).as_bytes();
                let mut id = [0; ID];
                let id_length = if text.len() <= ID { text.len() } else { 0 };
                id[..id_length].copy_from_slice(&text[..id_length]);
                Row {
                    id,
                    id_length: id_length as u8,
                    class: 0,
                    file: 0,
                    start_line: start_line[row],
                    start_column: start_column[row],
                    start_byte: start_byte[row],
                    length: if plain { length } else { ODD },
                    container: 0,
                    target: 0,
                }
            }));
            let new = &mut rows[start..];
            for (at, row) in new.iter_mut().enumerate() {
                let [kind, language, access, resolution] =
                    texts.map(|column| column.value(start + at));
                let confidence = confidence[start + at];
                let class = IdentifierClass {
                    kind,
                    language,
                    access,
                    resolution,
                    confidence,
                };
                row.class = self.identifier_classes.intern(class);
            }
            for (at, row) in new.iter_mut().enumerate() {
                row.file = file.key(start + at)?;
            }
            for (at, row) in new.iter_mut().enumerate() {
                row.container = container.key(keys, start + at)?.unwrap_or(0);
            }
            for (at, row) in new.iter_mut().enumerate() {
                row.target = target.key(keys, start + at)?.unwrap_or(0);
            }
            for row in block {
                let name = self
                    .names
                    .intern(name.value(row))
                    .ok_or_else(|| too_many("names"))?;
                order.push(u64::from(name) << 32 | row as u64);
            }
        }
        Ok(())
    }
}
