//! What the preprocessor would take out of sources of C and C++, and the grammars have no place for: macros that
//! stand where no expression does (`class API Name {`, `int count GUARDED_BY(mutex);`), and conditionals that cut
//! through statements. A parser takes such a macro for a type or a declarator, and the names around it for errors.
//!
//! They are found by their surroundings, in passes over the tokens; the parser sees white space in their place, and
//! the walk gets their words back as references. A source without them is parsed as it is.

mod conditionals;
mod declarations;
mod keywords;
mod macros;
mod statements;
mod tokens;

use std::ops::Range;

use self::conditionals::{conditionals, word_of};
use self::keywords::is_keyword;
use self::tokens::{CAPITALS, Token, WORD};
use crate::masks::{Masks, Word};

/// What the parser should not see in a source of C.
pub(super) fn c(source: &[u8]) -> Masks {
    masks(source, true)
}

/// What the parser should not see in a source of C++.
pub(super) fn cpp(source: &[u8]) -> Masks {
    masks(source, false)
}

fn masks(source: &[u8], is_c: bool) -> Masks {
    let mut all = tokens::tokens(source);
    let hidden = conditionals(source, &all.tokens, &all.directives);
    let mut runs = hidden.tokens;
    // Of two runs one may hold the other.
    runs.sort_unstable_by_key(|run| (run.start, std::cmp::Reverse(run.end)));
    let words = Words::new(source);
    let mut masks = Masks::default();
    let mut shown = 0;
    for run in runs {
        let run = run.start.max(shown)..run.end;
        shown = shown.max(run.end);
        words.hide_run(&mut masks, &all.tokens, run);
    }
    for directive in hidden.directives {
        words.hide_directive(&mut masks, all.directives[directive].bytes.clone());
    }
    if shown > 0 {
        let mut spans = masks.spans.clone();
        spans.sort_unstable_by_key(|span| span.start);
        let mut spans = spans.into_iter().peekable();
        all.tokens.retain(|token| {
            let at = token.start as usize;
            while spans.next_if(|span| span.end <= at).is_some() {}
            spans.peek().is_none_or(|span| at < span.start)
        });
    }
    all.pair();
    let found = macros::macros(source, &all.tokens, is_c);
    for run in found.hidden {
        words.hide_run(&mut masks, &all.tokens, run);
    }
    masks.replaced = found.replaced;
    masks.spans.sort_unstable_by_key(|span| span.start);
    words.place(&mut masks);
    masks
}

/// Collects the identifiers among what is hidden.
struct Words<'s> {
    source: &'s [u8],
}

impl<'s> Words<'s> {
    fn new(source: &'s [u8]) -> Self {
        Self { source }
    }

    /// Hides tokens and what lies between them, comments aside.
    fn hide_run(&self, masks: &mut Masks, tokens: &[Token], run: Range<usize>) {
        for at in run.clone() {
            let token = &tokens[at];
            let bytes = token.start as usize..token.end as usize;
            if matches!(token.kind, WORD | CAPITALS) && !is_keyword(&self.source[bytes.clone()]) {
                let next = tokens.get(at + 1).filter(|_| run.contains(&(at + 1)));
                masks.words.push(Word {
                    bytes: bytes.clone(),
                    line: 0,
                    column: 0,
                    is_call: next.is_some_and(|next| next.kind == b'('),
                });
            }
            masks.spans.push(bytes);
        }
    }

    /// Hides a directive; the names in its condition are references.
    fn hide_directive(&self, masks: &mut Masks, bytes: Range<usize>) {
        let text = &self.source[bytes.clone()];
        let word = word_of(text);
        let condition =
            bytes.start + (word.as_ptr() as usize - text.as_ptr() as usize) + word.len();
        let tokens = tokens::tokens(&self.source[condition..bytes.end]).tokens;
        for token in tokens {
            let name = condition + token.start as usize..condition + token.end as usize;
            let is_name =
                matches!(token.kind, WORD | CAPITALS) && word != b"else" && word != b"endif";
            if is_name && &self.source[name.clone()] != b"defined" {
                masks.words.push(Word {
                    bytes: name,
                    line: 0,
                    column: 0,
                    is_call: false,
                });
            }
        }
        masks.spans.push(bytes);
    }

    /// Tells in which lines and columns the words stand.
    fn place(&self, masks: &mut Masks) {
        masks.words.sort_unstable_by_key(|word| word.bytes.start);
        let (mut at, mut line, mut line_start) = (0, 0, 0);
        for word in &mut masks.words {
            let between = &self.source[at..word.bytes.start];
            line += memchr::memchr_iter(b'\n', between).count() as u32;
            if let Some(last) = memchr::memrchr(b'\n', between) {
                line_start = at + last + 1;
            }
            at = word.bytes.start;
            (word.line, word.column) = (line, (at - line_start) as u32);
        }
    }
}
