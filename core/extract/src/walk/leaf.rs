//! Identifier tokens: a row of `identifiers` each, or a name that is bound.

use std::ops::Range;

use tree_sitter::Node;

use crate::facts::{Identifier, NONE, Names, Receiver, Row, Text, UNCOUNTED};
use crate::model::{Resolution, SymbolKind, flags};
use crate::rules::{KindRule, bits};
use crate::spec::{
    Before, BindScope, Binder, Modifier, Role, ScopeKind, Shape, TokenPlace, Used, Visible,
};

use super::*;

impl<'s> Walk<'s> {
    /// A name with something before it, see [`LanguageSpec::sigils`](crate::spec::LanguageSpec::sigils).
    pub(super) fn sigil(
        &mut self,
        name: Node<'_>,
        rule: &KindRule,
        role: Role,
        is_property: bool,
        is_object: bool,
    ) {
        let parent_space = self
            .frames
            .last()
            .and_then(|frame| frame.rule.spec)
            .map_or(0, |spec| spec.space);
        if is_property && parent_space == 0 {
            return self.leaf(name, rule, role, true, is_object);
        }
        let role = match role {
            _ if is_property => Role::Read,
            Role::New | Role::Member | Role::Label => Role::Read,
            role if is_type_role(role) => Role::Read,
            role => role,
        };
        self.leaf(name, rule, role, false, is_object);
    }

