//! Views of text and bytes.
//!
//! A view has 16 bytes, numbers in native order: the length (`i32`), then for up to 12 bytes the bytes themselves,
//! followed by zeros, and for more the first four of them, the index of a variadic buffer (`i32`) and the offset there
//! (`i32`).

use crate::invalid::Problem;
use crate::layout::BufferKind;
use crate::node::Node;

/// How many bytes fit in the view itself.
pub(crate) const INLINE: usize = 12;

/// [`Level::Full`](crate::Level::Full) for the views of one node, those of null items left out.
pub(super) fn check(node: &Node<'_>) -> Result<(), Problem> {
    let is_utf8 = match node.layout.buffers().last() {
        Some(BufferKind::Utf8Views) => true,
        Some(BufferKind::BinaryViews) => false,
        _ => return Ok(()),
    };
    let (start, extent) = (node.array.offset as usize, node.extent()?);
    if start == extent {
        return Ok(());
    }
    // SAFETY: as in `check_utf8`: who relies on it passes copies.
    let views = unsafe { node.bytes(1, node.buffer_bytes(1)?) }?;
    let first = node.layout.buffers().len();
    let buffers = (first..node.buffer_count())
        // SAFETY: as above.
        .map(|index| unsafe { node.bytes(index, node.buffer_bytes(index)?) })
        .collect::<Result<Vec<_>, _>>()?;
    for (index, view) in views.chunks_exact(16).enumerate().skip(start) {
        if !node.is_valid(index) {
            continue;
        }
        let bytes = read(index, view, &buffers)?;
        if is_utf8 && std::str::from_utf8(bytes).is_err() {
            return Err(Problem::ViewNotUtf8 { index });
        }
    }
    Ok(())
}

/// The bytes of one view, checked.
fn read<'a>(index: usize, view: &'a [u8], buffers: &[&'a [u8]]) -> Result<&'a [u8], Problem> {
    let word = |at: usize| i32::from_ne_bytes([view[at], view[at + 1], view[at + 2], view[at + 3]]);
    let length = word(0);
    let Ok(count) = usize::try_from(length) else {
        return Err(Problem::ViewLength {
            index,
            found: length,
        });
    };
    if count <= INLINE {
        let (bytes, padding) = view[4..].split_at(count);
        if padding.iter().any(|&byte| byte != 0) {
            return Err(Problem::ViewPadding { index });
        }
        return Ok(bytes);
    }
    let (buffer, offset) = (word(8), word(12));
    let found = usize::try_from(buffer).ok();
    let Some((buffer, data)) = found.and_then(|at| Some((at, *buffers.get(at)?))) else {
        return Err(Problem::ViewBuffer {
            index,
            count: buffers.len(),
            found: buffer,
        });
    };
    let bytes = usize::try_from(offset)
        .ok()
        .and_then(|start| data.get(start..start + count))
        .ok_or(Problem::ViewRange {
            index,
            buffer,
            bytes: data.len(),
            offset,
            length,
        })?;
    if bytes[..4] != view[4..8] {
        return Err(Problem::ViewPrefix { index });
    }
    Ok(bytes)
}
