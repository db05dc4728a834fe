//! The database's declarations: identity, meta table, the tables of a generation and the views over them.
//! docs/store.md describes them for the reader of a database.

/// `PRAGMA application_id`: "BOWs" in ASCII.
pub(crate) const APPLICATION_ID: i32 = 0x424f_5773;

/// `PRAGMA user_version`: the version of everything in this file.
pub(crate) const FORMAT: i32 = 1;

/// Of the measured sizes the one with the least CPU in a load that still reads little for a single row.
pub(crate) const PAGE_SIZE: u32 = 16_384;

/// The tables of a generation: name and columns. In the database the name ends in `_` and the generation's number.
///
/// `identifier` and `name_use` have no INTEGER PRIMARY KEY because SQLite then appends copied rows without looking for
/// duplicates of their keys, which halves the cost of a row. Their rowids are dense from 1 and rows are never deleted
/// one by one, so VACUUM keeps them.
pub(crate) const TABLES: [(&str, &str); 12] = [
    ("name", "key INTEGER PRIMARY KEY, text TEXT NOT NULL"),
    (
        "file",
        "key INTEGER PRIMARY KEY, path TEXT NOT NULL, language TEXT NOT NULL, hash TEXT NOT NULL, \
         size INTEGER NOT NULL, line_count INTEGER NOT NULL, parse_error_count INTEGER NOT NULL, \
         first_symbol INTEGER NOT NULL, last_symbol INTEGER NOT NULL, first_use INTEGER NOT NULL, \
         last_use INTEGER NOT NULL, content TEXT",
    ),
    (
        "symbol_class",
        "key INTEGER PRIMARY KEY, kind TEXT NOT NULL, language TEXT NOT NULL, visibility TEXT, \
         flags INTEGER NOT NULL",
    ),
    (
        "symbol",
        "key INTEGER PRIMARY KEY, id TEXT NOT NULL, name INTEGER NOT NULL, class INTEGER NOT NULL, \
         file INTEGER NOT NULL, start_line INTEGER NOT NULL, end_line INTEGER NOT NULL, \
         start_column INTEGER NOT NULL, end_column INTEGER NOT NULL, start_byte INTEGER NOT NULL, \
         end_byte INTEGER NOT NULL, parent INTEGER, qualified_name TEXT NOT NULL, signature TEXT, \
         doc_comment TEXT, code_context TEXT",
    ),
    ("other_symbol", "key INTEGER PRIMARY KEY, id TEXT NOT NULL"),
    (
        "identifier_class",
        "key INTEGER PRIMARY KEY, kind TEXT NOT NULL, language TEXT NOT NULL, access TEXT NOT NULL, \
         resolution TEXT NOT NULL, confidence REAL NOT NULL",
    ),
    (
        "identifier",
        "id TEXT NOT NULL, class INTEGER NOT NULL, file INTEGER NOT NULL, start_line INTEGER NOT NULL, \
         start_column INTEGER NOT NULL, start_byte INTEGER NOT NULL, length INTEGER, container INTEGER, \
         target INTEGER",
    ),
    (
        "identifier_end",
        "identifier INTEGER PRIMARY KEY, end_line INTEGER NOT NULL, end_column INTEGER NOT NULL, \
         end_byte INTEGER NOT NULL",
    ),
    (
        "name_use",
        "name INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL",
    ),
    (
        "relationship_class",
        "key INTEGER PRIMARY KEY, kind TEXT NOT NULL, confidence REAL NOT NULL",
    ),
    (
        "relationship",
        "id TEXT NOT NULL, class INTEGER NOT NULL, file INTEGER NOT NULL, source INTEGER NOT NULL, \
         target INTEGER, name INTEGER NOT NULL, line INTEGER NOT NULL",
    ),
    (
        "error",
        "path TEXT NOT NULL, severity TEXT NOT NULL, stage TEXT NOT NULL, code TEXT NOT NULL, \
         message TEXT NOT NULL, byte_offset INTEGER",
    ),
];

/// The declaration of a generation's table, under its full or, in an image, its bare name.
pub(crate) fn create_table(base: &str, name: &str) -> String {
    let (_, columns) = TABLES
        .iter()
        .find(|(table, _)| *table == base)
        .expect("a table of a generation");
    format!("CREATE TABLE {name}({columns})")
}

/// Everything that a new generation starts with. Paths are indexed from the start, so that a path that comes twice is
/// found while it is written.
pub(crate) fn begin_generation(generation: u64) -> String {
    let mut sql: String = TABLES
        .iter()
        .map(|(base, _)| create_table(base, &format!("{base}_{generation}")) + ";\n")
        .collect();
    sql += &format!("CREATE UNIQUE INDEX file_{generation}_path ON file_{generation}(path);");
    sql
}

/// The indexes that are built once all rows are there, one statement each: sorting once is several times cheaper than
/// growing an index row by row.
pub(crate) fn create_indexes(generation: u64) -> [String; 4] {
    [
        format!("CREATE UNIQUE INDEX name_{generation}_text ON name_{generation}(text)"),
        format!("CREATE INDEX symbol_{generation}_name ON symbol_{generation}(name)"),
        format!("CREATE INDEX symbol_{generation}_id ON symbol_{generation}(id)"),
        format!("CREATE INDEX name_use_{generation}_name ON name_use_{generation}(name)"),
    ]
}

