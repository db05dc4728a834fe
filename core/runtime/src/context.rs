//! Contexts: everything that belongs to one isolate, so that its end can free it.

use std::any::Any;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;

use bowstring_abi::{Failure, OwnedTable};

use crate::build::Registered;
use crate::counters::{BowStats, Counters, Live};
use crate::error::{Kind, RuntimeError};
use crate::events::{Events, Waited, Waker};
use crate::feed::Feed;
use crate::handle::{Handle, HandleTable, Lookup};
use crate::import::{ImportOptions, Prepared};
use crate::job::{Job, Monitor, Next, Outlet};
use crate::lease::{Lease, LeaseEntry};
use crate::queue::Bound;
use crate::release::ReleaseQueue;
use crate::sync::lock;
use crate::worker::{AnyWorker, Worker};

#[derive(Default)]
pub(crate) struct Tables {
    pub closed: bool,
    leases: HandleTable<LeaseEntry>,
    jobs: HandleTable<Arc<Job>>,
    stores: HandleTable<Arc<dyn AnyWorker>>,
    pub connections: HandleTable<Arc<dyn AnyWorker>>,
    pub schemas: HandleTable<Arc<Registered>>,
    pub feeds: HandleTable<Arc<Feed>>,
}

/// What a consumer gets when it asks for a lease of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextLease {
    /// A lease.
    Lease(Handle),
    /// Nothing yet.
    Pending,
    /// Nothing more.
    Done,
}

/// One isolate's leases, jobs, stores, schemas, streams, pins, events and counters.
pub struct Context {
    /// Its own handle; 0 until it is registered.
    handle: AtomicU32,
    /// The isolate's own thread, which must never wait for what only itself can do.
    pub(crate) thread: ThreadId,
    pub(crate) tables: Mutex<Tables>,
    pub(crate) events: Arc<Events>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) released: Arc<ReleaseQueue>,
}

impl Context {
    /// A context of the isolate that runs on this thread.
    pub(crate) fn new() -> Self {
        let events = Arc::<Events>::default();
        Self {
            handle: AtomicU32::new(0),
            thread: std::thread::current().id(),
            tables: Mutex::default(),
            released: Arc::new(ReleaseQueue::new(events.clone())),
            events,
            counters: Arc::default(),
        }
    }

    pub(crate) fn set_handle(&self, handle: Handle) {
        self.handle.store(handle, Relaxed);
    }

    /// The context's own handle.
    pub fn handle(&self) -> Handle {
        self.handle.load(Relaxed)
    }

    pub(crate) fn stale(&self) -> RuntimeError {
        RuntimeError::Stale(Kind::Context, self.handle())
    }

    // Leases.

    /// Takes tables over, checked and converted as the options say, and gives a lease of them, with one reference. The
    /// tables are released when this fails.
    pub fn import(
        &self,
        tables: Vec<OwnedTable>,
        options: impl Into<ImportOptions>,
    ) -> Result<Handle, Failure> {
        self.lease_of(Prepared::new(tables, options.into())?)
    }

    /// Gives a lease of tables that have been prepared. They are released when this fails.
    pub fn lease_of(&self, tables: Prepared) -> Result<Handle, Failure> {
        let entry = LeaseEntry::new(Lease::new(tables, self.counters.clone()));
        let mut guard = lock(&self.tables);
        if guard.closed {
            return Err(self.stale().into());
        }
        let inserted = guard.leases.insert(entry);
        // Before an entry that was not inserted is dropped: releasing a table may run foreign code.
        drop(guard);
        inserted.map_err(|_| RuntimeError::NoHandles(Kind::Lease).into())
    }

    /// The lease that `lease` names.
    pub fn lease(&self, lease: Handle) -> Result<Arc<Lease>, RuntimeError> {
        let tables = lock(&self.tables);
        let entry = found(tables.leases.get(lease), lease)?;
        Ok(entry.lease.clone())
    }

    /// Takes so many more references to a lease.
    pub fn retain(&self, lease: Handle, count: u32) -> Result<(), RuntimeError> {
        let mut tables = lock(&self.tables);
        let entry = found(tables.leases.get_mut(lease), lease)?;
        entry.retained = entry
            .retained
            .checked_add(count)
            .ok_or(RuntimeError::TooManyReferences(lease))?;
        Ok(())
    }

    /// Gives one reference to a lease back: the one that it started with, or else a retained one.
    pub fn release(&self, lease: Handle) -> Result<(), RuntimeError> {
        self.give_back(lease, LeaseEntry::release)
    }

