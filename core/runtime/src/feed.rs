//! Streams out: JavaScript pushes batches on its own thread, a consumer pulls them on any other.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::ThreadId;

use bowstring_abi::build::BuildSchema;
use bowstring_abi::{
    ArrowSchema, Failure, OwnedStream, OwnedTable, SchemaTree, StreamError, StreamSource,
};

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
    /// With an error.
    Failed(StreamError),
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
    schema: Arc<BuildSchema>,
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
        // A released array is how a stream says that it has ended.
        if batch.array().release.is_none() {
            return Err(Failure::invalid_argument(
                "the batch's array has been released",
            ));
        }
        if !self.schema.is_of(&batch) {
            let (expected, found) = (self.schema.tree(), SchemaTree::read(&batch)?);
            let path = match expected.format == "+s" {
                true => "record batch",
                false => "array",
            };
            same_types(expected, &found, path)?;
        }
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
        self.end(End::Failed(error(libc::ECANCELED, why)));
    }

    /// The next batch, `None` at the end. Waits for it, except where it would wait for itself.
    fn next(&self) -> Result<Option<OwnedTable>, StreamError> {
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
                Some(End::Failed(error)) => return Err(error.clone()),
                None => {}
            }
            if std::thread::current().id() == self.thread {
                let message = "get_next was called on the thread that feeds this stream, where it would wait for ever: \
                               call it on another thread";
                return Err(error(libc::EDEADLK, message));
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

fn error(errno: i32, message: impl Into<String>) -> StreamError {
    let message = Some(message.into());
    StreamError { errno, message }
}

/// The one spelling of a format: 128 bits are a decimal's width also when it says nothing of that, as producers differ.
fn spelling(format: &str) -> &str {
    match format.strip_suffix(",128") {
        Some(short) if format.starts_with("d:") && short.contains(',') => short,
        _ => format,
    }
}

/// Refuses arrays that a consumer, which knows the stream's schema only, would misread.
fn same_types(expected: &SchemaTree, found: &SchemaTree, path: &str) -> Result<(), Failure> {
    let refuse = |what: String| {
        Err(Failure::invalid_argument(format!(
            "{path}: expected {what}"
        )))
    };
    if spelling(&expected.format) != spelling(&found.format) {
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
    ) -> Result<(Handle, OwnedStream), Failure> {
        let schema = self.schema(schema)?.with_flags(flags)?.clone();
        let feed = Arc::new(Feed {
            state: Mutex::default(),
            changed: Condvar::new(),
            schema,
            thread: self.thread,
            events: self.events.clone(),
        });
        let mut tables = lock(&self.tables);
        if tables.closed {
            return Err(self.stale().into());
        }
        let inserted = tables.feeds.insert(feed.clone());
        let handle = inserted.map_err(|_| RuntimeError::NoHandles(Kind::Stream))?;
        drop(tables);
        Ok((handle, OwnedStream::new(Consumer(feed))))
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
            Some(message) => End::Failed(error(libc::EIO, message)),
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

/// The consumer's end.
struct Consumer(Arc<Feed>);

impl StreamSource for Consumer {
    fn schema(&mut self) -> Result<ArrowSchema, StreamError> {
        Ok(self.0.schema.export())
    }

    fn next(&mut self) -> Result<Option<OwnedTable>, StreamError> {
        self.0.next()
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.0.release();
    }
}
