//! The functions as a caller in another language has them, by address and on the threads of jobs.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use bowstring_abi::call::{BowFunction, Value};
use bowstring_abi::{Failure, Level, OwnedStream, SchemaTree, Status, export_batch, import_table};
use bowstring_runtime::{Call, Context, Demand, Next};
use native_filter::{filter_rows, filter_stream, group_by};

fn batch(rows: &[(Option<&str>, Option<f64>)]) -> RecordBatch {
    let names: StringArray = rows.iter().map(|row| row.0).collect();
    let scores: Float64Array = rows.iter().map(|row| row.1).collect();
    let columns: [(&str, ArrayRef); 2] = [("name", Arc::new(names)), ("score", Arc::new(scores))];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))
        .unwrap()
}

fn first() -> RecordBatch {
    batch(&[
        (Some("a"), Some(1.0)),
        (Some("b"), None),
        (None, Some(3.0)),
        (Some("a"), Some(4.0)),
    ])
}

fn second() -> RecordBatch {
    batch(&[(Some("b"), Some(0.5)), (Some("c"), Some(9.0))])
}

struct Scope(u32, Arc<Context>);

impl Scope {
    fn open() -> Self {
        let handle = bowstring_runtime::open_context().unwrap();
        Self(handle, bowstring_runtime::context(handle).unwrap())
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        bowstring_runtime::close_context(self.0).unwrap();
    }
}

/// Calls a function as a job and gives its results.
fn call(
    scope: &Scope,
    function: BowFunction,
    inputs: Vec<Value>,
    output: u32,
    options: &str,
) -> Result<Vec<RecordBatch>, Failure> {
    let call = Call {
        function,
        inputs,
        options: options.as_bytes().to_vec(),
        output,
        import: Level::Full.into(),
    };
    // SAFETY: the function is one of this crate's.
    let job = unsafe { scope.1.start_call(call) }?;
    let handle = job;
    let job = scope.1.job(job).unwrap();
    let mut batches = Vec::new();
    let result = loop {
        assert!(job.wait(u32::MAX));
        match job.next(1) {
            Ok(Next::Group(group)) => {
                let table = group.into_tables().remove(0);
                batches.push(import_table(table)?.batch);
            }
            Ok(_) => break Ok(batches),
            Err(failure) => break Err(failure),
        }
    };
    scope.1.close_job(handle).unwrap();
    result
}

const TABLE: u32 = 1;
const STREAM: u32 = 2;

fn table(batch: &RecordBatch) -> Value {
    Value::Table(export_batch(batch).unwrap())
}

fn stream(batches: Vec<RecordBatch>) -> Value {
    let schema = first().schema();
    Value::Stream(OwnedStream::from_batches(
        schema,
        batches.into_iter().map(Ok),
    ))
}

const AT_LEAST_ONE: &str = r#"{"column": "score", "least": 1}"#;

#[test]
fn a_table_is_filtered() {
    let found = call(
        &Scope::open(),
        filter_rows,
        vec![table(&first())],
        TABLE,
        AT_LEAST_ONE,
    );
    let expected = batch(&[
        (Some("a"), Some(1.0)),
        (None, Some(3.0)),
        (Some("a"), Some(4.0)),
    ]);
    assert_eq!(found.unwrap(), [expected]);
}

#[test]
fn a_stream_is_filtered_batch_by_batch() {
    let inputs = vec![stream(vec![first(), second()])];
    let found = call(&Scope::open(), filter_stream, inputs, STREAM, AT_LEAST_ONE).unwrap();
    let rows: Vec<_> = found.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(rows, [0, 3, 1], "the schema, then each batch");
}

#[test]
fn a_stream_that_javascript_feeds_is_grouped() {
    let scope = Scope::open();
    let schema = SchemaTree::of_schema(&first().schema()).unwrap();
    let schema = scope.1.register_schema(schema).unwrap();
    let (handle, consumer) = scope.1.export_stream(schema, 0).unwrap();
    let call = Call {
        function: group_by,
        inputs: vec![Value::Stream(consumer)],
        options: br#"{"key": "name", "sum": "score"}"#.to_vec(),
        output: TABLE,
        import: Level::Full.into(),
    };
    // SAFETY: the function is one of this crate's.
    let job = unsafe { scope.1.start_call(call) }.unwrap();
    for batch in [first(), second()] {
        while !matches!(scope.1.stream_demand(handle).unwrap(), Demand::Wanted(_)) {
            assert!(scope.1.wait(u32::MAX).unwrap());
        }
        let batch = export_batch(&batch).unwrap();
        assert!(scope.1.push_to_stream(handle, batch).unwrap());
    }
    scope.1.end_stream(handle, None).unwrap();
    let job = scope.1.job(job).unwrap();
    assert!(job.wait(u32::MAX));
    let Ok(Next::Group(group)) = job.next(1) else {
        panic!("expected a table");
    };
    let batch = import_table(group.into_tables().remove(0)).unwrap().batch;
    let keys: Vec<_> = batch.column(0).as_string::<i32>().iter().collect();
    assert_eq!(keys, [Some("a"), Some("b"), None, Some("c")]);
    let counts = batch.column(1).as_primitive::<Int64Type>();
    assert_eq!(counts.values(), &[2, 2, 1, 1]);
    let sums = batch.column(2).as_primitive::<Float64Type>();
    assert_eq!(sums.values(), &[5.0, 0.5, 3.0, 9.0]);
}

#[test]
fn what_is_wrong_is_said() {
    type Case<'a> = (BowFunction, Vec<Value>, u32, &'a str, &'a str);
    let options = r#"{"column": "name", "least": 1}"#;
    let cases: Vec<Case> = vec![
        (
            filter_rows,
            vec![table(&first())],
            TABLE,
            "{}",
            "options: missing field `column` at line 1 column 2",
        ),
        (
            filter_rows,
            vec![table(&first())],
            TABLE,
            r#"{"column": "size", "least": 1}"#,
            "there is no column \"size\"",
        ),
        (
            filter_rows,
            vec![table(&first())],
            TABLE,
            options,
            "column \"name\": expected Float64 but found Utf8",
        ),
        (
            filter_rows,
            vec![],
            TABLE,
            AT_LEAST_ONE,
            "expected 1 inputs but found 0",
        ),
        (
            filter_rows,
            vec![stream(vec![])],
            TABLE,
            AT_LEAST_ONE,
            "expected a table but found a stream",
        ),
        (
            filter_rows,
            vec![table(&first())],
            STREAM,
            AT_LEAST_ONE,
            "expected a stream from the function but found a table",
        ),
        (
            filter_rows,
            vec![table(&first())],
            3,
            AT_LEAST_ONE,
            "expected an output of kind 0, 1 or 2 but found 3",
        ),
    ];
    let scope = Scope::open();
    for (function, inputs, output, options, expected) in cases {
        let failure = call(&scope, function, inputs, output, options).unwrap_err();
        assert_eq!(
            failure,
            Failure::new(Status::InvalidArgument, expected),
            "{expected}"
        );
    }
    let inputs = vec![stream(vec![first(), second()])];
    let failure = call(&scope, filter_stream, inputs, STREAM, options).unwrap_err();
    let expected = "the stream failed: column \"name\": expected Float64 but found Utf8 (errno 5)";
    assert_eq!(failure, Failure::new(Status::Io, expected));
}
