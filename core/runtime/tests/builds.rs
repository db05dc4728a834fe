//! Tables built over memory of JavaScript's: what is checked.

mod built;
mod common;

use std::ffi::CStr;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use bowstring_abi::{ArrowArray, OwnedTable, SchemaTree, Status, import_table};
use bowstring_runtime::BOW_BUILD_RESTORE;

use built::*;
use common::Scope;

#[test]
fn a_table_is_what_the_words_say() {
    let scope = Scope::open();
    let schema = scope.context.register_schema(schema()).unwrap();
    let table = build(&scope, schema, &words(7.0, &[])).unwrap();
    // SAFETY: the column has two buffers.
    let borrowed = unsafe { *(**table.array().children).buffers.add(1) };
    assert!(std::ptr::eq(borrowed.cast(), &MEMORY.numbers), "not copied");
    // The text and the shifted flags.
    assert_eq!(scope.context.stats().bytes_copied, 5.0);
    let batch = import_table(table).unwrap().batch;
    let numbers: Vec<_> = batch.column(0).as_primitive::<Int32Type>().iter().collect();
    assert_eq!(numbers, [Some(1), None, Some(3)]);
    let text: Vec<_> = batch
        .column(1)
        .as_string::<i32>()
        .iter()
        .flatten()
        .collect();
    assert_eq!(text, ["a", "", "bcd"]);
    let flags: Vec<_> = batch.column(2).as_boolean().iter().flatten().collect();
    assert_eq!(flags, [true, false, true]);
    assert_eq!((live_pins(&scope), drain(&scope)), (1.0, vec![]));
    drop(batch);
    assert_eq!((live_pins(&scope), drain(&scope)), (0.0, vec![7]));
}

