//! Names that bind: variables, parameters, fields by assignment, and what a binder or declarator makes of them.

use std::ops::Range;

use tree_sitter::Node;

use crate::facts::{NONE, NameId, Row};
use crate::model::{SymbolKind, flags};
use crate::spec::{BindScope, Binder, Declarator, Defined, Modifier, ScopeKind, Visible};

use super::*;

impl<'s> Walk<'s> {
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

    pub(super) fn add_bound(&mut self, open: OpenBinder, name: Range<usize>) -> Row {
        let doc = self.frames.get_mut(open.frame).and_then(|frame| {
            let doc = frame.doc;
            frame.doc.present &= doc.is_short();
            doc.present.then_some(doc)
        });
        let frame = self.frames.get(open.frame);
        let modifier = Modifier {
            visibility: open.binder.visibility,
            ..Modifier::NONE
        };
        let mut modifier = modifier.and(frame.map_or(Modifier::NONE, |frame| frame.modifier));
        if let Some(declarator) = open.indirect {
            modifier.kind = None;
            modifier.flags &= !flags::READONLY;
            modifier = modifier.and(
                self.frames
                    .get(declarator)
                    .map_or(Modifier::NONE, |f| f.modifier),
            );
        }
        // A member that cannot change is still one of each object.
        if open.binder.declarators
            && self.scope_kind() == ScopeKind::Type
            && modifier.flags & flags::STATIC == 0
        {
            modifier.kind = None;
        }
        let frame = self.frames.get(open.frame);
        let start = frame.map_or(open.start_byte, |frame| {
            frame.wrapper_start.min(open.start_byte)
        });
        // What the declaration shares with those beside it ends where the first of them starts.
        let head_end = open
            .frame
            .checked_sub(1)
            .and_then(|outer| self.frames.get(outer))
            .filter(|outer| outer.rule.spec.is_some_and(|spec| spec.wraps))
            .map_or(open.start_byte, |outer| outer.head_end.min(open.start_byte))
            .max(start);
        let mut local = self.in_function()
            || open.binder.flags & (flags::LOCAL | flags::PARAMETER) == flags::LOCAL;
        let outer = self.top();
        let in_type = self.scope_kind() == ScopeKind::Type;
        let (kind, mut flags) = (self.rules.spec.bound_as)(Defined {
            name: &self.source[name.clone()],
            kind: match open.binder.kind {
                SymbolKind::Variable if in_type => SymbolKind::Field,
                kind => kind,
            },
            parent: outer.kind,
            flags: open.binder.flags | if local { flags::LOCAL } else { 0 },
            signature: &[],
            doc_comment: &[],
        });
        if !matches!(kind, SymbolKind::Variable | SymbolKind::Constant) {
            flags &= !flags::LOCAL | open.binder.flags;
        }
        local |= flags & (flags::LOCAL | flags::PARAMETER) == flags::LOCAL;
        self.add_symbol(NewSymbol {
            name,
            kind,
            flags,
            owner: None,
            start: open.start,
            end: open.end,
            bytes: open.start_byte as usize..open.end_byte as usize,
            signature: (!local).then_some((
                start as usize..head_end as usize,
                open.start_byte as usize..open.end_byte as usize,
            )),
            doc: doc.map(|doc| doc.start as usize..doc.end as usize),
            modifier,
        })
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

    /// Whether the declaration only adds a type to a parameter that was named before (in C before 1989).
    pub(super) fn redeclares_parameter(&mut self, name: &Range<usize>) -> bool {
        if !self
            .binders
            .last()
            .is_some_and(|open| open.binder.declarators)
        {
            return false;
        }
        let scope = self.bind_scope(BindScope::Innermost);
        let name = self.intern(name.clone());
        self.out.scopes[scope as usize].kind == ScopeKind::Function
            && self.bound.get(&(scope, name)).is_some_and(|symbol| {
                self.out.symbols[*symbol as usize].flags & flags::PARAMETER != 0
            })
    }

    /// A name that is assigned and not yet bound in its function becomes a variable.
    pub(super) fn declare_by_assignment(&mut self, node: Node<'_>, range: &Range<usize>) -> bool {
        let name = self.intern(range.clone());
        let sort = (self.rules.spec.sort_of_symbol)(SymbolKind::Variable, 0);
        let name = self.in_sort(name, sort);
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

    /// Lets this function see a variable of the function around it.
    pub(super) fn capture(&mut self, range: &Range<usize>) -> bool {
        let name = self.intern(range.clone());
        let sort = (self.rules.spec.sort_of_symbol)(SymbolKind::Variable, 0);
        let name = self.in_sort(name, sort);
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

    /// `self.name = …` defines a field of the enclosing type, the first time.
    pub(super) fn field_by_assignment(&mut self, node: Node<'_>, range: &Range<usize>) -> bool {
        let type_name = self.enclosing_type();
        if type_name == NONE {
            return false;
        }
        let name = self.intern(range.clone());
        let sort = (self.rules.spec.sort_of_symbol)(SymbolKind::Field, 0);
        let name = self.in_sort(name, sort);
        let recent = self.opens.len().saturating_sub(MAX_LOOKBACK);
        let Some(at) = self.opens[recent..].iter().rposition(|open| {
            open.enclosing_type == type_name && (open.is_type || self.makes(open, type_name))
        }) else {
            return false;
        };
        let at = recent + at;
        let holder = self.opens[at].symbol;
        if holder == NONE || self.out.members.contains_key(&(holder, name)) {
            return false;
        }
        // The field belongs to the type, although the code stands in one of its methods.
        let inner = self.opens.split_off(at + 1);
        let scopes = std::mem::take(&mut self.scope_stack);
        let symbol = self.add_symbol(NewSymbol {
            name: range.clone(),
            kind: SymbolKind::Field,
            flags: 0,
            owner: None,
            start: node.start_position(),
            end: node.end_position(),
            bytes: range.clone(),
            signature: None,
            doc: None,
            modifier: Modifier::NONE,
        });
        self.out.members.insert((holder, name), symbol);
        if self.out.symbols[holder as usize].kind.is_type() {
            self.out.symbols[symbol as usize].holder = holder;
        } else {
            // What a function makes has no type of its own in the file: its members go by the function's name.
            self.out.symbols[symbol as usize].owner = type_name;
        }
        self.scope_stack = scopes;
        self.opens.extend(inner);
        true
    }

    /// Whether the definition is a function that makes objects of this name (`new F()`).
    pub(super) fn makes(&self, open: &Open, type_name: NameId) -> bool {
        open.kind == Some(SymbolKind::Function)
            && self
                .out
                .symbols
                .get(open.symbol as usize)
                .is_some_and(|symbol| symbol.name == type_name)
    }

    /// The declarator that is being entered says nothing of the kind of its name; for hooks.
    pub(crate) fn keep_kind(&mut self) {
        self.keeps_kind = true;
    }

    /// Below a declarator the names of the declaration around it may become something else.
    pub(super) fn enter_declarator(&mut self, declarator: Declarator) {
        let Some(mut open) = self.binders.last().copied() else {
            return;
        };
        // What a typedef declares is a type, whatever its declarator looks like.
        if !open.binder.declarators || open.binder.kind == SymbolKind::Type {
            return;
        }
        (open.binder.kind, open.binder.flags) = match declarator.kinds {
            Some((_, in_type)) if self.scope_kind() == ScopeKind::Type => {
                (in_type, declarator.flags)
            }
            Some((kind, _)) => (kind, declarator.flags),
            None => (SymbolKind::Variable, declarator.flags),
        };
        open.indirect = Some(self.frames.len());
        self.binders.push(open);
    }

    /// What the rest of the declarator holds is contained in the symbol that it names.
    pub(super) fn open_declared(&mut self, symbol: Row, binder_frame: usize) {
        let row = &self.out.symbols[symbol as usize];
        // The outermost declarator is the declaration's child.
        let outermost = binder_frame + 1;
        if self.frames.len() <= outermost {
            return;
        }
        for frame in &mut self.frames[outermost..] {
            frame.symbol = symbol;
        }
        if row.flags & flags::LOCAL != 0 {
            return;
        }
        let open = Open {
            symbol,
            kind: Some(row.kind),
            is_type: false,
            scopes: self.scope_stack.len() as u32,
            is_static: self.top().is_static,
            defines_static: false,
            type_name: self.enclosing_type(),
            enclosing_type: self.enclosing_type(),
            qualified_name: row.qualified_name,
            scope: NONE,
        };
        self.opens.push(open);
        for frame in &mut self.frames[outermost + 1..] {
            frame.opens += 1;
        }
    }

    /// What follows in the same declarator is contained in the symbol that it names, unless that is a local.
    pub(super) fn open_holder(&mut self, symbol: Row) {
        let row = &self.out.symbols[symbol as usize];
        if row.flags & flags::LOCAL != 0 {
            return;
        }
        let open = Open {
            symbol,
            kind: Some(row.kind),
            is_type: false,
            qualified_name: row.qualified_name,
            scopes: self.scope_stack.len() as u32,
            defines_static: false,
            type_name: self.enclosing_type(),
            scope: NONE,
            ..self.top()
        };
        self.opens.push(open);
    }
}
