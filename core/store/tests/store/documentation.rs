//! The statements in docs/store.md work.

use crate::rows::of_sql;
use crate::{Place, index, odd_batch};

#[test]
fn every_example_runs() {
    let text = include_str!("../../../../docs/store.md");
    let place = Place::new();
    index(&mut place.create(), &[odd_batch(1, 40)]);
    let plain = place.plain();
    let examples: Vec<&str> = text
        .split("```sql\n")
        .skip(1)
        .map(|rest| rest.split_once("```").expect("a block that ends").0)
        .flat_map(|block| block.split_inclusive(";\n"))
        .filter(|statement| !statement.trim().is_empty())
        .collect();
    assert!(examples.len() >= 5, "{examples:?}");
    for example in examples {
        // A statement that SQLite refuses panics there.
        let rows = of_sql(&plain, example);
        assert!(!rows.is_empty(), "no rows: {example}");
    }
}

#[test]
fn every_table_is_described() {
    let text = include_str!("../../../../docs/store.md");
    let place = Place::new();
    place.create();
    let objects = of_sql(
        &place.plain(),
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    );
    for name in objects.concat() {
        let name = name.trim_matches('"').trim_end_matches("_0").to_owned();
        assert!(
            text.contains(&format!("`{name}`")),
            "docs/store.md does not mention {name}"
        );
    }
    let columns = of_sql(
        &place.plain(),
        "SELECT DISTINCT c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'",
    );
    for name in columns.concat() {
        let name = name.trim_matches('"').to_owned();
        assert!(
            text.contains(&format!("`{name}`")),
            "docs/store.md does not mention the column {name}"
        );
    }
}
