//! Calls of other libraries' functions, as jobs.

use std::mem::{offset_of, size_of};
use std::sync::Arc;

use bowstring_abi::call::{
    BOW_VALUE_NONE, BOW_VALUE_STREAM, BOW_VALUE_TABLE, BowFunction, BowValue, Value,
};
use bowstring_abi::{BowError, Failure, Status};

use crate::context::Context;
use crate::handle::Handle;
use crate::import::{ImportOptions, Prepared};
use crate::pull::pull;
use crate::queue::Bound;

/// A call of a bow_function.
#[repr(C)]
pub struct BowCall {
    /// Set by the caller to sizeof(struct bow_call), so that the struct can grow.
    pub size: u32,
    /// How many inputs there are.
    pub input_count: u32,
    /// The address of the bow_function.
    pub function: usize,
    /// The inputs; may be null when there are none.
    pub inputs: *mut BowValue,
    /// Options for the function, copied before bow_call_start returns; may be null when options_length is 0.
    pub options: *const u8,
    /// How many bytes of options there are.
    pub options_length: u32,
    /// The kind of output that is expected: BOW_VALUE_NONE, BOW_VALUE_TABLE or BOW_VALUE_STREAM.
    pub output: u32,
    /// How the output is imported: the flags of bow_lease_import.
    pub flags: u32,
    /// Not used; 0.
    pub reserved: u32,
}

const _: () = {
    assert!(size_of::<BowCall>() == 48);
    assert!(offset_of!(BowCall, function) == 8);
    assert!(offset_of!(BowCall, options_length) == 32);
    assert!(offset_of!(BowCall, flags) == 40);
};

/// A call that is on its way.
pub struct Call {
    /// The function.
    pub function: BowFunction,
    /// Its inputs.
    pub inputs: Vec<Value>,
    /// Its options.
    pub options: Vec<u8>,
    /// The kind of output that is expected.
    pub output: u32,
    /// How the output is imported.
    pub import: ImportOptions,
}

impl Context {
    /// Starts a job that calls a function.
    ///
    /// # Safety
    /// The function is one of this shape, and stays loaded.
    pub unsafe fn start_call(&self, call: Call) -> Result<Handle, Failure> {
        if call.output > BOW_VALUE_STREAM {
            return Err(Failure::invalid_argument(format!(
                "expected an output of kind 0, 1 or 2 but found {}",
                call.output
            )));
        }
        // A function that is slow cannot be told from one whose stream is: both are cancelled for their caller at once.
        let bound = match call.output {
            BOW_VALUE_STREAM => Bound::STREAM,
            _ => Bound::RESULTS,
        };
        self.start_bounded("bow-call", Arc::new(()), bound, move |outlet| {
            let (expected, import) = (call.output, call.import);
            // SAFETY: by this function's contract.
            match (expected, unsafe { run(call) }?) {
                (BOW_VALUE_NONE, Value::None) => Ok(()),
                (BOW_VALUE_TABLE, Value::Table(table)) => {
                    // Nobody may want the result any more; then it is released.
                    let _ = outlet.send_prepared(Prepared::new(vec![table], import)?);
                    Ok(())
                }
                (BOW_VALUE_STREAM, Value::Stream(stream)) => pull(stream, import, outlet),
                (_, found) => {
                    let expected = ["nothing", "a table", "a stream"][expected as usize];
                    Err(Failure::invalid_argument(format!(
                        "expected {expected} from the function but found {}",
                        found.name()
                    )))
                }
            }
        })
    }
}

/// Calls the function on this thread.
///
/// # Safety
/// As for [`Context::start_call`].
unsafe fn run(call: Call) -> Result<Value, Failure> {
    let mut inputs: Vec<BowValue> = call.inputs.into_iter().map(Value::into_raw).collect();
    let (mut output, mut error) = (Value::None.into_raw(), BowError::new());
    // SAFETY: the function has this shape, and everything that is passed outlives the call.
    let code = unsafe {
        (call.function)(
            inputs.as_mut_ptr(),
            inputs.len() as u32,
            &mut output,
            call.options.as_ptr(),
            call.options.len() as u32,
            &mut error,
        )
    };
    for input in &mut inputs {
        // SAFETY: what the function did not take is still this side's to release.
        drop(unsafe { Value::take(input) });
    }
    if code == Status::Ok as i32 {
        // SAFETY: on success the function gave its output to this side.
        return unsafe { Value::take(&mut output) };
    }
    let status = Status::from_number(code).filter(|status| *status as i32 >= 16);
    let message = match error.message() {
        "" => format!("the function failed with status {code} and without a message"),
        message => message.to_owned(),
    };
    Err(Failure::new(status.unwrap_or(Status::Io), message))
}
