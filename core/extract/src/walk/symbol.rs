//! Rows of `symbols`: from what is known where a name is defined, to what only the finished definition shows.

use std::ops::Range;

use tree_sitter::Point;

use crate::facts::{NONE, NameId, Row, Symbol, Text};
use crate::model::{SymbolKind, flags};
use crate::rules::Rules;
use crate::spec::{BindScope, Defined, Modifier, ScopeKind};
use crate::text::{doc_text_range, signature};

use super::*;

/// A qualified name stops growing here; what is nested deeper starts anew behind an ellipsis.
const MAX_QUALIFIED_NAME: usize = 1024;

pub(super) struct NewSymbol {
    pub(super) name: Range<usize>,
    pub(super) kind: SymbolKind,
    pub(super) flags: u32,
    pub(super) owner: Option<NameId>,
    pub(super) start: Point,
    pub(super) end: Point,
    pub(super) bytes: Range<usize>,
    /// What it shares with declarations beside it, and its own.
    pub(super) signature: Option<(Range<usize>, Range<usize>)>,
    pub(super) doc: Option<Range<usize>>,
    pub(super) modifier: Modifier,
}

impl<'s> Walk<'s> {
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
        let sort = (self.rules.spec.sort_of_symbol)(symbol.kind, symbol.flags);
        let name = self.in_sort(plain_name, sort);
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
    pub(super) fn adopt_template_parameters(&mut self, owner: Row) {
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

pub(super) fn apply(symbol: &mut Symbol, modifier: Modifier) {
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
