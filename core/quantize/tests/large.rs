//! Layers of more than one task, of 262,144 values: what lies on both sides of a task's end, which
//! may be the middle of a row, of a group or of a channel.

mod common;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use common::{Random, back, list_of_floats, measure, one, zero_points};
use serde_json::{Value, json};

/// Normal values whose size depends on the row, the column and the place, so that no group passes
/// for another.
fn values(shape: &[usize]) -> Vec<f32> {
    let columns = shape[shape.len() - 1];
    let mut values = Random(51).normals(shape.iter().product());
    for (at, value) in values.iter_mut().enumerate() {
        *value *= (1 + at / columns % 5 + at % columns % 7 + at / 50_000) as f32;
    }
    values
}

/// The group of each value, as the table's metadata says it.
fn groups(batch: &RecordBatch, shape: &[usize]) -> Vec<usize> {
    let int = |name: &str| {
        let column = batch.column_by_name(name).unwrap();
        column.as_primitive::<Int32Type>().value(0)
    };
    let (axis, size) = (int("axis"), int("group_size") as usize);
    let columns = shape[shape.len() - 1];
    let group = |at: usize| match (axis, size) {
        (-1, _) => 0,
        (axis, 0) => {
            let inner: usize = shape[axis as usize + 1..].iter().product();
            at / inner % shape[axis as usize]
        }
        _ => at / columns * columns.div_ceil(size) + at % columns / size,
    };
    (0..shape.iter().product()).map(group).collect()
}

/// The scales that cover the ranges of these groups.
fn covering(values: &[f32], groups: &[usize], bits: u32, scheme: &str) -> Vec<f32> {
    let count = groups.iter().max().unwrap() + 1;
    let mut ranges = vec![(0.0f32, 0.0f32); count];
    for (x, group) in values.iter().zip(groups) {
        let (low, high) = &mut ranges[*group];
        (*low, *high) = (low.min(*x), high.max(*x));
    }
    let scale = |(low, high): (f32, f32)| {
        let (low, high) = (f64::from(low), f64::from(high));
        let wanted = match scheme {
            "symmetric" => high.max(-low) / f64::from((1 << (bits - 1)) - 1),
            _ => (high - low) / f64::from((1 << bits) - 1),
        };
        wanted as f32
    };
    ranges.into_iter().map(scale).collect()
}

/// Scales are those of the groups' ranges, values come back within half a step of them, and rmse is
/// what they say.
fn comes_back(shape: &[usize], granularity: Value) {
    let values = values(shape);
    for bits in [2, 4, 8] {
        for scheme in ["asymmetric", "symmetric"] {
            let mut kind = granularity.clone();
            kind["bitWidth"] = json!(bits);
            kind["scheme"] = json!(scheme);
            // On one thread the ranges of channels are found in one go.
            kind["threads"] = json!(2);
            let batch = one(&values, shape, kind.clone());
            let groups = groups(&batch, shape);
            let scales = list_of_floats(&batch, "scales", 0);
            let expected = covering(&values, &groups, bits, scheme);
            assert!(scales == expected, "{kind} {shape:?}: scales");
            let mut squares = 0.0;
            for (at, (x, y)) in values.iter().zip(back(&batch)).enumerate() {
                let error = f64::from(*x) - f64::from(y);
                let step = f64::from(scales[groups[at]]);
                // The scale and what comes back are rounded to float32.
                assert!(
                    error.abs() <= 0.5001 * step,
                    "{kind} {shape:?} [{at}]: {x} {y} {step}"
                );
                squares += error * error;
            }
            let expected = (squares / values.len() as f64).sqrt();
            let found = f64::from(measure(&batch, "rmse", 0));
            assert!(
                (found - expected).abs() <= 1e-5 * expected,
                "{kind} {shape:?} {found} {expected}"
            );
        }
    }
}

#[test]
fn ragged_rows_come_back() {
    for group in [64, 128] {
        comes_back(&[2700, 100], json!({"groupSize": group}));
        comes_back(&[2801, 97], json!({"groupSize": group}));
    }
}

#[test]
fn rows_that_are_shorter_than_any_group_come_back() {
    comes_back(&[90_001, 3], json!({"groupSize": 32}));
}

