//! What JavaScript's Arrow library cannot hold: converted on the way in, restored on the way out, and the originals kept.

mod common;

use bowstring_abi::convert::ORIGINAL_TYPE;
use bowstring_abi::{ArrowArray, Failure, OwnedTable, SchemaTree, Status};
use bowstring_runtime::{
    BOW_BUILD_RESTORE, BOW_IMPORT_ANY, BOW_IMPORT_CONVERT, BOW_IMPORT_STRICT, BOW_VALIDATE_FULL,
    ImportOptions, Next, shown_schema,
};

use common::producer::{Step, stream};
use common::{Scope, column_words, node};

static VALUES: [i64; 3] = [1, -2, 300];

/// A column of decimals of 64 bits.
fn original() -> SchemaTree {
    node("+s", "", vec![node("d:9,2,64", "price", vec![])])
}

fn options(flags: u32) -> ImportOptions {
    ImportOptions::from_flags(BOW_VALIDATE_FULL | flags).unwrap()
}

fn table(scope: &Scope) -> OwnedTable {
    let schema = scope.context.register_schema(original()).unwrap();
    let address = VALUES.as_ptr().addr() as f64;
    // SAFETY: the address is that of a static of 24 bytes.
    let table = unsafe {
        scope
            .context
            .build(schema, &column_words(7, &[], 0, address, 24.0))
    };
    scope.context.close_schema(schema).unwrap();
    table.unwrap()
}

/// The address of the values of the first column.
fn values(array: &ArrowArray) -> usize {
    // SAFETY: the array has a column with two buffers.
    unsafe { *(**array.children).buffers.add(1) }.addr()
}

fn is_drained(scope: &Scope) -> bool {
    let mut room = [0; 8];
    while scope.context.released(&mut room) > 0 {}
    let stats = scope.context.stats();
    (stats.live_pins, stats.live_leases) == (0.0, 0.0)
}

#[test]
fn a_lease_shows_the_converted_table_and_exports_the_original() {
    let scope = Scope::open();
    let table = table(&scope);
    let lease = scope
        .context
        .import(vec![table], options(BOW_IMPORT_CONVERT))
        .unwrap();
    let shown = scope.context.lease(lease).unwrap();
    let column = &shown.schemas().unwrap()[0].children[0];
    assert_eq!(column.format, "d:9,2");
    assert_eq!(column.metadata_value(ORIGINAL_TYPE), Some("d:9,2,64"));
    let address = values(shown.tables()[0].array());
    assert_ne!(address, VALUES.as_ptr().addr());
    // SAFETY: three decimals of 128 bits, of a lease that is alive.
    let wide = unsafe { std::slice::from_raw_parts(address as *const i128, 3) };
    assert_eq!(wide, [1, -2, 300]);
    assert!(scope.context.stats().bytes_copied >= 48.0);
    let described = shown.description();
    let place = (described.blocks[0].address, described.total_bytes);
    assert_eq!(place, (address, 48), "the converted table is described");

    let exported = shown.export(0).unwrap();
    assert_eq!(SchemaTree::read(&exported).unwrap(), original());
    assert_eq!(
        values(exported.array()),
        VALUES.as_ptr().addr(),
        "not a copy"
    );
    let refused = shown.export(1).unwrap_err();
    assert_eq!(refused.message, "expected a table below 1 but found 1");
    drop((shown, exported));
    scope.context.release(lease).unwrap();
    assert!(is_drained(&scope));
}

