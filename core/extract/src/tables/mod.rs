//! From facts to the five tables: measure every column, take one block, fill it.

mod columns;
mod sinks;

use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, RecordBatch, StringArray, UInt32Array};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, SchemaRef};

use crate::ExtractionBatch;
use crate::facts::FileFacts;
use crate::model;
use bowstring_block::{ALIGNMENT, BlockPool};

use self::columns::emit;
use self::sinks::{Measure, TableWriter};

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
