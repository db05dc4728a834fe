//! Several stores and processes on one database.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;

use bowstring_store::{Canceller, Mode, Query, Store, StoreError};

use crate::corpus::{Corpus, TYPICAL};
use crate::rows::columns;
use crate::{Place, holds, index, odd_batch};

fn busy(place: &Place) -> String {
    format!(
        "{}: another process is writing to this index; wait until it has finished, then try again",
        place.path.display()
    )
}

#[test]
fn a_second_writer_is_told_that_the_index_is_busy() {
    let place = Place::new();
    let mut first = place.create();
    let mut second = place.create();
    first.begin("/root").unwrap();
    assert_eq!(second.begin("/root").unwrap_err().to_string(), busy(&place));
    first.write(&odd_batch(1, 10)).unwrap();
    assert_eq!(second.begin("/root").unwrap_err().to_string(), busy(&place));
    first.commit().unwrap();
    index(&mut second, &[odd_batch(2, 10)]);
    assert!(holds(&place.plain(), &[odd_batch(2, 10)]));
}

#[test]
fn a_writer_that_ends_in_any_way_gives_the_lock_back() {
    let place = Place::new();
    let mut second = place.create();
    let mut first = place.create();
    first.begin("/root").unwrap();
    first.abandon().unwrap();
    second.begin("/root").unwrap();
    second.abandon().unwrap();
    first.begin("/root").unwrap();
    drop(first);
    second.begin("/root").unwrap();
}

#[test]
fn a_foreign_write_transaction_makes_the_index_busy() {
    let place = Place::new();
    let mut store = place.create();
    let kept = [odd_batch(1, 10)];
    index(&mut store, &kept);
    let plain = place.plain();
    plain.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(store.begin("/root").unwrap_err().to_string(), busy(&place));
    plain.execute_batch("ROLLBACK").unwrap();
    store.begin("/root").unwrap();
    plain.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(
        store.write(&odd_batch(2, 10)).unwrap_err().to_string(),
        busy(&place)
    );
    plain.execute_batch("ROLLBACK").unwrap();
    // The generation was abandoned.
    assert_eq!(
        store.commit().unwrap_err().to_string(),
        "commit: no generation is being written; call begin first"
    );
    assert!(holds(&plain, &kept));
    index(&mut store, &[odd_batch(3, 10)]);
    assert!(holds(&plain, &[odd_batch(3, 10)]));
}

#[test]
fn readers_on_other_threads_see_one_whole_generation_each_time() {
    let place = Place::new();
    let mut writer = place.create();
    let generations = 12;
    // Generation n has n files of 12 lines.
    let sizes: Vec<[usize; 2]> = (0..=generations)
        .map(|files| odd_batch(files as u64, files))
        .map(|batch| [batch[3].num_rows(), batch[1].num_rows()])
        .collect();
    let committed = AtomicU64::new(0);
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut reader = Store::open(&place.path, Mode::Read).unwrap();
                let plain = place.plain();
                while !is_done.load(SeqCst) {
                    let before = committed.load(SeqCst);
                    let info = reader.query(&Query::Info).unwrap();
                    let [generation, files, identifiers]: [usize; 3] =
                        ["generation", "files", "identifiers"].map(|name| columns(&info, &[name]).concat().parse().unwrap());
                    assert!(generation as u64 >= before);
                    assert_eq!([files, identifiers], sizes[generation]);
                    let counted: [i64; 2] = plain
                        .query_row("SELECT (SELECT count(*) FROM files), (SELECT count(*) FROM identifiers)", [], |row| {
                            Ok([row.get(0)?, row.get(1)?])
                        })
                        .unwrap();
                    assert!(sizes.contains(&counted.map(|count| count as usize)), "{counted:?}");
                }
            });
        }
        for generation in 1..=generations {
            index(&mut writer, &[odd_batch(generation as u64, generation)]);
            committed.store(generation as u64, SeqCst);
        }
        is_done.store(true, SeqCst);
    });
}

