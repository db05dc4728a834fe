/** From a directory to an index. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { indexWorkspace, openStore, type Progress, stats } from "../mod.ts";
import { SLOW } from "./support/process.ts";
import { Workspace } from "./support/workspace.ts";

const nothingIsAlive = () => {
  const { liveLeases, liveJobs, liveStores, bytesViewed } = stats();
  assert.deepEqual(
    { liveLeases, liveJobs, liveStores, bytesViewed },
    { liveLeases: 0, liveJobs: 0, liveStores: 0, bytesViewed: 0 },
  );
};

async function generation(path: string): Promise<unknown[]> {
  using store = openStore(path);
  using info = await store.info();
  return ["generation", "files"].map((name) => info.value.getChild(name)!.get(0));
}

test("index: the summary, the file, and the progress", SLOW, async () => {
  using workspace = Workspace.of(30, 20);
  workspace.write("broken.bin.ts", new Uint8Array([0, 1, 2, 0, 255, 254]));
  const seen: Progress[] = [];
  const summary = await indexWorkspace(workspace.path, {
    chunkRows: 500,
    onProgress: (progress) => seen.push(progress),
  });
  assert.equal(summary.out, join(workspace.path, ".bowstring", "index.db"));
  assert.equal(summary.generation, 1);
  assert.equal(summary.files, 30);
  assert.ok(summary.symbols >= 600);
  assert.equal(summary.errors, 1);
  assert.ok(summary.seconds > 0);
  assert.deepEqual(await generation(summary.out), [1n, 30n]);
  const { filesDone, filesTotal } = seen.at(-1)!;
  assert.deepEqual([filesDone, filesTotal], [31, 31]);
  nothingIsAlive();
});

test("index: again, to a file of one's choice", SLOW, async () => {
  using workspace = Workspace.of(3, 3);
  using elsewhere = new Workspace();
  const out = join(elsewhere.path, "deep", "er", "x.db");
  assert.equal((await indexWorkspace(workspace.path, { out })).generation, 1);
  workspace.write("more.ts", "export const more = 1;\n");
  const { files, out: path } = await indexWorkspace(workspace.path, { out });
  assert.equal(files, 4);
  assert.equal(path, out);
  assert.equal(existsSync(join(workspace.path, ".bowstring")), false);
});

test("index: abort leaves the previous index", SLOW, async () => {
  using workspace = Workspace.of(200, 100);
  const out = join(workspace.path, "index.db");
  using small = Workspace.of(1, 1);
  await indexWorkspace(small.path, { out });
  for (const millis of [0, 20, 150]) {
    const controller = new AbortController();
    const reason = new Error("stop");
    setTimeout(() => controller.abort(reason), millis);
    await assert.rejects(
      indexWorkspace(workspace.path, { out, chunkRows: 1_000, signal: controller.signal }),
      reason,
    );
    assert.deepEqual(await generation(out), [1n, 1n]);
    nothingIsAlive();
  }
  await assert.rejects(
    indexWorkspace(workspace.path, {
      out: join(workspace.path, "no.db"),
      signal: AbortSignal.abort(),
    }),
    { name: "AbortError" },
  );
  assert.equal(existsSync(join(workspace.path, "no.db")), false);
});

test(
  "index: an error of onProgress ends the work and is the one that is reported",
  SLOW,
  async () => {
    using workspace = Workspace.of(200, 100);
    const reason = new RangeError("from the callback");
    let calls = 0;
    await assert.rejects(
      indexWorkspace(workspace.path, {
        chunkRows: 1_000,
        onProgress: () => {
          calls++;
          throw reason;
        },
      }),
      reason,
    );
    assert.equal(calls, 1);
    assert.deepEqual(await generation(join(workspace.path, ".bowstring", "index.db")), [0n, 0n]);
    nothingIsAlive();
  },
);

test("index: a directory that is not there", SLOW, async () => {
  using workspace = new Workspace();
  await assert.rejects(
    indexWorkspace(join(workspace.path, "missing"), { out: join(workspace.path, "x.db") }),
    { code: "INVALID_ARGUMENT" },
  );
  nothingIsAlive();
});

test("index: two at once, to two files", SLOW, async () => {
  using first = Workspace.of(20, 10);
  using second = Workspace.of(30, 10);
  const summaries = await Promise.all([indexWorkspace(first.path), indexWorkspace(second.path)]);
  assert.deepEqual(summaries.map(({ files }) => files), [20, 30]);
  nothingIsAlive();
});
