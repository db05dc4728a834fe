//! A library as a user might have it, for the tests of the bindings: arrow-rs, which speaks the C data interface and knows
//! nothing of Bowstring. It keeps record batches under numbers, gives and takes them as C structs, and says what differs.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::{
    Array, ArrayRef, RecordBatch, RecordBatchIterator, RecordBatchReader, StructArray, make_array,
};
use arrow_integration_test::{ArrowJson, schema_from_json};
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};
use arrow_select::concat::concat;
use serde::Deserialize;
use serde_json::Value;

/// What is kept under a number.
struct Kept {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    /// The one array of something that is no record batch, and its field.
    array: Option<(Field, ArrayRef)>,
}

type Reading = JoinHandle<Result<u32, String>>;

static KEPT: Mutex<Option<HashMap<u32, Kept>>> = Mutex::new(None);
static READING: Mutex<Option<HashMap<u32, Reading>>> = Mutex::new(None);

fn next_key<T>(map: &HashMap<u32, T>) -> u32 {
    (1..).find(|key| !map.contains_key(key)).unwrap_or(0)
}

fn insert<T>(map: &Mutex<Option<HashMap<u32, T>>>, value: T) -> u32 {
    let mut map = map.lock().unwrap();
    let map = map.get_or_insert_default();
    let key = next_key(map);
    map.insert(key, value);
    key
}

fn with_kept<R>(key: u32, body: impl FnOnce(&Kept) -> Result<R, String>) -> Result<R, String> {
    let map = KEPT.lock().unwrap();
    let kept = map.as_ref().and_then(|map| map.get(&key));
    body(kept.ok_or_else(|| format!("nothing is kept under {key}"))?)
}

/// Runs `body`, writes the message of its failure to `message`, and returns its value, or 0 when it failed.
///
/// # Safety
/// `message` has room for 4096 bytes.
unsafe fn guarded(message: *mut u8, body: impl FnOnce() -> Result<u32, String>) -> u32 {
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => return value,
        Ok(Err(failure)) => failure,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            format!("panicked: {}", text.unwrap_or_default())
        }
    };
    let bytes = &failure.as_bytes()[..failure.len().min(4095)];
    // SAFETY: the caller says that there is room.
    unsafe {
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), message, bytes.len());
        message.add(bytes.len()).write(0);
    }
    0
}

fn text(error: ArrowError) -> String {
    error.to_string()
}

/// Reads a case of the integration format, JSON, and returns its number.
///
/// # Safety
/// `length` bytes are readable at `json`, `message` has room for 4096 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_case(json: *const u8, length: u32, message: *mut u8) -> u32 {
    let body = || {
        // SAFETY: passed on to the caller.
        let json = unsafe { std::slice::from_raw_parts(json, length as usize) };
        let value: Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        let schema = schema_from_json(&value["schema"]).map_err(text)?;
        let case = ArrowJson::deserialize(value).map_err(|error| error.to_string())?;
        let batches = case.get_record_batches().map_err(text)?;
        let schema = batches
            .first()
            .map_or_else(|| schema.into(), RecordBatch::schema);
        let kept = Kept {
            schema,
            batches,
            array: None,
        };
        Ok(insert(&KEPT, kept))
    };
    // SAFETY: passed on to the caller.
    unsafe { guarded(message, body) }
}

/// How many batches are kept under a number.
///
/// # Safety
/// `message` has room for 4096 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_batches(key: u32, message: *mut u8) -> u32 {
    // SAFETY: passed on to the caller.
    unsafe {
        guarded(message, || {
            with_kept(key, |kept| Ok(kept.batches.len() as u32))
        })
    }
}

/// Forgets what is kept under a number.
#[unsafe(no_mangle)]
pub extern "C" fn peer_drop(key: u32) {
    if let Some(map) = KEPT.lock().unwrap().as_mut() {
        map.remove(&key);
    }
}

