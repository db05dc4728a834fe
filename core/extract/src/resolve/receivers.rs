//! Lookup of what a receiver leads to, be it written or the current object that a bare name implies.

use crate::facts::{NONE, Names, Receiver, Row, Symbol};
use crate::model::{Access, RelationshipKind, Resolution, SymbolKind, flags};
use crate::rules::Rules;
use crate::spec::NameSpaces;
use crate::walk::Walked;

use super::MAX_LOOKBACK;
use super::members::{Members, is_base};
use super::spaces::{space, spaces_for};
use super::types::{TypeKey, Types, holder, holds_members, is_type};

/// Finds members of the current object and of named types; first only the bases of types, so that they are known.
pub(super) fn member_targets(
    walked: &mut Walked,
    types: &Types,
    members: &Members,
    rules: &Rules,
    only_bases: bool,
) {
    for row in 0..walked.identifiers.len() {
        let identifier = &walked.identifiers[row];
        if is_base(identifier) != only_bases {
            continue;
        }
        let containing = identifier.containing;
        let around = |name| types.around(&walked.symbols, containing, name);
        let (of, own) = match identifier.receiver {
            Receiver::Own(name) | Receiver::OwnType(name) => (around(name), true),
            Receiver::Implicit(name) if identifier.target == NONE => (around(name), true),
            Receiver::Base(name) => (around(name), false),
            Receiver::Itself(name) => {
                if let TypeKey::Row(target) = around(name) {
                    let identifier = &mut walked.identifiers[row];
                    identifier.target = target;
                    identifier.resolution = Resolution::Lexical;
                }
                continue;
            }
            Receiver::Row(receiver) => {
                let target = walked.identifiers[receiver as usize].target;
                match walked.symbols.get(target as usize) {
                    Some(symbol)
                        if is_type(symbol)
                            || symbol.kind.is_namespace()
                            || symbol.kind == SymbolKind::EnumMember =>
                    {
                        (TypeKey::Row(types.first(target)), true)
                    }
                    Some(symbol) => match walked.self_parameters.get(&target) {
                        Some(&name) => (around(name), true),
                        None if rules.spec.members_by_assignment
                            && symbol.flags & flags::PARAMETER == 0 =>
                        {
                            (types.named(&walked.symbols, containing, symbol.name), true)
                        }
                        None => {
                            name_member_of_namesake(walked, types, members, rules, row as Row);
                            continue;
                        }
                    },
                    None => continue,
                }
            }
            Receiver::None | Receiver::Implicit(_) | Receiver::Other => continue,
        };
        let spaces = spaces_for(identifier.access, rules);
        let find = |spaces| members.find(of, identifier.name, spaces, own);
        // A method may be named without being called (Java's `this::name`).
        let read = identifier.access == Access::Read;
        let target = find(spaces).or_else(|| find(&[space::CALLABLE]).filter(|_| read));
        if let Some(target) = target {
            let identifier = &mut walked.identifiers[row];
            identifier.target = target;
            identifier.resolution = Resolution::Receiver;
        }
    }
}

/// Where a value has the name of a type (`Color Color`), a member of that type is meant, be it the value's or the
/// type's own; then the name means the type.
fn name_member_of_namesake(
    walked: &mut Walked,
    types: &Types,
    members: &Members,
    rules: &Rules,
    row: Row,
) {
    let identifier = &walked.identifiers[row as usize];
    let Receiver::Row(receiver) = identifier.receiver else {
        return;
    };
    if rules.spec.name_spaces != NameSpaces::Types {
        return;
    }
    let value = &walked.identifiers[receiver as usize];
    let Some(&namesake) = types.by_name.get(&value.name) else {
        return;
    };
    let of = TypeKey::Row(types.first(namesake));
    let spaces = spaces_for(identifier.access, rules);
    let Some(target) = members.find(of, identifier.name, spaces, true) else {
        return;
    };
    let member = &walked.symbols[target as usize];
    let is_of_type = member.flags & flags::STATIC != 0
        || matches!(member.kind, SymbolKind::EnumMember | SymbolKind::Constant)
        || is_type(member);
    let identifier = &mut walked.identifiers[row as usize];
    identifier.target = target;
    identifier.resolution = Resolution::Receiver;
    if is_of_type {
        walked.identifiers[receiver as usize].target = namesake;
    }
}

/// A bare name may be a member that a type around it inherits, or of the type that the code belongs to although it
/// stands elsewhere, or of a namespace that was opened before; that comes before what is outside of the type.
pub(super) fn inherited_targets(
    walked: &mut Walked,
    types: &Types,
    members: &Members,
    rules: &Rules,
) {
    for row in 0..walked.identifiers.len() {
        let identifier = &walked.identifiers[row];
        let is_bare = identifier.receiver == Receiver::None && !is_base(identifier);
        if !is_bare || identifier.access == Access::Import || identifier.names == Names::Tags {
            continue;
        }
        let symbols = &walked.symbols;
        let target = symbols.get(identifier.target as usize);
        let is_local =
            target.is_some_and(|target| target.flags & (flags::LOCAL | flags::PARAMETER) != 0);
        let fits = |member: &Row| {
            let kind = symbols[*member as usize].kind;
            match identifier.names {
                Names::Qualifiers => holds_members(kind),
                _ => (rules.spec.fits)(identifier.access, kind),
            }
        };
        let mut found = None;
        let mut at = identifier.containing;
        for _ in 0..MAX_LOOKBACK {
            let Some(symbol) = symbols.get(at as usize) else {
                break;
            };
            let of = if symbol.owner != NONE && !is_local {
                holder(symbol, types).map(|of| (of, true))
            } else if is_type(symbol) {
                let is_inside = |target: &Symbol| {
                    target.start_byte >= symbol.start_byte && target.end_byte <= symbol.end_byte
                };
                if target.is_some_and(is_inside) {
                    break;
                }
                Some((TypeKey::Row(types.first(at)), false))
            } else if symbol.kind.is_namespace() && target.is_none() {
                Some((TypeKey::Row(types.first(at)), true))
            } else {
                None
            };
            if let Some((of, own)) = of {
                let spaces = spaces_for(identifier.access, rules);
                found = members.find(of, identifier.name, spaces, own).filter(fits);
                if found.is_some() {
                    break;
                }
            }
            at = symbol.parent;
        }
        if let Some(target) = found {
            let identifier = &mut walked.identifiers[row];
            identifier.target = target;
            identifier.resolution = Resolution::Receiver;
        }
    }
}

/// Where a call looks like the making of an instance, what is called decides which of both it is.
pub(super) fn tell_calls_from_instances(walked: &mut Walked) {
    for identifier in &mut walked.identifiers {
        let Some(target) = walked.symbols.get(identifier.target as usize) else {
            continue;
        };
        let (access, relation) = match (identifier.access, target.kind) {
            (Access::Call, kind) if kind.is_type() => {
                (Access::Instantiate, RelationshipKind::Instantiates)
            }
            (Access::Instantiate, SymbolKind::Function | SymbolKind::Method) => {
                (Access::Call, RelationshipKind::Calls)
            }
            _ => continue,
        };
        identifier.access = access;
        identifier.relation = Some(relation);
    }
}
