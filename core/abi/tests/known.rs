//! Schemas that were read before: what is found quickly is what would have been found at length.

mod common;

use std::ffi::CString;

use arrow_schema::DataType;
use bowstring_abi::build::BuildSchema;
use bowstring_abi::describe::{Description, describe_root};
use bowstring_abi::{ArrowArray, InvalidArrow, Level, OwnedTable, Root, SchemaTree, export_array};

fn leaf(format: &str, name: &str) -> SchemaTree {
    SchemaTree {
        format: format.to_owned(),
        name: name.to_owned(),
        metadata: None,
        flags: 2,
        children: Vec::new(),
        dictionary: None,
    }
}

fn base() -> SchemaTree {
    SchemaTree {
        children: vec![leaf("i", "number"), leaf("u", "text")],
        metadata: Some(vec![("key".to_owned(), "value".to_owned())]),
        ..leaf("+s", "")
    }
}

/// Tables without rows, of schemas that differ from the first in one thing each.
fn variations() -> Vec<SchemaTree> {
    let change = |change: &dyn Fn(&mut SchemaTree)| {
        let mut tree = base();
        change(&mut tree);
        tree
    };
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    vec![
        base(),
        change(&|tree| tree.children[0].format = "I".to_owned()),
        change(&|tree| tree.children[0].format = "tsu:".to_owned()),
        change(&|tree| tree.children[0].format = "tsu:UTC".to_owned()),
        change(&|tree| tree.children[0].name = "numbe".to_owned()),
        change(&|tree| tree.children[0].name = "numbers".to_owned()),
        change(&|tree| tree.children[0].name = String::new()),
        change(&|tree| tree.children[0].flags = 0),
        change(&|tree| tree.children.swap(0, 1)),
        change(&|tree| tree.children.truncate(1)),
        change(&|tree| tree.children.push(leaf("b", "flag"))),
        change(&|tree| tree.children[0].dictionary = Some(Box::new(leaf("u", "")))),
        change(&|tree| tree.metadata = None),
        change(&|tree| tree.metadata = Some(vec![])),
        change(&|tree| tree.metadata = Some(vec![pair("key", "valu")])),
        change(&|tree| tree.metadata = Some(vec![pair("ke", "value")])),
        change(&|tree| tree.metadata = Some(vec![pair("key", "value"), pair("a", "")])),
        change(&|tree| tree.children[1].metadata = Some(vec![pair("a", "b")])),
    ]
}

fn empty(tree: &SchemaTree) -> OwnedTable {
    BuildSchema::new(tree.clone()).unwrap().empty().unwrap()
}

fn describe(table: OwnedTable, root: Root) -> Result<Description, InvalidArrow> {
    describe_root(&[table], root, Level::Default)
}

/// What a thread finds that has seen nothing before.
fn at_length<T: Send>(find: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(find).join().unwrap())
}

#[test]
fn equal_schemas_have_equal_fingerprints_and_others_do_not() {
    let trees = variations();
    let fingerprint = |tree| describe(empty(tree), Root::Any).unwrap().fingerprints[0];
    let found: Vec<u64> = trees.iter().map(fingerprint).collect();
    // Again, when some are remembered; there are more than a thread remembers.
    for _ in 0..2 {
        assert_eq!(trees.iter().map(fingerprint).collect::<Vec<_>>(), found);
        assert_eq!(
            trees
                .iter()
                .rev()
                .map(fingerprint)
                .rev()
                .collect::<Vec<_>>(),
            found
        );
    }
    let elsewhere = trees.iter().map(|tree| at_length(|| fingerprint(tree)));
    assert_eq!(elsewhere.collect::<Vec<_>>(), found);
    for (index, one) in found.iter().enumerate() {
        for (other, another) in found.iter().enumerate().skip(index + 1) {
            assert_ne!(one, another, "{index} and {other}");
        }
    }
}

