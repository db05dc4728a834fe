//! What other implementations of the interface have got wrong, each a test that the naive code fails. Offsets that are
//! applied twice or not at all are in `every_type.rs`, counts of buffers in `malformed_types.rs`, names of maps and equal
//! names in `convert.rs`, metadata and strings in `malformed.rs`.

mod common;

use std::any::Any;
use std::ffi::c_void;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_array::*;
use arrow_data::ArrayData;
use arrow_schema::{DataType, Field};
use bowstring_abi::check::check_root;
use bowstring_abi::describe::describe_root;
use bowstring_abi::{
    ArrayParts, ArrowArray, Level, OwnedTable, Root, SchemaTree, export_array, import_array,
    share_table,
};

use common::Alive;
use common::types::{all, array, dictionary};

fn exported(array: &dyn Array) -> OwnedTable {
    export_array(array, &Field::new("x", array.data_type().clone(), true)).unwrap()
}

fn data_of(array: &dyn Array) -> ArrayData {
    array.to_data()
}

/// `ArrowArray`s of a tree, dictionaries included.
fn for_each_array(array: &mut ArrowArray, body: &mut impl FnMut(&mut ArrowArray)) {
    body(array);
    for index in 0..array.n_children as usize {
        // SAFETY: the array is well formed, and nothing else refers to its children.
        for_each_array(unsafe { &mut **array.children.add(index) }, body);
    }
    // SAFETY: as above.
    if let Some(dictionary) = unsafe { array.dictionary.as_mut() } {
        for_each_array(dictionary, body);
    }
}

/// A buffer without bytes may be null, also the offsets of an array without items.
#[test]
fn empty_arrays_may_have_null_buffers() {
    for data_type in all() {
        let empty = new_empty_array(&data_type);
        let mut raw = exported(&empty).into_raw();
        for_each_array(&mut raw.array, &mut |array| {
            if array.length == 0 {
                for index in 0..array.n_buffers as usize {
                    // SAFETY: the list has as many entries.
                    unsafe { *array.buffers.add(index) = std::ptr::null() };
                }
            }
        });
        // SAFETY: the structs were made here and are given up.
        let table = unsafe { OwnedTable::from_raw(raw.schema, raw.array) };
        check_root(&table, Root::Any, Level::Full).unwrap_or_else(|e| panic!("{data_type}: {e}"));
        describe_root(std::slice::from_ref(&table), Root::Any, Level::Full).unwrap();
        assert_eq!(&import_array(table).unwrap().array, &empty, "{data_type}");
    }
}

/// Many producers align decimals and views to 8 bytes only, and slices of IPC buffers are aligned to nothing.
#[test]
fn buffers_at_odd_addresses_are_read() {
    for data_type in all() {
        let whole = array(&data_type, 20, true, 7);
        let mut raw = exported(&whole).into_raw();
        // SAFETY: the structs stay as they are; this only reads them.
        let table = unsafe {
            std::mem::ManuallyDrop::new(OwnedTable::from_raw(
                std::ptr::read(&raw.schema),
                std::ptr::read(&raw.array),
            ))
        };
        let described =
            describe_root(std::slice::from_ref(&table), Root::Any, Level::Full).unwrap();
        let mut sizes = sizes(&described.words).into_iter();
        let mut moved: Vec<Vec<u8>> = Vec::new();
        for_each_array(&mut raw.array, &mut |array| {
            for (index, bytes) in sizes.next().unwrap().into_iter().enumerate() {
                if bytes == 0 {
                    continue;
                }
                let mut copy = vec![0u8; bytes + 17];
                let odd = copy.as_ptr().align_offset(16) + 1;
                // SAFETY: the list has this entry, the buffer these bytes, and the copy room for them.
                unsafe {
                    let entry = array.buffers.add(index);
                    let target = copy.as_mut_ptr().add(odd);
                    std::ptr::copy_nonoverlapping((*entry).cast::<u8>(), target, bytes);
                    *entry = target.cast::<c_void>();
                }
                moved.push(copy);
            }
        });
        // SAFETY: the structs were made here and are given up; `table` above is not dropped.
        let table = unsafe { OwnedTable::from_raw(raw.schema, raw.array) };
        check_root(&table, Root::Any, Level::Full).unwrap_or_else(|e| panic!("{data_type}: {e}"));
        let imported = import_array(table).unwrap().array;
        assert_eq!(&imported, &whole, "{data_type}");
        data_of(&imported).validate_full().unwrap();
        drop(imported);
        drop(moved);
    }
}

