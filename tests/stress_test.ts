/** The bridge under forced collection, with releases at every moment and workers that are killed: nothing crashes, and
 * every count returns to where it began. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Float64,
  makeData,
  RecordBatch,
  tableFromArrays,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import {
  exportRecordBatch,
  exportStream,
  importRecordBatch,
  importStream,
  openLibrary,
  stats,
} from "../mod.ts";
import { driverOptions, driverTest } from "./support/drivers.ts";
import { nativeFilter } from "./support/native_filter.ts";
import { collectUntil, isDeno, runScript, SLOW } from "./support/process.ts";

const counts = () => {
  const { liveLeases, liveJobs, livePins, liveStreams, bytesViewed, leaks, violations } = stats();
  return { liveLeases, liveJobs, livePins, liveStreams, bytesViewed, leaks, violations };
};
const START = counts();
const settled = () =>
  Object.entries(START).every(([name, count]) => Reflect.get(counts(), name) === count);

const { filter, filter_stream } = openLibrary(nativeFilter, {
  filter: { symbol: "filter_rows", parameters: ["batch"], result: "batch" },
  filter_stream: { parameters: ["stream"], result: "stream" },
});
const OPTIONS = { options: { column: "id", least: 2 } };

/** More rows than the bytes that are copied whatever the mode. */
const ROWS = 5_000;
const batch = () => tableFromArrays({ id: new Float64Array(ROWS).fill(7) }).batches[0]!;

/** A lease of memory that this isolate lends itself. */
function leased() {
  using exported = exportRecordBatch(batch());
  return importRecordBatch(exported.schema, exported.array);
}

async function script(name: string, ...args: string[]): Promise<string> {
  const { code, signal, stdout, stderr } = await runScript(`scripts/${name}`, { args });
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr);
  return stdout;
}

test("stress: 20,000 round trips leave memory flat", SLOW, async () => {
  assert.equal(await script("round_trips.ts", "20000"), "flat\n");
});

for (const order of ["before", "after"] as const) {
  test(`stress: a lease released ${order} the job that reads it ends`, SLOW, async () => {
    for (let round = 0; round < 50; round++) {
      const lease = leased();
      const running = filter(lease, OPTIONS);
      if (order === "before") lease.release();
      const kept = await running;
      assert.equal(kept.value.numRows, ROWS);
      assert.equal(kept.value.getChild("id")!.get(ROWS - 1), 7);
      lease.release();
      kept.release();
    }
    await collectUntil(settled, "the counts at the start");
  });

  test(`stress: leases released ${order} the stream that carries them ends`, SLOW, async () => {
    const leases = Array.from({ length: 40 }, leased);
    function* source() {
      for (const lease of leases) {
        yield lease.value;
        if (order === "before") lease.release();
      }
    }
    let rows = 0;
    for await (const read of filter_stream(source(), OPTIONS)) {
      assert.equal(read.value.getChild("id")!.get(ROWS - 1), 7);
      rows += read.value.numRows;
      read.release();
    }
    assert.equal(rows, leases.length * ROWS);
    for (const lease of leases) lease.release();
    await collectUntil(settled, "the counts at the start");
  });
}

test(
  "stress: streams that are left half-way, by their reader or by their source",
  SLOW,
  async () => {
    for (let round = 0; round < 30; round++) {
      const source = function* () {
        for (let count = 0; count < 20; count++) {
          if (round % 3 === 2 && count === 10) throw new RangeError("enough");
          yield leased();
        }
      };
      const exported = exportStream(source(), { schema: batch().schema });
      exported.finished.catch(() => {});
      if (round % 3 === 1) {
        // Never read.
        exported.release();
        continue;
      }
      let read = 0;
      try {
        for await (const lease of importStream(exported.address)) {
          lease.release();
          if (round % 3 === 0 && ++read === 3) break;
        }
      } catch (error) {
        assert.match(String(error), /enough/);
      }
    }
    await collectUntil(settled, "the counts at the start");
  },
);

test("stress: offsets that are overwritten while a job reads them", SLOW, async () => {
  const words = Array.from({ length: ROWS }, (_, row) => `row ${row}`);
  for (let round = 0; round < 40; round++) {
    const [text] = vectorFromArray(words, new Utf8()).data;
    const offsets = text!.valueOffsets as Int32Array;
    const id = makeData({ type: new Float64(), data: new Float64Array(ROWS).fill(7) });
    let ended = false;
    const running = filter(new RecordBatch({ id, text: text! }), OPTIONS).then(
      (kept) => {
        // Offsets that were found valid are a copy, which is what was read.
        const found = [...kept.value.getChild("text")!];
        assert.ok(found.length === ROWS && found.every((value) => typeof value === "string"));
        kept.release();
      },
      (reason) => assert.equal(reason.code, "INVALID_ARROW", String(reason)),
    ).finally(() => ended = true);
    const wrong = [-1, 0x7fffffff, 0, -0x80000000][round % 4]!;
    for (let turn = 0; !ended; turn++) {
      for (let at = turn % 7; at < offsets.length; at += 7) offsets[at] = wrong;
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await running;
  }
  await collectUntil(settled, "the counts at the start");
});

test("stress: what one isolate exports another imports and releases", SLOW, async () => {
  assert.equal(await script("across_workers.ts"), "done\n");
});

for (const what of ["import", "export", "stream", "call"]) {
  test(`stress: workers terminated in the middle of: ${what}`, SLOW, async () => {
    assert.equal(await script("terminate_bridge.ts", what, nativeFilter), "done\n");
  });
}

for (const driver of ["duckdb", "sqlite"] as const) {
  for (const what of ["query", "execute", "ingest"]) {
    driverTest(driver, `stress: workers terminated in the middle of: ${what}`, async () => {
      const options = JSON.stringify(driverOptions(driver));
      assert.equal(await script("terminate_bridge.ts", what, nativeFilter, options), "done\n");
    });
  }
}

test("stress: what a worker lent as a copy, or leased, outlives it", SLOW, async () => {
  assert.equal(await script("terminate_lender.ts"), "done\n");
});

for (const way of ["end", "exit"]) {
  test(
    `stress: a process that ends (${way}) with leases, exports and a call alive`,
    SLOW,
    async () => {
      assert.equal(await script("exit_bridge.ts", way, nativeFilter), "ends\n");
    },
  );
}

// Deno runs what a library left to be done at the exit, and Bun does not.
const EXITED = isDeno ? "ends\nsome were left\n" : "ends\n";
for (const way of ["end", "exit", "worker", "worker, then exit"]) {
  test(
    `stress: a process that ends (${way}) while foreign threads release and read`,
    SLOW,
    async () => {
      for (let round = 0; round < 3; round++) {
        assert.equal(await script("exit_released.ts", way), EXITED);
      }
    },
  );
}
