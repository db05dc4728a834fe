//! Ids that survive edits: 128 bits of blake3 over what a row is, never over where it stands.
//!
//! | row | hashed bytes |
//! |---|---|
//! | symbol | `s`, id of the definition around it or path, 0, qualified name, 0, kind, 0 |
//! | identifier | `i`, id of the containing symbol or path, 0, kind, 0, name, 0 |
//!
//! Of rows that are equal in all of this, the second in source order has the first one's id plus 1, and so on: 2^32 such
//! neighbours of one another are as far from the next id as chance allows. A relationship is read from one row (the
//! part, the import, the name that is used, the definition that overrides) and has that row's id, with its kind mixed in.
//! The tables show an id as 22 characters of base64url without padding.

use crate::facts::Id;
use crate::model::RelationshipKind;

/// Bytes of an id in the tables.
pub const ID_LEN: usize = 22;

/// Collects the parts of an id in one reused buffer, so that most rows hash one 64-byte block and allocate nothing.
#[derive(Default)]
pub struct IdHasher {
    buffer: Vec<u8>,
}

impl IdHasher {
    /// Starts an id of the rows that `tag` stands for.
    pub fn start(&mut self, tag: u8) -> &mut Self {
        self.buffer.clear();
        self.buffer.push(tag);
        self
    }

    /// Adds bytes of variable length and a separator.
    pub fn text(&mut self, bytes: &[u8]) -> &mut Self {
        self.buffer.extend_from_slice(bytes);
        self.buffer.push(0);
        self
    }

    /// Adds an id.
    pub fn id(&mut self, id: &Id) -> &mut Self {
        self.buffer.extend_from_slice(id);
        self
    }

    /// Hashes: the ids of all rows with these parts.
    pub fn finish(&mut self) -> NextId {
        let hash = blake3::hash(&self.buffer);
        NextId(u128::from_be_bytes(
            *hash.as_bytes().first_chunk().expect("a hash is longer"),
        ))
    }
}

/// The id that the next of several equal rows gets.
pub struct NextId(u128);

impl NextId {
    /// Gives it to a row.
    pub fn take(&mut self) -> Id {
        let id = self.0;
        self.0 = id.wrapping_add(1);
        id.to_be_bytes()
    }
}

/// The id of a relationship of this kind that is read from the row `origin`, of which there is one at most.
pub fn of_relationship(origin: &Id, kind: RelationshipKind) -> Id {
    let mut id = *origin;
    id[0] ^= kind as u8 + 1;
    id
}

/// The two characters of each value of 12 bits.
static PAIRS: [[u8; 2]; 1 << 12] = {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut pairs = [[0; 2]; 1 << 12];
    let mut value = 0;
    while value < pairs.len() {
        pairs[value] = [ALPHABET[value >> 6], ALPHABET[value & 63]];
        value += 1;
    }
    pairs
};

/// The 22 characters of an id.
pub fn encode(id: &Id) -> [u8; ID_LEN] {
    let mut out = [0; ID_LEN];
    let bits = u128::from_be_bytes(*id);
    // 22 characters hold 132 bits: the last one carries the final two bits in its upper places.
    for (at, pair) in out.as_chunks_mut().0.iter_mut().enumerate() {
        let shift = 116 - 12 * at as i32;
        let twelve = if shift >= 0 {
            bits >> shift
        } else {
            bits << -shift
        };
        *pair = PAIRS[(twelve & 0xfff) as usize];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_as_base64url_without_padding() {
        let cases: [(Id, &[u8; ID_LEN]); 3] = [
            ([0; 16], b"AAAAAAAAAAAAAAAAAAAAAA"),
            ([0xff; 16], b"_____________________w"),
            (*b"0123456789abcdef", b"MDEyMzQ1Njc4OWFiY2RlZg"),
        ];
        for (id, text) in cases {
            assert_eq!(&encode(&id), text);
        }
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let mut hasher = IdHasher::default();
        let a = hasher.start(b's').text(b"ab").text(b"c").finish().take();
        let b = hasher.start(b's').text(b"a").text(b"bc").finish().take();
        assert_ne!(a, b);
    }

    #[test]
    fn equal_rows_count_on() {
        let mut ids = IdHasher::default().start(b's').text(b"a").finish();
        let (first, second) = (ids.take(), ids.take());
        assert_eq!(
            u128::from_be_bytes(first).wrapping_add(1),
            u128::from_be_bytes(second)
        );
    }

    #[test]
    fn relationships_of_one_row_differ_by_kind() {
        let of = |kind: &_| of_relationship(&[7; 16], *kind);
        let mut ids: Vec<Id> = RelationshipKind::ALL.iter().map(of).collect();
        ids.push([7; 16]);
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }
}
