//! Targets within one file, then relationships and ids.
//!
//! Lookup replays the walk's events with one stack of bindings per name: entering a scope pushes what is visible in
//! all of it, a sequential binding is pushed where it stands, leaving a scope pops both. A use takes the top of its
//! name's stack, so the cost is linear in the events however deep the scopes are.

use std::hash::BuildHasher;

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::facts::{
    FileFacts, Identifier, NONE, NameId, Names, Receiver, Relationship, Row, Symbol, Text,
    UNCOUNTED, resolve as text_of,
};
use crate::ids::IdHasher;
use crate::model::{Access, RelationshipKind, Resolution, SymbolKind, flags};
use crate::rules::Rules;
use crate::spec::{NameSpaces, ScopeKind, Visible};
use crate::walk::{Binding, Event, Walked};

/// How far a chain of base types is followed.
const MAX_BASES: usize = 16;

/// How many bindings of a name are passed over because they cannot be what is meant.
const MAX_HIDDEN: usize = 16;
/// How many definitions around a name are looked at for its type.
const MAX_LOOKBACK: usize = 128;

/// How many definitions of one name are told apart by their parameters.
const MAX_OVERLOADS: usize = 64;

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
    Naming::default().name_rows(facts, &types, &walked.imports, &members);
}

/// The name spaces that a name lives in, as bits.
mod space {
    pub const VALUE: u8 = 1;
    pub const TYPE: u8 = 2;
    pub const CALLABLE: u8 = 4;
    /// In the order of their bits.
    pub const COUNT: usize = 3;
}

/// Where a symbol's name is found.
fn spaces_of(symbol: &Symbol, rules: &Rules) -> u8 {
    use SymbolKind as K;
    let (types, callables) = match rules.spec.name_spaces {
        NameSpaces::One => return space::VALUE,
        NameSpaces::Methods if symbol.kind == K::Method => return space::CALLABLE,
        NameSpaces::Methods => return space::VALUE,
        NameSpaces::Types => (space::TYPE, space::VALUE),
        NameSpaces::TypesAndCallables => (space::TYPE, space::CALLABLE),
        NameSpaces::TypesBesideValues => {
            return match symbol.kind {
                K::Interface | K::Type => space::TYPE,
                K::Class | K::Enum | K::EnumMember | K::Namespace | K::Module => {
                    space::TYPE | space::VALUE
                }
                K::Import | K::Export => space::TYPE | space::VALUE,
                _ => space::VALUE,
            };
        }
    };
    match symbol.kind {
        K::Import => space::VALUE | types | callables,
        K::Delegate => types,
        K::Method | K::Function | K::Constructor => callables,
        // A record's component is a value and the method that returns it.
        K::Property => space::VALUE | callables,
        kind if kind.is_type() || kind.is_namespace() => types,
        _ => space::VALUE,
    }
}

/// Where a name that is used is looked up, best first.
fn spaces_for(access: Access, rules: &Rules) -> &'static [u8] {
    use NameSpaces as N;
    match (rules.spec.name_spaces, access) {
        (N::One, _) => &[space::VALUE],
        (N::Methods, Access::Call) => &[space::CALLABLE, space::VALUE],
        (N::Methods, _) => &[space::VALUE, space::CALLABLE],
        // A type may be said by a value that stands for one (a parameter that holds a class).
        (N::TypesBesideValues, Access::Type) => &[space::TYPE, space::VALUE],
        (N::TypesBesideValues, Access::Call | Access::Instantiate | Access::Write) => {
            &[space::VALUE]
        }
        (_, Access::Type | Access::Instantiate) => &[space::TYPE],
        (N::TypesAndCallables, Access::Call) => &[space::CALLABLE],
        _ => &[space::VALUE, space::TYPE],
    }
}

/// A type that has members: its row, or its name where the file does not define it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum TypeKey {
    Row(Row),
    Name(NameId),
}

/// The types and namespaces of the file.
struct Types {
    /// The first of each name.
    by_name: FxHashMap<NameId, Row>,
    /// The first of each name directly in one place: the row of a namespace, type or function, or [`NONE`].
    by_place: FxHashMap<(Row, NameId), Row>,
    /// For each row of a type or namespace that is defined in several places: the first of them.
    first: FxHashMap<Row, Row>,
}

