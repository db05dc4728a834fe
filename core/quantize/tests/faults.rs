//! What may be wrong with the weights, and how it is told.

mod common;

use std::sync::Arc;

use arrow_array::builder::{Float32Builder, Int64Builder, ListBuilder};
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, Float32Array, RecordBatch, StringArray};
use arrow_buffer::NullBuffer;
use bowstring_quantize::{LayerErrorKind, QuantizeError};
use common::{Random, data, lists, names, one, plain, run, table};
use serde_json::json;

/// A table with one layer for each thing that can be wrong, and good ones between them.
fn troubled() -> (RecordBatch, Vec<(usize, &'static str)>) {
    type Weights = Option<Vec<Option<f32>>>;
    type Row = (Option<&'static str>, Weights, Vec<Option<i64>>);
    let good = || Some(vec![Some(0.5), Some(-1.0), Some(0.25), Some(1.0)]);
    let with = |at: usize, value: Option<f32>| {
        let mut values = vec![Some(0.5); 300];
        values[at] = value;
        Some(values)
    };
    let rows: Vec<Row> = vec![
        (Some("good"), good(), vec![Some(4)]),
        (Some("null list"), None, vec![Some(4)]),
        (Some("null element"), with(7, None), vec![Some(300)]),
        (Some("NaN"), with(299, Some(f32::NAN)), vec![Some(300)]),
        (
            Some("infinity"),
            with(0, Some(f32::INFINITY)),
            vec![Some(3), Some(100)],
        ),
        (
            Some("-infinity"),
            with(131, Some(f32::NEG_INFINITY)),
            vec![Some(300)],
        ),
        (Some("shape"), good(), vec![Some(3), Some(2)]),
        (Some("negative"), good(), vec![Some(-2), Some(-2)]),
        (Some("null size"), good(), vec![Some(4), None]),
        (Some("huge"), good(), vec![Some(i64::MAX), Some(i64::MAX)]),
        (None, good(), vec![Some(4)]),
        (Some("good too"), good(), vec![Some(2), Some(2)]),
    ];
    let mut weights = ListBuilder::new(Float32Builder::new());
    let mut shapes = ListBuilder::new(Int64Builder::new());
    let mut names = Vec::new();
    for (name, values, shape) in rows {
        names.push(name);
        weights.append_option(values);
        shapes.append_value(shape);
    }
    let columns: [(&str, ArrayRef); 3] = [
        ("layer_name", Arc::new(StringArray::from(names))),
        ("weights", Arc::new(weights.finish())),
        ("shape", Arc::new(shapes.finish())),
    ];
    let messages = vec![
        (
            1,
            "layer \"null list\" (row 1): expected weights but found null",
        ),
        (
            2,
            "layer \"null element\" (row 2): weights[7]: expected a finite number but found null",
        ),
        (
            3,
            "layer \"NaN\" (row 3): weights[299]: expected a finite number but found NaN",
        ),
        (
            4,
            "layer \"infinity\" (row 4): weights[0]: expected a finite number but found infinity",
        ),
        (
            5,
            "layer \"-infinity\" (row 5): weights[131]: expected a finite number but found -infinity",
        ),
        (
            6,
            "layer \"shape\" (row 6): shape: expected sizes whose product is 4 but found [3, 2]",
        ),
        (
            7,
            "layer \"negative\" (row 7): shape[0]: expected a size but found -2",
        ),
        (
            8,
            "layer \"null size\" (row 8): shape[1]: expected a size but found null",
        ),
        (
            9,
            "layer \"huge\" (row 9): shape: expected sizes whose product is 4 but found [9223372036854775807, \
             9223372036854775807]",
        ),
        (
            10,
            "layer \"\" (row 10): expected a layer_name but found null",
        ),
    ];
    (RecordBatch::try_from_iter(columns).unwrap(), messages)
}

fn layer_names(batch: &RecordBatch) -> Vec<&str> {
    let names = batch
        .column_by_name("layer_name")
        .unwrap()
        .as_string::<i32>();
    names.iter().map(Option::unwrap).collect()
}

#[test]
fn each_fault_alone_ends_the_call() {
    let (batch, messages) = troubled();
    for (row, message) in messages {
        for on_invalid in ["error", "skip", "clip"] {
            let result = run(&batch.slice(row, 1), json!({"onInvalid": on_invalid}));
            let is_value = (2..6).contains(&row);
            match (on_invalid, is_value, row) {
                ("clip", true, _) => assert_eq!(result.unwrap().batch.num_rows(), 1, "{message}"),
                ("skip", true, _) | ("skip", _, 1) => {
                    let quantized = result.unwrap();
                    assert_eq!(quantized.batch.num_rows(), 0, "{message}");
                    let found = quantized.failures[0].to_string();
                    assert_eq!(found, message.replace(&format!("row {row}"), "row 0"));
                }
                _ => {
                    let error = result.unwrap_err();
                    assert!(matches!(error, QuantizeError::Layer(_)));
                    assert_eq!(
                        error.to_string(),
                        message.replace(&format!("row {row}"), "row 0"),
                        "{on_invalid}"
                    );
                }
            }
        }
    }
}

#[test]
fn continue_on_error_leaves_out_and_reports_each() {
    let (batch, messages) = troubled();
    for (on_invalid, mended) in [("error", 0..0), ("skip", 0..0), ("clip", 2..6)] {
        let quantized = run(
            &batch,
            json!({"onInvalid": on_invalid, "continueOnError": true, "threads": 2}),
        )
        .unwrap();
        let expected: Vec<(usize, &str)> = messages
            .iter()
            .filter(|(row, _)| !mended.contains(row))
            .copied()
            .collect();
        let found: Vec<(usize, String)> = quantized
            .failures
            .iter()
            .map(|failure| (failure.row, failure.to_string()))
            .collect();
        let found: Vec<(usize, &str)> = found.iter().map(|(row, text)| (*row, &text[..])).collect();
        assert_eq!(found, expected, "{on_invalid}");
        let kept = layer_names(&quantized.batch);
        let mut wanted = vec!["good"];
        if on_invalid == "clip" {
            wanted.extend(["null element", "NaN", "infinity", "-infinity"]);
        }
        wanted.push("good too");
        assert_eq!(kept, wanted, "{on_invalid}");
        // What is left out leaves no trace in what is kept.
        let last = quantized.batch.num_rows() - 1;
        let alone = one(&[0.5, -1.0, 0.25, 1.0], &[2, 2], json!({}));
        assert_eq!(data(&quantized.batch, last), data(&alone, 0));
        assert_eq!(
            common::list_of_floats(&quantized.batch, "scales", last),
            common::list_of_floats(&alone, "scales", 0)
        );
    }
}

#[test]
fn errors_say_by_type_what_they_are_about() {
    let (batch, _) = troubled();
    let quantized = run(&batch, json!({"continueOnError": true})).unwrap();
    let found: Vec<_> = quantized
        .failures
        .iter()
        .map(|failure| (failure.kind, failure.index()))
        .collect();
    use LayerErrorKind::*;
    assert_eq!(
        found,
        [
            (NullWeights, None),
            (InvalidValue(7), Some(7)),
            (InvalidValue(299), Some(299)),
            (InvalidValue(0), Some(0)),
            (InvalidValue(131), Some(131)),
            (Other, None),
            (InvalidElement(0), Some(0)),
            (InvalidElement(1), Some(1)),
            (Other, None),
            (Other, None),
        ]
    );
}

/// Null and NaN become 0, infinities the largest finite magnitude; and then it is as if they had been that.
#[test]
fn clipping_is_quantizing_what_was_clipped() {
    let mut values = Random(8).normals(700);
    let most = values.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    let mut options: Vec<Option<f32>> = values.iter().copied().map(Some).collect();
    for (at, bad, good) in [
        (0, Some(f32::NAN), 0.0),
        (3, None, 0.0),
        (250, Some(f32::INFINITY), most),
        (699, Some(f32::NEG_INFINITY), -most),
    ] {
        options[at] = bad;
        values[at] = good;
    }
    let column = lists(Arc::new(Float32Array::from(options)), &[700]);
    let batch = table(vec![
        (plain("layer_name", &names(1)), names(1)),
        (plain("weights", &column), column),
    ]);
    for kind in common::kinds() {
        if matches!(kind["layout"].as_str(), Some("ggml" | "mlx")) {
            continue; // 700 values are no whole number of groups.
        }
        let mut clip = kind.clone();
        clip["onInvalid"] = json!("clip");
        let found = run(&batch, clip).unwrap();
        assert_eq!(found.failures, []);
        assert_eq!(found.batch, one(&values, &[700], kind.clone()), "{kind}");
    }
    // Nothing finite at all leaves zeros.
    let nothing = lists(
        Arc::new(Float32Array::from(vec![f32::INFINITY, f32::NAN])),
        &[2],
    );
    let batch = table(vec![
        (plain("layer_name", &names(1)), names(1)),
        (plain("weights", &nothing), nothing),
    ]);
    let found = run(&batch, json!({"onInvalid": "clip"})).unwrap().batch;
    assert_eq!(common::back(&found), [0.0, 0.0]);
}

/// Also where what lies under them could be quantized, or is more than anything else.
#[test]
fn nulls_are_zeros_whatever_lies_under_them() {
    let under = [(5, 1e20), (130, -3.0), (511, f32::MAX)];
    let mut kinds = common::kinds();
    kinds.push(json!({"bitWidth": 2, "minCosine": 0.99}));
    for (at, bad) in [(9, None), (9, Some(f32::NAN)), (9, Some(f32::INFINITY))] {
        let mut values = Random(9).normals(512);
        for (at, value) in under {
            values[at] = value;
        }
        values[at] = bad.unwrap_or(values[at]);
        let nulls = (0..512).map(|at| under.iter().all(|(null, _)| *null != at));
        let nulls = NullBuffer::from(nulls.collect::<Vec<bool>>());
        let array = Float32Array::new(values.clone().into(), Some(nulls));
        let column = lists(Arc::new(array), &[512]);
        let batch = table(vec![
            (plain("layer_name", &names(1)), names(1)),
            (plain("weights", &column), column),
        ]);
        for (at, _) in under {
            values[at] = 0.0;
        }
        let finite = values.iter().filter(|x| x.is_finite());
        let most = finite.fold(0.0f32, |most, x| most.max(x.abs()));
        values[at] = match values[at] {
            x if x.is_nan() => 0.0,
            f32::INFINITY => most,
            x => x,
        };
        for kind in &kinds {
            let mut clip = kind.clone();
            clip["onInvalid"] = json!("clip");
            let found = run(&batch, clip).unwrap();
            assert_eq!(found.failures, []);
            let expected = one(&values, &[512], kind.clone());
            assert_eq!(found.batch, expected, "{kind} {bad:?}");
        }
    }
}

/// In no column, wherever in the table it was.
#[test]
fn what_is_left_out_leaves_no_trace() {
    let lengths = [256, 384, 128, 512, 256];
    let mut layers: Vec<Vec<f32>> = Vec::new();
    for (seed, len) in (1..).zip(lengths) {
        let by = seed as f32;
        let values = Random(seed).normals(len);
        layers.push(values.iter().map(|x| x * by + by).collect());
    }
    let shapes = lengths.map(|len| [len]);
    for left_out in [&[0][..], &[1], &[4], &[1, 3]] {
        let mut layers = layers.clone();
        for row in left_out {
            layers[*row][3] = f32::NAN;
        }
        let layers = layers.iter().zip(&shapes);
        let layers: Vec<(&[f32], &[usize])> =
            layers.map(|(x, shape)| (&x[..], &shape[..])).collect();
        let batch = common::batch(&layers);
        for kind in [
            json!({}),
            json!({"layout": "mlx"}),
            json!({"layout": "ggml"}),
            json!({"overrides": [{"pattern": "layer[02]", "layout": "mlx", "groupSize": 64}]}),
        ] {
            let mut options = kind.clone();
            options["continueOnError"] = json!(true);
            let found = run(&batch, options).unwrap();
            let failed: Vec<usize> = found.failures.iter().map(|failure| failure.row).collect();
            assert_eq!(failed, left_out);
            let kept = (0..lengths.len()).filter(|row| !left_out.contains(row));
            for (at, row) in kept.enumerate() {
                let alone = run(&batch.slice(row, 1), kind.clone()).unwrap().batch;
                assert_eq!(found.batch.slice(at, 1), alone, "{kind} {left_out:?} {row}");
            }
        }
    }
}

/// A fault anywhere, in every path through the kernels.
#[test]
fn faults_are_found_wherever_they_are() {
    let count = 32 * 600;
    let shape = [600, 32];
    let mut kinds = common::kinds();
    kinds.push(json!({"statistics": false}));
    kinds.push(json!({"statistics": false, "granularity": "tensor"}));
    kinds.push(json!({"minCosine": 0.9, "bitWidth": 2}));
    for kind in kinds {
        for set in bowstring_quantize::InstructionSet::available() {
            for (at, bad, word) in [
                (0, f32::NAN, "NaN"),
                (31, f32::INFINITY, "infinity"),
                (9_000, -f32::NAN, "NaN"),
                (count - 1, f32::NEG_INFINITY, "-infinity"),
            ] {
                let mut values = vec![0.5; count];
                values[at] = bad;
                let mut kind = kind.clone();
                kind["instructionSet"] = json!(set);
                let error = run(&common::batch(&[(&values, &shape)]), kind.clone()).unwrap_err();
                assert_eq!(
                    error.to_string(),
                    format!(
                        "layer \"layer0\" (row 0): weights[{at}]: expected a finite number but found {word}"
                    ),
                    "{kind}"
                );
            }
        }
    }
}
