//! The search for scales where a group is more than a block: whole tensors, channels, and long rows.

use std::cell::RefCell;
use std::sync::Mutex;

use crate::job::Job;
use crate::kernel::rule::{Group, Rule};
use crate::kernel::{Kernel, STEP};
use crate::parallel::{lock, run};
use crate::plan::{Coding, Geometry};
use crate::worker::{BLOCK, TASK, Worker};
use crate::{Control, QuantizeError, search};

/// Values that are scored in one go, between which a call can be stopped. What pieces sum up to is added in their order, so
/// that it does not depend on who took which.
const PIECE: usize = TASK;
/// Groups of more values are searched one after the other, each on all threads; of others every thread takes one.
const SHARED: usize = 4 * PIECE;

/// Searches for better maps of groups that have been fitted.
pub(crate) fn refine(
    kernel: &'static Kernel,
    jobs: &mut [Job],
    threads: usize,
    control: &Control,
) -> Result<(), QuantizeError> {
    let mut groups = Vec::new();
    for (at, job) in jobs.iter().enumerate() {
        if let (Coding::Affine(rule), true) = (job.plan.coding, job.plan.searches()) {
            groups.extend((0..job.groups.len()).map(|index| (at, index, rule)));
        }
    }
    let search = |(at, index, rule): (usize, usize, Rule)| {
        let job: &Job = &jobs[at];
        Search {
            kernel,
            job,
            rule,
            group: job.groups[index],
            runs: Runs::of(&job.plan.geometry, index),
            control,
        }
    };
    let (long, short): (Vec<_>, Vec<_>) = groups
        .iter()
        .partition(|group| search(**group).runs.total() > SHARED);
    let mut found = Vec::with_capacity(groups.len());
    for group in long {
        found.push((group, search(group).shared(threads)?));
    }
    let results: Vec<Mutex<Option<Group>>> = short.iter().map(|_| Mutex::default()).collect();
    let worker = || Worker::new(kernel, false);
    run(threads, short.len(), control, worker, |worker, task| {
        *lock(&results[task]) = Some(search(short[task]).alone(worker));
    })?;
    let results = short.iter().zip(&results);
    found.extend(results.filter_map(|(group, result)| Some((*group, (*lock(result))?))));
    for ((at, index, _), group) in found {
        jobs[at].groups[index] = group;
    }
    Ok(())
}

/// Where the values of a group lie: in runs of `len`, which begin `stride` apart.
#[derive(Clone, Copy, Debug)]
struct Runs {
    start: usize,
    len: usize,
    stride: usize,
    count: usize,
}

impl Runs {
    fn of(geometry: &Geometry, index: usize) -> Self {
        match *geometry {
            Geometry::Rows { row_len, group, .. } => {
                let start = index * group;
                let len = group.min(row_len - start);
                let (stride, count) = (len, 1);
                Self {
                    start,
                    len,
                    stride,
                    count,
                }
            }
            Geometry::Columns {
                rows,
                columns,
                inner,
            } => Self {
                start: index * inner,
                len: inner,
                stride: columns,
                count: rows,
            },
        }
    }

    fn total(&self) -> usize {
        self.len * self.count
    }

    /// Where the `from`th to the `to`th of the values are: places and lengths.
    fn stretches(self, from: usize, to: usize) -> impl Iterator<Item = (usize, usize)> {
        let mut next = from;
        std::iter::from_fn(move || {
            let (run, at) = (next / self.len, next % self.len);
            let len = (self.len - at).min(to - next);
            next += len;
            (len > 0).then_some((self.start + run * self.stride + at, len))
        })
    }
}

/// The search for the map of one group.
struct Search<'a> {
    kernel: &'static Kernel,
    job: &'a Job<'a>,
    rule: Rule,
    group: Group,
    runs: Runs,
    control: &'a Control,
}

