//! The store from outside: as its users call it, and as other processes and plain SQLite connections see it.

mod corpus;
mod rows;

mod bad_input;
mod concurrency;
mod crash;
mod documentation;
mod generations;
mod queries;
mod round_trip;

use std::path::{Path, PathBuf};

use bowstring_store::{Mode, Store};
use corpus::{Batch, Corpus, Shape};
use rusqlite::Connection;
use tempfile::TempDir;

/// The views, in the order of the tables of a batch.
const VIEWS: [&str; 5] = ["symbols", "identifiers", "relationships", "files", "errors"];

/// Small files with everything odd in them.
const ODD: Shape = Shape {
    lines_per_file: 12,
    identifiers_per_line: 3,
    symbols_per_file: 7,
    relationships_per_file: 6,
    oddities: true,
};

/// A directory for one test and the database in it.
struct Place {
    _directory: TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("index.db");
        Self {
            _directory: directory,
            path,
        }
    }

    fn create(&self) -> Store {
        Store::open(&self.path, Mode::Create).unwrap()
    }

    /// A connection that knows nothing of Bowstring.
    fn plain(&self) -> Connection {
        Connection::open(&self.path).unwrap()
    }
}

/// Writes one generation and commits it.
fn index(store: &mut Store, batches: &[Batch]) -> bowstring_store::Summary {
    store.begin("/root").unwrap();
    for batch in batches {
        store.write(batch).unwrap();
    }
    store.commit().unwrap()
}

/// Whether the views hold exactly these batches.
fn holds(connection: &Connection, batches: &[Batch]) -> bool {
    VIEWS.into_iter().enumerate().all(|(table, view)| {
        let expected = batches
            .iter()
            .flat_map(|batch| rows::of_batch(&batch[table]))
            .collect();
        let found = rows::of_sql(connection, &format!("SELECT * FROM {view}"));
        rows::sorted(found) == rows::sorted(expected)
    })
}

/// One batch of odd files; another seed gives other rows.
fn odd_batch(seed: u64, files: usize) -> Batch {
    Corpus::new(ODD, seed).batch(files)
}

/// The sizes of the files beside and of the database, by the ends of their names.
fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}
