/** Quantization batch by batch: sources, their errors, leaving early. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type RecordBatch, Table } from "apache-arrow";
import {
  dequantizeArrow,
  dequantizeStream,
  exportStream,
  importTable,
  type Lease,
  quantizeArrow,
  type Quantized,
  quantizeStream,
  stats,
} from "../mod.ts";
import { noPins, nothingIsAlive, until } from "./support/alive.ts";
import { eighths, GOOD, layerBatch, quantizedRows } from "./support/layers.ts";
import { SLOW } from "./support/process.ts";

async function* several(count: number, onEnd = () => {}): AsyncGenerator<RecordBatch> {
  try {
    for (let at = 0; at < count; at++) {
      yield layerBatch([{ name: `layer ${at}`, values: eighths(3000, at + 1) }]);
    }
  } finally {
    onEnd();
  }
}

/** A source that does not answer, or not again. */
async function* silent(first: boolean): AsyncGenerator<RecordBatch> {
  if (first) yield layerBatch([GOOD]);
  await new Promise(() => {});
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
  const { schema } = batches[0]!;
  assert.deepEqual(await names(quantizeStream(Object.assign(several(0), { schema }))), []);
  for (const nothing of [[], several(0)]) {
    await assert.rejects(names(quantizeStream(nothing)), {
      code: "INVALID_ARGUMENT",
      message: "the source gave no batches and has no property schema that says what they would be",
    });
  }
  for (const none of [undefined, null, 1]) {
    await assert.rejects(names(quantizeStream(none as never)), {
      code: "INVALID_ARGUMENT",
      message:
        "expected a record batch, a table, a lease of one or an iterable of record batches " +
        `but found ${typeof none}`,
    });
  }
  nothingIsAlive();
});

