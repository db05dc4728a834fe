//! What can be wrong with each type, built by hand: found at its level, with its place, and not before.

mod made;

use arrow_array::Array;
use bowstring_abi::check::check_root;
use bowstring_abi::convert::convert;
use bowstring_abi::{Level, Root, SchemaTree, import_array};

use made::*;

type Case = (Level, &'static str, fn() -> Made);

fn cases() -> Vec<Case> {
    use Level::{Default, Full, Minimal, None};
    vec![
        // Counts.
        (None, "array: expected 0 buffers but found 1", || {
            made("n", 1).null()
        }),
        (None, "array: expected 0 buffers but found 1", || {
            runs(2, ends(&[2]), numbers(1)).null()
        }),
        (None, "array: expected 1 buffers but found 2", || {
            union("+us:0,1").null().buffer(&[0i8, 1])
        }),
        (None, "array: expected 2 buffers but found 1", || {
            union("+ud:0,1").buffer(&[0i8, 1])
        }),
        (
            None,
            "array: expected 3 or more buffers but found 2",
            || made("vu", 0).null().null(),
        ),
        (None, "array: expected 3 buffers but found 2", || {
            made("+vl", 0).null().null().child(numbers(0))
        }),
        (
            None,
            "array: expected a dictionary, as in the schema, but found none",
            || {
                let mut keys = numbers(1).dictionary(numbers(1));
                keys.dictionary = Option::None;
                keys
            },
        ),
        (
            None,
            "array: expected no dictionary, as in the schema, but found one",
            || {
                let mut keys = numbers(1).dictionary(numbers(1));
                keys.schema.dictionary = Option::None;
                keys
            },
        ),
        (
            None,
            "array: expected 1 children, as in the schema, but found 0",
            || {
                let mut list = made("+l", 0).null().null().child(numbers(0));
                list.children.clear();
                list
            },
        ),
        // Lengths.
        (
            Minimal,
            "array -> x: expected a length of at least 6, as the parent needs, but found 5",
            || made("+w:3", 2).null().child(numbers(5)),
        ),
        (
            Minimal,
            "array -> x: expected a length of at least 9, as the parent needs, but found 6",
            || made("+w:3", 2).offset(1).null().child(numbers(6)),
        ),
        (
            Minimal,
            "array -> b: expected a length of at least 3, as the parent needs, but found 2",
            || {
                made("+us:0,1", 3)
                    .buffer(&[0i8; 3])
                    .child(numbers(3).named("a"))
                    .child(numbers(2).named("b"))
            },
        ),
        (
            Minimal,
            "array -> values: expected a length of at least 2, as the parent needs, but found 1",
            || runs(2, ends(&[1, 2]), numbers(1)),
        ),
        (
            Minimal,
            "array: length 9223372036854775806 with offset 0 exceeds the address space",
            || made("b", i64::MAX - 1).null().buffer(&[0u8]),
        ),
        // Missing buffers.
        (
            Minimal,
            "array: expected 2 bytes in buffer 0 but found a null pointer",
            || union("+us:0,1").null(),
        ),
        (
            Minimal,
            "array: expected 8 bytes in buffer 1 but found a null pointer",
            || union("+ud:0,1").buffer(&[0i8, 1]).null(),
        ),
        (
            Minimal,
            "array: expected 16 bytes in buffer 1 but found a null pointer",
            || made("vz", 1).null().null().null(),
        ),
        (
            Minimal,
            "array: expected 8 bytes in buffer 2 but found a null pointer",
            || {
                made("+vL", 1)
                    .null()
                    .buffer(&[0i64])
                    .null()
                    .child(numbers(0))
            },
        ),
        (
            Minimal,
            "array: expected 8 bytes in buffer 3 but found a null pointer",
            || made("vu", 1).null().buffer(&[0u8; 16]).buffer(LONG).null(),
        ),
        (
            Minimal,
            "array: expected the size of a variadic buffer >= 0 but found -1",
            || {
                made("vu", 1)
                    .null()
                    .buffer(&[0u8; 16])
                    .buffer(LONG)
                    .buffer(&[-1i64])
            },
        ),
        (
            Minimal,
            "array: expected 20 bytes in buffer 2 but found a null pointer",
            || {
                made("vu", 1)
                    .null()
                    .buffer(&[0u8; 16])
                    .null()
                    .buffer(&[20i64])
            },
        ),
        (
            Minimal,
            "array -> run_ends: expected no nulls among run ends but found 1",
            || {
                let mut run_ends = made("i", 1)
                    .buffer(&[0u8])
                    .buffer(&[2i32])
                    .named("run_ends");
                run_ends.null_count = 1;
                runs(2, run_ends, numbers(1))
            },
        ),
        (
            Minimal,
            "array -> entries -> key: expected no nulls among the keys of a map but found 1",
            || {
                let mut keys = made("i", 2).buffer(&[1u8]).buffer(&[1i32, 2]);
                keys.null_count = 1;
                map(keys)
            },
        ),
        // What is null without a bitmap of its own.
        (
            Minimal,
            "array -> entries -> key: expected no nulls among the keys of a map but found 2",
            || {
                let mut keys = made("n", 2);
                keys.null_count = -1;
                map(keys)
            },
        ),
        (
            Minimal,
            "array -> entries -> key -> values: expected no nulls among the keys of a map but found 1",
            || map(runs(2, ends(&[2]), made("n", 1))),
        ),
        (
            Minimal,
            "array -> entries -> key -> values -> values: expected no nulls among the keys of a map but found 1",
            || {
                let mut values = made("i", 1).buffer(&[0u8]).buffer(&[7i32]);
                values.null_count = 1;
                map(runs(2, ends(&[2]), runs(1, ends(&[1]), values)))
            },
        ),
        (
            Minimal,
            "array -> entries: expected no nulls among the entries of a map but found 1",
            || {
                let mut map = map(numbers(2));
                let entries = &mut map.children[0];
                (entries.null_count, entries.buffers[0]) = (1, Some(vec![1]));
                map
            },
        ),
        // The ends.
        (
            Default,
            "array: expected offset[2] <= 3, the length of the child, but found 4",
            || made("+l", 2).null().buffer(&[0i32, 1, 4]).child(numbers(3)),
        ),
        (
            Default,
            "array: expected offset[2] <= 3, the length of the child, but found 4",
            || made("+L", 2).null().buffer(&[0i64, 1, 4]).child(numbers(3)),
        ),
        (
            Default,
            "array: expected offset[1] <= 2, the length of the child, but found 3",
            || {
                let mut map = map(made("i", 2).null().buffer(&[1i32, 2]));
                map.buffers[1] = Some([0i32, 3].iter().flat_map(|end| end.to_ne_bytes()).collect());
                map
            },
        ),
        (
            Default,
            "array -> run_ends: expected run end[0] > 0 but found 0",
            || runs(2, ends(&[0, 2]), numbers(2)),
        ),
        (
            Default,
            "array -> run_ends: expected run end[1] > 3 but found 2",
            || runs(2, ends(&[3, 2]), numbers(2)),
        ),
        (
            Default,
            "array -> run_ends: expected the last run to end at 5 or later but found 4",
            || runs(3, ends(&[1, 4]), numbers(2)).offset(2),
        ),
        (
            Default,
            "array -> run_ends: expected the last run to end at 3 or later but found 0",
            || runs(3, ends(&[]), numbers(0)),
        ),
        // All of the data.
        (Full, "array: expected offset[1] >= 0 but found -1", || {
            made("+l", 2)
                .null()
                .buffer(&[0i32, -1, 2])
                .child(numbers(3))
        }),
        (
            Full,
            "array: expected view[1] within the 3 items of the child but found offset 2 and size 2",
            || {
                made("+vl", 2)
                    .null()
                    .buffer(&[3i32, 2])
                    .buffer(&[0i32, 2])
                    .child(numbers(3))
            },
        ),
        (
            Full,
            "array: expected view[0] within the 3 items of the child but found offset -1 and size 1",
            || {
                made("+vL", 1)
                    .null()
                    .buffer(&[-1i64])
                    .buffer(&[1i64])
                    .child(numbers(3))
            },
        ),
        (
            Full,
            "array: expected view[0] within the 3 items of the child but found offset 9223372036854775807 and size 1",
            || {
                made("+vL", 1)
                    .null()
                    .buffer(&[i64::MAX])
                    .buffer(&[1i64])
                    .child(numbers(3))
            },
        ),
        (
            Full,
            "array: expected type id[1] to be one of the format's but found 2",
            || union("+us:0,1").buffer(&[0i8, 2]),
        ),
        (
            Full,
            "array: expected type id[0] to be one of the format's but found -1",
            || union("+ud:7,9").buffer(&[-1i8, 9]).buffer(&[0i32, 0]),
        ),
        (
            Full,
            "array: expected offset[1] from 0 to below 2, the length of the child, but found 2",
            || union("+ud:7,9").buffer(&[7i8, 9]).buffer(&[0i32, 2]),
        ),
        (
            Full,
            "array: expected offset[0] from 0 to below 2, the length of the child, but found -1",
            || union("+ud:7,9").buffer(&[7i8, 9]).buffer(&[-1i32, 1]),
        ),
        (
            Full,
            "array: expected key[1] from 0 to below 2, the length of the dictionary, but found 2",
            || made("C", 2).null().buffer(&[0u8, 2]).dictionary(numbers(2)),
        ),
        (
            Full,
            "array: expected key[0] from 0 to below 2, the length of the dictionary, but found -1",
            || made("c", 1).null().buffer(&[-1i8]).dictionary(numbers(2)),
        ),
        (
            Full,
            "array: expected key[0] from 0 to below 2, the length of the dictionary, but found 9223372036854775807",
            || {
                made("L", 1)
                    .null()
                    .buffer(&[u64::MAX])
                    .dictionary(numbers(2))
            },
        ),
        (
            Full,
            "array -> run_ends: expected run end[1] > 2 but found 1",
            || runs(2, ends(&[2, 1, 3]), numbers(3)),
        ),
        (
            Full,
            "array -> entries -> key: expected no nulls among the keys of a map but found 1",
            || {
                let mut keys = made("i", 2).buffer(&[1u8]).buffer(&[1i32, 2]);
                keys.null_count = -1;
                map(keys)
            },
        ),
        (
            Full,
            "array -> entries -> key -> values: expected no nulls among the keys of a map but found 1",
            || {
                let mut values = made("i", 2).buffer(&[2u8]).buffer(&[1i32, 2]);
                values.null_count = -1;
                map(runs(2, ends(&[1, 2]), values))
            },
        ),
        (
            Full,
            "array: expected the length of view[0] >= 0 but found -1",
            || views("vz", view(-1, b"\0\0\0\0", 0, 0)),
        ),
        (
            Full,
            "array: expected view[0] in one of 1 variadic buffers but found 1",
            || views("vz", view(20, b"twen", 1, 0)),
        ),
        (
            Full,
            "array: expected view[0] in one of 1 variadic buffers but found -1",
            || views("vz", view(20, b"twen", -1, 0)),
        ),
        (
            Full,
            "array: expected view[0] within the 20 bytes of variadic buffer 0 but found offset 1 and length 20",
            || views("vz", view(20, b"went", 0, 1)),
        ),
        (
            Full,
            "array: expected view[0] within the 20 bytes of variadic buffer 0 but found offset -1 and length 13",
            || views("vu", view(13, b"twen", 0, -1)),
        ),
        (
            Full,
            "array: expected view[0] to begin with the first bytes that it refers to but found others",
            || views("vu", view(20, b"twem", 0, 0)),
        ),
        (
            Full,
            "array: expected zeros after the bytes of view[0] but found others",
            || views("vu", view(2, b"abc\0", 0, 0)),
        ),
        (Full, "array: the text of view[0] is not UTF-8", || {
            views("vu", view(2, b"a\xff\0\0", 0, 0))
        }),
        (
            Full,
            "array -> dictionary: the text is not UTF-8 at byte 0 of its buffer",
            || {
                let text = made("u", 1).null().buffer(&[0i32, 1]).buffer(b"\xff");
                made("c", 1).null().buffer(&[0i8]).dictionary(text)
            },
        ),
    ]
}

#[test]
fn each_defect_is_found_at_its_level_and_no_earlier() {
    for (finds, expected, make) in cases() {
        for level in [Level::None, Level::Minimal, Level::Default, Level::Full] {
            let found = check_root(&make().table(), Root::Any, level);
            let found = found.map_err(|invalid| invalid.to_string());
            if level >= finds {
                assert_eq!(found, Err(expected.to_owned()), "at {level:?}");
            } else {
                assert_eq!(found, Ok(()), "at {level:?}, before {expected}");
            }
        }
    }
}

#[test]
fn an_import_finds_each_defect_too() {
    for (_, expected, make) in cases() {
        let found = import_array(make().table()).map(|_| ());
        assert_eq!(
            found.map_err(|invalid| invalid.to_string()),
            Err(expected.to_owned())
        );
    }
}

/// A conversion reads what it converts as if nobody had checked it.
#[test]
fn a_conversion_finds_each_defect_of_what_it_reads() {
    for (_, expected, make) in cases() {
        let made = make();
        let format = made.schema.format.clone();
        let found = convert(made.table(), false).map(|converted| converted.is_changed);
        match found {
            // What the structs say is always checked; the data of what stays as it is, never.
            Ok(is_changed) => assert!(!is_changed, "{format}: {expected}"),
            Err(invalid) => assert_eq!(invalid.to_string(), expected),
        }
    }
}

/// By the specification neither entries nor keys may be nullable, but some producers say that they are.
#[test]
fn keys_of_maps_may_be_declared_nullable() {
    let table = map(numbers(2)).table();
    check_root(&table, Root::Any, Level::Full).unwrap();
    let entries = &SchemaTree::read(&table).unwrap().children[0];
    assert_eq!(
        (entries.flags, entries.children[0].flags),
        (2, 2),
        "as declared"
    );
    let array = import_array(table).unwrap().array;
    let arrow_schema::DataType::Map(entries, _) = array.data_type() else {
        panic!("expected a map but found {}", array.data_type());
    };
    let arrow_schema::DataType::Struct(fields) = entries.data_type() else {
        panic!("expected a struct but found {}", entries.data_type());
    };
    assert!(!entries.is_nullable() && !fields[0].is_nullable() && fields[1].is_nullable());
    array.to_data().validate_full().unwrap();
}

/// Null items may have any key, any view.
#[test]
fn what_is_null_may_refer_to_anything() {
    let mut keys = made("i", 2)
        .buffer(&[1u8])
        .buffer(&[0i32, -7])
        .dictionary(numbers(1));
    keys.null_count = 1;
    let mut text = views("vu", view(20, b"twen", 0, 0));
    text.length = 2;
    text.null_count = -1;
    text.buffers[0] = Some(vec![1]);
    text.buffers[1] = Some([view(20, b"twen", 0, 0), view(-3, b"\xff\xff\xff\xff", 9, 9)].concat());
    for made in [keys, text] {
        let table = made.table();
        check_root(&table, Root::Any, Level::Full).unwrap();
        let imported = import_array(table).unwrap().array;
        assert_eq!(imported.null_count(), 1);
        assert!(format!("{imported:?}").contains("null"));
    }
}

/// Nothing is allocated for what a few bytes claim before it is known that there is room.
#[test]
fn runs_that_claim_more_than_there_is_memory_are_refused() {
    let length = i64::MAX / 8;
    let run_ends = made("l", 1).null().buffer(&[length]).named("run_ends");
    let refused = convert(runs(length, run_ends, numbers(1)).table(), false).unwrap_err();
    let failure = bowstring_abi::Failure::from(refused);
    assert_eq!(
        failure.status,
        bowstring_abi::Status::OutOfMemory,
        "{}",
        failure.message
    );
}
