//! What this library is.

use bowstring_abi::BowError;
use bowstring_abi::guard::guard;

use crate::arguments::write_slice;

/// The version of the ABI that this header describes.
pub const BOW_ABI_VERSION: u32 = 1;

/// The version of the library's ABI, BOW_ABI_VERSION when it is the one of this header. A binding checks it right after
/// opening the library, before any other call, and gives up when it is not the one that the binding was made for.
#[unsafe(no_mangle)]
pub extern "C" fn bow_abi_version() -> u32 {
    BOW_ABI_VERSION
}

/// The address of memory, as a number: for runtimes that pass memory to a function faster than they tell where it is.
#[unsafe(no_mangle)]
pub extern "C" fn bow_memory_address(memory: *const u8) -> f64 {
    // Exact: no 64-bit platform has addresses of more than 53 bits in use.
    memory.addr() as f64
}

/// Writes the library's own version, such as "0.1.0", to out: UTF-8, without a NUL, its length to out_length. When
/// capacity is too small, out_length says what is needed and the answer is BOW_BUFFER_TOO_SMALL.
///
/// # Safety
/// `out` has room for `capacity` bytes, `out_length` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_version(
    out: *mut u8,
    capacity: u32,
    out_length: *mut u32,
    error: *mut BowError,
) -> i32 {
    // SAFETY: passed on to the caller, here and inside.
    unsafe {
        guard(error, || {
            write_slice(
                env!("CARGO_PKG_VERSION").as_bytes(),
                out,
                capacity,
                out_length,
            )
        })
    }
}
