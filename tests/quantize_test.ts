/** Tables of weights go in, quantized tables come out: every option, every kind of column, slices and chunks. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Field, Int32, type RecordBatch, Schema, Table, Utf8 } from "apache-arrow";
import {
  dequantizeArrow,
  dequantizeArrowBatch,
  importRecordBatch,
  quantizeArrow,
  quantizeArrowBatch,
  type QuantizeOptions,
  stats,
  validateQuantizationSchema,
} from "../mod.ts";
import { type Column, fixed, table as columnsOf, utf8 } from "./support/columns.ts";
import {
  eighths,
  type ElementName,
  ELEMENTS,
  type Holder,
  layerBatch,
  LAYERS,
  type QuantizedRow,
  quantizedRows,
  WHOLE,
} from "./support/layers.ts";
import { make } from "./support/producer.ts";

async function rowsOf(batch: RecordBatch, options: QuantizeOptions = {}): Promise<QuantizedRow[]> {
  using quantized = await quantizeArrowBatch(batch, options);
  assert.deepEqual(quantized.failures, []);
  return quantizedRows(quantized.value);
}

const first = async (options: QuantizeOptions, layers = LAYERS): Promise<QuantizedRow> =>
  (await rowsOf(layerBatch(layers), options))[0]!;

test("quantize: the columns and the metadata of the result", async () => {
  using quantized = await quantizeArrowBatch(layerBatch(LAYERS));
  const { schema } = quantized.value;
  assert.deepEqual(
    schema.fields.map(({ name, type, nullable }) => `${name}: ${type}${nullable ? "?" : ""}`),
    [
      "layer_name: Utf8",
      "quantized_data: LargeBinary",
      "scales: List<Float32>",
      "zero_points: List<Int16>",
      "shape: List<Int64>",
      "bit_width: Uint8",
      "biases: List<Float32>?",
      "scheme: Utf8",
      "group_size: Int32",
      "axis: Int32",
      "layout: Utf8",
      "rmse: Float32",
      "max_abs_error: Float32",
      "sqnr_db: Float32",
      "cosine: Float32",
    ],
  );
  const names = [
    "codes",
    "dequantization",
    "groups",
    "packing",
    "quantization_version",
    "rounding",
  ];
  assert.deepEqual([...schema.metadata.keys()].sort(), names.map((name) => `bowstring:${name}`));
  assert.equal(quantized.value.numRows, 2);
});

// Every kind of column, against float32 in a list.
for (const holder of ["list", "fixed-size list", "fixed_shape_tensor", "variable_shape_tensor"]) {
  for (const element of Object.keys(ELEMENTS)) {
    test(`quantize: ${holder} of ${element}`, async () => {
      const kind = { holder: holder as Holder, element: element as ElementName };
      const expected = await rowsOf(layerBatch(LAYERS));
      assert.deepEqual(await rowsOf(layerBatch(LAYERS, kind)), expected);
    });
  }
}

test("quantize: large lists, large utf8 and offsets, as another library lays them out", async () => {
  const values = eighths(3 * 32, 7);
  const list = (lead: number): Column => ({
    format: "+L",
    name: "weights",
    nullable: false,
    length: 2,
    nullCount: 0,
    offset: lead,
    buffers: [null, new Uint8Array(BigInt64Array.of(0n, 32n, 64n, 96n).buffer)],
    children: [fixed("f", Float32Array, [...values], {})],
    values: [],
  });
  const names: Column = {
    ...utf8(["a", "b"], {}, "layer_name"),
    format: "U",
    buffers: [
      null,
      new Uint8Array(BigInt64Array.of(0n, 1n, 2n).buffer),
      new TextEncoder().encode("ab"),
    ],
  };
  for (const lead of [0, 1]) {
    const structs = make(columnsOf([names, list(lead)]));
    using lease = importRecordBatch(structs.schema, structs.array);
    using quantized = await quantizeArrowBatch(lease, { groupSize: 32 });
    const layers = ["a", "b"].map((name, at) => ({
      name,
      values: values.slice(32 * (lead + at), 32 * (lead + at + 1)),
    }));
    const expected = await rowsOf(layerBatch(layers), { groupSize: 32 });
    assert.deepEqual(quantizedRows(quantized.value), expected);
  }
});

interface OptionCase {
  readonly options: QuantizeOptions;
  readonly expected: Partial<Record<keyof QuantizedRow, unknown>>;
  /** Lengths of the columns that are lists. */
  readonly lengths?: Partial<Record<"quantized_data" | "scales" | "biases", number>>;
}

