//! What goes out comes back equal, for every supported type, sliced, empty and with nulls.

mod common;

use std::sync::Arc;

use arrow_array::types::*;
use arrow_array::*;
use arrow_buffer::{NullBuffer, i256};
use arrow_schema::{DataType, Field, IntervalUnit, Schema, TimeUnit};
use bowstring_abi::check::check;
use bowstring_abi::{Level, SchemaTree, export_batch, fingerprint, import_table};

use common::{batch, built_text};

fn columns() -> Vec<ArrayRef> {
    fn numbers<T: ArrowPrimitiveType>(values: [T::Native; 4]) -> ArrayRef {
        let nulls = NullBuffer::from(vec![true, true, false, true]);
        Arc::new(PrimitiveArray::<T>::new(
            values.to_vec().into(),
            Some(nulls),
        ))
    }
    let interval = IntervalMonthDayNanoType::make_value(1, 2, 3);
    let text = [Some("a"), Some(""), None, Some("bé漢")];
    let item = Arc::new(Field::new("item", DataType::Utf8, true));
    let nested = StructArray::from(vec![(
        item,
        Arc::new(StringArray::from(text.to_vec())) as ArrayRef,
    )]);
    let zone: Arc<str> = "Europe/Zürich".into();
    vec![
        Arc::new(NullArray::new(4)),
        Arc::new(BooleanArray::from(vec![
            Some(true),
            Some(false),
            None,
            Some(true),
        ])),
        numbers::<Int8Type>([i8::MIN, 0, 1, i8::MAX]),
        numbers::<UInt8Type>([0, 1, 2, u8::MAX]),
        numbers::<Int16Type>([i16::MIN, 0, 1, i16::MAX]),
        numbers::<UInt16Type>([0, 1, 2, u16::MAX]),
        numbers::<Int32Type>([i32::MIN, 0, 1, i32::MAX]),
        numbers::<UInt32Type>([0, 1, 2, u32::MAX]),
        numbers::<Int64Type>([i64::MIN, 0, 1, i64::MAX]),
        numbers::<UInt64Type>([0, 1, 2, u64::MAX]),
        numbers::<Float32Type>([f32::MIN, -0.0, f32::INFINITY, f32::MAX]),
        numbers::<Float64Type>([f64::MIN, -0.0, f64::INFINITY, f64::MAX]),
        numbers::<Date32Type>([-1, 0, 1, 2]),
        numbers::<Date64Type>([-1, 0, 1, 2]),
        numbers::<Time32SecondType>([0, 1, 2, 3]),
        numbers::<Time64NanosecondType>([0, 1, 2, 3]),
        numbers::<DurationMillisecondType>([-1, 0, 1, 2]),
        numbers::<TimestampMicrosecondType>([-1, 0, 1, 2]),
        Arc::new(TimestampNanosecondArray::from(vec![1, 2, 3, 4]).with_timezone(zone)),
        numbers::<IntervalMonthDayNanoType>([interval; 4]),
        Arc::new(
            Decimal128Array::from(vec![1, -1, 0, 7])
                .with_precision_and_scale(9, 2)
                .unwrap(),
        ),
        Arc::new(
            Decimal256Array::from(vec![i256::ONE; 4])
                .with_precision_and_scale(60, -3)
                .unwrap(),
        ),
        Arc::new(
            FixedSizeBinaryArray::try_from_iter([b"abc", b"def", b"ghi", b"\0\0\0"].iter())
                .unwrap(),
        ),
        Arc::new(StringArray::from(text.to_vec())),
        Arc::new(LargeStringArray::from(text.to_vec())),
        Arc::new(BinaryArray::from_opt_vec(vec![
            Some(b"\xff"),
            Some(b""),
            None,
            Some(b"\0"),
        ])),
        Arc::new(LargeBinaryArray::from_opt_vec(vec![
            Some(b"\xff"),
            Some(b""),
            None,
            Some(b"\0"),
        ])),
        Arc::new(built_text(&text)),
        Arc::new(nested),
    ]
}

fn of_one(column: ArrayRef) -> RecordBatch {
    let field = Field::new("column", column.data_type().clone(), true);
    RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![column]).unwrap()
}

fn assert_round_trip(batch: &RecordBatch) {
    let table = export_batch(batch).unwrap();
    check(&table, Level::Full).unwrap();
    assert_eq!(&import_table(table).unwrap().batch, batch);
}

#[test]
fn every_type_comes_back_equal() {
    for column in columns() {
        for (offset, length) in [(0, 4), (1, 3), (2, 1), (3, 1), (0, 0), (4, 0)] {
            assert_round_trip(&of_one(column.slice(offset, length)));
        }
        assert_round_trip(&of_one(new_empty_array(column.data_type())));
        assert_round_trip(&of_one(new_null_array(column.data_type(), 3)));
    }
}

