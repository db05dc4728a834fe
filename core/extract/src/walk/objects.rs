//! What hooks need for languages whose objects, types and exports are made by statements (JavaScript).

use std::ops::Range;

use tree_sitter::Node;

use crate::facts::{NONE, NameId, Row, Text};
use crate::model::{SymbolKind, flags};
use crate::spec::{BindScope, Role, Visible};
use crate::text::{doc_text_range, signature};

use super::*;

/// A definition that a hook has found.
pub(crate) struct Found {
    /// The name; its tokens become no identifier rows.
    pub name: Range<usize>,
    /// What is defined.
    pub kind: SymbolKind,
    /// Bits of `symbols.flags`.
    pub flags: u32,
    /// Where the signature ends.
    pub head_end: usize,
    /// Whether what the node holds is contained in the definition.
    pub opens: bool,
}

impl<'s> Walk<'s> {
    /// Defines what the hook's node makes, bound in no scope, with the node's doc comment.
    pub(crate) fn define_found(&mut self, node: Node<'_>, found: Found) -> Row {
        let doc = self.context.doc.range();
        let symbol = self.add_symbol(NewSymbol {
            name: found.name.clone(),
            kind: found.kind,
            flags: found.flags,
            owner: None,
            start: node.start_position(),
            end: node.end_position(),
            bytes: node.byte_range(),
            signature: Some((0..0, node.start_byte()..found.head_end)),
            doc,
            modifier: Modifier::NONE,
        });
        self.pending_names.push(found.name);
        if found.opens {
            self.open_found(symbol);
        }
        symbol
    }

    /// Defines a member of the type whose code this is, at the assignment that gives it its first value; false where
    /// there is no such type or it has the member.
    pub(crate) fn define_own_member(&mut self, node: Node<'_>, found: Found) -> bool {
        if !self.field_by_assignment(node, &found.name) {
            return false;
        }
        let row = self.out.symbols.len() as Row - 1;
        let text = signature(
            self.source,
            0..0,
            node.start_byte()..found.head_end,
            &mut self.out.arena,
        );
        let doc = self.context.doc.range();
        let symbol = &mut self.out.symbols[row as usize];
        symbol.kind = found.kind;
        symbol.flags |= found.flags;
        symbol.signature = text;
        symbol.start_byte = node.start_byte() as u32;
        symbol.end_byte = node.end_byte() as u32;
        if let Some(doc) = doc {
            for &(pattern, modifier) in self.rules.spec.doc_patterns {
                if memchr::memmem::find(&self.source[doc.clone()], pattern.as_bytes()).is_some() {
                    apply(symbol, modifier);
                }
            }
            symbol.doc_comment = Text::source(doc_text_range(self.source, doc));
        }
        self.pending_names.push(found.name);
        if found.opens {
            self.open_found(row);
        }
        true
    }

    fn open_found(&mut self, symbol: Row) {
        let row = &self.out.symbols[symbol as usize];
        let open = Open {
            symbol,
            kind: Some(row.kind),
            is_type: false,
            qualified_name: row.qualified_name,
            scopes: self.scope_stack.len() as u32,
            type_name: self.enclosing_type(),
            scope: NONE,
            ..self.top()
        };
        self.opens.push(open);
    }

    /// The name that a function expression has inside itself; for what runs inside its scope. Where nothing else
    /// names the function, this is its definition.
    pub(crate) fn define_inside(&mut self, node: Node<'_>, name: Range<usize>, found: u32) {
        let is_definition = self.containing() == NONE;
        let head_end = node
            .child_by_field_name("body")
            .map_or(node.end_byte(), |body| body.start_byte());
        let own_extent = if is_definition {
            node.byte_range()
        } else {
            name.clone()
        };
        let place = node
            .child_by_field_name("name")
            .filter(|_| !is_definition)
            .unwrap_or(node);
        let symbol = self.add_symbol(NewSymbol {
            name: name.clone(),
            kind: SymbolKind::Function,
            flags: if is_definition { found } else { flags::LOCAL },
            owner: None,
            start: place.start_position(),
            end: place.end_position(),
            bytes: own_extent,
            signature: is_definition.then_some((0..0, node.start_byte()..head_end)),
            doc: None,
            modifier: Modifier::NONE,
        });
        let scope = self.bind_scope(BindScope::Innermost);
        self.bind(symbol, scope, Visible::Hoisted, false);
        self.pending_names.push(name);
        if is_definition {
            self.open_found(symbol);
        }
    }

    /// From here to the end of the hook's node, the current object is none whose type is known.
    pub(crate) fn leave_type(&mut self) {
        self.open_as(NONE);
    }

    /// From here to the end of the hook's node, the current object is one that the function of this name makes.
    pub(crate) fn open_maker(&mut self, name: Range<usize>) {
        let name = self.intern(name);
        self.open_as(name);
    }

    /// The same for the function that a symbol holds.
    pub(crate) fn open_maker_symbol(&mut self, symbol: Row) {
        self.open_as(self.out.symbols[symbol as usize].name);
    }

