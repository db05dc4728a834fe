/** Terminates workers in the middle of imports, exports, calls and queries, and goes on working. The arguments are what
 * the workers do, the path of `libnative_filter`, and for those that use a database the driver's options as JSON. */

import assert from "node:assert/strict";
import process from "node:process";
import { tableFromArrays } from "apache-arrow";
import { adbc, openLibrary, stats } from "../../mod.ts";

const [what, library, driver] = process.argv.slice(2);

for (let round = 0; round < 8; round++) {
  const workers = [0, 1].map(() =>
    new Worker(new URL("./worker_bridge.ts", import.meta.url), { type: "module" })
  );
  await Promise.all(workers.map((worker) =>
    new Promise((resolve, reject) => {
      worker.onmessage = resolve;
      worker.onerror = reject;
      worker.postMessage({ what, path: driver ?? library });
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
if (driver) {
  const connection = await adbc.connect(JSON.parse(driver) as adbc.ConnectOptions);
  for await (const batch of connection.query("SELECT 7 AS n")) {
    assert.equal(Number(batch.value.getChild("n")!.get(0)), 7);
    batch.release();
  }
  await connection.close();
}
const { liveLeases, livePins, liveJobs, liveStreams } = stats();
assert.deepEqual({ liveLeases, livePins, liveJobs, liveStreams }, {
  liveLeases: 0,
  livePins: 0,
  liveJobs: 0,
  liveStreams: 0,
});
console.log("done");
