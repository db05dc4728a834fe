//! Registered schemas, and tables built with them from memory of JavaScript's.

use std::sync::{Arc, OnceLock};

use bowstring_abi::build::{BuildSchema, Built, Head, Words, build_table};
use bowstring_abi::convert::{restore, restore_schema};
use bowstring_abi::{ArrowSchema, Failure, InvalidArrow, OwnedTable, SchemaTree};

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
fn restores(flags: u32) -> Result<bool, Failure> {
    if flags & !BOW_BUILD_RESTORE != 0 {
        return Err(Failure::invalid_argument(format!(
            "expected the flags 0 or BOW_BUILD_RESTORE but found {flags:#x}"
        )));
    }
    Ok(flags == BOW_BUILD_RESTORE)
}

/// A schema that has been registered.
pub(crate) struct Registered {
    pub schema: Arc<BuildSchema>,
    /// With the types that its fields had before they were converted; `None` if none was, an error if their metadata
    /// makes no sense.
    restored: Result<Option<Arc<BuildSchema>>, InvalidArrow>,
}

impl Registered {
    fn new(tree: SchemaTree) -> Result<Self, InvalidArrow> {
        let restored = restore_schema(&tree).and_then(|restored| {
            let is_same = restored == tree;
            match is_same {
                true => Ok(None),
                false => Ok(Some(Arc::new(BuildSchema::new(restored)?))),
            }
        });
        let schema = Arc::new(BuildSchema::new(tree)?);
        Ok(Self { schema, restored })
    }

    /// The schema with the original types, if it has others.
    fn original(&self) -> Result<Option<&Arc<BuildSchema>>, Failure> {
        match &self.restored {
            Ok(restored) => Ok(restored.as_ref()),
            Err(invalid) => Err(invalid.clone().into()),
        }
    }

    /// The schema that tables have which are built with these flags.
    pub fn with_flags(&self, flags: u32) -> Result<&Arc<BuildSchema>, Failure> {
        Ok(match restores(flags)? {
            true => self.original()?.unwrap_or(&self.schema),
            false => &self.schema,
        })
    }
}

impl Context {
    /// Keeps a schema under a handle.
    pub fn register_schema(&self, tree: SchemaTree) -> Result<Handle, Failure> {
        let schema = Arc::new(Registered::new(tree)?);
        let mut tables = lock(&self.tables);
        if tables.closed {
            return Err(self.stale().into());
        }
        let inserted = tables.schemas.insert(schema);
        inserted.map_err(|_| RuntimeError::NoHandles(Kind::Schema).into())
    }

    pub(crate) fn schema(&self, schema: Handle) -> Result<Arc<Registered>, RuntimeError> {
        live(lock(&self.tables).schemas.get(schema), Kind::Schema, schema).cloned()
    }

    /// A schema struct of a registered schema, with its original types if `flags` says so.
    pub fn export_schema(&self, schema: Handle, flags: u32) -> Result<ArrowSchema, Failure> {
        Ok(self.schema(schema)?.with_flags(flags)?.export())
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
        let schema = self.schema(schema)?;
        let is_restored = restores(flags)? && schema.original()?.is_some();
        let leases = leases
            .into_iter()
            .map(|lease| self.lease(lease))
            .collect::<Result<_, _>>()?;
        let kept = Arc::new(Kept {
            _leases: leases,
            pin: OnceLock::new(),
        });
        // SAFETY: `kept`, which every struct holds, keeps what is borrowed: the token is queued when it is dropped.
        let built = unsafe { build_table(&schema.schema, &mut words, kept.clone()) }?;
        let Built {
            mut table,
            mut bytes_copied,
        } = built;
        if is_restored {
            let restored = restore(table)?;
            table = restored.table;
            bytes_copied += restored.bytes_copied;
        }
        self.counters.copied(bytes_copied as u64);
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
