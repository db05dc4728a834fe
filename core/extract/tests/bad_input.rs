//! What bad input gets: a row of `errors` with path and reason, and the rest of the run unharmed.

mod common;

use std::fs;

use bowstring_extract::{ExtractError, ExtractOptions};
use common::{directory, errors, one, paths, run, texts};

const GOOD: (&str, &[u8]) = ("good.rs", b"fn good() {}\n");

/// The good file is in the tables, and `errors` says just this.
fn assert_errors(options: &ExtractOptions, expected: &[&str]) {
    let batch = one(options);
    assert!(texts(&batch.files, "path").contains(&"good.rs".to_owned()));
    assert!(texts(&batch.symbols, "name").contains(&"good".to_owned()));
    assert_eq!(errors(&batch), expected);
}

#[test]
fn files_that_cannot_be_read() {
    let root = directory(&[GOOD, ("big.rs", &[b' '; 200]), ("bin.rs", b"fn a() {}\0\0")]);
    fs::create_dir(root.path().join("dir.rs")).unwrap();
    let cases = [
        (
            "missing.rs",
            "missing.rs: failed read/missing: no such file",
        ),
        (
            "dir.rs",
            "dir.rs: skipped read/not_a_file: expected a file but found a directory",
        ),
        (
            "big.rs",
            "big.rs: skipped read/too_large: the file has 200 bytes, more than the limit of 100",
        ),
        (
            "bin.rs",
            "bin.rs: skipped decode/binary: the file holds binary data",
        ),
        (
            "../out.rs",
            "../out.rs: failed path/outside_root: the path leads out of the root",
        ),
        (
            "/etc/hosts",
            "/etc/hosts: failed path/outside_root: the path leads out of the root",
        ),
        (
            "a/../../x.rs",
            "a/../../x.rs: failed path/outside_root: the path leads out of the root",
        ),
    ];
    for (path, expected) in cases {
        let options = ExtractOptions {
            max_file_bytes: 100,
            ..paths(&root, &[path, "good.rs"])
        };
        assert_errors(&options, &[expected]);
    }
}

#[test]
fn a_file_of_no_known_language_is_skipped_when_named_and_passed_over_by_a_scan() {
    let root = directory(&[GOOD, ("notes.txt", b"hello")]);
    assert_errors(
        &paths(&root, &["notes.txt", "good.rs"]),
        &["notes.txt: skipped language/unknown_language: no language is known for this file name"],
    );
    assert_errors(&ExtractOptions::new(root.path()), &[]);
}

#[cfg(unix)]
#[test]
fn links() {
    use std::os::unix::fs::symlink;
    let outside = directory(&[("secret.rs", b"fn secret() {}")]);
    let root = directory(&[GOOD]);
    let link = |target: &std::path::Path, name| symlink(target, root.path().join(name)).unwrap();
    link("loop.rs".as_ref(), "loop.rs");
    link(&outside.path().join("secret.rs"), "leak.rs");
    link("good.rs".as_ref(), "same.rs");
    assert_errors(
        &paths(&root, &["loop.rs", "leak.rs", "good.rs"]),
        &[
            "loop.rs: failed read/symlink_loop: the path is a loop of links",
            "leak.rs: failed path/outside_root: the path leads out of the root",
        ],
    );
    assert_errors(
        &ExtractOptions::new(root.path()),
        &[
            "leak.rs: skipped scan/symlink: a symbolic link; links are not followed",
            "loop.rs: skipped scan/symlink_loop: the path is a loop of links",
            "same.rs: skipped scan/symlink: a symbolic link; links are not followed",
        ],
    );
}

#[cfg(unix)]
#[test]
fn a_name_that_is_not_utf8_is_escaped() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let root = directory(&[GOOD]);
    fs::write(
        root.path().join(OsStr::from_bytes(b"caf\xe9\\.rs")),
        "fn odd() {}",
    )
    .unwrap();
    let batch = one(&ExtractOptions::new(root.path()));
    assert_eq!(texts(&batch.files, "path"), [r"caf\xe9\\.rs", "good.rs"]);
    assert_eq!(
        errors(&batch),
        [
            r"caf\xe9\\.rs: degraded path/not_utf8: the file name is not UTF-8; bytes that are not are shown as \xNN"
        ]
    );
}

#[cfg(target_os = "linux")]
#[test]
fn an_unreadable_file() {
    use std::os::unix::fs::PermissionsExt;
    let root = directory(&[GOOD, ("locked.rs", b"fn locked() {}")]);
    let locked = root.path().join("locked.rs");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&locked).is_ok() {
        eprintln!("skipped: this user may read every file");
        return;
    }
    assert_errors(
        &ExtractOptions::new(root.path()),
        &["locked.rs: failed read/unreadable: permission denied"],
    );
}

