//! `cargo bench -p bowstring-store`: the CPU that a full load takes, per row and per line, beside the plain way: one
//! prepared INSERT per table into text columns, and an index on the names.
//!
//! `-- FILES` sets the number of files (default 20,000, which is a million lines); `--no-baseline` leaves the plain way
//! out, `--keep FILE` puts the index there and leaves it.

#[path = "../tests/store/corpus.rs"]
mod corpus;

use std::time::{Duration, Instant};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, UInt32Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use bowstring_store::{Mode, Query, Store};
use corpus::{Corpus, TYPICAL};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ToSql};

/// Files in a batch: 200,000 identifiers, near the extraction's default bound.
const FILES_PER_BATCH: usize = 1_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let files = arguments
        .iter()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(20_000);
    let kept = arguments
        .iter()
        .position(|argument| argument == "--keep")
        .map(|at| arguments[at + 1].clone().into());
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = load_store(
        &kept.unwrap_or_else(|| directory.path().join("index.db")),
        files,
    );
    if arguments.iter().any(|argument| argument == "--no-baseline") {
        return;
    }
    let plain = load_plain(&directory.path().join("plain.db"), files);
    println!(
        "store uses {:.1} times less CPU and {:.1} times less disk",
        plain.0 / store.0,
        plain.1 / store.1
    );
}

struct Timer {
    cpu: Duration,
    started: Option<Duration>,
}

impl Timer {
    fn new() -> Self {
        Self {
            cpu: Duration::ZERO,
            started: None,
        }
    }

    fn start(&mut self) {
        self.started = Some(thread_cpu());
    }

    fn stop(&mut self) -> Duration {
        let lap = thread_cpu() - self.started.take().expect("started");
        self.cpu += lap;
        lap
    }
}

/// The CPU time of this thread; wall time where the kernel does not tell.
fn thread_cpu() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .map_or_else(
            || START.get_or_init(Instant::now).elapsed(),
            Duration::from_nanos,
        )
}

fn batches(files: usize, mut each: impl FnMut(&corpus::Batch)) -> [usize; 5] {
    let mut corpus = Corpus::new(TYPICAL, 1);
    let mut rows = [0; 5];
    for first in (0..files).step_by(FILES_PER_BATCH) {
        let batch = corpus.batch(FILES_PER_BATCH.min(files - first));
        each(&batch);
        for (rows, table) in rows.iter_mut().zip(&batch) {
            *rows += table.num_rows();
        }
    }
    rows
}

fn report(
    name: &str,
    timer: &Timer,
    files: usize,
    rows: [usize; 5],
    path: &std::path::Path,
) -> (f64, f64) {
    let microseconds = timer.cpu.as_secs_f64() * 1e6;
    let lines = (files * TYPICAL.lines_per_file) as f64;
    let bytes = std::fs::metadata(path).expect("the database").len() as f64;
    println!(
        "{name}: {:.3} us CPU a line, {:.3} us a row ({} symbols, {} identifiers, {} relationships), {:.0} bytes a line",
        microseconds / lines,
        microseconds / rows.iter().sum::<usize>() as f64,
        rows[0],
        rows[1],
        rows[2],
        bytes / lines,
    );
    (microseconds, bytes)
}

fn load_store(path: &std::path::Path, files: usize) -> (f64, f64) {
    let mut store = Store::open(path, Mode::Create).expect("a store");
    let mut timer = Timer::new();
    timer.start();
    store.begin("/corpus").expect("begin");
    timer.stop();
    let rows = batches(files, |batch| {
        timer.start();
        store.write(batch).expect("write");
        timer.stop();
    });
    timer.start();
    store.commit().expect("commit");
    let commit = timer.stop();
    println!("store: of which commit {:.3} s", commit.as_secs_f64());
    let result = report("store", &timer, files, rows, path);
    for query in [
        Query::Refs {
            name: "name1".into(),
            limit: 1000,
        },
        Query::Refs {
            name: "get7x3".into(),
            limit: 1000,
        },
        Query::Defs {
            name: "get7x3".into(),
            kind: None,
            locals: true,
            limit: 1000,
        },
        Query::Outline {
            file: Corpus::path(files / 2),
            limit: 1000,
        },
        Query::Info,
    ] {
        let started = Instant::now();
        let answer = store.query(&query).expect("an answer");
        println!(
            "  {query:?}: {} rows of {} in {:.2} ms",
            answer.num_rows(),
            answer.schema().metadata()["bowstring:total"],
            started.elapsed().as_secs_f64() * 1e3
        );
    }
    result
}

fn load_plain(path: &std::path::Path, files: usize) -> (f64, f64) {
    let connection = Connection::open(path).expect("a database");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32768;",
        )
        .expect("pragmas");
    let names = ["symbols", "identifiers", "relationships", "files", "errors"];
    let mut timer = Timer::new();
    let mut created = false;
    let rows = batches(files, |batch| {
        timer.start();
        connection.execute_batch("BEGIN").expect("begin");
        for (name, table) in names.into_iter().zip(batch) {
            if !created {
                let columns: Vec<_> = table
                    .schema()
                    .fields()
                    .iter()
                    .map(|field| field.name().clone())
                    .collect();
                let sql = format!("CREATE TABLE {name}({})", columns.join(", "));
                connection.execute_batch(&sql).expect("a table");
            }
            insert_plain(&connection, name, table);
        }
        created = true;
        connection.execute_batch("COMMIT").expect("commit");
        timer.stop();
    });
    timer.start();
    connection
        .execute_batch(
            "CREATE INDEX symbols_name ON symbols(name); CREATE INDEX identifiers_name ON identifiers(name);
             PRAGMA wal_checkpoint(PASSIVE)",
        )
        .expect("indexes");
    timer.stop();
    report("plain", &timer, files, rows, path)
}

fn insert_plain(connection: &Connection, name: &str, table: &RecordBatch) {
    let marks = vec!["?"; table.num_columns()].join(", ");
    let mut insert = connection
        .prepare_cached(&format!("INSERT INTO {name} VALUES ({marks})"))
        .expect("a statement");
    for row in 0..table.num_rows() {
        let values = table
            .columns()
            .iter()
            .map(|column| Cell(column.as_ref(), row));
        insert
            .execute(rusqlite::params_from_iter(values))
            .expect("an insert");
    }
}

/// One value of a column as a parameter.
struct Cell<'a>(&'a dyn Array, usize);

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let Self(array, row) = *self;
        if array.is_null(row) {
            return Ok(ToSqlOutput::Owned(Value::Null));
        }
        Ok(match array.data_type() {
            DataType::Utf8 => ToSqlOutput::Borrowed(ValueRef::Text(
                array.as_string::<i32>().value(row).as_bytes(),
            )),
            DataType::UInt32 => ToSqlOutput::Owned(Value::Integer(
                array.as_primitive::<UInt32Type>().value(row).into(),
            )),
            _ => ToSqlOutput::Owned(Value::Real(
                array.as_primitive::<Float32Type>().value(row).into(),
            )),
        })
    }
}
