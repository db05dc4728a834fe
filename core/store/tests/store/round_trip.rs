//! What is written comes back through the views, value for value.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{RecordBatch, UInt32Array};
use bowstring_store::{Mode, Query, Store};
use rusqlite::Connection;

use crate::corpus::{Batch, Corpus, Random, Shape, TYPICAL};
use crate::rows::{of_batch, of_sql, sorted};
use crate::{ODD, VIEWS};

/// Writes the batches as one generation and compares the views, read by a plain connection, with them.
fn check(batches: &[Batch]) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.db");
    let mut store = Store::open(&path, Mode::Create).unwrap();
    store.begin("/root").unwrap();
    for batch in batches {
        store.write(batch).unwrap();
    }
    let summary = store.commit().unwrap();
    let connection = Connection::open(&path).unwrap();
    let counts = [
        summary.symbols,
        summary.identifiers,
        summary.relationships,
        summary.files,
        summary.errors,
    ];
    for (index, view) in VIEWS.into_iter().enumerate() {
        let expected: Vec<_> = batches
            .iter()
            .flat_map(|batch| of_batch(&batch[index]))
            .collect();
        assert_eq!(counts[index], expected.len() as u64, "{view}");
        let found = of_sql(&connection, &format!("SELECT * FROM {view}"));
        // Not assert_eq: a failure would print every row.
        assert!(sorted(found) == sorted(expected), "{view} differ");
    }
    assert_eq!(of_sql(&connection, "PRAGMA integrity_check"), [["\"ok\""]]);
}

fn batches(shape: Shape, seed: u64, sizes: &[usize]) -> Vec<Batch> {
    let mut corpus = Corpus::new(shape, seed);
    sizes.iter().map(|&files| corpus.batch(files)).collect()
}

#[test]
fn no_batch_at_all() {
    check(&[]);
}

#[test]
fn typical_batches() {
    check(&batches(TYPICAL, 1, &[30, 0, 1, 70]));
}

#[test]
fn batches_with_everything_odd() {
    for seed in 1..=6 {
        check(&batches(ODD, seed, &[1, 40, 0, 13]));
    }
}

#[test]
fn files_without_symbols() {
    check(&batches(
        Shape {
            symbols_per_file: 0,
            ..ODD
        },
        1,
        &[20],
    ));
}

#[test]
fn files_without_rows() {
    check(&batches(
        Shape {
            symbols_per_file: 0,
            identifiers_per_line: 0,
            ..ODD
        },
        1,
        &[20],
    ));
}

#[test]
fn rows_that_do_not_come_file_by_file() {
    let mut random = Random::new(5);
    let mut shuffled = |table: &RecordBatch| {
        let mut order: Vec<u32> = (0..table.num_rows() as u32).collect();
        for index in (1..order.len()).rev() {
            order.swap(index, random.below(index + 1));
        }
        take(table, &order)
    };
    let batches: Vec<Batch> = batches(ODD, 3, &[25, 25])
        .iter()
        .map(|batch| batch.each_ref().map(&mut shuffled))
        .collect();
    check(&batches);
}

/// The rows of a table in another order.
fn take(table: &RecordBatch, order: &[u32]) -> RecordBatch {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Float32Type, UInt32Type};
    use arrow_array::{ArrayRef, Float32Array, StringArray};
    use arrow_schema::DataType;
    let rows = || order.iter().map(|&row| row as usize);
    let columns = table.columns().iter().map(|array| -> ArrayRef {
        match array.data_type() {
            DataType::Utf8 => {
                let array = array.as_string::<i32>();
                let values: Vec<_> = array.iter().collect();
                Arc::new(rows().map(|row| values[row]).collect::<StringArray>())
            }
            DataType::UInt32 => {
                let values: Vec<_> = array.as_primitive::<UInt32Type>().iter().collect();
                Arc::new(rows().map(|row| values[row]).collect::<UInt32Array>())
            }
            _ => {
                let values: Vec<_> = array.as_primitive::<Float32Type>().iter().collect();
                Arc::new(rows().map(|row| values[row]).collect::<Float32Array>())
            }
        }
    });
    RecordBatch::try_new(table.schema(), columns.collect()).unwrap()
}

#[test]
fn tables_that_are_slices_of_larger_ones() {
    let [symbols, identifiers, relationships, files, errors] = Corpus::new(ODD, 9).batch(10);
    // The rows after those of the first file, which have no file left.
    let first = Corpus::path(0);
    let rest = |table: &RecordBatch, path: &str| {
        let column = table.column_by_name(path).unwrap();
        let paths: &arrow_array::StringArray = column.as_any().downcast_ref().unwrap();
        let start = paths
            .iter()
            .take_while(|path| *path == Some(&first))
            .count();
        table.slice(start, table.num_rows() - start)
    };
    check(&[[
        rest(&symbols, "file_path"),
        rest(&identifiers, "file_path"),
        rest(&relationships, "file_path"),
        rest(&files, "path"),
        rest(&errors, "path"),
    ]]);
}

