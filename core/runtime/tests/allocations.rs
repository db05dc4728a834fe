//! The allocator's own count: after everything has been released it is what it was before, to the byte.

// Whether the threads that were started have ended, and so freed what they had, only this system tells.
#![cfg(target_os = "linux")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering::SeqCst};
use std::thread::spawn;

use bowstring_abi::call::{BowFunction, BowValue, Value};
use bowstring_abi::{
    BowError, BowTable, Failure, Level, OwnedStream, OwnedTable, SchemaTree, Status,
};
use bowstring_runtime::{
    BOW_BUILD_RESTORE, BOW_IMPORT_CONVERT, BOW_IMPORT_STRICT, BOW_VALIDATE_FULL, Call, Demand,
    ImportOptions, Next, drop_token,
};

use common::producer::{Step, stream};
use common::{Alive, Scope, column_words, drain, node, number};

/// How many bytes, and in how many allocations, are alive. The process's first thread does not count: it is the test
/// harness's, which on a busy machine still notes that it started the test when the test has been running for a while.
struct Counting {
    bytes: AtomicIsize,
    allocations: AtomicIsize,
}

impl Counting {
    fn add(&self, bytes: isize, allocations: isize) {
        // SAFETY: neither takes anything or can fail.
        if unsafe { libc::gettid() != libc::getpid() } {
            self.bytes.fetch_add(bytes, SeqCst);
            self.allocations.fetch_add(allocations, SeqCst);
        }
    }

    fn now(&self) -> (isize, isize) {
        (self.bytes.load(SeqCst), self.allocations.load(SeqCst))
    }
}

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.add(layout.size() as isize, 1);
        // SAFETY: by contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.add(layout.size() as isize, 1);
        // SAFETY: by contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.add(-(layout.size() as isize), -1);
        // SAFETY: by contract.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.add(size as isize - layout.size() as isize, 0);
        // SAFETY: by contract.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting {
    bytes: AtomicIsize::new(0),
    allocations: AtomicIsize::new(0),
};

static VALUES: [i64; 3] = [1, -2, 300];

/// Decimals of 64 bits, which are converted.
fn decimals() -> SchemaTree {
    node("+s", "", vec![node("d:9,2,64", "price", vec![])])
}

/// The values above, borrowed under `token`.
fn built(scope: &Scope, schema: u32, token: u32, bytes: f64) -> Result<OwnedTable, Failure> {
    let words = column_words(token, &[], 0, VALUES.as_ptr().addr() as f64, bytes);
    // SAFETY: the address is that of a static of 24 bytes.
    unsafe { scope.context.build(schema, &words) }
}

fn leases(scope: &Scope, alive: &Alive) {
    let context = &scope.context;
    let tables = (0..5).map(|number| alive.table(number)).collect();
    let lease = context.import(tables, Level::Full).unwrap();
    let shown = context.lease(lease).unwrap();
    assert_eq!(shown.schemas().unwrap().len(), 5);
    assert!(!shown.words().unwrap().is_empty());
    let exported = shown.export(3).unwrap();
    drop(shown);
    context.retain(lease, 1).unwrap();
    context.release(lease).unwrap();
    drop_token(u64::from(scope.handle) << 32 | u64::from(lease));
    assert_eq!(number(&exported), 3);
}

fn builds(scope: &Scope) {
    let context = &scope.context;
    let schema = context.register_schema(decimals()).unwrap();
    let table = built(scope, schema, 5, 24.0).unwrap();
    let mut told = context.export_schema(schema, 0).unwrap();
    // SAFETY: a local, and owned.
    drop(unsafe { OwnedTable::take_schema(&mut told) });
    assert!(drain(scope).is_empty());
    drop(table);
    assert_eq!(drain(scope), [5]);
    let refused = built(scope, schema, 6, 16.0).map(drop).unwrap_err();
    assert_eq!(
        refused.message,
        "column[0] \"price\": expected 24 bytes in buffer 1 but found 16"
    );
    context.close_schema(schema).unwrap();
}

