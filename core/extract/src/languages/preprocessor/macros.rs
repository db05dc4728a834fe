//! Macros that stand where the grammars expect none, told by what stands around them.

use std::ops::Range;

use super::keywords::{begins_declaration, is_keyword, is_primitive, is_type_word};
use super::tokens::{CAPITALS, Token, VALUE, WORD};

/// Tokens that a rule looks through for the end of template arguments or of a class's head.
pub(super) const MAX_LOOK: usize = 64;

/// Tokens that a type may have.
pub(super) const MAX_ARGUMENT: usize = 8;

/// Where macros are.
#[derive(Debug, Default)]
pub struct Macros {
    /// Runs of tokens to hide, in order.
    pub hidden: Vec<Range<usize>>,
    /// Bytes and what the parser should see in their place.
    pub replaced: Vec<(usize, u8)>,
}

/// Finds the macros in a source.
pub fn macros(source: &[u8], tokens: &[Token], is_c: bool) -> Macros {
    let mut finder = Finder {
        source,
        tokens,
        found: Macros::default(),
        is_c,
        open: Vec::new(),
        in_type_head: false,
        ended: None,
    };
    finder.run();
    finder.found
}

pub struct Finder<'s> {
    pub(super) source: &'s [u8],
    pub(super) tokens: &'s [Token],
    pub(super) found: Macros,
    is_c: bool,
    /// The brackets that are open here.
    open: Vec<Bracket>,
    /// Whether the next brace opens a type's body.
    in_type_head: bool,
    /// The last token of a macro that was found to be a statement.
    pub(super) ended: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Function,
    /// A brace that is not in a function.
    Outside,
    /// Around the arguments of what may be a macro.
    Arguments,
    Other,
}