/// The bytes of each buffer, per node of a description of one table.
fn sizes(words: &[f64]) -> Vec<Vec<usize>> {
    let mut at = 3 + 2 * words[1] as usize + 1;
    let mut nodes = Vec::new();
    while at < words.len() {
        let buffers = words[at + 3] as usize;
        at += 6;
        nodes.push(
            (0..buffers)
                .map(|index| words[at + 3 * index + 2] as usize)
                .collect(),
        );
        at += 3 * buffers;
    }
    nodes
}

/// JavaScript may overwrite the memory while native code works on what it has imported. Whatever it writes, arrow-rs
/// must find valid arrays.
#[test]
fn nothing_that_is_written_after_the_import_makes_an_array_invalid() {
    for data_type in all() {
        let whole = array(&data_type, 20, true, 8);
        let table = exported(&whole);
        let described =
            describe_root(std::slice::from_ref(&table), Root::Any, Level::Full).unwrap();
        let imported = import_array(table).unwrap().array;
        for block in &described.blocks {
            // SAFETY: the memory is that of `whole`, which is not read any more.
            unsafe { (block.address as *mut u8).write_bytes(0xff, block.bytes) };
        }
        if let Err(error) = data_of(&imported).validate_full() {
            // The bytes of binary views are borrowed: a prefix may differ from them, which makes comparisons wrong but
            // leads nowhere.
            let is_prefix = error.to_string().contains("embedded prefix");
            let is_binary = format!("{data_type:?}").contains("BinaryView");
            assert!(is_prefix && is_binary, "{data_type}: {error}");
        }
    }
}

#[test]
fn imports_are_valid_in_arrow_s_own_eyes() {
    for data_type in all() {
        let whole = array(&data_type, 70, true, 9).slice(3, 60);
        let imported = import_array(exported(&whole)).unwrap();
        data_of(&imported.array).validate_full().unwrap();
    }
}

/// A decimal of 16 bytes at an address that is aligned to 8.
#[test]
fn a_misaligned_decimal_is_copied_and_counted() {
    let words = Arc::new(vec![0u64, 7, 0, u64::MAX, u64::MAX]);
    // An address that is 8 more than a multiple of 16.
    let start = usize::from((words.as_ptr() as usize).is_multiple_of(16));
    let words = match start {
        1 => words,
        _ => Arc::new(vec![7, 0, u64::MAX, u64::MAX]),
    };
    let array = ArrayParts {
        length: 2,
        null_count: 0,
        offset: 0,
        buffers: vec![std::ptr::null(), words[start..].as_ptr().cast()],
        children: vec![],
        dictionary: None,
        owner: words.clone(),
    };
    let is_aligned = (words[start..].as_ptr() as usize).is_multiple_of(16);
    let schema = SchemaTree::of_field(&Field::new("x", DataType::Decimal128(5, 0), true)).unwrap();
    // SAFETY: the structs are made here and given up.
    let table = unsafe { OwnedTable::from_raw(schema.to_raw().unwrap(), array.into_raw()) };
    let imported = import_array(table).unwrap();
    assert_eq!(
        imported.array.as_primitive::<Decimal128Type>().values(),
        &[7, -1]
    );
    assert_eq!(imported.bytes_copied, if is_aligned { 0 } else { 32 });
}

#[test]
fn flags_come_back() {
    let keys = dictionary(DataType::Int8, DataType::Utf8);
    let ordered = Field::new("x", keys.clone(), false).with_dict_is_ordered(true);
    let found = import_array(export_array(&array(&keys, 3, false, 1), &ordered).unwrap()).unwrap();
    assert_eq!(
        (found.field.dict_is_ordered(), found.field.is_nullable()),
        (Some(true), false)
    );

    let entries = DataType::Struct(
        vec![
            Field::new("key", DataType::Utf8, false),
            Field::new("value", DataType::Int32, false),
        ]
        .into(),
    );
    for is_sorted in [false, true] {
        let map = DataType::Map(
            Arc::new(Field::new("entries", entries.clone(), false)),
            is_sorted,
        );
        let found = import_array(exported(&array(&map, 3, true, 1))).unwrap();
        assert_eq!(found.field.data_type(), &map);
    }
}

