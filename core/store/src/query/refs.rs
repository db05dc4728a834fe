//! The uses of a name.

use arrow_array::RecordBatch;
use arrow_schema::DataType;
use rusqlite::{Connection, params};

use super::collect::collect;
use super::{Failure, sql_limit};
use crate::contract::{Column, IDENTIFIERS, answer_schema};
use crate::schema::identifier_columns;

const MORE: &[Column] = &[
    ("containing_name", DataType::Utf8, true),
    ("target_path", DataType::Utf8, true),
    ("target_line", DataType::UInt32, true),
];

pub(super) fn run(
    connection: &Connection,
    generation: u64,
    name: &str,
    limit: u32,
) -> Result<RecordBatch, Failure> {
    let total: i64 = connection.query_row(&total(generation), [name], |row| row.get(0))?;
    let statement = connection.prepare(&rows(generation))?;
    collect(
        statement,
        params![name, sql_limit(limit)],
        answer_schema(IDENTIFIERS, MORE, total as u64),
    )
}

pub(super) fn total(generation: u64) -> String {
    format!(
        "SELECT coalesce(sum(last - first + 1), 0) FROM name_use_{generation}
WHERE name = (SELECT key FROM name_{generation} WHERE text = ?1)"
    )
}

/// A name may have a hundred thousand uses: they are put in order first, by what the order needs, and only those
/// within the limit get their other columns.
pub(super) fn rows(generation: u64) -> String {
    let columns = identifier_columns(generation);
    format!(
        "WITH page(identifier) AS MATERIALIZED (
  SELECT i.rowid
  FROM name_use_{generation} u
  CROSS JOIN identifier_{generation} i ON i.rowid BETWEEN u.first AND u.last
  JOIN file_{generation} f ON f.key = i.file
  WHERE u.name = (SELECT key FROM name_{generation} WHERE text = ?1)
  ORDER BY f.path, i.start_byte, i.rowid
  LIMIT ?2
)
SELECT {columns}, s.qualified_name AS containing_name, tf.path AS target_path, t.start_line AS target_line
FROM page
CROSS JOIN identifier_{generation} i ON i.rowid = page.identifier
JOIN name_{generation} n ON n.text = ?1
JOIN identifier_class_{generation} c ON c.key = i.class
JOIN file_{generation} f ON f.key = i.file
LEFT JOIN symbol_{generation} s ON s.key = i.container
LEFT JOIN symbol_{generation} t ON t.key = i.target
LEFT JOIN file_{generation} tf ON tf.key = t.file
ORDER BY f.path, i.start_byte, i.rowid"
    )
}
