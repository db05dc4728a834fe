//! A batch from rows of tensors to rows of codes.

use std::sync::{Arc, LazyLock, Mutex};

use arrow_array::RecordBatch;
use bowstring_block::BlockPool;

use crate::input::{Layer, Source, layers};
use crate::job::{Job, Target};
use crate::kernel::Kernel;
use crate::options::Checked;
use crate::output::Output;
use crate::parallel::{lock, run, threads};
use crate::plan::{Geometry, Plan};
use crate::prepare::prepare;
use crate::schema::validate_schema;
use crate::statistics::Totals;
use crate::worker::{SMALL, TASK, Worker};
use crate::{Control, LayerError, OnInvalid, QuantizeError, QuantizeOptions};

/// What a quantizer keeps for the next batch.
const KEPT_BLOCKS: usize = 4;
const KEPT_BYTES: usize = 256 << 20;

/// A quantized batch and what is not in it.
#[derive(Debug, Clone)]
pub struct Quantized {
    /// One row for each layer, in the order of the input, with the schema of
    /// [`quantized_schema`](crate::quantized_schema). Its large buffers lie in one 64-byte-aligned block, which goes
    /// back to the quantizer when the last array that uses it is dropped.
    pub batch: RecordBatch,
    /// The layers that were left out, because of `skip` or `continueOnError`, in the order of the input.
    pub failures: Vec<LayerError>,
}

/// Quantizes batches, into memory that is used again once its readers have let go of it: the first touch of fresh
/// pages costs more than quantizing into them.
#[derive(Debug, Clone)]
pub struct Quantizer {
    pool: Arc<BlockPool>,
}

impl Default for Quantizer {
    fn default() -> Self {
        Self {
            pool: BlockPool::with_limit(KEPT_BLOCKS, KEPT_BYTES),
        }
    }
}

/// Quantizes a batch with a quantizer that the whole process shares; see [`Quantizer::quantize`].
pub fn quantize(
    batch: &RecordBatch,
    options: &QuantizeOptions,
    control: &Control,
) -> Result<Quantized, QuantizeError> {
    shared().quantize(batch, options, control)
}

pub(crate) fn shared() -> &'static Quantizer {
    static SHARED: LazyLock<Quantizer> = LazyLock::new(Quantizer::default);
    &SHARED
}

impl Quantizer {
    /// A quantizer that keeps up to `bytes` bytes of released memory.
    pub fn keeping(bytes: usize) -> Self {
        Self {
            pool: BlockPool::with_limit(KEPT_BLOCKS, bytes),
        }
    }

    pub(crate) fn pool(&self) -> &Arc<BlockPool> {
        &self.pool
    }

    /// Quantizes the layers of a batch with the columns that [`validate_schema`] describes, on the calling thread and
    /// `options.threads` less one others, which have ended when it returns. The result does not depend on the number of
    /// threads, the machine's instruction set, or how layers are spread over batches.
    ///
    /// # Errors
    /// See [`QuantizeError`]. With `continueOnError`, what goes wrong with one layer is a failure in the result instead.
    pub fn quantize(
        &self,
        batch: &RecordBatch,
        options: &QuantizeOptions,
        control: &Control,
    ) -> Result<Quantized, QuantizeError> {
        let checked = options.check()?;
        validate_schema(batch.schema_ref(), options)?;
        let kernel = kernel(options)?;
        let mut run = Run {
            kernel,
            options,
            control,
            pool: &self.pool,
            failures: Vec::new(),
        };
        let mut planned = Vec::with_capacity(batch.num_rows());
        for row in layers(batch, options) {
            match row.and_then(|layer| plan(&checked, &layer).map(|plan| (layer, plan))) {
                Ok(planned_layer) => planned.push(planned_layer),
                Err(error) => run.fail(error)?,
            }
        }
        let values = planned.iter().map(|(layer, _)| layer.len).sum();
        control.expect(planned.len(), values);
        run.batch(planned)
    }
}

pub(crate) fn kernel(options: &QuantizeOptions) -> Result<&'static Kernel, QuantizeError> {
    match options.instruction_set {
        None => Ok(Kernel::best()),
        Some(set) => Kernel::of(set).ok_or_else(|| {
            QuantizeError::InvalidOptions(format!(
                "instructionSet: this machine does not have {set:?}"
            ))
        }),
    }
}

fn plan(checked: &Checked, layer: &Layer) -> Result<Plan, LayerError> {
    let options = checked.of(layer.name);
    let plan = options.and_then(|options| Plan::new(options, &layer.shape));
    plan.map_err(|message| layer.error(message))
}

/// One call.
struct Run<'a> {
    kernel: &'static Kernel,
    options: &'a QuantizeOptions,
    control: &'a Control,
    pool: &'a Arc<BlockPool>,
    failures: Vec<LayerError>,
}

