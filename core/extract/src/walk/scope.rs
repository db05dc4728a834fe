//! Scopes, bindings, and what is around the current node.

use std::ops::Range;

use crate::facts::{NONE, NameId, Receiver, Row, Symbol, Text};
use crate::model::SymbolKind;
use crate::spec::{BindScope, Modifier, ScopeKind, Visible};

use super::*;

impl<'s> Walk<'s> {
    /// Makes sequential names visible that were bound since `from`.
    pub(super) fn bind_pending(&mut self, from: usize) {
        // What was bound in a scope that ends here is seen by nobody any more.
        let innermost = self.scope_stack.last().copied().unwrap_or(0);
        for at in from..self.pending_binds.len() {
            let binding = self.pending_binds[at];
            if self.out.bindings[binding as usize].scope <= innermost {
                self.out.events.push(Event::Bind(binding));
            }
        }
        self.pending_binds.truncate(from);
    }

    /// Whether the innermost scope binds the name already; a function's body and its parameters count as one.
    pub(super) fn is_bound_here(&mut self, range: &Range<usize>) -> bool {
        let name = self.intern(range.clone());
        let mut scopes = self.scope_stack.iter().rev();
        let Some(&innermost) = scopes.next() else {
            return false;
        };
        let is_bound = |scope: u32| self.bound.contains_key(&(scope, name));
        is_bound(innermost)
            || scopes.next().is_some_and(|&outer| {
                let is_body = self.out.scopes[innermost as usize].kind == ScopeKind::Block
                    && self.out.scopes[outer as usize].kind == ScopeKind::Function;
                is_body && is_bound(outer)
            })
    }

    /// Whether the innermost function, module or type binds the name, itself or in a block around here.
    pub(super) fn is_bound_in_function(&self, name: NameId) -> bool {
        for &scope in self.scope_stack.iter().rev().take(MAX_LOOKBACK) {
            if self.bound.contains_key(&(scope, name)) {
                return true;
            }
            if self.out.scopes[scope as usize].kind != ScopeKind::Block {
                break;
            }
        }
        false
    }

    pub(crate) fn open_scope(&mut self, kind: ScopeKind) {
        let scope = self.new_scope(kind);
        self.out.events.push(Event::Enter(scope));
    }

    /// Opens a scope for what is bound from here on; its names are seen later.
    pub(super) fn new_scope(&mut self, kind: ScopeKind) -> u32 {
        let scope = self.out.scopes.len() as u32;
        let outer = self
            .scope_stack
            .last()
            .map(|outer| self.out.scopes[*outer as usize]);
        let opened = match (kind, outer) {
            (ScopeKind::Transparent, Some(outer)) => outer,
            (ScopeKind::Block, Some(outer)) => Scope {
                kind,
                binds_in: scope,
                ..outer
            },
            (kind, _) => Scope {
                kind,
                base: scope,
                in_function: kind == ScopeKind::Function,
                binds_in: scope,
            },
        };
        self.out.scopes.push(opened);
        self.scope_stack.push(scope);
        self.sections.push(match kind {
            ScopeKind::Transparent => self.sections.last().copied().unwrap_or_default(),
            _ => Modifier::NONE,
        });
        scope
    }

    pub(super) fn bind_scope(&self, scope: BindScope) -> u32 {
        let innermost = self.scope_stack.last().copied().unwrap_or(0);
        match scope {
            BindScope::Innermost => self.out.scopes[innermost as usize].binds_in,
            BindScope::Own => innermost,
            BindScope::Function => self.out.scopes[innermost as usize].base,
            BindScope::AroundType => {
                // Where bare names do not reach a type's members, what is around all types.
                let most = if self.rules.spec.implicit_this {
                    1
                } else {
                    MAX_LOOKBACK
                };
                let is_type = |s: &u32| self.out.scopes[*s as usize].kind == ScopeKind::Type;
                let stack = self.scope_stack.iter().rev().copied();
                let types = stack.clone().take(most).take_while(is_type).count();
                stack.clone().nth(types).unwrap_or(0)
            }
            BindScope::File => 0,
        }
    }

