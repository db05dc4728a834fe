//! One call for what every import of a table needs: to take it over, check it, and say where its memory lies.

use std::mem::{offset_of, size_of};

use bowstring_abi::describe::recycle;
use bowstring_abi::{Failure, OwnedTable};

use crate::context::Context;
use crate::handle::Handle;
use crate::import::{ImportOptions, Prepared};

/// What bow_lease_adopt_described is asked, and what it answers. A caller may use one for all its calls: what it asks stays
/// as it is.
#[repr(C)]
pub struct BowAdoption {
    /// Set by the caller to sizeof(struct bow_adoption), so that the struct can grow.
    pub size: u32,
    /// How the table is imported: the flags of bow_lease_import.
    pub flags: u32,
    /// The address of the ArrowSchema.
    pub schema: usize,
    /// The address of the ArrowArray.
    pub array: usize,
    /// Room for the description.
    pub words: *mut f64,
    /// How many numbers fit there.
    pub capacity: u32,
    /// Written: the handle of the lease.
    pub lease: u32,
    /// Written: how many numbers the description has.
    pub word_count: u32,
    /// Not used.
    pub reserved: u32,
}

const _: () = {
    assert!(size_of::<BowAdoption>() == 48);
    assert!(offset_of!(BowAdoption, schema) == 8);
    assert!(offset_of!(BowAdoption, words) == 24);
    assert!(offset_of!(BowAdoption, capacity) == 32);
    assert!(offset_of!(BowAdoption, word_count) == 40);
};

impl Context {
    /// Gives a lease of a table, as [`import`](Self::import) does, and lets `write` have the words of its description, which
    /// the lease does not keep if they were `written`. The table is released when this fails.
    pub fn adopt(
        &self,
        table: OwnedTable,
        options: ImportOptions,
        written: impl FnOnce(&[f64]) -> bool,
    ) -> Result<Handle, Failure> {
        let mut prepared = Prepared::new(vec![table], options)?;
        let words = prepared.take_words();
        if written(&words) {
            recycle(words);
        } else {
            prepared.keep_words(words);
        }
        self.lease_of(prepared)
    }
}