// Of a tensor of 6 rows of 40 values.
const OPTIONS: Record<string, OptionCase> = {
  "the defaults": {
    options: {},
    expected: { bit_width: 4, scheme: "asymmetric", layout: "onnx", group_size: 128, axis: -1 },
    lengths: { quantized_data: 120, scales: 6 },
  },
  "bitWidth 2": {
    options: { bitWidth: 2 },
    expected: { bit_width: 2 },
    lengths: { quantized_data: 60 },
  },
  "bitWidth 8": {
    options: { bitWidth: 8 },
    expected: { bit_width: 8 },
    lengths: { quantized_data: 240 },
  },
  "granularity tensor": {
    options: { granularity: "tensor" },
    expected: { group_size: 0, axis: -1 },
    lengths: { scales: 1 },
  },
  "granularity channel": {
    options: { granularity: "channel" },
    expected: { group_size: 0, axis: 0 },
    lengths: { scales: 6 },
  },
  "axis from the end": {
    options: { granularity: "channel", axis: -1 },
    expected: { group_size: 0, axis: 1 },
    lengths: { scales: 40 },
  },
  "groupSize with a ragged tail": {
    options: { groupSize: 32 },
    expected: { group_size: 32 },
    lengths: { scales: 12 },
  },
  "scheme symmetric": {
    options: { scheme: "symmetric" },
    expected: { scheme: "symmetric", zero_points: new Int16Array(6) },
  },
  "layout unpacked": {
    options: { layout: "unpacked" },
    expected: { layout: "unpacked" },
    lengths: { quantized_data: 240 },
  },
  "layout mlx": {
    options: { layout: "mlx", groupSize: 64 },
    expected: { layout: "mlx" },
    lengths: { quantized_data: 192, biases: 6 },
  },
  "statistics off": {
    options: { statistics: false },
    expected: { rmse: null, max_abs_error: null, sqnr_db: null, cosine: null },
  },
  "minCosine widens": { options: { bitWidth: 2, minCosine: 0.9999 }, expected: { bit_width: 8 } },
  "minCosine that no codes meet": { options: { minCosine: 1 }, expected: { bit_width: 8 } },
  "minCosine that is met": { options: { minCosine: 0.5 }, expected: { bit_width: 4 } },
  "overrides that match, the later one wins": {
    options: {
      overrides: [
        { pattern: "attention.*", bitWidth: 8, scheme: "symmetric" },
        { pattern: "*.weight", bitWidth: 2 },
      ],
    },
    expected: { bit_width: 2, scheme: "symmetric" },
  },
  "overrides that do not match": {
    options: { overrides: [{ pattern: "attention", bitWidth: 8 }] },
    expected: { bit_width: 4 },
  },
};

for (const [title, { options, expected, lengths = {} }] of Object.entries(OPTIONS)) {
  test(`quantize: ${title}`, async () => {
    const row = await first(options, options.layout === "mlx" ? WHOLE : LAYERS);
    for (const [name, value] of Object.entries(expected)) {
      const found = row[name as keyof QuantizedRow];
      // With one group a row, -1 and 1 are the same axis: the last.
      if (name === "axis" && row.group_size > 0) assert.ok(found === 1 || found === -1);
      else assert.deepEqual(found, value, name);
    }
    for (const [name, length] of Object.entries(lengths)) {
      assert.equal(row[name as "scales"].length, length, name);
    }
  });
}

