/** Exports batches and imports them again, some released and some left to the collector, and compares what the process
 * has in memory at the end with what it had after it had warmed up. The argument is the number of round trips. */

import assert from "node:assert/strict";
import process from "node:process";
import { Float64, makeData, RecordBatch, Utf8, vectorFromArray } from "apache-arrow";
import { exportRecordBatch, importRecordBatch, stats } from "../../mod.ts";
import { collectGarbage, collectUntil } from "../support/process.ts";

const ROUNDS = Number(process.argv[2] ?? 20_000);
/** More rows than the bytes that are copied whatever the mode. */
const ROWS = 2_000;
/** How much more may be resident than after the warm-up: the engines' heaps breathe, but a leak of one batch in a hundred
 * of the smallest test would be 3 MiB, and of a million round trips 160 MiB. */
const GROWTH = 64 * 2 ** 20;

function words(): RecordBatch {
  return new RecordBatch({ words: vectorFromArray(["a", null, "ccc"], new Utf8()).data[0]! });
}

function batch(round: number): RecordBatch {
  const values = new Float64Array(ROWS).fill(round);
  return new RecordBatch({
    x: makeData({ type: new Float64(), data: values }),
    y: makeData({ type: new Float64(), data: values.subarray(0, ROWS) }),
  });
}

/** One round trip; in a function of its own, so that no local keeps what is left to the collector. */
function roundTrip(round: number): void {
  const mode = (["borrow", "move", "copy"] as const)[round % 3]!;
  const source = round % 5 === 4 ? words() : batch(round);
  const exported = exportRecordBatch(source, { mode });
  const lease = importRecordBatch(exported.schema, exported.array);
  const first = lease.value.getChildAt(0)!.get(0);
  assert.equal(first, round % 5 === 4 ? "a" : round);
  // The lease's own memory goes out and comes in a second time.
  const again = exportRecordBatch(round % 2 === 0 ? lease.value : lease.value.slice(1));
  if (round % 4 < 3) lease.release();
  const second = importRecordBatch(again.schema, again.array);
  assert.equal(second.value.numRows, source.numRows - (round % 2));
  if (round % 8 < 6) second.release();
  exported.release();
  again.release();
}

const nothingLives = () => {
  const { liveLeases, livePins, bytesViewed } = stats();
  return liveLeases === 0 && livePins === 0 && bytesViewed === 0;
};

/** Some round trips, with the collector called again and again, and what is resident then. */
async function run(from: number, to: number): Promise<number> {
  for (let round = from; round < to; round++) {
    roundTrip(round);
    if (round % 250 === 249) {
      collectGarbage();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
  await collectUntil(nothingLives, "the release of everything");
  return process.memoryUsage().rss;
}

const warm = await run(0, ROUNDS / 4);
const end = await run(ROUNDS / 4, ROUNDS);
const { leaks, violations } = stats();
assert.deepEqual({ leaks, violations }, { leaks: 0, violations: 0 });
const growth = end - warm;
assert.ok(
  growth < GROWTH,
  `${ROUNDS} round trips: expected less than ${GROWTH} more bytes but found ${growth}`,
);
console.log("flat");
console.error(`${ROUNDS} round trips: ${growth} bytes more than the ${warm} after the warm-up`);
