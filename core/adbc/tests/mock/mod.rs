//! A driver in Rust that writes down what it is told, and fails where it is told to.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};

use bowstring_abi::{ArrowArray, ArrowArrayStream, ArrowSchema, OwnedStream};
use bowstring_adbc::Driver;
use bowstring_adbc::raw::{
    AdbcConnection, AdbcDatabase, AdbcDriver, AdbcError, AdbcStatement, AdbcStatusCode,
};

/// Which revision of ADBC the driver knows.
#[derive(Clone, Copy, PartialEq)]
pub enum Revision {
    V1_0,
    V1_1,
}

#[derive(Default)]
pub struct Mock {
    revision: Option<Revision>,
    log: Mutex<Vec<String>>,
    /// What fails the next time, and whether it says why.
    failing: Mutex<HashMap<String, bool>>,
    errors_made: AtomicUsize,
    errors_released: AtomicUsize,
    pub cancels: AtomicUsize,
    /// How many cancellations an execution waits for; 0: it does not wait.
    blocks: AtomicUsize,
    cancelled: Condvar,
    waiting: Mutex<()>,
    statement_lives: AtomicBool,
    bound: Mutex<Option<OwnedStream>>,
}

thread_local! {
    /// Each test has a thread and a driver of its own.
    static CURRENT: RefCell<Arc<Mock>> = RefCell::default();
}

impl Mock {
    pub fn new(revision: Revision) -> Arc<Self> {
        let mock = Arc::new(Self {
            revision: Some(revision),
            ..Self::default()
        });
        CURRENT.set(mock.clone());
        mock
    }

    pub fn driver(&self) -> Arc<Driver> {
        // SAFETY: the entry point below is one.
        Arc::new(unsafe { Driver::init(init) }.unwrap())
    }

    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    pub fn count(&self, entry: &str) -> usize {
        let log = self.log();
        log.iter()
            .filter(|line| *line == entry || line.starts_with(&format!("{entry} ")))
            .count()
    }

    pub fn fail(&self, what: &str) {
        self.failing.lock().unwrap().insert(what.to_owned(), true);
    }

    pub fn fail_silently(&self, what: &str) {
        self.failing.lock().unwrap().insert(what.to_owned(), false);
    }

    /// Errors that were made, and that were released.
    pub fn errors(&self) -> (usize, usize) {
        (
            self.errors_made.load(SeqCst),
            self.errors_released.load(SeqCst),
        )
    }

    pub fn block_execution_until_cancelled(&self, times: usize) {
        self.blocks.store(times, SeqCst);
    }

    fn note(&self, entry: impl Into<String>) {
        self.log.lock().unwrap().push(entry.into());
    }

    /// Writes down `entry`, and fails if `what` is to fail.
    fn answer(&self, what: &str, entry: String, error: *mut AdbcError) -> AdbcStatusCode {
        self.note(entry);
        match self.failing.lock().unwrap().remove(what) {
            Some(true) => self.error(&format!("{what} failed"), 8, error),
            Some(false) => 8,
            None => 0,
        }
    }

    fn error(
        &self,
        message: &str,
        status: AdbcStatusCode,
        error: *mut AdbcError,
    ) -> AdbcStatusCode {
        self.errors_made.fetch_add(1, SeqCst);
        // SAFETY: the client passes an error struct with all fields, since it set the vendor code to say so.
        unsafe {
            assert_eq!((*error).vendor_code, i32::MIN);
            (*error).message = CString::new(message).unwrap().into_raw();
            (*error).vendor_code = -19;
            (*error).sqlstate = (*b"23000").map(|character| character as c_char);
            (*error).private_data = (self as *const Self).cast_mut().cast();
            (*error).release = Some(release_error);
        }
        status
    }
}

unsafe extern "C" fn release_error(error: *mut AdbcError) {
    // SAFETY: made by `Mock::error`, and the mock outlives what it made.
    unsafe {
        let mock = &*(*error).private_data.cast::<Mock>();
        drop(CString::from_raw((*error).message));
        (*error).release = None;
        mock.errors_released.fetch_add(1, SeqCst);
    }
}

fn current() -> Arc<Mock> {
    CURRENT.with_borrow(Arc::clone)
}

unsafe fn text<'a>(text: *const c_char) -> &'a str {
    // SAFETY: the client passes texts.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap()
}

