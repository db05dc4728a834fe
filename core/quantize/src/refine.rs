//! The search for scales where the values of a group do not lie together: whole tensors and channels.

use crate::job::Job;
use crate::kernel::STEP;
use crate::kernel::rule::{Group, Rule};
use crate::search;
use crate::worker::{BLOCK, SMALL, Worker};

impl Worker {
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
            let mut sums = [0.0; 3];
            let mut add = |found: [f64; 3]| {
                sums = std::array::from_fn(|at| sums[at] + found[at]);
            };
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
