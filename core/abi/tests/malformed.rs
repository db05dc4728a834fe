//! Every malformed struct gets its own message, at the first level that looks at what is wrong.

mod common;
mod tamper;

use std::ptr::null_mut;

use bowstring_abi::check::check;
use bowstring_abi::{ArrowArray, ArrowSchema, Failure, Level, Status, export_batch, import_table};

use common::batch;
use tamper::{Tamper, owned, with_tampered};

type Case = (Level, &'static str, fn(&mut Tamper<'_>));

const OFFSETS: &[i32] = &[0, 1, 4, 4, 10, 11];

fn cases() -> Vec<Case> {
    use Level::{Default, Full, Minimal, None};
    vec![
        // What nothing can be read past.
        (None, "record batch: the schema has been released", |t| {
            t.schema(&[]).release = Option::None
        }),
        (None, "record batch: the array has been released", |t| {
            t.array(&[]).release = Option::None
        }),
        (None, "record batch: the format is null", |t| {
            t.schema(&[]).format = std::ptr::null()
        }),
        (None, "record batch: the format is not UTF-8", |t| {
            t.schema(&[]).format = t.text(b"+\xff\0")
        }),
        (
            None,
            "record batch: expected a struct (\"+s\") but found the format \"i\"",
            |t| {
                t.schema(&[]).format = t.text(b"i\0");
                t.schema(&[]).n_children = 0;
                t.array(&[]).n_children = 0;
                t.array(&[]).n_buffers = 2;
            },
        ),
        (None, "record batch: expected 1 buffers but found 0", |t| {
            t.array(&[]).n_buffers = 0
        }),
        (None, "record batch: the list of buffers is null", |t| {
            t.array(&[]).buffers = null_mut()
        }),
        (
            None,
            "record batch: the schema's list of children is null",
            |t| t.schema(&[]).children = null_mut(),
        ),
        (
            None,
            "record batch: the array's list of children is null",
            |t| t.array(&[]).children = null_mut(),
        ),
        (
            None,
            "record batch: expected the schema's number of children >= 0 but found -1",
            |t| {
                t.schema(&[]).n_children = -1;
            },
        ),
        (
            None,
            "record batch: expected 7 children, as in the schema, but found 6",
            |t| {
                t.array(&[]).n_children = 6;
            },
        ),
        (None, "record batch: child 2 of the array is null", |t| {
            let mut list: Vec<*mut ArrowArray> = (0..7)
                // SAFETY: the batch has seven columns.
                .map(|index| unsafe { *t.table.array.children.add(index) })
                .collect();
            list[2] = null_mut();
            t.table.array.children = list.as_mut_ptr();
            t.keep.push(Box::new(list));
        }),
        (None, "record batch: child 6 of the schema is null", |t| {
            let mut list: Vec<*mut ArrowSchema> = (0..7)
                // SAFETY: the batch has seven columns.
                .map(|index| unsafe { *t.table.schema.children.add(index) })
                .collect();
            list[6] = null_mut();
            t.table.schema.children = list.as_mut_ptr();
            t.keep.push(Box::new(list));
        }),
        (
            None,
            "column[0] \"id\": expected 3 buffers but found 1",
            |t| t.array(&["id"]).n_buffers = 1,
        ),
        (
            None,
            "column[0] \"id\": expected 3 buffers but found -1",
            |t| t.array(&["id"]).n_buffers = -1,
        ),
        (
            None,
            "column[1] \"line\": expected 0 children in the schema but found 2",
            |t| {
                t.schema(&["line"]).n_children = 2;
            },
        ),
        (
            None,
            "column[1] \"line\": expected 0 children, as in the schema, but found 2",
            |t| {
                t.array(&["line"]).n_children = 2;
            },
        ),
        (
            None,
            "column[2] \"tags\" -> item: expected 3 buffers but found 1",
            |t| {
                t.array(&["tags", "item"]).n_buffers = 1;
            },
        ),
        (
            None,
            "column[1] \"line\": expected 1 children in the schema but found 0",
            |t| {
                t.schema(&["line"]).format = t.text(b"+l\0");
            },
        ),
        (
            None,
            "column[1] \"line\": expected a format of the C data interface but found \"a\\nb\"",
            |t| {
                t.schema(&["line"]).format = t.text(b"a\nb\0");
            },
        ),
        (
            None,
            "column[1] \"line\": expected no dictionary, as in the schema, but found one",
            |t| {
                t.array(&["line"]).dictionary = std::ptr::NonNull::dangling().as_ptr();
            },
        ),
        // What the structs say.
        (
            Minimal,
            "column[1] \"li\u{fffd}ne\": the name is not UTF-8",
            |t| t.schema(&["line"]).name = t.text(b"li\xffne\0"),
        ),
        (
            Minimal,
            "column[1] \"line\": malformed metadata: the number of pairs is negative",
            |t| {
                t.metadata(&["line"], &[-1], b"");
            },
        ),
        (
            Minimal,
            "column[1] \"line\": malformed metadata: the length of a key is negative",
            |t| {
                t.metadata(&["line"], &[1, -5], b"");
            },
        ),
        (
            Minimal,
            "column[1] \"line\": malformed metadata: a key is not UTF-8",
            |t| {
                t.metadata(&["line"], &[1, 1], b"\xff");
            },
        ),
        (
            Minimal,
            "column[1] \"line\": malformed metadata: the length of a value is negative",
            |t| {
                t.metadata(&["line"], &[1, 0, -1], b"");
            },
        ),
        (
            Minimal,
            "column[1] \"line\": malformed metadata: a value is not UTF-8",
            |t| {
                t.metadata(&["line"], &[1, 0, 2], b"\xc3\x28");
            },
        ),
        (
            Minimal,
            "record batch: expected length >= 0 but found -1",
            |t| t.array(&[]).length = -1,
        ),
        (
            Minimal,
            "record batch: expected offset 0 but found 1",
            |t| {
                t.array(&[]).offset = 1;
                t.array(&[]).length = 4;
            },
        ),
        (
            Minimal,
            "record batch: expected no null rows but found 2",
            |t| {
                t.array(&[]).null_count = -1;
                t.buffer(&[], 0, Some(vec![0b10101u8]));
            },
        ),
        (
            Minimal,
            "record batch: expected no null rows but found 1",
            |t| {
                t.array(&[]).null_count = 1;
                t.buffer(&[], 0, Some(vec![0b01111u8]));
            },
        ),
        (
            Minimal,
            "record batch: expected 1 bytes in buffer 0 but found a null pointer",
            |t| {
                t.array(&[]).null_count = 1;
            },
        ),
        (
            Minimal,
            "column[1] \"line\": expected length >= 0 but found -9223372036854775808",
            |t| {
                t.array(&["line"]).length = i64::MIN;
            },
        ),
        (
            Minimal,
            "column[1] \"line\": expected offset >= 0 but found -1",
            |t| t.array(&["line"]).offset = -1,
        ),
        (
            Minimal,
            "column[1] \"line\": length 9223372036854775807 with offset 1 exceeds the address space",
            |t| {
                t.array(&["line"]).length = i64::MAX;
                t.array(&["line"]).offset = 1;
            },
        ),
        (
            Minimal,
            "column[1] \"line\": length 9223372036854775806 with offset 0 exceeds the address space",
            |t| {
                t.array(&["line"]).length = i64::MAX - 1;
            },
        ),
        (
            Minimal,
            "column[1] \"line\": expected a length of at least 5, as the parent needs, but found 4",
            |t| {
                t.array(&["line"]).length = 4;
            },
        ),
        (
            Minimal,
            "column[2] \"tags\" -> item: expected a length of at least 5, as the parent needs, but found 3",
            |t| {
                t.array(&["tags", "item"]).length = 3;
            },
        ),
        (
            Minimal,
            "column[1] \"line\": expected a null count between -1 and 5 but found 6",
            |t| {
                t.array(&["line"]).null_count = 6;
            },
        ),
        (
            Minimal,
            "column[1] \"line\": expected a null count between -1 and 5 but found -2",
            |t| {
                t.array(&["line"]).null_count = -2;
            },
        ),
        (
            Minimal,
            "column[1] \"line\": expected 1 bytes in buffer 0 but found a null pointer",
            |t| {
                t.buffer::<u8>(&["line"], 0, Option::None);
            },
        ),
        (
            Minimal,
            "column[1] \"line\": expected 20 bytes in buffer 1 but found a null pointer",
            |t| {
                t.buffer::<u8>(&["line"], 1, Option::None);
            },
        ),
        (
            Minimal,
            "column[5] \"flag\": expected 1 bytes in buffer 1 but found a null pointer",
            |t| {
                t.buffer::<u8>(&["flag"], 1, Option::None);
            },
        ),
        (
            Minimal,
            "column[0] \"id\": expected 24 bytes in buffer 1 but found a null pointer",
            |t| {
                t.buffer::<u8>(&["id"], 1, Option::None);
            },
        ),
        // The ends of the offsets.
        (
            Default,
            "column[0] \"id\": expected the first offset >= 0 but found -1",
            |t| {
                t.buffer(&["id"], 1, Some(vec![-1i32, 1, 4, 4, 10, 11]));
            },
        ),
        (
            Default,
            "column[0] \"id\": expected offset[5] >= 0 but found -7",
            |t| {
                t.buffer(&["id"], 1, Some(vec![0i32, 1, 4, 4, 10, -7]));
            },
        ),
        (
            Default,
            "column[0] \"id\": expected 11 bytes in buffer 2 but found a null pointer",
            |t| {
                t.buffer::<u8>(&["id"], 2, Option::None);
            },
        ),
        (
            Default,
            "column[2] \"tags\" -> item: expected offset[5] >= 2 but found 1",
            |t| {
                t.buffer(&["tags", "item"], 1, Some(vec![2i32, 2, 2, 2, 2, 1]));
            },
        ),
        // All offsets, text and null counts.
        (
            Full,
            "column[0] \"id\": expected offset[3] >= 4 but found 3",
            |t| {
                t.buffer(&["id"], 1, Some(vec![0i32, 1, 4, 3, 10, 11]));
            },
        ),
        (
            Full,
            "column[0] \"id\": offset[1] = 3 lies inside a UTF-8 character",
            |t| {
                t.buffer(&["id"], 1, Some(vec![0i32, 3, 4, 4, 10, 11]));
            },
        ),
        (
            Full,
            "column[0] \"id\": the text is not UTF-8 at byte 4 of its buffer",
            |t| {
                t.buffer(&["id"], 2, Some(b"abcd\xffghijkl".to_vec()));
            },
        ),
        (
            Full,
            "column[6] \"bytes\": expected offset[2] >= 3 but found 1",
            |t| {
                t.buffer(&["bytes"], 1, Some(vec![0i32, 3, 1, 3, 4, 5]));
            },
        ),
        (
            Full,
            "column[1] \"line\": expected a null count of 2, as the validity bitmap has, but found 1",
            |t| {
                t.array(&["line"]).null_count = 1;
            },
        ),
        (
            Full,
            "column[3] \"confidence\": expected a null count of 0, as the validity bitmap has, but found 5",
            |t| {
                t.array(&["confidence"]).null_count = 5;
                t.buffer(&["confidence"], 0, Some(vec![0xffu8]));
            },
        ),
    ]
}

