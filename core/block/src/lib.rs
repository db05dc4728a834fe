//! One aligned allocation a batch, handed back for the next batch when the last reader lets go of it.
//!
//! The first touch of fresh pages costs more than filling them, so a released block is kept for reuse. Both engines
//! finish their batches in such blocks.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use arrow_buffer::Buffer;

/// Alignment of a block and of each region in it.
pub const ALIGNMENT: usize = 64;
/// Blocks are this long or a multiple, so that one fits the next batch too.
const GRAIN: usize = 1 << 20;

/// Blocks from this size on are fresh pages, as glibc's allocator keeps none of that size, and as many that their first
/// touch is better taken by the large page.
const HUGE_BYTES: usize = 32 << 20;

/// Blocks that wait for reuse.
#[derive(Debug)]
pub struct BlockPool {
    free: Mutex<Vec<RawBlock>>,
    keep: usize,
    keep_bytes: usize,
}

impl BlockPool {
    /// A pool that keeps up to `keep` free blocks.
    pub fn new(keep: usize) -> Arc<Self> {
        Self::with_limit(keep, usize::MAX)
    }

    /// A pool that keeps up to `keep` free blocks of together at most `keep_bytes` bytes.
    pub fn with_limit(keep: usize, keep_bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            free: Mutex::default(),
            keep,
            keep_bytes,
        })
    }

    /// Bytes of the free blocks it keeps.
    pub fn kept_bytes(&self) -> usize {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.iter().map(|raw| raw.len).sum()
    }

    /// Gives the free blocks back to the system.
    pub fn clear(&self) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.clear();
    }

    /// A block of at least `len` bytes, whose content is unspecified; `None` when there is no memory.
    pub fn take(self: &Arc<Self>, len: usize) -> Option<Block> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let found = free
            .iter()
            .position(|raw| raw.len >= len && raw.len / 4 <= len.max(GRAIN));
        let raw = found.map(|at| free.swap_remove(at));
        drop(free);
        let raw = match raw {
            Some(raw) => raw,
            None => RawBlock::allocate(len.max(1).div_ceil(GRAIN) * GRAIN)?,
        };
        Some(Block {
            raw: Some(raw),
            pool: Arc::downgrade(self),
        })
    }
}

/// A block in use. Dropping it hands the memory back.
#[derive(Debug)]
pub struct Block {
    raw: Option<RawBlock>,
    pool: Weak<BlockPool>,
}

impl Block {
    /// The bytes, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.raw.as_mut().map_or(&mut [], RawBlock::bytes_mut)
    }

    /// Freezes the first `len` bytes.
    pub fn freeze(self, len: usize) -> Buffer {
        let Some(raw) = &self.raw else {
            return Buffer::default();
        };
        let (start, len) = (raw.start, len.min(raw.len));
        // SAFETY: `start` points to `raw.len` initialized bytes that `self` owns; `self` moves into the buffer, which
        // drops it last, and nobody can write to it any more.
        unsafe { Buffer::from_custom_allocation(start, len, Arc::new(self)) }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let (Some(raw), Some(pool)) = (self.raw.take(), self.pool.upgrade()) else {
            return;
        };
        let mut free = pool.free.lock().unwrap_or_else(PoisonError::into_inner);
        let kept: usize = free.iter().map(|raw| raw.len).sum();
        if free.len() < pool.keep && raw.len <= pool.keep_bytes.saturating_sub(kept) {
            free.push(raw);
        }
    }
}

#[derive(Debug)]
struct RawBlock {
    /// What the allocator gave.
    base: NonNull<u8>,
    /// The first aligned byte of it.
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: a `RawBlock` is the only owner of its memory, which has no tie to a thread.
unsafe impl Send for RawBlock {}
// SAFETY: through a shared reference nothing but the address and length can be read.
unsafe impl Sync for RawBlock {}

impl RawBlock {
    /// Asks for no more than the allocator's own alignment: then zeroed memory comes as fresh pages, while for a larger
    /// one every byte would be written once before it is filled.
    fn layout(len: usize) -> Option<Layout> {
        Layout::from_size_align(len.checked_add(ALIGNMENT)?, align_of::<u128>()).ok()
    }

