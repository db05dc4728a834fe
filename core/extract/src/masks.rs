//! What a source holds that its grammar has no place for.

use std::ops::Range;

/// Bytes that the parser sees as white space or as something else. Positions stay what they are.
#[derive(Debug, Default)]
pub struct Masks {
    /// Bytes that are hidden, in order.
    pub(crate) spans: Vec<Range<usize>>,
    /// Bytes, after those are hidden, that the parser sees as others.
    pub(crate) replaced: Vec<(usize, u8)>,
    /// The identifiers among the hidden bytes, in order; each becomes a row.
    pub(crate) words: Vec<Word>,
}

/// An identifier that the parser does not see.
#[derive(Debug, Clone)]
pub struct Word {
    pub(crate) bytes: Range<usize>,
    /// From 0.
    pub(crate) line: u32,
    /// In bytes, from 0.
    pub(crate) column: u32,
    pub(crate) is_call: bool,
}

impl Masks {
    /// Whether the parser sees the source as it is.
    pub(crate) fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.replaced.is_empty()
    }

    /// The source as the parser should see it, if that differs.
    pub(crate) fn apply(&self, source: &[u8]) -> Option<Vec<u8>> {
        if self.is_empty() {
            return None;
        }
        let mut seen = source.to_vec();
        for span in &self.spans {
            for byte in &mut seen[span.clone()] {
                // Line breaks stay, so that lines do.
                if !matches!(byte, b'\n' | b'\r') {
                    *byte = b' ';
                }
            }
        }
        for (at, byte) in &self.replaced {
            seen[*at] = *byte;
        }
        Some(seen)
    }
}
