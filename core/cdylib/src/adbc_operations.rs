//! What is done on a connection's thread.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{Int64Array, RecordBatch};
use bowstring_abi::{Failure, OwnedStream, Status, StreamError, export_batch};
use bowstring_adbc::{
    Connection, DriverError, Error, IngestMode, IngestTarget, ObjectDepth, ObjectFilter,
    OptionValue, Statement, Stream,
};
use bowstring_runtime::{ImportOptions, Outlet};
use serde::Deserialize;
use serde_json::Value;

use crate::adbc::Current;

/// Options of a driver by name.
type OptionsJson = BTreeMap<String, Value>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OpenOptions {
    pub driver: String,
    pub entrypoint: Option<String>,
    #[serde(default)]
    options: OptionsJson,
    #[serde(default)]
    connection_options: OptionsJson,
}

impl OpenOptions {
    pub fn database(&self) -> Result<Vec<(String, OptionValue)>, Failure> {
        driver_options(&self.options)
    }

    pub fn connection(&self) -> Result<Vec<(String, OptionValue)>, Failure> {
        driver_options(&self.connection_options)
    }
}

fn driver_options(options: &OptionsJson) -> Result<Vec<(String, OptionValue)>, Failure> {
    let option = |(key, value): (&String, &Value)| {
        let value = match value {
            Value::String(text) => OptionValue::Text(text.clone()),
            Value::Bool(value) => OptionValue::Bool(*value),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(number), _) => OptionValue::Int(number),
                (None, Some(number)) => OptionValue::Double(number),
                (None, None) => return Err(not_a_value(key, value)),
            },
            _ => return Err(not_a_value(key, value)),
        };
        Ok((key.clone(), value))
    };
    options.iter().map(option).collect()
}

fn not_a_value(key: &str, value: &Value) -> Failure {
    Failure::invalid_argument(format!(
        "option {key}: expected a string, a boolean or a number but found {value}"
    ))
}

#[derive(Deserialize)]
#[serde(
    tag = "operation",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(crate) enum Operation {
    Query {
        sql: String,
        #[serde(default)]
        options: OptionsJson,
        #[serde(default)]
        flags: u32,
    },
    Execute {
        sql: String,
        #[serde(default)]
        options: OptionsJson,
    },
    Ingest {
        table: String,
        mode: IngestModeJson,
        catalog: Option<String>,
        schema: Option<String>,
        #[serde(default)]
        temporary: bool,
        #[serde(default)]
        options: OptionsJson,
    },
    Begin,
    Commit,
    Rollback,
    TableSchema {
        table: String,
        catalog: Option<String>,
        schema: Option<String>,
        #[serde(default)]
        flags: u32,
    },
    TableTypes {
        #[serde(default)]
        flags: u32,
    },
    Objects {
        #[serde(default)]
        depth: DepthJson,
        catalog: Option<String>,
        schema: Option<String>,
        table: Option<String>,
        table_types: Option<Vec<String>>,
        column: Option<String>,
        #[serde(default)]
        flags: u32,
    },
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "camelCase")]
pub(crate) enum IngestModeJson {
    Create,
    Append,
    Replace,
    CreateAppend,
}

#[derive(Deserialize, Clone, Copy, Default)]
#[serde(rename_all = "camelCase")]
pub(crate) enum DepthJson {
    Catalogs,
    Schemas,
    Tables,
    #[default]
    Columns,
}

impl Operation {
    /// Whether there must be a stream; a query may have one.
    pub fn needs_input(&self) -> bool {
        matches!(self, Self::Ingest { .. })
    }

    /// Refuses what could not be done, before it is queued.
    pub fn checked(self) -> Result<Self, Failure> {
        match &self {
            Self::Query { options, flags, .. } => {
                driver_options(options)?;
                ImportOptions::from_flags(*flags)?;
            }
            Self::Execute { options, .. } | Self::Ingest { options, .. } => {
                driver_options(options)?;
            }
            Self::TableSchema { flags, .. }
            | Self::TableTypes { flags }
            | Self::Objects { flags, .. } => {
                ImportOptions::from_flags(*flags)?;
            }
            Self::Begin | Self::Commit | Self::Rollback => {}
        }
        Ok(self)
    }
}

/// What a connection's thread owns.
pub(crate) struct Session {
    connection: Option<Connection>,
    current: Arc<Current>,
}

impl Session {
    pub fn new(current: Arc<Current>) -> Self {
        Self {
            connection: None,
            current,
        }
    }

    pub fn opened(&mut self, connection: Result<Connection, Failure>) -> Result<(), Failure> {
        self.connection = Some(connection?);
        Ok(())
    }

    pub fn close(&mut self) -> Result<(), Failure> {
        match self.connection.take() {
            Some(connection) => connection.close().map_err(failure),
            None => Ok(()),
        }
    }
}

