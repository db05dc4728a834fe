//! A SQLite database built in memory, page by page, as the fast way into a real one.
//!
//! A row that goes through SQL costs its interpreter about twenty steps. `INSERT INTO a SELECT * FROM b` between two
//! tables of the same declaration costs five: SQLite copies the encoded rows as they are. So a batch becomes a small
//! read-only database in memory, with the same declarations as the real tables, which is attached and copied over.
//! The format is SQLite's documented file format; a mistake here is an error from SQLite, never undefined behaviour,
//! and the transaction is rolled back.

mod attach;
mod pages;
mod record;

use pages::{LARGEST_PAGE, Pages};

pub(crate) use attach::AttachedImage;
pub(crate) use pages::TableBuilder;
pub(crate) use record::Record;

/// The database being built. One is reused for all batches.
#[derive(Debug)]
pub(crate) struct Image {
    pages: Pages,
    /// Name, root page and declaration of the finished tables.
    tables: Vec<(&'static str, u32, String)>,
}

impl Default for Image {
    fn default() -> Self {
        Self::with_page_size(LARGEST_PAGE)
    }
}

impl Image {
    fn with_page_size(size: usize) -> Self {
        Self {
            pages: Pages::new(size),
            tables: Vec::new(),
        }
    }

    /// Starts a new, empty database.
    pub(crate) fn clear(&mut self) {
        self.tables.clear();
        self.pages.clear();
        // Page 1 holds the schema, which is written last.
        self.pages.allocate();
    }

    /// Starts a table.
    pub(crate) fn table(&mut self) -> TableBuilder {
        let page = self.pages.allocate();
        TableBuilder::new(&self.pages, page, 0)
    }

    /// Appends a row to a table of this image. `rowid` is greater than that of the row before.
    pub(crate) fn push(&mut self, table: &mut TableBuilder, rowid: i64, record: &Record) {
        table.push(&mut self.pages, rowid, record);
    }

    /// Closes a table. `declaration` is its CREATE TABLE statement.
    pub(crate) fn finish_table(
        &mut self,
        name: &'static str,
        declaration: String,
        table: TableBuilder,
    ) {
        let root = table.finish(&mut self.pages);
        self.tables.push((name, root, declaration));
    }

    /// The names of the finished tables.
    pub(crate) fn table_names(&self) -> impl Iterator<Item = &'static str> {
        self.tables.iter().map(|(name, ..)| *name)
    }

    /// Closes the database and returns its bytes, a whole number of pages.
    fn finish(&mut self) -> &mut [u8] {
        let mut schema = TableBuilder::new(&self.pages, 1, 100);
        let mut record = Record::default();
        for (index, (name, root, declaration)) in self.tables.iter().enumerate() {
            record.clear();
            record.text(b"table");
            record.text(name.as_bytes());
            record.text(name.as_bytes());
            record.int(i64::from(*root));
            record.text(declaration.as_bytes());
            schema.push(&mut self.pages, index as i64 + 1, &record);
        }
        let root = schema.finish(&mut self.pages);
        assert_eq!(
            root, 1,
            "the declarations of a batch's tables fit on one page"
        );
        let count = self.pages.count();
        // 65,536 does not fit; 1 stands for it.
        let page_size = u16::try_from(self.pages.size()).unwrap_or(1);
        let header = &mut self.pages.page(1)[..100];
        header.fill(0);
        header[..16].copy_from_slice(b"SQLite format 3\0");
        header[16..18].copy_from_slice(&page_size.to_be_bytes());
        // Rollback journal for reading and writing; then the fractions 64, 32, 32 that the format prescribes.
        header[18..24].copy_from_slice(&[1, 1, 0, 64, 32, 32]);
        const CHANGE_COUNTER: u32 = 1;
        let words = [
            (24, CHANGE_COUNTER),
            (28, count),
            // Schema cookie and schema format.
            (40, 1),
            (44, 4),
            // UTF-8.
            (56, 1),
            // The page count above is valid for this change counter.
            (92, CHANGE_COUNTER),
            (96, rusqlite::ffi::SQLITE_VERSION_NUMBER as u32),
        ];
        for (offset, word) in words {
            header[offset..offset + 4].copy_from_slice(&word.to_be_bytes());
        }
        self.pages.bytes_mut()
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, types::Value};

    use super::*;

    const PAGE_SIZES: [usize; 3] = [512, 4096, LARGEST_PAGE];

    fn fill(image: &mut Image, rows: &[(i64, Vec<Value>)]) {
        image.clear();
        let mut table = image.table();
        let mut record = Record::default();
        for (rowid, values) in rows {
            record.clear();
            for value in values {
                match value {
                    Value::Null => record.null(),
                    Value::Integer(value) => record.int(*value),
                    Value::Real(value) => record.real(*value),
                    Value::Text(value) => record.text(value.as_bytes()),
                    Value::Blob(_) => unreachable!("no table has blobs"),
                }
            }
            image.push(&mut table, *rowid, &record);
        }
        image.finish_table("t", "CREATE TABLE t(a, b, c)".into(), table);
    }

