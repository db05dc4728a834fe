//! The one table of physical layouts: which buffers and children an array of each format has.
//!
//! Every other file of this crate that reads or makes an array asks this table; none of them knows a format string.

/// What a buffer holds, from which its size in bytes follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BufferKind {
    /// One bit per item, 1 for valid. May be null when nothing is null.
    Validity,
    /// One bit per item.
    Bits,
    /// This many bytes per item.
    Fixed(usize),
    /// `i32` offsets into the next buffer or the child, one more than there are items.
    Offsets32,
    /// `i64` offsets into the next buffer or the child, one more than there are items.
    Offsets64,
    /// Any bytes; the last offset of the buffer before it says how many.
    Bytes,
    /// UTF-8; the last offset of the buffer before it says how many bytes.
    Utf8,
    /// One `i32` per item: where a list view starts in the child, or how long it is.
    Views32,
    /// One `i64` per item: where a list view starts in the child, or how long it is.
    Views64,
    /// 16 bytes per item: the length, then either the bytes themselves (up to 12) or the first four of them, the
    /// variadic buffer that they are in and where.
    BinaryViews,
    /// As [`BinaryViews`](Self::BinaryViews), of UTF-8.
    Utf8Views,
    /// Bytes that views refer to; the buffer of sizes, which is the array's last, says how many.
    Variadic,
    /// One `i8` per item: which of a union's children holds it.
    TypeIds,
    /// One `i32` per item: where in that child it is.
    UnionOffsets,
}

/// What children an array has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Children {
    /// None.
    None,
    /// Any number, each at least as long as the parent's offset and length together.
    Fields,
    /// One, which the offsets, or the starts and sizes, in the buffers refer to.
    List,
    /// One, with this many items for each of the parent's.
    FixedSizeList(usize),
    /// One, a struct of a key and a value, which the offsets refer to.
    Map,
    /// This many, each at least as long as the parent's offset and length together.
    SparseUnion(usize),
    /// This many, which the offsets refer to.
    DenseUnion(usize),
    /// Two: the ends of the runs, and their values.
    RunEnds,
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
    /// The kinds of the buffers that every array of the format has, in order.
    pub fn buffers(&self) -> &[BufferKind] {
        &self.buffers[..self.buffer_count]
    }

    /// Whether any number of [variadic](BufferKind::Variadic) buffers follows, and after them the buffer of their sizes.
    pub fn is_variadic(&self) -> bool {
        matches!(
            self.buffers().last(),
            Some(BufferKind::BinaryViews | BufferKind::Utf8Views)
        )
    }

    /// Whether arrays of the format have a validity bitmap.
    pub fn has_validity(&self) -> bool {
        self.buffers().first() == Some(&BufferKind::Validity)
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
/// when the string is not one. A dictionary-encoded field has the format of its keys.
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
        "vz" => Layout::new([Validity, BinaryViews], Children::None),
        "vu" => Layout::new([Validity, Utf8Views], Children::None),
        "+s" => Layout::new([Validity], Children::Fields),
        "+l" => Layout::new([Validity, Offsets32], Children::List),
        "+L" => Layout::new([Validity, Offsets64], Children::List),
        "+vl" => Layout::new([Validity, Views32, Views32], Children::List),
        "+vL" => Layout::new([Validity, Views64, Views64], Children::List),
        "+m" => Layout::new([Validity, Offsets32], Children::Map),
        "+r" => Layout::new([], Children::RunEnds),
        _ => return parametric(format),
    })
}

fn parametric(format: &str) -> Option<Layout> {
    let (head, rest) = format.split_once(':')?;
    Some(match head {
        // The rest is a time zone.
        "tss" | "tsm" | "tsu" | "tsn" => Layout::fixed(8),
        "w" => Layout::fixed(size(rest)?),
        "+w" => Layout::new([BufferKind::Validity], Children::FixedSizeList(size(rest)?)),
        "d" => Layout::fixed(decimal(rest)?.bits / 8),
        "+us" => Layout::new(
            [BufferKind::TypeIds],
            Children::SparseUnion(type_ids(rest)?.len()),
        ),
        "+ud" => Layout::new(
            [BufferKind::TypeIds, BufferKind::UnionOffsets],
            Children::DenseUnion(type_ids(rest)?.len()),
        ),
        _ => return None,
    })
}

/// The parameters of a decimal format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal {
    pub precision: u8,
    pub scale: i8,
    pub bits: usize,
}

/// What follows `d:`.
pub(crate) fn decimal(text: &str) -> Option<Decimal> {
    let mut parts = text.split(',');
    let precision = u8::try_from(size(parts.next()?)?).ok()?;
    let scale = parts.next()?.parse().ok()?;
    let bits = parts.next().map_or(Some(128), size)?;
    let most = match bits {
        32 => 9,
        64 => 18,
        128 => 38,
        256 => 76,
        _ => return None,
    };
    let is_valid = parts.next().is_none() && (1..=most).contains(&precision);
    is_valid.then_some(Decimal {
        precision,
        scale,
        bits,
    })
}

/// What follows `+us:` or `+ud:`: the id of each child. Ids are from 0 to 127 and differ.
pub(crate) fn type_ids(text: &str) -> Option<Vec<i8>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let mut seen = 0u128;
    text.split(',')
        .map(|id| {
            let id = i8::try_from(size(id)?).ok()?;
            let bit = 1u128 << id;
            let is_new = seen & bit == 0;
            seen |= bit;
            is_new.then_some(id)
        })
        .collect()
}

/// A number in digits, without a sign, that fits an `i32`.
fn size(text: &str) -> Option<usize> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    usize::try_from(is_number.then(|| text.parse::<i32>().ok())??).ok()
}

/// How a dictionary's keys, or the ends of runs, are stored; `None` when the format is not one of integers.
pub(crate) fn integer(format: &str) -> Option<Integer> {
    Some(match format {
        "c" => Integer::I8,
        "C" => Integer::U8,
        "s" => Integer::I16,
        "S" => Integer::U16,
        "i" => Integer::I32,
        "I" => Integer::U32,
        "l" => Integer::I64,
        "L" => Integer::U64,
        _ => return None,
    })
}

/// An integer type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Integer {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
}

impl Integer {
    /// Entry `index` of the values at `address`. One of `u64` beyond `i64` reads as `i64::MAX`, which is out of every
    /// bound too.
    ///
    /// # Safety
    /// The memory holds more than `index` values of the type; it need not be aligned.
    #[inline]
    pub unsafe fn read(self, address: *const u8, index: usize) -> i64 {
        macro_rules! read {
            ($type:ty) => {
                // SAFETY: by contract.
                unsafe { address.cast::<$type>().add(index).read_unaligned() }
            };
        }
        match self {
            Self::I8 => read!(i8).into(),
            Self::U8 => read!(u8).into(),
            Self::I16 => read!(i16).into(),
            Self::U16 => read!(u16).into(),
            Self::I32 => read!(i32).into(),
            Self::U32 => read!(u32).into(),
            Self::I64 => read!(i64),
            Self::U64 => i64::try_from(read!(u64)).unwrap_or(i64::MAX),
        }
    }
}
