//! The one walk over a schema and an array, in step. It refuses what it could not read on: released structs, null
//! pointers, counts that do not fit the type, types that nest too deep. Every other function of this crate that reads
//! a foreign struct is a visitor of this walk.

use crate::invalid::{InvalidArrow, Problem};
use crate::node::{Node, Role, SchemaNode};
use crate::path::{Path, Step};
use crate::raw::{ArrowArray, ArrowSchema};

/// What the outermost struct may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// A record batch: a struct without null rows and without an offset.
    RecordBatch,
    /// An array of any type.
    Any,
}

/// What is done at each node: `enter` before its children and dictionary, `leave` after them.
pub(crate) trait Visitor {
    /// What `leave` makes of a node.
    type Output;

    fn enter(&mut self, node: &Node<'_>) -> Result<(), Problem>;

    fn leave(
        &mut self,
        node: &Node<'_>,
        children: Vec<Self::Output>,
        dictionary: Option<Self::Output>,
    ) -> Result<Self::Output, Problem>;
}

/// As [`Visitor`], of a schema without an array.
pub(crate) trait SchemaVisitor {
    /// What `leave` makes of a node.
    type Output;

    fn leave(
        &mut self,
        node: &SchemaNode<'_>,
        children: Vec<Self::Output>,
        dictionary: Option<Self::Output>,
    ) -> Result<Self::Output, Problem>;
}

/// Two visitors in one walk; the second sees a node only if the first had nothing against it.
impl<A: Visitor<Output = ()>, B: Visitor<Output = ()>> Visitor for (&mut A, &mut B) {
    type Output = ();

    fn enter(&mut self, node: &Node<'_>) -> Result<(), Problem> {
        self.0.enter(node)?;
        self.1.enter(node)
    }

    fn leave(&mut self, node: &Node<'_>, _: Vec<()>, _: Option<()>) -> Result<(), Problem> {
        self.0.leave(node, Vec::new(), None)?;
        self.1.leave(node, Vec::new(), None)
    }
}

/// Walks a table in pre-order, dictionaries after the children.
///
/// The structs, unless released, must follow the specification as far as a reader cannot tell: pointers that are not
/// null are valid, and counts are what the producer allocated.
pub(crate) fn walk<V: Visitor>(
    schema: &ArrowSchema,
    array: &ArrowArray,
    root: Root,
    visitor: &mut V,
) -> Result<V::Output, InvalidArrow> {
    let name = match root {
        Root::RecordBatch => "record batch",
        Root::Any => "array",
    };
    let path = Path::root(name, schema);
    let node = SchemaNode::new(schema, Role::Root(root), 0)
        .and_then(|node| Node::new(node, array, 0, 0))
        .map_err(|problem| path.invalid(problem))?;
    visit(&node, &path, visitor)
}

fn visit<V: Visitor>(
    node: &Node<'_>,
    path: &Path<'_>,
    visitor: &mut V,
) -> Result<V::Output, InvalidArrow> {
    let here = |problem| path.invalid(problem);
    visitor.enter(node).map_err(here)?;
    let count = node.schema.n_children as usize;
    let mut children = Vec::new();
    for index in 0..count {
        let schema = node.child_schema(index).map_err(here)?;
        let array = node.child_array(index).map_err(here)?;
        let path = path.then(Step::Child(index), schema);
        let child = node
            .child(index, schema, array)
            .map_err(|problem| path.invalid(problem))?;
        children.push(visit(&child, &path, visitor)?);
    }
    let dictionary = match (node.dictionary_schema(), node.dictionary_array()) {
        (Some(schema), Some(array)) => {
            let path = path.then(Step::Dictionary, schema);
            let dictionary = SchemaNode::new(schema, Role::Dictionary, node.depth + 1)
                .and_then(|schema| Node::new(schema, array, 0, 0))
                .map_err(|problem| path.invalid(problem))?;
            Some(visit(&dictionary, &path, visitor)?)
        }
        _ => None,
    };
    visitor.leave(node, children, dictionary).map_err(here)
}

/// Walks a schema in post-order. Its outermost type may be any.
pub(crate) fn walk_schema<V: SchemaVisitor>(
    schema: &ArrowSchema,
    visitor: &mut V,
) -> Result<V::Output, InvalidArrow> {
    let path = Path::root("schema", schema);
    let node = SchemaNode::new(schema, Role::Root(Root::Any), 0)
        .map_err(|problem| path.invalid(problem))?;
    visit_schema(&node, &path, visitor)
}

fn visit_schema<V: SchemaVisitor>(
    node: &SchemaNode<'_>,
    path: &Path<'_>,
    visitor: &mut V,
) -> Result<V::Output, InvalidArrow> {
    let here = |problem| path.invalid(problem);
    let count = node.schema.n_children as usize;
    let mut children = Vec::new();
    for index in 0..count {
        let schema = node.child_schema(index).map_err(here)?;
        let path = path.then(Step::Child(index), schema);
        let child = SchemaNode::new(schema, node.child_role(index), node.depth + 1)
            .map_err(|problem| path.invalid(problem))?;
        children.push(visit_schema(&child, &path, visitor)?);
    }
    let dictionary = match node.dictionary_schema() {
        Some(schema) => {
            let path = path.then(Step::Dictionary, schema);
            let dictionary = SchemaNode::new(schema, Role::Dictionary, node.depth + 1)
                .map_err(|problem| path.invalid(problem))?;
            Some(visit_schema(&dictionary, &path, visitor)?)
        }
        None => None,
    };
    visitor.leave(node, children, dictionary).map_err(here)
}
