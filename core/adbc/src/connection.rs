//! Databases and connections.

use std::ffi::{CString, c_char, c_int};
use std::sync::Arc;

use bowstring_abi::{ArrowArrayStream, ArrowSchema, OwnedStream, OwnedTable};

use crate::cancel::{Cancellation, Entered, Stop};
use crate::error::{DriverError, Error, call};
use crate::options::{OptionValue, Setters, optional, pointer, text};
use crate::raw::{AdbcConnection, AdbcDatabase};
use crate::{Driver, Statement};

/// Names of options with their values.
pub type Options = [(String, OptionValue)];

/// A database: what a driver shares between connections. Dropping it releases it.
struct Database {
    driver: Arc<Driver>,
    /// On the heap, since a driver may keep its address.
    raw: *mut AdbcDatabase,
}

impl Database {
    fn open(driver: Arc<Driver>, options: &Options) -> Result<Self, Error> {
        let raw = Box::into_raw(Box::new(AdbcDatabase::new()));
        // Released even if the driver fails to allocate: its private data then says that there is nothing.
        let database = Self { driver, raw };
        let functions = database.driver.functions();
        call("DatabaseNew", functions.database_new, |new, error| {
            // SAFETY: the struct is this side's, and empty.
            unsafe { new(raw, error) }
        })?;
        let setters = Setters {
            name: "DatabaseSetOption",
            object: raw,
            text: functions.database_set_option,
            int: functions.database_set_option_int,
            double: functions.database_set_option_double,
        };
        for (key, value) in options {
            // SAFETY: the database is the driver's, and not shared yet.
            unsafe { setters.set(key, value) }?;
        }
        call("DatabaseInit", functions.database_init, |init, error| {
            // SAFETY: as above.
            unsafe { init(raw, error) }
        })?;
        Ok(database)
    }

    fn release(&mut self) -> Result<(), DriverError> {
        let raw = std::mem::replace(&mut self.raw, std::ptr::null_mut());
        if raw.is_null() {
            return Ok(());
        }
        // SAFETY: made by `open`, and not released before, since `raw` is null then.
        let mut database = unsafe { Box::from_raw(raw) };
        if database.private_data.is_null() {
            return Ok(());
        }
        let release = self.driver.functions().database_release;
        call("DatabaseRelease", release, |release, error| {
            // SAFETY: the driver allocated it, and its connections have been released.
            unsafe { release(&mut *database, error) }
        })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = self.release();
    }
}

/// A connection to a database. Dropping it releases it, and then its database.
///
/// A connection, and what it makes, is used by one thread at a time; what stops it may be called from any.
pub struct Connection {
    raw: *mut AdbcConnection,
    /// Whether [`begin`](Self::begin) was called, and the transaction has not ended.
    in_transaction: bool,
    // After the connection.
    database: Database,
}

// SAFETY: drivers bind neither databases nor connections to a thread: they may be used by any, one at a time, which
// `&mut self` and statements that borrow the connection see to.
unsafe impl Send for Connection {}

const AUTOCOMMIT: &str = "adbc.connection.autocommit";

impl Connection {
    /// Opens a database and a connection to it.
    pub fn open(
        driver: Arc<Driver>,
        database_options: &Options,
        connection_options: &Options,
    ) -> Result<Self, Error> {
        let database = Database::open(driver, database_options)?;
        let raw = Box::into_raw(Box::new(AdbcConnection::new()));
        let connection = Self {
            raw,
            in_transaction: false,
            database,
        };
        let functions = connection.driver().functions();
        call("ConnectionNew", functions.connection_new, |new, error| {
            // SAFETY: the struct is this side's, and empty.
            unsafe { new(raw, error) }
        })?;
        for (key, value) in connection_options {
            connection.set_option(key, value)?;
        }
        call(
            "ConnectionInit",
            functions.connection_init,
            |init, error| {
                // SAFETY: both are the driver's, and used by this thread only.
                unsafe { init(raw, connection.database.raw, error) }
            },
        )?;
        Ok(connection)
    }

    /// The driver.
    pub fn driver(&self) -> &Arc<Driver> {
        &self.database.driver
    }

    pub(crate) fn raw(&self) -> *mut AdbcConnection {
        self.raw
    }

    /// Sets an option.
    fn set_option(&self, key: &str, value: &OptionValue) -> Result<(), Error> {
        let functions = self.driver().functions();
        let setters = Setters {
            name: "ConnectionSetOption",
            object: self.raw,
            text: functions.connection_set_option,
            int: functions.connection_set_option_int,
            double: functions.connection_set_option_double,
        };
        // SAFETY: the connection is the driver's, and used by this thread only.
        unsafe { setters.set(key, value) }
    }

