//! Arrays in: an owned table becomes arrow-rs arrays over the same memory.

use std::alloc::Layout;
use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StructArray, make_array};
use arrow_buffer::Buffer;
use arrow_data::{ArrayData, BufferSpec};
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, UnionFields, UnionMode};

use crate::OwnedTable;
use crate::check::{Level, check_data, check_node, check_structs};
use crate::invalid::{InvalidArrow, Problem};
use crate::layout::{BufferKind, Children, type_ids};
use crate::metadata::metadata;
use crate::node::{Node, Role, text};
use crate::schema::{NULLABLE, as_ffi};
use crate::walk::{Root, Visitor, walk};

/// An imported record batch.
#[derive(Debug)]
pub struct Imported {
    /// The batch. The last of its buffers to be dropped releases the table.
    pub batch: RecordBatch,
    /// How many bytes were copied.
    pub bytes_copied: usize,
}

/// An imported array.
#[derive(Debug)]
pub struct ImportedArray {
    /// Name, type, nullability and metadata.
    pub field: Field,
    /// The array. The last of its buffers to be dropped releases the table.
    pub array: ArrayRef,
    /// How many bytes were copied.
    pub bytes_copied: usize,
}

/// Imports a record batch, checked at [`Level::Full`] on the way: what an engine reads must not be able to lead it out
/// of bounds.
///
/// Whoever made the table may still be able to write to it. So everything that says where something is or what it is
/// (bitmaps, offsets, views, type ids, dictionary keys, run ends), and all text, which Rust relies on to be UTF-8, is
/// copied, and the copy is what is checked and used. Values of fixed width and the bytes of binary columns are used
/// where they are, and copied only if they are not aligned: for these any bits are valid, and who still writes to them
/// gets what arrow-rs computes from whatever it happens to read (comparisons of binary views, which have the first bytes
/// in them too, may then contradict each other).
///
/// The table is released when this fails, or else when the batch and all arrays taken from it are gone.
pub fn import_table(table: OwnedTable) -> Result<Imported, InvalidArrow> {
    let ((field, data), bytes_copied) = import(table, Root::RecordBatch)?;
    let batch = record_batch(field, data).map_err(|error| InvalidArrow {
        path: "record batch".to_owned(),
        problem: Problem::Arrow(error.to_string()),
    })?;
    Ok(Imported {
        batch,
        bytes_copied,
    })
}

/// Imports an array of any type, as [`import_table`] does a record batch.
pub fn import_array(table: OwnedTable) -> Result<ImportedArray, InvalidArrow> {
    let ((field, data), bytes_copied) = import(table, Root::Any)?;
    Ok(ImportedArray {
        field,
        array: make_array(data),
        bytes_copied,
    })
}

fn import(table: OwnedTable, root: Root) -> Result<((Field, ArrayData), usize), InvalidArrow> {
    let table = Arc::new(table);
    let mut importer = Importer {
        owner: table.clone(),
        bytes_copied: 0,
        copies_text: true,
    };
    let imported = walk(table.schema(), table.array(), root, &mut importer)?;
    Ok((imported, importer.bytes_copied))
}

fn record_batch(field: Field, data: ArrayData) -> Result<RecordBatch, ArrowError> {
    let rows = RecordBatchOptions::new().with_row_count(Some(data.len()));
    let (fields, columns, _) = StructArray::from(data).into_parts();
    let schema = Schema::new(fields).with_metadata(field.metadata().clone());
    RecordBatch::try_new_with_options(Arc::new(schema), columns, &rows)
}

/// Makes arrow-rs data of nodes whose structs have been checked.
pub(crate) struct Importer {
    owner: Arc<OwnedTable>,
    pub bytes_copied: usize,
    copies_text: bool,
}

impl Visitor for Importer {
    type Output = (Field, ArrayData);

    fn enter(&mut self, node: &Node<'_>) -> Result<(), Problem> {
        check_structs(node)
    }

    fn leave(
        &mut self,
        node: &Node<'_>,
        children: Vec<Self::Output>,
        dictionary: Option<Self::Output>,
    ) -> Result<Self::Output, Problem> {
        self.assemble(node, children, dictionary, true)
    }
}

