//! Tables like those of an extraction, made from a seed.

use std::sync::Arc;

use arrow_array::builder::{Float32Builder, StringBuilder, UInt32Builder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};

/// Five tables in the order of `Store::write`.
pub type Batch = [RecordBatch; 5];

/// What a generated corpus looks like, in averages.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub lines_per_file: usize,
    pub identifiers_per_line: usize,
    pub symbols_per_file: usize,
    pub relationships_per_file: usize,
    /// Also make rows that no extraction of today makes but that the contract allows: identifiers over several lines,
    /// ids of symbols elsewhere, odd texts.
    pub oddities: bool,
}

/// One line in ten has a symbol, four identifiers stand on a line: about what the extraction finds in real code.
pub const TYPICAL: Shape = Shape {
    lines_per_file: 50,
    identifiers_per_line: 4,
    symbols_per_file: 15,
    relationships_per_file: 25,
    oddities: false,
};

/// Small files with everything odd in them.
pub const ODD: Shape = Shape {
    lines_per_file: 12,
    identifiers_per_line: 3,
    symbols_per_file: 7,
    relationships_per_file: 6,
    oddities: true,
};

/// xorshift64.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 16) as usize % bound
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn pick<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        texts[self.below(texts.len())]
    }

    /// 22 characters of base64url, as 128 random bits.
    fn id(&mut self) -> String {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        (0..22)
            .map(|_| char::from(ALPHABET[self.below(64)]))
            .collect()
    }
}

/// Makes the batches of one corpus, file after file.
#[derive(Debug)]
pub struct Corpus {
    shape: Shape,
    random: Random,
    files: usize,
}

const LANGUAGES: [(&str, &str); 3] = [("typescript", "ts"), ("rust", "rs"), ("python", "py")];
const SYMBOL_KINDS: [&str; 6] = [
    "class", "function", "method", "variable", "constant", "import",
];
const IDENTIFIER_KINDS: [(&str, &str); 5] = [
    ("variable_ref", "read"),
    ("call", "call"),
    ("member_access", "read"),
    ("type_usage", "type"),
    ("variable_ref", "write"),
];
const COMMON_NAMES: usize = 4_000;

impl Corpus {
    pub fn new(shape: Shape, seed: u64) -> Self {
        Self {
            shape,
            random: Random::new(seed),
            files: 0,
        }
    }

    /// The path of the file with this number, from 0.
    pub fn path(file: usize) -> String {
        let (_, extension) = LANGUAGES[file % LANGUAGES.len()];
        format!(
            "packages/part{:03}/src/module_{file:05}.{extension}",
            file / 40
        )
    }

    /// The next `files` files.
    pub fn batch(&mut self, files: usize) -> Batch {
        let mut tables = Tables::default();
        for _ in 0..files {
            self.file(&mut tables);
        }
        tables.finish()
    }

    fn name(&mut self, vocabulary: &[String]) -> String {
        match self.random.below(20) {
            // Half of all uses are of names that stand everywhere, by Zipf's law.
            0..10 => {
                let place = (COMMON_NAMES as f64)
                    .powf(self.random.below(1 << 20) as f64 / (1 << 20) as f64);
                format!("name{}", place as usize)
            }
            _ => vocabulary[self.random.below(vocabulary.len())].clone(),
        }
    }

