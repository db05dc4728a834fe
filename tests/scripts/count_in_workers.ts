/** Two workers extract a workspace at the same time, each with counters of its own. The argument is the workspace. */

import assert from "node:assert/strict";
import process from "node:process";
import { type Stats, stats } from "../../mod.ts";

interface Answer {
  symbols: number;
  names: number;
  stats: Stats;
}

function extractInWorker(chunkRows: number): Promise<Answer> {
  const worker = new Worker(new URL("./worker_extract.ts", import.meta.url), { type: "module" });
  return new Promise<Answer>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = reject;
    worker.postMessage({ path: process.argv[2], chunkRows });
  }).finally(() => worker.terminate());
}

const before = stats();
const answers = await Promise.all([extractInWorker(1_000), extractInWorker(100_000)]);
for (const answer of answers) {
  assert.equal(answer.symbols, answers[0]!.symbols);
  assert.ok(answer.symbols >= 120 * 60);
  assert.ok(answer.names > 0);
  const { liveLeases, liveJobs, bytesViewed, bytesCopied, leaks } = answer.stats;
  assert.deepEqual(
    { liveLeases, liveJobs, bytesViewed, bytesCopied, leaks },
    { liveLeases: 0, liveJobs: 0, bytesViewed: 0, bytesCopied: 0, leaks: 0 },
  );
}
assert.deepEqual(stats(), before, "the main thread's counters did not move");
console.log("done");
