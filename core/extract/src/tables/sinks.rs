//! Where columns go: once to be measured, once to be written.

use crate::facts::Id;
use crate::ids::{ID_LEN, encode};

use super::{MAX_COLUMNS, Regions, TableSize};

/// Receives what one file adds to a table, column after column: once to measure, once to write.
pub(super) trait Sink {
    /// As many rows follow, in every column.
    fn begin(&mut self, rows: usize);
    fn texts<'f>(&mut self, column: usize, texts: impl Iterator<Item = &'f [u8]>);
    /// Texts of which the empty ones are null.
    fn texts_or_null<'f>(&mut self, column: usize, texts: impl Iterator<Item = &'f [u8]>);
    /// One text for all rows.
    fn same(&mut self, column: usize, text: &[u8]);
    fn ids<'f>(&mut self, column: usize, ids: impl Iterator<Item = &'f Id>);
    fn ids_or_null<'f>(&mut self, column: usize, ids: impl Iterator<Item = Option<&'f Id>>);
    fn words(&mut self, column: usize, words: impl Iterator<Item = u32>);
    fn words_or_null(&mut self, column: usize, words: impl Iterator<Item = Option<u32>>);
    fn end(&mut self);
}

/// Measures: counts rows and the bytes of text.
pub(super) struct Measure<'a> {
    pub(super) size: &'a mut TableSize,
    pub(super) rows: usize,
}

impl Sink for Measure<'_> {
    fn begin(&mut self, rows: usize) {
        self.rows = rows;
    }

    fn texts<'f>(&mut self, column: usize, texts: impl Iterator<Item = &'f [u8]>) {
        self.size.bytes[column] += texts.map(<[u8]>::len).sum::<usize>();
    }

    fn texts_or_null<'f>(&mut self, column: usize, texts: impl Iterator<Item = &'f [u8]>) {
        self.texts(column, texts);
    }

    fn same(&mut self, column: usize, text: &[u8]) {
        self.size.bytes[column] += text.len() * self.rows;
    }

    fn ids<'f>(&mut self, column: usize, _: impl Iterator<Item = &'f Id>) {
        self.size.bytes[column] += ID_LEN * self.rows;
    }

    fn ids_or_null<'f>(&mut self, column: usize, ids: impl Iterator<Item = Option<&'f Id>>) {
        self.size.bytes[column] += ID_LEN * ids.flatten().count();
    }

    fn words(&mut self, _: usize, _: impl Iterator<Item = u32>) {}
    fn words_or_null(&mut self, _: usize, _: impl Iterator<Item = Option<u32>>) {}

    fn end(&mut self) {
        self.size.rows += self.rows;
    }
}

/// Writes the columns of one table into their regions.
pub(super) struct TableWriter<'a> {
    columns: Vec<ColumnWriter<'a>>,
    row: usize,
    rows: usize,
}

impl<'a> TableWriter<'a> {
    pub(super) fn new(plan: &[Regions], block: &'a mut [u8]) -> Self {
        let mut rest = block;
        let mut position = 0;
        let mut carve = |(start, len): (usize, usize)| -> &'a mut [u8] {
            let (_, tail) = std::mem::take(&mut rest).split_at_mut(start - position);
            let (region, tail) = tail.split_at_mut(len);
            rest = tail;
            position = start + len;
            region
        };
        let columns = plan
            .iter()
            .map(|regions| {
                let words = carve(regions.words).as_chunks_mut().0;
                let text = carve(regions.text);
                let validity = carve(regions.validity);
                validity.fill(0xff);
                if let Some(first) = words.first_mut() {
                    *first = [0; 4];
                }
                ColumnWriter {
                    words,
                    text,
                    at: 0,
                    validity,
                    nulls: 0,
                }
            })
            .collect();
        Self {
            columns,
            row: 0,
            rows: 0,
        }
    }

    pub(super) fn nulls(&self) -> [usize; MAX_COLUMNS] {
        let mut nulls = [0; MAX_COLUMNS];
        for (count, column) in nulls.iter_mut().zip(&self.columns) {
            *count = column.nulls;
        }
        nulls
    }
}

