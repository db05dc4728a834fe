//! What a call is to its caller: progress, cancellation, memory that is used again, and refusals of the way back.

mod common;

use std::sync::Arc;
use std::thread;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, LargeBinaryArray, ListArray, RecordBatch, StringArray, make_array,
    new_null_array,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Schema};
use bowstring_quantize::{Control, QuantizeError, Quantizer, dequantize, quantize};
use common::{Random, batch, one, options};
use serde_json::{Value, json};

#[test]
fn a_cancelled_call_ends_with_its_own_error() {
    let batch = batch(&[(&[0.5; 64], &[64])]);
    let control = Control::default();
    let quantized = quantize(&batch, &options(json!({})), &control)
        .unwrap()
        .batch;
    control.cancel();
    assert!(control.is_cancelled());
    for options in [
        json!({}),
        json!({"granularity": "tensor"}),
        json!({"minCosine": 0.5, "bitWidth": 2}),
    ] {
        let error = quantize(&batch, &common::options(options), &control).unwrap_err();
        assert_eq!(error, QuantizeError::Cancelled);
    }
    let error = dequantize(&quantized, &Default::default(), &control).unwrap_err();
    assert_eq!(error, QuantizeError::Cancelled);
    assert_eq!(error.to_string(), "the call was cancelled");
}

/// From another thread, in the middle of one layer. The layer is searched through, which takes many times as long as
/// the cancellation, so the call cannot have ended before.
#[test]
fn a_call_is_cancelled_in_the_middle_of_a_layer() {
    let values = Random(42).normals(1 << 22);
    let batch = batch(&[(&values, &[values.len() / 2, 2])]);
    for kind in [
        json!({"bitWidth": 2, "groupSize": 32}),
        json!({"granularity": "tensor"}),
        json!({"granularity": "channel", "axis": 1}),
    ] {
        let mut kind = kind;
        kind["search"] = json!("mse");
        kind["threads"] = json!(2);
        let (options, control) = (options(kind), Control::default());
        thread::scope(|scope| {
            let call = scope.spawn(|| quantize(&batch, &options, &control));
            while control.progress().values_total == 0 {
                thread::yield_now();
            }
            control.cancel();
            assert_eq!(call.join().unwrap().unwrap_err(), QuantizeError::Cancelled);
        });
        let progress = control.progress();
        assert!(progress.values_done < progress.values_total, "{progress:?}");
    }
}

#[test]
fn progress_counts_to_its_total() {
    let values = Random(41).normals(300_000);
    let batch = batch(&[
        (&values, &[3000, 100]),
        (&values[..100], &[100]),
        (&[], &[0]),
    ]);
    for (json, values) in [
        (json!({}), 300_100),
        (json!({"granularity": "tensor", "threads": 2}), 300_100),
        (json!({"bitWidth": 4, "minCosine": 0.999_999}), 600_200),
    ] {
        let control = Control::default();
        let quantized = quantize(&batch, &options(json.clone()), &control).unwrap();
        let progress = control.progress();
        assert_eq!(
            (progress.layers_total, progress.layers_done),
            (3, 3),
            "{json}"
        );
        assert_eq!(
            (progress.values_total, progress.values_done),
            (values, values),
            "{json}"
        );
        // A control serves one call after the other, and its counters go on.
        dequantize(&quantized.batch, &Default::default(), &control).unwrap();
        let progress = control.progress();
        assert_eq!(
            (progress.layers_total, progress.layers_done),
            (6, 6),
            "{json}"
        );
        assert_eq!(progress.values_done, values + 300_100, "{json}");
    }
}

/// Values that are clipped are gone through again; a layer that is left out is finished, too.
#[test]
fn progress_counts_what_is_mended_and_what_is_left_out() {
    let mut bad = Random(45).normals(300);
    bad[3] = f32::NAN;
    let batch = batch(&[(&bad, &[300]), (&[0.5; 200], &[200])]);
    for (json, values, rows) in [
        (json!({"onInvalid": "clip"}), 800, 2),
        (json!({"onInvalid": "skip"}), 500, 1),
        (json!({"continueOnError": true}), 500, 1),
    ] {
        let control = Control::default();
        let quantized = quantize(&batch, &options(json.clone()), &control).unwrap();
        assert_eq!(quantized.batch.num_rows(), rows, "{json}");
        let progress = control.progress();
        assert_eq!(
            (progress.layers_total, progress.layers_done),
            (2, 2),
            "{json}"
        );
        assert_eq!(
            (progress.values_total, progress.values_done),
            (values, values),
            "{json}"
        );
    }
}