    fn file(&mut self, tables: &mut Tables) {
        let file = self.files;
        self.files += 1;
        let path = Self::path(file);
        let (language, _) = LANGUAGES[file % LANGUAGES.len()];
        let Shape {
            lines_per_file,
            identifiers_per_line,
            symbols_per_file,
            relationships_per_file,
            oddities,
        } = self.shape;
        let vocabulary: Vec<String> = (0..25)
            .map(|_| {
                let package = file / 40;
                let number = self.random.below(300);
                let odd = if oddities && self.random.one_in(6) {
                    "é\"'\0"
                } else {
                    ""
                };
                format!(
                    "{}{odd}{package}x{number}",
                    self.random
                        .pick(&["get", "parse", "render", "to", "is_", "on"])
                )
            })
            .collect();

        let t = &mut tables.files;
        t.text(0, &path);
        t.text(1, language);
        t.optional_text(
            2,
            (oddities && self.random.one_in(2)).then_some("content\nof a file\n"),
        );
        t.text(3, &format!("{:064x}", self.random.next()));
        t.number(4, (lines_per_file * 36) as u32);
        t.number(5, lines_per_file as u32);
        t.number(6, self.random.below(2) as u32);

        let mut symbols: Vec<(String, String)> = Vec::new();
        for index in 0..symbols_per_file {
            let id = self.random.id();
            let name = self.name(&vocabulary);
            let parent = index
                .checked_sub(1 + self.random.below(3))
                .and_then(|parent| symbols.get(parent))
                .cloned();
            let qualified = match &parent {
                Some((_, parent)) => format!(
                    "{parent}{}{name}",
                    if language == "rust" { "::" } else { "." }
                ),
                None => name.clone(),
            };
            let line = 1 + index * lines_per_file / symbols_per_file;
            let t = &mut tables.symbols;
            t.text(0, &id);
            t.text(1, &name);
            t.text(2, self.random.pick(&SYMBOL_KINDS));
            t.text(3, language);
            t.text(4, &path);
            t.number(5, line as u32);
            t.number(6, (line + 4) as u32);
            let signature =
                format!("function {name}(first: string, second: number): Promise<void>");
            t.optional_text(7, (!self.random.one_in(4)).then_some(&signature));
            let doc =
                "Says what the function does, what it takes, what it returns and when it fails.";
            t.optional_text(8, self.random.one_in(4).then_some(doc));
            let elsewhere = oddities && self.random.one_in(8);
            let stranger = self.random.id();
            let parent_id = if elsewhere {
                Some(&stranger)
            } else {
                parent.as_ref().map(|(id, _)| id)
            };
            t.optional_text(9, parent_id.map(String::as_str));
            t.optional_text(
                10,
                (oddities && self.random.one_in(3)).then_some("\n  context\n"),
            );
            t.number(11, 4);
            t.number(12, 5);
            t.number(13, (line * 36) as u32);
            t.number(14, (line * 36 + 100) as u32);
            t.text(15, &qualified);
            t.optional_text(16, self.random.one_in(2).then_some("public"));
            t.number(17, [0, 8, 1 << 8, 1 << 9][self.random.below(4)]);
            symbols.push((id, qualified));
        }

        let identifiers = lines_per_file * identifiers_per_line;
        for index in 0..identifiers {
            let line = 1 + index / identifiers_per_line;
            let name = self.name(&vocabulary);
            let (kind, access) = IDENTIFIER_KINDS[self.random.below(IDENTIFIER_KINDS.len())];
            let column = 4 + index % identifiers_per_line * 9;
            let byte = line * 36 + column;
            let spans_lines = oddities && self.random.one_in(9);
            let is_resolved = self.random.one_in(2) && symbols_per_file > 0;
            let t = &mut tables.identifiers;
            t.text(0, &self.random.id());
            t.text(1, &name);
            t.text(2, kind);
            t.text(3, language);
            t.text(4, &path);
            t.number(5, line as u32);
            t.number(6, column as u32);
            t.number(7, (line + usize::from(spans_lines)) as u32);
            t.number(8, (column + name.len()) as u32);
            let container = symbols.get(index * symbols_per_file / identifiers);
            t.optional_text(
                9,
                container.filter(|_| index > 5).map(|(id, _)| id.as_str()),
            );
            let stranger = self.random.id();
            let target = match is_resolved {
                true if oddities && self.random.one_in(5) => Some(stranger.as_str()),
                true => Some(symbols[self.random.below(symbols.len())].0.as_str()),
                false => None,
            };
            t.optional_text(10, target);
            t.real(11, if is_resolved { 1.0 } else { 0.0 });
            t.number(12, byte as u32);
            t.number(13, (byte + name.len() + usize::from(spans_lines)) as u32);
            t.text(14, access);
            t.text(15, if is_resolved { "lexical" } else { "none" });
        }

        for _ in 0..if symbols_per_file > 0 {
            relationships_per_file
        } else {
            0
        } {
            let to_name = self.name(&vocabulary);
            let t = &mut tables.relationships;
            t.text(0, &self.random.id());
            t.text(1, &symbols[self.random.below(symbols.len())].0);
            let is_resolved = self.random.one_in(2);
            let target = symbols[self.random.below(symbols.len())].0.as_str();
            t.optional_text(2, is_resolved.then_some(target));
            t.text(3, &to_name);
            t.text(4, self.random.pick(&["calls", "uses", "extends"]));
            t.text(5, &path);
            t.number(6, 1 + self.random.below(lines_per_file) as u32);
            t.real(7, if is_resolved { 0.9 } else { 0.0 });
        }

        if self.random.one_in(if oddities { 3 } else { 100 }) {
            let t = &mut tables.errors;
            t.text(0, &path);
            t.text(1, "degraded");
            t.text(2, "parse");
            t.text(3, "syntax");
            t.text(4, "2 syntax errors; the first is near line 7");
            let offset = self.random.below(1_000) as u32;
            t.optional_number(5, self.random.one_in(2).then_some(offset));
        }
    }
}

