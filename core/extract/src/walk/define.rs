//! Definitions: from a node and its rule to a row of `symbols`.

use std::ops::Range;

use tree_sitter::Node;

use crate::facts::{NONE, NameId, Row, Symbol, Text};
use crate::model::{SymbolKind, flags};
use crate::rules::{Rules, bits};
use crate::spec::{
    BindScope, Declarator, Define, Defined, Modifier, Name, NodeSpec, ScopeKind, Visible,
};
use crate::text::{doc_text_range, signature, unquote};

use super::*;

impl<'s> Walk<'s> {
    /// The declarator that is being entered says nothing of the kind of its name; for hooks.
    pub(crate) fn keep_kind(&mut self) {
        self.keeps_kind = true;
    }

    /// Below a declarator the names of the declaration around it may become something else.
    pub(super) fn enter_declarator(&mut self, declarator: Declarator) {
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

    pub(super) fn parent_defines_type(&self) -> bool {
        self.frames.last().is_some_and(|parent| {
            parent.symbol != NONE && self.out.symbols[parent.symbol as usize].kind.is_type()
        })
    }

    pub(super) fn define_node(
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
    pub(super) fn end_before(&self, node: Node<'_>, at: usize) -> usize {
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
    pub(super) fn end_without_body(&self, node: Node<'_>) -> usize {
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

    /// Opens the body of a type that is defined elsewhere.
    pub(super) fn open_owner(&mut self, node: Node<'_>, owner: Name) {
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

    pub(super) fn add_symbol(&mut self, mut new: NewSymbol) -> Row {
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
            implements: owner != NONE && outer.kind == Some(SymbolKind::Trait),
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
        let innermost = self.bind_scope(BindScope::Own);
        if flags & flags::PARAMETER == 0 {
            self.adopt_template_parameters(row);
        } else if self.out.scopes[innermost as usize].binds_in != innermost {
            self.template_parameters.push(row);
        }
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

    /// A template's parameters stand before what they are parameters of.
    fn adopt_template_parameters(&mut self, owner: Row) {
        for row in std::mem::take(&mut self.template_parameters) {
            let symbol = &self.out.symbols[row as usize];
            let name = symbol.name_bytes.0 as usize..symbol.name_bytes.1 as usize;
            let outer = self.out.symbols[owner as usize].qualified_name;
            let qualified_name = self.qualify(outer, name, None);
            let symbol = &mut self.out.symbols[row as usize];
            symbol.parent = owner;
            symbol.qualified_name = qualified_name;
        }
    }

    /// A directive's node ends after its line break; the definition ends before.
    pub(super) fn trim_line_break(&self, new: &mut NewSymbol) {
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
                parent: if symbol.implements {
                    Some(SymbolKind::Trait)
                } else if symbol.owner == NONE {
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

    pub(super) fn qualify(
        &mut self,
        outer: Text,
        name: Range<usize>,
        owner: Option<NameId>,
    ) -> Text {
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

    /// The qualified name of a type that has no name.
    pub(super) fn qualify_anonymous(&mut self) -> Text {
        let outer = self.top().qualified_name;
        let name = self.rules.spec.anonymous;
        if name.is_empty() {
            return outer;
        }
        // The name stands in no source: the place of one is empty.
        let start = self.qualify(outer, 0..0, None);
        let whole = crate::facts::resolve(self.source, &self.out.arena, start).len();
        self.out.arena.extend_from_slice(name.as_bytes());
        let end = self.out.arena.len();
        Text::arena(end - name.len() - whole..end)
    }

    /// What the rest of the declarator holds is contained in the symbol that it names.
    pub(super) fn open_declared(&mut self, symbol: Row, binder_frame: usize) {
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

    /// What follows in the same declarator is contained in the symbol that it names, unless that is a local.
    pub(super) fn open_holder(&mut self, symbol: Row) {
        let row = &self.out.symbols[symbol as usize];
        if row.flags & flags::LOCAL != 0 {
            return;
        }
        let open = Open {
            symbol,
            kind: Some(row.kind),
            is_type: false,
            qualified_name: row.qualified_name,
            scopes: self.scope_stack.len() as u32,
            defines_static: false,
            type_name: self.enclosing_type(),
            scope: NONE,
            ..self.top()
        };
        self.opens.push(open);
    }

    /// Whether the declaration only adds a type to a parameter that was named before (in C before 1989).
    pub(super) fn redeclares_parameter(&mut self, name: &Range<usize>) -> bool {
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

    pub(super) fn add_bound(&mut self, open: OpenBinder, name: Range<usize>) -> Row {
        let doc = self.frames.get_mut(open.frame).and_then(|frame| {
            let doc = frame.doc;
            frame.doc.present &= doc.is_short();
            doc.present.then_some(doc)
        });
        let frame = self.frames.get(open.frame);
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
        // A member that cannot change is still one of each object.
        if open.binder.declarators
            && self.scope_kind() == ScopeKind::Type
            && modifier.flags & flags::STATIC == 0
        {
            modifier.kind = None;
        }
        let frame = self.frames.get(open.frame);
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

    /// `self.name = …` defines a field of the enclosing type, the first time.
    pub(super) fn field_by_assignment(&mut self, node: Node<'_>, range: &Range<usize>) -> bool {
        let type_name = self.enclosing_type();
        if type_name == NONE {
            return false;
        }
        let name = self.intern(range.clone());
        let space = (self.rules.spec.space_of_symbol)(SymbolKind::Field, 0);
        let name = self.in_space(name, space);
        let recent = self.opens.len().saturating_sub(MAX_LOOKBACK);
        let Some(at) = self.opens[recent..].iter().rposition(|open| {
            open.enclosing_type == type_name && (open.is_type || self.makes(open, type_name))
        }) else {
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
        if self.out.symbols[holder as usize].kind.is_type() {
            self.out.symbols[symbol as usize].holder = holder;
        } else {
            // What a function makes has no type of its own in the file: its members go by the function's name.
            self.out.symbols[symbol as usize].owner = type_name;
        }
        self.scope_stack = scopes;
        self.opens.extend(inner);
        true
    }

    /// Whether the definition is a function that makes objects of this name (`new F()`).
    fn makes(&self, open: &Open, type_name: NameId) -> bool {
        open.kind == Some(SymbolKind::Function)
            && self
                .out
                .symbols
                .get(open.symbol as usize)
                .is_some_and(|symbol| symbol.name == type_name)
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
