//! One schema struct, and one with its array, whose counts and pointers fit each other and the type.

use std::ffi::{CStr, c_void};
use std::ops::Deref;

use crate::invalid::Problem;
use crate::known::KnownNode;
use crate::layout::{BufferKind, Children, Layout, integer, layout_of};
use crate::raw::{ArrowArray, ArrowSchema};
use crate::walk::Root;

/// How deep types may nest, the outermost one counted.
pub(crate) const MAX_DEPTH: usize = 64;

/// No buffer has more bytes than a process has addresses, on any 64-bit machine there is.
const ADDRESS_SPACE: usize = 1 << 57;

/// What a node is to its parent, if that restricts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Root(Root),
    Child,
    Dictionary,
    /// The struct of keys and values of a map.
    MapEntries,
    /// The keys of a map, which may not be null.
    MapKeys,
    /// The values of a map's keys that are run-end encoded: their nulls are what is null among the keys.
    MapKeyRuns,
    /// Where the runs of a run-end encoded array end.
    RunEnds,
}

/// A schema struct that fits its type.
#[derive(Clone, Copy)]
pub(crate) struct SchemaNode<'a> {
    pub schema: &'a ArrowSchema,
    pub format: &'a str,
    pub layout: Layout,
    pub role: Role,
    /// 0 for the outermost one.
    pub depth: usize,
    /// Whether name and metadata have been checked before.
    pub is_known: bool,
}

impl<'a> SchemaNode<'a> {
    pub fn new(schema: &'a ArrowSchema, role: Role, depth: usize) -> Result<Self, Problem> {
        if depth >= MAX_DEPTH {
            return Err(Problem::TooDeep(MAX_DEPTH));
        }
        // Nothing else of a released struct may be read.
        if schema.release.is_none() {
            return Err(Problem::Released("schema"));
        }
        let format = text(schema.format, "format")?.ok_or(Problem::Null("the format"))?;
        let layout = layout_of(format).ok_or_else(|| Problem::UnknownFormat(format.to_owned()))?;
        let is_integer = integer(format).is_some();
        if !schema.dictionary.is_null() && !is_integer {
            return Err(Problem::KeyFormat(format.to_owned()));
        }
        match role {
            Role::Root(Root::RecordBatch) if format != "+s" => {
                return Err(Problem::NotAStruct(format.to_owned()));
            }
            Role::MapEntries if format != "+s" => {
                return Err(Problem::NotAStruct(format.to_owned()));
            }
            Role::RunEnds if !matches!(format, "s" | "i" | "l") || !schema.dictionary.is_null() => {
                return Err(Problem::RunEndFormat(format.to_owned()));
            }
            _ => {}
        }

        if schema.n_children < 0 {
            return Err(Problem::Negative(
                "the schema's number of children",
                schema.n_children,
            ));
        }
        let expected = match layout.children {
            _ if role == Role::MapEntries => Some(2),
            Children::Fields => None,
            Children::None => Some(0),
            Children::List | Children::FixedSizeList(_) | Children::Map => Some(1),
            Children::SparseUnion(count) | Children::DenseUnion(count) => Some(count),
            Children::RunEnds => Some(2),
        };
        if let Some(expected) = expected
            && schema.n_children != expected as i64
        {
            return Err(Problem::SchemaChildCount {
                expected,
                found: schema.n_children,
            });
        }
        if schema.n_children > 0 && schema.children.is_null() {
            return Err(Problem::Null("the schema's list of children"));
        }
        Ok(Self {
            schema,
            format,
            layout,
            role,
            depth,
            is_known: false,
        })
    }

    /// A struct that says the same as one that was checked before, in the same place of a schema.
    pub fn known(
        known: &'a KnownNode,
        schema: &'a ArrowSchema,
        role: Role,
        depth: usize,
    ) -> Result<Self, Problem> {
        // A schema is known whatever its outermost type is.
        if role == Role::Root(Root::RecordBatch) && &*known.format != "+s" {
            return Err(Problem::NotAStruct(known.format.to_string()));
        }
        Ok(Self {
            schema,
            format: &known.format,
            layout: known.layout,
            role,
            depth,
            is_known: true,
        })
    }

    pub fn child_schema(&self, index: usize) -> Result<&'a ArrowSchema, Problem> {
        // SAFETY: `children` is not null and has `n_children` entries, of which `index` is one.
        let child = unsafe { *self.schema.children.add(index) };
        // SAFETY: a child that is not null is a struct that lives as long as its parent.
        unsafe { child.as_ref() }.ok_or(Problem::NullChild("schema", index))
    }

    pub fn child_role(&self, index: usize) -> Role {
        match self.layout.children {
            Children::Map => Role::MapEntries,
            Children::RunEnds if index == 0 => Role::RunEnds,
            Children::RunEnds if matches!(self.role, Role::MapKeys | Role::MapKeyRuns) => {
                Role::MapKeyRuns
            }
            _ if self.role == Role::MapEntries && index == 0 => Role::MapKeys,
            _ => Role::Child,
        }
    }

    pub fn dictionary_schema(&self) -> Option<&'a ArrowSchema> {
        // SAFETY: a dictionary that is not null is a struct that lives as long as its parent.
        unsafe { self.schema.dictionary.as_ref() }
    }
}

