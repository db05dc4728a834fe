//! The recursion over a schema and its data, children first or last as the change needs.

use arrow_data::ArrayData;
use arrow_schema::{DataType, Field, UnionFields};

use super::schema::{Change, dictionary_of, run_ends};
use super::{decimal, key, list_view, run_end};
use crate::SchemaTree;
use crate::invalid::{InvalidArrow, Problem};

/// A problem and where it is, seen from the outermost field.
pub(super) struct Place {
    /// From the inside out; `None` for a dictionary.
    steps: Vec<Option<usize>>,
    problem: Problem,
}

impl Place {
    pub fn here(problem: Problem) -> Self {
        Self {
            steps: Vec::new(),
            problem,
        }
    }

    pub fn inside(mut self, child: usize) -> Self {
        self.steps.push(Some(child));
        self
    }

    pub fn inside_dictionary(mut self) -> Self {
        self.steps.push(None);
        self
    }

    pub fn invalid(self, root: &SchemaTree) -> InvalidArrow {
        let is_struct = root.format == "+s";
        let mut path = if is_struct { "record batch" } else { "array" }.to_owned();
        let mut tree = Some(root);
        for (depth, step) in self.steps.iter().rev().enumerate() {
            let name = match *step {
                Some(child) => {
                    tree = tree.and_then(|tree| tree.children.get(child));
                    tree.map_or_else(String::new, |tree| tree.name.escape_debug().to_string())
                }
                None => {
                    tree = tree.and_then(|tree| tree.dictionary.as_deref());
                    "dictionary".to_owned()
                }
            };
            path = match step {
                Some(child) if depth == 0 && is_struct => format!("column[{child}] \"{name}\""),
                _ => format!("{path} -> {name}"),
            };
        }
        InvalidArrow {
            path,
            problem: self.problem,
        }
    }
}

/// Converts data of the original type `tree`.
pub(super) fn convert(
    tree: &SchemaTree,
    data: ArrayData,
    bytes: &mut usize,
) -> Result<ArrayData, Place> {
    let mut children = Vec::with_capacity(data.child_data().len());
    let parts = data.child_data().iter().cloned();
    if let Some(dictionary) = &tree.dictionary {
        for values in parts {
            let values = convert(dictionary, values, bytes).map_err(Place::inside_dictionary)?;
            children.push(values);
        }
    } else {
        for (index, (tree, child)) in tree.children.iter().zip(parts).enumerate() {
            let child = convert(tree, child, bytes).map_err(|place| place.inside(index))?;
            children.push(child);
        }
    }
    let data = with_children(data, children).map_err(Place::here)?;
    let Some(change) = Change::of(&tree.format, tree.dictionary.is_some()) else {
        return Ok(data);
    };
    match change {
        Change::ListView { is_large: false } => list_view::to_list::<i32>(&data, bytes),
        Change::ListView { is_large: true } => list_view::to_list::<i64>(&data, bytes),
        Change::RunEnds => run_end::decode(&data, bytes),
        Change::Decimal { bits, .. } => decimal::to_128(&data, bits, bytes),
        Change::DecimalBytes => decimal::to_bytes(data),
        Change::Keys { is_signed } => key::to_int32(&data, is_signed, bytes),
    }
    .map_err(Place::here)
}