impl Importer {
    /// One that leaves text where it is, for who reads it as bytes only.
    pub fn without_text(owner: Arc<OwnedTable>) -> Self {
        Self {
            owner,
            bytes_copied: 0,
            copies_text: false,
        }
    }

    /// Field and data of one node. Unless it is `read`, its buffers are left where they are and what they hold is not
    /// looked at: the data may be passed on then, but not be read.
    pub fn assemble(
        &mut self,
        node: &Node<'_>,
        children: Vec<(Field, ArrayData)>,
        dictionary: Option<(Field, ArrayData)>,
        is_read: bool,
    ) -> Result<(Field, ArrayData), Problem> {
        let (fields, mut data): (Vec<Field>, Vec<ArrayData>) = children.into_iter().unzip();
        let (values, dictionary) = dictionary.unzip();
        let field = field_of(node, fields, values.as_ref())?;
        data.extend(dictionary);
        if node.layout.children == Children::RunEnds {
            // There is one value for each run; what a producer has more is nobody's.
            data[1] = data[1].slice(0, data[0].len());
        }
        let data_type = field.data_type().clone();
        let data = match is_read {
            true => self.data(node, data_type, data)?,
            false => self.borrowed(node, data_type, data)?,
        };
        Ok((field, data))
    }

    /// The data of one node over the buffers that it has.
    fn borrowed(
        &mut self,
        node: &Node<'_>,
        data_type: DataType,
        children: Vec<ArrayData>,
    ) -> Result<ArrayData, Problem> {
        let count = node.buffer_count();
        let buffers = (0..count).map(|index| self.borrow(node, index, 1));
        let buffers = buffers.collect::<Result<_, _>>()?;
        self.built(node, data_type, buffers, children)
    }

    /// The arrow-rs data of one node, whose structs and children have been checked.
    fn data(
        &mut self,
        node: &Node<'_>,
        data_type: DataType,
        children: Vec<ArrayData>,
    ) -> Result<ArrayData, Problem> {
        let count = node.buffer_count();
        let mut copies: Vec<Option<Buffer>> = vec![None; node.array.n_buffers as usize];
        // Sizes and offsets first: how much text there is, their copies decide.
        if node.layout.is_variadic() {
            let variadic = count - node.layout.buffers().len();
            copies[count] = Some(self.copy(node, count, 0, 8 * variadic)?);
        }
        for index in 0..count {
            if is_structure(node, index) {
                // The bitmap, which comes first, is already the copy when views are looked at.
                let addresses = addresses(node, &copies);
                let node = node.with_buffers(&addresses);
                copies[index] = Some(self.copy(&node, index, 0, node.buffer_bytes(index)?)?);
            }
        }
        let addresses = addresses(node, &copies);
        let structure = node.with_buffers(&addresses);
        check_data(&structure, Level::Default)?;
        for (index, copy) in copies.iter_mut().enumerate().take(count) {
            if self.copies_text && is_text(node, index) {
                let start = match node.buffer_kind(index) {
                    BufferKind::Utf8 if node.extent()? > 0 => {
                        structure.offset_at(index - 1, node.array.offset as usize)? as usize
                    }
                    _ => 0,
                };
                let bytes = structure.buffer_bytes(index)?;
                *copy = Some(self.copy(&structure, index, start, bytes)?);
            }
        }
        let addresses = self::addresses(node, &copies);
        let copied = node.with_buffers(&addresses);
        check_node(&copied, Level::Full)?;

        let mut buffers = Vec::with_capacity(count);
        let layout = arrow_data::layout(&data_type);
        for (index, copy) in copies.into_iter().enumerate().take(count) {
            buffers.push(match copy {
                Some(copy) => copy,
                None => {
                    let spec = index.checked_sub(usize::from(node.layout.has_validity()));
                    let alignment = match spec.and_then(|index| layout.buffers.get(index)) {
                        Some(BufferSpec::FixedWidth { alignment, .. }) => *alignment,
                        _ => 1,
                    };
                    self.borrow(&copied, index, alignment)?
                }
            });
        }
        self.built(node, data_type, buffers, children)
    }

