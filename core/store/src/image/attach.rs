//! Lending an image to a connection.

use std::mem;

use rusqlite::{Connection, Result, ffi};

use super::Image;

/// The schema name under which the image is attached.
const SCHEMA: &std::ffi::CStr = c"batch";

/// An image attached to a connection as the schema `batch`, read-only and without a copy.
#[derive(Debug)]
pub(crate) struct AttachedImage<'a> {
    connection: &'a Connection,
    /// Borrowed until the image is detached: SQLite reads these bytes.
    image: &'a mut Image,
    attached: bool,
}

impl<'a> AttachedImage<'a> {
    /// Closes the image and attaches it. The connection must not be in a transaction.
    pub(crate) fn new(connection: &'a Connection, image: &'a mut Image) -> Result<Self> {
        connection.execute_batch("ATTACH ':memory:' AS batch")?;
        let attached = Self {
            connection,
            image,
            attached: true,
        };
        let bytes = attached.image.finish();
        let length = bytes.len() as ffi::sqlite3_int64;
        // SAFETY: the handle is open for as long as `connection` is borrowed. The bytes stay where they are until
        // the schema is detached: `image` is borrowed mutably by the value that detaches it, which gives the bytes
        // up for ever when SQLite refuses to detach. READONLY without FREEONCLOSE or RESIZEABLE: SQLite neither
        // writes to, nor frees, nor moves them.
        let code = unsafe {
            ffi::sqlite3_deserialize(
                connection.handle(),
                SCHEMA.as_ptr(),
                bytes.as_mut_ptr(),
                length,
                length,
                ffi::SQLITE_DESERIALIZE_READONLY,
            )
        };
        if code != ffi::SQLITE_OK {
            return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        }
        Ok(attached)
    }

    /// The image's tables.
    pub(crate) fn table_names(&self) -> impl Iterator<Item = &'static str> {
        self.image.table_names()
    }

    /// Gives the image back. Dropping the value does the same and ignores the error.
    pub(crate) fn detach(mut self) -> Result<()> {
        self.release()
    }

    fn release(&mut self) -> Result<()> {
        if !mem::take(&mut self.attached) {
            return Ok(());
        }
        let result = self.connection.execute_batch("DETACH batch");
        if result.is_err() {
            // SQLite may still read the bytes, so nobody may write to or free them.
            mem::forget(mem::take(self.image));
        }
        result
    }
}

impl Drop for AttachedImage<'_> {
    fn drop(&mut self) {
        let _ = self.release();
    }
}
