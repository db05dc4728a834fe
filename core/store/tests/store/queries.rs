//! The answers to queries, on an index small enough to read.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, RecordBatch, StringArray, UInt32Array};
use bowstring_store::{DEFAULT_LIMIT, Mode, Query, Store};

use crate::corpus::{Batch, Corpus};
use crate::rows::{columns, of_batch};
use crate::{ODD, Place, index, odd_batch};

const LOCAL: u32 = 1 << 8;
const PARAMETER: u32 = 1 << 9;

/// Id, qualified name (the last part is the name), kind, path, line, first and last byte, parent, flags.
type Symbol = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    u32,
    [u32; 2],
    Option<&'static str>,
    u32,
);

/// Name, path, line, byte, containing symbol, target.
type Identifier = (
    &'static str,
    &'static str,
    u32,
    u32,
    Option<&'static str>,
    Option<&'static str>,
);

#[rustfmt::skip]
const SYMBOLS: &[Symbol] = &[
    ("store", "Store", "class", "src/store.ts", 1, [0, 100], None, 8),
    ("open", "Store.open", "method", "src/store.ts", 2, [10, 60], Some("store"), 0),
    ("path", "Store.open.path", "variable", "src/store.ts", 2, [15, 20], Some("open"), PARAMETER),
    ("callback", "Store.open.callback", "variable", "src/store.ts", 3, [30, 50], Some("open"), LOCAL),
    ("inner", "Store.open.callback.inner", "function", "src/store.ts", 3, [35, 45], Some("callback"), 0),
    ("close", "Store.close", "method", "src/store.ts", 5, [70, 90], Some("store"), 0),
    // A method whose type comes later in the file.
    ("rs_open", "db::Store::open", "method", "src/db.rs", 1, [5, 20], Some("rs_store"), 0),
    ("rs_store", "db::Store", "struct", "src/db.rs", 4, [30, 40], None, 0),
    ("free", "reopen", "function", "src/db.rs", 6, [50, 60], None, 0),
    ("php", r"App\Store", "class", "src/Store.php", 1, [0, 9], None, 0),
    ("import", "os.path", "import", "src/tool.py", 1, [0, 9], None, 0),
];

#[rustfmt::skip]
const IDENTIFIERS: &[Identifier] = &[
    ("open", "src/tool.py", 9, 90, None, Some("elsewhere")),
    ("open", "src/tool.py", 2, 12, None, None),
    ("open", "src/store.ts", 5, 75, Some("close"), Some("open")),
    ("path", "src/store.ts", 3, 40, Some("inner"), Some("path")),
    ("open", "src/db.rs", 6, 55, Some("free"), Some("rs_open")),
];

fn text<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(values.map(Some).collect::<StringArray>())
}

fn optional<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn number(values: impl Iterator<Item = u32>) -> ArrayRef {
    Arc::new(UInt32Array::from_iter_values(values))
}

