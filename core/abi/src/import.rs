//! Record batches in: an owned table becomes arrow-rs arrays over the same memory.

use std::ptr::NonNull;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions, StructArray};
use arrow_buffer::{ArrowNativeType, Buffer};
use arrow_data::ArrayData;
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{ArrowError, DataType, Schema};

use crate::OwnedTable;
use crate::check::{Level, check_null_count, check_offsets, check_structs};
use crate::invalid::{InvalidArrow, Problem};
use crate::layout::BufferKind;
use crate::raw::ArrowSchema;
use crate::walk::{Node, Visitor, walk};

/// An imported record batch.
#[derive(Debug)]
pub struct Imported {
    /// The batch. The last of its buffers to be dropped releases the table.
    pub batch: RecordBatch,
    /// How many bytes were copied: those of the offsets.
    pub bytes_copied: usize,
}

/// Imports a table, checked at [`Level::Full`] on the way: what an engine reads must not be able to lead it out of
/// bounds.
///
/// Offsets are copied and the copy is checked, since whoever made the table may still be able to write to it; values,
/// text and validity are used where they are. The table is released when this fails, or else when the batch and all
/// arrays taken from it are gone.
pub fn import_table(table: OwnedTable) -> Result<Imported, InvalidArrow> {
    let table = Arc::new(table);
    let mut importer = Importer {
        owner: table.clone(),
        bytes_copied: 0,
    };
    let data = walk(table.schema(), table.array(), &mut importer)?;
    let batch = record_batch(&table, data).map_err(|error| InvalidArrow {
        path: "record batch".to_owned(),
        problem: Problem::Arrow(error.to_string()),
    })?;
    Ok(Imported {
        batch,
        bytes_copied: importer.bytes_copied,
    })
}

fn record_batch(table: &OwnedTable, data: ArrayData) -> Result<RecordBatch, ArrowError> {
    let schema = Schema::try_from(as_ffi(table.schema()))?;
    let rows = RecordBatchOptions::new().with_row_count(Some(data.len()));
    let columns = StructArray::from(data).columns().to_vec();
    RecordBatch::try_new_with_options(Arc::new(schema), columns, &rows)
}

/// The same struct under arrow-rs's name.
fn as_ffi(schema: &ArrowSchema) -> &FFI_ArrowSchema {
    const { assert!(size_of::<FFI_ArrowSchema>() == size_of::<ArrowSchema>()) };
    // SAFETY: both are the specification's struct, field by field; borrowed, so nothing is released through it.
    unsafe { &*std::ptr::from_ref(schema).cast() }
}

struct Importer {
    owner: Arc<OwnedTable>,
    bytes_copied: usize,
}

impl Importer {
    /// A buffer of arrow-rs's over the memory of buffer `index`.
    fn borrow(&self, node: &Node<'_>, index: usize, bytes: usize) -> Result<Buffer, Problem> {
        if bytes == 0 {
            return Ok(Buffer::default());
        }
        let address = NonNull::new(node.buffer(index).cast_mut())
            .ok_or(Problem::NullBuffer { index, bytes })?;
        // SAFETY: the producer allocated at least `bytes` here, and the table, which keeps them, is kept by the buffer.
        Ok(unsafe { Buffer::from_custom_allocation(address, bytes, self.owner.clone()) })
    }

    /// A private copy of the offsets in buffer `index`, checked.
    fn copy_offsets<T: ArrowNativeType>(
        &mut self,
        node: &Node<'_>,
        index: usize,
    ) -> Result<Buffer, Problem> {
        if node.extent()? == 0 {
            return Ok(Buffer::from_vec(vec![T::default()]));
        }
        let bytes = node.buffer_bytes(index)?;
        let source = node.buffer(index);
        if source.is_null() {
            return Err(Problem::NullBuffer { index, bytes });
        }
        let count = bytes / size_of::<T>();
        let mut copy: Vec<T> = Vec::new();
        // The size comes from the caller, so that running out of memory must be an error.
        copy.try_reserve_exact(count)
            .map_err(|_| Problem::NoMemory { bytes })?;
        // SAFETY: the producer allocated at least `bytes` at `source`; the copy has room for them, and every bit
        // pattern is a `T`, an integer.
        unsafe {
            std::ptr::copy_nonoverlapping(source, copy.as_mut_ptr().cast::<u8>(), bytes);
            copy.set_len(count);
        }
        self.bytes_copied += bytes;
        check_offsets(node, index, copy.as_ptr().cast(), Level::Full)?;
        Ok(Buffer::from_vec(copy))
    }
}

impl Visitor for Importer {
    type Output = ArrayData;

    fn enter(&mut self, node: &Node<'_>) -> Result<(), Problem> {
        check_structs(node)?;
        check_null_count(node)
    }

    fn leave(&mut self, node: &Node<'_>, children: Vec<ArrayData>) -> Result<ArrayData, Problem> {
        let kinds = node.layout.buffers();
        let mut buffers = Vec::with_capacity(kinds.len());
        let mut validity = None;
        for (index, kind) in kinds.iter().enumerate() {
            match kind {
                BufferKind::Validity => {
                    let bytes = node.buffer_bytes(index)?;
                    if bytes > 0 {
                        validity = Some(self.borrow(node, index, bytes)?);
                    }
                }
                BufferKind::Offsets32 => buffers.push(self.copy_offsets::<i32>(node, index)?),
                BufferKind::Offsets64 => buffers.push(self.copy_offsets::<i64>(node, index)?),
                BufferKind::Bytes | BufferKind::Utf8 => {
                    // The copied offsets decide, not the ones that others may write to.
                    let bytes = buffers
                        .last()
                        .map_or(0, |offsets| last_offset(offsets, kinds[index - 1]));
                    buffers.push(self.borrow(node, index, bytes)?);
                }
                BufferKind::Bits | BufferKind::Fixed(_) => {
                    buffers.push(self.borrow(node, index, node.buffer_bytes(index)?)?);
                }
            }
        }
        let refused = |error: ArrowError| Problem::Arrow(error.to_string());
        let data_type = DataType::try_from(as_ffi(node.schema)).map_err(refused)?;
        let builder = ArrayData::builder(data_type)
            .len(node.array.length as usize)
            .offset(node.array.offset as usize)
            .null_bit_buffer(validity)
            .buffers(buffers)
            .child_data(children)
            .align_buffers(true);
        // SAFETY: `check_structs`, `check_offsets` and the layout table are this validation.
        unsafe { builder.skip_validation(true) }
            .build()
            .map_err(refused)
    }
}

/// The last of checked offsets, which is not negative.
fn last_offset(offsets: &Buffer, kind: BufferKind) -> usize {
    match kind {
        BufferKind::Offsets64 => offsets
            .typed_data::<i64>()
            .last()
            .map_or(0, |&last| last as usize),
        _ => offsets
            .typed_data::<i32>()
            .last()
            .map_or(0, |&last| last as usize),
    }
}
