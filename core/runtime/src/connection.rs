//! Connections to databases: workers whose jobs may read and give streams.

use std::any::Any;
use std::sync::Arc;

use bowstring_abi::Failure;

use crate::context::Context;
use crate::error::{Kind, RuntimeError};
use crate::handle::Handle;
use crate::job::Outlet;
use crate::queue::Bound;
use crate::sync::lock;
use crate::worker::{AnyWorker, Worker};

impl Context {
    /// Keeps a worker under a handle of a connection.
    pub fn add_connection<S: Send + 'static>(
        &self,
        worker: Worker<S>,
    ) -> Result<Handle, RuntimeError> {
        let mut tables = lock(&self.tables);
        if tables.closed {
            // The worker's thread ends when the worker is dropped.
            return Err(self.stale());
        }
        tables
            .connections
            .insert(Arc::new(worker))
            .map_err(|_| RuntimeError::NoHandles(Kind::Connection))
    }

    /// Starts `work` on a connection's own thread, after what was started there before. What was started before goes on
    /// to its end from now on, also when nobody reads its results.
    pub fn start_on_connection<S: Send + 'static>(
        &self,
        connection: Handle,
        work: impl FnOnce(&mut S, &Outlet) -> Result<(), Failure> + Send + 'static,
    ) -> Result<Handle, RuntimeError> {
        let found = lock(&self.tables)
            .connections
            .get(connection)
            .live()
            .cloned();
        let worker = downcast::<S>(found, connection)?;
        let (handle, job) = self.add_job(worker.monitor(), Bound::STREAM)?;
        worker.submit(&job, work);
        Ok(handle)
    }

    /// Takes a connection's handle away, cancels its jobs, and starts the last one, in which it is closed.
    pub fn close_connection<S: Send + 'static>(
        &self,
        connection: Handle,
        work: impl FnOnce(&mut S, &Outlet) -> Result<(), Failure> + Send + 'static,
    ) -> Result<Handle, RuntimeError> {
        let found = lock(&self.tables).connections.remove(connection).live();
        let worker = downcast::<S>(found, connection)?;
        let (handle, job) = self.add_job(Arc::new(()), Bound::STREAM)?;
        worker.finish(&job, work);
        Ok(handle)
    }
}

fn downcast<S: Send + 'static>(
    worker: Option<Arc<dyn AnyWorker>>,
    connection: Handle,
) -> Result<Arc<Worker<S>>, RuntimeError> {
    let stale = RuntimeError::Stale(Kind::Connection, connection);
    let worker: Arc<dyn Any + Send + Sync> = worker.ok_or(stale)?;
    worker.downcast().map_err(|_| stale)
}
