//! Tables built over memory of JavaScript's: who is told when the memory is free, and what it is kept by.

mod built;
mod common;

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use bowstring_abi::{ArrowArray, Level, OwnedTable, Status};
use bowstring_runtime::close_context;

use built::*;
use common::{Alive, Scope};

/// Moves a child out of an array, as a consumer may.
fn move_child(array: &ArrowArray, index: usize) -> OwnedTable {
    // SAFETY: the array has this child, and nobody else uses it.
    unsafe { OwnedTable::take_array(*array.children.add(index)) }
}

#[test]
fn a_dictionary_that_was_moved_out_keeps_what_is_pinned() {
    let scope = Scope::open();
    let mut column = node("i", "word", vec![]);
    column.dictionary = Some(Box::new(node("u", "", vec![])));
    let schema = node("+s", "", vec![column]);
    let schema = scope.context.register_schema(schema).unwrap();
    let mut words = vec![9.0, 0.0, 0.0, 3.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    words.extend([3.0, 0.0, 2.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    words.extend([BORROW, at(&MEMORY.offsets), 12.0, 0.0]);
    words.extend([3.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    words.extend([BORROW, at(&MEMORY.offsets), 16.0, 0.0]);
    words.extend([BORROW, at(&MEMORY.text), 4.0, 0.0]);
    let table = build(&scope, schema, &words).unwrap();
    // SAFETY: the column has a dictionary, which is moved as the specification says: copied, then marked as released.
    let dictionary = unsafe {
        let dictionary = (**table.array().children).dictionary;
        let moved = dictionary.read();
        (*dictionary).release = None;
        OwnedTable::from_raw(bowstring_abi::ArrowSchema::released(), moved)
    };
    drop(table);
    assert_eq!((live_pins(&scope), drain(&scope)), (1.0, vec![]));
    drop(dictionary);
    assert_eq!((live_pins(&scope), drain(&scope)), (0.0, vec![9]));
}

#[test]
fn the_token_comes_when_the_last_struct_is_released_children_that_were_moved_out_too() {
    let scope = Scope::open();
    let schema = scope.context.register_schema(schema()).unwrap();
    let table = build(&scope, schema, &words(9.0, &[])).unwrap();
    let children: Vec<_> = (0..3)
        .map(|index| move_child(table.array(), index))
        .collect();
    drop(table);
    for child in children {
        assert_eq!((live_pins(&scope), drain(&scope)), (1.0, vec![]));
        drop(child);
    }
    assert_eq!((live_pins(&scope), drain(&scope)), (0.0, vec![9]));
}

#[test]
fn eight_threads_release_parts_of_tables_while_javascript_builds_and_drains() {
    const TABLES: u32 = 400;
    let scope = Scope::open();
    let schema = scope.context.register_schema(schema()).unwrap();
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..8)
        .map(|_| std::sync::mpsc::channel::<OwnedTable>())
        .unzip();
    let mut seen = vec![0; TABLES as usize + 1];
    let mut note = |tokens: Vec<u32>| {
        let count = tokens.len();
        tokens.iter().for_each(|&token| seen[token as usize] += 1);
        count as u32
    };
    std::thread::scope(|threads| {
        for receiver in receivers {
            threads.spawn(move || receiver.into_iter().for_each(drop));
        }
        let mut count = 0;
        for token in 1..=TABLES {
            let table = build(&scope, schema, &words(f64::from(token), &[])).unwrap();
            for child in 0..3 {
                let child = move_child(table.array(), child as usize);
                senders[(token as usize + child_index(&child)) % 8]
                    .send(child)
                    .unwrap();
            }
            senders[token as usize % 8].send(table).unwrap();
            count += note(drain(&scope));
        }
        drop(senders);
        while count < TABLES {
            count += note(drain(&scope));
        }
    });
    assert!(seen[1..].iter().all(|&times| times == 1), "each token once");
    assert_eq!((live_pins(&scope), drain(&scope)), (0.0, vec![]));
}

/// Spreads children over threads by what is in them.
fn child_index(child: &OwnedTable) -> usize {
    child.array().n_buffers as usize
}

#[test]
fn a_release_after_the_context_was_closed_harms_nothing() {
    let scope = Scope::open();
    let schema = scope.context.register_schema(schema()).unwrap();
    let table = build(&scope, schema, &words(3.0, &[])).unwrap();
    close_context(scope.handle).unwrap();
    assert_eq!(live_pins(&scope), 1.0);
    // The memory is still readable: pins do not end with their context.
    let column = move_child(table.array(), 0);
    drop(table);
    // SAFETY: the column has two buffers, and the second three numbers.
    let first = unsafe { *(*column.array().buffers.add(1)).cast::<i32>() };
    assert_eq!(first, 1);
    std::thread::spawn(move || drop(column)).join().unwrap();
    assert_eq!(live_pins(&scope), 0.0);
    // Whoever still holds the context finds the token; else it is freed with the queue.
    assert_eq!(drain(&scope), [3]);
    let refused = build(&scope, schema, &words(4.0, &[]))
        .map(drop)
        .unwrap_err();
    assert_eq!(refused.status, Status::StaleHandle);
}

#[test]
fn leases_that_a_build_names_outlive_their_release() {
    let (scope, alive) = (Scope::open(), Alive::default());
    let lease = scope
        .context
        .import(vec![alive.table(1)], Level::Full)
        .unwrap();
    let schema = scope.context.register_schema(schema()).unwrap();
    let table = build(&scope, schema, &words(0.0, &[lease])).unwrap();
    scope.context.release(lease).unwrap();
    assert_eq!((alive.count(), scope.context.stats().live_leases), (1, 1.0));
    let refused = build(&scope, schema, &words(0.0, &[lease]))
        .map(drop)
        .unwrap_err();
    assert_eq!(
        refused.message,
        format!("lease {lease:#x} has been released")
    );
    let child = move_child(table.array(), 1);
    drop(table);
    assert_eq!(alive.count(), 1);
    drop(child);
    assert_eq!((alive.count(), scope.context.stats().live_leases), (0, 0.0));
    assert!(drain(&scope).is_empty(), "a token of 0 is not queued");
}

#[test]
fn two_threads_that_release_at_once_make_one_event_at_least() {
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    let scope = Scope::open();
    let schema = scope.context.register_schema(schema()).unwrap();
    for _ in 0..100 {
        let tables = [1.0, 2.0].map(|token| build(&scope, schema, &words(token, &[])).unwrap());
        let both = Barrier::new(2);
        std::thread::scope(|threads| {
            for table in tables {
                let both = &both;
                threads.spawn(move || {
                    both.wait();
                    drop(table);
                    DROPS.fetch_add(1, SeqCst);
                });
            }
            let mut tokens = Vec::new();
            while tokens.len() < 2 {
                // Every token that is not seen yet is announced: this does not hang.
                assert!(scope.context.wait(u32::MAX).unwrap());
                tokens.extend(drain(&scope));
            }
        });
        // An event that came with a token that was drained already.
        let _ = scope.context.wait(0);
    }
    assert_eq!(DROPS.load(SeqCst), 200);
}
