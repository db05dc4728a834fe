//! Values next to a tie between two codes, where a product with the reciprocal of the scale may lie on its other side:
//! they have the code of the division.

mod common;

use common::{Random, run};
use serde_json::json;

const GROUP: usize = 32;
const GROUPS: usize = 16_384;

/// A float32 so many places up or down.
fn moved(value: f32, places: i32) -> f32 {
    f32::from_bits(value.to_bits().wrapping_add_signed(places))
}

/// A group with few values next to a tie, as one that is in doubt sends the whole group to the division: both ends of
/// its range, which the rounding of the scale moves over theirs or not, or one value a few places from its own. All
/// others are in the middle of their codes.
fn group(random: &mut Random, top: f32, symmetric: bool, index: usize) -> Vec<f32> {
    let mut up_to = |most: f32| (random.unit() as f32 * (most + 1.0)).floor().min(most);
    let ends_are_ties = !symmetric && index.is_multiple_of(4);
    let [first, last] = match (symmetric, ends_are_ties) {
        (true, _) => [-top, top],
        (false, true) => {
            let below = up_to(top - 1.0) + 0.5;
            [-below, top - below]
        }
        (false, false) => {
            let below = up_to(top);
            [-below, top - below]
        }
    };
    let steps: Vec<f32> = (0..GROUP)
        .map(|_| first.ceil() + up_to((last - first).floor()))
        .collect();
    let tie = first.ceil() + up_to((last - first).floor() - 1.0) + 0.5;
    let scale = (0.01 + random.unit()) as f32;
    let [low, high] = [first, last].map(|end| end * scale);
    // As it is stored.
    let stored = match symmetric {
        true => (f64::from(high) / f64::from(top)) as f32,
        false => ((f64::from(high) - f64::from(low)) / f64::from(top)) as f32,
    };
    let mut values: Vec<f32> = steps.into_iter().map(|steps| steps * stored).collect();
    (values[0], values[1]) = (low, high);
    for value in &mut values[2..] {
        *value = value.clamp(low, high);
    }
    if !ends_are_ties {
        let places = (random.unit() * 9.0) as i32 - 4;
        values[2] = moved(tie * stored, places).clamp(low, high);
    }
    values
}

#[test]
fn values_next_to_ties_have_the_codes_of_the_division() {
    for bits in [8, 4, 2] {
        for scheme in ["asymmetric", "symmetric"] {
            let symmetric = scheme == "symmetric";
            let mut random = Random(61);
            let steps = (1 << bits) - 1;
            let top = if symmetric { steps / 2 } else { steps };
            let [least, greatest] = if symmetric { [-top, top] } else { [0, top] };
            let values: Vec<f32> = (0..GROUPS)
                .flat_map(|index| group(&mut random, top as f32, symmetric, index))
                .collect();
            for statistics in [true, false] {
                let kind = json!({
                    "bitWidth": bits, "scheme": scheme, "groupSize": GROUP, "layout": "unpacked",
                    "statistics": statistics,
                });
                let table = common::batch(&[(&values, &[values.len()])]);
                let batch = run(&table, kind).unwrap().batch;
                let scales = common::list_of_floats(&batch, "scales", 0);
                let zeros = common::zero_points(&batch, 0);
                let codes = common::data(&batch, 0);
                for (at, x) in values.iter().enumerate() {
                    let (scale, zero) = (scales[at / GROUP], i32::from(zeros[at / GROUP]));
                    let code = (x / scale).round_ties_even() as i32 + zero;
                    let found = match symmetric {
                        true => i32::from(codes[at] as i8),
                        false => i32::from(codes[at]),
                    };
                    assert_eq!(
                        found,
                        code.clamp(least, greatest),
                        "{bits} bits, {scheme}, {x:e} / {scale:e} + {zero}"
                    );
                }
            }
        }
    }
}
