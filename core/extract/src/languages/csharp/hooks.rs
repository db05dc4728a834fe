//! What no table says of C#: names that stand among tokens, and roles that a word or the node around decides.

use std::ops::Range;

use tree_sitter::Node;

use crate::model::{SymbolKind, Visibility, flags};
use crate::spec::{Before, Defined, Modifier, Role, TokenPlace};
use crate::walk::Walk;

/// A directive imports the members of a namespace or type, which are not named here, or one thing under an alias.
pub(super) fn using(walk: &mut Walk<'_>, directive: Node<'_>, _: Role) -> Role {
    let alias = directive.child_by_field_name("name");
    let last = directive.named_child_count().saturating_sub(1);
    if let Some(imported) = directive.named_child(last as u32)
        && let Some(name) = alias.or_else(|| last_name(imported))
    {
        let (name, binds) = (name.byte_range(), alias.is_some());
        let symbol = walk.define_at(directive, name, SymbolKind::Import, binds);
        walk.add_import(symbol, imported.byte_range());
    }
    Role::Import
}

/// The last name of a dotted one, without type arguments.
fn last_name(mut at: Node<'_>) -> Option<Node<'_>> {
    loop {
        at = match at.kind() {
            "identifier" => return Some(at),
            "generic_name" => at.named_child(0)?,
            "qualified_name" | "alias_qualified_name" => at.child_by_field_name("name")?,
            _ => return None,
        };
    }
}

/// What an attribute says of the definition that it stands at.
pub(super) fn attribute(walk: &mut Walk<'_>, attribute: Node<'_>, role: Role) -> Role {
    if let Some(name) = attribute.child_by_field_name("name").and_then(last_name) {
        let name = &walk.source[name.byte_range()];
        match name.strip_suffix(b"Attribute").unwrap_or(name) {
            b"Test" | b"TestCase" | b"TestCaseSource" | b"TestMethod" | b"DataTestMethod"
            | b"Fact" | b"Theory" | b"Benchmark" => walk.modify(Modifier::flags(flags::TEST)),
            b"Obsolete" => walk.modify(Modifier::flags(flags::DEPRECATED)),
            _ => {}
        }
    }
    role
}

pub(super) fn destructor_name(destructor: Node<'_>, source: &[u8]) -> Option<Range<usize>> {
    let name = destructor.child_by_field_name("name")?;
    let before = &source[destructor.start_byte()..name.start_byte()];
    let tilde = before.iter().rposition(|byte| *byte == b'~')?;
    Some(destructor.start_byte() + tilde..name.end_byte())
}

pub(super) fn conversion_name(operator: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    token(operator, &["implicit", "explicit"])
}

pub(super) fn indexer_name(indexer: Node<'_>, _: &[u8]) -> Option<Range<usize>> {
    token(indexer, &["this"])
}

fn token(node: Node<'_>, kinds: &[&str]) -> Option<Range<usize>> {
    let mut cursor = node.walk();
    let found = node
        .children(&mut cursor)
        .find(|child| kinds.contains(&child.kind()))?;
    Some(found.byte_range())
}

/// Among the parameters of a record a name is a property, elsewhere it is a parameter.
pub(super) fn parameter(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    if token(node, &["="]).is_some() {
        walk.mark_variadic();
    }
    if role == Role::Bind {
        Role::Bind
    } else {
        Role::Parameter
    }
}

pub(super) fn parameter_list(walk: &mut Walk<'_>, node: Node<'_>, role: Role) -> Role {
    if node.child_by_field_name("name").is_some() {
        walk.mark_variadic();
    }
    if role == Role::Bind {
        Role::Bind
    } else {
        Role::Parameter
    }
}

/// What is set is called `value`, whatever else has that name.
pub(super) fn accessor(walk: &mut Walk<'_>, accessor: Node<'_>) {
    let name = accessor.child_by_field_name("name").map(|name| name.kind());
    if name != Some("get") {
        walk.hide(b"value");
    }
}

pub(super) fn generator(walk: &mut Walk<'_>, _: Node<'_>, role: Role) -> Role {
    walk.mark(flags::GENERATOR);
    role
}

/// With a type or `var` a loop declares its variable.
pub(super) fn foreach(_: &mut Walk<'_>, statement: Node<'_>, _: Role) -> Role {
    match statement.child_by_field_name("type") {
        Some(_) => Role::Bind,
        None => Role::Write,
    }
}

pub(super) fn goto(_: &mut Walk<'_>, statement: Node<'_>, _: Role) -> Role {
    match token(statement, &["case"]) {
        Some(_) => Role::Read,
        None => Role::Label,
    }
}

/// In an initializer the left side is a member of what is created.
pub(super) fn assignment(walk: &mut Walk<'_>, _: Node<'_>, _: Role) -> Role {
    match walk.parent_kind() {
        Some("initializer_expression") => Role::WriteMember,
        _ => Role::Write,
    }
}

/// In `new { name = value }` the grammar has no place for the name.
pub(super) fn property_or_value(source: &[u8], name: Range<usize>) -> TokenPlace {
    let mut rest = source[name.end..].iter();
    let next = rest.find(|byte| !byte.is_ascii_whitespace());
    TokenPlace {
        role: match next {
            Some(b'=') => Role::Label,
            _ => Role::Read,
        },
        before: Before::Nothing,
        sort: 0,
    }
}

pub(super) fn unary(_: &mut Walk<'_>, expression: Node<'_>, _: Role) -> Role {
    match token(expression, &["++", "--"]) {
        Some(_) => Role::Write,
        None => Role::Read,
    }
}

/// By custom the names of interfaces, and of nothing else, start with I and a capital letter; only the first base of
/// a class may be a class.
pub(super) fn base_role(name: &[u8], derived: SymbolKind, role: Role) -> Role {
    match (derived, name) {
        (SymbolKind::Interface, _) => Role::Extends,
        (SymbolKind::Struct, _) => Role::Implements,
        (_, [b'I', second, ..]) if second.is_ascii_uppercase() => Role::Implements,
        _ => role,
    }
}

/// The members of a type are private and types internal, where no word says otherwise.
pub(super) fn visibility(defined: Defined<'_>) -> Option<Visibility> {
    use SymbolKind as K;
    match (defined.kind, defined.parent) {
        (K::Namespace, _) => None,
        (K::EnumMember, _) | (_, Some(K::Interface)) => Some(Visibility::Public),
        (_, Some(parent)) if parent.is_type() => Some(Visibility::Private),
        (_, None | Some(K::Namespace)) => Some(Visibility::Internal),
        _ => None,
    }
}

/// Properties and events of an interface have accessors but no body.
pub(super) fn extra_flags(defined: Defined<'_>) -> u32 {
    match (defined.kind, defined.parent) {
        (SymbolKind::Property | SymbolKind::Event, Some(SymbolKind::Interface)) => flags::ABSTRACT,
        _ => 0,
    }
}