const OVERRIDES: readonly QuantizeOptions[] = [
  { bitWidth: 8 },
  { granularity: "tensor" },
  { granularity: "channel", axis: 1 },
  { groupSize: 32 },
  { scheme: "symmetric" },
  { layout: "unpacked" },
  { search: "mse" },
  { minCosine: 0.9999 },
  { scaleType: "float16" },
];

for (const options of OVERRIDES) {
  test(`quantize: an override may say ${JSON.stringify(options)}`, async () => {
    const [overridden, other] = await rowsOf(layerBatch(LAYERS), {
      overrides: [{ pattern: LAYERS[0]!.name!, ...options }],
    });
    assert.deepEqual(overridden, await first(options));
    const byDefault = await rowsOf(layerBatch(LAYERS));
    assert.notDeepEqual(overridden, byDefault[0]);
    assert.deepEqual(other, byDefault[1]);
  });
}

test("quantize: layout ggml has blocks of 34, 18 and 20 bytes", async () => {
  const layers = [{ name: "w", values: eighths(64), shape: [2, 32] }];
  const bytes = async (options: QuantizeOptions) =>
    (await first({ layout: "ggml", ...options }, layers)).quantized_data.length;
  assert.equal(await bytes({ bitWidth: 8 }), 2 * 34);
  assert.equal(await bytes({ scheme: "symmetric" }), 2 * 18);
  assert.equal(await bytes({ scheme: "asymmetric" }), 2 * 20);
});

test("quantize: search lowers the error, importance where it matters", async () => {
  const values = eighths(256, 5).map((value, at) => at === 7 ? 64 : value / 4);
  const plain = { name: "w", values };
  const rmse = async (options: QuantizeOptions) => (await first(options, [plain])).rmse!;
  const coarse = await rmse({ bitWidth: 2 });
  assert.ok(await rmse({ bitWidth: 2, search: "mse" }) < coarse);

  // All weight on one value: what comes back for it is nearer than without.
  const weights = Array.from({ length: 256 }, (_, at) => at === 8 ? 1 : 0);
  const weighted = [{ ...plain, importance: weights }];
  const errorOf = async (options: QuantizeOptions) => {
    using quantized = await quantizeArrowBatch(layerBatch(weighted), options);
    using back = await dequantizeArrowBatch(quantized);
    return Math.abs(back.value.getChild("weights")!.get(0)!.get(8) - values[8]!);
  };
  const options: QuantizeOptions = { bitWidth: 2, search: "mse", granularity: "tensor" };
  assert.ok(
    await errorOf({ ...options, importance: "importance" }) <= await errorOf(options),
  );
});

test("quantize: scaleType float16 gives scales that a float16 holds", async () => {
  const { scales } = await first({ scaleType: "float16" });
  assert.deepEqual([...scales], [...scales].map(Math.f16round));
  const { scales: wide } = await first({});
  assert.notDeepEqual([...wide], [...wide].map(Math.f16round));
});

test("quantize: neither threads nor the instruction set change a byte", async () => {
  const batch = layerBatch([{ name: "w", values: eighths(300_000) }]);
  const expected = await rowsOf(batch);
  for (const options of [{ threads: 1 }, { threads: 3 }, { instructionSet: "portable" }] as const) {
    assert.deepEqual(await rowsOf(batch, options), expected);
  }
});

