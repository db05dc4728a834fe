//! What refers to other arrays: list views, type ids, dictionary keys, run ends.

use crate::Level;
use crate::check::text::offsets_index;
use crate::invalid::Problem;
use crate::layout::{BufferKind, Children, Integer, integer, type_ids};
use crate::node::{Node, Role};

/// What one node says of its children and its dictionary, which have been checked.
pub(super) fn check(node: &Node<'_>, level: Level) -> Result<(), Problem> {
    if level < Level::Default {
        return Ok(());
    }
    if node.role == Role::RunEnds {
        check_run_ends(node, level)?;
    }
    if matches!(node.layout.children, Children::List | Children::Map) {
        check_last_offset(node)?;
    }
    if level < Level::Full {
        return Ok(());
    }
    match node.layout.children {
        Children::List => check_list_views(node),
        Children::SparseUnion(_) | Children::DenseUnion(_) => check_union(node),
        _ => check_keys(node),
    }
}

/// That lists end within the child.
fn check_last_offset(node: &Node<'_>) -> Result<(), Problem> {
    let (Some(buffer), index) = (offsets_index(node), node.extent()?) else {
        return Ok(());
    };
    if index == 0 {
        return Ok(());
    }
    let (most, found) = (node.child_array(0)?.length, node.offset_at(buffer, index)?);
    if found > most {
        return Err(Problem::OffsetBeyondChild { index, most, found });
    }
    Ok(())
}

/// That every list lies within the child, lists that are null included.
fn check_list_views(node: &Node<'_>) -> Result<(), Problem> {
    let kind = match node.layout.buffers()[1] {
        BufferKind::Views32 => Integer::I32,
        BufferKind::Views64 => Integer::I64,
        _ => return Ok(()),
    };
    let length = node.child_array(0)?.length;
    for index in items(node, 1)? {
        // SAFETY: both buffers have an entry for each item; `items` saw the first, and the second has as many bytes.
        let (offset, size) = unsafe {
            (
                kind.read(node.buffer(1), index),
                kind.read(present(node, 2)?, index),
            )
        };
        let end = offset.checked_add(size);
        if offset < 0 || size < 0 || end.is_none_or(|end| end > length) {
            return Err(Problem::ListView {
                index,
                offset,
                size,
                length,
            });
        }
    }
    Ok(())
}

/// That every type id is one of the union's, and every offset within the child that it names.
fn check_union(node: &Node<'_>) -> Result<(), Problem> {
    let ids = node
        .format
        .split_once(':')
        .and_then(|(_, ids)| type_ids(ids));
    let mut lengths = [None; 128];
    for (index, id) in ids.unwrap_or_default().into_iter().enumerate() {
        lengths[id as usize] = Some(node.child_array(index)?.length);
    }
    let is_dense = matches!(node.layout.children, Children::DenseUnion(_));
    for index in items(node, 0)? {
        // SAFETY: the buffer has a type id for each item.
        let id = unsafe { node.buffer(0).cast::<i8>().add(index).read() };
        let length = usize::try_from(id).ok().and_then(|id| lengths[id]);
        let Some(length) = length else {
            return Err(Problem::TypeId { index, found: id });
        };
        if is_dense {
            // SAFETY: the buffer has an offset for each item.
            let found = unsafe { Integer::I32.read(present(node, 1)?, index) };
            if !(0..length).contains(&found) {
                return Err(Problem::UnionOffset {
                    index,
                    length,
                    found: found as i32,
                });
            }
        }
    }
    Ok(())
}

/// That every key that is not null is one of the dictionary's.
fn check_keys(node: &Node<'_>) -> Result<(), Problem> {
    let (Some(dictionary), Some(kind)) = (node.dictionary_array(), integer(node.format)) else {
        return Ok(());
    };
    let length = dictionary.length;
    for index in items(node, 1)? {
        // SAFETY: the buffer has a key for each item.
        let found = unsafe { kind.read(node.buffer(1), index) };
        if !(0..length).contains(&found) && node.is_valid(index) {
            return Err(Problem::Key {
                index,
                length,
                found,
            });
        }
    }
    Ok(())
}

/// That runs end one after the other, the first after 0, and the last where the parent ends or later. At
/// [`Level::Default`] only the first and the last are read.
fn check_run_ends(node: &Node<'_>, level: Level) -> Result<(), Problem> {
    let kind = integer(node.format).unwrap_or(Integer::I32);
    let items = items(node, 1)?;
    let mut last = 0;
    let mut next = |index: usize| {
        // SAFETY: the buffer has a run end for each item.
        let found = unsafe { kind.read(node.buffer(1), index) };
        if found <= last {
            return Err(Problem::RunEnd {
                index,
                previous: last,
                found,
            });
        }
        last = found;
        Ok(())
    };
    if level >= Level::Full {
        items.clone().try_for_each(&mut next)?;
    } else if let Some(end) = items.clone().last() {
        next(items.start)?;
        if end > items.start {
            next(end)?;
        }
    }
    if last < node.parent_extent {
        return Err(Problem::RunsTooShort {
            expected: node.parent_extent,
            found: last,
        });
    }
    Ok(())
}

/// The items of the array, counted from the start of its buffers, of which `index` must be there if there are any.
fn items(node: &Node<'_>, index: usize) -> Result<std::ops::Range<usize>, Problem> {
    let items = node.array.offset as usize..node.extent()?;
    if !items.is_empty() {
        present(node, index)?;
    }
    Ok(items)
}

/// The address of buffer `index`, which is not null.
fn present(node: &Node<'_>, index: usize) -> Result<*const u8, Problem> {
    let address = node.buffer(index);
    if address.is_null() {
        let bytes = node.buffer_bytes(index)?;
        return Err(Problem::NullBuffer { index, bytes });
    }
    Ok(address)
}
