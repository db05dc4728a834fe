//! One generation replaces another; what readers see meanwhile.

use arrow_array::RecordBatch;
use bowstring_store::{Mode, Query, Store};
use rusqlite::Connection;

use crate::rows::{columns, of_batch, of_sql};
use crate::{Place, holds, index, odd_batch, size};

fn info(store: &mut Store) -> RecordBatch {
    store.query(&Query::Info).unwrap()
}

fn generation_tables(connection: &Connection) -> Vec<String> {
    of_sql(connection, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'identifier\\_%' ESCAPE '\\'")
        .concat()
}

#[test]
fn a_new_database_is_an_empty_index() {
    let place = Place::new();
    let mut store = place.create();
    let columns = [
        "root",
        "generation",
        "created_at",
        "files",
        "symbols",
        "identifiers",
        "relationships",
        "errors",
    ];
    assert_eq!(columns_of(&mut store, &columns), "null 0 null 0 0 0 0 0");
    assert!(holds(&place.plain(), &[]));
}

fn columns_of(store: &mut Store, names: &[&str]) -> String {
    columns(&info(store), names).concat()
}

#[test]
fn a_commit_replaces_the_index_and_says_what_it_holds() {
    let place = Place::new();
    let mut store = place.create();
    let workspace = columns_of(&mut store, &["workspace_id"]);
    assert_eq!(workspace.len(), 32);
    for generation in 1..=3 {
        let batches = [odd_batch(generation, 20), odd_batch(generation + 100, 0)];
        let summary = index(&mut store, &batches);
        assert_eq!(summary.generation, generation);
        let rows = batches[0].each_ref().map(|table| table.num_rows() as u64);
        let counts = [
            summary.symbols,
            summary.identifiers,
            summary.relationships,
            summary.files,
            summary.errors,
        ];
        assert_eq!(counts, rows);
        assert_eq!(
            of_batch(&summary.to_record_batch()),
            [[generation, rows[3], rows[0], rows[1], rows[2], rows[4]]
                .map(|count| count.to_string())]
        );
        assert_eq!(
            columns_of(&mut store, &["generation", "root", "symbols", "files"]),
            format!("{generation} /root {} {}", rows[0], rows[3])
        );
        assert_eq!(columns_of(&mut store, &["workspace_id"]), workspace);
        let created = columns_of(&mut store, &["created_at"]);
        assert!(
            created.starts_with("20") && created.ends_with('Z') && created.len() == 20,
            "{created}"
        );
        assert!(holds(&place.plain(), &batches));
        assert_eq!(
            generation_tables(&place.plain()).len(),
            3,
            "only the tables of one generation are left"
        );
    }
    drop(store);
    let mut store = Store::open(&place.path, Mode::Read).unwrap();
    assert_eq!(columns_of(&mut store, &["workspace_id"]), workspace);
}

#[test]
fn two_databases_are_two_workspaces() {
    let (one, other) = (Place::new(), Place::new());
    let [one, other] = [one, other].map(|place| columns_of(&mut place.create(), &["workspace_id"]));
    assert_ne!(one, other);
}

#[test]
fn readers_see_the_committed_index_while_the_next_is_written() {
    let place = Place::new();
    let mut writer = place.create();
    let old = [odd_batch(1, 25)];
    let new = [odd_batch(2, 10), odd_batch(3, 0)];
    index(&mut writer, &old);

    let mut reader = Store::open(&place.path, Mode::Read).unwrap();
    let plain = place.plain();
    let see = |reader: &mut Store, writer: &mut Store, batches: &[_], generation: &str| {
        assert_eq!(columns_of(reader, &["generation"]), generation);
        // The writer's own connection too.
        assert_eq!(columns_of(writer, &["generation"]), generation);
        assert!(holds(&plain, batches), "an open connection");
        assert!(holds(&place.plain(), batches), "a new connection");
    };
    see(&mut reader, &mut writer, &old, "1");
    writer.begin("/elsewhere").unwrap();
    see(&mut reader, &mut writer, &old, "1");
    for batch in &new {
        writer.write(batch).unwrap();
        see(&mut reader, &mut writer, &old, "1");
    }
    writer.commit().unwrap();
    see(&mut reader, &mut writer, &new, "2");
    assert_eq!(columns_of(&mut reader, &["root"]), "/elsewhere");
}

#[test]
fn a_transaction_that_began_before_the_flip_sees_the_old_index_to_its_end() {
    let place = Place::new();
    let mut writer = place.create();
    let generations = [[odd_batch(1, 25)], [odd_batch(2, 25)], [odd_batch(3, 25)]];
    index(&mut writer, &generations[0]);

    let plain = place.plain();
    plain.execute_batch("BEGIN").unwrap();
    assert!(holds(&plain, &generations[0]));
    // A statement that has given its first row goes on from the same snapshot.
    let mut statement = plain
        .prepare("SELECT count(*) OVER () FROM identifiers")
        .unwrap();
    let mut rows = statement.query([]).unwrap();
    let count: i64 = rows.next().unwrap().unwrap().get(0).unwrap();
    let mut seen = 1i64;

    // The tables of the first generation are dropped, and their pages used again by the third.
    index(&mut writer, &generations[1]);
    index(&mut writer, &generations[2]);

    while rows.next().unwrap().is_some() {
        seen += 1;
    }
    let rows_before = generations[0][0][1].num_rows() as i64;
    assert_eq!((count, seen), (rows_before, rows_before));
    drop(rows);
    drop(statement);
    assert!(holds(&plain, &generations[0]));
    plain.execute_batch("COMMIT").unwrap();
    assert!(holds(&plain, &generations[2]));
}

#[test]
fn a_prepared_statement_follows_the_flip() {
    let place = Place::new();
    let mut writer = place.create();
    index(&mut writer, &[odd_batch(1, 25)]);
    let plain = place.plain();
    let mut statement = plain.prepare("SELECT count(*) FROM symbols").unwrap();
    let mut count = || statement.query_row([], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count(), odd_batch(1, 25)[0].num_rows() as i64);
    index(&mut writer, &[odd_batch(2, 3)]);
    assert_eq!(count(), odd_batch(2, 3)[0].num_rows() as i64);
}

#[test]
fn an_abandoned_generation_leaves_no_trace() {
    let place = Place::new();
    let mut store = place.create();
    let kept = [odd_batch(1, 10)];
    index(&mut store, &kept);
    store.begin("/root").unwrap();
    store.write(&odd_batch(2, 10)).unwrap();
    store.abandon().unwrap();
    assert!(holds(&place.plain(), &kept));
    assert_eq!(generation_tables(&place.plain()), generation_tables_of(1));

    store.begin("/root").unwrap();
    store.write(&odd_batch(2, 10)).unwrap();
    drop(store);
    assert!(holds(&place.plain(), &kept));
    assert_eq!(generation_tables(&place.plain()), generation_tables_of(1));

    assert_eq!(index(&mut place.create(), &kept).generation, 2);
}

fn generation_tables_of(generation: u64) -> Vec<String> {
    ["identifier_class", "identifier", "identifier_end"]
        .map(|table| format!("\"{table}_{generation}\""))
        .into()
}

#[test]
fn what_a_dead_writer_left_is_removed_by_the_next() {
    let place = Place::new();
    let mut store = place.create();
    let kept = [odd_batch(1, 10)];
    index(&mut store, &kept);
    let plain = place.plain();
    // As if it had died: the tables of a generation that was never committed, and a table that is not ours.
    plain
        .execute_batch(
            "CREATE TABLE identifier_7(a); CREATE TABLE name_9(a); CREATE TABLE notes_7(a);",
        )
        .unwrap();
    assert!(holds(&plain, &kept));
    store.begin("/root").unwrap();
    store.abandon().unwrap();
    assert_eq!(generation_tables(&plain), generation_tables_of(1));
    assert_eq!(of_sql(&plain, "SELECT count(*) FROM name_1").len(), 1);
    assert_eq!(
        of_sql(&plain, "SELECT * FROM notes_7"),
        Vec::<Vec<String>>::new()
    );
}

#[test]
fn the_file_does_not_grow_with_every_generation() {
    let place = Place::new();
    let mut store = place.create();
    let sizes: Vec<u64> = (0..5)
        .map(|_| {
            index(&mut store, &[odd_batch(1, 400)]);
            drop(std::mem::replace(&mut store, place.create()));
            size(&place.path)
        })
        .collect();
    // The second generation stands beside the first; those after it use the pages of those dropped.
    assert!(sizes[4] <= sizes[1] + sizes[0] / 10, "{sizes:?}");
}

#[test]
fn a_batch_that_is_refused_leaves_the_generation_as_it_was() {
    let place = Place::new();
    let mut store = place.create();
    let mut corpus = crate::corpus::Corpus::new(crate::ODD, 1);
    let good = [corpus.batch(10), corpus.batch(10)];
    store.begin("/root").unwrap();
    store.write(&good[0]).unwrap();
    // The paths of the first batch again: found only when the rows are in the database.
    let error = store.write(&good[0]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "table files: column \"path\": a path was already written in an earlier batch"
    );
    store.write(&good[1]).unwrap();
    store.commit().unwrap();
    assert!(holds(&place.plain(), &good));
}
