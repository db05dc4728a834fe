//! Speed of quantization, as ratios to what the memory allows, measured in the same run.
//!
//!     cargo run --release --package bowstring-quantize --example bench [MEGABYTES] [ROUNDS]
//!
//! The limit is a loop without arithmetic that reads the same values and streams as many bytes into a warm buffer.
//! Everything is run in turn, `ROUNDS` times over, and medians are compared: the machine may be busy with other things.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, Float32Array, ListArray, RecordBatch, StringArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::Field;
use bowstring_quantize::{Control, DequantizeOptions, QuantizeOptions, Quantizer, quantize};
use serde_json::{Value, json};

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|argument| argument.parse::<usize>().expect("a number"));
    let megabytes = arguments.next().unwrap_or(400);
    let rounds = arguments.next().unwrap_or(7);
    let count = megabytes * 1_000_000 / 4 / 4096 * 4096;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let values = normals(count);
    let batch = batch(values.clone());
    let bench = Bench {
        rounds,
        megabytes: count as f64 * 4.0 / 1e6,
    };
    println!(
        "{:.0} MB of float32, {cores} cores, medians of {rounds} rounds",
        bench.megabytes
    );

    let warm = Quantizer::keeping(1 << 30);
    let run = |quantizer: &Quantizer, options: &QuantizeOptions| {
        let control = Control::default();
        black_box(
            quantizer
                .quantize(&batch, options, &control)
                .expect("quantized"),
        );
    };
    let mut buffer = vec![0u8; count * 4 + 64];
    for threads in if cores > 1 { vec![1, cores] } else { vec![1] } {
        for bits in [8, 4, 2] {
            let name = |what: &str| format!("int{bits}, {threads} thread(s): {what}");
            let options =
                |more: Value| options(json!({"bitWidth": bits, "threads": threads}), more);
            let with = options(json!({}));
            let without = options(json!({"statistics": false}));
            let symmetric = options(json!({"scheme": "symmetric"}));
            let mut steps: Vec<(String, Box<dyn FnMut() + '_>)> = vec![
                (
                    name("limit"),
                    Box::new(|| limit(&values, &mut buffer, bits, threads)),
                ),
                (name("quantize, warm"), Box::new(|| run(&warm, &with))),
                (
                    name("quantize, warm, symmetric"),
                    Box::new(|| run(&warm, &symmetric)),
                ),
                (
                    name("quantize, warm, no statistics"),
                    Box::new(|| run(&warm, &without)),
                ),
                (
                    name("quantize, cold"),
                    Box::new(|| run(&Quantizer::keeping(0), &with)),
                ),
            ];
            bench.alternate(&mut steps);
        }
    }
    for bits in [8, 4] {
        let quantized = quantize(
            &batch,
            &options(json!({"bitWidth": bits}), json!({})),
            &Control::default(),
        );
        let quantized = quantized.expect("quantized").batch;
        for threads in if cores > 1 { vec![1, cores] } else { vec![1] } {
            let name = |what: &str| format!("back from int{bits}, {threads} thread(s): {what}");
            let options = DequantizeOptions {
                threads,
                ..DequantizeOptions::default()
            };
            let mut steps: Vec<(String, Box<dyn FnMut() + '_>)> = vec![
                (
                    name("limit"),
                    Box::new(|| back_limit(&mut buffer, count, bits, threads)),
                ),
                (
                    name("dequantize, warm"),
                    Box::new(|| {
                        let control = Control::default();
                        black_box(
                            warm.dequantize(&quantized, &options, &control)
                                .expect("dequantized"),
                        );
                    }),
                ),
            ];
            bench.alternate(&mut steps);
        }
    }
    let ggml = |bits: usize, scheme: &str| {
        options(
            json!({"bitWidth": bits, "scheme": scheme, "layout": "ggml", "threads": 1}),
            json!({}),
        )
    };
    let formats = [
        ("Q8_0", ggml(8, "symmetric")),
        ("Q4_0", ggml(4, "symmetric")),
        ("Q4_1", ggml(4, "asymmetric")),
    ];
    let mut steps: Vec<(String, Box<dyn FnMut() + '_>)> = vec![(
        "ggml, 1 thread: limit".to_owned(),
        Box::new(|| limit(&values, &mut buffer, 8, 1)),
    )];
    for (format, options) in &formats {
        steps.push((
            format!("ggml, 1 thread: {format}"),
            Box::new(|| run(&warm, options)),
        ));
    }
    bench.alternate(&mut steps);
}

struct Bench {
    rounds: usize,
    megabytes: f64,
}