    pub(super) fn leaf(
        &mut self,
        node: Node<'_>,
        rule: &KindRule,
        role: Role,
        is_property: bool,
        is_object: bool,
    ) {
        let range = node.byte_range();
        if range.is_empty() || self.is_pending_name(&range) {
            return;
        }
        let place = self.token_place(&range, role);
        let role = match place.map_or(role, |place| place.role) {
            Role::Bind | Role::BindOrWrite if rule.leaf == Role::Global => Role::Write,
            Role::Read | Role::Inherit if rule.leaf == Role::ReadOrCall => {
                self.read_or_call(&range)
            }
            Role::Read | Role::Inherit => rule.leaf,
            Role::Call if self.instantiates(&range) => Role::New,
            role => role,
        };
        let own = rule.leaf == Role::OwnMember || (role == Role::OwnWrite && !is_property);
        let each = self.binders.last().is_some_and(|open| {
            let is_member = matches!(
                open.binder.kind,
                SymbolKind::Field | SymbolKind::Property | SymbolKind::EnumMember
            );
            open.binder.each || open.binder.declarators || is_member
        });
        let role = match role {
            _ if self.is_label(&range) => Role::Label,
            // `a.b` where a member's bare name could stand is an expression.
            Role::WriteMember if is_property => Role::Member,
            Role::Type if self.is_soft_keyword(&range) => Role::Label,
            Role::Extends | Role::Implements => {
                let derived = self.top().kind.unwrap_or(SymbolKind::Class);
                (self.rules.spec.base_role)(&self.source[range.clone()], derived, role)
            }
            Role::BindHere if !(self.rules.spec.binds)(&self.source[range.clone()]) => Role::Write,
            // The key of a pattern names a member of what is taken apart.
            Role::Bind | Role::Parameter if rule.leaf == Role::Member && !each => Role::Member,
            Role::Bind | Role::Parameter
                if !self.binds_type_parameters()
                    && !(self.rules.spec.binds)(&self.source[range.clone()]) =>
            {
                Role::Read
            }
            Role::Bind | Role::BindOrWrite if self.is_predefined(&range) => Role::Write,
            role => role,
        };
        match role {
            Role::Outer
                if (self.rules.spec.closed)(SymbolKind::Variable, ScopeKind::Function)
                    && !self.capture(&range) =>
            {
                return self.bind_leaf(node, range);
            }
            Role::Bind if !own && !is_property && !self.redeclares_parameter(&range) => {
                return self.bind_leaf(node, range);
            }
            Role::Parameter if !own && !is_property => return self.parameter_leaf(node, range),
            Role::ImportBind | Role::ImportWhole => {
                return self.import_leaf(node, range, role, is_property);
            }
            Role::BindHere if !is_property && !self.is_bound_here(&range) => {
                return self.bind_leaf(node, range);
            }
            Role::BindOrWrite
                if !own && !is_property && self.declare_by_assignment(node, &range) =>
            {
                return;
            }
            _ => {}
        }
        let is_own = own
            || self
                .frames
                .last()
                .is_some_and(|f| matches!(f.receiver, Receiver::Own(_)));
        if (is_property || own)
            && matches!(role, Role::Write | Role::BindOrWrite | Role::Bind)
            && is_own
            && rule.leaf != Role::ReadOrCall
            && self.rules.spec.fields_by_assignment
            && self.field_by_assignment(node, &range)
        {
            return;
        }
        let row = self.out.identifiers.len() as Row;
        let before = place.map_or(Before::Nothing, |place| place.before);
        let membered = is_property || own || rule.leaf == Role::Member || before != Before::Nothing;
        let receiver = match role {
            Role::Label | Role::Import => Receiver::Other,
            _ if before != Before::Nothing => self.receiver_before(before),
            _ if rule.leaf == Role::Global => Receiver::Other,
            _ if own => self.own_receiver(),
            _ if is_property => match self.frames.last() {
                // Without a receiver the name of a call is a bare name.
                Some(Frame {
                    receiver: Receiver::None,
                    rule,
                    ..
                }) if rule.shape == Shape::Call => Receiver::None,
                Some(Frame {
                    receiver: Receiver::None,
                    ..
                }) if rule.leaf == Role::ReadOrCall => Receiver::Implicit(self.top().type_name),
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
            Role::Call if rule.leaf == Role::ReadOrCall => {
                Receiver::Implicit(self.top().enclosing_type)
            }
            // `a::b::c`: b is a member of a, as far as c can tell.
            _ if is_object => self
                .frames
                .last()
                .map_or(Receiver::None, |frame| frame.receiver),
            _ => Receiver::None,
        };
        let placed = match rule.spec {
            Some(spec) if rule.has(bits::SIGIL) => Some(spec),
            _ => self.frames.last().and_then(|frame| frame.rule.spec),
        };
        let space = (self.rules.spec.space_of_use)(Used {
            role,
            space: match place {
                Some(place) => place.space,
                None => placed.map_or(0, |spec| spec.space),
            },
            is_receiver: is_object,
            is_member: is_property,
            of_name: matches!(receiver, Receiver::Row(_) | Receiver::OwnType(_)),
            in_static: self.top().is_static,
        });
        let name = self.intern(range.clone());
        let name = self.in_space(name, space);
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
        let (kind, access, relation) = meaning(role, membered);
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
        if is_property && let Some(frame) = self.frames.last_mut() {
            frame.member_row = row;
        }
        if role == Role::Outer {
            let scope = self.bind_scope(BindScope::Function);
            self.outer.insert((scope, name), ());
        }
        if is_object {
            let text = &self.source[range];
            let own = self
                .rules
                .spec
                .receiver_names
                .iter()
                .any(|own| own.as_bytes() == text);
            let receiver = if own {
                self.own_receiver()
            } else {
                Receiver::Row(row)
            };
            self.set_parent_receiver(receiver);
        }
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

    /// Whether the sign follows that makes a name in this place a label.
    pub(super) fn is_label(&self, name: &Range<usize>) -> bool {
        let Some(sign) = self
            .frames
            .last()
            .and_then(|frame| frame.rule.spec?.label_before)
        else {
            return false;
        };
        let mut rest = self.source[name.end..].iter();
        rest.find(|byte| !byte.is_ascii_whitespace()) == Some(&sign)
    }

    pub(super) fn is_soft_keyword(&self, name: &Range<usize>) -> bool {
        let text = &self.source[name.clone()];
        let words = self.rules.spec.soft_keywords;
        words.iter().any(|word| word.as_bytes() == text)
    }

    /// The enclosing type, where a type's name says that it is meant; [`NONE`] where that is defined elsewhere.
    pub(super) fn own_type(&self, range: &Range<usize>, role: Role) -> Option<Row> {
        let spec = self.rules.spec;
        let text = &self.source[range.clone()];
        let is_one_of = |names: &[&str]| names.iter().any(|name| name.as_bytes() == text);
        let means_type = is_type_role(role)
            || role == Role::New
            || (!spec.receiver_names.is_empty() && is_one_of(spec.receiver_names));
        if !means_type || !is_one_of(spec.own_type_names) {
            return None;
        }
        let open = self.opens.iter().rev().find(|open| open.is_type)?;
        Some(open.symbol)
    }

    /// Lets this function see a variable of the function around it.
    pub(super) fn capture(&mut self, range: &Range<usize>) -> bool {
        let name = self.intern(range.clone());
        let space = (self.rules.spec.space_of_symbol)(SymbolKind::Variable, 0);
        let name = self.in_space(name, space);
        let kind_of = |scope: &u32| self.out.scopes[*scope as usize].kind;
        let Some(own) = self
            .scope_stack
            .iter()
            .rposition(|s| kind_of(s) != ScopeKind::Block)
        else {
            return false;
        };
        let mut found = None;
        for scope in self.scope_stack[..own].iter().rev() {
            found = self.bound.get(&(*scope, name)).copied();
            if found.is_some() || kind_of(scope) != ScopeKind::Block {
                break;
            }
        }
        let Some(symbol) = found else { return false };
        let scope = self.scope_stack[own];
        let visible = Visible::Hoisted;
        self.add_binding(
            Binding {
                name,
                symbol,
                scope,
                visible,
                tag: false,
                closed: true,
            },
            false,
        );
        true
    }

    /// Whether a bare name is a variable or a call: variables are bound before they are read.
    pub(super) fn read_or_call(&mut self, range: &Range<usize>) -> Role {
        let name = self.intern(range.clone());
        let space = (self.rules.spec.space_of_symbol)(SymbolKind::Variable, 0);
        let name = self.in_space(name, space);
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

    pub(super) fn is_predefined(&self, range: &Range<usize>) -> bool {
        let text = &self.source[range.clone()];
        self.rules
            .spec
            .predefined
            .iter()
            .any(|name| name.as_bytes() == text)
    }

    pub(super) fn instantiates(&self, range: &Range<usize>) -> bool {
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

    pub(super) fn bind_leaf(&mut self, node: Node<'_>, range: Range<usize>) {
        let own_extent = |binder| OpenBinder {
            binder,
            frame: usize::MAX,
            indirect: None,
            start: node.start_position(),
            end: node.end_position(),
            start_byte: range.start as u32,
            end_byte: range.end as u32,
        };
        let open = match self.binders.last() {
            Some(open) if open.binder.each => own_extent(open.binder),
            Some(open) => *open,
            None => own_extent(Binder::new(
                SymbolKind::Variable,
                Visible::Hoisted,
                BindScope::Innermost,
            )),
        };
        // A typedef's further names stand beside the type that it defines, not in it.
        let beside = self
            .frames
            .get(open.frame)
            .map_or(NONE, |frame| frame.symbol);
        let defined = self
            .opens
            .pop_if(|open| beside != NONE && open.symbol == beside);
        let symbol = self.add_bound(open, range);
        self.opens.extend(defined);
        let scope = self.bind_scope(open.binder.scope);
        self.bind(symbol, scope, open.binder.visible, false);
        if open.binder.declarators {
            self.open_declared(symbol, open.frame);
        }
        if open.binder.holds && self.frames.len() == open.frame + 1 {
            self.open_holder(symbol);
        }
    }

    pub(super) fn parameter_leaf(&mut self, node: Node<'_>, range: Range<usize>) {
        let symbol = self.add_symbol(NewSymbol {
            name: range.clone(),
            kind: SymbolKind::Variable,
            flags: flags::PARAMETER | flags::LOCAL,
            owner: None,
            start: node.start_position(),
            end: node.end_position(),
            bytes: range,
            signature: None,
            doc: None,
            modifier: Modifier::NONE,
        });
        let open = self.top();
        if open.symbol != NONE && self.scope_stack.last() == Some(&open.scope) {
            let function = &mut self.out.symbols[open.symbol as usize];
            function.arity = function.arity.saturating_add(1);
        }
        if let Some((start, type_name)) = self.self_parameter
            && start == node.start_byte()
        {
            self.self_parameter = None;
            self.out.self_parameters.insert(symbol, type_name);
        }
        // A signature without a body opens no scope: its parameters bind nothing. A type's own are seen like members.
        let innermost = self.bind_scope(BindScope::Own);
        let is_transparent = self.out.scopes[innermost as usize].binds_in != innermost;
        let declares = self
            .binders
            .last()
            .is_some_and(|open| open.binder.declarators);
        let binds = match self.scope_kind() {
            ScopeKind::Module => false,
            ScopeKind::Type => self.rules.spec.implicit_this && !declares,
            _ => true,
        };
        if is_transparent || binds {
            self.bind(symbol, innermost, Visible::FromName, false);
        }
    }

    pub(super) fn import_leaf(
        &mut self,
        node: Node<'_>,
        range: Range<usize>,
        role: Role,
        is_property: bool,
    ) {
        let path = self.imported_path(range.clone(), role, is_property);
        let symbol = self.add_symbol(NewSymbol {
            name: range.clone(),
            kind: SymbolKind::Import,
            flags: 0,
            owner: None,
            start: node.start_position(),
            end: node.end_position(),
            bytes: range,
            signature: None,
            doc: None,
            modifier: self.import_modifier,
        });
        let scope = self.bind_scope(BindScope::Innermost);
        self.bind(symbol, scope, Visible::Hoisted, false);
        self.out.imports.push((symbol, path));
    }

    /// What a name imports: the paths of the clauses around it and, unless it is an alias, the name itself.
    pub(super) fn imported_path(
        &mut self,
        name: Range<usize>,
        role: Role,
        is_property: bool,
    ) -> Text {
        let own = match self.frames.last() {
            _ if role == Role::ImportWhole => 0..0,
            // `a.b.C` binds C and imports all of it.
            Some(frame) if is_property => frame.start_byte as usize..name.end,
            _ => name.clone(),
        };
        let separator = self.rules.spec.import_separator.as_bytes();
        let start = self.out.arena.len();
        for at in 0..self.import_paths.len() {
            let part = self.import_paths[at].clone();
            let is_own = || self.source[part.clone()] == *self.rules.spec.import_own.as_bytes();
            if part.is_empty() || (at > 0 && is_own()) {
                continue;
            }
            if self.out.arena.len() > start && !self.out.arena.ends_with(separator) {
                self.out.arena.extend_from_slice(separator);
            }
            self.out.arena.extend_from_slice(&self.source[part]);
        }
        if !own.is_empty() || self.out.arena.len() == start {
            if self.out.arena.len() > start && !self.out.arena.ends_with(separator) {
                self.out.arena.extend_from_slice(separator);
            }
            let own = if own.is_empty() { name } else { own };
            self.out.arena.extend_from_slice(&self.source[own]);
        }
        Text::arena(start..self.out.arena.len())
    }

    /// A name that is assigned and not yet bound in its function becomes a variable.
    pub(super) fn declare_by_assignment(&mut self, node: Node<'_>, range: &Range<usize>) -> bool {
        let name = self.intern(range.clone());
        let space = (self.rules.spec.space_of_symbol)(SymbolKind::Variable, 0);
        let name = self.in_space(name, space);
        let by_function = self
            .binders
            .last()
            .is_none_or(|open| open.binder.scope == BindScope::Function);
        let target = self.bind_scope(if by_function {
            BindScope::Function
        } else {
            BindScope::Innermost
        });
        if self.outer.contains_key(&(target, name)) {
            return false;
        }
        if self.is_bound_in_function(name) {
            return false;
        }
        self.bind_leaf(node, range.clone());
        true
    }
}
