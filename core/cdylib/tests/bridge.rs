//! The functions by which data crosses, as a caller has them: arguments that make no sense, and what is moved when a call
//! fails.

mod common;

use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use bowstring::{call, context, job, lease, schema, stream, table};
use bowstring_abi::call::{BowValue, Value};
use bowstring_abi::{
    ArrowArray, ArrowArrayStream, ArrowSchema, BowError, BowTable, Failure, OwnedStream,
    OwnedTable, Status, StreamError, StreamSource, export_batch,
};
use bowstring_runtime::BowCall;

use common::Context;

fn numbers() -> RecordBatch {
    let column: ArrayRef = Arc::new(UInt32Array::from(vec![1, 2, 3]));
    RecordBatch::try_from_iter([("n", column)]).unwrap()
}

fn table() -> BowTable {
    export_batch(&numbers()).unwrap().into_raw()
}

/// A stream that counts its drops.
struct Counted(Arc<AtomicUsize>);

impl StreamSource for Counted {
    fn schema(&mut self) -> Result<ArrowSchema, StreamError> {
        Err(Failure::invalid_argument("not asked for").into())
    }

    fn next(&mut self) -> Result<Option<OwnedTable>, StreamError> {
        Ok(None)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn counted() -> (ArrowArrayStream, Arc<AtomicUsize>) {
    let drops = Arc::new(AtomicUsize::new(0));
    (OwnedStream::new(Counted(drops.clone())).into_raw(), drops)
}

const SCHEMA: &str = r#"{"format":"+s","name":"","metadata":null,"flags":0,"children":[{"format":"I","name":"n","metadata":null,"flags":0,"children":[],"dictionary":null}],"dictionary":null}"#;

fn register(scope: &Context, json: &str) -> Result<u32, (Status, String)> {
    let mut handle = 0;
    // SAFETY: the arguments are locals.
    common::call(|error| unsafe {
        let json = json.as_bytes();
        schema::bow_schema_register(
            scope.0,
            json.as_ptr(),
            json.len() as u32,
            &mut handle,
            error,
        )
    })?;
    Ok(handle)
}

fn address<T>(value: &mut T) -> usize {
    std::ptr::from_mut(value).addr()
}

fn invalid(message: &str) -> Result<Status, (Status, String)> {
    Err((Status::InvalidArgument, message.to_owned()))
}

extern "C" fn never(
    _: *mut BowValue,
    _: u32,
    _: *mut BowValue,
    _: *const u8,
    _: u32,
    _: *mut BowError,
) -> i32 {
    unreachable!("never called")
}

fn bow_call(inputs: &mut [BowValue]) -> BowCall {
    BowCall {
        size: size_of::<BowCall>() as u32,
        input_count: inputs.len() as u32,
        function: never as *const () as usize,
        inputs: inputs.as_mut_ptr(),
        options: null(),
        options_length: 0,
        output: 0,
        flags: 0,
        reserved: 0,
    }
}

#[test]
fn null_and_misaligned_addresses_are_errors() {
    let scope = Context::open();
    let c = scope.0;
    let schema_handle = register(&scope, SCHEMA).unwrap();
    let mut number = 0u32;
    let n = &raw mut number;
    let mut words = [0f64; 3];
    let w = words.as_mut_ptr();
    let mut room = [BowTable::released()];
    let t = room.as_mut_ptr();
    let bytes = b"a\xffb".as_ptr();
    let mut short = bow_call(&mut []);
    short.size = 40;
    let mut nowhere = bow_call(&mut []);
    nowhere.function = 0;
    let mut no_inputs = bow_call(&mut []);
    (no_inputs.input_count, no_inputs.inputs) = (1, null_mut());
    let mut no_options = bow_call(&mut []);
    no_options.options_length = 1;
    let mut flags = bow_call(&mut []);
    flags.flags = 64;
    let good = bow_call(&mut []);
    type Call<'a> = Box<dyn FnOnce(*mut BowError) -> i32 + 'a>;
    // SAFETY: pointers are null, misaligned, or locals, in every case below.
    #[rustfmt::skip]
    let cases: Vec<(&str, Call<'_>)> = vec![
        ("schema is null", Box::new(|e| unsafe { lease::bow_lease_adopt(c, 0, 0, 2, n, e) })),
        ("schema is not aligned to 8 bytes", Box::new(|e| unsafe { lease::bow_lease_adopt(c, 4, 0, 2, n, e) })),
        ("schema is null", Box::new(|e| unsafe { schema::bow_schema_read(0, 0, null_mut(), 0, n, e) })),
        ("expected flags within 0x1f but found 0x40", Box::new(|e| unsafe { schema::bow_schema_read(0, 64, null_mut(), 0, n, e) })),
        ("schema is not aligned to 8 bytes", Box::new(|e| unsafe { schema::bow_schema_release(4, e) })),
        ("array is not aligned to 8 bytes", Box::new(|e| unsafe { table::bow_array_release(4, e) })),
        ("stream is not aligned to 8 bytes", Box::new(|e| unsafe { stream::bow_stream_release(4, e) })),
        ("out_schema is null", Box::new(|e| unsafe { schema::bow_schema_register(c, bytes, 1, null_mut(), e) })),
        ("json is null", Box::new(|e| unsafe { schema::bow_schema_register(c, null(), 1, n, e) })),
        ("json: expected value at line 1 column 1", Box::new(|e| unsafe { schema::bow_schema_register(c, bytes, 1, n, e) })),
        ("out is null", Box::new(|e| unsafe { schema::bow_schema_export(c, schema_handle, 0, 0, e) })),
        ("out is null", Box::new(|e| unsafe { table::bow_table_build(c, schema_handle, w, 3, null_mut(), e) })),
        ("words is null", Box::new(|e| unsafe { table::bow_table_build(c, schema_handle, null(), 3, t, e) })),
        ("expected a length as words[3] but there are 3 words", Box::new(|e| unsafe { table::bow_table_build(c, schema_handle, w, 3, t, e) })),
        ("tables is null", Box::new(|e| unsafe { table::bow_table_move(null_mut(), 0, 0, e) })),
        ("schema is not aligned to 8 bytes", Box::new(|e| unsafe { table::bow_table_move(t, 4, 0, e) })),
        ("array is not aligned to 8 bytes", Box::new(|e| unsafe { table::bow_table_move(t, 0, 4, e) })),
        ("out_count is null", Box::new(|e| unsafe { context::bow_context_released(c, n, 1, null_mut(), e) })),
        ("out_tokens is null", Box::new(|e| unsafe { context::bow_context_released(c, null_mut(), 1, n, e) })),
        ("out_lease is null", Box::new(|e| unsafe { job::bow_job_lease(c, 1 << 20, null_mut(), e) })),
        ("stream is null", Box::new(|e| unsafe { stream::bow_stream_import(c, 0, 0, n, e) })),
        ("out is null", Box::new(|e| unsafe { stream::bow_stream_export(c, schema_handle, 0, 0, n, e) })),
        ("out_stream is null", Box::new(|e| unsafe { stream::bow_stream_export(c, schema_handle, 0, 8, null_mut(), e) })),
        ("out_wanted is null", Box::new(|e| unsafe { stream::bow_stream_demand(c, 1 << 20, null_mut(), e) })),
        ("tables is null", Box::new(|e| unsafe { stream::bow_stream_push(c, 1 << 20, null_mut(), e) })),
        ("message is null", Box::new(|e| unsafe { stream::bow_stream_end(c, 1 << 20, null(), 1, e) })),
        ("message: invalid utf-8 sequence of 1 bytes from index 1", Box::new(|e| unsafe { stream::bow_stream_end(c, 1 << 20, bytes, 3, e) })),
        ("out_library is null", Box::new(|e| unsafe { call::bow_library_open(bytes, 1, null_mut(), e) })),
        ("path is null", Box::new(|e| unsafe { call::bow_library_open(null(), 1, n, e) })),
        ("out is null", Box::new(|e| unsafe { call::bow_library_symbol(1, bytes, 1, null_mut(), e) })),
        ("call is null", Box::new(|e| unsafe { call::bow_call_start(c, null(), n, e) })),
        ("expected the size of the struct, 48, in its first field but found 40", Box::new(|e| unsafe { call::bow_call_start(c, &short, n, e) })),
        ("function is null", Box::new(|e| unsafe { call::bow_call_start(c, &nowhere, n, e) })),
        ("inputs is null", Box::new(|e| unsafe { call::bow_call_start(c, &no_inputs, n, e) })),
        ("options is null", Box::new(|e| unsafe { call::bow_call_start(c, &no_options, n, e) })),
        ("expected flags within 0x1f but found 0x40", Box::new(|e| unsafe { call::bow_call_start(c, &flags, n, e) })),
        ("out_job is null", Box::new(|e| unsafe { call::bow_call_start(c, &good, null_mut(), e) })),
    ];
    for (expected, function) in cases {
        assert_eq!(common::call(function), invalid(expected));
    }
    let stats = scope.stats();
    assert_eq!(
        (stats.live_jobs, stats.live_streams, stats.live_pins),
        (0.0, 0.0, 0.0)
    );
}

#[test]
fn addresses_of_nothing_are_nothing_to_release() {
    // SAFETY: 0 is no address.
    unsafe {
        let functions = [
            schema::bow_schema_release,
            table::bow_array_release,
            stream::bow_stream_release,
        ];
        for function in functions {
            assert_eq!(common::call(|error| function(0, error)), Ok(Status::Ok));
        }
    }
    let (mut whole, (mut counted, drops)) = (table(), counted());
    for _ in 0..2 {
        // SAFETY: the structs are locals, owned or released.
        unsafe {
            let error = null_mut();
            assert_eq!(
                schema::bow_schema_release(address(&mut whole.schema), error),
                0
            );
            assert_eq!(
                table::bow_array_release(address(&mut whole.array), error),
                0
            );
            assert_eq!(stream::bow_stream_release(address(&mut counted), error), 0);
        }
        assert!(whole.schema.release.is_none() && whole.array.release.is_none());
        assert_eq!(drops.load(SeqCst), 1);
    }
}

#[test]
fn structs_are_moved_also_when_the_call_fails() {
    let scope = Context::open();
    let mut out = 0;
    // Without an array, without a schema, with flags that cannot be, in no context.
    for case in 0..4 {
        let mut whole = table();
        let schema = if case == 1 {
            0
        } else {
            address(&mut whole.schema)
        };
        let array = if case == 0 {
            0
        } else {
            address(&mut whole.array)
        };
        let flags = if case == 2 { 99 } else { 2 };
        let context = if case == 3 { 0 } else { scope.0 };
        // SAFETY: the structs are locals and owned.
        let refused = common::call(|error| unsafe {
            lease::bow_lease_adopt(context, schema, array, flags, &mut out, error)
        });
        assert!(refused.is_err());
        assert_eq!(whole.schema.release.is_some(), case == 1);
        assert_eq!(whole.array.release.is_some(), case == 0);
        // SAFETY: what is left is owned here.
        drop(unsafe { OwnedTable::take(&mut whole) });
    }
    for (context, flags) in [(scope.0, 99), (0, 2)] {
        let (mut foreign, drops) = counted();
        // SAFETY: the struct is a local and owned.
        let refused = common::call(|error| unsafe {
            stream::bow_stream_import(context, address(&mut foreign), flags, &mut out, error)
        });
        assert!(refused.is_err() && foreign.release.is_none());
        assert_eq!(drops.load(SeqCst), 1);
    }
    for case in 0..3 {
        let (foreign, drops) = counted();
        // SAFETY: the struct is a local and owned.
        let foreign = Value::Stream(unsafe { OwnedStream::from_raw(foreign) });
        let mut inputs = [foreign.into_raw(), Value::None.into_raw()];
        inputs[1].kind = if case == 0 { 9 } else { 0 };
        let mut started = bow_call(&mut inputs);
        started.flags = if case == 1 { 99 } else { 2 };
        let context = if case == 2 { 0 } else { scope.0 };
        // SAFETY: everything is a local.
        let refused = common::call(|error| unsafe {
            call::bow_call_start(context, &started, &mut out, error)
        });
        assert!(refused.is_err());
        assert_eq!((inputs[0].kind, drops.load(SeqCst)), (0, 1), "case {case}");
    }
    for context in [scope.0, 0] {
        let mut pushed = table();
        // SAFETY: the struct is a local and owned.
        let refused = common::call(|error| unsafe {
            stream::bow_stream_push(context, 1 << 20, &mut pushed, error)
        });
        assert_eq!(refused.unwrap_err().0, Status::StaleHandle);
        assert!(pushed.schema.release.is_none() && pushed.array.release.is_none());
    }
    assert_eq!(scope.stats().live_leases, 0.0);
}

#[test]
fn a_schema_is_read_where_it_is_and_comes_back_as_it_was_registered() {
    let scope = Context::open();
    let handle = register(&scope, SCHEMA).unwrap();
    let mut exported = ArrowSchema::released();
    let (mut text, mut length) = ([0u8; 512], 0);
    // SAFETY: the arguments are locals.
    unsafe {
        let out = address(&mut exported);
        let status =
            common::call(|error| schema::bow_schema_export(scope.0, handle, 0, out, error));
        assert_eq!(status, Ok(Status::Ok));
        let small = common::call(|error| {
            schema::bow_schema_read(out, 2, text.as_mut_ptr(), 3, &mut length, error)
        });
        assert_eq!(small.unwrap_err().0, Status::BufferTooSmall);
        assert_eq!(length as usize, SCHEMA.len());
        let read = common::call(|error| {
            schema::bow_schema_read(out, 2, text.as_mut_ptr(), 512, &mut length, error)
        });
        assert_eq!(read, Ok(Status::Ok));
        assert_eq!(std::str::from_utf8(&text[..length as usize]), Ok(SCHEMA));
        assert!(exported.release.is_some(), "not moved");
        assert_eq!(schema::bow_schema_release(out, null_mut()), 0);
        assert_eq!(schema::bow_schema_close(scope.0, handle, null_mut()), 0);
    }
    let refused = register(&scope, r#"{"format": 4}"#).unwrap_err();
    let expected = "json: invalid type: integer `4`, expected a string at line 1 column 12";
    assert_eq!(refused, (Status::InvalidArgument, expected.to_owned()));
}

#[test]
fn a_table_that_is_moved_has_one_owner() {
    let mut source = table();
    let (mut schema, mut array) = (ArrowSchema::released(), ArrowArray::released());
    // SAFETY: the structs are locals; the source is owned.
    unsafe {
        let (to_schema, to_array) = (address(&mut schema), address(&mut array));
        let status =
            common::call(|error| table::bow_table_move(&mut source, to_schema, to_array, error));
        assert_eq!(status, Ok(Status::Ok));
        assert!(source.schema.release.is_none() && source.array.release.is_none());
        assert!(schema.release.is_some() && array.release.is_some());
        drop((
            OwnedTable::take_schema(&mut schema),
            OwnedTable::take_array(&mut array),
        ));
        let mut half = self::table();
        let status = common::call(|error| table::bow_table_move(&mut half, 0, to_array, error));
        assert_eq!(status, Ok(Status::Ok));
        assert!(half.schema.release.is_none() && array.release.is_some());
        drop(OwnedTable::take_array(&mut array));

        // What is not asked for is released.
        static RELEASES: AtomicUsize = AtomicUsize::new(0);
        unsafe extern "C" fn release(schema: *mut ArrowSchema) {
            RELEASES.fetch_add(1, SeqCst);
            // SAFETY: called with the schema that has this release.
            unsafe { (*schema).release = None };
        }
        let mut counted = BowTable::released();
        counted.schema.release = Some(release);
        let status = common::call(|error| table::bow_table_move(&mut counted, 0, 0, error));
        assert_eq!((status, RELEASES.load(SeqCst)), (Ok(Status::Ok), 1));
    }
}
