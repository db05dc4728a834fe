//! Quantization.
//!
//! Tables of weights, one named tensor a row, become tables of packed codes with their scales and zero points, and come
//! back. What the columns mean is in docs/quantization.md, and in the metadata of the tables themselves.

use std::mem::{offset_of, size_of};

use bowstring_abi::call::{BowValue, Value};
use bowstring_abi::guard::guard;
use bowstring_abi::{ArrowSchema, BowError, Failure, Status};
use bowstring_quantize::CodeType;

use crate::arguments::{require, write_job};
use crate::quantize_options::{dequantize_options, quantize_options};
use crate::quantize_work::{
    Tensor, quantize_tensor, start_dequantization, start_quantization, validate,
};

/// Codes of 8 bits, -128 to 127.
pub const BOW_CODE_INT8: u32 = 0;
/// Codes of 8 bits, 0 to 255.
pub const BOW_CODE_UINT8: u32 = 1;
/// Codes of 4 bits, -8 to 7, two to a byte.
pub const BOW_CODE_INT4: u32 = 2;
/// Codes of 4 bits, 0 to 15, two to a byte.
pub const BOW_CODE_UINT4: u32 = 3;
/// Codes of 2 bits, -2 to 1, four to a byte.
pub const BOW_CODE_INT2: u32 = 4;
/// Codes of 2 bits, 0 to 3, four to a byte.
pub const BOW_CODE_UINT2: u32 = 5;

const CODE_TYPES: [CodeType; 6] = [
    CodeType::Int8,
    CodeType::Uint8,
    CodeType::Int4,
    CodeType::Uint4,
    CodeType::Int2,
    CodeType::Uint2,
];
/// As many axes as a bow_tensor has room for.
const MOST_AXES: usize = 16;

/// A tensor for bow_quantize_with: its shape, and how long the arrays are that go with it.
#[repr(C)]
pub struct BowTensor {
    /// Set by the caller to sizeof(struct bow_tensor), so that the struct can grow.
    pub size: u32,
    /// The type of the codes: one of BOW_CODE_INT8, _UINT8, _INT4, _UINT4, _INT2, _UINT2.
    pub code_type: u32,
    /// The axis that several scales run along, from the end if negative. It is of no matter with one scale.
    pub axis: i64,
    /// 0: one scale, or one for each index along the axis. Otherwise one for each run of so many values along it, of which
    /// the last may be shorter; the scales then have the values' shape but for the axis.
    pub block_size: u64,
    /// How many values there are: the product of the shape.
    pub value_count: u64,
    /// How many scales there are.
    pub scale_count: u64,
    /// How many zero points there are: as many as scales, or none, which means 0 for all.
    pub zero_point_count: u64,
    /// How many bytes there is room for at codes.
    pub code_bytes: u64,
    /// How many axes there are, at most 16.
    pub rank: u32,
    /// Not used; 0.
    pub reserved: u32,
    /// The size of each axis.
    pub shape: [u64; 16],
}

const _: () = {
    assert!(size_of::<BowTensor>() == 192);
    assert!(offset_of!(BowTensor, code_bytes) == 48);
    assert!(offset_of!(BowTensor, shape) == 64);
};

