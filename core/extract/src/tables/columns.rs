//! The columns of the tables: what each of them takes from the facts about a file, in the order of the schemas.

use std::iter;

use crate::facts::{FileFacts, Symbol};
use crate::model::Visibility;

use super::sinks::Sink;

/// Gives what one file adds to one table to a sink, columns in the schema's order.
pub(super) fn emit(table: usize, facts: &FileFacts, sink: &mut impl Sink) {
    match table {
        0 => symbols(facts, sink),
        1 => identifiers(facts, sink),
        2 => relationships(facts, sink),
        3 => files(facts, sink),
        _ => errors(facts, sink),
    }
}

fn symbols(facts: &FileFacts, sink: &mut impl Sink) {
    let Some(content) = &facts.content else {
        return;
    };
    let symbols = facts.symbols.iter();
    let rows = || symbols.clone();
    sink.begin(symbols.len());
    sink.ids(0, rows().map(|symbol| &symbol.id));
    sink.texts(1, rows().map(|symbol| facts.name(symbol.name)));
    sink.texts(2, rows().map(|symbol| symbol.kind.as_str().as_bytes()));
    sink.same(3, content.language.as_bytes());
    sink.same(4, facts.path.as_bytes());
    sink.words(5, rows().map(|symbol| symbol.start_line));
    sink.words(6, rows().map(|symbol| symbol.end_line));
    sink.texts_or_null(7, rows().map(|symbol| facts.text(symbol.signature)));
    sink.texts_or_null(8, rows().map(|symbol| facts.text(symbol.doc_comment)));
    sink.ids_or_null(9, rows().map(|symbol| facts.symbol_id(symbol.parent)));
    sink.texts_or_null(10, rows().map(|symbol| facts.text(symbol.code_context)));
    sink.words(11, rows().map(|symbol| symbol.start_column));
    sink.words(12, rows().map(|symbol| symbol.end_column));
    sink.words(13, rows().map(|symbol| symbol.start_byte));
    sink.words(14, rows().map(|symbol| symbol.end_byte));
    sink.texts(15, rows().map(|symbol| facts.text(symbol.qualified_name)));
    let visibility = |symbol: &Symbol| symbol.visibility.map_or("", Visibility::as_str).as_bytes();
    sink.texts_or_null(16, rows().map(visibility));
    sink.words(17, rows().map(|symbol| symbol.flags));
    sink.end();
}

fn identifiers(facts: &FileFacts, sink: &mut impl Sink) {
    let Some(content) = &facts.content else {
        return;
    };
    let identifiers = facts.identifiers.iter();
    let rows = || identifiers.clone();
    sink.begin(identifiers.len());
    sink.ids(0, rows().map(|row| &row.id));
    sink.texts(1, rows().map(|row| facts.name(row.name)));
    sink.texts(2, rows().map(|row| row.kind.as_str().as_bytes()));
    sink.same(3, content.language.as_bytes());
    sink.same(4, facts.path.as_bytes());
    sink.words(5, rows().map(|row| row.line));
    sink.words(6, rows().map(|row| row.column));
    sink.words(7, rows().map(|row| row.end_line));
    sink.words(8, rows().map(|row| row.end_column));
    sink.ids_or_null(9, rows().map(|row| facts.symbol_id(row.containing)));
    sink.ids_or_null(10, rows().map(|row| facts.symbol_id(row.target)));
    sink.words(11, rows().map(|row| row.resolution.confidence().to_bits()));
    sink.words(12, rows().map(|row| row.start_byte));
    sink.words(13, rows().map(|row| row.end_byte));
    sink.texts(14, rows().map(|row| row.access.as_str().as_bytes()));
    sink.texts(15, rows().map(|row| row.resolution.as_str().as_bytes()));
    sink.end();
}

fn relationships(facts: &FileFacts, sink: &mut impl Sink) {
    let relationships = facts.relationships.iter();
    let rows = || relationships.clone();
    sink.begin(relationships.len());
    sink.ids(0, rows().map(|row| &row.id));
    sink.ids(1, rows().map(|row| &facts.symbols[row.from as usize].id));
    sink.ids_or_null(2, rows().map(|row| facts.symbol_id(row.to)));
    sink.texts(3, rows().map(|row| facts.text(row.to_name)));
    sink.texts(4, rows().map(|row| row.kind.as_str().as_bytes()));
    sink.same(5, facts.path.as_bytes());
    sink.words(6, rows().map(|row| row.line));
    sink.words(7, rows().map(|row| row.confidence.to_bits()));
    sink.end();
}

fn files(facts: &FileFacts, sink: &mut impl Sink) {
    let Some(content) = &facts.content else {
        return;
    };
    sink.begin(1);
    sink.same(0, facts.path.as_bytes());
    sink.same(1, content.language.as_bytes());
    match content.shown() {
        Some(text) => sink.same(2, text),
        None => sink.texts_or_null(2, iter::once(&[][..])),
    }
    sink.same(3, &hex(&content.hash));
    sink.words(4, iter::once(content.size));
    sink.words(5, iter::once(content.line_count));
    sink.words(6, iter::once(content.parse_error_count));
    sink.end();
}

fn errors(facts: &FileFacts, sink: &mut impl Sink) {
    let errors = facts.errors.iter();
    let rows = || errors.clone();
    sink.begin(errors.len());
    sink.same(0, facts.path.as_bytes());
    sink.texts(1, rows().map(|error| error.severity.as_str().as_bytes()));
    sink.texts(2, rows().map(|error| error.stage.as_bytes()));
    sink.texts(3, rows().map(|error| error.code.as_bytes()));
    sink.texts(4, rows().map(|error| error.message.as_bytes()));
    sink.words_or_null(5, rows().map(|error| error.byte_offset));
    sink.end();
}

fn hex(hash: &[u8; 32]) -> [u8; 64] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = [0; 64];
    for (at, byte) in hash.iter().enumerate() {
        out[2 * at] = DIGITS[(byte >> 4) as usize];
        out[2 * at + 1] = DIGITS[(byte & 15) as usize];
    }
    out
}
