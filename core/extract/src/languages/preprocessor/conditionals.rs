//! Preprocessor conditionals that cut through statements and expressions, where the grammars expect whole ones:
//! their directives are hidden and, where no other way is left, all branches but the first.

use std::ops::Range;

use super::tokens::{CAPITALS, Directive, OTHER, Token, VALUE, WORD};

/// Conditionals that are nested deeper are left alone.
const MAX_NESTING: usize = 64;

/// Tokens that a condition may have for its word to be looked at.
const MAX_CONDITION: usize = 256;

/// What is hidden of a source.
#[derive(Debug, Default)]
pub struct Hidden {
    /// Positions of directives, in no order.
    pub directives: Vec<usize>,
    /// Runs of tokens, in no order; they do not overlap, unless one holds the other.
    pub tokens: Vec<Range<usize>>,
}

/// Finds the conditionals that the parser would stumble over.
pub fn conditionals(source: &[u8], tokens: &[Token], directives: &[Directive]) -> Hidden {
    let mut pass = Pass {
        source,
        tokens,
        open: Vec::new(),
        groups: Vec::new(),
        hidden: Hidden::default(),
    };
    let mut at = 0;
    for (row, directive) in directives.iter().enumerate() {
        let word = word_of(&source[directive.bytes.clone()]);
        if !word.starts_with(b"if") && !word.starts_with(b"el") && word != b"endif" {
            continue;
        }
        pass.read(at..directive.before);
        at = directive.before;
        if word.starts_with(b"if") {
            if pass.groups.len() == MAX_NESTING {
                return Hidden::default();
            }
            let is_never = is_zero(&source[directive.bytes.clone()]);
            pass.begin(row, at, is_never);
        } else {
            pass.end_branch(row, at, word == b"endif");
        }
    }
    pass.hidden
}

/// The word behind the sign of a directive.
pub fn word_of(directive: &[u8]) -> &[u8] {
    let text = directive[1..].trim_ascii_start();
    let end = text.iter().position(|byte| !byte.is_ascii_alphabetic());
    &text[..end.unwrap_or(text.len())]
}

fn is_zero(directive: &[u8]) -> bool {
    let condition = directive[1..].trim_ascii_start();
    let condition = condition.strip_prefix(b"if").unwrap_or_default();
    condition.trim_ascii() == b"0"
}

/// A bracket that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    /// Of expressions, arguments, parameters or an initializer.
    Inner,
    /// An initializer's.
    Initializer,
    /// A block's or a type's.
    Block,
}

#[derive(Debug)]
struct Group {
    directives: Vec<usize>,
    branches: Vec<Branch>,
    /// Where the current branch starts.
    start: usize,
    /// How many brackets were open at the start, and the least since the current branch began.
    depth: usize,
    /// Brackets from around that the current branch has closed, in the order of closing.
    closed: Vec<Bracket>,
    /// Whether the branch before stays and the others go: it does not close what it opens.
    is_decided: bool,
    /// Whether the current branch is never compiled.
    is_never: bool,
}

#[derive(Debug)]
struct Branch {
    tokens: Range<usize>,
    is_hidden: bool,
    /// Whether it begins or ends amid a statement.
    is_cut: bool,
    /// Whether something follows that separates it from the next one.
    is_separate: bool,
}

struct Pass<'s> {
    source: &'s [u8],
    tokens: &'s [Token],
    open: Vec<Bracket>,
    groups: Vec<Group>,
    hidden: Hidden,
}