/// Starts to quantize a table, or each table of a stream, and writes the job's handle to out_job. input is a bow_value of
/// either kind; its structs are moved: the release of each is null afterwards, also when the call fails. The columns of
/// the input are
///
/// ```text
/// layer_name   utf8 or large utf8
/// weights      list, large list or fixed-size list of float32, of float16, or of bfloat16 (uint16 with the extension
///              name "bowstring.bfloat16"); or arrow.fixed_shape_tensor or arrow.variable_shape_tensor of these
/// shape        list or large list of int64, optional; its product is the number of weights
/// ```
///
/// options is JSON in UTF-8, all of it optional:
///
/// ```text
/// bitWidth         2, 4 or 8; default 4
/// granularity      "tensor", "channel", "group"; default "group"
/// axis             the axis of "channel", from the end if negative; default 0
/// groupSize        32, 64, 128 or 256 values along the last axis; default 128, and 32 for layout "ggml"
/// scheme           "asymmetric", "symmetric"; default "asymmetric", and "symmetric" for ggml's 8 bits
/// layout           "onnx", "ggml", "mlx", "unpacked"; default "onnx"
/// search           "none", "mse"; default "none"
/// minCosine        a layer whose cosine similarity is below this is done again with wider codes
/// importance       name of a list of float32 column whose values weight the search
/// scaleType        "float32", "float16"; default "float32"
/// onInvalid        "error", "skip", "clip": null lists, null elements, NaN and infinities; default "error"
/// continueOnError  boolean: leave out layers that fail, whatever the reason, and report them
/// overrides        array of objects {"pattern": glob, ...} with any of the options from bitWidth to minCosine and
///                  scaleType, for layers whose name matches; later ones win, field by field
/// statistics       boolean: fill rmse, max_abs_error, sqnr_db and cosine; default true
/// threads          worker threads; 0, the default, means one per core
/// instructionSet   "portable", "avx2", "avx512"; the best there is by default. All give the same bytes
/// ```
///
/// Each result is a group of 2 tables: the quantized layers, in the order of the input, and those that were left out, with
/// the columns row int64 (counted over the whole input), layer_name utf8, index int64 (of the value that is meant, or
/// null) and message utf8. A table makes one result; a stream one without rows and then one for each of its batches. The
/// large columns lie in blocks that the library uses again when they have been released.
///
/// In the job's state, files are layers, and their sizes numbers of values; those of a stream come to be known batch by
/// batch. The job fails with BOW_LAYER (a layer cannot be quantized), BOW_INVALID_ARGUMENT (an option is out of range or
/// does not go with another; the columns do not fit, and the message lists every mismatch), BOW_BATCH_TOO_LARGE, with
/// BOW_INVALID_ARROW or BOW_UNSUPPORTED when the input is refused, and with BOW_IO when the stream fails.
///
/// bow_job_cancel only asks it to stop: it ends within milliseconds, when it reads its input no more and has released it, and
/// bow_job_next answers BOW_CANCELLED then, after the results that were queued.
///
/// BOW_INVALID_ARGUMENT: options is not such JSON, the message names the option; input is null or nothing.
/// BOW_STALE_HANDLE, BOW_OUT_OF_MEMORY.
///
/// # Safety
/// `input` is null or a bow_value whose structs are the caller's to give away; `options_length` bytes are readable at
/// `options`, `out_job` is writable, `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_quantize_start(
    context: u32,
    input: *mut BowValue,
    options: *const u8,
    options_length: u32,
    out_job: *mut u32,
    error: *mut BowError,
) -> i32 {
    // SAFETY: passed on to the caller.
    let options = || unsafe { quantize_options(options, options_length) };
    // SAFETY: passed on to the caller.
    unsafe { start(context, input, options, start_quantization, out_job, error) }
}

/// Starts to take a table of bow_quantize_start's making, or each table of a stream of them, back to weights, and writes
/// the job's handle to out_job. Each result is one table with the columns layer_name utf8, weights list of float32 and shape
/// list of int64; a stream makes one without rows first. Otherwise as bow_quantize_start, with the options threads and
/// instructionSet only.
///
/// # Safety
/// As for bow_quantize_start.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_dequantize_start(
    context: u32,
    input: *mut BowValue,
    options: *const u8,
    options_length: u32,
    out_job: *mut u32,
    error: *mut BowError,
) -> i32 {
    // SAFETY: passed on to the caller.
    let options = || unsafe { dequantize_options(options, options_length) };
    // SAFETY: passed on to the caller.
    unsafe {
        start(
            context,
            input,
            options,
            start_dequantization,
            out_job,
            error,
        )
    }
}

