//! From facts to the five tables: measure every column, take one block, fill it.

use std::iter;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, RecordBatch, StringArray, UInt32Array};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, SchemaRef};

use crate::ExtractionBatch;
use crate::facts::{FileFacts, Id, Symbol};
use crate::ids::{ID_LEN, encode};
use crate::model::{self, Visibility};
use bowstring_block::{ALIGNMENT, BlockPool};

/// Tables in a batch.
const TABLES: usize = 5;
/// Columns of the widest table.
const MAX_COLUMNS: usize = 18;

/// What a column of one table takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableSize {
    /// Rows.
    pub rows: usize,
    /// Bytes of text by column.
    pub bytes: [usize; MAX_COLUMNS],
}

/// What a batch takes, by table in the order of [`ExtractionBatch`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes([TableSize; TABLES]);

impl Sizes {
    /// What the rows of one file take.
    pub fn of(facts: &FileFacts) -> Self {
        let mut sizes = Self::default();
        for (at, size) in sizes.0.iter_mut().enumerate() {
            emit(at, facts, &mut Measure { size, rows: 0 });
        }
        sizes
    }

    /// What both take together.
    pub fn plus(&self, other: &Self) -> Self {
        let mut sum = *self;
        for (table, other) in sum.0.iter_mut().zip(&other.0) {
            table.rows += other.rows;
            for (bytes, other) in table.bytes.iter_mut().zip(&other.bytes) {
                *bytes += other;
            }
        }
        sum
    }

    /// Rows of the longest table.
    pub fn max_rows(&self) -> usize {
        self.0.iter().map(|table| table.rows).max().unwrap_or(0)
    }

    /// Bytes of the largest column.
    pub fn max_column_bytes(&self) -> usize {
        let texts = self
            .0
            .iter()
            .flat_map(|table| table.bytes)
            .max()
            .unwrap_or(0);
        texts.max((self.max_rows() + 1) * 4)
    }
}

/// The tables about these files, in one block; `None` when there is no memory for it.
pub fn assemble(
    files: &[FileFacts],
    sizes: &Sizes,
    pool: &Arc<BlockPool>,
) -> Option<ExtractionBatch> {
    let schemas: [&SchemaRef; TABLES] = [
        &model::SYMBOLS,
        &model::IDENTIFIERS,
        &model::RELATIONSHIPS,
        &model::FILES,
        &model::ERRORS,
    ];
    let mut len = 0;
    let plans: Vec<Vec<Regions>> = schemas
        .iter()
        .zip(&sizes.0)
        .map(|(schema, size)| plan(schema, size, &mut len))
        .collect();
    let mut block = pool.take(len)?;
    let mut nulls = [[0; MAX_COLUMNS]; TABLES];
    for (table, plan) in plans.iter().enumerate() {
        let mut writer = TableWriter::new(plan, block.bytes_mut());
        for file in files {
            emit(table, file, &mut writer);
        }
        nulls[table] = writer.nulls();
    }
    let block = block.freeze(len);
    let mut tables =
        schemas
            .into_iter()
            .zip(&sizes.0)
            .enumerate()
            .map(|(table, (schema, size))| {
                finish(schema, size.rows, &plans[table], &nulls[table], &block)
            });
    let mut next = || tables.next().expect("five tables");
    Some(ExtractionBatch {
        symbols: next(),
        identifiers: next(),
        relationships: next(),
        files: next(),
        errors: next(),
    })
}

/// Where the buffers of one column lie in the block.
#[derive(Debug, Clone, Copy, Default)]
struct Regions {
    /// 4-byte values, or offsets of a text column.
    words: (usize, usize),
    text: (usize, usize),
    validity: (usize, usize),
}

fn plan(schema: &SchemaRef, size: &TableSize, len: &mut usize) -> Vec<Regions> {
    let mut region = |bytes: usize| {
        let start = *len;
        *len += bytes.next_multiple_of(ALIGNMENT);
        (start, bytes)
    };
    let rows = size.rows;
    let column = |(at, field): (usize, &Arc<arrow_schema::Field>)| {
        let is_text = field.data_type() == &DataType::Utf8;
        Regions {
            words: region((rows + usize::from(is_text)) * 4),
            text: region(size.bytes[at]),
            validity: region(if field.is_nullable() {
                rows.div_ceil(8)
            } else {
                0
            }),
        }
    };
    schema.fields().iter().enumerate().map(column).collect()
}

