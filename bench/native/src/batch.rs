//! The batch that is measured: eight columns of the types that tables commonly have.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray, TimestampMillisecondArray, UInt8Array,
};

/// Eight columns of so many rows. One of eight floats is null, and so is one of sixteen texts.
pub fn make(rows: usize) -> RecordBatch {
    let numbers = || 0..rows as i64;
    let ids: Int64Array = numbers().collect::<Vec<_>>().into();
    let small: Int32Array = numbers()
        .map(|row| row as i32 & 0xffff)
        .collect::<Vec<_>>()
        .into();
    let floats: Float64Array = numbers()
        .map(|row| (row % 8 != 7).then_some(row as f64 / 3.0))
        .collect();
    let names: StringArray = numbers()
        .map(|row| (row % 16 != 15).then_some(NAMES[row as usize % NAMES.len()]))
        .collect();
    let flags: BooleanArray = numbers()
        .map(|row| Some(row % 3 == 0))
        .collect::<Vec<_>>()
        .into();
    let times: TimestampMillisecondArray = numbers()
        .map(|row| 1_700_000_000_000 + row)
        .collect::<Vec<_>>()
        .into();
    let dates: Date32Array = numbers()
        .map(|row| row as i32 % 20_000)
        .collect::<Vec<_>>()
        .into();
    let bytes: UInt8Array = numbers().map(|row| row as u8).collect::<Vec<_>>().into();
    let columns: [(&str, ArrayRef); 8] = [
        ("id", Arc::new(ids)),
        ("small", Arc::new(small)),
        ("price", Arc::new(floats)),
        ("name", Arc::new(names)),
        ("flag", Arc::new(flags)),
        ("time", Arc::new(times)),
        ("date", Arc::new(dates)),
        ("byte", Arc::new(bytes)),
    ];
    RecordBatch::try_from_iter(columns).expect("the columns have the same length")
}

const NAMES: [&str; 8] = [
    "arrow",
    "bow",
    "string",
    "quiver",
    "nock",
    "fletching",
    "shaft",
    "point",
];
