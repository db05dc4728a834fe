//! Quantized tables back to float32.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float32Array, ListArray, RecordBatch};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::Field;
use serde::{Deserialize, Serialize};

use crate::engine::{Quantizer, kernel, shared};
use crate::kernel::ggml;
use crate::kernel::rule::Rule;
use crate::kernel::{AHEAD, InstructionSet, Kernel, STEP};
use crate::parallel::{run, threads};
use crate::plan::{Coding, Geometry};
use crate::schema::{dequantized_schema, validate_quantized_schema};
use crate::stored::{Columns, Row};
use crate::{Control, QuantizeError, QuantizeOptions};

/// Codes that are unpacked at a time.
const BLOCK: usize = AHEAD;
/// Values of one task.
const TASK: usize = 1 << 18;
/// Outputs from this size on are written past the caches.
const STREAM_BYTES: usize = 4 << 20;

/// Options of one dequantization.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DequantizeOptions {
    /// Worker threads; 0 means one per core.
    pub threads: usize,
    /// Instead of the best there is. Fails where the machine lacks it.
    pub instruction_set: Option<InstructionSet>,
}

/// Takes a batch of the schema of [`quantized_schema`](crate::quantized_schema) back to layers: layer_name, weights
/// `list<float32>`, shape. Uses a quantizer that the whole process shares.
///
/// # Errors
/// See [`Quantizer::dequantize`].
pub fn dequantize(
    batch: &RecordBatch,
    options: &DequantizeOptions,
    control: &Control,
) -> Result<RecordBatch, QuantizeError> {
    shared().dequantize(batch, options, control)
}

/// Where the values of a row go.
#[derive(Clone, Copy)]
struct Target(*mut f32);

// SAFETY: tasks write to disjoint parts of the memory, which the call that runs them owns.
unsafe impl Send for Target {}
// SAFETY: as above.
unsafe impl Sync for Target {}

impl Target {
    /// Where the `at`th value goes.
    ///
    /// # Safety
    /// There is room for so many.
    unsafe fn at(self, at: usize) -> *mut f32 {
        // SAFETY: as promised to this method.
        unsafe { self.0.add(at) }
    }
}

impl Quantizer {
    /// Takes a quantized batch back to layers; see [`dequantize`].
    ///
    /// # Errors
    /// Columns that are missing or of other types, rows whose parts contradict each other, and more than 2^31 - 1
    /// values in one batch.
    pub fn dequantize(
        &self,
        batch: &RecordBatch,
        options: &DequantizeOptions,
        control: &Control,
    ) -> Result<RecordBatch, QuantizeError> {
        validate_quantized_schema(batch.schema_ref())?;
        let kernel = kernel(&QuantizeOptions {
            instruction_set: options.instruction_set,
            ..QuantizeOptions::default()
        })?;
        let columns = Columns::of(batch);
        let mut rows = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            rows.push(columns.row(row).map_err(|problem| {
                let names = columns.names;
                let layer = if names.is_null(row) {
                    ""
                } else {
                    names.value(row)
                };
                problem.of(row, layer)
            })?);
        }
        let mut offsets = vec![0usize];
        for row in &rows {
            offsets.push(offsets[offsets.len() - 1] + row.plan.values);
        }
        let total = offsets[rows.len()];
        if total > i32::MAX as usize {
            return Err(QuantizeError::TooLarge(format!(
                "one batch would have {total} values, more than the limit of {}; use smaller batches",
                i32::MAX
            )));
        }
        control.expect(rows.len(), total);
        let mut block = self.pool().take(4 * total).ok_or_else(|| {
            QuantizeError::TooLarge(format!(
                "no memory for {} bytes of values; use smaller batches",
                4 * total
            ))
        })?;
        let start = Target(block.bytes_mut().as_mut_ptr().cast());
        let mut tasks = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            // A task's worth is a whole number of bytes and of ggml's blocks.
            tasks.extend((0..row.plan.values).step_by(TASK).map(|first| (at, first)));
        }
        let stream = 4 * total >= STREAM_BYTES;
        run(
            threads(options.threads),
            tasks.len(),
            control,
            Buffers::default,
            |buffers, task| {
                let (at, first) = tasks[task];
                let row = &rows[at];
                let end = (first + TASK).min(row.plan.values);
                // SAFETY: the block has room for all values, of which these are the row's.
                let to = unsafe { start.at(offsets[at]) };
                row.decode(kernel, first, end, to, stream, buffers);
                (kernel.fence)();
                control.add_values(end - first);
            },
        )?;
        control.add_layers(rows.len());
        let buffer = block.freeze(4 * total);
        let values = Float32Array::new(ScalarBuffer::new(buffer, 0, total), None);
        let offsets: ScalarBuffer<i32> = offsets.iter().map(|offset| *offset as i32).collect();
        let item = Arc::new(Field::new("item", arrow_schema::DataType::Float32, false));
        let weights = ListArray::new(item, OffsetBuffer::new(offsets), Arc::new(values), None);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(columns.names.clone()),
            Arc::new(weights),
            Arc::new(columns.plain_shapes()),
        ];
        RecordBatch::try_new(dequantized_schema(), columns).map_err(|cause| {
            QuantizeError::TooLarge(format!("the result is no valid batch: {cause}"))
        })
    }
}

