//! The one pass over a file's tree: rows, scopes and name events from node kinds and roles.
//!
//! The walk keeps its own stack of [`Frame`]s, so depth costs heap and never the thread's stack. Three stacks lie
//! beside it: open symbols (what contains the rows to come), scopes, and binders (what a `Bind` leaf becomes).
//! Name lookup waits until the whole file is known; the walk records the events that [`resolve`](crate::resolve)
//! replays.

use std::ops::Range;

use rustc_hash::FxHashMap;
use tree_sitter::{Node, Point, Tree};

use crate::facts::{Identifier, NONE, NameId, Receiver, Row, Symbol, Text, UNCOUNTED};
use crate::masks::{Masks, Word};
use crate::model::{Access, IdentifierKind, RelationshipKind, SymbolKind, flags};
use crate::rules::{KindRule, Rules, bits};
use crate::spec::{Binder, Define, Modifier, Role, ScopeKind, Shape, Visible};
use crate::text::unquote;

mod context;
mod define;
mod hooks;
mod leaf;
mod objects;
mod scope;

pub(crate) use objects::Found;

/// A qualified name stops growing here; what is nested deeper starts anew behind an ellipsis.
const MAX_QUALIFIED_NAME: usize = 1024;

/// A doc comment that is longer documents only the first of several names, so that names never multiply with length.
const MAX_SHARED_DOC: u32 = 4096;

/// How many open scopes or definitions a rule looks back through, so that depth never multiplies with length.
const MAX_LOOKBACK: usize = 128;

/// One step of name lookup, in source order.
#[derive(Debug, Clone, Copy)]
pub enum Event {
    Enter(u32),
    Exit,
    Bind(u32),
    Use(Row),
}

/// A region of name lookup.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    pub kind: ScopeKind,
    /// The innermost scope, this one included, that is not a block.
    base: u32,
    /// Whether a function lies between here and the enclosing type or module.
    in_function: bool,
    /// Where names declared here are bound: this scope or, if it is transparent, the one around it.
    binds_in: u32,
}

/// A name bound to a symbol in a scope.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    pub name: NameId,
    pub symbol: Row,
    pub scope: u32,
    pub visible: Visible,
    /// Whether only its tag leads to it.
    pub tag: bool,
    /// Whether functions below the scope do not see it.
    pub closed: bool,
}

/// Everything the walk learned; the resolver's input.
pub struct Walked {
    pub symbols: Vec<Symbol>,
    pub identifiers: Vec<Identifier>,
    pub names: Vec<Text>,
    pub arena: Vec<u8>,
    pub scopes: Vec<Scope>,
    pub bindings: Vec<Binding>,
    pub events: Vec<Event>,
    /// Members by the row of their type (or module) and their own name, as far as the walk itself asks for them.
    pub members: FxHashMap<(Row, NameId), Row>,
    /// Further names of members: row of the type, name, row of the member.
    pub aliases: Vec<(Row, NameId, Row)>,
    /// Parameters that stand for the current object, with the name of its type.
    pub self_parameters: FxHashMap<Row, NameId>,
    /// What each import symbol imports.
    pub imports: Vec<(Row, Text)>,
    pub parse_errors: u32,
    pub first_error: Option<u32>,
}

/// A definition, or a type's body defined elsewhere, around the current node.
#[derive(Debug, Clone, Copy)]
struct Open {
    symbol: Row,
    kind: Option<SymbolKind>,
    /// Whether members may be said to be the current object's here.
    is_type: bool,
    /// Whether the current object is the type itself.
    is_static: bool,
    /// Whether methods defined directly here belong to the type, not to its instances.
    defines_static: bool,
    /// How many scopes lie around it.
    scopes: u32,
    /// The key that members are filed under.
    type_name: NameId,
    /// The name of the type whose code this is.
    enclosing_type: NameId,
    qualified_name: Text,
    /// The scope of its parameters.
    scope: u32,
}

