//! Targets within one file, then relationships and ids.
//!
//! Lookup replays the walk's events with one stack of bindings per name: entering a scope pushes what is visible in
//! all of it, a sequential binding is pushed where it stands, leaving a scope pops both. A use takes the top of its
//! name's stack, so the cost is linear in the events however deep the scopes are.

use rustc_hash::FxHashMap;

use crate::facts::{
    FileFacts, Identifier, NONE, NameId, Names, Receiver, Relationship, Row, Text,
    resolve as text_of,
};
use crate::ids::IdHasher;
use crate::model::{RelationshipKind, Resolution, SymbolKind, flags};
use crate::rules::Rules;
use crate::spec::{ScopeKind, Visible};
use crate::walk::{Binding, Event, Walked};

/// How far a chain of base types is followed.
const MAX_BASES: usize = 16;

/// How many bindings of a name are passed over because they cannot be what is meant.
const MAX_HIDDEN: usize = 16;

/// Finds targets, builds the relationships and names every row. `facts` has path and content already.
pub fn resolve(facts: &mut FileFacts, mut walked: Walked, rules: &Rules) {
    let types = types_by_name(&walked);
    lexical_targets(&mut walked, rules);
    let bases = bases_by_type(&walked);
    if rules.spec.implicit_this {
        implicit_targets(&mut walked, &bases, rules);
    }
    member_targets(&mut walked, &bases);
    adopt_owned_symbols(&mut walked, &types);
    facts.symbols = walked.symbols;
    facts.identifiers = walked.identifiers;
    facts.names = walked.names;
    facts.arena = walked.arena;
    Naming::default().name_rows(facts, &types, &walked.imports, &walked.members, &bases);
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
    let Walked {
        symbols,
        identifiers,
        names,
        bindings,
        events,
        ..
    } = walked;
    let mut visible = Visibles {
        bindings,
        current: vec![NONE; names.len()],
        hidden: vec![NONE; bindings.len()],
        pushed: Vec::new(),
    };
    let mut marks: Vec<usize> = Vec::new();
    for event in events.iter() {
        match *event {
            Event::Enter(scope) => {
                marks.push(visible.pushed.len());
                for binding in hoisted.take(scope) {
                    visible.push(*binding);
                }
            }
            Event::Exit => visible.pop_to(marks.pop().unwrap_or(0)),
            Event::Bind(binding) => visible.push(binding),
            Event::Use(row) => {
                let identifier = &mut identifiers[row as usize];
                if identifier.receiver != Receiver::None {
                    continue;
                }
                let fits = |binding: &Binding| {
                    let kind = symbols[binding.symbol as usize].kind;
                    match identifier.names {
                        Names::Tags => binding.tag,
                        Names::Qualifiers => !binding.tag && holds_members(kind),
                        Names::Plain => !binding.tag && (rules.spec.fits)(identifier.access, kind),
                    }
                };
                let Some(binding) = visible.find(identifier.name, fits) else {
                    continue;
                };
                identifier.target = binding.symbol;
                identifier.resolution = match symbols[binding.symbol as usize].kind {
                    SymbolKind::Import => Resolution::Import,
                    _ => Resolution::Lexical,
                };
            }
        }
    }
}

fn holds_members(kind: SymbolKind) -> bool {
    kind.is_type() || kind.is_namespace() || kind == SymbolKind::Import
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
}

