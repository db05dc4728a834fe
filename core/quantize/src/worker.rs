//! One thread's work: a stretch of one layer, from values to packed codes.
//!
//! Blocks of about 2048 values pass through caches: their ranges are found, their scales fitted, their codes written to
//! a buffer, one byte each, and packed from there to the output. So groups, rows and stretches may begin at any bit.

use crate::input::Source;
use crate::kernel::affine::{Group, Path, Rule, Sums, code_one};
use crate::kernel::ggml::{self, Format};
use crate::kernel::{AHEAD, Kernel, STEP};
use crate::plan::{Coding, Geometry, Plan};
use crate::search;

/// Values of a block, unless one group needs more.
const BLOCK: usize = AHEAD;
/// Groups up to this length are done in one go; the parts of longer ones are done on all cores.
pub(crate) const SMALL: usize = 8192;
/// Values whose sums may be kept in float32.
const SUMMED: usize = 8 * BLOCK;
/// Codes that wait for a whole line of output.
const PENDING: usize = 64 * 4;
/// Outputs from this size on are written past the caches, as they would push everything else out of them.
const STREAM_BYTES: usize = 1 << 20;

/// Where a layer's results go. Null where the plan has none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) data: *mut u8,
    pub(crate) scales: *mut f32,
    pub(crate) zero_points: *mut i16,
    pub(crate) biases: *mut f32,
}

// SAFETY: tasks write to disjoint parts of the memory, which the call that runs them owns.
unsafe impl Send for Target {}
// SAFETY: as above.
unsafe impl Sync for Target {}

/// The work on one layer, prepared.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    pub(crate) source: Source,
    pub(crate) plan: Plan,
    pub(crate) importance: Option<&'a [f32]>,
    pub(crate) target: Target,
    /// The maps of groups that are too long for a block, and of columns.
    pub(crate) groups: Vec<Group>,
    /// Of [`Geometry::Columns`]: scale and zero point of each column.
    pub(crate) columns: Option<Columns>,
}

/// Maps of columns, followed by room for a whole step.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) scales: Vec<f32>,
    pub(crate) zero_points: Vec<f32>,
    /// Some scale is far from 1.
    pub(crate) is_wide: bool,
    /// Some range is beyond its scale's type.
    pub(crate) is_beyond: bool,
}

impl Columns {
    pub(crate) fn new(groups: &[Group], columns: usize, inner: usize) -> Self {
        let expand = |value: &dyn Fn(&Group) -> f32, rest: f32| {
            let values = groups
                .iter()
                .flat_map(|group| std::iter::repeat_n(value(group), inner));
            values
                .take(columns)
                .chain(std::iter::repeat_n(rest, STEP))
                .collect()
        };
        Self {
            scales: expand(&|group| group.scale, 1.0),
            zero_points: expand(&|group| group.zero_point as f32, 0.0),
            is_wide: groups.iter().any(|group| group.path == Path::Wide),
            is_beyond: groups.iter().any(|group| group.path == Path::Beyond),
        }
    }
}

/// What a stretch adds up to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    /// Sums of e^2, x^2 and x e.
    pub(crate) sums: [f64; 3],
    pub(crate) largest: f32,
    pub(crate) is_invalid: bool,
}

impl Totals {
    pub(crate) fn add(&mut self, other: &Self) {
        self.sums = std::array::from_fn(|at| self.sums[at] + other.sums[at]);
        self.largest = self.largest.max(other.largest);
        self.is_invalid |= other.is_invalid;
    }

    fn take(&mut self, sums: &mut Sums) {
        let (sums, largest) = sums.take();
        self.add(&Self {
            sums,
            largest,
            is_invalid: false,
        });
    }
}

