//! The one walk over a table's schema and array, in step. It refuses what it could not read on: released structs, null
//! pointers, counts that do not fit the type, types that nest too deep. Every other function of this crate that reads
//! a foreign struct is a visitor of this walk.

use std::ffi::CStr;

use crate::invalid::{InvalidArrow, Problem};
use crate::layout::{BufferKind, Children, Layout, layout_of};
use crate::raw::{ArrowArray, ArrowSchema};

/// How deep types may nest, the record batch itself counted.
pub(crate) const MAX_DEPTH: usize = 64;

/// A schema with its array, whose counts and pointers fit each other and the type.
pub(crate) struct Node<'a> {
    pub schema: &'a ArrowSchema,
    pub array: &'a ArrowArray,
    pub format: &'a str,
    pub layout: Layout,
    /// How many items the parent needs; 0 for the record batch.
    pub needed: i64,
    /// 0 for the record batch.
    pub depth: usize,
}

/// What is done at each node: `enter` before its children, `leave` after them.
pub(crate) trait Visitor {
    /// What `leave` makes of a node.
    type Output;

    fn enter(&mut self, node: &Node<'_>) -> Result<(), Problem>;

    fn leave(
        &mut self,
        node: &Node<'_>,
        children: Vec<Self::Output>,
    ) -> Result<Self::Output, Problem>;
}

/// Two visitors in one walk; the second sees a node only if the first had nothing against it.
impl<A: Visitor<Output = ()>, B: Visitor<Output = ()>> Visitor for (&mut A, &mut B) {
    type Output = ();

    fn enter(&mut self, node: &Node<'_>) -> Result<(), Problem> {
        self.0.enter(node)?;
        self.1.enter(node)
    }

    fn leave(&mut self, node: &Node<'_>, _children: Vec<()>) -> Result<(), Problem> {
        self.0.leave(node, Vec::new())?;
        self.1.leave(node, Vec::new())
    }
}

/// Walks a record batch in pre-order.
///
/// The structs, unless released, must follow the specification as far as a reader cannot tell: pointers that are not
/// null are valid, and counts are what the producer allocated.
pub(crate) fn walk<V: Visitor>(
    schema: &ArrowSchema,
    array: &ArrowArray,
    visitor: &mut V,
) -> Result<V::Output, InvalidArrow> {
    let path = Path {
        parent: None,
        index: 0,
        schema,
    };
    let root = Node::new(schema, array, 0, 0).map_err(|problem| path.invalid(problem))?;
    if root.layout.children != Children::Fields {
        return Err(path.invalid(Problem::NotAStruct(root.format.to_owned())));
    }
    visit(&root, &path, visitor)
}

fn visit<V: Visitor>(
    node: &Node<'_>,
    path: &Path<'_>,
    visitor: &mut V,
) -> Result<V::Output, InvalidArrow> {
    visitor
        .enter(node)
        .map_err(|problem| path.invalid(problem))?;
    let count = node.schema.n_children as usize;
    let mut outputs = Vec::with_capacity(count);
    for index in 0..count {
        let schema = node
            .child_schema(index)
            .map_err(|problem| path.invalid(problem))?;
        let array = node
            .child_array(index)
            .map_err(|problem| path.invalid(problem))?;
        let needed = node.array.length.saturating_add(node.array.offset);
        let child_path = Path {
            parent: Some(path),
            index,
            schema,
        };
        let child = Node::new(schema, array, needed, node.depth + 1)
            .map_err(|problem| child_path.invalid(problem))?;
        outputs.push(visit(&child, &child_path, visitor)?);
    }
    visitor
        .leave(node, outputs)
        .map_err(|problem| path.invalid(problem))
}

impl<'a> Node<'a> {
    fn new(
        schema: &'a ArrowSchema,
        array: &'a ArrowArray,
        needed: i64,
        depth: usize,
    ) -> Result<Self, Problem> {
        if depth >= MAX_DEPTH {
            return Err(Problem::TooDeep(MAX_DEPTH));
        }
        // Nothing else of a released struct may be read.
        if schema.release.is_none() {
            return Err(Problem::Released("schema"));
        }
        if array.release.is_none() {
            return Err(Problem::Released("array"));
        }
        let format = text(schema.format, "format")?.ok_or(Problem::Null("the format"))?;
        if !schema.dictionary.is_null() || !array.dictionary.is_null() {
            return Err(Problem::UnsupportedDictionary);
        }
        let layout =
            layout_of(format).ok_or_else(|| Problem::UnsupportedFormat(format.to_owned()))?;

        let expected = layout.buffers().len();
        if array.n_buffers != expected as i64 {
            return Err(Problem::BufferCount {
                expected,
                found: array.n_buffers,
            });
        }
        if expected > 0 && array.buffers.is_null() {
            return Err(Problem::Null("the list of buffers"));
        }

        if schema.n_children < 0 {
            return Err(Problem::Negative(
                "the schema's number of children",
                schema.n_children,
            ));
        }
        if layout.children == Children::None && schema.n_children != 0 {
            return Err(Problem::SchemaChildCount {
                expected: 0,
                found: schema.n_children,
            });
        }
        if array.n_children != schema.n_children {
            return Err(Problem::ArrayChildCount {
                expected: schema.n_children,
                found: array.n_children,
            });
        }
        if schema.n_children > 0 && schema.children.is_null() {
            return Err(Problem::Null("the schema's list of children"));
        }
        if array.n_children > 0 && array.children.is_null() {
            return Err(Problem::Null("the array's list of children"));
        }
        Ok(Self {
            schema,
            array,
            format,
            layout,
            needed,
            depth,
        })
    }

