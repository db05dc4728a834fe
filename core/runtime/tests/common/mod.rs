//! Tables that count the allocations they keep, and threads that wait for one another without sleeping.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod jobs;
pub mod producer;

use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_buffer::{Buffer, ScalarBuffer};
use bowstring_abi::{OwnedTable, SchemaTree, export_batch};
use bowstring_runtime::{Context, Monitor};

/// Counts the tables that have not been released.
#[derive(Clone, Default)]
pub struct Alive(Arc<AtomicUsize>);

impl Alive {
    pub fn count(&self) -> usize {
        self.0.load(SeqCst)
    }

    /// A table of four bytes: one row of one column with this number.
    pub fn table(&self, number: u32) -> OwnedTable {
        self.table_and_then(number, || {})
    }

    /// The same, and what its release does.
    pub fn table_and_then(
        &self,
        number: u32,
        release: impl FnOnce() + Send + 'static,
    ) -> OwnedTable {
        struct Counted<F: FnOnce()>(Box<u32>, Alive, Mutex<Option<F>>);
        impl<F: FnOnce()> Drop for Counted<F> {
            fn drop(&mut self) {
                self.1.0.fetch_sub(1, SeqCst);
                if let Some(release) = self.2.get_mut().unwrap().take() {
                    release();
                }
            }
        }
        self.0.fetch_add(1, SeqCst);
        let mut number = Box::new(number);
        let start = NonNull::from(&mut *number).cast();
        let owner = Arc::new(Counted(number, self.clone(), Mutex::new(Some(release))));
        // SAFETY: the owner keeps the number, which does not move.
        let buffer = unsafe { Buffer::from_custom_allocation(start, 4, owner) };
        let column = UInt32Array::new(ScalarBuffer::new(buffer, 0, 1), None);
        let batch = RecordBatch::try_from_iter([("number", Arc::new(column) as ArrayRef)]).unwrap();
        export_batch(&batch).unwrap()
    }
}

/// The number in a table made by [`Alive::table`].
pub fn number(table: &OwnedTable) -> u32 {
    // SAFETY: the table has one column with one number in its second buffer.
    unsafe {
        *(**table.array().children)
            .buffers
            .add(1)
            .read()
            .cast::<u32>()
    }
}

/// A nullable field.
pub fn node(format: &str, name: &str, children: Vec<SchemaTree>) -> SchemaTree {
    SchemaTree {
        format: format.to_owned(),
        name: name.to_owned(),
        metadata: None,
        flags: 2,
        children,
        dictionary: None,
    }
}

/// The words of three rows of one fixed-size column at `address`, borrowed under `token`.
pub fn column_words(token: u32, leases: &[u32], flags: u32, address: f64, bytes: f64) -> Vec<f64> {
    let mut words = vec![f64::from(token), f64::from(flags), leases.len() as f64];
    words.extend(leases.iter().map(|&lease| f64::from(lease)));
    words.extend([3.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    words.extend([3.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    words.extend([1.0, address, bytes, 0.0]);
    words
}

/// A context that is closed at the end of the test.
pub struct Scope {
    pub handle: u32,
    pub context: Arc<Context>,
}

impl Scope {
    pub fn open() -> Self {
        let handle = bowstring_runtime::open_context().unwrap();
        Self {
            handle,
            context: bowstring_runtime::context(handle).unwrap(),
        }
    }

    pub fn live(&self) -> [f64; 3] {
        let stats = self.context.stats();
        [stats.live_leases, stats.live_jobs, stats.live_stores]
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let _ = bowstring_runtime::close_context(self.handle);
    }
}

/// The tokens of pins that have been released.
pub fn drain(scope: &Scope) -> Vec<u32> {
    let mut room = [0; 64];
    let count = scope.context.released(&mut room);
    room[..count].to_vec()
}

/// Holds a thread until it is opened.
pub struct Gate(Sender<()>, Arc<Mutex<Receiver<()>>>);

impl Gate {
    pub fn new() -> Self {
        let (open, wait) = channel();
        Self(open, Arc::new(Mutex::new(wait)))
    }

    pub fn open(&self) {
        self.0.send(()).unwrap();
    }

    /// What the held thread calls.
    pub fn waiter(&self) -> impl FnOnce() + Send + 'static {
        let wait = self.1.clone();
        move || {
            let _ = wait.lock().unwrap().recv();
        }
    }
}

/// A monitor whose cancellation opens a gate.
pub struct Opens(pub Mutex<Sender<()>>);

impl Monitor for Opens {
    fn cancel(&self) {
        self.0.lock().unwrap().send(()).unwrap();
    }
}
