//! The one pass over a file's tree: rows, scopes and name events from node kinds and roles.
//!
//! The walk keeps its own stack of [`Frame`]s, so depth costs heap and never the thread's stack. Three stacks lie
//! beside it: open symbols (what contains the rows to come), scopes, and binders (what a `Bind` leaf becomes).
//! Name lookup waits until the whole file is known; the walk records the events that [`resolve`](crate::resolve)
//! replays.

use std::ops::Range;

use rustc_hash::FxHashMap;
use tree_sitter::Tree;

use crate::facts::{NONE, NameId, Row};
use crate::masks::{Masks, Word};
use crate::rules::{Rules, bits};
use crate::spec::{Modifier, Role, ScopeKind};

mod bind;
mod context;
mod define;
mod enter;
mod hooks;
mod import;
mod leaf;
mod objects;
mod role;
mod scope;
mod state;
mod symbol;
mod walked;

pub(crate) use self::objects::Found;
pub(crate) use self::role::is_type_role;
pub use self::symbol::finish_symbols;
pub use self::walked::{Binding, Event, Walked};

use self::role::{Place, meaning};
use self::state::{Context, Doc, Frame, Open, OpenBinder};
use self::symbol::{NewSymbol, apply};
use self::walked::Scope;

/// How many open scopes or definitions a rule looks back through, so that depth never multiplies with length.
const MAX_LOOKBACK: usize = 128;

/// The walk's state. Hooks of languages see it through its methods.
pub struct Walk<'s> {
    pub(crate) source: &'s [u8],
    /// Whether the parser has seen another source.
    is_masked: bool,
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
    by_sort: FxHashMap<(NameId, u8), NameId>,
    /// The sorts of names that imports bind here, where an import says it.
    import_sorts: Option<&'static [u8]>,
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
pub fn walk<'s>(rules: &'s Rules, source: &'s [u8], tree: &'s Tree, masks: &Masks) -> Walked {
    let mut walk = Walk {
        source,
        is_masked: !masks.is_empty(),
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
        by_sort: FxHashMap::default(),
        import_sorts: None,
        import_modifier: Modifier::NONE,
        hooked: Modifier::NONE,
        hooked_roles: (None, None),
        hooked_outside: 0,
        hooked_receiver: false,
        context: Context::default(),
        out: Walked {
            symbols: Vec::new(),
            identifiers: Vec::with_capacity(source.len() / 32),
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
    /// Visits every node once, in the order of the source.
    fn run(&mut self, tree: &'s Tree, mut unseen: &[Word]) {
        let start_of = |words: &[Word]| words.first().map_or(usize::MAX, |word| word.bytes.start);
        let mut next_unseen = start_of(unseen);
        let has_errors = tree.root_node().has_error();
        let mut cursor = tree.walk();
        loop {
            let node = cursor.node();
            while next_unseen != usize::MAX && next_unseen < node.start_byte() {
                self.unseen_word(&unseen[0]);
                unseen = &unseen[1..];
                next_unseen = start_of(unseen);
            }
            let rule = self.rules.kind(node.kind_id());
            let place = self.place_of(rule, || cursor.field_id().map_or(0, std::num::NonZero::get));
            if has_errors && (rule.has(bits::ERROR) || node.is_missing()) {
                self.out.parse_errors += 1;
                self.out.first_error.get_or_insert(node.start_byte() as u32);
            }
            self.note_sibling(rule, node);
            if rule.has(bits::LEAF) && node.child_count() == 0 {
                self.leaf(node, rule, place);
            } else if rule.has(bits::SIGIL)
                && node.named_child_count() == 1
                && let Some(name) = node.named_child(0)
                && self.rules.kind(name.kind_id()).has(bits::LEAF)
            {
                self.sigil(name, rule, place);
            } else if rule.has(bits::OPAQUE) || (rule.spec.is_none() && node.child_count() == 0) {
                self.meet(node, rule, place.is_object);
            } else {
                let mut frame = self.frame(node, rule, place);
                self.enter(node, place, &mut frame);
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
}
