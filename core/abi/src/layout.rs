//! The one table of physical layouts: which buffers and children an array of each format has.
//!
//! A new type is a new line in [`layout_of`], and for nested types a new [`Children`]. What is not in the table is
//! refused as unsupported by every function of this crate.

/// What a buffer holds, from which its size in bytes follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BufferKind {
    /// One bit per item, 1 for valid. May be null when nothing is null.
    Validity,
    /// One bit per item.
    Bits,
    /// This many bytes per item.
    Fixed(usize),
    /// `i32` offsets into the next buffer, one more than there are items.
    Offsets32,
    /// `i64` offsets into the next buffer, one more than there are items.
    Offsets64,
    /// Any bytes; the last offset of the buffer before it says how many.
    Bytes,
    /// UTF-8; the last offset of the buffer before it says how many bytes.
    Utf8,
}

/// What children an array has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Children {
    /// None.
    None,
    /// Any number, each at least as long as the parent's offset and length together.
    Fields,
}

/// The physical layout of one format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    buffers: [BufferKind; 3],
    buffer_count: usize,
    /// What children an array of this format has.
    pub children: Children,
}

impl Layout {
    /// The kinds of the buffers, in order.
    pub fn buffers(&self) -> &[BufferKind] {
        &self.buffers[..self.buffer_count]
    }

    const fn new<const N: usize>(kinds: [BufferKind; N], children: Children) -> Self {
        let mut buffers = [BufferKind::Validity; 3];
        let mut index = 0;
        while index < N {
            buffers[index] = kinds[index];
            index += 1;
        }
        Self {
            buffers,
            buffer_count: N,
            children,
        }
    }

    const fn fixed(width: usize) -> Self {
        Self::new(
            [BufferKind::Validity, BufferKind::Fixed(width)],
            Children::None,
        )
    }
}

/// The layout of a [format string](https://arrow.apache.org/docs/format/CDataInterface.html#format-strings); `None`
/// when the type is not supported or the string is not one.
pub fn layout_of(format: &str) -> Option<Layout> {
    use BufferKind::*;
    Some(match format {
        "n" => Layout::new([], Children::None),
        "b" => Layout::new([Validity, Bits], Children::None),
        "c" | "C" => Layout::fixed(1),
        "s" | "S" | "e" => Layout::fixed(2),
        "i" | "I" | "f" | "tdD" | "tts" | "ttm" | "tiM" => Layout::fixed(4),
        "l" | "L" | "g" | "tdm" | "ttu" | "ttn" | "tDs" | "tDm" | "tDu" | "tDn" | "tiD" => {
            Layout::fixed(8)
        }
        "tin" => Layout::fixed(16),
        "z" => Layout::new([Validity, Offsets32, Bytes], Children::None),
        "Z" => Layout::new([Validity, Offsets64, Bytes], Children::None),
        "u" => Layout::new([Validity, Offsets32, Utf8], Children::None),
        "U" => Layout::new([Validity, Offsets64, Utf8], Children::None),
        "+s" => Layout::new([Validity], Children::Fields),
        _ => return parametric(format),
    })
}

fn parametric(format: &str) -> Option<Layout> {
    let (head, rest) = format.split_once(':')?;
    match head {
        // The rest is a time zone.
        "tss" | "tsm" | "tsu" | "tsn" => Some(Layout::fixed(8)),
        "w" => Some(Layout::fixed(
            usize::try_from(rest.parse::<i32>().ok()?).ok()?,
        )),
        "d" => {
            let mut parts = rest.split(',');
            let _precision: u8 = parts.next()?.parse().ok()?;
            let _scale: i8 = parts.next()?.parse().ok()?;
            let bits: usize = parts.next().map_or(Some(128), |bits| bits.parse().ok())?;
            (parts.next().is_none() && matches!(bits, 32 | 64 | 128 | 256))
                .then(|| Layout::fixed(bits / 8))
        }
        _ => None,
    }
}