impl Sink for TableWriter<'_> {
    fn begin(&mut self, rows: usize) {
        self.rows = rows;
    }

    #[inline]
    fn texts<'f>(&mut self, column: usize, texts: impl Iterator<Item = &'f [u8]>) {
        let column = &mut self.columns[column];
        for (row, text) in (self.row..).zip(texts) {
            column.push(row, text);
        }
    }

    #[inline]
    fn texts_or_null<'f>(&mut self, column: usize, texts: impl Iterator<Item = &'f [u8]>) {
        let column = &mut self.columns[column];
        for (row, text) in (self.row..).zip(texts) {
            if text.is_empty() {
                column.push_null(row);
            } else {
                column.push(row, text);
            }
        }
    }

    fn same(&mut self, column: usize, text: &[u8]) {
        let ColumnWriter {
            words,
            text: bytes,
            at,
            ..
        } = &mut self.columns[column];
        let start = *at;
        *at += text.len() * self.rows;
        let (bytes, ends) = (
            &mut bytes[start..*at],
            &mut words[self.row + 1..][..self.rows],
        );
        for (number, end) in (1..).zip(ends) {
            *end = ((start + number * text.len()) as u32).to_ne_bytes();
        }
        // What has been written is copied behind itself, twice as much each time.
        let mut written = text.len().min(bytes.len());
        bytes[..written].copy_from_slice(&text[..written]);
        while written < bytes.len() {
            let more = written.min(bytes.len() - written);
            bytes.copy_within(..more, written);
            written += more;
        }
    }

    #[inline]
    fn ids<'f>(&mut self, column: usize, ids: impl Iterator<Item = &'f Id>) {
        let column = &mut self.columns[column];
        for (row, id) in (self.row..).zip(ids) {
            column.push(row, &encode(id));
        }
    }

    #[inline]
    fn ids_or_null<'f>(&mut self, column: usize, ids: impl Iterator<Item = Option<&'f Id>>) {
        let column = &mut self.columns[column];
        // Rows that stand together mostly name the same symbol.
        let mut last: Option<(&Id, [u8; ID_LEN])> = None;
        for (row, id) in (self.row..).zip(ids) {
            let Some(id) = id else {
                column.push_null(row);
                continue;
            };
            let text = match last {
                Some((of, text)) if std::ptr::eq(of, id) => text,
                _ => encode(id),
            };
            last = Some((id, text));
            column.push(row, &text);
        }
    }

    #[inline]
    fn words(&mut self, column: usize, words: impl Iterator<Item = u32>) {
        let places = &mut self.columns[column].words[self.row..];
        for (place, word) in places.iter_mut().zip(words) {
            *place = word.to_ne_bytes();
        }
    }

    #[inline]
    fn words_or_null(&mut self, column: usize, words: impl Iterator<Item = Option<u32>>) {
        let column = &mut self.columns[column];
        for (row, word) in (self.row..).zip(words) {
            match word {
                Some(word) => column.words[row] = word.to_ne_bytes(),
                None => column.set_null(row),
            }
        }
    }

    fn end(&mut self) {
        self.row += self.rows;
    }
}

struct ColumnWriter<'a> {
    words: &'a mut [[u8; 4]],
    text: &'a mut [u8],
    at: usize,
    validity: &'a mut [u8],
    nulls: usize,
}

impl ColumnWriter<'_> {
    /// Writes text that ends row `row`.
    fn push(&mut self, row: usize, text: &[u8]) {
        let end = self.at + text.len();
        copy(&mut self.text[self.at..end], text);
        self.at = end;
        self.words[row + 1] = (end as u32).to_ne_bytes();
    }

    fn push_null(&mut self, row: usize) {
        self.set_null(row);
        self.words[row + 1] = (self.at as u32).to_ne_bytes();
    }

    fn set_null(&mut self, row: usize) {
        self.validity[row / 8] &= !(1 << (row % 8));
        self.nulls += 1;
    }
}

/// Copies a text, which mostly is shorter than the call of a routine that copies any length is worth.
#[inline]
fn copy(to: &mut [u8], text: &[u8]) {
    debug_assert_eq!(to.len(), text.len());
    fn ends<const N: usize>(to: &mut [u8], text: &[u8]) -> bool {
        let (Some(first), Some(last)) = (text.first_chunk::<N>(), text.last_chunk::<N>()) else {
            return false;
        };
        // The two may overlap, with the same bytes.
        if let Some(to) = to.first_chunk_mut() {
            *to = *first;
        }
        if let Some(to) = to.last_chunk_mut() {
            *to = *last;
        }
        true
    }
    match text.len() {
        0 => {}
        1..=3 => to.copy_from_slice(text),
        4..=7 => _ = ends::<4>(to, text),
        8..=16 => _ = ends::<8>(to, text),
        17..=32 => _ = ends::<16>(to, text),
        _ => to.copy_from_slice(text),
    }
}