impl Search<'_> {
    /// On one thread.
    fn alone(&self, worker: &mut Worker) -> Group {
        let mut gathered = self.room();
        for mut part in gathered.parts() {
            self.gather(worker, &mut part);
        }
        let worker = RefCell::new(worker);
        self.improve(|map| {
            let mut worker = worker.borrow_mut();
            let scores = self.pieces();
            let scores = scores.map(|at| self.score(&mut worker, &gathered, at, map));
            scores.fold([0.0; 3], add)
        })
    }

    /// On all threads.
    fn shared(&self, threads: usize) -> Result<Group, QuantizeError> {
        let each = |count, work: &(dyn Fn(&mut Worker, usize) + Sync)| {
            let worker = || Worker::new(self.kernel, false);
            run(threads, count, self.control, worker, work)
        };
        let mut gathered = self.room();
        let parts: Vec<Mutex<Part>> = gathered.parts().map(Mutex::new).collect();
        each(parts.len(), &|worker, at| {
            self.gather(worker, &mut lock(&parts[at]));
        })?;
        drop(parts);
        let pieces: Vec<usize> = self.pieces().collect();
        let group = self.improve(|map| {
            let scores: Vec<Mutex<[f64; 3]>> = pieces.iter().map(|_| Mutex::default()).collect();
            let done = each(pieces.len(), &|worker, at| {
                *lock(&scores[at]) = self.score(worker, &gathered, pieces[at], map);
            });
            // The scores of a call that was stopped mean nothing, which is told below.
            let _: Result<(), QuantizeError> = done;
            scores.iter().map(|score| *lock(score)).fold([0.0; 3], add)
        });
        match self.control.is_cancelled() {
            true => Err(QuantizeError::Cancelled),
            false => Ok(group),
        }
    }

    /// The best map. `score` says what all values together say of one: its inverse, and the lowest and highest code, from
    /// that of zero.
    fn improve(&self, score: impl Fn([f32; 3]) -> [f64; 3]) -> Group {
        let total = self.runs.total();
        search::improve(&self.rule, &self.group, total, |inverse, low, high| {
            score([inverse, low, high])
        })
    }

    /// Where pieces begin.
    fn pieces(&self) -> impl Iterator<Item = usize> {
        (0..self.runs.total()).step_by(PIECE)
    }

    /// Short runs are gathered once; long ones are scored where they lie.
    fn room(&self) -> Gathered {
        let (mut values, mut weights) = (Vec::new(), Vec::new());
        if self.runs.len < BLOCK {
            let len = self.runs.total().next_multiple_of(STEP);
            values.resize(len, 0.0);
            weights.resize(self.job.importance.map_or(0, |_| len), 0.0);
        }
        Gathered { values, weights }
    }

    /// Nothing of use if the call was stopped.
    fn gather(&self, worker: &mut Worker, part: &mut Part) {
        if self.control.is_cancelled() {
            return;
        }
        let to = (part.from + part.to.len()).min(self.runs.total());
        let mut rest = &mut *part.to;
        for (at, len) in self.runs.stretches(part.from, to) {
            let (now, later) = rest.split_at_mut(len);
            rest = later;
            match self.job.importance {
                Some(importance) if part.is_weights => {
                    for (at, weight) in (at..).zip(now) {
                        *weight = importance[at % importance.len()];
                    }
                }
                _ => {
                    let x = worker.load(self.job.source, at, len);
                    // SAFETY: `load` gives `len` values.
                    now.copy_from_slice(unsafe { std::slice::from_raw_parts(x, len) });
                }
            }
        }
    }

    /// What the piece that begins with the `from`th value says of a map; nothing of use if the call was stopped.
    fn score(
        &self,
        worker: &mut Worker,
        gathered: &Gathered,
        from: usize,
        [inverse, low, high]: [f32; 3],
    ) -> [f64; 3] {
        let mut sums = [0.0; 3];
        if self.control.is_cancelled() {
            return sums;
        }
        let to = (from + PIECE).min(self.runs.total());
        if !gathered.values.is_empty() {
            for at in (from..to).step_by(BLOCK) {
                let step = BLOCK.min(to - at).next_multiple_of(STEP);
                let x = gathered.values[at..at + step].as_ptr();
                let weights = gathered.weights.get(at..at + step);
                let weights = weights.map_or(std::ptr::null(), <[f32]>::as_ptr);
                // SAFETY: both have `step` values, whole steps, if there are weights at all.
                let found = unsafe { (self.kernel.score)(x, weights, step, inverse, low, high) };
                sums = add(sums, found);
            }
            return sums;
        }
        for (start, len) in self.runs.stretches(from, to) {
            for at in (start..start + len).step_by(BLOCK) {
                let len = BLOCK.min(start + len - at);
                let x = worker.load(self.job.source, at, len);
                let weights = weights(self.job.importance, at, len, &mut worker.weights);
                let step = len.next_multiple_of(STEP);
                // SAFETY: both have `len` values, up to a whole step, if there are weights at all.
                let found = unsafe { (self.kernel.score)(x, weights, step, inverse, low, high) };
                sums = add(sums, found);
            }
        }
        sums
    }
}

/// The values of a group whose runs are short, one after the other, up to a whole step; and their weights, if it has any.
struct Gathered {
    values: Vec<f32>,
    weights: Vec<f32>,
}

/// A piece of what is gathered: values, or weights, from the `from`th on.
struct Part<'a> {
    is_weights: bool,
    from: usize,
    to: &'a mut [f32],
}

impl Gathered {
    fn parts(&mut self) -> impl Iterator<Item = Part<'_>> {
        let both = [(false, &mut self.values), (true, &mut self.weights)];
        both.into_iter().flat_map(|(is_weights, all)| {
            let places = (0..).step_by(PIECE).zip(all.chunks_mut(PIECE));
            places.map(move |(from, to)| Part {
                is_weights,
                from,
                to,
            })
        })
    }
}

fn add(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|at| a[at] + b[at])
}

/// The weights of `len` values from `at` on, in whole steps; null if there are none.
pub(crate) fn weights(
    importance: Option<&[f32]>,
    at: usize,
    len: usize,
    buffer: &mut [f32],
) -> *const f32 {
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
