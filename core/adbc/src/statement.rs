//! Statements: queries with their parameters, and ingestions.

use std::sync::Arc;

use bowstring_abi::OwnedStream;

use crate::cancel::{Cancellation, Entered, Stop};
use crate::connection::released_stream;
use crate::error::{DriverError, Error, NOT_IMPLEMENTED, call};
use crate::options::{OptionValue, Setters, text};
use crate::raw::AdbcStatement;
use crate::watched::Watch;
use crate::{Connection, Driver, Options};

/// What becomes of the table that is ingested into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IngestMode {
    /// It is made, and must not exist.
    Create,
    /// It must exist.
    Append,
    /// It is made anew.
    Replace,
    /// It is made if it does not exist.
    CreateAppend,
}

impl IngestMode {
    fn value(self) -> &'static str {
        match self {
            Self::Create => "adbc.ingest.mode.create",
            Self::Append => "adbc.ingest.mode.append",
            Self::Replace => "adbc.ingest.mode.replace",
            Self::CreateAppend => "adbc.ingest.mode.create_append",
        }
    }
}

/// Where an ingestion goes.
#[derive(Debug, Clone)]
pub struct IngestTarget {
    /// The table.
    pub table: String,
    /// What becomes of it.
    pub mode: IngestMode,
    /// Its catalog; by default the connection's.
    pub catalog: Option<String>,
    /// Its schema; by default the connection's.
    pub db_schema: Option<String>,
    /// Whether it is a temporary table.
    pub temporary: bool,
}

/// A statement of a connection. Dropping it releases it.
pub struct Statement<'c> {
    connection: &'c Connection,
    /// On the heap: its address is given to other threads that cancel.
    raw: *mut AdbcStatement,
    cancellation: Arc<Cancellation>,
    entered: Option<Entered>,
    /// Of what is bound.
    watch: Watch,
}

impl<'c> Statement<'c> {
    pub(crate) fn new(
        connection: &'c mut Connection,
        cancellation: &Arc<Cancellation>,
    ) -> Result<Self, Error> {
        let raw = Box::into_raw(Box::new(AdbcStatement::new()));
        let mut statement = Self {
            connection,
            raw,
            cancellation: cancellation.clone(),
            entered: None,
            watch: Watch::default(),
        };
        cancellation.check()?;
        let new = statement.driver().functions().statement_new;
        call("StatementNew", new, |new, error| {
            // SAFETY: the connection is the driver's and used by this thread only; the struct is empty.
            unsafe { new(statement.connection.raw(), raw, error) }
        })?;
        statement.entered = Some(cancellation.enter(statement.stopper())?);
        Ok(statement)
    }

    fn driver(&self) -> &Arc<Driver> {
        self.connection.driver()
    }

    fn stopper(&self) -> Stop {
        struct Address(*mut AdbcStatement);
        // SAFETY: the address is only given to the driver's Cancel, which may be called from any thread.
        unsafe impl Send for Address {}

        let (driver, address) = (self.driver().clone(), Address(self.raw));
        Box::new(move || {
            let address = &address;
            let cancel = driver.functions().statement_cancel;
            call("StatementCancel", cancel, |cancel, error| {
                // SAFETY: the statement lives as long as this may be called, and the function is thread-safe.
                unsafe { cancel(address.0, error) }
            })
        })
    }

    /// Sets an option.
    pub fn set_option(&mut self, key: &str, value: &OptionValue) -> Result<(), Error> {
        let functions = self.driver().functions();
        let setters = Setters {
            name: "StatementSetOption",
            object: self.raw,
            text: functions.statement_set_option,
            int: functions.statement_set_option_int,
            double: functions.statement_set_option_double,
        };
        // SAFETY: the statement is the driver's, and used by this thread only.
        unsafe { setters.set(key, value) }
    }

    /// Sets options.
    pub fn set_options(&mut self, options: &Options) -> Result<(), Error> {
        for (key, value) in options {
            self.set_option(key, value)?;
        }
        Ok(())
    }

    /// Sets the query, in the database's own language.
    pub fn set_query(&mut self, query: &str) -> Result<(), Error> {
        let query = text(query, "the query")?;
        let set = self.driver().functions().statement_set_sql_query;
        call("StatementSetSqlQuery", set, |set, error| {
            // SAFETY: the statement is the driver's and used by this thread only; the text outlives the call.
            unsafe { set(self.raw, query.as_ptr(), error) }
        })?;
        Ok(())
    }

