//! The run as a whole: order, chunks, bounds, cancellation, what git ignores.

mod common;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, UInt32Type};
use bowstring_extract::{Control, ExtractError, ExtractOptions, ExtractionBatch, extract, model};
use common::{directory, one, paths, run, texts};

/// Source files of several sizes and languages.
fn project() -> tempfile::TempDir {
    let files: Vec<(String, String)> = (0..60)
        .map(|at| {
            let body = |line: &str| line.repeat(1 + at * 7 % 40);
            match at % 3 {
                0 => (
                    format!("a/f{at:02}.rs"),
                    format!("fn f{at}() {{ {} }}\n", body("g(1); ")),
                ),
                1 => (
                    format!("b/f{at:02}.ts"),
                    format!("function f{at}() {{ {} }}\n", body("g(x); ")),
                ),
                _ => (
                    format!("f{at:02}.js"),
                    format!("class C{at} {{ m() {{ {} }} }}\n", body("this.m(); ")),
                ),
            }
        })
        .collect();
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_bytes()))
        .collect();
    directory(&files)
}

fn tables(batch: &ExtractionBatch) -> [&RecordBatch; 5] {
    [
        &batch.symbols,
        &batch.identifiers,
        &batch.relationships,
        &batch.files,
        &batch.errors,
    ]
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let root = project();
    let with = |threads| {
        run(&ExtractOptions {
            threads,
            chunk_rows: Some(200),
            ..ExtractOptions::new(root.path())
        })
        .unwrap()
    };
    let expected = with(1);
    assert!(expected.len() > 3);
    for threads in [2, 3, 8] {
        let found = with(threads);
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(tables(found), tables(expected));
        }
    }
}

#[test]
fn rows_come_in_the_order_of_the_given_paths() {
    let root = project();
    let given = ["f02.js", "a/f00.rs", "b/f01.ts", "a/f03.rs"];
    let batch = one(&paths(&root, &given));
    assert_eq!(texts(&batch.files, "path"), given);
}

#[test]
fn chunks_respect_their_bounds_and_lose_nothing() {
    let root = project();
    let whole = one(&ExtractOptions {
        single: true,
        ..ExtractOptions::new(root.path())
    });
    let cases = [(150, 1 << 30), (1 << 30, 4_000)];
    for (chunk_rows, chunk_bytes) in cases {
        let options = ExtractOptions {
            chunk_rows: Some(chunk_rows),
            chunk_bytes: Some(chunk_bytes),
            ..ExtractOptions::new(root.path())
        };
        let chunks = run(&options).unwrap();
        assert!(chunks.len() > 5);
        for chunk in &chunks {
            let files = chunk.files.num_rows();
            let rows = tables(chunk)
                .iter()
                .map(|table| table.num_rows())
                .max()
                .unwrap();
            assert!(
                rows <= chunk_rows || files == 1,
                "{rows} rows of {files} files"
            );
        }
        for (at, expected) in tables(&whole).iter().enumerate() {
            let parts: Vec<&RecordBatch> = chunks.iter().map(|chunk| tables(chunk)[at]).collect();
            let rows: usize = parts.iter().map(|part| part.num_rows()).sum();
            assert_eq!(rows, expected.num_rows());
            if at < 4 {
                let name = expected.schema().field(0).name().clone();
                let joined: Vec<String> =
                    parts.iter().flat_map(|part| texts(part, &name)).collect();
                assert_eq!(joined, texts(expected, &name));
            }
        }
    }
}

#[test]
fn all_buffers_of_a_batch_lie_in_one_block() {
    let root = project();
    let batch = one(&ExtractOptions::new(root.path()));
    let mut blocks = std::collections::BTreeSet::new();
    for column in tables(&batch).iter().flat_map(|table| table.columns()) {
        for buffer in column.to_data().buffers() {
            blocks.insert(buffer.data_ptr().as_ptr() as usize);
            assert_eq!(buffer.as_ptr() as usize % 64, 0);
        }
    }
    assert_eq!(blocks.len(), 1);
}

#[test]
fn no_files_give_one_empty_batch() {
    let root = directory(&[("notes.txt", b"")]);
    let batch = one(&ExtractOptions::new(root.path()));
    let schemas = [
        &model::SYMBOLS,
        &model::IDENTIFIERS,
        &model::RELATIONSHIPS,
        &model::FILES,
        &model::ERRORS,
    ];
    for (table, schema) in tables(&batch).iter().zip(schemas) {
        assert_eq!(table.num_rows(), 0);
        assert_eq!(&table.schema(), &**schema);
    }
}

#[test]
fn what_git_ignores_is_not_read() {
    let root = directory(&[
        (".gitignore", b"/build\n*.gen.rs\n"),
        ("build/a.rs", b"fn a() {}"),
        ("src/b.gen.rs", b"fn b() {}"),
        ("src/.gitignore", b"deep/\n!keep.gen.rs\n"),
        ("src/deep/c.rs", b"fn c() {}"),
        ("src/keep.gen.rs", b"fn k() {}"),
        ("src/d.rs", b"fn d() {}"),
        (".github/e.py", b"def e(): pass"),
        (".git/f.rs", b"fn f() {}"),
        (".bowstring/g.rs", b"fn g() {}"),
    ]);
    let batch = one(&ExtractOptions::new(root.path()));
    assert_eq!(
        texts(&batch.files, "path"),
        [".github/e.py", "src/d.rs", "src/keep.gen.rs"]
    );
}

