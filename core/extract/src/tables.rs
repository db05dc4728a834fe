//! From facts to the five tables: measure every column, take one block, fill it.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, RecordBatch, StringArray, UInt32Array};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, SchemaRef};

use crate::ExtractionBatch;
use crate::block::{ALIGNMENT, BlockPool};
use crate::facts::{FileFacts, Id, NONE};
use crate::ids::{ID_LEN, encode};
use crate::model::{self, IdentifierKind};

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
            emit(at, facts, size);
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
    is_text: bool,
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
            is_text,
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

/// Receives the rows of a table, column by column: once to measure, once to write.
trait Sink {
    fn text(&mut self, column: usize, text: &[u8]);
    fn null(&mut self, column: usize);
    fn word(&mut self, column: usize, word: u32);
    fn end_row(&mut self);

    fn text_or_null(&mut self, column: usize, text: &[u8]) {
        if text.is_empty() {
            self.null(column)
        } else {
            self.text(column, text)
        }
    }

    fn id(&mut self, column: usize, id: &Id) {
        self.text(column, &encode(id));
    }

    fn id_or_null(&mut self, column: usize, id: Option<&Id>) {
        match id {
            Some(id) => self.id(column, id),
            None => self.null(column),
        }
    }
}

impl Sink for TableSize {
    fn text(&mut self, column: usize, text: &[u8]) {
        self.bytes[column] += text.len();
    }
    fn null(&mut self, _: usize) {}
    fn word(&mut self, _: usize, _: u32) {}
    fn end_row(&mut self) {
        self.rows += 1;
    }
    fn id(&mut self, column: usize, _: &Id) {
        self.bytes[column] += ID_LEN;
    }
}

/// Writes the columns of one table into their regions.
struct TableWriter<'a> {
    columns: Vec<ColumnWriter<'a>>,
    row: usize,
}

struct ColumnWriter<'a> {
    is_text: bool,
    words: &'a mut [[u8; 4]],
    text: &'a mut [u8],
    at: usize,
    validity: &'a mut [u8],
    nulls: usize,
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
                    is_text: regions.is_text,
                    words,
                    text,
                    at: 0,
                    validity,
                    nulls: 0,
                }
            })
            .collect();
        Self { columns, row: 0 }
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
    fn text(&mut self, column: usize, text: &[u8]) {
        let column = &mut self.columns[column];
        let end = column.at + text.len();
        column.text[column.at..end].copy_from_slice(text);
        column.at = end;
        column.words[self.row + 1] = (end as u32).to_ne_bytes();
    }

    fn null(&mut self, column: usize) {
        let column = &mut self.columns[column];
        column.validity[self.row / 8] &= !(1 << (self.row % 8));
        column.nulls += 1;
        if column.is_text {
            column.words[self.row + 1] = (column.at as u32).to_ne_bytes();
        }
    }

    fn word(&mut self, column: usize, word: u32) {
        self.columns[column].words[self.row] = word.to_ne_bytes();
    }

    fn end_row(&mut self) {
        self.row += 1;
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

/// Gives the rows of one table about one file to a sink, columns in the schema's order.
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
    for symbol in &facts.symbols {
        sink.id(0, &symbol.id);
        sink.text(1, facts.name(symbol.name));
        sink.text(2, symbol.kind.as_str().as_bytes());
        sink.text(3, content.language.as_bytes());
        sink.text(4, facts.path.as_bytes());
        sink.word(5, symbol.start_line);
        sink.word(6, symbol.end_line);
        sink.text_or_null(7, facts.text(symbol.signature));
        sink.text_or_null(8, facts.text(symbol.doc_comment));
        sink.id_or_null(
            9,
            facts
                .symbols
                .get(symbol.parent as usize)
                .map(|parent| &parent.id),
        );
        sink.text_or_null(10, facts.text(symbol.code_context));
        sink.word(11, symbol.start_column);
        sink.word(12, symbol.end_column);
        sink.word(13, symbol.start_byte);
        sink.word(14, symbol.end_byte);
        sink.text(15, facts.text(symbol.qualified_name));
        match symbol.visibility {
            Some(visibility) => sink.text(16, visibility.as_str().as_bytes()),
            None => sink.null(16),
        }
        sink.word(17, symbol.flags);
        sink.end_row();
    }
}

fn identifiers(facts: &FileFacts, sink: &mut impl Sink) {
    let Some(content) = &facts.content else {
        return;
    };
    let symbol_id = |row: u32| match row {
        NONE => None,
        row => Some(&facts.symbols[row as usize].id),
    };
    for identifier in &facts.identifiers {
        sink.id(0, &identifier.id);
        sink.text(1, facts.name(identifier.name));
        sink.text(2, IdentifierKind::as_str(identifier.kind).as_bytes());
        sink.text(3, content.language.as_bytes());
        sink.text(4, facts.path.as_bytes());
        sink.word(5, identifier.line);
        sink.word(6, identifier.column);
        sink.word(7, identifier.end_line);
        sink.word(8, identifier.end_column);
        sink.id_or_null(9, symbol_id(identifier.containing));
        sink.id_or_null(10, symbol_id(identifier.target));
        sink.word(11, identifier.resolution.confidence().to_bits());
        sink.word(12, identifier.start_byte);
        sink.word(13, identifier.end_byte);
        sink.text(14, identifier.access.as_str().as_bytes());
        sink.text(15, identifier.resolution.as_str().as_bytes());
        sink.end_row();
    }
}

fn relationships(facts: &FileFacts, sink: &mut impl Sink) {
    for relationship in &facts.relationships {
        sink.id(0, &relationship.id);
        sink.id(1, &facts.symbols[relationship.from as usize].id);
        sink.id_or_null(
            2,
            facts
                .symbols
                .get(relationship.to as usize)
                .map(|target| &target.id),
        );
        sink.text(3, facts.text(relationship.to_name));
        sink.text(4, relationship.kind.as_str().as_bytes());
        sink.text(5, facts.path.as_bytes());
        sink.word(6, relationship.line);
        sink.word(7, relationship.confidence.to_bits());
        sink.end_row();
    }
}

fn files(facts: &FileFacts, sink: &mut impl Sink) {
    let Some(content) = &facts.content else {
        return;
    };
    sink.text(0, facts.path.as_bytes());
    sink.text(1, content.language.as_bytes());
    match content.shown() {
        Some(text) => sink.text(2, text),
        None => sink.null(2),
    }
    sink.text(3, &hex(&content.hash));
    sink.word(4, content.size);
    sink.word(5, content.line_count);
    sink.word(6, content.parse_error_count);
    sink.end_row();
}

fn errors(facts: &FileFacts, sink: &mut impl Sink) {
    for error in &facts.errors {
        sink.text(0, facts.path.as_bytes());
        sink.text(1, error.severity.as_str().as_bytes());
        sink.text(2, error.stage.as_bytes());
        sink.text(3, error.code.as_bytes());
        sink.text(4, error.message.as_bytes());
        match error.byte_offset {
            Some(offset) => sink.word(5, offset),
            None => sink.null(5),
        }
        sink.end_row();
    }
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
