//! What conversions make of each type, and what they copy.

mod common;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::*;
use arrow_buffer::{OffsetBuffer, ScalarBuffer, i256};
use arrow_data::ArrayData;
use arrow_schema::{DataType, Field, Fields, Schema};
use bowstring_abi::convert::{
    ORIGINAL_NAME, ORIGINAL_TYPE, convert, convert_schema, restore, restore_schema,
};
use bowstring_abi::{OwnedTable, SchemaTree, export_batch, import_array, import_table};

use common::converted::{converted, table};
use common::types::{array, dictionary};

#[test]
fn list_views_become_lists() {
    let items: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3, 4]));
    let field = Arc::new(Field::new("item", DataType::Int32, true));
    let views = ListViewArray::new(
        field,
        vec![2, 0, 9, 1].into(),
        vec![2, 1, 0, 2].into(),
        Arc::new(Int32Array::from((1..=9).collect::<Vec<_>>())),
        Some(vec![true, true, true, false].into()),
    );
    let (tree, found) = converted(&views);
    assert_eq!(
        (tree.format.as_str(), tree.metadata_value(ORIGINAL_TYPE)),
        ("+l", Some("+vl"))
    );
    let found = found.as_list::<i32>();
    assert_eq!(&**found.offsets(), [0, 2, 3, 3, 3]);
    assert_eq!(
        found.values().as_primitive::<Int32Type>().values(),
        &[3, 4, 1]
    );
    assert!(found.is_null(3));

    // Lists that follow each other keep their child.
    let field = Arc::new(Field::new("item", DataType::Int32, true));
    let views = LargeListViewArray::new(
        field,
        vec![1i64, 2].into(),
        vec![1i64, 2].into(),
        items.clone(),
        None,
    );
    let (tree, found) = converted(&views);
    assert_eq!(tree.format, "+L");
    let found = found.as_list::<i64>();
    assert_eq!(&**found.offsets(), [0, 1, 3]);
    let values = found.values().as_primitive::<Int32Type>().values();
    assert_eq!(
        values.as_ptr(),
        items.as_primitive::<Int32Type>().values()[1..].as_ptr()
    );
}

/// A slice may have a bitmap in which nothing is null.
#[test]
fn items_are_copied_from_slices_without_the_nulls_of_the_whole() {
    let items = Int32Array::from(vec![None, Some(1), Some(2), Some(3)]);
    let inner = ListViewArray::new(
        Arc::new(Field::new("item", DataType::Int32, true)),
        vec![1, 2, 3].into(),
        vec![1, 1, 1].into(),
        Arc::new(items),
        None,
    );
    let outer = ListViewArray::new(
        Arc::new(Field::new("item", inner.data_type().clone(), true)),
        vec![2, 0].into(),
        vec![1, 2].into(),
        Arc::new(inner),
        None,
    );
    let (_, found) = converted(&outer);
    let found = found.as_list::<i32>();
    assert_eq!(&**found.offsets(), [0, 1, 3]);
    let inner = found.values().as_list::<i32>();
    assert_eq!(&**inner.offsets(), [0, 1, 2, 3]);
    assert_eq!(
        inner.values().as_primitive::<Int32Type>(),
        &Int32Array::from(vec![3, 1, 2])
    );

    // More values than runs: the last, which is null, is nobody's.
    let ends = Int16Array::from(vec![1, 3]);
    let values = StringArray::from(vec![Some("a"), Some("b"), None]);
    let field = |name: &str, data_type, nullable| Arc::new(Field::new(name, data_type, nullable));
    let data_type = DataType::RunEndEncoded(
        field("run_ends", DataType::Int16, false),
        field("values", DataType::Utf8, true),
    );
    let builder = ArrayData::builder(data_type)
        .len(3)
        .child_data(vec![ends.into_data(), values.into_data()]);
    // SAFETY: as much is there as is read.
    let runs = arrow_array::make_array(unsafe { builder.build_unchecked() });
    let (_, found) = converted(&runs);
    assert_eq!(
        found.as_string::<i32>(),
        &StringArray::from(vec!["a", "b", "b"])
    );
}

