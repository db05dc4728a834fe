//! The description of a group of tables: blocks, and places within them.

mod common;

use std::ffi::c_void;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt32Array};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use bowstring_abi::describe::{Block, describe};
use bowstring_abi::{ArrowArray, Level, OwnedTable, export_batch, fingerprint};

use common::Alive;

/// Two columns of two rows in one allocation: offsets at 64, text at 128, numbers at 192.
fn in_one_block() -> (Buffer, RecordBatch) {
    let alive = Alive::default();
    let mut bytes = [0u8; 320];
    for (index, word) in [0u32, 2, 3].into_iter().enumerate() {
        bytes[64 + 4 * index..][..4].copy_from_slice(&word.to_ne_bytes());
    }
    bytes[128..131].copy_from_slice(b"abc");
    let block = alive.buffer(&bytes);
    let offsets = OffsetBuffer::new(ScalarBuffer::new(block.slice(64), 0, 3));
    let text = StringArray::new(offsets, block.slice_with_length(128, 3), None);
    let numbers = UInt32Array::new(ScalarBuffer::new(block.slice(192), 0, 2), None);
    let batch = RecordBatch::try_from_iter([
        ("text", Arc::new(text) as ArrayRef),
        ("number", Arc::new(numbers)),
    ])
    .unwrap();
    (block, batch)
}

#[test]
fn one_allocation_is_one_block_cut_to_what_is_used() {
    let (block, batch) = in_one_block();
    let tables = [
        export_batch(&batch).unwrap(),
        export_batch(&batch.slice(1, 1)).unwrap(),
    ];
    let description = describe(&tables, Level::Full).unwrap();
    // From the first buffer, at a multiple of 64 bytes of memory, to the end of the last.
    let start = (block.as_ptr() as usize + 64) / 64 * 64;
    let end = block.as_ptr() as usize + 192 + 8;
    assert_eq!(
        description.blocks,
        [Block {
            address: start,
            bytes: end - start
        }]
    );
    assert_eq!(description.total_bytes, end - start);

    let shift = (block.as_ptr() as usize).wrapping_sub(start) as isize;
    let at = |offset: isize| (shift + offset) as f64;
    let print = fingerprint(&tables[0]).unwrap() as f64;
    #[rustfmt::skip]
    let expected = vec![
        2.0, 1.0, (end - start) as f64,
        start as f64, (end - start) as f64,
        print,
        2.0, 0.0, 0.0, 1.0, 2.0, 0.0,   -1.0, 0.0, 0.0,
        2.0, 0.0, 0.0, 3.0, 0.0, 0.0,   -1.0, 0.0, 0.0,   0.0, at(64), 12.0,   0.0, at(128), 3.0,
        2.0, 0.0, 0.0, 2.0, 0.0, 0.0,   -1.0, 0.0, 0.0,   0.0, at(192), 8.0,
        print,
        1.0, 0.0, 0.0, 1.0, 2.0, 0.0,   -1.0, 0.0, 0.0,
        1.0, 0.0, 0.0, 3.0, 0.0, 0.0,   -1.0, 0.0, 0.0,   0.0, at(68), 8.0,   0.0, at(128), 3.0,
        1.0, 0.0, 0.0, 2.0, 0.0, 0.0,   -1.0, 0.0, 0.0,   0.0, at(196), 4.0,
    ];
    assert_eq!(description.words, expected);
}

#[test]
fn separate_allocations_are_separate_blocks() {
    let alive = Alive::default();
    let description = describe(&[export_batch(&alive.batch()).unwrap()], Level::None).unwrap();
    let bytes: Vec<usize> = description.blocks.iter().map(|block| block.bytes).collect();
    assert_eq!(bytes, [16, 3, 12]);
    assert_eq!(description.total_bytes, 31);
}

/// `batch` as structs whose releases are not this library's.
fn foreign(batch: &RecordBatch) -> OwnedTable {
    type Release = unsafe extern "C" fn(*mut ArrowArray);
    /// What was at the places of `release` and `private_data`.
    struct Original(Option<Release>, *mut c_void);

    unsafe extern "C" fn release(array: *mut ArrowArray) {
        // SAFETY: called once, with an array that was disguised.
        unsafe {
            let original = Box::from_raw((*array).private_data.cast::<Original>());
            (*array).private_data = original.1;
            (*array).release = original.0;
            original.0.unwrap()(array);
        }
    }
    fn disguise(array: &mut ArrowArray) {
        let original = Original(array.release.replace(release), array.private_data);
        array.private_data = Box::into_raw(Box::new(original)).cast();
        for index in 0..array.n_children as usize {
            // SAFETY: the array is well formed, and nothing else refers to its children.
            disguise(unsafe { &mut **array.children.add(index) });
        }
    }
    let mut raw = export_batch(batch).unwrap().into_raw();
    disguise(&mut raw.array);
    // SAFETY: the structs were made here and are given up.
    unsafe { OwnedTable::from_raw(raw.schema, raw.array) }
}

#[test]
fn each_buffer_of_a_foreign_table_is_a_block_of_its_own() {
    let (block, batch) = in_one_block();
    let description = describe(&[foreign(&batch)], Level::None).unwrap();
    let start = block.as_ptr() as usize;
    assert_eq!(
        description.blocks,
        [
            Block {
                address: start + 64,
                bytes: 12
            },
            Block {
                address: start + 128,
                bytes: 3
            },
            Block {
                address: start + 192,
                bytes: 8
            },
        ]
    );
    // Each buffer begins its block.
    assert_eq!(
        &description.words[25..34],
        [-1.0, 0.0, 0.0, 0.0, 0.0, 12.0, 1.0, 0.0, 3.0].as_slice()
    );
}

#[test]
fn an_array_without_items_has_no_bytes() {
    let (_, batch) = in_one_block();
    let description = describe(&[export_batch(&batch.slice(0, 0)).unwrap()], Level::None).unwrap();
    assert_eq!((description.blocks.len(), description.total_bytes), (0, 0));
    assert_eq!(description.words[..3], [1.0, 0.0, 0.0]);
}

#[test]
fn a_buffer_of_our_own_that_claims_too_much_is_refused() {
    let (_, batch) = in_one_block();
    let raw = export_batch(&batch).unwrap().into_raw();
    // SAFETY: the table has two columns; a length is read, not freed.
    unsafe { (**raw.array.children.add(1)).length = 1000 };
    // SAFETY: the table was made here and is given up.
    let table = unsafe { OwnedTable::from_raw(raw.schema, raw.array) };
    assert_eq!(
        describe(&[table], Level::None).unwrap_err().to_string(),
        "column[1] \"number\": expected 4000 bytes in buffer 1 but it ends before them"
    );
}

#[test]
fn no_tables_are_no_blocks() {
    assert_eq!(describe(&[], Level::Full).unwrap().words, [0.0, 0.0, 0.0]);
}