/// Does one operation.
pub(crate) fn perform(
    session: &mut Session,
    operation: Operation,
    input: Option<OwnedStream>,
    outlet: &Outlet,
) -> Result<(), Failure> {
    let cancellation = session.current.get();
    let connection = session
        .connection
        .as_mut()
        .ok_or_else(|| Failure::new(Status::StaleHandle, "this connection could not be opened"))?;
    let driver = connection.driver().clone();
    let stream_failed = |stream: &mut OwnedStream, error: StreamError| {
        failure(Error::Driver(driver.stream_error(stream, error)))
    };
    match operation {
        Operation::Query {
            sql,
            options,
            flags,
        } => {
            let mut statement = connection.statement(&cancellation).map_err(failure)?;
            set_query(&mut statement, &sql, &options, input)?;
            let mut result = statement.query().map_err(failure)?;
            let done = outlet.pull(
                result.stream(),
                ImportOptions::from_flags(flags)?,
                stream_failed,
            );
            result.check().map_err(failure)?;
            done
        }
        Operation::Execute { sql, options } => {
            let mut statement = connection.statement(&cancellation).map_err(failure)?;
            set_query(&mut statement, &sql, &options, input)?;
            send_rows(statement.execute().map_err(failure)?, outlet)
        }
        Operation::Ingest {
            table,
            mode,
            catalog,
            schema,
            temporary,
            options,
        } => {
            let target = IngestTarget {
                table,
                mode: mode.into(),
                catalog,
                db_schema: schema,
                temporary,
            };
            let mut statement = connection.statement(&cancellation).map_err(failure)?;
            statement.set_target(&target).map_err(failure)?;
            statement
                .set_options(&driver_options(&options)?)
                .map_err(failure)?;
            let input = input.ok_or_else(|| Failure::invalid_argument("there is no stream"))?;
            statement.bind(input).map_err(failure)?;
            send_rows(statement.execute().map_err(failure)?, outlet)
        }
        Operation::Begin => connection.begin().map_err(failure),
        Operation::Commit => connection.commit().map_err(failure),
        Operation::Rollback => connection.rollback().map_err(failure),
        Operation::TableSchema {
            table,
            catalog,
            schema,
            flags,
        } => {
            let found = connection.table_schema(catalog.as_deref(), schema.as_deref(), &table);
            let found = found.map_err(failure)?;
            outlet.send_schema(found.schema(), ImportOptions::from_flags(flags)?)
        }
        Operation::TableTypes { flags } => {
            let stream = connection.table_types(&cancellation).map_err(failure)?;
            pull(stream, flags, outlet, stream_failed)
        }
        Operation::Objects {
            depth,
            catalog,
            schema,
            table,
            table_types,
            column,
            flags,
        } => {
            let filter = ObjectFilter {
                depth: depth.into(),
                catalog,
                db_schema: schema,
                table,
                table_types,
                column,
            };
            let stream = connection
                .objects(&filter, &cancellation)
                .map_err(failure)?;
            pull(stream, flags, outlet, stream_failed)
        }
    }
}

fn set_query(
    statement: &mut Statement<'_>,
    sql: &str,
    options: &OptionsJson,
    parameters: Option<OwnedStream>,
) -> Result<(), Failure> {
    statement
        .set_options(&driver_options(options)?)
        .map_err(failure)?;
    statement.set_query(sql).map_err(failure)?;
    if let Some(parameters) = parameters {
        statement.prepare().map_err(failure)?;
        statement.bind(parameters).map_err(failure)?;
    }
    Ok(())
}

fn pull(
    mut stream: Stream,
    flags: u32,
    outlet: &Outlet,
    failed: impl Fn(&mut OwnedStream, StreamError) -> Failure,
) -> Result<(), Failure> {
    outlet.pull(stream.get(), ImportOptions::from_flags(flags)?, failed)
}

/// A table of one row: how many rows were affected.
fn send_rows(rows: Option<i64>, outlet: &Outlet) -> Result<(), Failure> {
    let column = Arc::new(Int64Array::from(vec![rows])) as _;
    let batch = RecordBatch::try_from_iter_with_nullable([("rows_affected", column, true)])
        .map_err(|error| Failure::new(Status::Panic, error.to_string()))?;
    // Nobody may want the result any more; what was done stands.
    let _ = outlet.send(vec![export_batch(&batch)?]);
    Ok(())
}

pub(crate) fn failure(error: Error) -> Failure {
    let status = match &error {
        Error::Library(_) | Error::Source(_) => Status::Io,
        Error::EntryPoint(_) | Error::Nul(_) => Status::InvalidArgument,
        Error::Cancelled => Status::Cancelled,
        Error::Driver(error) => return driver_failure(error),
    };
    Failure::new(status, error.to_string())
}

/// In the form that the status promises: a line of what a program reads, then what a person does.
fn driver_failure(error: &DriverError) -> Failure {
    let status = error.status_name();
    let code = error.vendor_code.unwrap_or(0);
    let sqlstate = error.sqlstate.as_deref().unwrap_or("-");
    let message = format!("{status} {code} {sqlstate}\n{}", error.message);
    Failure::new(Status::Adbc, message)
}

impl From<IngestModeJson> for IngestMode {
    fn from(mode: IngestModeJson) -> Self {
        match mode {
            IngestModeJson::Create => Self::Create,
            IngestModeJson::Append => Self::Append,
            IngestModeJson::Replace => Self::Replace,
            IngestModeJson::CreateAppend => Self::CreateAppend,
        }
    }
}

impl From<DepthJson> for ObjectDepth {
    fn from(depth: DepthJson) -> Self {
        match depth {
            DepthJson::Catalogs => Self::Catalogs,
            DepthJson::Schemas => Self::Schemas,
            DepthJson::Tables => Self::Tables,
            DepthJson::Columns => Self::Columns,
        }
    }
}
