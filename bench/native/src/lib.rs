//! A library as a user might have it, for the benchmarks of the bridge: arrow-rs, which knows nothing of Bowstring, gives and
//! takes the same batches by the C data interface and, as programs do that have no such bridge, as bytes of the IPC format.

mod batch;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{Array, RecordBatch, RecordBatchIterator, RecordBatchReader, StructArray};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;

/// Where the array is in a table: after the schema.
const ARRAY: usize = size_of::<FFI_ArrowSchema>();

#[derive(Default)]
struct State {
    batch: Option<RecordBatch>,
    /// The batch in the IPC format, when it was last written.
    message: Vec<u8>,
}

static STATE: Mutex<State> = Mutex::new(State {
    batch: None,
    message: Vec::new(),
});

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn batch() -> RecordBatch {
    let batch = state().batch.clone();
    batch.expect("bench_make was called")
}

/// Makes the batch that the other functions give out, of so many rows, and returns the bytes of its buffers.
#[unsafe(no_mangle)]
pub extern "C" fn bench_make(rows: u32) -> f64 {
    let made = batch::make(rows as usize);
    let bytes = made
        .columns()
        .iter()
        .map(|column| column.to_data().get_slice_memory_size().unwrap_or(0))
        .sum::<usize>();
    state().batch = Some(made);
    bytes as f64
}

/// Gives the batch as C structs: the schema at `out`, the array after it.
///
/// # Safety
/// `out` has room for both.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bench_give(out: *mut u8) {
    let batch = batch();
    let schema = FFI_ArrowSchema::try_from(&*batch.schema()).expect("the schema can be exported");
    let columns = StructArray::from(batch);
    let (array, _) = to_ffi(&columns.to_data()).expect("the batch can be exported");
    // SAFETY: the caller says that there is room; nothing says that it is aligned.
    unsafe {
        out.cast::<FFI_ArrowSchema>().write_unaligned(schema);
        out.add(ARRAY)
            .cast::<FFI_ArrowArray>()
            .write_unaligned(array);
    }
}

/// Takes C structs over as a record batch, and drops it. Returns its rows.
///
/// # Safety
/// `schema` and `array` are addresses of such structs, which the caller gives up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bench_take(schema: f64, array: f64) -> f64 {
    let (schema, array) = (schema as usize, array as usize);
    let (schema, array) = (schema as *mut FFI_ArrowSchema, array as *mut FFI_ArrowArray);
    // SAFETY: the caller gives them up; they are replaced by released ones.
    let (schema, array) = unsafe {
        let taken = (schema.read_unaligned(), array.read_unaligned());
        schema.write_unaligned(FFI_ArrowSchema::empty());
        array.write_unaligned(FFI_ArrowArray::empty());
        taken
    };
    // SAFETY: the structs are those of a library that is trusted here.
    let data = unsafe { from_ffi(array, &schema) }.expect("the batch can be imported");
    RecordBatch::from(StructArray::from(data)).num_rows() as f64
}

/// Writes the batch in the IPC format to fresh memory, and the address of the message and its bytes to `out`. It stays until
/// `bench_ipc_free`.
///
/// # Safety
/// `out` has room for 2 doubles.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bench_ipc_write(out: *mut u8) {
    let batch = batch();
    let mut message = Vec::new();
    write(&batch, &mut message).expect("the batch can be written");
    let place = [message.as_ptr() as usize as f64, message.len() as f64];
    // SAFETY: the caller says that there is room.
    unsafe { out.cast::<[f64; 2]>().write_unaligned(place) };
    state().message = message;
}

fn write(batch: &RecordBatch, message: &mut Vec<u8>) -> Result<(), ArrowError> {
    let mut writer = StreamWriter::try_new(message, &batch.schema())?;
    writer.write(batch)?;
    writer.finish()
}

/// Frees the last message.
#[unsafe(no_mangle)]
pub extern "C" fn bench_ipc_free() {
    state().message = Vec::new();
}

/// Reads record batches of the IPC format, and drops them. Returns their rows.
///
/// # Safety
/// `length` bytes are readable at `message`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bench_ipc_read(message: *const u8, length: u32) -> f64 {
    // SAFETY: passed on to the caller.
    let message = unsafe { std::slice::from_raw_parts(message, length as usize) };
    let batches = StreamReader::try_new(message, None).expect("the message has a schema");
    let rows = batches.map(|batch| batch.expect("the message has batches").num_rows());
    rows.sum::<usize>() as f64
}

/// Gives a stream of so many times the batch.
///
/// # Safety
/// `out` has room for an ArrowArrayStream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bench_stream(batches: u32, out: *mut u8) {
    let batch = batch();
    let schema = batch.schema();
    let batches = std::iter::repeat_n(batch, batches as usize).map(Ok);
    let reader: Box<dyn RecordBatchReader + Send> =
        Box::new(RecordBatchIterator::new(batches, schema));
    let stream = FFI_ArrowArrayStream::new(reader);
    // SAFETY: the caller says that there is room; nothing says that it is aligned.
    unsafe { out.cast::<FFI_ArrowArrayStream>().write_unaligned(stream) };
}

/// Takes so many times the batch from a stream as above, by nothing but `get_next` and the release of what it gave, and
/// returns the nanoseconds for each.
#[unsafe(no_mangle)]
pub extern "C" fn bench_get_next(batches: u32) -> f64 {
    let mut stream = FFI_ArrowArrayStream::empty();
    // SAFETY: the stream has room for one.
    unsafe { bench_stream(batches, (&raw mut stream).cast()) };
    let next = stream.get_next().expect("the stream is not released");
    let started = Instant::now();
    for _ in 0..batches {
        let mut array = FFI_ArrowArray::empty();
        // SAFETY: both are live structs of this function's own.
        let status = unsafe { next(&mut stream, &mut array) };
        assert_eq!(status, 0, "the stream gives its batches");
        // Dropping the array releases it.
    }
    started.elapsed().as_nanos() as f64 / f64::from(batches)
}

/// The least that native code must keep of memory that it is lent: the addresses. Returns what `bench_unpin` takes.
///
/// # Safety
/// `count` doubles are readable at `words`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bench_pin(words: *const u8, count: u32) -> f64 {
    // SAFETY: passed on to the caller.
    let words = unsafe { std::slice::from_raw_parts(words.cast::<[u8; 8]>(), count as usize) };
    let kept: Box<Vec<[u8; 8]>> = Box::new(words.to_vec());
    Box::into_raw(kept) as usize as f64
}

/// Forgets what `bench_pin` kept.
///
/// # Safety
/// `pin` is what `bench_pin` returned, and was not given before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bench_unpin(pin: f64) {
    // SAFETY: made by `Box::into_raw` in `bench_pin`, and given up.
    drop(unsafe { Box::from_raw(pin as usize as *mut Vec<[u8; 8]>) });
}
