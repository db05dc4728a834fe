//! Contexts.
//!
//! A library is loaded once per process, while its users may be many: each isolate of a JavaScript engine, each
//! independent part of a program. A context is one user's own: its leases, jobs, stores, schemas and streams are named
//! by handles that mean something in this context only, it is told of its own events, it counts what it holds, and when
//! it is closed all of that ends.

use bowstring_abi::guard::guard;
use bowstring_abi::{BowError, Status};
use bowstring_runtime::{BowStats, Waker};

use crate::arguments::{require, write_out, write_sized};

/// Opens a context and writes its handle to out_context. Everything else belongs to a context: leases, jobs, stores
/// and counters. Open one per isolate. It is closed by bow_context_close, or when the thread that opened it exits (a
/// worker that was terminated), as bow_context_close says except that nothing waits for stores.
///
/// BOW_OUT_OF_MEMORY: all handles are in use.
///
/// # Safety
/// `out_context` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_context_open(out_context: *mut u32, error: *mut BowError) -> i32 {
    let body = || {
        require(out_context, "out_context")?;
        let context = bowstring_runtime::open_context()?;
        // SAFETY: passed on to the caller.
        unsafe { write_out(out_context, "out_context", context) }?;
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Closes a context and all that belongs to it. Its handle and those of what belongs to it are stale from then on; waits
/// return BOW_STALE_HANDLE; the waker is not called any more. Jobs are cancelled. Stores are closed, which this waits
/// for. Streams that were given out and have not been ended answer their consumers ECANCELED. Each lease loses the
/// reference that it started with; memory with references taken by bow_lease_retain, and memory behind exported tables,
/// stays valid until bow_lease_drop or the table's release gives them back. Memory that was pinned by bow_table_build
/// stays pinned until the tables are released; their tokens are dropped.
///
/// BOW_STALE_HANDLE: there is no such context.
///
/// # Safety
/// `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_context_close(context: u32, error: *mut BowError) -> i32 {
    let body = || {
        bowstring_runtime::close_context(context)?;
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Registers waker, the address of a function void (*)(uint32_t context), or with 0 unregisters it. It is called, from
/// any thread, when something happens in the context: a job has a result or has ended, a stream wants batches or has been
/// released, a token has come into the queue of released pins. After a call there is none until bow_context_wait has returned BOW_OK (a timeout of 0 will do), so a burst of events makes
/// one call; ask every job for results then. An event from before the registration makes no call: ask once after
/// registering.
///
/// The function must return at once and must not call bow_context_set_waker or bow_context_close. When this call
/// returns, a function that was registered before is not running and will not be called again.
///
/// # Safety
/// `waker` is 0 or the address of such a function, callable until it is unregistered; `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_context_set_waker(
    context: u32,
    waker: usize,
    error: *mut BowError,
) -> i32 {
    let body = || {
        let context = bowstring_runtime::context(context)?;
        let waker = (waker != 0).then(|| {
            // SAFETY: the caller says that this is the address of such a function.
            unsafe { std::mem::transmute::<usize, Waker>(waker) }
        });
        // SAFETY: passed on to the caller.
        unsafe { context.set_waker(waker) };
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Waits until something has happened in the context since the last time this returned BOW_OK: a job has a result or has
/// ended, a stream wants batches or has been released, a token has come into the queue of released pins. Events are not
/// counted: on BOW_OK ask every job and stream. A timeout_ms of 0 does not wait, UINT32_MAX waits without bound.
///
/// BOW_PENDING: the timeout came first. BOW_STALE_HANDLE: there is no such context, or it was closed meanwhile.
///
/// # Safety
/// `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_context_wait(
    context: u32,
    timeout_ms: u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        let happened = bowstring_runtime::context(context)?.wait(timeout_ms)?;
        Ok(if happened {
            Status::Ok
        } else {
            Status::Pending
        })
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Takes tokens out of the context's queue of released pins: those of tables made by bow_table_build of which every
/// struct has been released. Writes as many as there are, at most capacity, to out_tokens, and their number to out_count.
/// The memory that was pinned under a token is the caller's again. When the first token comes into an empty queue the
/// context has an event.
///
/// BOW_OK: out_count tokens were taken, and there may be more when it is capacity. BOW_PENDING: there are none; out_count
/// is 0. BOW_STALE_HANDLE: there is no such context.
///
/// # Safety
/// `out_tokens` has room for `capacity` numbers, `out_count` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_context_released(
    context: u32,
    out_tokens: *mut u32,
    capacity: u32,
    out_count: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        require(out_count, "out_count")?;
        let room = if capacity == 0 {
            &mut [][..]
        } else {
            require(out_tokens, "out_tokens")?;
            // SAFETY: not null and aligned, and the caller says that there is room; what is there is a number.
            unsafe { std::slice::from_raw_parts_mut(out_tokens, capacity as usize) }
        };
        let count = bowstring_runtime::context(context)?.released(room);
        // SAFETY: passed on to the caller.
        unsafe { write_out(out_count, "out_count", count as u32) }?;
        Ok(if count > 0 {
            Status::Ok
        } else {
            Status::Pending
        })
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Writes the context's counters to out, as many of them as out->size, set by the caller, has room for.
///
/// BOW_INVALID_ARGUMENT: out is null or its size is not set. BOW_STALE_HANDLE: there is no such context.
///
/// # Safety
/// `out` is null or a bow_stats whose `size` is set; `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_context_stats(
    context: u32,
    out: *mut BowStats,
    error: *mut BowError,
) -> i32 {
    let body = || {
        let stats = bowstring_runtime::context(context)?.stats();
        // SAFETY: passed on to the caller.
        unsafe { write_sized(out, &stats) }?;
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}
