//! A writer that is killed at any moment leaves the previous index whole.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use bowstring_store::{Mode, Query, Store};

use crate::corpus::{Batch, Corpus, Random};
use crate::rows::{columns, of_sql};
use crate::{ODD, Place, holds, index};

const DATABASE: &str = "BOWSTRING_TEST_DATABASE";

/// The rows of a generation, which anybody who knows its number can make again.
fn batches(generation: u64) -> Vec<Batch> {
    let mut corpus = Corpus::new(ODD, generation);
    (0..4).map(|batch| corpus.batch(15 + 5 * batch)).collect()
}

/// Indexes for ever, as the process that the test below starts and kills.
#[test]
#[ignore = "the child process of the crash test"]
fn endless_writer() {
    let path = std::env::var_os(DATABASE).expect("started by the crash test");
    let mut store = Store::open(Path::new(&path), Mode::Create).unwrap();
    println!("open");
    loop {
        let next = generation(&mut store) + 1;
        assert_eq!(index(&mut store, &batches(next)).generation, next);
    }
}

fn generation(store: &mut Store) -> u64 {
    columns(&store.query(&Query::Info).unwrap(), &["generation"])
        .concat()
        .parse()
        .unwrap()
}

#[test]
fn a_killed_writer_leaves_the_previous_index_whole() {
    let place = Place::new();
    let mut random = Random::new(std::process::id().into());
    let mut unfinished = 0;
    let mut last = 0;
    for round in 0..25 {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "crash::endless_writer",
                "--ignored",
                "--nocapture",
            ])
            .env(DATABASE, &place.path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // In the first rounds it is killed while it makes the database, later while it writes.
        if round >= 5 {
            let lines = BufReader::new(writer.stdout.take().unwrap()).lines();
            assert!(
                lines
                    .map_while(Result::ok)
                    .any(|line| line.ends_with("open"))
            );
        }
        std::thread::sleep(Duration::from_micros(random.below(150_000) as u64));
        writer.kill().unwrap();
        writer.wait().unwrap();

        if !place.path.exists() {
            continue;
        }
        let plain = place.plain();
        let tables = of_sql(
            &plain,
            "SELECT name FROM sqlite_schema WHERE name LIKE 'identifier\\_%' ESCAPE '\\'",
        );
        if tables.is_empty() {
            // Killed before the database was made: the next writer makes it.
            continue;
        }
        unfinished += u32::from(tables.len() > 3);
        assert_eq!(of_sql(&plain, "PRAGMA integrity_check"), [["\"ok\""]]);
        let mut reader = Store::open(&place.path, Mode::Read).unwrap();
        let generation = generation(&mut reader);
        assert!(generation >= last);
        last = generation;
        let expected = if generation == 0 {
            Vec::new()
        } else {
            batches(generation)
        };
        assert!(
            holds(&plain, &expected),
            "generation {generation} is not whole"
        );
    }
    assert!(
        last > 0 && unfinished > 0,
        "{last} generations, {unfinished} kills within one"
    );
    let mut store = place.create();
    assert_eq!(index(&mut store, &batches(last + 1)).generation, last + 1);
    assert!(holds(&place.plain(), &batches(last + 1)));
}
