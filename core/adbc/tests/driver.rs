//! A driver that counts: what the client makes is released once, in order, and every error is taken whole.

mod mock;

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use bowstring_abi::{
    ArrowSchema, OwnedStream, OwnedTable, StreamError, StreamSource, export_batch,
};
use bowstring_adbc::{
    Cancellation, Connection, Driver, Error, IngestMode, IngestTarget, ObjectFilter, OptionValue,
};
use mock::{Mock, Revision};

fn connect(mock: &Mock) -> Connection {
    Connection::open(mock.driver(), &[], &[]).unwrap()
}

fn cancellation() -> Arc<Cancellation> {
    Arc::default()
}

fn driver_error(error: Error) -> bowstring_adbc::DriverError {
    match error {
        Error::Driver(error) => error,
        error => panic!("expected an error of the driver but found {error:?}"),
    }
}

#[test]
fn everything_is_released_once_and_in_order() {
    let mock = Mock::new(Revision::V1_1);
    let mut connection = connect(&mock);
    let mut statement = connection.statement(&cancellation()).unwrap();
    statement.set_query("SELECT").unwrap();
    let mut result = statement.query().unwrap();
    assert!(result.stream().next_array().unwrap().is_none());
    drop(result);
    connection.close().unwrap();
    assert_eq!(
        mock.log(),
        [
            "database new",
            "database init",
            "connection new",
            "connection init",
            "statement new",
            "query SELECT",
            "execute",
            "stream release",
            "statement release",
            "connection release",
            "database release",
        ]
    );
}

#[test]
fn what_failed_to_open_is_released_too() {
    for (failing, log) in [
        ("database new", vec!["database new"]),
        (
            "database init",
            vec!["database new", "database init", "database release"],
        ),
        (
            "connection new",
            vec![
                "database new",
                "database init",
                "connection new",
                "database release",
            ],
        ),
        (
            "connection init",
            vec![
                "database new",
                "database init",
                "connection new",
                "connection init",
                "connection release",
                "database release",
            ],
        ),
    ] {
        let mock = Mock::new(Revision::V1_1);
        mock.fail(failing);
        let error = Connection::open(mock.driver(), &[], &[]).err().unwrap();
        assert_eq!(driver_error(error).message, format!("{failing} failed"));
        assert_eq!(mock.log(), log, "{failing}");
        assert_eq!(mock.errors(), (1, 1), "{failing}: made and released");
    }
}

#[test]
fn an_error_is_taken_whole_and_released_once() {
    let mock = Mock::new(Revision::V1_1);
    let mut connection = connect(&mock);
    for failing in ["statement new", "query", "prepare", "execute", "bind"] {
        mock.fail(failing);
        let attempt = || -> Result<(), Error> {
            let mut statement = connection.statement(&cancellation())?;
            statement.set_query("SELECT")?;
            statement.prepare()?;
            statement.bind(OwnedStream::new(Batches::good(1)))?;
            statement.execute()?;
            Ok(())
        };
        let mut attempt = attempt;
        let error = driver_error(attempt().unwrap_err());
        assert_eq!(error.message, format!("{failing} failed"));
        assert_eq!(error.status_name(), "INTEGRITY");
        assert_eq!(error.vendor_code, Some(-19));
        assert_eq!(error.sqlstate.as_deref(), Some("23000"));
    }
    let (made, released) = mock.errors();
    assert_eq!((made, released), (5, 5));
    drop(connection);
    assert_eq!(mock.count("statement new"), 5);
    // The one that could not be made has nothing to release.
    assert_eq!(mock.count("statement release"), 4);
}

#[test]
fn a_driver_without_words_or_codes() {
    let mock = Mock::new(Revision::V1_0);
    mock.fail_silently("execute");
    let mut connection = connect(&mock);
    let mut statement = connection.statement(&cancellation()).unwrap();
    statement.set_query("SELECT").unwrap();
    let error = driver_error(statement.execute().unwrap_err());
    assert_eq!(error.message, "the driver gave no message");
    assert_eq!((error.vendor_code, error.sqlstate), (None, None));
}

