//! What bad input gets: an error whose sentence says what is wrong.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, Int64Array, RecordBatch, StringArray, new_null_array};
use arrow_schema::{DataType, Field, Schema};
use bowstring_store::{Mode, Query, Store, StoreError};
use rusqlite::Connection;

use crate::corpus::Batch;
use crate::{Place, VIEWS, holds, index, odd_batch};

/// The same table with another array in one column.
fn replace(table: &RecordBatch, column: &str, array: ArrayRef) -> RecordBatch {
    let mut columns = table.columns().to_vec();
    let mut fields: Vec<Field> = table
        .schema()
        .fields()
        .iter()
        .map(|field| field.as_ref().clone())
        .collect();
    let index = table.schema().index_of(column).unwrap();
    fields[index] = Field::new(column, array.data_type().clone(), true);
    columns[index] = array;
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn without(table: &RecordBatch, column: &str) -> RecordBatch {
    let skipped = table.schema().index_of(column).unwrap();
    let rest: Vec<usize> = (0..table.num_columns())
        .filter(|index| *index != skipped)
        .collect();
    table.project(&rest).unwrap()
}

fn text_with(table: &RecordBatch, column: &str, row: usize, value: Option<&str>) -> RecordBatch {
    let array: &StringArray = table
        .column_by_name(column)
        .unwrap()
        .as_any()
        .downcast_ref()
        .unwrap();
    let mut values: Vec<Option<&str>> = array.iter().collect();
    values[row] = value;
    replace(table, column, Arc::new(StringArray::from(values)))
}

#[test]
fn batches_that_break_the_contract() {
    let place = Place::new();
    let mut store = place.create();
    let good = odd_batch(1, 6);
    let with = |table: &str, change: &dyn Fn(&RecordBatch) -> RecordBatch| -> Batch {
        let mut batch = good.clone();
        let index = VIEWS.iter().position(|view| *view == table).unwrap();
        batch[index] = change(&batch[index]);
        batch
    };
    let nulls = |data_type: DataType| move |rows: usize| new_null_array(&data_type, rows);
    let cases: Vec<(Batch, &str)> = vec![
        (
            with("symbols", &|table| without(table, "qualified_name")),
            "table symbols: column \"qualified_name\" is missing, expected Utf8",
        ),
        (
            with("symbols", &|table| {
                replace(
                    table,
                    "start_line",
                    Arc::new(Int64Array::from(vec![1; table.num_rows()])),
                )
            }),
            "table symbols: column \"start_line\": expected UInt32 but found Int64",
        ),
        (
            with("identifiers", &|table| {
                replace(table, "name", nulls(DataType::LargeUtf8)(table.num_rows()))
            }),
            "table identifiers: column \"name\": expected Utf8 but found LargeUtf8",
        ),
        (
            with("identifiers", &|table| text_with(table, "name", 4, None)),
            "table identifiers: column \"name\", row 4: null in a column without nulls",
        ),
        (
            with("relationships", &|table| {
                replace(
                    table,
                    "line_number",
                    nulls(DataType::UInt32)(table.num_rows()),
                )
            }),
            "table relationships: column \"line_number\", row 0: null in a column without nulls",
        ),
        (
            with("relationships", &|table| {
                let values = (0..table.num_rows()).map(|row| if row == 2 { f32::NAN } else { 1.0 });
                replace(
                    table,
                    "confidence",
                    Arc::new(Float32Array::from_iter_values(values)),
                )
            }),
            "table relationships: column \"confidence\", row 2: NaN where a number is expected",
        ),
        (
            with("identifiers", &|table| {
                text_with(table, "file_path", 3, Some("src/missing.ts"))
            }),
            "table identifiers: column \"file_path\", row 3: \"src/missing.ts\" is not a path of table files in the \
             same batch",
        ),
        (
            with("symbols", &|table| {
                text_with(table, "file_path", 0, Some(""))
            }),
            "table symbols: column \"file_path\", row 0: \"\" is not a path of table files in the same batch",
        ),
        (
            with("relationships", &|table| {
                text_with(table, "file_path", 1, Some("x"))
            }),
            "table relationships: column \"file_path\", row 1: \"x\" is not a path of table files in the same batch",
        ),
        (
            with("files", &|table| {
                let path = table
                    .column(0)
                    .as_any()
                    .downcast_ref::<StringArray>()
                    .unwrap()
                    .value(0)
                    .to_owned();
                text_with(table, "path", 2, Some(&path))
            }),
            "table files: column \"path\", row 2: \"packages/part000/src/module_00000.ts\" comes twice",
        ),
        (
            with("errors", &|table| without(table, "byte_offset")),
            "table errors: column \"byte_offset\" is missing, expected UInt32",
        ),
    ];
    store.begin("/root").unwrap();
    for (batch, message) in &cases {
        let error = store.write(batch).unwrap_err();
        assert!(
            matches!(error, StoreError::InvalidBatch { .. }),
            "{error:?}"
        );
        assert_eq!(error.to_string(), *message);
    }
    store.write(&good).unwrap();
    store.commit().unwrap();
    assert!(holds(&place.plain(), &[good]));
}

#[test]
fn calls_out_of_order() {
    let place = Place::new();
    let mut store = place.create();
    let batch = odd_batch(1, 1);
    let mut messages = vec![
        store.write(&batch).unwrap_err(),
        store.commit().unwrap_err(),
        store.abandon().unwrap_err(),
    ];
    store.begin("/root").unwrap();
    messages.push(store.begin("/root").unwrap_err());
    store.abandon().unwrap();
    messages.push(
        Store::open(&place.path, Mode::Read)
            .unwrap()
            .begin("/root")
            .unwrap_err(),
    );
    let messages: Vec<String> = messages.iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "write: no generation is being written; call begin first",
            "commit: no generation is being written; call begin first",
            "abandon: no generation is being written; call begin first",
            "begin: a generation is being written; commit or abandon it",
            "begin: the store was opened for reading",
        ]
    );
}

