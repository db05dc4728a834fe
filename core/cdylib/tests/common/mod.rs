//! The exported functions as a caller has them: statuses, messages, raw structs.

#![allow(dead_code, reason = "each test binary uses its own part")]

use bowstring::{context, extract, job, lease, store};
use bowstring_abi::{BowError, BowTable, OwnedTable, Status, import_table};
use bowstring_runtime::BowStats;

pub use arrow_array::RecordBatch;

/// Calls a function with an error struct of its own; the message when it fails.
pub fn call(function: impl FnOnce(*mut BowError) -> i32) -> Result<Status, (Status, String)> {
    let mut error = BowError::new();
    match status(function(&mut error)) {
        success @ (Status::Ok | Status::Pending | Status::Done) => {
            assert_eq!((error.code, error.length), (0, 0), "an error was written");
            Ok(success)
        }
        failure => {
            assert_eq!(error.code, failure as i32);
            Err((failure, error.message().to_owned()))
        }
    }
}

fn status(number: i32) -> Status {
    use Status::*;
    let all = [
        Ok,
        Pending,
        Done,
        InvalidArgument,
        StaleHandle,
        LeaseReleased,
        OutOfMemory,
        BatchTooLarge,
        Cancelled,
        Io,
        InvalidArrow,
        Unsupported,
        Store,
        Busy,
        BufferTooSmall,
        Panic,
        Adbc,
        Layer,
    ];
    all.into_iter()
        .find(|status| *status as i32 == number)
        .unwrap()
}

/// A context, closed at the end of the test.
pub struct Context(pub u32);

impl Context {
    pub fn open() -> Self {
        let mut handle = 0;
        // SAFETY: the out parameter is a local.
        call(|error| unsafe { context::bow_context_open(&mut handle, error) }).unwrap();
        Self(handle)
    }

    pub fn stats(&self) -> BowStats {
        let mut stats = BowStats {
            size: 80,
            ..zeroed_stats()
        };
        // SAFETY: the out parameter is a local with its size set.
        call(|error| unsafe { context::bow_context_stats(self.0, &mut stats, error) }).unwrap();
        stats
    }

    /// Starts a job by one of the functions that take options.
    pub fn start(
        &self,
        function: StartFunction,
        options: &str,
    ) -> Result<Job<'_>, (Status, String)> {
        let mut job = 0;
        // SAFETY: the arguments are locals.
        call(|error| unsafe {
            function(
                self.0,
                options.as_ptr(),
                options.len() as u32,
                &mut job,
                error,
            )
        })?;
        Result::Ok(Job(self, job))
    }

    pub fn extract(&self, options: &str) -> Result<Job<'_>, (Status, String)> {
        self.start(extract::bow_extract_start, options)
    }

    pub fn open_store(&self, options: &str) -> Result<Store<'_>, (Status, String)> {
        let mut handle = 0;
        // SAFETY: the arguments are locals.
        call(|error| unsafe {
            store::bow_store_open(
                self.0,
                options.as_ptr(),
                options.len() as u32,
                &mut handle,
                error,
            )
        })?;
        Result::Ok(Store(self, handle))
    }

    pub fn import(
        &self,
        tables: &mut [BowTable],
        validation: u32,
    ) -> Result<u32, (Status, String)> {
        let mut handle = 0;
        let count = tables.len() as u32;
        // SAFETY: the arguments are locals, and the tables are given up.
        call(|error| unsafe {
            lease::bow_lease_import(
                self.0,
                tables.as_mut_ptr(),
                count,
                validation,
                &mut handle,
                error,
            )
        })?;
        Result::Ok(handle)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: a null error is allowed.
        unsafe { context::bow_context_close(self.0, std::ptr::null_mut()) };
    }
}

type StartFunction = unsafe extern "C" fn(u32, *const u8, u32, *mut u32, *mut BowError) -> i32;

fn zeroed_stats() -> BowStats {
    BowStats {
        size: 0,
        reserved: 0,
        live_leases: 0.0,
        live_jobs: 0.0,
        live_stores: 0.0,
        bytes_viewed: 0.0,
        bytes_copied: 0.0,
        leaks: 0.0,
        violations: 0.0,
        live_pins: 0.0,
        live_streams: 0.0,
        live_connections: 0.0,
    }
}

