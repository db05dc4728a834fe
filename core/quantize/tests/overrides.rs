//! Overrides, field by field.

mod common;

use bowstring_quantize::QuantizeError;
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

#[test]
fn overrides_that_match_together_are_checked_together() {
    let values = Random(81).normals(256);
    let table = batch(&[(&values, &[256])]);
    let ggml = json!({"pattern": "*", "layout": "ggml"});
    for (field, value, what) in [
        (
            "groupSize",
            json!(256),
            "groupSize of layout \"ggml\": expected 32 but found 256",
        ),
        (
            "groupSize",
            json!(64),
            "groupSize of layout \"ggml\": expected 32 but found 64",
        ),
        (
            "bitWidth",
            json!(2),
            "bitWidth of layout \"ggml\": expected 4 or 8 but found 2",
        ),
        (
            "granularity",
            json!("tensor"),
            "granularity of layout \"ggml\": expected group but found tensor",
        ),
        (
            "search",
            json!("mse"),
            "search of layout \"ggml\": expected none but found mse",
        ),
    ] {
        let second = |pattern: &str| json!({"pattern": pattern, field: value});
        let error = run(&table, json!({"overrides": [ggml, second("layer0")]})).unwrap_err();
        let expected = format!("the overrides that match, together: {what}");
        assert!(error.to_string().ends_with(&expected), "{error}");
        // A layer that only one of them matches is as it would be without the other.
        run(&table, json!({"overrides": [ggml, second("layer1")]})).unwrap();
    }
    // What makes sense only on top of another.
    let channels = json!({"pattern": "layer*", "granularity": "channel"});
    let axis = json!({"pattern": "layer0", "axis": 1});
    let table = batch(&[(&values, &[16, 16])]);
    run(&table, json!({"overrides": [channels, axis]})).unwrap();
    let whole = json!({"pattern": "layer1", "granularity": "tensor"});
    run(&table, json!({"overrides": [channels, whole, axis]})).unwrap();
    let error = run(&table, json!({"overrides": [axis, channels]})).unwrap_err();
    assert_eq!(
        error,
        QuantizeError::InvalidOptions(
            "overrides[0]: axis: belongs to granularity \"channel\" but found \"group\"".to_owned()
        )
    );
}

#[test]
fn an_override_says_for_which_layers_it_is() {
    let table = batch(&[(&[1.0, 2.0], &[2])]);
    for (this, expected) in [
        (
            json!({"bitWidth": 8}),
            "pattern: expected a glob but found none",
        ),
        (
            json!({"pattern": "", "bitWidth": 8}),
            "pattern: expected a glob but found none",
        ),
        (
            json!({"pattern": "[", "bitWidth": 8}),
            "pattern: error parsing glob '[': unclosed character class; missing ']'",
        ),
    ] {
        let error = run(&table, json!({"overrides": [{"pattern": "*"}, this]})).unwrap_err();
        let expected = format!("overrides[1]: {expected}");
        assert_eq!(error, QuantizeError::InvalidOptions(expected));
    }
}