/// Functions of an object that only write down that they were called; a `new` marks the object as made, unless it fails.
macro_rules! plain {
    ($($function:ident($object:ty, $entry:literal) $mark:ident;)*) => {$(
        unsafe extern "C" fn $function(object: *mut $object, error: *mut AdbcError) -> AdbcStatusCode {
            let status = current().answer($entry, $entry.to_owned(), error);
            // SAFETY: the client passes an object of its own.
            unsafe { $mark(status, &raw mut (*object).private_data) };
            status
        }
    )*};
}

unsafe fn make(status: AdbcStatusCode, private: *mut *mut c_void) {
    if status == 0 {
        let mock = Arc::as_ptr(&current());
        // SAFETY: passed on.
        unsafe { *private = mock.cast_mut().cast() };
    }
}

unsafe fn keep(_: AdbcStatusCode, private: *mut *mut c_void) {
    // SAFETY: passed on.
    let address = unsafe { *private };
    assert!(
        !address.is_null(),
        "an object that was not made, or was released"
    );
}

unsafe fn free(_: AdbcStatusCode, private: *mut *mut c_void) {
    // SAFETY: passed on.
    unsafe {
        keep(0, private);
        *private = std::ptr::null_mut();
    }
}

plain! {
    database_new(AdbcDatabase, "database new") make;
    database_init(AdbcDatabase, "database init") keep;
    database_release(AdbcDatabase, "database release") free;
    connection_new(AdbcConnection, "connection new") make;
    connection_release(AdbcConnection, "connection release") free;
    connection_commit(AdbcConnection, "commit") keep;
    connection_rollback(AdbcConnection, "rollback") keep;
    statement_prepare(AdbcStatement, "prepare") keep;
}

unsafe extern "C" fn connection_init(
    _: *mut AdbcConnection,
    database: *mut AdbcDatabase,
    error: *mut AdbcError,
) -> AdbcStatusCode {
    // SAFETY: the client passes its database.
    unsafe { keep(0, &raw mut (*database).private_data) };
    current().answer("connection init", "connection init".to_owned(), error)
}

unsafe extern "C" fn connection_set_option(
    _: *mut AdbcConnection,
    key: *const c_char,
    value: *const c_char,
    error: *mut AdbcError,
) -> AdbcStatusCode {
    // SAFETY: the client passes texts.
    let (key, value) = unsafe { (text(key), text(value)) };
    current().answer(
        "connection option",
        format!("connection option {key}={value}"),
        error,
    )
}

unsafe extern "C" fn statement_new(
    connection: *mut AdbcConnection,
    statement: *mut AdbcStatement,
    error: *mut AdbcError,
) -> AdbcStatusCode {
    let mock = current();
    let status = mock.answer("statement new", "statement new".to_owned(), error);
    // SAFETY: the client passes objects of its own.
    unsafe {
        keep(0, &raw mut (*connection).private_data);
        make(status, &raw mut (*statement).private_data);
    }
    mock.statement_lives.store(true, SeqCst);
    status
}

unsafe extern "C" fn statement_release(
    statement: *mut AdbcStatement,
    error: *mut AdbcError,
) -> AdbcStatusCode {
    let mock = current();
    // SAFETY: the client passes a statement of its own.
    unsafe { free(0, &raw mut (*statement).private_data) };
    mock.statement_lives.store(false, SeqCst);
    drop(mock.bound.lock().unwrap().take());
    mock.answer("statement release", "statement release".to_owned(), error)
}

unsafe extern "C" fn statement_set_option(
    _: *mut AdbcStatement,
    key: *const c_char,
    value: *const c_char,
    error: *mut AdbcError,
) -> AdbcStatusCode {
    // SAFETY: the client passes texts.
    let (key, value) = unsafe { (text(key), text(value)) };
    current().answer("option", format!("option {key}={value}"), error)
}

unsafe extern "C" fn statement_set_option_int(
    _: *mut AdbcStatement,
    key: *const c_char,
    value: i64,
    error: *mut AdbcError,
) -> AdbcStatusCode {
    // SAFETY: the client passes a text.
    let key = unsafe { text(key) };
    current().answer("option", format!("int option {key}={value}"), error)
}

unsafe extern "C" fn statement_set_sql_query(
    _: *mut AdbcStatement,
    query: *const c_char,
    error: *mut AdbcError,
) -> AdbcStatusCode {
    // SAFETY: the client passes a text.
    let query = unsafe { text(query) };
    current().answer("query", format!("query {query}"), error)
}

unsafe extern "C" fn statement_bind_stream(
    _: *mut AdbcStatement,
    stream: *mut ArrowArrayStream,
    error: *mut AdbcError,
) -> AdbcStatusCode {
    let mock = current();
    let status = mock.answer("bind", "bind".to_owned(), error);
    if status == 0 {
        // SAFETY: the client gives it away.
        *mock.bound.lock().unwrap() = Some(unsafe { OwnedStream::take(stream) });
    }
    status
}

