//! The maps that take a look at more than one stretch of values: those of long groups and of channels.

use std::sync::{Mutex, PoisonError};

use crate::job::{Columns, Job, store_maps};
use crate::kernel::Kernel;
use crate::kernel::rule::Group;
use crate::parallel::{lock, run};
use crate::plan::{Coding, Geometry};
use crate::refine::refine;
use crate::worker::{SMALL, TASK, Worker};
use crate::{Control, QuantizeError};

/// What one task looks at.
#[derive(Clone, Copy)]
enum Part {
    /// Values `start..end` of the `index`th group.
    Group {
        index: usize,
        start: usize,
        end: usize,
    },
    /// Values `start..end`, whole rows, of all columns.
    Columns { start: usize, end: usize },
}

/// Fits, and where that is asked for searches, the maps of long groups and of channels, and writes them to the targets.
pub(crate) fn prepare(
    kernel: &'static Kernel,
    jobs: &mut [Job],
    threads: usize,
    control: &Control,
) -> Result<(), QuantizeError> {
    let mut tasks: Vec<(usize, Part)> = Vec::new();
    for (at, job) in jobs.iter_mut().enumerate() {
        let Coding::Affine(_) = job.plan.coding else {
            continue;
        };
        match job.plan.geometry {
            Geometry::Rows { row_len, group, .. } if group > SMALL => {
                job.groups = vec![Group::given(1.0, 0); job.plan.scales];
                for (index, start) in (0..row_len).step_by(group).enumerate() {
                    let end = (start + group).min(row_len);
                    tasks.extend((start..end).step_by(TASK).map(|start| {
                        let end = (start + TASK).min(end);
                        (at, Part::Group { index, start, end })
                    }));
                }
            }
            Geometry::Columns { rows, columns, .. } => {
                job.groups = vec![Group::given(1.0, 0); job.plan.scales];
                let period = Columns::period(columns);
                // Each task has ranges of all columns, so there are no more of them than it takes.
                let len = (rows * columns).div_ceil(threads).max(TASK);
                let len = len.next_multiple_of(period);
                tasks.extend((0..rows * columns).step_by(len).map(|start| {
                    let end = (start + len).min(rows * columns);
                    (at, Part::Columns { start, end })
                }));
            }
            Geometry::Rows { .. } => {}
        }
    }
    if tasks.is_empty() {
        return Ok(());
    }
    let found = look(kernel, jobs, &tasks, threads, control)?;
    for (job, ranges) in jobs.iter_mut().zip(&found) {
        if let Coding::Affine(rule) = job.plan.coding {
            for (group, (low, high)) in job.groups.iter_mut().zip(ranges) {
                *group = rule.fit(*low, *high);
            }
        }
    }
    refine(kernel, jobs, threads, control)?;
    for job in jobs {
        let Coding::Affine(rule) = job.plan.coding else {
            continue;
        };
        store_maps(job, &rule, 0, &job.groups);
        if let Geometry::Columns { columns, inner, .. } = job.plan.geometry {
            job.columns = Some(Columns::new(&job.groups, columns, inner));
        }
    }
    Ok(())
}

/// The ranges of the groups of each job.
fn look(
    kernel: &'static Kernel,
    jobs: &[Job],
    tasks: &[(usize, Part)],
    threads: usize,
    control: &Control,
) -> Result<Vec<Vec<(f32, f32)>>, QuantizeError> {
    let found: Vec<Vec<(f32, f32)>> = jobs
        .iter()
        .map(|job| vec![(0.0, 0.0); job.groups.len()])
        .collect();
    // The order in which ranges are joined changes nothing.
    let found: Vec<Mutex<Vec<(f32, f32)>>> = found.into_iter().map(Mutex::new).collect();
    let join = |range: &mut (f32, f32), low: f32, high: f32| {
        *range = (range.0.min(low), range.1.max(high));
    };
    let worker = || Worker::new(kernel, false);
    run(threads, tasks.len(), control, worker, |worker, task| {
        let (at, part) = tasks[task];
        let job = &jobs[at];
        match (part, job.plan.geometry) {
            (Part::Group { index, start, end }, _) => {
                let (low, high) = worker.range(job.source, start, end);
                let mut found = lock(&found[at]);
                join(&mut found[index], low, high);
            }
            (Part::Columns { start, end }, Geometry::Columns { columns, inner, .. }) => {
                let period = Columns::period(columns);
                let [lows, highs] = worker.column_ranges(job.source, period, (start, end), control);
                let mut found = lock(&found[at]);
                for (at, (low, high)) in lows.iter().zip(&highs).take(period).enumerate() {
                    join(&mut found[at % columns / inner], *low, *high);
                }
            }
            (Part::Columns { .. }, Geometry::Rows { .. }) => {
                unreachable!("rows have no such part")
            }
        }
    })?;
    let ranges =
        |found: Mutex<Vec<(f32, f32)>>| found.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(found.into_iter().map(ranges).collect())
}