#[test]
fn revision_1_0_is_asked_for_after_1_1_and_its_gaps_are_errors() {
    assert_eq!(Mock::new(Revision::V1_1).driver().version(), 1_001_000);
    let mock = Mock::new(Revision::V1_0);
    assert_eq!(mock.driver().version(), 1_000_000);

    let mut connection = connect(&mock);
    // A number goes as text where there is no function for numbers.
    let mut statement = connection.statement(&cancellation()).unwrap();
    statement.set_option("rows", &OptionValue::Int(7)).unwrap();
    statement
        .set_option("ratio", &OptionValue::Double(0.5))
        .unwrap();
    statement.set_option("flag", &true.into()).unwrap();
    assert_eq!(mock.count("option rows=7"), 1);
    assert_eq!(mock.count("option ratio=0.5"), 1);
    assert_eq!(mock.count("option flag=true"), 1);
    drop(statement);
    let error = connection.table_types(&cancellation()).err().unwrap();
    let error = driver_error(error);
    assert_eq!(error.status_name(), "NOT_IMPLEMENTED");
    assert_eq!(error.message, "the driver has no ConnectionGetTableTypes");
    assert!(
        connection
            .objects(&ObjectFilter::default(), &cancellation())
            .is_err()
    );
    assert!(connection.table_schema(None, None, "t").is_err());
}

#[test]
fn numbers_go_as_numbers_where_the_driver_takes_them() {
    let mock = Mock::new(Revision::V1_1);
    let mut connection = connect(&mock);
    let mut statement = connection.statement(&cancellation()).unwrap();
    statement.set_option("rows", &OptionValue::Int(7)).unwrap();
    assert_eq!(mock.count("int option rows=7"), 1);
    let error = statement.set_option("a\0b", &true.into()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected no NUL in the name of an option"
    );
    mock.fail("option");
    let error = statement.set_option("flag", &true.into()).unwrap_err();
    assert_eq!(error.to_string(), "option flag: option failed");
}

#[test]
fn transactions_switch_autocommit() {
    let mock = Mock::new(Revision::V1_1);
    let mut connection = connect(&mock);
    assert_eq!(
        driver_error(connection.commit().unwrap_err()).status_name(),
        "INVALID_STATE"
    );
    assert!(connection.rollback().is_err());
    connection.begin().unwrap();
    assert!(connection.begin().is_err());
    mock.fail("commit");
    assert!(
        connection.commit().is_err(),
        "the transaction has not ended"
    );
    connection.rollback().unwrap();
    connection.begin().unwrap();
    connection.commit().unwrap();
    let log = mock.log();
    assert_eq!(
        log[4..],
        [
            "connection option adbc.connection.autocommit=false",
            "commit",
            "rollback",
            "connection option adbc.connection.autocommit=true",
            "connection option adbc.connection.autocommit=false",
            "commit",
            "connection option adbc.connection.autocommit=true",
        ]
    );
}

#[test]
fn what_is_bound_is_released_once_also_when_it_is_refused() {
    let mock = Mock::new(Revision::V1_1);
    for failing in [None, Some("bind"), Some("execute")] {
        let mut connection = connect(&mock);
        failing.inspect(|failing| mock.fail(failing));
        let source = Batches::good(3);
        let dropped = source.dropped.clone();
        let mut statement = connection.statement(&cancellation()).unwrap();
        let bound = statement.bind(OwnedStream::new(source));
        if bound.is_ok() {
            let rows = statement.execute();
            assert_eq!(rows.ok(), failing.is_none().then_some(Some(3)));
        } else {
            drop(statement);
        }
        assert_eq!(Arc::strong_count(&dropped), 1, "{failing:?}: released");
    }
}

