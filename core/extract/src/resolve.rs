//! Targets within one file, then relationships and ids.
//!
//! Lookup replays the walk's events with one stack of bindings per name: entering a scope pushes what is visible in
//! all of it, a sequential binding is pushed where it stands, leaving a scope pops both. A use takes the top of its
//! name's stack, so the cost is linear in the events however deep the scopes are.

use rustc_hash::FxHashMap;

use crate::facts::{FileFacts, Identifier, NONE, NameId, Receiver, Relationship, Row, Text, resolve as text_of};
use crate::ids::IdHasher;
use crate::model::{Access, RelationshipKind, Resolution, SymbolKind, flags};
use crate::rules::Rules;
use crate::spec::{ScopeKind, Visible};
use crate::walk::{Binding, Event, Walked};

/// How far a chain of base types is followed.
const MAX_BASES: usize = 16;

/// Finds targets, builds the relationships and names every row. `facts` has path and content already.
pub fn resolve(facts: &mut FileFacts, mut walked: Walked, rules: &Rules) {
    let types = types_by_name(&walked);
    adopt_owned_symbols(&mut walked, &types);
    lexical_targets(&mut walked, rules);
    let bases = bases_by_type(&walked);
    member_targets(&mut walked, &bases);
    if rules.spec.call_instantiates.is_some() {
        tell_calls_from_instances(&mut walked);
    }
    facts.symbols = walked.symbols;
    facts.identifiers = walked.identifiers;
    facts.names = walked.names;
    facts.arena = walked.arena;
    let Walked { imports, members, type_keys, .. } = walked;
    Naming::default().name_rows(facts, &types, &imports, &members, &bases, &type_keys);
}

type Types = FxHashMap<NameId, Row>;
type Bases = FxHashMap<NameId, Vec<NameId>>;
type Members = FxHashMap<(NameId, NameId), Row>;

fn types_by_name(walked: &Walked) -> Types {
    let mut types = Types::default();
    for (row, symbol) in walked.symbols.iter().enumerate() {
        if symbol.kind.is_type() {
            types.entry(symbol.name).or_insert(row as Row);
        }
    }
    types
}

/// Gives members that stand outside their type's body (Rust's `impl`, Go's methods) that type as parent.
fn adopt_owned_symbols(walked: &mut Walked, types: &Types) {
    for symbol in &mut walked.symbols {
        if symbol.owner != NONE
            && let Some(&owner) = types.get(&symbol.owner)
        {
            symbol.parent = owner;
        }
    }
}

fn lexical_targets(walked: &mut Walked, rules: &Rules) {
    let mut hoisted = hoisted_by_scope(walked, rules);
    let mut lookup = Lookup::new(walked);
    for event in &walked.events {
        match *event {
            Event::Enter(scope) => {
                lookup.enter(scope, walked.scopes[scope as usize].kind);
                for binding in hoisted.take(scope) {
                    lookup.push(*binding, &walked.bindings);
                }
            }
            Event::Exit => lookup.exit(),
            Event::Bind(binding) => lookup.push(binding, &walked.bindings),
            Event::Use(row) => {
                let identifier = &mut walked.identifiers[row as usize];
                if !matches!(identifier.receiver, Receiver::None | Receiver::Implicit(_)) {
                    continue;
                }
                let binding = lookup.find(identifier.name, &walked.bindings);
                if binding == NONE {
                    continue;
                }
                let symbol = walked.bindings[binding as usize].symbol;
                identifier.target = symbol;
                identifier.resolution = match walked.symbols[symbol as usize].kind {
                    SymbolKind::Import => Resolution::Import,
                    _ => Resolution::Lexical,
                };
            }
        }
    }
}

/// What each name means at one point of the file.
struct Lookup {
    /// The innermost visible binding by name.
    current: Vec<u32>,
    /// By binding: what its name meant before.
    before: Vec<u32>,
    /// Bindings made visible, in order.
    pushed: Vec<u32>,
    /// By name, for what `pushed` holds.
    names: Vec<NameId>,
    /// For each open scope: how many bindings were visible outside, and whether it is a function's.
    open: Vec<(usize, bool)>,
    /// By scope: how many scopes were open when it was entered.
    depths: Vec<u32>,
    /// The depths of the open functions.
    functions: Vec<u32>,
}

