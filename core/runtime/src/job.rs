//! Jobs: work on a native thread that hands out groups of tables through a short queue.

use std::collections::VecDeque;
use std::mem::{offset_of, size_of};
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex};

use bowstring_abi::guard::{catch, guard_callback};
use bowstring_abi::{Failure, OwnedTable, Status};

use crate::events::Events;
use crate::import::Prepared;
use crate::queue::{Bound, Group};
use crate::sync::{Deadline, lock, wait, wait_until};

/// How far a job is. All numbers but `size` and `state` are whole doubles; 0 where a job does not count them.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BowJobState {
    /// Set by the caller to `sizeof(struct bow_job_state)`, so that the struct can grow.
    pub size: u32,
    /// 0 running (or waiting for its turn), 1 finished, 2 failed, 3 cancelled. Results may be queued in states 0 to 2.
    pub state: u32,
    /// Files to process; 0 until they have been counted.
    pub files_total: f64,
    /// Their sizes together, in bytes.
    pub bytes_total: f64,
    /// Files processed, whatever the outcome.
    pub files_done: f64,
    /// Their sizes together, in bytes.
    pub bytes_done: f64,
    /// Results that can be taken without waiting.
    pub results_queued: f64,
}

const _: () = {
    assert!(size_of::<BowJobState>() == 48);
    assert!(offset_of!(BowJobState, files_total) == 8);
    assert!(offset_of!(BowJobState, results_queued) == 40);
};

/// A reading of a job's counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Files to process.
    pub files_total: u64,
    /// Their sizes together.
    pub bytes_total: u64,
    /// Files processed.
    pub files_done: u64,
    /// Their sizes together.
    pub bytes_done: u64,
}

/// How a job's work is watched and stopped from other threads. Both functions must return at once.
pub trait Monitor: Send + Sync {
    /// The counters now.
    fn progress(&self) -> Progress {
        Progress::default()
    }

    /// The work of a job begins now. A [`cancel`](Self::cancel) that comes after this is meant for it, and one that came
    /// before is not; both are called under the job's lock.
    fn begin(&self) {}

    /// Asks the work to stop. Called at most once, and only while the work runs.
    fn cancel(&self) {}

    /// Whether a job that is cancelled goes on until the work has ended, and then ends as that says: because it
    /// was asked to stop, or well, with its results, where it was asked too late. For work that leaves something behind,
    /// such as a file, so that whoever waits knows what.
    fn is_awaited(&self) -> bool {
        false
    }
}

/// The monitor of work that neither counts nor can be stopped half-way.
impl Monitor for () {}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobPhase {
    /// Waiting for its turn, or at work.
    Running,
    /// The work ended well.
    Finished,
    /// The work ended badly.
    Failed(Failure),
    /// Nobody wants the results any more.
    Cancelled,
}

/// What a consumer gets when it asks for a result.
#[derive(Debug)]
pub enum Next {
    /// A group of tables.
    Group(Group),
    /// Nothing yet.
    Pending,
    /// Nothing more.
    Done,
    /// The next group has this many tables, more than the consumer has room for. It stays queued.
    NeedsRoom(usize),
}

struct State {
    phase: JobPhase,
    /// Whether the work is at work right now; it may go on for a moment after a cancellation.
    working: bool,
    results: VecDeque<Group>,
    /// The bytes of the results.
    bytes: usize,
    /// Whether the producer is made to wait.
    full: bool,
    /// How much may be queued.
    bound: Bound,
    /// Whether somebody waits for the work to end, so that it must not wait for its reader.
    hurried: bool,
    /// Whether work that is awaited was asked to stop; it does not wait for its reader either.
    stopping: bool,
}

/// One job, shared by its handle, the thread that works on it and whoever waits for it.
///
/// Events are raised under the lock of the state: whoever has seen what happened has its event already, and none comes
/// later. The waker is called without it, since it may look at the job.
pub struct Job {
    state: Mutex<State>,
    /// There is a result, or the job has ended.
    changed: Condvar,
    /// There is room again, or the job has ended.
    room: Condvar,
    monitor: Arc<dyn Monitor>,
    events: Arc<Events>,
}

