//! Targets within one file, then relationships and ids.
//!
//! What is bound is looked up first ([`lexical`]), then what only a receiver leads to ([`receivers`]), since the type of a
//! receiver is itself found by lookup; bases come before other members, since members are inherited through them. Of
//! several methods of one name the arguments choose last ([`mod@overloads`]). When every target is known, the rows get
//! their ids ([`naming`]), and what they say of one another becomes rows of its own ([`relationships`]).

mod adopt;
mod lexical;
mod members;
mod naming;
mod overloads;
mod receivers;
mod relationships;
mod spaces;
mod types;

use crate::facts::FileFacts;
use crate::rules::Rules;
use crate::walk::Walked;

use self::adopt::{adopt_assigned_members, adopt_owned_symbols};
use self::lexical::lexical_targets;
use self::members::Members;
use self::naming::Naming;
use self::overloads::{choose_overloads, overloads};
use self::receivers::{inherited_targets, member_targets, tell_calls_from_instances};
use self::relationships::relate;
use self::types::Types;

/// How many definitions around a name are looked at for its type.
const MAX_LOOKBACK: usize = 128;

/// Finds targets, builds the relationships and names every row. `facts` has path and content already.
pub fn resolve(facts: &mut FileFacts, mut walked: Walked, rules: &Rules) {
    let types = Types::new(&walked.symbols, rules);
    adopt_owned_symbols(&mut walked, &types);
    if rules.spec.members_by_assignment {
        adopt_assigned_members(&mut walked);
    }
    lexical_targets(&mut walked, rules);
    let mut members = Members::new(&walked, &types, rules);
    member_targets(&mut walked, &types, &members, rules, true);
    members.add_bases(&walked, &types);
    member_targets(&mut walked, &types, &members, rules, false);
    if rules.spec.call_instantiates.is_some() {
        tell_calls_from_instances(&mut walked);
    }
    if rules.spec.implicit_this {
        inherited_targets(&mut walked, &types, &members, rules);
    }
    if rules.spec.overloads {
        members.overloads = overloads(&walked.symbols);
        choose_overloads(&mut walked, &types, &members);
    }
    facts.symbols = walked.symbols;
    facts.identifiers = walked.identifiers;
    facts.names = walked.names;
    facts.arena = walked.arena;
    Naming::default().name_rows(facts);
    relate(facts, &types, &walked.imports, &members);
}
