//! The one pass over a file's tree: rows, scopes and name events from node kinds and roles.
//!
//! The walk keeps its own stack of [`Frame`]s, so depth costs heap and never the thread's stack. Three stacks lie
//! beside it: open symbols (what contains the rows to come), scopes, and binders (what a `Bind` leaf becomes).
//! Name lookup waits until the whole file is known; the walk records the events that [`resolve`](crate::resolve)
//! replays.

use std::ops::Range;

use rustc_hash::FxHashMap;
use tree_sitter::{Node, Point, Tree};

use crate::facts::{Identifier, NONE, NameId, Names, Receiver, Row, Symbol, Text, UNCOUNTED};
use crate::model::{Access, IdentifierKind, RelationshipKind, Resolution, SymbolKind, flags};
use crate::rules::{KindRule, Rules, bits};
use crate::spec::{
    BindScope, Binder, Declarator, Define, Defined, Modifier, Name, NodeSpec, Role, ScopeKind,
    Shape, Used, Visible,
};
use crate::text::{doc_text_range, signature, unquote};

/// A qualified name stops growing here; what is nested deeper starts anew behind an ellipsis.
const MAX_QUALIFIED_NAME: usize = 1024;

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
    /// The last name that was called.
    last_call: Row,
    /// Where the parameter starts that stands for the current object, and the name of its type.
    self_parameter: Option<(usize, NameId)>,
    /// Whether the declarator just entered leaves the kind of its name as it is.
    keeps_kind: bool,
    interned: FxHashMap<&'s [u8], NameId>,
    bound: FxHashMap<(u32, NameId), Row>,
    outer: FxHashMap<(u32, NameId), ()>,
    spaced: FxHashMap<(NameId, u8), NameId>,
    /// The sorts of names that imports bind here, where an import says it.
    import_spaces: Option<&'static [u8]>,
    /// What a hook says of the definition at its node, and of the roles below it.
    hooked: Modifier,
    hooked_roles: (Option<Role>, Option<Role>),
    /// What comes from before the node that a hook looks at.
    context: Context,
    out: Walked,
}

/// Walks a whole tree.
pub fn walk(rules: &Rules, source: &[u8], tree: &Tree) -> Walked {
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
        last_call: NONE,
        self_parameter: None,
        keeps_kind: false,
        interned: FxHashMap::default(),
        bound: FxHashMap::default(),
        outer: FxHashMap::default(),
        spaced: FxHashMap::default(),
        import_spaces: None,
        hooked: Modifier::NONE,
        hooked_roles: (None, None),
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
    walk.run(tree);
    walk.out.events.push(Event::Exit);
    walk.out
}

