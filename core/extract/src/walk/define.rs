//! Definitions: from a node and its rule to a row of `symbols`.

use std::ops::Range;

use tree_sitter::Node;

use crate::facts::{NONE, NameId, Row};
use crate::model::{SymbolKind, flags};
use crate::rules::bits;
use crate::spec::{BindScope, Define, Name, NodeSpec, ScopeKind, Visible};
use crate::text::unquote;

use super::*;

impl<'s> Walk<'s> {
    /// Adds the symbol that a node defines, binds its name, and opens it for what the node holds.
    pub(super) fn define_node(
        &mut self,
        node: Node<'_>,
        define: &Define,
        mut kind: SymbolKind,
        name: Range<usize>,
        context: Context,
        spec: &NodeSpec,
    ) -> Row {
        let (has_body, signature_end) = self.head_of(node, define);
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
        if !has_body {
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
        if let Some(path) = define.path.and_then(|path| self.find_name(node, path)) {
            let outer = self.top().qualified_name;
            self.out.symbols[symbol as usize].qualified_name = self.qualify(outer, path, None);
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
        self.open_symbol(symbol, owner, in_type, spec);
        symbol
    }

    /// Whether a definition has a body, and where its signature ends.
    fn head_of(&self, node: Node<'_>, define: &Define) -> (bool, usize) {
        // The body of a variable that holds a function is the function's.
        let holder = define
            .only_with
            .and_then(|(field, _)| self.rules.child(node, field));
        let holder = holder.unwrap_or(node);
        let holds_body = define
            .only_with
            .is_some_and(|(field, _)| define.body.contains(&field));
        let body = if holds_body {
            Some(holder)
        } else {
            define.body.iter().find_map(|path| {
                path.split('.')
                    .try_fold(holder, |node, field| self.rules.child(node, field))
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
        (body.is_some(), signature_end)
    }

    /// Opens a definition: what follows is contained in it, until its node is left.
    fn open_symbol(&mut self, symbol: Row, owner: Option<NameId>, in_type: bool, spec: &NodeSpec) {
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
    }

    /// The end of what stands before `at` in a node, comments aside.
    fn end_before(&self, node: Node<'_>, at: usize) -> usize {
        // What ends on the same line, and not with a slash, is no comment.
        let before = &self.source[..at];
        let text = before.trim_ascii_end();
        let is_plain = !matches!(text.last(), None | Some(b'/'))
            && !before[text.len()..].contains(&b'\n')
            && text.len() > node.start_byte();
        if is_plain && !self.is_masked {
            return text.len();
        }
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

    /// Whether a definition here is a member: directly in a type's body, or in a block in it.
    pub(super) fn in_type(&self) -> bool {
        match self.scope_kind() {
            ScopeKind::Type => true,
            ScopeKind::Block => self.top().is_type,
            _ => false,
        }
    }

    /// The bytes of a definition's name.
    pub(crate) fn find_name(&self, node: Node<'_>, name: Name) -> Option<Range<usize>> {
        let found = match name {
            Name::Field(field) => self.rules.child(node, field)?,
            Name::Descend(field) => {
                let mut at = self.rules.child(node, field)?;
                while let Some(inner) = self.rules.child(at, field) {
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
