//! One row in SQLite's record format (section 2.1 of its file format): a header with one serial type a column, then
//! the values.

/// A row being built: call the column methods in column order, then hand it to
/// [`TableBuilder::push`](super::TableBuilder::push). Reused from row to row, so that no row allocates.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Serial types as varints, without the header's own length.
    header: Vec<u8>,
    body: Vec<u8>,
}

impl Record {
    pub(crate) fn clear(&mut self) {
        self.header.clear();
        self.body.clear();
    }

    pub(crate) fn null(&mut self) {
        self.header.push(0);
    }

    /// An integer, in as few bytes as hold it.
    pub(crate) fn int(&mut self, value: i64) {
        // Serial types: 8 and 9 are the constants 0 and 1; 1 to 6 are big-endian integers of 1, 2, 3, 4, 6, 8 bytes.
        let (serial, bytes) = match value {
            0 => (8, 0),
            1 => (9, 0),
            -0x80..=0x7f => (1, 1),
            -0x8000..=0x7fff => (2, 2),
            -0x80_0000..=0x7f_ffff => (3, 3),
            -0x8000_0000..=0x7fff_ffff => (4, 4),
            -0x8000_0000_0000..=0x7fff_ffff_ffff => (5, 6),
            _ => (6, 8),
        };
        self.header.push(serial);
        // A fixed store of 8 bytes, cut to size, is faster than a copy of a length known only at run time.
        let length = self.body.len() + bytes;
        if bytes > 0 {
            self.body
                .extend_from_slice(&(value << (64 - 8 * bytes as u32)).to_be_bytes());
            self.body.truncate(length);
        }
    }

    /// The same for the integers that nearly all columns hold, without branches: their widths are hard to predict.
    #[inline]
    pub(crate) fn number(&mut self, value: u32) {
        let (serial, bytes) = NUMBERS[value.leading_zeros() as usize];
        self.header.push(serial);
        let length = self.body.len() + usize::from(bytes);
        let digits = u64::from(value).unbounded_shl(64 - 8 * u32::from(bytes));
        self.body.extend_from_slice(&digits.to_be_bytes());
        self.body.truncate(length);
    }

    #[inline]
    pub(crate) fn optional_number(&mut self, value: Option<u32>) {
        match value {
            Some(value) => self.number(value),
            None => self.null(),
        }
    }

    pub(crate) fn real(&mut self, value: f64) {
        self.header.push(7);
        self.body.extend_from_slice(&value.to_bits().to_be_bytes());
    }

    /// UTF-8 text. The caller vouches for the encoding: SQLite does not check it either.
    pub(crate) fn text(&mut self, value: &[u8]) {
        push_varint(&mut self.header, 13 + 2 * value.len() as u64);
        self.body.extend_from_slice(value);
    }

    pub(crate) fn optional_text(&mut self, value: Option<&[u8]>) {
        match value {
            Some(value) => self.text(value),
            None => self.null(),
        }
    }

    /// The length of the header with its own length in front, and that length as a varint.
    pub(super) fn header_length(&self) -> Varint {
        // The header's length counts itself: one byte up to 127, else two (the tables have far fewer than 8,000
        // columns).
        let length = self.header.len() as u64;
        Varint::new(if length < 0x7f {
            length + 1
        } else {
            length + 2
        })
    }

    /// The two parts after the header's length.
    pub(super) fn parts(&self) -> (&[u8], &[u8]) {
        (&self.header, &self.body)
    }
}

/// Serial type and bytes of a 32-bit number by its leading zeros. One bit more than the number has is the sign's.
const NUMBERS: [(u8, u8); 33] = {
    let mut table = [(0, 0); 33];
    let mut zeros = 0;
    while zeros <= 32 {
        table[zeros] = match zeros {
            32 => (8, 0),
            31 => (9, 0),
            25.. => (1, 1),
            17.. => (2, 2),
            9.. => (3, 3),
            1.. => (4, 4),
            0 => (5, 6),
        };
        zeros += 1;
    }
    table
};

/// An integer in SQLite's variable-length form: 7 bits a byte, most significant first, all 8 bits in a ninth byte.
#[derive(Debug, Clone, Copy)]
pub(super) struct Varint {
    bytes: [u8; 9],
    length: u8,
}

impl Varint {
    pub(super) fn new(value: u64) -> Self {
        let mut bytes = [0; 9];
        if value <= 0x7f {
            bytes[0] = value as u8;
            return Self { bytes, length: 1 };
        }
        if value > (1 << 56) - 1 {
            bytes[8] = value as u8;
            let mut rest = value >> 8;
            for byte in bytes[..8].iter_mut().rev() {
                *byte = (rest & 0x7f) as u8 | 0x80;
                rest >>= 7;
            }
            return Self { bytes, length: 9 };
        }
        let length = (64 - value.leading_zeros()).div_ceil(7) as usize;
        let mut rest = value;
        for (place, byte) in bytes[..length].iter_mut().rev().enumerate() {
            *byte = (rest & 0x7f) as u8 | if place == 0 { 0 } else { 0x80 };
            rest >>= 7;
        }
        Self {
            bytes,
            length: length as u8,
        }
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Writes it to the front of `out` and returns its length.
    #[inline]
    pub(super) fn write(&self, out: &mut [u8]) -> usize {
        // Nearly always one to three bytes, for which a call to copy them takes longer than the copy.
        for (to, from) in out.iter_mut().zip(self.as_slice()) {
            *to = *from;
        }
        usize::from(self.length)
    }
}

fn push_varint(out: &mut Vec<u8>, value: u64) {
    if value <= 0x7f {
        out.push(value as u8);
    } else {
        out.extend_from_slice(Varint::new(value).as_slice());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_as_in_the_file_format() {
        let cases: [(u64, &[u8]); 8] = [
            (0, &[0]),
            (0x7f, &[0x7f]),
            (0x80, &[0x81, 0x00]),
            (0x3fff, &[0xff, 0x7f]),
            (0x4000, &[0x81, 0x80, 0x00]),
            (
                (1 << 56) - 1,
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
            ),
            (
                1 << 56,
                &[0x80, 0xc0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
            ),
            (u64::MAX, &[0xff; 9]),
        ];
        for (value, bytes) in cases {
            assert_eq!(Varint::new(value).as_slice(), bytes, "{value:#x}");
        }
    }

    #[test]
    fn a_number_is_encoded_as_the_same_integer() {
        let bounds = (0..32).flat_map(|shift| [(1u32 << shift) - 1, 1 << shift, (1 << shift) + 1]);
        for value in bounds.chain([u32::MAX]) {
            let (mut int, mut number) = (Record::default(), Record::default());
            int.int(value.into());
            number.number(value);
            assert_eq!(number.parts(), int.parts(), "{value}");
        }
    }
}
