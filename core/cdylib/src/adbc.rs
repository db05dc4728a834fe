//! Databases with ADBC drivers.
//!
//! ADBC is to databases that speak Arrow what ODBC is to others: any database for which there is a driver, a shared
//! library, is used through the same functions. A connection has a thread of its own, on which everything runs that is
//! started on it, in the order of the calls.

use std::mem::{offset_of, size_of};
use std::sync::{Arc, Mutex, PoisonError};

use bowstring_abi::guard::guard;
use bowstring_abi::{ArrowArrayStream, BowError, Failure, OwnedStream, Status};
use bowstring_adbc::{Cancellation, Connection, Driver};
use bowstring_runtime::{Monitor, Outlet, Worker};

use crate::adbc_operations::{OpenOptions, Operation, Session, failure, perform};
use crate::arguments::{options, require, write_job, write_out};

/// An operation of a connection that reads a stream.
#[repr(C)]
pub struct BowAdbcRequest {
    /// Set by the caller to sizeof(struct bow_adbc_request), so that the struct can grow.
    pub size: u32,
    /// How many bytes of options there are.
    pub options_length: u32,
    /// The operation, as in bow_adbc_start.
    pub options: *const u8,
    /// The address of the ArrowArrayStream.
    pub input: usize,
}

const _: () = {
    assert!(size_of::<BowAdbcRequest>() == 24);
    assert!(offset_of!(BowAdbcRequest, options) == 8);
    assert!(offset_of!(BowAdbcRequest, input) == 16);
};

