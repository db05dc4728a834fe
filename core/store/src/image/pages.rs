//! The pages of an image and the b-trees in them (section 1.6 of SQLite's file format).

use super::record::{Record, Varint};

/// The largest page that SQLite knows, so that trees are flat: nearly all pages are leaves.
pub(super) const LARGEST_PAGE: usize = 65_536;

const LEAF: u8 = 0x0d;
const INTERIOR: u8 = 0x05;

/// The pages of an image. Page numbers start at 1, as in the format.
#[derive(Debug)]
pub(super) struct Pages {
    size: usize,
    /// Longer than `used` when an earlier, larger image was built in it: pages are reused, not freed. Bytes of a
    /// page that no cell or header covers are never read, and keep whatever they held.
    bytes: Vec<u8>,
    used: usize,
}

impl Pages {
    /// `size` is a power of two from 512 to [`LARGEST_PAGE`].
    pub(super) fn new(size: usize) -> Self {
        Self {
            size,
            bytes: Vec::new(),
            used: 0,
        }
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn clear(&mut self) {
        self.used = 0;
    }

    pub(super) fn allocate(&mut self) -> u32 {
        self.used += 1;
        if self.bytes.len() < self.used * self.size {
            self.bytes.resize(self.used * self.size, 0);
        }
        self.used as u32
    }

    pub(super) fn page(&mut self, number: u32) -> &mut [u8] {
        let start = (number as usize - 1) * self.size;
        &mut self.bytes[start..start + self.size]
    }

    pub(super) fn count(&self) -> u32 {
        self.used as u32
    }

    /// All pages in use.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.used * self.size]
    }
}

/// A page being filled: cells grow down from its end, pointers to them up from its header.
#[derive(Debug)]
struct Fill {
    page: u32,
    /// Where the page's b-tree header starts: after the file's header on page 1, else 0.
    header: usize,
    /// Where the first cell pointer goes.
    pointers: usize,
    cells: usize,
    /// Offset of the lowest cell.
    top: usize,
}

impl Fill {
    fn new(pages: &Pages, page: u32, header: usize, header_size: usize) -> Self {
        Self {
            page,
            header,
            pointers: header + header_size,
            cells: 0,
            top: pages.size,
        }
    }

    /// A new page without a file header.
    fn allocate(pages: &mut Pages, header_size: usize) -> Self {
        let page = pages.allocate();
        Self::new(pages, page, 0, header_size)
    }

    /// Makes room for a cell of `size` bytes and returns its offset; `None` when the page is full.
    fn reserve(&mut self, pages: &mut Pages, size: usize) -> Option<usize> {
        let pointer = self.pointers + 2 * self.cells;
        if pointer + 2 + size > self.top {
            return None;
        }
        self.top -= size;
        self.cells += 1;
        pages.page(self.page)[pointer..pointer + 2]
            .copy_from_slice(&(self.top as u16).to_be_bytes());
        Some(self.top)
    }

    /// Writes the page's header. `right_most` is the last child of an interior page.
    fn close(&self, pages: &mut Pages, right_most: Option<u32>) {
        let page = &mut pages.page(self.page)[self.header..];
        page[0] = if right_most.is_some() { INTERIOR } else { LEAF };
        page[1..3].fill(0);
        page[3..5].copy_from_slice(&(self.cells as u16).to_be_bytes());
        // The start of the cells on an empty page of 65,536 bytes is written as 0.
        page[5..7].copy_from_slice(&(self.top as u16).to_be_bytes());
        page[7] = 0;
        if let Some(child) = right_most {
            page[8..12].copy_from_slice(&child.to_be_bytes());
        }
    }
}

/// Builds the b-tree of one table from rows in ascending order of rowid. Several can grow side by side.
#[derive(Debug)]
pub(crate) struct TableBuilder {
    leaf: Fill,
    last_rowid: i64,
    /// Finished leaves with the greatest rowid in each.
    leaves: Vec<(u32, i64)>,
}

impl TableBuilder {
    /// A tree whose first leaf is `page`, with its header at the offset `header`.
    pub(super) fn new(pages: &Pages, page: u32, header: usize) -> Self {
        Self {
            leaf: Fill::new(pages, page, header, 8),
            last_rowid: i64::MIN,
            leaves: Vec::new(),
        }
    }

