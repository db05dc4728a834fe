//! A stranger's reader: one row, from the columns and what the schema's metadata says about them, and nothing of this
//! crate. The sentences it was written from stand beside it; the metadata has to say just these.

mod common;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int16Type, Int32Type, Int64Type, UInt8Type};
use arrow_array::{Array, RecordBatch};
use common::{Random, back, kinds};
use half::f16;
use serde_json::json;

const SENTENCES: [(&str, &str); 6] = [
    ("bowstring:quantization_version", "1"),
    (
        "bowstring:rounding",
        "code = saturate(round_half_even(float32(x / scale)) + zero_point); layout ggml: as ggml's reference quantizers",
    ),
    (
        "bowstring:packing",
        "layouts onnx and mlx: codes of bit_width bits, row-major over the whole tensor without gaps, the first code in \
         the lowest bits of the first byte, the last byte (mlx: the last 4-byte little-endian word) filled with zeros; \
         layout unpacked: one byte a code; layout ggml: blocks of 32 values, bit_width 8 Q8_0 (float16 d, 32 int8 q), \
         bit_width 4 with scheme symmetric Q4_0 (float16 d, 16 bytes), with asymmetric Q4_1 (float16 d, float16 m, 16 \
         bytes), byte j of the 16 with code j in its low and code j + 16 in its high half",
    ),
    (
        "bowstring:codes",
        "unsigned; with scheme symmetric and layout onnx or unpacked, and in ggml's Q8_0, signed two's complement",
    ),
    (
        "bowstring:dequantization",
        "value = (code - zero_points[g]) * scales[g]; where biases is not null also value = code * scales[g] + biases[g], \
         which in ggml's Q4_1 is the only form",
    ),
    (
        "bowstring:groups",
        "axis -1: one group, g = 0; group_size 0: g is the index along axis; else g = row * ceil(n / group_size) + \
         column / group_size, where the last axis has n values and row counts its runs",
    ),
];

/// The values of one row.
fn read(batch: &RecordBatch, row: usize) -> Vec<f32> {
    let column = |name: &str| batch.column_by_name(name).unwrap();
    let text = |name: &str| column(name).as_string::<i32>().value(row).to_owned();
    let int = |name: &str| column(name).as_primitive::<Int32Type>().value(row);
    let list = |name: &str| column(name).as_list::<i32>().value(row);
    let (layout, scheme) = (text("layout"), text("scheme"));
    let bits = usize::from(column("bit_width").as_primitive::<UInt8Type>().value(row));
    let (group_size, axis) = (int("group_size") as usize, int("axis"));
    let shape: Vec<usize> = list("shape")
        .as_primitive::<Int64Type>()
        .values()
        .iter()
        .map(|size| *size as usize)
        .collect();
    let scales = list("scales");
    let scales = scales.as_primitive::<Float32Type>().values().to_vec();
    let zeros = list("zero_points");
    let zeros = zeros.as_primitive::<Int16Type>().values().to_vec();
    let biases = column("biases").is_valid(row).then(|| {
        list("biases")
            .as_primitive::<Float32Type>()
            .values()
            .to_vec()
    });
    let data = column("quantized_data").as_binary::<i64>().value(row);

    let count: usize = shape.iter().product();
    // packing: the code of each value, as unsigned bits.
    let code = |at: usize| -> u8 {
        if layout == "ggml" {
            let (block, at) = (at / 32, at % 32);
            return match (bits, &scheme[..]) {
                (8, _) => data[block * 34 + 2 + at],
                (_, "symmetric") => data[block * 18 + 2 + at % 16] >> (at / 16 * 4) & 15,
                _ => data[block * 20 + 4 + at % 16] >> (at / 16 * 4) & 15,
            };
        }
        if layout == "unpacked" {
            return data[at];
        }
        let bit = at * bits;
        (u16::from(data[bit / 8]) >> (bit % 8) & ((1 << bits) - 1)) as u8
    };
    // codes: signed or not. A byte of an unpacked code is sign-extended already.
    let is_signed = match &layout[..] {
        "ggml" => bits == 8,
        "onnx" | "unpacked" => scheme == "symmetric",
        _ => false,
    };
    let number = |code: u8| -> i32 {
        let width = if layout == "unpacked" { 8 } else { bits };
        if is_signed {
            i32::from(((code << (8 - width)) as i8) >> (8 - width))
        } else {
            i32::from(code)
        }
    };
    // groups: which scale.
    let last = *shape.last().unwrap_or(&1);
    let group = |at: usize| match (axis, group_size) {
        (-1, 0) => 0,
        (axis, 0) => {
            let axis = axis as usize;
            at / shape[axis + 1..].iter().product::<usize>() % shape[axis]
        }
        _ => at / last * last.div_ceil(group_size) + at % last / group_size,
    };
    // dequantization.
    let only_biases = layout == "ggml" && bits == 4 && scheme == "asymmetric";
    (0..count)
        .map(|at| {
            let (code, g) = (number(code(at)), group(at));
            let from_bias = biases
                .as_ref()
                .map(|biases| code as f32 * scales[g] + biases[g]);
            if only_biases {
                return from_bias.unwrap();
            }
            let value = (code - i32::from(zeros[g])) as f32 * scales[g];
            if let Some(from_bias) = from_bias {
                assert!(
                    (from_bias - value).abs() <= scales[g] * 1e-4,
                    "{from_bias} {value}"
                );
            }
            value
        })
        .collect()
}