    /// A statement, which `cancellation` stops.
    pub fn statement(&mut self, cancellation: &Arc<Cancellation>) -> Result<Statement<'_>, Error> {
        Statement::new(self, cancellation)
    }

    /// Begins a transaction: what is executed from here on is kept by [`commit`](Self::commit) and undone by
    /// [`rollback`](Self::rollback).
    pub fn begin(&mut self) -> Result<(), Error> {
        if self.in_transaction {
            return Err(invalid_state("a transaction has begun already"));
        }
        self.set_option(AUTOCOMMIT, &false.into())?;
        self.in_transaction = true;
        Ok(())
    }

    /// Keeps what was executed since [`begin`](Self::begin). When this fails the transaction has not ended.
    pub fn commit(&mut self) -> Result<(), Error> {
        self.require_transaction()?;
        let commit = self.driver().functions().connection_commit;
        call("ConnectionCommit", commit, |commit, error| {
            // SAFETY: the connection is the driver's, and used by this thread only.
            unsafe { commit(self.raw, error) }
        })?;
        self.leave_transaction()
    }

    /// Undoes what was executed since [`begin`](Self::begin).
    pub fn rollback(&mut self) -> Result<(), Error> {
        self.require_transaction()?;
        let rollback = self.driver().functions().connection_rollback;
        call("ConnectionRollback", rollback, |rollback, error| {
            // SAFETY: as above.
            unsafe { rollback(self.raw, error) }
        })?;
        self.leave_transaction()
    }

    /// In ADBC a transaction follows the other as long as there is no autocommit.
    fn leave_transaction(&mut self) -> Result<(), Error> {
        self.set_option(AUTOCOMMIT, &true.into())?;
        self.in_transaction = false;
        Ok(())
    }

    fn require_transaction(&self) -> Result<(), Error> {
        match self.in_transaction {
            true => Ok(()),
            false => Err(invalid_state("no transaction has begun")),
        }
    }

    /// The schema of a table, in a table without an array.
    pub fn table_schema(
        &mut self,
        catalog: Option<&str>,
        db_schema: Option<&str>,
        table: &str,
    ) -> Result<OwnedTable, Error> {
        let catalog = optional(catalog, "the catalog")?;
        let db_schema = optional(db_schema, "the schema")?;
        let table = text(table, "the name of a table")?;
        let get = self.driver().functions().connection_get_table_schema;
        let mut schema = ArrowSchema::released();
        let done = call("ConnectionGetTableSchema", get, |get, error| {
            // SAFETY: the connection is the driver's and used by this thread only; the texts outlive the call.
            unsafe {
                let (catalog, db_schema) = (pointer(&catalog), pointer(&db_schema));
                let table = table.as_ptr();
                get(self.raw, catalog, db_schema, table, &mut schema, error)
            }
        });
        // Whatever it answered, what it wrote is to be released. SAFETY: the driver gave it to this side.
        let schema = unsafe { OwnedTable::take_schema(&mut schema) };
        done?;
        Ok(schema)
    }

    /// The kinds of tables that the database has: a stream of one column of text.
    pub fn table_types(&mut self, cancellation: &Arc<Cancellation>) -> Result<Stream, Error> {
        let get = self.driver().functions().connection_get_table_types;
        self.stream(cancellation, |connection, out| {
            call("ConnectionGetTableTypes", get, |get, error| {
                // SAFETY: the connection is the driver's and used by this thread only.
                unsafe { get(connection, out, error) }
            })
        })
    }

    /// What the database holds, as a stream of one row per catalog, in the nested columns that ADBC defines for
    /// `AdbcConnectionGetObjects`.
    pub fn objects(
        &mut self,
        filter: &ObjectFilter,
        cancellation: &Arc<Cancellation>,
    ) -> Result<Stream, Error> {
        let catalog = optional(filter.catalog.as_deref(), "the catalog")?;
        let db_schema = optional(filter.db_schema.as_deref(), "the schema")?;
        let table = optional(filter.table.as_deref(), "the name of a table")?;
        let column = optional(filter.column.as_deref(), "the name of a column")?;
        let types: Option<Vec<CString>> = match &filter.table_types {
            Some(types) => {
                let types = types.iter().map(|kind| text(kind, "a kind of tables"));
                Some(types.collect::<Result<_, _>>()?)
            }
            None => None,
        };
        let addresses: Option<Vec<*const c_char>> = types.as_ref().map(|types| {
            let addresses = types.iter().map(|kind| kind.as_ptr());
            addresses.chain([std::ptr::null()]).collect()
        });
        let types = addresses
            .as_ref()
            .map_or(std::ptr::null(), |addresses| addresses.as_ptr());
        let get = self.driver().functions().connection_get_objects;
        self.stream(cancellation, |connection, out| {
            call("ConnectionGetObjects", get, |get, error| {
                // SAFETY: the connection is the driver's and used by this thread only; the texts outlive the call.
                unsafe {
                    get(
                        connection,
                        filter.depth as c_int,
                        pointer(&catalog),
                        pointer(&db_schema),
                        pointer(&table),
                        types,
                        pointer(&column),
                        out,
                        error,
                    )
                }
            })
        })
    }

    fn stream(
        &mut self,
        cancellation: &Arc<Cancellation>,
        get: impl FnOnce(*mut AdbcConnection, *mut ArrowArrayStream) -> Result<(), DriverError>,
    ) -> Result<Stream, Error> {
        let entered = cancellation.enter(self.stopper())?;
        let mut stream = released_stream();
        let done = get(self.raw, &mut stream);
        // SAFETY: what the driver wrote is this side's to release, whatever it answered.
        let stream = unsafe { OwnedStream::take(&mut stream) };
        done?;
        Ok(Stream {
            stream,
            _entered: entered,
        })
    }

    fn stopper(&self) -> Stop {
        struct Address(*mut AdbcConnection);
        // SAFETY: the address is only given to the driver's Cancel, which may be called from any thread.
        unsafe impl Send for Address {}

        let (driver, address) = (self.driver().clone(), Address(self.raw));
        Box::new(move || {
            let address = &address;
            let cancel = driver.functions().connection_cancel;
            call("ConnectionCancel", cancel, |cancel, error| {
                // SAFETY: the connection lives as long as this may be called, and the function is thread-safe.
                unsafe { cancel(address.0, error) }
            })
        })
    }

    /// Releases the connection and its database, and says if the driver fails at that.
    pub fn close(mut self) -> Result<(), Error> {
        let connection = self.release();
        let database = self.database.release();
        Ok(connection.and(database)?)
    }

    fn release(&mut self) -> Result<(), DriverError> {
        let raw = std::mem::replace(&mut self.raw, std::ptr::null_mut());
        if raw.is_null() {
            return Ok(());
        }
        // SAFETY: made by `open`, and not released before, since `raw` is null then.
        let mut connection = unsafe { Box::from_raw(raw) };
        if connection.private_data.is_null() {
            return Ok(());
        }
        let release = self.driver().functions().connection_release;
        call("ConnectionRelease", release, |release, error| {
            // SAFETY: the driver allocated it; statements, which borrow it, have been released.
            unsafe { release(&mut *connection, error) }
        })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let _ = self.release();
    }
}

