/** What is wrong with a layer, and the ways on: an error, leaving it out, mending it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Table } from "apache-arrow";
import {
  dequantizeArrow,
  LayerError,
  quantizeArrow,
  quantizeArrowBatch,
  type QuantizeOptions,
  quantizeStream,
} from "../mod.ts";
import { nothingIsAlive } from "./support/alive.ts";
import { GOOD, type Layer, layerBatch, quantizedRows } from "./support/layers.ts";
import { SLOW } from "./support/process.ts";

interface Invalid {
  readonly layer: Layer;
  readonly message: string;
  readonly index?: number;
  /** Whether `clip` mends it, and `skip` leaves it out. */
  readonly clips: boolean;
  readonly skips: boolean;
}

const INVALID: Record<string, Invalid> = {
  "NaN": {
    layer: { name: "bad", values: [1, NaN, 3] },
    message: "weights[1]: expected a finite number but found NaN",
    index: 1,
    clips: true,
    skips: true,
  },
  "an infinity": {
    layer: { name: "bad", values: [1, 2, -Infinity] },
    message: "weights[2]: expected a finite number but found -infinity",
    index: 2,
    clips: true,
    skips: true,
  },
  "a null element": {
    layer: { name: "bad", values: [null, 2, 3] },
    message: "weights[0]: expected a finite number but found null",
    index: 0,
    clips: true,
    skips: true,
  },
  "a null list": {
    layer: { name: "bad", values: null },
    message: "expected weights but found null",
    clips: false,
    skips: true,
  },
  "a shape whose product is another": {
    layer: { name: "bad", values: [1, 2, 3], shape: [2, 2] },
    message: "shape: expected sizes whose product is 3 but found [2, 2]",
    clips: false,
    skips: false,
  },
  "a null name": {
    layer: { name: null, values: [1] },
    message: "expected a layer_name but found null",
    clips: false,
    skips: false,
  },
};

for (const [title, { layer, message, index, clips, skips }] of Object.entries(INVALID)) {
  const batches = [layerBatch([GOOD, GOOD]), layerBatch([{ ...GOOD, shape: [3] }, layer])];
  const batch = batches[1]!;
  // Batches of one table have one schema.
  const table = layer.shape
    ? new Table([layerBatch([{ ...GOOD, shape: [3] }, { ...GOOD, shape: [3] }]), batch])
    : new Table([layerBatch([GOOD, GOOD]), layerBatch([GOOD, layer])]);
  const failure = (row: number) => ({
    name: "LayerError",
    code: "LAYER",
    layer: layer.name ?? "",
    row,
    index,
    message: `layer "${layer.name ?? ""}" (row ${row}): ${message}`,
  });

  test(`quantize: ${title} is an error with layer and index`, SLOW, async () => {
    await assert.rejects(quantizeArrowBatch(batch), failure(1));
    await assert.rejects(quantizeArrow(table), failure(3), "the row counts over the table");
    await assert.rejects(async () => {
      for await (const part of quantizeStream(table)) part.release();
    }, failure(3));
    nothingIsAlive();
  });

  const reported = async (options: QuantizeOptions) => {
    using quantized = await quantizeArrow(table, options);
    assert.deepEqual(
      quantizedRows(quantized.value).map(({ layer_name }) => layer_name),
      ["good", "good", "good"],
    );
    const [only, ...more] = quantized.failures;
    assert.ok(only instanceof LayerError && more.length === 0);
    const { name, code, layer, row, index, message } = only;
    assert.deepEqual({ name, code, layer, row, index, message }, failure(3));
  };

  test(`quantize: ${title} and continueOnError`, SLOW, () => reported({ continueOnError: true }));

  test(`quantize: ${title} and onInvalid: "skip"`, SLOW, async () => {
    if (skips) await reported({ onInvalid: "skip" });
    else await assert.rejects(quantizeArrow(table, { onInvalid: "skip" }), failure(3));
  });

  test(`quantize: ${title} and onInvalid: "clip"`, SLOW, async () => {
    const options = { onInvalid: "clip", bitWidth: 8 } as const;
    if (!clips) return await assert.rejects(quantizeArrow(table, options), failure(3));
    using quantized = await quantizeArrow(table, options);
    assert.equal(quantized.value.numRows, 4);
    assert.deepEqual(quantized.failures, []);
    using back = await dequantizeArrow(quantized);
    const clipped = Number(layer.values![index!]) === -Infinity ? -2 : 0;
    const found = back.value.getChild("weights")!.get(3)!.get(index!);
    assert.ok(Math.abs(found - clipped) < 0.02, `${found}`);
  });
}

test(
  "quantize: a long name of a layer is whole in reports, and begins the error",
  SLOW,
  async () => {
    const name = `${"layer\n".repeat(2000)}é`;
    const batch = layerBatch([{ name, values: [NaN] }]);
    await assert.rejects(quantizeArrowBatch(batch), {
      layer: name.slice(0, 256),
      row: 0,
      index: 0,
    });
    using quantized = await quantizeArrowBatch(batch, { onInvalid: "skip" });
    assert.equal(quantized.failures[0]!.layer, name);
  },
);
