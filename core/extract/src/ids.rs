//! Ids that survive edits: 128 bits of blake3 over what a row is, never over where it stands.
//!
//! | row | hashed bytes |
//! |---|---|
//! | symbol | `s`, id of the definition around it or path, 0, qualified name, 0, kind, 0, ordinal |
//! | identifier | `i`, id of the containing symbol or path, 0, kind, 0, name, 0, ordinal |
//! | relationship | `r`, id of the source symbol, kind, 0, id of the target or name, 0, ordinal |
//!
//! The ordinal (4 bytes, little-endian) counts rows that are equal in everything before it, in source order. The
//! tables show an id as 22 characters of base64url without padding.

use crate::facts::Id;

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

    /// Adds the ordinal and hashes.
    pub fn finish(&mut self, ordinal: u32) -> Id {
        self.buffer.extend_from_slice(&ordinal.to_le_bytes());
        let hash = blake3::hash(&self.buffer);
        let mut id = [0; 16];
        id.copy_from_slice(&hash.as_bytes()[..16]);
        id
    }
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
        let a = hasher.start(b's').text(b"ab").text(b"c").finish(0);
        let b = hasher.start(b's').text(b"a").text(b"bc").finish(0);
        assert_ne!(a, b);
    }
}
