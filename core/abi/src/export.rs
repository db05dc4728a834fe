//! Record batches out: structs whose release callbacks are this library's own.
//!
//! Every struct, children included, holds its own share of what keeps its memory alive, because a consumer may move a
//! child out (copy it and null the child's `release`) and release the parent first.

use std::any::Any;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use arrow_array::{Array, RecordBatch, StructArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_data::ArrayData;
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{DataType, Schema};

use crate::guard::guard_callback;
use crate::invalid::{InvalidArrow, Problem};
use crate::raw::{ArrowArray, ArrowSchema};
use crate::walk::{Node, Visitor, walk};
use crate::{Level, OwnedTable, check};

/// The native allocation that a buffer lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allocation {
    pub start: usize,
    pub capacity: usize,
}

/// Where buffers without bytes point: some consumers refuse null there, and these zeros are also the one offset that
/// an empty variable-length array has.
#[repr(align(64))]
pub(crate) struct Zeros(pub [u8; 64]);

pub(crate) static ZEROS: Zeros = Zeros([0; 64]);

/// Whatever keeps the memory behind a struct alive.
pub(crate) enum Owner {
    Buffers { _buffers: Vec<Buffer> },
    Shared { _owner: Arc<dyn Any + Send + Sync> },
}

/// Exports `batch` without copying its data: the structs share ownership of its buffers. (A validity bitmap that does
/// not start where its values do is the exception; it is rebuilt.)
///
/// Fails when a column's type is not in this crate's table of layouts.
pub fn export_batch(batch: &RecordBatch) -> Result<OwnedTable, InvalidArrow> {
    let schema = export_schema(batch.schema_ref()).map_err(|error| InvalidArrow {
        path: "record batch".to_owned(),
        problem: Problem::Arrow(error.to_string()),
    })?;
    let array = export_array(&StructArray::from(batch.clone()).into_data());
    // SAFETY: both structs were made here and are given up.
    let table = unsafe { OwnedTable::from_raw(schema, array) };
    // A type that is not in the table of layouts is refused here; dropping the table releases what was built.
    check::check(&table, Level::None)?;
    Ok(table)
}

/// Exports a table that is held on this side, as the original arrays: new structs over the same buffers. Each of them
/// holds `owner` until it is released.
///
/// # Safety
/// `table`, unreleased, lives as long as `owner`.
pub unsafe fn share_table(
    table: &OwnedTable,
    owner: Arc<dyn Any + Send + Sync>,
) -> Result<OwnedTable, InvalidArrow> {
    walk(table.schema(), table.array(), &mut Sharer { owner })
}

fn export_schema(schema: &Schema) -> Result<ArrowSchema, arrow_schema::ArrowError> {
    const { assert!(size_of::<FFI_ArrowSchema>() == size_of::<ArrowSchema>()) };
    let schema = ManuallyDrop::new(FFI_ArrowSchema::try_from(schema)?);
    // SAFETY: both are the specification's struct, field by field; the original is not used or dropped any more.
    let schema = unsafe { std::ptr::from_ref(&*schema).cast::<ArrowSchema>().read() };
    // SAFETY: the schema was made here and is given up; the array is a released one.
    let owner = Arc::new(unsafe { OwnedTable::from_raw(schema, ArrowArray::released()) });
    Ok(share_schema(
        owner.schema(),
        &(owner.clone() as Arc<dyn Any + Send + Sync>),
    ))
}

/// A schema of this library's own over the strings of `source`, which `owner` keeps alive.
pub(crate) fn share_schema(
    source: &ArrowSchema,
    owner: &Arc<dyn Any + Send + Sync>,
) -> ArrowSchema {
    let children = (0..source.n_children as usize)
        // SAFETY: the source is well formed: made by arrow-rs in `export_schema`.
        .map(|index| unsafe { &**source.children.add(index) })
        .map(|child| share_schema(child, owner))
        .collect();
    let mut schema = new_schema(source, children, owner.clone());
    // SAFETY: as for the children; a dictionary that is not null is a well-formed schema.
    if let Some(dictionary) = unsafe { source.dictionary.as_ref() } {
        schema.dictionary = Box::into_raw(Box::new(share_schema(dictionary, owner)));
    }
    schema
}

