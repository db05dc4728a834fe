//! One thread's work: a stretch of one layer, from values to packed codes.
//!
//! Blocks of about 2048 values pass through caches: their ranges are found, their scales fitted, and their codes written.
//! Codes of 4 or 8 bits that begin a line of a large output go there at once, so that the memory takes them while the
//! next are computed. All others go to a buffer, one byte each, and are packed from there, so that groups, rows and
//! stretches may begin at any bit.

use crate::Control;
use crate::input::Source;
use crate::job::{Columns, Job, store_maps};
use crate::kernel::ggml::{self, Format};
use crate::kernel::rule::{Group, Rule, code_one};
use crate::kernel::{AHEAD, Kernel, STEP};
use crate::packer::{PENDING, Packer};
use crate::plan::{Coding, Geometry};
use crate::refine::weights;
use crate::search;
use crate::statistics::{Tally, Totals};

/// Values of a block, unless one group needs more.
pub(crate) const BLOCK: usize = AHEAD;
/// How far ahead of the next block what is fetched begins: what is asked for last is needed soonest.
const LEAD: usize = BLOCK / 4;
/// Groups up to this length are done in one go; the parts of longer ones are done on all cores.
pub(crate) const SMALL: usize = 8192;
/// Values of one task: long enough to be worth handing out, short enough to share a layer evenly and to stop soon.
pub(crate) const TASK: usize = 1 << 18;

/// Buffers of one thread.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) kernel: &'static Kernel,
    statistics: bool,
    codes: Vec<u8>,
    values: Vec<f32>,
    pub(crate) weights: Vec<f32>,
    lows: Vec<f32>,
    highs: Vec<f32>,
    groups: Vec<Group>,
}

impl Worker {
    pub(crate) fn new(kernel: &'static Kernel, statistics: bool) -> Self {
        let groups = BLOCK / STEP;
        Self {
            kernel,
            statistics,
            codes: vec![0; PENDING + SMALL + STEP],
            values: vec![0.0; SMALL + STEP],
            weights: vec![0.0; SMALL + STEP],
            lows: vec![0.0; groups],
            highs: vec![0.0; groups],
            groups: vec![Group::given(1.0, 0); groups],
        }
    }

    /// Does the values `start..end` of a job: whole groups where these are short, and whole bytes of output.
    pub(crate) fn run(&mut self, job: &Job, start: usize, end: usize) -> Totals {
        let totals = match (job.plan.coding, job.plan.geometry) {
            (Coding::Ggml(format), _) => self.blocks(job, format, start, end),
            (Coding::Affine(rule), Geometry::Rows { row_len, group, .. }) if group <= SMALL => {
                self.short_groups(job, &rule, (row_len, group), start, end)
            }
            (Coding::Affine(rule), Geometry::Rows { group, .. }) => {
                self.long_groups(job, &rule, group, start, end)
            }
            (Coding::Affine(rule), Geometry::Columns { columns, .. }) => {
                self.columns(job, &rule, columns, start, end)
            }
        };
        (self.kernel.fence)();
        totals
    }

    /// `len` values from `at` on as float32, in place if that is what they are and they fill whole steps. Otherwise in
    /// a buffer, followed by zeros up to a whole step.
    pub(crate) fn load(&mut self, source: Source, at: usize, len: usize) -> *const f32 {
        debug_assert!(len <= SMALL);
        let to = self.values.as_mut_ptr();
        // SAFETY: the source has the values from `at` on, and the buffer room for `SMALL` and a step.
        unsafe {
            match source {
                Source::Float32(from) if len.is_multiple_of(STEP) => return from.add(at),
                Source::Float32(from) => {
                    let (from, to) = (from.add(at).cast::<u8>(), to.cast::<u8>());
                    std::ptr::copy_nonoverlapping(from, to, len * size_of::<f32>());
                }
                Source::Float16(from) => (self.kernel.widen_f16)(from.add(at), len, to),
                Source::Bfloat16(from) => (self.kernel.widen_bf16)(from.add(at), len, to),
            }
            to.add(len).write_bytes(0, len.next_multiple_of(STEP) - len);
        }
        to
    }

