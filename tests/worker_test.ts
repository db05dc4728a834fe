/** Every worker has a context of its own, and takes nothing of another with it when it ends. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Stats, stats } from "../mod.ts";
import { isDeno, runScript, SLOW } from "./support/process.ts";
import { Workspace } from "./support/workspace.ts";

const workspace = Workspace.of(120, 60);
after(() => workspace.remove());

interface Answer {
  symbols: number;
  names: number;
  stats: Stats;
}

function extractInWorker(chunkRows: number): Promise<Answer> {
  const worker = new Worker(new URL("./scripts/worker_extract.ts", import.meta.url), {
    type: "module",
  });
  return new Promise<Answer>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = reject;
    worker.postMessage({ path: workspace.path, chunkRows });
  }).finally(() => worker.terminate());
}

test("worker: imports, releases, and counts for itself", SLOW, async () => {
  const before = stats();
  const answers = await Promise.all([extractInWorker(1_000), extractInWorker(100_000)]);
  for (const answer of answers) {
    assert.equal(answer.symbols, answers[0]!.symbols);
    assert.ok(answer.symbols >= 120 * 60);
    const { liveLeases, liveJobs, bytesViewed, bytesCopied, leaks } = answer.stats;
    assert.deepEqual(
      { liveLeases, liveJobs, bytesViewed, bytesCopied, leaks },
      { liveLeases: 0, liveJobs: 0, bytesViewed: 0, bytesCopied: 0, leaks: 0 },
    );
  }
  assert.deepEqual(stats(), before, "the main thread's counters did not move");
});

test(
  "worker: the package loads without awaiting, so that no early message is lost",
  SLOW,
  async () => {
    for (let round = 0; round < 4; round++) {
      const worker = new Worker(new URL("./scripts/worker_echo.ts", import.meta.url), {
        type: "module",
      });
      const answer = await new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = reject;
        worker.postMessage(round);
      });
      worker.terminate();
      assert.deepEqual(answer, [round, "function"]);
    }
  },
);

test("worker: terminated in the middle of a job, with leases alive", SLOW, async () => {
  const { code, signal, stdout, stderr } = await runScript("scripts/terminate.ts", {
    args: [workspace.path],
  });
  assert.deepEqual({ code, signal, stdout }, {
    code: 0,
    signal: null,
    stdout: "main thread: 1 file, 1 lease\ndone\n",
  }, stderr);
});

test("worker: terminated while no other thread has the library open", SLOW, async () => {
  const { code, signal, stdout, stderr } = await runScript("scripts/terminate.ts", {
    args: [workspace.path, "--only-workers"],
  });
  assert.deepEqual({ code, signal, stdout }, { code: 0, signal: null, stdout: "done\n" }, stderr);
});

test(
  "worker: under Bun, a buffer that it gave away outlives it",
  { ...SLOW, skip: isDeno },
  async () => {
    const { code, stdout, stderr } = await runScript("scripts/moved.ts", {
      args: [workspace.path],
    });
    assert.deepEqual({ code, stdout }, { code: 0, stdout: "intact\n" }, stderr);
  },
);
