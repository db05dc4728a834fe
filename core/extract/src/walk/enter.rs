//! Entering and leaving a node: what opens with it, and what closes behind it.

use tree_sitter::Node;

use crate::facts::{NONE, Receiver, Row, Text, UNCOUNTED};
use crate::model::SymbolKind;
use crate::rules::{KindRule, Rules, bits};
use crate::spec::{Define, Hook, Modifier, Name, NodeSpec, Role, ScopeKind, Shape};

use super::import::import_path;
use super::*;

impl<'s> Walk<'s> {
    /// What any node does, be it only a token: it may be a receiver, and uses up what stands before it.
    pub(super) fn meet(&mut self, node: Node<'_>, rule: &KindRule, is_object: bool) -> Context {
        if is_object {
            let receiver = if rule.has(bits::RECEIVER) {
                self.own_receiver()
            } else if rule.has(bits::BASE_RECEIVER) {
                self.base_receiver()
            } else {
                Receiver::Other
            };
            self.set_parent_receiver(receiver);
        }
        const BESIDE: u16 =
            bits::COMMENT | bits::ATTRIBUTE | bits::MODIFIER | bits::MODIFIER_LIST | bits::SECTION;
        if rule.has(bits::NAMED) && !rule.has(BESIDE) {
            self.take_context(node, rule)
        } else {
            Context::default()
        }
    }

    /// Opens all that a node's rule says; the frame remembers it until the node is left.
    pub(super) fn enter(&mut self, node: Node<'_>, place: Place, frame: &mut Frame<'s>) {
        let rule = frame.rule;
        let mut context = self.meet(node, rule, place.is_object);
        if (place.is_property && rule.first_only.is_some()) || rule.shape == Shape::PassesReceiver {
            frame.receiver = self
                .frames
                .last()
                .map_or(Receiver::None, |parent| parent.receiver);
        }
        if !rule.has(bits::ACTION) {
            return;
        }
        let spec = rule.spec.expect("an action has a specification");
        if let Some(hook) = spec.hook {
            self.run_hook(hook, node, place.role, frame, &mut context);
        }
        if spec.scope.is_some() {
            frame.section = Modifier::NONE;
        }
        if rule.shape == Shape::Arguments {
            frame.call = self.call_before();
        }
        if let Some(field) = spec.import_path {
            self.import_paths
                .push(import_path(self.rules.child(node, field), self.source));
        }
        self.open_binder(node, spec, place.role);
        if spec.wraps || spec.binder.is_some() || spec.extent {
            frame.doc = context.doc;
            frame.modifier = context.modifier;
            frame.wrapper_start = context.start;
            frame.doc.shared = true;
        }
        if let Some(scope) = self.open_definition(node, spec, context, frame) {
            self.open_own_scope(scope, rule, frame);
        }
        if let Some(inside) = spec.inside {
            inside(self, node);
        }
    }

