//! Streams out: JavaScript pushes, a consumer on another thread pulls.

mod common;

use std::thread::{JoinHandle, spawn};

use bowstring_abi::{Failure, OwnedStream, OwnedTable, SchemaTree, Status, StreamError};
use bowstring_runtime::{Demand, close_context};

use common::{Alive, Scope, number};

/// The schema of `Alive::table`.
fn schema(scope: &Scope) -> u32 {
    let tree = SchemaTree::read(&Alive::default().table(0)).unwrap();
    scope.context.register_schema(tree).unwrap()
}

fn export(scope: &Scope) -> (u32, OwnedStream) {
    scope.context.export_stream(schema(scope), 0).unwrap()
}

fn next(stream: &mut OwnedStream) -> Result<Option<u32>, StreamError> {
    let array = stream.next_array()?;
    Ok(array.map(|array| {
        let schema = bowstring_abi::ArrowSchema::released();
        // SAFETY: the array was given to this side.
        number(&unsafe { OwnedTable::from_raw(schema, array) })
    }))
}

/// What a consumer on a thread of its own gets, up to the end or an error.
type Consumed = (Vec<u32>, Result<(), StreamError>);

fn consume(mut stream: OwnedStream) -> JoinHandle<Consumed> {
    spawn(move || {
        let mut numbers = Vec::new();
        loop {
            match next(&mut stream) {
                Ok(Some(number)) => numbers.push(number),
                Ok(None) => return (numbers, Ok(())),
                Err(error) => return (numbers, Err(error)),
            }
        }
    })
}

/// Waits, as JavaScript does, until a stream wants batches or none any more.
fn demand(scope: &Scope, stream: u32) -> Demand {
    loop {
        match scope.context.stream_demand(stream).unwrap() {
            Demand::Pending => assert!(scope.context.wait(u32::MAX).unwrap()),
            answer => return answer,
        }
    }
}

fn error(errno: i32, message: &str) -> StreamError {
    let message = Some(message.to_owned());
    StreamError { errno, message }
}

#[test]
fn a_consumer_gets_every_batch_in_order_and_then_the_end() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let (stream, mut consumer) = export(&scope);
    let schema = SchemaTree::read_schema(consumer.schema().unwrap().schema()).unwrap();
    assert_eq!(schema, SchemaTree::read(&alive.table(0)).unwrap());
    assert_eq!(scope.context.stats().live_streams, 1.0);
    assert_eq!(
        scope.context.stream_demand(stream).unwrap(),
        Demand::Pending,
        "nothing is wanted before the first get_next"
    );
    let consumer = consume(consumer);
    let mut pushed = 0;
    while pushed < 1000 {
        let Demand::Wanted(wanted) = demand(&scope, stream) else {
            panic!("expected demand");
        };
        for _ in 0..wanted.min(1000 - pushed) {
            let batch = alive.table(pushed as u32);
            assert!(scope.context.push_to_stream(stream, batch).unwrap());
            pushed += 1;
        }
    }
    scope.context.end_stream(stream, None).unwrap();
    assert_eq!(scope.context.stream_demand(stream).unwrap(), Demand::Done);
    scope.context.close_stream(stream).unwrap();
    assert_eq!(consumer.join().unwrap(), ((0..1000).collect(), Ok(())));
    assert_eq!(
        (alive.count(), scope.context.stats().live_streams),
        (0, 0.0)
    );
}

#[test]
fn errors_reach_the_consumer_with_errno_and_message() {
    // What the feeder does after one batch, and what the consumer is told.
    type Act = fn(&Scope, u32);
    let cases: [(Act, StreamError); 3] = [
        (
            |scope, stream| {
                let message = Some("out of \0 luck".to_owned());
                scope.context.end_stream(stream, message).unwrap();
            },
            error(libc::EIO, "out of \u{fffd} luck"),
        ),
        (
            |scope, stream| scope.context.close_stream(stream).unwrap(),
            error(libc::ECANCELED, "the stream was closed before its end"),
        ),
        (
            |scope, _| close_context(scope.handle).unwrap(),
            error(
                libc::ECANCELED,
                "the context that fed this stream was closed",
            ),
        ),
    ];
    for (act, expected) in cases {
        let (scope, alive) = (Scope::open(), Alive::default());
        let (stream, consumer) = export(&scope);
        let consumer = consume(consumer);
        assert!(matches!(demand(&scope, stream), Demand::Wanted(_)));
        let batch = alive.table(1);
        assert!(scope.context.push_to_stream(stream, batch).unwrap());
        act(&scope, stream);
        assert_eq!(consumer.join().unwrap(), (vec![1], Err(expected)));
        assert_eq!(alive.count(), 0);
    }
}

