//! The ladder of checks between a foreign struct and code that reads it.

use crate::OwnedTable;
use crate::invalid::{InvalidArrow, NullCount, Problem};
use crate::layout::BufferKind;
use crate::schema;
use crate::walk::{Node, Visitor, text, walk};

/// How much of a table is checked; each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Only what cannot be read past: released structs, null pointers, numbers of buffers and children, nesting
    /// (at most 64 levels), types that are not supported. For tables of one's own making.
    None,
    /// Everything that the structs themselves say: lengths, offsets, null counts, names, metadata, missing buffers,
    /// and that a record batch has neither null rows nor an offset. No column data is read.
    Minimal,
    /// The first and last offset of each variable-length column too. Constant time per column.
    Default,
    /// All offsets, all text (UTF-8), all null counts. Reads offsets, text and validity once.
    Full,
}

impl Level {
    /// The level that a caller names by number: 0 none, 1 minimal, 2 default, 3 full.
    pub fn from_number(number: u32) -> Option<Self> {
        [Self::None, Self::Minimal, Self::Default, Self::Full]
            .get(number as usize)
            .copied()
    }
}

/// Checks that `table` is a record batch that can be read, as far as `level` goes.
///
/// No level can tell whether an address that is not null is valid, or whether a buffer is as large as its array says:
/// for these every consumer of the C Data Interface trusts the producer.
pub fn check(table: &OwnedTable, level: Level) -> Result<(), InvalidArrow> {
    walk(table.schema(), table.array(), &mut Checker { level })
}

pub(crate) struct Checker {
    pub level: Level,
}

impl Visitor for Checker {
    type Output = ();

    fn enter(&mut self, node: &Node<'_>) -> Result<(), Problem> {
        if self.level >= Level::Minimal {
            check_structs(node)?;
        }
        if self.level >= Level::Default
            && let Some(index) = offsets_index(node)
        {
            check_offsets(node, index, node.buffer(index), self.level)?;
        }
        if self.level >= Level::Full {
            check_null_count(node)?;
        }
        Ok(())
    }

    fn leave(&mut self, _node: &Node<'_>, _children: Vec<()>) -> Result<(), Problem> {
        Ok(())
    }
}

/// [`Level::Minimal`] for one node.
pub(crate) fn check_structs(node: &Node<'_>) -> Result<(), Problem> {
    text(node.schema.name, "name")?;
    for entry in schema::metadata(node.schema) {
        entry?;
    }
    node.extent()?;
    let array = node.array;
    if array.length < node.needed {
        return Err(Problem::ChildTooShort {
            expected: node.needed,
            found: array.length,
        });
    }
    if array.null_count < -1 || array.null_count > array.length {
        return Err(Problem::NullCount {
            expected: NullCount::UpTo(array.length),
            found: array.null_count,
        });
    }
    for (index, kind) in node.layout.buffers().iter().enumerate() {
        let bytes = match kind {
            BufferKind::Validity if array.null_count > 0 => node.extent()?.div_ceil(8),
            // How much text there is only the offsets tell, and they are data.
            BufferKind::Validity | BufferKind::Bytes | BufferKind::Utf8 => continue,
            _ => node.buffer_bytes(index)?,
        };
        if bytes > 0 && node.buffer(index).is_null() {
            return Err(Problem::NullBuffer { index, bytes });
        }
    }
    if node.depth == 0 {
        // A record batch has no place for either; Arrow C++ refuses them too.
        if array.offset != 0 {
            return Err(Problem::BatchOffset(array.offset));
        }
        let nulls = count_nulls(node)?;
        if array.null_count > 0 || nulls > 0 {
            return Err(Problem::NullRows(array.null_count.max(nulls as i64)));
        }
    }
    Ok(())
}

/// Which buffer holds offsets, if one does.
pub(crate) fn offsets_index(node: &Node<'_>) -> Option<usize> {
    let is_offsets =
        |kind: &BufferKind| matches!(kind, BufferKind::Offsets32 | BufferKind::Offsets64);
    node.layout.buffers().iter().position(is_offsets)
}

/// [`Level::Default`] or [`Level::Full`] for the offsets of one node, which are read at `offsets`: buffer `index` or a
/// copy of it that nobody else can write to.
pub(crate) fn check_offsets(
    node: &Node<'_>,
    index: usize,
    offsets: *const u8,
    level: Level,
) -> Result<(), Problem> {
    let extent = node.extent()?;
    if extent == 0 {
        return Ok(());
    }
    let start = node.array.offset as usize;
    let first = node.offset_at(index, offsets, start)?;
    if first < 0 {
        return Err(Problem::FirstOffset(first));
    }
    let last = node.offset_at(index, offsets, extent)?;
    if last < first {
        return Err(Problem::OffsetOrder {
            index: extent,
            previous: first,
            found: last,
        });
    }
    let data = node.buffer(index + 1);
    if last > 0 && data.is_null() {
        return Err(Problem::NullBuffer {
            index: index + 1,
            bytes: last as usize,
        });
    }
    if level < Level::Full {
        return Ok(());
    }

    let mut previous = first;
    for item in start..=extent {
        let found = node.offset_at(index, offsets, item)?;
        if found < previous {
            return Err(Problem::OffsetOrder {
                index: item,
                previous,
                found,
            });
        }
        previous = found;
    }
    if node.layout.buffers()[index + 1] == BufferKind::Utf8 && last > first {
        // SAFETY: the producer allocated at least `last` bytes, and the address is not null.
        let bytes = unsafe {
            std::slice::from_raw_parts(data.add(first as usize), (last - first) as usize)
        };
        let text = std::str::from_utf8(bytes).map_err(|error| Problem::TextNotUtf8 {
            offset: first as usize + error.valid_up_to(),
        })?;
        if !text.is_ascii() {
            for item in start..=extent {
                let offset = node.offset_at(index, offsets, item)?;
                if !text.is_char_boundary((offset - first) as usize) {
                    return Err(Problem::OffsetInCharacter {
                        index: item,
                        offset: offset as usize,
                    });
                }
            }
        }
    }
    Ok(())
}

/// [`Level::Full`] for the null count of one node.
pub(crate) fn check_null_count(node: &Node<'_>) -> Result<(), Problem> {
    let found = node.array.null_count;
    if found == -1 || node.layout.buffers().first() != Some(&BufferKind::Validity) {
        return Ok(());
    }
    let counted = count_nulls(node)?;
    if found != counted as i64 {
        return Err(Problem::NullCount {
            expected: NullCount::Exactly(counted),
            found,
        });
    }
    Ok(())
}

/// How many items the validity bitmap marks as null.
fn count_nulls(node: &Node<'_>) -> Result<usize, Problem> {
    let bitmap = node.buffer(0);
    let bytes = node.buffer_bytes(0)?;
    if bitmap.is_null() || bytes == 0 {
        return Ok(0);
    }
    // SAFETY: a bitmap that is not null has one bit for each item of the extent.
    let bitmap = unsafe { std::slice::from_raw_parts(bitmap, bytes) };
    let bits = arrow_buffer::bit_chunk_iterator::UnalignedBitChunk::new(
        bitmap,
        node.array.offset as usize,
        node.array.length as usize,
    );
    Ok(node.array.length as usize - bits.count_ones())
}
