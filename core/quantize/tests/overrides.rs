//! Overrides, field by field.

mod common;

use common::{Random, batch, run};
use serde_json::{Value, json};

/// Of the layers 0, 1 and 2 the first two match one override, and the first another one after it.
#[test]
fn of_each_field_the_last_override_that_has_it_wins() {
    let values = Random(71).normals(4 * 8 * 256);
    let shape: &[usize] = &[4, 8, 256];
    let table = batch(&[(&values, shape), (&values, shape), (&values, shape)]);
    let none = json!({});
    for (rest, field, values) in [
        (&none, "bitWidth", json!([4, 2, 8])),
        (&none, "bitWidth", json!([8, 4, 2])),
        (&none, "granularity", json!(["group", "tensor", "channel"])),
        (&json!({"granularity": "channel"}), "axis", json!([0, 1, 2])),
        (&none, "groupSize", json!([256, 64, 32])),
        (
            &none,
            "scheme",
            json!(["symmetric", "asymmetric", "symmetric"]),
        ),
        (&none, "layout", json!(["onnx", "unpacked", "mlx"])),
        (&none, "search", json!(["none", "mse", "none"])),
        (
            &json!({"bitWidth": 2}),
            "minCosine",
            json!([0.5, 0.99, 0.9999]),
        ),
        (&none, "scaleType", json!(["float32", "float16", "float32"])),
    ] {
        let [all, two, one] = [0, 1, 2].map(|at| &values[at]);
        let with = |value: &Value| {
            let mut options = rest.clone();
            options[field] = value.clone();
            options
        };
        let plain = [one, two, all].map(|value| run(&table, with(value)).unwrap().batch);
        let mut options = with(all);
        options["overrides"] = json!([
            {"pattern": "layer[01]", field: two},
            {"pattern": "layer0", field: one},
        ]);
        let found = run(&table, options).unwrap().batch;
        for (row, plain) in plain.iter().enumerate() {
            assert_eq!(found.slice(row, 1), plain.slice(row, 1), "{field} {row}");
        }
        // Which would say nothing if the field changed nothing.
        assert_ne!(plain[0].slice(0, 1), plain[1].slice(0, 1), "{field}");
        assert_ne!(plain[1].slice(0, 1), plain[2].slice(0, 1), "{field}");
    }
}

/// An override that does not have a field leaves it to the one before.
#[test]
fn overrides_leave_alone_what_they_do_not_have() {
    let values = Random(72).normals(512);
    let table = batch(&[(&values, &[512])]);
    let first = json!({
        "pattern": "*",
        "bitWidth": 2,
        "groupSize": 32,
        "scheme": "symmetric",
        "layout": "unpacked",
        "search": "mse",
        "minCosine": 0.99,
        "scaleType": "float16",
    });
    let found = run(&table, json!({"overrides": [first, {"pattern": "layer0"}]})).unwrap();
    let mut options = first;
    options.as_object_mut().unwrap().remove("pattern");
    assert_eq!(found.batch, run(&table, options).unwrap().batch);
}