impl Types {
    fn new(symbols: &[Symbol], rules: &Rules) -> Self {
        let mut types = Self {
            by_name: FxHashMap::default(),
            by_place: FxHashMap::default(),
            first: FxHashMap::default(),
        };
        let mut firsts: FxHashMap<(Row, NameId), Row> = FxHashMap::default();
        for (row, symbol) in symbols.iter().enumerate() {
            let row = row as Row;
            let is_type = symbol.kind.is_type() && symbol.flags & flags::PARAMETER == 0;
            if is_type {
                types.by_name.entry(symbol.name).or_insert(row);
                // What belongs elsewhere is not found by the place it stands in.
                if symbol.owner == NONE {
                    let place = (types.first(symbol.parent), symbol.name);
                    types.by_place.entry(place).or_insert(row);
                }
            }
            if symbol.kind.is_namespace() || (is_type && rules.spec.reopens_types) {
                let key = (types.first(symbol.parent), symbol.name);
                let first = *firsts.entry(key).or_insert(row);
                if first != row {
                    types.first.insert(row, first);
                }
            }
        }
        types
    }

    fn first(&self, row: Row) -> Row {
        self.first.get(&row).copied().unwrap_or(row)
    }

    /// The type that a name means at `at`: the nearest around, or one in some other namespace.
    fn seen_from(&self, symbols: &[Symbol], at: Row, name: NameId) -> Option<Row> {
        let mut place = at;
        for _ in 0..MAX_LOOKBACK {
            if let Some(&row) = self.by_place.get(&(self.first(place), name)) {
                return Some(row);
            }
            match symbols.get(place as usize) {
                Some(symbol) => place = symbol.parent,
                None => break,
            }
        }
        let row = *self.by_name.get(&name)?;
        let symbol = &symbols[row as usize];
        // What a function or an alias among a type's members defines is not seen elsewhere.
        let is_alias = symbol.kind == SymbolKind::Type;
        let is_hidden = (is_alias && symbol.owner != NONE)
            || symbols
                .get(symbol.parent as usize)
                .is_some_and(|parent| is_callable(parent) || (is_type(parent) && is_alias));
        Some(row).filter(|_| !is_hidden)
    }

    fn named(&self, symbols: &[Symbol], at: Row, name: NameId) -> TypeKey {
        self.seen_from(symbols, at, name)
            .map_or(TypeKey::Name(name), |row| TypeKey::Row(self.first(row)))
    }

    /// The type around `at` that has this name, or the namespace whose code has a current object (Ruby's modules).
    fn around(&self, symbols: &[Symbol], from: Row, name: NameId) -> TypeKey {
        let mut at = from;
        for _ in 0..MAX_LOOKBACK {
            let Some(symbol) = symbols.get(at as usize) else {
                break;
            };
            if (is_type(symbol) || symbol.kind.is_namespace()) && symbol.name == name {
                return TypeKey::Row(self.first(at));
            }
            at = symbol.parent;
        }
        self.named(symbols, from, name)
    }
}

fn is_type(symbol: &Symbol) -> bool {
    symbol.kind.is_type() && symbol.flags & flags::PARAMETER == 0
}

/// Gives members that stand outside their type's body (Rust's `impl`, Go's methods) that type as parent.
fn adopt_owned_symbols(walked: &mut Walked, types: &Types) {
    for row in 0..walked.symbols.len() {
        let symbol = &walked.symbols[row];
        if symbol.owner != NONE
            && let Some(owner) = types.seen_from(&walked.symbols, symbol.parent, symbol.owner)
        {
            let symbol = &mut walked.symbols[row];
            symbol.parent = owner;
            symbol.holder = owner;
        }
    }
}

