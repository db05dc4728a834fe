/** Every worker has a context of its own, and takes nothing of another with it when it ends. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { isDeno, runScript, SLOW } from "./support/process.ts";
import { Workspace } from "./support/workspace.ts";

const workspace = Workspace.of(120, 60);
after(() => workspace.remove());

// In processes of their own: `deno test` would check the types of every worker's modules anew.
for (
  const [title, script] of [
    ["imports, releases, and counts for itself", "scripts/count_in_workers.ts"],
    ["the package loads without awaiting, so that no early message is lost", "scripts/echo.ts"],
  ] as const
) {
  test(`worker: ${title}`, SLOW, async () => {
    const { code, stdout, stderr } = await runScript(script, { args: [workspace.path] });
    assert.deepEqual({ code, stdout }, { code: 0, stdout: "done\n" }, stderr);
  });
}

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

test("worker: terminated while a table that it leased is quantized", SLOW, async () => {
  const { code, signal, stdout, stderr } = await runScript("scripts/terminate_quantizing.ts");
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