/// The contract's columns of `symbols` over the aliases `s` (symbol), `n` (its name), `c` (its class), `f` (its file).
pub(crate) fn symbol_columns(generation: u64) -> String {
    let parent = symbol_id(generation, "s.parent");
    format!(
        "s.id, n.text AS name, c.kind, c.language, f.path AS file_path, s.start_line, s.end_line, s.signature,
  s.doc_comment, {parent} AS parent_id, s.code_context, s.start_column, s.end_column, s.start_byte, s.end_byte,
  s.qualified_name, c.visibility, c.flags"
    )
}

/// The contract's columns of `identifiers` over the aliases `i` (identifier), `n`, `c`, `f`.
pub(crate) fn identifier_columns(generation: u64) -> String {
    let container = symbol_id(generation, "i.container");
    let target = symbol_id(generation, "i.target");
    let end = |column: &str, derived: &str| {
        format!(
            "CASE WHEN i.length IS NULL
    THEN (SELECT {column} FROM identifier_end_{generation} WHERE identifier = i.rowid)
    ELSE {derived} END AS {column}"
        )
    };
    let end_line = end("end_line", "i.start_line");
    let end_column = end("end_column", "i.start_column + i.length");
    let end_byte = end("end_byte", "i.start_byte + i.length");
    format!(
        "i.id, n.text AS name, c.kind, c.language, f.path AS file_path, i.start_line, i.start_column,
  {end_line},
  {end_column},
  {container} AS containing_symbol_id,
  {target} AS target_symbol_id,
  c.confidence, i.start_byte,
  {end_byte},
  c.access, c.resolution"
    )
}

/// The id behind a key that may be null.
fn symbol_id(generation: u64, key: &str) -> String {
    format!(
        "coalesce((SELECT id FROM symbol_{generation} WHERE key = {key}),
    (SELECT id FROM other_symbol_{generation} WHERE key = {key}))"
    )
}

/// Points the views at a generation.
///
/// The joins tell SQLite what it cannot know: that a file's symbols stand together and its identifiers are in the
/// ranges of one batch (`BETWEEN`), that identifiers are reached through `name_use` (`CROSS JOIN`: never the other way
/// round), and that sorting all of them by file or class does not pay (the unary plus).
pub(crate) fn replace_views(generation: u64) -> String {
    let symbols = symbol_columns(generation);
    let identifiers = identifier_columns(generation);
    let source = symbol_id(generation, "r.source");
    let target = symbol_id(generation, "r.target");
    format!(
        "DROP VIEW IF EXISTS symbols;
DROP VIEW IF EXISTS identifiers;
DROP VIEW IF EXISTS relationships;
DROP VIEW IF EXISTS files;
DROP VIEW IF EXISTS errors;
CREATE VIEW symbols AS
SELECT {symbols}
FROM symbol_{generation} s
JOIN name_{generation} n ON n.key = s.name
JOIN symbol_class_{generation} c ON c.key = s.class
JOIN file_{generation} f ON f.key = s.file AND s.key BETWEEN f.first_symbol AND f.last_symbol;
CREATE VIEW identifiers AS
SELECT {identifiers}
FROM name_use_{generation} u
JOIN name_{generation} n ON n.key = u.name
CROSS JOIN identifier_{generation} i ON i.rowid BETWEEN u.first AND u.last
JOIN identifier_class_{generation} c ON c.key = +i.class
JOIN file_{generation} f ON f.key = +i.file AND u.rowid BETWEEN f.first_use AND f.last_use;
CREATE VIEW relationships AS
SELECT r.id, {source} AS from_symbol_id,
  {target} AS to_symbol_id,
  n.text AS to_name, c.kind, f.path AS file_path, r.line AS line_number, c.confidence
FROM relationship_{generation} r
JOIN name_{generation} n ON n.key = r.name
JOIN relationship_class_{generation} c ON c.key = r.class
JOIN file_{generation} f ON f.key = r.file;
CREATE VIEW files AS
SELECT path, language, content, hash, size, line_count, parse_error_count
FROM file_{generation};
CREATE VIEW errors AS
SELECT path, severity, stage, code, message, byte_offset
FROM error_{generation};
"
    )
}

/// The generation that a table belongs to; `None` for `meta` and for what is not Bowstring's.
pub(crate) fn generation_of(table: &str) -> Option<u64> {
    let (base, generation) = table.rsplit_once('_')?;
    TABLES
        .iter()
        .any(|(name, _)| *name == base)
        .then(|| generation.parse().ok())?
}

/// A new database, with an empty generation 0 so that the views are there from the start.
pub(crate) fn create_database() -> String {
    format!(
        "PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORMAT};
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO meta VALUES
  ('workspace_id', lower(hex(randomblob(16)))),
  ('generation', 0),
  ('root', NULL),
  ('created_at', NULL),
  ('files', 0),
  ('symbols', 0),
  ('identifiers', 0),
  ('relationships', 0),
  ('errors', 0);
{}
{};
{}",
        begin_generation(0),
        create_indexes(0).join(";\n"),
        replace_views(0)
    )
}
