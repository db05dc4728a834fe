//! Identifier tokens: a row of `identifiers` each, or a name that is bound.

use std::ops::Range;

use tree_sitter::Node;

use crate::facts::{Identifier, NONE, NameId, Names, Receiver, Row, UNCOUNTED};
use crate::masks::Word;
use crate::model::{Resolution, SymbolKind, flags};
use crate::rules::{KindRule, bits};
use crate::spec::{Before, BindScope, Role, ScopeKind, Shape, TokenPlace, Used};

use super::*;

/// An identifier token, with what its place and its kind say of it.
struct Leaf<'r> {
    range: Range<usize>,
    rule: &'r KindRule,
    role: Role,
    is_property: bool,
    is_object: bool,
    /// Whether it is a member of the current object without a receiver.
    is_own: bool,
    /// What the text around it tells.
    told: Option<TokenPlace>,
}

impl<'s> Walk<'s> {
    /// A name with something before it, see [`LanguageSpec::sigils`](crate::spec::LanguageSpec::sigils).
    pub(super) fn sigil(&mut self, name: Node<'_>, rule: &KindRule, mut place: Place) {
        let parent_sort = self
            .frames
            .last()
            .and_then(|frame| frame.rule.spec)
            .map_or(0, |spec| spec.sort);
        if !place.is_property || parent_sort != 0 {
            place.role = match place.role {
                _ if place.is_property => Role::Read,
                Role::New | Role::Member | Role::Label => Role::Read,
                role if is_type_role(role) => Role::Read,
                role => role,
            };
            place.is_property = false;
        }
        self.leaf(name, rule, place);
    }

    /// Binds the name or adds a row for it.
    pub(super) fn leaf(&mut self, node: Node<'_>, rule: &KindRule, place: Place) {
        let range = node.byte_range();
        if range.is_empty() || self.is_pending_name(&range) {
            return;
        }
        let told = self.token_place(&range, place.role);
        let role = self.own_role(rule, told.map_or(place.role, |told| told.role), &range);
        let is_own = rule.leaf == Role::OwnMember || (role == Role::OwnWrite && !place.is_property);
        let leaf = Leaf {
            role: self.final_role(rule, role, place.is_property, &range),
            range,
            rule,
            is_property: place.is_property,
            is_object: place.is_object,
            is_own,
            told,
        };
        if !self.is_bound(node, &leaf) {
            self.add_identifier(node, leaf);
        }
    }

    /// The role where the place leaves it to the token's kind.
    fn own_role(&mut self, rule: &KindRule, role: Role, range: &Range<usize>) -> Role {
        match role {
            Role::Bind | Role::BindOrWrite if rule.leaf == Role::Global => Role::Write,
            Role::Read | Role::Inherit if rule.leaf == Role::ReadOrCall => self.read_or_call(range),
            Role::Read | Role::Inherit => rule.leaf,
            Role::Call if self.instantiates(range) => Role::New,
            role => role,
        }
    }

    /// The role where the name itself, or the definition around it, has a say.
    fn final_role(
        &self,
        rule: &KindRule,
        role: Role,
        is_property: bool,
        range: &Range<usize>,
    ) -> Role {
        let text = &self.source[range.clone()];
        let spec = self.rules.spec;
        match role {
            // `a.b` where a member's bare name could stand is an expression.
            Role::WriteMember if is_property => Role::Member,
            Role::Type if is_among(spec.soft_keywords, text) => Role::Label,
            Role::Extends | Role::Implements => {
                let derived = self.top().kind.unwrap_or(SymbolKind::Class);
                (spec.base_role)(text, derived, role)
            }
            Role::BindHere if !(spec.binds)(text) => Role::Write,
            // The key of a pattern names a member of what is taken apart.
            Role::Bind | Role::Parameter if rule.leaf == Role::Member && !self.binds_members() => {
                Role::Member
            }
            Role::Bind | Role::Parameter
                if !self.binds_type_parameters() && !(spec.binds)(text) =>
            {
                Role::Read
            }
            Role::Bind | Role::BindOrWrite if is_among(spec.predefined, text) => Role::Write,
            role => role,
        }
    }

    /// Binds the name where its role says so and it is not bound already.
    fn is_bound(&mut self, node: Node<'_>, leaf: &Leaf<'_>) -> bool {
        let range = &leaf.range;
        let is_bare = !leaf.is_own && !leaf.is_property;
        match leaf.role {
            Role::Outer
                if (self.rules.spec.closed)(SymbolKind::Variable, ScopeKind::Function)
                    && !self.capture(range) =>
            {
                self.bind_leaf(node, range.clone());
                return true;
            }
            Role::Bind if is_bare && !self.redeclares_parameter(range) => {
                self.bind_leaf(node, range.clone());
                return true;
            }
            Role::Parameter if is_bare => {
                self.parameter_leaf(node, range.clone());
                return true;
            }
            Role::ImportBind | Role::ImportWhole => {
                self.import_leaf(node, range.clone(), leaf.role, leaf.is_property);
                return true;
            }
            Role::BindHere if !leaf.is_property && !self.is_bound_here(range) => {
                self.bind_leaf(node, range.clone());
                return true;
            }
            Role::BindOrWrite if is_bare && self.declare_by_assignment(node, range) => return true,
            _ => {}
        }
        let of_own = || {
            let parent = self.frames.last();
            leaf.is_own || parent.is_some_and(|f| matches!(f.receiver, Receiver::Own(_)))
        };
        (leaf.is_property || leaf.is_own)
            && matches!(leaf.role, Role::Write | Role::BindOrWrite | Role::Bind)
            && of_own()
            && leaf.rule.leaf != Role::ReadOrCall
            && self.rules.spec.fields_by_assignment
            && self.field_by_assignment(node, range)
    }