/// Restores data of the converted type `tree`.
pub(super) fn restore(
    tree: &SchemaTree,
    data: ArrayData,
    bytes: &mut usize,
) -> Result<ArrayData, Place> {
    let change = Change::back(tree).map(|(change, _)| change);
    if change == Some(Change::RunEnds) {
        // Runs are found among the values as they are, and the values of the runs restored then.
        let (encoded, values) = run_ends(tree).map_err(Place::here)?;
        let format = &encoded.children[0].format;
        let (run_ends, found) = run_end::encode(&data, format, bytes).map_err(Place::here)?;
        let found = restore(&values, found, bytes)?;
        return run_end::assemble(data.len(), run_ends, found).map_err(Place::here);
    }
    let mut children = Vec::with_capacity(data.child_data().len());
    let parts = data.child_data().iter().cloned();
    if let Some(dictionary) = dictionary_of(tree) {
        for values in parts {
            let values = restore(&dictionary, values, bytes).map_err(Place::inside_dictionary)?;
            children.push(values);
        }
    } else {
        for (index, (tree, child)) in tree.children.iter().zip(parts).enumerate() {
            let child = restore(tree, child, bytes).map_err(|place| place.inside(index))?;
            children.push(child);
        }
    }
    let data = with_children(data, children).map_err(Place::here)?;
    match change {
        Some(Change::ListView { is_large: false }) => list_view::from_list::<i32>(&data, bytes),
        Some(Change::ListView { is_large: true }) => list_view::from_list::<i64>(&data, bytes),
        Some(Change::Decimal { bits, precision }) => {
            decimal::from_128(&data, bits, precision, bytes)
        }
        Some(Change::DecimalBytes) => decimal::from_bytes(data),
        Some(Change::Keys { is_signed }) => key::to_64(&data, is_signed, bytes),
        Some(Change::RunEnds) | None => Ok(data),
    }
    .map_err(Place::here)
}

/// The same array over other children, of which only the types may differ.
fn with_children(data: ArrayData, children: Vec<ArrayData>) -> Result<ArrayData, Problem> {
    if children.is_empty() {
        return Ok(data);
    }
    let data_type = retyped(data.data_type(), &children)?;
    let builder = data
        .into_builder()
        .data_type(data_type)
        .child_data(children);
    built(builder)
}

/// `data_type` with the types of these children.
fn retyped(data_type: &DataType, children: &[ArrayData]) -> Result<DataType, Problem> {
    let field = |field: &Field, index: usize| {
        let data_type = children[index].data_type().clone();
        std::sync::Arc::new(field.clone().with_data_type(data_type))
    };
    Ok(match data_type {
        DataType::Struct(fields) => {
            let fields = fields.iter().enumerate();
            DataType::Struct(fields.map(|(index, inner)| field(inner, index)).collect())
        }
        DataType::List(inner) => DataType::List(field(inner, 0)),
        DataType::LargeList(inner) => DataType::LargeList(field(inner, 0)),
        DataType::ListView(inner) => DataType::ListView(field(inner, 0)),
        DataType::LargeListView(inner) => DataType::LargeListView(field(inner, 0)),
        DataType::FixedSizeList(inner, width) => DataType::FixedSizeList(field(inner, 0), *width),
        DataType::Map(inner, is_sorted) => DataType::Map(field(inner, 0), *is_sorted),
        DataType::RunEndEncoded(run_ends, values) => {
            DataType::RunEndEncoded(field(run_ends, 0), field(values, 1))
        }
        DataType::Union(fields, mode) => {
            let ids = fields.iter().map(|(id, _)| id);
            let inner = fields.iter().enumerate();
            let inner = inner.map(|(index, (_, inner))| field(inner, index));
            let fields = UnionFields::try_new(ids, inner)
                .map_err(|error| Problem::Arrow(error.to_string()))?;
            DataType::Union(fields, *mode)
        }
        DataType::Dictionary(keys, _) => {
            DataType::Dictionary(keys.clone(), Box::new(children[0].data_type().clone()))
        }
        other => other.clone(),
    })
}

/// The data of a builder whose parts are known to fit.
pub(super) fn built(builder: arrow_data::ArrayDataBuilder) -> Result<ArrayData, Problem> {
    // SAFETY: what is built is exported, not read as an array; what a conversion reads of it was checked when it was
    // read from the table, or made by a conversion.
    unsafe { builder.skip_validation(true) }
        .build()
        .map_err(|error| Problem::Arrow(error.to_string()))
}
