//! Pins, and the queue that says which have been released.
//!
//! A pin is taken when memory of JavaScript's is given to native code, and dropped with the last struct that points
//! there, on whatever thread. That thread must not wait for JavaScript, must not fail, and cannot call it. So dropping a
//! pin pushes its token on a list, from which JavaScript takes tokens when it likes.
//!
//! The list is intrusive and lock-free: the node is allocated with the pin, so that the push needs no memory and cannot
//! fail, and a push is one compare-and-swap, so that no thread waits for one that was interrupted inside a lock. Nodes
//! are only ever taken all at once, by swapping the head for null; a node that is on the list is not taken off by
//! anybody else, and so the ABA problem of lock-free stacks cannot arise.

use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{
    AtomicPtr, AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};
use std::sync::{Arc, Mutex};

use crate::events::Events;
use crate::sync::lock;

struct Node {
    token: u32,
    next: *mut Node,
}

// SAFETY: a node is reached through its one owner only, and so is what it points to.
unsafe impl Send for Node {}
// SAFETY: as above; nothing changes behind a shared reference.
unsafe impl Sync for Node {}

/// A run of nodes, owned.
struct List(*mut Node);

impl List {
    fn push(&mut self, mut node: Box<Node>) {
        node.next = self.0;
        self.0 = Box::into_raw(node);
    }

    fn pop(&mut self) -> Option<Box<Node>> {
        let first = NonNull::new(self.0)?;
        // SAFETY: the list owns its nodes, each made by `Box::into_raw`, and forgets this one on the next line.
        let node = unsafe { Box::from_raw(first.as_ptr()) };
        self.0 = node.next;
        Some(node)
    }
}

impl Drop for List {
    fn drop(&mut self) {
        while self.pop().is_some() {}
    }
}

// SAFETY: the list is the only owner of its nodes, which hold nothing but numbers.
unsafe impl Send for List {}

/// The tokens of one context's pins that have been released.
pub(crate) struct ReleaseQueue {
    /// The newest node, which owns those before it.
    head: AtomicPtr<Node>,
    /// What was taken off `head` and did not fit the caller's room, oldest first.
    rest: Mutex<List>,
    live: AtomicU64,
    events: Arc<Events>,
}

impl ReleaseQueue {
    pub fn new(events: Arc<Events>) -> Self {
        Self {
            head: AtomicPtr::default(),
            rest: Mutex::new(List(null_mut())),
            live: AtomicU64::new(0),
            events,
        }
    }

    /// A pin whose drop queues `token`.
    pub fn pin(self: &Arc<Self>, token: u32) -> Pin {
        self.live.fetch_add(1, Relaxed);
        let next = null_mut();
        Pin {
            queue: self.clone(),
            node: Some(Box::new(Node { token, next })),
        }
    }

    /// How many pins have not been dropped.
    pub fn live(&self) -> u64 {
        // Whoever sees a pin gone finds its token in the queue.
        self.live.load(Acquire)
    }

    fn push(&self, node: Box<Node>) {
        let node = Box::into_raw(node);
        let mut head = self.head.load(Relaxed);
        loop {
            // SAFETY: the node is this thread's own until the exchange succeeds.
            unsafe { (*node).next = head };
            match self
                .head
                .compare_exchange_weak(head, node, Release, Relaxed)
            {
                Ok(_) => break,
                Err(found) => head = found,
            }
        }
        self.live.fetch_sub(1, Release);
        if head.is_null() {
            self.events.notify();
        }
    }

    /// Takes up to `room.len()` tokens, oldest first, and says how many.
    pub fn drain(&self, room: &mut [u32]) -> usize {
        let mut rest = lock(&self.rest);
        let mut count = 0;
        for token in room {
            if rest.0.is_null() {
                // The list is newest first; pushing each node turns it round.
                let mut taken = List(self.head.swap(null_mut(), AcqRel));
                while let Some(node) = taken.pop() {
                    rest.push(node);
                }
            }
            let Some(node) = rest.pop() else {
                break;
            };
            *token = node.token;
            count += 1;
        }
        count
    }
}

impl Drop for ReleaseQueue {
    fn drop(&mut self) {
        drop(List(*self.head.get_mut()));
    }
}

/// Memory of JavaScript's that native code may read until this is dropped. Dropping it, on any thread, queues its token;
/// after its context was closed nobody takes that, and it is freed with the queue.
pub(crate) struct Pin {
    queue: Arc<ReleaseQueue>,
    /// `None` only while it is dropped.
    node: Option<Box<Node>>,
}

impl Drop for Pin {
    fn drop(&mut self) {
        if let Some(node) = self.node.take() {
            self.queue.push(node);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> Arc<ReleaseQueue> {
        Arc::new(ReleaseQueue::new(Arc::default()))
    }

    #[test]
    fn tokens_come_out_once_in_order_and_as_many_as_fit() {
        let queue = queue();
        let pins: Vec<Pin> = (1..=5).map(|token| queue.pin(token)).collect();
        let mut room = [0; 3];
        assert_eq!((queue.live(), queue.drain(&mut room)), (5, 0));
        drop(pins);
        assert_eq!((queue.live(), queue.drain(&mut room)), (0, 3));
        assert_eq!(room, [1, 2, 3]);
        drop(queue.pin(6));
        assert_eq!((queue.drain(&mut room), room), (3, [4, 5, 6]));
        assert_eq!(queue.drain(&mut room), 0);
        assert_eq!(queue.drain(&mut []), 0);
    }

    #[test]
    fn the_first_token_raises_the_event() {
        let queue = queue();
        drop((queue.pin(1), queue.pin(2)));
        assert!(queue.events.wait(0).happened());
        assert!(!queue.events.wait(0).happened());
        assert_eq!(queue.drain(&mut [0; 2]), 2);
        drop(queue.pin(3));
        assert!(queue.events.wait(0).happened());
    }

    #[test]
    fn eight_threads_release_while_one_drains() {
        const EACH: u32 = 20_000;
        let queue = queue();
        let mut seen = vec![false; 8 * EACH as usize];
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let queue = &queue;
                scope.spawn(move || {
                    for index in 0..EACH {
                        drop(queue.pin(thread * EACH + index));
                    }
                });
            }
            let (mut room, mut count) = ([0; 100], 0);
            while count < seen.len() {
                let taken = queue.drain(&mut room);
                for &token in &room[..taken] {
                    assert!(
                        !std::mem::replace(&mut seen[token as usize], true),
                        "{token}: twice"
                    );
                }
                count += taken;
            }
        });
        assert_eq!((queue.live(), queue.drain(&mut [0; 1])), (0, 0));
        assert!(seen.into_iter().all(|seen| seen));
    }
}
