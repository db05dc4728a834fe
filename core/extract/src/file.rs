//! One file, from its path to its facts.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tree_sitter::{ParseOptions, ParseState, Parser, Tree};

use crate::control::Control;
use crate::facts::{Content, FileError, FileFacts, Text, resolve as text_of};
use crate::languages;
use crate::masks::Masks;
use crate::model::{Severity, flags};
use crate::options::ExtractOptions;
use crate::resolve::resolve;
use crate::rules::Rules;
use crate::scan::Entry;
use crate::source::{Source, error, read};
use crate::text::char_boundary;
use crate::walk::{finish_symbols, walk};

/// Bytes of `code_context` that one symbol may have.
const MAX_CODE_CONTEXT: usize = 16 << 10;

/// Turns files into facts; one per thread, since a parser is reused.
pub struct FileWorker<'a> {
    options: &'a ExtractOptions,
    control: &'a Control,
    parsers: Vec<Option<Parser>>,
}

impl<'a> FileWorker<'a> {
    /// A worker of one extraction.
    pub fn new(options: &'a ExtractOptions, control: &'a Control) -> Self {
        let parsers = (0..languages::count()).map(|_| None).collect();
        Self {
            options,
            control,
            parsers,
        }
    }

    /// Processes one file. `None` when the extraction was cancelled.
    pub fn process(&mut self, entry: &Entry) -> Option<FileFacts> {
        let mut facts = match entry.reject() {
            Some(rejected) => rejected,
            None => self.process_file(entry)?,
        };
        if entry.escaped {
            facts.errors.push(error(
                Severity::Degraded,
                "path",
                "not_utf8",
                "the file name is not UTF-8; bytes that are not are shown as \\xNN",
            ));
        }
        Some(facts)
    }

    fn process_file(&mut self, entry: &Entry) -> Option<FileFacts> {
        let name = entry.name.clone();
        let source = match read(&entry.path, self.options.max_file_bytes, &mut || {}) {
            Ok(source) => source,
            Err(error) => return Some(FileFacts::failed(name, error)),
        };
        let Some(language) = languages::detect(&entry.path, &source.bytes) else {
            let unknown = error(
                Severity::Skipped,
                "language",
                "unknown_language",
                "no language is known for this file name",
            );
            return Some(FileFacts::failed(name, unknown));
        };
        let rules = languages::rules(language);
        let masks = (rules.spec.masks)(&source.bytes);
        let masked = masks.apply(&source.bytes);
        match self.parse(language, rules, masked.as_ref().unwrap_or(&source.bytes)) {
            Ok(tree) => Some(self.facts(name, source, rules, tree, &masks)),
            Err(_) if self.control.is_cancelled() => None,
            Err(error) => Some(FileFacts::failed(name, error)),
        }
    }

