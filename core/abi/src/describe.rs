//! A group of tables as numbers: native blocks, and where in them each buffer lies. One call gives a binding all it
//! needs to lay views over the memory, where reading the structs field by field would cost a call per pointer.

use std::collections::HashMap;

use crate::OwnedTable;
use crate::check::{Checker, Level};
use crate::export::{Allocation, allocations_of};
use crate::invalid::{InvalidArrow, Problem};
use crate::node::Node;
use crate::schema::Fingerprint;
use crate::walk::{Root, Visitor, walk};

/// Blocks are cut at multiples of this, so that a buffer that is aligned in memory is aligned in its block too.
const BLOCK_ALIGNMENT: usize = 64;

/// A run of native memory that holds one or more buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Where it starts.
    pub address: usize,
    /// How many bytes it has; never 0.
    pub bytes: usize,
}

/// A description of a group of tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// The blocks.
    pub blocks: Vec<Block>,
    /// The whole description as numbers, in this order: number of tables, number of blocks, bytes of all blocks; per
    /// block its address and bytes; then per table the schema's [`fingerprint`](crate::fingerprint) and its nodes in
    /// pre-order, starting with the struct array itself, each as length, null count, offset, number of buffers,
    /// number of children, 1 if a dictionary follows the children else 0, and per buffer (variadic ones included, but not the buffer of
    /// their sizes, which their bytes here are) the block's index, the byte
    /// offset in the block, and the bytes. A buffer without bytes has the index -1.
    pub words: Vec<f64>,
    /// The [`fingerprint`](crate::fingerprint) of each table's schema.
    pub fingerprints: Vec<u64>,
    /// The bytes of all blocks.
    pub total_bytes: usize,
}

/// Checks `tables` as far as `level` goes, as [`check`](crate::check::check) does, and describes them. With several
/// tables the path of an error begins with that of its table: `table[1]: column[0] "id"`.
///
/// Buffers that this library exported from one allocation share one block: the part of the allocation that the
/// buffers of these tables cover. Any other buffer is a block of its own, as long as type, length and offset say.
pub fn describe(tables: &[OwnedTable], level: Level) -> Result<Description, InvalidArrow> {
    describe_root(tables, Root::RecordBatch, level)
}

/// As [`describe`], where the outermost types may be others.
pub fn describe_root(
    tables: &[OwnedTable],
    root: Root,
    level: Level,
) -> Result<Description, InvalidArrow> {
    let mut describer = Describer {
        // Of a batch of a few columns, so that it need not grow.
        items: Vec::with_capacity(64),
        blocks: Vec::with_capacity(32),
        ..Describer::default()
    };
    let mut fingerprints = Vec::with_capacity(tables.len());
    let mut ends = Vec::with_capacity(tables.len());
    for (index, table) in tables.iter().enumerate() {
        let (mut checker, mut fingerprint) = (Checker { level }, Fingerprint::default());
        let mut reader = (&mut fingerprint, &mut describer);
        walk(
            table.schema(),
            table.array(),
            root,
            &mut (&mut checker, &mut reader),
        )
        .map_err(|mut invalid| {
            if tables.len() > 1 {
                invalid.path.insert_str(0, &format!("table[{index}]: "));
            }
            invalid
        })?;
        fingerprints.push(fingerprint.finish());
        ends.push(describer.items.len());
    }

    let blocks: Vec<Block> = describer
        .blocks
        .iter()
        .map(BlockInProgress::finish)
        .collect();
    let total_bytes = blocks.iter().map(|block| block.bytes).sum();
    let mut words =
        Vec::with_capacity(3 + 2 * blocks.len() + tables.len() + 6 * describer.items.len());
    words.extend([tables.len() as f64, blocks.len() as f64, total_bytes as f64]);
    words.extend(
        blocks
            .iter()
            .flat_map(|block| [block.address as f64, block.bytes as f64]),
    );
    let mut items = describer.items.iter();
    let mut start = 0;
    for (&fingerprint, end) in fingerprints.iter().zip(ends) {
        words.push(fingerprint as f64);
        for item in items.by_ref().take(end - start) {
            match *item {
                Item::Node(node) => words.extend(node),
                Item::Empty => words.extend([-1.0, 0.0, 0.0]),
                Item::Buffer {
                    block,
                    address,
                    bytes,
                } => {
                    let offset = address - blocks[block].address;
                    words.extend([block as f64, offset as f64, bytes as f64]);
                }
            }
        }
        start = end;
    }
    Ok(Description {
        blocks,
        words,
        fingerprints,
        total_bytes,
    })
}

