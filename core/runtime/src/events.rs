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

#[cfg(test)]
impl Waited {
    pub fn happened(self) -> bool {
        self == Self::Event
    }
}

impl Events {
    /// Something happened: to a stream or a pin. A job does the two steps by itself.
    pub fn notify(&self) {
        self.raise();
        self.call_waker();
    }

    /// Lets waits return. Nobody waits for an event that is there already, and to wake nobody is a call of the system's.
    pub fn raise(&self) {
        if !std::mem::replace(&mut lock(&self.state).pending, true) {
            self.changed.notify_all();
        }
    }

    /// Calls the waker, unless it was called and nobody has answered yet.
    pub fn call_waker(&self) {
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    use super::*;

    static CALLS: AtomicU32 = AtomicU32::new(0);

    unsafe extern "C" fn count(_context: Handle) {
        CALLS.fetch_add(1, SeqCst);
    }

    #[test]
    fn a_wait_that_finds_nothing_still_allows_the_next_call_of_the_waker() {
        let events = Events::default();
        events.set_waker(Some((count, 1)));
        // One thread is interrupted in the middle of `notify` ...
        events.raise();
        // ... by a wait that consumes its event for another reason ...
        assert_eq!(events.wait(0), Waited::Event);
        // ... and goes on.
        events.call_waker();
        assert_eq!(CALLS.load(SeqCst), 1);
        // That call is answered by a wait, which finds nothing.
        assert_eq!(events.wait(0), Waited::TimedOut);
        // The next event must be told all the same.
        events.notify();
        assert_eq!(CALLS.load(SeqCst), 2, "the wake-up was lost");
        assert_eq!(events.wait(0), Waited::Event);
    }
}