/// Receives what one file adds to a table, column after column: once to measure, once to write.
trait Sink {
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
struct Measure<'a> {
    size: &'a mut TableSize,
    rows: usize,
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
struct TableWriter<'a> {
    columns: Vec<ColumnWriter<'a>>,
    row: usize,
    rows: usize,
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
        self.text[self.at..end].copy_from_slice(text);
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

impl<'a> TableWriter<'a> {
    fn new(plan: &[Regions], block: &'a mut [u8]) -> Self {
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

    fn nulls(&self) -> [usize; MAX_COLUMNS] {
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

    fn texts<'f>(&mut self, column: usize, texts: impl Iterator<Item = &'f [u8]>) {
        let column = &mut self.columns[column];
        for (row, text) in (self.row..).zip(texts) {
            column.push(row, text);
        }
    }

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

    fn ids<'f>(&mut self, column: usize, ids: impl Iterator<Item = &'f Id>) {
        let column = &mut self.columns[column];
        for (row, id) in (self.row..).zip(ids) {
            column.push(row, &encode(id));
        }
    }

    fn ids_or_null<'f>(&mut self, column: usize, ids: impl Iterator<Item = Option<&'f Id>>) {
        let column = &mut self.columns[column];
        for (row, id) in (self.row..).zip(ids) {
            match id {
                Some(id) => column.push(row, &encode(id)),
                None => column.push_null(row),
            }
        }
    }

