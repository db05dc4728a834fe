//! Copies of buffers.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

/// The alignment of copies, which the specification recommends.
const ALIGNMENT: usize = 64;

/// A copy of a buffer.
pub(super) struct Copied {
    start: NonNull<u8>,
    allocation: Layout,
    /// How many bytes were asked for; at least one is allocated.
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
