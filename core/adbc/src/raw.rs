//! The structs of [ADBC 1.1](https://arrow.apache.org/adbc/current/format/specification.html), exactly as its header
//! `adbc.h` lays them out.
//!
//! Plain data: nothing is released when one goes out of scope.

use std::ffi::{c_char, c_int, c_void};
use std::mem::{offset_of, size_of};

use bowstring_abi::{ArrowArray, ArrowArrayStream, ArrowSchema};

/// `AdbcStatusCode`: 0 is success.
pub type AdbcStatusCode = u8;

/// Revision 1.0.0, as a driver's entry point is asked for it.
pub const ADBC_VERSION_1_0_0: c_int = 1_000_000;
/// Revision 1.1.0.
pub const ADBC_VERSION_1_1_0: c_int = 1_001_000;

/// In `vendor_code`, set by the caller: the error struct has the two last fields. A driver that has no code of its own
/// leaves it.
pub const ADBC_ERROR_VENDOR_CODE_PRIVATE_DATA: i32 = i32::MIN;

/// `AdbcError`: what went wrong in a call. The caller's; its content is the driver's until `release`.
#[repr(C)]
#[derive(Debug)]
pub struct AdbcError {
    /// NUL-terminated; may be null.
    pub message: *mut c_char,
    /// A code of the database's own.
    pub vendor_code: i32,
    /// Five characters of SQL:2003, or NULs.
    pub sqlstate: [c_char; 5],
    /// Frees what the driver allocated; null when it allocated nothing.
    pub release: Option<unsafe extern "C" fn(*mut AdbcError)>,
    /// The driver's own.
    pub private_data: *mut c_void,
    /// A driver manager's own.
    pub private_driver: *mut AdbcDriver,
}

impl AdbcError {
    /// As a caller of revision 1.1.0 sets it up (`ADBC_ERROR_INIT`).
    pub const fn new() -> Self {
        Self {
            message: std::ptr::null_mut(),
            vendor_code: ADBC_ERROR_VENDOR_CODE_PRIVATE_DATA,
            sqlstate: [0; 5],
            release: None,
            private_data: std::ptr::null_mut(),
            private_driver: std::ptr::null_mut(),
        }
    }
}

impl Default for AdbcError {
    fn default() -> Self {
        Self::new()
    }
}

/// `AdbcErrorDetail`: a key and a value that a driver adds to an error.
#[repr(C)]
#[derive(Debug)]
pub struct AdbcErrorDetail {
    /// NUL-terminated.
    pub key: *const c_char,
    /// Bytes.
    pub value: *const u8,
    /// How many.
    pub value_length: usize,
}

