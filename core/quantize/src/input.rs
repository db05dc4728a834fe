//! The layers of a batch, whatever columns they come in.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float32Type, Int32Type, Int64Type, UInt16Type};
use arrow_array::{Array, ArrayRef, GenericListArray, OffsetSizeTrait, RecordBatch};
use arrow_schema::DataType;

use crate::error::Problem;
use crate::schema::{Element, Weights};
use crate::{LayerError, OnInvalid, QuantizeOptions};

/// Values of a layer, where they lie.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    Float32(*const f32),
    Float16(*const u16),
    Bfloat16(*const u16),
}

impl Source {
    /// Where the `at`th value lies, or would; only to be fetched.
    pub(crate) fn address(self, at: usize) -> *const f32 {
        match self {
            Self::Float32(from) => from.wrapping_add(at),
            Self::Float16(from) | Self::Bfloat16(from) => from.wrapping_add(at).cast(),
        }
    }
}

// SAFETY: the values are only read, while the batch that owns them is borrowed.
unsafe impl Send for Source {}
// SAFETY: as above.
unsafe impl Sync for Source {}

/// One row of the input.
#[derive(Debug)]
pub(crate) struct Layer<'a> {
    pub(crate) row: usize,
    pub(crate) name: &'a str,
    pub(crate) source: Source,
    pub(crate) len: usize,
    pub(crate) shape: Vec<usize>,
    /// The elements, when some of them are null: their array and where the layer starts in it.
    pub(crate) nulls: Option<(ArrayRef, usize)>,
    /// Weights of the search.
    pub(crate) importance: Option<&'a [f32]>,
}

impl Layer<'_> {
    pub(crate) fn error(&self, problem: impl Into<Problem>) -> LayerError {
        problem.into().of(self.row, self.name)
    }

    /// The `at`th value; `None` for null.
    pub(crate) fn value(&self, at: usize) -> Option<f32> {
        debug_assert!(at < self.len);
        if self
            .nulls
            .as_ref()
            .is_some_and(|(array, start)| array.is_null(start + at))
        {
            return None;
        }
        // SAFETY: `at` is below `len`, and `source` points to `len` values.
        Some(unsafe {
            match self.source {
                Source::Float32(from) => from.add(at).read_unaligned(),
                Source::Float16(from) => {
                    half::f16::from_bits(from.add(at).read_unaligned()).to_f32()
                }
                Source::Bfloat16(from) => {
                    f32::from_bits(u32::from(from.add(at).read_unaligned()) << 16)
                }
            }
        })
    }

    /// What is wrong with the first value that is null, NaN or infinite.
    pub(crate) fn first_invalid(&self) -> Option<Problem> {
        (0..self.len).find_map(|at| {
            let found = match self.value(at) {
                None => "null",
                Some(value) if value.is_nan() => "NaN",
                Some(f32::INFINITY) => "infinity",
                Some(f32::NEG_INFINITY) => "-infinity",
                Some(_) => return None,
            };
            Some(Problem::weight(at, found))
        })
    }

    /// The values with what cannot be quantized replaced as `OnInvalid::Clip` says.
    pub(crate) fn clipped(&self) -> Vec<f32> {
        let mut most = 0.0f32;
        for value in (0..self.len)
            .filter_map(|at| self.value(at))
            .filter(|value| value.is_finite())
        {
            most = most.max(value.abs());
        }
        let clip = |value: Option<f32>| match value {
            None => 0.0,
            Some(value) if value.is_nan() => 0.0,
            Some(value) => value.clamp(-most, most),
        };
        (0..self.len).map(|at| clip(self.value(at))).collect()
    }
}

/// A row: its layer, or why there is none.
pub(crate) type Row<'a> = Result<Layer<'a>, LayerError>;

/// The rows of a batch whose schema has been validated.
pub(crate) fn layers<'a>(batch: &'a RecordBatch, options: &QuantizeOptions) -> Vec<Row<'a>> {
    let schema = batch.schema_ref();
    let column = |name: &str| batch.column_by_name(name);
    let weights =
        Weights::of(schema.field_with_name("weights").expect("validated")).expect("validated");
    let names = column("layer_name").expect("validated");
    let values = column("weights").expect("validated");
    let importance = options.importance.as_deref().and_then(column);
    let mut layers = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let name = text(names, row);
        let layer = match name {
            None => Err("expected a layer_name but found null".to_owned().into()),
            Some(name) => layer(row, name, &weights, values, column("shape"), importance),
        };
        let layer = layer.map_err(|problem| problem.of(row, name.unwrap_or_default()));
        layers.push(layer.and_then(|layer| {
            // Clipping mends nulls later, together with what the kernels find.
            let is_refused = layer.nulls.is_some() && options.on_invalid != OnInvalid::Clip;
            match is_refused.then(|| layer.first_invalid()).flatten() {
                Some(problem) => Err(layer.error(problem)),
                None => Ok(layer),
            }
        }));
    }
    layers
}

fn text(names: &ArrayRef, row: usize) -> Option<&str> {
    if names.is_null(row) {
        return None;
    }
    Some(match names.data_type() {
        DataType::Utf8 => names.as_string::<i32>().value(row),
        _ => names.as_string::<i64>().value(row),
    })
}