    /// Adds the row of a name that is used.
    fn add_identifier(&mut self, node: Node<'_>, leaf: Leaf<'_>) {
        let row = self.out.identifiers.len() as Row;
        let receiver = self.receiver_of(&leaf);
        let name = self.name_of_use(&leaf, receiver);
        let Leaf {
            range, rule, role, ..
        } = leaf;
        let derived = match role {
            Role::Extends | Role::Implements => self.derived_type(),
            _ => NONE,
        };
        let own_type = self.own_type(&range, role);
        let receiver = match own_type {
            Some(NONE) => Receiver::Itself(self.top().enclosing_type),
            Some(_) => Receiver::Other,
            None => receiver,
        };
        let own_type = own_type.unwrap_or(NONE);
        let around = self.frames.last().and_then(|frame| frame.rule.spec);
        let names = match role {
            Role::Qualifier => Names::Qualifiers,
            _ if around.is_some_and(|spec| spec.tag) => Names::Tags,
            _ => Names::Plain,
        };
        let is_member = leaf.is_property
            || leaf.is_own
            || rule.leaf == Role::Member
            || leaf.told.is_some_and(|told| told.before != Before::Nothing);
        let (kind, access, relation) = meaning(role, is_member);
        let (start, end) = (node.start_position(), node.end_position());
        self.out.identifiers.push(Identifier {
            name,
            start_byte: range.start as u32,
            end_byte: range.end as u32,
            line: start.row as u32 + 1,
            column: start.column as u32,
            end_line: end.row as u32 + 1,
            end_column: end.column as u32,
            containing: self.containing(),
            target: own_type,
            kind,
            access,
            resolution: if own_type == NONE {
                Resolution::None
            } else {
                Resolution::Lexical
            },
            relation,
            receiver,
            names,
            derived,
            arguments: UNCOUNTED,
            id: [0; 16],
        });
        self.out.events.push(Event::Use(row));
        if role == Role::Call {
            self.last_call = row;
        }
        if leaf.is_property
            && let Some(frame) = self.frames.last_mut()
        {
            frame.member_row = row;
        }
        if role == Role::Outer {
            let scope = self.bind_scope(BindScope::Function);
            self.outer.insert((scope, name), ());
        }
        if leaf.is_object {
            let text = &self.source[range];
            let receiver = if is_among(self.rules.spec.receiver_names, text) {
                self.own_receiver()
            } else {
                Receiver::Row(row)
            };
            self.set_parent_receiver(receiver);
        }
    }

    /// What the name is a member of.
    fn receiver_of(&self, leaf: &Leaf<'_>) -> Receiver {
        let before = leaf.told.map_or(Before::Nothing, |told| told.before);
        match leaf.role {
            Role::Label | Role::Import => Receiver::Other,
            _ if before != Before::Nothing => self.receiver_before(before),
            _ if leaf.rule.leaf == Role::Global => Receiver::Other,
            _ if leaf.is_own => self.own_receiver(),
            _ if leaf.is_property => match self.frames.last() {
                // Without a receiver the name of a call is a bare name.
                Some(Frame {
                    receiver: Receiver::None,
                    rule,
                    ..
                }) if rule.shape == Shape::Call => Receiver::None,
                Some(Frame {
                    receiver: Receiver::None,
                    ..
                }) if leaf.rule.leaf == Role::ReadOrCall => {
                    Receiver::Implicit(self.top().type_name)
                }
                Some(Frame {
                    receiver: Receiver::None,
                    ..
                })
                | None => Receiver::Other,
                Some(frame) => frame.receiver,
            },
            Role::Member | Role::WriteMember => match self.frames.last() {
                Some(frame) if frame.rule.shape == Shape::PassesReceiver => match frame.receiver {
                    Receiver::None => Receiver::Other,
                    receiver => receiver,
                },
                _ => Receiver::Other,
            },
            Role::Call if leaf.rule.leaf == Role::ReadOrCall => {
                Receiver::Implicit(self.top().enclosing_type)
            }
            // `a::b::c`: b is a member of a, as far as c can tell.
            _ if leaf.is_object => self
                .frames
                .last()
                .map_or(Receiver::None, |frame| frame.receiver),
            _ => Receiver::None,
        }
    }