    fn read_back(image: &mut Image) -> Vec<(i64, Vec<Value>)> {
        let connection = Connection::open_in_memory().unwrap();
        let attached = AttachedImage::new(&connection, image).unwrap();
        let check: String = connection
            .query_row("PRAGMA batch.integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(check, "ok");
        let mut statement = connection
            .prepare("SELECT rowid, a, b, c FROM batch.t")
            .unwrap();
        let rows = statement
            .query_map([], |row| {
                Ok((row.get(0)?, vec![row.get(1)?, row.get(2)?, row.get(3)?]))
            })
            .unwrap()
            .map(Result::unwrap)
            .collect();
        drop(statement);
        attached.detach().unwrap();
        rows
    }

    fn text(length: usize, seed: usize) -> Value {
        Value::Text(
            (0..length)
                .map(|index| char::from(b'a' + ((index * 7 + seed) % 26) as u8))
                .collect(),
        )
    }

    fn check(rows: &[(i64, Vec<Value>)]) {
        for size in PAGE_SIZES {
            let mut image = Image::with_page_size(size);
            fill(&mut image, rows);
            // Not assert_eq: a failure would print megabytes.
            assert!(read_back(&mut image) == rows, "pages of {size}");
        }
    }

    #[test]
    fn every_width_of_integer_and_every_kind_of_value() {
        let mut rows = Vec::new();
        for shift in 0..64 {
            for value in [
                1i64 << shift,
                (1i64 << shift).wrapping_sub(1),
                (1i64 << shift).wrapping_neg(),
                !(1i64 << shift),
            ] {
                rows.push((
                    rows.len() as i64,
                    vec![Value::Integer(value), Value::Null, Value::Real(0.5)],
                ));
            }
        }
        check(&rows);
    }

    #[test]
    fn rowids_of_every_width() {
        let rows: Vec<_> = (0..63)
            .map(|shift| (1i64 << shift, vec![Value::Null, Value::Null, Value::Null]))
            .collect();
        check(&rows);
    }

    #[test]
    fn an_empty_table() {
        check(&[]);
    }

    #[test]
    fn payloads_around_the_bounds_of_a_leaf_and_of_overflow_pages() {
        for page in PAGE_SIZES {
            let mut lengths = vec![0, 1, 57, 58, 127, 128, 16_000];
            for around in [page - 60, page - 35, page, 2 * page - 60, 3 * page + 8_000] {
                lengths.extend(around - 12..around + 12);
            }
            let rows: Vec<_> = lengths
                .iter()
                .enumerate()
                .map(|(index, &length)| {
                    (
                        index as i64 + 1,
                        vec![text(length, index), Value::Integer(7), text(3, index)],
                    )
                })
                .collect();
            check(&rows);
        }
    }

    #[test]
    fn several_levels_of_interior_pages() {
        let rows: Vec<_> = (0..20_000i64)
            .map(|index| {
                (
                    1_000_000 + index,
                    vec![text(120, index as usize), Value::Null, Value::Null],
                )
            })
            .collect();
        let mut image = Image::with_page_size(512);
        fill(&mut image, &rows);
        // An interior page of 512 bytes holds at most 56 children of at least 9 bytes each.
        assert!(image.pages.count() > 56 * 56);
        assert!(read_back(&mut image) == rows);
    }

    #[test]
    fn several_tables_that_grow_side_by_side() {
        let mut image = Image::with_page_size(512);
        image.clear();
        let mut tables = [image.table(), image.table()];
        let mut record = Record::default();
        for rowid in 1..=1_000 {
            for (index, table) in tables.iter_mut().enumerate() {
                record.clear();
                record.int(rowid * (index as i64 + 1));
                image.push(table, rowid, &record);
            }
        }
        let [first, second] = tables;
        image.finish_table("t", "CREATE TABLE t(a)".into(), first);
        image.finish_table("u", "CREATE TABLE u(a)".into(), second);
        let connection = Connection::open_in_memory().unwrap();
        let _attached = AttachedImage::new(&connection, &mut image).unwrap();
        let equal: i64 = connection
            .query_row(
                "SELECT count(*) FROM t JOIN u ON u.rowid = t.rowid AND u.a = 2 * t.a",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(equal, 1_000);
    }

    #[test]
    fn a_reused_image_holds_nothing_of_the_one_before() {
        let mut image = Image::default();
        let rows: Vec<_> = (0..10_000i64)
            .map(|index| {
                (
                    index,
                    vec![text(30, index as usize), Value::Null, Value::Null],
                )
            })
            .collect();
        fill(&mut image, &rows);
        assert!(read_back(&mut image) == rows);
        fill(&mut image, &[]);
        assert_eq!(read_back(&mut image), []);
    }

    #[test]
    fn a_damaged_image_is_an_error() {
        let mut image = Image::default();
        fill(
            &mut image,
            &[(1, vec![text(30, 0), Value::Null, Value::Null])],
        );
        // The offset of the first cell of the table's leaf, page 2.
        image.pages.page(2)[8..10].fill(0xff);
        let connection = Connection::open_in_memory().unwrap();
        let _attached = AttachedImage::new(&connection, &mut image).unwrap();
        let error = connection
            .query_row("SELECT a FROM t", [], |row| row.get::<_, String>(0))
            .unwrap_err();
        assert_eq!(error.to_string(), "database disk image is malformed");
    }
}