/// Makes a connection to a database, writes its handle to out_connection, and starts the job that opens it, which has no
/// result. options is JSON in UTF-8:
///
/// ```text
/// driver              string, required: the path of the driver's library
/// entrypoint          string: the name of its entry point; by default the one that ADBC derives from the library's
///                     name, or else AdbcDriverInit
/// options             object: options of the database, by name: strings, booleans or numbers
/// connectionOptions   object: options of the connection
/// ```
///
/// Operations may be started at once; they run when the connection is open, or fail when it could not be opened. The
/// handle must be closed in both cases. The job fails with BOW_IO when the library cannot be opened, with
/// BOW_INVALID_ARGUMENT when it has no such entry point, and with BOW_ADBC when the driver fails. A library is never
/// closed.
///
/// BOW_INVALID_ARGUMENT: options is not such JSON. BOW_STALE_HANDLE, BOW_OUT_OF_MEMORY.
///
/// # Safety
/// The library is an ADBC driver, and its initialisers run. `options_length` bytes are readable at `options`,
/// `out_connection` and `out_job` are writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_adbc_open(
    context: u32,
    options: *const u8,
    options_length: u32,
    out_connection: *mut u32,
    out_job: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        require(out_connection, "out_connection")?;
        require(out_job, "out_job")?;
        // SAFETY: passed on to the caller.
        let options: OpenOptions = unsafe { self::options(options, options_length) }?;
        let context = bowstring_runtime::context(context)?;
        let current = Arc::new(Current::default());
        let session = Session::new(current.clone());
        let worker = Worker::spawn("bow-adbc", session, current)?;
        let connection = context.add_connection(worker)?;
        let started = context.start_on_connection(connection, move |session: &mut Session, _| {
            // SAFETY: that the library is a driver is the caller's to know.
            let driver = unsafe { Driver::load(&options.driver, options.entrypoint.as_deref()) };
            let database = options.database()?;
            let connection = options.connection()?;
            let opened = driver.and_then(|driver| Connection::open(driver, &database, &connection));
            session.opened(opened.map_err(failure))
        });
        let job = started.inspect_err(|_| {
            let _ = context.close_connection(connection, |_: &mut Session, _| Ok(()));
        })?;
        // SAFETY: passed on to the caller.
        unsafe {
            write_out(out_connection, "out_connection", connection)?;
            write_out(out_job, "out_job", job)?;
        }
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Starts an operation of a connection, as a job. options is JSON in UTF-8, one of
///
/// ```text
/// {"operation": "query", "sql": string, "options": object}
///     runs a query; the results are those of bow_stream_import: a table without rows, then the batches
/// {"operation": "execute", "sql": string, "options": object}
///     runs a query without its rows; the result is a table of one row and one Int64 column, rows_affected, which is null
///     when the driver does not know
/// {"operation": "begin"}, {"operation": "commit"}, {"operation": "rollback"}
///     begin and end a transaction; without one, each statement is one; no result
/// {"operation": "tableSchema", "table": string, "catalog": string, "schema": string}
///     the result is a table without rows, of the schema of a table
/// {"operation": "tableTypes"}
///     the results are those of a query
/// {"operation": "objects", "depth": string, "catalog": string, "schema": string, "table": string,
///  "tableTypes": array of strings, "column": string}
///     what the database holds, as AdbcConnectionGetObjects says; depth is "catalogs", "schemas", "tables" or "columns";
///     the results are those of a query
/// ```
///
/// of which options (of the statement, as in bow_adbc_open), catalog, schema, depth and what objects are filtered by may
/// be left out. Each may have "flags", a number, those of bow_lease_import, which results are imported by.
///
/// A query's results wait for their reader as those of bow_stream_import do, but only until something else is started on
/// the connection: from then on the query goes on to its end, so that nothing waits for a reader who waits for it. Up to
/// 1 GiB of its results wait then; beyond that its job fails with BOW_BUSY.
///
/// A cancelled job ends at once for its caller; what it runs is stopped if the driver can, and else goes on to its end.
/// Jobs fail with BOW_ADBC when the driver does, and with BOW_STALE_HANDLE when the connection was not opened.
///
/// BOW_INVALID_ARGUMENT: options is not such JSON. BOW_STALE_HANDLE, BOW_OUT_OF_MEMORY.
///
/// # Safety
/// `options_length` bytes are readable at `options`, `out_job` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_adbc_start(
    context: u32,
    connection: u32,
    options: *const u8,
    options_length: u32,
    out_job: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        // SAFETY: passed on to the caller.
        let operation: Operation = unsafe { self::options(options, options_length) }?;
        if operation.needs_input() {
            let message = "this operation reads a stream: expected bow_adbc_start_with";
            return Err(Failure::invalid_argument(message));
        }
        // SAFETY: passed on to the caller.
        unsafe { start(context, connection, operation, None, out_job) }
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Starts an operation that reads a stream. The stream is moved: its release is null afterwards, also when the call
/// fails. It is read on threads of the library's or the driver's. The options are those of bow_adbc_start for "query" and
/// "execute", where the stream has the parameters, one column for each, and the query is run for each row; or
///
/// ```text
/// {"operation": "ingest", "table": string, "mode": string, "catalog": string, "schema": string, "temporary": boolean,
///  "options": object}
///     puts the stream's rows into a table, which is made from the stream's schema as mode says: "create" (it must not
///     exist), "append" (it must exist), "replace" or "createAppend"; the result is that of "execute"
/// ```
///
/// of which catalog, schema, temporary and options may be left out.
///
/// When the stream answers with an error the job fails with BOW_IO and the stream's message, whatever the driver made of
/// it: some take it for the stream's end. What the driver had done by then stands, unless it is rolled back.
///
/// BOW_INVALID_ARGUMENT: the options are not such JSON, or the stream has been released. BOW_STALE_HANDLE,
/// BOW_OUT_OF_MEMORY.
///
/// # Safety
/// `request` is null or a bow_adbc_request whose options are readable and whose input is the address of an
/// ArrowArrayStream that is released or the caller's to give away; `out_job` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_adbc_start_with(
    context: u32,
    connection: u32,
    request: *const BowAdbcRequest,
    out_job: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        require(request, "request")?;
        // SAFETY: the size is readable by contract.
        let size = unsafe { (&raw const (*request).size).read() } as usize;
        let expected = size_of::<BowAdbcRequest>();
        if size < expected {
            return Err(Failure::invalid_argument(format!(
                "expected the size of the struct, {expected}, in its first field but found {size}"
            )));
        }
        // SAFETY: as large as it says.
        let request = unsafe { &*request };
        let input = request.input as *mut ArrowArrayStream;
        require(input, "input")?;
        // Before anything can fail, so that the caller's struct is moved from. SAFETY: the caller's to give away.
        let input = unsafe { OwnedStream::take(input) };
        if input.is_released() {
            return Err(Failure::invalid_argument("the stream has been released"));
        }
        // SAFETY: passed on to the caller.
        let operation = unsafe { options(request.options, request.options_length) }?;
        // SAFETY: passed on to the caller.
        unsafe { start(context, connection, operation, Some(input), out_job) }
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Closes a connection: its handle is stale from now on, what runs on it or waits is cancelled, and the job that is
/// started releases the connection and its database, which may take until a driver has stopped. The job has no result; it
/// fails with BOW_ADBC when the driver does, and the connection is closed all the same. The other jobs' handles are still
/// to be closed.
///
/// BOW_STALE_HANDLE: there is no such connection.
///
/// # Safety
/// `out_job` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_adbc_close(
    context: u32,
    connection: u32,
    out_job: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        let close = || {
            let context = bowstring_runtime::context(context)?;
            context.close_connection(connection, |session: &mut Session, _| session.close())
        };
        // SAFETY: passed on to the caller.
        unsafe { write_job(out_job, close) }
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Starts an operation on the connection's thread.
///
/// # Safety
/// `out_job` is null or writable.
unsafe fn start(
    context: u32,
    connection: u32,
    operation: Operation,
    input: Option<OwnedStream>,
    out_job: *mut u32,
) -> Result<Status, Failure> {
    let start = || {
        let operation = operation.checked()?;
        let work = move |session: &mut Session, outlet: &Outlet| {
            perform(session, operation, input, outlet)
        };
        let context = bowstring_runtime::context(context)?;
        Ok::<_, Failure>(context.start_on_connection(connection, work)?)
    };
    // SAFETY: passed on to the caller.
    unsafe { write_job(out_job, start) }
}

/// What cancels the operation that runs on a connection.
#[derive(Default)]
pub(crate) struct Current(Mutex<Arc<Cancellation>>);

impl Current {
    /// That of the operation that began last.
    pub fn get(&self) -> Arc<Cancellation> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Monitor for Current {
    fn begin(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::default();
    }

    fn cancel(&self) {
        self.get().cancel();
    }
}
