/** Queries and their values, and what they leave alive, for tests of databases. */

import assert from "node:assert/strict";
import { Table, tableFromArrays, Utf8, vectorFromArray } from "apache-arrow";
import { type RecordBatchStream, stats } from "../../mod.ts";
import { collectUntil } from "./process.ts";

/** The rows of a query, as plain values. */
export async function rows(stream: RecordBatchStream): Promise<Record<string, unknown>[]> {
  const all: Record<string, unknown>[] = [];
  for await (const batch of stream) {
    for (const row of batch.value) {
      all.push(
        Object.fromEntries(Object.entries(row.toJSON()).map(([name, it]) => [name, own(it)])),
      );
    }
    batch.release();
  }
  return all;
}

/** A value that does not lie in the batch's memory. */
function own(value: unknown): unknown {
  if (value instanceof Uint8Array) return value.slice();
  // apache-arrow's decimals, of which DuckDB's sums are.
  if (ArrayBuffer.isView(value)) return BigInt(String(value));
  if (typeof value !== "object" || value === null) return value;
  const plain = JSON.stringify(value, (_, it) => typeof it === "bigint" ? Number(it) : it);
  return JSON.parse(plain);
}

/** The one value of a query. */
export async function value(stream: RecordBatchStream): Promise<unknown> {
  const all = await rows(stream);
  assert.equal(all.length, 1);
  return Object.values(all[0]!)[0];
}

const LIVE = ["liveConnections", "liveJobs", "liveLeases", "livePins", "liveStreams"] as const;

/** The counters of what is alive, and of what must never happen. */
export function live(): number[] {
  const now = stats();
  return [...LIVE.map((name) => now[name]), now.bytesViewed, now.leaks, now.violations];
}

/** Checks that nothing which `run` made is alive when it is through. */
export async function leavesNothing(run: () => Promise<void>): Promise<void> {
  const before = live();
  await run();
  // What the driver releases on threads of its own may come a moment after the answer.
  await collectUntil(
    () => live().every((count, index) => count <= before[index]!),
    `${LIVE.join(", ")}, bytesViewed, leaks and violations as before: ${before}; now ${live()}`,
  );
  assert.deepEqual(live(), before);
}

/** Columns of JavaScript's: from a few thousand rows on, larger than what is copied rather than borrowed. */
export function numbers(count: number): Table {
  const id = Int32Array.from({ length: count }, (_, index) => index);
  const columns = tableFromArrays({ id, half: Float64Array.from(id, (number) => number / 2) });
  const names = Array.from(id, (number) => number % 3 ? `n${number}` : null);
  return columns.assign(new Table({ name: vectorFromArray(names, new Utf8()) }));
}

/** The sum of the column id of so many `numbers`. */
export function sum(count: number): number {
  return count * (count - 1) / 2;
}
