//! Most tables are batches of columns of numbers and text. That such a table is sound a loop can tell, in a fraction of what
//! the walk over its structs takes; of any other, and of one that is not sound, the walk says what there is to say.

use std::ffi::c_void;

use crate::known::KnownNode;
use crate::layout::BufferKind;
use crate::raw::ArrowArray;

/// Rows of which no buffer's size overflows.
const MAX_ROWS: i64 = 1 << 40;
/// As [`MAX_ROWS`], for the bytes of one value.
const MAX_WIDTH: usize = 1 << 16;

/// Whether a table is known to be sound without a walk. The arrays are a struct and its columns, `buffers` those of all of
/// them and `sizes` the bytes that each is known to have; the buffers of no bytes are not null.
pub(super) fn is_sound(
    nodes: &[KnownNode],
    arrays: &[ArrowArray],
    buffers: &[*const c_void],
    sizes: &[usize],
) -> bool {
    let ([root, columns @ ..], [batch, arrays @ ..]) = (nodes, arrays) else {
        return false;
    };
    // As many nodes as columns: none of these has children or a dictionary. A record batch has no nulls of its own.
    if &*root.format != "+s"
        || batch.n_children != columns.len() as i64
        || !(0..MAX_ROWS).contains(&batch.length)
        || batch.null_count != 0
        || batch.n_buffers != 1
        || !buffers[0].is_null()
        || buffers.len() != sizes.len()
    {
        return false;
    }
    let mut first = 1;
    columns.iter().zip(arrays).all(|(node, array)| {
        let end = first + array.n_buffers as usize;
        let given = (&buffers[first..end], &sizes[first..end]);
        first = end;
        (batch.length..MAX_ROWS).contains(&array.length)
            && (-1..=array.length).contains(&array.null_count)
            && is_column(node.layout.buffers(), array, given)
    })
}

fn is_column(
    kinds: &[BufferKind],
    array: &ArrowArray,
    (buffers, sizes): (&[*const c_void], &[usize]),
) -> bool {
    let (length, nulls) = (array.length as usize, array.null_count);
    let bitmap = length.div_ceil(8);
    // A bitmap that is not there has nothing to say.
    let has_validity = |validity: *const c_void, size| match validity.is_null() {
        true => nulls <= 0,
        false => size >= bitmap,
    };
    let is_there = |index: usize, bytes| !buffers[index].is_null() && sizes[index] >= bytes;
    match (kinds, buffers) {
        ([BufferKind::Validity, BufferKind::Fixed(width)], &[validity, _]) => {
            has_validity(validity, sizes[0]) && *width <= MAX_WIDTH && is_there(1, length * width)
        }
        ([BufferKind::Validity, BufferKind::Bits], &[validity, _]) => {
            has_validity(validity, sizes[0]) && is_there(1, bitmap)
        }
        (
            [
                BufferKind::Validity,
                BufferKind::Offsets32,
                BufferKind::Bytes | BufferKind::Utf8,
            ],
            &[validity, offsets, _],
        ) => {
            if !has_validity(validity, sizes[0]) || length == 0 || !is_there(1, 4 * (length + 1)) {
                return false;
            }
            // SAFETY: there are length + 1 offsets; nothing says that they are aligned.
            let offset =
                |index: usize| unsafe { offsets.cast::<i32>().add(index).read_unaligned() };
            let (first, last) = (offset(0), offset(length));
            0 <= first && first <= last && is_there(2, last as usize)
        }
        _ => false,
    }
}