/// A job, closed at the end.
pub struct Job<'a>(pub &'a Context, pub u32);

impl Job<'_> {
    /// The next group of raw tables, waited for; `None` when there are no more.
    pub fn next_raw(&self) -> Result<Option<Vec<BowTable>>, (Status, String)> {
        // SAFETY: no pointers but the error's.
        call(|error| unsafe { job::bow_job_wait(self.0.0, self.1, u32::MAX, error) })?;
        let mut tables: Vec<BowTable> = (0..5).map(|_| BowTable::released()).collect();
        let mut count = 0;
        // SAFETY: the arguments are locals, with room for five tables.
        let status = call(|error| unsafe {
            job::bow_job_next(self.0.0, self.1, tables.as_mut_ptr(), 5, &mut count, error)
        })?;
        if status == Status::Done {
            return Result::Ok(None);
        }
        assert_eq!(status, Status::Ok);
        tables.truncate(count as usize);
        Result::Ok(Some(tables))
    }

    /// The next group as batches.
    pub fn next(&self) -> Result<Option<Vec<RecordBatch>>, (Status, String)> {
        Result::Ok(
            self.next_raw()?
                .map(|tables| tables.into_iter().map(batch).collect()),
        )
    }

    /// Waits for the end of a job without results.
    pub fn end(self) -> Result<(), (Status, String)> {
        match self.next()? {
            None => Result::Ok(()),
            Some(group) => panic!("expected no result but found {} tables", group.len()),
        }
    }

    /// Waits for the one table of a job.
    pub fn one(self) -> Result<RecordBatch, (Status, String)> {
        let mut group = self.next()?.expect("a result");
        assert_eq!((group.len(), self.next()?.is_none()), (1, true));
        Result::Ok(group.remove(0))
    }
}

impl Drop for Job<'_> {
    fn drop(&mut self) {
        // SAFETY: a null error is allowed.
        unsafe { job::bow_job_close(self.0.0, self.1, std::ptr::null_mut()) };
    }
}

/// A raw table, imported.
pub fn batch(mut table: BowTable) -> RecordBatch {
    // SAFETY: the table is this function's and is given up.
    import_table(unsafe { OwnedTable::take(&mut table) })
        .unwrap()
        .batch
}

/// A store, closed at the end.
pub struct Store<'a>(pub &'a Context, pub u32);

type StoreFunction = unsafe extern "C" fn(u32, u32, *mut u32, *mut BowError) -> i32;
type StoreOptionsFunction =
    unsafe extern "C" fn(u32, u32, *const u8, u32, *mut u32, *mut BowError) -> i32;

impl<'a> Store<'a> {
    pub fn start(&self, function: StoreFunction) -> Result<Job<'a>, (Status, String)> {
        let mut job = 0;
        // SAFETY: the arguments are locals.
        call(|error| unsafe { function(self.0.0, self.1, &mut job, error) })?;
        Result::Ok(Job(self.0, job))
    }

    pub fn start_with(
        &self,
        function: StoreOptionsFunction,
        options: &str,
    ) -> Result<Job<'a>, (Status, String)> {
        let mut job = 0;
        // SAFETY: the arguments are locals.
        call(|error| unsafe {
            function(
                self.0.0,
                self.1,
                options.as_ptr(),
                options.len() as u32,
                &mut job,
                error,
            )
        })?;
        Result::Ok(Job(self.0, job))
    }

    pub fn write(&self, tables: &mut [BowTable]) -> Result<Job<'a>, (Status, String)> {
        let mut job = 0;
        let count = tables.len() as u32;
        // SAFETY: the arguments are locals, and the tables are given up.
        call(|error| unsafe {
            store::bow_store_write(
                self.0.0,
                self.1,
                tables.as_mut_ptr(),
                count,
                &mut job,
                error,
            )
        })?;
        Result::Ok(Job(self.0, job))
    }
}

impl Drop for Store<'_> {
    fn drop(&mut self) {
        // SAFETY: a null error is allowed.
        unsafe { store::bow_store_close(self.0.0, self.1, std::ptr::null_mut()) };
    }
}