    /// Appends a row. `rowid` is greater than every one before it.
    pub(super) fn push(&mut self, pages: &mut Pages, rowid: i64, record: &Record) {
        debug_assert!(self.leaves.is_empty() && self.leaf.cells == 0 || rowid > self.last_rowid);
        let header_length = record.header_length();
        let (header, body) = record.parts();
        let parts = [header_length.as_slice(), header, body];
        let payload: usize = parts.iter().map(|part| part.len()).sum();
        let payload_length = Varint::new(payload as u64);
        let key = Varint::new(rowid as u64);
        let local = local_size(pages.size, payload);
        let prefix = payload_length.as_slice().len() + key.as_slice().len();
        let overflow = if local < payload { 4 } else { 0 };
        let mut at = loop {
            match self.leaf.reserve(pages, prefix + local + overflow) {
                Some(at) => break at,
                None => self.next_leaf(pages),
            }
        };
        self.last_rowid = rowid;
        let page = pages.page(self.leaf.page);
        at += payload_length.write(&mut page[at..]);
        at += key.write(&mut page[at..]);
        if overflow == 0 {
            at += header_length.write(&mut page[at..]);
            for part in [header, body] {
                page[at..at + part.len()].copy_from_slice(part);
                at += part.len();
            }
        } else {
            let payload = parts.concat();
            let first = write_overflow(pages, &payload[local..]);
            let page = pages.page(self.leaf.page);
            page[at..at + local].copy_from_slice(&payload[..local]);
            page[at + local..at + local + 4].copy_from_slice(&first.to_be_bytes());
        }
    }

    fn next_leaf(&mut self, pages: &mut Pages) {
        self.leaf.close(pages, None);
        self.leaves.push((self.leaf.page, self.last_rowid));
        self.leaf = Fill::allocate(pages, 8);
    }

    /// Closes the tree and returns its root page.
    pub(super) fn finish(mut self, pages: &mut Pages) -> u32 {
        self.leaf.close(pages, None);
        self.leaves.push((self.leaf.page, self.last_rowid));
        let mut level = self.leaves;
        while level.len() > 1 {
            level = build_level(pages, &level);
        }
        level[0].0
    }
}

/// Interior pages over `children`: each cell is a child's page and the greatest rowid below it; the last child of a
/// page stands in the page's header instead.
fn build_level(pages: &mut Pages, children: &[(u32, i64)]) -> Vec<(u32, i64)> {
    let mut level = Vec::new();
    let mut fill = Fill::allocate(pages, 12);
    for (index, &(child, rowid)) in children.iter().enumerate() {
        if index + 1 == children.len() {
            fill.close(pages, Some(child));
            level.push((fill.page, rowid));
            break;
        }
        let key = Varint::new(rowid as u64);
        match fill.reserve(pages, 4 + key.as_slice().len()) {
            Some(at) => {
                let page = pages.page(fill.page);
                page[at..at + 4].copy_from_slice(&child.to_be_bytes());
                page[at + 4..at + 4 + key.as_slice().len()].copy_from_slice(key.as_slice());
            }
            None => {
                fill.close(pages, Some(child));
                level.push((fill.page, rowid));
                fill = Fill::allocate(pages, 12);
            }
        }
    }
    level
}

/// How much of a payload stays on the leaf, by the format's rule.
fn local_size(page_size: usize, payload: usize) -> usize {
    let largest = page_size - 35;
    if payload <= largest {
        return payload;
    }
    let least = (page_size - 12) * 32 / 255 - 23;
    let size = least + (payload - least) % (page_size - 4);
    if size <= largest { size } else { least }
}

/// Writes the rest of a payload to a chain of pages, each with the number of the next in front, and returns the
/// first.
fn write_overflow(pages: &mut Pages, rest: &[u8]) -> u32 {
    let mut chunks = rest.chunks(pages.size - 4).peekable();
    let first = pages.allocate();
    let mut page = first;
    while let Some(chunk) = chunks.next() {
        let next = if chunks.peek().is_some() {
            pages.allocate()
        } else {
            0
        };
        let bytes = pages.page(page);
        bytes[..4].copy_from_slice(&next.to_be_bytes());
        bytes[4..4 + chunk.len()].copy_from_slice(chunk);
        page = next;
    }
    first
}