#[derive(Debug, Clone, Copy)]
struct OpenBinder {
    binder: Binder,
    start: Point,
    end: Point,
    start_byte: u32,
    end_byte: u32,
    /// Position of the binder's frame.
    frame: usize,
    /// Position of the frame of a declarator whose modifiers are the name's own.
    indirect: Option<usize>,
}

/// A run of comments that may document the next definition.
#[derive(Debug, Clone, Copy, Default)]
struct Doc {
    start: u32,
    end: u32,
    end_line: u32,
    present: bool,
    /// It stands before the wrapper, and documents all that the wrapper holds.
    shared: bool,
}

impl Doc {
    /// Its bytes, if there is one.
    fn range(&self) -> Option<Range<usize>> {
        let range = self.start as usize..self.end as usize;
        Some(range).filter(|_| self.present)
    }

    /// Whether it may be that of several names.
    fn is_short(&self) -> bool {
        self.end - self.start <= MAX_SHARED_DOC
    }
}

#[derive(Clone, Copy)]
struct Frame<'s> {
    rule: &'s KindRule,
    role: Role,
    /// The symbol that this node defines.
    symbol: Row,
    opens: u32,
    scopes: u32,
    binders: u32,
    imports: u32,
    pending_binds: u32,
    /// The node's scope, until its names are seen.
    late_scope: u32,
    named_children: u32,
    receiver: Receiver,
    /// The row of the member's name, in a member access.
    member_row: Row,
    /// Whether the definition here stays open for what follows it.
    stays: bool,
    /// Whether this node is the receiver of a member access around it.
    is_object: bool,
    /// Whether a hook has said what it is as one.
    is_known: bool,
    /// Whether a first name below this node is the member of a member access around it.
    is_property: bool,
    /// Whether the child before was the last that does not see the names bound here.
    binds_now: bool,
    /// The identifier whose call's arguments these are.
    call: Row,
    doc: Doc,
    modifier: Modifier,
    next_modifier: Modifier,
    /// What the methods to come under this node are.
    section: Modifier,
    /// Roles that a hook gave to the receiver and to the other children.
    object_role: Option<Role>,
    child_role: Option<Role>,
    /// The field from which on names are looked up outside of the scope around the node, 0 for none.
    outside_from: u16,
    /// That scope, while it is left.
    left_scope: u32,
    wrapper_start: u32,
    /// Where the first of the wrapped declarations starts.
    head_end: u32,
    last_line: u32,
    start_byte: u32,
}

/// The walk's state. Hooks of languages see it through its methods.
pub struct Walk<'s> {
    pub(crate) source: &'s [u8],
    rules: &'s Rules,
    frames: Vec<Frame<'s>>,
    opens: Vec<Open>,
    scope_stack: Vec<u32>,
    /// For each open scope: what holds for the definitions that follow in it.
    sections: Vec<Modifier>,
    binders: Vec<OpenBinder>,
    import_paths: Vec<Range<usize>>,
    pending_binds: Vec<u32>,
    pending_names: Vec<Range<usize>>,
    /// Parameters of the templates around, whose definition is still to come.
    template_parameters: Vec<Row>,
    /// The last name that was called.
    last_call: Row,
    /// Where the parameter starts that stands for the current object, and the name of its type.
    self_parameter: Option<(usize, NameId)>,
    /// Whether the definition that a hook opened lasts longer than the hook's node.
    keeps_open: bool,
    /// Whether the declarator just entered leaves the kind of its name as it is.
    keeps_kind: bool,
    interned: FxHashMap<&'s [u8], NameId>,
    bound: FxHashMap<(u32, NameId), Row>,
    outer: FxHashMap<(u32, NameId), ()>,
    /// Names that their scope exports, wherever it binds them.
    exported: FxHashMap<(u32, NameId), ()>,
    spaced: FxHashMap<(NameId, u8), NameId>,
    /// The sorts of names that imports bind here, where an import says it.
    import_spaces: Option<&'static [u8]>,
    /// What an import's statement says of it.
    import_modifier: Modifier,
    /// What a hook says of the definition at its node, and of the roles below it.
    hooked: Modifier,
    hooked_roles: (Option<Role>, Option<Role>),
    /// The field from which on the hook's node is looked up outside of the scope around it, 0 for none.
    hooked_outside: u16,
    /// Whether the hook has said what its node is as a receiver, whatever stands in it.
    hooked_receiver: bool,
    /// What comes from before the node that a hook looks at.
    context: Context,
    out: Walked,
}