impl Finder<'_> {
    fn run(&mut self) {
        // The two tokens before, those that are hidden left out.
        let (mut before, mut last): (Option<usize>, Option<usize>) = (None, None);
        let mut at = 0;
        while let Some(token) = self.tokens.get(at) {
            let mut recent = self.found.hidden.iter().rev().take(MAX_LOOK);
            if let Some(run) = recent.find(|run| run.end <= at || run.contains(&at))
                && run.contains(&at)
            {
                at = run.end;
                continue;
            }
            match token.kind {
                b'(' | b'[' | b'{' => self.enter(last, at),
                b')' | b']' | b'}' => {
                    self.leave(token.kind);
                    self.in_type_head = false;
                }
                b',' if self.open.last() == Some(&Bracket::Arguments) => self.argument(at + 1),
                b';' | b'=' | b'*' | b'&' => self.in_type_head = false,
                _ => {}
            }
            let run = match token.kind {
                WORD => match self.source[token.start as usize] {
                    b'c' | b's' | b'u' | b'e' if self.is_type_keyword(at) => {
                        self.in_type_head = true;
                        if self.kind(at + 1) == Some(b':') {
                            self.hide_base(at + 1);
                        } else {
                            self.hide_in_head(at);
                        }
                        None
                    }
                    _ => self.word(before, last, at),
                },
                CAPITALS => self.capitals(before, last, at),
                _ => None,
            };
            if let Some(run) = run {
                at = run.end;
                self.found.hidden.push(run);
                continue;
            }
            (before, last) = (last, Some(at));
            at += 1;
        }
    }

    /// What is to be hidden from a word on that is not in capitals.
    fn word(
        &mut self,
        before: Option<usize>,
        last: Option<usize>,
        at: usize,
    ) -> Option<Range<usize>> {
        let last_kind = last.and_then(|last| self.kind(last));
        let is_hidden = match self.kind(at + 1)? {
            b'(' if self.text(at) == b"__attribute__" => {
                let end = self.macro_end(at);
                let is_suffix =
                    self.kind(end) == Some(b'=') && self.is_suffix(before, last, at, end);
                return is_suffix.then_some(at..end);
            }
            b'(' => {
                let end = self.macro_end(at);
                if self.in_function() && !is_keyword(self.text(at)) {
                    self.end_statement(last, at, end);
                }
                false
            }
            _ if last_kind == Some(VALUE) => self.is_in_string(last, at),
            // `static always_inline int`: no type stands before one of the language's own.
            WORD => last.is_some_and(|last| {
                if begins_declaration(self.text(at + 1)) {
                    self.is_storage(last)
                } else {
                    // `static result_t no_throw run(`
                    let is_type = is_primitive(self.text(last))
                        || (!is_keyword(self.text(last))
                            && before.is_some_and(|before| self.is_storage(before)));
                    self.kind(at + 2) == Some(b'(') && self.is_word(last) && is_type
                }
            }),
            // `int run(void) no_throw;`
            b';' | b'{' if last_kind == Some(b')') && !self.in_function() => {
                self.is_suffix(before, last, at, at + 1)
            }
            _ => false,
        };
        (is_hidden && !is_keyword(self.text(at))).then_some(at..at + 1)
    }

    /// A macro that stands for a piece of a string: `"%" PRIu64 " bytes"`. A suffix of a literal follows it directly.
    fn is_in_string(&self, last: Option<usize>, at: usize) -> bool {
        let Some(last) = last else { return false };
        let token = &self.tokens[last];
        token.kind == VALUE
            && self.source[token.start as usize] == b'"'
            && token.end < self.tokens[at].start
            && !(last > 0 && self.is_text(last - 1, b"extern"))
    }

    fn enter(&mut self, last: Option<usize>, at: usize) {
        let before = last.and_then(|last| self.kind(last));
        let bracket = match self.tokens[at].kind {
            b'{' if std::mem::take(&mut self.in_type_head) => Bracket::Outside,
            b'{' if before == Some(b')') || self.in_function() => Bracket::Function,
            b'{' => match last.map(|last| self.text(last)) {
                Some(b"const" | b"noexcept" | b"override") => Bracket::Function,
                _ => Bracket::Outside,
            },
            b'(' if self.in_function() => match last {
                Some(last) if before == Some(CAPITALS) || self.is_c && self.is_name(last) => {
                    Bracket::Arguments
                }
                _ => Bracket::Other,
            },
            _ => Bracket::Other,
        };
        self.in_type_head = false;
        self.open.push(bracket);
        if bracket == Bracket::Arguments {
            self.argument(at + 1);
        }
    }

    fn leave(&mut self, closing: u8) {
        let is_brace = |it: &Bracket| matches!(it, Bracket::Function | Bracket::Outside);
        if closing == b'}' {
            while self.open.pop().is_some_and(|it| !is_brace(&it)) {}
        } else {
            self.open.pop_if(|it| !is_brace(it));
        }
    }

    /// Whether a function is around, and no type in it.
    pub(super) fn in_function(&self) -> bool {
        let mut open = self.open.iter().rev().take(MAX_LOOK);
        let is_brace = |it: &&Bracket| matches!(it, Bracket::Function | Bracket::Outside);
        open.find(is_brace) == Some(&Bracket::Function)
    }

    pub(super) fn is_name(&self, at: usize) -> bool {
        self.is_word(at) && !is_keyword(self.text(at)) && !is_type_word(self.text(at))
    }

    pub(super) fn is_storage(&self, at: usize) -> bool {
        self.kind(at) == Some(WORD) && matches!(self.text(at), b"static" | b"inline" | b"extern")
    }

    /// What is to be hidden from a word in capitals on.
    fn capitals(
        &mut self,
        before: Option<usize>,
        last: Option<usize>,
        at: usize,
    ) -> Option<Range<usize>> {
        let end = self.macro_end(at);
        if self.is_in_string(last, at) {
            return Some(at..at + 1);
        }
        if self.in_function() {
            if end > at + 1 {
                if self.end_statement(last, at, end) {
                    return None;
                }
            } else if self.is_statement(last, end) {
                return Some(at..end);
            }
        } else if self.stands_alone(last, at, end) {
            return Some(at..end);
        }
        if self.is_prefix(last, at, end) || self.is_suffix(before, last, at, end) {
            return Some(at..end);
        }
        // `(WINAPI *open)(`, how what a pointer points to is called.
        let names_pointer = last.is_some_and(|last| self.kind(last) == Some(b'('))
            && [b'*', WORD, b')', b'(']
                .iter()
                .zip(at + 1..)
                .all(|(kind, at)| self.kind(at) == Some(*kind));
        // `{1, {2} LAST}`
        let fills =
            last.is_some_and(|last| self.kind(last) == Some(b'}')) && self.kind(end) == Some(b'}');
        if names_pointer || fills {
            return Some(at..end);
        }
        // The last word of a file (`END_DECLS`).
        let is_alone = at + 1 == self.tokens.len() && self.starts_declaration(last);
        is_alone.then_some(at..end)
    }

    pub(super) fn is_type_keyword(&self, at: usize) -> bool {
        matches!(self.text(at), b"class" | b"struct" | b"union" | b"enum")
    }

    /// The position behind a macro and its arguments.
    pub(super) fn macro_end(&self, at: usize) -> usize {
        match self.tokens.get(at + 1) {
            // One that is not closed is its own pair.
            Some(open) if open.kind == b'(' && open.pair as usize > at + 1 => {
                open.pair as usize + 1
            }
            _ => at + 1,
        }
    }

    pub(super) fn kind(&self, at: usize) -> Option<u8> {
        self.tokens.get(at).map(|token| token.kind)
    }

    pub(super) fn is_word(&self, at: usize) -> bool {
        matches!(self.kind(at), Some(WORD | CAPITALS))
    }

    pub(super) fn text(&self, at: usize) -> &[u8] {
        let token = &self.tokens[at];
        &self.source[token.start as usize..token.end as usize]
    }

    pub(super) fn is_text(&self, at: usize, text: &[u8]) -> bool {
        self.kind(at) == Some(WORD) && self.text(at) == text
    }
}
