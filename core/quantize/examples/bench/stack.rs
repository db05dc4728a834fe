//! Whether calls are as fast wherever the stack begins, which is drawn by lot for each process: what a loop keeps there could
//! straddle a page.

use std::collections::HashSet;
use std::hint::black_box;
use std::time::Instant;

use arrow_array::RecordBatch;
use bowstring_quantize::{Control, QuantizeOptions, Quantizer};

use crate::rounds::Rounds;

/// How often the stack grows a little.
const DEPTHS: usize = 256;
/// The slowest depth takes at most twice as long as the median one: straddling takes four to six times as long.
const BAR: f64 = 2.0;

pub fn places(batch: &RecordBatch, rounds: &mut Rounds) {
    println!("\nwherever the stack begins, 1 thread, with statistics");
    for bits in [8, 4, 2] {
        let options = serde_json::json!({"bitWidth": bits, "threads": 1});
        let options: QuantizeOptions = serde_json::from_value(options).expect("options");
        let quantizer = Quantizer::keeping(1 << 30);
        let mut times = [f64::INFINITY; DEPTHS];
        let mut lines = HashSet::new();
        let mut run = |depth: usize| {
            let here = 0u8;
            lines.insert(black_box(&raw const here).addr() % 4096 / 64);
            let start = Instant::now();
            let quantized = quantizer.quantize(batch, &options, &Control::default());
            black_box(quantized.expect("quantized"));
            times[depth] = times[depth].min(start.elapsed().as_secs_f64());
        };
        for _ in 0..3 {
            deeper(0, &mut run);
        }
        times.sort_by(f64::total_cmp);
        let ratio = times[DEPTHS - 1] / times[DEPTHS / 2];
        let verdict = if ratio <= BAR {
            "met"
        } else {
            rounds.missed += 1;
            "MISSED"
        };
        println!(
            "  int{bits}: the slowest of {} places takes {ratio:.2} times as long as the median  bar {BAR:.0}: {verdict}",
            lines.len()
        );
    }
}

/// Runs here, and some bytes deeper on the stack, and so on.
#[inline(never)]
fn deeper(depth: usize, run: &mut impl FnMut(usize)) {
    run(depth);
    if depth + 1 < DEPTHS {
        deeper(depth + 1, run);
    }
    // Something to come back for, so that the frame stays.
    black_box(&mut [0u8; 16]);
}