#[test]
fn bits_come_out_right_from_every_bit_offset() {
    static BITS: [u8; 20] = [
        0x5a, 0x93, 0x0f, 0xc6, 0x21, 0x7e, 0x88, 0xb4, 0x3d, 0xe9, 0x10, 0x6b, 0xf2, 0x47, 0x9c,
        0x05, 0xd8, 0x33, 0xae, 0x71,
    ];
    let scope = Scope::open();
    let tree = node("+s", "", vec![node("b", "flag", vec![])]);
    let schema = scope.context.register_schema(tree).unwrap();
    for offset in 0..70usize {
        for length in [0, 1, 7, 8, 9, 63, 64, 65] {
            let count = length as f64;
            let mut words = vec![0.0, 0.0, 0.0, count, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
            words.extend([count, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
            words.extend([BORROW, at(&BITS), 20.0, offset as f64]);
            let batch = import_table(build(&scope, schema, &words).unwrap())
                .unwrap()
                .batch;
            let expected: Vec<bool> = (offset..offset + length)
                .map(|bit| BITS[bit / 8] >> (bit % 8) & 1 == 1)
                .collect();
            let found: Vec<_> = batch.column(0).as_boolean().iter().flatten().collect();
            assert_eq!(found, expected, "{length} bits from bit {offset}");
        }
    }
}

#[test]
fn misaligned_values_are_copied() {
    static BYTES: [u8; 17] = [0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0];
    let scope = Scope::open();
    let tree = node("+s", "", vec![node("l", "number", vec![])]);
    let schema = scope.context.register_schema(tree).unwrap();
    let start = std::ptr::from_ref(&BYTES).addr();
    let odd = if start % 8 == 7 { 0 } else { 1 };
    let rows = |count: f64| {
        let mut words = vec![0.0, 0.0, 0.0, count, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        words.extend([count, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        words.extend([BORROW, (start + odd) as f64, 16.0, 0.0]);
        words
    };
    let table = build(&scope, schema, &rows(2.0)).unwrap();
    let misaligned = !(start + odd).is_multiple_of(8);
    let copied = if misaligned { 16.0 } else { 0.0 };
    assert_eq!(scope.context.stats().bytes_copied, copied);
    if odd == 1 {
        let batch = import_table(table).unwrap().batch;
        assert_eq!(
            batch.column(0).as_primitive::<Int64Type>().values(),
            &[1, 2]
        );
    }
}

#[test]
fn lying_words_are_refused_and_pin_nothing() {
    let scope = Scope::open();
    let schema = scope.context.register_schema(schema()).unwrap();
    let good = words(7.0, &[]);
    // Which word, what it becomes, and what is said.
    let cases: &[(usize, f64, &str)] = &[
        (
            0,
            0.5,
            "words[0]: expected the token, a whole number from 0 to 4294967295, but found 0.5",
        ),
        (
            0,
            4294967296.0,
            "words[0]: expected the token, a whole number from 0 to 4294967295, but found 4294967296",
        ),
        (
            0,
            f64::NAN,
            "words[0]: expected the token, a whole number from 0 to 4294967295, but found NaN",
        ),
        (
            1,
            2.0,
            "expected the flags 0 or BOW_BUILD_RESTORE but found 0x2",
        ),
        (
            2,
            1e6,
            "expected 1000000 times 1 words after the number of leases in words[2] but found 52",
        ),
        (
            2,
            f64::INFINITY,
            "words[2]: expected the number of leases, a whole number from 0 to 9007199254740991, but found inf",
        ),
        (
            3,
            -1.0,
            "words[3]: expected a length, a whole number from 0 to 9007199254740991, but found -1",
        ),
        (
            3,
            4.0,
            "column[0] \"number\": expected a length of at least 4, as the parent needs, but found 3",
        ),
        (
            4,
            -2.0,
            "words[4]: expected a null count, a whole number from -1 to 9007199254740991, but found -2",
        ),
        (
            5,
            1e9,
            "expected 1000000000 times 4 words after a number of buffers in words[5] but found 49",
        ),
        (
            6,
            2.0,
            "array: expected 3 children, as in the schema, but found 2",
        ),
        (
            7,
            1.0,
            "array: expected no dictionary, as in the schema, but found one",
        ),
        (
            7,
            2.0,
            "words[7]: expected 0 or 1 for a dictionary, a whole number from 0 to 1, but found 2",
        ),
        (
            8,
            3.0,
            "words[8]: expected a mode, a whole number from 0 to 2, but found 3",
        ),
        (
            12,
            4.0,
            "column[0] \"number\": expected 16 bytes in buffer 1 but found 12",
        ),
        (
            13,
            4.0,
            "column[0] \"number\": expected a null count between -1 and 3 but found 4",
        ),
        (
            17,
            0.0,
            "column[0] \"number\": expected 1 bytes in buffer 0 but found a null pointer",
        ),
        (
            18,
            0.0,
            "column[0] \"number\": expected 1 bytes in buffer 0 but found a null pointer",
        ),
        (
            19,
            0.0,
            "column[0] \"number\": expected 1 bytes in buffer 0 but found 0",
        ),
        (
            21,
            0.0,
            "column[0] \"number\": expected 12 bytes in buffer 1 but found a null pointer",
        ),
        (
            23,
            11.0,
            "column[0] \"number\": expected 12 bytes in buffer 1 but found 11",
        ),
        (
            24,
            1.0,
            "column[0] \"number\": expected the bit offset 0 for buffer 1, which is no bitmap, but found 1",
        ),
        (
            36,
            12.0,
            "column[1] \"text\": expected 16 bytes in buffer 1 but found 12",
        ),
        (
            40,
            3.0,
            "column[1] \"text\": expected 4 bytes in buffer 2 but found 3",
        ),
        (
            40,
            9e15,
            "column[1] \"text\": no memory for a copy of 9000000000000000 bytes",
        ),
        (
            44,
            3.0,
            "expected 3 times 4 words after a number of buffers in words[44] but found 10",
        ),
        (
            45,
            1.0,
            "column[2] \"flag\": expected 0 children, as in the schema, but found 1",
        ),
        (
            54,
            6.0,
            "column[2] \"flag\": expected 2 bytes in buffer 1 but found 1",
        ),
    ];
    for &(index, word, expected) in cases {
        let mut lying = good.clone();
        lying[index] = word;
        let refused = build(&scope, schema, &lying).map(drop).unwrap_err();
        assert_eq!(refused.message, expected, "words[{index}] = {word}");
        let of_the_call = expected.starts_with("words[") || expected.contains("words");
        let of_the_flags = expected.contains("flags") || expected.contains("bit offset 0");
        let status = match of_the_call || of_the_flags {
            true => Status::InvalidArgument,
            false if expected.contains("no memory") => Status::OutOfMemory,
            false => Status::InvalidArrow,
        };
        assert_eq!(refused.status, status, "{expected}");
    }
    for length in 0..good.len() {
        let refused = build(&scope, schema, &good[..length])
            .map(drop)
            .unwrap_err();
        assert_eq!(refused.status, Status::InvalidArgument, "{length} words");
    }
    let mut fewer = good.clone();
    fewer[14] = 1.0;
    fewer.drain(21..25);
    let refused = build(&scope, schema, &fewer).map(drop).unwrap_err();
    let expected = "column[0] \"number\": expected 2 buffers but found 1";
    assert_eq!(refused.message, expected);
    let mut longer = good.clone();
    longer.push(0.0);
    let refused = build(&scope, schema, &longer).map(drop).unwrap_err();
    assert_eq!(refused.message, "expected 55 words but found 56");
    assert_eq!((live_pins(&scope), drain(&scope)), (0.0, vec![]));
    assert!(!scope.context.wait(0).unwrap(), "no event");
    // The words are good, after all.
    drop(build(&scope, schema, &good).unwrap());
    assert_eq!(drain(&scope), [7]);
}

#[test]
fn lying_offsets_are_refused() {
    static OFFSETS: [[i32; 4]; 3] = [[-1, 0, 1, 2], [2, 2, 2, 1], [0, 1, 2, -3]];
    let expected = [
        "expected the first offset >= 0 but found -1",
        "expected offset[3] >= 2 but found 1",
        "expected the last offset >= 0 but found -3",
    ];
    let scope = Scope::open();
    let schema = scope.context.register_schema(schema()).unwrap();
    for (offsets, expected) in OFFSETS.iter().zip(expected) {
        let mut lying = words(1.0, &[]);
        lying[35] = at(offsets);
        let refused = build(&scope, schema, &lying).map(drop).unwrap_err();
        assert_eq!(refused.message, format!("column[1] \"text\": {expected}"));
    }
    assert_eq!((live_pins(&scope), drain(&scope)), (0.0, vec![]));
}

#[test]
fn schemas_are_registered_checked_exported_and_closed() {
    let scope = Scope::open();
    let mut tree = schema();
    tree.metadata = Some(vec![("k".to_owned(), "é".to_owned())]);
    let handle = scope.context.register_schema(tree.clone()).unwrap();
    for flags in [0, BOW_BUILD_RESTORE] {
        let mut schema = scope.context.export_schema(handle, flags).unwrap();
        assert_eq!(SchemaTree::read_schema(&schema).unwrap(), tree);
        // SAFETY: the struct is a local, and owned.
        drop(unsafe { OwnedTable::take_schema(&mut schema) });
    }
    let refused = scope.context.export_schema(handle, 4).unwrap_err();
    assert_eq!(
        refused.message,
        "expected the flags 0 or BOW_BUILD_RESTORE but found 0x4"
    );
    let kept = scope.context.export_schema(handle, 0).unwrap();
    scope.context.close_schema(handle).unwrap();
    let gone = format!("there is no schema {handle:#x}, or it has been closed");
    assert_eq!(
        scope.context.close_schema(handle).unwrap_err().to_string(),
        gone
    );
    assert_eq!(
        scope.context.export_schema(handle, 0).unwrap_err().message,
        gone
    );
    // SAFETY: a struct that was given out keeps its strings.
    let name = unsafe { CStr::from_ptr((**kept.children).name) };
    assert_eq!(name, c"number");
    // SAFETY: the struct is owned here.
    drop(unsafe { OwnedTable::from_raw(kept, ArrowArray::released()) });

    let refused = [
        (
            node("?", "", vec![]),
            "schema: expected a format of the C data interface but found \"?\"",
        ),
        (
            node("+s", "", vec![node("i", "a", vec![node("i", "b", vec![])])]),
            "column[0] \"a\": expected 0 children in the schema but found 1",
        ),
    ];
    for (tree, expected) in refused {
        let refused = scope.context.register_schema(tree).unwrap_err();
        assert_eq!(refused.message, expected);
    }
}