#[test]
fn the_owning_thread_is_refused_where_it_would_wait_for_itself() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let (stream, mut consumer) = export(&scope);
    let expected = "get_next was called on the thread that feeds this stream, where it would wait for ever: call it \
                    on another thread";
    let refused = next(&mut consumer).unwrap_err();
    assert_eq!(refused, error(libc::EDEADLK, expected));
    // What is there already needs no waiting.
    let batch = alive.table(3);
    assert!(scope.context.push_to_stream(stream, batch).unwrap());
    assert_eq!(next(&mut consumer), Ok(Some(3)));
    assert_eq!(next(&mut consumer).unwrap_err().errno, libc::EDEADLK);
    scope.context.end_stream(stream, None).unwrap();
    assert_eq!(next(&mut consumer), Ok(None));
    assert_eq!(next(&mut consumer), Ok(None), "the end stays the end");
}

#[test]
fn a_consumer_that_releases_early_frees_what_waits_and_is_noticed() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let (stream, consumer) = export(&scope);
    for index in 0..3 {
        let batch = alive.table(index);
        assert!(scope.context.push_to_stream(stream, batch).unwrap());
    }
    assert!(!scope.context.wait(0).unwrap());
    spawn(move || drop(consumer)).join().unwrap();
    assert_eq!(alive.count(), 0);
    assert!(scope.context.wait(0).unwrap(), "the release is an event");
    assert_eq!(scope.context.stream_demand(stream).unwrap(), Demand::Done);
    let late = alive.table(4);
    assert!(!scope.context.push_to_stream(stream, late).unwrap());
    assert_eq!(
        alive.count(),
        0,
        "a batch pushed after the release is released"
    );
    scope.context.end_stream(stream, None).unwrap();
    scope.context.close_stream(stream).unwrap();
    let gone = format!("there is no stream {stream:#x}, or it has been closed");
    let errors = [
        scope.context.stream_demand(stream).map(drop).unwrap_err(),
        scope.context.end_stream(stream, None).unwrap_err(),
        scope.context.close_stream(stream).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.to_string(), gone);
    }
}

#[test]
fn a_stream_outlives_its_handle_and_its_context() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let (stream, mut consumer) = export(&scope);
    let batch = alive.table(8);
    assert!(scope.context.push_to_stream(stream, batch).unwrap());
    scope.context.end_stream(stream, None).unwrap();
    close_context(scope.handle).unwrap();
    drop(scope);
    assert_eq!(alive.count(), 1, "what was pushed stays the consumer's");
    assert!(consumer.schema().is_ok());
    assert_eq!(next(&mut consumer), Ok(Some(8)));
    assert_eq!(next(&mut consumer), Ok(None));
    drop(consumer);
    assert_eq!(alive.count(), 0);
}

#[test]
fn batches_of_other_types_are_refused_and_released() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let tree = |format: &str, children| SchemaTree {
        format: format.to_owned(),
        name: "number".to_owned(),
        metadata: None,
        flags: 2,
        children,
        dictionary: None,
    };
    let cases = [
        (
            tree("+s", vec![]),
            "record batch: expected 0 children, as in the stream's schema, but found 1",
        ),
        (
            tree("+s", vec![tree("i", vec![])]),
            "column[0] \"number\": expected the stream's type \"i\" but found \"I\"",
        ),
    ];
    for (tree, expected) in cases {
        let schema = scope.context.register_schema(tree).unwrap();
        let (stream, _consumer) = scope.context.export_stream(schema, 0).unwrap();
        let refused = scope
            .context
            .push_to_stream(stream, alive.table(1))
            .unwrap_err();
        assert_eq!(refused, Failure::new(Status::InvalidArgument, expected));
        assert_eq!(alive.count(), 0);
    }
    let (stream, _consumer) = export(&scope);
    scope.context.end_stream(stream, None).unwrap();
    let refused = scope
        .context
        .push_to_stream(stream, alive.table(1))
        .unwrap_err();
    assert_eq!(
        refused,
        Failure::invalid_argument("the stream has been ended")
    );
    assert_eq!(alive.count(), 0);
}

#[test]
fn a_table_that_has_been_released_is_refused() {
    let scope = Scope::open();
    let (stream, mut consumer) = export(&scope);
    // SAFETY: it holds nothing.
    let nothing = unsafe { OwnedTable::take(&mut bowstring_abi::BowTable::released()) };
    let refused = scope.context.push_to_stream(stream, nothing).unwrap_err();
    assert_eq!(refused.message, "the batch's array has been released");
    scope.context.end_stream(stream, None).unwrap();
    assert_eq!(next(&mut consumer), Ok(None));
}

#[test]
fn releasing_twice_is_harmless() {
    let scope = Scope::open();
    let (_, consumer) = export(&scope);
    let mut raw = consumer.into_raw();
    let release = raw.release.unwrap();
    // SAFETY: a released stream may be passed again by a careless consumer; it says that it is released.
    unsafe {
        release(&mut raw);
        assert!(raw.release.is_none());
        release(&mut raw);
        release(std::ptr::null_mut());
        assert_eq!((raw.get_next.unwrap())(&mut raw, std::ptr::null_mut()), 22);
        assert!((raw.get_last_error.unwrap())(&mut raw).is_null());
    }
}