fn name_of(qualified: &'static str) -> &'static str {
    if qualified == "os.path" {
        qualified
    } else {
        qualified.rsplit(['.', ':', '\\']).next().unwrap()
    }
}

/// The tables above as one batch. The fields come from generated tables, so that they cannot drift apart.
fn batch() -> Batch {
    let [symbols, identifiers, relationships, files, errors] = Corpus::new(ODD, 1).batch(0);
    let fill = |table: &RecordBatch, rows: usize, column: &dyn Fn(&str) -> Option<ArrayRef>| {
        let schema = table.schema();
        let arrays = schema.fields().iter().map(|field| {
            column(field.name()).unwrap_or_else(|| match field.is_nullable() {
                true => arrow_array::new_null_array(field.data_type(), rows),
                false if field.data_type() == &arrow_schema::DataType::Utf8 => {
                    text((0..rows).map(|_| ""))
                }
                false if field.data_type() == &arrow_schema::DataType::UInt32 => {
                    number((0..rows).map(|_| 0))
                }
                false => Arc::new(Float32Array::from(vec![0.5; rows])),
            })
        });
        RecordBatch::try_new(schema.clone(), arrays.collect()).unwrap()
    };
    let s = || SYMBOLS.iter();
    let i = || IDENTIFIERS.iter();
    let paths = ["src/tool.py", "src/store.ts", "src/db.rs", "src/Store.php"];
    [
        fill(&symbols, SYMBOLS.len(), &|column| {
            Some(match column {
                "id" => text(s().map(|row| row.0)),
                "name" => text(s().map(|row| name_of(row.1))),
                "qualified_name" => text(s().map(|row| row.1)),
                "kind" => text(s().map(|row| row.2)),
                "file_path" => text(s().map(|row| row.3)),
                "start_line" => number(s().map(|row| row.4)),
                "start_byte" => number(s().map(|row| row.5[0])),
                "end_byte" => number(s().map(|row| row.5[1])),
                "parent_id" => optional(s().map(|row| row.6)),
                "flags" => number(s().map(|row| row.7)),
                _ => return None,
            })
        }),
        fill(&identifiers, IDENTIFIERS.len(), &|column| {
            Some(match column {
                "name" => text(i().map(|row| row.0)),
                "file_path" => text(i().map(|row| row.1)),
                "start_line" | "end_line" => number(i().map(|row| row.2)),
                "start_byte" => number(i().map(|row| row.3)),
                "end_byte" => number(i().map(|row| row.3 + row.0.len() as u32)),
                "end_column" => number(i().map(|row| row.0.len() as u32)),
                "containing_symbol_id" => optional(i().map(|row| row.4)),
                "target_symbol_id" => optional(i().map(|row| row.5)),
                _ => return None,
            })
        }),
        relationships,
        fill(&files, paths.len(), &|column| {
            (column == "path").then(|| text(paths.into_iter()))
        }),
        fill(&errors, 2, &|column| {
            (column == "path").then(|| text(["src/tool.py", "b.bin"].into_iter()))
        }),
    ]
}

fn store() -> (Place, Store) {
    let place = Place::new();
    index(&mut place.create(), &[batch()]);
    let store = Store::open(&place.path, Mode::Read).unwrap();
    (place, store)
}

fn total(answer: &RecordBatch) -> String {
    answer
        .schema()
        .metadata()
        .get("bowstring:total")
        .unwrap()
        .clone()
}

fn defs(name: &str) -> Query {
    Query::Defs {
        name: name.into(),
        kind: None,
        locals: false,
        limit: DEFAULT_LIMIT,
    }
}

#[test]
fn definitions_of_names_and_qualified_names() {
    let (_place, mut store) = store();
    let cases: &[(&str, &[&str])] = &[
        // By path, then position.
        (
            "open",
            &["src/db.rs 1 db::Store::open", "src/store.ts 2 Store.open"],
        ),
        (
            "Store",
            &[
                r"src/Store.php 1 App\\Store",
                "src/db.rs 4 db::Store",
                "src/store.ts 1 Store",
            ],
        ),
        (
            "Store.open",
            &["src/db.rs 1 db::Store::open", "src/store.ts 2 Store.open"],
        ),
        (
            "Store::open",
            &["src/db.rs 1 db::Store::open", "src/store.ts 2 Store.open"],
        ),
        (
            "Store#open",
            &["src/db.rs 1 db::Store::open", "src/store.ts 2 Store.open"],
        ),
        ("db::Store::open", &["src/db.rs 1 db::Store::open"]),
        ("db.Store", &["src/db.rs 4 db::Store"]),
        (r"App\Store", &[r"src/Store.php 1 App\\Store"]),
        // A part is whole or not found.
        ("ore.open", &[]),
        ("tore", &[]),
        ("OPEN", &[]),
        ("open.Store", &[]),
        (".open", &[]),
        ("", &[]),
        // A name with a separator in it; its last part is no name.
        ("os.path", &["src/tool.py 1 os.path"]),
        // Parameters and local variables are left out.
        ("path", &[]),
        ("callback", &[]),
        ("inner", &["src/store.ts 3 Store.open.callback.inner"]),
    ];
    for (name, expected) in cases {
        let answer = store.query(&defs(name)).unwrap();
        assert_eq!(
            columns(&answer, &["file_path", "start_line", "qualified_name"]),
            *expected,
            "{name}"
        );
        assert_eq!(total(&answer), expected.len().to_string(), "{name}");
    }
}

#[test]
fn definitions_by_kind_and_with_locals() {
    let (_place, mut store) = store();
    let mut ask = |name: &str, kind: Option<&str>, locals| {
        let query = Query::Defs {
            name: name.into(),
            kind: kind.map(str::to_owned),
            locals,
            limit: 0,
        };
        columns(&store.query(&query).unwrap(), &["id"])
    };
    assert_eq!(ask("Store", Some("class"), false), ["php", "store"]);
    assert_eq!(ask("Store", Some("struct"), false), ["rs_store"]);
    assert_eq!(ask("Store", Some("macro"), false), [""; 0]);
    assert_eq!(ask("path", None, true), ["path"]);
    assert_eq!(ask("open.path", None, true), ["path"]);
    assert_eq!(ask("callback", Some("variable"), true), ["callback"]);
}

#[test]
fn uses_of_a_name_with_where_they_are_and_where_they_lead() {
    let (_place, mut store) = store();
    let answer = store
        .query(&Query::Refs {
            name: "open".into(),
            limit: DEFAULT_LIMIT,
        })
        .unwrap();
    let shown = [
        "file_path",
        "start_line",
        "containing_name",
        "target_symbol_id",
        "target_path",
        "target_line",
    ];
    assert_eq!(
        columns(&answer, &shown),
        [
            "src/db.rs 6 reopen rs_open src/db.rs 1",
            "src/store.ts 5 Store.close open src/store.ts 2",
            "src/tool.py 2 null null null null",
            // The target is a symbol that the index does not have.
            "src/tool.py 9 null elsewhere null null",
        ]
    );
    assert_eq!(total(&answer), "4");
    assert_eq!(
        answer.schema().fields()[..16],
        odd_batch(1, 0)[1].schema().fields()[..]
    );
    let answer = store
        .query(&Query::Refs {
            name: "nowhere".into(),
            limit: DEFAULT_LIMIT,
        })
        .unwrap();
    assert_eq!((answer.num_rows(), total(&answer).as_str()), (0, "0"));
}

#[test]
fn an_outline_is_in_source_order_and_what_hidden_symbols_hold_moves_up() {
    let (_place, mut store) = store();
    let mut outline = |file: &str, limit| {
        let answer = store
            .query(&Query::Outline {
                file: file.into(),
                limit,
            })
            .unwrap();
        (
            columns(&answer, &["depth", "qualified_name"]),
            total(&answer),
        )
    };
    let all = [
        "0 Store",
        "1 Store.open",
        "2 Store.open.callback.inner",
        "1 Store.close",
    ];
    assert_eq!(
        outline("src/store.ts", 0),
        (all.map(String::from).into(), "4".into())
    );
    assert_eq!(
        outline("src/store.ts", 3),
        (
            all[..3].iter().map(ToString::to_string).collect(),
            "4".into()
        )
    );
    let all = ["1 db::Store::open", "0 db::Store", "0 reopen"];
    assert_eq!(
        outline("src/db.rs", 0),
        (all.map(String::from).into(), "3".into())
    );
    assert_eq!(outline("src/missing.rs", 0), (vec![], "0".into()));
}

#[test]
fn files_and_errors_are_in_order_of_path() {
    let (_place, mut store) = store();
    let answer = store.query(&Query::Files { limit: 3 }).unwrap();
    assert_eq!(
        columns(&answer, &["path"]),
        ["src/Store.php", "src/db.rs", "src/store.ts"]
    );
    assert_eq!(total(&answer), "4");
    assert!(answer.column_by_name("content").is_none());
    let answer = store.query(&Query::Errors { limit: 0 }).unwrap();
    assert_eq!(columns(&answer, &["path"]), ["b.bin", "src/tool.py"]);
    assert_eq!(total(&answer), "2");
}

#[test]
fn a_limit_cuts_the_answer_and_not_the_total() {
    let place = Place::new();
    let mut store = place.create();
    let batch = odd_batch(1, 300);
    index(&mut store, std::slice::from_ref(&batch));
    let whole = store
        .query(&Query::Refs {
            name: "name1".into(),
            limit: 0,
        })
        .unwrap();
    let rows = of_batch(&whole);
    assert!(rows.len() > 200);
    for limit in [1, 7, rows.len() as u32, rows.len() as u32 + 1] {
        let answer = store
            .query(&Query::Refs {
                name: "name1".into(),
                limit,
            })
            .unwrap();
        assert_eq!(of_batch(&answer), rows[..rows.len().min(limit as usize)]);
        assert_eq!(total(&answer), rows.len().to_string());
    }
    let whole = store
        .query(&Query::Defs {
            name: "name1".into(),
            kind: None,
            locals: true,
            limit: 0,
        })
        .unwrap();
    let answer = store
        .query(&Query::Defs {
            name: "name1".into(),
            kind: None,
            locals: true,
            limit: 2,
        })
        .unwrap();
    assert_eq!(of_batch(&answer), of_batch(&whole)[..2]);
    assert_eq!(total(&answer), whole.num_rows().to_string());
}

#[test]
fn an_index_without_rows_has_empty_answers() {
    let place = Place::new();
    let mut store = place.create();
    for query in [
        defs("a"),
        Query::Refs {
            name: "a".into(),
            limit: 0,
        },
        Query::Outline {
            file: "a".into(),
            limit: 0,
        },
        Query::Files { limit: 0 },
        Query::Errors { limit: 0 },
    ] {
        let answer = store.query(&query).unwrap();
        assert_eq!(
            (answer.num_rows(), total(&answer).as_str()),
            (0, "0"),
            "{query:?}"
        );
    }
}
