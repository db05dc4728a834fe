/** Two workers and the main thread hand structs to one another by their addresses: each imports what another exported, and
 * releases it; the release is told to the one whose memory it was. */

import assert from "node:assert/strict";
import { tableFromArrays } from "apache-arrow";
import { exportRecordBatch, importRecordBatch, stats } from "../../mod.ts";
import { collectGarbage } from "../support/process.ts";

interface Message {
  schema: bigint | number;
  array: bigint | number;
}

const nothing = () => {
  const { liveLeases, livePins, bytesViewed, leaks, violations } = stats();
  return { liveLeases, livePins, bytesViewed, leaks, violations };
};
const before = nothing();

const workers = [0, 1].map(() =>
  new Worker(new URL("./worker_across.ts", import.meta.url), { type: "module" })
);

function ask(worker: Worker, message: unknown): Promise<Message> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = reject;
    worker.postMessage(message);
  });
}

for (let round = 0; round < 200; round++) {
  // From here to one worker, from that to the other, and from there back to here.
  const source = tableFromArrays({ id: new Float64Array(5_000).fill(round) }).batches[0]!;
  const exported = exportRecordBatch(source);
  const second = await ask(workers[round % 2]!, {
    do: "pass",
    structs: { schema: exported.schema, array: exported.array },
  });
  const third = await ask(workers[(round + 1) % 2]!, { do: "pass", structs: second });
  const lease = importRecordBatch(third.schema, third.array);
  assert.equal(lease.value.getChildAt(0)!.get(4_999), round + 2);
  lease.release();
  await Promise.all(workers.map((worker) => ask(worker, { do: "collect" })));
  exported.release();
  if (round % 20 === 19) collectGarbage();
}
for (const worker of workers) {
  assert.deepEqual(await ask(worker, { do: "end" }), before);
  worker.terminate();
}
assert.deepEqual(nothing(), before);
console.log("done");
