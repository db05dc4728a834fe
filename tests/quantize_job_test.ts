/** Quantizations as jobs: what is wrong with a layer, how far they are, how they are stopped, and whose memory it is. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { Field, Float32, List, makeData, type RecordBatch, Table } from "apache-arrow";
import {
  dequantizeArrow,
  dequantizeArrowBatch,
  dequantizeStream,
  exportStream,
  importTable,
  LayerError,
  LeaseReleasedError,
  type QuantizationProgress,
  quantizeArrow,
  quantizeArrowBatch,
  type Quantized,
  type QuantizeOptions,
  quantizeStream,
  stats,
} from "../mod.ts";
import { currentContext } from "../bindings/context.ts";
import { eighths, type Layer, layerBatch, quantizedRows } from "./support/layers.ts";
import { collectUntil, SLOW } from "./support/process.ts";

const GOOD: Layer = { name: "good", values: [1, 2, 3] };

const nothingIsAlive = () => {
  const { liveLeases, liveJobs, bytesViewed, liveStreams } = stats();
  assert.deepEqual(
    { liveLeases, liveJobs, bytesViewed, liveStreams },
    { liveLeases: 0, liveJobs: 0, bytesViewed: 0, liveStreams: 0 },
  );
};

/** Waits for what native threads give back on their own. */
async function until(condition: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 2000; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`waited in vain for: ${what}`);
}

const noPins = () => until(() => stats().livePins === 0, "the input to be released");

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

const LARGE = 4 << 20;
const large = layerBatch([{ name: "large", values: eighths(LARGE) }]);
/** Slow enough to be stopped: the search tries many scales. */
const SEARCHING: QuantizeOptions = { search: "mse", bitWidth: 8, threads: 1 };

test("quantize: a signal aborted before the start starts nothing", SLOW, async () => {
  const reason = new Error("not today");
  const signal = AbortSignal.abort(reason);
  const batch = layerBatch([GOOD]);
  await assert.rejects(quantizeArrowBatch(batch, { signal }), reason);
  await assert.rejects(quantizeArrow(new Table([batch]), { signal }), reason);
  await assert.rejects(dequantizeArrow(new Table([batch]), { signal }), reason);
  assert.throws(() => quantizeStream([batch], { signal }), reason);
  nothingIsAlive();
  await noPins();
});

test("quantize: abort in the middle of a layer", SLOW, async () => {
  const controller = new AbortController();
  const reason = new Error("changed my mind");
  setTimeout(() => controller.abort(reason), 5);
  await assert.rejects(
    quantizeArrowBatch(large, { ...SEARCHING, signal: controller.signal }),
    reason,
  );
  nothingIsAlive();
  await noPins();
});

test("quantize: abort in the middle of a table", SLOW, async () => {
  const controller = new AbortController();
  const reason = new Error("changed my mind");
  const seen: QuantizationProgress[] = [];
  // The same memory many times over.
  const table = new Table(Array.from({ length: 100 }, () => large));
  const working = quantizeArrow(table, {
    ...SEARCHING,
    signal: controller.signal,
    onProgress: (progress) => {
      seen.push(progress);
      if (progress.layersTotal > 0) controller.abort(reason);
    },
  });
  await assert.rejects(working, reason);
  assert.ok(seen.at(-1)!.layersDone < 100, "it stopped before the end");
  nothingIsAlive();
  await noPins();
});

test("quantize: progress ends with everything", SLOW, async () => {
  const layers = Array.from(
    { length: 4 },
    (_, at) => ({ name: `${at}`, values: eighths(100_000) }),
  );
  for (
    const input of [
      new Table([layerBatch(layers)]),
      new Table(layers.map((it) => layerBatch([it]))),
    ]
  ) {
    const seen: QuantizationProgress[] = [];
    const onProgress = (progress: QuantizationProgress) => seen.push(progress);
    using quantized = await quantizeArrow(input, { onProgress });
    const whole = {
      layersTotal: 4,
      valuesTotal: 400_000,
      layersDone: 4,
      valuesDone: 400_000,
    };
    assert.deepEqual(seen.at(-1), whole);
    using _ = await dequantizeArrow(quantized, { onProgress });
    assert.deepEqual(seen.at(-1), whole);
  }
});

test("quantize: an error that onProgress throws ends the work", SLOW, async () => {
  const reason = new RangeError("from onProgress");
  const onProgress = () => {
    throw reason;
  };
  const table = new Table(Array.from({ length: 100 }, () => large));
  await assert.rejects(quantizeArrow(table, { ...SEARCHING, onProgress }), reason);
  await assert.rejects(quantizeArrowBatch(layerBatch([GOOD]), { onProgress }), reason);
  await assert.rejects(async () => {
    for await (const batch of quantizeStream([layerBatch([GOOD])], { onProgress })) batch.release();
  }, reason);
  nothingIsAlive();
  await noPins();
});

async function* several(count: number, onEnd = () => {}): AsyncGenerator<RecordBatch> {
  try {
    for (let at = 0; at < count; at++) {
      yield layerBatch([{ name: `layer ${at}`, values: eighths(3000, at + 1) }]);
    }
  } finally {
    onEnd();
  }
}

const names = async (stream: AsyncIterable<Quantized<RecordBatch>>): Promise<string[]> => {
  const found: string[] = [];
  for await (const batch of stream) {
    found.push(...quantizedRows(batch.value).map(({ layer_name }) => layer_name));
    batch.release();
  }
  return found;
};