fn address(batch: &RecordBatch) -> usize {
    let column = batch.column_by_name("quantized_data").unwrap();
    column.as_binary::<i64>().values().as_ptr() as usize
}

#[test]
fn a_released_result_gives_its_memory_to_the_next() {
    let values = Random(42).normals(1 << 20);
    let batch = batch(&[(&values, &[1024, 1024])]);
    let quantizer = Quantizer::keeping(64 << 20);
    let run = |json: Value| {
        quantizer
            .quantize(&batch, &options(json), &Control::default())
            .unwrap()
            .batch
    };
    let first = run(json!({}));
    let (at, expected) = (address(&first), common::data(&first, 0));
    let second = run(json!({}));
    assert_ne!(address(&second), at, "the first is still being read");
    // A column that outlives its batch keeps the memory.
    let kept = first.column_by_name("scales").unwrap().clone();
    drop(first);
    let third = run(json!({}));
    assert_ne!(address(&third), at);
    drop(kept);
    let fourth = run(json!({}));
    assert_eq!(address(&fourth), at);
    for batch in [&second, &third, &fourth] {
        assert_eq!(common::data(batch, 0), expected);
        assert_eq!(address(batch) % 64, 0);
    }
    // What an earlier result left in the block does not show in a shorter one.
    drop(fourth);
    let short = quantizer
        .quantize(
            &common::batch(&[(&[1.0, 2.0, 3.0], &[3])]),
            &options(json!({"layout": "onnx"})),
            &Control::default(),
        )
        .unwrap()
        .batch;
    assert_eq!(
        common::data(&short, 0),
        common::data(&one(&[1.0, 2.0, 3.0], &[3], json!({})), 0)
    );
}

#[test]
fn a_quantizer_may_keep_nothing() {
    let values = Random(43).normals(1 << 20);
    let batch = batch(&[(&values, &[1 << 20])]);
    let quantizer = Quantizer::keeping(0);
    let run = || {
        quantizer
            .quantize(&batch, &options(json!({})), &Control::default())
            .unwrap()
            .batch
    };
    assert_eq!(run(), run());
}

/// Rows that contradict themselves are refused, not read out of bounds.
#[test]
fn the_way_back_refuses_rows_that_contradict_themselves() {
    let good = one(&Random(44).normals(600), &[2, 300], json!({}));
    let with = |name: &str, column: ArrayRef| {
        let at = good.schema().index_of(name).unwrap();
        let mut columns = good.columns().to_vec();
        columns[at] = column;
        RecordBatch::try_new(good.schema(), columns)
    };
    let text = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value])) };
    let int = |value: i32| -> ArrayRef { Arc::new(arrow_array::Int32Array::from(vec![value])) };
    let bits = |value: u8| -> ArrayRef { Arc::new(arrow_array::UInt8Array::from(vec![value])) };
    let bytes = |count: usize| -> ArrayRef {
        Arc::new(LargeBinaryArray::from(vec![&vec![0u8; count][..]]))
    };
    let list = |values: ArrayRef| -> ArrayRef {
        let item = Arc::new(Field::new("item", values.data_type().clone(), false));
        let offsets = arrow_buffer::OffsetBuffer::from_lengths([values.len()]);
        Arc::new(arrow_array::ListArray::new(item, offsets, values, None))
    };
    let sizes = |sizes: Vec<i64>| list(Arc::new(arrow_array::Int64Array::from(sizes)));
    let cases = [
        (
            "scheme",
            text("affine"),
            r#"scheme: expected one of ["asymmetric", "symmetric"] but found "affine""#,
        ),
        (
            "layout",
            text("onyx"),
            r#"layout: expected one of ["onnx", "ggml", "mlx", "unpacked"] but found "onyx""#,
        ),
        (
            "bit_width",
            bits(3),
            "bit_width: expected 2, 4 or 8 but found 3",
        ),
        (
            "bit_width",
            bits(8),
            "quantized_data: bytes: expected 600 but found 300",
        ),
        (
            "quantized_data",
            bytes(299),
            "quantized_data: bytes: expected 300 but found 299",
        ),
        (
            "quantized_data",
            bytes(301),
            "quantized_data: bytes: expected 300 but found 301",
        ),
        (
            "group_size",
            int(-1),
            "group_size: expected a size or 0 but found -1",
        ),
        (
            "group_size",
            int(64),
            "scales: values: expected 10 but found 6",
        ),
        (
            "group_size",
            int(i32::MAX),
            "scales: values: expected 2 but found 6",
        ),
        (
            "group_size",
            int(0),
            "scales: values: expected 300 but found 6",
        ),
        (
            "shape",
            sizes(vec![2, 299]),
            "quantized_data: bytes: expected 299 but found 300",
        ),
        (
            "shape",
            sizes(vec![i64::MAX, i64::MAX]),
            "shape: expected sizes whose product is at most 2147483647 but found [9223372036854775807, \
             9223372036854775807]",
        ),
        (
            "shape",
            sizes(vec![-2, 300]),
            "shape: expected sizes whose product is at most 2147483647 but found [-2, 300]",
        ),
        (
            "scales",
            list(Arc::new(arrow_array::Float32Array::from(vec![1.0; 5]))),
            "scales: values: expected 6 but found 5",
        ),
        (
            "zero_points",
            list(Arc::new(arrow_array::Int16Array::from(vec![0; 5]))),
            "zero_points: values: expected 6 but found 5",
        ),
        (
            "zero_points",
            list(Arc::new(arrow_array::Int16Array::from(vec![0; 7]))),
            "zero_points: values: expected 6 but found 7",
        ),
        (
            "layout",
            text("ggml"),
            "group_size: expected 32 in layout \"ggml\" but found 128",
        ),
    ];
    for (name, column, expected) in cases {
        let error = dequantize(
            &with(name, column).unwrap(),
            &Default::default(),
            &Control::default(),
        );
        assert_eq!(
            error.unwrap_err().to_string(),
            format!("layer \"layer0\" (row 0): {expected}"),
            "{name}"
        );
    }
}

