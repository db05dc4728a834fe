/** Quantized tables go in, weights come out: by dequantizeArrow, and by the metadata alone. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type RecordBatch, Table } from "apache-arrow";
import {
  dequantizeArrow,
  dequantizeArrowBatch,
  dequantizeStream,
  quantizeArrow,
  quantizeArrowBatch,
  type QuantizeOptions,
  quantizeWith,
} from "../mod.ts";
import {
  eighths,
  layerBatch,
  LAYERS,
  type QuantizedRow,
  quantizedRows,
  WHOLE,
} from "./support/layers.ts";

test("quantize: back within half a step, and again to the same codes", async () => {
  const values = eighths(10_000, 3);
  for (const bitWidth of [2, 4, 8] as const) {
    using quantized = await quantizeArrow(new Table([layerBatch([{ name: "w", values }])]), {
      bitWidth,
    });
    using back = await dequantizeArrow(quantized);
    const weights = back.value.getChild("weights")!.get(0)!.toArray();
    const [row] = quantizedRows(quantized.value);
    values.forEach((value, at) => {
      const step = row!.scales[Math.floor(at / 128)]!;
      assert.ok(Math.abs(weights[at] - value) <= step * 0.5001, `${at}`);
    });
    const codes = quantizeWith(weights, row!.scales, row!.zero_points, {
      type: ({ 2: "uint2", 4: "uint4", 8: "uint8" } as const)[bitWidth],
      blockSize: 128,
    });
    assert.deepEqual(codes, row!.quantized_data);
  }
});

/** Dequantizes a row with nothing but what the table says of itself: its metadata and its columns. */
function byTheBook(row: QuantizedRow, metadata: ReadonlyMap<string, string>): number[] {
  assert.equal(metadata.get("bowstring:quantization_version"), "1");
  assert.match(metadata.get("bowstring:packing")!, /row-major over the whole tensor without gaps/);
  assert.match(
    metadata.get("bowstring:dequantization")!,
    /\(code - zero_points\[g\]\) \* scales\[g\]/,
  );
  const sizes = [...row.shape].map(Number);
  const count = sizes.reduce((product, size) => product * size, 1);
  const bits = row.layout === "unpacked" ? 8 : row.bit_width;
  const signed = row.scheme === "symmetric" && row.layout !== "mlx";
  const last = sizes.at(-1) ?? 1;
  const inner = row.axis < 0 ? 1 : sizes.slice(row.axis + 1).reduce((a, b) => a * b, 1);
  return Array.from({ length: count }, (_, at) => {
    const bit = at * bits;
    let code = row.quantized_data[bit >> 3]! >> (bit & 7) & (1 << bits) - 1;
    if (signed && code >= 1 << (bits - 1)) code -= 1 << bits;
    const group = row.group_size > 0
      ? Math.floor(at / last) * Math.ceil(last / row.group_size) +
        Math.floor(at % last / row.group_size)
      : row.axis < 0
      ? 0
      : Math.floor(at / inner) % sizes[row.axis]!;
    return Math.fround((code - row.zero_points[group]!) * row.scales[group]!);
  });
}

const BOOK: readonly QuantizeOptions[] = [
  {},
  { bitWidth: 2, groupSize: 32 },
  { bitWidth: 8, scheme: "symmetric" },
  { scheme: "symmetric", groupSize: 32 },
  { granularity: "tensor" },
  { granularity: "channel", axis: 1, bitWidth: 8 },
  { granularity: "channel", scheme: "symmetric", bitWidth: 2 },
  { layout: "unpacked", scheme: "symmetric" },
  { layout: "mlx", groupSize: 32 },
];

for (const options of BOOK) {
  test(`quantize: a stranger dequantizes ${JSON.stringify(options)} by the metadata`, async () => {
    const layers = options.layout === "mlx" ? WHOLE : LAYERS;
    using quantized = await quantizeArrowBatch(layerBatch(layers), options);
    using back = await dequantizeArrowBatch(quantized);
    const { metadata } = quantized.value.schema;
    const rows = quantizedRows(quantized.value);
    rows.forEach((row, at) => {
      const expected = [...back.value.getChild("weights")!.get(at)!];
      assert.deepEqual(byTheBook(row, metadata), expected, row.layer_name);
    });
  });
}

test("dequantize: a table that is none of quantization's, and one that contradicts itself", async () => {
  await assert.rejects(dequantizeArrowBatch(layerBatch(LAYERS)), {
    code: "INVALID_ARGUMENT",
    message:
      /^the schema does not fit dequantization: column "quantized_data": expected LargeBinary/,
  });
  await assert.rejects(
    dequantizeArrowBatch(layerBatch(LAYERS), { bitWidth: 4 } as object),
    { message: "options: expected threads, instructionSet but found bitWidth" },
  );
  using quantized = await quantizeArrowBatch(layerBatch(LAYERS));
  const { schema, data } = quantized.value;
  const [, other] = quantizedRows(quantized.value);
  assert.ok(other);
  // The second row's name with the first row's codes is fine; the column of bit widths of another row is not.
  const children = data.children.map((child, at) => at === 5 ? widths(child) : child);
  const Batch = quantized.value.constructor as typeof RecordBatch;
  const odd = new Batch(schema, data.clone(data.type, 0, 2, 0, undefined, children));
  await assert.rejects(dequantizeArrowBatch(odd), {
    name: "LayerError",
    code: "LAYER",
    layer: "mlp.weight",
    row: 1,
    index: undefined,
    message: 'layer "mlp.weight" (row 1): quantized_data: bytes: expected 240 but found 120',
  });
});

test("dequantize: tables, batches and streams refuse what options cannot be", async () => {
  using quantized = await quantizeArrow(new Table([layerBatch(LAYERS)]));
  const options = { threads: -1 };
  const expected = {
    code: "INVALID_ARGUMENT",
    message: "threads: expected a whole number from 0 on but found -1",
  };
  await assert.rejects(dequantizeArrow(quantized, options), expected);
  await assert.rejects(dequantizeArrowBatch(quantized.value.batches[0]!, options), expected);
  await assert.rejects(dequantizeStream(quantized.value, options).schema, expected);
});

function widths<T extends { clone: (...args: never[]) => T }>(child: T): T {
  const clone = child.clone as (...args: unknown[]) => T;
  const { type } = child as unknown as { type: unknown };
  return clone.call(child, type, 0, 2, 0, [undefined, Uint8Array.of(4, 8)]);
}