/// Shared tables are released from any thread, in any order, children and dictionaries apart from their parents.
#[test]
fn shares_of_every_type_outlive_the_original_on_other_threads() {
    for data_type in all() {
        let whole = array(&data_type, 20, true, 10);
        let table = Arc::new(exported(&whole));
        let owner: Arc<dyn Any + Send + Sync> = table.clone();
        // SAFETY: the table lives as long as its owner, which is the table.
        let shares: Vec<_> = (0..2)
            .map(|_| unsafe { share_table(&table, owner.clone()) }.unwrap())
            .collect();
        drop((table, owner));
        let threads = shares.into_iter().map(|share| {
            std::thread::spawn(move || {
                check_root(&share, Root::Any, Level::Full).unwrap();
                import_array(share).unwrap().array
            })
        });
        for thread in threads.collect::<Vec<_>>() {
            assert_eq!(&thread.join().unwrap(), &whole, "{data_type}");
        }
    }
}

#[test]
fn a_moved_dictionary_outlives_its_parent_and_is_released_once() {
    let alive = Alive::default();
    let values = alive.batch().column(1).clone();
    let keys = Int8Array::from(vec![0, 2]);
    let whole = DictionaryArray::new(keys, values);
    let raw = exported(&whole).into_raw();
    drop(whole);
    assert_eq!(alive.count(), 1);
    // SAFETY: the array has a dictionary, which is moved as the specification says: copied, then marked as released.
    let (schema, array) = unsafe {
        let (schema, array) = (raw.schema.dictionary, raw.array.dictionary);
        let moved = (schema.read(), array.read());
        ((*schema).release, (*array).release) = (None, None);
        moved
    };
    // SAFETY: the parents are this function's and are released once.
    drop(unsafe { OwnedTable::from_raw(raw.schema, raw.array) });
    assert_eq!(alive.count(), 1);
    // SAFETY: the moved structs are this function's.
    let moved = unsafe { OwnedTable::from_raw(schema, array) };
    assert_eq!(import_array(moved).unwrap().array.len(), 3);
    assert_eq!(alive.count(), 0);
}

#[test]
fn an_empty_import_releases_the_table() {
    let alive = Alive::default();
    let empty = alive.batch().slice(0, 0);
    let imported = import_array(exported(&StructArray::from(empty))).unwrap();
    assert_eq!(imported.array.len(), 0);
    drop(imported);
    assert_eq!(alive.count(), 0);
}

#[test]
fn nulls_of_a_struct_are_kept() {
    let fields = vec![Field::new("a", DataType::Int32, true)].into();
    let column: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3]));
    let nulls = Some(vec![true, false, true].into());
    let whole = StructArray::new(fields, vec![column], nulls);
    let found = import_array(exported(&whole.slice(1, 2))).unwrap().array;
    assert!(found.is_null(0) && found.is_valid(1));
    assert_eq!(
        found.as_struct().column(0).null_count(),
        0,
        "the child's items are not null"
    );
}

/// The text of an array that begins and ends behind other text is empty, but not its buffer: offsets point to its end.
#[test]
fn empty_text_behind_other_text_lies_within_its_buffer() {
    let text = StringArray::from(vec!["ab", "", ""]);
    let whole = exported(&text);
    let mut raw = whole.into_raw();
    (raw.array.offset, raw.array.length) = (1, 2);
    // SAFETY: the structs were made here and are given up.
    let table = unsafe { OwnedTable::from_raw(raw.schema, raw.array) };
    let imported = import_array(table).unwrap();
    data_of(&imported.array).validate_full().unwrap();
    assert_eq!(
        imported.array.as_string::<i32>(),
        &StringArray::from(vec!["", ""])
    );
    assert_eq!(imported.bytes_copied, 4 * 4, "the offsets");
}