/// The five tables being filled.
#[derive(Default)]
struct Tables {
    symbols: Table<18>,
    identifiers: Table<16>,
    relationships: Table<8>,
    files: Table<7>,
    errors: Table<6>,
}

impl Tables {
    fn finish(self) -> Batch {
        [
            self.symbols.finish(&[
                "id",
                "name",
                "kind",
                "language",
                "file_path",
                "start_line:u32",
                "end_line:u32",
                "signature?",
                "doc_comment?",
                "parent_id?",
                "code_context?",
                "start_column:u32",
                "end_column:u32",
                "start_byte:u32",
                "end_byte:u32",
                "qualified_name",
                "visibility?",
                "flags:u32",
            ]),
            self.identifiers.finish(&[
                "id",
                "name",
                "kind",
                "language",
                "file_path",
                "start_line:u32",
                "start_column:u32",
                "end_line:u32",
                "end_column:u32",
                "containing_symbol_id?",
                "target_symbol_id?",
                "confidence:f32",
                "start_byte:u32",
                "end_byte:u32",
                "access",
                "resolution",
            ]),
            self.relationships.finish(&[
                "id",
                "from_symbol_id",
                "to_symbol_id?",
                "to_name",
                "kind",
                "file_path",
                "line_number:u32",
                "confidence:f32",
            ]),
            self.files.finish(&[
                "path",
                "language",
                "content?",
                "hash",
                "size:u32",
                "line_count:u32",
                "parse_error_count:u32",
            ]),
            self.errors.finish(&[
                "path",
                "severity",
                "stage",
                "code",
                "message",
                "byte_offset:u32?",
            ]),
        ]
    }
}

enum Column {
    Unused,
    Text(StringBuilder),
    Number(UInt32Builder),
    Real(Float32Builder),
}

struct Table<const N: usize>([Column; N]);

impl<const N: usize> Default for Table<N> {
    fn default() -> Self {
        Self([const { Column::Unused }; N])
    }
}

impl<const N: usize> Table<N> {
    fn text(&mut self, column: usize, value: &str) {
        self.optional_text(column, Some(value));
    }

    fn optional_text(&mut self, column: usize, value: Option<impl AsRef<str>>) {
        let column = &mut self.0[column];
        if let Column::Unused = column {
            *column = Column::Text(StringBuilder::new());
        }
        match column {
            Column::Text(builder) => builder.append_option(value),
            _ => unreachable!("a text"),
        }
    }

    fn number(&mut self, column: usize, value: u32) {
        self.optional_number(column, Some(value));
    }

    fn optional_number(&mut self, column: usize, value: Option<u32>) {
        let column = &mut self.0[column];
        if let Column::Unused = column {
            *column = Column::Number(UInt32Builder::new());
        }
        match column {
            Column::Number(builder) => builder.append_option(value),
            _ => unreachable!("a number"),
        }
    }

    fn real(&mut self, column: usize, value: f32) {
        let column = &mut self.0[column];
        if let Column::Unused = column {
            *column = Column::Real(Float32Builder::new());
        }
        match column {
            Column::Real(builder) => builder.append_value(value),
            _ => unreachable!("a real"),
        }
    }

    /// `names`: the columns' names with `:u32` or `:f32` for numbers, and `?` when nullable.
    fn finish(self, names: &[&str]) -> RecordBatch {
        let field = |name: &&str| {
            let (name, nullable) = name
                .strip_suffix('?')
                .map_or((*name, false), |name| (name, true));
            let (name, data_type) = match name.split_once(':') {
                Some((name, "u32")) => (name, DataType::UInt32),
                Some((name, _)) => (name, DataType::Float32),
                None => (name, DataType::Utf8),
            };
            Field::new(name, data_type, nullable)
        };
        let schema = Schema::new(names.iter().map(field).collect::<Vec<_>>());
        let arrays = self
            .0
            .into_iter()
            .zip(schema.fields())
            .map(|(column, field)| -> ArrayRef {
                match column {
                    Column::Unused => arrow_array::new_empty_array(field.data_type()),
                    Column::Text(mut builder) => Arc::new(builder.finish()),
                    Column::Number(mut builder) => Arc::new(builder.finish()),
                    Column::Real(mut builder) => Arc::new(builder.finish()),
                }
            });
        let arrays = arrays.collect();
        RecordBatch::try_new(Arc::new(schema), arrays).expect("columns of one length")
    }
}
