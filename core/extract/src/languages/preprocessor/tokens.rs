//! The tokens of C and C++, as far as telling macros and directives from the rest needs them.

use std::ops::Range;

/// A word of the language or a name.
pub const WORD: u8 = b'w';
/// A word in capitals, as macros are written.
pub const CAPITALS: u8 = b'W';
/// A number, a string or a character.
pub const VALUE: u8 = b'0';
/// `::`
pub const SCOPE: u8 = b':' | 0x80;
/// Any other mark of two characters that could be mistaken for its first one.
pub const OTHER: u8 = 0x80;

#[derive(Debug, Clone, Copy)]
pub struct Token {
    pub start: u32,
    pub end: u32,
    /// For a bracket the other one of its pair; for all else the token itself.
    pub pair: u32,
    /// One of the constants, or the byte of a mark.
    pub kind: u8,
}

/// A preprocessor directive.
#[derive(Debug, Clone)]
pub struct Directive {
    pub bytes: Range<usize>,
    /// How many tokens stand before it.
    pub before: usize,
}

#[derive(Debug, Default)]
pub struct Tokens {
    pub tokens: Vec<Token>,
    /// In order.
    pub directives: Vec<Directive>,
}

/// Splits source into tokens; comments are none.
pub fn tokens(source: &[u8]) -> Tokens {
    let mut out = Tokens {
        tokens: Vec::with_capacity(source.len() / 5),
        ..Tokens::default()
    };
    let mut at = 0;
    let mut line_is_empty = true;
    while let Some(&byte) = source.get(at) {
        let start = at;
        let next = source.get(at + 1).copied().unwrap_or(0);
        let kind = match byte {
            b'\n' => {
                at += 1;
                line_is_empty = true;
                continue;
            }
            b' ' | b'\t' | b'\r' | 0x0b | 0x0c => {
                at += 1;
                while matches!(source.get(at), Some(b' ' | b'\t')) {
                    at += 1;
                }
                continue;
            }
            b'/' if next == b'/' => {
                at = line_end(source, at);
                continue;
            }
            b'/' if next == b'*' => {
                at = comment_end(source, at);
                continue;
            }
            b'#' if line_is_empty => {
                at = directive_end(source, at);
                out.directives.push(Directive {
                    bytes: start..at,
                    before: out.tokens.len(),
                });
                continue;
            }
            b'"' | b'\'' => {
                at = literal_end(source, at);
                VALUE
            }
            b'0'..=b'9' => {
                at = number_end(source, at);
                VALUE
            }
            _ if is_word(byte) => {
                let mut classes = 0;
                while let Some(byte) = source.get(at)
                    && CLASSES[*byte as usize] != 0
                {
                    classes |= CLASSES[*byte as usize];
                    at += 1;
                }
                match raw_string_end(source, start, at) {
                    Some(end) => {
                        at = end;
                        VALUE
                    }
                    None if classes & LOWER == 0 && is_capitals(&source[start..at]) => CAPITALS,
                    None => WORD,
                }
            }
            _ => {
                at += 1;
                let double = match (byte, next) {
                    (b':', b':') => SCOPE,
                    (b'-', b'>') | (b'=', b'=') => OTHER,
                    _ => 0,
                };
                at += usize::from(double != 0);
                if double == 0 { byte } else { double }
            }
        };
        line_is_empty = false;
        out.tokens.push(Token {
            start: start as u32,
            end: at as u32,
            pair: out.tokens.len() as u32,
            kind,
        });
    }
    out
}

impl Tokens {
    /// Finds the pairs of brackets.
    pub fn pair(&mut self) {
        let mut open: Vec<u32> = Vec::new();
        for row in 0..self.tokens.len() {
            let mut pair = row as u32;
            match self.tokens[row].kind {
                b'(' | b'[' | b'{' => open.push(pair),
                b')' | b']' => {
                    let is_inner = |at: &mut u32| self.tokens[*at as usize].kind != b'{';
                    pair = open.pop_if(is_inner).unwrap_or(pair);
                }
                b'}' => {
                    while let Some(at) = open.pop() {
                        if self.tokens[at as usize].kind == b'{' {
                            pair = at;
                            break;
                        }
                    }
                }
                _ => {}
            }
            self.tokens[pair as usize].pair = row as u32;
            self.tokens[row].pair = pair;
        }
    }
}

fn is_word(byte: u8) -> bool {
    CLASSES[byte as usize] != 0
}

/// Of a byte of a word: whether macros in capitals have it.
const OTHERS: u8 = 1;
const LOWER: u8 = 2;

/// What each byte is in a word; 0 for those that end it.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'A'..=b'Z' | b'0'..=b'9' | b'_' => OTHERS,
            b'a'..=b'z' | 0x80.. => LOWER,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

/// Macros are told by their capitals, two of them at least.
fn is_capitals(text: &[u8]) -> bool {
    text.iter()
        .filter(|byte| byte.is_ascii_uppercase())
        .nth(1)
        .is_some()
}

fn comment_end(source: &[u8], start: usize) -> usize {
    let text = &source[start + 2..];
    let mut slashes = memchr::memchr_iter(b'/', text);
    let end = slashes.find(|at| at.checked_sub(1).is_some_and(|before| text[before] == b'*'));
    end.map_or(source.len(), |end| start + 2 + end + 1)
}

/// The end of the line, lines that a backslash continues included.
fn line_end(source: &[u8], mut at: usize) -> usize {
    while let Some(end) = memchr::memchr(b'\n', &source[at..]) {
        at += end;
        let line = source[..at].strip_suffix(b"\r").unwrap_or(&source[..at]);
        if !line.ends_with(b"\\") {
            return at;
        }
        at += 1;
    }
    source.len()
}

/// The end of a directive; a comment that goes on in the next line is none of it.
fn directive_end(source: &[u8], start: usize) -> usize {
    let end = line_end(source, start);
    let line = &source[start..end];
    let mut stars = memchr::memchr_iter(b'*', line).rev();
    let open = stars.find(|at| at.checked_sub(1).is_some_and(|before| line[before] == b'/'));
    match open {
        Some(at) if comment_end(source, start + at - 1) > end => start + at - 1,
        _ => end,
    }
}

/// The end of a string or character; one that is not closed ends with its line.
fn literal_end(source: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < source.len() {
        match source[at] {
            b'\\' => at += 1,
            b'\n' => return at,
            byte if byte == source[start] => return at + 1,
            _ => {}
        }
        at += 1;
    }
    source.len()
}

fn number_end(source: &[u8], mut at: usize) -> usize {
    while at < source.len() {
        let goes_on = match source[at] {
            b'\'' => source.get(at + 1).is_some_and(|next| is_word(*next)),
            b'+' | b'-' => matches!(source[at - 1], b'e' | b'E' | b'p' | b'P'),
            byte => is_word(byte) || byte == b'.',
        };
        if !goes_on {
            break;
        }
        at += 1;
    }
    at
}

/// The end of `R"x(…)x"`, where the word before is its prefix.
fn raw_string_end(source: &[u8], start: usize, at: usize) -> Option<usize> {
    if source.get(at) != Some(&b'"')
        || !matches!(&source[start..at], b"R" | b"LR" | b"uR" | b"UR" | b"u8R")
    {
        return None;
    }
    let open = memchr::memchr(b'(', &source[at..source.len().min(at + 18)])?;
    let mut close = vec![b')'];
    close.extend_from_slice(&source[at + 1..at + open]);
    close.push(b'"');
    let end = memchr::memmem::find(&source[at + open..], &close);
    Some(end.map_or(source.len(), |end| at + open + end + close.len()))
}