    fn allocate(len: usize) -> Option<Self> {
        let layout = Self::layout(len)?;
        // SAFETY: the layout has at least `ALIGNMENT` bytes.
        let base = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        // SAFETY: the offset is less than `ALIGNMENT`, so `start` and the `len` bytes behind it lie in the allocation.
        let start = unsafe { base.add(base.align_offset(ALIGNMENT)) };
        let mut raw = Self { base, start, len };
        if len >= HUGE_BYTES {
            ask_for_huge_pages(raw.bytes_mut());
        }
        Some(raw)
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the block has `len` bytes, all initialized by `alloc_zeroed`, and `self` is borrowed for writing.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl Drop for RawBlock {
    fn drop(&mut self) {
        if let Some(layout) = Self::layout(self.len) {
            // SAFETY: allocated in `allocate` with the same layout, and dropped once.
            unsafe { dealloc(self.base.as_ptr(), layout) }
        }
    }
}

/// Asks the system to back the memory with pages of 2 MB: one fault instead of 512.
#[cfg(target_os = "linux")]
fn ask_for_huge_pages(bytes: &mut [u8]) {
    const PAGE: usize = 4096;
    let skipped = bytes.as_ptr().align_offset(PAGE);
    let whole = bytes.len().saturating_sub(skipped) / PAGE * PAGE;
    if let Some(pages) = bytes.get_mut(skipped..skipped + whole) {
        // SAFETY: this memory is borrowed for writing; the advice changes nothing in it. A system that cannot follow it
        // says so, and that is no loss.
        unsafe { libc::madvise(pages.as_mut_ptr().cast(), whole, libc::MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn ask_for_huge_pages(_: &mut [u8]) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_released_block_is_used_again() {
        let pool = BlockPool::new(1);
        let first = pool.take(100).unwrap().freeze(100);
        let address = first.as_ptr();
        drop(first);
        let second = pool.take(200).unwrap().freeze(200);
        assert_eq!(second.as_ptr(), address);
        assert_eq!(address as usize % ALIGNMENT, 0);
    }

    #[test]
    fn a_block_outlives_its_pool() {
        let pool = BlockPool::new(1);
        let mut block = pool.take(3).unwrap();
        block.bytes_mut()[..3].copy_from_slice(b"abc");
        let buffer = block.freeze(3);
        drop(pool);
        assert_eq!(buffer.as_slice(), b"abc");
    }

    #[test]
    fn no_more_bytes_are_kept_than_allowed() {
        let pool = BlockPool::with_limit(4, GRAIN);
        let (first, second) = (pool.take(1).unwrap(), pool.take(1).unwrap());
        drop(first);
        drop(second);
        assert_eq!(pool.kept_bytes(), GRAIN);
        pool.clear();
        assert_eq!(pool.kept_bytes(), 0);
    }

    #[test]
    fn an_impossible_length_is_refused() {
        assert!(BlockPool::new(1).take(isize::MAX as usize - 4096).is_none());
    }

    /// The flags of the mapping that an address lies in.
    #[cfg(target_os = "linux")]
    fn mapping_flags(address: usize) -> String {
        let smaps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut is_here = false;
        for line in smaps.lines() {
            let range = line.split(' ').next().and_then(|range| {
                let (start, end) = range.split_once('-')?;
                let hex = |text| usize::from_str_radix(text, 16).ok();
                Some(hex(start)?..hex(end)?)
            });
            if let Some(range) = range {
                is_here = range.contains(&address);
            } else if let Some(flags) = line.strip_prefix("VmFlags:")
                && is_here
            {
                return flags.to_owned();
            }
        }
        panic!("nothing is mapped at {address:#x}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn large_blocks_may_have_huge_pages() {
        if !std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists() {
            return println!("this system has no huge pages");
        }
        let pool = BlockPool::new(0);
        for (len, expected) in [(HUGE_BYTES, true), (HUGE_BYTES - GRAIN, false)] {
            let mut block = pool.take(len).unwrap();
            let middle = block.bytes_mut()[len / 2..].as_ptr() as usize;
            let flags = mapping_flags(middle);
            assert_eq!(flags.contains(" hg"), expected, "{len}: {flags}");
        }
    }
}