    /// A frame for a node of which nothing has been opened yet.
    pub(super) fn frame(&self, node: Node<'_>, rule: &'s KindRule, place: Place) -> Frame<'s> {
        // `a::b::c` may nest to the right: what a is to b, it is to the access that b begins.
        let (start_byte, receiver) = match self.frames.last() {
            Some(parent) if place.is_property && rule.property != 0 => {
                (parent.start_byte, parent.receiver)
            }
            _ => (node.start_byte() as u32, Receiver::None),
        };
        Frame {
            rule,
            role: place.role,
            symbol: NONE,
            opens: self.opens.len() as u32,
            scopes: self.scope_stack.len() as u32,
            binders: self.binders.len() as u32,
            imports: self.import_paths.len() as u32,
            pending_binds: self.pending_binds.len() as u32,
            late_scope: NONE,
            named_children: 0,
            receiver,
            member_row: NONE,
            stays: false,
            is_object: place.is_object,
            is_known: false,
            is_property: place.is_property,
            binds_now: false,
            call: NONE,
            doc: Doc::default(),
            modifier: Modifier::NONE,
            next_modifier: Modifier::NONE,
            section: self.section(),
            object_role: None,
            child_role: None,
            outside_from: 0,
            left_scope: NONE,
            wrapper_start: NONE,
            head_end: NONE,
            last_named: None,
            start_byte,
        }
    }

    /// Runs a hook, and gathers what it has said of its node.
    fn run_hook(
        &mut self,
        hook: Hook,
        node: Node<'_>,
        role: Role,
        frame: &mut Frame<'s>,
        context: &mut Context,
    ) {
        self.context = *context;
        frame.role = hook(self, node, role);
        if std::mem::take(&mut self.keeps_open) {
            frame.opens = self.opens.len() as u32;
        }
        let said = std::mem::take(&mut self.hooked);
        (frame.object_role, frame.child_role) = std::mem::take(&mut self.hooked_roles);
        frame.is_known = std::mem::take(&mut self.hooked_receiver);
        frame.outside_from = std::mem::take(&mut self.hooked_outside);
        context.modifier = context.modifier.and(said);
        frame.section = frame.section.and(said);
    }

    /// The call whose arguments start here, as far as nothing has counted them.
    fn call_before(&mut self) -> Row {
        let row = std::mem::replace(&mut self.last_call, NONE);
        match self.out.identifiers.get(row as usize) {
            Some(call) if call.arguments == UNCOUNTED => row,
            _ => NONE,
        }
    }

    /// Says what names in binding places become below the node.
    fn open_binder(&mut self, node: Node<'_>, spec: &NodeSpec, role: Role) {
        let outer = self.binders.last().filter(|_| spec.extent);
        if let Some(binder) = spec.binder.or(outer.map(|open| open.binder)) {
            self.binders.push(OpenBinder {
                binder,
                start: node.start_position(),
                end: node.end_position(),
                start_byte: node.start_byte() as u32,
                end_byte: node.end_byte() as u32,
                frame: self.frames.len(),
                indirect: None,
            });
        }
        if let Some(declarator) = spec.declarator
            && role == Role::Bind
            && !std::mem::take(&mut self.keeps_kind)
        {
            self.enter_declarator(declarator);
        }
    }

    /// Opens what the node defines, be it a symbol, the body of a type that is defined elsewhere or a type without a name;
    /// returns the kind of scope that the node has as such.
    fn open_definition(
        &mut self,
        node: Node<'_>,
        spec: &NodeSpec,
        context: Context,
        frame: &mut Frame<'s>,
    ) -> Option<ScopeKind> {
        let kind = spec
            .define
            .as_ref()
            .map(|define| defined_kind(self.rules, define, node));
        let scope = spec.scope.filter(|_| kind != Some(None));
        if let Some(define) = &spec.define
            && let Some(Some(kind)) = kind
            && let Some(name) = self.find_name(node, define.name)
            && !name.is_empty()
        {
            frame.symbol = self.define_node(node, define, kind, name, context, spec);
            frame.section = Modifier::NONE;
            // A package or file-scoped namespace was opened on behalf of the parent.
            frame.stays = define.until_parent_ends
                && !define
                    .body
                    .iter()
                    .any(|body| self.rules.child(node, body).is_some());
        } else if let Some(owner) = spec.owner {
            self.open_owner(node, owner);
        } else if scope == Some(ScopeKind::Type) && !self.parent_defines_type() {
            self.open_anonymous_type();
        }
        scope
    }

    /// Opens the scope of the node itself.
    fn open_own_scope(&mut self, kind: ScopeKind, rule: &KindRule, frame: &mut Frame<'s>) {
        // A block directly in a type's body is an initializer: a function without a name.
        let is_initializer = kind == ScopeKind::Block && self.scope_kind() == ScopeKind::Type;
        let kind = if is_initializer && self.rules.spec.initializer_blocks {
            ScopeKind::Function
        } else {
            kind
        };
        if rule.scope_from[0] != 0 {
            frame.late_scope = self.new_scope(kind);
        } else {
            self.open_scope(kind);
        }
        if frame.symbol != NONE
            && let (Some(open), Some(scope)) = (self.opens.last_mut(), self.scope_stack.last())
        {
            open.scope = *scope;
        }
    }

    /// Opens a type without a name: no name leads to its members, only its own code does.
    fn open_anonymous_type(&mut self) {
        let key = self.out.names.len() as NameId;
        self.out.names.push(Text::default());
        let outer = Open {
            symbol: NONE,
            type_name: key,
            enclosing_type: key,
            kind: Some(SymbolKind::Class),
            qualified_name: self.qualify_anonymous(),
            ..self.top()
        };
        self.opens.push(Open {
            is_type: true,
            is_static: true,
            ..outer
        });
    }

    fn parent_defines_type(&self) -> bool {
        self.frames.last().is_some_and(|parent| {
            parent.symbol != NONE && self.out.symbols[parent.symbol as usize].kind.is_type()
        })
    }

    /// Opens the body of a type that is defined elsewhere.
    fn open_owner(&mut self, node: Node<'_>, owner: Name) {
        let Some(range) = self.find_name(node, owner) else {
            return;
        };
        let name = self.intern(range.clone());
        let outer = self.top();
        let qualified_name = self.qualify(outer.qualified_name, range, None);
        self.opens.push(Open {
            symbol: NONE,
            kind: Some(SymbolKind::Type),
            is_type: true,
            is_static: true,
            defines_static: false,
            scopes: self.scope_stack.len() as u32,
            type_name: name,
            enclosing_type: name,
            qualified_name,
            scope: NONE,
        });
    }

    /// Closes all that was opened with the node.
    pub(super) fn leave(&mut self, frame: Frame<'s>) {
        if frame.left_scope != NONE {
            self.out.events.push(Event::Enter(frame.left_scope));
        }
        while self.scope_stack.len() > frame.scopes as usize {
            self.sections.pop();
            // What it is a template of defines nothing.
            self.template_parameters.clear();
            // A scope that nothing stands in was never entered.
            if self.scope_stack.pop() != Some(frame.late_scope) {
                self.out.events.push(Event::Exit);
            }
        }
        if frame
            .rule
            .spec
            .is_some_and(|spec| spec.binder.is_some() || spec.define.is_some() || spec.extent)
        {
            self.bind_pending(frame.pending_binds as usize);
        }
        if frame.call != NONE {
            let call = &mut self.out.identifiers[frame.call as usize];
            call.arguments = frame.named_children.min(u32::from(UNCOUNTED) - 1) as u16;
        }
        if !frame.stays {
            self.opens.truncate(frame.opens as usize);
        }
        self.binders.truncate(frame.binders as usize);
        self.import_paths.truncate(frame.imports as usize);
        if !frame.is_object || frame.is_known || frame.receiver == Receiver::None {
            return;
        }
        let stands_for_its_type = frame.rule.object != 0 && frame.rule.property == 0;
        if frame.rule.first_only.is_some() || stands_for_its_type {
            self.set_parent_receiver(frame.receiver);
        } else if (frame.rule.property != 0 && frame.rule.shape != Shape::Call)
            || frame.rule.shape == Shape::Positional
        {
            // `a.b.c`: the receiver of c is the row of b.
            let last = self.out.identifiers.len().checked_sub(1);
            let row = if frame.member_row == NONE {
                last.map_or(NONE, |row| row as Row)
            } else {
                frame.member_row
            };
            if row != NONE {
                self.set_parent_receiver(Receiver::Row(row));
            }
        }
    }
}

/// The kind that a definition has here, if it is one.
fn defined_kind(rules: &Rules, define: &Define, node: Node<'_>) -> Option<SymbolKind> {
    let Some((field, kinds)) = define.only_with else {
        return Some(define.kind);
    };
    let value = rules.child(node, field)?.kind();
    kinds
        .iter()
        .find(|(kind, _)| *kind == value)
        .map(|(_, kind)| *kind)
}
