//! Streams out: JavaScript pushes batches on its own thread, a consumer pulls them on any other.

use std::collections::VecDeque;
use std::ffi::{CString, c_char, c_int};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::ThreadId;

use bowstring_abi::build::BuildSchema;
use bowstring_abi::guard::guard_callback;
use bowstring_abi::{
    ArrowArray, ArrowArrayStream, ArrowSchema, BowTable, Failure, OwnedTable, SchemaTree,
};

use crate::build::{restored, restores};
use crate::context::{Context, live};
use crate::error::{Kind, RuntimeError};
use crate::events::Events;
use crate::handle::Handle;
use crate::sync::{lock, wait};

/// How many batches may wait for the consumer: enough that a consumer of small ones does not wait for a turn of
/// JavaScript's event loop for each. More are wanted again when half of them have been taken.
const READ_AHEAD: usize = 16;

/// How a stream ends.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    /// Well.
    Complete,
    /// With an error: its `errno` code and message.
    Failed(c_int, String),
}

#[derive(Default)]
struct State {
    batches: VecDeque<OwnedTable>,
    /// Whether the consumer has asked for a batch yet.
    asked: bool,
    end: Option<End>,
    /// Whether the consumer has released the stream.
    released: bool,
}

/// What a stream's two ends share.
pub(crate) struct Feed {
    state: Mutex<State>,
    /// There is a batch or an end.
    changed: Condvar,
    /// What the consumer is told.
    schema: BuildSchema,
    /// The thread on which batches are pushed.
    thread: ThreadId,
    events: Arc<Events>,
}

/// What a feed says when it is asked whether it takes batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// This many.
    Wanted(usize),
    /// None now.
    Pending,
    /// None any more.
    Done,
}

impl Feed {
    fn demand(&self) -> Demand {
        let state = lock(&self.state);
        if state.released || state.end.is_some() {
            return Demand::Done;
        }
        match READ_AHEAD.saturating_sub(state.batches.len()) {
            wanted if wanted > 0 && state.asked => Demand::Wanted(wanted),
            _ => Demand::Pending,
        }
    }

    /// Queues a batch; false when the consumer has released the stream.
    fn push(&self, batch: OwnedTable) -> Result<bool, Failure> {
        let tree = SchemaTree::read(&batch)?;
        same_types(self.schema.tree(), &tree, "record batch")?;
        let mut state = lock(&self.state);
        if state.released {
            // Without the lock: releasing a batch may run foreign code.
            drop(state);
            return Ok(false);
        }
        if state.end.is_some() {
            drop(state);
            return Err(Failure::invalid_argument("the stream has been ended"));
        }
        state.batches.push_back(batch);
        drop(state);
        self.changed.notify_all();
        Ok(true)
    }

    fn end(&self, end: End) {
        lock(&self.state).end.get_or_insert(end);
        self.changed.notify_all();
    }

    /// Ends a stream that has not been ended, so that its consumer does not wait for ever.
    pub fn abandon(&self, why: &str) {
        self.end(End::Failed(libc::ECANCELED, why.to_owned()));
    }

    /// The next batch, `None` at the end. Waits for it, except where it would wait for itself.
    fn next(&self) -> Result<Option<OwnedTable>, (c_int, String)> {
        let mut state = lock(&self.state);
        loop {
            if let Some(batch) = state.batches.pop_front() {
                // One event per half, not one per batch.
                let wanted = state.batches.len() == READ_AHEAD / 2 && state.end.is_none();
                drop(state);
                if wanted {
                    self.events.notify();
                }
                return Ok(Some(batch));
            }
            match &state.end {
                Some(End::Complete) => return Ok(None),
                Some(End::Failed(errno, message)) => return Err((*errno, message.clone())),
                None => {}
            }
            if std::thread::current().id() == self.thread {
                let message = "get_next was called on the thread that feeds this stream, where it would wait for ever: \
                               call it on another thread";
                return Err((libc::EDEADLK, message.to_owned()));
            }
            state.asked = true;
            // Without the lock: the waker may want to know what is wanted. What is pushed before the wait begins is seen
            // by the loop's next turn, which the empty queue decides.
            drop(state);
            self.events.notify();
            state = lock(&self.state);
            while state.batches.is_empty() && state.end.is_none() {
                state = wait(&self.changed, state);
            }
        }
    }