/// Gives a batch, or the kept array when there is one, as C structs: the schema at `out`, the array 72 bytes on. Returns 1.
///
/// # Safety
/// `out` has room for 152 bytes, `message` for 4096.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_give(key: u32, batch: u32, out: *mut u8, message: *mut u8) -> u32 {
    let body = || {
        with_kept(key, |kept| {
            let (array, schema) = match &kept.array {
                Some((field, array)) => {
                    let (array, _) = to_ffi(&array.to_data()).map_err(text)?;
                    (array, FFI_ArrowSchema::try_from(field).map_err(text)?)
                }
                None => {
                    let batch = kept.batches.get(batch as usize).ok_or("no such batch")?;
                    let columns = StructArray::from(batch.clone());
                    let (array, _) = to_ffi(&columns.to_data()).map_err(text)?;
                    (
                        array,
                        FFI_ArrowSchema::try_from(&*kept.schema).map_err(text)?,
                    )
                }
            };
            // SAFETY: the caller says that there is room; nothing says that it is aligned.
            unsafe {
                out.cast::<FFI_ArrowSchema>().write_unaligned(schema);
                out.add(72).cast::<FFI_ArrowArray>().write_unaligned(array);
            }
            Ok(1)
        })
    };
    // SAFETY: passed on to the caller.
    unsafe { guarded(message, body) }
}

/// Keeps one column of a batch, repeated until it has at least `rows` rows, and returns its number.
///
/// # Safety
/// `message` has room for 4096 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_column(
    key: u32,
    batch: u32,
    column: u32,
    rows: u32,
    message: *mut u8,
) -> u32 {
    let body = || {
        let (field, column) = with_kept(key, |kept| {
            let batch = kept.batches.get(batch as usize).ok_or("no such batch")?;
            let field = kept.schema.field(column as usize).clone();
            Ok((field, batch.column(column as usize).clone()))
        })?;
        let times = (rows as usize).div_ceil(column.len().max(1));
        let parts: Vec<&dyn Array> = std::iter::repeat_n(&*column, times).collect();
        let array = concat(&parts).map_err(text)?;
        let kept = Kept {
            schema: Schema::empty().into(),
            batches: Vec::new(),
            array: Some((field, array)),
        };
        Ok(insert(&KEPT, kept))
    };
    // SAFETY: passed on to the caller.
    unsafe { guarded(message, body) }
}

/// Gives rows `start .. start + length` of the kept array as C structs whose array has the offset `start`. Returns 1.
///
/// # Safety
/// As for [`peer_give`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_slice(
    key: u32,
    start: u32,
    length: u32,
    out: *mut u8,
    message: *mut u8,
) -> u32 {
    let body = || {
        with_kept(key, |kept| {
            let (field, array) = kept.array.as_ref().ok_or("no array is kept")?;
            let data = array.to_data().slice(start as usize, length as usize);
            let (array, _) = to_ffi(&data).map_err(text)?;
            let schema = FFI_ArrowSchema::try_from(field).map_err(text)?;
            // SAFETY: the caller says that there is room; nothing says that it is aligned.
            unsafe {
                out.cast::<FFI_ArrowSchema>().write_unaligned(schema);
                out.add(72).cast::<FFI_ArrowArray>().write_unaligned(array);
            }
            Ok(1)
        })
    };
    // SAFETY: passed on to the caller.
    unsafe { guarded(message, body) }
}

/// Takes C structs over, the schema at `table` and the array 72 bytes on.
///
/// # Safety
/// `table` points to such structs, which the caller gives up.
unsafe fn take(table: *mut u8) -> Result<(Field, ArrayRef, Schema), String> {
    // SAFETY: the caller gives them up; they are replaced by released ones.
    let (schema, array) = unsafe {
        let schema = table.cast::<FFI_ArrowSchema>();
        let array = table.add(72).cast::<FFI_ArrowArray>();
        let taken = (schema.read_unaligned(), array.read_unaligned());
        schema.write_unaligned(FFI_ArrowSchema::empty());
        array.write_unaligned(FFI_ArrowArray::empty());
        taken
    };
    let field = Field::try_from(&schema).map_err(text)?;
    // SAFETY: the structs come from the library that is tested.
    let mut data = unsafe { from_ffi(array, &schema) }.map_err(text)?;
    data.align_buffers();
    data.validate_full().map_err(text)?;
    let columns = Schema::try_from(&schema).unwrap_or_else(|_| Schema::empty());
    Ok((field, make_array(data), columns))
}

