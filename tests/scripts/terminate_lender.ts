/** Imports what workers exported, terminates the workers, and reads. What they lent is a copy, or memory that they leased:
 * the safe modes beside the violation that the documentation lists. */

import assert from "node:assert/strict";
import type { RecordBatch } from "apache-arrow";
import { importRecordBatch, type Lease, stats } from "../../mod.ts";
import { collectGarbage } from "../support/process.ts";

const leases: Lease<RecordBatch>[] = [];
for (let number = 0; number < 12; number++) {
  const worker = new Worker(new URL("./worker_across.ts", import.meta.url), { type: "module" });
  const { schema, array } = await new Promise<{ schema: number; array: number }>(
    (resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = reject;
      worker.postMessage({ do: "lend", number, leased: number % 2 === 1 });
    },
  );
  // The structs are the worker's and end with it; what they hold is now this isolate's.
  leases.push(importRecordBatch(schema, array));
  worker.terminate();
}
await new Promise((resolve) => setTimeout(resolve, 100));
// Memory that had been freed would be used again.
const others = Array.from({ length: 200 }, () => new Float64Array(5_000).fill(-1));
collectGarbage();
leases.forEach((lease, number) => {
  assert.ok([...lease.value.getChild("id")!].every((value) => value === number), `${number}`);
  lease.release();
});
assert.ok(others.every((values) => values[0] === -1));
const { liveLeases, livePins, leaks, violations } = stats();
assert.deepEqual({ liveLeases, livePins, leaks, violations }, {
  liveLeases: 0,
  livePins: 0,
  leaks: 0,
  violations: 0,
});
console.log("done");