/// What to tell of a database's objects.
#[derive(Debug, Clone, Default)]
pub struct ObjectFilter {
    /// How deep to go.
    pub depth: ObjectDepth,
    /// Only this catalog.
    pub catalog: Option<String>,
    /// Only schemas whose names match this pattern of SQL's LIKE.
    pub db_schema: Option<String>,
    /// Only tables whose names match this pattern.
    pub table: Option<String>,
    /// Only tables of these kinds.
    pub table_types: Option<Vec<String>>,
    /// Only columns whose names match this pattern.
    pub column: Option<String>,
}

/// How deep [`Connection::objects`] goes, with ADBC's numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ObjectDepth {
    /// Down to columns.
    #[default]
    Columns = 0,
    /// Catalogs only.
    Catalogs = 1,
    /// Catalogs and schemas.
    Schemas = 2,
    /// Catalogs, schemas and tables.
    Tables = 3,
}

/// A stream that a connection gives, which can be stopped as long as it lives.
pub struct Stream {
    // Released before it is no longer to be stopped: a release may have to wait for the server.
    stream: OwnedStream,
    _entered: Entered,
}

impl Stream {
    /// The stream itself.
    pub fn get(&mut self) -> &mut OwnedStream {
        &mut self.stream
    }
}

pub(crate) fn released_stream() -> ArrowArrayStream {
    ArrowArrayStream {
        get_schema: None,
        get_next: None,
        get_last_error: None,
        release: None,
        private_data: std::ptr::null_mut(),
    }
}

fn invalid_state(message: &str) -> Error {
    Error::Driver(DriverError {
        status: 6,
        message: message.to_owned(),
        vendor_code: None,
        sqlstate: None,
    })
}
