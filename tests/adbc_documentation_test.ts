/** The examples about databases run, in a directory where the drivers are. */

import assert from "node:assert/strict";
import { readdirSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { driverPaths, isMissing } from "./support/drivers.ts";
import { examplesIn, runExample } from "./support/examples.ts";
import { root, SLOW } from "./support/process.ts";
import { Workspace } from "./support/workspace.ts";

const PROSE = "docs/adbc.md";

const files = [
  PROSE,
  ...readdirSync(join(root, "bindings/adbc")).map((it) => `bindings/adbc/${it}`),
];
const examples = files.flatMap(examplesIn);

test("adbc: the documentation has examples", () => {
  assert.equal(examples.filter(({ title }) => title.startsWith(PROSE)).length, 5);
  assert.ok(examples.length >= 7, `${examples.length} examples`);
});

for (const example of examples) {
  const needed = (["duckdb", "sqlite"] as const).filter((name) => example.code.includes(name));
  const missing = needed.filter(isMissing);
  const skip = missing.length > 0 && `no driver ${missing.join(", ")}: run "make drivers"`;
  test(`adbc: ${example.title}`, { ...SLOW, skip }, async () => {
    using workspace = new Workspace();
    for (const path of driverPaths()) symlinkSync(path, join(workspace.path, basename(path)));
    const { stdout, promised } = await runExample(example, workspace);
    assert.ok(promised.length > 0);
    assert.deepEqual(stdout.trim().split("\n"), promised);
  });
}
