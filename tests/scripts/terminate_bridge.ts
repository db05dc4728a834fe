/** Terminates workers in the middle of imports, exports and calls, and goes on working. The arguments are what the
 * workers do, and the path of `libnative_filter`. */

import assert from "node:assert/strict";
import process from "node:process";
import { tableFromArrays } from "apache-arrow";
import { openLibrary, stats } from "../../mod.ts";

const [what, library] = process.argv.slice(2);

for (let round = 0; round < 8; round++) {
  const workers = [0, 1].map(() =>
    new Worker(new URL("./worker_bridge.ts", import.meta.url), { type: "module" })
  );
  await Promise.all(workers.map((worker) =>
    new Promise((resolve, reject) => {
      worker.onmessage = resolve;
      worker.onerror = reject;
      worker.postMessage({ what, library });
    })
  ));
  await new Promise((resolve) => setTimeout(resolve, 5 * round));
  for (const worker of workers) worker.terminate();
}
await new Promise((resolve) => setTimeout(resolve, 100));

const { filter } = openLibrary(library!, {
  filter: { symbol: "filter_rows", parameters: ["batch"], result: "batch" },
});
const source = tableFromArrays({ id: Float64Array.of(1, 2, 3) }).batches[0]!;
const kept = await filter(source, { options: { column: "id", least: 2 } });
assert.deepEqual([...kept.value.getChild("id")!], [2, 3]);
kept.release();
const { liveLeases, livePins, liveJobs, liveStreams } = stats();
assert.deepEqual({ liveLeases, livePins, liveJobs, liveStreams }, {
  liveLeases: 0,
  livePins: 0,
  liveJobs: 0,
  liveStreams: 0,
});
console.log("done");