fn export_array(data: &ArrayData) -> ArrowArray {
    let children = data.child_data().iter().map(export_array).collect();
    let values = data.buffers().iter().map(|buffer| Some(buffer.clone()));
    let buffers: Vec<Option<Buffer>> = if arrow_data::layout(data.data_type()).can_contain_null_mask
    {
        std::iter::once(validity(data.offset(), data.len(), data.nulls()))
            .chain(values)
            .collect()
    } else {
        values.collect()
    };
    let pointers = buffers.iter().map(|buffer| match buffer {
        Some(buffer) if buffer.is_empty() => ZEROS.0.as_ptr().cast(),
        Some(buffer) => buffer.as_ptr().cast(),
        None => std::ptr::null(),
    });
    let allocations = buffers.iter().map(|buffer| {
        let buffer = buffer.as_ref().filter(|buffer| !buffer.is_empty())?;
        Some(Allocation {
            start: buffer.data_ptr().as_ptr() as usize,
            capacity: buffer.capacity(),
        })
    });
    let null_count = match data.data_type() {
        DataType::Null => data.len(),
        _ => data.null_count(),
    };
    new_array(
        [data.len() as i64, null_count as i64, data.offset() as i64],
        pointers.collect(),
        allocations.collect(),
        children,
        Owner::Buffers {
            _buffers: buffers.into_iter().flatten().collect(),
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

struct Sharer {
    owner: Arc<dyn Any + Send + Sync>,
}

impl Visitor for Sharer {
    type Output = OwnedTable;

    fn enter(&mut self, _node: &Node<'_>) -> Result<(), Problem> {
        Ok(())
    }

    fn leave(&mut self, node: &Node<'_>, children: Vec<OwnedTable>) -> Result<OwnedTable, Problem> {
        let mut schemas = Vec::with_capacity(children.len());
        let mut arrays = Vec::with_capacity(children.len());
        for child in children {
            let raw = child.into_raw();
            schemas.push(raw.schema);
            arrays.push(raw.array);
        }
        let source = node.array;
        let buffers: Box<[_]> = (0..node.layout.buffers().len())
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
            Owner::Shared {
                _owner: self.owner.clone(),
            },
        );
        let schema = new_schema(node.schema, schemas, self.owner.clone());
        // SAFETY: both structs were made here and are given up.
        Ok(unsafe { OwnedTable::from_raw(schema, array) })
    }
}

/// The `private_data` of a schema of this library's own.
struct SchemaPrivate {
    children: Box<[*mut ArrowSchema]>,
    _owner: Arc<dyn Any + Send + Sync>,
}

fn new_schema(
    source: &ArrowSchema,
    children: Vec<ArrowSchema>,
    owner: Arc<dyn Any + Send + Sync>,
) -> ArrowSchema {
    let children = children
        .into_iter()
        .map(|child| Box::into_raw(Box::new(child)))
        .collect();
    let mut private = Box::new(SchemaPrivate {
        children,
        _owner: owner,
    });
    ArrowSchema {
        format: source.format,
        name: source.name,
        metadata: source.metadata,
        flags: source.flags,
        n_children: private.children.len() as i64,
        children: private.children.as_mut_ptr(),
        dictionary: std::ptr::null_mut(),
        release: Some(release_schema),
        private_data: Box::into_raw(private).cast(),
    }
}

unsafe extern "C" fn release_schema(schema: *mut ArrowSchema) {
    guard_callback(|| {
        // SAFETY: the caller passes a schema that has this function as its `release`, or null.
        let Some(schema) = (unsafe { schema.as_mut() }) else {
            return;
        };
        if schema.release.take().is_none() {
            return;
        }
        // SAFETY: `new_schema` made it, and `release` having been set means that it was not freed yet.
        let private = unsafe { Box::from_raw(schema.private_data.cast::<SchemaPrivate>()) };
        for &child in private
            .children
            .iter()
            .chain((!schema.dictionary.is_null()).then_some(&schema.dictionary))
        {
            // SAFETY: each was boxed when the parent was made, and only its parent frees the box.
            let mut child = unsafe { Box::from_raw(child) };
            // A child without `release` has been moved out; its new owner releases it.
            if let Some(release) = child.release {
                // SAFETY: the child is not released yet, and is the parent's to release.
                unsafe { release(&mut *child) };
            }
        }
    });
}

/// The `private_data` of an array of this library's own.
struct ArrayPrivate {
    buffers: Box<[*const c_void]>,
    allocations: Box<[Option<Allocation>]>,
    children: Box<[*mut ArrowArray]>,
    _owner: Owner,
}

pub(crate) fn new_array(
    [length, null_count, offset]: [i64; 3],
    buffers: Box<[*const c_void]>,
    allocations: Box<[Option<Allocation>]>,
    children: Vec<ArrowArray>,
    owner: Owner,
) -> ArrowArray {
    let children = children
        .into_iter()
        .map(|child| Box::into_raw(Box::new(child)))
        .collect();
    let mut private = Box::new(ArrayPrivate {
        buffers,
        allocations,
        children,
        _owner: owner,
    });
    ArrowArray {
        length,
        null_count,
        offset,
        n_buffers: private.buffers.len() as i64,
        n_children: private.children.len() as i64,
        buffers: private.buffers.as_mut_ptr(),
        children: private.children.as_mut_ptr(),
        dictionary: std::ptr::null_mut(),
        release: Some(RELEASE_ARRAY),
        private_data: Box::into_raw(private).cast(),
    }
}

type ReleaseArray = unsafe extern "C" fn(*mut ArrowArray);

/// Arrays of this library's own are told by this address. It is kept in a static because a function item may have
/// several addresses; `inline(never)` and one static make it a single one.
static RELEASE_ARRAY: ReleaseArray = release_array;

#[inline(never)]
unsafe extern "C" fn release_array(array: *mut ArrowArray) {
    guard_callback(|| {
        // SAFETY: the caller passes an array that has this function as its `release`, or null.
        let Some(array) = (unsafe { array.as_mut() }) else {
            return;
        };
        if array.release.take().is_none() {
            return;
        }
        // SAFETY: `new_array` made it, and `release` having been set means that it was not freed yet.
        let private = unsafe { Box::from_raw(array.private_data.cast::<ArrayPrivate>()) };
        let dictionary = (!array.dictionary.is_null()).then_some(&array.dictionary);
        for &child in private.children.iter().chain(dictionary) {
            // SAFETY: each was boxed when the parent was made, and only its parent frees the box.
            let mut child = unsafe { Box::from_raw(child) };
            // A child without `release` has been moved out; its new owner releases it.
            if let Some(release) = child.release {
                // SAFETY: the child is not released yet, and is the parent's to release.
                unsafe { release(&mut *child) };
            }
        }
    });
}

/// The allocation behind each buffer of an array that this library exported; `None` for any other array.
pub(crate) fn allocations_of(array: &ArrowArray) -> Option<&[Option<Allocation>]> {
    let release = array.release?;
    if !std::ptr::fn_addr_eq(release, RELEASE_ARRAY) {
        return None;
    }
    // SAFETY: only `new_array` sets this `release`, together with this `private_data`, which lives until the release.
    let private = unsafe { &*array.private_data.cast::<ArrayPrivate>() };
    Some(&private.allocations)
}
