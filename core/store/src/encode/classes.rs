//! Classes: the distinct combinations of a row's columns that have few values each (kind, language, access ...). A
//! row stores one small number for all of them, and the values need not be known to this crate.

use std::hash::Hasher;

use rustc_hash::{FxHashMap, FxHasher};

use crate::image::Record;

/// The values of one class, in the order of its table's columns.
pub(super) trait Class: Copy {
    /// The same, owning its texts.
    type Owned;

    /// Feeds every value to the hash.
    fn hash(&self, hasher: &mut FxHasher);
    /// Whether these are the values of `other`.
    fn equals(&self, other: &Self::Owned) -> bool;
    fn to_owned(&self) -> Self::Owned;
    /// Appends the values as columns.
    fn write(owned: &Self::Owned, record: &mut Record);
}

/// The classes of one kind of row and their keys, 1 for the first.
#[derive(Debug)]
pub(super) struct Classes<O> {
    items: Vec<O>,
    /// By hash; two classes of one hash stand at consecutive hashes.
    keys: FxHashMap<u64, u32>,
}

impl<O> Default for Classes<O> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            keys: FxHashMap::default(),
        }
    }
}

impl<O> Classes<O> {
    #[inline]
    pub(super) fn intern<C: Class<Owned = O>>(&mut self, class: C) -> u32 {
        let mut hasher = FxHasher::default();
        class.hash(&mut hasher);
        let mut hash = hasher.finish();
        loop {
            match self.keys.get(&hash) {
                Some(&key) if class.equals(&self.items[key as usize - 1]) => return key,
                Some(_) => hash = hash.wrapping_add(1),
                None => break,
            }
        }
        self.items.push(class.to_owned());
        let key = self.items.len() as u32;
        self.keys.insert(hash, key);
        key
    }

    /// How many classes there are, which is also the greatest key.
    pub(super) fn len(&self) -> u32 {
        self.items.len() as u32
    }

    pub(super) fn get(&self, key: u32) -> &O {
        &self.items[key as usize - 1]
    }
}

/// Feeds a text so that it cannot run into the next. Of a long one its ends and its length will do.
#[inline]
pub(super) fn hash_text(hasher: &mut FxHasher, text: &str) {
    let (first, last) = ends(text.as_bytes());
    hasher.write_u64(first);
    hasher.write_u64(last ^ (text.len() as u64) << 56);
}

/// Equality that is decided without a call for the short words that classes are made of.
#[inline]
pub(super) fn equal_text(a: &str, b: &str) -> bool {
    a.len() == b.len() && ends(a.as_bytes()) == ends(b.as_bytes()) && (a.len() <= 16 || a == b)
}

/// The first and the last eight bytes of a text, which overlap when it is shorter than sixteen. Shorter than eight, it
/// is one word, twice.
#[inline]
fn ends(text: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    let word = if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
    } else {
        text.iter()
            .fold(0, |word, byte| word << 8 | u64::from(*byte))
    };
    (word, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_of_texts_of_every_length_and_difference() {
        let text = "abcdefghijklmnopqrstuvwxyz";
        for length in 0..text.len() {
            let a = &text[..length];
            assert!(equal_text(a, &String::from(a)), "{a}");
            assert!(!equal_text(a, &text[..length + 1]), "{a}");
            for at in 0..length {
                let mut other = a.to_owned();
                other.replace_range(at..at + 1, "!");
                assert!(!equal_text(a, &other), "{a} {other}");
            }
        }
    }
}