    /// The id of the name, of the sort that its place means.
    fn name_of_use(&mut self, leaf: &Leaf<'_>, receiver: Receiver) -> NameId {
        let name = self.intern(leaf.range.clone());
        let Some(sort_of_use) = self.rules.spec.sort_of_use else {
            return name;
        };
        let placed = match leaf.rule.spec {
            Some(spec) if leaf.rule.has(bits::SIGIL) => Some(spec),
            _ => self.frames.last().and_then(|frame| frame.rule.spec),
        };
        let sort = sort_of_use(Used {
            role: leaf.role,
            sort: match leaf.told {
                Some(told) => told.sort,
                None => placed.map_or(0, |spec| spec.sort),
            },
            is_receiver: leaf.is_object,
            is_member: leaf.is_property,
            of_name: matches!(receiver, Receiver::Row(_) | Receiver::OwnType(_)),
            in_static: self.top().is_static,
        });
        self.in_sort(name, sort)
    }

    /// Whether each name below the binder around here is a declaration of its own, or a member: then a member's name binds.
    fn binds_members(&self) -> bool {
        self.binders.last().is_some_and(|open| {
            let is_member = matches!(
                open.binder.kind,
                SymbolKind::Field | SymbolKind::Property | SymbolKind::EnumMember
            );
            open.binder.each || open.binder.declarators || is_member
        })
    }

    /// Whether the binder around here is that of parameters that no pattern holds (a type's).
    fn binds_type_parameters(&self) -> bool {
        let open = self.binders.last();
        open.is_some_and(|open| open.binder.flags & flags::PARAMETER != 0)
    }

    /// What the text says of a name among tokens, where the place says only that it is read.
    fn token_place(&self, name: &Range<usize>, role: Role) -> Option<TokenPlace> {
        if !matches!(role, Role::Inherit | Role::Read) {
            return None;
        }
        let read = self.frames.last()?.rule.spec?.tokens?;
        Some(read(self.source, name.clone()))
    }

    /// What a name among tokens is a member of.
    fn receiver_before(&self, before: Before) -> Receiver {
        match (before, self.out.identifiers.last()) {
            (Before::Own, _) => self.own_receiver(),
            (Before::Name(end), Some(last)) if last.end_byte as usize == end => {
                Receiver::Row(self.out.identifiers.len() as Row - 1)
            }
            _ => Receiver::Other,
        }
    }

    /// A row for an identifier that the parser did not see.
    pub(super) fn unseen_word(&mut self, word: &Word) {
        let name = self.intern(word.bytes.clone());
        let row = self.out.identifiers.len() as Row;
        let role = if word.is_call { Role::Call } else { Role::Read };
        let (kind, access, relation) = meaning(role, false);
        self.out.identifiers.push(Identifier {
            name,
            start_byte: word.bytes.start as u32,
            end_byte: word.bytes.end as u32,
            line: word.line + 1,
            column: word.column,
            end_line: word.line + 1,
            end_column: word.column + word.bytes.len() as u32,
            containing: self.containing(),
            target: NONE,
            kind,
            access,
            resolution: Resolution::None,
            relation,
            receiver: Receiver::None,
            names: Names::Plain,
            derived: NONE,
            arguments: UNCOUNTED,
            id: [0; 16],
        });
        self.out.events.push(Event::Use(row));
    }

    /// The enclosing type, where a type's name says that it is meant; [`NONE`] where that is defined elsewhere.
    fn own_type(&self, range: &Range<usize>, role: Role) -> Option<Row> {
        let spec = self.rules.spec;
        let text = &self.source[range.clone()];
        let means_type =
            is_type_role(role) || role == Role::New || is_among(spec.receiver_names, text);
        if !means_type || !is_among(spec.own_type_names, text) {
            return None;
        }
        let open = self.opens.iter().rev().find(|open| open.is_type)?;
        Some(open.symbol)
    }

    /// Whether a bare name is a variable or a call: variables are bound before they are read.
    fn read_or_call(&mut self, range: &Range<usize>) -> Role {
        let name = self.intern(range.clone());
        let sort = (self.rules.spec.sort_of_symbol)(SymbolKind::Variable, 0);
        let name = self.in_sort(name, sort);
        if self.is_bound_in_function(name) {
            return Role::Read;
        }
        let text = &self.source[range.clone()];
        let section = self
            .rules
            .spec
            .section_words
            .iter()
            .find(|(word, _)| word.as_bytes() == text);
        if let (Some((_, modifier)), Some(parent)) = (section, self.frames.last_mut()) {
            parent.section = *modifier;
        }
        Role::Call
    }

    fn instantiates(&self, range: &Range<usize>) -> bool {
        self.rules
            .spec
            .call_instantiates
            .is_some_and(|test| test(&self.source[range.clone()]))
    }

    pub(super) fn is_pending_name(&mut self, range: &Range<usize>) -> bool {
        while let Some(name) = self.pending_names.last() {
            if range.start >= name.end {
                self.pending_names.pop();
                continue;
            }
            return name.contains(&range.start);
        }
        false
    }
}

fn is_among(words: &[&str], text: &[u8]) -> bool {
    words.iter().any(|word| word.as_bytes() == text)
}