#[test]
fn a_source_that_fails_is_told_from_one_that_ends() {
    let mock = Mock::new(Revision::V1_1);
    let mut connection = connect(&mock);
    let mut statement = connection.statement(&cancellation()).unwrap();
    let target = IngestTarget {
        table: "t".to_owned(),
        mode: IngestMode::CreateAppend,
        catalog: Some("c".to_owned()),
        db_schema: None,
        temporary: true,
    };
    statement.set_target(&target).unwrap();
    statement
        .bind(OwnedStream::new(Batches::failing_after(2)))
        .unwrap();
    // The driver takes the error for the end, and is content.
    let error = statement.execute().unwrap_err();
    assert_eq!(
        error,
        Error::Source(StreamError {
            errno: 5,
            message: Some("broken".to_owned())
        })
    );
    assert_eq!(
        mock.count("option adbc.ingest.mode=adbc.ingest.mode.create_append"),
        1
    );
    assert_eq!(mock.count("option adbc.ingest.target_catalog=c"), 1);
    assert_eq!(mock.count("option adbc.ingest.temporary=true"), 1);
}

#[test]
fn a_cancelled_operation_does_not_begin() {
    let mock = Mock::new(Revision::V1_1);
    let mut connection = connect(&mock);
    let cancelled = cancellation();
    cancelled.cancel();
    assert_eq!(
        connection.statement(&cancelled).err(),
        Some(Error::Cancelled)
    );
    assert_eq!(mock.count("statement new"), 0);
    let late = cancellation();
    let mut statement = connection.statement(&late).unwrap();
    statement.set_query("SELECT").unwrap();
    late.cancel();
    assert_eq!(statement.execute().err(), Some(Error::Cancelled));
    assert_eq!(mock.count("execute"), 0);
    drop(connection);
    assert_eq!(mock.count("statement release"), 1);
}

#[test]
fn a_running_statement_is_cancelled_until_it_stops() {
    let mock = Mock::new(Revision::V1_1);
    // The first two requests come too early for the driver, which ignores them.
    mock.block_execution_until_cancelled(3);
    let mut connection = connect(&mock);
    let cancel = cancellation();
    let mut statement = connection.statement(&cancel).unwrap();
    statement.set_query("SELECT").unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while mock.count("execute") == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
            cancel.cancel();
        });
        let error = driver_error(statement.execute().unwrap_err());
        assert_eq!(error.status_name(), "CANCELLED");
    });
    let cancels = mock.cancels.load(SeqCst);
    assert!(cancels >= 3, "{cancels}");
    // Nothing is asked of a statement that has been released.
    assert_eq!(mock.count("cancel after release"), 0);
}

/// Batches for a driver to read.
struct Batches {
    left: usize,
    fails: bool,
    dropped: Arc<()>,
}

impl Batches {
    fn good(count: usize) -> Self {
        Self {
            left: count,
            fails: false,
            dropped: Arc::default(),
        }
    }

    fn failing_after(count: usize) -> Self {
        Self {
            fails: true,
            ..Self::good(count)
        }
    }

    fn batch() -> OwnedTable {
        let column = Arc::new(arrow_array::Int32Array::from(vec![1])) as _;
        let batch = arrow_array::RecordBatch::try_from_iter([("n", column)]).unwrap();
        export_batch(&batch).unwrap()
    }
}

impl StreamSource for Batches {
    fn schema(&mut self) -> Result<ArrowSchema, StreamError> {
        let table = Self::batch().into_raw();
        // SAFETY: the array is this side's to release.
        drop(unsafe { OwnedTable::from_raw(ArrowSchema::released(), table.array) });
        Ok(table.schema)
    }

    fn next(&mut self) -> Result<Option<OwnedTable>, StreamError> {
        if self.left > 0 {
            self.left -= 1;
            return Ok(Some(Self::batch()));
        }
        match self.fails {
            true => Err(StreamError {
                errno: 5,
                message: Some("broken".to_owned()),
            }),
            false => Ok(None),
        }
    }
}

#[test]
fn a_driver_that_cannot_be_loaded() {
    // SAFETY: nothing is there, or nothing that is run.
    let load = |path: &str, entry| unsafe { Driver::load(path, entry) }.unwrap_err();
    let missing = load("/nowhere/libnone.so", None);
    assert!(
        matches!(&missing, Error::Library(text) if text.contains("/nowhere/libnone.so")),
        "{missing}"
    );
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs");
    assert!(matches!(load(source, None), Error::Library(_)));
}