/// Buffers of one thread.
struct Buffers {
    codes: Vec<u8>,
    values: Vec<f32>,
}

impl Default for Buffers {
    fn default() -> Self {
        Self {
            codes: vec![0; BLOCK + STEP],
            values: vec![0.0; BLOCK + STEP],
        }
    }
}

impl Row<'_> {
    /// Decodes the values `first..end`; `to` is where the row begins.
    fn decode(
        &self,
        kernel: &Kernel,
        first: usize,
        end: usize,
        to: *mut f32,
        stream: bool,
        buffers: &mut Buffers,
    ) {
        let rule = match self.plan.coding {
            Coding::Affine(rule) => rule,
            Coding::Ggml(format) => {
                let block = first / ggml::BLOCK;
                let from = self.data[block * format.bytes()..].as_ptr();
                // SAFETY: the data has the layer's blocks, and `to` room for its values.
                return unsafe {
                    let (to, count) = (to.add(first), (end - first) / ggml::BLOCK);
                    let stream = stream && to.align_offset(64) == 0;
                    (kernel.decode_ggml)(format, from, count, to, stream)
                };
            }
        };
        let decoder = Decoder {
            row: self,
            kernel,
            rule,
            to,
            stream,
        };
        match self.plan.geometry {
            Geometry::Rows { row_len, group, .. } => {
                let rows = (row_len, group);
                // Where all groups are whole steps, or there is one group only, codes are read where they are.
                let direct = if row_len.is_multiple_of(STEP) && group.is_multiple_of(STEP) {
                    end
                } else if self.scales.len() == 1 {
                    first + (end - first) / STEP * STEP
                } else {
                    first
                };
                decoder.steps(rows, first, direct);
                decoder.blocks(direct, end, buffers, |at, len, buffers| {
                    decoder.runs(rows, at, len, buffers);
                });
            }
            Geometry::Columns { .. } => {
                decoder.blocks(first, end, buffers, |at, len, buffers| {
                    decoder.columns(at, &buffers.codes[..len]);
                });
            }
        }
    }
}

/// What decodes the values of one row of an affine layout.
struct Decoder<'a> {
    row: &'a Row<'a>,
    kernel: &'a Kernel,
    rule: Rule,
    /// Where the row's values go: there is room for all.
    to: *mut f32,
    /// Past the caches, where that is possible.
    stream: bool,
}

