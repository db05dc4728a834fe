//! Schemas that no type has, are no format at all, or nest without end: refused before any array is looked at.

mod made;

use bowstring_abi::SchemaTree;

use made::{made, numbers, runs};

#[test]
fn formats_that_are_none_are_refused() {
    let formats = [
        "",
        "x",
        "+",
        "+x",
        "w",
        "w:",
        "w:-1",
        "w:+1",
        "w:x",
        "w:99999999999",
        "+w:",
        "+w:-1",
        "d",
        "d:",
        "d:5",
        "d:5,",
        "d:0,0",
        "d:39,0",
        "d:10,0,32",
        "d:19,0,64",
        "d:77,0,256",
        "d:5,2,16",
        "d:5,2,128,1",
        "d:5,200",
        "+us",
        "+ud",
        "+us:x",
        "+us:0,0",
        "+us:128",
        "+us:-1",
        "+us:0,",
        "ts",
        "tss",
        "tsx:",
        "td",
        "vx",
        "+v",
        "tD",
        "ti",
    ];
    for format in formats {
        let refused = made(format, 0).schema.to_raw().map(|_| ()).unwrap_err();
        let expected =
            format!("schema: expected a format of the C data interface but found \"{format}\"");
        assert_eq!(refused.to_string(), expected);
        assert!(bowstring_abi::layout_of(format).is_none());
    }
}

#[test]
fn schemas_that_do_not_fit_their_format_are_refused() {
    type Schema = fn() -> SchemaTree;
    let cases: Vec<(&str, Schema)> = vec![
        (
            "schema: expected 1 children in the schema but found 0",
            || made("+l", 0).schema,
        ),
        (
            "schema: expected 1 children in the schema but found 2",
            || made("+w:1", 0).child(numbers(0)).child(numbers(0)).schema,
        ),
        (
            "schema: expected 2 children in the schema but found 1",
            || made("+us:0,1", 0).child(numbers(0)).schema,
        ),
        (
            "schema: expected 2 children in the schema but found 0",
            || made("+r", 0).schema,
        ),
        (
            "schema: expected 0 children in the schema but found 1",
            || made("i", 0).child(numbers(0)).schema,
        ),
        (
            "schema -> x: expected a struct (\"+s\") but found the format \"i\"",
            || made("+m", 0).child(numbers(0)).schema,
        ),
        (
            "schema -> x: expected 2 children in the schema but found 1",
            || made("+m", 0).child(made("+s", 0).child(numbers(0))).schema,
        ),
        (
            "schema -> run_ends: expected run ends of the format \"s\", \"i\" or \"l\" but found \"I\"",
            || runs(0, made("I", 0).named("run_ends"), numbers(0)).schema,
        ),
        (
            "schema: expected an integer format for the dictionary's keys but found \"u\"",
            || made("u", 0).dictionary(numbers(0)).schema,
        ),
        (
            "column[0] \"x\" -> dictionary: expected 1 children in the schema but found 0",
            || {
                made("+s", 0)
                    .child(numbers(0).dictionary(made("+l", 0)))
                    .schema
            },
        ),
        ("schema: the name contains a NUL", || {
            numbers(0).named("a\0b").schema
        }),
    ];
    for (expected, schema) in cases {
        let refused = schema().to_raw().map(|_| ()).unwrap_err();
        assert_eq!(refused.to_string(), expected);
    }
}

/// The recursion of readers ends at 64 levels; a producer may nest as deep as it likes.
#[test]
fn ten_thousand_levels_are_refused() {
    // Built, and taken apart, without a recursion of its own.
    let mut inner = made("i", 0).schema.to_raw().unwrap();
    for _ in 0..10_000 {
        let mut outer = made("+s", 0).schema.to_raw().unwrap();
        outer.n_children = 1;
        outer.children = Box::into_raw(Box::new(Box::into_raw(Box::new(inner))));
        inner = outer;
    }
    let refused = SchemaTree::read_schema(&inner).unwrap_err();
    assert_eq!(
        refused.problem.to_string(),
        "the types nest deeper than 64 levels"
    );
    loop {
        let children = (inner.n_children == 1).then_some(inner.children);
        (inner.n_children, inner.children) = (0, std::ptr::null_mut());
        // SAFETY: the struct was made by `to_raw`, and is released once; it never owned what was put below it.
        unsafe { inner.release.unwrap()(&mut inner) };
        let Some(children) = children else {
            break;
        };
        // SAFETY: both boxes were made above, and are reached once.
        inner = unsafe { *Box::from_raw(*Box::from_raw(children)) };
    }
}
