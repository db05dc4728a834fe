//! Run-end encoded arrays, and their values repeated.

use std::sync::Arc;

use arrow_buffer::Buffer;
use arrow_data::{ArrayData, BufferSpec};
use arrow_schema::{DataType, Field};

use super::data::built;
use super::list_view::{extend, mutable};
use super::read::{reserved, typed};
use crate::invalid::Problem;

/// Every value as often as its run is long.
pub(super) fn decode(data: &ArrayData, bytes: &mut usize) -> Result<ArrayData, Problem> {
    let [run_ends, values] = data.child_data() else {
        return Err(Problem::Null("a child"));
    };
    let ends: Vec<i64> = match run_ends.data_type() {
        DataType::Int16 => typed::<i16>(run_ends, 0)?
            .iter()
            .map(|&end| end.into())
            .collect(),
        DataType::Int32 => typed::<i32>(run_ends, 0)?
            .iter()
            .map(|&end| end.into())
            .collect(),
        _ => typed::<i64>(run_ends, 0)?.to_vec(),
    };
    // A few bytes can claim any number of items; running out of memory must be an error.
    reserved::<u8>(data.len().saturating_mul(width(values.data_type())))?;

    let mut items = mutable(values, data.len())?;
    let (mut at, end) = (data.offset() as i64, (data.offset() + data.len()) as i64);
    // The first run that reaches beyond the offset.
    let first = ends.partition_point(|&run_end| run_end <= at);
    for (run, &run_end) in ends.iter().enumerate().skip(first) {
        let stop = run_end.min(end);
        for _ in at..stop {
            extend(&mut items, run, run + 1)?;
        }
        at = stop.max(at);
        if at >= end {
            break;
        }
    }
    let items = items.freeze();
    *bytes += items.get_array_memory_size();
    Ok(items)
}

/// How many bytes an item has in the array itself, at least 1.
fn width(data_type: &DataType) -> usize {
    let specs = arrow_data::layout(data_type).buffers;
    let bytes = specs.iter().map(|spec| match spec {
        BufferSpec::FixedWidth { byte_width, .. } => *byte_width,
        _ => 1,
    });
    bytes.sum::<usize>().max(1)
}

/// The ends of the longest runs of equal items, and one item of each run.
pub(super) fn encode(
    data: &ArrayData,
    format: &str,
    bytes: &mut usize,
) -> Result<(ArrayData, ArrayData), Problem> {
    let mut ends = Vec::new();
    let mut values = mutable(data, 0)?;
    let mut run = None;
    for index in 0..data.len() {
        let item = data.slice(index, 1);
        if run.as_ref() != Some(&item) {
            if index > 0 {
                ends.push(index);
            }
            extend(&mut values, index, index + 1)?;
            run = Some(item);
        }
    }
    if !data.is_empty() {
        ends.push(data.len());
    }
    let run_ends = match format {
        "s" => narrow::<i16>(&ends, DataType::Int16),
        "i" => narrow::<i32>(&ends, DataType::Int32),
        _ => narrow::<i64>(&ends, DataType::Int64),
    }?;
    let values = values.freeze();
    *bytes += run_ends.get_array_memory_size() + values.get_array_memory_size();
    Ok((run_ends, values))
}

fn narrow<T: arrow_buffer::ArrowNativeType + TryFrom<usize>>(
    ends: &[usize],
    data_type: DataType,
) -> Result<ArrayData, Problem> {
    let found = ends.last().copied().unwrap_or_default();
    let narrowed = ends.iter().map(|&end| T::try_from(end));
    let narrowed: Vec<T> = narrowed
        .collect::<Result<_, _>>()
        .map_err(|_| Problem::TooManyItems(found))?;
    let builder = ArrayData::builder(data_type)
        .len(narrowed.len())
        .add_buffer(Buffer::from_vec(narrowed));
    built(builder)
}

/// A run-end encoded array of `length` items.
pub(super) fn assemble(
    length: usize,
    run_ends: ArrayData,
    values: ArrayData,
) -> Result<ArrayData, Problem> {
    let field = |name: &str, data: &ArrayData, nullable| {
        Arc::new(Field::new(name, data.data_type().clone(), nullable))
    };
    let data_type = DataType::RunEndEncoded(
        field("run_ends", &run_ends, false),
        field("values", &values, true),
    );
    let builder = ArrayData::builder(data_type)
        .len(length)
        .child_data(vec![run_ends, values]);
    built(builder)
}