    fn short_groups(
        &mut self,
        job: &Job,
        rule: &Rule,
        (row_len, group): (usize, usize),
        start: usize,
        end: usize,
    ) -> Totals {
        let kernel = self.kernel;
        let mut packer = Packer::new(kernel, job, start);
        let mut tally = Tally::default();
        let groups_per_row = row_len.div_ceil(group);
        let mut at = start;
        while at < end {
            let (row, column) = (at / row_len, at % row_len);
            let rest = (row_len - column).min(end - at);
            let len = rest.min(group);
            let count = if len.is_multiple_of(STEP) {
                (BLOCK / len).min(rest / len).max(1)
            } else {
                1
            };
            let index = row * groups_per_row + column / group;
            let x = self.load(job.source, at, count * len);
            let next = job.source.address(at + count * len + LEAD);
            let step = len.next_multiple_of(STEP);
            let (lows, highs) = (&mut self.lows[..count], &mut self.highs[..count]);
            let groups = &mut self.groups[..count];
            // SAFETY: `x` has `count` groups of `step` values, and the buffer of codes as much room.
            unsafe {
                (kernel.ranges)(x, next, step, lows, highs);
                (kernel.fit)(rule, lows, highs, groups);
                if job.plan.searches() {
                    for (nth, group) in groups.iter_mut().enumerate() {
                        let weights =
                            weights(job.importance, at + nth * len, len, &mut self.weights);
                        let x = x.add(nth * step);
                        let score = |inverse, low, high| {
                            (kernel.score)(x, weights, step, inverse, low, high)
                        };
                        *group = search::improve(rule, group, len, score);
                    }
                }
                store_maps(job, rule, index, groups);
                let (codes, packed) = packer.room(&mut self.codes, count * len);
                let code = kernel.code(rule.signed, self.statistics, packed);
                tally.totals.is_invalid |=
                    !code(x, next, step, groups, rule, codes, &mut tally.sums);
            }
            packer.advance(&mut self.codes, count * len);
            at += count * len;
            tally.advance(count * len);
        }
        packer.finish(&mut self.codes);
        tally.finish()
    }

    fn long_groups(
        &mut self,
        job: &Job,
        rule: &Rule,
        group: usize,
        start: usize,
        end: usize,
    ) -> Totals {
        let mut packer = Packer::new(self.kernel, job, start);
        let mut tally = Tally::default();
        let mut at = start;
        while at < end {
            let index = at / group;
            let len = BLOCK.min((index + 1) * group - at).min(end - at);
            let x = self.load(job.source, at, len);
            let next = job.source.address(at + len + LEAD);
            let (codes, packed) = packer.room(&mut self.codes, len);
            let code = self.kernel.code(rule.signed, self.statistics, packed);
            let step = len.next_multiple_of(STEP);
            // SAFETY: `x` has `step` values, and the buffer of codes as much room.
            tally.totals.is_invalid |= unsafe {
                !code(
                    x,
                    next,
                    step,
                    &job.groups[index..=index],
                    rule,
                    codes,
                    &mut tally.sums,
                )
            };
            packer.advance(&mut self.codes, len);
            at += len;
            tally.advance(len);
        }
        packer.finish(&mut self.codes);
        tally.finish()
    }

    fn columns(
        &mut self,
        job: &Job,
        rule: &Rule,
        columns: usize,
        start: usize,
        end: usize,
    ) -> Totals {
        let maps = job.columns.as_ref().expect("columns were prepared");
        let period = Columns::period(columns);
        let code_each = self.kernel.code_each(rule.signed);
        let mut packer = Packer::new(self.kernel, job, start);
        let mut tally = Tally::default();
        tally.totals.is_invalid = maps.is_beyond;
        let mut at = start;
        while at < end {
            let column = at % period;
            let len = BLOCK.min(period - column).min(end - at);
            let x = self.load(job.source, at, len);
            let codes = packer.buffer(&mut self.codes);
            if maps.is_wide {
                // SAFETY: `x` has `len` values, and the buffer of codes room for as many.
                let (x, codes) = unsafe {
                    (
                        std::slice::from_raw_parts(x, len),
                        std::slice::from_raw_parts_mut(codes, len),
                    )
                };
                code_wide(
                    x,
                    &maps.scales[column..],
                    &maps.zero_points[column..],
                    rule,
                    codes,
                    &mut tally.totals,
                );
            } else {
                let (scales, zeros) = (&maps.scales[column..], &maps.zero_points[column..]);
                let step = len.next_multiple_of(STEP);
                // SAFETY: `x` has `step` values, the maps one for each and a step more than there are columns, and the
                // buffer of codes as much room.
                tally.totals.is_invalid |= unsafe {
                    !code_each(
                        x,
                        step,
                        scales.as_ptr(),
                        zeros.as_ptr(),
                        rule,
                        codes,
                        &mut tally.sums,
                    )
                };
            }
            packer.advance(&mut self.codes, len);
            at += len;
            tally.advance(len);
        }
        packer.finish(&mut self.codes);
        tally.finish()
    }

