//! Arrow tables of source code to SQLite, and queries back to Arrow.
//!
//! A [`Store`] is one database file. A writer calls [`begin`](Store::begin), then [`write`](Store::write) any number
//! of times, then [`commit`](Store::commit): all rows belong to a new *generation*, which replaces the committed one
//! in a single small transaction. Until then, and after a crash at any point, readers see the previous generation
//! whole.

mod error;
mod query;
mod summary;

use std::path::Path;

use arrow_array::RecordBatch;

pub use error::StoreError;
pub use query::{DEFAULT_LIMIT, Query};
pub use summary::Summary;

/// What a store is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Read and write; the file is made when there is none (its directory must exist).
    Create,
    /// Read only; the file must exist.
    Read,
}

/// An index database. Owned by one thread at a time (`Send`, not `Sync`).
#[derive(Debug)]
pub struct Store {}

impl Store {
    /// Opens the database at `path`.
    pub fn open(path: impl AsRef<Path>, mode: Mode) -> Result<Self, StoreError> {
        let _ = (path.as_ref(), mode);
        Err(StoreError::Cancelled)
    }

    /// Starts a new generation of the index of the directory `root` and takes the database's write lock, which is
    /// held until [`commit`](Self::commit) or [`abandon`](Self::abandon): a second writer gets
    /// [`StoreError::Busy`]. Needs [`Mode::Create`].
    pub fn begin(&mut self, root: &str) -> Result<(), StoreError> {
        let _ = root;
        Err(StoreError::Cancelled)
    }

    /// Writes one batch: `symbols`, `identifiers`, `relationships`, `files`, `errors`, in this order, with the
    /// contract's columns by name and type (further columns are ignored). A batch is about whole files. After an
    /// error other than [`StoreError::InvalidBatch`] the generation is abandoned.
    pub fn write(&mut self, tables: &[RecordBatch; 5]) -> Result<(), StoreError> {
        let _ = tables;
        Err(StoreError::Cancelled)
    }

    /// Makes the rows written since [`begin`](Self::begin) the index that readers see.
    pub fn commit(&mut self) -> Result<Summary, StoreError> {
        Err(StoreError::Cancelled)
    }

    /// Drops the rows written since [`begin`](Self::begin); the previous index stays. Dropping the store does the
    /// same.
    pub fn abandon(&mut self) -> Result<(), StoreError> {
        Err(StoreError::Cancelled)
    }

    /// Answers from the committed generation, also while this or another process writes a new one.
    pub fn query(&mut self, query: &Query) -> Result<RecordBatch, StoreError> {
        let _ = query;
        Err(StoreError::Cancelled)
    }

    /// A handle with which another thread stops the call that runs on this store.
    pub fn canceller(&self) -> Canceller {
        Canceller {}
    }
}

/// Stops a running call of a [`Store`] from another thread.
#[derive(Debug, Clone)]
pub struct Canceller {}

impl Canceller {
    /// Makes the call that runs on the store now, if any, return [`StoreError::Cancelled`] within milliseconds.
    pub fn cancel(&self) {}
}