/// Only what nothing is decoded by may be null.
#[test]
fn the_way_back_refuses_nulls() {
    let good = one(&Random(46).normals(600), &[2, 300], json!({}));
    let fields: Vec<Field> = good
        .schema()
        .fields()
        .iter()
        .map(|field| field.as_ref().clone().with_nullable(true))
        .collect();
    let metadata = good.schema().metadata().clone();
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
    for (at, field) in schema.fields().iter().enumerate() {
        let mut columns = good.columns().to_vec();
        columns[at] = new_null_array(field.data_type(), 1);
        let batch = RecordBatch::try_new(schema.clone(), columns).unwrap();
        let result = dequantize(&batch, &Default::default(), &Control::default());
        let name = field.name().as_str();
        let layer = if name == "layer_name" { "" } else { "layer0" };
        match name {
            "biases" | "rmse" | "max_abs_error" | "sqnr_db" | "cosine" => {
                assert_eq!(common::back(&batch), common::back(&good), "{name}");
            }
            _ => assert_eq!(
                result.unwrap_err().to_string(),
                format!("layer \"{layer}\" (row 0): {name}: expected a value but found null")
            ),
        }
    }
}

/// What a program added to the table is its own affair.
#[test]
fn the_way_back_looks_at_no_other_columns() {
    let good = one(&Random(47).normals(600), &[2, 300], json!({}));
    let mut fields = good.schema().fields().to_vec();
    fields.push(Arc::new(Field::new("note", DataType::Utf8, true)));
    let metadata = good.schema().metadata().clone();
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
    let mut columns = good.columns().to_vec();
    columns.push(new_null_array(&DataType::Utf8, 1));
    let batch = RecordBatch::try_new(schema, columns).unwrap();
    assert_eq!(common::back(&batch), common::back(&good));
}

/// A scale that is missing is not 0.
#[test]
fn the_way_back_refuses_nulls_within_lists() {
    let good = one(&Random(48).normals(600), &[2, 300], json!({}));
    for (name, at) in [("scales", 5), ("zero_points", 0), ("shape", 1)] {
        let column = good.schema().index_of(name).unwrap();
        let list = good[name].as_list::<i32>();
        let count = list.values().len();
        let valid: Vec<bool> = (0..count).map(|index| index != at).collect();
        let data = list.values().to_data().into_builder();
        let data = data.nulls(Some(NullBuffer::from(valid))).build().unwrap();
        let item = Arc::new(Field::new("item", data.data_type().clone(), true));
        let lists = ListArray::new(item, list.offsets().clone(), make_array(data), None);
        let mut fields = good.schema().fields().to_vec();
        fields[column] = Arc::new(Field::new(name, lists.data_type().clone(), false));
        let metadata = good.schema().metadata().clone();
        let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
        let mut columns = good.columns().to_vec();
        columns[column] = Arc::new(lists);
        let batch = RecordBatch::try_new(schema, columns).unwrap();
        match dequantize(&batch, &Default::default(), &Control::default()) {
            Err(QuantizeError::Layer(error)) => {
                assert_eq!(error.index(), Some(at), "{name}");
                assert_eq!(
                    error.to_string(),
                    format!(
                        "layer \"layer0\" (row 0): {name}[{at}]: expected a value but found null"
                    )
                );
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}
