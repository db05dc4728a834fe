//! Copies of buffers. Those of small buffers lie in one allocation for the whole table, since to allocate and to free each
//! takes longer than to copy it.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::ptr::NonNull;

/// The alignment of copies, which the specification recommends.
const ALIGNMENT: usize = 64;
/// The alignment that allocators give for nothing.
const COMMON_ALIGNMENT: usize = 16;

/// Up to this size copies lie together.
pub(super) const SMALL: usize = 8 * 1024;

/// A small buffer to be copied.
struct Small {
    source: *const u8,
    bytes: usize,
    /// Its place among the table's buffers.
    buffer: usize,
}

/// Small buffers that are to be copied.
pub(super) struct Smalls {
    items: Vec<Small>,
    /// As many as there may be: mostly all of a table's buffers are small, or none.
    most: usize,
    /// How many bytes the copies take, each rounded up to the alignment.
    bytes: usize,
}

impl Smalls {
    pub fn of_up_to(most: usize) -> Self {
        Self {
            items: Vec::new(),
            most,
            bytes: 0,
        }
    }

    /// Notes a buffer of at most [`SMALL`] bytes, to be copied for the place `buffer` among the table's buffers.
    pub fn add(&mut self, source: *const u8, bytes: usize, buffer: usize) {
        if self.items.is_empty() {
            self.items.reserve(self.most);
        }
        self.items.push(Small {
            source,
            bytes,
            buffer,
        });
        self.bytes += bytes.next_multiple_of(ALIGNMENT);
    }

    /// How many bytes the copies take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Copies what was noted and puts the addresses of the copies into `buffers`. `None` without memory.
    ///
    /// # Safety
    /// What was noted is readable.
    pub unsafe fn copy(self, buffers: &mut [*const std::ffi::c_void]) -> Option<Option<Copied>> {
        if self.items.is_empty() {
            return Some(None);
        }
        let room = self.bytes + ALIGNMENT - COMMON_ALIGNMENT;
        let allocation = Layout::from_size_align(room, COMMON_ALIGNMENT).ok()?;
        // SAFETY: the size is not 0.
        let start = NonNull::new(unsafe { alloc(allocation) })?;
        let mut next = start.as_ptr();
        next = next.wrapping_add(next.align_offset(ALIGNMENT));
        let mut copied = 0;
        for Small {
            source,
            bytes,
            buffer,
        } in self.items
        {
            let padded = bytes.next_multiple_of(ALIGNMENT);
            // SAFETY: the source is readable by contract, and the allocation has room for all that was noted.
            unsafe {
                std::ptr::copy_nonoverlapping(source, next, bytes);
                next.add(bytes).write_bytes(0, padded - bytes);
            }
            buffers[buffer] = next.cast_const().cast();
            next = next.wrapping_add(padded);
            copied += bytes;
        }
        Some(Some(Copied {
            start,
            allocation,
            bytes: copied,
        }))
    }
}

/// A copy of a buffer, or of several small ones.
pub(super) struct Copied {
    start: NonNull<u8>,
    allocation: Layout,
    /// How many bytes were copied; at least one is allocated.
    pub bytes: usize,
}

impl Copied {
    fn new(bytes: usize) -> Option<Self> {
        let allocation = Layout::from_size_align(bytes.max(1), ALIGNMENT).ok()?;
        // SAFETY: the size is not 0.
        let start = NonNull::new(unsafe { alloc_zeroed(allocation) })?;
        Some(Self {
            start,
            allocation,
            bytes,
        })
    }

    /// # Safety
    /// `bytes` are readable at `source`.
    pub unsafe fn of(source: *const u8, bytes: usize) -> Option<Self> {
        let copy = Self::new(bytes)?;
        // SAFETY: readable by contract, and the copy has room for them in memory of its own.
        unsafe { std::ptr::copy_nonoverlapping(source, copy.start.as_ptr(), bytes) };
        Some(copy)
    }

    /// `count` bits from bit `offset` of `source`, moved to the start.
    ///
    /// # Safety
    /// As many bytes as these bits take are readable at `source`.
    pub unsafe fn of_bits(source: *const u8, offset: usize, count: usize) -> Option<Self> {
        let bytes = count.div_ceil(8);
        let copy = Self::new(bytes)?;
        let (first, shift) = (offset / 8, offset % 8);
        let last = (offset + count).div_ceil(8);
        for index in 0..bytes {
            // SAFETY: below `last`, and so readable by contract.
            let read = |at: usize| unsafe { source.add(at).read() };
            let low = read(first + index) >> shift;
            let high = if shift > 0 && first + index + 1 < last {
                read(first + index + 1) << (8 - shift)
            } else {
                0
            };
            // SAFETY: the copy has `bytes` bytes.
            unsafe { copy.start.as_ptr().add(index).write(low | high) };
        }
        Some(copy)
    }

    pub fn address(&self) -> *const u8 {
        self.start.as_ptr()
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout.
        unsafe { dealloc(self.start.as_ptr(), self.allocation) };
    }
}

// SAFETY: the memory is this value's own, and only read once it is shared.
unsafe impl Send for Copied {}
// SAFETY: as above.
unsafe impl Sync for Copied {}