#[test]
fn every_type_is_described_as_before_when_its_schema_is_known() {
    for data_type in common::types::all() {
        let table = || {
            let array = common::types::array(&data_type, 5, true, 7);
            let field = arrow_schema::Field::new("a", DataType::clone(&data_type), true);
            export_array(&*array, &field).unwrap()
        };
        let (kept, again) = (table(), table());
        let known =
            |table: &OwnedTable| describe_root(std::slice::from_ref(table), Root::Any, Level::Full);
        let first = at_length(|| known(&kept));
        assert_eq!(known(&kept), first, "{data_type}");
        assert_eq!(known(&kept), first, "{data_type}");
        let (again, first) = (known(&again).unwrap(), first.unwrap());
        assert_eq!(again.fingerprints, first.fingerprints, "{data_type}");
    }
}

/// Changes one struct of a table that has been seen before.
fn spoilt(spoil: impl FnOnce(&mut ArrowArray, &mut ArrowArray)) -> OwnedTable {
    let mut raw = empty(&base()).into_raw();
    // SAFETY: the table is owned here, and nobody else looks at its structs.
    unsafe {
        let child = &mut **raw.array.children;
        spoil(&mut raw.array, child);
        OwnedTable::take(&mut raw)
    }
}

#[test]
fn what_is_wrong_with_an_array_is_found_although_its_schema_is_known() {
    type Spoil = fn(&mut ArrowArray, &mut ArrowArray);
    let cases: [(&str, Spoil); 6] = [
        (
            "record batch: expected length >= 0 but found -1",
            |array, _| array.length = -1,
        ),
        ("record batch: expected offset 0 but found 1", |array, _| {
            array.offset = 1
        }),
        (
            "record batch: expected no null rows but found 3",
            |array, _| array.length = 3,
        ),
        (
            "column[0] \"number\": expected 2 buffers but found 3",
            |_, child| child.n_buffers = 3,
        ),
        (
            "column[0] \"number\": expected a null count between -1 and 0 but found 1",
            |_, child| child.null_count = 1,
        ),
        (
            "column[0] \"number\": expected 4 bytes in buffer 1 but found a null pointer",
            |_, child| {
                child.length = 1;
                // SAFETY: the array has two buffers, whose addresses are its own.
                unsafe { *child.buffers.add(1) = std::ptr::null() };
            },
        ),
    ];
    for (expected, spoil) in cases {
        let first = at_length(|| {
            describe(spoilt(spoil), Root::RecordBatch)
                .unwrap_err()
                .to_string()
        });
        describe(empty(&base()), Root::RecordBatch).unwrap();
        let found = describe(spoilt(spoil), Root::RecordBatch)
            .unwrap_err()
            .to_string();
        assert_eq!(found, first);
        assert_eq!(found, expected);
    }
}

#[test]
fn a_known_schema_is_no_record_batch_for_that() {
    let numbers = || empty(&leaf("i", "number"));
    describe(numbers(), Root::Any).unwrap();
    let refused = describe(numbers(), Root::RecordBatch)
        .unwrap_err()
        .to_string();
    let first = at_length(|| {
        describe(numbers(), Root::RecordBatch)
            .unwrap_err()
            .to_string()
    });
    assert_eq!(refused, first);
    assert!(refused.contains("\"i\""), "{refused}");
}

#[test]
fn a_schema_that_changed_or_was_released_is_not_the_one_that_is_known() {
    describe(empty(&base()), Root::RecordBatch).unwrap();
    let name = CString::new("another").unwrap();
    let mut raw = empty(&base()).into_raw();
    // SAFETY: the table is owned here; the name outlives the description.
    let described = unsafe {
        let child = &mut **raw.schema.children;
        child.name = name.as_ptr();
        let table = OwnedTable::take(&mut raw);
        describe_root(
            std::slice::from_ref(&table),
            Root::RecordBatch,
            Level::Default,
        )
    };
    let known = describe(empty(&base()), Root::RecordBatch).unwrap();
    assert_ne!(described.unwrap().fingerprints, known.fingerprints);

    let mut raw = empty(&base()).into_raw();
    // SAFETY: the table is owned here, and the child is released once.
    let refused = unsafe {
        let child = *raw.schema.children;
        ((*child).release.unwrap())(child);
        describe(OwnedTable::take(&mut raw), Root::RecordBatch)
    };
    let refused = refused.unwrap_err().to_string();
    assert_eq!(refused, "column[0] \"\": the schema has been released");
}
