//! Batches for the tests, and buffers that tell when they are freed.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod converted;
pub mod types;

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use arrow_array::builder::{BooleanBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, BinaryArray, Float32Array, Int64Array, RecordBatch, StringArray, StructArray,
    UInt32Array,
};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Schema};

/// Five rows of the types that extraction emits, and of two more.
pub fn batch() -> RecordBatch {
    let items: ArrayRef = Arc::new(StringArray::from(vec![
        Some("p"),
        None,
        Some(""),
        Some("q"),
        Some("r"),
    ]));
    let tags = StructArray::from(vec![(
        Arc::new(Field::new("item", DataType::Utf8, true)),
        items,
    )]);
    let mut flags = BooleanBuilder::new();
    flags.extend([Some(true), None, Some(false), Some(true), Some(false)]);
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        (
            "id",
            Arc::new(StringArray::from(vec!["a", "bé", "", "漢字", "e"])),
            false,
        ),
        (
            "line",
            Arc::new(UInt32Array::from(vec![
                Some(1),
                None,
                Some(3),
                Some(4),
                None,
            ])),
            true,
        ),
        ("tags", Arc::new(tags), true),
        (
            "confidence",
            Arc::new(Float32Array::from(vec![0.0, 0.25, 0.5, 0.75, 1.0])),
            false,
        ),
        (
            "count",
            Arc::new(Int64Array::from(vec![i64::MIN, -1, 0, 1, i64::MAX])),
            false,
        ),
        ("flag", Arc::new(flags.finish()), true),
        (
            "bytes",
            Arc::new(BinaryArray::from_vec(vec![
                b"\xff", b"", b"\0\x01", b"x", b"y",
            ])),
            false,
        ),
    ];
    let fields = columns
        .iter()
        .map(|(name, column, nullable)| Field::new(*name, column.data_type().clone(), *nullable));
    let schema = Schema::new(fields.collect::<Vec<_>>())
        .with_metadata([("bowstring:total".to_owned(), "5".to_owned())]);
    RecordBatch::try_new(
        Arc::new(schema),
        columns.into_iter().map(|(_, column, _)| column).collect(),
    )
    .unwrap()
}

/// The column of `batch` called `name`.
pub fn index(name: &str) -> usize {
    batch().schema().index_of(name).unwrap()
}

/// Counts the allocations that are alive.
#[derive(Clone, Default)]
pub struct Alive(Arc<AtomicUsize>);

impl Alive {
    pub fn count(&self) -> usize {
        self.0.load(SeqCst)
    }

    /// A buffer with these bytes, counted until it is freed.
    pub fn buffer(&self, bytes: &[u8]) -> Buffer {
        struct Counted(Vec<u64>, Alive);
        impl Drop for Counted {
            fn drop(&mut self) {
                self.1.0.fetch_sub(1, SeqCst);
            }
        }
        self.0.fetch_add(1, SeqCst);
        let mut words = vec![0u64; bytes.len().div_ceil(8)];
        // SAFETY: the words have room for the bytes.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), words.as_mut_ptr().cast(), bytes.len())
        };
        let start = NonNull::new(words.as_mut_ptr().cast::<u8>()).unwrap();
        // SAFETY: the owner keeps the words, which do not move.
        unsafe {
            Buffer::from_custom_allocation(
                start,
                bytes.len(),
                Arc::new(Counted(words, self.clone())),
            )
        }
    }

    /// Two columns, of text and of numbers, in three counted allocations.
    pub fn batch(&self) -> RecordBatch {
        let offsets: Vec<u8> = [0i32, 1, 3, 3]
            .iter()
            .flat_map(|offset| offset.to_ne_bytes())
            .collect();
        let numbers: Vec<u8> = [7u32, 8, 9]
            .iter()
            .flat_map(|number| number.to_ne_bytes())
            .collect();
        let offsets = OffsetBuffer::new(ScalarBuffer::new(self.buffer(&offsets), 0, 4));
        let text = StringArray::new(offsets, self.buffer(b"xyz"), None);
        let numbers = UInt32Array::new(ScalarBuffer::new(self.buffer(&numbers), 0, 3), None);
        RecordBatch::try_from_iter([
            ("text", Arc::new(text) as ArrayRef),
            ("number", Arc::new(numbers)),
        ])
        .unwrap()
    }
}

/// Text that was built with a builder, whose buffers are longer than they need to be.
pub fn built_text(values: &[Option<&str>]) -> StringArray {
    let mut builder = StringBuilder::with_capacity(1024, 4096);
    for value in values {
        builder.append_option(*value);
    }
    builder.finish()
}