#[test]
fn channels_of_the_first_axis_come_back() {
    for shape in [&[30, 100, 101][..], &[7, 40_001], &[2700, 100]] {
        comes_back(shape, json!({"granularity": "channel"}));
    }
}

#[test]
fn channels_of_a_middle_axis_come_back() {
    for shape in [[30, 100, 101], [600, 3, 170], [11, 3, 9001]] {
        comes_back(&shape, json!({"granularity": "channel", "axis": 1}));
    }
}

#[test]
fn channels_of_the_last_axis_come_back() {
    for shape in [&[30, 100, 101][..], &[7, 40_001], &[90_001, 3]] {
        comes_back(shape, json!({"granularity": "channel", "axis": -1}));
    }
}

#[test]
fn whole_tensors_come_back() {
    comes_back(&[300_007], json!({"granularity": "tensor"}));
    comes_back(&[30, 100, 101], json!({"granularity": "tensor"}));
}

/// Whether a channel lies in one piece, in long pieces or in short ones.
#[test]
fn a_search_finds_for_each_channel_what_it_finds_for_the_channel_alone() {
    for (outer, channels, inner) in [
        (1, 7, 40_001),
        (11, 3, 9001),
        (600, 3, 170),
        (30, 10, 1001),
        (9001, 30, 1),
    ] {
        let values = values(&[outer, channels, inner]);
        let pick = |all: &[f32], channel: usize| -> Vec<f32> {
            let runs = all.chunks(inner).skip(channel).step_by(channels);
            runs.flatten().copied().collect()
        };
        for (bits, scheme) in [(2, "asymmetric"), (4, "asymmetric"), (4, "symmetric")] {
            let mut kind = json!({"granularity": "channel", "axis": 1, "search": "mse"});
            kind["bitWidth"] = json!(bits);
            kind["scheme"] = json!(scheme);
            kind["threads"] = json!(2);
            let all = one(&values, &[outer, channels, inner], kind.clone());
            let scales = list_of_floats(&all, "scales", 0);
            let (zeros, all) = (zero_points(&all, 0), back(&all));
            for channel in 0..channels {
                let alone = one(&pick(&values, channel), &[outer, 1, inner], kind.clone());
                let what = format!("{kind} {outer} {inner} [{channel}]");
                assert_eq!(
                    list_of_floats(&alone, "scales", 0),
                    [scales[channel]],
                    "{what}"
                );
                assert_eq!(zero_points(&alone, 0), [zeros[channel]], "{what}");
                assert!(back(&alone) == pick(&all, channel), "{what}");
            }
        }
    }
}

/// Groups of more than a million values are searched on all threads, in pieces.
#[test]
fn what_is_searched_on_all_threads_does_not_depend_on_their_number() {
    // A tensor, channels whose values do not lie together, and channels in long runs.
    for (outer, channels, inner) in [(1, 1, 1_200_001), (1_100_001, 2, 1), (2, 2, 600_001)] {
        let shape = [outer, channels, inner];
        let values = values(&shape);
        let kind = |threads: usize| {
            let mut kind = json!({"granularity": "channel", "axis": 1, "search": "mse"});
            kind["threads"] = json!(threads);
            kind
        };
        let all = one(&values, &shape, kind(1));
        assert_eq!(one(&values, &shape, kind(3)), all, "{shape:?}");
        // Of the second channel, as of a tensor of its own.
        let runs = values.chunks(inner).skip(channels - 1).step_by(channels);
        let last: Vec<f32> = runs.flatten().copied().collect();
        let alone = one(
            &last,
            &[last.len()],
            json!({"granularity": "tensor", "search": "mse"}),
        );
        let scales = list_of_floats(&all, "scales", 0);
        let found = list_of_floats(&alone, "scales", 0);
        if inner == 1 || channels == 1 {
            assert_eq!(found[0], scales[channels - 1], "{shape:?}");
        } else {
            // Runs end elsewhere than pieces do, so that sums are rounded elsewhere.
            assert!(
                (found[0] / scales[channels - 1] - 1.0).abs() < 1e-3,
                "{shape:?}"
            );
        }
    }
}
