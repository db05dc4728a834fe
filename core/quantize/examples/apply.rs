//! Quantization as a filter, for programs in other languages that compare results with it.
//!
//!     cargo run --release --package bowstring-quantize --example apply
//!
//! Each request is a line of JSON on standard input, followed by the bytes it announces; each answer is a line with a
//! number of bytes, and these. All numbers are little-endian.
//!
//! | request | bytes that follow | answer |
//! |---|---|---|
//! | `{"quantizeWith": TARGET, "shape": [..], "scales": N}` | float32 values, N float32 scales, N int16 zero points | packed codes |
//! | `{"dequantizeWith": TARGET, "shape": [..], "scales": N, "codes": BYTES}` | codes, scales, zero points | float32 values |
//! | `{"quantize": OPTIONS, "shape": [..]}` | float32 values | the column quantized_data |
//! | `{"time": OPTIONS, "shape": [..]}` | float32 values, unless `"sameValues": true` | the seconds that it took, a float64 |

use std::error::Error;
use std::io::{BufRead, Read, Write, stdin, stdout};
use std::sync::Arc;
use std::time::Instant;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, Float32Array, Int64Array, ListArray, RecordBatch, StringArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::Field;
use bowstring_quantize::{
    Control, QuantizeOptions, Target, dequantize_with, quantize, quantize_with,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Request {
    quantize_with: Option<Target>,
    dequantize_with: Option<Target>,
    quantize: Option<QuantizeOptions>,
    time: Option<QuantizeOptions>,
    #[serde(default)]
    same_values: bool,
    shape: Vec<usize>,
    #[serde(default)]
    scales: usize,
    #[serde(default)]
    codes: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let (mut input, mut output) = (stdin().lock(), stdout().lock());
    let mut line = String::new();
    let mut timed = None;
    while input.read_line(&mut line)? > 0 {
        let request: Request = serde_json::from_str(&line)?;
        line.clear();
        let count: usize = request.shape.iter().product();
        let mut take = |bytes: usize| -> Result<Vec<u8>, Box<dyn Error>> {
            let mut buffer = vec![0; bytes];
            input.read_exact(&mut buffer)?;
            Ok(buffer)
        };
        let answer = if let Some(options) = &request.time {
            if !request.same_values {
                timed = Some(one_layer(floats(&take(4 * count)?), &request.shape)?);
            }
            let batch = timed.as_ref().ok_or("no values yet")?;
            let start = Instant::now();
            std::hint::black_box(quantize(batch, options, &Control::default())?);
            start.elapsed().as_secs_f64().to_le_bytes().to_vec()
        } else if let Some(options) = &request.quantize {
            let batch = one_layer(floats(&take(4 * count)?), &request.shape)?;
            let quantized = quantize(&batch, options, &Control::default())?.batch;
            let data = quantized
                .column_by_name("quantized_data")
                .expect("a column");
            data.as_binary::<i64>().value(0).to_vec()
        } else {
            let target = request.quantize_with.as_ref();
            let target = target
                .or(request.dequantize_with.as_ref())
                .ok_or("no operation")?;
            let is_back = request.dequantize_with.is_some();
            let data = take(if is_back { request.codes } else { 4 * count })?;
            let scales = floats(&take(4 * request.scales)?);
            let zeros: Vec<i16> = take(2 * request.scales)?
                .chunks_exact(2)
                .map(|two| i16::from_le_bytes([two[0], two[1]]))
                .collect();
            if is_back {
                let values = dequantize_with(&data, &request.shape, &scales, Some(&zeros), target)?;
                values
                    .iter()
                    .flat_map(|value| value.to_le_bytes())
                    .collect()
            } else {
                quantize_with(
                    &floats(&data),
                    &request.shape,
                    &scales,
                    Some(&zeros),
                    target,
                )?
            }
        };
        writeln!(output, "{}", answer.len())?;
        output.write_all(&answer)?;
        output.flush()?;
    }
    Ok(())
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes
        .chunks_exact(4)
        .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]))
        .collect()
}

fn one_layer(values: Vec<f32>, shape: &[usize]) -> Result<RecordBatch, Box<dyn Error>> {
    let list = |values: ArrayRef| -> ArrayRef {
        let item = Arc::new(Field::new("item", values.data_type().clone(), false));
        let offsets = OffsetBuffer::from_lengths([values.len()]);
        Arc::new(ListArray::new(item, offsets, values, None))
    };
    let sizes: Vec<i64> = shape.iter().map(|size| *size as i64).collect();
    let names: ArrayRef = Arc::new(StringArray::from(vec!["layer"]));
    Ok(RecordBatch::try_from_iter([
        ("layer_name", names),
        ("weights", list(Arc::new(Float32Array::from(values)))),
        ("shape", list(Arc::new(Int64Array::from(sizes)))),
    ])?)
}
