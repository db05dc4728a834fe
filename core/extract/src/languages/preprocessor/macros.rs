//! Macros that stand where the grammars expect none, told by what stands around them.

use std::ops::Range;

use super::keywords::{begins_declaration, is_keyword, is_primitive};
use super::tokens::{CAPITALS, SCOPE, Token, VALUE, WORD};

/// Tokens that a rule looks through for the end of template arguments or of a class's head.
const MAX_LOOK: usize = 64;

/// Where macros are.
#[derive(Debug, Default)]
pub struct Macros {
    /// Runs of tokens to hide, in order.
    pub hidden: Vec<Range<usize>>,
    /// Bytes before which a statement ends.
    pub semicolons: Vec<usize>,
}

pub fn macros(source: &[u8], tokens: &[Token]) -> Macros {
    let mut finder = Finder {
        source,
        tokens,
        found: Macros::default(),
        blocks: Vec::new(),
    };
    finder.run();
    finder.found
}

struct Finder<'s> {
    source: &'s [u8],
    tokens: &'s [Token],
    found: Macros,
    /// For each open brace whether it is in a function.
    blocks: Vec<bool>,
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
                b'{' => self.enter(last),
                b'}' => {
                    self.blocks.pop();
                }
                _ => {}
            }
            let run = match token.kind {
                WORD => match self.source[token.start as usize] {
                    b'c' | b's' | b'u' | b'e' if self.is_type_keyword(at) => {
                        self.hide_in_head(at);
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
    fn word(&self, before: Option<usize>, last: Option<usize>, at: usize) -> Option<Range<usize>> {
        match self.tokens.get(at + 1)?.kind {
            b'(' if self.text(at) == b"__attribute__" => {
                let end = self.macro_end(at);
                (self.kind(end) == Some(b'=') && self.is_suffix(before, last, at, end))
                    .then_some(at..end)
            }
            // `static always_inline int`: no type stands before one of the language's own.
            WORD => {
                let is_between = last.is_some_and(|last| self.is_storage(last))
                    && !is_keyword(self.text(at))
                    && begins_declaration(self.text(at + 1));
                is_between.then_some(at..at + 1)
            }
            _ => None,
        }
    }

    /// Keeps track of whether a function is around.
    fn enter(&mut self, last: Option<usize>) {
        let in_function = self.in_function()
            || last.is_some_and(|last| match self.kind(last) {
                Some(b')') => true,
                Some(WORD) => matches!(self.text(last), b"const" | b"noexcept" | b"override"),
                _ => false,
            });
        self.blocks.push(in_function);
    }

    fn in_function(&self) -> bool {
        self.blocks.last().copied().unwrap_or(false)
    }

    fn is_storage(&self, at: usize) -> bool {
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
        if self.ends_statement(last, at, end) {
            let next = self.tokens[end].start as usize;
            // Between declarations it goes as a whole.
            if !self.in_function() {
                return Some(at..end);
            }
            if matches!(self.source[next - 1], b' ' | b'\t') {
                self.found.semicolons.push(next - 1);
                return None;
            }
        }
        if self.is_prefix(last, at, end) || self.is_suffix(before, last, at, end) {
            return Some(at..end);
        }
        // The last word of a file (`END_DECLS`).
        let is_alone = at + 1 == self.tokens.len() && self.starts_declaration(last);
        is_alone.then_some(at..end)
    }

    fn is_type_keyword(&self, at: usize) -> bool {
        matches!(self.text(at), b"class" | b"struct" | b"union" | b"enum")
    }

    /// `class API Name {`: all words but the last, where a body or bases follow.
    fn hide_in_head(&mut self, keyword: usize) {
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
    fn is_prefix(&self, last: Option<usize>, at: usize, end: usize) -> bool {
        let has_arguments = end > at + 1;
        let mut next = end;
        while self.is_text(next, b"const") {
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
        self.is_word(at) && (!is_keyword(self.text(at)) || self.is_text(at, b"operator"))
    }

    /// A macro between a function's result and its name.
    fn is_infix(&self, last: Option<usize>, at: usize, end: usize) -> bool {
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
            && (self.kind(end + 1) == Some(b'(') || self.kind(end + 1) == Some(SCOPE));
        let macros = self.kind(end) == Some(CAPITALS) && self.kind(last) == Some(b'*');
        is_type && (names || macros || (is_primitive && self.kind(end) == Some(b'*')))
    }

    fn is_return(&self, at: usize) -> bool {
        matches!(self.text(at), b"return" | b"case" | b"else" | b"sizeof")
    }

    /// A macro with arguments that stands for statements or declarations, without a semicolon.
    fn ends_statement(&self, last: Option<usize>, at: usize, end: usize) -> bool {
        let Some(next) = self.tokens.get(end).filter(|_| end > at + 1) else {
            return false;
        };
        let starts = last.is_none_or(|last| matches!(self.kind(last), Some(b';' | b'{' | b'}')));
        let between = self.tokens[end - 1].end as usize..next.start as usize;
        let follows = match next.kind {
            CAPITALS => true,
            // `LIST(int)\nfind(`, a function's result.
            WORD => self.in_function() || self.kind(end + 1) != Some(b'('),
            _ => false,
        };
        starts && follows && memchr::memchr(b'\n', &self.source[between]).is_some()
    }

    /// A macro behind a name that is declared or behind a function's parameters.
    fn is_suffix(&self, before: Option<usize>, last: Option<usize>, at: usize, end: usize) -> bool {
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
        ends && name.is_some_and(|name| self.is_declared_name(name, false))
    }

    /// Whether a word stands behind a type: it is what a declaration declares.
    fn is_declared_name(&self, name: usize, is_function: bool) -> bool {
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
            Some(b'~' | SCOPE) => is_function,
            Some(b'>') => !self.closes_template_parameters(before),
            _ => false,
        }
    }

    /// The parenthesis that opens what this token or the words before it close.
    fn parameters_before(&self, mut at: usize) -> Option<u32> {
        while self.kind(at) == Some(WORD)
            && matches!(
                self.text(at),
                b"const" | b"override" | b"final" | b"noexcept"
            )
        {
            at = at.checked_sub(1)?;
        }
        let token = self.tokens[at];
        (token.kind == b')' && token.pair != at as u32).then_some(token.pair)
    }

    fn closes_template_parameters(&self, close: usize) -> bool {
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

    fn starts_declaration(&self, last: Option<usize>) -> bool {
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

    /// The position behind a macro and its arguments.
    fn macro_end(&self, at: usize) -> usize {
        match self.tokens.get(at + 1) {
            // One that is not closed is its own pair.
            Some(open) if open.kind == b'(' && open.pair as usize > at + 1 => {
                open.pair as usize + 1
            }
            _ => at + 1,
        }
    }

    fn after_angles(&self, open: usize) -> Option<usize> {
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

    fn kind(&self, at: usize) -> Option<u8> {
        self.tokens.get(at).map(|token| token.kind)
    }

    fn is_word(&self, at: usize) -> bool {
        matches!(self.kind(at), Some(WORD | CAPITALS))
    }

    fn text(&self, at: usize) -> &[u8] {
        let token = &self.tokens[at];
        &self.source[token.start as usize..token.end as usize]
    }

    fn is_text(&self, at: usize, text: &[u8]) -> bool {
        self.kind(at) == Some(WORD) && self.text(at) == text
    }
}

/// Macros that say how a function is called.
const CALLS: [&[u8]; 5] = [
    b"WINAPI",
    b"CALLBACK",
    b"APIENTRY",
    b"STDMETHODCALLTYPE",
    b"JNICALL",
];