impl<'s> Walk<'s> {
    fn run(&mut self, tree: &Tree) {
        let has_errors = tree.root_node().has_error();
        let mut cursor = tree.walk();
        loop {
            let node = cursor.node();
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
                (None, _) => object_role(inherited),
            };
            return (role, false, true);
        }
        if let Some(role) = given_child {
            return (role, false, false);
        }
        (pick(given, inherited), is_property, is_object)
    }

    /// Makes sequential names visible that were bound since `from`.
    fn bind_pending(&mut self, from: usize) {
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

    /// Comments, modifiers and attributes: what is remembered for the definition to come.
    fn note_sibling(&mut self, rule: &KindRule, node: Node<'_>) {
        const INTERESTING: u16 =
            bits::COMMENT | bits::MODIFIER | bits::ATTRIBUTE | bits::RECEIVER | bits::BASE_RECEIVER;
        if rule.has(INTERESTING) {
            if rule.has(bits::COMMENT) {
                self.note_comment(node);
            }
            if rule.has(bits::MODIFIER) {
                self.modify(rule.modifier);
            }
            if rule.has(bits::ATTRIBUTE) {
                self.note_attribute(node);
            }
            return;
        }
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        if rule.has(bits::NAMED) {
            let end = node.end_position();
            frame.last_line = end.row.saturating_sub(usize::from(end.column == 0)) as u32;
        } else if frame.wrapper_start != NONE && self.source.get(node.start_byte()) == Some(&b'(') {
            // What stands before a group in parentheses documents the group.
            frame.doc.present = false;
            frame.head_end = frame.head_end.min(node.start_byte() as u32);
        }
    }

    fn note_comment(&mut self, node: Node<'_>) {
        let (start, mut end) = (node.start_byte() as u32, node.end_byte() as u32);
        let start_line = node.start_position().row as u32;
        let mut end_line = node.end_position().row as u32;
        // Some grammars let a line comment swallow its line break.
        if node.end_position().column == 0 && end_line > start_line {
            end_line -= 1;
        }
        while end > start && matches!(self.source[end as usize - 1], b'\n' | b'\r') {
            end -= 1;
        }
        let text = &self.source[start as usize..end as usize];
        let prefixes = self.rules.spec.doc_prefixes;
        let is_doc = prefixes.is_empty()
            || prefixes
                .iter()
                .any(|prefix| text.starts_with(prefix.as_bytes()));
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        let trails = frame.last_line == start_line && start_line > 0 && frame.last_line != NONE;
        if !is_doc || trails {
            frame.doc.present = false;
            return;
        }
        let continues =
            frame.doc.present && !frame.doc.shared && start_line <= frame.doc.end_line + 1;
        if !continues {
            frame.doc.start = start;
        }
        frame.doc = Doc {
            start: frame.doc.start,
            end,
            end_line,
            present: true,
            shared: false,
        };
    }

    fn note_attribute(&mut self, node: Node<'_>) {
        let text = &self.source[node.byte_range()];
        let mut modifier = Modifier::NONE;
        for &(pattern, found) in self.rules.spec.attribute_patterns {
            if memchr::memmem::find(text, pattern.as_bytes()).is_some() {
                modifier = modifier.and(found);
            }
        }
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        // Inside a definition or its modifiers it speaks of that definition, elsewhere of the next sibling.
        let declares = frame
            .rule
            .spec
            .and_then(|spec| spec.binder)
            .is_some_and(|binder| binder.declarators);
        if frame.symbol != NONE || declares || frame.rule.has(bits::MODIFIER_LIST) {
            self.modify(modifier);
        } else {
            frame.next_modifier = frame.next_modifier.and(modifier);
        }
        if let Some(frame) = self.frames.last_mut()
            && frame.doc.present
        {
            frame.doc.end_line = frame.doc.end_line.max(node.end_position().row as u32);
        }
    }

    /// Applies a modifier to the definition it stands in, or keeps it for the definition that a wrapper holds.
    pub(crate) fn modify(&mut self, modifier: Modifier) {
        if self
            .frames
            .last()
            .is_some_and(|frame| frame.rule.has(bits::SECTION))
        {
            return self.modify_section(modifier);
        }
        let Some(frame) = self
            .frames
            .iter_mut()
            .rev()
            .find(|frame| !frame.rule.has(bits::MODIFIER_LIST))
        else {
            return;
        };
        if frame.symbol == NONE {
            frame.modifier = frame.modifier.and(modifier);
        } else {
            let symbol = frame.symbol;
            apply(&mut self.out.symbols[symbol as usize], modifier);
        }
    }

    /// Applies a modifier to all definitions that follow in the innermost scope.
    pub(crate) fn modify_section(&mut self, modifier: Modifier) {
        if let Some(section) = self.sections.last_mut() {
            *section = modifier;
        }
    }

    /// Applies a modifier to the names that the enclosing binder is about to bind, not to a definition.
    pub(crate) fn modify_bound(&mut self, modifier: Modifier) {
        if self.frames.last().is_some_and(|frame| frame.symbol == NONE) {
            self.modify(modifier);
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
            is_property,
            binds_now: false,
            call: NONE,
            doc: Doc::default(),
            modifier: Modifier::NONE,
            next_modifier: Modifier::NONE,
            section: self.section(),
            object_role: None,
            child_role: None,
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
        if (is_property && rule.first_only.is_some()) || rule.shape == Shape::PassesReceiver {
            frame.receiver = self
                .frames
                .last()
                .map_or(Receiver::None, |parent| parent.receiver);
        }
        const BESIDE: u16 =
            bits::COMMENT | bits::ATTRIBUTE | bits::MODIFIER | bits::MODIFIER_LIST | bits::SECTION;
        let context = if rule.has(bits::NAMED) && !rule.has(BESIDE) {
            self.take_context(node, rule)
        } else {
            Context::default()
        };
        if !rule.has(bits::ACTION) {
            return frame;
        }
        let spec = rule.spec.expect("an action has a specification");
        let mut context = context;
        if let Some(hook) = spec.hook {
            self.context = context;
            frame.role = hook(self, node, role);
            let said = std::mem::take(&mut self.hooked);
            (frame.object_role, frame.child_role) = std::mem::take(&mut self.hooked_roles);
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
                .push(import_path(node, field, self.source));
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
            .map(|define| defined_kind(define, node));
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
                    .any(|body| node.child_by_field_name(body).is_some());
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

    /// The declarator that is being entered says nothing of the kind of its name; for hooks.
    pub(crate) fn keep_kind(&mut self) {
        self.keeps_kind = true;
    }

    /// Below a declarator the names of the declaration around it may become something else.
    fn enter_declarator(&mut self, declarator: Declarator) {
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

    fn leave(&mut self, frame: Frame<'s>) {
        while self.scope_stack.len() > frame.scopes as usize {
            self.sections.pop();
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
        if !frame.is_object || frame.receiver == Receiver::None {
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

    // Definitions.

    /// Doc comment, modifiers and start that come from before the node. They are used up, unless they stand before a
    /// wrapper and hold for all that is in it.
    fn take_context(&mut self, node: Node<'_>, rule: &KindRule) -> Context {
        let declares = rule.spec.is_some_and(|spec| {
            spec.define.is_some()
                || spec.binder.is_some()
                || spec.extent
                || spec.wraps
                || spec.hook.is_some()
        });
        let start = if declares {
            self.after_attributes(node)
        } else {
            node.start_byte() as u32
        };
        let mut context = Context {
            start,
            own_start: start,
            ..Context::default()
        };
        let Some(parent) = self.frames.last_mut() else {
            return context;
        };
        let wrapped = parent.rule.spec.is_some_and(|spec| spec.wraps);
        if wrapped && !declares {
            // What stands between a wrapper's words and the definition in it (a field's type).
            return context;
        }
        context.modifier = parent.next_modifier;
        parent.next_modifier = Modifier::NONE;
        let binder = parent.rule.spec.and_then(|spec| spec.binder);
        if parent.doc.present && !binder.is_some_and(|binder| binder.declarators) {
            let shared = wrapped && parent.doc.shared;
            if shared || parent.doc.end_line + 1 >= node.start_position().row as u32 {
                context.doc = parent.doc;
            }
            parent.doc.present = shared;
        }
        if wrapped {
            context.modifier = parent.modifier.and(context.modifier);
            context.start = start.min(parent.wrapper_start);
            parent.head_end = parent.head_end.min(start);
            context.head_end = parent.head_end;
        }
        context
    }

    /// Where a declaration starts without the attributes before its first word.
    fn after_attributes(&self, node: Node<'_>) -> u32 {
        let start = node.start_byte() as u32;
        if self.rules.spec.attributes.is_empty() {
            return start;
        }
        let mut cursor = node.walk();
        if !cursor.goto_first_child() {
            return start;
        }
        loop {
            let child = cursor.node();
            let rule = self.rules.kind(child.kind_id());
            // A word among the attributes (Rust's `pub`) is part of the signature.
            let is_word = self.source[child.start_byte()].is_ascii_alphabetic();
            if rule.has(bits::ATTRIBUTE | bits::COMMENT) && !is_word {
                while !cursor.goto_next_sibling() {
                    if !cursor.goto_parent() || cursor.node() == node {
                        return start;
                    }
                }
            } else if !rule.has(bits::MODIFIER_LIST) || !cursor.goto_first_child() {
                return child.start_byte() as u32;
            }
        }
    }

    fn parent_defines_type(&self) -> bool {
        self.frames.last().is_some_and(|parent| {
            parent.symbol != NONE && self.out.symbols[parent.symbol as usize].kind.is_type()
        })
    }

    fn define_node(
        &mut self,
        node: Node<'_>,
        define: &Define,
        mut kind: SymbolKind,
        name: Range<usize>,
        context: Context,
        spec: &NodeSpec,
    ) -> Row {
        // The body of a variable that holds a function is the function's.
        let holder = define
            .only_with
            .and_then(|(field, _)| node.child_by_field_name(field));
        let holder = holder.unwrap_or(node);
        let holds_body = define
            .only_with
            .is_some_and(|(field, _)| define.body.contains(&field));
        let body = if holds_body {
            Some(holder)
        } else {
            define.body.iter().find_map(|path| {
                path.split('.')
                    .try_fold(holder, |node, field| node.child_by_field_name(field))
            })
        };
        let body = match define.body_at {
            Some(at) => self.find_name(node, at).map(|body| body.start),
            None => body.map(|body| body.start_byte()),
        };
        let signature_end = match body {
            Some(body) => self.end_before(holder, body),
            None => self.end_without_body(node),
        };
        let in_type = self.in_type();
        if in_type && let Some(member) = define.in_type {
            kind = member;
        }
        let mut modifier = context.modifier;
        let mut define_flags = define.flags;
        if matches!(kind, SymbolKind::Function | SymbolKind::Method) {
            if define.flags & flags::STATIC == 0 {
                modifier = self.section().and(modifier);
            }
            if self.top().defines_static {
                define_flags |= flags::STATIC;
            }
        }
        if define.until_parent_ends {
            let base = self.frames.last().map_or(0, |parent| parent.opens as usize);
            let keep = base + usize::from(self.frames.last().is_some_and(|p| p.symbol != NONE));
            self.opens.truncate(keep);
        }
        let owner = match define.owner {
            Some(owner) => self.find_name(node, owner).map(|range| self.intern(range)),
            None => None,
        };
        if owner.is_some()
            && let Some(member) = define.in_type
        {
            kind = member;
        }
        // What belongs to the file as a whole has nothing around it.
        let opens = match define.scope {
            BindScope::File => std::mem::take(&mut self.opens),
            _ => Vec::new(),
        };
        if body.is_none() {
            define_flags |= define.without_body;
        }
        let inner_doc = self.rules.spec.doc_in_body.and_then(|doc| doc(node));
        let outer_doc = context.doc.range();
        let symbol = self.add_symbol(NewSymbol {
            name: name.clone(),
            kind,
            flags: define_flags,
            owner,
            start: node.start_position(),
            end: node.end_position(),
            bytes: node.start_byte()..node.end_byte(),
            signature: Some((
                context.start as usize..context.head_end.min(context.own_start) as usize,
                context.own_start as usize..signature_end,
            )),
            doc: inner_doc.or(outer_doc),
            modifier,
        });
        if define.scope == BindScope::File {
            self.opens = opens;
        }
        let hidden = define.hidden_by.is_some_and(|kind| {
            let mut cursor = node.walk();
            node.named_children(&mut cursor)
                .any(|child| child.kind() == kind)
        });
        if hidden {
            self.out.symbols[symbol as usize].hidden = true;
        }
        let visible = if hidden || (define.unbound_in_type && in_type) {
            Visible::Never
        } else {
            define.visible
        };
        let scope = self.bind_scope(define.scope);
        self.bind(symbol, scope, visible, spec.tag);
        self.pending_names.push(name);
        if let (Some(parameter), Some(owner)) = (define.self_parameter, owner) {
            let range = self.find_name(node, parameter);
            self.self_parameter = range.map(|range| (range.start, owner));
        }
        let row = &self.out.symbols[symbol as usize];
        let (kind, qualified_name) = (row.kind, row.qualified_name);
        let is_type = kind.is_type() || spec.scope == Some(ScopeKind::Type);
        let is_function = matches!(
            kind,
            SymbolKind::Function
                | SymbolKind::Method
                | SymbolKind::Constructor
                | SymbolKind::Property
        );
        let is_static = if is_function && in_type {
            row.flags & flags::STATIC != 0
        } else {
            is_type || self.top().is_static
        };
        let enclosing_type = if is_type {
            row.name
        } else {
            owner.unwrap_or_else(|| self.enclosing_type())
        };
        let type_name = if kind.is_namespace() {
            self.out.symbols[symbol as usize].name
        } else {
            enclosing_type
        };
        self.opens.push(Open {
            symbol,
            kind: Some(kind),
            is_type,
            is_static,
            defines_static: false,
            scopes: self.scope_stack.len() as u32,
            type_name,
            enclosing_type,
            qualified_name,
            scope: NONE,
        });
        symbol
    }

    /// The end of what stands before `at` in a node, comments aside.
    fn end_before(&self, node: Node<'_>, at: usize) -> usize {
        let mut cursor = node.walk();
        let mut end = at;
        for child in node
            .children(&mut cursor)
            .take_while(|child| child.start_byte() < at)
        {
            if !self.rules.kind(child.kind_id()).has(bits::COMMENT) {
                end = child.end_byte().min(at);
            }
        }
        end
    }

    /// The end of a definition without a body, for the signature: an `end` is none of it.
    fn end_without_body(&self, node: Node<'_>) -> usize {
        let last = node
            .child_count()
            .checked_sub(1)
            .and_then(|last| node.child(last));
        match last {
            Some(last) if last.kind() == "end" => self.end_before(node, last.start_byte()),
            _ => node.end_byte(),
        }
    }

    /// What a section says of the next method under the current parent.
    fn section(&self) -> Modifier {
        self.frames
            .last()
            .map_or(Modifier::NONE, |parent| parent.section)
    }

    /// Whether a definition here is a member: directly in a type's body, or in a block in it.
    fn in_type(&self) -> bool {
        match self.scope_kind() {
            ScopeKind::Type => true,
            ScopeKind::Block => self.top().is_type,
            _ => false,
        }
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

    fn add_symbol(&mut self, mut new: NewSymbol) -> Row {
        self.trim_line_break(&mut new);
        let plain_name = self.intern(new.name.clone());
        let outer = self.top();
        let parent = self.containing();
        let in_type = self.in_type();
        let mut kind = new.kind;
        if self.scope_kind() == ScopeKind::Type
            && kind == SymbolKind::Variable
            && new.flags & (flags::PARAMETER | flags::LOCAL) == 0
        {
            kind = SymbolKind::Field;
        }
        // A type's body that is defined elsewhere files its members under that type's name.
        let owner = new.owner.unwrap_or(if in_type && outer.symbol == NONE {
            outer.type_name
        } else {
            NONE
        });
        // What a file of a namespace imports is no part of the namespace.
        let is_foreign = kind == SymbolKind::Import && outer.kind == Some(SymbolKind::Namespace);
        let qualified_name = if is_foreign {
            Text::source(new.name.clone())
        } else {
            self.qualify(outer.qualified_name, new.name.clone(), new.owner)
        };
        let text = &self.source[new.name.clone()];
        let is_constructor = |kind| {
            matches!(kind, SymbolKind::Method)
                && self.rules.spec.constructors.iter().any(|constructor| {
                    if constructor.is_empty() {
                        let of = new.owner.unwrap_or(outer.type_name);
                        self.out.names.get(of as usize)
                            == Some(&self.out.names[plain_name as usize])
                    } else {
                        text == constructor.as_bytes()
                    }
                })
        };
        if is_constructor(kind) {
            kind = SymbolKind::Constructor;
        }
        let local =
            matches!(kind, SymbolKind::Variable | SymbolKind::Constant) && self.in_function();
        let flags = new.flags | if local { flags::LOCAL } else { 0 };
        let mut symbol = Symbol {
            name: plain_name,
            name_bytes: (new.name.start as u32, new.name.end as u32),
            kind,
            visibility: None,
            flags,
            parent,
            owner,
            holder: NONE,
            hidden: false,
            arity: 0,
            variadic: false,
            start_byte: new.bytes.start as u32,
            end_byte: new.bytes.end as u32,
            start_line: new.start.row as u32 + 1,
            end_line: new.end.row as u32 + 1,
            start_column: new.start.column as u32,
            end_column: new.end.column as u32,
            signature: Text::default(),
            doc_comment: Text::default(),
            qualified_name,
            code_context: Text::default(),
            id: [0; 16],
        };
        if flags & (flags::LOCAL | flags::PARAMETER) == 0 {
            apply(
                &mut symbol,
                self.sections.last().copied().unwrap_or_default(),
            );
        }
        apply(&mut symbol, new.modifier);
        let space = (self.rules.spec.space_of_symbol)(symbol.kind, symbol.flags);
        let name = self.in_space(plain_name, space);
        symbol.name = name;
        if let Some((head, own)) = new.signature {
            symbol.signature = signature(self.source, head, own, &mut self.out.arena);
        }
        if let Some(range) = new.doc {
            for &(pattern, modifier) in self.rules.spec.doc_patterns {
                if memchr::memmem::find(&self.source[range.clone()], pattern.as_bytes()).is_some() {
                    apply(&mut symbol, modifier);
                }
            }
            symbol.doc_comment = Text::source(doc_text_range(self.source, range));
        }
        let row = self.out.symbols.len() as Row;
        let flags = symbol.flags;
        self.out.symbols.push(symbol);
        let owner_name = if owner != NONE {
            owner
        } else if in_type || outer.kind.is_some_and(SymbolKind::is_namespace) {
            outer.type_name
        } else {
            NONE
        };
        if owner_name != NONE && !is_foreign && flags & (flags::LOCAL | flags::PARAMETER) == 0 {
            if owner == NONE {
                self.out.symbols[row as usize].holder = outer.symbol;
            }
            self.out.members.entry((outer.symbol, name)).or_insert(row);
        }
        row
    }

    /// A directive's node ends after its line break; the definition ends before.
    fn trim_line_break(&self, new: &mut NewSymbol) {
        let text = &self.source[new.bytes.clone()];
        if new.end.column > 0 || new.end.row <= new.start.row || !text.ends_with(b"\n") {
            return;
        }
        let text = text.trim_ascii_end();
        let line_start = memchr::memrchr(b'\n', text).map_or(0, |at| at + 1);
        new.bytes.end = new.bytes.start + text.len();
        new.end.row = new.start.row + memchr::memchr_iter(b'\n', text).count();
        new.end.column =
            text.len() - line_start + if line_start == 0 { new.start.column } else { 0 };
    }

    /// Decides what only a finished definition shows: the default visibility and flags by name.
    pub fn finish_symbols(walked: &mut Walked, rules: &Rules, source: &[u8]) {
        for row in 0..walked.symbols.len() {
            let symbol = &walked.symbols[row];
            let parent = walked
                .symbols
                .get(symbol.parent as usize)
                .map(|parent| parent.kind);
            let name = walked.names[symbol.name as usize];
            let defined = Defined {
                name: crate::facts::resolve(source, &walked.arena, name),
                kind: symbol.kind,
                parent: if symbol.owner == NONE {
                    parent
                } else {
                    Some(SymbolKind::Type)
                },
                flags: symbol.flags,
                signature: crate::facts::resolve(source, &walked.arena, symbol.signature),
                doc_comment: crate::facts::resolve(source, &walked.arena, symbol.doc_comment),
            };
            let visibility = if symbol.flags & (flags::LOCAL | flags::PARAMETER) != 0
                || symbol.kind == SymbolKind::Import
            {
                symbol.visibility
            } else {
                symbol
                    .visibility
                    .or_else(|| (rules.spec.default_visibility)(defined))
            };
            let extra = (rules.spec.extra_flags)(defined);
            let kind = (rules.spec.final_kind)(defined);
            let symbol = &mut walked.symbols[row];
            symbol.visibility = visibility;
            symbol.flags |= extra;
            symbol.kind = kind;
        }
    }

    fn qualify(&mut self, outer: Text, name: Range<usize>, owner: Option<NameId>) -> Text {
        let in_namespace = self.top().kind.is_some_and(SymbolKind::is_namespace);
        let arena = &mut self.out.arena;
        let start = arena.len();
        let spec = self.rules.spec;
        let separator = spec.separator.as_bytes();
        let after_outer = match spec.namespace_separator {
            Some(separator) if in_namespace => separator.as_bytes(),
            _ => separator,
        };
        if !outer.is_empty() {
            let outer = crate::facts::resolve(self.source, arena, outer);
            if outer.len() > MAX_QUALIFIED_NAME {
                arena.extend_from_slice("…".as_bytes());
            } else {
                let outer = outer.to_vec();
                arena.extend_from_slice(&outer);
            }
            arena.extend_from_slice(after_outer);
        }
        if let Some(owner) = owner {
            let owner = crate::facts::resolve(self.source, arena, self.out.names[owner as usize]);
            let owner = owner.to_vec();
            arena.extend_from_slice(&owner);
            arena.extend_from_slice(separator);
        }
        arena.extend_from_slice(&self.source[name]);
        Text::arena(start..self.out.arena.len())
    }

    /// Defines a symbol at a place that no rule describes; for hooks. The name's tokens become no identifier rows.
    pub(crate) fn define_at(
        &mut self,
        node: Node<'_>,
        name: Range<usize>,
        kind: SymbolKind,
        binds: bool,
    ) -> Row {
        let doc = Some(self.context.doc).filter(|doc| doc.present);
        let is_static = kind == SymbolKind::Property && self.top().defines_static;
        let symbol = self.add_symbol(NewSymbol {
            name: name.clone(),
            kind,
            flags: if is_static { flags::STATIC } else { 0 },
            owner: None,
            start: node.start_position(),
            end: node.end_position(),
            bytes: node.start_byte()..node.end_byte(),
            signature: Some((0..0, node.start_byte()..node.end_byte())),
            doc: doc.map(|doc| doc.start as usize..doc.end as usize),
            modifier: if kind == SymbolKind::Property {
                self.section()
            } else {
                Modifier::NONE
            },
        });
        if binds {
            let scope = self.bind_scope(BindScope::Innermost);
            self.bind(symbol, scope, Visible::Hoisted, false);
        }
        self.pending_names.push(name);
        symbol
    }

    /// Defines a field of the enclosing type at a token that is something else too (a constructor's parameter).
    pub(crate) fn define_field(&mut self, node: Node<'_>, name: &Range<usize>) -> bool {
        self.field_by_assignment(node, name)
    }

    /// The definition around the current node takes any number of arguments.
    pub(crate) fn mark_variadic(&mut self) {
        if let Some(open) = self.opens.last()
            && open.symbol != NONE
            && self.scope_stack.last() == Some(&open.scope)
        {
            self.out.symbols[open.symbol as usize].variadic = true;
        }
    }

    /// Adds flags to the definition around the current node.
    pub(crate) fn mark(&mut self, flags: u32) {
        let row = self.containing();
        if let Some(symbol) = self.out.symbols.get_mut(row as usize) {
            symbol.flags |= flags;
        }
    }

    /// The innermost scope has this name without declaring it; it means nothing else there.
    pub(crate) fn hide(&mut self, name: &'static [u8]) {
        let next = self.out.names.len() as NameId;
        let name = *self.interned.entry(name).or_insert_with(|| {
            let start = self.out.arena.len();
            self.out.arena.extend_from_slice(name);
            let text = Text::arena(start..self.out.arena.len());
            self.out.names.push(text);
            next
        });
        self.out.bindings.push(Binding {
            name,
            symbol: NONE,
            scope: self.bind_scope(BindScope::Innermost),
            visible: Visible::Hoisted,
            tag: false,
            closed: false,
        });
    }

    /// The kind of the node around the current one, where it has a rule.
    pub(crate) fn parent_kind(&self) -> Option<&'static str> {
        let spec = self.frames.last()?.rule.spec?;
        Some(spec.kind)
    }

    /// The same with a signature, the node's doc comment and modifiers.
    pub(crate) fn define_field_as(
        &mut self,
        node: Node<'_>,
        name: &Range<usize>,
        modifier: Modifier,
    ) {
        if !self.field_by_assignment(node, name) {
            return;
        }
        let start = self.after_attributes(node) as usize;
        let signature = signature(
            self.source,
            start..start,
            start..node.end_byte(),
            &mut self.out.arena,
        );
        let doc = self.context.doc;
        let Some(symbol) = self.out.symbols.last_mut() else {
            return;
        };
        apply(symbol, modifier);
        symbol.signature = signature;
        symbol.start_byte = node.start_byte() as u32;
        symbol.end_byte = node.end_byte() as u32;
        if doc.present {
            let range = doc_text_range(self.source, doc.start as usize..doc.end as usize);
            symbol.doc_comment = Text::source(range);
        }
    }

    /// The flags of the definition around the hook's node.
    pub(crate) fn outer_flags(&self) -> u32 {
        self.out
            .symbols
            .get(self.top().symbol as usize)
            .map_or(0, |symbol| symbol.flags)
    }

    /// Says that the hook's node is the current object or type, if it is a receiver.
    pub(crate) fn receive_own(&mut self) {
        self.receive(self.own_receiver());
    }

    /// Says that the hook's node is the current object as its base types define it, if it is a receiver.
    pub(crate) fn receive_base(&mut self) {
        self.receive(match self.own_receiver() {
            Receiver::Own(name) => Receiver::Base(name),
            other => other,
        });
    }

    fn receive(&mut self, receiver: Receiver) {
        if let Some(parent) = self.frames.last_mut()
            && parent.receiver == Receiver::Other
        {
            parent.receiver = receiver;
        }
    }

    /// The sorts of names that the imports from here on bind.
    pub(crate) fn import_into(&mut self, spaces: &'static [u8]) {
        self.import_spaces = Some(spaces);
    }

    /// Says more of the definition at the hook's own node.
    pub(crate) fn modify_own(&mut self, modifier: Modifier) {
        self.hooked = self.hooked.and(modifier);
    }

    /// Says more of the next definition under the same parent.
    pub(crate) fn modify_next(&mut self, modifier: Modifier) {
        if let Some(parent) = self.frames.last_mut() {
            parent.next_modifier = parent.next_modifier.and(modifier);
        }
    }

    /// Says more of the innermost definition around the hook's node, if it is a function.
    pub(crate) fn modify_function(&mut self, modifier: Modifier) {
        let Open {
            symbol,
            kind,
            scopes,
            ..
        } = self.top();
        let function = self
            .scope_stack
            .iter()
            .rposition(|scope| self.out.scopes[*scope as usize].kind == ScopeKind::Function);
        // A function without a name may lie in between.
        let is_own = function.is_none_or(|function| function as u32 <= scopes);
        if is_own
            && matches!(
                kind,
                Some(SymbolKind::Function | SymbolKind::Method | SymbolKind::Constructor)
            )
        {
            apply(&mut self.out.symbols[symbol as usize], modifier);
        }
    }

    /// Gives roles to the receiver and to the other children of the hook's node, whatever its rule says.
    pub(crate) fn give_roles(&mut self, object: Option<Role>, others: Option<Role>) {
        self.hooked_roles = (object, others);
    }

    /// From here to the end of the hook's node, methods belong to the enclosing type and not to its instances.
    pub(crate) fn open_static(&mut self) {
        self.opens.push(Open {
            is_static: true,
            defines_static: true,
            ..self.top()
        });
    }

    /// The sort of methods defined here: one of instances or one of the type itself.
    pub(crate) fn instance_space(&self, instance: u8, of_type: u8) -> u8 {
        if self.top().defines_static {
            of_type
        } else {
            instance
        }
    }

    /// Whether the hook's node stands directly in the body of a type.
    pub(crate) fn is_in_type(&self) -> bool {
        self.in_type() && self.top().is_type
    }

    /// Finds a member of the enclosing type by name and sort, and says more of it.
    pub(crate) fn modify_member(&mut self, name: Range<usize>, space: u8, modifier: Modifier) {
        let name = self.intern(name);
        let name = self.in_space(name, space);
        if let Some(&row) = self.out.members.get(&(self.containing(), name)) {
            apply(&mut self.out.symbols[row as usize], modifier);
        }
    }

    /// Lets a member of the enclosing type also be found under another name or sort.
    pub(crate) fn file_member(&mut self, row: Row, name: Range<usize>, space: u8) {
        let name = self.intern(name);
        let name = self.in_space(name, space);
        let holder = self.containing();
        self.out.members.entry((holder, name)).or_insert(row);
        self.out.aliases.push((holder, name, row));
    }

    /// The symbol that the parent of the hook's node defines.
    pub(crate) fn parent_symbol(&self) -> Option<Row> {
        self.frames
            .last()
            .map(|parent| parent.symbol)
            .filter(|row| *row != NONE)
    }

    /// Says more of a symbol.
    pub(crate) fn modify_symbol(&mut self, row: Row, modifier: Modifier) {
        apply(&mut self.out.symbols[row as usize], modifier);
    }

    /// Adds to the path of the imports below the hook's node.
    pub(crate) fn push_import_path(&mut self, part: Range<usize>) {
        self.import_paths.push(part);
    }

    /// The role of the node around the current one.
    pub(crate) fn parent_role(&self) -> Option<Role> {
        Some(self.frames.last()?.role)
    }

    /// Records that an import symbol imports `path`.
    pub(crate) fn add_import(&mut self, symbol: Row, path: Range<usize>) {
        self.out.imports.push((symbol, Text::source(path)));
    }

    // Leaves.

    /// A name with something before it, see [`LanguageSpec::sigils`](crate::spec::LanguageSpec::sigils).
    fn sigil(
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

    fn leaf(
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
        let role = match role {
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
            Role::Type if self.is_soft_keyword(&range) => Role::Label,
            Role::Extends | Role::Implements => {
                let derived = self.top().kind.unwrap_or(SymbolKind::Class);
                (self.rules.spec.base_role)(&self.source[range.clone()], derived, role)
            }
            Role::BindHere if !(self.rules.spec.binds)(&self.source[range.clone()]) => Role::Write,
            // The key of a pattern names a member of what is taken apart.
            Role::Bind | Role::Parameter if rule.leaf == Role::Member && !each => Role::Member,
            Role::Bind | Role::Parameter
                if !(self.rules.spec.binds)(&self.source[range.clone()]) =>
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
        let membered = is_property || own || rule.leaf == Role::Member;
        let receiver = match role {
            Role::Label | Role::Import => Receiver::Other,
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
            space: placed.map_or(0, |spec| spec.space),
            is_receiver: is_object,
            is_member: is_property,
            of_name: matches!(receiver, Receiver::Row(_)),
            in_static: self.top().is_static,
        });
        let name = self.intern(range.clone());
        let name = self.in_space(name, space);
        let derived = match role {
            Role::Extends | Role::Implements => self.derived_type(),
            _ => NONE,
        };
        let own_type = self.own_type(&range, role);
        let receiver = if own_type == NONE {
            receiver
        } else {
            Receiver::Other
        };
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

    /// Whether the sign follows that makes a name in this place a label.
    fn is_label(&self, name: &Range<usize>) -> bool {
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

    fn is_soft_keyword(&self, name: &Range<usize>) -> bool {
        let text = &self.source[name.clone()];
        let words = self.rules.spec.soft_keywords;
        words.iter().any(|word| word.as_bytes() == text)
    }

    /// Whether the innermost scope binds the name already; a function's body and its parameters count as one.
    fn is_bound_here(&mut self, range: &Range<usize>) -> bool {
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

    /// The enclosing type, where a type's name says that it is meant.
    fn own_type(&self, range: &Range<usize>, role: Role) -> Row {
        let names = self.rules.spec.own_type_names;
        let means_type = is_type_role(role) || role == Role::New;
        if !means_type
            || !names
                .iter()
                .any(|name| name.as_bytes() == &self.source[range.clone()])
        {
            return NONE;
        }
        self.opens
            .iter()
            .rev()
            .find(|open| open.is_type)
            .map_or(NONE, |open| open.symbol)
    }

    /// Lets this function see a variable of the function around it.
    fn capture(&mut self, range: &Range<usize>) -> bool {
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
    fn read_or_call(&mut self, range: &Range<usize>) -> Role {
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

    fn is_predefined(&self, range: &Range<usize>) -> bool {
        let text = &self.source[range.clone()];
        self.rules
            .spec
            .predefined
            .iter()
            .any(|name| name.as_bytes() == text)
    }

    fn instantiates(&self, range: &Range<usize>) -> bool {
        self.rules
            .spec
            .call_instantiates
            .is_some_and(|test| test(&self.source[range.clone()]))
    }

    /// Whether the innermost function, module or type binds the name, itself or in a block around here.
    fn is_bound_in_function(&self, name: NameId) -> bool {
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

    /// A definition's name that is more than one token (an operator's), where the role is to bind or where a rule has
    /// defined it already. The tokens in it become no identifier rows.
    pub(crate) fn name_whole(
        &mut self,
        node: Node<'_>,
        name: Range<usize>,
        role: Role,
        kind: Option<SymbolKind>,
    ) {
        if self.is_pending_name(&name) {
            if let (Some(kind), Some(open)) = (kind, self.opens.last_mut()) {
                open.kind = Some(kind);
                self.out.symbols[open.symbol as usize].kind = kind;
            }
        } else if role == Role::Bind {
            if let (Some(kind), Some(open)) = (kind, self.binders.last_mut()) {
                open.binder.kind = kind;
                open.binder.flags |= flags::ABSTRACT;
            }
            self.bind_leaf(node, name.clone());
            self.pending_names.push(name);
        }
    }

    fn is_pending_name(&mut self, range: &Range<usize>) -> bool {
        while let Some(name) = self.pending_names.last() {
            if range.start >= name.end {
                self.pending_names.pop();
                continue;
            }
            return name.contains(&range.start);
        }
        false
    }

    fn bind_leaf(&mut self, node: Node<'_>, range: Range<usize>) {
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
            None => own_extent(Binder {
                kind: SymbolKind::Variable,
                visible: Visible::Hoisted,
                scope: BindScope::Innermost,
                flags: 0,
                visibility: None,
                each: true,
                declarators: false,
            }),
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
    }

    /// What the rest of the declarator holds is contained in the symbol that it names.
    fn open_declared(&mut self, symbol: Row, binder_frame: usize) {
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

    /// Whether the declaration only adds a type to a parameter that was named before (in C before 1989).
    fn redeclares_parameter(&mut self, name: &Range<usize>) -> bool {
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

    fn add_bound(&mut self, open: OpenBinder, name: Range<usize>) -> Row {
        let frame = self.frames.get(open.frame);
        let doc = frame.map(|frame| frame.doc).filter(|doc| doc.present);
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

    fn parameter_leaf(&mut self, node: Node<'_>, range: Range<usize>) {
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

    fn import_leaf(&mut self, node: Node<'_>, range: Range<usize>, role: Role, is_property: bool) {
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
            modifier: Modifier::NONE,
        });
        let scope = self.bind_scope(BindScope::Innermost);
        self.bind(symbol, scope, Visible::Hoisted, false);
        self.out.imports.push((symbol, path));
    }

    /// What a name imports: the paths of the clauses around it and, unless it is an alias, the name itself.
    fn imported_path(&mut self, name: Range<usize>, role: Role, is_property: bool) -> Text {
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
            if part.is_empty() {
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
    fn declare_by_assignment(&mut self, node: Node<'_>, range: &Range<usize>) -> bool {
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

    /// `self.name = …` defines a field of the enclosing type, the first time.
    fn field_by_assignment(&mut self, node: Node<'_>, range: &Range<usize>) -> bool {
        let type_name = self.enclosing_type();
        if type_name == NONE {
            return false;
        }
        let name = self.intern(range.clone());
        let space = (self.rules.spec.space_of_symbol)(SymbolKind::Field, 0);
        let name = self.in_space(name, space);
        let recent = self.opens.len().saturating_sub(MAX_LOOKBACK);
        let Some(at) = self.opens[recent..]
            .iter()
            .rposition(|open| open.enclosing_type == type_name && open.is_type)
        else {
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
        self.out.symbols[symbol as usize].holder = holder;
        self.scope_stack = scopes;
        self.opens.extend(inner);
        true
    }

    // Scopes and names.

    pub(crate) fn open_scope(&mut self, kind: ScopeKind) {
        let scope = self.new_scope(kind);
        self.out.events.push(Event::Enter(scope));
    }

    /// Opens a scope for what is bound from here on; its names are seen later.
    fn new_scope(&mut self, kind: ScopeKind) -> u32 {
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

    fn bind_scope(&self, scope: BindScope) -> u32 {
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

    fn bind(&mut self, symbol: Row, scope: u32, visible: Visible, tag: bool) {
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
            && let Some(spaces) = self.import_spaces
        {
            for &space in spaces {
                let name = self.in_space(name, space);
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
            let space = (spec.space_of_symbol)(SymbolKind::Function, 0);
            let name = self.in_space(name, space);
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

    fn add_binding(&mut self, new: Binding, now: bool) {
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

    fn top(&self) -> Open {
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

    fn containing(&self) -> Row {
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

    fn own_receiver(&self) -> Receiver {
        match self.top().type_name {
            NONE => Receiver::Other,
            name => Receiver::Own(name),
        }
    }

    fn base_receiver(&self) -> Receiver {
        match self.own_receiver() {
            Receiver::Own(name) => Receiver::Base(name),
            receiver => receiver,
        }
    }

    /// In the head of a type's body that is defined elsewhere, what it extends is said of that type.
    fn derived_type(&self) -> NameId {
        let open = self.top();
        if open.symbol == NONE {
            open.type_name
        } else {
            NONE
        }
    }

    fn set_parent_receiver(&mut self, receiver: Receiver) {
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
    fn in_space(&mut self, name: NameId, space: u8) -> NameId {
        if space == 0 {
            return name;
        }
        let next = self.out.names.len() as NameId;
        *self.spaced.entry((name, space)).or_insert_with(|| {
            self.out.names.push(self.out.names[name as usize]);
            next
        })
    }

    /// The bytes of a definition's name.
    pub(crate) fn find_name(&self, node: Node<'_>, name: Name) -> Option<Range<usize>> {
        let found = match name {
            Name::Field(field) => node.child_by_field_name(field)?,
            Name::Descend(field) => {
                let mut at = node.child_by_field_name(field)?;
                while let Some(inner) = at.child_by_field_name(field) {
                    at = inner;
                }
                at
            }
            Name::Child(kinds) => {
                let mut cursor = node.walk();
                node.named_children(&mut cursor)
                    .find(|child| kinds.contains(&child.kind()))?
            }
            Name::Find(find) => return find(node, self.source),
        };
        Some(unquote(found.byte_range(), self.source))
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

/// What an import clause adds to the path: the bytes of `field` below the node, without quotes.
fn import_path(node: Node<'_>, field: &str, source: &[u8]) -> Range<usize> {
    node.child_by_field_name(field)
        .map_or(0..0, |path| unquote(path.byte_range(), source))
}

/// The kind that a definition has here, if it is one.
fn defined_kind(define: &Define, node: Node<'_>) -> Option<SymbolKind> {
    let Some((field, kinds)) = define.only_with else {
        return Some(define.kind);
    };
    let value = node.child_by_field_name(field)?.kind();
    kinds
        .iter()
        .find(|(kind, _)| *kind == value)
        .map(|(_, kind)| *kind)
}
