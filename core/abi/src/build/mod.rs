//! Tables built from numbers: the mirror of [`describe`](crate::describe), for memory that the other side owns.

mod copied;
mod words;

use std::any::Any;
use std::ffi::c_void;
use std::ptr::null;
use std::sync::Arc;

use crate::check::{Checker, Level, check_root};
use crate::export::{ArrayParts, Draft, no_bytes, share_schema};
use crate::invalid::{InvalidArrow, Problem};
use crate::layout::{BufferKind, Layout, layout_of};
use crate::node::Node;
use crate::raw::{ArrowArray, ArrowSchema};
use crate::schema::SchemaTree;
use crate::walk::{Root, Visitor, walk};
use crate::{Failure, OwnedTable};

use copied::Copied;
use words::MAX_WHOLE;

pub use words::{Head, Words};

/// In the words of bow_table_build: the buffer is absent, a null pointer in the array.
pub const BOW_BUFFER_NONE: u32 = 0;
/// In the words of bow_table_build: the array points to the caller's memory.
pub const BOW_BUFFER_BORROW: u32 = 1;
/// In the words of bow_table_build: the array points to a copy, which is made before the call returns.
pub const BOW_BUFFER_COPY: u32 = 2;

/// A schema that tables are built with: as values, and as a struct that the tables share.
#[derive(Debug)]
pub struct BuildSchema {
    tree: SchemaTree,
    table: Arc<OwnedTable>,
}

impl BuildSchema {
    /// Checks that arrays of this schema can be: its formats, numbers of children and depth.
    pub fn new(tree: SchemaTree) -> Result<Self, InvalidArrow> {
        // SAFETY: the schema was made here and is given up; the array is a released one.
        let table = unsafe { OwnedTable::from_raw(tree.to_raw()?, ArrowArray::released()) };
        let table = Arc::new(table);
        let schema = Self { tree, table };
        schema.empty()?;
        Ok(schema)
    }

    /// The schema as values.
    pub fn tree(&self) -> &SchemaTree {
        &self.tree
    }

    /// A schema struct of its own, which shares the strings.
    pub fn export(&self) -> ArrowSchema {
        let owner: Arc<dyn Any + Send + Sync> = self.table.clone();
        share_schema(self.table.schema(), owner)
    }

    /// Whether a table has this schema's own struct, as those that were built with it have: quicker than to compare. A
    /// table of an equal schema from elsewhere has not.
    pub fn is_of(&self, table: &OwnedTable) -> bool {
        // The strings live as long as `self`, so nobody else's can be at this address.
        std::ptr::eq(table.schema().format, self.table.schema().format)
    }

    /// A table without rows.
    pub fn empty(&self) -> Result<OwnedTable, InvalidArrow> {
        let array = empty_array(&self.tree);
        // SAFETY: both structs were made here and are given up.
        let table = unsafe { OwnedTable::from_raw(self.export(), array) };
        check_root(&table, Root::Any, Level::Minimal)?;
        Ok(table)
    }
}

/// An array without items.
fn empty_array(tree: &SchemaTree) -> ArrowArray {
    let layout = layout_of(&tree.format);
    let buffers = layout.map_or(0, |layout| {
        layout.buffers().len() + usize::from(layout.is_variadic())
    });
    let parts = ArrayParts {
        length: 0,
        null_count: 0,
        offset: 0,
        buffers: vec![no_bytes(); buffers],
        children: tree.children.iter().map(empty_array).collect(),
        dictionary: tree.dictionary.as_deref().map(empty_array),
        owner: Arc::new(()),
    };
    parts.into_raw()
}

/// A table that was built.
#[derive(Debug)]
pub struct Built {
    /// The table.
    pub table: OwnedTable,
    /// How many bytes were copied.
    pub bytes_copied: usize,
}

