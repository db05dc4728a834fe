//! The columns that go in and come out: one error for all that is wrong, and exactly the table that was promised.

mod common;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, Schema};
use bowstring_quantize::{
    QuantizeError, QuantizeOptions, quantized_schema, validate_quantized_schema, validate_schema,
};
use common::{one, options, run};
use serde_json::json;

fn item(data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new("item", data_type, true))
}

fn list(data_type: DataType) -> DataType {
    DataType::List(item(data_type))
}

fn named(field: Field, name: &str, metadata: &str) -> Field {
    field.with_metadata(HashMap::from([
        ("ARROW:extension:name".to_owned(), name.to_owned()),
        ("ARROW:extension:metadata".to_owned(), metadata.to_owned()),
    ]))
}

fn bfloat16() -> DataType {
    let field = Field::new("item", DataType::UInt16, true);
    DataType::List(Arc::new(named(field, "bowstring.bfloat16", "")))
}

fn message(result: Result<(), QuantizeError>) -> String {
    match result {
        Err(QuantizeError::InvalidSchema(message)) => message,
        other => panic!("expected a mismatch but found {other:?}"),
    }
}

const WEIGHTS: &str = "list, large list or fixed-size list of float32, float16 or bfloat16 (uint16 with the extension \
                       name \"bowstring.bfloat16\"), arrow.fixed_shape_tensor or arrow.variable_shape_tensor of these";