#[test]
fn each_defect_is_found_at_its_level_and_no_earlier() {
    let levels = [Level::None, Level::Minimal, Level::Default, Level::Full];
    for (finds, expected, tamper) in cases() {
        for level in levels {
            with_tampered(tamper, |table| {
                let found = check(&owned(table), level).map_err(|invalid| invalid.to_string());
                if level >= finds {
                    assert_eq!(found, Err(expected.to_owned()), "at {level:?}");
                } else {
                    assert_eq!(found, Ok(()), "at {level:?}, before {expected}");
                }
            });
        }
    }
}

#[test]
fn import_finds_each_defect_too() {
    for (_, expected, tamper) in cases() {
        with_tampered(tamper, |table| {
            let found = import_table(owned(table))
                .map(|_| ())
                .map_err(|invalid| invalid.to_string());
            assert_eq!(found, Err(expected.to_owned()));
        });
    }
}

#[test]
fn a_tampered_table_is_otherwise_whole() {
    with_tampered(
        |_| {},
        |table| {
            let table = owned(table);
            check(&table, Level::Full).unwrap();
            assert_eq!(import_table(table).unwrap().batch, batch());
        },
    );
    let id = batch();
    let id: &arrow_array::StringArray = arrow_array::cast::AsArray::as_string(id.column(0));
    assert_eq!(
        &**id.offsets(),
        OFFSETS,
        "the offsets that the cases change"
    );
}

