/** What works with less than all of Deno's permissions. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { currentContext } from "../bindings/context.ts";
import { findLibrary } from "../bindings/library.ts";
import { isDeno, runScript } from "./support/process.ts";
import { Workspace } from "./support/workspace.ts";

test("permission: with --allow-ffi=<path>, copies work and views are refused", {
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