impl Lookup {
    /// How many hidden bindings of one name a lookup looks behind.
    const MAX_HIDDEN: usize = 16;

    fn new(walked: &Walked) -> Self {
        Self {
            current: vec![NONE; walked.names.len()],
            before: vec![NONE; walked.bindings.len()],
            pushed: Vec::new(),
            names: Vec::new(),
            open: Vec::new(),
            depths: vec![0; walked.scopes.len()],
            functions: Vec::new(),
        }
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
        let Some((mark, is_function)) = self.open.pop() else { return };
        if is_function {
            self.functions.pop();
        }
        for (binding, name) in self.pushed.drain(mark..).zip(self.names.drain(mark..)).rev() {
            self.current[name as usize] = self.before[binding as usize];
        }
    }

    fn push(&mut self, binding: u32, bindings: &[Binding]) {
        let name = bindings[binding as usize].name;
        self.before[binding as usize] = self.current[name as usize];
        self.current[name as usize] = binding;
        self.pushed.push(binding);
        self.names.push(name);
    }

    /// The innermost binding that is visible here, through the functions in between.
    fn find(&self, name: NameId, bindings: &[Binding]) -> u32 {
        let mut at = self.current[name as usize];
        for _ in 0..Self::MAX_HIDDEN {
            let Some(binding) = bindings.get(at as usize) else { return NONE };
            let function = self.functions.last().copied().unwrap_or(0);
            if !binding.closed || self.depths[binding.scope as usize] >= function {
                return at;
            }
            at = self.before[at as usize];
        }
        NONE
    }
}

/// Hoisted bindings grouped by scope, by counting.
struct Hoisted {
    starts: Vec<u32>,
    bindings: Vec<u32>,
}

impl Hoisted {
    fn take(&mut self, scope: u32) -> &[u32] {
        let (start, end) = (self.starts[scope as usize], self.starts[scope as usize + 1]);
        &self.bindings[start as usize..end as usize]
    }
}