/// Builds a table from the nodes in `words`, which have been read up to there. Every struct of the table, children and
/// dictionaries included, holds `owner` until it is released.
///
/// Per node there are: length, null count (-1 when not known), number of buffers, number of children, 1 if a dictionary
/// follows after the children else 0; and per buffer: mode (0 none, 1 borrow, 2 copy), address, bytes, bit offset.
///
/// # Safety
/// Each address in the words has as many readable bytes as are said: if borrowed until `owner` is dropped, else while
/// this runs.
pub unsafe fn build_table(
    schema: &BuildSchema,
    words: &mut Words<'_>,
    owner: Arc<dyn Any + Send + Sync>,
) -> Result<Built, Failure> {
    let mut parser = Parser {
        words,
        path: Vec::new(),
        draft: Draft::new(),
        buffers: Vec::with_capacity(32),
        sizes: Vec::with_capacity(32),
        copies: Vec::new(),
    };
    parser.node(&schema.tree)?;
    parser.words.end()?;
    let Parser {
        draft,
        buffers,
        sizes,
        copies,
        ..
    } = parser;
    let bytes_copied = copies.iter().map(|copy| copy.bytes).sum();
    let owner: Arc<dyn Any + Send + Sync> = Arc::new((copies, owner));
    // SAFETY: both structs are made here and are given up.
    let table = unsafe { OwnedTable::from_raw(schema.export(), draft.into_array(buffers, owner)) };
    let mut sizes = Sizes {
        sizes: &sizes,
        next: 0,
    };
    let mut checker = Checker {
        level: Level::Default,
    };
    let visitor = &mut (&mut sizes, &mut checker);
    walk(table.schema(), table.array(), Root::Any, visitor)?;
    Ok(Built {
        table,
        bytes_copied,
    })
}

/// How a node is reached from its parent.
enum Step<'a> {
    /// It is this column of a table.
    Column(usize, &'a str),
    /// It is a child of this name.
    Child(&'a str),
    Dictionary,
}

/// Reads nodes in step with the schema.
struct Parser<'a, 'w> {
    words: &'a mut Words<'w>,
    /// Where in the schema: the outermost type first.
    path: Vec<Step<'a>>,
    draft: Draft<ArrowArray>,
    /// The addresses of the buffers, in the order of the walk.
    buffers: Vec<*const c_void>,
    /// The bytes of each buffer, in the order of the walk.
    sizes: Vec<usize>,
    copies: Vec<Copied>,
}

/// How one buffer is given.
struct Given {
    mode: u32,
    address: usize,
    bytes: usize,
    bit_offset: usize,
}

impl<'a> Parser<'a, '_> {
    /// Adds an array and those below it to the draft, and says which it is. Recursion is bounded by the depth of the schema,
    /// which was checked.
    fn node(&mut self, tree: &'a SchemaTree) -> Result<usize, Failure> {
        let length = self.words.whole("a length")?;
        let null_count = self.words.between("a null count", -1.0, MAX_WHOLE)? as i64;
        let buffer_count = self.words.count("a number of buffers", 4)?;
        let child_count = self.words.whole("a number of children")?;
        let has_dictionary = self.words.between("0 or 1 for a dictionary", 0.0, 1.0)? == 1.0;
        let expected = tree.children.len();
        if child_count != expected {
            return Err(self.invalid(Problem::ArrayChildCount {
                expected: expected as i64,
                found: child_count as i64,
            }));
        }
        if has_dictionary != tree.dictionary.is_some() {
            let expected = !has_dictionary;
            return Err(self.invalid(Problem::Dictionary { expected }));
        }

        let layout = layout_of(&tree.format);
        let kinds = layout.as_ref().map_or(&[][..], Layout::buffers);
        let mut variadic: Vec<i64> = Vec::new();
        for index in 0..buffer_count {
            let given = Given {
                mode: self
                    .words
                    .between("a mode", 0.0, f64::from(BOW_BUFFER_COPY))?
                    as u32,
                address: self.words.whole("an address")?,
                bytes: self.words.whole("a number of bytes")?,
                bit_offset: self.words.whole("a bit offset")?,
            };
            let kind = kinds.get(index).copied();
            let (address, bytes) = self.buffer(&tree.format, kind, index, length, given)?;
            self.buffers.push(address.cast());
            self.sizes.push(bytes);
            if index >= kinds.len() {
                variadic.push(bytes as i64);
            }
        }
        let is_variadic = layout.is_some_and(|layout| layout.is_variadic());
        if is_variadic {
            let bytes = size_of_val(&variadic[..]);
            // SAFETY: a vector's own memory.
            let copy = unsafe { Copied::of(variadic.as_ptr().cast(), bytes) };
            let copy = copy.ok_or_else(|| self.invalid(Problem::NoMemory { bytes }))?;
            self.buffers.push(copy.address().cast());
            self.copies.push(copy);
        }

        let node = self.draft.add(ArrowArray {
            length: length as i64,
            null_count,
            n_buffers: (buffer_count + usize::from(is_variadic)) as i64,
            n_children: expected as i64,
            ..ArrowArray::released()
        });
        for (index, child) in tree.children.iter().enumerate() {
            self.path
                .push(match self.path.is_empty() && tree.format == "+s" {
                    true => Step::Column(index, &child.name),
                    false => Step::Child(&child.name),
                });
            let child = self.node(child)?;
            self.draft.set_child(node, index, child);
            self.path.pop();
        }
        if let Some(dictionary) = &tree.dictionary {
            self.path.push(Step::Dictionary);
            let dictionary = self.node(dictionary)?;
            self.draft.set_dictionary(node, dictionary);
            self.path.pop();
        }
        Ok(node)
    }

    /// Where a buffer is to be read, and how many bytes of it.
    fn buffer(
        &mut self,
        format: &str,
        kind: Option<BufferKind>,
        index: usize,
        length: usize,
        given: Given,
    ) -> Result<(*const u8, usize), Failure> {
        let Given {
            mode,
            address,
            bytes,
            bit_offset,
        } = given;
        let is_bitmap = matches!(kind, Some(BufferKind::Validity | BufferKind::Bits));
        if bit_offset != 0 && !is_bitmap {
            return Err(Failure::invalid_argument(format!(
                "{}: expected the bit offset 0 for buffer {index}, which is no bitmap, but found {bit_offset}",
                self.render()
            )));
        }
        if mode == BOW_BUFFER_NONE {
            return Ok((null(), 0));
        }
        if bytes == 0 {
            return Ok((no_bytes().cast(), 0));
        }
        if address == 0 {
            return Err(self.invalid(Problem::NullBuffer { index, bytes }));
        }
        if bytes > isize::MAX as usize || address.checked_add(bytes).is_none() {
            return Err(self.invalid(Problem::OutOfBounds { index, bytes }));
        }
        let source = address as *const u8;
        let copy = if bit_offset != 0 {
            let expected = (bit_offset.saturating_add(length)).div_ceil(8);
            if expected > bytes {
                return Err(self.invalid(Problem::BufferTooShort {
                    index,
                    expected,
                    found: bytes,
                }));
            }
            // SAFETY: `bytes` are readable by contract, which is enough for these bits.
            unsafe { Copied::of_bits(source, bit_offset, length) }
        } else if mode == BOW_BUFFER_COPY || !address.is_multiple_of(alignment_of(format, kind)) {
            // SAFETY: readable by contract.
            unsafe { Copied::of(source, bytes) }
        } else {
            return Ok((source, bytes));
        };
        let copy = copy.ok_or_else(|| self.invalid(Problem::NoMemory { bytes }))?;
        let placed = (copy.address(), copy.bytes);
        self.copies.push(copy);
        Ok(placed)
    }

    fn invalid(&self, problem: Problem) -> Failure {
        let path = self.render();
        InvalidArrow { path, problem }.into()
    }

    fn render(&self) -> String {
        let mut path = String::from("array");
        for step in &self.path {
            path = match step {
                Step::Column(index, name) => {
                    format!("column[{index}] \"{}\"", name.escape_debug())
                }
                Step::Child(name) => format!("{path} -> {}", name.escape_debug()),
                Step::Dictionary => format!("{path} -> dictionary"),
            };
        }
        path
    }
}