#[test]
fn many_open_one_new_database_at_once() {
    let place = Place::new();
    let barrier = Barrier::new(8);
    let outcomes: Vec<_> = thread::scope(|scope| {
        let open = || {
            barrier.wait();
            Store::open(&place.path, Mode::Create)
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let mut opened = 0;
    for outcome in outcomes {
        match outcome {
            Ok(_) => opened += 1,
            Err(error) => assert_eq!(error.to_string(), busy(&place)),
        }
    }
    assert!(opened > 0);
    index(&mut place.create(), &[odd_batch(1, 5)]);
    assert!(holds(&place.plain(), &[odd_batch(1, 5)]));
}

/// Runs a call while another thread keeps cancelling it.
fn cancelled<T>(canceller: Canceller, call: impl FnOnce() -> T) -> T {
    let (is_running, is_done) = (Barrier::new(2), AtomicBool::new(false));
    let result = thread::scope(|scope| {
        scope.spawn(|| {
            canceller.cancel();
            is_running.wait();
            while !is_done.load(SeqCst) {
                canceller.cancel();
            }
        });
        is_running.wait();
        let result = call();
        is_done.store(true, SeqCst);
        result
    });
    // The last cancellations came too late for the call.
    canceller.reset();
    result
}

#[test]
fn a_cancellation_that_comes_before_its_call_sticks() {
    let place = Place::new();
    let mut store = place.create();
    let kept = [odd_batch(1, 10)];
    index(&mut store, &kept);
    let (canceller, batch) = (store.canceller(), odd_batch(2, 10));
    let query = Query::Files { limit: 0 };

    canceller.cancel();
    assert!(matches!(store.query(&query), Err(StoreError::Cancelled)));
    assert!(store.query(&query).is_ok(), "the call after starts afresh");
    canceller.cancel();
    assert!(matches!(store.begin("/root"), Err(StoreError::Cancelled)));
    store.begin("/root").unwrap();
    canceller.cancel();
    assert!(matches!(store.write(&batch), Err(StoreError::Cancelled)));
    store.begin("/root").unwrap();
    store.write(&batch).unwrap();
    canceller.cancel();
    assert!(matches!(store.commit(), Err(StoreError::Cancelled)));
    assert!(holds(&place.plain(), &kept));
    store.begin("/root").unwrap();
    canceller.cancel();
    store.abandon().unwrap();
    assert!(store.query(&query).is_ok());
}

#[test]
fn a_cancelled_write_abandons_the_generation() {
    let place = Place::new();
    let mut store = place.create();
    let kept = [odd_batch(1, 10)];
    index(&mut store, &kept);
    let batch = Corpus::new(TYPICAL, 1).batch(1_000);
    store.begin("/root").unwrap();
    let error = cancelled(store.canceller(), || store.write(&batch)).unwrap_err();
    assert!(matches!(error, StoreError::Cancelled));
    assert_eq!(error.to_string(), "the call was cancelled");
    let error = store.commit().unwrap_err();
    assert_eq!(
        error.to_string(),
        "commit: no generation is being written; call begin first"
    );
    assert!(holds(&place.plain(), &kept));
    index(&mut store, &[odd_batch(2, 10)]);
    assert!(holds(&place.plain(), &[odd_batch(2, 10)]));
}

#[test]
fn a_cancelled_commit_and_a_cancelled_query() {
    let place = Place::new();
    let mut store = place.create();
    let kept = [odd_batch(1, 10)];
    index(&mut store, &kept);
    store.begin("/root").unwrap();
    store.write(&Corpus::new(TYPICAL, 1).batch(1_000)).unwrap();
    let canceller = store.canceller();
    assert!(matches!(
        cancelled(canceller.clone(), || store.commit()),
        Err(StoreError::Cancelled)
    ));
    assert!(holds(&place.plain(), &kept));

    index(&mut store, &[Corpus::new(TYPICAL, 1).batch(1_000)]);
    let query = Query::Files { limit: 0 };
    assert!(store.query(&query).is_ok());
    let query = Query::Refs {
        name: "name1".into(),
        limit: 0,
    };
    assert!(matches!(
        cancelled(canceller, || store.query(&query)),
        Err(StoreError::Cancelled)
    ));
    assert!(store.query(&query).unwrap().num_rows() > 1_000);
}
