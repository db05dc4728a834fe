/** A library of a user's own: `examples/native-filter`, called from TypeScript. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { tableFromArrays } from "apache-arrow";
import { openLibrary, stats } from "../mod.ts";
import { root, SLOW } from "./support/process.ts";

execFileSync("cargo", [
  "build",
  "--quiet",
  "--locked",
  "--manifest-path",
  "examples/native-filter/Cargo.toml",
], {
  cwd: root,
  stdio: ["ignore", "inherit", "inherit"],
});
const directory = process.env.CARGO_TARGET_DIR || join(root, "target");
const path = join(directory, "debug", "libnative_filter.so");

const library = openLibrary(path, {
  filter: { symbol: "filter_rows", parameters: ["batch"], result: "batch" },
  filter_stream: { parameters: ["stream"], result: "stream" },
});

const OPTIONS = { column: "id", least: 2 };
const table = () => tableFromArrays({ id: Float64Array.of(1, 2, 3) });

test("functions: a batch in, a batch out", SLOW, async () => {
  using kept = await library.filter(table().batches[0]!, { options: OPTIONS });
  assert.deepEqual([...kept.value.getChild("id")!], [2, 3]);
  using again = await library.filter(kept, { options: { ...OPTIONS, least: 3 } });
  assert.deepEqual([...again.value.getChild("id")!], [3]);
});

test("functions: a stream in, a stream out", SLOW, async () => {
  function* batches() {
    for (let round = 0; round < 10; round++) yield* table().batches;
  }
  for (const source of [table(), [...batches()], batches()]) {
    let rows = 0;
    for await (const batch of library.filter_stream(source, { options: OPTIONS })) {
      rows += batch.value.numRows;
      batch.release();
    }
    assert.equal(rows, source instanceof Array || "next" in source ? 20 : 2);
  }
  assert.equal(stats().liveStreams, 0);
});

test("functions: a function's failure is an error with its message", SLOW, async () => {
  await assert.rejects(library.filter(table().batches[0]!, { options: { no: 1 } }), /options: /);
});

test("functions: what is not there, and what is no input", () => {
  assert.throws(() => openLibrary(join(root, "no-such.so"), {}), { code: "IO" });
  const missing = { nothing: { parameters: [], result: "none" } } as const;
  assert.throws(() => openLibrary(path, missing), { code: "INVALID_ARGUMENT" });
  assert.throws(() => library.filter(1 as never), { code: "INVALID_ARGUMENT" });
  assert.throws(() => (library.filter as () => unknown)(), { code: "INVALID_ARGUMENT" });
});