    fn child_schema(&self, index: usize) -> Result<&'a ArrowSchema, Problem> {
        // SAFETY: `children` is not null and has `n_children` entries, of which `index` is one.
        let child = unsafe { *self.schema.children.add(index) };
        // SAFETY: a child that is not null is a struct that lives as long as its parent.
        unsafe { child.as_ref() }.ok_or(Problem::NullChild("schema", index))
    }

    fn child_array(&self, index: usize) -> Result<&'a ArrowArray, Problem> {
        // SAFETY: `children` is not null and has `n_children` entries, of which `index` is one.
        let child = unsafe { *self.array.children.add(index) };
        // SAFETY: a child that is not null is a struct that lives as long as its parent.
        unsafe { child.as_ref() }.ok_or(Problem::NullChild("array", index))
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

    /// The address of buffer `index`, which must be one of the layout's; may be null.
    pub fn buffer(&self, index: usize) -> *const u8 {
        debug_assert!(index < self.layout.buffers().len());
        // SAFETY: `buffers` is not null and has as many entries as the layout has buffers.
        unsafe { *self.array.buffers.add(index) }.cast()
    }

    /// How many bytes of buffer `index` the array may be read in: what a producer must have allocated at least. An
    /// array without items needs no offsets (older producers allocate none), and a validity bitmap that is null has
    /// no bytes.
    pub fn buffer_bytes(&self, index: usize) -> Result<usize, Problem> {
        let extent = self.extent()?;
        let bytes = match self.layout.buffers()[index] {
            BufferKind::Validity if self.buffer(index).is_null() => Some(0),
            BufferKind::Validity | BufferKind::Bits => Some(extent.div_ceil(8)),
            BufferKind::Fixed(width) => extent.checked_mul(width),
            BufferKind::Offsets32 if extent > 0 => (extent + 1).checked_mul(4),
            BufferKind::Offsets64 if extent > 0 => (extent + 1).checked_mul(8),
            BufferKind::Offsets32 | BufferKind::Offsets64 => Some(0),
            BufferKind::Bytes | BufferKind::Utf8 if extent == 0 => Some(0),
            BufferKind::Bytes | BufferKind::Utf8 => {
                let last = self.offset_at(index - 1, self.buffer(index - 1), extent)?;
                return usize::try_from(last)
                    .map_err(|_| Problem::Negative("the last offset", last));
            }
        };
        bytes
            .filter(|&bytes| bytes <= isize::MAX as usize)
            .ok_or(Problem::TooLong {
                length: self.array.length,
                offset: self.array.offset,
            })
    }

    /// Entry `item` of the offsets at `offsets`, which are buffer `index` or a copy of it. `item` is at most the
    /// extent, and the extent is not 0.
    pub fn offset_at(&self, index: usize, offsets: *const u8, item: usize) -> Result<i64, Problem> {
        if offsets.is_null() {
            return Err(Problem::NullBuffer {
                index,
                bytes: self.buffer_bytes(index)?,
            });
        }
        // SAFETY: the buffer holds extent + 1 offsets; the address need not be aligned.
        unsafe {
            Ok(match self.layout.buffers()[index] {
                BufferKind::Offsets64 => offsets.cast::<i64>().add(item).read_unaligned(),
                _ => i64::from(offsets.cast::<i32>().add(item).read_unaligned()),
            })
        }
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

/// Where the walk is, kept on its stack and written out only for a message.
struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    index: usize,
    schema: &'a ArrowSchema,
}

impl Path<'_> {
    fn invalid(&self, problem: Problem) -> InvalidArrow {
        InvalidArrow {
            path: self.render(),
            problem,
        }
    }

    fn render(&self) -> String {
        let Some(parent) = self.parent else {
            return "record batch".to_owned();
        };
        // A released struct's fields may not be read.
        let name = match self.schema.release {
            Some(_) if !self.schema.name.is_null() => {
                // SAFETY: a name that is not null is NUL-terminated and lives as long as the schema.
                unsafe { CStr::from_ptr(self.schema.name) }.to_string_lossy()
            }
            _ => "".into(),
        };
        if parent.parent.is_none() {
            format!("column[{}] \"{}\"", self.index, name.escape_debug())
        } else {
            format!("{} -> {}", parent.render(), name.escape_debug())
        }
    }
}