impl Job {
    pub(crate) fn new(monitor: Arc<dyn Monitor>, events: Arc<Events>, bound: Bound) -> Arc<Self> {
        let state = State {
            phase: JobPhase::Running,
            working: false,
            results: VecDeque::new(),
            bytes: 0,
            full: false,
            bound,
            hurried: false,
            stopping: false,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            room: Condvar::new(),
            monitor,
            events,
        })
    }

    /// Does the work on this thread and records how it ended. Work whose job is already cancelled is dropped undone.
    pub(crate) fn run(self: &Arc<Self>, work: impl FnOnce(&Outlet) -> Result<(), Failure>) {
        let is_wanted = {
            let mut state = lock(&self.state);
            if state.phase != JobPhase::Running {
                return;
            }
            if !state.stopping {
                state.working = true;
                guard_callback(|| self.monitor.begin());
            }
            !state.stopping
        };
        // What the work holds is dropped inside, so that it is free once the job says it has ended.
        let result = catch(|| match is_wanted {
            true => work(&Outlet { job: self.clone() }),
            false => {
                drop(work);
                Err(cancelled())
            }
        });
        {
            let mut state = lock(&self.state);
            state.working = false;
            if state.phase == JobPhase::Running {
                state.phase = match result {
                    Ok(()) => JobPhase::Finished,
                    Err(failure) if failure.status == Status::Cancelled => JobPhase::Cancelled,
                    Err(failure) => JobPhase::Failed(failure),
                };
            }
            self.events.raise();
        }
        self.changed.notify_all();
        self.events.call_waker();
    }

    /// The next result, of at most `capacity` tables. Results that were queued before a failure come before it.
    pub fn next(&self, capacity: usize) -> Result<Next, Failure> {
        let mut state = lock(&self.state);
        match state.results.front() {
            Some(group) if group.len() > capacity => return Ok(Next::NeedsRoom(group.len())),
            Some(_) => {}
            None => {
                return match &state.phase {
                    JobPhase::Running => Ok(Next::Pending),
                    JobPhase::Finished => Ok(Next::Done),
                    JobPhase::Failed(failure) => Err(failure.clone()),
                    JobPhase::Cancelled => Err(cancelled()),
                };
            }
        }
        let group = state.results.pop_front().expect("there is a first result");
        state.bytes -= group.bytes();
        let resume = state.full && state.bound.has_room(state.results.len(), state.bytes);
        if resume {
            state.full = false;
        }
        drop(state);
        if resume {
            self.room.notify_all();
        }
        Ok(Next::Group(group))
    }

    /// Where the job stands and how far it is.
    pub fn state(&self) -> BowJobState {
        let progress = self.monitor.progress();
        let state = lock(&self.state);
        BowJobState {
            size: size_of::<BowJobState>() as u32,
            state: match state.phase {
                JobPhase::Running => 0,
                JobPhase::Finished => 1,
                JobPhase::Failed(_) => 2,
                JobPhase::Cancelled => 3,
            },
            files_total: progress.files_total as f64,
            bytes_total: progress.bytes_total as f64,
            files_done: progress.files_done as f64,
            bytes_done: progress.bytes_done as f64,
            results_queued: state.results.len() as f64,
        }
    }

    /// Blocks until there is a result to take or the job has ended; false when the timeout came first.
    pub fn wait(&self, timeout_millis: u32) -> bool {
        let deadline = Deadline::after_millis(timeout_millis);
        let mut state = lock(&self.state);
        while state.results.is_empty() && state.phase == JobPhase::Running {
            match wait_until(&self.changed, state, deadline) {
                Some(woken) => state = woken,
                None => return false,
            }
        }
        true
    }

    /// Lets the work go on to its end although nobody reads its results: other work waits for it, perhaps the reader's
    /// own. What it gives is queued as long as it is less than `read_ahead` bytes; beyond that the job fails.
    pub(crate) fn hurry(&self, read_ahead: usize) {
        let mut state = lock(&self.state);
        state.hurried = true;
        state.bound = Bound::hurried(read_ahead);
        state.full = false;
        drop(state);
        self.room.notify_all();
    }

    /// Stops the job and frees its queued results. Does nothing to a job that has ended and whose results are taken. Work
    /// that is [awaited](Monitor::is_awaited) is asked to stop, and what it has to say can still be taken.
    pub fn cancel(&self) {
        self.cancel_if(|state| state.phase == JobPhase::Running || !state.results.is_empty());
    }

    /// Stops the job if it has not ended. The results of one that has can still be taken.
    pub(crate) fn stop(&self) {
        self.cancel_if(|state| state.phase == JobPhase::Running);
    }

    fn cancel_if(&self, condition: impl FnOnce(&State) -> bool) {
        let mut state = lock(&self.state);
        if !condition(&state) {
            return;
        }
        if self.monitor.is_awaited() {
            // Work that has not begun will not, and is dropped in its turn.
            if !std::mem::replace(&mut state.stopping, true) && state.working {
                guard_callback(|| self.monitor.cancel());
            }
            drop(state);
            self.room.notify_all();
            return;
        }
        state.phase = JobPhase::Cancelled;
        let results = std::mem::take(&mut state.results);
        if state.working {
            // Under the lock, so that the work cannot end in between and the cancellation hit what comes next.
            guard_callback(|| self.monitor.cancel());
        }
        state.bytes = 0;
        self.events.raise();
        drop(state);
        self.changed.notify_all();
        self.room.notify_all();
        self.events.call_waker();
        // Last and without the lock: releasing a table may run foreign code.
        drop(results);
    }
}

