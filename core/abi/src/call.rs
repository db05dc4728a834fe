//! The one shape of a function that takes and gives Arrow data, so that a caller in another language can call any
//! such function of any library.

use std::mem::{ManuallyDrop, align_of, offset_of, size_of};

use crate::guard::guard;
use crate::raw::{ArrowArrayStream, BowTable};
use crate::{BowError, Failure, OwnedStream, OwnedTable, Status};

/// There is nothing in a bow_value.
pub const BOW_VALUE_NONE: u32 = 0;
/// A bow_value is a table.
pub const BOW_VALUE_TABLE: u32 = 1;
/// A bow_value is a stream.
pub const BOW_VALUE_STREAM: u32 = 2;

/// What a bow_value is.
#[repr(C)]
pub union BowContent {
    /// A table, if the kind is BOW_VALUE_TABLE.
    pub table: ManuallyDrop<BowTable>,
    /// A stream, if the kind is BOW_VALUE_STREAM.
    pub stream: ManuallyDrop<ArrowArrayStream>,
}

/// What goes into a bow_function and comes out of it: a table, a stream or nothing.
#[repr(C)]
pub struct BowValue {
    /// BOW_VALUE_NONE, BOW_VALUE_TABLE or BOW_VALUE_STREAM.
    pub kind: u32,
    /// Not used; 0.
    pub reserved: u32,
    /// The table or the stream.
    pub content: BowContent,
}

/// A function that takes and gives Arrow data, of any library. It answers 0, or from 16 up one of enum bow_status (such
/// as BOW_INVALID_ARGUMENT, BOW_INVALID_ARROW, BOW_UNSUPPORTED or BOW_IO) and then describes the failure in error.
///
/// It takes over the inputs that it wants to keep, by setting the release of their structs to null; the others it may
/// read until it returns, and the caller releases them then. output is BOW_VALUE_NONE when it is called; on success what
/// it is then is the caller's to release, on failure it is BOW_VALUE_NONE still. options, which may be null when
/// options_length is 0, are bytes of any meaning, readable until it returns.
///
/// It may run on any thread, several times at once. Nothing may be unwound out of it.
pub type BowFunction = unsafe extern "C" fn(
    inputs: *mut BowValue,
    input_count: u32,
    output: *mut BowValue,
    options: *const u8,
    options_length: u32,
    error: *mut BowError,
) -> i32;

const _: () = {
    assert!(size_of::<BowValue>() == 160 && align_of::<BowValue>() == 8);
    assert!(offset_of!(BowValue, content) == 8);
};

/// A [`BowValue`] that is this side's to release.
#[derive(Debug)]
pub enum Value {
    /// Nothing.
    None,
    /// A table.
    Table(OwnedTable),
    /// A stream.
    Stream(OwnedStream),
}

impl Value {
    /// Moves the value out of `source`, where nothing is left.
    ///
    /// # Safety
    /// `source` is aligned, readable and writable; if its kind is that of a table or a stream, its structs are each
    /// released or the caller's to give up.
    pub unsafe fn take(source: *mut BowValue) -> Result<Self, Failure> {
        // SAFETY: by contract, here and below; the kind says which field of the union there is.
        let value = unsafe { &mut *source };
        let kind = std::mem::replace(&mut value.kind, BOW_VALUE_NONE);
        match kind {
            BOW_VALUE_NONE => Ok(Self::None),
            BOW_VALUE_TABLE => {
                // SAFETY: as above.
                Ok(Self::Table(unsafe {
                    OwnedTable::take(&mut *value.content.table)
                }))
            }
            BOW_VALUE_STREAM => {
                // SAFETY: as above.
                Ok(Self::Stream(unsafe {
                    OwnedStream::take(&mut *value.content.stream)
                }))
            }
            other => Err(Failure::invalid_argument(format!(
                "expected a value of kind 0, 1 or 2 but found {other}"
            ))),
        }
    }