    fn built(
        &self,
        node: &Node<'_>,
        data_type: DataType,
        found: Vec<Buffer>,
        children: Vec<ArrayData>,
    ) -> Result<ArrayData, Problem> {
        let mut validity = None;
        let mut buffers = Vec::with_capacity(found.len());
        for (index, buffer) in found.into_iter().enumerate() {
            match node.buffer_kind(index) {
                BufferKind::Validity if buffer.is_empty() => {}
                BufferKind::Validity => validity = Some(buffer),
                // Older producers give arrays without items no offset.
                BufferKind::Offsets32 | BufferKind::Offsets64 if buffer.is_empty() => {
                    buffers.push(Buffer::from_vec(vec![0i64]));
                }
                _ => buffers.push(buffer),
            }
        }
        let builder = ArrayData::builder(data_type)
            .len(node.array.length as usize)
            .offset(node.array.offset as usize)
            .null_bit_buffer(validity)
            .buffers(buffers)
            .child_data(children);
        // SAFETY: `check_structs`, `check_node` and the layout table are this validation; data that was not checked is
        // not read.
        unsafe { builder.skip_validation(true) }
            .build()
            .map_err(refused)
    }

    /// A buffer of arrow-rs's over the memory of buffer `index`, if that is aligned, else a copy.
    fn borrow(
        &mut self,
        node: &Node<'_>,
        index: usize,
        alignment: usize,
    ) -> Result<Buffer, Problem> {
        let bytes = node.buffer_bytes(index)?;
        if bytes == 0 {
            return Ok(Buffer::default());
        }
        let address = NonNull::new(node.buffer(index).cast_mut())
            .ok_or(Problem::NullBuffer { index, bytes })?;
        if !(address.as_ptr() as usize).is_multiple_of(alignment) {
            return self.copy(node, index, 0, bytes);
        }
        // SAFETY: the producer allocated at least `bytes` here, and the table, which keeps them, is kept by the buffer.
        Ok(unsafe { Buffer::from_custom_allocation(address, bytes, self.owner.clone()) })
    }

    /// A private copy of the first `bytes` of buffer `index`, aligned for any type, with zeros in place of those before
    /// `start`.
    fn copy(
        &mut self,
        node: &Node<'_>,
        index: usize,
        start: usize,
        bytes: usize,
    ) -> Result<Buffer, Problem> {
        if bytes == 0 {
            return Ok(Buffer::default());
        }
        let source = node.buffer(index);
        if source.is_null() {
            return Err(Problem::NullBuffer { index, bytes });
        }
        let mut copy = zeros(bytes)?;
        // SAFETY: the producer allocated at least `bytes` at `source`, `start` is no more, and the copy has room.
        unsafe {
            let target = copy.as_mut_ptr().cast::<u8>().add(start);
            std::ptr::copy_nonoverlapping(source.add(start), target, bytes - start);
        }
        self.bytes_copied += bytes - start;
        if is_views(node, index) {
            clear_null_views(node, &mut copy);
        }
        Ok(Buffer::from_vec(copy).slice_with_length(0, bytes))
    }
}

/// Room for `bytes`, which is not 0. The size comes from the caller, so that running out of memory must be an error;
/// the zeros come from the allocator, so that pages to which nothing is written cost nothing.
fn zeros(bytes: usize) -> Result<Vec<i128>, Problem> {
    let count = bytes.div_ceil(size_of::<i128>());
    let layout = Layout::array::<i128>(count).map_err(|_| Problem::NoMemory { bytes })?;
    // SAFETY: the layout is not empty.
    let address = unsafe { std::alloc::alloc_zeroed(layout) };
    if address.is_null() {
        return Err(Problem::NoMemory { bytes });
    }
    // SAFETY: just allocated by the global allocator for `count` integers, all of which are 0.
    Ok(unsafe { Vec::from_raw_parts(address.cast(), count, count) })
}

fn is_views(node: &Node<'_>, index: usize) -> bool {
    let kind = (index < node.buffer_count()).then(|| node.buffer_kind(index));
    matches!(kind, Some(BufferKind::BinaryViews | BufferKind::Utf8Views))
}