/// A schema with its array, which fit each other and the type.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a> {
    node: SchemaNode<'a>,
    pub array: &'a ArrowArray,
    /// The addresses of the buffers: the array's own, or those of copies.
    buffers: *const *const c_void,
    /// How many items the parent needs at least.
    pub needed: i64,
    /// Length and offset of the parent together, which run ends must reach.
    pub parent_extent: i64,
}

impl<'a> Deref for Node<'a> {
    type Target = SchemaNode<'a>;

    fn deref(&self) -> &SchemaNode<'a> {
        &self.node
    }
}

impl<'a> Node<'a> {
    pub fn new(
        node: SchemaNode<'a>,
        array: &'a ArrowArray,
        needed: i64,
        parent_extent: i64,
    ) -> Result<Self, Problem> {
        if array.release.is_none() {
            return Err(Problem::Released("array"));
        }
        let schema = node.schema;
        match (schema.dictionary.is_null(), array.dictionary.is_null()) {
            (false, true) => return Err(Problem::Dictionary { expected: true }),
            (true, false) => return Err(Problem::Dictionary { expected: false }),
            _ => {}
        }

        // Variadic buffers are any number, then their sizes.
        let least = node.layout.buffers().len() + usize::from(node.layout.is_variadic());
        let is_valid = if node.layout.is_variadic() {
            array.n_buffers >= least as i64
        } else {
            array.n_buffers == least as i64
        };
        if !is_valid {
            return Err(Problem::BufferCount {
                expected: least,
                or_more: node.layout.is_variadic(),
                found: array.n_buffers,
            });
        }
        if least > 0 && array.buffers.is_null() {
            return Err(Problem::Null("the list of buffers"));
        }

        if array.n_children != schema.n_children {
            return Err(Problem::ArrayChildCount {
                expected: schema.n_children,
                found: array.n_children,
            });
        }
        if array.n_children > 0 && array.children.is_null() {
            return Err(Problem::Null("the array's list of children"));
        }
        Ok(Self {
            node,
            array,
            buffers: array.buffers.cast_const().cast(),
            needed,
            parent_extent,
        })
    }