#[test]
fn runs_become_their_values() {
    let ends = Int16Array::from(vec![2, 3, 7]);
    let runs =
        RunArray::try_new(&ends, &StringArray::from(vec![Some("a"), None, Some("b")])).unwrap();
    let (tree, found) = converted(&runs.slice(1, 4));
    assert_eq!(
        (tree.format.as_str(), tree.metadata_value(ORIGINAL_TYPE)),
        ("u", Some("+r"))
    );
    let expected = StringArray::from(vec![Some("a"), None, Some("b"), Some("b")]);
    assert_eq!(found.as_string::<i32>(), &expected);
}

/// Runs are repeated, and lists gathered, by copying keys, which must be able to count the dictionary that they keep.
#[test]
fn dictionaries_of_more_values_than_their_keys_count_are_refused_where_keys_are_copied() {
    let encoded = |count: i32| {
        let values = Int32Array::from((0..count).collect::<Vec<_>>()).into_data();
        let keys = UInt8Array::from(vec![255, 0]).into_data().into_builder();
        let data_type = DataType::Dictionary(DataType::UInt8.into(), DataType::Int32.into());
        keys.data_type(data_type)
            .add_child_data(values)
            .build()
            .unwrap()
    };
    let runs = |count| {
        let values = make_array(encoded(count));
        RunArray::try_new(&Int16Array::from(vec![2, 3]), &values).unwrap()
    };
    let views = |count| {
        let values = make_array(encoded(count));
        let field = Field::new("item", values.data_type().clone(), true);
        let (starts, sizes) = (vec![1, 0], vec![1, 1]);
        ListViewArray::new(field.into(), starts.into(), sizes.into(), values, None)
    };
    let (_, found) = converted(&runs(256));
    let found = found.as_dictionary::<UInt8Type>();
    assert_eq!(found.keys().values(), &[255, 255, 0]);
    let (_, found) = converted(&views(256));
    let found = found.as_list::<i32>().values().clone();
    assert_eq!(
        found.as_dictionary::<UInt8Type>().keys().values(),
        &[0, 255]
    );

    let expected = "array: Dictionary key bigger than the key type";
    for table in [table(&runs(257)), table(&views(257))] {
        let refused = convert(table, false).unwrap_err();
        assert_eq!(refused.to_string(), expected);
    }
}

#[test]
fn runs_of_lists_whose_nulls_are_outside_become_their_values() {
    let items = Arc::new(Int32Array::from(vec![None, Some(1), Some(2)]));
    let lists = ListViewArray::new(
        Arc::new(Field::new_list_field(DataType::Int32, true)),
        ScalarBuffer::from(vec![1, 2]),
        ScalarBuffer::from(vec![1, 1]),
        items,
        None,
    );
    let runs = RunArray::try_new(&Int16Array::from(vec![2, 3]), &lists).unwrap();
    let (_, found) = converted(&runs);
    let expected: [Option<[Option<i32>; 1]>; 3] =
        [Some([Some(1)]), Some([Some(1)]), Some([Some(2)])];
    let expected = ListArray::from_iter_primitive::<Int32Type, _, _>(expected);
    assert_eq!(found.as_list::<i32>(), &expected);
}