#[test]
fn what_is_built_from_a_converted_table_is_restored() {
    let scope = Scope::open();
    let table = table(&scope);
    let lease = scope
        .context
        .import(vec![table], options(BOW_IMPORT_CONVERT))
        .unwrap();
    let shown = scope.context.lease(lease).unwrap();
    let tree = shown.schemas().unwrap().remove(0);
    let address = values(shown.tables()[0].array()) as f64;
    drop(shown);
    let schema = scope.context.register_schema(tree.clone()).unwrap();
    for (flags, expected) in [(0, &tree), (BOW_BUILD_RESTORE, &original())] {
        // SAFETY: the address is one of the lease that is named.
        let built = unsafe {
            scope
                .context
                .build(schema, &column_words(7, &[lease], flags, address, 48.0))
        };
        let built = built.unwrap();
        assert_eq!(&SchemaTree::read(&built).unwrap(), expected);
        let mut schema = scope.context.export_schema(schema, flags).unwrap();
        assert_eq!(&SchemaTree::read_schema(&schema).unwrap(), expected);
        // SAFETY: a local, and owned.
        drop(unsafe { OwnedTable::take_schema(&mut schema) });
        if flags == BOW_BUILD_RESTORE {
            // SAFETY: three decimals of 64 bits.
            let narrow =
                unsafe { std::slice::from_raw_parts(values(built.array()) as *const i64, 3) };
            assert_eq!(narrow, VALUES);
        }
    }
    let (stream, mut consumer) = scope
        .context
        .export_stream(schema, BOW_BUILD_RESTORE)
        .unwrap();
    let told = consumer.schema().unwrap();
    assert_eq!(SchemaTree::read_schema(told.schema()).unwrap(), original());
    // SAFETY: the address is one of the lease that is named.
    let wide = unsafe {
        scope
            .context
            .build(schema, &column_words(7, &[lease], 0, address, 48.0))
    };
    let refused = scope
        .context
        .push_to_stream(stream, wide.unwrap())
        .unwrap_err();
    assert_eq!(
        refused.message,
        "column[0] \"price\": expected the stream's type \"d:9,2,64\" but found \"d:9,2\""
    );
    // The original of the lease is of the stream's type.
    let exported = scope.context.lease(lease).unwrap().export(0).unwrap();
    assert!(scope.context.push_to_stream(stream, exported).unwrap());
    drop((consumer, told));
    scope.context.close_stream(stream).unwrap();
    scope.context.release(lease).unwrap();
    assert!(is_drained(&scope));
}

#[test]
fn metadata_that_makes_no_sense_is_refused_where_it_matters() {
    let scope = Scope::open();
    let mut tree = node("+s", "", vec![node("i", "price", vec![])]);
    tree.children[0].metadata = Some(vec![(ORIGINAL_TYPE.to_owned(), "d:9,2,64".to_owned())]);
    let schema = scope.context.register_schema(tree).unwrap();
    let mut plain = scope.context.export_schema(schema, 0).unwrap();
    // SAFETY: a local, and owned.
    drop(unsafe { OwnedTable::take_schema(&mut plain) });
    let refused = scope
        .context
        .export_schema(schema, BOW_BUILD_RESTORE)
        .unwrap_err();
    assert_eq!(refused.status, Status::InvalidArrow);
    assert!(refused.message.contains("price"), "{refused}");
    let address = VALUES.as_ptr().addr() as f64;
    // SAFETY: the address is that of a static of 24 bytes.
    let built = unsafe {
        scope.context.build(
            schema,
            &column_words(7, &[], BOW_BUILD_RESTORE, address, 24.0),
        )
    };
    assert_eq!(built.map(drop).unwrap_err(), refused);
    assert!(is_drained(&scope), "nothing is pinned");
}

#[test]
fn strict_refuses_and_names_the_place_and_plain_tables_pass() {
    let scope = Scope::open();
    let refused = scope
        .context
        .import(vec![table(&scope)], options(BOW_IMPORT_STRICT))
        .unwrap_err();
    assert_eq!(refused.status, Status::Unsupported);
    assert!(refused.message.contains("price"), "{refused}");
    assert!(is_drained(&scope));
    let exported = scope
        .context
        .register_schema(original())
        .and_then(|schema| scope.context.export_schema(schema, 0));
    let mut exported = exported.unwrap();
    assert_eq!(
        shown_schema(&exported, options(BOW_IMPORT_STRICT)).unwrap_err(),
        refused_as_invalid(&scope)
    );
    let shown = shown_schema(&exported, options(BOW_IMPORT_CONVERT)).unwrap();
    assert_eq!(shown.children[0].format, "d:9,2");
    assert_eq!(shown_schema(&exported, options(0)).unwrap(), original());
    // SAFETY: a local, and owned.
    drop(unsafe { OwnedTable::take_schema(&mut exported) });

    let alive = common::Alive::default();
    for flags in [BOW_IMPORT_STRICT, BOW_IMPORT_CONVERT] {
        // Twice: the second time it is known that there is nothing to convert.
        for _ in 0..2 {
            let plain = alive.table(5);
            let address = values(plain.array());
            let lease = scope.context.import(vec![plain], options(flags)).unwrap();
            let shown = scope.context.lease(lease).unwrap();
            assert_eq!(values(shown.tables()[0].array()), address, "as it came");
            drop(shown);
            scope.context.release(lease).unwrap();
            assert_eq!(alive.count(), 0);
        }
    }
}