/// Reads what is bound, and takes an error for the end, as real drivers have done.
unsafe extern "C" fn statement_execute_query(
    _: *mut AdbcStatement,
    out: *mut ArrowArrayStream,
    rows_affected: *mut i64,
    error: *mut AdbcError,
) -> AdbcStatusCode {
    let mock = current();
    let status = mock.answer("execute", "execute".to_owned(), error);
    if status != 0 {
        return status;
    }
    let wanted = mock.blocks.load(SeqCst);
    if wanted > 0 {
        let mut guard = mock.waiting.lock().unwrap();
        while mock.cancels.load(SeqCst) < wanted {
            guard = mock.cancelled.wait(guard).unwrap();
        }
        return mock.error("execution was cancelled", 11, error);
    }
    let mut rows = 0;
    if let Some(mut stream) = mock.bound.lock().unwrap().take() {
        drop(stream.schema());
        while let Ok(Some(array)) = stream.next_array() {
            rows += array.length;
            // SAFETY: the stream gave it to this side.
            drop(unsafe { bowstring_abi::OwnedTable::from_raw(ArrowSchema::released(), array) });
        }
    }
    // SAFETY: the client passes room for both, or null.
    unsafe {
        if !rows_affected.is_null() {
            *rows_affected = rows;
        }
        if let Some(out) = out.as_mut() {
            *out = empty_stream();
        }
    }
    0
}

/// A stream at its end that writes down its release.
fn empty_stream() -> ArrowArrayStream {
    unsafe extern "C" fn schema(_: *mut ArrowArrayStream, _: *mut ArrowSchema) -> c_int {
        22
    }
    unsafe extern "C" fn next(_: *mut ArrowArrayStream, out: *mut ArrowArray) -> c_int {
        // SAFETY: the client passes room.
        unsafe { out.write(ArrowArray::released()) };
        0
    }
    unsafe extern "C" fn error(_: *mut ArrowArrayStream) -> *const c_char {
        std::ptr::null()
    }
    unsafe extern "C" fn release(stream: *mut ArrowArrayStream) {
        current().note("stream release");
        // SAFETY: the client passes its stream.
        unsafe { (*stream).release = None };
    }
    ArrowArrayStream {
        get_schema: Some(schema),
        get_next: Some(next),
        get_last_error: Some(error),
        release: Some(release),
        private_data: std::ptr::null_mut(),
    }
}

/// On another thread, so the mock comes from the statement.
unsafe extern "C" fn statement_cancel(
    statement: *mut AdbcStatement,
    _: *mut AdbcError,
) -> AdbcStatusCode {
    // SAFETY: a statement that is cancelled has not been released, and the mock outlives it.
    let mock = unsafe { &*(*statement).private_data.cast::<Mock>() };
    if !mock.statement_lives.load(SeqCst) {
        mock.note("cancel after release");
    }
    let _guard = mock.waiting.lock().unwrap();
    mock.cancels.fetch_add(1, SeqCst);
    mock.cancelled.notify_all();
    0
}

unsafe extern "C" fn init(
    version: c_int,
    driver: *mut c_void,
    error: *mut AdbcError,
) -> AdbcStatusCode {
    let mock = current();
    let newest = mock.revision == Some(Revision::V1_1);
    if version > 1_000_000 && !newest {
        return mock.error("this driver is of ADBC 1.0.0", 2, error);
    }
    // SAFETY: the client passes a table of the revision that it asks for.
    let driver = unsafe { &mut *driver.cast::<AdbcDriver>() };
    driver.database_new = Some(database_new);
    driver.database_init = Some(database_init);
    driver.database_release = Some(database_release);
    driver.connection_new = Some(connection_new);
    driver.connection_init = Some(connection_init);
    driver.connection_set_option = Some(connection_set_option);
    driver.connection_release = Some(connection_release);
    driver.connection_commit = Some(connection_commit);
    driver.connection_rollback = Some(connection_rollback);
    driver.statement_new = Some(statement_new);
    driver.statement_release = Some(statement_release);
    driver.statement_prepare = Some(statement_prepare);
    driver.statement_set_option = Some(statement_set_option);
    driver.statement_set_sql_query = Some(statement_set_sql_query);
    driver.statement_bind_stream = Some(statement_bind_stream);
    driver.statement_execute_query = Some(statement_execute_query);
    if newest {
        driver.statement_set_option_int = Some(statement_set_option_int);
        driver.statement_cancel = Some(statement_cancel);
    }
    0
}