#[test]
fn schemas_nest_64_deep_and_no_deeper() {
    use arrow_array::{ArrayRef, RecordBatch, StructArray, UInt32Array};
    use arrow_schema::{DataType, Field};
    use std::sync::Arc;

    // The batch is one level and the number another.
    let nested = |structs: usize| {
        let mut column: ArrayRef = Arc::new(UInt32Array::from(vec![1]));
        for _ in 0..structs {
            let field = Arc::new(Field::new("x", column.data_type().clone(), false));
            column = Arc::new(StructArray::from(vec![(field, column)]));
        }
        let _: &DataType = column.data_type();
        export_batch(&RecordBatch::try_from_iter([("x", column)]).unwrap())
    };
    assert!(nested(62).is_ok());
    let deeper = nested(63).unwrap_err();
    assert_eq!(
        deeper.problem.to_string(),
        "the types nest deeper than 64 levels"
    );
    assert!(
        deeper.path.starts_with("column[0] \"x\" -> x -> x"),
        "{}",
        deeper.path
    );
}

#[test]
fn statuses_tell_unsupported_from_invalid() {
    let status = |tamper| {
        with_tampered(tamper, |table| {
            Failure::from(check(&owned(table), Level::Full).unwrap_err()).status
        })
    };
    assert_eq!(
        status(|t| t.schema(&["line"]).format = t.text(b"+future\0")),
        Status::Unsupported
    );
    assert_eq!(
        status(|t| t.array(&["line"]).n_buffers = 7),
        Status::InvalidArrow
    );
}
