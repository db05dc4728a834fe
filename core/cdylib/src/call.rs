//! Functions of other libraries.
//!
//! Any library can offer functions of the shape bow_function. They are called on a thread of their own, as jobs, so that
//! they may take their time, and may read streams that the caller feeds.

use bowstring_abi::BowError;
use bowstring_abi::guard::guard;
use bowstring_runtime::BowCall;

use crate::schema::unsupported;

/// Opens the shared library at path, which is UTF-8 and best absolute, and writes its handle to out_library. A library
/// is opened for the process, not for a context, and never closed: what it allocated may be released at any time. The
/// same path gives the same handle.
///
/// BOW_IO: it cannot be opened; the message is the system's.
///
/// # Safety
/// Initialisers of the library run. `length` bytes are readable at `path`, `out_library` is writable, `error` is null
/// or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_library_open(
    path: *const u8,
    length: u32,
    out_library: *mut u32,
    error: *mut BowError,
) -> i32 {
    let _ = (path, length, out_library);
    // SAFETY: passed on to the caller.
    unsafe { guard(error, unsupported) }
}

/// Writes the address of a library's symbol to out. What is at the address is for the caller to know.
///
/// BOW_INVALID_ARGUMENT: the library has no such symbol. BOW_STALE_HANDLE: there is no such library.
///
/// # Safety
/// `length` bytes are readable at `name`, `out` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_library_symbol(
    library: u32,
    name: *const u8,
    length: u32,
    out: *mut usize,
    error: *mut BowError,
) -> i32 {
    let _ = (library, name, length, out);
    // SAFETY: passed on to the caller.
    unsafe { guard(error, unsupported) }
}

/// Starts a job that calls a bow_function. The inputs are moved: the release of each of their structs is null
/// afterwards, also when the call fails. A table that the function gives is the job's one result; a stream is read by
/// the job as bow_stream_import does; without output there is no result. When the function fails, the job fails with
/// its status (BOW_IO when that is none) and message. A function that runs cannot be stopped: a cancelled job ends at
/// once for its caller, and what the function gives is released when it returns.
///
/// BOW_INVALID_ARGUMENT: the size is not set, the function is 0, or a kind or the flags cannot be. BOW_STALE_HANDLE,
/// BOW_OUT_OF_MEMORY.
///
/// # Safety
/// `call` is null or a bow_call whose addresses are valid and whose inputs are the caller's to give away; `out_job` is
/// writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_call_start(
    context: u32,
    call: *const BowCall,
    out_job: *mut u32,
    error: *mut BowError,
) -> i32 {
    let _ = (context, call, out_job);
    // SAFETY: passed on to the caller.
    unsafe { guard(error, unsupported) }
}
