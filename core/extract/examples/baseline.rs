//! Extraction to Arrow against the least that any extractor has to do: read, hash and parse the same files with the
//! same grammars on the same number of threads.
//!
//! `cargo run --release -p bowstring-extract --example baseline -- DIRECTORY [THREADS [ROUNDS]]`
//!
//! The two take turns, so that a change in the machine's speed meets both; the ratio is the median of the rounds' ratios.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use bowstring_extract::{Control, ExtractOptions, ExtractionBatch, extract};
use tree_sitter::{Language, Parser};

/// The bound on the ratio that the project sets itself.
const BOUND: f64 = 1.6;

struct File {
    path: PathBuf,
    language: String,
}

/// What one run over the files found.
#[derive(Default)]
struct Found {
    files: Vec<File>,
    bytes: u64,
    lines: u64,
    symbols: usize,
    identifiers: usize,
    relationships: usize,
}

impl Found {
    fn add(&mut self, root: &Path, batch: &ExtractionBatch) {
        let column = |name| batch.files.column_by_name(name).expect("a column of files");
        let paths = column("path").as_string::<i32>();
        let languages = column("language").as_string::<i32>();
        let lines = column("line_count").as_primitive::<UInt32Type>();
        let sizes = column("size").as_primitive::<UInt32Type>();
        for row in 0..batch.files.num_rows() {
            self.files.push(File {
                path: root.join(paths.value(row)),
                language: languages.value(row).to_owned(),
            });
            self.lines += u64::from(lines.value(row));
            self.bytes += u64::from(sizes.value(row));
        }
        self.symbols += batch.symbols.num_rows();
        self.identifiers += batch.identifiers.num_rows();
        self.relationships += batch.relationships.num_rows();
    }

    fn rows(&self) -> usize {
        self.symbols + self.identifiers + self.relationships
    }
}

fn grammar(language: &str) -> Language {
    match language {
        "typescript" => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
        "tsx" => tree_sitter_typescript::LANGUAGE_TSX,
        "javascript" | "jsx" => tree_sitter_javascript::LANGUAGE,
        "python" => tree_sitter_python::LANGUAGE,
        "rust" => tree_sitter_rust::LANGUAGE,
        "go" => tree_sitter_go::LANGUAGE,
        "java" => tree_sitter_java::LANGUAGE,
        "c" => tree_sitter_c::LANGUAGE,
        "cpp" => tree_sitter_cpp::LANGUAGE,
        "csharp" => tree_sitter_c_sharp::LANGUAGE,
        "ruby" => tree_sitter_ruby::LANGUAGE,
        "php" => tree_sitter_php::LANGUAGE_PHP,
        other => panic!("no grammar for {other}"),
    }
    .into()
}

/// Read, hash, parse; what comes of it is summed up so that no compiler can leave it out.
fn baseline(files: &[File], threads: usize) -> Duration {
    let started = Instant::now();
    let next = AtomicUsize::new(0);
    let checksum = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut parsers = HashMap::<&str, Parser>::new();
                while let Some(file) = files.get(next.fetch_add(1, Relaxed)) {
                    let source = std::fs::read(&file.path).expect("a file that was just extracted");
                    let hash = blake3::hash(&source);
                    let parser = parsers.entry(&file.language).or_insert_with(|| {
                        let mut parser = Parser::new();
                        parser
                            .set_language(&grammar(&file.language))
                            .expect("a grammar of this tree-sitter");
                        parser
                    });
                    let tree = parser
                        .parse(&source, None)
                        .expect("nothing stops the parser");
                    let nodes = tree.root_node().descendant_count() as u64;
                    checksum.fetch_add(nodes + u64::from(hash.as_bytes()[0]), Relaxed);
                }
            });
        }
    });
    assert_ne!(checksum.into_inner(), 0);
    started.elapsed()
}

fn extraction(
    options: &ExtractOptions,
    sink: &mut dyn FnMut(ExtractionBatch) -> ControlFlow<()>,
) -> Result<Duration, String> {
    let started = Instant::now();
    extract(options, &Control::default(), sink).map_err(|error| error.to_string())?;
    Ok(started.elapsed())
}

fn run() -> Result<bool, String> {
    let mut arguments = std::env::args().skip(1);
    let root = arguments
        .next()
        .ok_or("usage: baseline DIRECTORY [THREADS [ROUNDS]]")?;
    let root = std::fs::canonicalize(&root).map_err(|error| format!("{root}: {error}"))?;
    let mut number = |default| match arguments.next() {
        Some(text) => text.parse().map_err(|_| format!("{text} is not a number")),
        None => Ok(default),
    };
    let cores = std::thread::available_parallelism().map_or(1, |count| count.get());
    let threads: usize = number(cores)?.max(1);
    let rounds: usize = number(5)?.max(1);

    // The first run tells which files there are, and leaves them in the page cache.
    let mut options = ExtractOptions::new(&root);
    options.threads = threads;
    let mut found = Found::default();
    extraction(&options, &mut |batch| {
        found.add(&root, &batch);
        ControlFlow::Continue(())
    })?;
    options.paths = Some(found.files.iter().map(|file| file.path.clone()).collect());

    let mut rounds_of_both = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let floor = baseline(&found.files, threads);
        let time = extraction(&options, &mut |_| ControlFlow::Continue(()))?;
        rounds_of_both.push((floor, time, time.as_secs_f64() / floor.as_secs_f64()));
    }
    rounds_of_both.sort_by(|a, b| a.2.total_cmp(&b.2));
    let (floor, time, ratio) = rounds_of_both[rounds / 2];

    let per_second = |time: Duration| found.lines as f64 / time.as_secs_f64();
    let per_line = |rows: usize| rows as f64 / found.lines as f64;
    println!(
        "{}: {} files, {} lines, {:.1} MB, {threads} threads, median of {rounds} rounds",
        root.display(),
        found.files.len(),
        found.lines,
        found.bytes as f64 / 1e6,
    );
    println!(
        "  read + blake3 + parse  {:8.3} s  {:9.0} lines/s",
        floor.as_secs_f64(),
        per_second(floor),
    );
    println!(
        "  extraction to Arrow    {:8.3} s  {:9.0} lines/s  {:.2} rows/line ({:.2} symbols, {:.2} identifiers, {:.2} \
         relationships)",
        time.as_secs_f64(),
        per_second(time),
        per_line(found.rows()),
        per_line(found.symbols),
        per_line(found.identifiers),
        per_line(found.relationships),
    );
    println!("  ratio {ratio:.2} (bound {BOUND})");
    Ok(ratio <= BOUND)
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
