//! Quantization through the exported functions.

mod common;

use std::mem::ManuallyDrop;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int64Type};
use arrow_array::{ListArray, RecordBatch, StringArray};
use bowstring::quantize::{
    BOW_CODE_INT4, BowTensor, bow_dequantize_start, bow_quantize_start, bow_quantize_validate,
    bow_quantize_with,
};
use bowstring::weights::bow_weights_quantize;
use bowstring_abi::call::{BowContent, BowValue, Value};
use bowstring_abi::{BowError, BowTable, Failure, OwnedStream, Status, export_batch};
use bowstring_runtime::BowJobState;
use common::{Context, Job, call};

type Start =
    unsafe extern "C" fn(u32, *mut BowValue, *const u8, u32, *mut u32, *mut BowError) -> i32;

/// A table of layers, by name.
fn layers(layers: &[(&str, Vec<f32>)]) -> RecordBatch {
    let names = StringArray::from_iter_values(layers.iter().map(|(name, _)| name));
    let weights = ListArray::from_iter_primitive::<Float32Type, _, _>(
        layers
            .iter()
            .map(|(_, values)| Some(values.iter().copied().map(Some))),
    );
    RecordBatch::try_from_iter([
        ("layer_name", Arc::new(names) as _),
        ("weights", Arc::new(weights) as _),
    ])
    .unwrap()
}

fn one(name: &str) -> RecordBatch {
    layers(&[(name, (0..100).map(|at| at as f32 / 8.0 - 6.0).collect())])
}

fn table(batch: &RecordBatch) -> BowValue {
    Value::Table(export_batch(batch).unwrap()).into_raw()
}

fn stream(batches: Vec<RecordBatch>) -> BowValue {
    let schema = batches[0].schema();
    let batches = batches.into_iter().map(Ok::<_, Failure>);
    Value::Stream(OwnedStream::from_batches(schema, batches)).into_raw()
}

fn start<'a>(
    scope: &'a Context,
    function: Start,
    input: &mut BowValue,
    options: &str,
) -> Result<Job<'a>, (Status, String)> {
    let mut job = 0;
    let length = options.len() as u32;
    // SAFETY: the arguments are locals, and the input is given up.
    call(|error| unsafe { function(scope.0, input, options.as_ptr(), length, &mut job, error) })?;
    assert_eq!(input.kind, 0, "moved from");
    Ok(Job(scope, job))
}

#[test]
fn a_table_makes_one_result_and_comes_back() {
    let scope = Context::open();
    let job = start(&scope, bow_quantize_start, &mut table(&one("w")), "{}").unwrap();
    let group = job.next().unwrap().unwrap();
    assert_eq!(
        (group.len(), group[0].num_rows(), group[1].num_rows()),
        (2, 1, 0)
    );
    assert!(job.next().unwrap().is_none());
    let mut state = BowJobState {
        size: 48,
        state: 9,
        files_total: 0.0,
        bytes_total: 0.0,
        files_done: 0.0,
        bytes_done: 0.0,
        results_queued: 0.0,
    };
    // SAFETY: the arguments are locals.
    call(|error| unsafe { bowstring::job::bow_job_state(scope.0, job.1, &mut state, error) })
        .unwrap();
    assert_eq!(
        (
            state.files_total,
            state.bytes_total,
            state.files_done,
            state.bytes_done
        ),
        (1.0, 100.0, 1.0, 100.0)
    );
    let mut input = table(&group[0]);
    let back = start(&scope, bow_dequantize_start, &mut input, "{}").unwrap();
    let back = back.one().unwrap();
    let weights = back["weights"].as_list::<i32>().value(0);
    assert_eq!(weights.as_primitive::<Float32Type>().len(), 100);
}