/// What the checks of abi say of such a table.
fn refused_as_invalid(scope: &Scope) -> bowstring_abi::InvalidArrow {
    bowstring_abi::convert::convert(table(scope), true).unwrap_err()
}

#[test]
fn a_single_array_needs_to_be_asked_for() {
    let scope = Scope::open();
    let schema = scope
        .context
        .register_schema(node("l", "numbers", vec![]))
        .unwrap();
    let address = VALUES.as_ptr().addr() as f64;
    let words = [
        7.0, 0.0, 0.0, 3.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, address, 24.0, 0.0,
    ];
    // SAFETY: the address is that of a static of 24 bytes.
    let array = || unsafe { scope.context.build(schema, &words) }.unwrap();
    let refused = scope.context.import(vec![array()], options(0)).unwrap_err();
    let expected = "record batch: expected a struct (\"+s\") but found the format \"l\"";
    assert_eq!(refused, Failure::new(Status::InvalidArrow, expected));
    let lease = scope
        .context
        .import(vec![array()], options(BOW_IMPORT_ANY | BOW_IMPORT_CONVERT))
        .unwrap();
    scope.context.release(lease).unwrap();
    assert!(is_drained(&scope));
}

#[test]
fn batches_of_a_stream_are_converted_on_the_jobs_thread() {
    let scope = Scope::open();
    let steps = vec![Step::Batch(table(&scope)), Step::Batch(table(&scope))];
    let (stream, _) = stream(Some(table(&scope)), steps);
    let job = scope
        .context
        .import_stream(stream, options(BOW_IMPORT_CONVERT))
        .unwrap();
    let job = scope.context.job(job).unwrap();
    let mut found = Vec::new();
    loop {
        assert!(job.wait(u32::MAX));
        match job.next(1).unwrap() {
            Next::Group(group) => {
                let table = group.into_tables().remove(0);
                let format = SchemaTree::read(&table).unwrap().children.remove(0).format;
                found.push((table.array().length, format));
            }
            _ => break,
        }
    }
    let expected = [0, 3, 3].map(|length| (length, "d:9,2".to_owned()));
    assert_eq!(found, expected);
    assert!(is_drained(&scope));
}

#[test]
fn a_converted_table_keeps_the_original_whose_columns_it_shows() {
    let scope = Scope::open();
    let columns = vec![
        node("d:9,2,64", "price", vec![]),
        node("l", "plain", vec![]),
    ];
    let schema = scope
        .context
        .register_schema(node("+s", "", columns))
        .unwrap();
    let build = || {
        let mut words = vec![7.0, 0.0, 0.0, 3.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        for _ in 0..2 {
            words.extend([3.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
            words.extend([1.0, VALUES.as_ptr().addr() as f64, 24.0, 0.0]);
        }
        // SAFETY: the address is that of a static of 24 bytes.
        unsafe { scope.context.build(schema, &words) }.unwrap()
    };
    let (stream, _) = stream(Some(build()), vec![Step::Batch(build())]);
    let handle = scope
        .context
        .import_stream(stream, options(BOW_IMPORT_CONVERT))
        .unwrap();
    let job = scope.context.job(handle).unwrap();
    let mut shown = Vec::new();
    loop {
        assert!(job.wait(u32::MAX));
        match job.next(1).unwrap() {
            Next::Group(group) => shown.extend(group.into_tables()),
            _ => break,
        }
    }
    scope.context.close_job(handle).unwrap();
    let shown = shown.pop().unwrap();
    let pins = || scope.context.stats().live_pins;
    assert_eq!((shown.array().length, pins()), (3, 1.0));
    drop(shown);
    assert_eq!(pins(), 0.0);
}