impl Visibles<'_> {
    fn push(&mut self, binding: u32) {
        let top = &mut self.current[self.bindings[binding as usize].name as usize];
        self.hidden[binding as usize] = *top;
        *top = binding;
        self.pushed.push(binding);
    }

    fn pop_to(&mut self, mark: usize) {
        for binding in self.pushed.drain(mark..).rev() {
            let name = self.bindings[binding as usize].name;
            self.current[name as usize] = self.hidden[binding as usize];
        }
    }

    /// The innermost binding of a name that can be meant.
    fn find(&self, name: NameId, fits: impl Fn(&Binding) -> bool) -> Option<&Binding> {
        let mut at = self.current[name as usize];
        for _ in 0..MAX_HIDDEN {
            let binding = self.bindings.get(at as usize)?;
            if fits(binding) {
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
    let is_declaration =
        |binding: &Binding| walked.symbols[binding.symbol as usize].flags & flags::ABSTRACT != 0;
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
        let derived = match (
            identifier.derived,
            walked.symbols.get(identifier.containing as usize),
        ) {
            (NONE, Some(symbol)) => symbol.name,
            (NONE, None) => continue,
            (derived, _) => derived,
        };
        bases.entry(derived).or_default().push(identifier.name);
    }
    bases
}

/// How many definitions around a name are asked for a member of that name.
const MAX_AROUND: usize = 8;

/// Bare names that mean a member of a type around them, inherited or declared elsewhere, or of a namespace that was
/// opened before. What is bound in a function hides members; what is bound outside of types is hidden by them.
fn implicit_targets(walked: &mut Walked, bases: &Bases, rules: &Rules) {
    for row in 0..walked.identifiers.len() {
        let identifier = &walked.identifiers[row];
        if identifier.receiver != Receiver::None || identifier.names == Names::Tags {
            continue;
        }
        let symbols = &walked.symbols;
        if let Some(known) = symbols.get(identifier.target as usize) {
            let parent = symbols.get(known.parent as usize);
            if known.flags & (flags::LOCAL | flags::PARAMETER) != 0
                || known.owner != NONE
                || parent.is_some_and(|parent| !parent.kind.is_namespace())
            {
                continue;
            }
        }
        let fits = |member: &Row| {
            let kind = symbols[*member as usize].kind;
            match identifier.names {
                Names::Qualifiers => holds_members(kind),
                _ => (rules.spec.fits)(identifier.access, kind),
            }
        };
        let mut around = identifier.containing;
        let mut found = None;
        for _ in 0..MAX_AROUND {
            let Some(symbol) = symbols.get(around as usize) else {
                break;
            };
            found = if symbol.owner != NONE {
                find_member(symbol.owner, identifier.name, &walked.members, bases)
            } else if symbol.kind.is_type() {
                find_member(symbol.name, identifier.name, &walked.members, bases)
            } else if symbol.kind.is_namespace() && identifier.target == NONE {
                walked.members.get(&(symbol.name, identifier.name)).copied()
            } else {
                None
            };
            found = found.filter(fits);
            if found.is_some() {
                break;
            }
            around = symbol.parent;
        }
        if let Some(target) = found {
            let identifier = &mut walked.identifiers[row];
            identifier.target = target;
            identifier.resolution = Resolution::Receiver;
        }
    }
}

/// The member `name` of a type, or of the nearest of its bases in this file.
fn find_member(type_name: NameId, name: NameId, members: &Members, bases: &Bases) -> Option<Row> {
    if let Some(&row) = members.get(&(type_name, name)) {
        return Some(row);
    }
    if !bases.contains_key(&type_name) {
        return None;
    }
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
            Receiver::Own(type_name) => type_name,
            Receiver::Row(receiver) => {
                let target = walked.identifiers[receiver as usize].target;
                match walked.symbols.get(target as usize) {
                    Some(symbol) if symbol.kind.is_type() || symbol.kind.is_namespace() => {
                        symbol.name
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
    identifier_ordinals: FxHashMap<(Row, u8, NameId), u32>,
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
    ) {
        self.name_symbols(facts);
        self.name_identifiers(facts);
        self.contain(facts);
        for &(symbol, path) in imports {
            let line = facts.symbols[symbol as usize].start_line;
            self.relate(
                facts,
                symbol,
                NONE,
                path,
                RelationshipKind::Imports,
                line,
                0.0,
            );
        }
        self.relate_identifiers(facts, types);
        self.relate_overrides(facts, members, bases);
    }

    fn name_symbols(&mut self, facts: &mut FileFacts) {
        let source = facts
            .content
            .as_ref()
            .map_or(&[][..], |content| &content.source);
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
        let source = facts
            .content
            .as_ref()
            .map_or(&[][..], |content| &content.source);
        for identifier in &mut facts.identifiers {
            let key = (
                identifier.containing,
                identifier.kind as u8,
                identifier.name,
            );
            let ordinal = next(self.identifier_ordinals.entry(key).or_default());
            let name = text_of(source, &facts.arena, facts.names[identifier.name as usize]);
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
            let Some(kind) = identifier.relation else {
                continue;
            };
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

    fn relate_overrides(&mut self, facts: &mut FileFacts, members: &Members, bases: &Bases) {
        for row in 0..facts.symbols.len() {
            let symbol = &facts.symbols[row];
            let Some(parent) = facts.symbols.get(symbol.parent as usize) else {
                continue;
            };
            if !matches!(symbol.kind, SymbolKind::Method | SymbolKind::Property)
                || !parent.kind.is_type()
            {
                continue;
            }
            let overridden = bases
                .get(&parent.name)
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
        facts.relationships.push(Relationship {
            from,
            to,
            to_name,
            kind,
            line,
            confidence,
            id,
        });
    }
}

fn next(ordinal: &mut u32) -> u32 {
    let now = *ordinal;
    *ordinal += 1;
    now
}