    fn blocks(&mut self, job: &Job, format: Format, start: usize, end: usize) -> Totals {
        let mut tally = Tally::default();
        for at in (start..end).step_by(BLOCK) {
            let len = BLOCK.min(end - at);
            let x = self.load(job.source, at, len);
            let block = at / ggml::BLOCK;
            let count = len / ggml::BLOCK;
            // SAFETY: `x` has `len` values, and the target room for all blocks of the layer.
            let is_valid = unsafe {
                let data = job.target.data.add(block * format.bytes());
                let biases = if job.target.biases.is_null() {
                    job.target.biases
                } else {
                    job.target.biases.add(block)
                };
                let zero_point = if format == Format::Q4_0 { 8 } else { 0 };
                for block in block..block + count {
                    job.target.zero_points.add(block).write(zero_point);
                }
                let scales = job.target.scales.add(block);
                (self.kernel.encode_ggml)(format, x, count, data, scales, biases, &mut tally.sums)
            };
            tally.totals.is_invalid |= !is_valid;
            tally.advance(len);
        }
        tally.finish()
    }

    /// The ranges, with 0, of what lies `period` values apart among the values `start..end`, which begin a period: lows,
    /// then highs, each followed by room for a step.
    pub(crate) fn column_ranges(
        &mut self,
        source: Source,
        period: usize,
        (start, end): (usize, usize),
        control: &Control,
    ) -> [Vec<f32>; 2] {
        let mut ranges = [vec![0.0; period + STEP], vec![0.0; period + STEP]];
        let mut at = start;
        // Of a call that was stopped nothing is kept.
        while at < end && !control.is_cancelled() {
            let column = (at - start) % period;
            let len = BLOCK.min(period - column).min(end - at);
            let x = self.load(source, at, len);
            let [lows, highs] = &mut ranges;
            let (lows, highs) = (lows[column..].as_mut_ptr(), highs[column..].as_mut_ptr());
            // SAFETY: `x` has `len` values, up to a whole step, and the ranges a step more than the period.
            unsafe { (self.kernel.widen_ranges)(x, len.next_multiple_of(STEP), lows, highs) };
            at += len;
        }
        ranges
    }

    /// The range, with 0, of the values `start..end`.
    pub(crate) fn range(&mut self, source: Source, start: usize, end: usize) -> (f32, f32) {
        let mut range = (0.0f32, 0.0f32);
        for at in (start..end).step_by(BLOCK) {
            let len = BLOCK.min(end - at);
            let x = self.load(source, at, len);
            let (mut low, mut high) = ([0.0], [0.0]);
            // SAFETY: `x` has `len` values, up to a whole step.
            unsafe {
                let next = source.address(at + len + LEAD);
                (self.kernel.ranges)(x, next, len.next_multiple_of(STEP), &mut low, &mut high)
            };
            range = (range.0.min(low[0]), range.1.max(high[0]));
        }
        range
    }
}

fn code_wide(
    x: &[f32],
    scales: &[f32],
    zeros: &[f32],
    rule: &Rule,
    codes: &mut [u8],
    totals: &mut Totals,
) {
    let (bottom, top) = rule.codes();
    for (((&x, &scale), &zero), code) in x.iter().zip(scales).zip(zeros).zip(codes) {
        let steps = code_one(x, scale, bottom, top, zero as i32);
        let e = f64::from(x) - f64::from(steps) * f64::from(scale);
        let x64 = f64::from(x);
        let sums = [e * e, x64 * x64, x64 * e];
        totals.add(&Totals {
            sums,
            largest: e.abs() as f32,
            is_invalid: !x.is_finite(),
        });
        *code = (steps + zero as i32) as u8;
    }
}
