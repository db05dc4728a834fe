/** A process ends with code 0, and at once, whatever it left alive. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { runScript, SLOW } from "./support/process.ts";
import { Workspace } from "./support/workspace.ts";

const workspace = Workspace.of(300, 100);
after(() => workspace.remove());

const END = "end of the program\n";

/** The ways to end of `scripts/exit.ts`, and what they print. */
const WAYS: readonly (readonly [way: string, stdout: string])[] = [
  ["leases, normal end", END],
  ["leases, process.exit", ""],
  ["leases, uncollected, exit after collection", ""],
  ["idle job, normal end", END],
  ["idle job after one batch, normal end", END],
  ["running job, process.exit", ""],
  ["waiting job, process.exit from a timer", END],
  ["aborted job, normal end", `${END}AbortError\n`],
  ["wait taken back, normal end", END],
  ["pending job keeps the process", `${END}1 file\n`],
  ["index, process.exit", ""],
];

for (const [way, expected] of WAYS) {
  test(`exit: ${way}`, SLOW, async () => {
    for (let round = 0; round < 3; round++) {
      const { code, signal, stdout, stderr } = await runScript("scripts/exit.ts", {
        args: [way, workspace.path],
      });
      assert.deepEqual(
        { code, signal, stdout },
        { code: 0, signal: null, stdout: expected },
        `round ${round}: ${stderr}`,
      );
    }
  });
}
