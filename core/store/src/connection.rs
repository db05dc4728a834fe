//! Opening a database: is it ours, and of a version we know?

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::lock::WriterLock;
use crate::schema::{APPLICATION_ID, FORMAT, PAGE_SIZE, create_database};
use crate::{Mode, StoreError};

/// How long a call waits for a lock that another connection holds for one short transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Opens a database and, in [`Mode::Create`], makes it when there is none.
pub(crate) fn open(path: &Path, mode: Mode) -> Result<Connection, StoreError> {
    if mode == Mode::Read && !path.exists() {
        let message = "there is no such file; index the directory first".to_owned();
        return Err(StoreError::Io {
            path: path.into(),
            message,
        });
    }
    if path.is_dir() {
        let message = "this is a directory; name a file".to_owned();
        return Err(StoreError::Io {
            path: path.into(),
            message,
        });
    }
    let access = match mode {
        Mode::Create => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        Mode::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    // Without a mutex: a store is used by one thread at a time, as `&mut self` of its methods says.
    let connect = || -> rusqlite::Result<Connection> {
        let connection =
            Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        Ok(connection)
    };
    let failed = |error| translate(path, error);
    let connection = connect().map_err(failed)?;
    match (identify(&connection).map_err(failed)?, mode) {
        (Identity::Index, _) => {}
        (Identity::Empty, Mode::Create) => {
            let _lock = WriterLock::acquire(path)?;
            // Another process may have made it in the meantime.
            if let Identity::Empty = identify(&connection).map_err(failed)? {
                create(&connection, path)?;
            }
        }
        (Identity::Empty, Mode::Read) => {
            return Err(unusable(
                path,
                "the file holds no index yet; index the directory first",
            ));
        }
        (Identity::Foreign(id), _) => {
            let message = format!(
                "this is an SQLite database of another application (application_id {id:#x}), not an index; name \
                 another file"
            );
            return Err(unusable(path, message));
        }
        (Identity::Newer(version), _) => {
            let message = format!(
                "this index has format {version}, made by a newer version of Bowstring; this version reads format \
                 {FORMAT}: update Bowstring, or index into another file"
            );
            return Err(unusable(path, message));
        }
    }
    connection
        .execute_batch("PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF;")
        .map_err(failed)?;
    Ok(connection)
}

enum Identity {
    /// Nothing was ever created in it, as in a new file or after a crash while it was made.
    Empty,
    Index,
    Foreign(i32),
    Newer(i32),
}

fn identify(connection: &Connection) -> rusqlite::Result<Identity> {
    // Of one moment, as another process may be making it.
    let moment = connection.unchecked_transaction()?;
    let id: i32 = moment.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version: i32 = moment.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let is_empty: bool = moment.query_row(
        "SELECT NOT EXISTS (SELECT * FROM sqlite_schema)",
        [],
        |row| row.get(0),
    )?;
    moment.finish()?;
    Ok(match (id, version) {
        (APPLICATION_ID, FORMAT) => Identity::Index,
        (APPLICATION_ID, version) => Identity::Newer(version),
        (0, 0) if is_empty => Identity::Empty,
        (id, _) => Identity::Foreign(id),
    })
}

fn create(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |error| translate(path, error);
    connection
        .pragma_update(None, "page_size", PAGE_SIZE)
        .map_err(failed)?;
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(failed)?;
    if mode != "wal" {
        let message = "its file system lacks the shared memory that SQLite's WAL mode needs; name a file on a local \
                       disk"
            .to_owned();
        return Err(StoreError::Io {
            path: path.into(),
            message,
        });
    }
    let result =
        connection.execute_batch(&format!("BEGIN IMMEDIATE;\n{}\nCOMMIT;", create_database()));
    if result.is_err() && !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    result.map_err(failed)
}

fn unusable(path: &Path, message: impl Into<String>) -> StoreError {
    StoreError::Unusable {
        path: path.into(),
        message: message.into(),
    }
}

/// What an error of SQLite's means for the user of the file at `path`.
pub(crate) fn translate(path: &Path, error: rusqlite::Error) -> StoreError {
    let io = |message: &str| StoreError::Io {
        path: path.into(),
        message: message.to_owned(),
    };
    let code = match &error {
        rusqlite::Error::SqliteFailure(failure, _) => Some(failure.code),
        _ => None,
    };
    match code {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Busy { path: path.into() }
        }
        Some(ErrorCode::OperationInterrupted) => StoreError::Cancelled,
        Some(ErrorCode::DiskFull) => io("the disk is full; free some space, then try again"),
        Some(ErrorCode::ReadOnly) => io("the file or its directory cannot be written"),
        Some(ErrorCode::CannotOpen) => io(
            "the file cannot be opened; check that its directory exists and that both may be read and written",
        ),
        Some(ErrorCode::PermissionDenied) => io("permission denied"),
        Some(ErrorCode::SystemIoFailure) => io(&format!("input or output failed: {error}")),
        Some(ErrorCode::NotADatabase) => {
            unusable(path, "this is not an SQLite database; name another file")
        }
        Some(ErrorCode::DatabaseCorrupt) => unusable(
            path,
            "the index is damaged; delete the file and index the directory again",
        ),
        None if matches!(error, rusqlite::Error::QueryReturnedNoRows) => unusable(
            path,
            "the index is damaged; delete the file and index the directory again",
        ),
        _ => StoreError::Sqlite {
            path: path.into(),
            message: error.to_string(),
        },
    }
}
