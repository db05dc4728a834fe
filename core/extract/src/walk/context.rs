//! What stands before a definition and speaks of it: comments, modifiers, attributes.

use tree_sitter::Node;

use crate::facts::NONE;
use crate::rules::{KindRule, bits};
use crate::spec::Modifier;

use super::*;

impl<'s> Walk<'s> {
    /// Comments, modifiers and attributes: what is remembered for the definition to come.
    pub(super) fn note_sibling(&mut self, rule: &KindRule, node: Node<'s>) {
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
            frame.last_named = Some(node);
        } else if frame.wrapper_start != NONE && self.source.get(node.start_byte()) == Some(&b'(') {
            // What stands before a group in parentheses documents the group.
            frame.doc.present = false;
            frame.head_end = frame.head_end.min(node.start_byte() as u32);
        }
    }

    pub(super) fn note_comment(&mut self, node: Node<'_>) {
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
        let none = self.rules.spec.no_doc_prefixes;
        let is_doc = is_doc && !none.iter().any(|none| text.starts_with(none.as_bytes()));
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        let trails = start_line > 0
            && frame.last_named.is_some_and(|last| {
                let end = last.end_position();
                end.row.saturating_sub(usize::from(end.column == 0)) as u32 == start_line
            });
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

    pub(super) fn note_attribute(&mut self, node: Node<'_>) {
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

    /// Doc comment, modifiers and start that come from before the node. They are used up, unless they stand before a
    /// wrapper and hold for all that is in it.
    pub(super) fn take_context(&mut self, node: Node<'_>, rule: &KindRule) -> Context {
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
            parent.doc.present = shared && parent.doc.is_short();
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
    pub(super) fn after_attributes(&self, node: Node<'_>) -> u32 {
        let start = node.start_byte() as u32;
        if self.rules.spec.attributes.is_empty() {
            return start;
        }
        // Most declarations begin with neither; a cursor costs more than a look at the first child.
        let begins = node.child(0).is_some_and(|first| {
            let rule = self.rules.kind(first.kind_id());
            rule.has(bits::ATTRIBUTE | bits::COMMENT | bits::MODIFIER_LIST)
        });
        if !begins {
            return start;
        }
        let mut cursor = node.walk();
        cursor.goto_first_child();
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

    /// What a section says of the next method under the current parent.
    pub(super) fn section(&self) -> Modifier {
        self.frames
            .last()
            .map_or(Modifier::NONE, |parent| parent.section)
    }
}