    fn words(&mut self, column: usize, words: impl Iterator<Item = u32>) {
        let places = &mut self.columns[column].words[self.row..];
        for (place, word) in places.iter_mut().zip(words) {
            *place = word.to_ne_bytes();
        }
    }

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

fn finish(
    schema: &SchemaRef,
    rows: usize,
    plan: &[Regions],
    nulls: &[usize; MAX_COLUMNS],
    block: &Buffer,
) -> RecordBatch {
    let slice = |(start, len): (usize, usize)| block.slice_with_length(start, len);
    let column = |(at, field): (usize, &Arc<arrow_schema::Field>)| -> ArrayRef {
        let regions = &plan[at];
        let validity = (nulls[at] > 0).then(|| {
            NullBuffer::new(arrow_buffer::BooleanBuffer::new(
                slice(regions.validity),
                0,
                rows,
            ))
        });
        let words = slice(regions.words);
        match field.data_type() {
            DataType::Utf8 => {
                let offsets = ScalarBuffer::new(words, 0, rows + 1);
                // SAFETY: the writer starts at 0 and only moves on, within text that the plan bounds to `i32`.
                let offsets = unsafe { OffsetBuffer::new_unchecked(offsets) };
                // SAFETY: each value is a static word, an ASCII id, or text of a file: bytes of UTF-8 source between
                // token, line or character boundaries, or text that was decoded with replacement.
                let array =
                    unsafe { StringArray::new_unchecked(offsets, slice(regions.text), validity) };
                debug_assert!(arrow_array::Array::to_data(&array).validate_full().is_ok());
                Arc::new(array)
            }
            DataType::Float32 => Arc::new(Float32Array::new(
                ScalarBuffer::new(words, 0, rows),
                validity,
            )),
            _ => Arc::new(UInt32Array::new(
                ScalarBuffer::new(words, 0, rows),
                validity,
            )),
        }
    };
    let columns = schema.fields().iter().enumerate().map(column).collect();
    RecordBatch::try_new(schema.clone(), columns).expect("columns are built from the schema")
}

/// Gives what one file adds to one table to a sink, columns in the schema's order.
fn emit(table: usize, facts: &FileFacts, sink: &mut impl Sink) {
    match table {
        0 => symbols(facts, sink),
        1 => identifiers(facts, sink),
        2 => relationships(facts, sink),
        3 => files(facts, sink),
        _ => errors(facts, sink),
    }
}

fn symbols(facts: &FileFacts, sink: &mut impl Sink) {
    let Some(content) = &facts.content else {
        return;
    };
    let symbols = facts.symbols.iter();
    let rows = || symbols.clone();
    sink.begin(symbols.len());
    sink.ids(0, rows().map(|symbol| &symbol.id));
    sink.texts(1, rows().map(|symbol| facts.name(symbol.name)));
    sink.texts(2, rows().map(|symbol| symbol.kind.as_str().as_bytes()));
    sink.same(3, content.language.as_bytes());
    sink.same(4, facts.path.as_bytes());
    sink.words(5, rows().map(|symbol| symbol.start_line));
    sink.words(6, rows().map(|symbol| symbol.end_line));
    sink.texts_or_null(7, rows().map(|symbol| facts.text(symbol.signature)));
    sink.texts_or_null(8, rows().map(|symbol| facts.text(symbol.doc_comment)));
    sink.ids_or_null(9, rows().map(|symbol| facts.symbol_id(symbol.parent)));
    sink.texts_or_null(10, rows().map(|symbol| facts.text(symbol.code_context)));
    sink.words(11, rows().map(|symbol| symbol.start_column));
    sink.words(12, rows().map(|symbol| symbol.end_column));
    sink.words(13, rows().map(|symbol| symbol.start_byte));
    sink.words(14, rows().map(|symbol| symbol.end_byte));
    sink.texts(15, rows().map(|symbol| facts.text(symbol.qualified_name)));
    let visibility = |symbol: &Symbol| symbol.visibility.map_or("", Visibility::as_str).as_bytes();
    sink.texts_or_null(16, rows().map(visibility));
    sink.words(17, rows().map(|symbol| symbol.flags));
    sink.end();
}

fn identifiers(facts: &FileFacts, sink: &mut impl Sink) {
    let Some(content) = &facts.content else {
        return;
    };
    let identifiers = facts.identifiers.iter();
    let rows = || identifiers.clone();
    sink.begin(identifiers.len());
    sink.ids(0, rows().map(|row| &row.id));
    sink.texts(1, rows().map(|row| facts.name(row.name)));
    sink.texts(2, rows().map(|row| row.kind.as_str().as_bytes()));
    sink.same(3, content.language.as_bytes());
    sink.same(4, facts.path.as_bytes());
    sink.words(5, rows().map(|row| row.line));
    sink.words(6, rows().map(|row| row.column));
    sink.words(7, rows().map(|row| row.end_line));
    sink.words(8, rows().map(|row| row.end_column));
    sink.ids_or_null(9, rows().map(|row| facts.symbol_id(row.containing)));
    sink.ids_or_null(10, rows().map(|row| facts.symbol_id(row.target)));
    sink.words(11, rows().map(|row| row.resolution.confidence().to_bits()));
    sink.words(12, rows().map(|row| row.start_byte));
    sink.words(13, rows().map(|row| row.end_byte));
    sink.texts(14, rows().map(|row| row.access.as_str().as_bytes()));
    sink.texts(15, rows().map(|row| row.resolution.as_str().as_bytes()));
    sink.end();
}

fn relationships(facts: &FileFacts, sink: &mut impl Sink) {
    let relationships = facts.relationships.iter();
    let rows = || relationships.clone();
    sink.begin(relationships.len());
    sink.ids(0, rows().map(|row| &row.id));
    sink.ids(1, rows().map(|row| &facts.symbols[row.from as usize].id));
    sink.ids_or_null(2, rows().map(|row| facts.symbol_id(row.to)));
    sink.texts(3, rows().map(|row| facts.text(row.to_name)));
    sink.texts(4, rows().map(|row| row.kind.as_str().as_bytes()));
    sink.same(5, facts.path.as_bytes());
    sink.words(6, rows().map(|row| row.line));
    sink.words(7, rows().map(|row| row.confidence.to_bits()));
    sink.end();
}

fn files(facts: &FileFacts, sink: &mut impl Sink) {
    let Some(content) = &facts.content else {
        return;
    };
    sink.begin(1);
    sink.same(0, facts.path.as_bytes());
    sink.same(1, content.language.as_bytes());
    match content.shown() {
        Some(text) => sink.same(2, text),
        None => sink.texts_or_null(2, iter::once(&[][..])),
    }
    sink.same(3, &hex(&content.hash));
    sink.words(4, iter::once(content.size));
    sink.words(5, iter::once(content.line_count));
    sink.words(6, iter::once(content.parse_error_count));
    sink.end();
}

fn errors(facts: &FileFacts, sink: &mut impl Sink) {
    let errors = facts.errors.iter();
    let rows = || errors.clone();
    sink.begin(errors.len());
    sink.same(0, facts.path.as_bytes());
    sink.texts(1, rows().map(|error| error.severity.as_str().as_bytes()));
    sink.texts(2, rows().map(|error| error.stage.as_bytes()));
    sink.texts(3, rows().map(|error| error.code.as_bytes()));
    sink.texts(4, rows().map(|error| error.message.as_bytes()));
    sink.words_or_null(5, rows().map(|error| error.byte_offset));
    sink.end();
}

fn hex(hash: &[u8; 32]) -> [u8; 64] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = [0; 64];
    for (at, byte) in hash.iter().enumerate() {
        out[2 * at] = DIGITS[(byte >> 4) as usize];
        out[2 * at + 1] = DIGITS[(byte & 15) as usize];
    }
    out
}