const REFUSED: readonly [options: object, message: string | RegExp][] = [
  [{ bitWidth: 3 }, "bitWidth: expected 2, 4 or 8 but found 3"],
  [{ bitWidth: "4" }, 'bitWidth: expected 2, 4 or 8 but found "4"'],
  [{ bitWidth: 300 }, "bitWidth: expected 2, 4 or 8 but found 300"],
  [{ bitWidth: null }, "bitWidth: expected 2, 4 or 8 but found null"],
  [
    { granularity: "block" },
    'granularity: expected "tensor", "channel" or "group" but found "block"',
  ],
  [{ axis: 0.5 }, "axis: expected a whole number but found 0.5"],
  [{ axis: 2 ** 31 }, "axis: expected a whole number but found 2147483648"],
  [{ axis: 0 }, 'axis: belongs to granularity "channel" but found "group"'],
  [{ groupSize: 48 }, "groupSize: expected 32, 64, 128 or 256 but found 48"],
  [{ groupSize: -32 }, "groupSize: expected 32, 64, 128 or 256 but found -32"],
  [{ scheme: 1 }, 'scheme: expected "asymmetric" or "symmetric" but found 1'],
  [{ layout: "gguf" }, 'layout: expected "onnx", "ggml", "mlx" or "unpacked" but found "gguf"'],
  [{ layout: "ggml", bitWidth: 2 }, 'bitWidth of layout "ggml": expected 4 or 8 but found 2'],
  [{ search: true }, 'search: expected "none" or "mse" but found true'],
  [{ minCosine: 2 }, "minCosine: expected a number from -1 to 1 but found 2"],
  [{ minCosine: NaN }, 'minCosine: expected a number but found "NaN"'],
  [{ importance: 1 }, "importance: expected a string but found 1"],
  [
    { importance: "x" },
    'importance: weights the search, expected search "mse" but found "none"',
  ],
  [{ scaleType: "bfloat16" }, 'scaleType: expected "float32" or "float16" but found "bfloat16"'],
  [{ onInvalid: "drop" }, 'onInvalid: expected "error", "skip" or "clip" but found "drop"'],
  [{ continueOnError: 1 }, "continueOnError: expected true or false but found 1"],
  [{ overrides: {} }, "overrides: expected an array of objects but found {}"],
  [{ overrides: ["a"] }, 'overrides[0]: expected an object but found "a"'],
  [
    { overrides: [{ pattern: "a", bitWidth: 5 }] },
    "overrides[0]: bitWidth: expected 2, 4 or 8 but found 5",
  ],
  [
    { overrides: [{}, { pattern: 1 }] },
    "overrides[1].pattern: expected a string but found 1",
  ],
  [{ overrides: [{ pattern: "[" }] }, /^overrides\[0\]: pattern: /],
  [
    { overrides: [{ threads: 1 }] },
    /^options: expected pattern, .* but found overrides\[0\]\.threads$/,
  ],
  [{ statistics: "yes" }, 'statistics: expected true or false but found "yes"'],
  [{ threads: -1 }, "threads: expected a whole number from 0 on but found -1"],
  [
    { instructionSet: "neon" },
    'instructionSet: expected "portable", "avx2" or "avx512" but found "neon"',
  ],
  [{ bits: 4 }, /^options: expected bitWidth, .*, instructionSet but found bits$/],
  [{ threads: 1n }, 'threads: expected a whole number from 0 on but found "1n"'],
  [
    { scheme: () => "symmetric" },
    'scheme: expected "asymmetric" or "symmetric" but found "function"',
  ],
  [{ scheme: Symbol() }, 'scheme: expected "asymmetric" or "symmetric" but found "symbol"'],
  [{ onprogress() {} }, /^options: expected bitWidth, .*, instructionSet but found onprogress$/],
];

for (const [options, message] of REFUSED) {
  test(`quantize: refuses ${inspect(options, { breakLength: Infinity })}`, async () => {
    const expected = { name: "BowstringError", code: "INVALID_ARGUMENT", message };
    await assert.rejects(quantizeArrowBatch(layerBatch(LAYERS), options), expected);
    await assert.rejects(quantizeArrow(new Table([layerBatch(LAYERS)]), options), expected);
    assert.equal(stats().liveLeases, 0);
  });
}