test("quantizeStream: every kind of source", SLOW, async () => {
  const batches: RecordBatch[] = [];
  for await (const batch of several(3)) batches.push(batch);
  const expected = ["layer 0", "layer 1", "layer 2"];
  const sources = [batches, new Table(batches), several(3), batches[Symbol.iterator]()];
  for (const source of sources) assert.deepEqual(await names(quantizeStream(source)), expected);
  assert.deepEqual(await names(quantizeStream(new Table(batches[0]!.schema))), []);
  await assert.rejects(names(quantizeStream(several(0))), {
    code: "INVALID_ARGUMENT",
    message: "a source without batches and without a property schema needs the option schema",
  });
  await assert.rejects(names(quantizeStream(1 as never)), { name: /Error/ });
  nothingIsAlive();
});

test("quantizeStream: batch by batch the bytes of the whole, and back", SLOW, async () => {
  const batches: RecordBatch[] = [];
  for await (const batch of several(5)) batches.push(batch);
  using whole = await quantizeArrow(new Table(batches));
  const expected = quantizedRows(whole.value);
  let at = 0;
  for await (const batch of quantizeStream(batches)) {
    assert.deepEqual(quantizedRows(batch.value), [expected[at++]!]);
    batch.release();
  }
  // Straight from one stream into the next.
  using back = await dequantizeArrow(whole);
  at = 0;
  for await (const batch of dequantizeStream(quantizeStream(several(5)))) {
    assert.deepEqual(
      [...batch.value.getChild("weights")!.get(0)!],
      [...back.value.getChild("weights")!.get(at++)!],
    );
    batch.release();
  }
  assert.equal(at, 5);
});

test(
  "quantizeStream: the schema is known without a batch, progress at any time",
  SLOW,
  async () => {
    const stream = quantizeStream(several(2));
    assert.deepEqual(stream.progress(), {
      layersTotal: 0,
      valuesTotal: 0,
      layersDone: 0,
      valuesDone: 0,
    });
    assert.equal((await stream.schema).fields.length, 15);
    assert.deepEqual(await names(stream), ["layer 0", "layer 1"]);
    assert.equal(stream.progress().valuesDone, 6000);
  },
);

test("quantizeStream: what the source throws, the reader is thrown", SLOW, async () => {
  const reason = new RangeError("from the source");
  async function* failing() {
    yield* several(2);
    throw reason;
  }
  const seen: string[] = [];
  await assert.rejects(async () => {
    for await (const batch of quantizeStream(failing())) {
      seen.push(quantizedRows(batch.value)[0]!.layer_name);
      batch.release();
    }
  }, reason);
  assert.deepEqual(seen, ["layer 0", "layer 1"]);
  nothingIsAlive();
});

test("quantizeStream: leaving the loop stops the source", SLOW, async () => {
  let ended = false;
  for await (const batch of quantizeStream(several(1000, () => ended = true))) {
    batch.release();
    break;
  }
  await until(() => ended, "the source to be told");
  await until(() => stats().liveStreams === 0, "the stream to be released");
  nothingIsAlive();
  await noPins();
});

test(
  "quantizeStream: cancel and abort reach a reader whose source does not answer",
  SLOW,
  async () => {
    async function* silent(first: boolean) {
      if (first) yield layerBatch([GOOD]);
      await new Promise(() => {});
    }
    const reason = new Error("enough");
    for (const first of [false, true]) {
      const controller = new AbortController();
      const streams = [
        {
          stream: quantizeStream(silent(first)),
          stop: (it: { cancel(reason: unknown): void }) => it.cancel(reason),
        },
        {
          stream: quantizeStream(silent(first), { signal: controller.signal }),
          stop: () => controller.abort(reason),
        },
      ];
      for (const { stream, stop } of streams) {
        setTimeout(() => stop(stream), 20);
        await assert.rejects(names(stream), reason);
        await assert.rejects(names(stream), reason, "and every later read");
      }
    }
    await using closed = quantizeStream(several(3));
    await closed[Symbol.asyncDispose]();
    await assert.rejects(names(closed), {
      code: "CANCELLED",
      message: "the stream was closed before its end",
    });
    await until(() => stats().liveStreams === 0, "the streams to be released");
    nothingIsAlive();
  },
);

test("quantizeStream: leases that the source gives are released", SLOW, async () => {
  using source = exportStream(several(4), { schema: layerBatch([GOOD]).schema });
  const table = await importTable(source.address);
  const leases = [table].values() as unknown as Iterable<never>;
  await assert.rejects(names(quantizeStream(leases)), { code: "INVALID_ARGUMENT" });
  table.release();
  let at = 0;
  const quantized = quantizeStream(several(4));
  for await (const batch of dequantizeStream(quantized)) {
    assert.ok(stats().liveLeases <= 4, "those that wait, and no more");
    batch.release();
    at++;
  }
  assert.equal(at, 4);
  nothingIsAlive();
});

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
    const values = eighths(1 << 20);
    values[values.length - 1] = last;
    const working = quantizeArrowBatch(layerBatch([{ name: "w", values }]), { bitWidth: 8 });
    assert.ok(stats().livePins > 0, "they are read where they are");
    if (Number.isNaN(last)) await assert.rejects(working, { code: "LAYER" });
    else (await working).release();
    await noPins();
    nothingIsAlive();
  }
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
