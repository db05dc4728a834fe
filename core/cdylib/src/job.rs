//! Jobs.
//!
//! Whatever may take long runs on a thread of the library's own. Starting it gives a job. Its results, groups of tables,
//! wait in a short queue until they are taken; a job whose queue is full waits, so that memory stays bounded. A caller
//! that may block uses bow_job_wait; one that has an event loop registers a waker, or waits for the context's events on
//! a thread that may block, or asks from time to time.

use bowstring_abi::guard::guard;
use bowstring_abi::{BowError, BowTable, Status};
use bowstring_runtime::{BowJobState, Next, NextLease};

use crate::arguments::{give_tables, require, too_small, write_out, write_sized};

/// Takes a job's next result, a group of tables, without waiting. The tables are moved into tables, which has room for
/// capacity of them, and their number is written to out_count; the caller owns them. What tables held before is
/// overwritten without being released.
///
/// BOW_PENDING: there is no result yet. BOW_DONE: there will be no more. BOW_BUFFER_TOO_SMALL: the group has
/// out_count tables; it stays queued. BOW_CANCELLED: the job was cancelled. BOW_STALE_HANDLE: there is no such job.
/// A job that failed answers with its own error, after the results that it had queued before.
///
/// # Safety
/// `tables` has room for `capacity` tables, `out_count` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_job_next(
    context: u32,
    job: u32,
    tables: *mut BowTable,
    capacity: u32,
    out_count: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        require(tables, "tables")?;
        require(out_count, "out_count")?;
        let next = bowstring_runtime::context(context)?
            .job(job)?
            .next(capacity as usize)?;
        // SAFETY: passed on to the caller, in each case.
        let write_count = |count: usize| unsafe { write_out(out_count, "out_count", count as u32) };
        match next {
            Next::Group(group) => {
                let group = group.into_tables();
                write_count(group.len())?;
                // SAFETY: the group is not larger than `capacity`.
                unsafe { give_tables(tables, group) };
                Ok(Status::Ok)
            }
            Next::NeedsRoom(count) => {
                write_count(count)?;
                Err(too_small(count, capacity))
            }
            Next::Pending => Ok(Status::Pending),
            Next::Done => Ok(Status::Done),
        }
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Takes a job's next result, without waiting, and writes the handle of a lease of its tables to out_lease. That is
/// bow_job_next and bow_lease_import in one, and quicker: results of streams and calls have been checked, converted and
/// described on the job's thread as their flags said, and the library's own results need no checks.
///
/// BOW_PENDING, BOW_DONE, BOW_CANCELLED, BOW_STALE_HANDLE and a failed job's own error as from bow_job_next.
/// BOW_OUT_OF_MEMORY: all handles are in use; the result has been released.
///
/// # Safety
/// `out_lease` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_job_lease(
    context: u32,
    job: u32,
    out_lease: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        require(out_lease, "out_lease")?;
        match bowstring_runtime::context(context)?.lease_next(job)? {
            NextLease::Lease(lease) => {
                // SAFETY: passed on to the caller.
                unsafe { write_out(out_lease, "out_lease", lease) }?;
                Ok(Status::Ok)
            }
            NextLease::Pending => Ok(Status::Pending),
            NextLease::Done => Ok(Status::Done),
        }
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Writes where a job stands to out, as much of it as out->size, set by the caller, has room for.
///
/// BOW_INVALID_ARGUMENT: out is null or its size is not set. BOW_STALE_HANDLE: there is no such job.
///
/// # Safety
/// `out` is null or a bow_job_state whose `size` is set; `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_job_state(
    context: u32,
    job: u32,
    out: *mut BowJobState,
    error: *mut BowError,
) -> i32 {
    let body = || {
        let state = bowstring_runtime::context(context)?.job(job)?.state();
        // SAFETY: passed on to the caller.
        unsafe { write_sized(out, &state) }?;
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Blocks the calling thread until bow_job_next would not answer BOW_PENDING. A timeout_ms of UINT32_MAX waits
/// without bound. Not for a thread that has an event loop; see bow_context_wait and bow_context_set_waker.
///
/// BOW_PENDING: the timeout came first. BOW_STALE_HANDLE: there is no such job.
///
/// # Safety
/// `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_job_wait(
    context: u32,
    job: u32,
    timeout_ms: u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        let ready = bowstring_runtime::context(context)?
            .job(job)?
            .wait(timeout_ms);
        Ok(if ready { Status::Ok } else { Status::Pending })
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Cancels a job: its queued results are released, bow_job_next answers BOW_CANCELLED from now on, and the work stops
/// within milliseconds, on its own. Does nothing to a job that has ended and whose results have all been taken. The jobs of
/// quantizations end as their work does instead; see bow_quantize_start and bow_weights_quantize.
///
/// BOW_STALE_HANDLE: there is no such job.
///
/// # Safety
/// `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_job_cancel(context: u32, job: u32, error: *mut BowError) -> i32 {
    let body = || {
        bowstring_runtime::context(context)?.job(job)?.cancel();
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Cancels a job if it has not ended, and frees its handle. Every job must be closed, whatever became of it.
///
/// BOW_STALE_HANDLE: there is no such job.
///
/// # Safety
/// `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_job_close(context: u32, job: u32, error: *mut BowError) -> i32 {
    let body = || {
        bowstring_runtime::context(context)?.close_job(job)?;
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}