/// Gives members that are assigned to a function or object of the file (`f.x = …`) that one as parent.
fn adopt_assigned_members(walked: &mut Walked) {
    if walked.symbols.iter().all(|symbol| symbol.owner == NONE) {
        return;
    }
    let mut holders: FxHashMap<NameId, Row> = FxHashMap::default();
    for (row, symbol) in walked.symbols.iter().enumerate() {
        use SymbolKind as K;
        let holds = matches!(symbol.kind, K::Function | K::Variable | K::Constant);
        if holds
            && symbol.owner == NONE
            && symbol.parent == NONE
            && symbol.flags & flags::LOCAL == 0
        {
            holders.entry(symbol.name).or_insert(row as Row);
        }
    }
    for symbol in &mut walked.symbols {
        if symbol.owner != NONE
            && symbol.parent == NONE
            && let Some(&holder) = holders.get(&symbol.owner)
        {
            symbol.parent = holder;
        }
    }
}

type Overloads = FxHashMap<(Row, NameId), Vec<Row>>;

/// The members and bases of each type.
struct Members {
    rows: FxHashMap<(TypeKey, NameId, u8), Row>,
    bases: FxHashMap<TypeKey, Vec<TypeKey>>,
    overloads: Overloads,
    /// Whether methods of one name are told apart by their parameters.
    told_apart: bool,
}

impl Members {
    fn new(walked: &Walked, types: &Types, rules: &Rules) -> Self {
        let mut rows = FxHashMap::default();
        for (row, symbol) in walked.symbols.iter().enumerate() {
            let Some(holder) = holder(symbol, types).filter(|_| !symbol.hidden) else {
                continue;
            };
            let spaces = spaces_of(symbol, rules);
            for bit in (0..space::COUNT).map(|at| 1 << at) {
                if spaces & bit != 0 {
                    let known: &mut Row = rows.entry((holder, symbol.name, bit)).or_insert(NONE);
                    // A definition is found before what only declares it.
                    let declares = walked
                        .symbols
                        .get(*known as usize)
                        .is_none_or(|known| known.flags & !symbol.flags & flags::ABSTRACT != 0);
                    if declares {
                        *known = row as Row;
                    }
                }
            }
        }
        for &(holder, name, row) in &walked.aliases {
            let holder = TypeKey::Row(types.first(holder));
            rows.entry((holder, name, space::VALUE)).or_insert(row);
        }
        Self {
            rows,
            bases: FxHashMap::default(),
            overloads: Overloads::default(),
            told_apart: rules.spec.overloads,
        }
    }

    fn add_bases(&mut self, walked: &Walked, types: &Types) {
        for identifier in walked.identifiers.iter().filter(|row| is_base(row)) {
            let containing = walked.symbols.get(identifier.containing as usize);
            let derived = match identifier.derived {
                NONE if containing.is_some_and(is_type) => {
                    TypeKey::Row(types.first(identifier.containing))
                }
                NONE => continue,
                derived => types.named(&walked.symbols, identifier.containing, derived),
            };
            let Some(target) = walked.symbols.get(identifier.target as usize) else {
                continue;
            };
            let base = TypeKey::Row(types.first(identifier.target));
            if is_type(target) && base != derived {
                self.bases.entry(derived).or_default().push(base);
            }
        }
    }

    /// The member `name` of a type, or of the nearest of its bases in this file.
    fn find(&self, of: TypeKey, name: NameId, spaces: &[u8], own: bool) -> Option<Row> {
        let mut queue = vec![of];
        let mut at = 0;
        while at < queue.len() && at < MAX_BASES {
            for &space in spaces {
                if (own || at > 0)
                    && let Some(&row) = self.rows.get(&(queue[at], name, space))
                {
                    return Some(row);
                }
            }
            for base in self
                .bases
                .get(&queue[at])
                .into_iter()
                .flatten()
                .take(MAX_BASES)
            {
                if !queue.contains(base) {
                    queue.push(*base);
                }
            }
            at += 1;
        }
        None
    }
}