#[test]
fn slices_of_many_rows_come_back_equal() {
    let long: Vec<Option<String>> = (0..1000)
        .map(|row| (row % 7 != 0).then(|| format!("row {row}")))
        .collect();
    let text: ArrayRef = Arc::new(StringArray::from(long));
    let flags: ArrayRef = Arc::new(BooleanArray::from(
        (0..1000)
            .map(|row| (row % 3 != 0).then_some(row % 2 == 0))
            .collect::<Vec<_>>(),
    ));
    let whole =
        RecordBatch::try_from_iter_with_nullable([("text", text, true), ("flag", flags, true)])
            .unwrap();
    for offset in [0, 1, 7, 8, 9, 63, 64, 65, 999] {
        assert_round_trip(&whole.slice(offset, (1000 - offset).min(77)));
    }
}

#[test]
fn rows_without_columns_and_columns_without_rows() {
    let rows = RecordBatchOptions::new().with_row_count(Some(3));
    assert_round_trip(
        &RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &rows).unwrap(),
    );
    assert_round_trip(&RecordBatch::new_empty(batch().schema()));
}

#[test]
fn empty_buffers_are_never_null_and_hold_one_offset() {
    for column in columns()
        .iter()
        .map(|column| new_empty_array(column.data_type()))
    {
        let table = export_batch(&of_one(column)).unwrap();
        // SAFETY: the table has one column, whose buffers are as many as it says.
        let column = unsafe { &**table.array().children };
        for index in 0..column.n_buffers as usize {
            // SAFETY: as above.
            let buffer = unsafe { *column.buffers.add(index) };
            assert!(
                index == 0 || !buffer.is_null(),
                "only a validity bitmap may be null"
            );
            if index == 1 {
                // SAFETY: offsets have one entry, and a buffer without bytes points to at least 64 readable ones.
                assert_eq!(unsafe { buffer.cast::<u32>().read_unaligned() }, 0);
            }
        }
    }
}

#[test]
fn a_null_in_a_column_that_may_have_none_is_refused() {
    let mut raw = export_batch(&of_one(Arc::new(UInt32Array::from(vec![None, Some(1)]))))
        .unwrap()
        .into_raw();
    // SAFETY: the table has one column; the flags are read, not freed.
    unsafe { (**raw.schema.children).flags = 0 };
    // SAFETY: the table was made here and is given up.
    let table = unsafe { bowstring_abi::OwnedTable::take(&mut raw) };
    assert_eq!(
        import_table(table).unwrap_err().to_string(),
        "record batch: Invalid argument error: Column 'column' is declared as non-nullable but contains null values"
    );
}

#[test]
fn schemas_are_read_with_names_flags_and_metadata() {
    let field = Field::new(
        "n",
        DataType::Timestamp(TimeUnit::Second, Some("UTC".into())),
        true,
    )
    .with_metadata([("k".to_owned(), "é".to_owned())]);
    let item = Field::new("item", DataType::Interval(IntervalUnit::YearMonth), false);
    let schema = Schema::new(vec![
        field,
        Field::new("s", DataType::Struct(vec![item].into()), false),
    ]);
    let table = export_batch(&RecordBatch::new_empty(Arc::new(schema))).unwrap();
    let node = |format: &str, name: &str, flags, children| SchemaTree {
        format: format.to_owned(),
        name: name.to_owned(),
        metadata: None,
        flags,
        children,
        dictionary: None,
    };
    let mut timestamp = node("tss:UTC", "n", 2, vec![]);
    timestamp.metadata = Some(vec![("k".to_owned(), "é".to_owned())]);
    let nested = node("+s", "s", 0, vec![node("tiM", "item", 0, vec![])]);
    assert_eq!(
        SchemaTree::read(&table).unwrap(),
        node("+s", "", 0, vec![timestamp, nested])
    );
}

#[test]
fn fingerprints_are_equal_for_equal_schemas_only() {
    let print = |batch: &RecordBatch| fingerprint(&export_batch(batch).unwrap()).unwrap();
    let base = batch();
    assert_eq!(print(&base), print(&base.slice(1, 2)));
    assert!(print(&base) < 1 << 53);
    let renamed = Schema::new(
        base.schema()
            .fields()
            .iter()
            .map(|field| field.as_ref().clone().with_name("x"))
            .collect::<Vec<_>>(),
    );
    let nullable = Schema::new(
        base.schema()
            .fields()
            .iter()
            .map(|field| field.as_ref().clone().with_nullable(true))
            .collect::<Vec<_>>(),
    );
    let bare = Schema::new(base.schema().fields().clone());
    let mut prints: Vec<u64> = [renamed, nullable, bare]
        .into_iter()
        .map(|schema| {
            print(&RecordBatch::try_new(Arc::new(schema), base.columns().to_vec()).unwrap())
        })
        .collect();
    prints.push(print(&base));
    prints.push(print(&base.project(&[0, 1]).unwrap()));
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), 5);
}
