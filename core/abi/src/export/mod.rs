//! Arrays out: structs whose release callbacks are this library's own.
//!
//! Every struct, children and dictionaries included, holds its own share of what keeps its memory alive, because a
//! consumer may move a child out (copy it and null the child's `release`) and release the parent first.

mod array;
mod schema;
mod slab;

use std::any::Any;
use std::sync::Arc;

use arrow_array::{Array, RecordBatch, StructArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_data::ArrayData;
use arrow_schema::{DataType, Field};

use crate::check::{Level, check_root};
use crate::invalid::{InvalidArrow, Problem};
use crate::node::Node;
use crate::raw::{ArrowArray, ArrowSchema};
use crate::walk::{Root, Visitor, walk};
use crate::{OwnedTable, SchemaTree};

use array::{Owner, new_array};
use schema::new_schema;

pub(crate) use array::{Allocation, allocations_of};
pub use array::{ArrayParts, no_bytes};
pub(crate) use schema::{schema_struct, share_schema};
pub(crate) use slab::Draft;

/// Exports `batch` without copying its data: the structs share ownership of its buffers. (A validity bitmap that does
/// not start where its values do is the exception; it is rebuilt.)
///
/// Fails when the types nest deeper than 64 levels or a name has a NUL in it.
pub fn export_batch(batch: &RecordBatch) -> Result<OwnedTable, InvalidArrow> {
    let schema = SchemaTree::of_schema(batch.schema_ref())?;
    let array = StructArray::from(batch.clone());
    export_data(&schema, &array.into_data(), Root::RecordBatch)
}

/// Exports one array with its field, as [`export_batch`] does. The field's type is the array's, which is not checked
/// beyond the layout.
pub fn export_array(array: &dyn Array, field: &Field) -> Result<OwnedTable, InvalidArrow> {
    export_data(&SchemaTree::of_field(field)?, &array.to_data(), Root::Any)
}

/// Exports data under a schema of the same layout.
pub(crate) fn export_data(
    schema: &SchemaTree,
    data: &ArrayData,
    root: Root,
) -> Result<OwnedTable, InvalidArrow> {
    let schema = schema.to_raw()?;
    // SAFETY: both structs were made here and are given up.
    let table = unsafe { OwnedTable::from_raw(schema, array_struct(data)) };
    // An array that does not fit its schema is refused here; dropping the table releases what was built.
    check_root(&table, root, Level::None)?;
    Ok(table)
}

fn array_struct(data: &ArrayData) -> ArrowArray {
    let is_dictionary = matches!(data.data_type(), DataType::Dictionary(..));
    let mut children: Vec<ArrowArray> = data.child_data().iter().map(array_struct).collect();
    let dictionary = if is_dictionary { children.pop() } else { None };

    let layout = arrow_data::layout(data.data_type());
    let values = data.buffers().iter().map(|buffer| Some(buffer.clone()));
    let buffers: Vec<Option<Buffer>> = if layout.can_contain_null_mask {
        std::iter::once(validity(data.offset(), data.len(), data.nulls()))
            .chain(values)
            .collect()
    } else {
        values.collect()
    };
    let mut pointers: Vec<_> = buffers
        .iter()
        .map(|buffer| match buffer {
            Some(buffer) if buffer.is_empty() => no_bytes(),
            Some(buffer) => buffer.as_ptr().cast(),
            None => std::ptr::null(),
        })
        .collect();
    let allocations = buffers.iter().map(|buffer| {
        let buffer = buffer.as_ref().filter(|buffer| !buffer.is_empty())?;
        Some(Allocation {
            start: buffer.data_ptr().as_ptr() as usize,
            capacity: buffer.capacity(),
        })
    });
    let mut allocations: Vec<_> = allocations.collect();
    // After the views come the variadic buffers and their sizes.
    let sizes: Box<[i64]> = if layout.variadic {
        let variadic = data.buffers().iter().skip(layout.buffers.len());
        variadic.map(|buffer| buffer.len() as i64).collect()
    } else {
        Box::default()
    };
    if layout.variadic {
        pointers.push(match sizes.is_empty() {
            true => no_bytes(),
            false => sizes.as_ptr().cast(),
        });
        allocations.push(None);
    }
    let null_count = match data.data_type() {
        DataType::Null => data.len(),
        _ => data.null_count(),
    };
    new_array(
        [data.len() as i64, null_count as i64, data.offset() as i64],
        pointers,
        allocations.into(),
        children,
        dictionary,
        Owner::Buffers {
            _buffers: buffers.into_iter().flatten().collect(),
            _sizes: sizes,
        },
    )
}

/// The bitmap of `nulls` as it is when its first bit has the place `offset`, else one rebuilt so that it has.
fn validity(offset: usize, length: usize, nulls: Option<&NullBuffer>) -> Option<Buffer> {
    let nulls = nulls?;
    if nulls.offset() == offset {
        return Some(nulls.buffer().clone());
    }
    let is_set = |bit: usize| bit >= offset && nulls.is_valid(bit - offset);
    Some(BooleanBuffer::collect_bool(offset + length, is_set).into_inner())
}

/// Exports a table that is held on this side, as the original arrays: new structs over the same buffers. Each of them
/// holds `owner` until it is released. The outermost type may be any.
///
/// # Safety
/// `table`, unreleased, lives as long as `owner`.
pub unsafe fn share_table(
    table: &OwnedTable,
    owner: Arc<dyn Any + Send + Sync>,
) -> Result<OwnedTable, InvalidArrow> {
    let mut sharer = Sharer { owner };
    walk(table.schema(), table.array(), Root::Any, &mut sharer)
}

struct Sharer {
    owner: Arc<dyn Any + Send + Sync>,
}

impl Visitor for Sharer {
    type Output = OwnedTable;

    fn enter(&mut self, _node: &Node<'_>) -> Result<(), Problem> {
        Ok(())
    }

    fn leave(
        &mut self,
        node: &Node<'_>,
        children: Vec<OwnedTable>,
        dictionary: Option<OwnedTable>,
    ) -> Result<OwnedTable, Problem> {
        let (schemas, arrays): (Vec<ArrowSchema>, Vec<ArrowArray>) =
            children.into_iter().map(parts).unzip();
        let (dictionary_schema, dictionary) = dictionary.map(parts).unzip();
        let source = node.array;
        let buffers: Vec<_> = (0..source.n_buffers as usize)
            .map(|index| node.buffer(index).cast())
            .collect();
        let allocations = match allocations_of(source) {
            Some(allocations) => allocations.into(),
            None => vec![None; buffers.len()].into(),
        };
        let array = new_array(
            [source.length, source.null_count, source.offset],
            buffers,
            allocations,
            arrays,
            dictionary,
            Owner::Shared {
                _owner: self.owner.clone(),
            },
        );
        let schema = new_schema(node.schema, schemas, dictionary_schema, self.owner.clone());
        // SAFETY: both structs were made here and are given up.
        Ok(unsafe { OwnedTable::from_raw(schema, array) })
    }
}

fn parts(table: OwnedTable) -> (ArrowSchema, ArrowArray) {
    let raw = table.into_raw();
    (raw.schema, raw.array)
}