fn conversions(scope: &Scope) {
    let context = &scope.context;
    let schema = context.register_schema(decimals()).unwrap();
    let table = || vec![built(scope, schema, 0, 24.0).unwrap()];
    let strict = ImportOptions::from_flags(BOW_VALIDATE_FULL | BOW_IMPORT_STRICT).unwrap();
    let refused = context.import(table(), strict).unwrap_err();
    assert_eq!(refused.status, Status::Unsupported);

    let options = ImportOptions::from_flags(BOW_VALIDATE_FULL | BOW_IMPORT_CONVERT).unwrap();
    let lease = context.import(table(), options).unwrap();
    let shown = context.lease(lease).unwrap();
    let wide = context
        .register_schema(shown.schemas().unwrap().remove(0))
        .unwrap();
    let address = shown.description().blocks[0].address as f64;
    let words = column_words(0, &[lease], BOW_BUILD_RESTORE, address, 48.0);
    // SAFETY: the address is one of the lease that is named.
    let restored = unsafe { context.build(wide, &words) }.unwrap();
    assert_eq!(SchemaTree::read(&restored).unwrap(), decimals());
    context.release(lease).unwrap();
    context.close_schema(wide).unwrap();
    context.close_schema(schema).unwrap();
}

/// Results up to `most`, and how the job went on.
fn results(scope: &Scope, job: u32, most: usize) -> (usize, Result<bool, Failure>) {
    let job = scope.context.job(job).unwrap();
    for count in 0..most {
        assert!(job.wait(u32::MAX));
        match job.next(1) {
            Ok(Next::Group(group)) => drop(group.into_tables()),
            Ok(_) => return (count, Ok(true)),
            Err(failure) => return (count, Err(failure)),
        }
    }
    (most, Ok(false))
}

fn streams_in(scope: &Scope, alive: &Alive) {
    let batches = || (0..100).map(|number| Step::Batch(alive.table(number)));
    let fails = || Step::Fail(5, Some("the disk is on fire"));
    let start = |steps: Vec<Step>, has_schema: bool| {
        let (foreign, _) = stream(has_schema.then(|| alive.table(0)), steps);
        let options = ImportOptions::from(Level::Full);
        scope.context.import_stream(foreign, options).unwrap()
    };
    assert_eq!(
        results(scope, start(batches().collect(), true), 200),
        (101, Ok(true))
    );
    // Left half-way, with a queue.
    let half = start(batches().collect(), true);
    assert_eq!(results(scope, half, 7), (7, Ok(false)));
    scope.context.close_job(half).unwrap();
    for (steps, has_schema, count) in [
        (batches().chain([fails()]).collect(), true, 101),
        (vec![], false, 0),
    ] {
        let (found, end) = results(scope, start(steps, has_schema), 200);
        assert_eq!((found, end.unwrap_err().status), (count, Status::Io));
    }
}

fn streams_out(scope: &Scope, alive: &Alive) {
    let context = &scope.context;
    let tree = SchemaTree::read(&alive.table(0)).unwrap();
    let schema = context.register_schema(tree).unwrap();
    let consume = |mut stream: OwnedStream, most: usize| {
        spawn(move || {
            let told = stream.schema().map(drop);
            let mut count = 0;
            while count < most
                && let Ok(Some(array)) = stream.next_array()
            {
                let schema = bowstring_abi::ArrowSchema::released();
                // SAFETY: the array was given to this side.
                drop(unsafe { OwnedTable::from_raw(schema, array) });
                count += 1;
            }
            (told, count)
        })
    };
    // To the end, to an error, and until the consumer leaves.
    for (message, most) in [(None, 100), (Some("no more"), 100), (None, 3)] {
        let (stream, consumer) = context.export_stream(schema, 0).unwrap();
        let consumer = consume(consumer, most);
        let mut pushed = 0;
        while pushed < 50 {
            match context.stream_demand(stream).unwrap() {
                Demand::Pending => assert!(context.wait(u32::MAX).unwrap()),
                Demand::Done => break,
                Demand::Wanted(_) => pushed += 1,
            }
            context.push_to_stream(stream, alive.table(pushed)).unwrap();
        }
        context
            .end_stream(stream, message.map(str::to_owned))
            .unwrap();
        let (told, count) = consumer.join().unwrap();
        told.unwrap();
        assert!(count >= pushed as usize || most == 3);
        context.close_stream(stream).unwrap();
    }
    // Nobody reads, nobody ends.
    let (stream, consumer) = context.export_stream(schema, 0).unwrap();
    context.push_to_stream(stream, alive.table(1)).unwrap();
    context.close_stream(stream).unwrap();
    drop(consumer);
    context.close_schema(schema).unwrap();
}