impl Members {
    /// The method of the target's name that takes so many arguments, and how sure that is, where not as before.
    fn fitting(
        &self,
        walked: &Walked,
        types: &Types,
        target: Row,
        arguments: u16,
    ) -> (Row, Option<Resolution>) {
        let symbols = &walked.symbols;
        let start = &symbols[target as usize];
        let found = |row: Row| {
            let symbol = &symbols[row as usize];
            let alone = [row];
            let rows = self
                .overloads
                .get(&(symbol.parent, symbol.name))
                .map_or(&alone[..], |rows| rows);
            let fits = |row: &&Row| {
                let symbol = &symbols[**row as usize];
                symbol.variadic || symbol.arity == arguments
            };
            let mut fitting = rows.iter().filter(fits);
            let first = *fitting.next()?;
            let exact = rows.iter().find(|row| {
                let symbol = &symbols[**row as usize];
                !symbol.variadic && symbol.arity == arguments
            });
            let resolution = fitting.next().map(|_| Resolution::Candidate);
            Some((exact.copied().unwrap_or(first), resolution))
        };
        if let Some(found) = found(target) {
            return found;
        }
        let mut queue: Vec<TypeKey> = holder(start, types).into_iter().collect();
        let mut at = 0;
        while at < queue.len() && at < MAX_BASES {
            for base in self.bases.get(&queue[at]).into_iter().flatten() {
                if queue.len() < MAX_BASES && !queue.contains(base) {
                    queue.push(*base);
                }
            }
            at += 1;
        }
        let inherited = queue.iter().skip(1).find_map(|base| {
            let row = [space::CALLABLE, space::VALUE]
                .iter()
                .find_map(|space| self.rows.get(&(*base, start.name, *space)))?;
            found(*row)
        });
        match inherited {
            Some((row, resolution)) => (row, resolution.or(Some(Resolution::Receiver))),
            None => (NONE, Some(Resolution::None)),
        }
    }
}