    /// Gives the structs, and the duty to release them, to the caller.
    pub fn into_raw(self) -> BowValue {
        let (kind, content) = match self {
            Self::None => (
                BOW_VALUE_NONE,
                BowContent {
                    table: ManuallyDrop::new(BowTable::released()),
                },
            ),
            Self::Table(table) => (
                BOW_VALUE_TABLE,
                BowContent {
                    table: ManuallyDrop::new(table.into_raw()),
                },
            ),
            Self::Stream(stream) => (
                BOW_VALUE_STREAM,
                BowContent {
                    stream: ManuallyDrop::new(stream.into_raw()),
                },
            ),
        };
        BowValue {
            kind,
            reserved: 0,
            content,
        }
    }

    /// What this is, in words.
    pub fn name(&self) -> &'static str {
        match self {
            Self::None => "nothing",
            Self::Table(_) => "a table",
            Self::Stream(_) => "a stream",
        }
    }

    /// The table that this is.
    pub fn into_table(self) -> Result<OwnedTable, Failure> {
        match self {
            Self::Table(table) => Ok(table),
            other => Err(Failure::invalid_argument(format!(
                "expected a table but found {}",
                other.name()
            ))),
        }
    }

    /// The stream that this is.
    pub fn into_stream(self) -> Result<OwnedStream, Failure> {
        match self {
            Self::Stream(stream) => Ok(stream),
            other => Err(Failure::invalid_argument(format!(
                "expected a stream but found {}",
                other.name()
            ))),
        }
    }
}

/// Runs the body of a [`BowFunction`]: the body gets the inputs as values and the options, and gives the output. Errors
/// and panics are reported as a caller expects them.
///
/// ```
/// use arrow_array::RecordBatch;
/// use bowstring_abi::call::{BowValue, Value, function};
/// use bowstring_abi::{BowError, export_batch, import_table};
///
/// /// The first rows of a table; the options are their number, as text.
/// ///
/// /// # Safety
/// /// As for every `bow_function`.
/// #[unsafe(no_mangle)]
/// pub unsafe extern "C" fn example_head(
///     inputs: *mut BowValue,
///     input_count: u32,
///     output: *mut BowValue,
///     options: *const u8,
///     options_length: u32,
///     error: *mut BowError,
/// ) -> i32 {
///     let body = |[table]: [Value; 1], options: &str| {
///         let batch: RecordBatch = import_table(table.into_table()?)?.batch;
///         let rows = options.parse().unwrap_or(10).min(batch.num_rows());
///         Ok(Value::Table(export_batch(&batch.slice(0, rows))?))
///     };
///     // SAFETY: passed on to the caller.
///     unsafe { function(inputs, input_count, output, options, options_length, error, body) }
/// }
/// ```
///
/// # Safety
/// The pointers are those that a caller of a [`BowFunction`] passes.
pub unsafe fn function<const N: usize>(
    inputs: *mut BowValue,
    input_count: u32,
    output: *mut BowValue,
    options: *const u8,
    options_length: u32,
    error: *mut BowError,
    body: impl FnOnce([Value; N], &str) -> Result<Value, Failure>,
) -> i32 {
    let run = || {
        if input_count as usize != N {
            return Err(Failure::invalid_argument(format!(
                "expected {N} inputs but found {input_count}"
            )));
        }
        if output.is_null() || (inputs.is_null() && N > 0) {
            return Err(Failure::invalid_argument("inputs or output is null"));
        }
        let taken = (0..N)
            // SAFETY: there are as many inputs, and they are the function's to take.
            .map(|index| unsafe { Value::take(inputs.add(index)) })
            .collect::<Result<Vec<_>, _>>()?;
        let taken: [Value; N] = taken.try_into().expect("as many as were taken");
        let options = match (options.is_null(), options_length) {
            (_, 0) => &[][..],
            (true, _) => return Err(Failure::invalid_argument("options is null")),
            // SAFETY: the caller says that as many bytes are readable.
            (false, length) => unsafe { std::slice::from_raw_parts(options, length as usize) },
        };
        let options = std::str::from_utf8(options)
            .map_err(|error| Failure::invalid_argument(format!("options: {error}")))?;
        let value = body(taken, options)?;
        // SAFETY: the caller passes room for a value, which holds nothing.
        unsafe { output.write(value.into_raw()) };
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, run) }
}