/// Gives its first input back, or fails if that is the number 7; what else it was given it leaves.
unsafe extern "C" fn first(
    inputs: *mut BowValue,
    _input_count: u32,
    output: *mut BowValue,
    _options: *const u8,
    _options_length: u32,
    error: *mut BowError,
) -> i32 {
    // SAFETY: called as `bow_function` says.
    unsafe {
        let table = Value::take(inputs).unwrap().into_table().unwrap();
        if number(&table) == 7 {
            Failure::new(Status::Io, "it is out of order").write_to(error);
            return Status::Io as i32;
        }
        output.write(Value::Table(table).into_raw());
    }
    0
}

fn calls(scope: &Scope, alive: &Alive) {
    for (number, expected) in [(1, (1, Ok(true))), (7, (0, Err(())))] {
        let (foreign, _) = stream(Some(alive.table(0)), vec![Step::Batch(alive.table(8))]);
        let call = Call {
            function: first as BowFunction,
            inputs: vec![Value::Table(alive.table(number)), Value::Stream(foreign)],
            options: b"{}".to_vec(),
            output: 1,
            import: Level::Full.into(),
        };
        // SAFETY: the function has the shape.
        let job = unsafe { scope.context.start_call(call) }.unwrap();
        let (count, end) = results(scope, job, 9);
        assert_eq!((count, end.map_err(drop)), expected);
    }
}

fn jobs(scope: &Scope, alive: &Alive) {
    let start = |count: u32, end: Result<(), Failure>| {
        let alive = alive.clone();
        let work = move |outlet: &bowstring_runtime::Outlet| {
            for number in 0..count {
                if outlet.send(vec![alive.table(number)]).is_break() {
                    break;
                }
            }
            end
        };
        let job = scope
            .context
            .start_job("test", std::sync::Arc::new(()), work);
        job.unwrap()
    };
    assert_eq!(results(scope, start(20, Ok(())), 99), (20, Ok(true)));
    let failure = Failure::new(Status::Io, "it is out of order");
    assert_eq!(
        results(scope, start(2, Err(failure.clone())), 99),
        (2, Err(failure))
    );
    let cancelled = start(u32::MAX, Ok(()));
    assert_eq!(results(scope, cancelled, 5), (5, Ok(false)));
    scope.context.close_job(cancelled).unwrap();
    // The context's end is the end of this one.
    start(u32::MAX, Ok(()));
}

fn failures(scope: &Scope, alive: &Alive) {
    let context = &scope.context;
    let BowTable { schema, mut array } = alive.table(1).into_raw();
    array.length = -1;
    // SAFETY: both structs are owned.
    let lying = unsafe { OwnedTable::from_raw(schema, array) };
    let refused = context
        .import(vec![alive.table(2), lying], Level::Minimal)
        .unwrap_err();
    assert_eq!(
        refused.message,
        "table[1]: record batch: expected length >= 0 but found -1"
    );
    let stale = context.release(0xfff0_0000).unwrap_err();
    assert_eq!(
        stale.to_string(),
        "there is no lease 0xfff00000, or it has been closed"
    );
    let refused = context.register_schema(node("+x", "", vec![])).unwrap_err();
    assert_eq!(
        refused.message,
        "schema: expected a format of the C data interface but found \"+x\""
    );
}

fn round() {
    let (scope, alive) = (Scope::open(), Alive::default());
    leases(&scope, &alive);
    builds(&scope);
    conversions(&scope);
    streams_in(&scope, &alive);
    streams_out(&scope, &alive);
    calls(&scope, &alive);
    jobs(&scope, &alive);
    failures(&scope, &alive);
    // A lease that the context's end releases.
    let table = vec![alive.table(1)];
    scope.context.import(table, Level::Full).unwrap();
}

/// The system's own count. A listing of /proc/self/task ends early when the thread that it has come to is ending.
fn threads() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let count = status
        .lines()
        .find_map(|line| line.strip_prefix("Threads:"));
    count.expect("a count").trim().parse().unwrap()
}

#[test]
fn the_allocators_count_is_what_it_was_after_any_number_of_rounds() {
    // Not on the first thread, where a harness that is told to use one thread runs its tests.
    let counted = spawn(|| {
        let running = threads();
        let settled = || {
            round();
            while threads() > running {
                std::thread::yield_now();
            }
            ALLOCATOR.now()
        };
        // Tables of handles and what threads keep for themselves have their size after the first.
        let before = [settled(), settled()][1];
        for number in 1..=20 {
            assert_eq!(settled(), before, "bytes and allocations, round {number}");
        }
    });
    counted.join().unwrap();
}
