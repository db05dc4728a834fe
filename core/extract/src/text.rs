//! Small decisions about text: what of a signature and of a doc comment is kept.

use std::ops::Range;

use crate::facts::Text;

/// A signature is cut here; what is longer is data, not a signature.
const MAX_SIGNATURE: usize = 512;

/// A signature on one line: what several declarations share (`static int`), then what is this one's own.
pub fn signature(
    source: &[u8],
    head: Range<usize>,
    own: Range<usize>,
    arena: &mut Vec<u8>,
) -> Text {
    let shared = trim_end(source, head.clone(), b"(");
    if shared.is_empty() {
        return collapse(source, own, arena);
    }
    if shared.end + 1 >= own.start && shared.end == trim(source, head).end {
        return collapse(source, shared.start..own.end, arena);
    }
    let own = trim_end(source, own, TAIL);
    let start = arena.len();
    for part in [shared, own] {
        // Many declarations may share a long head.
        let end = char_boundary(source, part.end.min(part.start + MAX_SIGNATURE + 1));
        let words = source[part.start..end].split(|byte| is_space(*byte));
        for word in words.filter(|word| !word.is_empty()) {
            if arena.len() > start {
                arena.push(b' ');
            }
            arena.extend_from_slice(word);
        }
    }
    if arena.len() > start + MAX_SIGNATURE {
        let cut = char_boundary(arena, start + MAX_SIGNATURE);
        arena.truncate(cut);
        arena.extend_from_slice("…".as_bytes());
    }
    Text::arena(start..arena.len())
}

/// Signs before a body that say nothing of the signature.
const TAIL: &[u8] = b";,{:=";

fn trim_end(source: &[u8], range: Range<usize>, signs: &[u8]) -> Range<usize> {
    let mut range = trim(source, range);
    while range.end > range.start && signs.contains(&source[range.end - 1]) {
        range.end -= 1;
        range = trim(source, range);
    }
    range
}

/// Runs of white space become one space. Points into the source where nothing changed.
fn collapse(source: &[u8], range: Range<usize>, arena: &mut Vec<u8>) -> Text {
    let range = trim_end(source, range, TAIL);
    let mut cut = range.clone();
    if cut.len() > MAX_SIGNATURE {
        cut.end = char_boundary(source, cut.start + MAX_SIGNATURE);
    }
    let text = &source[cut.clone()];
    let tidy = cut.end == range.end
        && !text
            .windows(2)
            .any(|pair| is_space(pair[0]) && (pair[0] != b' ' || is_space(pair[1])));
    if tidy {
        return Text::source(range);
    }
    let start = arena.len();
    for word in text
        .split(|byte| is_space(*byte))
        .filter(|word| !word.is_empty())
    {
        if arena.len() > start {
            arena.push(b' ');
        }
        arena.extend_from_slice(word);
    }
    if cut.end < range.end {
        arena.extend_from_slice("…".as_bytes());
    }
    Text::arena(start..arena.len())
}

/// A doc comment without the white space around it.
pub fn doc_text_range(source: &[u8], range: Range<usize>) -> Range<usize> {
    trim(source, range)
}

/// The bytes between the quotes, if there are any.
pub fn unquote(mut range: Range<usize>, source: &[u8]) -> Range<usize> {
    while range.len() >= 2
        && matches!(
            (source[range.start], source[range.end - 1]),
            (b'"', b'"') | (b'\'', b'\'') | (b'`', b'`') | (b'<', b'>')
        )
    {
        range = range.start + 1..range.end - 1;
    }
    range
}

/// The nearest character boundary at or before `at`.
pub fn char_boundary(source: &[u8], mut at: usize) -> usize {
    at = at.min(source.len());
    while at > 0 && at < source.len() && source[at] & 0xC0 == 0x80 {
        at -= 1;
    }
    at
}

fn trim(source: &[u8], mut range: Range<usize>) -> Range<usize> {
    while range.start < range.end && is_space(source[range.start]) {
        range.start += 1;
    }
    while range.end > range.start && is_space(source[range.end - 1]) {
        range.end -= 1;
    }
    range
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}
