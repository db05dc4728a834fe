//! The parallel run: files are claimed in order, finished in any, and put together in order.
//!
//! Workers take the next file, turn it into facts and hand those in. Whoever completes the run of finished files at
//! the front closes chunks from it; a closed chunk is assembled by the worker that closed it, outside the lock. The
//! calling thread gives finished batches to the sink. Workers wait when too many files or chunks are ahead of it, so
//! memory is bounded by the window, not by the repository. Chunk borders follow from sizes and order alone.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::control::Control;
use crate::facts::FileFacts;
use crate::file::FileWorker;
use crate::model::Severity;
use crate::options::{ExtractOptions, MAX_COLUMN_BYTES};
use crate::scan::{Entry, scan};
use crate::source::error;
use crate::tables::{Sizes, assemble};
use crate::{ExtractError, ExtractionBatch};
use bowstring_block::BlockPool;

/// Files that may be finished ahead of the first unfinished one, for each worker.
const FILES_AHEAD: usize = 64;
/// Closed chunks that may wait for the sink, beyond one for each worker.
const CHUNKS_AHEAD: usize = 1;

/// Runs an extraction; see [`extract`](crate::extract).
pub fn run(
    options: &ExtractOptions,
    control: &Control,
    sink: &mut dyn FnMut(ExtractionBatch) -> ControlFlow<()>,
) -> Result<(), ExtractError> {
    let entries = scan(options, control)?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = if options.threads == 0 {
        cores
    } else {
        options.threads
    };
    let threads = threads.clamp(1, entries.len().max(1));
    let shared = Shared {
        options,
        control,
        entries: &entries,
        threads,
        pool: BlockPool::new(threads + CHUNKS_AHEAD),
        state: Mutex::default(),
        room: Condvar::new(),
        ready: Condvar::new(),
    };
    thread::scope(|scope| {
        for at in 0..threads {
            let shared = &shared;
            thread::Builder::new()
                .name(format!("bowstring-extract-{at}"))
                .spawn_scoped(scope, move || shared.work())
                .map_err(|cause| {
                    shared.fail(ExtractError::InvalidOptions(format!(
                        "could not start worker {at} of {threads}: {cause}"
                    )))
                })
                .ok();
        }
        shared.deliver(sink)
    })
}

struct Shared<'a> {
    options: &'a ExtractOptions,
    control: &'a Control,
    entries: &'a [Entry],
    threads: usize,
    pool: Arc<BlockPool>,
    state: Mutex<State>,
    /// Workers wait here until they may run further ahead.
    room: Condvar,
    /// The calling thread waits here for the next batch or the end. Woken once a chunk and not once a file: a wake-up
    /// costs more than a small file.
    ready: Condvar,
}

#[derive(Default)]
struct State {
    /// The next file to claim.
    claimed: usize,
    /// The first file that is in no chunk yet.
    joined: usize,
    /// Finished files from `joined` on.
    finished: BTreeMap<usize, (FileFacts, Sizes)>,
    /// The files of the chunk that is being filled.
    chunk: Vec<FileFacts>,
    chunk_size: Sizes,
    closed: usize,
    delivered: usize,
    /// Workers that wait for room.
    waiting: usize,
    batches: BTreeMap<usize, ExtractionBatch>,
    all_closed: bool,
    error: Option<ExtractError>,
    stopped: bool,
}

/// A chunk that nothing is added to any more.
struct Closed {
    number: usize,
    files: Vec<FileFacts>,
    size: Sizes,
}