    fn release(&self) {
        let batches = {
            let mut state = lock(&self.state);
            state.released = true;
            std::mem::take(&mut state.batches)
        };
        // Without the lock: releasing a batch may run foreign code.
        drop(batches);
        self.events.notify();
    }
}

/// Refuses arrays that a consumer, which knows the stream's schema only, would misread.
fn same_types(expected: &SchemaTree, found: &SchemaTree, path: &str) -> Result<(), Failure> {
    let refuse = |what: String| {
        Err(Failure::invalid_argument(format!(
            "{path}: expected {what}"
        )))
    };
    if expected.format != found.format {
        return refuse(format!(
            "the stream's type \"{}\" but found \"{}\"",
            expected.format.escape_debug(),
            found.format.escape_debug()
        ));
    }
    if expected.children.len() != found.children.len() {
        return refuse(format!(
            "{} children, as in the stream's schema, but found {}",
            expected.children.len(),
            found.children.len()
        ));
    }
    for (index, (expected, found)) in expected.children.iter().zip(&found.children).enumerate() {
        let name = expected.name.escape_debug();
        let path = match path {
            "record batch" => format!("column[{index}] \"{name}\""),
            _ => format!("{path} -> {name}"),
        };
        same_types(expected, found, &path)?;
    }
    match (&expected.dictionary, &found.dictionary) {
        (Some(expected), Some(found)) => {
            same_types(expected, found, &format!("{path} -> dictionary"))
        }
        (None, None) => Ok(()),
        (Some(_), None) => refuse("a dictionary, as in the stream's schema, but found none".into()),
        (None, Some(_)) => refuse("no dictionary, as in the stream's schema, but found one".into()),
    }
}

impl Context {
    /// A stream of batches of a registered schema, and the handle that feeds it.
    pub fn export_stream(
        &self,
        schema: Handle,
        flags: u32,
    ) -> Result<(Handle, ArrowArrayStream), Failure> {
        let restore = restores(flags)?;
        let schema = self.schema(schema)?;
        let tree = if restore {
            SchemaTree::read(&restored(schema.empty()?)?)?
        } else {
            schema.tree().clone()
        };
        let feed = Arc::new(Feed {
            state: Mutex::default(),
            changed: Condvar::new(),
            schema: BuildSchema::new(tree)?,
            thread: self.thread,
            events: self.events.clone(),
        });
        let mut tables = lock(&self.tables);
        if tables.closed {
            return Err(self.stale().into());
        }
        let inserted = tables.feeds.insert(feed.clone());
        let handle = inserted.map_err(|_| RuntimeError::NoHandles(Kind::Stream))?;
        Ok((handle, consumer(feed)))
    }

    fn feed(&self, stream: Handle) -> Result<Arc<Feed>, RuntimeError> {
        live(lock(&self.tables).feeds.get(stream), Kind::Stream, stream).cloned()
    }

    /// Whether a stream takes batches.
    pub fn stream_demand(&self, stream: Handle) -> Result<Demand, RuntimeError> {
        Ok(self.feed(stream)?.demand())
    }

    /// Pushes a batch into a stream; false when the consumer has released it.
    pub fn push_to_stream(&self, stream: Handle, batch: OwnedTable) -> Result<bool, Failure> {
        self.feed(stream)?.push(batch)
    }

    /// Ends a stream, with an error if there is a message.
    pub fn end_stream(&self, stream: Handle, message: Option<String>) -> Result<(), RuntimeError> {
        self.feed(stream)?.end(match message {
            None => End::Complete,
            Some(message) => End::Failed(libc::EIO, message),
        });
        Ok(())
    }

