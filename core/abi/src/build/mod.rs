//! Tables built from numbers: the mirror of [`describe`](crate::describe), for memory that the other side owns.

mod copied;
mod plain;
#[cfg(test)]
mod tests;
mod words;

use std::any::Any;
use std::ffi::c_void;
use std::ptr::null;
use std::sync::Arc;

use crate::check::{Checker, Level, check_root};
use crate::export::{ArrayParts, Shape, no_bytes, share_schema, slab_of_arrays};
use crate::invalid::{InvalidArrow, Problem};
use crate::known::{KnownNode, KnownSchema};
use crate::layout::{BufferKind, Layout, layout_of};
use crate::node::Node;
use crate::raw::{ArrowArray, ArrowSchema};
use crate::schema::SchemaTree;
use crate::walk::{Root, Visitor, walk_known};
use crate::{Failure, OwnedTable};

use copied::{Copied, SMALL, Smalls};
use words::{Counts, Given};
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
    /// What a walk need not find out again for each table.
    known: KnownSchema,
    shape: Shape,
}

impl BuildSchema {
    /// Checks that arrays of this schema can be: its formats, numbers of children and depth.
    pub fn new(tree: SchemaTree) -> Result<Self, InvalidArrow> {
        let schema = tree.to_raw()?;
        // SAFETY: both structs were made here and are given up.
        let table = unsafe { OwnedTable::from_raw(schema, empty_array(&tree)) };
        check_root(&table, Root::Any, Level::Minimal)?;
        // Nobody asks for the fingerprint of what is built here.
        let known = KnownSchema::read(table.schema(), 0).map_err(|problem| InvalidArrow {
            path: "schema".to_owned(),
            problem,
        })?;
        Ok(Self {
            shape: Shape::of(&tree),
            table: Arc::new(table),
            tree,
            known,
        })
    }

    /// The schema as values.
    pub fn tree(&self) -> &SchemaTree {
        &self.tree
    }

    /// A schema struct of its own, which shares the strings.
    pub fn export(&self) -> ArrowSchema {
        let owner: Arc<dyn Any + Send + Sync> = self.table.clone();
        share_schema(self.table.schema(), &self.shape, owner)
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
    // SAFETY: by contract.
    let assembled = unsafe { assemble(schema, words, owner) }?;
    let Assembled {
        built,
        sizes,
        is_plain,
    } = assembled;
    if !is_plain {
        check_built(schema, &built.table, &sizes)?;
    }
    debug_assert_eq!(check_built(schema, &built.table, &sizes), Ok(()));
    Ok(built)
}

/// A table that nobody has checked yet.
struct Assembled {
    built: Built,
    /// The bytes of each buffer, in the order of the walk.
    sizes: Vec<usize>,
    /// Whether it is known to be sound without a walk.
    is_plain: bool,
}

/// Puts the table together that the words say.
///
/// # Safety
/// As for [`build_table`].
#[inline]
unsafe fn assemble(
    schema: &BuildSchema,
    words: &mut Words<'_>,
    owner: Arc<dyn Any + Send + Sync>,
) -> Result<Assembled, Failure> {
    let nodes = &schema.known.nodes;
    let buffers = nodes.iter().map(|node| node.layout.buffers().len()).sum();
    let mut parser = Parser {
        words,
        known: nodes.iter(),
        arrays: Vec::with_capacity(nodes.len()),
        buffers: Vec::with_capacity(buffers),
        sizes: Vec::with_capacity(buffers),
        smalls: Smalls::of_up_to(buffers),
        copies: Vec::new(),
    };
    parser.node(&schema.tree, None)?;
    parser.words.end()?;
    let Parser {
        arrays,
        mut buffers,
        sizes,
        smalls,
        mut copies,
        ..
    } = parser;
    let bytes = smalls.bytes();
    // SAFETY: readable by contract.
    let smalls = unsafe { smalls.copy(&mut buffers) }.ok_or_else(|| {
        let (path, problem) = ("array".to_owned(), Problem::NoMemory { bytes });
        InvalidArrow { path, problem }
    })?;
    copies.extend(smalls);
    let bytes_copied = copies.iter().map(|copy| copy.bytes).sum();
    let is_plain = plain::is_sound(nodes, &arrays, &buffers, &sizes);
    let array = slab_of_arrays(arrays, buffers, &schema.shape, (copies, owner));
    // SAFETY: both structs are made here and are given up.
    let table = unsafe { OwnedTable::from_raw(schema.export(), array) };
    Ok(Assembled {
        built: Built {
            table,
            bytes_copied,
        },
        sizes,
        is_plain,
    })
}

/// Checks what was built as strictly as a table from outside, and that its buffers are as large as they have to be.
fn check_built(
    schema: &BuildSchema,
    table: &OwnedTable,
    sizes: &[usize],
) -> Result<(), InvalidArrow> {
    let mut sizes = Sizes { sizes, next: 0 };
    let mut checker = Checker {
        level: Level::Default,
    };
    let visitor = &mut (&mut sizes, &mut checker);
    let known = Some(&schema.known);
    walk_known(table.schema(), known, table.array(), Root::Any, visitor)
}

/// How a node is reached from its parent.
#[derive(Clone, Copy)]
enum Step<'a> {
    /// It is this column of a table.
    Column(usize, &'a str),
    /// It is a child of this name.
    Child(&'a str),
    Dictionary,
}

/// Where in the schema a node is; the outermost is nowhere. It lies in the frames of the calls, as it is told of nodes
/// that are refused only.
#[derive(Clone, Copy)]
struct Place<'a> {
    step: Step<'a>,
    parent: Option<&'a Place<'a>>,
}

/// Which buffer of which node.
struct Slot<'a> {
    format: &'a str,
    kind: Option<BufferKind>,
    index: usize,
    /// The rows of the node.
    length: usize,
    place: Option<&'a Place<'a>>,
}

