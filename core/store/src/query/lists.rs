//! Whole tables, and the row about the index.

use arrow_array::RecordBatch;
use arrow_schema::DataType;
use rusqlite::Connection;

use super::collect::{collect, names};
use super::{Failure, sql_limit};
use crate::contract::{Column, ERRORS, FILES, answer_schema};

const INFO: &[Column] = &[
    ("workspace_id", DataType::Utf8, false),
    ("root", DataType::Utf8, true),
    ("generation", DataType::Int64, false),
    ("created_at", DataType::Utf8, true),
    ("files", DataType::Int64, false),
    ("symbols", DataType::Int64, false),
    ("identifiers", DataType::Int64, false),
    ("relationships", DataType::Int64, false),
    ("errors", DataType::Int64, false),
];

pub(super) fn files(connection: &Connection, limit: u32) -> Result<RecordBatch, Failure> {
    let columns: Vec<Column> = FILES
        .iter()
        .filter(|(name, ..)| *name != "content")
        .cloned()
        .collect();
    list(connection, "files", &columns, "path", limit)
}

pub(super) fn errors(connection: &Connection, limit: u32) -> Result<RecordBatch, Failure> {
    list(
        connection,
        "errors",
        ERRORS,
        "path, byte_offset, stage, code, message",
        limit,
    )
}

fn list(
    connection: &Connection,
    view: &str,
    columns: &[Column],
    order: &str,
    limit: u32,
) -> Result<RecordBatch, Failure> {
    let total: i64 = connection.query_row(&format!("SELECT count(*) FROM {view}"), [], |row| {
        row.get(0)
    })?;
    let sql = format!(
        "SELECT {} FROM {view} ORDER BY {order} LIMIT {}",
        names(columns),
        sql_limit(limit)
    );
    collect(
        connection.prepare(&sql)?,
        [],
        answer_schema(columns, &[], total as u64),
    )
}

pub(super) fn info(connection: &Connection) -> Result<RecordBatch, Failure> {
    let value = |(name, ..): &Column| format!("(SELECT value FROM meta WHERE key = '{name}')");
    let sql = format!(
        "SELECT {}",
        INFO.iter().map(value).collect::<Vec<_>>().join(", ")
    );
    collect(connection.prepare(&sql)?, [], answer_schema(INFO, &[], 1))
}
