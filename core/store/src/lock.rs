//! Who may write: one process at a time.
//!
//! SQLite's own write lock is held for single transactions only, and a generation is many. So a writer also holds an
//! advisory lock on a file beside the database, which the operating system gives back when the process ends, however
//! it ends. The lock is not on the database itself: closing a second descriptor of it would drop SQLite's own locks.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::StoreError;

/// The right to write a generation, until dropped.
#[derive(Debug)]
pub(crate) struct WriterLock {
    /// Closing the file releases the lock. The file itself stays: removing it would let two writers each lock a file
    /// of that name.
    _file: File,
}

impl WriterLock {
    pub(crate) fn acquire(database: &Path) -> Result<Self, StoreError> {
        let path = lock_path(database);
        let failed = |error: std::io::Error| StoreError::Io {
            path: database.into(),
            message: format!(
                "cannot be written: its lock file {} cannot be opened: {error}",
                path.display()
            ),
        };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Busy {
                path: database.into(),
            }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = OsString::from(database);
    name.push("-lock");
    name.into()
}