/// Reads nodes in step with the schema.
struct Parser<'a, 'w> {
    words: &'a mut Words<'w>,
    /// The nodes to come.
    known: std::slice::Iter<'a, KnownNode>,
    /// The arrays, in the order of the walk.
    arrays: Vec<ArrowArray>,
    /// The addresses of the buffers, in the order of the walk.
    buffers: Vec<*const c_void>,
    /// The bytes of each buffer, in the order of the walk.
    sizes: Vec<usize>,
    /// Buffers that are copied when all have been seen.
    smalls: Smalls,
    copies: Vec<Copied>,
}

impl<'a> Parser<'a, '_> {
    /// Adds an array and those below it. Recursion is bounded by the depth of the schema, which was checked.
    fn node(&mut self, tree: &SchemaTree, place: Option<&Place<'_>>) -> Result<(), Failure> {
        let Counts {
            length,
            null_count,
            buffer_count,
            child_count,
            has_dictionary,
        } = self.words.counts()?;
        let expected = tree.children.len();
        if child_count != expected {
            return Err(invalid(
                place,
                Problem::ArrayChildCount {
                    expected: expected as i64,
                    found: child_count as i64,
                },
            ));
        }
        if has_dictionary != tree.dictionary.is_some() {
            let expected = !has_dictionary;
            return Err(invalid(place, Problem::Dictionary { expected }));
        }

        let layout = self.known.next().map(|known| known.layout);
        let kinds = layout.as_ref().map_or(&[][..], Layout::buffers);
        let mut variadic: Vec<i64> = Vec::new();
        for index in 0..buffer_count {
            let given = self.words.given()?;
            let kind = kinds.get(index).copied();
            let slot = Slot {
                format: &tree.format,
                kind,
                index,
                length,
                place,
            };
            let (address, bytes) = self.buffer(slot, given)?;
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
            let copy = copy.ok_or_else(|| invalid(place, Problem::NoMemory { bytes }))?;
            self.buffers.push(copy.address().cast());
            self.copies.push(copy);
        }

        self.arrays.push(ArrowArray {
            length: length as i64,
            null_count,
            n_buffers: (buffer_count + usize::from(is_variadic)) as i64,
            n_children: expected as i64,
            ..ArrowArray::released()
        });
        for (index, child) in tree.children.iter().enumerate() {
            let step = match place.is_none() && tree.format == "+s" {
                true => Step::Column(index, &child.name),
                false => Step::Child(&child.name),
            };
            self.node(
                child,
                Some(&Place {
                    step,
                    parent: place,
                }),
            )?;
        }
        if let Some(dictionary) = &tree.dictionary {
            let step = Step::Dictionary;
            self.node(
                dictionary,
                Some(&Place {
                    step,
                    parent: place,
                }),
            )?;
        }
        Ok(())
    }

    /// Where a buffer is to be read, and how many bytes of it.
    fn buffer(&mut self, slot: Slot<'_>, given: Given) -> Result<(*const u8, usize), Failure> {
        let Slot {
            format,
            kind,
            index,
            length,
            place,
        } = slot;
        let Given {
            mode,
            address,
            bytes,
            bit_offset,
        } = given;
        // Nearly all of them.
        if mode == BOW_BUFFER_BORROW
            && bit_offset == 0
            && address != 0
            && (1..=isize::MAX as usize - address.min(isize::MAX as usize)).contains(&bytes)
            && is_aligned(address, format, kind)
        {
            return Ok((address as *const u8, bytes));
        }
        let is_bitmap = matches!(kind, Some(BufferKind::Validity | BufferKind::Bits));
        if bit_offset != 0 && !is_bitmap {
            return Err(Failure::invalid_argument(format!(
                "{}: expected the bit offset 0 for buffer {index}, which is no bitmap, but found {bit_offset}",
                render(place)
            )));
        }
        if mode == BOW_BUFFER_NONE {
            return Ok((null(), 0));
        }
        if bytes == 0 {
            return Ok((no_bytes().cast(), 0));
        }
        if address == 0 {
            return Err(invalid(place, Problem::NullBuffer { index, bytes }));
        }
        if bytes > isize::MAX as usize || address.checked_add(bytes).is_none() {
            return Err(invalid(place, Problem::OutOfBounds { index, bytes }));
        }
        let source = address as *const u8;
        let copy = if bit_offset != 0 {
            let expected = (bit_offset.saturating_add(length)).div_ceil(8);
            if expected > bytes {
                return Err(invalid(
                    place,
                    Problem::BufferTooShort {
                        index,
                        expected,
                        found: bytes,
                    },
                ));
            }
            // SAFETY: `bytes` are readable by contract, which is enough for these bits.
            unsafe { Copied::of_bits(source, bit_offset, length) }
        } else if mode == BOW_BUFFER_COPY || !is_aligned(address, format, kind) {
            if bytes <= SMALL {
                self.smalls.add(source, bytes, self.buffers.len());
                // Where it is until it has been copied.
                return Ok((source, bytes));
            }
            // SAFETY: readable by contract.
            unsafe { Copied::of(source, bytes) }
        } else {
            return Ok((source, bytes));
        };
        let copy = copy.ok_or_else(|| invalid(place, Problem::NoMemory { bytes }))?;
        let placed = (copy.address(), copy.bytes);
        self.copies.push(copy);
        Ok(placed)
    }
}

fn invalid(place: Option<&Place<'_>>, problem: Problem) -> Failure {
    let path = render(place);
    InvalidArrow { path, problem }.into()
}

fn render(place: Option<&Place<'_>>) -> String {
    let Some(&Place { step, parent }) = place else {
        return String::from("array");
    };
    match step {
        Step::Column(index, name) => format!("column[{index}] \"{}\"", name.escape_debug()),
        Step::Child(name) => format!("{} -> {}", render(parent), name.escape_debug()),
        Step::Dictionary => format!("{} -> dictionary", render(parent)),
    }
}

fn is_aligned(address: usize, format: &str, kind: Option<BufferKind>) -> bool {
    // A power of two, by which to divide takes longer than all else here.
    address & (alignment_of(format, kind) - 1) == 0
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