    fn open_as(&mut self, type_name: NameId) {
        let outer = self.top();
        let namespace = outer.kind.is_some_and(SymbolKind::is_namespace);
        if type_name == outer.enclosing_type && !outer.is_type {
            return;
        }
        self.opens.push(Open {
            // What a namespace holds stays a member of it.
            type_name: if namespace {
                outer.type_name
            } else {
                type_name
            },
            enclosing_type: type_name,
            is_type: false,
            is_static: false,
            ..outer
        });
    }

    /// Whether the symbol's name satisfies the test.
    pub(crate) fn is_named(&self, symbol: Row, test: impl Fn(&[u8]) -> bool) -> bool {
        let name = self.out.symbols[symbol as usize].name;
        let name = self.out.names[name as usize];
        test(crate::facts::resolve(self.source, &self.out.arena, name))
    }

    /// Members that the type around the current place defines further below: assigning to them defines nothing.
    pub(crate) fn expect_member(&mut self, name: Range<usize>) {
        let holder = self.top().symbol;
        if holder == NONE {
            return;
        }
        let name = self.intern(name);
        self.out.members.entry((holder, name)).or_insert(NONE);
    }

    /// The innermost scope exports what it binds to this name.
    pub(crate) fn export_name(&mut self, name: Range<usize>) {
        let name = self.intern(name);
        let scope = self.bind_scope(BindScope::Innermost);
        self.exported.insert((scope, name), ());
    }

    /// Flags what was exported by name, once all of it is bound.
    pub(super) fn flag_exported(&mut self) {
        if self.exported.is_empty() {
            return;
        }
        for binding in &self.out.bindings {
            if self.exported.contains_key(&(binding.scope, binding.name))
                && let Some(symbol) = self.out.symbols.get_mut(binding.symbol as usize)
                && symbol.kind != SymbolKind::Import
                && symbol.flags & flags::LOCAL == 0
            {
                symbol.flags |= flags::EXPORTED;
            }
        }
    }

    /// Defines the name under which something of another module is exported from this one; `whole` where it stands
    /// for all of what the clauses around it name.
    pub(crate) fn define_reexport(
        &mut self,
        node: Node<'_>,
        name: Range<usize>,
        imported: Range<usize>,
        whole: bool,
    ) {
        let role = if whole {
            Role::ImportWhole
        } else {
            Role::ImportBind
        };
        let path = self.imported_path(imported, role, false);
        let head_end = node.end_byte();
        let symbol = self.define_found(
            node,
            Found {
                name,
                kind: SymbolKind::Export,
                flags: flags::EXPORTED,
                head_end,
                opens: false,
            },
        );
        self.out.imports.push((symbol, path));
    }

    /// Imports all of what the paths around the hook's node say, under this name.
    pub(crate) fn import_name(&mut self, name: Node<'_>) {
        self.import_leaf(name, name.byte_range(), Role::ImportWhole, false);
        self.pending_names.push(name.byte_range());
    }

    /// Binds the innermost definition's name in the innermost scope too; for what runs inside its scope.
    pub(crate) fn bind_open(&mut self) {
        let symbol = self.top().symbol;
        if symbol != NONE {
            let scope = self.bind_scope(BindScope::Own);
            let name = self.out.symbols[symbol as usize].name;
            let binding = Binding {
                name,
                symbol,
                scope,
                visible: Visible::AfterBinder,
                tag: false,
                closed: false,
            };
            self.add_binding(binding, true);
        }
    }

    /// Names below the hook's node extend from one node to the end of another; for what runs inside its scope.
    pub(crate) fn bind_extent(&mut self, first: Node<'_>, last: Node<'_>) {
        if let Some(open) = self.binders.last_mut() {
            open.start = first.start_position();
            open.start_byte = first.start_byte() as u32;
            open.end = last.end_position();
            open.end_byte = last.end_byte() as u32;
        }
    }

    /// Whether the list that the hook's node stands in is part of what the grammar did not understand.
    pub(crate) fn is_in_error(&self) -> bool {
        let around = self.frames.iter().rev().nth(1);
        around.is_some_and(|frame| frame.rule.has(bits::ERROR))
    }

    /// Defines a parameter of the type around the hook's node, whose name stands at a place that no rule describes.
    pub(crate) fn define_type_parameter(&mut self, node: Node<'_>, name: Range<usize>) {
        let symbol = self.add_symbol(NewSymbol {
            name: name.clone(),
            kind: SymbolKind::Type,
            flags: flags::PARAMETER | flags::LOCAL,
            owner: None,
            start: node.start_position(),
            end: node.end_position(),
            bytes: node.byte_range(),
            signature: None,
            doc: None,
            modifier: Modifier::NONE,
        });
        let scope = self.bind_scope(BindScope::Innermost);
        self.bind(symbol, scope, Visible::Hoisted, false);
        self.pending_names.push(name);
    }

    /// Names below the hook's node are bound in this scope, whatever its binder says; for what runs inside its scope.
    pub(crate) fn bind_into(&mut self, scope: BindScope) {
        if let Some(open) = self.binders.last_mut() {
            open.binder.scope = scope;
        }
    }
}
