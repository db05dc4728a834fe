//! Locks that do not poison: a panic is caught at the boundary, and what the locks protect changes in single steps.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn wait<'a, T>(condition: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condition
        .wait(guard)
        .unwrap_or_else(PoisonError::into_inner)
}

/// Until when a caller waits.
#[derive(Clone, Copy)]
pub(crate) enum Deadline {
    Never,
    At(Instant),
}

impl Deadline {
    /// From a timeout in milliseconds, of which the largest means for ever.
    pub fn after_millis(timeout: u32) -> Self {
        match timeout {
            u32::MAX => Self::Never,
            _ => Self::At(Instant::now() + Duration::from_millis(timeout.into())),
        }
    }
}

/// Waits on `condition`; `None` once the deadline has passed.
pub(crate) fn wait_until<'a, T>(
    condition: &Condvar,
    guard: MutexGuard<'a, T>,
    deadline: Deadline,
) -> Option<MutexGuard<'a, T>> {
    let Deadline::At(instant) = deadline else {
        return Some(wait(condition, guard));
    };
    let left = instant
        .checked_duration_since(Instant::now())
        .filter(|left| !left.is_zero())?;
    Some(
        condition
            .wait_timeout(guard, left)
            .unwrap_or_else(PoisonError::into_inner)
            .0,
    )
}