/// The views of null items may be anything; arrow-rs takes them to be valid.
fn clear_null_views(node: &Node<'_>, views: &mut [i128]) {
    for (item, view) in views.iter_mut().enumerate() {
        if !node.is_valid(item) {
            *view = 0;
        }
    }
}

/// Whether buffer `index` says where something is or what it is.
fn is_structure(node: &Node<'_>, index: usize) -> bool {
    match node.buffer_kind(index) {
        BufferKind::Bytes | BufferKind::Utf8 | BufferKind::Variadic => false,
        BufferKind::Fixed(_) => node.role == Role::RunEnds || node.dictionary_array().is_some(),
        _ => true,
    }
}

fn is_text(node: &Node<'_>, index: usize) -> bool {
    let is_utf8_views = node.layout.buffers().last() == Some(&BufferKind::Utf8Views);
    match node.buffer_kind(index) {
        BufferKind::Utf8 => true,
        BufferKind::Variadic => is_utf8_views,
        _ => false,
    }
}

/// The addresses of the copies, and of the originals where there is no copy.
fn addresses(node: &Node<'_>, copies: &[Option<Buffer>]) -> Vec<*const c_void> {
    let address = |(index, copy): (usize, &Option<Buffer>)| match copy {
        Some(copy) if !copy.is_empty() => copy.as_ptr().cast(),
        // Nothing of it is read, but a bitmap that is there must stay there.
        _ => node.buffer(index).cast(),
    };
    copies.iter().enumerate().map(address).collect()
}

/// The arrow-rs field of one node.
fn field_of(
    node: &Node<'_>,
    children: Vec<Field>,
    values: Option<&Field>,
) -> Result<Field, Problem> {
    let schema = node.schema;
    let mut fields = children.into_iter().map(Arc::new);
    let mut next = || fields.next().ok_or(Problem::Null("a child"));
    let parameter = node.format.split_once(':').map_or("", |(_, rest)| rest);
    let data_type = match node.layout.children {
        Children::None => match values {
            Some(values) => DataType::Dictionary(
                Box::new(key_type(node)),
                Box::new(values.data_type().clone()),
            ),
            None => DataType::try_from(as_ffi(schema)).map_err(refused)?,
        },
        Children::Fields => DataType::Struct(Fields::from_iter(fields)),
        Children::List => match node.format {
            "+l" => DataType::List(next()?),
            "+L" => DataType::LargeList(next()?),
            "+vl" => DataType::ListView(next()?),
            _ => DataType::LargeListView(next()?),
        },
        Children::FixedSizeList(width) => DataType::FixedSizeList(next()?, width as i32),
        Children::Map => DataType::Map(next()?, schema.flags & 4 != 0),
        Children::RunEnds => DataType::RunEndEncoded(next()?, next()?),
        Children::SparseUnion(_) | Children::DenseUnion(_) => {
            let ids = type_ids(parameter).unwrap_or_default();
            let mode = match node.layout.children {
                Children::DenseUnion(_) => UnionMode::Dense,
                _ => UnionMode::Sparse,
            };
            DataType::Union(UnionFields::try_new(ids, fields).map_err(refused)?, mode)
        }
    };
    let name = text(schema.name, "name")?.unwrap_or_default();
    let entries = metadata(schema)
        .map(|entry| entry.map(|(key, value)| (key.to_owned(), value.to_owned())))
        .collect::<Result<HashMap<_, _>, _>>()?;
    Ok(Field::new(name, data_type, schema.flags & NULLABLE != 0)
        .with_dict_is_ordered(schema.flags & 1 != 0)
        .with_metadata(entries))
}

/// The type of a dictionary's keys.
fn key_type(node: &Node<'_>) -> DataType {
    match node.format {
        "c" => DataType::Int8,
        "C" => DataType::UInt8,
        "s" => DataType::Int16,
        "S" => DataType::UInt16,
        "i" => DataType::Int32,
        "I" => DataType::UInt32,
        "l" => DataType::Int64,
        _ => DataType::UInt64,
    }
}

fn refused(error: ArrowError) -> Problem {
    Problem::Arrow(error.to_string())
}