fn layer<'a>(
    row: usize,
    name: &'a str,
    weights: &Weights,
    values: &'a ArrayRef,
    shapes: Option<&ArrayRef>,
    importance: Option<&'a ArrayRef>,
) -> Result<Layer<'a>, Problem> {
    if values.is_null(row) {
        return Err(Problem::null_weights());
    }
    let (array, start, len) = match weights {
        Weights::VariableShape(_) => {
            let data = values.as_struct().column(0);
            if data.is_null(row) {
                return Err(Problem::null_weights());
            }
            elements(data, row)
        }
        _ => elements(values, row),
    };
    let own_shape = match weights {
        Weights::List(_) => None,
        Weights::FixedShape(_, shape) => Some(shape.clone()),
        Weights::VariableShape(_) => Some(tensor_shape(values.as_struct().column(1), row)?),
    };
    let said = match shapes {
        Some(shapes) if !shapes.is_null(row) => Some(listed_shape(shapes, row)?),
        _ => None,
    };
    let shape = match (said, own_shape) {
        (Some(said), Some(own)) if said != own => {
            return Err(
                format!("shape: expected {own:?}, the tensor's own, but found {said:?}").into(),
            );
        }
        (Some(shape), _) | (None, Some(shape)) => shape,
        (None, None) => vec![len],
    };
    let product = shape
        .iter()
        .try_fold(1usize, |product, size| product.checked_mul(*size));
    if product != Some(len) {
        return Err(
            format!("shape: expected sizes whose product is {len} but found {shape:?}").into(),
        );
    }
    let source = match weights.element() {
        Element::Float32 => {
            Source::Float32(array.as_primitive::<Float32Type>().values()[start..].as_ptr())
        }
        Element::Float16 => Source::Float16(
            array.as_primitive::<Float16Type>().values()[start..]
                .as_ptr()
                .cast(),
        ),
        Element::Bfloat16 => {
            Source::Bfloat16(array.as_primitive::<UInt16Type>().values()[start..].as_ptr())
        }
    };
    let has_nulls = array.logical_null_count() > 0 && array.slice(start, len).null_count() > 0;
    let nulls = has_nulls.then(|| (array.clone(), start));
    let importance = match importance {
        None => None,
        Some(column) => Some(weights_of_search(
            column,
            row,
            shape.last().copied().unwrap_or(1),
            len,
        )?),
    };
    Ok(Layer {
        row,
        name,
        source,
        len,
        shape,
        nulls,
        importance,
    })
}

/// The elements of a row's list: their array, the first, and how many.
fn elements(lists: &ArrayRef, row: usize) -> (&ArrayRef, usize, usize) {
    fn of<O: OffsetSizeTrait>(
        lists: &GenericListArray<O>,
        row: usize,
    ) -> (&ArrayRef, usize, usize) {
        let offsets = lists.value_offsets();
        let (start, end) = (offsets[row].as_usize(), offsets[row + 1].as_usize());
        (lists.values(), start, end - start)
    }
    match lists.data_type() {
        DataType::List(_) => of(lists.as_list::<i32>(), row),
        DataType::LargeList(_) => of(lists.as_list::<i64>(), row),
        _ => {
            let lists = lists.as_fixed_size_list();
            (
                lists.values(),
                lists.value_offset_at(row),
                lists.value_length() as usize,
            )
        }
    }
}

fn tensor_shape(shapes: &ArrayRef, row: usize) -> Result<Vec<usize>, Problem> {
    let (array, start, len) = elements(shapes, row);
    let sizes = array.as_primitive::<Int32Type>();
    checked_shape(
        (start..start + len).map(|at| sizes.is_valid(at).then(|| i64::from(sizes.value(at)))),
    )
}

fn listed_shape(shapes: &ArrayRef, row: usize) -> Result<Vec<usize>, Problem> {
    let (array, start, len) = elements(shapes, row);
    let sizes = array.as_primitive::<Int64Type>();
    checked_shape((start..start + len).map(|at| sizes.is_valid(at).then(|| sizes.value(at))))
}

fn checked_shape(sizes: impl Iterator<Item = Option<i64>>) -> Result<Vec<usize>, Problem> {
    let checked = |(at, size): (usize, Option<i64>)| {
        let problem = |found: &str| Problem::element("shape", at, "a size", found);
        let size = size.ok_or_else(|| problem("null"))?;
        usize::try_from(size).map_err(|_| problem(&size.to_string()))
    };
    sizes.enumerate().map(checked).collect()
}

fn weights_of_search(
    column: &ArrayRef,
    row: usize,
    last: usize,
    len: usize,
) -> Result<&[f32], Problem> {
    if column.is_null(row) {
        return Err("importance: expected weights but found null"
            .to_owned()
            .into());
    }
    let (array, start, count) = elements(column, row);
    if count != last && count != len {
        let either = if last == len {
            format!("{len}")
        } else {
            format!("{last} or {len}")
        };
        return Err(format!("importance: expected {either} weights but found {count}").into());
    }
    let weights = &array.as_primitive::<Float32Type>().values()[start..start + count];
    for (at, weight) in weights.iter().enumerate() {
        if array.is_null(start + at) || !(0.0..=1e12).contains(weight) {
            let found = if array.is_null(start + at) {
                "null".to_owned()
            } else {
                weight.to_string()
            };
            let expected = "a number from 0 to 1e12";
            return Err(Problem::element("importance", at, expected, &found));
        }
    }
    Ok(weights)
}
