extern crate alloc;
extern crate core as basis;
use std::collections::{self, btree_map::{self as tree, Entry}, HashMap as Map};
use std::{io::{self, Read as _, prelude::*}, fmt};
pub use crate::inner::Thing;
pub(crate) use self::inner::make as produce;
use super::{self as parent, sibling};
use inner::*;

mod inner {
    pub struct Thing;
    pub fn make() -> Thing {
        Thing
    }
}

fn uses(map: Map<u8, Thing>) -> io::Result<collections::HashSet<u8>> {
    use std::env::args;
    let entry: Entry = tree::Entry::new(args());
    produce();
    sibling::call(parent::NAME, basis::mem::size_of::<Thing>());
    alloc::vec::Vec::<u8>::new();
    Err(io::Error::other(fmt::Error))
}

fn elsewhere() {
    args();
}