/// Checks that tables of the ArrowSchema at the address schema can be quantized with these options, which are those of
/// bow_quantize_start. The schema is only read, and stays its owner's.
///
/// BOW_INVALID_ARGUMENT: they cannot; the message lists every column that does not fit, what is expected and what is found
/// (give bow_error room). BOW_INVALID_ARROW, BOW_UNSUPPORTED: the schema breaks the specification or has a type that is
/// not supported.
///
/// # Safety
/// `schema` is 0 or the address of an ArrowSchema; `options_length` bytes are readable at `options`, `error` is null or a
/// bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_quantize_validate(
    schema: usize,
    options: *const u8,
    options_length: u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        // SAFETY: passed on to the caller.
        let options = unsafe { quantize_options(options, options_length) }?;
        let schema = schema as *const ArrowSchema;
        require(schema, "schema")?;
        // SAFETY: not null and aligned, and a schema by contract.
        validate(unsafe { &*schema }, &options)?;
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Quantizes a row-major tensor with given scales and zero points, on the calling thread, as ONNX's QuantizeLinear does:
/// saturate(round_half_even(value / scale) + zero_point), the division in float32. The codes are packed into codes, the
/// first in the lowest bits, the last byte filled with zeros.
///
/// BOW_INVALID_ARGUMENT: sizes do not go together, a scale is 0, infinite or NaN, a zero point is beyond the type, a value
/// is NaN; the message says what was expected where. BOW_BUFFER_TOO_SMALL: the codes need more than code_bytes.
///
/// # Safety
/// `tensor` is null or a bow_tensor whose `size` is set, as many elements as it says are readable at `values`, `scales` and
/// `zero_points` and writable at `codes`; `error` is null or a bow_error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bow_quantize_with(
    tensor: *const BowTensor,
    values: *const f32,
    scales: *const f32,
    zero_points: *const i16,
    codes: *mut u8,
    error: *mut BowError,
) -> i32 {
    let body = || {
        // SAFETY: passed on to the caller.
        let tensor = unsafe { read_tensor(tensor, values, scales, zero_points) }?;
        // SAFETY: passed on to the caller.
        let codes = unsafe { slice_mut(codes, tensor.code_bytes, "codes") }?;
        quantize_tensor(&tensor, codes)?;
        Ok(Status::Ok)
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Takes the input over, reads the options and starts a job with both.
///
/// # Safety
/// `input` is null or a bow_value whose structs are the caller's to give away, `out_job` is null or writable, `error` is
/// null or a bow_error.
unsafe fn start<O>(
    context: u32,
    input: *mut BowValue,
    options: impl FnOnce() -> Result<O, Failure>,
    start_job: impl FnOnce(u32, Value, O) -> Result<u32, Failure>,
    out_job: *mut u32,
    error: *mut BowError,
) -> i32 {
    let body = || {
        // First of all, so that the caller's structs are moved from whatever happens. SAFETY: passed on to the caller.
        let input = unsafe { take_input(input) }?;
        // SAFETY: passed on to the caller.
        unsafe { write_job(out_job, || start_job(context, input, options()?)) }
    };
    // SAFETY: passed on to the caller.
    unsafe { guard(error, body) }
}

/// Takes an input over.
///
/// # Safety
/// `input` is null or a bow_value whose structs are the caller's to give away.
unsafe fn take_input(input: *mut BowValue) -> Result<Value, Failure> {
    require(input, "input")?;
    // SAFETY: not null and aligned, and the caller's to give away.
    match unsafe { Value::take(input) }? {
        Value::None => Err(Failure::invalid_argument(
            "input: expected a table or a stream but found nothing",
        )),
        input => Ok(input),
    }
}

/// # Safety
/// As for bow_quantize_with.
unsafe fn read_tensor<'a>(
    tensor: *const BowTensor,
    values: *const f32,
    scales: *const f32,
    zero_points: *const i16,
) -> Result<Tensor<'a>, Failure> {
    require(tensor, "tensor")?;
    // SAFETY: the size is readable by contract.
    let size = unsafe { (&raw const (*tensor).size).read() } as usize;
    let expected = size_of::<BowTensor>();
    if size < expected {
        return Err(Failure::invalid_argument(format!(
            "expected the size of the struct, {expected}, in its first field but found {size}"
        )));
    }
    // SAFETY: as large as it says.
    let tensor = unsafe { &*tensor };
    let Some(&code_type) = CODE_TYPES.get(tensor.code_type as usize) else {
        return Err(Failure::invalid_argument(format!(
            "type: expected a code type below {} but found {}",
            CODE_TYPES.len(),
            tensor.code_type
        )));
    };
    let rank = tensor.rank as usize;
    if rank > MOST_AXES {
        return Err(Failure::invalid_argument(format!(
            "shape: expected at most {MOST_AXES} axes but found {rank}"
        )));
    }
    // SAFETY: readable by contract.
    unsafe {
        Ok(Tensor {
            code_type,
            axis: tensor.axis,
            block_size: tensor.block_size as usize,
            shape: tensor.shape[..rank]
                .iter()
                .map(|size| *size as usize)
                .collect(),
            values: slice(values, tensor.value_count, "values")?,
            scales: slice(scales, tensor.scale_count, "scales")?,
            zero_points: match tensor.zero_point_count {
                0 => None,
                count => Some(slice(zero_points, count, "zero_points")?),
            },
            code_bytes: tensor.code_bytes,
        })
    }
}

/// # Safety
/// `count` elements are readable at `start` for as long as the slice is used.
unsafe fn slice<'a, T>(start: *const T, count: u64, name: &str) -> Result<&'a [T], Failure> {
    if count == 0 {
        return Ok(&[]);
    }
    require(start, name)?;
    // SAFETY: not null and aligned, and readable by contract.
    Ok(unsafe { std::slice::from_raw_parts(start, count as usize) })
}

/// # Safety
/// `count` elements are writable at `start` for as long as the slice is used, and nothing else uses them.
unsafe fn slice_mut<'a, T>(start: *mut T, count: u64, name: &str) -> Result<&'a mut [T], Failure> {
    if count == 0 {
        return Ok(&mut []);
    }
    require(start, name)?;
    // SAFETY: not null and aligned, and writable by contract.
    Ok(unsafe { std::slice::from_raw_parts_mut(start, count as usize) })
}
