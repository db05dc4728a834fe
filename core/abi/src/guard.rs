//! No panic leaves an `extern "C"` function: unwinding into C or into a JavaScript engine is undefined behaviour.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{BowError, Failure, Status};

/// Runs the body of an exported function. Returns its status as the function's result; a failure, and a panic as
/// [`Status::Panic`], is also written to `error`.
///
/// # Safety
/// `error` is null, or points to at least four readable bytes (its `size`) and to `size` writable bytes.
pub unsafe fn guard(error: *mut BowError, body: impl FnOnce() -> Result<Status, Failure>) -> i32 {
    match catch(body) {
        Ok(status) => status as i32,
        Err(failure) => {
            // SAFETY: passed on to the caller.
            unsafe { failure.write_to(error) };
            failure.status as i32
        }
    }
}

/// Runs the body of a callback that has nowhere to report to, such as `release`. A panic ends here.
pub fn guard_callback(body: impl FnOnce()) {
    let _ = catch(|| {
        body();
        Ok(Status::Ok)
    });
}

/// Runs `body` and turns a panic into a [`Failure`] with [`Status::Panic`].
///
/// State that `body` shares with others must stay usable when it panics half-way: locks taken inside are expected to
/// ignore poisoning, and tables to be changed in single steps.
pub fn catch<T>(body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(result) => result,
        Err(payload) => {
            let message = format!(
                "internal error, please report it: {}",
                panic_text(&*payload)
            );
            // The payload's own destructor is foreign code too, and may panic.
            if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                std::mem::forget(second);
            }
            Err(Failure::new(Status::Panic, message))
        }
    }
}

fn panic_text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}
