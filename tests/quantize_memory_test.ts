/** Whose memory it is that is quantized and that results lie in, and what is copied. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { Field, Float32, List, makeData, type RecordBatch, Table } from "apache-arrow";
import {
  dequantizeArrow,
  dequantizeArrowBatch,
  type LayerOverride,
  LeaseReleasedError,
  quantizeArrow,
  quantizeArrowBatch,
  type Quantized,
  quantizeStream,
  stats,
} from "../mod.ts";
import { currentContext } from "../bindings/context.ts";
import { noPins, nothingIsAlive } from "./support/alive.ts";
import { eighths, GOOD, layerBatch, quantizedRows } from "./support/layers.ts";
import { collectUntil, SLOW } from "./support/process.ts";

const LARGE = 4 << 20;
const large = layerBatch([{ name: "large", values: eighths(LARGE) }]);

test("quantize: results are leased; afterwards reading them throws", SLOW, async () => {
  const input = new Table([layerBatch([GOOD]), layerBatch([GOOD])]);
  const quantized = await quantizeArrow(input);
  const { value } = quantized;
  const column = value.getChild("layer_name")!;
  assert.equal(stats().liveLeases, 2, "one for each batch");
  assert.equal(stats().bytesViewed, quantized.byteLength);
  assert.equal(quantized.released, false);
  const hold = quantized.hold();
  quantized.release();
  quantized.release();
  assert.equal(quantized.released, true);
  assert.equal(stats().liveLeases, 2, "held");
  hold.release();
  nothingIsAlive();
  assert.throws(() => quantized.value, LeaseReleasedError);
  assert.throws(() => column.get(0), LeaseReleasedError);
  assert.throws(() => value.getChild("scales")!.get(0), LeaseReleasedError);
  await assert.rejects(dequantizeArrow(quantized), LeaseReleasedError);
});

test("quantize: what was quantized may be released while it is taken back", SLOW, async () => {
  const quantized = await quantizeArrowBatch(large, { bitWidth: 8 });
  const working = dequantizeArrowBatch(quantized);
  quantized.release();
  using back = await working;
  const weights = back.value.getChild("weights")!.get(0)!;
  assert.equal(weights.length, LARGE);
  const values = eighths(10);
  for (let at = 0; at < 10; at++) assert.ok(Math.abs(weights.get(at) - values[at]!) < 0.1);
});

test("quantize: results that are dropped are freed at collection", SLOW, async () => {
  await (async () => {
    const quantized = await quantizeArrow(new Table([layerBatch([GOOD])]));
    assert.equal(quantized.value.numRows, 1);
    const batch = await quantizeArrowBatch(layerBatch([GOOD]));
    assert.equal(batch.value.numRows, 1);
  })();
  await collectUntil(() => stats().liveLeases === 0, "leases to be freed");
  nothingIsAlive();
});

test("quantize: copied results outlive their memory", SLOW, async () => {
  const quantized = await quantizeArrow(
    new Table([layerBatch([GOOD, { name: "bad", values: [NaN] }])]),
    {
      copy: true,
      onInvalid: "skip",
    },
  );
  nothingIsAlive();
  quantized.release();
  assert.equal(quantizedRows(quantized.value)[0]!.layer_name, "good");
  assert.equal(quantized.failures.length, 1);
});

test("quantize: weights are read where they are", SLOW, async () => {
  const copied = async (count: number) => {
    // Float32 values of JavaScript's own, in a list of one row.
    const values = eighths(count);
    const batch = layerBatch([{ name: "w", values }]);
    const before = stats().bytesCopied;
    using quantized = await quantizeArrow(new Table([batch]));
    assert.equal(quantized.value.numRows, 1);
    const during = stats().bytesCopied - before;
    using back = await dequantizeArrow(quantized);
    assert.equal(back.value.numRows, 1);
    return { during, back: stats().bytesCopied - before - during };
  };
  const [small, medium, big] = [await copied(4_000), await copied(1 << 20), await copied(3 << 20)];
  assert.deepEqual(medium, big, "the same, however many weights there are");
  assert.ok(medium!.during <= 128, `names and offsets: ${medium!.during} bytes`);
  // Offsets of four lists and five texts, of which the metadata is none.
  assert.ok(medium!.back <= 512, `names, shapes and offsets: ${medium!.back} bytes`);
  assert.ok(small!.during >= medium!.during);
});

test(
  "quantize: a null bitmap and a slice of a column are no reason to copy weights",
  SLOW,
  async () => {
    const values = new Float32Array(1 << 20).fill(0.5);
    const item = new Field("item", new Float32());
    const child = makeData({ type: item.type as Float32, data: values });
    const lists = makeData({
      type: new List(item),
      length: 3,
      valueOffsets: Int32Array.of(0, 1 << 18, 1 << 19, 1 << 20),
      child,
    });
    const batch = layerBatch([GOOD, { ...GOOD, name: "second" }, { ...GOOD, name: "third" }]);
    const { schema, data } = batch;
    const Batch = batch.constructor as typeof RecordBatch;
    const all = new Batch(
      schema,
      data.clone(data.type, 0, 3, 0, undefined, [data.children[0]!, lists]),
    );
    const before = stats().bytesCopied;
    using quantized = await quantizeArrow(new Table([all]).slice(1, 3), { bitWidth: 8 });
    assert.ok(stats().bytesCopied - before <= 256);
    const rows = quantizedRows(quantized.value);
    assert.deepEqual(rows.map(({ quantized_data }) => quantized_data.length), [1 << 18, 1 << 19]);
    assert.deepEqual(rows.map(({ layer_name }) => layer_name), ["second", "third"]);
  },
);

test("quantize: weights are lent until the work has ended, well or badly", SLOW, async () => {
  for (const last of [0.5, NaN]) {
    const values = eighths(LARGE);
    values[values.length - 1] = last;
    // The search takes so long that it cannot have ended when it is looked at.
    const working = quantizeArrowBatch(layerBatch([{ name: "w", values }]), {
      bitWidth: 8,
      search: "mse",
      threads: 1,
    });
    assert.ok(stats().livePins > 0, "they are read where they are");
    if (Number.isNaN(last)) await assert.rejects(working, { code: "LAYER" });
    else (await working).release();
    await noPins();
    nothingIsAlive();
  }
});

test("quantize: weights are not lent to what does not begin", SLOW, async () => {
  // No JSON, which is found when the weights have been exported.
  const overrides: LayerOverride[] = [];
  overrides.push({ pattern: "*", overrides } as LayerOverride);
  const options = { overrides };
  const table = new Table([large]);
  await assert.rejects(quantizeArrowBatch(large, options), TypeError);
  await assert.rejects(quantizeArrow(table, options), TypeError);
  await assert.rejects(quantizeStream(table, options).schema, TypeError);
  assert.equal(stats().livePins, 0);
  nothingIsAlive();
});

const codesOf = (quantized: Quantized<RecordBatch>) =>
  quantized.value.getChild("quantized_data")!.data[0]!.values as Uint8Array;

const addressOf = (quantized: Quantized<RecordBatch>) =>
  currentContext().runtime.addressOf(codesOf(quantized));

test("quantize: a block is nobody else's as long as it is leased or held", SLOW, async () => {
  const others = layerBatch([{ name: "others", values: new Float32Array(LARGE) }]);
  using leased = await quantizeArrowBatch(large, { bitWidth: 8 });
  const expected = codesOf(leased).slice();
  const released = await quantizeArrowBatch(large, { bitWidth: 8 });
  const [hold, held] = [released.hold(), addressOf(released)];
  released.release();
  for (let round = 0; round < 3; round++) {
    using other = await quantizeArrowBatch(others, { bitWidth: 8 });
    assert.notEqual(addressOf(other), held);
    assert.equal(Buffer.compare(codesOf(leased), expected), 0);
  }
  hold.release();
});

test("quantize: blocks that were released are used again", SLOW, async () => {
  const addresses = new Set<number>();
  for (let round = 0; round < 6; round++) {
    using quantized = await quantizeArrowBatch(large, { bitWidth: 8 });
    addresses.add(addressOf(quantized));
  }
  assert.ok(addresses.size <= 4, `${addresses.size} blocks for 6 results, one after the other`);
});