/// Takes an array over, whatever its type, keeps it, and returns its number.
///
/// # Safety
/// `table` points to a schema and, 72 bytes on, an array that the caller gives up; `message` has room for 4096 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_take(table: *mut u8, message: *mut u8) -> u32 {
    let body = || {
        // SAFETY: passed on to the caller.
        let (field, array, columns) = unsafe { take(table) }?;
        let kept = Kept {
            schema: columns.into(),
            batches: Vec::new(),
            array: Some((field, array)),
        };
        Ok(insert(&KEPT, kept))
    };
    // SAFETY: passed on to the caller.
    unsafe { guarded(message, body) }
}

/// Takes an array or a record batch over and compares it with what is kept: type, names, nullability and metadata, and every
/// value of rows `start .. start + length` of what is kept. Returns 1 when nothing differs.
///
/// # Safety
/// As for [`peer_take`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_compare(
    key: u32,
    batch: u32,
    start: u32,
    length: u32,
    table: *mut u8,
    message: *mut u8,
) -> u32 {
    let body = || {
        // SAFETY: passed on to the caller.
        let (field, array, columns) = unsafe { take(table) }?;
        with_kept(key, |kept| match &kept.array {
            Some((expected_field, expected)) => {
                if field.data_type() != expected_field.data_type() {
                    return Err(differ(
                        "type",
                        expected_field.data_type(),
                        field.data_type(),
                    ));
                }
                same(&expected.slice(start as usize, length as usize), &array)
            }
            None => {
                let expected = kept.batches.get(batch as usize).ok_or("no such batch")?;
                if columns != *kept.schema {
                    return Err(differ("schema", &kept.schema, &columns));
                }
                let expected = expected.slice(start as usize, length as usize);
                same(&(Arc::new(StructArray::from(expected)) as ArrayRef), &array)
            }
        })
    };
    // SAFETY: passed on to the caller.
    unsafe { guarded(message, body) }
}

fn differ(what: &str, expected: impl std::fmt::Debug, found: impl std::fmt::Debug) -> String {
    format!("{what}: expected {expected:?} but found {found:?}")
}

fn same(expected: &ArrayRef, found: &ArrayRef) -> Result<u32, String> {
    if expected.data_type() != found.data_type() {
        return Err(differ("type", expected.data_type(), found.data_type()));
    }
    if expected == found {
        return Ok(1);
    }
    Err(differ("values", expected, found))
}

/// Gives all batches of a number as a stream. Returns 1.
///
/// # Safety
/// `out` has room for 40 bytes, `message` for 4096.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_give_stream(key: u32, out: *mut u8, message: *mut u8) -> u32 {
    let body = || {
        with_kept(key, |kept| {
            let batches: Vec<_> = kept.batches.iter().cloned().map(Ok).collect();
            let reader = RecordBatchIterator::new(batches, kept.schema.clone());
            let stream = FFI_ArrowArrayStream::new(Box::new(reader));
            // SAFETY: the caller says that there is room.
            unsafe { out.cast::<FFI_ArrowArrayStream>().write_unaligned(stream) };
            Ok(1)
        })
    };
    // SAFETY: passed on to the caller.
    unsafe { guarded(message, body) }
}

fn read_stream(stream: FFI_ArrowArrayStream) -> Result<u32, String> {
    let reader = RecordBatchStreamReader::try_new(stream).map_err(text)?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(text)?;
    let kept = Kept {
        schema,
        batches,
        array: None,
    };
    Ok(insert(&KEPT, kept))
}

/// Takes a stream over and reads it to its end on a thread of its own. Returns a number for `peer_read_state`.
///
/// # Safety
/// `stream` points to an ArrowArrayStream that the caller gives up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_read(stream: *mut u8) -> u32 {
    let stream = stream.cast::<FFI_ArrowArrayStream>();
    // SAFETY: the caller gives it up.
    let taken = unsafe {
        let taken = stream.read_unaligned();
        stream.write_unaligned(FFI_ArrowArrayStream::empty());
        taken
    };
    insert(&READING, std::thread::spawn(move || read_stream(taken)))
}

