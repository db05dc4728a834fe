//! How a context learns that something happened to one of its jobs: by waiting, or by a waker.

use std::sync::atomic::{AtomicBool, Ordering::AcqRel};
use std::sync::{Condvar, Mutex};

use crate::handle::Handle;
use crate::sync::{Deadline, lock, wait_until};

/// A function of the caller's that is told the context's handle.
pub type Waker = unsafe extern "C" fn(Handle);

#[derive(Default)]
struct State {
    pending: bool,
    closed: bool,
}

/// The events of one context. There is no queue: an event says "look again".
#[derive(Default)]
pub(crate) struct Events {
    state: Mutex<State>,
    changed: Condvar,
    /// Held while the waker runs, so that it cannot be running once it has been unregistered.
    waker: Mutex<Option<(Waker, Handle)>>,
    /// Whether the next event calls the waker; false from a call until the event has been consumed.
    armed: AtomicBool,
}

/// What a wait ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    Event,
    TimedOut,
    Closed,
}

impl Events {
    /// Something happened to a job.
    pub fn notify(&self) {
        lock(&self.state).pending = true;
        self.changed.notify_all();
        if self.armed.swap(false, AcqRel)
            && let Some((waker, context)) = *lock(&self.waker)
        {
            // SAFETY: whoever registered the waker keeps it callable from any thread until it is unregistered, which
            // waits for this lock.
            unsafe { waker(context) };
        }
    }

    /// Consumes the pending event, or waits for one.
    pub fn wait(&self, timeout_millis: u32) -> Waited {
        let deadline = Deadline::after_millis(timeout_millis);
        let mut state = lock(&self.state);
        // Also when no event is pending: an earlier wait may have consumed the event between `notify` setting it and
        // `notify` calling the waker. The wait that answers that call finds nothing, and must still allow the next one.
        self.armed.store(true, std::sync::atomic::Ordering::Release);
        loop {
            if state.closed {
                return Waited::Closed;
            }
            if state.pending {
                state.pending = false;
                return Waited::Event;
            }
            match wait_until(&self.changed, state, deadline) {
                Some(woken) => state = woken,
                None => return Waited::TimedOut,
            }
        }
    }

    /// Registers or unregisters the waker. When this returns, an earlier waker neither runs nor will be called.
    pub fn set_waker(&self, waker: Option<(Waker, Handle)>) {
        *lock(&self.waker) = waker;
        self.armed
            .store(waker.is_some(), std::sync::atomic::Ordering::Release);
    }

    /// Ends all waits, now and later.
    pub fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.notify_all();
        self.set_waker(None);
    }
}
