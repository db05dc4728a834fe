//! A hash table from texts to keys that does not store the texts.

use std::hash::Hasher;

use rustc_hash::FxHasher;

/// Open addressing with linear probing, at most half full. Where a map of the standard library takes a cache line for
/// its control bytes, one for the entry and one for the text, this takes one here and one for the text, which the
/// owner keeps where it likes.
#[derive(Debug, Default)]
pub(super) struct Slots {
    /// The upper half of a text's hash in the upper half, its key (1 and up) in the lower; 0 is free.
    slots: Vec<u64>,
    used: usize,
}

/// Where a text that was not found goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vacant {
    at: usize,
    hash: u64,
}

impl Slots {
    /// Removes everything and makes room for `count` texts.
    pub(super) fn reset(&mut self, count: usize) {
        let size = (2 * count + 2).next_power_of_two();
        self.slots.clear();
        self.slots.resize(size, 0);
        self.used = 0;
    }

    /// Whether one more text needs [`reset`](Self::reset) with more room first.
    pub(super) fn is_full(&self) -> bool {
        2 * (self.used + 1) > self.slots.len()
    }

    /// The key of a text, or where it goes. `text_of` gives the text of a key. Must not be full.
    #[inline]
    pub(super) fn find<'a>(
        &self,
        text: &[u8],
        text_of: impl Fn(u32) -> &'a [u8],
    ) -> Result<u32, Vacant> {
        let hash = hash(text);
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            match self.slots[at] {
                0 => return Err(Vacant { at, hash }),
                slot if slot >> 32 == hash >> 32 && text_of(slot as u32) == text => {
                    return Ok(slot as u32);
                }
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// Enters a text that [`find`](Self::find) did not find, with nothing entered since.
    #[inline]
    pub(super) fn insert(&mut self, vacant: Vacant, key: u32) {
        self.slots[vacant.at] = vacant.hash >> 32 << 32 | u64::from(key);
        self.used += 1;
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}