/// Walks a whole tree.
pub fn walk(rules: &Rules, source: &[u8], tree: &Tree, masks: &Masks) -> Walked {
    let mut walk = Walk {
        source,
        rules,
        frames: Vec::with_capacity(64),
        opens: Vec::new(),
        scope_stack: Vec::new(),
        sections: Vec::new(),
        binders: Vec::new(),
        import_paths: Vec::new(),
        pending_binds: Vec::new(),
        pending_names: Vec::new(),
        template_parameters: Vec::new(),
        last_call: NONE,
        self_parameter: None,
        keeps_open: false,
        keeps_kind: false,
        interned: FxHashMap::with_capacity_and_hasher(source.len() / 64, Default::default()),
        bound: FxHashMap::default(),
        outer: FxHashMap::default(),
        exported: FxHashMap::default(),
        spaced: FxHashMap::default(),
        import_spaces: None,
        import_modifier: Modifier::NONE,
        hooked: Modifier::NONE,
        hooked_roles: (None, None),
        hooked_outside: 0,
        hooked_receiver: false,
        context: Context::default(),
        out: Walked {
            symbols: Vec::new(),
            identifiers: Vec::with_capacity(source.len() / 16),
            names: Vec::new(),
            arena: Vec::new(),
            scopes: Vec::new(),
            bindings: Vec::new(),
            events: Vec::with_capacity(source.len() / 12),
            members: FxHashMap::default(),
            aliases: Vec::new(),
            self_parameters: FxHashMap::default(),
            imports: Vec::new(),
            parse_errors: 0,
            first_error: None,
        },
    };
    walk.open_scope(ScopeKind::Module);
    walk.run(tree, &masks.words);
    walk.out.events.push(Event::Exit);
    walk.flag_exported();
    walk.out
}

