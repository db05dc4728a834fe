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
    /// Runs the steps in turn. What other programs do on the machine only adds to a time, so the fastest rounds of two
    /// steps are compared; medians are printed beside them.
    pub fn alternate(&mut self, title: &str, steps: Vec<Step>) {
        let mut steps = steps;
        let mut times = vec![Vec::new(); steps.len()];
        for round in 0..=self.rounds {
            for (step, times) in steps.iter_mut().zip(&mut times) {
                let start = Instant::now();
                (step.run)();
                // The first round warms up.
                if round > 0 {
                    times.push(start.elapsed().as_secs_f64());
                }
            }
        }
        println!("\n{title}");
        let sorted: Vec<(f64, f64)> = times
            .into_iter()
            .map(|mut times| {
                times.sort_by(f64::total_cmp);
                (times[0], times[times.len() / 2])
            })
            .collect();
        for (step, (best, median)) in steps.iter().zip(&sorted) {
            let (other, bar) = step.bar.unwrap_or((0, 0.0));
            let (ratio, of_medians) = (sorted[other].0 / best, sorted[other].1 / median);
            let verdict = match step.bar {
                None => String::new(),
                Some(_) if ratio >= bar => format!("  bar {bar:.2}: met"),
                Some(_) => {
                    self.missed += 1;
                    format!("  bar {bar:.2}: MISSED")
                }
            };
            println!(
                "  {:<34} {:7.1} ms  {:5.1} GB/s  {ratio:.2} of {} (medians {of_medians:.2}){verdict}",
                step.name,
                best * 1e3,
                self.megabytes / 1e3 / best,
                steps[other].name,
            );
        }
    }
}
