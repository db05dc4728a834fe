/** Quantizations as jobs: how far they are, and how they are stopped. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type RecordBatch, Table } from "apache-arrow";
import {
  dequantizeArrow,
  dequantizeArrowBatch,
  dequantizeStream,
  type LayerStream,
  type Lease,
  type QuantizationProgress,
  quantizeArrow,
  quantizeArrowBatch,
  type QuantizeOptions,
  quantizeStream,
  stats,
} from "../mod.ts";
import { noPins, nothingIsAlive, until } from "./support/alive.ts";
import { eighths, GOOD, layerBatch } from "./support/layers.ts";
import { SLOW } from "./support/process.ts";

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
  await assert.rejects(dequantizeArrowBatch(batch, { signal }), reason);
  assert.throws(() => quantizeStream([batch], { signal }), reason);
  assert.throws(() => dequantizeStream([batch], { signal }), reason);
  nothingIsAlive();
  await noPins();
});

test("quantize: nothing listens to a signal when the work has ended", SLOW, async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = function (...args: Parameters<typeof addEventListener>) {
    listeners++;
    addEventListener.apply(this, args);
  };
  signal.removeEventListener = function (...args: Parameters<typeof removeEventListener>) {
    listeners--;
    removeEventListener.apply(this, args);
  };
  const batch = layerBatch([GOOD]);
  using quantized = await quantizeArrow(new Table([batch]), { signal });
  using _ = await dequantizeArrow(quantized, { signal });
  (await quantizeArrowBatch(batch, { signal })).release();
  for await (const result of quantizeStream([batch], { signal })) result.release();
  await quantizeStream([batch], { signal })[Symbol.asyncDispose]();
  const bad = layerBatch([{ ...GOOD, values: [NaN] }]);
  await assert.rejects(quantizeArrow(new Table([bad]), { signal }), { code: "LAYER" });
  assert.equal(listeners, 0);
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
    seen.length = 0;
    using _ = await dequantizeArrow(quantized, { onProgress });
    assert.deepEqual(seen.at(-1), whole);

    // Batch by batch, one way and back.
    const there: QuantizationProgress[] = [];
    const back: QuantizationProgress[] = [];
    const stream = quantizeStream(input, { onProgress: (progress) => there.push(progress) });
    const onBack = (progress: QuantizationProgress) => back.push(progress);
    for await (const batch of dequantizeStream(stream, { onProgress: onBack })) batch.release();
    assert.deepEqual([there.at(-1), back.at(-1)], [whole, whole]);
  }
  const seen: QuantizationProgress[] = [];
  using quantized = await quantizeArrowBatch(layerBatch([GOOD]));
  using _ = await dequantizeArrowBatch(quantized, {
    onProgress: (progress) => seen.push(progress),
  });
  const { length } = GOOD.values!;
  assert.deepEqual(seen.at(-1), {
    layersTotal: 1,
    valuesTotal: length,
    layersDone: 1,
    valuesDone: length,
  });
});

test("quantize: an error that onProgress throws ends the work", SLOW, async () => {
  // The first, though it throws each time: large inputs are not worked on to their end.
  const failing = () => {
    let calls = 0;
    const onProgress = () => {
      throw new RangeError(`call ${++calls}`);
    };
    return { ...SEARCHING, onProgress };
  };
  const expected = new RangeError("call 1");
  for (const batch of [large, layerBatch([GOOD])]) {
    const table = new Table(Array.from({ length: 100 }, () => batch));
    await assert.rejects(quantizeArrow(table, failing()), expected);
    await assert.rejects(quantizeArrowBatch(batch, failing()), expected);
    await assert.rejects(async () => {
      for await (const result of quantizeStream([batch], failing())) result.release();
    }, expected);
  }
  nothingIsAlive();
  await noPins();
});

test("quantize: what is stopped has let go of the weights when it says so", SLOW, async () => {
  const reason = new Error("changed my mind");
  const soon = () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 20);
    return { ...SEARCHING, signal: controller.signal };
  };
  const throwing = {
    ...SEARCHING,
    onProgress: () => {
      throw reason;
    },
  };
  const drain = async (stream: LayerStream<Lease<RecordBatch>>) => {
    for await (const batch of stream) batch.release();
  };
  const ways: Record<string, (batch: RecordBatch) => Promise<unknown>> = {
    "a batch's signal": (batch) => quantizeArrowBatch(batch, soon()),
    "a table's signal": (batch) => quantizeArrow(new Table([batch, batch]), soon()),
    "what onProgress throws": (batch) => quantizeArrow(new Table([batch, batch]), throwing),
    "a stream's signal": (batch) => drain(quantizeStream([batch, batch], soon())),
    "a stream's cancel": (batch) => {
      const stream = quantizeStream([batch, batch], SEARCHING);
      setTimeout(() => stream.cancel(reason), 20);
      return drain(stream);
    },
    "leaving a stream's loop": async (batch) => {
      // The first is read while the second is worked on.
      const small = layerBatch([GOOD]);
      for await (const first of quantizeStream([small, batch, batch], SEARCHING)) {
        first.release();
        break;
      }
      throw reason;
    },
    "disposing of a stream": async (batch) => {
      const stream = quantizeStream([batch, batch], SEARCHING);
      await stream.schema;
      await stream[Symbol.asyncDispose]();
      throw reason;
    },
  };
  for (const [way, work] of Object.entries(ways)) {
    for (let turn = 0; turn < 3; turn++) {
      const batch = layerBatch([{ name: "large", values: eighths(LARGE) }]);
      await assert.rejects(work(batch), reason, way);
      assert.equal(stats().livePins, 0, way);
      await until(() => stats().liveStreams === 0, "the stream to be released");
      nothingIsAlive();
    }
  }
});
