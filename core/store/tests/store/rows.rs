//! Rows as text, to compare tables with views and answers.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int64Type, UInt32Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

/// Every row of a batch, its values in Rust's notation.
pub fn of_batch(batch: &RecordBatch) -> Vec<Vec<String>> {
    let value = |array: &dyn Array, row: usize| {
        if array.is_null(row) {
            return "null".to_owned();
        }
        match array.data_type() {
            DataType::Utf8 => format!("{:?}", array.as_string::<i32>().value(row)),
            DataType::UInt32 => array.as_primitive::<UInt32Type>().value(row).to_string(),
            DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
            DataType::Float32 => format!("{:?}", array.as_primitive::<Float32Type>().value(row)),
            other => panic!("{other}"),
        }
    };
    (0..batch.num_rows())
        .map(|row| {
            batch
                .columns()
                .iter()
                .map(|array| value(array, row))
                .collect()
        })
        .collect()
}

/// Some columns of a batch, row by row.
pub fn columns(batch: &RecordBatch, names: &[&str]) -> Vec<String> {
    let indexes: Vec<usize> = names
        .iter()
        .map(|name| batch.schema().index_of(name).unwrap())
        .collect();
    let rows = of_batch(&batch.project(&indexes).unwrap());
    rows.into_iter()
        .map(|row| row.join(" ").replace('"', ""))
        .collect()
}

/// Every row that a statement gives.
pub fn of_sql(connection: &Connection, sql: &str) -> Vec<Vec<String>> {
    let mut statement = connection
        .prepare(sql)
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    let count = statement.column_count();
    let value = |value: ValueRef<'_>| match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Text(text) => format!("{:?}", str::from_utf8(text).unwrap()),
        ValueRef::Integer(integer) => integer.to_string(),
        ValueRef::Real(real) => format!("{:?}", real as f32),
        ValueRef::Blob(_) => panic!("a blob"),
    };
    let rows = statement.query_map([], |row| {
        (0..count)
            .map(|index| Ok(value(row.get_ref(index)?)))
            .collect()
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// The same rows, in an order of their own.
pub fn sorted(mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    rows.sort();
    rows
}
