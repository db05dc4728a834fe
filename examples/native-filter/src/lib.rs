//! A library of one's own: functions over Arrow data, which a program in TypeScript opens with `openLibrary` and
//! calls with its tables and streams.
//!
//! - [`filter_rows`]: a table in, a table out.
//! - [`filter_stream`]: a stream in, a stream out; each batch is filtered when it is asked for.
//! - [`group_by`]: a stream in, a table out.
//!
//! Each exported function has the one shape of a `bow_function` and hands its arguments to
//! [`function`], which moves the inputs in, catches panics and reports errors. What is between is plain Rust over record
//! batches: memory is borrowed from whoever made it, and released when the last array of it is dropped.

mod filter;
mod group;

use bowstring_abi::call::{BowValue, Value, function};
use bowstring_abi::{BowError, Failure, OwnedStream, export_batch, import_table};
use serde::de::DeserializeOwned;

pub use filter::AtLeast;
pub use group::{GroupBy, Groups};

fn options<T: DeserializeOwned>(json: &str) -> Result<T, Failure> {
    serde_json::from_str(json)
        .map_err(|error| Failure::invalid_argument(format!("options: {error}")))
}

/// The rows of a table in which a number is large enough. Options: [`AtLeast`] as JSON.
///
/// # Safety
/// As for every `bow_function`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn filter_rows(
    inputs: *mut BowValue,
    input_count: u32,
    output: *mut BowValue,
    options: *const u8,
    options_length: u32,
    error: *mut BowError,
) -> i32 {
    let body = |[table]: [Value; 1], json: &str| {
        let condition: AtLeast = self::options(json)?;
        let batch = import_table(table.into_table()?)?.batch;
        Ok(Value::Table(export_batch(&condition.filter(&batch)?)?))
    };
    // SAFETY: passed on to the caller.
    unsafe {
        function(
            inputs,
            input_count,
            output,
            options,
            options_length,
            error,
            body,
        )
    }
}

/// As [`filter_rows`], for every batch of a stream.
///
/// # Safety
/// As for every `bow_function`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn filter_stream(
    inputs: *mut BowValue,
    input_count: u32,
    output: *mut BowValue,
    options: *const u8,
    options_length: u32,
    error: *mut BowError,
) -> i32 {
    let body = |[stream]: [Value; 1], json: &str| {
        let condition: AtLeast = self::options(json)?;
        let batches = stream.into_stream()?.into_batches()?;
        let schema = batches.schema().clone();
        let filtered = batches.map(move |batch| condition.filter(&batch?));
        Ok(Value::Stream(OwnedStream::from_batches(schema, filtered)))
    };
    // SAFETY: passed on to the caller.
    unsafe {
        function(
            inputs,
            input_count,
            output,
            options,
            options_length,
            error,
            body,
        )
    }
}

/// Counts the rows of a stream, and adds up a number, for each text of a column. Options: [`GroupBy`] as JSON. The table
/// has the columns `key`, `count` and `sum`, in the order in which the keys come first.
///
/// # Safety
/// As for every `bow_function`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn group_by(
    inputs: *mut BowValue,
    input_count: u32,
    output: *mut BowValue,
    options: *const u8,
    options_length: u32,
    error: *mut BowError,
) -> i32 {
    let body = |[stream]: [Value; 1], json: &str| {
        let mut groups = Groups::new(self::options(json)?);
        for batch in stream.into_stream()?.into_batches()? {
            groups.add(&batch?)?;
        }
        Ok(Value::Table(export_batch(&groups.into_batch()?)?))
    };
    // SAFETY: passed on to the caller.
    unsafe {
        function(
            inputs,
            input_count,
            output,
            options,
            options_length,
            error,
            body,
        )
    }
}

/// The column of this name.
fn column<'a>(
    batch: &'a arrow_array::RecordBatch,
    name: &str,
) -> Result<&'a arrow_array::ArrayRef, Failure> {
    batch
        .column_by_name(name)
        .ok_or_else(|| Failure::invalid_argument(format!("there is no column {name:?}")))
}

/// The column of this name, which must have the type `T`.
fn typed<'a, T: 'static>(
    batch: &'a arrow_array::RecordBatch,
    name: &str,
    expected: &str,
) -> Result<&'a T, Failure> {
    let column = column(batch, name)?;
    column.as_any().downcast_ref().ok_or_else(|| {
        Failure::invalid_argument(format!(
            "column {name:?}: expected {expected} but found {}",
            column.data_type()
        ))
    })
}
