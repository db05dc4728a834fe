//! What can be asked of a store.

mod collect;
mod defs;
mod lists;
mod outline;
mod refs;

use arrow_array::RecordBatch;
use rusqlite::Connection;
use serde::Deserialize;

use crate::StoreError;
use crate::store::committed_generation;

/// A question to the committed index. In JSON, `{"query": "defs", "name": "Store.open", "limit": 20}`.
///
/// The answer is one table. Its schema metadata holds `bowstring:total`, the number of rows there are without the
/// limit, in decimal. Rows come in the order of path, then position.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "query", rename_all = "snake_case", deny_unknown_fields)]
pub enum Query {
    /// The definitions of a name: rows of `symbols`.
    Defs {
        /// A name (`open`) or the last parts of a qualified name (`Store.open`). Between the parts stands `.`, `::`,
        /// `#` or `\\`, whichever the language uses.
        name: String,
        /// Only symbols of this kind, as `function`.
        #[serde(default)]
        kind: Option<String>,
        /// Local variables and parameters too.
        #[serde(default)]
        locals: bool,
        /// The most rows to return; 0 means all.
        #[serde(default = "default_limit")]
        limit: u32,
    },
    /// The places where a name is used: rows of `identifiers`, then `containing_name` (the qualified name of the
    /// containing symbol, nullable), `target_path` (nullable) and `target_line` (UInt32, nullable).
    Refs {
        /// The name as it is written at the place of use.
        name: String,
        /// The most rows to return; 0 means all.
        #[serde(default = "default_limit")]
        limit: u32,
    },
    /// The symbols of one file in source order without local variables and parameters: rows of `symbols`, then
    /// `depth` (UInt32; 0 for a symbol without a parent in the outline).
    Outline {
        /// The file's path as in `files.path`: relative to the root, with forward slashes.
        file: String,
        /// The most rows to return; 0 means all.
        #[serde(default = "default_limit")]
        limit: u32,
    },
    /// The rows of `files` without the column `content`.
    Files {
        /// The most rows to return; 0 means all.
        #[serde(default = "default_limit")]
        limit: u32,
    },
    /// The rows of `errors`.
    Errors {
        /// The most rows to return; 0 means all.
        #[serde(default = "default_limit")]
        limit: u32,
    },
    /// One row about the index: `workspace_id`, `root` (nullable), `generation`, `created_at` (nullable; both null
    /// before the first commit), `files`, `symbols`, `identifiers`, `relationships`, `errors` (Int64 counts).
    Info,
}

/// The limit of a query that names none.
pub const DEFAULT_LIMIT: u32 = 1000;

fn default_limit() -> u32 {
    DEFAULT_LIMIT
}

/// Why a query failed, before an error of SQLite's is put into words.
#[derive(Debug)]
pub(crate) enum Failure {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Answers a query from one snapshot of the committed generation.
pub(crate) fn run(connection: &Connection, query: &Query) -> Result<RecordBatch, Failure> {
    let snapshot = connection.unchecked_transaction()?;
    let generation = committed_generation(&snapshot)?;
    match query {
        Query::Defs {
            name,
            kind,
            locals,
            limit,
        } => defs::run(&snapshot, name, kind.as_deref(), *locals, *limit),
        Query::Refs { name, limit } => refs::run(&snapshot, generation, name, *limit),
        Query::Outline { file, limit } => outline::run(&snapshot, generation, file, *limit),
        Query::Files { limit } => lists::files(&snapshot, *limit),
        Query::Errors { limit } => lists::errors(&snapshot, *limit),
        Query::Info => lists::info(&snapshot),
    }
}

/// The limit as SQL takes it: -1 for all.
fn sql_limit(limit: u32) -> i64 {
    if limit == 0 { -1 } else { limit.into() }
}