test("quantize: numbers that JSON has not are refused, and told from text", async () => {
  for (const [bitWidth, found] of [[8n, "8n"], [NaN, "NaN"], [-Infinity, "-Infinity"]]) {
    await assert.rejects(quantizeArrowBatch(layerBatch(LAYERS), { bitWidth } as object), {
      code: "INVALID_ARGUMENT",
      message: `bitWidth: expected 2, 4 or 8 but found "${found}"`,
    });
  }
});

test("quantize: what is no table is refused", async () => {
  const expected = { code: "INVALID_ARGUMENT" };
  await assert.rejects(quantizeArrow(1 as never), expected);
  await assert.rejects(quantizeArrow(layerBatch(LAYERS) as never), expected);
  await assert.rejects(quantizeArrowBatch({} as never), expected);
  await assert.rejects(dequantizeArrow(null as never), expected);
});

test("quantize: a schema that does not fit is refused once, with all that is wrong", async () => {
  const schema = new Schema([
    new Field("layer_name", new Int32()),
    new Field("weights", new Utf8()),
    new Field("shape", new Utf8()),
  ]);
  const weights =
    "list, large list or fixed-size list of float32, float16 or bfloat16 (uint16 with the " +
    'extension name "bowstring.bfloat16"), arrow.fixed_shape_tensor or arrow.variable_shape_tensor of these';
  const expected = {
    name: "BowstringError",
    code: "INVALID_ARGUMENT",
    message: "the schema does not fit quantization: " +
      'column "layer_name": expected utf8 or large utf8 but found Int32; ' +
      `column "weights": expected ${weights} but found Utf8; ` +
      'column "shape": expected list<int64> or large list<int64> but found Utf8',
  };
  assert.throws(() => validateQuantizationSchema(schema), expected);
  await assert.rejects(quantizeArrow(new Table(schema)), expected);

  const { schema: fitting } = layerBatch(LAYERS);
  validateQuantizationSchema(fitting);
  assert.throws(() => validateQuantizationSchema(fitting, { importance: "norms" }), {
    code: "INVALID_ARGUMENT",
    message:
      'the schema does not fit quantization: column "norms": expected list<float32> or large ' +
      "list<float32> but found no such column",
  });
  assert.throws(() => validateQuantizationSchema(1 as never), { code: "INVALID_ARGUMENT" });
});

test("quantize: every chunk and every slice of a table", async () => {
  const layers = Array.from({ length: 7 }, (_, at) => ({
    name: `layer ${at}`,
    values: eighths(100 + at, at + 1),
  }));
  const expected = await rowsOf(layerBatch(layers));
  const table = new Table([
    layerBatch(layers.slice(0, 3)),
    layerBatch(layers.slice(3, 3)),
    layerBatch(layers.slice(3)),
  ]);
  const cases: [Table, QuantizedRow[]][] = [
    [table, expected],
    [table.slice(2, 6), expected.slice(2, 6)],
    [table.slice(4), expected.slice(4)],
    [table.slice(3, 3), []],
    [new Table(table.schema), []],
  ];
  for (const [input, rows] of cases) {
    using quantized = await quantizeArrow(input);
    assert.deepEqual(quantizedRows(quantized.value), rows);
    assert.equal(quantized.value.schema.fields.length, 15);
    using back = await dequantizeArrow(quantized);
    assert.equal(back.value.numRows, rows.length);
  }
});

test("quantize: a layer without values, and one of a single constant", async () => {
  const layers = [
    { name: "empty", values: [] },
    { name: "constant", values: Array(100).fill(0.3) },
    { name: "zero", values: Array(5).fill(0) },
  ];
  using quantized = await quantizeArrowBatch(layerBatch(layers), { bitWidth: 8 });
  using back = await dequantizeArrowBatch(quantized);
  const values = [...back.value.getChild("weights")!].map((list) => [...list]);
  assert.deepEqual(values[0], []);
  assert.ok(values[1]!.every((value) => Math.abs(value - 0.3) < 0.3 / 255));
  assert.deepEqual(values[2], [0, 0, 0, 0, 0]);
});
