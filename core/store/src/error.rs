//! Why a store call failed, in sentences that name the file and what to do.

use std::fmt;
use std::path::PathBuf;

/// Why a store call failed. In every case the index that was committed last is whole and readable.
#[derive(Debug)]
pub enum StoreError {
    /// Another process or connection is writing to this database.
    Busy {
        /// The database file.
        path: PathBuf,
    },
    /// There is nothing to read at this path, or it cannot be opened, read or written: permissions, a missing
    /// directory, a full disk. The message says which.
    Io {
        /// The database file.
        path: PathBuf,
        /// What was tried and what stood in the way.
        message: String,
    },
    /// The file is not a database of Bowstring's, is of a newer version, or is damaged. The message says which.
    Unusable {
        /// The database file.
        path: PathBuf,
        /// What was found instead.
        message: String,
    },
    /// A table handed to [`Store::write`](crate::Store::write) lacks the contract's columns or holds a value that
    /// the contract rules out. Nothing of its batch was written.
    InvalidBatch {
        /// The table: `symbols`, `identifiers`, `relationships`, `files` or `errors`.
        table: &'static str,
        /// What was expected and what was found.
        message: String,
    },
    /// The call does not fit the store's mode or state, or a query's argument is out of range.
    InvalidCall(String),
    /// [`Canceller::cancel`](crate::Canceller::cancel) stopped the call.
    Cancelled,
    /// The tables of one generation outgrew a bound of the format (2^32 - 2 files, symbols or names), or an answer those of an Arrow table.
    TooLarge(String),
    /// SQLite failed in a way that has no case of its own.
    Sqlite {
        /// The database file.
        path: PathBuf,
        /// SQLite's own message.
        message: String,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy { path } => write!(
                f,
                "{}: another process is writing to this index; wait until it has finished, then try again",
                path.display()
            ),
            Self::Io { path, message } | Self::Unusable { path, message } => {
                write!(f, "{}: {message}", path.display())
            }
            Self::InvalidBatch { table, message } => write!(f, "table {table}: {message}"),
            Self::InvalidCall(message) | Self::TooLarge(message) => f.write_str(message),
            Self::Cancelled => f.write_str("the call was cancelled"),
            Self::Sqlite { path, message } => write!(f, "{}: SQLite: {message}", path.display()),
        }
    }
}

impl std::error::Error for StoreError {}