/// The struct of a database, a connection or a statement: all three have the same two fields.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[repr(C)]
        #[derive(Debug)]
        pub struct $name {
            /// The driver's own; null when there is nothing to release.
            pub private_data: *mut c_void,
            /// A driver manager's own.
            pub private_driver: *mut AdbcDriver,
        }

        impl $name {
            /// As a caller sets it up.
            pub const fn new() -> Self {
                Self {
                    private_data: std::ptr::null_mut(),
                    private_driver: std::ptr::null_mut(),
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        const _: () = {
            assert!(size_of::<$name>() == 16);
            assert!(offset_of!($name, private_driver) == 8);
        };
    };
}

object! {
    /// `AdbcDatabase`: what connections have in common.
    AdbcDatabase
}
object! {
    /// `AdbcConnection`: one session.
    AdbcConnection
}
object! {
    /// `AdbcStatement`: a query with its parameters, or an ingestion.
    AdbcStatement
}

/// A function that this client does not call, in its place in the table.
pub type Unused = Option<unsafe extern "C" fn()>;

/// A function of an object that is given nothing else.
pub type Plain<T> =
    Option<unsafe extern "C" fn(object: *mut T, error: *mut AdbcError) -> AdbcStatusCode>;
/// A function of an object that is given one text.
pub type WithText<T> = Option<
    unsafe extern "C" fn(
        object: *mut T,
        text: *const c_char,
        error: *mut AdbcError,
    ) -> AdbcStatusCode,
>;
/// A function that sets an option of an object.
pub type SetOption<T> = Option<
    unsafe extern "C" fn(
        object: *mut T,
        key: *const c_char,
        value: *const c_char,
        error: *mut AdbcError,
    ) -> AdbcStatusCode,
>;
/// A function that sets an option of an object to a number.
pub type SetNumber<T, N> = Option<
    unsafe extern "C" fn(
        object: *mut T,
        key: *const c_char,
        value: N,
        error: *mut AdbcError,
    ) -> AdbcStatusCode,
>;
/// A function of an object that takes or gives a stream.
pub type WithStream<T> = Option<
    unsafe extern "C" fn(
        object: *mut T,
        stream: *mut ArrowArrayStream,
        error: *mut AdbcError,
    ) -> AdbcStatusCode,
>;

/// `AdbcDriver`: the functions of a driver, filled in by its entry point. What a driver does not have it leaves null.
#[repr(C)]
pub struct AdbcDriver {
    /// The driver's own.
    pub private_data: *mut c_void,
    /// A driver manager's own.
    pub private_manager: *mut c_void,
    /// Frees what the entry point allocated.
    pub release: Plain<AdbcDriver>,

    /// Opens a database.
    pub database_init: Plain<AdbcDatabase>,
    /// Allocates a database.
    pub database_new: Plain<AdbcDatabase>,
    /// Sets an option.
    pub database_set_option: SetOption<AdbcDatabase>,
    /// Frees a database; it has no connections.
    pub database_release: Plain<AdbcDatabase>,

    /// Commits the transaction, and begins the next.
    pub connection_commit: Plain<AdbcConnection>,
    /// Not called.
    pub connection_get_info: Unused,
    /// A stream of catalogs, schemas, tables and columns.
    pub connection_get_objects: Option<
        unsafe extern "C" fn(
            connection: *mut AdbcConnection,
            depth: c_int,
            catalog: *const c_char,
            db_schema: *const c_char,
            table_name: *const c_char,
            table_types: *const *const c_char,
            column_name: *const c_char,
            out: *mut ArrowArrayStream,
            error: *mut AdbcError,
        ) -> AdbcStatusCode,
    >,
    /// The schema of a table.
    pub connection_get_table_schema: Option<
        unsafe extern "C" fn(
            connection: *mut AdbcConnection,
            catalog: *const c_char,
            db_schema: *const c_char,
            table_name: *const c_char,
            out: *mut ArrowSchema,
            error: *mut AdbcError,
        ) -> AdbcStatusCode,
    >,
    /// A stream of one text column.
    pub connection_get_table_types: WithStream<AdbcConnection>,
    /// Opens a connection.
    pub connection_init: Option<
        unsafe extern "C" fn(
            connection: *mut AdbcConnection,
            database: *mut AdbcDatabase,
            error: *mut AdbcError,
        ) -> AdbcStatusCode,
    >,
    /// Allocates a connection.
    pub connection_new: Plain<AdbcConnection>,
    /// Sets an option.
    pub connection_set_option: SetOption<AdbcConnection>,
    /// Not called.
    pub connection_read_partition: Unused,
    /// Frees a connection; it has no statements.
    pub connection_release: Plain<AdbcConnection>,
    /// Rolls the transaction back, and begins the next.
    pub connection_rollback: Plain<AdbcConnection>,

    /// Moves one batch of parameters in.
    pub statement_bind: Option<
        unsafe extern "C" fn(
            statement: *mut AdbcStatement,
            values: *mut ArrowArray,
            schema: *mut ArrowSchema,
            error: *mut AdbcError,
        ) -> AdbcStatusCode,
    >,
    /// Moves a stream of parameters, or of rows to ingest, in.
    pub statement_bind_stream: WithStream<AdbcStatement>,
    /// Runs the statement; without room for a stream its rows are not wanted.
    pub statement_execute_query: Option<
        unsafe extern "C" fn(
            statement: *mut AdbcStatement,
            out: *mut ArrowArrayStream,
            rows_affected: *mut i64,
            error: *mut AdbcError,
        ) -> AdbcStatusCode,
    >,
    /// Not called.
    pub statement_execute_partitions: Unused,
    /// Not called.
    pub statement_get_parameter_schema: Unused,
    /// Allocates a statement.
    pub statement_new: Option<
        unsafe extern "C" fn(
            connection: *mut AdbcConnection,
            statement: *mut AdbcStatement,
            error: *mut AdbcError,
        ) -> AdbcStatusCode,
    >,
    /// Prepares the query, which parameters need.
    pub statement_prepare: Plain<AdbcStatement>,
    /// Frees a statement.
    pub statement_release: Plain<AdbcStatement>,
    /// Sets an option.
    pub statement_set_option: SetOption<AdbcStatement>,
    /// Sets the query.
    pub statement_set_sql_query: WithText<AdbcStatement>,
    /// Not called.
    pub statement_set_substrait_plan: Unused,

    // From here on revision 1.1.0: a driver of revision 1.0.0 does not touch these, so they stay null.
    /// Not called.
    pub error_get_detail_count: Unused,
    /// Not called.
    pub error_get_detail: Unused,
    /// The error behind the last failure of a stream that the driver made; it stays the stream's.
    pub error_from_array_stream: Option<
        unsafe extern "C" fn(
            stream: *mut ArrowArrayStream,
            status: *mut AdbcStatusCode,
        ) -> *const AdbcError,
    >,

    /// Not called.
    pub database_get_option: [Unused; 4],
    /// Not called.
    pub database_set_option_bytes: Unused,
    /// Sets an option.
    pub database_set_option_double: SetNumber<AdbcDatabase, f64>,
    /// Sets an option.
    pub database_set_option_int: SetNumber<AdbcDatabase, i64>,

    /// Stops what runs on the connection; from any thread.
    pub connection_cancel: Plain<AdbcConnection>,
    /// Not called.
    pub connection_get_option: [Unused; 4],
    /// Not called.
    pub connection_get_statistics: Unused,
    /// Not called.
    pub connection_get_statistic_names: Unused,
    /// Not called.
    pub connection_set_option_bytes: Unused,
    /// Sets an option.
    pub connection_set_option_double: SetNumber<AdbcConnection, f64>,
    /// Sets an option.
    pub connection_set_option_int: SetNumber<AdbcConnection, i64>,

    /// Stops the statement's execution, or the reading of its result; from any thread.
    pub statement_cancel: Plain<AdbcStatement>,
    /// Not called.
    pub statement_execute_schema: Unused,
    /// Not called.
    pub statement_get_option: [Unused; 4],
    /// Not called.
    pub statement_set_option_bytes: Unused,
    /// Sets an option.
    pub statement_set_option_double: SetNumber<AdbcStatement, f64>,
    /// Sets an option.
    pub statement_set_option_int: SetNumber<AdbcStatement, i64>,
}

impl AdbcDriver {
    /// As a caller sets it up: without any function.
    pub const fn new() -> Self {
        // SAFETY: null is a value of every field: pointers, and options of functions.
        unsafe { std::mem::zeroed() }
    }
}

impl Default for AdbcDriver {
    fn default() -> Self {
        Self::new()
    }
}

/// `AdbcDriverInitFunc`: a driver's entry point. It fills in the part of an [`AdbcDriver`] that the revision has, or
/// answers `ADBC_STATUS_NOT_IMPLEMENTED` (2) to a revision that it does not know.
pub type AdbcDriverInitFunc = unsafe extern "C" fn(
    version: c_int,
    driver: *mut c_void,
    error: *mut AdbcError,
) -> AdbcStatusCode;

// Drivers address these fields by number.
const _: () = {
    const WORD: usize = size_of::<usize>();
    assert!(size_of::<AdbcError>() == 48);
    assert!(offset_of!(AdbcError, vendor_code) == 8);
    assert!(offset_of!(AdbcError, sqlstate) == 12);
    assert!(offset_of!(AdbcError, release) == 24);
    assert!(offset_of!(AdbcError, private_data) == 32);
    assert!(offset_of!(AdbcError, private_driver) == 40);
    assert!(size_of::<AdbcErrorDetail>() == 24);
    assert!(offset_of!(AdbcDriver, release) == 2 * WORD);
    assert!(offset_of!(AdbcDriver, database_release) == 6 * WORD);
    assert!(offset_of!(AdbcDriver, connection_commit) == 7 * WORD);
    assert!(offset_of!(AdbcDriver, connection_init) == 12 * WORD);
    assert!(offset_of!(AdbcDriver, connection_rollback) == 17 * WORD);
    assert!(offset_of!(AdbcDriver, statement_bind) == 18 * WORD);
    assert!(offset_of!(AdbcDriver, statement_set_substrait_plan) == 28 * WORD);
    // ADBC_DRIVER_1_0_0_SIZE
    assert!(offset_of!(AdbcDriver, error_get_detail_count) == 29 * WORD);
    assert!(offset_of!(AdbcDriver, database_get_option) == 32 * WORD);
    assert!(offset_of!(AdbcDriver, connection_cancel) == 39 * WORD);
    assert!(offset_of!(AdbcDriver, statement_cancel) == 49 * WORD);
    assert!(size_of::<AdbcDriver>() == 58 * WORD);
};
