//! Functions of other libraries.
//!
//! Any library can offer functions of the shape bow_function. They are called on a thread of their own, as jobs, so that
//! they may take their time, and may read streams that the caller feeds.

use std::mem::transmute;

use bowstring_abi::call::{BowFunction, Value};
use bowstring_abi::guard::guard;
use bowstring_abi::{BowError, Failure, Status};
use bowstring_runtime::{BowCall, Call, ImportOptions};

use crate::arguments::{bytes, require, require_sized, text, write_job, write_out};

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
    let body = || {
        require(out_library, "out_library")?;
        // SAFETY: passed on to the caller.
        let path = unsafe { text(path, length, "path") }?;
        // SAFETY: that the library's initialisers are sound to run is the caller's to know.
        let library = unsafe { bowstring_runtime::open_library(path) }?;
        // SAFETY: passed on to the caller.
        unsafe { write_out(out_library, "out_library", library) }?;
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
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
    let body = || {
        require(out, "out")?;
        // SAFETY: passed on to the caller.
        let name = unsafe { text(name, length, "name") }?;
        let address = bowstring_runtime::symbol(library, name)?;
        // SAFETY: passed on to the caller.
        unsafe { write_out(out, "out", address) }?;
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
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
    let body = || {
        // SAFETY: passed on to the caller.
        let call = unsafe { read_call(call) }?;
        let start = || {
            let context = bowstring_runtime::context(context)?;
            // SAFETY: the caller says that the function is one, and libraries stay loaded.
            unsafe { context.start_call(call) }
        };
        // SAFETY: passed on to the caller.
        unsafe { write_job(out_job, start) }
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Takes a call apart, and its inputs over.
///
/// # Safety
/// `call` is null or a bow_call whose addresses are valid and whose inputs are the caller's to give away.
unsafe fn read_call(call: *const BowCall) -> Result<Call, Failure> {
    // SAFETY: by contract.
    unsafe { require_sized(call, "call") }?;
    // SAFETY: as large as it says.
    let call = unsafe { &*call };
    if call.input_count > 0 {
        require(call.inputs, "inputs")?;
    }
    let inputs: Vec<_> = (0..call.input_count as usize)
        // All of them before one is found wanting. SAFETY: as many as there are, and the caller's to give away.
        .map(|index| unsafe { Value::take(call.inputs.add(index)) })
        .collect();
    let inputs = inputs.into_iter().collect::<Result<_, _>>()?;
    if call.function == 0 {
        return Err(Failure::invalid_argument("function is null"));
    }
    Ok(Call {
        // SAFETY: the caller says that this is the address of such a function.
        function: unsafe { transmute::<usize, BowFunction>(call.function) },
        inputs,
        // SAFETY: readable by contract.
        options: unsafe { bytes(call.options, call.options_length, "options") }?.to_vec(),
        output: call.output,
        import: ImportOptions::from_flags(call.flags)?,
    })
}
