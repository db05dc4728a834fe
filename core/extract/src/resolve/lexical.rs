//! Lookup of bare names: replays the walk's events with one stack of bindings per name.
//!
//! Entering a scope pushes what is visible in all of it, a sequential binding is pushed where it stands, leaving a scope
//! pops both. A use takes the top of its name's stack, so the cost is linear in the events however deep the scopes are.

use crate::facts::{NONE, NameId, Names, Receiver};
use crate::model::{Resolution, SymbolKind, flags};
use crate::rules::Rules;
use crate::spec::{ScopeKind, Visible};
use crate::walk::{Binding, Event, Walked};

use super::spaces::{space, spaces_for, spaces_of};
use super::types::holds_members;

/// How many bindings of a name are passed over because they cannot be what is meant.
const MAX_HIDDEN: usize = 16;

pub(super) fn lexical_targets(walked: &mut Walked, rules: &Rules) {
    let hoisted = hoisted_by_scope(walked, rules);
    let Walked {
        symbols,
        identifiers,
        names,
        bindings,
        events,
        scopes,
        ..
    } = walked;
    let mut visible = Visibles {
        bindings,
        current: vec![NONE; names.len()],
        hidden: vec![NONE; bindings.len()],
        pushed: Vec::new(),
        open: Vec::new(),
        depths: vec![0; scopes.len()],
        functions: Vec::new(),
    };
    for event in events.iter() {
        match *event {
            Event::Enter(scope) => {
                visible.enter(scope, scopes[scope as usize].kind);
                for binding in hoisted.of(scope) {
                    visible.push(*binding);
                }
            }
            Event::Exit => visible.exit(),
            Event::Bind(binding) => visible.push(binding),
            Event::Use(row) => {
                let identifier = &mut identifiers[row as usize];
                if !matches!(identifier.receiver, Receiver::None | Receiver::Implicit(_)) {
                    continue;
                }
                let access = identifier.access;
                let found = spaces_for(access, rules).iter().find_map(|space| {
                    visible.find(identifier.name, |binding| {
                        let Some(symbol) = symbols.get(binding.symbol as usize) else {
                            return space & space::VALUE != 0;
                        };
                        let plain = || {
                            spaces_of(symbol, rules) & space != 0
                                && (rules.spec.fits)(access, symbol.kind)
                        };
                        match identifier.names {
                            Names::Tags => binding.tag,
                            Names::Qualifiers => !binding.tag && holds_members(symbol.kind),
                            Names::Plain => !binding.tag && plain(),
                        }
                    })
                });
                let Some(binding) = found else {
                    continue;
                };
                // What hides a name without being a symbol.
                if binding.symbol == NONE {
                    continue;
                }
                identifier.target = binding.symbol;
                identifier.resolution = match symbols[binding.symbol as usize].kind {
                    SymbolKind::Import => Resolution::Import,
                    _ => Resolution::Lexical,
                };
            }
        }
    }
}

/// The bindings that are visible at one place: for each name a stack.
struct Visibles<'a> {
    bindings: &'a [Binding],
    /// By name: the top of its stack.
    current: Vec<u32>,
    /// By binding: what lies below it.
    hidden: Vec<u32>,
    /// All that is visible, in the order in which it became so.
    pushed: Vec<u32>,
    /// For each open scope: how much was visible outside of it, and whether it is a function's.
    open: Vec<(usize, bool)>,
    /// By scope: how many scopes were open when it was entered.
    depths: Vec<u32>,
    /// The depths of the open functions.
    functions: Vec<u32>,
}

impl Visibles<'_> {
    fn push(&mut self, binding: u32) {
        let top = &mut self.current[self.bindings[binding as usize].name as usize];
        self.hidden[binding as usize] = *top;
        *top = binding;
        self.pushed.push(binding);
    }

    fn enter(&mut self, scope: u32, kind: ScopeKind) {
        let depth = self.open.len() as u32;
        let is_function = kind == ScopeKind::Function;
        self.depths[scope as usize] = depth;
        self.open.push((self.pushed.len(), is_function));
        if is_function {
            self.functions.push(depth);
        }
    }

    fn exit(&mut self) {
        let Some((mark, is_function)) = self.open.pop() else {
            return;
        };
        if is_function {
            self.functions.pop();
        }
        for binding in self.pushed.drain(mark..).rev() {
            let name = self.bindings[binding as usize].name;
            self.current[name as usize] = self.hidden[binding as usize];
        }
    }

    /// The innermost binding of a name that can be meant.
    fn find(&self, name: NameId, fits: impl Fn(&Binding) -> bool) -> Option<&Binding> {
        let mut at = self.current[name as usize];
        let function = self.functions.last().copied().unwrap_or(0);
        for _ in 0..MAX_HIDDEN {
            let binding = self.bindings.get(at as usize)?;
            // What is closed is not seen through the functions in between.
            let is_seen = !binding.closed || self.depths[binding.scope as usize] >= function;
            if is_seen && fits(binding) {
                return Some(binding);
            }
            at = self.hidden[at as usize];
        }
        None
    }
}

/// Hoisted bindings grouped by scope, by counting.
struct Hoisted {
    starts: Vec<u32>,
    bindings: Vec<u32>,
}

impl Hoisted {
    fn of(&self, scope: u32) -> &[u32] {
        let (start, end) = (self.starts[scope as usize], self.starts[scope as usize + 1]);
        &self.bindings[start as usize..end as usize]
    }
}

fn hoisted_by_scope(walked: &Walked, rules: &Rules) -> Hoisted {
    let visible = |binding: &Binding| {
        binding.visible == Visible::Hoisted
            && (rules.spec.implicit_this
                || walked.scopes[binding.scope as usize].kind != ScopeKind::Type
                || walked
                    .symbols
                    .get(binding.symbol as usize)
                    .is_some_and(|symbol| symbol.flags & flags::PARAMETER != 0))
    };
    let mut starts = vec![0; walked.scopes.len() + 1];
    for binding in walked.bindings.iter().filter(|binding| visible(binding)) {
        starts[binding.scope as usize + 1] += 1;
    }
    for scope in 0..walked.scopes.len() {
        starts[scope + 1] += starts[scope];
    }
    let mut next = starts.clone();
    let mut bindings = vec![0; starts[walked.scopes.len()] as usize];
    let is_declaration = |binding: &Binding| {
        let symbol = walked.symbols.get(binding.symbol as usize);
        symbol.is_some_and(|symbol| symbol.flags & flags::ABSTRACT != 0)
    };
    // The last one pushed is the one found: of several hoisted bindings of a name the first that has a body.
    for declarations in [true, false] {
        let all = walked.bindings.iter().enumerate().rev();
        for (at, binding) in all.filter(|(_, b)| visible(b) && is_declaration(b) == declarations) {
            let slot = &mut next[binding.scope as usize];
            bindings[*slot as usize] = at as u32;
            *slot += 1;
        }
    }
    Hoisted { starts, bindings }
}
