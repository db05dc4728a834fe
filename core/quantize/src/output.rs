//! The quantized table: one block of memory for what the workers write, and the columns over it.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{
    ArrayRef, Float32Array, Int16Array, Int32Array, Int64Array, LargeBinaryArray, ListArray,
    RecordBatch, StringArray, UInt8Array,
};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::Field;
use bowstring_block::{ALIGNMENT, Block, BlockPool};

use crate::input::Layer;
use crate::job::Target;
use crate::plan::Plan;
use crate::statistics::Totals;
use crate::{QuantizeError, QuantizeOptions};

/// The large columns, being written.
#[derive(Debug)]
pub(crate) struct Output {
    block: Block,
    regions: Regions,
    /// Where the results of each layer go.
    pub(crate) targets: Vec<Target>,
}

/// Offsets of the columns in the block.
#[derive(Clone, Copy, Debug, Default)]
struct Regions {
    scales: usize,
    zero_points: usize,
    biases: usize,
    len: usize,
}

impl Output {
    /// Room for the results of these plans.
    pub(crate) fn new<'a>(
        plans: impl Iterator<Item = &'a Plan> + Clone,
        pool: &Arc<BlockPool>,
    ) -> Result<Self, QuantizeError> {
        let mut sums = [0usize; 3];
        for plan in plans.clone() {
            sums = [
                sums[0] + plan.data_bytes,
                sums[1] + plan.scales,
                sums[2] + plan.biases,
            ];
        }
        let [data, scales, biases] = sums;
        if scales > i32::MAX as usize {
            return Err(QuantizeError::TooLarge(format!(
                "one batch would have {scales} scales, more than the limit of {}; use smaller batches or larger groups",
                i32::MAX
            )));
        }
        let mut len = 0;
        let mut region = |bytes: usize| {
            let start = len;
            len += bytes.next_multiple_of(ALIGNMENT);
            start
        };
        region(data);
        let regions = Regions {
            scales: region(4 * scales),
            zero_points: region(2 * scales),
            biases: region(4 * biases),
            len: 0,
        };
        let regions = Regions { len, ..regions };
        let mut block = pool.take(len).ok_or_else(|| {
            QuantizeError::TooLarge(format!(
                "no memory for {len} bytes of results; use smaller batches"
            ))
        })?;
        let start = block.bytes_mut().as_mut_ptr();
        let mut at = [0usize; 3];
        let mut targets = Vec::new();
        for plan in plans {
            // SAFETY: the block has `len` bytes, and the regions room for all plans.
            targets.push(unsafe {
                let biases = start.add(regions.biases + 4 * at[2]).cast();
                let data = start.add(at[0]);
                // Words are filled up with zeros.
                let tail = plan.data_bytes.min(4);
                data.add(plan.data_bytes - tail).write_bytes(0, tail);
                Target {
                    data,
                    scales: start.add(regions.scales + 4 * at[1]).cast(),
                    zero_points: start.add(regions.zero_points + 2 * at[1]).cast(),
                    biases: if plan.biases > 0 {
                        biases
                    } else {
                        std::ptr::null_mut()
                    },
                }
            });
            at = [
                at[0] + plan.data_bytes,
                at[1] + plan.scales,
                at[2] + plan.biases,
            ];
        }
        Ok(Self {
            block,
            regions,
            targets,
        })
    }

    /// The batch of the layers that are `kept`.
    pub(crate) fn finish(
        self,
        planned: &[(Layer, Plan)],
        totals: &[Totals],
        kept: &[bool],
        options: &QuantizeOptions,
    ) -> Result<RecordBatch, QuantizeError> {
        let Self {
            mut block,
            regions,
            targets,
        } = self;
        drop(targets);
        let kept_plans: Vec<&(Layer, Plan)> = planned
            .iter()
            .zip(kept)
            .filter(|(_, kept)| **kept)
            .map(|(planned, _)| planned)
            .collect();
        if kept_plans.len() < planned.len() {
            close_gaps(block.bytes_mut(), regions, planned, kept);
        }
        let rows = kept_plans.len();
        let sum = |size: fn(&Plan) -> usize| {
            let mut offsets = vec![0usize];
            offsets.extend(kept_plans.iter().scan(0, |sum, (_, plan)| {
                *sum += size(plan);
                Some(*sum)
            }));
            offsets
        };
        let (data, scales, biases) = (sum(|p| p.data_bytes), sum(|p| p.scales), sum(|p| p.biases));
        let buffer = block.freeze(regions.len);
        let slice = |start: usize, len: usize| -> Buffer { buffer.slice_with_length(start, len) };
        let count = |offsets: &[usize]| offsets.last().copied().unwrap_or_default();
        let data_offsets: ScalarBuffer<i64> = data.iter().map(|offset| *offset as i64).collect();
        let codes = LargeBinaryArray::new(
            OffsetBuffer::new(data_offsets),
            slice(0, count(&data)),
            None,
        );
        let groups = count(&scales);
        let scale_values = Float32Array::new(
            ScalarBuffer::new(slice(regions.scales, 4 * groups), 0, groups),
            None,
        );
        let zero_buffer = slice(regions.zero_points, 2 * groups);
        let zero_points = Int16Array::new(ScalarBuffer::new(zero_buffer, 0, groups), None);
        let bias_count = count(&biases);
        let bias_buffer = slice(regions.biases, 4 * bias_count);
        let bias_values = Float32Array::new(ScalarBuffer::new(bias_buffer, 0, bias_count), None);
        let has_biases: NullBuffer = kept_plans.iter().map(|(_, plan)| plan.biases > 0).collect();
        let bias_nulls = (has_biases.null_count() > 0).then_some(has_biases);

        let mut names = StringBuilder::new();
        let mut shape_offsets = vec![0usize];
        let mut sizes: Vec<i64> = Vec::new();
        for (layer, _) in &kept_plans {
            names.append_value(layer.name);
            sizes.extend(layer.shape.iter().map(|size| *size as i64));
            shape_offsets.push(sizes.len());
        }
        let texts = |text: fn(&Plan) -> &'static str| -> ArrayRef {
            Arc::new(
                kept_plans
                    .iter()
                    .map(|(_, plan)| Some(text(plan)))
                    .collect::<StringArray>(),
            )
        };
        let measures = |measure: fn(&Totals, usize) -> f32| -> ArrayRef {
            let kept = totals
                .iter()
                .zip(planned)
                .zip(kept)
                .filter(|(_, kept)| **kept);
            let values = kept.map(|((totals, (_, plan)), _)| {
                options.statistics.then(|| measure(totals, plan.values))
            });
            Arc::new(values.collect::<Float32Array>())
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(names.finish()),
            Arc::new(codes),
            list(&scales, Arc::new(scale_values), None),
            list(&scales, Arc::new(zero_points), None),
            list(&shape_offsets, Arc::new(Int64Array::from(sizes)), None),
            Arc::new(UInt8Array::from_iter_values(
                kept_plans.iter().map(|(_, plan)| plan.options.bit_width),
            )),
            list(&biases, Arc::new(bias_values), bias_nulls),
            texts(|plan| plan.scheme.name()),
            Arc::new(Int32Array::from_iter_values(
                kept_plans.iter().map(|(_, plan)| plan.group_size),
            )),
            Arc::new(Int32Array::from_iter_values(
                kept_plans.iter().map(|(_, plan)| plan.axis),
            )),
            texts(|plan| plan.options.layout.name()),
            measures(Totals::rmse),
            measures(|totals, _| totals.largest),
            measures(|totals, _| totals.sqnr_db()),
            measures(|totals, _| totals.cosine()),
        ];
        debug_assert!(columns.iter().all(|column| column.len() == rows));
        RecordBatch::try_new(options.quantized_schema(), columns).map_err(|cause| {
            QuantizeError::TooLarge(format!("the result is no valid batch: {cause}"))
        })
    }
}

/// Moves what the kept layers have written over what the others have.
fn close_gaps(bytes: &mut [u8], regions: Regions, planned: &[(Layer, Plan)], kept: &[bool]) {
    let mut close = |start: usize, size: &dyn Fn(&Plan) -> usize| {
        let (mut from, mut to) = (start, start);
        for ((_, plan), kept) in planned.iter().zip(kept) {
            let len = size(plan);
            if *kept {
                bytes.copy_within(from..from + len, to);
                to += len;
            }
            from += len;
        }
    };
    close(0, &|plan| plan.data_bytes);
    close(regions.scales, &|plan| 4 * plan.scales);
    close(regions.zero_points, &|plan| 2 * plan.scales);
    close(regions.biases, &|plan| 4 * plan.biases);
}

/// A list column; `offsets` fit an `i32`.
fn list(offsets: &[usize], values: ArrayRef, nulls: Option<NullBuffer>) -> ArrayRef {
    let offsets: ScalarBuffer<i32> = offsets.iter().map(|offset| *offset as i32).collect();
    let field = Arc::new(Field::new("item", values.data_type().clone(), false));
    Arc::new(ListArray::new(
        field,
        OffsetBuffer::new(offsets),
        values,
        nulls,
    ))
}
