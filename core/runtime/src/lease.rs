//! Leases: tables that JavaScript, or any other reader, may look at while references last.

use std::any::Any;
use std::sync::Arc;

use bowstring_abi::describe::{Block, Description};
use bowstring_abi::{Failure, InvalidArrow, OwnedTable, SchemaTree, Status, share_table};

use crate::counters::Counters;
use crate::import::Prepared;

/// A group of tables, released together when the last share of it is dropped.
pub struct Lease {
    tables: Prepared,
    counters: Arc<Counters>,
}

impl Lease {
    pub(crate) fn new(tables: Prepared, counters: Arc<Counters>) -> Self {
        counters.lease_made(tables.description().total_bytes);
        counters.copied(tables.bytes_copied() as u64);
        Self { tables, counters }
    }

    /// The tables as they are shown: converted, where they had to be.
    pub fn tables(&self) -> &[OwnedTable] {
        self.tables.shown()
    }

    /// The tables that are shown as blocks and places within them.
    pub fn description(&self) -> &Description {
        self.tables.description()
    }

    /// The schemas of the tables that are shown.
    pub fn schemas(&self) -> Result<Vec<SchemaTree>, InvalidArrow> {
        self.tables().iter().map(SchemaTree::read).collect()
    }

    /// One block of native memory.
    pub fn block(&self, index: u32) -> Result<Block, Failure> {
        let blocks = &self.description().blocks;
        blocks.get(index as usize).copied().ok_or_else(|| {
            Failure::new(
                Status::InvalidArgument,
                format!("expected a block below {} but found {index}", blocks.len()),
            )
        })
    }

    /// Notes that `bytes` of this lease were copied.
    pub fn copied(&self, bytes: usize) {
        self.counters.copied(bytes as u64);
    }

    /// Table `index` as it came in: new structs over the same memory, which hold the lease until they are released.
    pub fn export(self: &Arc<Self>, index: u32) -> Result<OwnedTable, Failure> {
        let table = self.tables.original(index as usize).ok_or_else(|| {
            let count = self.tables().len();
            Failure::new(
                Status::InvalidArgument,
                format!("expected a table below {count} but found {index}"),
            )
        })?;
        let owner: Arc<dyn Any + Send + Sync> = self.clone();
        // SAFETY: the lease owns the table and releases it only when it is dropped itself.
        Ok(unsafe { share_table(table, owner) }?)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.counters.lease_freed(self.description().total_bytes);
    }
}

/// A lease as its context's table of handles has it: the references that were given out for it.
pub(crate) struct LeaseEntry {
    pub lease: Arc<Lease>,
    /// The reference that the lease started with; ends with its context.
    pub initial: bool,
    /// References taken by `retain`; each outlives the context.
    pub retained: u32,
}

impl LeaseEntry {
    pub fn new(lease: Lease) -> Self {
        Self {
            lease: Arc::new(lease),
            initial: true,
            retained: 0,
        }
    }

    /// Gives back the initial reference, or else a retained one. True when none is left.
    pub fn release(&mut self) -> bool {
        if self.initial {
            self.initial = false;
        } else {
            self.retained -= 1;
        }
        self.is_unreferenced()
    }

    /// Gives back a retained reference, or else the initial one. True when none is left.
    pub fn drop_one(&mut self) -> bool {
        if self.retained > 0 {
            self.retained -= 1;
        } else {
            self.initial = false;
        }
        self.is_unreferenced()
    }

    pub fn is_unreferenced(&self) -> bool {
        !self.initial && self.retained == 0
    }
}