/// Buffers of one thread.
#[derive(Debug)]
pub(crate) struct Worker {
    kernel: &'static Kernel,
    statistics: bool,
    codes: Vec<u8>,
    values: Vec<f32>,
    weights: Vec<f32>,
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
    fn load(&mut self, source: Source, at: usize, len: usize) -> *const f32 {
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
        let code = kernel.code(rule.signed, self.statistics);
        let mut packer = Packer::new(kernel, job, start);
        let (mut totals, mut sums, mut summed) = (Totals::default(), Sums::ZERO, 0);
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
            let step = len.next_multiple_of(STEP);
            let (lows, highs) = (&mut self.lows[..count], &mut self.highs[..count]);
            let groups = &mut self.groups[..count];
            // SAFETY: `x` has `count` groups of `step` values, and the buffer of codes as much room.
            unsafe {
                (kernel.ranges)(x, step, lows, highs);
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
                let codes = packer.room(&mut self.codes);
                totals.is_invalid |= !code(x, step, groups, rule, codes, &mut sums);
            }
            packer.advance(&mut self.codes, count * len);
            at += count * len;
            summed += count * len;
            if summed >= SUMMED {
                totals.take(&mut sums);
                summed = 0;
            }
        }
        packer.finish(&mut self.codes);
        totals.take(&mut sums);
        totals
    }

    fn long_groups(
        &mut self,
        job: &Job,
        rule: &Rule,
        group: usize,
        start: usize,
        end: usize,
    ) -> Totals {
        let code = self.kernel.code(rule.signed, self.statistics);
        let mut packer = Packer::new(self.kernel, job, start);
        let (mut totals, mut sums, mut summed) = (Totals::default(), Sums::ZERO, 0);
        let mut at = start;
        while at < end {
            let index = at / group;
            let len = BLOCK.min((index + 1) * group - at).min(end - at);
            let x = self.load(job.source, at, len);
            let codes = packer.room(&mut self.codes);
            let step = len.next_multiple_of(STEP);
            // SAFETY: `x` has `step` values, and the buffer of codes as much room.
            totals.is_invalid |=
                unsafe { !code(x, step, &job.groups[index..=index], rule, codes, &mut sums) };
            packer.advance(&mut self.codes, len);
            at += len;
            summed += len;
            if summed >= SUMMED {
                totals.take(&mut sums);
                summed = 0;
            }
        }
        packer.finish(&mut self.codes);
        totals.take(&mut sums);
        totals
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
        let code_each = self.kernel.code_each(rule.signed);
        let mut packer = Packer::new(self.kernel, job, start);
        let (mut totals, mut sums, mut summed) = (Totals::default(), Sums::ZERO, 0);
        totals.is_invalid = maps.is_beyond;
        let mut at = start;
        while at < end {
            let column = at % columns;
            let len = BLOCK.min(columns - column).min(end - at);
            let x = self.load(job.source, at, len);
            let codes = packer.room(&mut self.codes);
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
                    &mut totals,
                );
            } else {
                let (scales, zeros) = (&maps.scales[column..], &maps.zero_points[column..]);
                let step = len.next_multiple_of(STEP);
                // SAFETY: `x` has `step` values, the maps one for each and a step more than there are columns, and the
                // buffer of codes as much room.
                totals.is_invalid |= unsafe {
                    !code_each(
                        x,
                        step,
                        scales.as_ptr(),
                        zeros.as_ptr(),
                        rule,
                        codes,
                        &mut sums,
                    )
                };
            }
            packer.advance(&mut self.codes, len);
            at += len;
            summed += len;
            if summed >= SUMMED {
                totals.take(&mut sums);
                summed = 0;
            }
        }
        packer.finish(&mut self.codes);
        totals.take(&mut sums);
        totals
    }

    fn blocks(&mut self, job: &Job, format: Format, start: usize, end: usize) -> Totals {
        let (mut totals, mut sums) = (Totals::default(), Sums::ZERO);
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
                (self.kernel.encode_ggml)(format, x, count, data, scales, biases, &mut sums)
            };
            totals.is_invalid |= !is_valid;
            totals.take(&mut sums);
        }
        totals
    }

    /// The range, with 0, of the values `start..end`.
    pub(crate) fn range(&mut self, source: Source, start: usize, end: usize) -> (f32, f32) {
        let mut range = (0.0f32, 0.0f32);
        for at in (start..end).step_by(BLOCK) {
            let len = BLOCK.min(end - at);
            let x = self.load(source, at, len);
            let (mut low, mut high) = ([0.0], [0.0]);
            // SAFETY: `x` has `len` values, up to a whole step.
            unsafe { (self.kernel.ranges)(x, len.next_multiple_of(STEP), &mut low, &mut high) };
            range = (range.0.min(low[0]), range.1.max(high[0]));
        }
        range
    }

    /// A searched map for values that come in runs: `starts` of runs of `run` values each.
    pub(crate) fn search(
        &mut self,
        job: &Job,
        rule: &Rule,
        group: &Group,
        runs: impl Iterator<Item = usize> + Clone,
        run: usize,
    ) -> Group {
        let total = runs.clone().count() * run;
        // Short runs are gathered into full blocks once; long ones are scored where they lie.
        let (mut gathered, mut gathered_weights) = (Vec::new(), Vec::new());
        let is_gathered = run < BLOCK;
        if is_gathered {
            let len = total.next_multiple_of(STEP);
            gathered.reserve_exact(len);
            for start in runs.clone() {
                for at in (start..start + run).step_by(SMALL) {
                    let len = SMALL.min(start + run - at);
                    let x = self.load(job.source, at, len);
                    // SAFETY: `load` gives `len` values.
                    gathered.extend_from_slice(unsafe { std::slice::from_raw_parts(x, len) });
                    if let Some(importance) = job.importance {
                        gathered_weights
                            .extend((at..at + len).map(|at| importance[at % importance.len()]));
                    }
                }
            }
            gathered.resize(len, 0.0);
            if job.importance.is_some() {
                gathered_weights.resize(len, 0.0);
            }
        }
        let kernel = self.kernel;
        let this = std::cell::RefCell::new(self);
        let score = |inverse: f32, low: f32, high: f32| {
            let mut sums = [0.0; 2];
            let mut add =
                |[product, square]: [f64; 2]| sums = [sums[0] + product, sums[1] + square];
            if is_gathered {
                for at in (0..gathered.len()).step_by(BLOCK) {
                    let len = BLOCK.min(gathered.len() - at);
                    let weights = gathered_weights
                        .get(at..)
                        .map_or(std::ptr::null(), <[f32]>::as_ptr);
                    let weights = if gathered_weights.is_empty() {
                        std::ptr::null()
                    } else {
                        weights
                    };
                    // SAFETY: both have `len` values from `at` on, whole steps.
                    add(unsafe {
                        (kernel.score)(gathered.as_ptr().add(at), weights, len, inverse, low, high)
                    });
                }
            } else {
                let mut this = this.borrow_mut();
                for start in runs.clone() {
                    for at in (start..start + run).step_by(BLOCK) {
                        let len = BLOCK.min(start + run - at);
                        let x = this.load(job.source, at, len);
                        let weights = weights(job.importance, at, len, &mut this.weights);
                        let step = len.next_multiple_of(STEP);
                        // SAFETY: both have `len` values, up to a whole step.
                        add(unsafe { (kernel.score)(x, weights, step, inverse, low, high) });
                    }
                }
            }
            sums
        };
        search::improve(rule, group, total, score)
    }
}

