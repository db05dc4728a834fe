//! Names among the tokens of a Rust macro, which the grammar does not parse: the text around one tells what it is.

use std::ops::Range;

use crate::spec::{Before, Role, TokenPlace};

/// The sort of the names of macros; everything else has the sort 0.
pub const MACROS: u8 = 1;

/// How much white space or how long a word is looked through.
const MAX_LOOK: usize = 64;

/// Words that the grammar takes for names here.
const KEYWORDS: &[&[u8]] = &[b"else", b"in", b"ref", b"dyn", b"extern", b"try", b"yield"];

/// Reads the text around a name.
pub fn read(source: &[u8], name: Range<usize>) -> TokenPlace {
    let text = &source[name.clone()];
    let before = trim_end(source, name.start);
    let after = skip_space(source, name.end);
    let place = |role, before| TokenPlace {
        role,
        before,
        sort: 0,
    };
    let is_lifetime = before.len() == name.start && before.ends_with(b"'");
    if is_lifetime || KEYWORDS.contains(&text) {
        return place(Role::Label, Before::Nothing);
    }
    let object = object(before);
    let is_turbofish = after.starts_with(b"::") && skip_space(after, 2).starts_with(b"<");
    if is_turbofish && !is_camel(text) {
        return place(Role::Call, object);
    }
    if after.starts_with(b"::") {
        return place(Role::Qualifier, object);
    }
    if is_macro(after) {
        return TokenPlace {
            role: Role::Call,
            before: object,
            sort: MACROS,
        };
    }
    if after.starts_with(b"(") {
        return place(Role::Call, object);
    }
    if object != Before::Nothing {
        let role = if is_assigned(after) {
            Role::Write
        } else {
            Role::Member
        };
        return place(role, object);
    }
    place(bare(before, text, after), Before::Nothing)
}

/// What a name without a receiver, a call or a path is.
fn bare(before: &[u8], text: &[u8], after: &[u8]) -> Role {
    match last_word(before) {
        b"let" => return Role::Bind,
        b"mut" if last_word(trim_word(before)) == b"let" => return Role::Bind,
        b"for" if last_word(&after[..after.len().min(2)]) == b"in" => return Role::Bind,
        b"for" | b"impl" | b"dyn" | b"as" => return Role::Type,
        b"fn" | b"struct" | b"enum" | b"union" | b"trait" | b"type" | b"mod" => return Role::Label,
        b"const" | b"static" if after.starts_with(b":") => return Role::Label,
        _ => {}
    }
    if is_closure_parameter(before, after) {
        return Role::Parameter;
    }
    if after.starts_with(b":") {
        // A field of a literal, most of the time; never a variable that is read.
        return match before.last() {
            Some(b'{' | b',') => Role::Member,
            _ => Role::Label,
        };
    }
    if is_assigned(after) {
        let is_plain = after.starts_with(b"=");
        let is_statement = matches!(before.last(), Some(b';' | b'{' | b'}' | b'*'));
        return if is_plain && !is_statement {
            Role::Label
        } else {
            Role::Write
        };
    }
    let types = before.ends_with(b"->")
        || (before.ends_with(b":") && !after.starts_with(b".") && !after.starts_with(b"{"))
        || (before.ends_with(b"<") && matches!(after.first(), Some(b'>' | b',' | b'<' | b'+')));
    if types && is_camel(text) {
        Role::Type
    } else {
        Role::Read
    }
}

/// What a name is a member of, by what stands before it.
fn object(before: &[u8]) -> Before {
    let (rest, own): (&[u8], &[u8]) = match before {
        [rest @ .., b':', b':'] => (rest, b"Self"),
        [.., b'.', b'.'] => return Before::Nothing,
        [rest @ .., b'.'] => (rest, b"self"),
        _ => return Before::Nothing,
    };
    let rest = trim_end(rest, rest.len());
    if last_word(rest) == own && object(trim_word(rest)) == Before::Nothing {
        Before::Own
    } else {
        Before::Name(rest.len())
    }
}

/// Whether a macro's invocation follows its name.
fn is_macro(after: &[u8]) -> bool {
    after.starts_with(b"!") && matches!(skip_space(after, 1).first(), Some(b'(' | b'[' | b'{'))
}

/// Whether an assignment follows its target.
fn is_assigned(after: &[u8]) -> bool {
    match after {
        [b'=', b'=' | b'>', ..] => false,
        [b'=', ..] => true,
        [b'<', b'<', b'=', ..] | [b'>', b'>', b'=', ..] => true,
        [sign, b'=', ..] => b"+-*/%^&|".contains(sign),
        _ => false,
    }
}

/// Whether a name stands alone between the bars of a closure, or first among several.
fn is_closure_parameter(before: &[u8], after: &[u8]) -> bool {
    let ends = match after {
        [b'|', rest @ ..] => !rest.starts_with(b"|"),
        [b':', rest @ ..] => !rest.starts_with(b":"),
        [b',', ..] => true,
        _ => false,
    };
    let mut before = before;
    while let [rest @ .., b'&'] = before
        && !rest.ends_with(b"&")
    {
        before = trim_end(rest, rest.len());
    }
    if last_word(before) == b"mut" {
        before = trim_word(before);
    }
    let [rest @ .., b'|'] = before else {
        return false;
    };
    let rest = trim_end(rest, rest.len());
    ends && (matches!(
        rest.last(),
        Some(b'(' | b',' | b'=' | b'{' | b'[' | b';' | b'>')
    ) || matches!(last_word(rest), b"move" | b"return"))
}

/// Whether this looks like the name of a type: `Name` or `N`, not `NAME`.
fn is_camel(name: &[u8]) -> bool {
    name[0].is_ascii_uppercase() && (name.len() == 1 || name.iter().any(u8::is_ascii_lowercase))
}

/// The text before `end` without the white space at its end.
fn trim_end(source: &[u8], end: usize) -> &[u8] {
    let start = end.saturating_sub(MAX_LOOK);
    let space = source[start..end].iter().rev();
    &source[..end - space.take_while(|byte| byte.is_ascii_whitespace()).count()]
}

/// The text from `start` on without the white space at its start.
fn skip_space(source: &[u8], start: usize) -> &[u8] {
    let space = source[start..].iter().take(MAX_LOOK);
    &source[start + space.take_while(|byte| byte.is_ascii_whitespace()).count()..]
}

/// The word at the end of the text.
fn last_word(text: &[u8]) -> &[u8] {
    let start = text.len().saturating_sub(MAX_LOOK);
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    let len = text[start..].iter().rev().take_while(is_part).count();
    &text[text.len() - len..]
}

/// The text without the word at its end, and without the white space before that.
fn trim_word(text: &[u8]) -> &[u8] {
    trim_end(text, text.len() - last_word(text).len())
}
