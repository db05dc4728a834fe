//! The five tables: their columns on the way in and on the way out.

use std::sync::Arc;

use arrow_array::{Array, Float32Array, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{DataType, Field, Schema};

use crate::StoreError;

/// A table of the contract. The view over it has its name and columns.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [Column],
}

/// The tables in the order in which [`Store::write`](crate::Store::write) takes them.
pub(crate) const TABLES: [Table; 5] = [
    Table {
        name: "symbols",
        columns: SYMBOLS,
    },
    Table {
        name: "identifiers",
        columns: IDENTIFIERS,
    },
    Table {
        name: "relationships",
        columns: RELATIONSHIPS,
    },
    Table {
        name: "files",
        columns: FILES,
    },
    Table {
        name: "errors",
        columns: ERRORS,
    },
];

/// A column's name, type and nullability.
pub(crate) type Column = (&'static str, DataType, bool);

const fn text(name: &'static str) -> Column {
    (name, DataType::Utf8, false)
}

const fn optional_text(name: &'static str) -> Column {
    (name, DataType::Utf8, true)
}

const fn number(name: &'static str) -> Column {
    (name, DataType::UInt32, false)
}

const fn real(name: &'static str) -> Column {
    (name, DataType::Float32, false)
}

pub(crate) const SYMBOLS: &[Column] = &[
    text("id"),
    text("name"),
    text("kind"),
    text("language"),
    text("file_path"),
    number("start_line"),
    number("end_line"),
    optional_text("signature"),
    optional_text("doc_comment"),
    optional_text("parent_id"),
    optional_text("code_context"),
    number("start_column"),
    number("end_column"),
    number("start_byte"),
    number("end_byte"),
    text("qualified_name"),
    optional_text("visibility"),
    number("flags"),
];

pub(crate) const IDENTIFIERS: &[Column] = &[
    text("id"),
    text("name"),
    text("kind"),
    text("language"),
    text("file_path"),
    number("start_line"),
    number("start_column"),
    number("end_line"),
    number("end_column"),
    optional_text("containing_symbol_id"),
    optional_text("target_symbol_id"),
    real("confidence"),
    number("start_byte"),
    number("end_byte"),
    text("access"),
    text("resolution"),
];

pub(crate) const RELATIONSHIPS: &[Column] = &[
    text("id"),
    text("from_symbol_id"),
    optional_text("to_symbol_id"),
    text("to_name"),
    text("kind"),
    text("file_path"),
    number("line_number"),
    real("confidence"),
];

pub(crate) const FILES: &[Column] = &[
    text("path"),
    text("language"),
    optional_text("content"),
    text("hash"),
    number("size"),
    number("line_count"),
    number("parse_error_count"),
];

pub(crate) const ERRORS: &[Column] = &[
    text("path"),
    text("severity"),
    text("stage"),
    text("code"),
    text("message"),
    ("byte_offset", DataType::UInt32, true),
];

/// The bits of `symbols.flags` that mark what `defs` and `outline` leave out: local variables and parameters.
pub(crate) const LOCAL_FLAGS: u32 = 1 << 8 | 1 << 9;

/// An Arrow schema of these columns.
pub(crate) fn schema(columns: &[Column]) -> Schema {
    let field =
        |(name, data_type, nullable): &Column| Field::new(*name, data_type.clone(), *nullable);
    Schema::new(columns.iter().map(field).collect::<Vec<_>>())
}

/// The tables of a batch, each with every column of the contract by name and type. Columns beyond those are not
/// looked at.
pub(crate) fn check(batch: &[RecordBatch; 5]) -> Result<[Columns<'_>; 5], StoreError> {
    for (table, batch) in TABLES.iter().zip(batch) {
        table.check(batch)?;
    }
    let mut tables = TABLES.iter().zip(batch).map(|(table, batch)| Columns {
        table: table.name,
        batch,
    });
    Ok(std::array::from_fn(|_| tables.next().expect("five tables")))
}

impl Table {
    fn check(&self, batch: &RecordBatch) -> Result<(), StoreError> {
        for (name, data_type, is_nullable) in self.columns {
            let Some(array) = batch.column_by_name(name) else {
                return Err(self.invalid(format!(
                    "column \"{name}\" is missing, expected {data_type}"
                )));
            };
            if array.data_type() != data_type {
                let found = array.data_type();
                return Err(self.invalid(format!(
                    "column \"{name}\": expected {data_type} but found {found}"
                )));
            }
            if !is_nullable && array.null_count() > 0 {
                let row = (0..array.len())
                    .find(|&row| array.is_null(row))
                    .unwrap_or_default();
                return Err(self.invalid(format!(
                    "column \"{name}\", row {row}: null in a column without nulls"
                )));
            }
            if let Some(values) = array.as_any().downcast_ref::<Float32Array>() {
                // SQLite has no NaN: it would come back as null.
                if let Some(row) = values.values().iter().position(|value| value.is_nan()) {
                    return Err(self.invalid(format!(
                        "column \"{name}\", row {row}: NaN where a number is expected"
                    )));
                }
            }
        }
        Ok(())
    }

    fn invalid(&self, message: String) -> StoreError {
        StoreError::InvalidBatch {
            table: self.name,
            message,
        }
    }
}

/// The columns of one checked table of a batch.
#[derive(Clone, Copy)]
pub(crate) struct Columns<'a> {
    table: &'static str,
    batch: &'a RecordBatch,
}

impl<'a> Columns<'a> {
    pub(crate) fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    pub(crate) fn text(&self, name: &str) -> &'a StringArray {
        self.typed(name)
    }

    /// The values of a UInt32 column without nulls.
    pub(crate) fn numbers(&self, name: &str) -> &'a [u32] {
        self.typed::<UInt32Array>(name).values()
    }

    pub(crate) fn optional_numbers(&self, name: &str) -> &'a UInt32Array {
        self.typed(name)
    }

    pub(crate) fn reals(&self, name: &str) -> &'a [f32] {
        self.typed::<Float32Array>(name).values()
    }

    /// An error about one value of this table.
    pub(crate) fn invalid(&self, column: &str, row: usize, message: &str) -> StoreError {
        let message = format!("column \"{column}\", row {row}: {message}");
        StoreError::InvalidBatch {
            table: self.table,
            message,
        }
    }

    fn typed<T: 'static>(&self, name: &str) -> &'a T {
        let array = self.batch.column_by_name(name);
        array
            .and_then(|array| array.as_any().downcast_ref())
            .expect("the table was checked for its columns")
    }
}

/// A value, or `None` for null.
pub(crate) fn optional(array: &StringArray, row: usize) -> Option<&str> {
    array.is_valid(row).then(|| array.value(row))
}

/// The fields of an answer: `columns`, then `more`, with the number of rows there are without the limit.
pub(crate) fn answer_schema(columns: &[Column], more: &[Column], total: u64) -> Arc<Schema> {
    let all: Vec<Column> = columns.iter().chain(more).cloned().collect();
    Arc::new(schema(&all).with_metadata([("bowstring:total".to_owned(), total.to_string())]))
}
