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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mode, Store};

    /// The plan of a statement on a new database: without statistics it depends on the declarations only.
    fn plan(sql: &str) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("index.db");
        Store::open(&path, Mode::Create).unwrap();
        let connection = Connection::open(&path).unwrap();
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        statement
            .raw_query()
            .mapped(|row| row.get(3))
            .map(Result::unwrap)
            .collect()
    }

    /// Whether every table is searched by a key. The rows of the materialized page are all wanted.
    fn is_indexed(plan: &[String]) -> bool {
        plan.iter()
            .all(|step| !step.starts_with("SCAN") || step == "SCAN page")
    }

    #[test]
    fn every_query_by_name_or_path_goes_through_indexes() {
        let symbols = |from: &str| format!("SELECT * {from} ORDER BY file_path, start_byte");
        for sql in [
            symbols(defs::FROM),
            refs::total(0),
            refs::rows(0),
            outline::nodes(0),
            outline::rows(0),
            "SELECT value FROM meta WHERE key = 'generation'".into(),
        ] {
            let plan = plan(&sql);
            assert!(is_indexed(&plan), "{sql}\n{plan:#?}");
        }
    }

    #[test]
    fn what_a_person_asks_the_views_goes_through_indexes() {
        for sql in [
            "SELECT * FROM symbols WHERE name = 'a'",
            "SELECT * FROM symbols WHERE file_path = 'a'",
            "SELECT * FROM identifiers WHERE name = 'a'",
            "SELECT * FROM identifiers WHERE name = 'a' AND file_path = 'b' ORDER BY start_byte",
            "SELECT * FROM files WHERE path = 'a'",
            "SELECT * FROM symbols WHERE id = 'a'",
            "SELECT (SELECT qualified_name FROM symbols WHERE id = i.containing_symbol_id) FROM identifiers i
             WHERE name = 'a'",
        ] {
            let plan = plan(sql);
            assert!(is_indexed(&plan), "{sql}\n{plan:#?}");
        }
    }

    fn scans(plan: &[String]) -> Vec<&str> {
        plan.iter()
            .map(String::as_str)
            .filter(|step| step.starts_with("SCAN"))
            .collect()
    }

    #[test]
    fn the_symbols_at_the_ends_of_relationships_are_found_by_id() {
        let plan = plan(
            "SELECT s.* FROM relationships r JOIN symbols s ON s.id = r.to_symbol_id WHERE r.to_name = 'a'",
        );
        assert_eq!(scans(&plan), ["SCAN r"], "{plan:#?}");
    }

    #[test]
    fn the_identifiers_of_a_file_are_looked_for_in_its_batch_only() {
        let plan = plan("SELECT id FROM identifiers WHERE file_path = 'a'");
        assert_eq!(scans(&plan), ["SCAN u"], "{plan:#?}");
        let place = |table: &str| {
            plan.iter()
                .position(|step| step.starts_with(&format!("SEARCH {table} ")))
                .unwrap()
        };
        assert!(place("f") < place("i"), "{plan:#?}");
    }

    #[test]
    fn no_condition_makes_sqlite_sort_a_table_first() {
        for condition in [
            "kind = 'a'",
            "kind = 'a' AND name LIKE 'b%'",
            "file_path LIKE 'a/%'",
            "language = 'a' AND file_path = 'b'",
        ] {
            for view in ["symbols", "identifiers"] {
                let plan = plan(&format!("SELECT * FROM {view} WHERE {condition}"));
                assert!(
                    plan.iter().all(|step| !step.contains("AUTOMATIC")),
                    "{view} {condition}: {plan:#?}"
                );
            }
        }
    }

    #[test]
    fn a_plan_without_an_index_is_seen() {
        assert!(!is_indexed(&plan(
            "SELECT * FROM relationships WHERE kind = 'a'"
        )));
    }

    #[test]
    fn json_forms() {
        let parse = |text| serde_json::from_str::<Query>(text).map_err(|error| error.to_string());
        let defs = |locals, limit| Query::Defs {
            name: "a".into(),
            kind: None,
            locals,
            limit,
        };
        let cases = [
            (r#"{"query": "defs", "name": "a"}"#, Ok(defs(false, 1000))),
            (r#"{"query": "defs", "name": "a", "locals": true, "limit": 0}"#, Ok(defs(true, 0))),
            (r#"{"query": "refs", "name": "a", "limit": 7}"#, Ok(Query::Refs { name: "a".into(), limit: 7 })),
            (r#"{"query": "outline", "file": "a.ts"}"#, Ok(Query::Outline { file: "a.ts".into(), limit: 1000 })),
            (r#"{"query": "files"}"#, Ok(Query::Files { limit: 1000 })),
            (r#"{"query": "errors"}"#, Ok(Query::Errors { limit: 1000 })),
            (r#"{"query": "info"}"#, Ok(Query::Info)),
            (r#"{"query": "refs"}"#, Err("missing field `name`".into())),
            (
                r#"{"query": "grep", "name": "a"}"#,
                Err("unknown variant `grep`, expected one of `defs`, `refs`, `outline`, `files`, `errors`, `info` at \
                     line 1 column 16"
                    .into()),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