    pub fn child_array(&self, index: usize) -> Result<&'a ArrowArray, Problem> {
        // SAFETY: `children` is not null and has `n_children` entries, of which `index` is one.
        let child = unsafe { *self.array.children.add(index) };
        // SAFETY: a child that is not null is a struct that lives as long as its parent.
        unsafe { child.as_ref() }.ok_or(Problem::NullChild("array", index))
    }

    pub fn dictionary_array(&self) -> Option<&'a ArrowArray> {
        // SAFETY: a dictionary that is not null is a struct that lives as long as its parent.
        unsafe { self.array.dictionary.as_ref() }
    }

    /// Child `index`, with what this array needs of it.
    pub fn child(
        &self,
        index: usize,
        node: SchemaNode<'a>,
        array: &'a ArrowArray,
    ) -> Result<Node<'a>, Problem> {
        let extent = self.array.length.saturating_add(self.array.offset);
        let needed = match self.layout.children {
            Children::Fields | Children::SparseUnion(_) => extent,
            Children::FixedSizeList(width) => extent.saturating_mul(width as i64),
            // As many values as there are runs.
            Children::RunEnds if index == 1 => self.child_array(0)?.length,
            _ => 0,
        };
        Node::new(node, array, needed, extent)
    }

    /// The same node with copies of its buffers, as many as the original has.
    pub fn with_buffers(&self, buffers: &'a [*const c_void]) -> Node<'a> {
        debug_assert_eq!(buffers.len() as i64, self.array.n_buffers);
        Node {
            buffers: buffers.as_ptr(),
            ..*self
        }
    }

    /// Length and offset together: how many items the buffers hold.
    pub fn extent(&self) -> Result<usize, Problem> {
        let ArrowArray { length, offset, .. } = *self.array;
        if length < 0 {
            return Err(Problem::Negative("length", length));
        }
        if offset < 0 {
            return Err(Problem::Negative("offset", offset));
        }
        // One less than the maximum, so that the number of offsets can be computed too.
        match length.checked_add(offset) {
            Some(extent) if extent < i64::MAX => Ok(extent as usize),
            _ => Err(Problem::TooLong { length, offset }),
        }
    }

    /// How many buffers there are, variadic ones included but not the buffer of their sizes.
    pub fn buffer_count(&self) -> usize {
        self.array.n_buffers as usize - usize::from(self.layout.is_variadic())
    }

    /// What buffer `index` of [`buffer_count`](Self::buffer_count) holds.
    pub fn buffer_kind(&self, index: usize) -> BufferKind {
        let fixed = self.layout.buffers();
        fixed.get(index).copied().unwrap_or(BufferKind::Variadic)
    }

    /// The address of buffer `index` of the array's; may be null.
    pub fn buffer(&self, index: usize) -> *const u8 {
        debug_assert!((index as i64) < self.array.n_buffers);
        // SAFETY: `buffers` is not null and has as many entries as the array has buffers.
        unsafe { *self.buffers.add(index) }.cast()
    }

    /// How many bytes of buffer `index` the array may be read in: what a producer must have allocated at least. An
    /// array without items needs no offsets (older producers allocate none), and a validity bitmap that is null has
    /// no bytes.
    pub fn buffer_bytes(&self, index: usize) -> Result<usize, Problem> {
        let extent = self.extent()?;
        let bytes = match self.buffer_kind(index) {
            BufferKind::Validity if self.buffer(index).is_null() => Some(0),
            BufferKind::Validity | BufferKind::Bits => Some(extent.div_ceil(8)),
            BufferKind::Fixed(width) => extent.checked_mul(width),
            BufferKind::TypeIds => Some(extent),
            BufferKind::UnionOffsets | BufferKind::Views32 => extent.checked_mul(4),
            BufferKind::Views64 => extent.checked_mul(8),
            BufferKind::BinaryViews | BufferKind::Utf8Views => extent.checked_mul(16),
            BufferKind::Offsets32 if extent > 0 => (extent + 1).checked_mul(4),
            BufferKind::Offsets64 if extent > 0 => (extent + 1).checked_mul(8),
            BufferKind::Offsets32 | BufferKind::Offsets64 => Some(0),
            BufferKind::Bytes | BufferKind::Utf8 if extent == 0 => Some(0),
            BufferKind::Bytes | BufferKind::Utf8 => {
                let last = self.offset_at(index - 1, extent)?;
                return usize::try_from(last)
                    .map_err(|_| Problem::Negative("the last offset", last));
            }
            BufferKind::Variadic => return self.variadic_bytes(index),
        };
        match bytes {
            Some(bytes) if bytes <= ADDRESS_SPACE => Ok(bytes),
            _ => Err(Problem::TooLong {
                length: self.array.length,
                offset: self.array.offset,
            }),
        }
    }

    fn variadic_bytes(&self, index: usize) -> Result<usize, Problem> {
        let (first, sizes) = (self.layout.buffers().len(), self.buffer_count());
        let address = self.buffer(sizes);
        if address.is_null() {
            return Err(Problem::NullBuffer {
                index: sizes,
                bytes: 8 * (sizes - first),
            });
        }
        // SAFETY: the last buffer has one size for each variadic one; the address need not be aligned.
        let bytes = unsafe { address.cast::<i64>().add(index - first).read_unaligned() };
        usize::try_from(bytes)
            .map_err(|_| Problem::Negative("the size of a variadic buffer", bytes))
    }

    /// Entry `item` of the offsets in buffer `index`. `item` is at most the extent, and the extent is not 0.
    pub fn offset_at(&self, index: usize, item: usize) -> Result<i64, Problem> {
        let offsets = self.buffer(index);
        if offsets.is_null() {
            return Err(Problem::NullBuffer {
                index,
                bytes: self.buffer_bytes(index)?,
            });
        }
        // SAFETY: the buffer holds extent + 1 offsets; the address need not be aligned.
        unsafe {
            Ok(match self.buffer_kind(index) {
                BufferKind::Offsets64 => offsets.cast::<i64>().add(item).read_unaligned(),
                _ => i64::from(offsets.cast::<i32>().add(item).read_unaligned()),
            })
        }
    }

    /// The bytes of buffer `index`, of which there are at least `bytes`.
    ///
    /// # Safety
    /// Nobody writes to them while the slice lives, or the reader bears that they change.
    pub unsafe fn bytes(&self, index: usize, bytes: usize) -> Result<&'a [u8], Problem> {
        if bytes == 0 {
            return Ok(&[]);
        }
        let address = self.buffer(index);
        if address.is_null() {
            return Err(Problem::NullBuffer { index, bytes });
        }
        // SAFETY: the producer allocated at least `bytes`, and the address is not null.
        Ok(unsafe { std::slice::from_raw_parts(address, bytes) })
    }

    /// Whether item `item`, counted from the start of the buffers, is valid.
    pub fn is_valid(&self, item: usize) -> bool {
        if !self.layout.has_validity() || self.buffer(0).is_null() {
            return true;
        }
        // SAFETY: a bitmap that is not null has one bit for each item of the extent.
        let byte = unsafe { self.buffer(0).add(item / 8).read() };
        byte >> (item % 8) & 1 == 1
    }
}

/// A NUL-terminated string of a schema; `None` when null. `what` names it in the message.
pub(crate) fn text<'a>(
    pointer: *const std::ffi::c_char,
    what: &'static str,
) -> Result<Option<&'a str>, Problem> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: a string of a schema that is not released is NUL-terminated and lives as long as the schema.
    let bytes = unsafe { CStr::from_ptr(pointer) };
    bytes.to_str().map(Some).map_err(|_| Problem::NotUtf8(what))
}