#[test]
fn decimals_become_128_bits_wide_or_bytes() {
    let narrow = Decimal32Array::from(vec![Some(-7), None])
        .with_precision_and_scale(5, 2)
        .unwrap();
    let (tree, found) = converted(&narrow);
    assert_eq!(
        (tree.format.as_str(), tree.metadata_value(ORIGINAL_TYPE)),
        ("d:5,2", Some("d:5,2,32"))
    );
    assert_eq!(found.as_primitive::<Decimal128Type>().value(0), -7);

    let wide = Decimal256Array::from(vec![i256::MINUS_ONE])
        .with_precision_and_scale(38, -1)
        .unwrap();
    let (tree, found) = converted(&wide);
    assert_eq!(tree.format, "d:38,-1");
    assert_eq!(found.as_primitive::<Decimal128Type>().value(0), -1);

    let wider = wide.with_precision_and_scale(39, -1).unwrap();
    let exported = table(&wider);
    let converted = convert(exported, false).unwrap();
    assert_eq!(
        converted.bytes_copied, 0,
        "the bytes are those of the decimals"
    );
    let tree = SchemaTree::read(&converted.table).unwrap();
    assert_eq!(tree.format, "w:32");
    assert_eq!(
        tree.metadata_value("ARROW:extension:name"),
        Some("bowstring.decimal256")
    );
    let back = restore(converted.table).unwrap().table;
    let back = import_array(back).unwrap();
    assert!(back.field.metadata().is_empty());
    assert_eq!(back.array.as_ref(), &wider as &dyn Array);
}

#[test]
fn keys_become_32_bits_wide() {
    let keys = UInt64Array::from(vec![Some(1), None, Some(0)]);
    let values = StringArray::from(vec!["a", "b"]);
    let (tree, found) = converted(&DictionaryArray::new(keys, Arc::new(values)));
    assert_eq!(
        (tree.format.as_str(), tree.metadata_value(ORIGINAL_TYPE)),
        ("i", Some("L"))
    );
    let found = found.as_dictionary::<Int32Type>();
    assert_eq!(
        found.keys(),
        &Int32Array::from(vec![Some(1), None, Some(0)])
    );
}

#[test]
fn what_a_dictionary_holds_is_noted_at_its_field() {
    let values = dictionary(DataType::Int64, DataType::Decimal64(7, 1));
    let whole = array(&dictionary(DataType::Int8, values), 9, true, 5);
    let (tree, _) = converted(&whole);
    assert_eq!(
        tree.metadata_value("bowstring:dictionary:original_type"),
        Some("l")
    );
    assert_eq!(
        tree.metadata_value("bowstring:dictionary:dictionary:original_type"),
        Some("d:7,1,64")
    );
    assert_eq!(tree.metadata_value(ORIGINAL_TYPE), None);
    assert_eq!(tree.dictionary.unwrap().metadata, None);
    let back = restore(convert(table(&whole), false).unwrap().table).unwrap();
    assert_eq!(&import_array(back.table).unwrap().array, &whole);
}

#[test]
fn equal_names_are_told_apart() {
    let column = || Arc::new(Int32Array::from(vec![1])) as ArrayRef;
    let fields =
        ["a", "b", "a", "a_2", "a", ""].map(|name| Field::new(name, DataType::Int32, true));
    let inner = Fields::from(vec![fields[0].clone(), fields[2].clone()]);
    let inner = StructArray::new(inner, vec![column(), column()], None);
    let mut fields = fields.to_vec();
    fields.push(Field::new("", inner.data_type().clone(), true));
    let mut columns: Vec<ArrayRef> = (0..6).map(|_| column()).collect();
    columns.push(Arc::new(inner));
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();

    let exported = export_batch(&batch).unwrap();
    let original = SchemaTree::read(&exported).unwrap();
    let converted = convert(exported, false).unwrap();
    assert_eq!(converted.bytes_copied, 0);
    let tree = SchemaTree::read(&converted.table).unwrap();
    let names: Vec<_> = tree
        .children
        .iter()
        .map(|child| child.name.as_str())
        .collect();
    assert_eq!(names, ["a", "b", "a_3", "a_2", "a_4", "", "_2"]);
    assert_eq!(tree.children[2].metadata_value(ORIGINAL_NAME), Some("a"));
    assert_eq!(tree.children[6].children[1].name, "a_2");
    assert_eq!(restore_schema(&tree).unwrap(), original);
    assert_eq!(
        import_table(restore(converted.table).unwrap().table)
            .unwrap()
            .batch,
        batch
    );
}

