//! Macros in the heads of types, functions and variables.

use std::ops::Range;

use super::keywords::{begins_declaration, is_keyword, is_primitive};
use super::macros::{Finder, MAX_ARGUMENT, MAX_LOOK};
use super::tokens::{CAPITALS, SCOPE, VALUE, WORD};

/// Macros that say how a function is called.
const CALLS: [&[u8]; 5] = [
    b"WINAPI",
    b"CALLBACK",
    b"APIENTRY",
    b"STDMETHODCALLTYPE",
    b"JNICALL",
];

impl Finder<'_> {
    /// `enum : int {`, an enumeration without a name.
    pub(super) fn hide_base(&mut self, colon: usize) {
        let mut tokens = self.tokens[colon..].iter().take(MAX_ARGUMENT);
        if let Some(len) = tokens.position(|token| token.kind == b'{') {
            self.found.hidden.push(colon..colon + len);
        }
    }

    /// `class API Name {`: all words but the last, where a body or bases follow.
    pub(super) fn hide_in_head(&mut self, keyword: usize) {
        let is_class = matches!(self.text(keyword), b"class" | b"struct");
        let mut at = keyword + 1;
        if self.is_text(at, b"class") || self.is_text(at, b"struct") {
            at += 1;
        }
        let mut words: Vec<Range<usize>> = Vec::new();
        while at < keyword + MAX_LOOK && self.is_word(at) && !self.is_text(at, b"final") {
            let start = at;
            if begins_declaration(self.text(start)) {
                return;
            }
            at = self.macro_end(at);
            if !is_keyword(self.text(start)) {
                words.push(start..at);
            }
        }
        let Some(name) = words.pop() else { return };
        if words.is_empty() || name.len() > 1 {
            return;
        }
        while self.kind(at) == Some(SCOPE) && at < keyword + MAX_LOOK {
            at += 2;
        }
        if self.kind(at) == Some(b'<') {
            let Some(end) = self.after_angles(at) else {
                return;
            };
            at = end;
        }
        let all_macros = words
            .iter()
            .all(|word| word.len() > 1 || self.kind(word.start) == Some(CAPITALS));
        let has_body = match self.kind(at) {
            Some(b'{') => all_macros || self.text(keyword) == b"class",
            Some(b':') => is_class,
            Some(b';') => self.text(keyword) == b"class" && all_macros,
            _ => self.is_text(at, b"final"),
        };
        if has_body {
            self.found.hidden.extend(words);
        }
    }

    /// A macro before a declaration or within its head: `API void f();`, `API Status open();`, `int WINAPI f();`.
    pub(super) fn is_prefix(&self, last: Option<usize>, at: usize, end: usize) -> bool {
        let has_arguments = end > at + 1;
        let mut next = end;
        while self.is_text(next, b"const") || self.is_text(next, b"volatile") {
            next += 1;
        }
        // `API const ::a::Type *name()`
        if self.kind(next) == Some(SCOPE) {
            next += 1;
        }
        let starts = self.starts_declaration(last);
        // Further macros lead to the same.
        let mut beyond = next;
        while self.kind(beyond) == Some(CAPITALS) && beyond < end + MAX_LOOK {
            beyond = self.macro_end(beyond);
        }
        if self.kind(beyond) == Some(WORD) && begins_declaration(self.text(beyond)) {
            let is_parameter = last
                .is_some_and(|last| matches!(self.kind(last), Some(b'(' | b',')) && !has_arguments);
            return starts || is_parameter;
        }
        if next == end && self.is_infix(last, at, end) {
            return true;
        }
        if !self.is_word(next) || is_keyword(self.text(next)) || !starts || has_arguments {
            return false;
        }
        // `API Name::Name(`: a constructor has no type.
        if self.kind(next + 1) == Some(SCOPE)
            && self.is_word(next + 2)
            && self.text(next) == self.text(next + 2)
        {
            return self.kind(next + 3) == Some(b'(');
        }
        if self.kind(next + 1) == Some(b'(') {
            let is_explicit = last.is_some_and(|last| self.is_text(last, b"explicit"));
            let after = self.kind(self.macro_end(next));
            return is_explicit || (after == Some(b':') && !self.in_function());
        }
        // `DWORD WINAPI run(`: the second is the macro.
        if CALLS.contains(&self.text(next)) {
            return false;
        }
        // A type, and then another name.
        let mut at = next + 1;
        while self.kind(at) == Some(SCOPE) && at < next + MAX_LOOK {
            at += 2;
        }
        if self.kind(at) == Some(b'<') {
            let Some(end) = self.after_angles(at) else {
                return false;
            };
            at = end;
        }
        while matches!(self.kind(at), Some(b'*' | b'&')) || self.is_text(at, b"const") {
            at += 1;
        }
        // `size_t (*convert)(`
        let is_pointer = self.kind(at) == Some(b'(') && self.kind(at + 1) == Some(b'*');
        let is_name =
            self.is_word(at) && (!is_keyword(self.text(at)) || self.is_text(at, b"operator"));
        is_pointer || is_name
    }

    /// A macro between a function's result and its name.
    pub(super) fn is_infix(&self, last: Option<usize>, at: usize, end: usize) -> bool {
        let Some(last) = last else { return false };
        let is_primitive = self.kind(last) == Some(WORD) && is_primitive(self.text(last));
        let is_type = match self.kind(last) {
            Some(b'*') => last > 0 && self.is_word(last - 1) && !self.is_return(last - 1),
            Some(CAPITALS) => CALLS.contains(&self.text(at)),
            Some(WORD) => is_primitive || !is_keyword(self.text(last)),
            _ => false,
        };
        let names = self.is_word(end)
            && !is_keyword(self.text(end))
            && (is_primitive
                || self.kind(last) == Some(b'*')
                || matches!(self.kind(end + 1), Some(b'(' | SCOPE)));
        let macros = self.kind(end) == Some(CAPITALS) && self.kind(last) == Some(b'*');
        is_type && (names || macros || (is_primitive && self.kind(end) == Some(b'*')))
    }

    pub(super) fn is_return(&self, at: usize) -> bool {
        matches!(self.text(at), b"return" | b"case" | b"else" | b"sizeof")
    }

    /// A macro behind a name that is declared or behind a function's parameters.
    pub(super) fn is_suffix(
        &self,
        before: Option<usize>,
        last: Option<usize>,
        at: usize,
        end: usize,
    ) -> bool {
        let Some(last) = last else { return false };
        let has_arguments = end > at + 1;
        let next = self.kind(end);
        let is_macro_next = next == Some(CAPITALS);
        if let Some(parameters) = self.parameters_before(last) {
            let name = (parameters as usize).checked_sub(1);
            return name.is_some_and(|name| self.is_declared_name(name, true))
                && (matches!(next, Some(b';' | b'{' | b'=' | b':' | b','))
                    || is_macro_next
                    || self.is_text(end, b"const")
                    || self.is_text(end, b"override"));
        }
        let ends = matches!(next, Some(b';' | b',' | b')' | b'=' | b'['))
            || (next == Some(b'{') && !has_arguments)
            || is_macro_next;
        // An array's name stands before its size.
        let name = match self.kind(last) {
            Some(b']') => (self.tokens[last].pair as usize).checked_sub(1),
            _ => Some(last).filter(|last| before == last.checked_sub(1)),
        };
        let is_array = self.kind(last) == Some(b']');
        ends && name.is_some_and(|name| self.is_declared_name(name, is_array))
    }

    /// Whether a word stands behind a type: it is what a declaration declares.
    pub(super) fn is_declared_name(&self, name: usize, may_be_qualified: bool) -> bool {
        if self.kind(name) == Some(b')') {
            // `(*name)`, a pointer to a function.
            return self.kind(self.tokens[name].pair as usize + 1) == Some(b'*');
        }
        if !self.is_word(name) || is_keyword(self.text(name)) {
            return false;
        }
        let Some(before) = name.checked_sub(1) else {
            return false;
        };
        match self.kind(before) {
            Some(CAPITALS) => true,
            Some(WORD) => {
                let text = self.text(before);
                !is_keyword(text)
                    || is_primitive(text)
                    || text == b"explicit"
                    || (text == b"const" && before > 0 && self.kind(before - 1) == Some(b'*'))
            }
            Some(b'*' | b'&') => true,
            Some(b'~' | SCOPE) => may_be_qualified,
            Some(b'>') => !self.closes_template_parameters(before),
            _ => false,
        }
    }

    /// The parenthesis that opens what this token or the words before it close.
    pub(super) fn parameters_before(&self, mut at: usize) -> Option<u32> {
        for _ in 0..MAX_LOOK {
            let is_qualifier = self.kind(at) == Some(WORD)
                && matches!(
                    self.text(at),
                    b"const" | b"override" | b"final" | b"noexcept"
                );
            if !is_qualifier {
                break;
            }
            at = at.checked_sub(1)?;
        }
        let token = self.tokens[at];
        (token.kind == b')' && token.pair != at as u32).then_some(token.pair)
    }

    pub(super) fn closes_template_parameters(&self, close: usize) -> bool {
        let mut depth = 0;
        for at in (close.saturating_sub(MAX_LOOK)..=close).rev() {
            match self.kind(at) {
                Some(b'>') => depth += 1,
                Some(b'<') => {
                    depth -= 1;
                    if depth == 0 {
                        return at > 0 && self.is_text(at - 1, b"template");
                    }
                }
                Some(b';' | b'{' | b'}') => return false,
                _ => {}
            }
        }
        true
    }

    pub(super) fn starts_declaration(&self, last: Option<usize>) -> bool {
        let Some(last) = last else { return true };
        match self.kind(last) {
            Some(b';' | b'{' | b'}' | b':') => true,
            Some(b'>') => self.closes_template_parameters(last),
            // `extern "C"`
            Some(VALUE) => last > 0 && self.is_text(last - 1, b"extern"),
            Some(WORD) => matches!(
                self.text(last),
                b"static"
                    | b"inline"
                    | b"extern"
                    | b"virtual"
                    | b"friend"
                    | b"typedef"
                    | b"explicit"
            ),
            _ => false,
        }
    }

    pub(super) fn after_angles(&self, open: usize) -> Option<usize> {
        let mut depth = 0;
        for at in open..open + MAX_LOOK {
            match self.kind(at)? {
                b'<' => depth += 1,
                b'>' => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                b';' | b'{' | b'}' => return None,
                _ => {}
            }
        }
        None
    }
}
