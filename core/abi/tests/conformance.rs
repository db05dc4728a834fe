//! Arrow's own integration data: each case goes out and comes in again, as it is and converted, and must be equal.
//!
//! The data is not part of this repository: it is looked for beside the checkout, or where `BOWSTRING_CONFORMANCE` says.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_integration_test::ArrowJson;
use arrow_schema::Schema;
use bowstring_abi::check::check;
use bowstring_abi::convert::{convert, convert_schema, restore, restore_schema};
use bowstring_abi::{Level, SchemaTree, export_batch, import_table};
use flate2::read::GzDecoder;

fn directory() -> Option<PathBuf> {
    let beside = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/conformance/arrow-cpp-21.0.0"
    );
    let directory = match std::env::var_os("BOWSTRING_CONFORMANCE") {
        Some(directory) => PathBuf::from(directory),
        None => PathBuf::from(beside),
    };
    directory.is_dir().then_some(directory)
}

/// Runs `body` on every batch of every case. If there is no data a line says so.
fn for_each_batch(body: impl Fn(&str, &RecordBatch)) {
    let Some(directory) = directory() else {
        // Not by a macro, whose output the test runner keeps to itself.
        let notice = b"skipped: Arrow's integration data is not there\n";
        std::io::stderr().write_all(notice).unwrap();
        return;
    };
    let mut cases = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(case) = name.strip_suffix(".json.gz") else {
            continue;
        };
        let json = GzDecoder::new(File::open(&path).unwrap());
        let json: ArrowJson = serde_json::from_reader(json).unwrap();
        let batches = json.get_record_batches().unwrap();
        cases += 1;
        for batch in &batches {
            body(case, batch);
        }
    }
    assert_eq!(cases, 32, "cases of Arrow's integration data");
}

#[test]
fn each_case_is_exported_checked_and_imported() {
    for_each_batch(|case, batch| {
        let table = export_batch(batch).unwrap();
        check(&table, Level::Full).unwrap_or_else(|invalid| panic!("{case}: {invalid}"));
        assert_eq!(&import_table(table).unwrap().batch, batch, "{case}");
    });
}

#[test]
fn each_case_is_converted_and_restored() {
    for_each_batch(|case, batch| {
        let original = export_batch(batch).unwrap();
        let tree = SchemaTree::read(&original).unwrap();
        let converted = convert(original, false)
            .unwrap_or_else(|invalid| panic!("{case}: {invalid}"))
            .table;
        check(&converted, Level::Full).unwrap_or_else(|invalid| panic!("{case}: {invalid}"));
        let shown = SchemaTree::read(&converted).unwrap();
        assert_eq!(shown, convert_schema(&tree), "{case}");
        assert_eq!(
            convert_schema(&shown),
            shown,
            "{case}: nothing is left to convert"
        );
        assert_eq!(
            schema_of(&restore_schema(&shown).unwrap()),
            batch.schema().as_ref().clone(),
            "{case}"
        );
        let restored = restore(converted).unwrap();
        check(&restored.table, Level::Full).unwrap();
        assert_eq!(
            &import_table(restored.table).unwrap().batch,
            batch,
            "{case}"
        );
    });
}

#[test]
fn slices_of_each_case_are_converted_and_restored() {
    for_each_batch(|case, batch| {
        for offset in [1, 3] {
            let offset = offset.min(batch.num_rows());
            let slice = batch.slice(offset, batch.num_rows() - offset);
            let converted = convert(export_batch(&slice).unwrap(), false).unwrap().table;
            let restored = restore(converted).unwrap().table;
            assert_eq!(import_table(restored).unwrap().batch, slice, "{case}");
        }
    });
}

fn schema_of(tree: &SchemaTree) -> Schema {
    let field = tree.to_field().unwrap();
    let arrow_schema::DataType::Struct(fields) = field.data_type() else {
        panic!("a batch is a struct");
    };
    Schema::new(fields.clone()).with_metadata(field.metadata().clone())
}