impl<'s> Walk<'s> {
    fn run(&mut self, tree: &Tree, mut unseen: &[Word]) {
        let start_of = |words: &[Word]| words.first().map_or(usize::MAX, |word| word.bytes.start);
        let mut next_unseen = start_of(unseen);
        let has_errors = tree.root_node().has_error();
        let mut cursor = tree.walk();
        loop {
            let node = cursor.node();
            while next_unseen < node.start_byte() {
                self.unseen_word(&unseen[0]);
                unseen = &unseen[1..];
                next_unseen = start_of(unseen);
            }
            let rule = self.rules.kind(node.kind_id());
            let (role, is_property, is_object) =
                self.role_of(rule, || cursor.field_id().map_or(0, std::num::NonZero::get));
            if has_errors && (rule.has(bits::ERROR) || node.is_missing()) {
                self.out.parse_errors += 1;
                self.out.first_error.get_or_insert(node.start_byte() as u32);
            }
            self.note_sibling(rule, node);
            if rule.has(bits::LEAF) && node.child_count() == 0 {
                self.leaf(node, rule, role, is_property, is_object);
            } else if rule.has(bits::SIGIL)
                && node.named_child_count() == 1
                && let Some(name) = node.named_child(0)
                && self.rules.kind(name.kind_id()).has(bits::LEAF)
            {
                self.sigil(name, rule, role, is_property, is_object);
            } else if rule.has(bits::OPAQUE) || (rule.spec.is_none() && node.child_count() == 0) {
                self.meet(node, rule, is_object);
            } else {
                let frame = self.enter(node, rule, role, is_property, is_object);
                if cursor.goto_first_child() {
                    self.frames.push(frame);
                    continue;
                }
                self.leave(frame);
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    unseen.iter().for_each(|word| self.unseen_word(word));
                    return;
                }
                let frame = self.frames.pop().expect("a frame for each parent");
                self.leave(frame);
            }
        }
    }

    /// The role that the parent gives to the current node, and whether it is a member's name or a member's receiver.
    fn role_of(&mut self, rule: &KindRule, field: impl FnOnce() -> u16) -> (Role, bool, bool) {
        let Some(parent) = self.frames.last_mut() else {
            return (Role::Read, false, false);
        };
        let inherited = parent.role;
        if !parent.rule.has(bits::NODE) {
            return (inherited, false, false);
        }
        let parent_rule = parent.rule;
        let counted = rule.has(bits::NAMED) && !rule.has(bits::COMMENT);
        parent.named_children += u32::from(counted);
        if counted && parent_rule.shape == Shape::Positional {
            return match parent.named_children {
                1 => (
                    parent.object_role.unwrap_or(object_role(inherited)),
                    false,
                    true,
                ),
                _ => (member_role(inherited), true, false),
            };
        }
        // A name with type arguments stands where its first child would.
        let stands_in = counted && parent_rule.first_only.is_some() && parent.named_children == 1;
        let (is_property, is_object) = match parent_rule.first_only {
            Some(others) if counted && parent.named_children > 1 => {
                let others = match (others, inherited) {
                    (Role::Member, Role::Import | Role::ImportBind | Role::ImportWhole) => {
                        Role::Import
                    }
                    _ => others,
                };
                return (pick(others, inherited), false, false);
            }
            _ if stands_in => (parent.is_property, parent.is_object),
            _ => (false, false),
        };
        if !parent_rule.wants_field() {
            return (pick(parent_rule.child, inherited), is_property, is_object);
        }
        let field = field();
        if parent_rule.visible_after != 0 {
            if parent.binds_now {
                parent.binds_now = false;
                let from = parent.pending_binds as usize;
                self.bind_pending(from);
            }
            if field == parent_rule.visible_after
                && let Some(parent) = self.frames.last_mut()
            {
                parent.binds_now = true;
            }
        }
        let parent = self.frames.last_mut().expect("found above");
        if parent.late_scope != NONE && field != 0 && parent_rule.scope_from.contains(&field) {
            self.out.events.push(Event::Enter(parent.late_scope));
            parent.late_scope = NONE;
        }
        if field != 0 && field == parent.outside_from && parent.left_scope == NONE {
            parent.left_scope = self.scope_stack.last().copied().unwrap_or(0);
            self.out.events.push(Event::Exit);
        }
        let (given_object, given_child) = (parent.object_role, parent.child_role);
        if field != 0 && field == parent_rule.property {
            let role = match parent_rule.shape {
                Shape::Call => Role::Call,
                _ => member_role(inherited),
            };
            return (role, true, false);
        }
        let given = self.rules.child_role(parent_rule, field);
        if field != 0 && field == parent_rule.object {
            let role = match (given_object, parent_rule.property) {
                (Some(role), _) => role,
                (None, 0) => pick(given, inherited),
                (None, _) if given == Role::Qualifier => match object_role(inherited) {
                    Role::Import => Role::Import,
                    _ => Role::Qualifier,
                },
                (None, _) => object_role(inherited),
            };
            return (role, false, true);
        }
        if let Some(role) = given_child {
            return (role, false, false);
        }
        (pick(given, inherited), is_property, is_object)
    }

    /// What any node does, be it only a token: it may be a receiver, and uses up what stands before it.
    fn meet(&mut self, node: Node<'_>, rule: &KindRule, is_object: bool) -> Context {
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

    fn enter(
        &mut self,
        node: Node<'_>,
        rule: &'s KindRule,
        role: Role,
        is_property: bool,
        is_object: bool,
    ) -> Frame<'s> {
        let mut frame = Frame {
            rule,
            role,
            symbol: NONE,
            opens: self.opens.len() as u32,
            scopes: self.scope_stack.len() as u32,
            binders: self.binders.len() as u32,
            imports: self.import_paths.len() as u32,
            pending_binds: self.pending_binds.len() as u32,
            late_scope: NONE,
            named_children: 0,
            receiver: Receiver::None,
            member_row: NONE,
            stays: false,
            is_object,
            is_known: false,
            is_property,
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
            last_line: NONE,
            start_byte: node.start_byte() as u32,
        };
        // `a::b::c` may nest to the right: what a is to b, it is to the access that b begins.
        if is_property
            && rule.property != 0
            && let Some(parent) = self.frames.last()
        {
            frame.start_byte = parent.start_byte;
            frame.receiver = parent.receiver;
        }
        let mut context = self.meet(node, rule, is_object);
        if (is_property && rule.first_only.is_some()) || rule.shape == Shape::PassesReceiver {
            frame.receiver = self
                .frames
                .last()
                .map_or(Receiver::None, |parent| parent.receiver);
        }
        if !rule.has(bits::ACTION) {
            return frame;
        }
        let spec = rule.spec.expect("an action has a specification");
        if let Some(hook) = spec.hook {
            self.context = context;
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
        if spec.scope.is_some() {
            frame.section = Modifier::NONE;
        }
        if rule.shape == Shape::Arguments && self.last_call != NONE {
            let call = &self.out.identifiers[self.last_call as usize];
            if call.arguments == UNCOUNTED {
                frame.call = self.last_call;
            }
            self.last_call = NONE;
        }
        if let Some(field) = spec.import_path {
            self.import_paths
                .push(import_path(self.rules.child(node, field), self.source));
        }
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
        if spec.wraps || spec.binder.is_some() || spec.extent {
            frame.doc = context.doc;
            frame.modifier = context.modifier;
            frame.wrapper_start = context.start;
            frame.doc.shared = true;
        }
        let kind = spec
            .define
            .as_ref()
            .map(|define| defined_kind(self.rules, define, node));
        let scope = spec.scope.filter(|_| kind != Some(None));
        let type_scope = scope == Some(ScopeKind::Type);
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
        } else if type_scope && !self.parent_defines_type() {
            // A type without a name: no name leads to its members, only its own code does.
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
        if let Some(kind) = scope {
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
        if let Some(inside) = spec.inside {
            inside(self, node);
        }
        frame
    }

    fn leave(&mut self, frame: Frame<'s>) {
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

struct NewSymbol {
    name: Range<usize>,
    kind: SymbolKind,
    flags: u32,
    owner: Option<NameId>,
    start: Point,
    end: Point,
    bytes: Range<usize>,
    /// What it shares with declarations beside it, and its own.
    signature: Option<(Range<usize>, Range<usize>)>,
    doc: Option<Range<usize>>,
    modifier: Modifier,
}

#[derive(Clone, Copy, Default)]
struct Context {
    doc: Doc,
    modifier: Modifier,
    /// Where the signature starts.
    start: u32,
    /// Where it ends to be shared with other declarations of the same wrapper.
    head_end: u32,
    /// Where it starts to be this declaration's own.
    own_start: u32,
}

fn apply(symbol: &mut Symbol, modifier: Modifier) {
    // `final` on what cannot be assigned says something else.
    let is_fixed = matches!(
        symbol.kind,
        SymbolKind::Class
            | SymbolKind::Interface
            | SymbolKind::Enum
            | SymbolKind::Method
            | SymbolKind::Constructor
            | SymbolKind::Function
    );
    symbol.flags |= modifier.flags & if is_fixed { !flags::READONLY } else { !0 };
    if modifier.visibility.is_some() {
        symbol.visibility = modifier.visibility;
    }
    if let Some(kind) = modifier.kind
        && symbol.flags & flags::PARAMETER == 0
        && matches!(
            symbol.kind,
            SymbolKind::Variable | SymbolKind::Field | SymbolKind::Method | SymbolKind::Class
        )
    {
        symbol.kind = kind;
    }
}

fn pick(rule: Role, inherited: Role) -> Role {
    match rule {
        Role::Inherit => inherited,
        Role::TypeArgument if is_type_role(inherited) => Role::Type,
        Role::TypeArgument => Role::Read,
        rule => rule,
    }
}

/// Whether a place says that what stands in it is a type.
pub(crate) fn is_type_role(role: Role) -> bool {
    matches!(
        role,
        Role::Type | Role::Extends | Role::Implements | Role::ParameterType | Role::ReturnType
    )
}

/// The role of a member's name where the whole access has the role `inherited`.
fn member_role(inherited: Role) -> Role {
    match inherited {
        Role::Inherit | Role::Read => Role::Member,
        role => role,
    }
}

/// The role of a receiver where the whole access has the role `inherited`.
fn object_role(inherited: Role) -> Role {
    match inherited {
        Role::Import | Role::ImportBind | Role::ImportWhole => Role::Import,
        _ => Role::Read,
    }
}

fn meaning(role: Role, membered: bool) -> (IdentifierKind, Access, Option<RelationshipKind>) {
    use RelationshipKind as R;
    let plain = if membered {
        IdentifierKind::MemberAccess
    } else {
        IdentifierKind::VariableRef
    };
    match role {
        Role::WriteMember => (
            IdentifierKind::MemberAccess,
            Access::Write,
            Some(R::References),
        ),
        Role::Write | Role::Bind | Role::BindOrWrite | Role::BindHere | Role::Parameter => {
            (plain, Access::Write, Some(R::References))
        }
        Role::Call => (IdentifierKind::Call, Access::Call, Some(R::Calls)),
        Role::New => (
            IdentifierKind::Call,
            Access::Instantiate,
            Some(R::Instantiates),
        ),
        Role::Type | Role::SelfType => (IdentifierKind::TypeUsage, Access::Type, Some(R::Uses)),
        Role::Extends => (IdentifierKind::TypeUsage, Access::Type, Some(R::Extends)),
        Role::Implements => (IdentifierKind::TypeUsage, Access::Type, Some(R::Implements)),
        Role::ParameterType => (IdentifierKind::TypeUsage, Access::Type, Some(R::Parameter)),
        Role::ReturnType => (IdentifierKind::TypeUsage, Access::Type, Some(R::Returns)),
        Role::Import | Role::ImportBind | Role::ImportWhole => {
            (IdentifierKind::Import, Access::Import, None)
        }
        Role::OwnWrite => (
            IdentifierKind::MemberAccess,
            Access::Write,
            Some(R::References),
        ),
        Role::Value | Role::Qualifier => (plain, Access::Read, Some(R::References)),
        Role::Label => (plain, Access::Read, None),
        Role::Inherit
        | Role::Read
        | Role::ReadOrCall
        | Role::Global
        | Role::TypeArgument
        | Role::Outer
        | Role::Member
        | Role::OwnMember => {
            let kind = if matches!(role, Role::Member | Role::OwnMember) {
                IdentifierKind::MemberAccess
            } else {
                plain
            };
            (kind, Access::Read, Some(R::References))
        }
    }
}

/// What an import clause adds to the path: the bytes of this node, without quotes.
fn import_path(path: Option<Node<'_>>, source: &[u8]) -> Range<usize> {
    path.map_or(0..0, |path| unquote(path.byte_range(), source))
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