    /// Gives a retained reference back, or else the one that the lease started with.
    pub(crate) fn drop_reference(&self, lease: Handle) -> Result<(), RuntimeError> {
        self.give_back(lease, LeaseEntry::drop_one)
    }

    fn give_back(
        &self,
        lease: Handle,
        give: impl FnOnce(&mut LeaseEntry) -> bool,
    ) -> Result<(), RuntimeError> {
        let mut tables = lock(&self.tables);
        let entry = found(tables.leases.get_mut(lease), lease)?;
        let removed = if give(entry) {
            tables.leases.remove(lease).live()
        } else {
            None
        };
        // Before the tables are released: that may run foreign code, which may call back.
        drop(tables);
        drop(removed);
        Ok(())
    }

    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.tables).closed
    }

    pub(crate) fn has_leases(&self) -> bool {
        !lock(&self.tables).leases.is_empty()
    }

    /// Counts what a binding has seen: leases that were lost, breaches of the rules, bytes it copied itself.
    pub fn report(&self, leaks: u32, violations: u32, bytes_copied: u64) {
        self.counters.reported(leaks, violations);
        self.counters.copied(bytes_copied);
    }

    // Jobs.

    /// Starts `work` on a native thread of this name.
    pub fn start_job(
        &self,
        name: &str,
        monitor: Arc<dyn Monitor>,
        work: impl FnOnce(&Outlet) -> Result<(), Failure> + Send + 'static,
    ) -> Result<Handle, Failure> {
        self.start_bounded(name, monitor, Bound::RESULTS, work)
    }

    pub(crate) fn start_bounded(
        &self,
        name: &str,
        monitor: Arc<dyn Monitor>,
        bound: Bound,
        work: impl FnOnce(&Outlet) -> Result<(), Failure> + Send + 'static,
    ) -> Result<Handle, Failure> {
        let (handle, job) = self.add_job(monitor, bound)?;
        let spawned = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || job.run(work));
        if spawned.is_err() {
            lock(&self.tables).jobs.remove(handle);
            return Err(RuntimeError::NoThread.into());
        }
        Ok(handle)
    }

    pub(crate) fn add_job(
        &self,
        monitor: Arc<dyn Monitor>,
        bound: Bound,
    ) -> Result<(Handle, Arc<Job>), RuntimeError> {
        let job = Job::new(monitor, self.events.clone(), bound);
        let mut tables = lock(&self.tables);
        if tables.closed {
            return Err(self.stale());
        }
        let handle = tables
            .jobs
            .insert(job.clone())
            .map_err(|_| RuntimeError::NoHandles(Kind::Job))?;
        Ok((handle, job))
    }

    /// Takes a job's next result and gives a lease of it.
    pub fn lease_next(&self, job: Handle) -> Result<NextLease, Failure> {
        Ok(match self.job(job)?.next(usize::MAX)? {
            Next::Group(group) => NextLease::Lease(self.lease_of(group.prepare()?)?),
            Next::Pending => NextLease::Pending,
            Next::Done => NextLease::Done,
            Next::NeedsRoom(_) => unreachable!("no group is larger than there are numbers"),
        })
    }

    /// The job that `job` names.
    pub fn job(&self, job: Handle) -> Result<Arc<Job>, RuntimeError> {
        lock(&self.tables)
            .jobs
            .get(job)
            .live()
            .cloned()
            .ok_or(RuntimeError::Stale(Kind::Job, job))
    }

    /// Cancels a job if it has not ended, and forgets it.
    pub fn close_job(&self, job: Handle) -> Result<(), RuntimeError> {
        let removed = lock(&self.tables).jobs.remove(job).live();
        removed.ok_or(RuntimeError::Stale(Kind::Job, job))?.cancel();
        Ok(())
    }

    // Stores.

    /// Keeps a worker under a handle.
    pub fn add_store<S: Send + 'static>(&self, worker: Worker<S>) -> Result<Handle, RuntimeError> {
        let worker = Arc::new(worker);
        let mut tables = lock(&self.tables);
        let inserted = if tables.closed {
            Err(self.stale())
        } else {
            tables
                .stores
                .insert(worker.clone())
                .map_err(|_| RuntimeError::NoHandles(Kind::Store))
        };
        drop(tables);
        if inserted.is_err() {
            worker.close(true);
        }
        inserted
    }

    /// Starts `work` on a store's own thread, after what was started there before.
    pub fn start_on_store<S: Send + 'static>(
        &self,
        store: Handle,
        work: impl FnOnce(&mut S, &Outlet) -> Result<(), Failure> + Send + 'static,
    ) -> Result<Handle, RuntimeError> {
        self.start_on_store_within(store, None, work)
    }

    /// As [`start_on_store`](Self::start_on_store), unless `limit` jobs that were started with a limit wait or run there:
    /// for work that holds much memory while it waits.
    pub fn start_on_store_within<S: Send + 'static>(
        &self,
        store: Handle,
        limit: Option<usize>,
        work: impl FnOnce(&mut S, &Outlet) -> Result<(), Failure> + Send + 'static,
    ) -> Result<Handle, RuntimeError> {
        let stale = RuntimeError::Stale(Kind::Store, store);
        let worker = lock(&self.tables)
            .stores
            .get(store)
            .live()
            .cloned()
            .ok_or(stale)?;
        let worker = (worker as Arc<dyn Any + Send + Sync>)
            .downcast::<Worker<S>>()
            .map_err(|_| stale)?;
        let place = match limit {
            Some(limit) => Some(
                worker
                    .place(limit)
                    .ok_or(RuntimeError::Busy(store, limit))?,
            ),
            None => None,
        };
        let (handle, job) = self.add_job(worker.monitor(), Bound::RESULTS)?;
        worker.submit(&job, move |value: &mut S, outlet: &Outlet| {
            // Given back when the work has ended, or is dropped undone.
            let _place = place;
            work(value, outlet)
        });
        Ok(handle)
    }

    /// Cancels a store's jobs and drops it on its thread. Blocks until that is done.
    pub fn close_store(&self, store: Handle) -> Result<(), RuntimeError> {
        let removed = lock(&self.tables).stores.remove(store).live();
        removed
            .ok_or(RuntimeError::Stale(Kind::Store, store))?
            .close(true);
        Ok(())
    }

    // Events.

    /// Registers a function to be called when something happens to a job, or with `None` unregisters it. At most one
    /// call is made until the event has been consumed by [`wait`](Self::wait).
    ///
    /// # Safety
    /// The function can be called from any thread until it is unregistered or the context is closed.
    pub unsafe fn set_waker(&self, waker: Option<Waker>) {
        self.events
            .set_waker(waker.map(|waker| (waker, self.handle())));
    }

    /// Waits until something has happened to a job since the last wait: true, or false when the timeout came first.
    pub fn wait(&self, timeout_millis: u32) -> Result<bool, RuntimeError> {
        match self.events.wait(timeout_millis) {
            Waited::Event => Ok(true),
            Waited::TimedOut => Ok(false),
            Waited::Closed => Err(self.stale()),
        }
    }

    /// What is alive and what was done.
    pub fn stats(&self) -> BowStats {
        let tables = lock(&self.tables);
        self.counters.read(Live {
            jobs: tables.jobs.len(),
            stores: tables.stores.len(),
            connections: tables.connections.len(),
            streams: tables.feeds.len(),
            pins: self.released.live(),
        })
    }

    /// Ends everything: waits return, jobs are cancelled, stores closed, streams ended, and each lease loses the reference
    /// that it started with. Memory behind retained references and exported tables stays until they are given back.
    pub(crate) fn close(&self, wait_for_stores: bool) {
        let (leases, jobs, stores, connections, feeds) = {
            let mut tables = lock(&self.tables);
            tables.closed = true;
            let leases = tables.leases.extract(|entry| {
                entry.initial = false;
                entry.is_unreferenced()
            });
            (
                leases,
                tables.jobs.extract(|_| true),
                tables.stores.extract(|_| true),
                tables.connections.extract(|_| true),
                tables.feeds.extract(|_| true),
            )
        };
        lock(&self.tables).schemas.extract(|_| true);
        self.events.close();
        for feed in feeds {
            feed.abandon("the context that fed this stream was closed");
        }
        // Before the jobs, as workers stop theirs in such an order that none begins.
        for connection in connections {
            // A driver takes its time, and may not be in a state to be stopped.
            connection.close(false);
        }
        for store in stores {
            store.close(wait_for_stores);
        }
        for job in jobs {
            job.cancel();
        }
        drop(leases);
    }
}

/// The object of a kind other than leases.
pub(crate) fn live<T>(lookup: Lookup<T>, kind: Kind, handle: Handle) -> Result<T, RuntimeError> {
    lookup.live().ok_or(RuntimeError::Stale(kind, handle))
}

fn found<T>(lookup: Lookup<T>, lease: Handle) -> Result<T, RuntimeError> {
    match lookup {
        Lookup::Live(entry) => Ok(entry),
        Lookup::Gone => Err(RuntimeError::LeaseReleased(lease)),
        Lookup::Unknown => Err(RuntimeError::Stale(Kind::Lease, lease)),
    }
}