/// What native code may rely on when it reads the items in place. Consumers read wide values as words of 8 bytes.
fn alignment_of(format: &str, kind: Option<BufferKind>) -> usize {
    match kind {
        Some(BufferKind::Fixed(_)) if format.starts_with('w') => 1,
        Some(BufferKind::Fixed(width)) if width.is_power_of_two() => width.min(8),
        Some(BufferKind::Offsets32 | BufferKind::Views32 | BufferKind::UnionOffsets) => 4,
        Some(BufferKind::Offsets64 | BufferKind::Views64) => 8,
        Some(BufferKind::BinaryViews | BufferKind::Utf8Views) => 8,
        _ => 1,
    }
}

/// Compares the bytes that are said to be there with those that the array is read in.
struct Sizes<'a> {
    sizes: &'a [usize],
    next: usize,
}

impl Visitor for Sizes<'_> {
    type Output = ();

    fn enter(&mut self, node: &Node<'_>) -> Result<(), Problem> {
        let count = node.buffer_count();
        let sizes = &self.sizes[self.next..self.next + count];
        self.next += count;
        // In order, so that offsets are known to be there when the last of them is read.
        for (index, &found) in sizes.iter().enumerate() {
            if node.buffer(index).is_null() {
                continue;
            }
            let expected = node.buffer_bytes(index)?;
            if expected > found {
                return Err(Problem::BufferTooShort {
                    index,
                    expected,
                    found,
                });
            }
        }
        Ok(())
    }

    fn leave(&mut self, _: &Node<'_>, _: Vec<()>, _: Option<()>) -> Result<(), Problem> {
        Ok(())
    }
}
