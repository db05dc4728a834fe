//! Macros that stand for statements, and types among the arguments of macros.

use super::keywords::{begins_declaration, is_keyword, is_type_word};
use super::macros::{Finder, MAX_ARGUMENT};
use super::tokens::{CAPITALS, OTHER, WORD};

impl Finder<'_> {
    /// A type where an expression should stand, in the arguments of a macro: `va_arg(list, const char *)`.
    pub(super) fn argument(&mut self, start: usize) {
        let mut end = start;
        let (mut names, mut words, mut has_tag) = (0, 0, false);
        while end < start + MAX_ARGUMENT {
            match self.kind(end) {
                Some(b'*') if end > start => {}
                Some(WORD) if is_type_word(self.text(end)) => {
                    has_tag |= self.is_type_keyword(end);
                    words += 1;
                }
                Some(WORD | CAPITALS) if names == 0 && !is_keyword(self.text(end)) => names += 1,
                _ => break,
            }
            end += 1;
        }
        let is_pointer = end > start && self.kind(end - 1) == Some(b'*');
        let ends = matches!(self.kind(end), Some(b',' | b')'));
        let is_nothing = end == start + 1 && self.is_text(start, b"void");
        // `char *name` is a parameter's declaration.
        let is_named = names > 0 && words > 0 && !has_tag && !is_pointer;
        // `size(const char *)` may as well declare a function.
        let is_only = self.kind(start - 1) == Some(b'(') && self.kind(end) == Some(b')');
        let declares = is_only && self.kind(start.saturating_sub(2)) != Some(CAPITALS);
        if !ends || is_nothing || is_named || declares || (words == 0 && !is_pointer) {
            return;
        }
        for at in start..end {
            if self.kind(at) == Some(b'*') || is_type_word(self.text(at)) {
                self.found.hidden.push(at..at + 1);
            }
        }
        if names == 0 {
            let at = self.tokens[start].start as usize;
            self.found.replaced.push((at, b'0'));
        }
    }

    /// A macro with arguments that stands for declarations, without a semicolon.
    pub(super) fn stands_alone(&self, last: Option<usize>, at: usize, end: usize) -> bool {
        let Some(next) = self.tokens.get(end).filter(|_| end > at + 1) else {
            return false;
        };
        let starts = last.is_none_or(|last| matches!(self.kind(last), Some(b';' | b'{' | b'}')));
        let follows = match next.kind {
            CAPITALS => true,
            // `LIST(int)\nfind(`, a function's result.
            WORD => self.kind(end + 1) != Some(b'('),
            _ => false,
        };
        starts && follows && self.breaks_line(end)
    }

    /// A macro without arguments in a line of its own in a function, before what can follow no type.
    pub(super) fn is_statement(&self, last: Option<usize>, next: usize) -> bool {
        let starts = last.is_some_and(|last| matches!(self.kind(last), Some(b';' | b'{' | b'}')));
        if !starts || self.kind(next) != Some(WORD) || !self.breaks_line(next) {
            return false;
        }
        let text = self.text(next);
        if is_keyword(text) {
            return !begins_declaration(text) && !matches!(text, b"const" | b"volatile");
        }
        // No function is defined in a function.
        let is_loop =
            self.kind(next + 1) == Some(b'(') && self.kind(self.macro_end(next)) == Some(b'{');
        is_loop || matches!(self.kind(next + 1), Some(b'=' | b'.' | b'+' | b'[' | OTHER))
    }

    pub(super) fn breaks_line(&self, at: usize) -> bool {
        let between = self.tokens[at - 1].end as usize..self.tokens[at].start as usize;
        memchr::memchr(b'\n', &self.source[between]).is_some()
    }

    /// A macro that stands for a statement or the head of a loop: the parser sees a semicolon behind it.
    pub(super) fn end_statement(&mut self, last: Option<usize>, at: usize, end: usize) -> bool {
        let Some(next) = self.tokens.get(end).copied() else {
            return false;
        };
        let Some(last) = last else { return false };
        let starts = self.ended == Some(last)
            || match self.kind(last) {
                Some(b';' | b'{' | b'}' | b':') => true,
                Some(b')') => (self.tokens[last].pair as usize)
                    .checked_sub(1)
                    .is_some_and(|word| self.is_condition(word)),
                Some(WORD) => matches!(self.text(last), b"else" | b"do"),
                _ => false,
            };
        let follows = match next.kind {
            b'{' => true,
            WORD | CAPITALS => {
                self.breaks_line(end)
                    || (self.tokens[at].kind == CAPITALS && self.kind(end + 1) == Some(b'('))
            }
            b'+' | b'-' => self.breaks_line(end) && self.kind(end + 1) == Some(next.kind),
            _ => false,
        };
        if !starts || !follows {
            return false;
        }
        let room = self.tokens[end - 1].end as usize..next.start as usize;
        let text = &self.source[room.clone()];
        // Nothing but white space and line breaks has room; a comment may hold both.
        let Some(space) = text
            .iter()
            .position(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
        else {
            return false;
        };
        let is_comment = memchr::memchr(b'/', &text[..space]).is_some();
        if !is_comment {
            self.found.replaced.push((room.start + space, b';'));
            self.ended = Some(end - 1);
        }
        !is_comment
    }

    pub(super) fn is_condition(&self, at: usize) -> bool {
        self.kind(at) == Some(WORD)
            && matches!(self.text(at), b"if" | b"while" | b"for" | b"switch")
    }
}