fn cancelled() -> Failure {
    Failure::new(Status::Cancelled, "the job was cancelled")
}

/// Where a job's work puts its results.
pub struct Outlet {
    job: Arc<Job>,
}

impl Outlet {
    /// Queues a group of tables, waiting while the queue is full. Breaks when the job has been cancelled; the tables
    /// are then released.
    pub fn send(&self, tables: Vec<OwnedTable>) -> ControlFlow<()> {
        self.queue(Group::Tables(tables))
    }

    /// As [`send`](Self::send), for tables that have been checked and described.
    pub fn send_prepared(&self, tables: Prepared) -> ControlFlow<()> {
        self.queue(Group::Prepared(tables))
    }

    fn queue(&self, group: Group) -> ControlFlow<()> {
        let job = &self.job;
        let mut state = lock(&job.state);
        while state.phase == JobPhase::Running && state.full && !state.stopping {
            state = wait(&job.room, state);
        }
        if state.phase != JobPhase::Running {
            drop(state);
            return ControlFlow::Break(());
        }
        let bytes = state.bytes + group.bytes();
        if state.hurried && state.bound.is_full(state.results.len(), bytes) {
            state.phase = JobPhase::Failed(Failure::new(
                Status::Busy,
                format!(
                    "other work waits for the end of this, of whose results {bytes} bytes wait for their reader: read \
                     them first"
                ),
            ));
            drop(state);
            return ControlFlow::Break(());
        }
        // Nobody waits for a result while there is one, and to wake nobody is a call of the system's.
        let is_first = state.results.is_empty();
        state.bytes = bytes;
        state.results.push_back(group);
        state.full = state.bound.is_full(state.results.len(), state.bytes);
        job.events.raise();
        drop(state);
        if is_first {
            job.changed.notify_all();
        }
        job.events.call_waker();
        ControlFlow::Continue(())
    }

    /// Whether the job has been cancelled.
    pub fn is_cancelled(&self) -> bool {
        lock(&self.job.state).phase != JobPhase::Running
    }
}
