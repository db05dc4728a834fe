//! Calls of foreign functions: who releases what, and what is said when they fail.

mod common;

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use bowstring_abi::call::{BowFunction, BowValue, Value};
use bowstring_abi::{BowError, Failure, Level, Status};
use bowstring_runtime::{Call, Next, open_library, symbol};

use common::producer::{Step, stream};
use common::{Alive, Scope, number};

const NONE: u32 = 0;
const TABLE: u32 = 1;

fn start(scope: &Scope, function: BowFunction, inputs: Vec<Value>, output: u32) -> u32 {
    let call = Call {
        function,
        inputs,
        options: b"{}".to_vec(),
        output,
        import: Level::Default.into(),
    };
    // SAFETY: the functions of this file have the shape.
    unsafe { scope.context.start_call(call) }.unwrap()
}

fn end(scope: &Scope, job: u32) -> Result<Next, Failure> {
    let job = scope.context.job(job).unwrap();
    assert!(job.wait(u32::MAX));
    job.next(1)
}

/// Leaves its inputs where they are.
unsafe extern "C" fn takes_nothing(
    _inputs: *mut BowValue,
    _input_count: u32,
    _output: *mut BowValue,
    _options: *const u8,
    _options_length: u32,
    _error: *mut BowError,
) -> i32 {
    0
}

/// Gives its second input back.
unsafe extern "C" fn second(
    inputs: *mut BowValue,
    input_count: u32,
    output: *mut BowValue,
    options: *const u8,
    options_length: u32,
    _error: *mut BowError,
) -> i32 {
    // SAFETY: called as `bow_function` says.
    unsafe {
        assert_eq!(input_count, 2);
        let options = std::slice::from_raw_parts(options, options_length as usize);
        assert_eq!(options, b"{}");
        output.write(Value::take(inputs.add(1)).unwrap().into_raw());
    }
    0
}

/// Fails with the status that its input's number is, and a message unless that is 7.
unsafe extern "C" fn fails(
    inputs: *mut BowValue,
    _input_count: u32,
    _output: *mut BowValue,
    _options: *const u8,
    _options_length: u32,
    error: *mut BowError,
) -> i32 {
    // SAFETY: called as `bow_function` says.
    unsafe {
        let code = number(&Value::take(inputs).unwrap().into_table().unwrap()) as i32;
        if code != 7 {
            Failure::new(Status::Io, "it is out of order").write_to(error);
        }
        code
    }
}

#[test]
fn inputs_that_a_function_does_not_take_are_released_after_it() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let (foreign, releases) = stream(Some(alive.table(1)), vec![Step::Batch(alive.table(2))]);
    let inputs = vec![
        Value::Table(alive.table(3)),
        Value::Stream(foreign),
        Value::None,
    ];
    let job = start(&scope, takes_nothing, inputs, NONE);
    assert!(matches!(end(&scope, job), Ok(Next::Done)));
    assert_eq!(
        (
            alive.count(),
            releases.load(std::sync::atomic::Ordering::SeqCst)
        ),
        (0, 1)
    );
}

#[test]
fn an_output_is_one_result() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let inputs = [4, 5].map(|number| Value::Table(alive.table(number)));
    let job = start(&scope, second, inputs.into(), TABLE);
    match end(&scope, job) {
        Ok(Next::Group(group)) => assert_eq!(number(&group.into_tables()[0]), 5),
        other => panic!("expected a table but found {other:?}"),
    }
    assert!(matches!(end(&scope, job), Ok(Next::Done)));
    assert_eq!(alive.count(), 0);
}

#[test]
fn a_stream_output_is_read_to_its_end() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let (foreign, _) = stream(Some(alive.table(0)), vec![Step::Batch(alive.table(8))]);
    let inputs = vec![Value::None, Value::Stream(foreign)];
    let job = start(&scope, second, inputs, 2);
    let mut lengths = Vec::new();
    while let Ok(Next::Group(group)) = end(&scope, job) {
        lengths.push(group.into_tables()[0].array().length);
    }
    assert_eq!((lengths, alive.count()), (vec![0, 1], 0));
}

#[test]
fn an_output_of_another_kind_is_refused_and_released() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let cases: [(BowFunction, u32, &str); 3] = [
        (
            takes_nothing,
            TABLE,
            "expected a table from the function but found nothing",
        ),
        (
            second,
            NONE,
            "expected nothing from the function but found a table",
        ),
        (
            second,
            2,
            "expected a stream from the function but found a table",
        ),
    ];
    for (function, output, expected) in cases {
        let inputs = [4, 5].map(|number| Value::Table(alive.table(number)));
        let job = start(&scope, function, inputs.into(), output);
        let failure = end(&scope, job).unwrap_err();
        assert_eq!(failure, Failure::invalid_argument(expected));
        assert_eq!(alive.count(), 0);
    }
}