fn hoisted_by_scope(walked: &Walked, rules: &Rules) -> Hoisted {
    let visible = |binding: &Binding| {
        binding.visible == Visible::Hoisted
            && (rules.spec.implicit_this
                || walked.scopes[binding.scope as usize].kind != ScopeKind::Type
                || walked.symbols[binding.symbol as usize].flags & flags::PARAMETER != 0)
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
    // The first of several hoisted bindings of a name is the one found: it is pushed last.
    for (at, binding) in walked.bindings.iter().enumerate().rev().filter(|(_, b)| visible(b)) {
        let slot = &mut next[binding.scope as usize];
        bindings[*slot as usize] = at as u32;
        *slot += 1;
    }
    Hoisted { starts, bindings }
}

/// The key under which a type's (or module's) members are filed.
fn key_of(walked: &Walked, symbol: Row) -> NameId {
    walked.type_keys.get(&symbol).copied().unwrap_or(walked.symbols[symbol as usize].name)
}

/// The key of the type that an identifier leads to without looking at bases.
fn type_of(walked: &Walked, identifier: &Identifier) -> Option<NameId> {
    let is_type = |row: &Row| {
        walked.symbols.get(*row as usize).is_some_and(|symbol| symbol.kind.is_type() || symbol.kind.is_namespace())
    };
    let row = match identifier.receiver {
        Receiver::Row(receiver) => {
            let outer = walked.identifiers[receiver as usize].target;
            let outer = Some(outer).filter(is_type)?;
            *walked.members.get(&(key_of(walked, outer), identifier.name))?
        }
        _ => identifier.target,
    };
    Some(row).filter(is_type).map(|row| key_of(walked, row))
}

/// Where a call looks like the making of an instance, what is called decides which of both it is.
fn tell_calls_from_instances(walked: &mut Walked) {
    for identifier in &mut walked.identifiers {
        let Some(target) = walked.symbols.get(identifier.target as usize) else { continue };
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

/// Whether the identifier names what a type extends or implements.
fn is_base(identifier: &Identifier) -> bool {
    matches!(
        identifier.relation,
        Some(RelationshipKind::Extends | RelationshipKind::Implements)
    )
}

fn bases_by_type(walked: &Walked) -> Bases {
    let mut bases = Bases::default();
    for identifier in &walked.identifiers {
        if !is_base(identifier) {
            continue;
        }
        let derived = match (identifier.derived, identifier.containing) {
            (NONE, NONE) => continue,
            (NONE, containing) => key_of(walked, containing),
            (derived, _) => derived,
        };
        if let Some(base) = type_of(walked, identifier).filter(|base| *base != derived) {
            bases.entry(derived).or_default().push(base);
        }
    }
    bases
}

/// The member `name` of a type, or of the nearest of its bases in this file.
fn find_member(type_name: NameId, name: NameId, members: &Members, bases: &Bases) -> Option<Row> {
    let mut queue = vec![type_name];
    let mut at = 0;
    while at < queue.len() && at < MAX_BASES {
        if let Some(&row) = members.get(&(queue[at], name)) {
            return Some(row);
        }
        for base in bases.get(&queue[at]).into_iter().flatten() {
            if !queue.contains(base) {
                queue.push(*base);
            }
        }
        at += 1;
    }
    None
}

fn member_targets(walked: &mut Walked, bases: &Bases) {
    for row in 0..walked.identifiers.len() {
        let identifier = &walked.identifiers[row];
        let type_name = match identifier.receiver {
            Receiver::Own(type_name) | Receiver::Implicit(type_name) => type_name,
            Receiver::Base(type_name) => {
                let inherited = bases
                    .get(&type_name)
                    .into_iter()
                    .flatten()
                    .find_map(|base| find_member(*base, identifier.name, &walked.members, bases));
                if let Some(target) = inherited {
                    let identifier = &mut walked.identifiers[row];
                    identifier.target = target;
                    identifier.resolution = Resolution::Receiver;
                }
                continue;
            }
            Receiver::Row(receiver) => {
                let target = walked.identifiers[receiver as usize].target;
                match walked.symbols.get(target as usize) {
                    Some(symbol) if symbol.kind.is_type() || symbol.kind.is_namespace() => {
                        key_of(walked, target)
                    }
                    _ => continue,
                }
            }
            Receiver::None | Receiver::Other => continue,
        };
        if let Some(target) = find_member(type_name, identifier.name, &walked.members, bases) {
            let identifier = &mut walked.identifiers[row];
            identifier.target = target;
            identifier.resolution = Resolution::Receiver;
        }
    }
}

/// Builds relationships and ids, with the counters that make equal rows differ.
#[derive(Default)]
struct Naming {
    hasher: IdHasher,
    symbol_ordinals: FxHashMap<(Row, u8, Vec<u8>), u32>,
    identifier_ordinals: FxHashMap<(Row, u8, Text), u32>,
    relationship_ordinals: FxHashMap<(Row, u8, Row, Vec<u8>), u32>,
}

impl Naming {
    fn name_rows(
        mut self,
        facts: &mut FileFacts,
        types: &Types,
        imports: &[(Row, Text)],
        members: &Members,
        bases: &Bases,
        type_keys: &FxHashMap<Row, NameId>,
    ) {
        self.name_symbols(facts);
        self.name_identifiers(facts);
        self.contain(facts);
        for &(symbol, path) in imports {
            let line = facts.symbols[symbol as usize].start_line;
            self.relate(facts, symbol, NONE, path, RelationshipKind::Imports, line, 0.0);
        }
        self.relate_identifiers(facts, types);
        self.relate_overrides(facts, members, bases, type_keys);
    }

    fn name_symbols(&mut self, facts: &mut FileFacts) {
        let source = facts.content.as_ref().map_or(&[][..], |content| &content.source);
        for symbol in &mut facts.symbols {
            let qualified = text_of(source, &facts.arena, symbol.qualified_name);
            let key = (symbol.parent, symbol.kind as u8, qualified.to_vec());
            let ordinal = next(self.symbol_ordinals.entry(key).or_default());
            symbol.id = self
                .hasher
                .start(b's')
                .text(facts.path.as_bytes())
                .text(qualified)
                .text(symbol.kind.as_str().as_bytes())
                .finish(ordinal);
        }
    }

    fn name_identifiers(&mut self, facts: &mut FileFacts) {
        let source = facts.content.as_ref().map_or(&[][..], |content| &content.source);
        for identifier in &mut facts.identifiers {
            let name = facts.names[identifier.name as usize];
            let key = (identifier.containing, identifier.kind as u8, name);
            let ordinal = next(self.identifier_ordinals.entry(key).or_default());
            let name = text_of(source, &facts.arena, name);
            self.hasher.start(b'i');
            match facts.symbols.get(identifier.containing as usize) {
                Some(symbol) => self.hasher.id(&symbol.id),
                None => self.hasher.text(facts.path.as_bytes()),
            };
            identifier.id = self
                .hasher
                .text(identifier.kind.as_str().as_bytes())
                .text(name)
                .finish(ordinal);
        }
    }

    fn contain(&mut self, facts: &mut FileFacts) {
        for row in 0..facts.symbols.len() {
            let symbol = &facts.symbols[row];
            if symbol.parent == NONE || symbol.flags & flags::LOCAL != 0 {
                continue;
            }
            let (parent, line) = (symbol.parent, symbol.start_line);
            let name = facts.names[symbol.name as usize];
            let kind = if facts.symbols[parent as usize].kind.is_namespace() {
                RelationshipKind::Defines
            } else {
                RelationshipKind::Contains
            };
            self.relate(facts, parent, row as Row, name, kind, line, 1.0);
        }
    }

    fn relate_identifiers(&mut self, facts: &mut FileFacts, types: &Types) {
        for row in 0..facts.identifiers.len() {
            let identifier = &facts.identifiers[row];
            let Some(kind) = identifier.relation else { continue };
            let from = match identifier.derived {
                NONE => identifier.containing,
                derived => types.get(&derived).copied().unwrap_or(NONE),
            };
            let target = identifier.target;
            let to_local = facts
                .symbols
                .get(target as usize)
                .is_some_and(|symbol| symbol.flags & flags::LOCAL != 0);
            // A reference that leads nowhere, or to a local, tells nothing about how symbols hang together.
            let dull = kind == RelationshipKind::References && (target == NONE || target == from);
            if from == NONE || to_local || dull {
                continue;
            }
            let name = facts.names[identifier.name as usize];
            let (line, confidence) = (identifier.line, identifier.resolution.confidence());
            self.relate(facts, from, target, name, kind, line, confidence);
        }
    }

    fn relate_overrides(
        &mut self,
        facts: &mut FileFacts,
        members: &Members,
        bases: &Bases,
        type_keys: &FxHashMap<Row, NameId>,
    ) {
        for row in 0..facts.symbols.len() {
            let symbol = &facts.symbols[row];
            let Some(parent) = facts.symbols.get(symbol.parent as usize) else { continue };
            if !matches!(symbol.kind, SymbolKind::Method | SymbolKind::Property)
                || !parent.kind.is_type()
            {
                continue;
            }
            let overridden = bases
                .get(type_keys.get(&symbol.parent).unwrap_or(&parent.name))
                .into_iter()
                .flatten()
                .find_map(|base| find_member(*base, symbol.name, members, bases))
                .filter(|target| *target != row as Row);
            if let Some(target) = overridden {
                let (name, line) = (facts.names[symbol.name as usize], symbol.start_line);
                let confidence = Resolution::Receiver.confidence();
                let kind = RelationshipKind::Overrides;
                self.relate(facts, row as Row, target, name, kind, line, confidence);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a row of the table")]
    fn relate(
        &mut self,
        facts: &mut FileFacts,
        from: Row,
        to: Row,
        to_name: Text,
        kind: RelationshipKind,
        line: u32,
        confidence: f32,
    ) {
        let name: &[u8] = if to == NONE { facts.text(to_name) } else { &[] };
        let key = (from, kind as u8, to, name.to_vec());
        let ordinal = next(self.relationship_ordinals.entry(key).or_default());
        self.hasher
            .start(b'r')
            .id(&facts.symbols[from as usize].id)
            .text(kind.as_str().as_bytes());
        match facts.symbols.get(to as usize) {
            Some(symbol) => self.hasher.id(&symbol.id).text(&[]),
            None => self.hasher.text(name),
        };
        let id = self.hasher.finish(ordinal);
        facts.relationships.push(Relationship { from, to, to_name, kind, line, confidence, id });
    }
}

fn next(ordinal: &mut u32) -> u32 {
    let now = *ordinal;
    *ordinal += 1;
    now
}