test("quantizeStream: batch by batch the bytes of the whole, and back", SLOW, async () => {
  const batches: RecordBatch[] = [];
  for await (const batch of several(5)) batches.push(batch);
  const options = { bitWidth: 8, groupSize: 64, scheme: "symmetric" } as const;
  using whole = await quantizeArrow(new Table(batches), options);
  assert.equal(whole.value.getChild("group_size")!.get(0), 64);
  const expected = quantizedRows(whole.value);
  let at = 0;
  for await (const batch of quantizeStream(batches, options)) {
    assert.deepEqual(quantizedRows(batch.value), [expected[at++]!]);
    batch.release();
  }
  // Straight from one stream into the next.
  using back = await dequantizeArrow(whole);
  at = 0;
  for await (const batch of dequantizeStream(quantizeStream(several(5), options))) {
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

test("quantizeStream: at most three results are ahead of the reader", SLOW, async () => {
  const stream = quantizeStream(several(40));
  const reader = stream[Symbol.asyncIterator]() as AsyncGenerator<Lease<RecordBatch>>;
  (await reader.next()).value.release();
  const done = () => stream.progress().layersDone;
  await until(() => done() === 4, "one that was read, two that wait, and one more");
  // There is nothing that it would have to wait for if it went on.
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.equal(done(), 4);
  await reader.return(undefined);
  await until(() => stats().liveStreams === 0, "the stream to be released");
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

test("quantizeStream: abort reaches who waits for the schema alone", SLOW, async () => {
  const reason = new Error("enough");
  for (const before of [false, true]) {
    const controller = new AbortController();
    const stream = quantizeStream(silent(false), { signal: controller.signal });
    if (before) controller.abort(reason);
    const { schema } = stream;
    controller.abort(reason);
    await assert.rejects(schema, reason);
    await assert.rejects(names(stream), reason);
  }
  nothingIsAlive();
});

test("quantizeStream: cancelled while it begins, it does no work", SLOW, async () => {
  const batches: RecordBatch[] = [];
  for await (const batch of several(40)) batches.push(batch);
  const reason = new Error("enough");
  for (let turns = 0; turns < 12; turns++) {
    const stream = quantizeStream(batches);
    const { schema } = stream;
    schema.catch(() => {});
    for (let turn = 0; turn < turns; turn++) await undefined;
    stream.cancel(reason);
    await assert.rejects(names(stream), reason);
    await assert.rejects(stream.schema, reason);
    assert.ok(stream.progress().layersDone < 40, `after ${turns} turns: it stopped before the end`);
    await until(() => stats().liveStreams === 0, "the stream to be released");
    nothingIsAlive();
  }
});

test("quantizeStream: of several that stop it the first gives the reason", SLOW, async () => {
  const controller = new AbortController();
  const [first, second, third] = ["first", "second", "third"].map((name) => new Error(name));
  // So long that it cannot have ended.
  const batch = layerBatch([{ name: "large", values: eighths(4 << 20) }]);
  const options = { search: "mse", bitWidth: 8, threads: 1, signal: controller.signal } as const;
  const stream = quantizeStream([batch], options);
  const reading = names(stream);
  await stream.schema;
  stream.cancel(first);
  stream.cancel(second);
  controller.abort(third);
  await assert.rejects(reading, first);
  await assert.rejects(names(stream), first);
  await assert.rejects(stream.schema, first);
  nothingIsAlive();
});

test("quantizeStream: after its end there is nothing to stop", SLOW, async () => {
  const controller = new AbortController();
  const stream = quantizeStream(several(2), { signal: controller.signal });
  assert.deepEqual(await names(stream), ["layer 0", "layer 1"]);
  stream.cancel();
  controller.abort();
  assert.deepEqual(await names(stream), []);
  assert.equal(stream.progress().layersDone, 2);
});

test("quantizeStream: cancelled without a reason, it says so", SLOW, async () => {
  const stream = quantizeStream(several(2));
  stream.cancel();
  await assert.rejects(names(stream), {
    code: "CANCELLED",
    message: "the quantization was cancelled",
  });
});

test("quantizeStream: a source that answers too late is told to stop", SLOW, async () => {
  const answer = Promise.withResolvers<void>();
  let ended = false;
  async function* late(): AsyncGenerator<Lease<RecordBatch>> {
    await answer.promise;
    yield* quantizeStream(several(10, () => ended = true));
  }
  const stream = dequantizeStream(late());
  const reading = stream[Symbol.asyncIterator]().next();
  const reason = new Error("enough");
  setTimeout(() => stream.cancel(reason), 5);
  await assert.rejects(reading, reason);
  answer.resolve();
  await until(() => ended, "the source to be told");
  await until(() => stats().liveStreams === 0, "the streams to be released");
  await until(() => stats().liveLeases === 0, "what it gave to be released");
  await until(() => stats().liveJobs === 0, "its job to end");
  nothingIsAlive();
  await noPins();
});

test(
  "quantizeStream: cancel and abort let go of a silent source, also when nobody reads",
  SLOW,
  async () => {
    const controller = new AbortController();
    const cancelled = quantizeStream(silent(true));
    const aborted = quantizeStream(silent(true), { signal: controller.signal });
    for (
      const [stream, stop] of [
        [cancelled, () => cancelled.cancel()],
        [aborted, () => controller.abort()],
      ] as const
    ) {
      await stream.schema;
      stop();
      await until(() => stats().liveStreams === 0, "the stream to be released");
      await until(() => stats().liveJobs === 0, "the job to end");
      nothingIsAlive();
    }
  },
);

test("quantizeStream: a source that is silent is let go of when a layer fails", SLOW, async () => {
  async function* source() {
    yield layerBatch([{ name: "bad", values: [NaN] }]);
    yield* silent(false);
  }
  await assert.rejects(names(quantizeStream(source())), { code: "LAYER", row: 0 });
  await until(() => stats().liveStreams === 0, "the stream to be released");
  nothingIsAlive();
});

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