#[test]
fn a_failure_has_the_functions_status_and_words() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let cases = [
        (24, Status::Unsupported, "it is out of order"),
        (23, Status::InvalidArrow, "it is out of order"),
        (
            7,
            Status::Io,
            "the function failed with status 7 and without a message",
        ),
        (999, Status::Io, "it is out of order"),
        (1, Status::Io, "it is out of order"),
    ];
    for (code, status, message) in cases {
        let job = start(&scope, fails, vec![Value::Table(alive.table(code))], TABLE);
        let failure = end(&scope, job).unwrap_err();
        assert_eq!(failure, Failure::new(status, message), "{code}");
    }
    assert_eq!(alive.count(), 0);
}

/// The gate of the one function that waits: says that it has begun, and what it waits for.
static GATE: Mutex<Option<(Sender<()>, Receiver<()>)>> = Mutex::new(None);

unsafe extern "C" fn waits(
    inputs: *mut BowValue,
    _input_count: u32,
    output: *mut BowValue,
    _options: *const u8,
    _options_length: u32,
    _error: *mut BowError,
) -> i32 {
    let (begun, gate) = GATE.lock().unwrap().take().unwrap();
    begun.send(()).unwrap();
    gate.recv().unwrap();
    // SAFETY: called as `bow_function` says.
    unsafe { output.write(Value::take(inputs).unwrap().into_raw()) };
    0
}

#[test]
fn a_cancelled_call_ends_at_once_and_its_output_is_released_when_it_returns() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let ((begun, has_begun), (open, gate)) = (channel(), channel());
    *GATE.lock().unwrap() = Some((begun, gate));
    let job = start(&scope, waits, vec![Value::Table(alive.table(6))], TABLE);
    has_begun.recv().unwrap();
    scope.context.job(job).unwrap().cancel();
    assert_eq!(end(&scope, job).unwrap_err().status, Status::Cancelled);
    assert_eq!(alive.count(), 1);
    open.send(()).unwrap();
    while alive.count() > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn a_call_that_cannot_start_releases_its_inputs() {
    let (scope, alive) = (Scope::open(), Alive::default());
    bowstring_runtime::close_context(scope.handle).unwrap();
    let call = Call {
        function: takes_nothing,
        inputs: vec![Value::Table(alive.table(1))],
        options: Vec::new(),
        output: NONE,
        import: Level::Default.into(),
    };
    // SAFETY: the function has the shape.
    let refused = unsafe { scope.context.start_call(call) }.unwrap_err();
    assert_eq!((refused.status, alive.count()), (Status::StaleHandle, 0));
}

#[test]
fn values_are_told_apart() {
    let alive = Alive::default();
    let mut bad = Value::Table(alive.table(1)).into_raw();
    bad.kind = 9;
    // SAFETY: a local; what is in it is taken back below.
    let refused = unsafe { Value::take(&mut bad) }.unwrap_err();
    assert_eq!(
        refused.message,
        "expected a value of kind 0, 1 or 2 but found 9"
    );
    bad.kind = 1;
    // SAFETY: it is still the table that it was.
    drop(unsafe { Value::take(&mut bad) });
    assert_eq!(alive.count(), 0);
    // SAFETY: as above; there is nothing left.
    assert!(matches!(unsafe { Value::take(&mut bad) }, Ok(Value::None)));
    let table = || Value::Table(alive.table(1));
    let messages = [
        table().into_stream().map(drop).unwrap_err().message,
        Value::None.into_table().map(drop).unwrap_err().message,
    ];
    assert_eq!(
        messages,
        [
            "expected a stream but found a table",
            "expected a table but found nothing"
        ]
    );
    assert_eq!(alive.count(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn libraries_are_opened_once_and_asked_for_symbols() {
    // SAFETY: the C library is loaded already; its initialisers have run.
    let library = unsafe { open_library("libc.so.6") }.unwrap();
    // SAFETY: as above.
    assert_eq!(unsafe { open_library("libc.so.6") }.unwrap(), library);
    let address = symbol(library, "abs").unwrap();
    // SAFETY: this is what C declares.
    let abs = unsafe { std::mem::transmute::<usize, extern "C" fn(i32) -> i32>(address) };
    assert_eq!(abs(-3), 3);
    let missing = symbol(library, "no_such_function").unwrap_err();
    assert_eq!(missing.status, Status::InvalidArgument);
    assert!(missing.message.contains("no_such_function"), "{missing}");
    let stale = symbol(library + 1, "abs").unwrap_err();
    let expected = format!(
        "there is no library {:#x}, or it has been closed",
        library + 1
    );
    assert_eq!(stale, Failure::new(Status::StaleHandle, expected));
    // SAFETY: there is nothing whose initialisers could run.
    let missing = unsafe { open_library("/no/such/library.so") }.unwrap_err();
    assert_eq!(missing.status, Status::Io);
    assert!(missing.message.contains("/no/such/library.so"), "{missing}");
}