    pub(super) fn bind(&mut self, symbol: Row, scope: u32, visible: Visible, tag: bool) {
        let in_function = matches!(
            self.out.scopes[scope as usize].kind,
            ScopeKind::Function | ScopeKind::Block
        );
        // What is bound before its scope is seen becomes visible with the scope.
        let recent = self.frames.iter().rev().take(MAX_LOOKBACK);
        let is_late = recent.clone().any(|frame| frame.late_scope == scope);
        let (visible, now) = match visible {
            Visible::Never => return,
            Visible::FromName if is_late => (Visible::Hoisted, false),
            Visible::FromName if in_function => (Visible::AfterBinder, true),
            Visible::FromName => (Visible::Hoisted, false),
            Visible::AfterBinderInFunction if in_function => (Visible::AfterBinder, false),
            Visible::AfterBinderInFunction => (Visible::Hoisted, false),
            visible => (visible, false),
        };
        let Symbol { name, kind, .. } = self.out.symbols[symbol as usize];
        let spec = self.rules.spec;
        let scope_kind = self.out.scopes[scope as usize].kind;
        let sequential = spec.sequential_types && scope_kind == ScopeKind::Type;
        let visible = if sequential {
            Visible::AfterBinder
        } else {
            visible
        };
        let closed = (spec.closed)(kind, scope_kind);
        if kind == SymbolKind::Import
            && let Some(sorts) = self.import_sorts
        {
            for &sort in sorts {
                let name = self.in_sort(name, sort);
                self.add_binding(
                    Binding {
                        name,
                        symbol,
                        scope,
                        visible,
                        tag,
                        closed,
                    },
                    now,
                );
            }
            return;
        }
        self.add_binding(
            Binding {
                name,
                symbol,
                scope,
                visible,
                tag,
                closed,
            },
            now,
        );
        if kind == SymbolKind::Import {
            // What is imported may be of any sort.
            let sort = (spec.sort_of_symbol)(SymbolKind::Function, 0);
            let name = self.in_sort(name, sort);
            if name != self.out.symbols[symbol as usize].name {
                self.add_binding(
                    Binding {
                        name,
                        symbol,
                        scope,
                        visible,
                        tag,
                        closed,
                    },
                    now,
                );
            }
        }
    }

    pub(super) fn add_binding(&mut self, new: Binding, now: bool) {
        let Binding {
            name,
            symbol,
            scope,
            visible,
            ..
        } = new;
        let binding = self.out.bindings.len() as u32;
        self.out.bindings.push(new);
        self.bound.insert((scope, name), symbol);
        if now {
            self.out.events.push(Event::Bind(binding));
        } else if visible == Visible::AfterBinder {
            self.pending_binds.push(binding);
        }
    }

    /// The innermost scope's kind.
    pub(crate) fn scope_kind(&self) -> ScopeKind {
        self.scope_stack.last().map_or(ScopeKind::Module, |scope| {
            self.out.scopes[*scope as usize].kind
        })
    }

    /// Whether a function lies between here and the enclosing type or module.
    pub(crate) fn in_function(&self) -> bool {
        self.scope_stack
            .last()
            .is_some_and(|scope| self.out.scopes[*scope as usize].in_function)
    }

    pub(super) fn top(&self) -> Open {
        self.opens.last().copied().unwrap_or(Open {
            symbol: NONE,
            kind: None,
            is_type: false,
            is_static: false,
            defines_static: false,
            scopes: 0,
            type_name: NONE,
            enclosing_type: NONE,
            qualified_name: Text::default(),
            scope: NONE,
        })
    }

    pub(super) fn containing(&self) -> Row {
        self.opens
            .iter()
            .rev()
            .map(|open| open.symbol)
            .find(|row| *row != NONE)
            .unwrap_or(NONE)
    }

    /// The name of the type whose code this is.
    pub(crate) fn enclosing_type(&self) -> NameId {
        self.top().enclosing_type
    }

    pub(super) fn own_receiver(&self) -> Receiver {
        match self.top().type_name {
            NONE => Receiver::Other,
            name => Receiver::Own(name),
        }
    }

    pub(super) fn base_receiver(&self) -> Receiver {
        match self.own_receiver() {
            Receiver::Own(name) => Receiver::Base(name),
            receiver => receiver,
        }
    }

    /// In the head of a type's body that is defined elsewhere, what it extends is said of that type.
    pub(super) fn derived_type(&self) -> NameId {
        let open = self.top();
        if open.symbol == NONE {
            open.type_name
        } else {
            NONE
        }
    }

    pub(super) fn set_parent_receiver(&mut self, receiver: Receiver) {
        if let Some(parent) = self.frames.last_mut() {
            parent.receiver = receiver;
        }
    }

    /// The id of the name in these bytes.
    pub(crate) fn intern(&mut self, range: Range<usize>) -> NameId {
        let next = self.out.names.len() as NameId;
        *self
            .interned
            .entry(&self.source[range.clone()])
            .or_insert_with(|| {
                self.out.names.push(Text::source(range));
                next
            })
    }

    /// The id of a name of a sort that does not meet the others.
    pub(super) fn in_sort(&mut self, name: NameId, sort: u8) -> NameId {
        if sort == 0 {
            return name;
        }
        let next = self.out.names.len() as NameId;
        *self.by_sort.entry((name, sort)).or_insert_with(|| {
            self.out.names.push(self.out.names[name as usize]);
            next
        })
    }
}