#[test]
fn columns_on_request() {
    let root = directory(&[("a.rs", b"// one\nfn a() {\n}\n// four\n")]);
    let plain = one(&ExtractOptions::new(root.path()));
    assert_eq!(texts(&plain.files, "content"), ["-"]);
    assert_eq!(texts(&plain.symbols, "code_context"), ["-"]);
    let full = one(&ExtractOptions {
        content: true,
        code_context: 1,
        ..ExtractOptions::new(root.path())
    });
    assert_eq!(
        texts(&full.files, "content"),
        ["// one\nfn a() {\n}\n// four\n"]
    );
    assert_eq!(
        texts(&full.symbols, "code_context"),
        ["// one\nfn a() {\n}\n// four"]
    );
}

#[test]
fn positions_are_lines_from_one_and_byte_columns_from_zero() {
    let root = directory(&[("a.rs", "fn a() {}\n  fn é() { a() }\n".as_bytes())]);
    let batch = one(&ExtractOptions::new(root.path()));
    let words = |table: &RecordBatch, name: &str| {
        table
            .column_by_name(name)
            .unwrap()
            .as_primitive::<UInt32Type>()
            .values()
            .to_vec()
    };
    assert_eq!(words(&batch.symbols, "start_line"), [1, 2]);
    assert_eq!(words(&batch.symbols, "start_column"), [0, 2]);
    assert_eq!(words(&batch.symbols, "start_byte"), [0, 12]);
    assert_eq!(words(&batch.identifiers, "start_line"), [2]);
    assert_eq!(words(&batch.identifiers, "start_column"), [12]);
    assert_eq!(words(&batch.identifiers, "end_column"), [13]);
    let ids = texts(&batch.symbols, "id");
    assert_eq!(
        texts(&batch.identifiers, "containing_symbol_id"),
        [ids[1].clone()]
    );
    assert_eq!(
        texts(&batch.identifiers, "target_symbol_id"),
        [ids[0].clone()]
    );
    let confidence = batch.identifiers.column_by_name("confidence").unwrap();
    assert_eq!(confidence.as_primitive::<Float32Type>().values(), &[1.0]);
}

#[test]
fn ids_survive_edits_elsewhere_and_are_unique() {
    let before = b"fn a() { b(); b() }\nfn b() {}\nfn b2() {}\n";
    let after =
        b"// a new line\n\nfn zero() { b() }\nfn a() { /* more */ b(); b() }\nfn b() { a() }\n";
    let ids = |text: &[u8], table: fn(&ExtractionBatch) -> &RecordBatch| {
        let root = directory(&[("a.rs", text)]);
        texts(table(&one(&ExtractOptions::new(root.path()))), "id")
    };
    let (old, new) = (ids(before, |b| &b.symbols), ids(after, |b| &b.symbols));
    assert_eq!(old[..2], new[1..3]);
    let (old, new) = (
        ids(before, |b| &b.identifiers),
        ids(after, |b| &b.identifiers),
    );
    assert_eq!(old[..2], new[1..3]);
    let all: std::collections::BTreeSet<_> = new.iter().collect();
    assert_eq!(all.len(), new.len());
}

#[test]
fn a_sink_that_breaks_off_ends_the_run() {
    let root = project();
    let options = ExtractOptions {
        chunk_rows: Some(50),
        ..ExtractOptions::new(root.path())
    };
    let mut batches = 0;
    let result = extract(&options, &Control::default(), &mut |_| {
        batches += 1;
        ControlFlow::Break(())
    });
    assert!(matches!(result, Err(ExtractError::Cancelled)));
    assert_eq!(batches, 1);
}

#[test]
fn cancelling_stops_in_the_middle_of_a_file() {
    // Far more work than the test would wait for, in one file.
    let text = "x = [a, (b), {c: d}];\n".repeat(180_000);
    let root = directory(&[("a.ts", text.as_bytes()), ("b.ts", text.as_bytes())]);
    let control = Arc::new(Control::default());
    let runner = thread::spawn({
        let (control, root) = (control.clone(), root.path().to_owned());
        let options = ExtractOptions {
            max_parse_millis: 600_000,
            ..ExtractOptions::new(root)
        };
        move || extract(&options, &control, &mut |_| ControlFlow::Continue(()))
    });
    while control.progress().files_total == 0 {
        thread::yield_now();
    }
    control.cancel();
    assert!(matches!(
        runner.join().unwrap(),
        Err(ExtractError::Cancelled)
    ));
    assert!(control.progress().files_done < 2);
}

#[test]
fn one_batch_that_would_be_too_large_names_the_streaming_form() {
    let root = directory(&[("a.rs", b"fn a() { b() }"), ("b.rs", b"fn b() { a() }")]);
    let options = ExtractOptions {
        single: true,
        chunk_bytes: Some(100),
        ..ExtractOptions::new(root.path())
    };
    match run(&options) {
        Err(ExtractError::BatchTooLarge(message)) => assert_eq!(
            message,
            "one batch would need 2 rows and 128 bytes in one column, more than the limit of 100 bytes; \
             use the streaming form (extractStream or extractWorkspace)"
        ),
        other => panic!("{:?}", other.map(|batches| batches.len())),
    }
}