impl Run<'_> {
    /// Leaves a layer out, if that is allowed.
    fn fail(&mut self, error: LayerError) -> Result<(), QuantizeError> {
        if self.options.continue_on_error
            || self.options.on_invalid == OnInvalid::Skip && error.kind.is_about_weights()
        {
            self.failures.push(error);
            return Ok(());
        }
        Err(error.into())
    }

    fn batch(mut self, mut planned: Vec<(Layer, Plan)>) -> Result<Quantized, QuantizeError> {
        for (layer, plan) in &mut planned {
            self.widen(layer, plan)?;
        }
        let output = Output::new(planned.iter().map(|(_, plan)| plan), self.pool)?;
        let mut jobs: Vec<Job> = planned
            .iter()
            .zip(&output.targets)
            .map(|((layer, plan), target)| job(layer, layer.source, plan, *target))
            .collect();
        let mut totals = self.jobs(&mut jobs)?;
        drop(jobs);
        let mut kept = vec![true; planned.len()];
        for (at, (layer, plan)) in planned.iter().enumerate() {
            let has_nulls = layer.nulls.is_some();
            if totals[at].is_invalid || has_nulls {
                match self.mend(layer, plan, output.targets[at])? {
                    Ok(mended) => totals[at] = mended,
                    Err(error) => {
                        kept[at] = false;
                        self.fail(error)?;
                    }
                }
            }
        }
        self.control.add_layers(planned.len());
        let batch = output.finish(&planned, &totals, &kept, self.options)?;
        self.failures.sort_by_key(|failure| failure.row);
        Ok(Quantized {
            batch,
            failures: self.failures,
        })
    }

    /// Makes the codes of a layer wider until they are as close to its values as `minCosine` asks.
    fn widen(&self, layer: &Layer, plan: &mut Plan) -> Result<(), QuantizeError> {
        let Some(wanted) = plan.options.min_cosine else {
            return Ok(());
        };
        while let Some(wider) = plan.wider(&layer.shape) {
            self.control.expect(0, layer.len);
            // The trial is written where nobody reads it: packing costs little beside reading the values.
            let trial = Output::new(std::iter::once(&*plan), self.pool)?;
            let clipped = layer.nulls.is_some().then(|| layer.clipped());
            let source = clipped
                .as_ref()
                .map_or(layer.source, |values| Source::Float32(values.as_ptr()));
            let mut jobs = [job(layer, source, plan, trial.targets[0])];
            let mut totals = self.measured(&mut jobs, true)?;
            if totals[0].is_invalid {
                match self.mend(layer, plan, trial.targets[0])? {
                    Ok(mended) => totals[0] = mended,
                    // The layer fails, at any width.
                    Err(_) => break,
                }
            }
            if totals[0].cosine() >= wanted {
                break;
            }
            *plan = wider;
        }
        Ok(())
    }

    /// Quantizes a layer again with its invalid values clipped; or says what is wrong with it.
    fn mend(
        &self,
        layer: &Layer,
        plan: &Plan,
        target: Target,
    ) -> Result<Result<Totals, LayerError>, QuantizeError> {
        let beyond = || {
            let message = "expected values whose scales fit a float16 but found larger ones";
            Ok(Err(layer.error(message.to_owned())))
        };
        let Some(problem) = layer.first_invalid() else {
            return beyond();
        };
        if self.options.on_invalid != OnInvalid::Clip {
            return Ok(Err(layer.error(problem)));
        }
        self.control.expect(0, layer.len);
        let clipped = layer.clipped();
        let mut jobs = [job(layer, Source::Float32(clipped.as_ptr()), plan, target)];
        let totals = self.measured(&mut jobs, true)?;
        if totals[0].is_invalid {
            return beyond();
        }
        Ok(Ok(totals[0]))
    }

    fn jobs(&self, jobs: &mut [Job]) -> Result<Vec<Totals>, QuantizeError> {
        self.measured(jobs, self.options.statistics)
    }

    /// Runs jobs, all on all threads.
    fn measured(&self, jobs: &mut [Job], statistics: bool) -> Result<Vec<Totals>, QuantizeError> {
        let threads = threads(self.options.threads);
        let worker = || Worker::new(self.kernel, statistics);
        prepare(self.kernel, jobs, threads, self.control)?;
        let mut tasks = Vec::new();
        for (at, job) in jobs.iter().enumerate() {
            let mut start = 0;
            while start < job.plan.values {
                let end = stretch_end(&job.plan, start);
                tasks.push((at, start, end));
                start = end;
            }
        }
        let results: Vec<Mutex<Totals>> = tasks.iter().map(|_| Mutex::default()).collect();
        let jobs = &*jobs;
        run(
            threads,
            tasks.len(),
            self.control,
            worker,
            |worker, task| {
                let (at, start, end) = tasks[task];
                *lock(&results[task]) = worker.run(&jobs[at], start, end);
                self.control.add_values(end - start);
            },
        )?;
        // In order, so that the sums do not depend on who did what.
        let mut totals = vec![Totals::default(); jobs.len()];
        for ((at, ..), result) in tasks.iter().zip(&results) {
            totals[*at].add(&lock(result));
        }
        let all = totals.into_iter().zip(jobs);
        Ok(all
            .map(|(totals, job)| totals.bounded(job.plan.values))
            .collect())
    }
}

fn job<'a>(layer: &Layer<'a>, source: Source, plan: &Plan, target: Target) -> Job<'a> {
    let importance = layer.importance.filter(|importance| !importance.is_empty());
    Job {
        source,
        plan: plan.clone(),
        importance,
        target,
        groups: Vec::new(),
        columns: None,
    }
}

/// Where the stretch that begins at `start` ends: about a task's worth on, at a whole byte of output and, where groups
/// are short, after a whole group.
fn stretch_end(plan: &Plan, start: usize) -> usize {
    let bits = usize::from(plan.stored_bits());
    let mut end = start + TASK;
    while end < plan.values {
        let next = match plan.geometry {
            Geometry::Rows { row_len, group, .. } if group <= SMALL => {
                let (row, column) = (end / row_len, end % row_len);
                row * row_len + column.next_multiple_of(group).min(row_len)
            }
            _ => end,
        };
        if next < plan.values && (next * bits).is_multiple_of(8) {
            return next;
        }
        end = next + 1;
    }
    plan.values
}
