//! Peak memory: the input, the output, and a fixed amount.

use arrow_array::RecordBatch;
use bowstring_quantize::{Control, QuantizeOptions, Quantizer};

use crate::rounds::Rounds;

/// What the threads' buffers, their stacks and the small columns may take beside input and output.
const FIXED: f64 = 16e6;

/// Resident bytes, now and at the most since the last reset.
fn resident(field: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    let kibibytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

pub fn peak(batch: &RecordBatch, rounds: &mut Rounds) {
    println!("\npeak memory beside the input");
    for (name, bits, layout) in [("int8", 8, "onnx"), ("int4", 4, "onnx"), ("int4", 4, "mlx")] {
        let json = serde_json::json!({"bitWidth": bits, "layout": layout});
        let options: QuantizeOptions = serde_json::from_value(json).expect("options");
        let quantizer = Quantizer::keeping(0);
        // 5 resets the high-water mark.
        if std::fs::write("/proc/self/clear_refs", "5").is_err() {
            println!("  not measured: /proc/self/clear_refs cannot be written here");
            return;
        }
        let Some(before) = resident("VmRSS:") else {
            return;
        };
        let quantized = quantizer.quantize(batch, &options, &Control::default());
        let quantized = quantized.expect("quantized");
        let Some(peak) = resident("VmHWM:") else {
            return;
        };
        let output: usize = quantized
            .batch
            .columns()
            .iter()
            .map(|c| bytes(c.as_ref()))
            .sum();
        let beside = peak - before - output as f64;
        let verdict = if beside <= FIXED {
            "met"
        } else {
            rounds.missed += 1;
            "MISSED"
        };
        println!(
            "  {name}, {layout:<10} output {:6.1} MB, beside it {:5.1} MB  bar {:.0} MB: {verdict}",
            output as f64 / 1e6,
            beside / 1e6,
            FIXED / 1e6
        );
    }
}

/// Bytes of an array's own values.
fn bytes(array: &dyn arrow_array::Array) -> usize {
    array
        .to_data()
        .get_slice_memory_size()
        .expect("a plain layout")
}