    /// Makes the statement one that ingests what is bound.
    pub fn set_target(&mut self, target: &IngestTarget) -> Result<(), Error> {
        self.set_option("adbc.ingest.target_table", &(&*target.table).into())?;
        self.set_option("adbc.ingest.mode", &target.mode.value().into())?;
        if let Some(catalog) = &target.catalog {
            self.set_option("adbc.ingest.target_catalog", &(&**catalog).into())?;
        }
        if let Some(db_schema) = &target.db_schema {
            self.set_option("adbc.ingest.target_db_schema", &(&**db_schema).into())?;
        }
        if target.temporary {
            self.set_option("adbc.ingest.temporary", &true.into())?;
        }
        Ok(())
    }

    /// Prepares the query, which parameters need. A driver that cannot, or need not, is left at that.
    pub fn prepare(&mut self) -> Result<(), Error> {
        self.cancellation.check()?;
        let prepare = self.driver().functions().statement_prepare;
        let done = call("StatementPrepare", prepare, |prepare, error| {
            // SAFETY: the statement is the driver's, and used by this thread only.
            unsafe { prepare(self.raw, error) }
        });
        match done {
            Err(error) if error.status != NOT_IMPLEMENTED => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Gives the statement its parameters, or the rows to ingest. The driver reads the stream, on whatever threads, and
    /// releases it at the latest when the statement is released. If the stream fails, so does the execution, also with a
    /// driver that takes that for the stream's end; what the driver had done by then stands.
    pub fn bind(&mut self, stream: OwnedStream) -> Result<(), Error> {
        let mut raw = self.watch.over(stream).into_raw();
        let bind = self.driver().functions().statement_bind_stream;
        let done = call("StatementBindStream", bind, |bind, error| {
            // SAFETY: the statement is the driver's and used by this thread only; the stream is given away.
            unsafe { bind(self.raw, &mut raw, error) }
        });
        // What the driver has not taken. SAFETY: not released, so it is still this side's.
        drop(unsafe { OwnedStream::take(&mut raw) });
        Ok(done?)
    }

    /// Runs the query. Its rows are read from the result, during which the statement lives.
    pub fn query(self) -> Result<QueryResult<'c>, Error> {
        self.cancellation.check()?;
        let mut stream = released_stream();
        let done = self.execute_into(&mut stream);
        // SAFETY: what the driver wrote is this side's to release, whatever it answered.
        let stream = unsafe { OwnedStream::take(&mut stream) };
        self.check_source()?;
        done?;
        Ok(QueryResult {
            stream,
            statement: self,
        })
    }

    /// Runs the statement without its rows. How many rows it affected, if the driver knows.
    pub fn execute(self) -> Result<Option<i64>, Error> {
        self.cancellation.check()?;
        let done = self.execute_into(std::ptr::null_mut());
        // First: it is the cause of what the driver says.
        self.check_source()?;
        let rows = done?;
        Ok((rows >= 0).then_some(rows))
    }

    fn check_source(&self) -> Result<(), Error> {
        match self.watch.error() {
            Some(error) => Err(Error::Source(error)),
            None => Ok(()),
        }
    }

    fn execute_into(&self, out: *mut bowstring_abi::ArrowArrayStream) -> Result<i64, DriverError> {
        let mut rows = -1;
        let execute = self.driver().functions().statement_execute_query;
        call("StatementExecuteQuery", execute, |execute, error| {
            // SAFETY: the statement is the driver's and used by this thread only; `out` is null or has room.
            unsafe { execute(self.raw, out, &mut rows, error) }
        })?;
        Ok(rows)
    }
}

impl Drop for Statement<'_> {
    fn drop(&mut self) {
        // First: nobody may cancel a statement that is being released.
        self.entered = None;
        // SAFETY: made by `new`, and released here only.
        let mut statement = unsafe { Box::from_raw(self.raw) };
        if statement.private_data.is_null() {
            return;
        }
        let release = self.driver().functions().statement_release;
        let _ = call("StatementRelease", release, |release, error| {
            // SAFETY: the driver allocated it; its result, which owns it, has been released.
            unsafe { release(&mut *statement, error) }
        });
    }
}

/// The rows of a query.
pub struct QueryResult<'c> {
    // Released before the statement that it comes from.
    stream: OwnedStream,
    statement: Statement<'c>,
}

impl QueryResult<'_> {
    /// The stream of the rows.
    pub fn stream(&mut self) -> &mut OwnedStream {
        &mut self.stream
    }

    /// Whether what the statement was to read failed: a driver may read its parameters while its rows are read.
    pub fn check(&self) -> Result<(), Error> {
        self.statement.check_source()
    }

    /// The driver.
    pub fn driver(&self) -> &Arc<Driver> {
        self.statement.driver()
    }
}
