//! Speed of quantization, as ratios to what the memory allows, measured in the same run; what the search for scales
//! gains; and how much memory it all takes.
//!
//!     cargo run --release --package bowstring-quantize --example bench [MEGABYTES] [ROUNDS]
//!
//! The limit is a loop without arithmetic that reads the same values and streams as many bytes into a warm buffer. The
//! exit code is 1 when a bar is missed.

mod brute_force;
mod limit;
mod memory;
mod q4_k;
mod rounds;
mod stack;

use std::hint::black_box;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, ListArray, RecordBatch, StringArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field};
use bowstring_block::BlockPool;
use bowstring_quantize::{Control, DequantizeOptions, QuantizeOptions, Quantizer};
use rounds::{Rounds, Step};
use serde_json::{Value, json};

/// On all cores, on one, for a whole call with what it measures, and for the way back.
const ALL_CORES: f64 = 0.90;
const ONE_THREAD: f64 = 0.80;
const END_TO_END: f64 = 0.80;
const BACK: f64 = 0.90;
/// Statistics may cost at most 15 % more.
const STATISTICS: f64 = 1.0 / 1.15;

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|argument| argument.parse::<usize>().expect("a number"));
    let megabytes = arguments.next().unwrap_or(400);
    let rounds = arguments.next().unwrap_or(21);
    let count = megabytes * 1_000_000 / 4 / 4096 * 4096;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut rounds = Rounds {
        rounds,
        megabytes: count as f64 * 4.0 / 1e6,
        missed: 0,
    };
    println!(
        "{:.0} MB of float32 in one layer, {cores} cores, medians of {} rounds",
        rounds.megabytes, rounds.rounds
    );
    let values = normals(count);
    let batch = batch(values.clone());
    // Before anything else has touched memory.
    memory::peak(&batch, &mut rounds);
    // Of the same kind as the quantizer's own, so that pages are of the same size.
    let pool = BlockPool::new(1);
    let mut block = pool.take(count * 4 + 64).expect("memory");
    let buffer = block.bytes_mut();
    buffer.fill(1);
    let threads = if cores > 1 { vec![1, cores] } else { vec![1] };
    for threads in &threads {
        for bits in [8, 4, 2] {
            forth(&mut rounds, &values, &batch, buffer, bits, *threads);
        }
    }
    for threads in &threads {
        for bits in [8, 4] {
            back(&mut rounds, &batch, buffer, bits, *threads);
        }
    }
    others(&mut rounds, &values, &batch, buffer);
    // 16 MB: enough to be streamed, little enough to be done often.
    stack::places(
        &self::batch(values.slice(0, count.min(4 << 20))),
        &mut rounds,
    );
    brute_force::compare(&mut rounds);
    if rounds.missed > 0 {
        println!("\n{} bars missed", rounds.missed);
        std::process::exit(1);
    }
}

/// Quantization in groups of 128.
fn forth(
    rounds: &mut Rounds,
    values: &Float32Array,
    batch: &RecordBatch,
    buffer: &mut [u8],
    bits: usize,
    threads: usize,
) {
    let warm = Quantizer::keeping(1 << 30);
    let base = json!({"bitWidth": bits, "threads": threads});
    let kernel = options(&base, json!({"statistics": false}));
    let full = options(&base, json!({}));
    let symmetric = options(&base, json!({"scheme": "symmetric", "statistics": false}));
    let kernel_bar = if threads > 1 { ALL_CORES } else { ONE_THREAD };
    let mut steps = vec![
        Step::new("the limit", || {
            limit::forth(values.values(), buffer, bits, threads)
        }),
        Step::new("kernel", || run(&warm, batch, &kernel)).at_least(kernel_bar, 0),
        Step::new("kernel, symmetric", || run(&warm, batch, &symmetric)).at_least(kernel_bar, 0),
        Step::new("end to end, warm", || run(&warm, batch, &full)).at_least(END_TO_END, 0),
        Step::new("with statistics", || run(&warm, batch, &full)).at_least(STATISTICS, 1),
        Step::new("end to end, cold", || {
            run(&Quantizer::keeping(0), batch, &full)
        }),
    ];
    if bits == 2 {
        // The bars are for eight and four bits.
        steps = steps.into_iter().map(Step::without_bar).collect();
    }
    rounds.alternate(&format!("int{bits}, {threads} threads"), steps);
}