#[test]
fn text_that_is_not_utf8() {
    let root = directory(&[
        GOOD,
        (
            "latin1.rs",
            b"// caf\xe9\nfn after() { let x = \"\xff\"; }\n",
        ),
        ("utf16.rs", &utf16("fn wide() { é(); }\n")),
    ]);
    let batch = one(&ExtractOptions {
        content: true,
        ..ExtractOptions::new(root.path())
    });
    assert_eq!(
        errors(&batch),
        [
            "latin1.rs: degraded decode/invalid_utf8: the file is not UTF-8; bytes that are not were replaced in its text"
        ]
    );
    assert_eq!(
        texts(&batch.files, "path"),
        ["good.rs", "latin1.rs", "utf16.rs"]
    );
    let contents = texts(&batch.files, "content");
    assert_eq!(
        contents[1],
        "// caf\u{fffd}\nfn after() { let x = \"\u{fffd}\"; }\n"
    );
    assert_eq!(contents[2], "fn wide() { é(); }\n");
    let symbols = texts(&batch.symbols, "name");
    assert!(
        ["good", "after", "wide"]
            .iter()
            .all(|name| symbols.contains(&(*name).to_owned()))
    );
    assert!(texts(&batch.identifiers, "name").contains(&"é".to_owned()));
}

fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

#[test]
fn empty_files_are_normal() {
    let root = directory(&[GOOD, ("empty.py", b""), ("blank.go", b"\n\n")]);
    let batch = one(&ExtractOptions::new(root.path()));
    assert_eq!(
        texts(&batch.files, "path"),
        ["blank.go", "empty.py", "good.rs"]
    );
    assert_eq!(errors(&batch), [""; 0]);
}

#[test]
fn syntax_errors_degrade_and_are_counted() {
    let root = directory(&[GOOD, ("bad.rs", b"fn bad( { let = ; }\nfn fine() {}\n")]);
    let batch = one(&ExtractOptions::new(root.path()));
    assert!(texts(&batch.symbols, "name").contains(&"fine".to_owned()));
    let errors = errors(&batch);
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].starts_with("bad.rs: degraded parse/syntax_error: "),
        "{errors:?}"
    );
}

#[test]
fn pathological_input_ends() {
    let nested = |open: &str, close: &str| [open.repeat(100_000), close.repeat(100_000)].concat();
    let cases: Vec<(&str, String)> = vec![
        ("brackets.ts", format!("x = {};", nested("[", "]"))),
        ("parens.py", format!("x = {}\n", nested("(", ")"))),
        ("open.js", "[".repeat(100_000)),
        ("braces.rs", format!("fn a() {}", nested("{", "}"))),
        ("functions.js", nested("function f(){", "}")),
        ("classes.java", nested("class A{", "}")),
        ("blocks.c", format!("int f() {}", nested("{", "}"))),
        (
            "line.js",
            format!("var a = [{}];", "x.y(z), ".repeat(120_000)),
        ),
        (
            "name.go",
            format!("package p\nvar {} = 1\n", "a".repeat(1 << 20)),
        ),
        ("minus.rb", format!("x = {}1", "-".repeat(100_000))),
        ("commas.php", format!("<?php f({});", "1,".repeat(200_000))),
        (
            "strings.cs",
            format!("class A {{ string s = {}; }}", "\"a\" + ".repeat(50_000)),
        ),
        ("templates.cpp", format!("{} x;", "A<".repeat(20_000))),
    ];
    let mut files: Vec<(&str, &[u8])> = cases.iter().map(|(n, t)| (*n, t.as_bytes())).collect();
    files.push(GOOD);
    let root = directory(&files);
    let options = ExtractOptions {
        max_parse_millis: 2_000,
        ..ExtractOptions::new(root.path())
    };
    let batches = run(&options).expect("every file ends");
    let seen: usize = batches.iter().map(|batch| batch.files.num_rows()).sum();
    let failed = batches
        .iter()
        .flat_map(errors)
        .filter(|error| error.contains(" failed "))
        .count();
    assert_eq!(seen + failed, files.len());
    for batch in &batches {
        for error in errors(batch)
            .iter()
            .filter(|error| error.contains(" failed "))
        {
            assert!(
                error.ends_with(
                    "failed parse/timeout: parsing took longer than the limit of 2000 ms"
                ),
                "{error}"
            );
        }
    }
}

#[test]
fn a_bad_root_fails_the_run() {
    let root = directory(&[GOOD]);
    let missing = root.path().join("nowhere");
    let file = root.path().join("good.rs");
    let cases = [
        (
            &missing,
            format!("the root {} does not exist", missing.display()),
        ),
        (
            &file,
            format!("the root {} is not a directory", file.display()),
        ),
    ];
    for (path, expected) in cases {
        match run(&ExtractOptions::new(path)) {
            Err(ExtractError::InvalidOptions(message)) => assert_eq!(message, expected),
            other => panic!("{other:?}"),
        }
    }
}