#[test]
fn numbers_at_their_bounds() {
    let mut batch = Corpus::new(ODD, 2).batch(3);
    for table in &mut batch {
        let schema = table.schema();
        let columns = table.columns().iter().map(|array| match array.data_type() {
            arrow_schema::DataType::UInt32 => {
                let bounds = [0, 1, u32::MAX, u32::MAX - 1, 1 << 31, 255, 65_536];
                let values = (0..array.len()).map(|row| Some(bounds[row * 5 % bounds.len()]));
                Arc::new(values.collect::<UInt32Array>())
            }
            _ => array.clone(),
        });
        *table = RecordBatch::try_new(schema, columns.collect()).unwrap();
    }
    check(&[batch]);
}

#[test]
fn texts_larger_than_pages_and_texts_of_nothing() {
    let mut batch = Corpus::new(ODD, 2).batch(3);
    for table in &mut batch {
        let schema = table.schema();
        let columns = table
            .columns()
            .iter()
            .zip(schema.fields())
            .map(|(array, field)| {
                let lengths = match field.name().as_str() {
                    "content" => [3 << 20, 0, 200_000, 65_000],
                    "signature" | "message" | "to_name" => [70_000, 0, 1, 20_000],
                    _ => return array.clone(),
                };
                let texts =
                    (0..array.len()).map(|row| Some("é".repeat(lengths[row % lengths.len()] / 2)));
                Arc::new(texts.collect::<arrow_array::StringArray>())
            });
        *table = RecordBatch::try_new(schema.clone(), columns.collect()).unwrap();
    }
    check(&[batch]);
}

#[test]
fn a_database_survives_vacuum() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.db");
    let mut store = Store::open(&path, Mode::Create).unwrap();
    // Two generations, so that there are free pages to remove and rowids to keep.
    let batches = batches(ODD, 4, &[30, 30]);
    for batch in &batches {
        store.begin("/root").unwrap();
        store.write(batch).unwrap();
        store.commit().unwrap();
    }
    drop(store);
    Connection::open(&path)
        .unwrap()
        .execute_batch("VACUUM")
        .unwrap();
    let connection = Connection::open(&path).unwrap();
    for (view, table) in VIEWS.into_iter().zip(&batches[1]) {
        let found = of_sql(&connection, &format!("SELECT * FROM {view}"));
        assert!(sorted(found) == sorted(of_batch(table)), "{view} differ");
    }
}

#[test]
fn the_views_have_the_contracts_columns_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.db");
    Store::open(&path, Mode::Create).unwrap();
    let connection = Connection::open(&path).unwrap();
    let batch = Corpus::new(ODD, 1).batch(0);
    for (view, table) in VIEWS.into_iter().zip(&batch) {
        let expected: Vec<String> = table
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        let statement = connection
            .prepare(&format!("SELECT * FROM {view}"))
            .unwrap();
        assert_eq!(
            statement.column_names().collect::<Vec<_>>(),
            expected,
            "{view}"
        );
    }
    let objects = of_sql(
        &connection,
        "SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name",
    );
    let names: BTreeSet<String> = objects.into_iter().flatten().collect();
    assert_eq!(
        names,
        VIEWS.iter().map(|view| format!("{view:?}")).collect()
    );
}

#[test]
fn nulls_are_where_the_contract_allows_them() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.db");
    let mut store = Store::open(&path, Mode::Create).unwrap();
    store.begin("/root").unwrap();
    let batch = Corpus::new(ODD, 8).batch(60);
    store.write(&batch).unwrap();
    store.commit().unwrap();
    let connection = Connection::open(&path).unwrap();
    for (view, table) in VIEWS.into_iter().zip(&batch) {
        for field in table.schema().fields() {
            let sql = format!("SELECT count(*) FROM {view} WHERE {} IS NULL", field.name());
            let nulls: i64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
            assert_eq!(
                nulls > 0,
                field.is_nullable(),
                "{view}.{}: {nulls} nulls",
                field.name()
            );
        }
    }
}

#[test]
fn columns_are_found_by_name_and_others_are_left_alone() {
    let batch = Corpus::new(ODD, 6).batch(12);
    let turned = batch.each_ref().map(|table| {
        let order: Vec<usize> = (0..table.num_columns()).rev().collect();
        let table = table.project(&order).unwrap();
        // A column that the contract does not know: the first one again, under another name.
        let mut fields: Vec<_> = table.schema().fields().iter().cloned().collect();
        fields.push(Arc::new(arrow_schema::Field::new(
            "more",
            table.column(0).data_type().clone(),
            true,
        )));
        let mut columns = table.columns().to_vec();
        columns.push(columns[0].clone());
        RecordBatch::try_new(Arc::new(arrow_schema::Schema::new(fields)), columns).unwrap()
    });
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open(directory.path().join("index.db"), Mode::Create).unwrap();
    store.begin("/root").unwrap();
    store.write(&turned).unwrap();
    store.commit().unwrap();
    let found = store.query(&Query::Errors { limit: 0 }).unwrap();
    assert_eq!(sorted(of_batch(&found)), sorted(of_batch(&batch[4])));
}