impl Decoder<'_> {
    /// Decodes the values `first..end`, which whole steps of each group make up, from where their codes are.
    fn steps(&self, rows: (usize, usize), first: usize, end: usize) {
        let bits = self.row.plan.stored_bits();
        let mut at = first;
        while at < end {
            let (maps, len) = run_at(rows, at, end);
            let count = maps.len() * len;
            let codes = self.row.data[at * usize::from(bits) / 8..].as_ptr();
            // SAFETY: the data has the row's codes, and there is room for its values.
            unsafe { self.groups(codes, bits, len, maps, self.to.add(at), self.stream) };
            at += count;
        }
    }

    /// Unpacks the codes `first..end` a block at a time, each for `decode` with its first value and its length.
    fn blocks(
        &self,
        first: usize,
        end: usize,
        buffers: &mut Buffers,
        decode: impl Fn(usize, usize, &mut Buffers),
    ) {
        let bits = self.row.plan.stored_bits();
        let per_byte = usize::from(8 / bits);
        for at in (first..end).step_by(BLOCK) {
            let len = BLOCK.min(end - at);
            let bytes = &self.row.data[at / per_byte..][..len.div_ceil(per_byte)];
            let (from, codes) = (bytes.as_ptr(), buffers.codes.as_mut_ptr());
            let count = bytes.len() * per_byte;
            // SAFETY: the bytes hold these codes, up to a whole byte, and the buffer has room for `BLOCK` and a step.
            unsafe { (self.kernel.unpack)(bits, self.rule.signed, from, count, codes) };
            decode(at, len, buffers);
        }
    }

    /// Decodes the `len` codes of the buffer, those of the values from `at` on, each by the map of its column.
    fn columns(&self, at: usize, codes: &[u8]) {
        // SAFETY: there is room for the row's values.
        let to = unsafe { std::slice::from_raw_parts_mut(self.to.add(at), codes.len()) };
        let maps = self.row.columns.as_ref().expect("made for columns");
        let period = maps.scales.len() - STEP;
        let mut done = 0;
        while done < codes.len() {
            let column = (at + done) % period;
            let len = (period - column).min(codes.len() - done);
            let (scales, zeros) = (
                &maps.scales[column..][..len],
                &maps.zero_points[column..][..len],
            );
            let pairs = codes[done..][..len].iter().zip(&mut to[done..][..len]);
            // The difference of code and zero point is a small integer, which a float holds.
            for ((code, to), (scale, zero)) in pairs.zip(scales.iter().zip(zeros)) {
                let code = if self.rule.signed {
                    f32::from(*code as i8)
                } else {
                    f32::from(*code)
                };
                *to = (code - zero) * scale;
            }
            done += len;
        }
    }

    /// Decodes the `len` codes of the buffer, those of the values from `at` on, group by group.
    fn runs(&self, rows: (usize, usize), at: usize, len: usize, buffers: &mut Buffers) {
        let mut done = 0;
        while done < len {
            let (maps, in_group) = run_at(rows, at + done, at + len);
            let count = maps.len() * in_group;
            // SAFETY: the buffer has the codes and a step more; there is room for the row's values.
            unsafe {
                let codes = buffers.codes.as_ptr().add(done);
                let to = self.to.add(at + done);
                if in_group.is_multiple_of(STEP) {
                    self.groups(codes, 8, in_group, maps, to, self.stream);
                } else {
                    let values = buffers.values.as_mut_ptr();
                    let step = in_group.next_multiple_of(STEP);
                    self.groups(codes, 8, step, maps, values, false);
                    to.copy_from_nonoverlapping(values, in_group);
                }
            }
            done += count;
        }
    }

    /// Decodes whole steps of codes of `bits` bits: `len` for each of the groups `maps`.
    ///
    /// # Safety
    /// There are so many codes, and room for so many values.
    unsafe fn groups(
        &self,
        codes: *const u8,
        bits: u8,
        len: usize,
        maps: Range<usize>,
        to: *mut f32,
        stream: bool,
    ) {
        let (scales, zero_points) = (&self.row.scales[maps.clone()], &self.row.zero_points[maps]);
        let stream = stream && to.align_offset(64) == 0;
        // SAFETY: as promised to this method.
        unsafe {
            self.kernel.decode(self.rule.signed, bits)(codes, len, scales, zero_points, to, stream)
        };
    }
}

/// The groups from the value `at` on, in rows of `row_len` that are cut into groups of `group`: whole groups that follow
/// each other and have whole steps, or a part of one; none goes beyond `end`. Their indices and the length of each.
fn run_at((row_len, group): (usize, usize), at: usize, end: usize) -> (Range<usize>, usize) {
    let (row, column) = (at / row_len, at % row_len);
    let rest = (row_len - column).min(end - at);
    let in_group = (group - column % group).min(rest);
    let count = if in_group == group && group.is_multiple_of(STEP) {
        rest / group
    } else {
        1
    };
    let index = row * row_len.div_ceil(group) + column / group;
    (index..index + count, in_group)
}