    /// Frees a stream's handle, and ends the stream if it has not been ended.
    pub fn close_stream(&self, stream: Handle) -> Result<(), RuntimeError> {
        let removed = lock(&self.tables).feeds.remove(stream);
        live(removed, Kind::Stream, stream)?.abandon("the stream was closed before its end");
        Ok(())
    }
}

/// The `private_data` of a stream: the consumer's end.
struct Consumer {
    feed: Arc<Feed>,
    /// What `get_last_error` gives.
    error: Option<CString>,
}

fn consumer(feed: Arc<Feed>) -> ArrowArrayStream {
    let consumer = Box::new(Consumer { feed, error: None });
    ArrowArrayStream {
        get_schema: Some(get_schema),
        get_next: Some(get_next),
        get_last_error: Some(get_last_error),
        release: Some(release),
        private_data: Box::into_raw(consumer).cast(),
    }
}

/// Runs a callback of a stream: a failure becomes the stream's last error, a panic too.
///
/// # Safety
/// `stream` is null or one made by [`consumer`], and nobody else uses it meanwhile.
unsafe fn answer(
    stream: *mut ArrowArrayStream,
    body: impl FnOnce(&Feed) -> Result<(), (c_int, String)>,
) -> c_int {
    // SAFETY: by contract; the private data lives until the release, which sets `release` to null.
    let consumer = unsafe {
        match stream.as_ref() {
            Some(stream) if stream.release.is_some() => {
                &mut *stream.private_data.cast::<Consumer>()
            }
            _ => return libc::EINVAL,
        }
    };
    let mut result = Err((libc::EIO, "internal error, please report it".to_owned()));
    guard_callback(|| result = body(&consumer.feed));
    match result {
        Ok(()) => 0,
        Err((errno, message)) => {
            // A NUL would end the message for its reader.
            consumer.error = CString::new(message.replace('\0', "\u{fffd}")).ok();
            errno
        }
    }
}

unsafe extern "C" fn get_schema(stream: *mut ArrowArrayStream, out: *mut ArrowSchema) -> c_int {
    let body = |feed: &Feed| {
        // SAFETY: the consumer passes room for a schema.
        unsafe { out.write(feed.schema.export()) };
        Ok(())
    };
    // SAFETY: passed on to the consumer.
    unsafe { answer(stream, body) }
}

unsafe extern "C" fn get_next(stream: *mut ArrowArrayStream, out: *mut ArrowArray) -> c_int {
    let body = |feed: &Feed| {
        let array = match feed.next()? {
            Some(batch) => {
                let BowTable { schema, array } = batch.into_raw();
                // SAFETY: the schema is this side's to release; the array is given away.
                drop(unsafe { OwnedTable::from_raw(schema, ArrowArray::released()) });
                array
            }
            None => ArrowArray::released(),
        };
        // SAFETY: the consumer passes room for an array.
        unsafe { out.write(array) };
        Ok(())
    };
    // SAFETY: passed on to the consumer.
    unsafe { answer(stream, body) }
}

unsafe extern "C" fn get_last_error(stream: *mut ArrowArrayStream) -> *const c_char {
    // SAFETY: as in `answer`.
    let consumer = unsafe {
        match stream.as_ref() {
            Some(stream) if stream.release.is_some() => &*stream.private_data.cast::<Consumer>(),
            _ => return std::ptr::null(),
        }
    };
    match &consumer.error {
        Some(error) => error.as_ptr(),
        None => std::ptr::null(),
    }
}

unsafe extern "C" fn release(stream: *mut ArrowArrayStream) {
    guard_callback(|| {
        // SAFETY: the consumer passes a stream that has this function as its `release`, or null.
        let Some(stream) = (unsafe { stream.as_mut() }) else {
            return;
        };
        if stream.release.take().is_none() {
            return;
        }
        // SAFETY: `consumer` made it, and `release` having been set means that it was not freed yet.
        let consumer = unsafe { Box::from_raw(stream.private_data.cast::<Consumer>()) };
        consumer.feed.release();
    });
}