impl Pass<'_> {
    /// Keeps track of brackets through a run of tokens.
    fn read(&mut self, run: Range<usize>) {
        if self.groups.iter().any(|group| group.is_decided) {
            return;
        }
        for at in run {
            match self.tokens[at].kind {
                b'(' | b'[' => self.open.push(Bracket::Inner),
                b'{' => {
                    let bracket = self.brace(at);
                    self.open.push(bracket);
                }
                b')' | b']' if self.open.last() == Some(&Bracket::Inner) => {
                    self.close();
                }
                b'}' => while self.close().is_some_and(|it| it == Bracket::Inner) {},
                _ => {}
            }
        }
    }

    fn brace(&self, at: usize) -> Bracket {
        let is_inner = self.open.last().is_some_and(|it| *it != Bracket::Block);
        let before = at.checked_sub(1).map(|before| self.tokens[before].kind);
        match before {
            Some(b'=' | b'(') => Bracket::Initializer,
            Some(b',' | b'{') if is_inner => Bracket::Initializer,
            _ => Bracket::Block,
        }
    }

    fn close(&mut self) -> Option<Bracket> {
        let bracket = self.open.pop()?;
        if let Some(group) = self.groups.last_mut()
            && self.open.len() + group.closed.len() < group.depth
        {
            group.closed.push(bracket);
        }
        Some(bracket)
    }

    fn begin(&mut self, directive: usize, at: usize, is_never: bool) {
        self.groups.push(Group {
            directives: vec![directive],
            branches: Vec::new(),
            start: at,
            depth: self.open.len(),
            closed: Vec::new(),
            is_decided: false,
            is_never,
        });
    }

    fn end_branch(&mut self, directive: usize, at: usize, is_last: bool) {
        let outer = self.groups.len().saturating_sub(1);
        let is_skipped = self.groups[..outer].iter().any(|group| group.is_decided);
        let Some(mut group) = self.groups.pop() else {
            return;
        };
        if is_skipped {
            if !is_last {
                self.groups.push(group);
            }
            return;
        }
        let tokens = group.start..at;
        let is_balanced = group.closed.is_empty() && self.open.len() == group.depth;
        let is_first = group.branches.iter().all(|branch| branch.is_hidden);
        let mut is_hidden = group.is_decided;
        if !is_balanced && !group.is_decided {
            is_hidden = !is_first || group.is_never;
            if is_hidden {
                self.open.truncate(group.depth - group.closed.len());
                self.open.extend(group.closed.drain(..).rev());
            } else {
                group.is_decided = true;
            }
        }
        group.directives.push(directive);
        group.branches.push(Branch {
            is_cut: self.is_cut(&tokens, at),
            is_separate: self.is_separate(&tokens, at),
            tokens,
            is_hidden,
        });
        group.start = at;
        group.is_never = false;
        if is_last {
            self.end(group);
        } else {
            self.groups.push(group);
        }
    }

    /// Decides on a conditional once all of it is known.
    fn end(&mut self, group: Group) {
        let in_expression = self.open.last().is_some_and(|it| *it != Bracket::Block);
        let mut shown = group.branches.iter().filter(|branch| !branch.is_hidden);
        let first = group
            .branches
            .first()
            .map_or(0, |branch| branch.tokens.start);
        let is_labelled = self.ends_with_label(first);
        let goes_on = group.branches.last().is_some_and(|branch| {
            let next = self.tokens.get(branch.tokens.end);
            next.is_some_and(|next| next.kind == WORD && self.text(*next) == b"else")
        });
        let is_cut =
            shown.any(|branch| branch.is_cut) || in_expression || self.is_amid(first) || goes_on;
        for branch in group.branches.iter().filter(|branch| branch.is_hidden) {
            self.hidden.tokens.push(branch.tokens.clone());
        }
        if is_cut || is_labelled || group.is_decided {
            self.hidden.directives.extend(&group.directives);
        }
        if is_cut && !group.is_decided {
            let last = group.branches.len() - 1;
            let all_separate = group.branches[..last].iter().all(|it| it.is_separate);
            let shown = group.branches.iter().filter(|branch| !branch.is_hidden);
            if !(in_expression && all_separate) {
                let others = shown.skip(1).map(|branch| branch.tokens.clone());
                self.hidden.tokens.extend(others);
            }
        }
        // What it closed was open around the conditional around it, too.
        if let Some(outer) = self.groups.last_mut() {
            for (at, bracket) in group.closed.into_iter().enumerate() {
                if group.depth - at <= outer.depth - outer.closed.len() {
                    outer.closed.push(bracket);
                }
            }
        }
    }

    /// Whether a label stands before this token; what follows must be a statement.
    fn ends_with_label(&self, at: usize) -> bool {
        let Some([before, name, colon]) = at.checked_sub(3).map(|it| &self.tokens[it..at]) else {
            return false;
        };
        colon.kind == b':'
            && matches!(before.kind, b';' | b'{' | b'}')
            && matches!(name.kind, WORD | CAPITALS)
            && !matches!(
                self.text(*name),
                b"public" | b"private" | b"protected" | b"default"
            )
    }

    /// Whether a statement or declaration goes on at this token.
    fn is_amid(&self, at: usize) -> bool {
        let Some(last) = at.checked_sub(1) else {
            return false;
        };
        match self.tokens[last].kind {
            b'=' | b'+' | b'-' | b'&' | b'|' | b'?' | b'.' | b'<' | b'>' | OTHER => true,
            WORD => true,
            b')' => self.is_condition(&(0..at)),
            _ => false,
        }
    }

    /// Whether a branch that closes all it opens begins or ends amid a statement nevertheless.
    fn is_cut(&self, branch: &Range<usize>, next: usize) -> bool {
        if branch.is_empty() {
            return false;
        }
        let (first, last) = (self.tokens[branch.start], self.tokens[branch.end - 1]);
        let goes_on = match first.kind {
            WORD => self.text(first) == b"else",
            b'&' => self
                .tokens
                .get(branch.start + 1)
                .is_some_and(|next| next.kind == b'&'),
            b')' | b']' | b',' | b'=' | b'|' | b'?' | b':' | b'.' | b'<' | b'>' | b'/' | b'%' => {
                true
            }
            kind => kind == OTHER,
        };
        let in_block = self.open.last().is_none_or(|it| *it == Bracket::Block);
        let is_open = match last.kind {
            b';' | b'}' | b'{' | b':' | b',' | CAPITALS => false,
            VALUE | WORD => self.open.is_empty() || !self.is_in_enum(branch),
            b')' => {
                self.tokens.get(next).is_some_and(|next| next.kind == b'{')
                    || self.is_condition(branch)
            }
            _ => true,
        };
        goes_on || (in_block && is_open)
    }

    /// Whether all of a branch may be members of an enumeration.
    fn is_in_enum(&self, branch: &Range<usize>) -> bool {
        let tokens = &self.tokens[branch.clone()];
        !tokens.iter().any(|token| matches!(token.kind, b';' | b'}'))
            && (tokens.len() == 1 || tokens.iter().any(|token| matches!(token.kind, b',' | b'=')))
    }

    /// Whether a branch ends in `if (…)` or the like.
    fn is_condition(&self, branch: &Range<usize>) -> bool {
        let mut depth = 0;
        for at in branch.clone().rev().take(MAX_CONDITION) {
            match self.tokens[at].kind {
                b')' => depth += 1,
                b'(' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let before = at.checked_sub(1).filter(|before| branch.contains(before));
                return before.is_some_and(|before| {
                    let text = self.text(self.tokens[before]);
                    matches!(text, b"if" | b"while" | b"for" | b"switch")
                });
            }
        }
        false
    }

    fn is_separate(&self, branch: &Range<usize>, next: usize) -> bool {
        let is_comma = |at: usize| self.tokens.get(at).is_some_and(|it| it.kind == b',');
        branch.is_empty() || is_comma(branch.end - 1) || is_comma(next)
    }

    fn text(&self, token: Token) -> &[u8] {
        &self.source[token.start as usize..token.end as usize]
    }
}
