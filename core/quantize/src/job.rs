//! The work on one layer.

use crate::input::Source;
use crate::kernel::STEP;
use crate::kernel::rule::{Group, Path, Rule};
use crate::plan::Plan;
use crate::worker::BLOCK;

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

/// Maps of columns, as often as makes a block where there are few of them, followed by room for a whole step.
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
    /// After how many values the maps repeat themselves: a whole number of rows, and about a block.
    pub(crate) fn period(columns: usize) -> usize {
        columns * (BLOCK / columns).max(1)
    }

    pub(crate) fn new(groups: &[Group], columns: usize, inner: usize) -> Self {
        let expand = |value: &dyn Fn(&Group) -> f32, rest: f32| {
            let row = groups
                .iter()
                .flat_map(|group| std::iter::repeat_n(value(group), inner));
            let rows: Vec<f32> = row.take(columns).collect();
            let values = rows.iter().cycle().take(Self::period(columns)).copied();
            values.chain(std::iter::repeat_n(rest, STEP)).collect()
        };
        Self {
            scales: expand(&|group| group.scale, 1.0),
            zero_points: expand(&|group| group.zero_point as f32, 0.0),
            is_wide: groups.iter().any(|group| group.path == Path::Wide),
            is_beyond: groups.iter().any(|group| group.path == Path::Beyond),
        }
    }
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
