//! The least that native code must do with memory that it is lent: keep where it is, and tell when it is done with it.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Up to this size a buffer is copied rather than lent, as exports do: engines move the memory of small typed arrays.
const COPIED: usize = 8 * 1024;

/// Tokens of pins that have been dropped, on whatever thread.
type Released = Arc<Mutex<Vec<u32>>>;

static RELEASED: LazyLock<Released> = LazyLock::new(Released::default);

/// What native code has of memory that it was lent.
struct Pin {
    token: u32,
    released: Released,
    /// The address and the bytes of each buffer.
    buffers: Vec<(usize, usize)>,
    /// What is in the small ones.
    copies: Vec<u8>,
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut released = self.released.lock().unwrap_or_else(PoisonError::into_inner);
        released.push(self.token);
    }
}

/// Keeps buffers under a token: where each is and how long, and the small ones themselves. Returns what `bench_unpin` takes.
///
/// # Safety
/// `count` pairs of doubles, addresses and bytes, are readable at `words`, and so are those bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bench_pin(words: *const u8, count: u32, token: u32) -> f64 {
    // SAFETY: passed on to the caller.
    let words = unsafe { std::slice::from_raw_parts(words.cast::<[[u8; 8]; 2]>(), count as usize) };
    let number = |word: [u8; 8]| f64::from_ne_bytes(word) as usize;
    let pairs = words.iter();
    let buffers: Vec<_> = pairs
        .map(|&[address, bytes]| (number(address), number(bytes)))
        .collect();
    let small = || buffers.iter().filter(|&&(_, bytes)| bytes <= COPIED);
    let mut copies = Vec::with_capacity(small().map(|(_, bytes)| bytes).sum());
    for &(address, bytes) in small() {
        // SAFETY: passed on to the caller.
        copies
            .extend_from_slice(unsafe { std::slice::from_raw_parts(address as *const u8, bytes) });
    }
    let pin = Box::new(Pin {
        token,
        released: RELEASED.clone(),
        buffers,
        copies,
    });
    Box::into_raw(pin) as usize as f64
}

/// Forgets what `bench_pin` kept, and returns how many bytes that were.
///
/// # Safety
/// `pin` is what `bench_pin` returned, and was not given before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bench_unpin(pin: f64) -> f64 {
    // SAFETY: made by `Box::into_raw` in `bench_pin`, and given up.
    let pin = unsafe { Box::from_raw(pin as usize as *mut Pin) };
    let lent = pin.buffers.iter().map(|(_, bytes)| bytes).sum::<usize>();
    (lent + pin.copies.len()) as f64
}

/// The token of a pin that has been dropped; 0 if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn bench_released() -> u32 {
    let mut released = RELEASED.lock().unwrap_or_else(PoisonError::into_inner);
    released.pop().unwrap_or_default()
}