#[test]
fn maps_have_the_names_that_every_map_gets() {
    let column = |values: Vec<i32>| Arc::new(Int32Array::from(values)) as ArrayRef;
    let pair = Fields::from(vec![
        Field::new("same", DataType::Int32, false),
        Field::new("same", DataType::Int32, true),
    ]);
    let entries = StructArray::new(pair.clone(), vec![column(vec![1]), column(vec![2])], None);
    let field = Arc::new(Field::new("some_entries", DataType::Struct(pair), false));
    let map = MapArray::new(field, OffsetBuffer::from_lengths([1]), entries, None, true);
    let (tree, _) = converted(&map);
    assert_eq!(tree.flags, 2 | 4, "keys are sorted");
    let entries = &tree.children[0];
    assert_eq!(entries.name, "entries");
    assert_eq!(entries.metadata_value(ORIGINAL_NAME), Some("some_entries"));
    let names: Vec<_> = entries
        .children
        .iter()
        .map(|child| child.name.as_str())
        .collect();
    assert_eq!(names, ["key", "value"]);
    let back = restore(convert(table(&map), false).unwrap().table).unwrap();
    assert_eq!(
        import_array(back.table).unwrap().array.as_ref(),
        &map as &dyn Array
    );
}

#[test]
fn columns_without_anything_to_convert_keep_their_buffers() {
    let text = StringArray::from(vec!["a", "bc"]);
    let narrow = Decimal32Array::from(vec![1, 2]);
    let batch = RecordBatch::try_from_iter([
        ("text", Arc::new(text) as ArrayRef),
        ("narrow", Arc::new(narrow)),
    ])
    .unwrap();
    let addresses = |table: &OwnedTable| -> Vec<*const std::ffi::c_void> {
        // SAFETY: the first column is text, which has three buffers.
        let column = unsafe { &**table.array().children };
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts(column.buffers, 3) }.to_vec()
    };
    let exported = export_batch(&batch).unwrap();
    let before = addresses(&exported);
    let converted = convert(exported, false).unwrap();
    assert_eq!(addresses(&converted.table), before);
    assert_eq!(converted.bytes_copied, 2 * 16);

    // A table without anything to convert is not even looked at.
    let untouched = export_batch(&batch.project(&[0]).unwrap()).unwrap();
    let private = untouched.array().private_data;
    let same = convert(untouched, true).unwrap();
    assert!(!same.is_changed);
    assert_eq!(same.table.array().private_data, private);
    let same = restore(same.table).unwrap();
    assert!(!same.is_changed);
    assert_eq!(same.table.array().private_data, private);
}

#[test]
fn a_converted_table_keeps_the_original_until_it_is_released() {
    let alive = common::Alive::default();
    let numbers = alive.buffer(&[1, 0, 0, 0, 2, 0, 0, 0]);
    let kept = Int32Array::new(ScalarBuffer::new(numbers.clone(), 0, 2), None);
    let narrow = Decimal32Array::new(ScalarBuffer::new(numbers, 0, 2), None);
    let batch = RecordBatch::try_from_iter([
        ("kept", Arc::new(kept) as ArrayRef),
        ("narrow", Arc::new(narrow)),
    ]);
    let converted = convert(export_batch(&batch.unwrap()).unwrap(), false).unwrap();
    assert_eq!(alive.count(), 1);
    drop(converted);
    assert_eq!(alive.count(), 0);
}

#[test]
fn conversions_of_a_schema_depend_on_its_types_only() {
    for data_type in common::types::all() {
        let field =
            Field::new("x", data_type, true).with_metadata([("k".to_owned(), "v".to_owned())]);
        let tree = SchemaTree::of_field(&field).unwrap();
        let shown = convert_schema(&tree);
        assert_eq!(restore_schema(&shown).unwrap(), tree);
        assert_eq!(shown.metadata_value("k"), Some("v"));
    }
}
