//! Every type, at every offset, with and without nulls, nested: what goes out comes back equal, also after it was
//! converted and restored.

mod common;

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, StructArray};
use arrow_schema::{DataType, Field, Fields};
use bowstring_abi::check::check_root;
use bowstring_abi::convert::{convert, restore};
use bowstring_abi::describe::describe_root;
use bowstring_abi::{Level, OwnedTable, Root, SchemaTree, export_array, import_array};

use common::types::{all, array, leaves, nested};

const OFFSETS: [usize; 8] = [0, 1, 7, 8, 9, 63, 64, 65];

fn field_of(array: &dyn Array) -> Field {
    Field::new("column", array.data_type().clone(), true)
}

fn exported(array: &dyn Array) -> OwnedTable {
    let table = export_array(array, &field_of(array)).unwrap();
    check_root(&table, Root::Any, Level::Full).unwrap();
    table
}

/// `whole` with the offset in the struct: the part of `length` items that begins at `offset`.
fn at_offset(whole: &dyn Array, offset: usize, length: usize) -> OwnedTable {
    let mut raw = exported(whole).into_raw();
    raw.array.offset += offset as i64;
    raw.array.length = length as i64;
    raw.array.null_count = -1;
    // SAFETY: the structs were made here and are given up.
    unsafe { OwnedTable::from_raw(raw.schema, raw.array) }
}

fn imported(table: OwnedTable) -> ArrayRef {
    check_root(&table, Root::Any, Level::Full).unwrap();
    import_array(table).unwrap().array
}

#[test]
fn every_type_at_every_offset() {
    for data_type in all() {
        for has_nulls in [false, true] {
            let whole = array(&data_type, 72, has_nulls, 1);
            for offset in OFFSETS {
                for length in [0, 1, 72 - offset] {
                    let expected = whole.slice(offset, length);
                    let found = imported(at_offset(&whole, offset, length));
                    assert_eq!(&found, &expected, "{data_type} at {offset}, {length} items");
                    let found = imported(exported(&expected));
                    assert_eq!(
                        &found, &expected,
                        "{data_type}, slice of {length} at {offset}"
                    );
                }
            }
        }
    }
}

#[test]
fn offsets_of_parent_and_child_add_up() {
    for data_type in leaves().into_iter().chain(nested(&DataType::Utf8)) {
        for offset in OFFSETS {
            let child = array(&data_type, 3 * offset + 5, true, 2);
            let fields = Fields::from(vec![field_of(&child)]);
            let inner = StructArray::new(fields, vec![child.clone()], None);
            let fields = Fields::from(vec![field_of(&inner)]);
            let outer = StructArray::new(fields, vec![Arc::new(inner)], None);
            let mut raw = exported(&outer).into_raw();
            // SAFETY: the outer struct has one child and that one too, which nobody else refers to.
            let (middle, leaf) = unsafe {
                let middle = *raw.array.children;
                (&mut *middle, &mut **(*middle).children)
            };
            leaf.offset += offset as i64;
            leaf.length -= offset as i64;
            leaf.null_count = -1;
            middle.offset = offset as i64;
            middle.length -= 2 * offset as i64;
            raw.array.offset = offset as i64;
            raw.array.length = 5;
            // SAFETY: the structs were made here and are given up.
            let found = imported(unsafe { OwnedTable::from_raw(raw.schema, raw.array) });
            let inner = found
                .as_any()
                .downcast_ref::<StructArray>()
                .unwrap()
                .column(0);
            let found = inner
                .as_any()
                .downcast_ref::<StructArray>()
                .unwrap()
                .column(0);
            assert_eq!(
                found,
                &child.slice(3 * offset, 5),
                "{data_type} at {offset}"
            );
        }
    }
}

#[test]
fn every_type_is_described() {
    for data_type in all() {
        let whole = array(&data_type, 20, true, 3);
        let table = at_offset(&whole, 3, 11);
        let description = describe_root(&[table], Root::Any, Level::Full).unwrap();
        let bytes: usize = description.blocks.iter().map(|block| block.bytes).sum();
        assert_eq!(bytes, description.total_bytes, "{data_type}");
        assert_eq!(description.words[0], 1.0);
    }
}

#[test]
fn every_schema_is_read_written_and_read_again() {
    for data_type in all() {
        let field = Field::new("é", data_type, true).with_metadata(
            [("k", "v"), ("a", "b"), ("z", "")]
                .map(|(key, value)| (key.to_owned(), value.to_owned())),
        );
        let tree = SchemaTree::of_field(&field).unwrap();
        let json = serde_json::to_string(&tree).unwrap();
        assert_eq!(serde_json::from_str::<SchemaTree>(&json).unwrap(), tree);
        assert_eq!(tree.to_field().unwrap(), field);
    }
}

#[test]
fn every_type_is_restored_equal_after_it_was_converted() {
    for data_type in all() {
        for has_nulls in [false, true] {
            let whole = array(&data_type, 72, has_nulls, 4);
            for (offset, length) in [(0, 72), (7, 33), (65, 7), (9, 0)] {
                let expected = whole.slice(offset, length);
                let converted = convert(at_offset(&whole, offset, length), false).unwrap();
                assert_eq!(
                    converted.is_changed,
                    is_converted(&data_type),
                    "{data_type}"
                );
                check_root(&converted.table, Root::Any, Level::Full).unwrap();
                let tree = SchemaTree::read(&converted.table).unwrap();
                let kept = !is_converted(&tree.to_field().unwrap().data_type().clone());
                assert!(kept, "{data_type} became {tree:?}");
                let restored = restore(converted.table).unwrap();
                assert_eq!(restored.is_changed, is_converted(&data_type), "{data_type}");
                check_root(&restored.table, Root::Any, Level::Full).unwrap();
                let restored = import_array(restored.table).unwrap();
                assert_eq!(restored.field, field_of(&expected), "{data_type}");
                assert_eq!(&restored.array, &expected, "{data_type} at {offset}");
            }
        }
    }
}

/// Whether a type, or one inside it, is one that JavaScript's Arrow library cannot hold.
fn is_converted(data_type: &DataType) -> bool {
    use DataType::*;
    match data_type {
        ListView(_) | LargeListView(_) | RunEndEncoded(..) => true,
        Decimal32(..) | Decimal64(..) | Decimal256(..) => true,
        Dictionary(keys, values) => matches!(**keys, Int64 | UInt64) || is_converted(values),
        List(field) | LargeList(field) | FixedSizeList(field, _) | Map(field, _) => {
            is_converted(field.data_type())
        }
        Struct(fields) => fields.iter().any(|field| is_converted(field.data_type())),
        Union(fields, _) => fields
            .iter()
            .any(|(_, field)| is_converted(field.data_type())),
        _ => false,
    }
}
