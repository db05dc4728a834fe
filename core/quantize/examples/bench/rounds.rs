//! Alternating rounds, and the bars that their ratios are held to.

use std::time::Instant;

/// One thing that is measured.
pub struct Step<'a> {
    name: String,
    run: Box<dyn FnMut() + 'a>,
    /// Which step it is compared to, and the least ratio of that step's time to this one's.
    bar: Option<(usize, f64)>,
}

impl<'a> Step<'a> {
    pub fn new(name: impl Into<String>, run: impl FnMut() + 'a) -> Self {
        Self {
            name: name.into(),
            run: Box::new(run),
            bar: None,
        }
    }

    pub fn without_bar(mut self) -> Self {
        self.bar = None;
        self
    }

    /// The time of step `other` has to be at least `ratio` of this one's.
    pub fn at_least(mut self, ratio: f64, other: usize) -> Self {
        self.bar = Some((other, ratio));
        self
    }
}

/// Rounds of steps over so many megabytes.
pub struct Rounds {
    pub rounds: usize,
    pub megabytes: f64,
    pub missed: usize,
}

impl Rounds {
    /// Runs the steps in turn, each first in its turn, and compares those of the same round: the memory is now faster and
    /// now slower, for both. The median of these ratios is held to the bar; that of the fastest rounds is printed beside it.
    pub fn alternate(&mut self, title: &str, steps: Vec<Step>) {
        let mut steps = steps;
        let mut times = vec![Vec::new(); steps.len()];
        for round in 0..=self.rounds {
            for turn in 0..steps.len() {
                let at = (round + turn) % steps.len();
                let start = Instant::now();
                (steps[at].run)();
                // The first round warms up.
                if round > 0 {
                    times[at].push(start.elapsed().as_secs_f64());
                }
            }
        }
        println!("\n{title}");
        for (step, own) in steps.iter().zip(&times) {
            let (other, bar) = step.bar.unwrap_or((0, 0.0));
            let ratios = times[other].iter().zip(own).map(|(other, own)| other / own);
            let (_, ratio) = ends(ratios);
            let (best, median) = ends(own.iter().copied());
            let of_best = ends(times[other].iter().copied()).0 / best;
            let verdict = match step.bar {
                None => String::new(),
                Some(_) if ratio >= bar => format!("  bar {bar:.2}: met"),
                Some(_) => {
                    self.missed += 1;
                    format!("  bar {bar:.2}: MISSED")
                }
            };
            println!(
                "  {:<34} {:7.1} ms  {:5.1} GB/s  {ratio:.2} of {} (fastest {of_best:.2}){verdict}",
                step.name,
                median * 1e3,
                self.megabytes / 1e3 / median,
                steps[other].name,
            );
        }
    }
}

/// The least and the median.
fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    (values[0], values[values.len() / 2])
}