/// The weights of `len` values from `at` on, in whole steps; null if there are none.
fn weights(importance: Option<&[f32]>, at: usize, len: usize, buffer: &mut [f32]) -> *const f32 {
    let Some(importance) = importance else {
        return std::ptr::null();
    };
    let mut column = at % importance.len();
    for weight in &mut buffer[..len] {
        *weight = importance[column];
        column = if column + 1 == importance.len() {
            0
        } else {
            column + 1
        };
    }
    buffer[len..len.next_multiple_of(STEP)].fill(0.0);
    buffer.as_ptr()
}

/// Writes what the tables say about groups from the `index`th on.
pub(crate) fn store_maps(job: &Job, rule: &Rule, index: usize, groups: &[Group]) {
    let target = &job.target;
    for (at, group) in (index..).zip(groups) {
        // SAFETY: the target has room for the layer's groups, and biases if the plan has them.
        unsafe {
            target.scales.add(at).write(group.scale);
            target.zero_points.add(at).write(group.zero_point as i16);
            if !target.biases.is_null() && job.plan.biases > 0 {
                debug_assert!(!rule.signed);
                target
                    .biases
                    .add(at)
                    .write(-(group.zero_point as f32 * group.scale));
            }
        }
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
        let e = f64::from(x) - f64::from(steps as f32 * scale);
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

/// Turns bytes that hold one code each into packed output.
#[derive(Debug)]
struct Packer {
    kernel: &'static Kernel,
    bits: u8,
    to: *mut u8,
    stream: bool,
    pending: usize,
}

impl Packer {
    /// Continues at the byte of value `start` of the job, which begins a byte.
    fn new(kernel: &'static Kernel, job: &Job, start: usize) -> Self {
        let bits = job.plan.stored_bits();
        debug_assert!((start * usize::from(bits)).is_multiple_of(8));
        Self {
            kernel,
            bits,
            // SAFETY: the target has room for the codes of the layer.
            to: unsafe { job.target.data.add(start * usize::from(bits) / 8) },
            stream: job.plan.data_bytes >= STREAM_BYTES,
            pending: 0,
        }
    }

    /// Where the next codes go: room for `SMALL` and a step.
    fn room(&self, codes: &mut [u8]) -> *mut u8 {
        codes[self.pending..].as_mut_ptr()
    }

    /// Takes `count` new codes, and packs all that fill lines.
    fn advance(&mut self, codes: &mut [u8], count: usize) {
        self.pending += count;
        let per_byte = usize::from(8 / self.bits);
        let line = 64 * per_byte;
        let mut done = 0;
        if self.stream {
            // Up to the first whole line.
            let head = self.to.align_offset(64) * per_byte;
            if head > self.pending {
                return self.keep_rest(codes, 0);
            }
            self.pack(codes, 0, head, false);
            done = head;
        }
        let whole = (self.pending - done) / line * line;
        self.pack(codes, done, whole, self.stream);
        self.keep_rest(codes, done + whole);
    }

    fn keep_rest(&mut self, codes: &mut [u8], done: usize) {
        codes.copy_within(done..self.pending, 0);
        self.pending -= done;
    }

    /// Packs what is left; the last byte is filled with zeros.
    fn finish(&mut self, codes: &mut [u8]) {
        let per_byte = usize::from(8 / self.bits);
        let padded = self.pending.next_multiple_of(per_byte);
        codes[self.pending..padded].fill(0);
        self.pack(codes, 0, padded, false);
    }

    fn pack(&mut self, codes: &[u8], from: usize, count: usize, stream: bool) {
        let codes = &codes[from..from + count];
        // SAFETY: the target has room for the codes of the layer, of which these are the next; streamed lines are
        // aligned to 64 bytes.
        unsafe {
            (self.kernel.pack)(self.bits, codes.as_ptr(), count, self.to, stream);
            self.to = self.to.add(count / usize::from(8 / self.bits));
        }
    }
}
