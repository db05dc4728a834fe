//! From SQL rows to a RecordBatch.

use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, Float32Builder, Int64Builder, StringBuilder, UInt32Builder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Schema};
use rusqlite::types::ValueRef;
use rusqlite::{Params, Row, Statement};

use super::Failure;
use crate::StoreError;

/// Builds the columns of an answer.
pub(super) struct Collector {
    schema: Arc<Schema>,
    columns: Vec<ColumnBuilder>,
}

enum ColumnBuilder {
    Text(StringBuilder),
    UInt32(UInt32Builder),
    Int64(Int64Builder),
    Float32(Float32Builder),
}

impl Collector {
    pub(super) fn new(schema: Arc<Schema>) -> Self {
        let builder = |data_type: &DataType| match data_type {
            DataType::Utf8 => ColumnBuilder::Text(StringBuilder::new()),
            DataType::UInt32 => ColumnBuilder::UInt32(UInt32Builder::new()),
            DataType::Int64 => ColumnBuilder::Int64(Int64Builder::new()),
            DataType::Float32 => ColumnBuilder::Float32(Float32Builder::new()),
            other => unreachable!("no answer has a column of type {other}"),
        };
        let columns = schema
            .fields()
            .iter()
            .map(|field| builder(field.data_type()))
            .collect();
        Self { schema, columns }
    }

    /// Appends the first columns of a row; those after them are pushed one by one.
    pub(super) fn push_row(&mut self, row: &Row<'_>, count: usize) -> Result<(), Failure> {
        for index in 0..count {
            self.push(index, row.get_ref(index)?)?;
        }
        Ok(())
    }

    /// Appends a value to one column.
    pub(super) fn push(&mut self, index: usize, value: ValueRef<'_>) -> Result<(), Failure> {
        let field = self.schema.field(index);
        match (&mut self.columns[index], value) {
            (ColumnBuilder::Text(builder), ValueRef::Text(value)) => {
                builder.append_value(String::from_utf8_lossy(value));
                if builder.values_slice().len() > MAX_TEXT {
                    return Err(Failure::Store(StoreError::TooLarge(format!(
                        "the answer holds more than 1 GiB of \"{}\"; ask with a smaller limit",
                        field.name()
                    ))));
                }
            }
            (ColumnBuilder::UInt32(builder), ValueRef::Integer(value))
                if u32::try_from(value).is_ok() =>
            {
                builder.append_value(value as u32);
            }
            (ColumnBuilder::Int64(builder), ValueRef::Integer(value)) => {
                builder.append_value(value)
            }
            (ColumnBuilder::Float32(builder), ValueRef::Real(value)) => {
                builder.append_value(value as f32)
            }
            (column, ValueRef::Null) if field.is_nullable() => match column {
                ColumnBuilder::Text(builder) => builder.append_null(),
                ColumnBuilder::UInt32(builder) => builder.append_null(),
                ColumnBuilder::Int64(builder) => builder.append_null(),
                ColumnBuilder::Float32(builder) => builder.append_null(),
            },
            (_, value) => {
                let found = value.data_type();
                let error = rusqlite::Error::InvalidColumnType(index, field.name().clone(), found);
                return Err(Failure::Sqlite(error));
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> RecordBatch {
        let finish = |column| -> ArrayRef {
            match column {
                ColumnBuilder::Text(mut builder) => ArrayBuilder::finish(&mut builder),
                ColumnBuilder::UInt32(mut builder) => ArrayBuilder::finish(&mut builder),
                ColumnBuilder::Int64(mut builder) => ArrayBuilder::finish(&mut builder),
                ColumnBuilder::Float32(mut builder) => ArrayBuilder::finish(&mut builder),
            }
        };
        let columns = self.columns.into_iter().map(finish).collect();
        RecordBatch::try_new(self.schema, columns)
            .expect("every row has a value or a null in each column")
    }
}

/// Bound of one text column, well below the 2 GiB that Utf8 offsets reach.
const MAX_TEXT: usize = 1 << 30;

/// Runs a statement whose columns are those of the schema.
pub(super) fn collect(
    mut statement: Statement<'_>,
    params: impl Params,
    schema: Arc<Schema>,
) -> Result<RecordBatch, Failure> {
    let count = schema.fields().len();
    let mut collector = Collector::new(schema);
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        collector.push_row(row, count)?;
    }
    Ok(collector.finish())
}

/// `a, b, c` of the columns' names.
pub(super) fn names(columns: &[crate::contract::Column]) -> String {
    columns
        .iter()
        .map(|(name, ..)| *name)
        .collect::<Vec<_>>()
        .join(", ")
}