#[test]
fn a_stranger_reads_any_row_by_the_metadata() {
    let mut random = Random(51);
    let shapes: [&[usize]; 3] = [&[6, 160], &[2, 3, 64], &[32]];
    let layers: Vec<Vec<f32>> = shapes
        .iter()
        .map(|shape| random.normals(shape.iter().product()))
        .collect();
    let rows: Vec<(&[f32], &[usize])> = layers.iter().map(Vec::as_slice).zip(shapes).collect();
    let table = common::batch(&rows);
    for kind in kinds() {
        let batch = common::run(&table, kind.clone()).unwrap().batch;
        for (key, sentence) in SENTENCES {
            assert_eq!(batch.schema().metadata()[key], sentence, "{key}");
        }
        for (row, (values, _)) in rows.iter().enumerate() {
            let found = read(&batch, row);
            assert_eq!(found, back(&batch.slice(row, 1)), "{kind} row {row}");
            assert_eq!(found.len(), values.len());
        }
    }
}

/// Layers of more values than a thread takes at a time, whose rows and groups go over that border.
#[test]
fn a_stranger_reads_large_layers() {
    let shapes: [&[usize]; 4] = [&[2800, 96], &[2700, 100], &[90_001, 3], &[270_001]];
    let layers = shapes.map(|shape| Random(53).normals(shape.iter().product()));
    let rows: Vec<(&[f32], &[usize])> = layers.iter().map(Vec::as_slice).zip(shapes).collect();
    let table = common::batch(&rows);
    for (bits, scheme) in [(8, "asymmetric"), (4, "symmetric"), (2, "asymmetric")] {
        for mut kind in [
            json!({"granularity": "channel"}),
            json!({"groupSize": 64}),
            json!({"granularity": "tensor"}),
        ] {
            kind["bitWidth"] = json!(bits);
            kind["scheme"] = json!(scheme);
            let batch = common::run(&table, kind.clone()).unwrap().batch;
            for row in 0..rows.len() {
                let same = read(&batch, row) == back(&batch.slice(row, 1));
                assert!(same, "{kind} row {row}");
            }
        }
    }
}

/// Where the layout embeds scales, the columns say the same numbers.
#[test]
fn the_columns_repeat_what_blocks_embed() {
    let values = Random(52).normals(320);
    for (bits, scheme, bytes) in [
        (8, "symmetric", 34),
        (4, "symmetric", 18),
        (4, "asymmetric", 20),
    ] {
        let json = json!({"bitWidth": bits, "scheme": scheme, "layout": "ggml"});
        let batch = common::one(&values, &[320], json);
        let data = common::data(&batch, 0);
        let half = |at: usize| f16::from_le_bytes([data[at], data[at + 1]]).to_f32();
        let embedded: Vec<f32> = (0..10).map(|block| half(block * bytes)).collect();
        assert_eq!(common::list_of_floats(&batch, "scales", 0), embedded);
        if bytes == 20 {
            let embedded: Vec<f32> = (0..10).map(|block| half(block * bytes + 2)).collect();
            assert_eq!(common::list_of_floats(&batch, "biases", 0), embedded);
        }
    }
}
