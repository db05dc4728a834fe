//! What a commit put into the index.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};

/// Rows by table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) files: u64,
    pub(crate) symbols: u64,
    pub(crate) identifiers: u64,
    pub(crate) relationships: u64,
    pub(crate) errors: u64,
}

impl Counts {
    /// The tables' names and rows.
    pub(crate) fn by_name(&self) -> [(&'static str, u64); 5] {
        [
            ("files", self.files),
            ("symbols", self.symbols),
            ("identifiers", self.identifiers),
            ("relationships", self.relationships),
            ("errors", self.errors),
        ]
    }
}

/// The generation that a commit made current, and its rows per table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The number of the generation: 1 for the first that a database ever held.
    pub generation: u64,
    /// Rows of `files`.
    pub files: u64,
    /// Rows of `symbols`.
    pub symbols: u64,
    /// Rows of `identifiers`.
    pub identifiers: u64,
    /// Rows of `relationships`.
    pub relationships: u64,
    /// Rows of `errors`.
    pub errors: u64,
}

impl Summary {
    pub(crate) fn new(generation: u64, counts: Counts) -> Self {
        let Counts {
            files,
            symbols,
            identifiers,
            relationships,
            errors,
        } = counts;
        Self {
            generation,
            files,
            symbols,
            identifiers,
            relationships,
            errors,
        }
    }

    /// One row of six Int64 columns, named and ordered as the fields.
    pub fn to_record_batch(&self) -> RecordBatch {
        let columns = [
            ("generation", self.generation),
            ("files", self.files),
            ("symbols", self.symbols),
            ("identifiers", self.identifiers),
            ("relationships", self.relationships),
            ("errors", self.errors),
        ];
        let schema = Schema::new(
            columns
                .map(|(name, _)| Field::new(name, DataType::Int64, false))
                .to_vec(),
        );
        let arrays = columns
            .map(|(_, value)| Arc::new(Int64Array::from_iter_values([value as i64])) as ArrayRef);
        RecordBatch::try_new(Arc::new(schema), arrays.to_vec()).expect("six columns of one row")
    }
}
