//! The owner of a table: whoever holds one must release it, and releases it once.

use std::mem::ManuallyDrop;

use crate::raw::{ArrowArray, ArrowSchema, BowTable};

/// A schema and an array that are this side's to release; dropping it calls the `release` of each that is not null.
///
/// Nothing is known about what the structs hold: see [`check`](crate::check::check).
#[derive(Debug)]
pub struct OwnedTable {
    raw: BowTable,
}

// SAFETY: the specification lets a consumer call `release` from any thread, and the structs are immutable otherwise.
unsafe impl Send for OwnedTable {}
// SAFETY: as above; through a shared reference the structs are only read.
unsafe impl Sync for OwnedTable {}

impl OwnedTable {
    /// Moves the table out of `source` and sets `release` of both structs there to null.
    ///
    /// # Safety
    /// `source` is aligned, readable and writable, and each of its two structs is either released (`release` null) or
    /// one that the caller owns and gives up. The table may be dropped on any thread.
    pub unsafe fn take(source: *mut BowTable) -> Self {
        // SAFETY: by contract.
        let raw = unsafe { source.read() };
        // SAFETY: by contract. Only `release` is written: the specification's mark of a struct that was moved from.
        unsafe {
            (*source).schema.release = None;
            (*source).array.release = None;
        }
        Self { raw }
    }

    /// Moves a schema out of `source`, as [`take`](Self::take) does; the table has no array.
    ///
    /// # Safety
    /// As for [`take`](Self::take), for a schema.
    pub unsafe fn take_schema(source: *mut ArrowSchema) -> Self {
        // SAFETY: by contract.
        let schema = unsafe { source.read() };
        // SAFETY: by contract.
        unsafe { (*source).release = None };
        let array = ArrowArray::released();
        Self {
            raw: BowTable { schema, array },
        }
    }

    /// Moves an array out of `source`, as [`take`](Self::take) does; the table has no schema.
    ///
    /// # Safety
    /// As for [`take`](Self::take), for an array.
    pub unsafe fn take_array(source: *mut ArrowArray) -> Self {
        // SAFETY: by contract.
        let array = unsafe { source.read() };
        // SAFETY: by contract.
        unsafe { (*source).release = None };
        let schema = ArrowSchema::released();
        Self {
            raw: BowTable { schema, array },
        }
    }

    /// Takes structs made on this side.
    ///
    /// # Safety
    /// As for [`take`](Self::take): each struct is released or owned by the caller, who gives it up.
    pub unsafe fn from_raw(schema: ArrowSchema, array: ArrowArray) -> Self {
        Self {
            raw: BowTable { schema, array },
        }
    }

    /// Gives the structs, and the duty to release them, to the caller.
    pub fn into_raw(self) -> BowTable {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is not used again and does not run its destructor.
        unsafe { std::ptr::read(&this.raw) }
    }

    /// The schema struct.
    pub fn schema(&self) -> &ArrowSchema {
        &self.raw.schema
    }

    /// The array struct.
    pub fn array(&self) -> &ArrowArray {
        &self.raw.array
    }
}

impl Drop for OwnedTable {
    fn drop(&mut self) {
        if let Some(release) = self.raw.array.release {
            // SAFETY: the array is owned and not released yet; this is its only release.
            unsafe { release(&mut self.raw.array) };
            self.raw.array.release = None;
        }
        if let Some(release) = self.raw.schema.release {
            // SAFETY: as above, for the schema.
            unsafe { release(&mut self.raw.schema) };
            self.raw.schema.release = None;
        }
    }
}
