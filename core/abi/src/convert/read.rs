//! A table as data to convert: what a conversion reads is checked and copied, the rest is left where it is.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_buffer::ArrowNativeType;
use arrow_data::ArrayData;
use arrow_schema::Field;

use super::schema::Change;
use super::{DICTIONARY, ORIGINAL_TYPE};
use crate::OwnedTable;
use crate::check::check_structs;
use crate::import::Importer;
use crate::invalid::{InvalidArrow, Problem};
use crate::metadata::metadata;
use crate::node::Node;
use crate::walk::{Root, Visitor, walk};

/// Which way the data goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Convert,
    Restore,
}

/// The data of a table, and how many bytes were copied of it.
pub(super) fn read(
    table: &Arc<OwnedTable>,
    reading: &Reading,
) -> Result<(ArrayData, usize), InvalidArrow> {
    let mut reader = Reader {
        importer: Importer::without_text(table.clone()),
        reading: *reading,
        open: Vec::new(),
    };
    let (_, data) = walk(table.schema(), table.array(), Root::Any, &mut reader)?;
    Ok((data, reader.importer.bytes_copied))
}

struct Reader {
    importer: Importer,
    reading: Reading,
    /// What is done with the node that is walked and with each above it.
    open: Vec<Use>,
}

/// How much of a node a conversion reads.
#[derive(Clone, Copy, Default)]
struct Use {
    /// Its own buffers.
    is_read: bool,
    /// Its children and dictionary, all the way down.
    is_gathered: bool,
    /// Its dictionary, all the way down.
    is_dictionary_gathered: bool,
}

impl Reader {
    fn usage(&self, node: &Node<'_>) -> Result<Use, Problem> {
        let above = self.open.last().copied().unwrap_or_default();
        if above.is_gathered || above.is_dictionary_gathered {
            return Ok(Use {
                is_read: true,
                is_gathered: true,
                is_dictionary_gathered: true,
            });
        }
        let has_dictionary = node.dictionary_array().is_some();
        let mut usage = Use::default();
        match self.reading {
            Reading::Convert => {
                let change = Change::of(node.format, has_dictionary);
                usage.is_read = change.is_some();
                usage.is_gathered =
                    matches!(change, Some(Change::ListView { .. } | Change::RunEnds));
            }
            Reading::Restore => {
                for entry in metadata(node.schema) {
                    let (key, value) = entry?;
                    if key == ORIGINAL_TYPE {
                        usage.is_read = true;
                        usage.is_gathered |= value == "+r";
                    }
                    usage.is_dictionary_gathered |= has_dictionary && key.starts_with(DICTIONARY);
                }
            }
        }
        Ok(usage)
    }
}

impl Visitor for Reader {
    type Output = (Field, ArrayData);

    fn enter(&mut self, node: &Node<'_>) -> Result<(), Problem> {
        check_structs(node)?;
        let usage = self.usage(node)?;
        self.open.push(usage);
        Ok(())
    }

    fn leave(
        &mut self,
        node: &Node<'_>,
        children: Vec<Self::Output>,
        dictionary: Option<Self::Output>,
    ) -> Result<Self::Output, Problem> {
        let usage = self.open.pop().unwrap_or_default();
        self.importer
            .assemble(node, children, dictionary, usage.is_read)
    }
}

/// The values of buffer `index` that belong to `data`.
pub(super) fn typed<T: ArrowNativeType>(
    data: &ArrayData,
    index: usize,
) -> Result<Cow<'_, [T]>, Problem> {
    typed_more(data, index, 0)
}

/// As [`typed`], with `more` entries than there are items.
pub(super) fn typed_more<T: ArrowNativeType>(
    data: &ArrayData,
    index: usize,
    more: usize,
) -> Result<Cow<'_, [T]>, Problem> {
    if data.is_empty() {
        return Ok(Cow::Borrowed(&[]));
    }
    let bytes = data.buffers()[index].as_slice();
    let (start, count) = (data.offset(), data.len() + more);
    let expected = (start + count) * size_of::<T>();
    let bytes = bytes
        .get(start * size_of::<T>()..expected)
        .ok_or(Problem::OutOfBounds {
            index,
            bytes: expected,
        })?;
    if bytes.as_ptr().cast::<T>().is_aligned() {
        // SAFETY: aligned, as many values as there are bytes for, and any bits are a value of a native type.
        let values = unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast::<T>(), count) };
        return Ok(Cow::Borrowed(values));
    }
    let mut values = reserved::<T>(count)?;
    // SAFETY: as above, but for the alignment, which a copy of bytes does not need.
    unsafe {
        let target = values.as_mut_ptr().cast::<u8>();
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), target, bytes.len());
        values.set_len(count);
    }
    Ok(Cow::Owned(values))
}

/// An empty vector with room for `count` values: sizes come from outside, so that running out of memory must be an
/// error.
pub(super) fn reserved<T>(count: usize) -> Result<Vec<T>, Problem> {
    let mut values = Vec::new();
    values
        .try_reserve_exact(count)
        .map_err(|_| Problem::NoMemory {
            bytes: count.saturating_mul(size_of::<T>()),
        })?;
    Ok(values)
}
