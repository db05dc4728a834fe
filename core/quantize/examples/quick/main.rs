#[path = "../bench/limit.rs"]
mod limit;
use arrow_array::{ArrayRef, Float32Array, ListArray, RecordBatch, StringArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::Field;
use bowstring_block::BlockPool;
use bowstring_quantize::{Control, QuantizeOptions, Quantizer};
use serde_json::json;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;
fn main() {
    let threads: usize = std::env::args().nth(1).map_or(1, |a| a.parse().unwrap());
    let rounds: usize = std::env::args().nth(2).map_or(15, |a| a.parse().unwrap());
    let count: usize = std::env::args()
        .nth(3)
        .map_or(400_000_000 / 4 / 4096 * 4096, |a| a.parse().unwrap());
    let reps = (400_000_000 / 4 / count).max(1);
    let mut state = 1u64;
    let values: Float32Array = (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let sum: i32 = state.to_le_bytes().iter().map(|b| i32::from(*b)).sum();
            (sum as f32 - 1020.0 + (state >> 40) as f32 * 1e-8) * 1e-4
        })
        .collect::<Vec<f32>>()
        .into();
    let names: ArrayRef = Arc::new(StringArray::from(vec!["layer"]));
    let offsets = OffsetBuffer::from_lengths([values.len()]);
    let item = Arc::new(Field::new("item", arrow_schema::DataType::Float32, false));
    let w: ArrayRef = Arc::new(ListArray::new(
        item,
        offsets,
        Arc::new(values.clone()),
        None,
    ));
    let batch = RecordBatch::try_from_iter([("layer_name", names), ("weights", w)]).unwrap();
    let pool = BlockPool::new(1);
    let mut block = pool.take(count * 4 + 64).unwrap();
    let buffer = block.bytes_mut();
    buffer.fill(1);
    let warm = Quantizer::keeping(1 << 30);
    for bits in [8usize, 4] {
        let opt = |s: bool| -> QuantizeOptions {
            serde_json::from_value(json!({"bitWidth": bits, "threads": threads, "statistics": s}))
                .unwrap()
        };
        let (k, f) = (opt(false), opt(true));
        let mut t = [vec![], vec![], vec![]];
        for r in 0..=rounds {
            for i in 0..3 {
                let s = Instant::now();
                for _ in 0..reps {
                    match i {
                        0 => limit::forth(values.values(), buffer, bits, threads),
                        1 => {
                            black_box(warm.quantize(&batch, &k, &Control::default()).unwrap());
                        }
                        _ => {
                            black_box(warm.quantize(&batch, &f, &Control::default()).unwrap());
                        }
                    }
                }
                if r > 0 {
                    t[i].push(s.elapsed().as_secs_f64() * 1e3);
                }
            }
        }
        for v in &mut t {
            v.sort_by(f64::total_cmp);
        }
        let q = |v: &Vec<f64>| (v[0], v[v.len() / 4], v[v.len() / 2]);
        let (l, k, f) = (q(&t[0]), q(&t[1]), q(&t[2]));
        println!(
            "int{bits} x{threads}: limit {:.1} kernel {:.1} full {:.1} | best {:.3} {:.3} q1 {:.3} {:.3} med {:.3} {:.3} | stat best {:.3} q1 {:.3}",
            l.0,
            k.0,
            f.0,
            l.0 / k.0,
            l.0 / f.0,
            l.1 / k.1,
            l.1 / f.1,
            l.2 / k.2,
            l.2 / f.2,
            k.0 / f.0,
            k.1 / f.1
        );
    }
}