enum Item {
    Node([f64; 6]),
    Empty,
    Buffer {
        block: usize,
        address: usize,
        bytes: usize,
    },
}

struct BlockInProgress {
    /// The start of the allocation, if it is known.
    allocation: Option<usize>,
    start: usize,
    end: usize,
}

impl BlockInProgress {
    fn finish(&self) -> Block {
        let start = match self.allocation {
            Some(allocation) => (self.start - self.start % BLOCK_ALIGNMENT).max(allocation),
            None => self.start,
        };
        Block {
            address: start,
            bytes: self.end - start,
        }
    }
}

#[derive(Default)]
struct Describer {
    items: Vec<Item>,
    blocks: Vec<BlockInProgress>,
    /// The block of each known allocation, by the allocation's start.
    by_allocation: HashMap<usize, usize>,
    /// The entry of `by_allocation` that was used last: nearly always the next one too.
    last: Option<(usize, usize)>,
}

impl Describer {
    fn block_of(&mut self, allocation: Option<Allocation>, start: usize, end: usize) -> usize {
        let Some(Allocation { start: key, .. }) = allocation else {
            self.blocks.push(BlockInProgress {
                allocation: None,
                start,
                end,
            });
            return self.blocks.len() - 1;
        };
        let block = match self.last {
            Some((last, block)) if last == key => block,
            _ => *self.by_allocation.entry(key).or_insert_with(|| {
                self.blocks.push(BlockInProgress {
                    allocation: Some(key),
                    start,
                    end,
                });
                self.blocks.len() - 1
            }),
        };
        self.last = Some((key, block));
        let extent = &mut self.blocks[block];
        extent.start = extent.start.min(start);
        extent.end = extent.end.max(end);
        block
    }
}

impl Visitor for Describer {
    type Output = ();

    fn enter(&mut self, node: &Node<'_>) -> Result<(), Problem> {
        node.extent()?;
        let array = node.array;
        let buffers = node.buffer_count();
        self.items.push(Item::Node([
            array.length as f64,
            array.null_count as f64,
            array.offset as f64,
            buffers as f64,
            array.n_children as f64,
            f64::from(u8::from(!array.dictionary.is_null())),
        ]));
        let allocations = allocations_of(array);
        for index in 0..buffers {
            let bytes = node.buffer_bytes(index)?;
            if bytes == 0 {
                self.items.push(Item::Empty);
                continue;
            }
            let address = node.buffer(index) as usize;
            if address == 0 {
                return Err(Problem::NullBuffer { index, bytes });
            }
            let end = address
                .checked_add(bytes)
                .ok_or(Problem::OutOfBounds { index, bytes })?;
            let allocation = allocations.and_then(|all| all.get(index).copied().flatten());
            if let Some(Allocation { start, capacity }) = allocation
                && (address < start || end > start + capacity)
            {
                return Err(Problem::OutOfBounds { index, bytes });
            }
            let block = self.block_of(allocation, address, end);
            self.items.push(Item::Buffer {
                block,
                address,
                bytes,
            });
        }
        Ok(())
    }

    fn leave(&mut self, _: &Node<'_>, _: Vec<()>, _: Option<()>) -> Result<(), Problem> {
        Ok(())
    }
}
