//! The definitions of a name.

use arrow_array::RecordBatch;
use rusqlite::{Connection, named_params};

use super::collect::{collect, names};
use super::{Failure, sql_limit};
use crate::contract::{LOCAL_FLAGS, SYMBOLS, answer_schema};

pub(super) fn run(
    connection: &Connection,
    name: &str,
    kind: Option<&str>,
    locals: bool,
    limit: u32,
) -> Result<RecordBatch, Failure> {
    let path = normalize(name);
    let last = path
        .rsplit_once('.')
        .map_or(path.as_str(), |(_, last)| last);
    let suffix = format!(".{path}");
    let params = named_params! {
        ":name": name,
        ":last": last,
        ":suffix": suffix,
        ":kind": kind,
        ":hidden": if locals { 0 } else { LOCAL_FLAGS },
    };
    let total: i64 =
        connection.query_row(&format!("SELECT count(*) {FROM}"), params, |row| row.get(0))?;
    let sql = format!(
        "SELECT {} {FROM} ORDER BY file_path, start_byte, end_byte DESC, id LIMIT {}",
        names(SYMBOLS),
        sql_limit(limit)
    );
    collect(
        connection.prepare(&sql)?,
        params,
        answer_schema(SYMBOLS, &[], total as u64),
    )
}

/// A name that itself has a separator in it (an import of `os.path`, an operator) is found as it is; any other by its
/// last part, then by the parts before it.
pub(super) const FROM: &str = r"
FROM symbols
WHERE name IN (:name, :last)
  AND (
    name = :name
    OR substr('.' || replace(replace(replace(qualified_name, '::', '.'), '\', '.'), '#', '.'), -length(:suffix))
      = :suffix
  )
  AND (:kind IS NULL OR kind = :kind)
  AND flags & :hidden = 0";

/// The same qualified name with `.` for every separator.
fn normalize(name: &str) -> String {
    name.replace("::", ".").replace(['\\', '#'], ".")
}