impl Shared<'_> {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, error: ExtractError) {
        let mut state = self.lock();
        state.error.get_or_insert(error);
        state.stopped = true;
        drop(state);
        self.room.notify_all();
        self.ready.notify_all();
    }

    /// One worker, from its first file to its last.
    fn work(&self) {
        // A panic in one worker must not leave the others and the sink waiting.
        let guard = StopOnPanic(self);
        let mut worker = FileWorker::new(self.options, self.control);
        if self.entries.is_empty() {
            self.close_rest();
        }
        while let Some(at) = self.claim() {
            let entry = &self.entries[at];
            let Some(facts) = self.process(&mut worker, entry) else {
                self.fail(ExtractError::Cancelled);
                break;
            };
            self.control.add_done(entry.size);
            let (facts, size) = bounded(facts);
            for chunk in self.join(at, facts, size) {
                self.assemble(chunk);
            }
        }
        std::mem::forget(guard);
    }

    /// One file. A panic in it is that file's failure, and the worker starts afresh.
    fn process<'b>(&'b self, worker: &mut FileWorker<'b>, entry: &Entry) -> Option<FileFacts> {
        catch_unwind(AssertUnwindSafe(|| worker.process(entry))).unwrap_or_else(|_| {
            *worker = FileWorker::new(self.options, self.control);
            let message = "the engine failed on this file; please report it with the file";
            let error = error(Severity::Failed, "extract", "internal", message);
            Some(FileFacts::failed(entry.name.clone(), error))
        })
    }

    /// The next file, when it may be started.
    fn claim(&self) -> Option<usize> {
        let mut state = self.lock();
        loop {
            if self.control.is_cancelled() {
                drop(state);
                self.fail(ExtractError::Cancelled);
                return None;
            }
            if state.stopped || state.claimed == self.entries.len() {
                return None;
            }
            let window = self.threads * FILES_AHEAD;
            let waiting = state.closed - state.delivered;
            if state.claimed - state.joined < window && waiting <= self.threads + CHUNKS_AHEAD {
                state.claimed += 1;
                return Some(state.claimed - 1);
            }
            state.waiting += 1;
            state = self
                .room
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
    }

    /// Hands in a file; returns the chunks that it closed.
    fn join(&self, at: usize, facts: FileFacts, size: Sizes) -> VecDeque<Closed> {
        let mut closed = VecDeque::new();
        let mut state = self.lock();
        state.finished.insert(at, (facts, size));
        let state = &mut *state;
        while let Some((facts, size)) = state.finished.remove(&state.joined) {
            state.joined += 1;
            let together = state.chunk_size.plus(&size);
            if self.is_full(&together) && !state.chunk.is_empty() {
                if self.options.single {
                    state.error.get_or_insert(self.too_large(&together));
                    state.stopped = true;
                    break;
                }
                closed.push_back(state.close());
                state.chunk_size = size;
            } else {
                state.chunk_size = together;
            }
            state.chunk.push(facts);
        }
        // A single batch that has become too large is not handed out in part.
        if state.joined == self.entries.len() && !state.all_closed && !state.stopped {
            closed.push_back(state.close());
            state.all_closed = true;
        }
        if state.waiting > 0 {
            self.room.notify_all();
        }
        if state.stopped {
            self.ready.notify_all();
        }
        closed
    }

    fn close_rest(&self) {
        let mut state = self.lock();
        let first = !state.all_closed;
        state.all_closed = true;
        let chunk = first.then(|| state.close());
        drop(state);
        if let Some(chunk) = chunk {
            self.assemble(chunk);
        }
    }

    fn is_full(&self, size: &Sizes) -> bool {
        let (rows, bytes) = self.options.bounds();
        size.max_rows() > rows || size.max_column_bytes() > bytes
    }

    fn too_large(&self, size: &Sizes) -> ExtractError {
        let (rows, bytes) = self.options.bounds();
        let rows = if rows == usize::MAX {
            String::new()
        } else {
            format!("{rows} rows or ")
        };
        ExtractError::BatchTooLarge(format!(
            "one batch would need {} rows and {} bytes in one column, more than the limit of {rows}{bytes} bytes; \
             use the streaming form (extractStream or extractWorkspace)",
            size.max_rows(),
            size.max_column_bytes(),
        ))
    }

    fn assemble(&self, chunk: Closed) {
        match assemble(&chunk.files, &chunk.size, &self.pool) {
            Some(batch) => {
                self.lock().batches.insert(chunk.number, batch);
                self.ready.notify_all();
            }
            None => self.fail(ExtractError::BatchTooLarge(
                "no memory for the tables of one chunk; lower chunkRows or chunkBytes".to_owned(),
            )),
        }
    }

    /// Gives the batches to the sink, in order, until the last one or an error.
    fn deliver(
        &self,
        sink: &mut dyn FnMut(ExtractionBatch) -> ControlFlow<()>,
    ) -> Result<(), ExtractError> {
        let mut state = self.lock();
        loop {
            let number = state.delivered;
            if let Some(batch) = state.batches.remove(&number) {
                drop(state);
                if sink(batch).is_break() {
                    self.fail(ExtractError::Cancelled);
                    return Err(ExtractError::Cancelled);
                }
                state = self.lock();
                state.delivered += 1;
                if state.waiting > 0 {
                    self.room.notify_all();
                }
            } else if let Some(error) = state.error.take() {
                state.stopped = true;
                self.room.notify_all();
                return Err(error);
            } else if state.all_closed && state.delivered == state.closed {
                return Ok(());
            } else {
                state = self
                    .ready
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl State {
    fn close(&mut self) -> Closed {
        self.closed += 1;
        Closed {
            number: self.closed - 1,
            files: std::mem::take(&mut self.chunk),
            size: std::mem::take(&mut self.chunk_size),
        }
    }
}

/// A file whose own rows would overflow a column is left out, with a reason.
fn bounded(facts: FileFacts) -> (FileFacts, Sizes) {
    let size = Sizes::of(&facts);
    if size.max_column_bytes() <= MAX_COLUMN_BYTES {
        return (facts, size);
    }
    let message = format!(
        "the rows of this file need {} bytes in one column, more than {MAX_COLUMN_BYTES}",
        size.max_column_bytes()
    );
    let error = error(Severity::Failed, "tables", "too_many_rows", message);
    let facts = FileFacts::failed(facts.path, error);
    let size = Sizes::of(&facts);
    (facts, size)
}

/// Stops the run when its thread unwinds.
struct StopOnPanic<'a>(&'a Shared<'a>);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        self.0
            .fail(ExtractError::InvalidOptions("a worker panicked".to_owned()));
    }
}
