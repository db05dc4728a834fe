//! Where in a schema something is, for messages.

use std::ffi::CStr;

use crate::invalid::{InvalidArrow, Problem};
use crate::raw::ArrowSchema;

/// Where a walk is, kept on its stack and written out only for a message.
pub(crate) struct Path<'a> {
    pub parent: Option<&'a Path<'a>>,
    pub step: Step,
    pub schema: &'a ArrowSchema,
}

/// How a struct is reached from its parent.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    /// It is the outermost one: what it is called.
    Root(&'static str),
    /// It is this child.
    Child(usize),
    /// It is the dictionary.
    Dictionary,
}

impl<'a> Path<'a> {
    pub fn root(name: &'static str, schema: &'a ArrowSchema) -> Self {
        Self {
            parent: None,
            step: Step::Root(name),
            schema,
        }
    }

    pub fn then(&'a self, step: Step, schema: &'a ArrowSchema) -> Self {
        Self {
            parent: Some(self),
            step,
            schema,
        }
    }

    pub fn invalid(&self, problem: Problem) -> InvalidArrow {
        InvalidArrow {
            path: self.render(),
            problem,
        }
    }

    fn render(&self) -> String {
        let Some(parent) = self.parent else {
            let Step::Root(name) = self.step else {
                return String::new();
            };
            return name.to_owned();
        };
        match self.step {
            Step::Dictionary => format!("{} -> dictionary", parent.render()),
            Step::Child(index) if parent.has_columns() => {
                format!("column[{index}] \"{}\"", self.name().escape_debug())
            }
            _ => format!("{} -> {}", parent.render(), self.name().escape_debug()),
        }
    }

    /// A released struct's fields may not be read.
    fn name(&self) -> String {
        if self.schema.release.is_none() || self.schema.name.is_null() {
            return String::new();
        }
        // SAFETY: a name that is not null is NUL-terminated and lives as long as the schema.
        let name = unsafe { CStr::from_ptr(self.schema.name) };
        name.to_string_lossy().into_owned()
    }

    /// Whether the children are columns: the outermost struct's are.
    fn has_columns(&self) -> bool {
        if self.parent.is_some() || self.schema.format.is_null() {
            return false;
        }
        // SAFETY: the walk has a child of this schema, which is therefore not released; a format is NUL-terminated.
        let format = unsafe { CStr::from_ptr(self.schema.format) };
        format == c"+s"
    }
}
