//! Offsets, and the text between them.

use crate::Level;
use crate::invalid::Problem;
use crate::layout::BufferKind;
use crate::node::Node;

/// The offsets of one node, if it has any.
pub(super) fn check(node: &Node<'_>, level: Level) -> Result<(), Problem> {
    let Some(index) = offsets_index(node) else {
        return Ok(());
    };
    let extent = node.extent()?;
    if extent == 0 {
        return Ok(());
    }
    let start = node.array.offset as usize;
    let first = node.offset_at(index, start)?;
    if first < 0 {
        return Err(Problem::FirstOffset(first));
    }
    let last = node.offset_at(index, extent)?;
    if last < first {
        return Err(Problem::OffsetOrder {
            index: extent,
            previous: first,
            found: last,
        });
    }
    // The offsets of lists are compared with the child when that has been checked.
    let data = node.layout.buffers().get(index + 1);
    if data.is_some() && last > 0 && node.buffer(index + 1).is_null() {
        return Err(Problem::NullBuffer {
            index: index + 1,
            bytes: last as usize,
        });
    }
    if level < Level::Full {
        return Ok(());
    }

    let offsets = node.buffer(index);
    match node.buffer_kind(index) {
        BufferKind::Offsets64 => check_order::<i64>(offsets, start, extent, first)?,
        _ => check_order::<i32>(offsets, start, extent, first)?,
    }
    if data == Some(&BufferKind::Utf8) && last > first {
        check_utf8(node, index, first as usize, last as usize)?;
    }
    Ok(())
}

/// Which buffer holds offsets, if one does.
pub(super) fn offsets_index(node: &Node<'_>) -> Option<usize> {
    let is_offsets =
        |kind: &BufferKind| matches!(kind, BufferKind::Offsets32 | BufferKind::Offsets64);
    node.layout.buffers().iter().position(is_offsets)
}

/// That no offset from `start` to `extent` is less than the one before it.
fn check_order<T: Copy + Into<i64>>(
    offsets: *const u8,
    start: usize,
    extent: usize,
    first: i64,
) -> Result<(), Problem> {
    let mut previous = first;
    for index in start..=extent {
        // SAFETY: the buffer holds extent + 1 offsets and is not null, since the first one was read.
        let found = unsafe { offsets.cast::<T>().add(index).read_unaligned() }.into();
        if found < previous {
            return Err(Problem::OffsetOrder {
                index,
                previous,
                found,
            });
        }
        previous = found;
    }
    Ok(())
}

/// That the text between the first and the last offset is UTF-8, and that no offset lies inside a character.
fn check_utf8(node: &Node<'_>, index: usize, first: usize, last: usize) -> Result<(), Problem> {
    // SAFETY: the text is read once. Who is to rely on what is found here passes a copy that nobody else can write to,
    // as the import does.
    let bytes = &unsafe { node.bytes(index + 1, last) }?[first..];
    let text = std::str::from_utf8(bytes).map_err(|error| Problem::TextNotUtf8 {
        offset: first + error.valid_up_to(),
    })?;
    if text.is_ascii() {
        return Ok(());
    }
    let start = node.array.offset as usize;
    for item in start..=node.extent()? {
        let offset = node.offset_at(index, item)? as usize;
        if !text.is_char_boundary(offset - first) {
            return Err(Problem::OffsetInCharacter {
                index: item,
                offset,
            });
        }
    }
    Ok(())
}
