//! From bytes that hold one code each to packed output, in whole cache lines where it is large.

use crate::job::Job;
use crate::kernel::{Kernel, STEP, UNPACKED};

/// Codes that wait for a whole line of output.
pub(crate) const PENDING: usize = 64 * 4;
/// Outputs from this size on are written past the caches, as they would push everything else out of them.
const STREAM_BYTES: usize = 1 << 20;

/// Turns bytes that hold one code each into packed output.
#[derive(Debug)]
pub(crate) struct Packer {
    kernel: &'static Kernel,
    bits: u8,
    to: *mut u8,
    stream: bool,
    pending: usize,
    /// Whether the room that was given last is that of the output.
    in_place: bool,
}

impl Packer {
    /// Continues at the byte of value `start` of the job, which begins a byte.
    pub(crate) fn new(kernel: &'static Kernel, job: &Job, start: usize) -> Self {
        let bits = job.plan.stored_bits();
        debug_assert!((start * usize::from(bits)).is_multiple_of(8));
        Self {
            kernel,
            bits,
            // SAFETY: the target has room for the codes of the layer.
            to: unsafe { job.target.data.add(start * usize::from(bits) / 8) },
            stream: job.plan.data_bytes >= STREAM_BYTES,
            pending: 0,
            in_place: false,
        }
    }

    /// Where the next `count` codes go, and packed to how many bits: the output itself, if they fill whole steps, they are
    /// to go past the caches and begin a line. Otherwise the buffer, [`UNPACKED`], with room for `SMALL` and a step.
    pub(crate) fn room(&mut self, codes: &mut [u8], count: usize) -> (*mut u8, u8) {
        self.in_place = self.stream
            && self.bits >= 4
            && self.pending == 0
            && count.is_multiple_of(STEP)
            && self.to.align_offset(64) == 0;
        match self.in_place {
            true => (self.to, self.bits),
            false => (self.buffer(codes), UNPACKED),
        }
    }

    /// As [`room`](Self::room), always in the buffer.
    pub(crate) fn buffer(&mut self, codes: &mut [u8]) -> *mut u8 {
        self.in_place = false;
        codes[self.pending..].as_mut_ptr()
    }

    /// Takes the `count` codes that were written to the room, and packs all that fill lines.
    pub(crate) fn advance(&mut self, codes: &mut [u8], count: usize) {
        if self.in_place {
            // SAFETY: so many codes of the layer have just been written here.
            self.to = unsafe { self.to.add(count / usize::from(8 / self.bits)) };
            return;
        }
        self.pending += count;
        let per_byte = usize::from(8 / self.bits);
        let line = 64 * per_byte;
        let mut done = 0;
        if self.stream {
            // Up to the first whole line.
            let head = self.to.align_offset(64) * per_byte;
            if head > self.pending {
                return self.keep_rest(codes, 0);
            }
            self.pack(codes, 0, head, false);
            done = head;
        }
        let whole = (self.pending - done) / line * line;
        self.pack(codes, done, whole, self.stream);
        self.keep_rest(codes, done + whole);
    }

    fn keep_rest(&mut self, codes: &mut [u8], done: usize) {
        codes.copy_within(done..self.pending, 0);
        self.pending -= done;
    }

    /// Packs what is left; the last byte is filled with zeros.
    pub(crate) fn finish(&mut self, codes: &mut [u8]) {
        let per_byte = usize::from(8 / self.bits);
        let padded = self.pending.next_multiple_of(per_byte);
        codes[self.pending..padded].fill(0);
        self.pack(codes, 0, padded, false);
    }

    fn pack(&mut self, codes: &[u8], from: usize, count: usize, stream: bool) {
        let codes = &codes[from..from + count];
        // SAFETY: the target has room for the codes of the layer, of which these are the next; streamed lines are
        // aligned to 64 bytes.
        unsafe {
            (self.kernel.pack)(self.bits, codes.as_ptr(), count, self.to, stream);
            self.to = self.to.add(count / usize::from(8 / self.bits));
        }
    }
}