#[test]
fn every_kind_of_weights_is_taken() {
    let variable = |shape: &str, size: DataType| {
        let shapes = DataType::FixedSizeList(item(size), 2);
        DataType::Struct(Fields::from(vec![
            Field::new("data", list(DataType::Float32), false),
            Field::new(shape, shapes, false),
        ]))
    };
    let fixed = |len: i32| DataType::FixedSizeList(item(DataType::Float16), len);
    let plain = |data_type: DataType| Field::new("weights", data_type, true);
    let tensor =
        |len: i32, metadata: &str| named(plain(fixed(len)), "arrow.fixed_shape_tensor", metadata);
    let variable_tensor = |data_type: DataType, metadata: &str| {
        named(plain(data_type), "arrow.variable_shape_tensor", metadata)
    };
    let int32 = DataType::Int32;
    let cases: Vec<(Field, Option<&str>)> = vec![
        (plain(list(DataType::Float32)), None),
        (plain(DataType::LargeList(item(DataType::Float16))), None),
        (plain(fixed(6)), None),
        (plain(bfloat16()), None),
        (tensor(6, r#"{"shape":[2,3]}"#), None),
        (tensor(6, r#"{"shape":[2,3],"permutation":[0,1]}"#), None),
        (variable_tensor(variable("shape", int32.clone()), ""), None),
        (plain(DataType::Float32), Some("Float32")),
        (plain(list(DataType::Float64)), Some("List(Float64)")),
        (plain(list(DataType::UInt16)), Some("List(UInt16)")),
        (
            tensor(6, r#"{"shape":[2,2]}"#),
            Some("arrow.fixed_shape_tensor of shape [2, 2] over lists of 6 values"),
        ),
        (
            tensor(6, r#"{"shape":[2,-3]}"#),
            Some(r#"arrow.fixed_shape_tensor with the metadata Some("{\"shape\":[2,-3]}")"#),
        ),
        (
            tensor(6, "{"),
            Some(r#"arrow.fixed_shape_tensor with the metadata Some("{")"#),
        ),
        (
            tensor(6, r#"{"shape":[2,3],"permutation":[1,0]}"#),
            Some("a tensor whose axes are permuted: [1,0]"),
        ),
        (
            named(
                plain(list(DataType::Float32)),
                "arrow.fixed_shape_tensor",
                "",
            ),
            Some("arrow.fixed_shape_tensor over List(Float32)"),
        ),
        (
            named(
                plain(list(DataType::Float32)),
                "arrow.variable_shape_tensor",
                "",
            ),
            Some("arrow.variable_shape_tensor over List(Float32)"),
        ),
        (
            variable_tensor(variable("sizes", int32.clone()), ""),
            Some("Struct("),
        ),
        (
            variable_tensor(variable("shape", DataType::Int64), ""),
            Some("Struct("),
        ),
        (
            variable_tensor(variable("shape", int32), r#"{"permutation":[1,0]}"#),
            Some("a tensor whose axes are permuted: [1,0]"),
        ),
    ];
    for (field, expected) in cases {
        let name = Field::new("layer_name", DataType::LargeUtf8, true);
        let schema = Schema::new(vec![name, field.clone()]);
        let result = validate_schema(&schema, &QuantizeOptions::default());
        match expected {
            None => assert_eq!(result, Ok(()), "{field:?}"),
            Some(found) => {
                let expected = format!(
                    "the schema does not fit quantization: column \"weights\": expected {WEIGHTS} but found {found}"
                );
                let message = message(result).replace("non-null ", "");
                assert!(message.starts_with(&expected), "{message}\n{expected}");
            }
        }
    }
}

#[test]
fn shapes_and_weights_of_the_search_may_be_large_lists() {
    let options = options(json!({"search": "mse", "importance": "energy"}));
    let large = |data_type: DataType| DataType::LargeList(item(data_type));
    for (shape, energy) in [
        (list(DataType::Int64), list(DataType::Float32)),
        (large(DataType::Int64), large(DataType::Float32)),
    ] {
        let schema = Schema::new(vec![
            Field::new("layer_name", DataType::Utf8, true),
            Field::new("weights", list(DataType::Float32), true),
            Field::new("shape", shape, true),
            Field::new("energy", energy, true),
        ]);
        assert_eq!(validate_schema(&schema, &options), Ok(()), "{schema:?}");
    }
}

#[test]
fn one_error_lists_every_mismatch() {
    let options = options(json!({"search": "mse", "importance": "activations"}));
    let schema = Schema::new(vec![
        Field::new("layer_name", DataType::Binary, true),
        Field::new("weights", list(DataType::Int8), true),
        Field::new("shape", list(DataType::Int32), true),
    ]);
    assert_eq!(
        message(validate_schema(&schema, &options)),
        format!(
            "the schema does not fit quantization: column \"layer_name\": expected utf8 or large utf8 but found Binary; \
             column \"weights\": expected {WEIGHTS} but found List(Int8); \
             column \"shape\": expected list<int64> or large list<int64> but found List(Int32); \
             column \"activations\": expected list<float32> or large list<float32> but found no such column"
        )
    );
    let twice = Schema::new(vec![
        Field::new("layer_name", DataType::Utf8, true),
        Field::new("weights", list(DataType::Float32), true),
        Field::new("weights", list(DataType::Float32), true),
    ]);
    assert_eq!(
        message(validate_schema(&twice, &QuantizeOptions::default())),
        format!(
            "the schema does not fit quantization: column \"weights\": expected {WEIGHTS} but found 2 columns of that name"
        )
    );
    assert_eq!(
        message(validate_schema(
            &Schema::empty(),
            &QuantizeOptions::default()
        )),
        format!(
            "the schema does not fit quantization: column \"layer_name\": expected utf8 or large utf8 but found no such \
             column; column \"weights\": expected {WEIGHTS} but found no such column"
        )
    );
}

#[test]
fn the_columns_are_those_that_were_promised() {
    let list = |data_type: DataType| DataType::List(Arc::new(Field::new("item", data_type, false)));
    let expected = |statistics_are_null: bool| {
        vec![
            ("layer_name", DataType::Utf8, false),
            ("quantized_data", DataType::LargeBinary, false),
            ("scales", list(DataType::Float32), false),
            ("zero_points", list(DataType::Int16), false),
            ("shape", list(DataType::Int64), false),
            ("bit_width", DataType::UInt8, false),
            ("biases", list(DataType::Float32), true),
            ("scheme", DataType::Utf8, false),
            ("group_size", DataType::Int32, false),
            ("axis", DataType::Int32, false),
            ("layout", DataType::Utf8, false),
            ("rmse", DataType::Float32, statistics_are_null),
            ("max_abs_error", DataType::Float32, statistics_are_null),
            ("sqnr_db", DataType::Float32, statistics_are_null),
            ("cosine", DataType::Float32, statistics_are_null),
        ]
    };
    for statistics in [true, false] {
        let json = json!({"statistics": statistics});
        let batch = one(&[0.5; 256], &[2, 128], json.clone());
        let schema = batch.schema();
        let found: Vec<_> = schema
            .fields()
            .iter()
            .map(|field| {
                (
                    field.name().as_str(),
                    field.data_type().clone(),
                    field.is_nullable(),
                )
            })
            .collect();
        assert_eq!(found, expected(!statistics));
        assert_eq!(schema, options(json).quantized_schema());
        let mut keys: Vec<&str> = schema.metadata().keys().map(String::as_str).collect();
        keys.sort();
        assert_eq!(
            keys,
            [
                "bowstring:codes",
                "bowstring:dequantization",
                "bowstring:groups",
                "bowstring:packing",
                "bowstring:quantization_version",
                "bowstring:rounding",
            ]
        );
        for name in ["rmse", "max_abs_error", "sqnr_db", "cosine"] {
            let column = batch.column_by_name(name).unwrap();
            assert_eq!(column.null_count(), usize::from(!statistics), "{name}");
        }
    }
    assert_eq!(
        quantized_schema(),
        QuantizeOptions::default().quantized_schema()
    );
}

/// The way back says what is missing as clearly.
#[test]
fn quantized_tables_are_validated_too() {
    let good = quantized_schema();
    assert_eq!(validate_quantized_schema(&good), Ok(()));
    // Names and nullability of items are the writer's own.
    let fields: Vec<Field> = good
        .fields()
        .iter()
        .map(|field| match field.data_type() {
            DataType::List(item) => {
                let item = Field::new("element", item.data_type().clone(), true);
                Field::new(field.name(), DataType::List(Arc::new(item)), true)
            }
            other => Field::new(field.name(), other.clone(), true),
        })
        .collect();
    let renamed = Schema::new_with_metadata(fields.clone(), good.metadata().clone());
    assert_eq!(validate_quantized_schema(&renamed), Ok(()));
    let mut metadata = good.metadata().clone();
    metadata.insert("bowstring:quantization_version".to_owned(), "2".to_owned());
    assert_eq!(
        message(validate_quantized_schema(&Schema::new_with_metadata(
            fields.clone(),
            metadata
        ))),
        "the schema does not fit dequantization: metadata \"bowstring:quantization_version\": expected \"1\" but found \
         \"2\""
    );
    let mut wrong: Vec<Field> = fields
        .into_iter()
        .filter(|field| field.name() != "layout")
        .collect();
    wrong[1] = Field::new("quantized_data", DataType::Binary, false);
    assert_eq!(
        message(validate_quantized_schema(&Schema::new(wrong))),
        "the schema does not fit dequantization: column \"quantized_data\": expected LargeBinary but found Binary; \
         column \"layout\": expected Utf8 but found no such column; metadata \"bowstring:quantization_version\": expected \
         \"1\" but found nothing"
    );
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let cases = [
        (
            json!({"bitWidth": 3}),
            "bitWidth: expected 2, 4 or 8 but found 3",
        ),
        (
            json!({"groupSize": 48}),
            "groupSize: expected 32, 64, 128 or 256 but found 48",
        ),
        (
            json!({"minCosine": 1.5}),
            "minCosine: expected a number from -1 to 1 but found 1.5",
        ),
        (
            json!({"axis": 1}),
            "axis: belongs to granularity \"channel\" but found \"group\"",
        ),
        (
            json!({"layout": "ggml", "bitWidth": 2}),
            "bitWidth of layout \"ggml\": expected 4 or 8 but found 2",
        ),
        (
            json!({"layout": "ggml", "granularity": "tensor"}),
            "granularity of layout \"ggml\": expected group but found tensor",
        ),
        (
            json!({"layout": "ggml", "groupSize": 64}),
            "groupSize of layout \"ggml\": expected 32 but found 64",
        ),
        (
            json!({"layout": "ggml", "bitWidth": 8, "scheme": "asymmetric"}),
            "scheme of ggml's Q8_0: expected symmetric but found asymmetric",
        ),
        (
            json!({"layout": "ggml", "search": "mse"}),
            "search of layout \"ggml\": expected none but found mse",
        ),
        (
            json!({"layout": "ggml", "scaleType": "float16"}),
            "scaleType of layout \"ggml\": expected nothing, since its blocks hold float16 scales of ggml's own \
             rounding, but found float16",
        ),
        (
            json!({"layout": "mlx", "granularity": "channel"}),
            "granularity of layout \"mlx\": expected group but found channel",
        ),
        (
            json!({"layout": "mlx", "groupSize": 256}),
            "groupSize of layout \"mlx\": expected 32, 64 or 128 but found 256",
        ),
        (
            json!({"importance": "x"}),
            "importance: weights the search, expected search \"mse\" but found \"none\"",
        ),
        (
            json!({"overrides": [{"pattern": "a"}, {"pattern": "b", "bitWidth": 5}]}),
            "overrides[1]: bitWidth: expected 2, 4 or 8 but found 5",
        ),
        (
            json!({"overrides": [{"pattern": "a[", "bitWidth": 8}]}),
            "overrides[0]: pattern: error parsing glob 'a[': unclosed character class; missing ']'",
        ),
    ];
    let batch = common::batch(&[(&[1.0; 32], &[32])]);
    for (json, expected) in cases {
        assert_eq!(
            run(&batch, json.clone()).unwrap_err(),
            QuantizeError::InvalidOptions(expected.to_owned()),
            "{json}"
        );
    }
    for unknown in [
        json!({"bits": 4}),
        json!({"scheme": "affine"}),
        json!({"onInvalid": "ignore"}),
    ] {
        assert!(
            serde_json::from_value::<QuantizeOptions>(unknown.clone()).is_err(),
            "{unknown}"
        );
    }
}
