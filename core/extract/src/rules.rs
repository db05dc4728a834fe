//! A [`LanguageSpec`] compiled to an array indexed by the grammar's kind ids.

use rustc_hash::FxHashMap;
use tree_sitter::{Language, Node};

use crate::spec::{LanguageSpec, Modifier, NodeSpec, Role, Shape};

/// Bits that say which of a kind's rules apply, so that most nodes cost one test.
pub mod bits {
    pub const NAMED: u16 = 1;
    pub const LEAF: u16 = 1 << 1;
    pub const COMMENT: u16 = 1 << 2;
    pub const RECEIVER: u16 = 1 << 3;
    pub const MODIFIER: u16 = 1 << 4;
    pub const MODIFIER_LIST: u16 = 1 << 5;
    pub const ATTRIBUTE: u16 = 1 << 6;
    pub const NODE: u16 = 1 << 7;
    /// Something to do when the node is entered or left.
    pub const ACTION: u16 = 1 << 8;
    pub const ERROR: u16 = 1 << 9;
    pub const SECTION: u16 = 1 << 10;
    pub const BASE_RECEIVER: u16 = 1 << 11;
    pub const SIGIL: u16 = 1 << 12;
    /// Nothing below the node is of interest.
    pub const OPAQUE: u16 = 1 << 13;
}

/// The compiled rules of one kind of node.
#[derive(Clone, Copy)]
pub struct KindRule {
    pub bits: u16,
    /// Role of the token itself, when it is a leaf.
    pub leaf: Role,
    /// Role of children without a rule for their field.
    pub child: Role,
    fields_start: u16,
    fields_len: u16,
    /// Field ids of a member access, 0 for none.
    pub object: u16,
    pub property: u16,
    /// Field id after which sequential names become visible, 0 for none.
    pub visible_after: u16,
    pub shape: Shape,
    pub first_only: Option<Role>,
    /// Ids of the fields from which on the node's scope is seen, 0 for none.
    pub scope_from: [u16; 2],
    pub modifier: Modifier,
    pub spec: Option<&'static NodeSpec>,
}

impl KindRule {
    const EMPTY: Self = Self {
        bits: 0,
        leaf: Role::Read,
        child: Role::Inherit,
        fields_start: 0,
        fields_len: 0,
        object: 0,
        property: 0,
        visible_after: 0,
        shape: Shape::Plain,
        first_only: None,
        scope_from: [0; 2],
        modifier: Modifier::NONE,
        spec: None,
    };

    pub fn has(&self, bits: u16) -> bool {
        self.bits & bits != 0
    }

    /// Whether a child's field has to be known to give it a role.
    pub fn wants_field(&self) -> bool {
        self.fields_len != 0
            || self.property != 0
            || self.object != 0
            || self.visible_after != 0
            || self.scope_from[0] != 0
    }
}

/// A language ready to walk.
pub struct Rules {
    pub spec: &'static LanguageSpec,
    pub language: Language,
    kinds: Vec<KindRule>,
    error: KindRule,
    fields: Vec<(u16, Role)>,
    /// The grammar compares a field's name with all of its own at each lookup; here that is done once.
    field_ids: FxHashMap<String, u16>,
}