/// What opening a database gives that some SQL has been run on.
fn open_after(sql: &str, mode: Mode) -> Result<(), String> {
    let place = Place::new();
    place.plain().execute_batch(sql).unwrap();
    open(&place, mode)
}

fn open(place: &Place, mode: Mode) -> Result<(), String> {
    let shown = format!("{}: ", place.path.display());
    Store::open(&place.path, mode)
        .map(drop)
        .map_err(|error| error.to_string().replace(&shown, ""))
}

#[test]
fn files_that_are_no_index() {
    const FOREIGN: &str = "this is an SQLite database of another application (application_id 0x0), not an index; name \
                           another file";
    for mode in [Mode::Create, Mode::Read] {
        assert_eq!(open_after("CREATE TABLE t(a)", mode), Err(FOREIGN.into()));
        assert_eq!(
            open_after("PRAGMA application_id = 4660", mode),
            Err(FOREIGN.replace("0x0", "0x1234"))
        );
        assert_eq!(
            open_after(
                "PRAGMA application_id = 0x424f5765; PRAGMA user_version = 1",
                mode
            ),
            Err(FOREIGN.replace("0x0", "0x424f5765"))
        );
        let place = Place::new();
        std::fs::write(&place.path, "name,kind\n".repeat(1_000)).unwrap();
        assert_eq!(
            open(&place, mode),
            Err("this is not an SQLite database; name another file".into())
        );
        let place = Place::new();
        std::fs::create_dir(&place.path).unwrap();
        assert_eq!(
            open(&place, mode),
            Err("this is a directory; name a file".into())
        );
    }
}

#[test]
fn a_newer_format() {
    for mode in [Mode::Create, Mode::Read] {
        let place = Place::new();
        drop(place.create());
        place
            .plain()
            .execute_batch("PRAGMA user_version = 2")
            .unwrap();
        assert_eq!(
            open(&place, mode),
            Err("this index has format 2, made by a newer version of Bowstring; this version reads format 1: update \
                 Bowstring, or index into another file"
                .into())
        );
    }
}

#[test]
fn nothing_to_read() {
    let place = Place::new();
    assert_eq!(
        open(&place, Mode::Read),
        Err("there is no such file; index the directory first".into())
    );
    assert!(!place.path.exists());
    std::fs::write(&place.path, "").unwrap();
    assert_eq!(
        open(&place, Mode::Read),
        Err("the file holds no index yet; index the directory first".into())
    );
    assert_eq!(open(&place, Mode::Create), Ok(()));
    assert_eq!(open(&place, Mode::Read), Ok(()));
}

#[test]
fn a_missing_directory() {
    let mut place = Place::new();
    place.path = place.path.join("missing/index.db");
    assert_eq!(
        open(&place, Mode::Create),
        Err("the file cannot be opened; check that its directory exists and that both may be read and written".into())
    );
}

#[test]
fn a_damaged_index() {
    let place = Place::new();
    let mut store = place.create();
    index(&mut store, &[odd_batch(1, 50)]);
    drop(store);
    let mut bytes = std::fs::read(&place.path).unwrap();
    let length = bytes.len();
    bytes[16_384..length].fill(0xa5);
    std::fs::write(&place.path, bytes).unwrap();
    let result = Store::open(&place.path, Mode::Read).and_then(|mut store| {
        store.query(&Query::Refs {
            name: "name1".into(),
            limit: 0,
        })
    });
    assert_eq!(
        result.unwrap_err().to_string(),
        format!(
            "{}: the index is damaged; delete the file and index the directory again",
            place.path.display()
        )
    );
}

#[test]
fn meta_without_its_rows() {
    let place = Place::new();
    let mut store = place.create();
    Connection::open(&place.path)
        .unwrap()
        .execute_batch("DELETE FROM meta")
        .unwrap();
    let damaged = format!(
        "{}: the index is damaged; delete the file and index the directory again",
        place.path.display()
    );
    assert_eq!(store.query(&Query::Info).unwrap_err().to_string(), damaged);
    assert_eq!(store.begin("/root").unwrap_err().to_string(), damaged);
}

#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_cannot_be_written() {
    // Nobody can make files there, root included.
    let error = Store::open("/proc/self/index.db", Mode::Create).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/proc/self/index.db: the file cannot be opened; check that its directory exists and that both may be read \
         and written"
    );
}
