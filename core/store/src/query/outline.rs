//! The symbols of a file.

use std::collections::HashMap;

use arrow_array::RecordBatch;
use arrow_schema::DataType;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};

use super::collect::Collector;
use super::{Failure, sql_limit};
use crate::contract::{Column, LOCAL_FLAGS, SYMBOLS, answer_schema};
use crate::schema::symbol_columns;

const MORE: &[Column] = &[("depth", DataType::UInt32, false)];

pub(super) fn run(
    connection: &Connection,
    generation: u64,
    file: &str,
    limit: u32,
) -> Result<RecordBatch, Failure> {
    let tree = Tree::read(connection, generation, file)?;
    let mut collector = Collector::new(answer_schema(SYMBOLS, MORE, tree.shown));
    let mut statement = connection.prepare(&rows(generation))?;
    let mut rows = statement.query(params![file, sql_limit(limit)])?;
    while let Some(row) = rows.next()? {
        let count = SYMBOLS.len();
        collector.push_row(row, count)?;
        collector.push(count, ValueRef::Integer(tree.depth(row.get(count)?)))?;
    }
    Ok(collector.finish())
}

/// The nesting of a file's symbols.
struct Tree {
    /// By key, hidden ones too: what is inside a hidden symbol belongs to its nearest ancestor that is shown. Parents
    /// may come after their children in the source, as a type after the block that implements it.
    nodes: HashMap<i64, Node>,
    shown: u64,
}

struct Node {
    parent: Option<i64>,
    is_shown: bool,
}

impl Tree {
    fn read(connection: &Connection, generation: u64, file: &str) -> Result<Self, Failure> {
        let mut statement = connection.prepare(&nodes(generation))?;
        let mut rows = statement.query([file])?;
        let mut tree = Self {
            nodes: HashMap::new(),
            shown: 0,
        };
        while let Some(row) = rows.next()? {
            let is_shown = row.get::<_, u32>(2)? & LOCAL_FLAGS == 0;
            tree.nodes.insert(
                row.get(0)?,
                Node {
                    parent: row.get(1)?,
                    is_shown,
                },
            );
            tree.shown += u64::from(is_shown);
        }
        Ok(tree)
    }

    /// How many ancestors of a symbol are shown.
    fn depth(&self, key: i64) -> i64 {
        let parent = |key: i64| self.nodes.get(&key).and_then(|node| node.parent);
        std::iter::successors(parent(key), |&key| parent(key))
            // Parents that form a circle, in tables of somebody else's making, must not hold us up.
            .take(self.nodes.len())
            .filter(|key| self.nodes.get(key).is_some_and(|node| node.is_shown))
            .count() as i64
    }
}

pub(super) fn nodes(generation: u64) -> String {
    format!(
        "SELECT s.key, s.parent, c.flags
FROM file_{generation} f
CROSS JOIN symbol_{generation} s ON s.key BETWEEN f.first_symbol AND f.last_symbol
JOIN symbol_class_{generation} c ON c.key = s.class
WHERE f.path = ?1"
    )
}

pub(super) fn rows(generation: u64) -> String {
    format!(
        "SELECT {}, s.key
FROM file_{generation} f
CROSS JOIN symbol_{generation} s ON s.key BETWEEN f.first_symbol AND f.last_symbol
JOIN name_{generation} n ON n.key = s.name
JOIN symbol_class_{generation} c ON c.key = s.class
WHERE f.path = ?1 AND c.flags & {LOCAL_FLAGS} = 0
ORDER BY s.start_byte, s.end_byte DESC, s.key
LIMIT ?2",
        symbol_columns(generation)
    )
}
