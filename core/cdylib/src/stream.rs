//! Streams.
//!
//! A stream of the Arrow C Stream Interface is pulled: whoever reads it blocks in get_next until there is a batch. A
//! stream that comes in is read by a job, on a thread of its own. A stream that goes out is fed by pushing batches: its
//! reader, on any other thread, blocks in get_next, and the feeder is told by the context's event that one is wanted.

use bowstring_abi::guard::guard;
use bowstring_abi::{ArrowArrayStream, BowError, BowTable, OwnedStream, Status};
use bowstring_runtime::{Demand, ImportOptions};

use crate::arguments::{require, take_tables, text, write_job, write_out};

/// Moves the ArrowArrayStream at the address stream (its release is null afterwards, also when the call fails) and
/// starts a job that reads it. The job's first result is a table without rows that has the stream's schema; then there
/// is one result, of one table, for each batch. flags are those of bow_lease_import and hold for every batch, which is
/// checked, converted and described on the job's thread: take results by bow_job_lease to have that.
///
/// Up to 64 results wait, and no more once they have 64 MiB. When the producer answers with an error the job fails with
/// BOW_IO, and the message has the producer's own, if there is one, and its errno. Batches that are refused make it fail
/// with BOW_INVALID_ARROW or BOW_UNSUPPORTED. A cancelled job ends at once for its caller; the stream is released when a
/// get_next that blocks has returned.
///
/// BOW_INVALID_ARGUMENT: the stream has been released, or flags cannot be. BOW_STALE_HANDLE, BOW_OUT_OF_MEMORY.
///
/// # Safety
/// `stream` is 0 or the address of an ArrowArrayStream that is released or the caller's to give away, and may be read
/// on another thread; `out_job` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_stream_import(
    context: u32,
    stream: usize,
    flags: u32,
    out_job: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        let stream = stream as *mut ArrowArrayStream;
        require(stream, "stream")?;
        // First of all, so that the caller's struct is moved from whatever happens. SAFETY: not null and aligned, and the
        // caller's to give away.
        let stream = unsafe { OwnedStream::take(stream) };
        let start = || {
            let options = ImportOptions::from_flags(flags)?;
            bowstring_runtime::context(context)?.import_stream(stream, options)
        };
        // SAFETY: passed on to the caller.
        unsafe { write_job(out_job, start) }
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Makes an ArrowArrayStream at the address out, where what was is overwritten without being released, and writes the
/// handle that it is fed through to out_stream. The consumer owns the struct and may use and release it on any one
/// thread at a time. The stream has a registered schema, with BOW_BUILD_RESTORE in flags as bow_schema_export restores
/// it.
///
/// get_next blocks until a batch is pushed or the stream is ended. On the thread that opened the context, where nobody
/// could push meanwhile, it does not block but answers EDEADLK. Closing the handle or the context before the end makes
/// it answer ECANCELED. Of all these there is a message.
///
/// BOW_STALE_HANDLE: there is no such context or schema. BOW_OUT_OF_MEMORY: all handles are in use.
///
/// # Safety
/// `out` is 0 or the address of room for an ArrowArrayStream; `out_stream` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_stream_export(
    context: u32,
    schema: u32,
    flags: u32,
    out: usize,
    out_stream: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        let out = out as *mut ArrowArrayStream;
        require(out, "out")?;
        require(out_stream, "out_stream")?;
        let context = bowstring_runtime::context(context)?;
        let (handle, stream) = context.export_stream(schema, flags)?;
        // SAFETY: passed on to the caller.
        unsafe {
            write_out(out, "out", stream.into_raw())?;
            write_out(out_stream, "out_stream", handle)?;
        }
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Asks how many batches a stream takes now, and writes that to out_wanted: none until its consumer has asked for the
/// first, then as many as may wait. When they become wanted, and when the consumer releases the stream, the context has
/// an event.
///
/// BOW_OK: at least one batch is wanted. BOW_PENDING: none now; out_wanted is 0. BOW_DONE: none any more, since the
/// consumer has released the stream or it has been ended; out_wanted is 0. BOW_STALE_HANDLE: there is no such context or
/// stream.
///
/// # Safety
/// `out_wanted` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_stream_demand(
    context: u32,
    stream: u32,
    out_wanted: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        require(out_wanted, "out_wanted")?;
        let demand = bowstring_runtime::context(context)?.stream_demand(stream)?;
        let (wanted, status) = match demand {
            Demand::Wanted(wanted) => (wanted as u32, Status::Ok),
            Demand::Pending => (0, Status::Pending),
            Demand::Done => (0, Status::Done),
        };
        // SAFETY: passed on to the caller.
        unsafe { write_out(out_wanted, "out_wanted", wanted) }?;
        Ok(status)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Pushes a batch into a stream, also when none is wanted. The table is moved, also when the call fails; its types must
/// be those of the stream's schema. Of its schema nothing else is used.
///
/// BOW_DONE: the consumer has released the stream; the table has been released. BOW_INVALID_ARGUMENT: the types differ,
/// or the stream has been ended. BOW_STALE_HANDLE.
///
/// # Safety
/// `table` points to a table that the caller owns; `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_stream_push(
    context: u32,
    stream: u32,
    table: *mut BowTable,
    error: *mut BowError,
) -> i32 {
    let body = || {
        // First of all, so that the caller's structs are moved from whatever happens. SAFETY: passed on to the caller.
        let table = unsafe { take_tables(table, 1) }?.remove(0);
        let taken = bowstring_runtime::context(context)?.push_to_stream(stream, table)?;
        Ok(if taken { Status::Ok } else { Status::Done })
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Ends a stream. Its consumer gets the batches that were pushed before, and then the end; or when length is not 0 the
/// error EIO with the message, in UTF-8. A stream that has been ended stays as it is.
///
/// BOW_STALE_HANDLE.
///
/// # Safety
/// `length` bytes are readable at `message`, which may be null when there are none; `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_stream_end(
    context: u32,
    stream: u32,
    message: *const u8,
    length: u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        // SAFETY: passed on to the caller.
        let message = unsafe { text(message, length, "message") }?;
        let message = (!message.is_empty()).then(|| message.to_owned());
        bowstring_runtime::context(context)?.end_stream(stream, message)?;
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Frees a stream's handle. A stream that has not been ended answers its consumer ECANCELED, after what was pushed; one
/// that has been ended keeps what the consumer has not taken yet. The struct stays the consumer's to release.
///
/// BOW_STALE_HANDLE.
///
/// # Safety
/// `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_stream_close(context: u32, stream: u32, error: *mut BowError) -> i32 {
    let body = || {
        bowstring_runtime::context(context)?.close_stream(stream)?;
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Releases the ArrowArrayStream at the address stream if it has not been released. An address of 0 is ignored.
///
/// # Safety
/// `stream` is 0 or the address of an ArrowArrayStream that is released or the caller's to release; `error` is null or
/// a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_stream_release(stream: usize, error: *mut BowError) -> i32 {
    let body = || {
        if stream != 0 {
            let stream = stream as *mut ArrowArrayStream;
            require(stream, "stream")?;
            // SAFETY: the caller's to release, by contract.
            drop(unsafe { OwnedStream::take(stream) });
        }
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}