#[test]
fn a_stream_makes_one_result_without_rows_and_one_for_each_batch() {
    let scope = Context::open();
    let mut input = stream(vec![one("a"), one("b")]);
    let job = start(&scope, bow_quantize_start, &mut input, r#"{"bitWidth": 8}"#).unwrap();
    let rows: Vec<usize> = std::iter::from_fn(|| job.next().unwrap())
        .map(|group| group[0].num_rows())
        .collect();
    assert_eq!(rows, [0, 1, 1]);
}

#[test]
fn rows_are_counted_over_the_stream() {
    let scope = Context::open();
    let bad = layers(&[("good", vec![1.0]), ("bad\n\"", vec![2.0, f32::NAN])]);
    let batches = || stream(vec![one("a"), bad.clone()]);
    let job = start(&scope, bow_quantize_start, &mut batches(), "{}").unwrap();
    let error = loop {
        match job.next() {
            Ok(group) => assert!(group.is_some()),
            Err(error) => break error,
        }
    };
    let expected = "{\"row\":2,\"layer\":\"bad\\n\\\"\",\"index\":1}\n\
                    layer \"bad\\n\\\"\" (row 2): weights[1]: expected a finite number but found NaN";
    assert_eq!(error, (Status::Layer, expected.to_owned()));

    let options = r#"{"continueOnError": true}"#;
    let job = start(&scope, bow_quantize_start, &mut batches(), options).unwrap();
    let groups: Vec<_> = std::iter::from_fn(|| job.next().unwrap()).collect();
    let failures = &groups[2][1];
    assert_eq!(
        failures["row"].as_primitive::<Int64Type>().values()[..],
        [2]
    );
    assert_eq!(
        failures["index"].as_primitive::<Int64Type>().values()[..],
        [1]
    );
    assert_eq!(
        failures["layer_name"].as_string::<i32>().value(0),
        "bad\n\""
    );
}

#[test]
fn what_cannot_be_started_is_moved_from_all_the_same() {
    let scope = Context::open();
    let cases = [
        (
            "{",
            "options: EOF while parsing an object at line 1 column 1",
        ),
        ("[]", "options: expected an object but found []"),
        (r#"{"bits": 4}"#, "options: expected bitWidth, "),
    ];
    for (options, message) in cases {
        let mut input = table(&one("w"));
        let (status, found) = start(&scope, bow_quantize_start, &mut input, options)
            .map(|_| ())
            .unwrap_err();
        assert_eq!(status, Status::InvalidArgument);
        assert!(found.starts_with(message), "{found}");
        // SAFETY: a table was there, whose release says whether it still is.
        assert!(unsafe { input.content.table.array.release }.is_none());
    }
    let mut nothing = BowValue {
        kind: 0,
        reserved: 0,
        content: BowContent {
            table: ManuallyDrop::new(BowTable::released()),
        },
    };
    let error = start(&scope, bow_quantize_start, &mut nothing, "{}")
        .map(|_| ())
        .unwrap_err();
    assert_eq!(
        error.1,
        "input: expected a table or a stream but found nothing"
    );
    let mut job = 0;
    // SAFETY: a null input is refused.
    let null = call(|error| unsafe {
        bow_quantize_start(
            scope.0,
            std::ptr::null_mut(),
            b"{}".as_ptr(),
            2,
            &mut job,
            error,
        )
    });
    assert_eq!(
        null,
        Err((Status::InvalidArgument, "input is null".to_owned()))
    );
    let mut input = table(&one("w"));
    // SAFETY: the input is given up, and a null out_job is refused.
    let nowhere = call(|error| unsafe {
        bow_quantize_start(
            scope.0,
            &mut input,
            b"{}".as_ptr(),
            2,
            std::ptr::null_mut(),
            error,
        )
    });
    assert_eq!(
        nowhere,
        Err((Status::InvalidArgument, "out_job is null".to_owned()))
    );
    // SAFETY: as above.
    assert!(unsafe { input.content.table.array.release }.is_none());
}

#[test]
fn a_released_table_and_one_of_other_columns_fail_the_job() {
    let scope = Context::open();
    let mut released = BowValue {
        kind: 1,
        reserved: 0,
        content: BowContent {
            table: ManuallyDrop::new(BowTable::released()),
        },
    };
    let job = start(&scope, bow_quantize_start, &mut released, "{}").unwrap();
    assert_eq!(job.next().unwrap_err().0, Status::InvalidArrow);
    let job = start(&scope, bow_dequantize_start, &mut table(&one("w")), "{}").unwrap();
    let (status, message) = job.next().unwrap_err();
    assert_eq!(status, Status::InvalidArgument);
    assert!(
        message.starts_with("the schema does not fit dequantization: "),
        "{message}"
    );
}

#[test]
fn a_schema_is_looked_at_where_it_is() {
    let exported = export_batch(&one("w")).unwrap().into_raw();
    let validate = |schema: usize| {
        // SAFETY: the address is null or that of a schema; the options are a local.
        call(|error| unsafe { bow_quantize_validate(schema, b"{}".as_ptr(), 2, error) })
    };
    let address = &raw const exported.schema as usize;
    assert_eq!(validate(address), Ok(Status::Ok));
    assert!(exported.schema.release.is_some(), "only read");
    assert_eq!(
        validate(0),
        Err((Status::InvalidArgument, "schema is null".to_owned()))
    );
    let other = RecordBatch::try_from_iter([("n", Arc::new(StringArray::from(vec!["x"])) as _)]);
    let other = export_batch(&other.unwrap()).unwrap().into_raw();
    let (status, message) = validate(&raw const other.schema as usize).unwrap_err();
    assert_eq!(status, Status::InvalidArgument);
    assert!(
        message.contains("column \"layer_name\": expected utf8"),
        "{message}"
    );
    for mut table in [exported, other] {
        // SAFETY: this test's to release.
        drop(unsafe { bowstring_abi::OwnedTable::take(&mut table) });
    }
}

#[test]
fn what_is_copied_is_counted_once() {
    let scope = Context::open();
    let copied = |mut input: BowValue| {
        let before = scope.stats().bytes_copied;
        let job = start(&scope, bow_quantize_start, &mut input, "{}").unwrap();
        while job.next().unwrap().is_some() {}
        scope.stats().bytes_copied - before
    };
    // The name and its offsets, and the offsets of the list.
    let one_batch = copied(table(&one("w")));
    assert_eq!(one_batch, 1.0 + 2.0 * 4.0 + 2.0 * 4.0);
    let three = stream(vec![one("a"), one("b"), one("c")]);
    assert_eq!(copied(three), 3.0 * one_batch);
}

fn tensor(values: u64, code_bytes: u64) -> BowTensor {
    let mut shape = [0; 16];
    shape[0] = values;
    BowTensor {
        size: size_of::<BowTensor>() as u32,
        code_type: BOW_CODE_INT4,
        axis: 0,
        block_size: 0,
        value_count: values,
        scale_count: 1,
        zero_point_count: 0,
        code_bytes,
        rank: 1,
        reserved: 0,
        shape,
    }
}

#[test]
fn given_scales_quantize_plain_buffers() {
    let (values, scales) = ([1.0f32, -3.0, 2.5], [0.5f32]);
    let with = |tensor: &BowTensor, codes: &mut [u8]| {
        // SAFETY: the arrays have what the tensor says, or it is refused.
        call(|error| unsafe {
            bow_quantize_with(
                tensor,
                values.as_ptr(),
                scales.as_ptr(),
                std::ptr::null(),
                codes.as_mut_ptr(),
                error,
            )
        })
    };
    let mut codes = [0; 2];
    with(&tensor(3, 2), &mut codes).unwrap();
    assert_eq!(codes, [0xa2, 0x05]);
    let small = with(&tensor(3, 1), &mut codes).unwrap_err();
    let message = "codes: expected room for 2 bytes but found 1";
    assert_eq!(small, (Status::BufferTooSmall, message.to_owned()));
    let mut grown = tensor(3, 2);
    grown.size += 8;
    grown.rank = 16;
    grown.shape[1..].fill(1);
    with(&grown, &mut codes).unwrap();
    assert_eq!(
        codes,
        [0xa2, 0x05],
        "of a later version, of all axes there may be"
    );
    type Change = fn(&mut BowTensor);
    let cases: [(Change, &str); 4] = [
        (
            |it| it.size = 8,
            "expected the size of the struct, 192, in its first field but found 8",
        ),
        (
            |it| it.code_type = 6,
            "type: expected a code type below 6 but found 6",
        ),
        (
            |it| it.rank = 17,
            "shape: expected at most 16 axes but found 17",
        ),
        (
            |it| it.shape[0] = 4,
            "shape: expected sizes whose product is 3 but found [4]",
        ),
    ];
    for (change, message) in cases {
        let mut tensor = tensor(3, 2);
        change(&mut tensor);
        let found = with(&tensor, &mut codes).unwrap_err();
        assert_eq!(found, (Status::InvalidArgument, message.to_owned()));
    }
}

#[test]
fn arrays_of_nothing_may_be_null_and_no_others() {
    let with = |tensor: &BowTensor, scales: *const f32| {
        // SAFETY: what is null is empty, or refused.
        call(|error| unsafe {
            bow_quantize_with(
                tensor,
                std::ptr::null(),
                scales,
                std::ptr::null(),
                std::ptr::null_mut(),
                error,
            )
        })
    };
    let scales = [0.5f32];
    assert_eq!(with(&tensor(0, 0), scales.as_ptr()), Ok(Status::Ok));
    type Change = fn(&mut BowTensor);
    let cases: [(Change, &str); 3] = [
        (|it| it.value_count = 1, "values is null"),
        (|it| it.zero_point_count = 1, "zero_points is null"),
        (|it| it.code_bytes = 1, "codes is null"),
    ];
    for (change, message) in cases {
        let mut tensor = tensor(0, 0);
        change(&mut tensor);
        let found = with(&tensor, scales.as_ptr());
        assert_eq!(found, Err((Status::InvalidArgument, message.to_owned())));
    }
    let found = with(&tensor(0, 0), std::ptr::null());
    let message = "scales is null".to_owned();
    assert_eq!(found, Err((Status::InvalidArgument, message)));
}

#[test]
fn a_file_needs_both_names() {
    let scope = Context::open();
    let cases = [
        ("{}", "input: expected a string but found nothing"),
        (
            r#"{"input": "a"}"#,
            "output: expected a string but found nothing",
        ),
        (
            r#"{"input": 1, "output": "b"}"#,
            "input: expected a string but found 1",
        ),
    ];
    for (options, message) in cases {
        let error = scope
            .start(bow_weights_quantize, options)
            .map(|_| ())
            .unwrap_err();
        assert_eq!(error, (Status::InvalidArgument, message.to_owned()));
    }
    let job = scope
        .start(
            bow_weights_quantize,
            r#"{"input": "/none.arrow", "output": "/none/out.arrow"}"#,
        )
        .unwrap();
    let message = "/none.arrow: No such file or directory (os error 2)";
    assert_eq!(job.next().unwrap_err(), (Status::Io, message.to_owned()));
}