impl Rules {
    /// Compiles a specification, or lists every name in it that the grammar does not have.
    pub fn compile(spec: &'static LanguageSpec) -> Result<Self, Vec<String>> {
        let language = Language::new(spec.grammar);
        let mut compiler = Compiler {
            language: &language,
            unknown: Vec::new(),
            kinds: Vec::new(),
        };
        compiler.kinds = (0..language.node_kind_count())
            .map(|id| KindRule {
                bits: if language.node_kind_is_named(id as u16) {
                    bits::NAMED
                } else {
                    0
                },
                ..KindRule::EMPTY
            })
            .collect();
        let mut fields = Vec::new();
        for &(kind, role) in spec.leaves {
            compiler.each(kind, |rule| {
                rule.bits |= bits::LEAF;
                rule.leaf = role;
            });
        }
        for (kinds, bit) in [
            (spec.comments, bits::COMMENT | bits::OPAQUE),
            (spec.opaque, bits::OPAQUE),
            (spec.receivers, bits::RECEIVER),
            (spec.base_receivers, bits::BASE_RECEIVER),
            (spec.sigils, bits::SIGIL),
            (spec.modifier_lists, bits::MODIFIER_LIST),
            (spec.attributes, bits::ATTRIBUTE),
            (spec.sections, bits::SECTION),
        ] {
            for kind in kinds {
                compiler.each(kind, |rule| rule.bits |= bit);
            }
        }
        for &(kind, modifier) in spec.modifiers {
            compiler.each(kind, |rule| {
                rule.bits |= bits::MODIFIER;
                rule.modifier = modifier;
            });
        }
        for node in spec.nodes.iter().copied().flatten() {
            let start = fields.len() as u16;
            for &(field, role) in node.fields {
                let id = compiler.field(node.kind, field);
                fields.push((id, role));
            }
            let len = fields.len() as u16 - start;
            let (object, property) = node.member.map_or((0, 0), |(object, property)| {
                (
                    compiler.field(node.kind, object),
                    compiler.field(node.kind, property),
                )
            });
            let visible_after = node
                .visible_after
                .map_or(0, |field| compiler.field(node.kind, field));
            let mut scope_from = [0; 2];
            for (id, field) in scope_from.iter_mut().zip(node.scope_from) {
                *id = compiler.field(node.kind, field);
            }
            let action = node.define.is_some()
                || node.scope.is_some()
                || node.binder.is_some()
                || node.extent
                || node.declarator.is_some()
                || node.import_path.is_some()
                || node.wraps
                || matches!(node.shape, Shape::PassesReceiver | Shape::Arguments)
                || node.hook.is_some();
            compiler.named(node.kind, |rule| {
                rule.bits |= bits::NODE | if action { bits::ACTION } else { 0 };
                rule.child = node.child;
                rule.fields_start = start;
                rule.fields_len = len;
                rule.object = object;
                rule.property = property;
                rule.visible_after = visible_after;
                rule.shape = node.shape;
                rule.first_only = node.first_only;
                rule.scope_from = scope_from;
                rule.spec = Some(node);
            });
        }
        let Compiler { unknown, kinds, .. } = compiler;
        if !unknown.is_empty() {
            return Err(unknown);
        }
        let error = KindRule {
            bits: bits::ERROR | bits::NAMED,
            ..KindRule::EMPTY
        };
        let field_ids = (1..=language.field_count() as u16)
            .filter_map(|id| Some((language.field_name_for_id(id)?.to_owned(), id)))
            .collect();
        Ok(Self {
            spec,
            language,
            kinds,
            error,
            fields,
            field_ids,
        })
    }

    /// The rules of a kind.
    pub fn kind(&self, id: u16) -> &KindRule {
        self.kinds.get(id as usize).unwrap_or(&self.error)
    }

    /// The child in a field, by the field's name.
    pub fn child<'t>(&self, node: Node<'t>, field: &str) -> Option<Node<'t>> {
        node.child_by_field_id(*self.field_ids.get(field)?)
    }

    /// The role of a child in field `field` (0 for none) of a node with this rule.
    pub fn child_role(&self, rule: &KindRule, field: u16) -> Role {
        let start = rule.fields_start as usize;
        let fields = &self.fields[start..start + rule.fields_len as usize];
        fields
            .iter()
            .find(|(id, _)| *id == field)
            .map_or(rule.child, |(_, role)| *role)
    }
}

struct Compiler<'a> {
    language: &'a Language,
    unknown: Vec<String>,
    kinds: Vec<KindRule>,
}

impl Compiler<'_> {
    /// Changes the rule of a named kind.
    fn named(&mut self, kind: &str, change: impl Fn(&mut KindRule)) {
        match self.language.id_for_node_kind(kind, true) {
            0 => self.unknown.push(format!("kind {kind}")),
            id => change(&mut self.kinds[id as usize]),
        }
    }

    /// Changes the rule of a kind, be it named, anonymous, or both.
    fn each(&mut self, kind: &str, change: impl Fn(&mut KindRule)) {
        let ids = [true, false].map(|named| self.language.id_for_node_kind(kind, named));
        if ids == [0, 0] {
            self.unknown.push(format!("kind {kind}"));
        }
        for id in ids.into_iter().filter(|id| *id != 0) {
            change(&mut self.kinds[id as usize]);
        }
    }

    fn field(&mut self, kind: &str, field: &str) -> u16 {
        if field.is_empty() {
            return 0;
        }
        match self.language.field_id_for_name(field) {
            Some(id) => id.get(),
            None => {
                self.unknown.push(format!("field {field} of {kind}"));
                0
            }
        }
    }
}