impl Bench {
    /// Runs the steps in turn; the first is the limit that the others are compared to.
    fn alternate(&self, steps: &mut [(String, Box<dyn FnMut() + '_>)]) {
        let mut times: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for round in 0..=self.rounds {
            for (at, (_, step)) in steps.iter_mut().enumerate() {
                let start = Instant::now();
                step();
                // The first round warms up.
                if round > 0 {
                    times
                        .entry(at)
                        .or_default()
                        .push(start.elapsed().as_secs_f64());
                }
            }
        }
        let bests: Vec<f64> = times
            .values()
            .map(|times| times.iter().copied().fold(f64::MAX, f64::min))
            .collect();
        let medians: Vec<f64> = times.into_values().map(median).collect();
        for (at, ((name, _), time)) in steps.iter().zip(&medians).enumerate() {
            let speed = self.megabytes / 1000.0 / time;
            let ratio = 100.0 * medians[0] / time;
            let best = 100.0 * bests[0] / bests[at];
            println!(
                "{name:<48} {:8.1} ms {speed:6.1} GB/s of float32 {ratio:5.0} % of the limit, {best:4.0} % best of each",
                time * 1e3
            );
        }
        println!();
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn options(base: Value, more: Value) -> QuantizeOptions {
    let mut all = base.as_object().expect("an object").clone();
    all.extend(more.as_object().expect("an object").clone());
    serde_json::from_value(Value::Object(all)).expect("options")
}

fn batch(values: Float32Array) -> RecordBatch {
    let offsets = OffsetBuffer::from_lengths([values.len()]);
    let item = Arc::new(Field::new("item", arrow_schema::DataType::Float32, false));
    let weights: ArrayRef = Arc::new(ListArray::new(item, offsets, Arc::new(values), None));
    let names: ArrayRef = Arc::new(StringArray::from(vec!["layer"]));
    RecordBatch::try_from_iter([("layer_name", names), ("weights", weights)]).expect("a batch")
}

fn normals(count: usize) -> Float32Array {
    let mut state = 1u64;
    let values = (0..count).map(|_| {
        // Twelve sums of bytes of xorshift: close enough to normal, and fast.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let sum: i32 = state
            .to_le_bytes()
            .iter()
            .map(|byte| i32::from(*byte))
            .sum();
        (sum as f32 - 1020.0 + (state >> 40) as f32 * 1e-8) * 1e-4
    });
    values.collect::<Vec<f32>>().into()
}

/// Reads all values and streams `bits` bits for each into `to`, on `threads` threads.
fn limit(values: &Float32Array, to: &mut [u8], bits: usize, threads: usize) {
    let values: &[f32] = values.values();
    let count = values.len();
    let start = to.as_ptr().align_offset(64);
    let to = &mut to[start..start + count * bits / 8];
    let part = count.div_ceil(threads).next_multiple_of(4096);
    std::thread::scope(|scope| {
        for (values, to) in values.chunks(part).zip(to.chunks_mut(part * bits / 8)) {
            scope.spawn(move || read_and_stream(values, to, bits));
        }
    });
}

/// Reads the codes and streams 4 bytes for each.
fn back_limit(buffer: &mut [u8], count: usize, bits: usize, threads: usize) {
    let start = buffer.as_ptr().align_offset(64);
    let to = &mut buffer[start..start + count * 4];
    let codes = vec![1u8; 1 << 16];
    let part = count.div_ceil(threads).next_multiple_of(4096);
    std::thread::scope(|scope| {
        for to in to.chunks_mut(part * 4) {
            let codes = &codes;
            scope.spawn(move || stream_only(codes, to, bits));
        }
    });
}

#[cfg(target_arch = "x86_64")]
fn read_and_stream(values: &[f32], to: &mut [u8], bits: usize) {
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx2")]
    unsafe fn avx2(values: &[f32], to: &mut [u8], bits: usize) {
        let from = values.as_ptr();
        // Eight values are a register to read; 32 bytes are one to write.
        let reads = 32 * 8 / bits / 8;
        for line in 0..to.len() / 32 {
            // SAFETY: there are `reads` registers of values for each line of output, which is aligned.
            unsafe {
                let mut all = _mm256_setzero_ps();
                for at in 0..reads {
                    let at = from.add((line * reads + at) * 8);
                    _mm_prefetch::<_MM_HINT_T0>(at.wrapping_add(2048).cast());
                    all = _mm256_or_ps(all, _mm256_loadu_ps(at));
                }
                _mm256_stream_ps(to.as_mut_ptr().add(line * 32).cast(), all);
            }
        }
        _mm_sfence();
    }
    assert!(
        is_x86_feature_detected!("avx2"),
        "this benchmark needs AVX2"
    );
    // SAFETY: AVX2 is there.
    unsafe { avx2(values, to, bits) }
}

#[cfg(target_arch = "x86_64")]
fn stream_only(codes: &[u8], to: &mut [u8], bits: usize) {
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx2")]
    unsafe fn avx2(codes: &[u8], to: &mut [u8], bits: usize) {
        // 32 bytes of output are 8 codes.
        let mask = codes.len() / 32 - 1;
        for line in 0..to.len() / 32 {
            // SAFETY: the address is within the codes; the output is aligned.
            unsafe {
                let at = codes.as_ptr().add((line * bits / 32 & mask) * 32);
                _mm256_stream_ps(
                    to.as_mut_ptr().add(line * 32).cast(),
                    _mm256_loadu_ps(at.cast()),
                );
            }
        }
        _mm_sfence();
    }
    assert!(
        is_x86_feature_detected!("avx2"),
        "this benchmark needs AVX2"
    );
    // SAFETY: AVX2 is there.
    unsafe { avx2(codes, to, bits) }
}

#[cfg(not(target_arch = "x86_64"))]
fn read_and_stream(values: &[f32], to: &mut [u8], bits: usize) {
    for (values, to) in values.chunks_exact(8).zip(to.chunks_exact_mut(bits)) {
        to.fill(
            values
                .iter()
                .fold(0, |all, value| all | value.to_bits() as u8),
        );
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn stream_only(codes: &[u8], to: &mut [u8], _bits: usize) {
    for (to, code) in to.iter_mut().zip(codes.iter().cycle()) {
        *to = *code;
    }
}
