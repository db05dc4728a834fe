//! Workers: a value with a thread of its own, on which jobs are done one after another.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::thread::JoinHandle;

use bowstring_abi::Failure;
use bowstring_abi::guard::guard_callback;

use crate::error::RuntimeError;
use crate::job::{Job, Monitor, Outlet};
use crate::sync::lock;

type Task<S> = Box<dyn FnOnce(&mut S) + Send>;

/// How many bytes of a job's results may wait for their reader while other work waits for the job.
const READ_AHEAD: usize = 1 << 30;

/// A value of type `S` on its own thread. Dropped there, when the worker is closed and its last job has ended.
pub struct Worker<S> {
    inner: Mutex<Inner<S>>,
    monitor: Arc<dyn Monitor>,
    /// How many places are taken.
    taken: Arc<AtomicUsize>,
    /// Of each job whose end others wait for, in bytes.
    read_ahead: usize,
}

/// One of the places for work of which only so much may wait.
pub(crate) struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

struct Inner<S> {
    tasks: Option<Sender<Task<S>>>,
    thread: Option<JoinHandle<()>>,
    jobs: Vec<Weak<Job>>,
}

impl<S: Send + 'static> Worker<S> {
    /// Moves `value` to a new thread of this name. `monitor` is that of all its jobs: what it cancels is the work that
    /// runs on the thread at that moment.
    pub fn spawn(
        name: &str,
        mut value: S,
        monitor: Arc<dyn Monitor>,
    ) -> Result<Self, RuntimeError> {
        let (tasks, queue) = channel::<Task<S>>();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                for task in queue {
                    task(&mut value);
                }
                guard_callback(|| drop(value));
            })
            .map_err(|_| RuntimeError::NoThread)?;
        Ok(Self {
            inner: Mutex::new(Inner {
                tasks: Some(tasks),
                thread: Some(thread),
                jobs: Vec::new(),
            }),
            monitor,
            taken: Arc::default(),
            read_ahead: READ_AHEAD,
        })
    }

    /// The same worker with another bound on what is read ahead: a job for whose end other work waits fails with
    /// [`Status::Busy`](bowstring_abi::Status::Busy) when `bytes` of its results would wait for their reader. 1 GiB by
    /// default.
    pub fn with_read_ahead(self, bytes: usize) -> Self {
        Self {
            read_ahead: bytes,
            ..self
        }
    }

    /// A place, unless `limit` are taken.
    pub(crate) fn place(&self, limit: usize) -> Option<Place> {
        let taken = self.taken.fetch_update(Relaxed, Relaxed, |taken| {
            (taken < limit).then_some(taken + 1)
        });
        taken.is_ok().then(|| Place(self.taken.clone()))
    }

    pub(crate) fn monitor(&self) -> Arc<dyn Monitor> {
        self.monitor.clone()
    }

    /// Queues a job's work behind the work that is queued already, which from then on does not wait for readers of its
    /// results: they may be waiting for this. Work submitted to a closed worker is cancelled.
    pub(crate) fn submit(
        &self,
        job: &Arc<Job>,
        work: impl FnOnce(&mut S, &Outlet) -> Result<(), Failure> + Send + 'static,
    ) {
        let mut inner = lock(&self.inner);
        inner.jobs.retain(|job| job.strong_count() > 0);
        for earlier in inner.jobs.iter().filter_map(Weak::upgrade) {
            earlier.hurry(self.read_ahead);
        }
        inner.jobs.push(Arc::downgrade(job));
        let task: Task<S> = {
            let job = job.clone();
            Box::new(move |value| job.run(|outlet| work(value, outlet)))
        };
        let sent = inner
            .tasks
            .as_ref()
            .is_some_and(|tasks| tasks.send(task).is_ok());
        drop(inner);
        if !sent {
            job.cancel();
        }
    }
}

impl<S: Send + 'static> Worker<S> {
    /// Cancels the jobs that have not ended, and does a last one, after which the thread ends. Does not wait.
    pub(crate) fn finish(
        &self,
        job: &Arc<Job>,
        work: impl FnOnce(&mut S, &Outlet) -> Result<(), Failure> + Send + 'static,
    ) {
        let jobs = std::mem::take(&mut lock(&self.inner).jobs);
        stop(&jobs);
        self.submit(job, work);
        lock(&self.inner).tasks = None;
    }
}

/// What a context needs of a worker, whatever its value is.
pub(crate) trait AnyWorker: std::any::Any + Send + Sync {
    /// Cancels the jobs that have not ended and lets the thread end; waits for it if asked to.
    fn close(&self, wait: bool);
}

impl<S: Send + 'static> AnyWorker for Worker<S> {
    fn close(&self, wait: bool) {
        let (jobs, thread) = {
            let mut inner = lock(&self.inner);
            inner.tasks = None;
            (std::mem::take(&mut inner.jobs), inner.thread.take())
        };
        stop(&jobs);
        if let Some(thread) = thread
            && wait
            && thread.thread().id() != std::thread::current().id()
        {
            // The thread's panics have been caught and reported through its jobs.
            let _ = thread.join();
        }
    }
}

/// Stops jobs that were submitted in this order. The last one first: the work that runs ends when its own job is stopped,
/// and what waits behind it must not begin then.
fn stop(jobs: &[Weak<Job>]) {
    for job in jobs.iter().rev().filter_map(Weak::upgrade) {
        job.stop();
    }
}
