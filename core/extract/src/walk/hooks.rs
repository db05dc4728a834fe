//! What hooks of languages may do with the walk.

use std::ops::Range;

use tree_sitter::Node;

use crate::facts::{NONE, NameId, Receiver, Row, Text};
use crate::model::{SymbolKind, flags};
use crate::spec::{BindScope, Modifier, Role, ScopeKind, Visible};
use crate::text::{doc_text_range, signature};

use super::*;

impl<'s> Walk<'s> {
    /// The child in a field; for hooks of common nodes, since tree-sitter looks for the field's name anew each time.
    pub(crate) fn child<'t>(&self, node: Node<'t>, field: &str) -> Option<Node<'t>> {
        self.rules.child(node, field)
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

    /// The body of a type that opens here implements a trait: its members are as visible as that.
    pub(crate) fn implement_trait(&mut self) {
        if let Some(open) = self.opens.last_mut() {
            open.kind = Some(SymbolKind::Trait);
        }
    }

    /// The type that is being defined is but a name for another one: its code is that of the type around it.
    pub(crate) fn stay_in_type(&mut self) {
        let Some((own, outer)) = self.opens.split_last_mut() else {
            return;
        };
        own.is_type = false;
        own.enclosing_type = outer.last().map_or(NONE, |outer| outer.enclosing_type);
        own.type_name = own.enclosing_type;
    }

    /// How many named children the parent of the hook's node has up to this one, comments aside.
    pub(crate) fn place_in_parent(&self) -> u32 {
        self.frames.last().map_or(0, |parent| parent.named_children)
    }

    /// From the child in this field to the end of the hook's node, names are looked up around the innermost scope.
    pub(crate) fn look_outside_from(&mut self, field: &str) {
        let field = self.rules.language.field_id_for_name(field);
        self.hooked_outside = field.map_or(0, std::num::NonZero::get);
    }

    /// Ends the innermost scope, opened by the node around the hook's: its names are not seen from here on.
    pub(crate) fn close_scope(&mut self) {
        self.sections.pop();
        if self.scope_stack.pop().is_some() {
            self.out.events.push(Event::Exit);
        }
    }

    /// What a statement says of the imports from here on.
    pub(crate) fn modify_imports(&mut self, modifier: Modifier) {
        self.import_modifier = modifier;
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

    /// Defines a field of the enclosing type at a token that is something else too (a constructor's parameter), with a
    /// signature, the node's doc comment and modifiers.
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

    /// Says that the hook's node is the type of the current object, if it is a receiver.
    pub(crate) fn receive_own_type(&mut self) {
        if let Receiver::Own(name) = self.own_receiver() {
            self.receive(Receiver::OwnType(name));
            self.hooked_receiver = true;
        }
    }

    /// Says that the hook's node is the current object as its base types define it, if it is a receiver.
    pub(crate) fn receive_base(&mut self) {
        self.receive(match self.own_receiver() {
            Receiver::Own(name) => Receiver::Base(name),
            other => other,
        });
    }

    pub(super) fn receive(&mut self, receiver: Receiver) {
        if let Some(parent) = self.frames.last_mut()
            && parent.receiver == Receiver::Other
        {
            parent.receiver = receiver;
        }
    }

    /// The sorts of names that the imports from here on bind.
    pub(crate) fn import_into(&mut self, sorts: &'static [u8]) {
        self.import_sorts = Some(sorts);
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
    pub(crate) fn instance_sort(&self, instance: u8, of_type: u8) -> u8 {
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
    pub(crate) fn modify_member(
        &mut self,
        name: Range<usize>,
        sort: u8,
        modifier: Modifier,
    ) -> Option<Row> {
        let name = self.intern(name);
        let name = self.in_sort(name, sort);
        let row = *self.out.members.get(&(self.containing(), name))?;
        // A member may be announced before it is defined.
        apply(self.out.symbols.get_mut(row as usize)?, modifier);
        Some(row)
    }

    /// Lets a member of the enclosing type also be found under another name or sort.
    pub(crate) fn file_member(&mut self, row: Row, name: Range<usize>, sort: u8) {
        let name = self.intern(name);
        let name = self.in_sort(name, sort);
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
            self.keeps_open = true;
            self.pending_names.push(name);
        }
    }
}
