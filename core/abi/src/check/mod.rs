//! The ladder of checks between a foreign struct and code that reads it.

mod children;
mod text;
mod views;

use crate::OwnedTable;
use crate::invalid::{InvalidArrow, NullCount, Problem};
use crate::layout::BufferKind;
use crate::metadata::metadata;
use crate::node::{self, Node, Role};
use crate::walk::{Root, Visitor, walk};

/// How much of a table is checked; each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Only what cannot be read past: released structs, null pointers, numbers of buffers and children, nesting
    /// (at most 64 levels), formats that are none. For tables of one's own making.
    None,
    /// Everything that the structs themselves say: lengths, offsets, null counts, names, metadata, missing buffers,
    /// and that a record batch has neither null rows nor an offset. No column data is read.
    Minimal,
    /// The first and last offset of each variable-length column, and the first and last run end, too. Constant time
    /// per column.
    Default,
    /// All offsets, views, type ids, dictionary keys and run ends, all text (UTF-8), all null counts. Reads these
    /// buffers once.
    Full,
}

impl Level {
    /// The level that a caller names by number: 0 none, 1 minimal, 2 default, 3 full.
    pub fn from_number(number: u32) -> Option<Self> {
        [Self::None, Self::Minimal, Self::Default, Self::Full]
            .get(number as usize)
            .copied()
    }
}

/// Checks that `table` is a record batch that can be read, as far as `level` goes.
///
/// No level can tell whether an address that is not null is valid, or whether a buffer is as large as its array says:
/// for these every consumer of the C Data Interface trusts the producer.
pub fn check(table: &OwnedTable, level: Level) -> Result<(), InvalidArrow> {
    check_root(table, Root::RecordBatch, level)
}

/// As [`check`], where the outermost type may be another.
pub fn check_root(table: &OwnedTable, root: Root, level: Level) -> Result<(), InvalidArrow> {
    walk(table.schema(), table.array(), root, &mut Checker { level })
}

pub(crate) struct Checker {
    pub level: Level,
}

impl Visitor for Checker {
    type Output = ();

    fn enter(&mut self, node: &Node<'_>) -> Result<(), Problem> {
        if self.level >= Level::Minimal {
            check_structs(node)?;
        }
        check_data(node, self.level)
    }

    /// What refers to children is checked when they have been.
    fn leave(
        &mut self,
        node: &Node<'_>,
        _children: Vec<()>,
        _dictionary: Option<()>,
    ) -> Result<(), Problem> {
        children::check(node, self.level)
    }
}

/// [`Level::Minimal`] for one node.
pub(crate) fn check_structs(node: &Node<'_>) -> Result<(), Problem> {
    if !node.is_known {
        node::text(node.schema.name, "name")?;
        for entry in metadata(node.schema) {
            entry?;
        }
    }
    node.extent()?;
    let array = node.array;
    if array.length < node.needed {
        return Err(Problem::ChildTooShort {
            expected: node.needed,
            found: array.length,
        });
    }
    if array.null_count < -1 || array.null_count > array.length {
        return Err(Problem::NullCount {
            expected: NullCount::UpTo(array.length),
            found: array.null_count,
        });
    }
    for index in 0..node.buffer_count() {
        let bytes = match node.buffer_kind(index) {
            BufferKind::Validity if array.null_count > 0 => node.extent()?.div_ceil(8),
            // How much text there is only the offsets tell, and they are data.
            BufferKind::Validity | BufferKind::Bytes | BufferKind::Utf8 => continue,
            _ => node.buffer_bytes(index)?,
        };
        if bytes > 0 && node.buffer(index).is_null() {
            return Err(Problem::NullBuffer { index, bytes });
        }
    }
    match node.role {
        // A record batch has no place for either; Arrow C++ refuses them too.
        Role::Root(Root::RecordBatch) => {
            if array.offset != 0 {
                return Err(Problem::BatchOffset(array.offset));
            }
            let nulls = count_nulls(node)?;
            if array.null_count > 0 || nulls > 0 {
                return Err(Problem::NullRows(array.null_count.max(nulls as i64)));
            }
        }
        role => {
            // Every item of the null type is one, whatever the count says.
            let count = match node.format {
                "n" => array.length,
                _ => array.null_count,
            };
            if let Some(among) = without_nulls(role)
                && count > 0
            {
                return Err(Problem::Nulls {
                    among,
                    count: count as usize,
                });
            }
        }
    }
    Ok(())
}

/// What a node is, if nothing of it may be null.
fn without_nulls(role: Role) -> Option<&'static str> {
    match role {
        Role::RunEnds => Some("run ends"),
        Role::MapEntries => Some("the entries of a map"),
        Role::MapKeys | Role::MapKeyRuns => Some("the keys of a map"),
        Role::Root(_) | Role::Child | Role::Dictionary => None,
    }
}

/// All levels for one node, whose children have been checked already.
pub(crate) fn check_node(node: &Node<'_>, level: Level) -> Result<(), Problem> {
    check_data(node, level)?;
    children::check(node, level)
}

/// [`Level::Default`] and [`Level::Full`] for what a node says by itself.
pub(crate) fn check_data(node: &Node<'_>, level: Level) -> Result<(), Problem> {
    if level < Level::Default {
        return Ok(());
    }
    text::check(node, level)?;
    if level < Level::Full {
        return Ok(());
    }
    views::check(node)?;
    check_null_count(node)
}

/// [`Level::Full`] for the nulls of one node.
fn check_null_count(node: &Node<'_>) -> Result<(), Problem> {
    if !node.layout.has_validity() {
        return Ok(());
    }
    let (found, counted) = (node.array.null_count, count_nulls(node)?);
    if found != -1 && found != counted as i64 {
        return Err(Problem::NullCount {
            expected: NullCount::Exactly(counted),
            found,
        });
    }
    match without_nulls(node.role) {
        Some(among) if counted > 0 => Err(Problem::Nulls {
            among,
            count: counted,
        }),
        _ => Ok(()),
    }
}

/// How many items the validity bitmap marks as null.
fn count_nulls(node: &Node<'_>) -> Result<usize, Problem> {
    let bytes = node.buffer_bytes(0)?;
    if bytes == 0 {
        return Ok(0);
    }
    // SAFETY: only bits are counted: whatever another thread writes there meanwhile, some count comes out.
    let bitmap = unsafe { node.bytes(0, bytes) }?;
    let bits = arrow_buffer::bit_chunk_iterator::UnalignedBitChunk::new(
        bitmap,
        node.array.offset as usize,
        node.array.length as usize,
    );
    Ok(node.array.length as usize - bits.count_ones())
}
