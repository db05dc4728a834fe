/** What works with less than all of Deno's permissions. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { currentContext } from "../bindings/context.ts";
import { findLibrary } from "../bindings/library.ts";
import { fixed, table, utf8 } from "./support/columns.ts";
import { compile } from "./support/native.ts";
import { isDeno, runScript, SLOW } from "./support/process.ts";
import { described } from "./support/producer.ts";
import { Workspace } from "./support/workspace.ts";

test("permission: with --allow-ffi=<path>, copies work and views are refused", {
  ...SLOW,
  skip: !isDeno,
}, async () => {
  using workspace = Workspace.of(1, 2);
  const library = findLibrary(currentContext().runtime);
  const { code, stdout, stderr } = await runScript("scripts/copy.ts", {
    args: [workspace.path],
    env: { BOWSTRING_LIBRARY: library },
    denoFlags: [`--allow-ffi=${library}`, "--allow-env=BOWSTRING_LIBRARY"],
  });
  assert.deepEqual({ code, stdout }, {
    code: 0,
    stdout: "UNSUPPORTED: Deno shows native memory only to programs that run with --allow-ffi " +
      "without a path: run with that, or pass { copy: true }\nf0 0 0\n",
  }, stderr);
});

/** What the bridge does under the narrow permission. */
const NARROW = `importSchema: 2
importArray by copy: 3, copied
importRecordBatch by copy: 1,2,3, 3 rows, copied
importStream by copy: 6 rows, copied
importTable by copy: 6 rows, copied
importArray: BowstringError UNSUPPORTED: VIEWS
importRecordBatch: BowstringError UNSUPPORTED: VIEWS
importStream: BowstringError UNSUPPORTED: VIEWS
importTable: BowstringError UNSUPPORTED: VIEWS
exportSchema: BowstringError UNSUPPORTED: ADDRESSES
exportArray: BowstringError UNSUPPORTED: ADDRESSES
exportRecordBatch: BowstringError UNSUPPORTED: ADDRESSES
exportTable: BowstringError UNSUPPORTED: ADDRESSES
exportStream: BowstringError UNSUPPORTED: ADDRESSES
openLibrary: LibraryLoadError LIBRARY_LOAD: Deno may not load /no/such/library.so: run with --allow-ffi, \
or with --allow-ffi=/no/such/library.so
alive: 0 0 0 0
`.replaceAll(
  "VIEWS",
  "Deno shows native memory only to programs that run with --allow-ffi without a path: run with " +
    "that, or pass { copy: true }",
).replaceAll(
  "ADDRESSES",
  "Deno gives the addresses of memory only to programs that run with --allow-ffi without a path",
);

test(
  "permission: with --allow-ffi=<path>, the bridge imports copies, and says what else it needs",
  {
    ...SLOW,
    skip: !isDeno,
  },
  async () => {
    const library = findLibrary(currentContext().runtime);
    const producer = compile("producer");
    const columns = [fixed("i", Int32Array, [1, 2, 3]), utf8(["a", null, "c"])];
    const description = Array.from(
      described(table(columns)),
      (byte) => byte.toString(16).padStart(2, "0"),
    ).join("");
    const { code, stdout, stderr } = await runScript("scripts/narrow.ts", {
      args: [producer, description],
      env: { BOWSTRING_LIBRARY: library },
      denoFlags: [`--allow-ffi=${library},${producer}`, "--allow-env=BOWSTRING_LIBRARY"],
    });
    assert.deepEqual({ code, stdout }, { code: 0, stdout: NARROW }, stderr);
  },
);