/// The type or namespace that has the symbol as a member.
fn holder(symbol: &Symbol, types: &Types) -> Option<TypeKey> {
    match (symbol.owner, symbol.holder) {
        _ if symbol.flags & (flags::LOCAL | flags::PARAMETER) != 0 => None,
        (NONE, NONE) => None,
        (owner, NONE) => Some(TypeKey::Name(owner)),
        (_, holder) => Some(TypeKey::Row(types.first(holder))),
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
                for binding in hoisted.take(scope) {
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

/// Where a call looks like the making of an instance, what is called decides which of both it is.
fn tell_calls_from_instances(walked: &mut Walked) {
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

/// Whether the identifier names what a type extends or implements.
fn is_base(identifier: &Identifier) -> bool {
    matches!(
        identifier.relation,
        Some(RelationshipKind::Extends | RelationshipKind::Implements)
    )
}

/// Finds members of the current object and of named types; first only the bases of types, so that they are known.
fn member_targets(
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
fn inherited_targets(walked: &mut Walked, types: &Types, members: &Members, rules: &Rules) {
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

/// What is called and defined several times under one name in one place.
fn overloads(symbols: &[Symbol]) -> Overloads {
    let mut overloads = Overloads::default();
    for (row, symbol) in symbols.iter().enumerate() {
        if is_callable(symbol) && !symbol.hidden {
            let rows = overloads.entry((symbol.parent, symbol.name)).or_default();
            if rows.len() < MAX_OVERLOADS {
                rows.push(row as Row);
            }
        }
    }
    overloads.retain(|_, rows| rows.len() > 1);
    overloads
}

fn is_callable(symbol: &Symbol) -> bool {
    matches!(
        symbol.kind,
        SymbolKind::Method | SymbolKind::Function | SymbolKind::Constructor
    )
}

/// A method is called with as many arguments as it has parameters. Of several that fit the target stays a guess; if
/// none fits here or in the base types, the target is not in this file.
fn choose_overloads(walked: &mut Walked, types: &Types, members: &Members) {
    for row in 0..walked.identifiers.len() {
        let identifier = &walked.identifiers[row];
        let Some(target) = walked.symbols.get(identifier.target as usize) else {
            continue;
        };
        if !is_callable(target) {
            continue;
        }
        let (target_row, arguments) = (identifier.target, identifier.arguments);
        let is_overloaded = members
            .overloads
            .contains_key(&(target.parent, target.name));
        let (target, resolution) = if arguments != UNCOUNTED {
            members.fitting(walked, types, target_row, arguments)
        } else if is_overloaded {
            (target_row, Some(Resolution::Candidate))
        } else {
            continue;
        };
        let identifier = &mut walked.identifiers[row];
        identifier.target = target;
        identifier.resolution = resolution.unwrap_or(identifier.resolution);
    }
}

/// Builds relationships and ids, with the counters that make equal rows differ.
#[derive(Default)]
struct Naming {
    hasher: IdHasher,
    symbol_ordinals: FxHashMap<(Row, u8, u64), u32>,
    identifier_ordinals: FxHashMap<(Row, u8, Text), u32>,
    relationship_ordinals: FxHashMap<(Row, u8, Row, u64), u32>,
}

impl Naming {
    fn name_rows(
        mut self,
        facts: &mut FileFacts,
        types: &Types,
        imports: &[(Row, Text)],
        members: &Members,
    ) {
        let rows = facts.identifiers.len();
        self.identifier_ordinals.reserve(rows / 2);
        self.relationship_ordinals
            .reserve(rows / 2 + facts.symbols.len());
        facts.relationships.reserve(rows / 2 + facts.symbols.len());
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
        self.relate_overrides(facts, types, members);
    }

    fn name_symbols(&mut self, facts: &mut FileFacts) {
        let source = facts
            .content
            .as_ref()
            .map_or(&[][..], |content| &content.source);
        for row in 0..facts.symbols.len() {
            let symbol = &facts.symbols[row];
            let qualified = text_of(source, &facts.arena, symbol.qualified_name);
            // What stands inside another definition is named by that one's id, so that the parameters of two overloads
            // differ. A parent that comes later has no id yet; its members carry its name in theirs.
            let parent = match symbol.parent {
                parent if symbol.owner == NONE && (parent as usize) < row => parent,
                _ => NONE,
            };
            let key = (parent, symbol.kind as u8, hash(qualified));
            let ordinal = next(self.symbol_ordinals.entry(key).or_default());
            self.hasher.start(b's');
            match facts.symbols.get(parent as usize) {
                Some(parent) => self.hasher.id(&parent.id),
                None => self.hasher.text(facts.path.as_bytes()),
            };
            let id = self
                .hasher
                .text(qualified)
                .text(symbol.kind.as_str().as_bytes())
                .finish(ordinal);
            facts.symbols[row].id = id;
        }
    }

    fn name_identifiers(&mut self, facts: &mut FileFacts) {
        let source = facts
            .content
            .as_ref()
            .map_or(&[][..], |content| &content.source);
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
            let parent_kind = facts.symbols[parent as usize].kind;
            if symbol.kind == SymbolKind::Import && parent_kind == SymbolKind::Namespace {
                continue;
            }
            let kind = if parent_kind.is_namespace() {
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
                derived => types
                    .seen_from(&facts.symbols, identifier.containing, derived)
                    .unwrap_or(NONE),
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

    fn relate_overrides(&mut self, facts: &mut FileFacts, types: &Types, members: &Members) {
        use SymbolKind as K;
        if members.bases.is_empty() {
            return;
        }
        for row in 0..facts.symbols.len() {
            let symbol = &facts.symbols[row];
            let spaces: &[u8] = match symbol.kind {
                K::Method => &[space::CALLABLE, space::VALUE],
                K::Property | K::Event => &[space::VALUE],
                _ => continue,
            };
            let Some(of) = holder(symbol, types) else {
                continue;
            };
            let Some(mut target) = members.find(of, symbol.name, spaces, false) else {
                continue;
            };
            let base = &facts.symbols[target as usize];
            if members.told_apart && is_callable(base) {
                let same = |row: &&Row| facts.symbols[**row as usize].arity == symbol.arity;
                let alone = [target];
                let key = (base.parent, base.name);
                let rows = members.overloads.get(&key).map_or(&alone[..], |rows| rows);
                let Some(&same) = rows.iter().find(same) else {
                    continue;
                };
                target = same;
            }
            if target != row as Row {
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
        let key = (from, kind as u8, to, hash(name));
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

/// Stands for a text among the keys of ordinals; nothing is allocated for it.
fn hash(text: &[u8]) -> u64 {
    FxBuildHasher.hash_one(text)
}

fn next(ordinal: &mut u32) -> u32 {
    let now = *ordinal;
    *ordinal += 1;
    now
}
