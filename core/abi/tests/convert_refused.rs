//! What conversions refuse, there and back.

mod common;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::*;
use arrow_buffer::i256;
use arrow_schema::{DataType, Field, Fields};
use bowstring_abi::convert::{ORIGINAL_TYPE, convert, restore};
use bowstring_abi::{Failure, Status, export_array, export_batch};

use common::converted::{converted, table};
use common::types::{array, dictionary};

#[test]
fn strict_refuses_and_names_the_place() {
    let column = |data_type: &DataType| array(data_type, 3, true, 6);
    let views = DataType::ListView(Arc::new(Field::new("item", DataType::Utf8, true)));
    let inner = Fields::from(vec![
        Field::new("ok", DataType::Utf8, true),
        Field::new("views", views, true),
    ]);
    let cases: Vec<(DataType, &str)> = vec![
        (
            DataType::Struct(inner),
            "column[0] \"x\" -> views: the type \"+vl\" would have to be converted, which strict forbids",
        ),
        (
            dictionary(DataType::Int8, DataType::Decimal32(9, 0)),
            "column[0] \"x\" -> dictionary: the type \"d:9,0,32\" would have to be converted, which strict forbids",
        ),
        (
            dictionary(DataType::Int64, DataType::Utf8),
            "column[0] \"x\": the type \"l\" would have to be converted, which strict forbids",
        ),
    ];
    for (data_type, expected) in cases {
        let batch = RecordBatch::try_from_iter_with_nullable([("x", column(&data_type), true)]);
        let refused = convert(export_batch(&batch.unwrap()).unwrap(), true).unwrap_err();
        assert_eq!(refused.to_string(), expected);
        assert_eq!(Failure::from(refused).status, Status::Unsupported);
    }
    let twice = Fields::from(vec![Field::new("x", DataType::Utf8, true); 2]);
    let twice = array(&DataType::Struct(twice), 3, true, 6);
    assert_eq!(
        convert(table(&twice), true).unwrap_err().to_string(),
        "column[1] \"x\": the name \"x\" would have to be changed, which strict forbids"
    );
}

/// Never a wrong value: what does not fit is an error, unless it is null and nobody sees it.
#[test]
fn values_that_do_not_fit_are_refused() {
    let huge = i256::from_parts(0, 1);
    let wide = |values: Vec<Option<i256>>| {
        let wide = Decimal256Array::from(values);
        wide.with_precision_and_scale(38, 0).unwrap()
    };
    let refused = convert(table(&wide(vec![None, Some(huge)])), false).unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("array: expected value[1] to fit a decimal of 128 bits but found {huge}")
    );
    let nulls = Some(vec![false, true].into());
    let hidden = Decimal256Array::new(vec![huge, i256::ONE].into(), nulls);
    let hidden = hidden.with_precision_and_scale(38, 0).unwrap();
    assert_eq!(
        converted(&hidden)
            .1
            .as_primitive::<Decimal128Type>()
            .value(1),
        1
    );

    // What JavaScript has written into a column that was narrow.
    let widened = Decimal128Array::from(vec![1, 1 << 31])
        .with_precision_and_scale(9, 0)
        .unwrap();
    let field = Field::new("x", widened.data_type().clone(), true)
        .with_metadata([(ORIGINAL_TYPE.to_owned(), "d:9,0,32".to_owned())]);
    let refused = restore(export_array(&widened, &field).unwrap()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "array: expected value[1] to fit a decimal of 32 bits but found 2147483648"
    );

    let runs = RunArray::try_new(&Int16Array::from(vec![1]), &Int32Array::from(vec![1])).unwrap();
    let (tree, _) = converted(&runs);
    let values = Int32Array::from((0..40_000).collect::<Vec<_>>());
    let refused = restore(export_array(&values, &tree.to_field().unwrap()).unwrap()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "array: 40000 items are more than the type can count"
    );
}

#[test]
fn a_field_that_is_not_what_it_was_converted_to_is_refused() {
    let number = Float64Array::from(vec![1.0]);
    let cases = [
        (
            "d:9,0,32",
            "array: expected the format \"d:9,0\", to which the original type \"d:9,0,32\" is converted, but found \"g\"",
        ),
        (
            "+vl",
            "array: expected the format \"+l\", to which the original type \"+vl\" is converted, but found \"g\"",
        ),
        (
            "+r",
            "array: expected what run ends were in the metadata but found \"\"",
        ),
    ];
    for (original, expected) in cases {
        let field = Field::new("x", DataType::Float64, true)
            .with_metadata([(ORIGINAL_TYPE.to_owned(), original.to_owned())]);
        let refused = restore(export_array(&number, &field).unwrap()).unwrap_err();
        assert_eq!(refused.to_string(), expected);
    }
    // A note that is none of ours changes nothing.
    let field = Field::new("x", DataType::Float64, true)
        .with_metadata([(ORIGINAL_TYPE.to_owned(), "whatever".to_owned())]);
    assert!(
        !restore(export_array(&number, &field).unwrap())
            .unwrap()
            .is_changed
    );
}