    fn parse(&mut self, language: usize, rules: &Rules, source: &[u8]) -> Result<Tree, FileError> {
        let parser = self.parsers[language].get_or_insert_with(|| {
            let mut parser = Parser::new();
            parser
                .set_language(&rules.language)
                .expect("the grammar's ABI is the library's");
            parser
        });
        let deadline = Instant::now() + Duration::from_millis(self.options.max_parse_millis);
        let control = self.control;
        let mut check = |_: &ParseState| {
            if control.is_cancelled() || Instant::now() > deadline {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let mut chunk = |at: usize, _| source.get(at..).unwrap_or_default();
        let options = ParseOptions::new().progress_callback(&mut check);
        let tree = parser.parse_with_options(&mut chunk, None, Some(options));
        tree.ok_or_else(|| {
            // A parser that was stopped would go on where it was.
            parser.reset();
            error(
                Severity::Failed,
                "parse",
                "timeout",
                format!(
                    "parsing took longer than the limit of {} ms",
                    self.options.max_parse_millis
                ),
            )
        })
    }

    fn facts(
        &self,
        path: String,
        source: Source,
        rules: &Rules,
        tree: Tree,
        masks: &Masks,
    ) -> FileFacts {
        let Source {
            bytes,
            hash,
            size,
            lossy,
            mut errors,
        } = source;
        let mut walked = walk(rules, &bytes, &tree, masks);
        // Its memory is at hand still, for what comes next.
        drop(tree);
        finish_symbols(&mut walked, rules, &bytes);
        if self.options.code_context > 0 {
            let lines = line_starts(&bytes);
            for symbol in walked
                .symbols
                .iter_mut()
                .filter(|s| s.flags & flags::LOCAL == 0)
            {
                symbol.code_context = Text::source(context_range(
                    &bytes,
                    &lines,
                    symbol.start_line,
                    symbol.end_line,
                    self.options.code_context,
                ));
            }
        }
        if walked.parse_errors > 0 {
            errors.push(FileError {
                byte_offset: walked.first_error,
                ..error(
                    Severity::Degraded,
                    "parse",
                    "syntax_error",
                    format!(
                        "{} syntax errors; the rows around them are a guess",
                        walked.parse_errors
                    ),
                )
            });
        }
        let mut facts = FileFacts {
            path,
            content: Some(Content {
                language: rules.spec.name,
                line_count: line_count(&bytes),
                hash,
                size,
                parse_error_count: walked.parse_errors,
                source: bytes,
                decoded: None,
                show: self.options.content,
            }),
            errors,
            ..FileFacts::default()
        };
        resolve(&mut facts, walked, rules);
        if lossy {
            decode_lossily(&mut facts);
        }
        facts
    }
}

/// Replaces what is not UTF-8 in every text of a file. Byte positions keep counting in the file as it is.
fn decode_lossily(facts: &mut FileFacts) {
    let Some(content) = &mut facts.content else {
        return;
    };
    let mut arena = std::mem::take(&mut facts.arena);
    let source = &content.source;
    let mut decode = |text: &mut Text| {
        if std::str::from_utf8(text_of(source, &arena, *text)).is_err() {
            let decoded = String::from_utf8_lossy(text_of(source, &arena, *text))
                .into_owned()
                .into_bytes();
            let start = arena.len();
            arena.extend_from_slice(&decoded);
            *text = Text::arena(start..arena.len());
        }
    };
    facts.names.iter_mut().for_each(&mut decode);
    for symbol in &mut facts.symbols {
        decode(&mut symbol.signature);
        decode(&mut symbol.doc_comment);
        decode(&mut symbol.qualified_name);
        decode(&mut symbol.code_context);
    }
    facts
        .relationships
        .iter_mut()
        .for_each(|relationship| decode(&mut relationship.to_name));
    // Texts that stay point at valid runs of the source; only whole-file content needs a decoded copy.
    content.decoded = content
        .show
        .then(|| String::from_utf8_lossy(&content.source).into_owned());
    facts.arena = arena;
}

/// Lines of a text; a last line without a line break counts.
fn line_count(bytes: &[u8]) -> u32 {
    let breaks = memchr::memchr_iter(b'\n', bytes).count() as u32;
    breaks + u32::from(bytes.last().is_some_and(|last| *last != b'\n'))
}

fn line_starts(bytes: &[u8]) -> Vec<usize> {
    std::iter::once(0)
        .chain(memchr::memchr_iter(b'\n', bytes).map(|at| at + 1))
        .collect()
}

/// The lines of a definition and `around` lines on each side, without the last line break.
fn context_range(
    bytes: &[u8],
    lines: &[usize],
    start_line: u32,
    end_line: u32,
    around: u32,
) -> std::ops::Range<usize> {
    let first = (start_line.saturating_sub(1).saturating_sub(around)) as usize;
    let last = (end_line as usize)
        .saturating_add(around as usize)
        .min(lines.len());
    let start = lines.get(first).copied().unwrap_or(bytes.len());
    let end = lines.get(last).map_or(bytes.len(), |next| next - 1);
    let cut = char_boundary(bytes, end.min(start + MAX_CODE_CONTEXT));
    start..cut.max(start)
}