/// And the way back, also from ggml's blocks, which are read as well.
fn back(rounds: &mut Rounds, batch: &RecordBatch, buffer: &mut [u8], bits: usize, threads: usize) {
    let warm = Quantizer::keeping(1 << 30);
    let base = json!({"bitWidth": bits});
    let [groups, blocks] =
        [json!({}), json!({"layout": "ggml", "scheme": "symmetric"})].map(|kind| {
            let quantized = warm.quantize(batch, &options(&base, kind), &Control::default());
            quantized.expect("quantized").batch
        });
    let count = (rounds.megabytes * 1e6 / 4.0) as usize;
    let codes = vec![1u8; count * bits / 8];
    let options = DequantizeOptions {
        threads,
        ..DequantizeOptions::default()
    };
    let dequantize = |quantized: &RecordBatch| {
        let back = warm.dequantize(quantized, &options, &Control::default());
        black_box(back.expect("dequantized"));
    };
    let steps = vec![
        Step::new("the limit", || {
            limit::back(&codes, buffer, count, bits, threads)
        }),
        Step::new("dequantize, warm", || dequantize(&groups)).at_least(BACK, 0),
        Step::new("the same, of ggml's blocks", || dequantize(&blocks)).at_least(BACK, 0),
    ];
    rounds.alternate(&format!("back from int{bits}, {threads} threads"), steps);
}

/// What has no bar of its own.
fn others(rounds: &mut Rounds, values: &Float32Array, batch: &RecordBatch, buffer: &mut [u8]) {
    let warm = Quantizer::keeping(1 << 30);
    let kinds = [
        ("Q8_0", json!({"layout": "ggml", "bitWidth": 8})),
        ("Q4_0", json!({"layout": "ggml", "scheme": "symmetric"})),
        ("Q4_1", json!({"layout": "ggml"})),
        ("mlx, 4 bits", json!({"layout": "mlx"})),
        (
            "int8, whole tensor",
            json!({"bitWidth": 8, "granularity": "tensor"}),
        ),
        ("int4, float16 scales", json!({"scaleType": "float16"})),
    ];
    let kinds = kinds.map(|(name, kind)| (name, options(&json!({"threads": 1}), kind)));
    let mut steps = vec![Step::new("the limit of int8", || {
        limit::forth(values.values(), buffer, 8, 1);
    })];
    for (name, options) in &kinds {
        steps.push(Step::new(*name, || run(&warm, batch, options)));
    }
    rounds.alternate("other layouts, 1 thread, with statistics", steps);

    let columns = batch_of_shape(values.clone(), 4096);
    let kinds = [
        ("int8, channels of the first axis", json!({"axis": 0})),
        ("int8, channels of the last axis", json!({"axis": -1})),
    ];
    let base = json!({"bitWidth": 8, "granularity": "channel", "threads": 1});
    let kinds = kinds.map(|(name, kind)| (name, options(&base, kind)));
    let steps = kinds
        .iter()
        .map(|(name, options)| Step::new(*name, || run(&warm, &columns, options)))
        .collect();
    rounds.alternate("channels, 1 thread, with statistics", steps);
}

fn run(quantizer: &Quantizer, batch: &RecordBatch, options: &QuantizeOptions) {
    let quantized = quantizer.quantize(batch, options, &Control::default());
    black_box(quantized.expect("quantized"));
}

fn options(base: &Value, more: Value) -> QuantizeOptions {
    let mut all = base.as_object().expect("an object").clone();
    all.extend(more.as_object().expect("an object").clone());
    serde_json::from_value(Value::Object(all)).expect("options")
}

fn batch(values: Float32Array) -> RecordBatch {
    let names: ArrayRef = Arc::new(StringArray::from(vec!["layer"]));
    let columns = [
        ("layer_name", names),
        ("weights", one_list(Arc::new(values))),
    ];
    RecordBatch::try_from_iter(columns).expect("a batch")
}

fn batch_of_shape(values: Float32Array, columns: usize) -> RecordBatch {
    let sizes = vec![(values.len() / columns) as i64, columns as i64];
    let shape = one_list(Arc::new(arrow_array::Int64Array::from(sizes)));
    let names: ArrayRef = Arc::new(StringArray::from(vec!["layer"]));
    let weights = one_list(Arc::new(values));
    let columns = [
        ("layer_name", names),
        ("weights", weights),
        ("shape", shape),
    ];
    RecordBatch::try_from_iter(columns).expect("a batch")
}

fn one_list(values: ArrayRef) -> ArrayRef {
    let offsets = OffsetBuffer::from_lengths([values.len()]);
    let data_type: DataType = values.data_type().clone();
    let item = Arc::new(Field::new("item", data_type, false));
    Arc::new(ListArray::new(item, offsets, values, None))
}

/// About normal: sums of the bytes of xorshift.
fn normals(count: usize) -> Float32Array {
    let mut state = 1u64;
    let values = (0..count).map(|_| {
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