/// Takes a stream over and reads it to its end on this thread. Returns the number of what was read.
///
/// # Safety
/// As for [`peer_read`]; `message` has room for 4096 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_read_here(stream: *mut u8, message: *mut u8) -> u32 {
    let stream = stream.cast::<FFI_ArrowArrayStream>();
    // SAFETY: the caller gives it up.
    let taken = unsafe {
        let taken = stream.read_unaligned();
        stream.write_unaligned(FFI_ArrowArrayStream::empty());
        taken
    };
    // SAFETY: passed on to the caller.
    unsafe { guarded(message, || read_stream(taken)) }
}

/// Whether a reading has ended.
#[unsafe(no_mangle)]
pub extern "C" fn peer_read_ended(reading: u32) -> u32 {
    let map = READING.lock().unwrap();
    let ended = map
        .as_ref()
        .and_then(|map| map.get(&reading))
        .is_none_or(JoinHandle::is_finished);
    u32::from(ended)
}

/// The number of what a reading, which has ended, has read; 0 and a message when it failed.
///
/// # Safety
/// `message` has room for 4096 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_read_result(reading: u32, message: *mut u8) -> u32 {
    let body = || {
        let thread = READING
            .lock()
            .unwrap()
            .as_mut()
            .and_then(|map| map.remove(&reading));
        let thread = thread.ok_or("no such reading")?;
        thread
            .join()
            .map_err(|_| "the reader panicked".to_owned())?
    };
    // SAFETY: passed on to the caller.
    unsafe { guarded(message, body) }
}

/// Compares all batches of two numbers, and their schemas. Returns 1 when nothing differs.
///
/// # Safety
/// `message` has room for 4096 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_same(left: u32, right: u32, message: *mut u8) -> u32 {
    let body = || {
        let right = with_kept(right, |kept| {
            Ok((kept.schema.clone(), kept.batches.clone()))
        })?;
        with_kept(left, |kept| {
            if kept.schema != right.0 {
                return Err(differ("schema", &kept.schema, &right.0));
            }
            if kept.batches.len() != right.1.len() {
                return Err(differ("batches", kept.batches.len(), right.1.len()));
            }
            for (left, right) in kept.batches.iter().zip(&right.1) {
                if left != right {
                    return Err(differ("batch", left, right));
                }
            }
            Ok(1)
        })
    };
    // SAFETY: passed on to the caller.
    unsafe { guarded(message, body) }
}

/// Releases an array at `array` on `threads` threads at once: each moves one child out of it and releases that; then the
/// parent is released. Returns how many children there were.
///
/// # Safety
/// `array` points to an ArrowArray that the caller gives up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peer_release_apart(array: *mut u8) -> u32 {
    /// The part of an ArrowArray that is needed here.
    #[repr(C)]
    struct Raw {
        length: i64,
        null_count: i64,
        offset: i64,
        n_buffers: i64,
        n_children: i64,
        buffers: *const *const u8,
        children: *const *mut FFI_ArrowArray,
        dictionary: *mut FFI_ArrowArray,
        release: Option<unsafe extern "C" fn(*mut Raw)>,
        private_data: *mut u8,
    }
    /// A struct on its way to another thread.
    struct Moved(FFI_ArrowArray);
    // SAFETY: the interface allows a release on any thread.
    unsafe impl Send for Moved {}

    let raw = array.cast::<Raw>();
    // SAFETY: the caller gives the array up, and its children lie where it says. A child that was moved from is marked as
    // released, so that the parent leaves it alone.
    unsafe {
        let parent = array.cast::<FFI_ArrowArray>().read_unaligned();
        let (n_children, children) = ((*raw).n_children, (*raw).children);
        let threads: Vec<_> = (0..n_children as usize)
            .map(|index| {
                let child = *children.add(index);
                let moved = Moved(std::ptr::replace(child, FFI_ArrowArray::empty()));
                std::thread::spawn(move || {
                    let moved = moved;
                    drop(moved.0);
                })
            })
            .collect();
        array
            .cast::<FFI_ArrowArray>()
            .write_unaligned(FFI_ArrowArray::empty());
        drop(parent);
        let count = threads.len();
        for thread in threads {
            let _ = thread.join();
        }
        count as u32
    }
}
