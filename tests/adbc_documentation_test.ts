/** The examples about databases run, in a directory where the drivers are. */

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { driverPaths, isMissing } from "./support/drivers.ts";
import { root, runScript, SLOW } from "./support/process.ts";
import { Workspace } from "./support/workspace.ts";

const PACKAGE = "@bowstring/bowstring";
const PROSE = "docs/adbc.md";

const files = [
  PROSE,
  ...readdirSync(join(root, "bindings/adbc")).map((it) => `bindings/adbc/${it}`),
];
const examples = files.flatMap((file) => {
  const text = readFileSync(join(root, file), "utf8");
  const plain = file === PROSE ? text : text.replaceAll(/^ *\* ?/gm, "");
  return [...plain.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code], index) => ({
    title: `${file}, example ${index + 1}`,
    code: code!,
  }));
});

test("adbc: the documentation has examples", () => {
  assert.equal(examples.filter(({ title }) => title.startsWith(PROSE)).length, 5);
  assert.ok(examples.length >= 7, `${examples.length} examples`);
});

for (const { title, code } of examples) {
  const needed = (["duckdb", "sqlite"] as const).filter((name) => code.includes(name));
  const missing = needed.filter(isMissing);
  const skip = missing.length > 0 && `no driver ${missing.join(", ")}: run "make drivers"`;
  test(`adbc: ${title}`, { ...SLOW, skip }, async () => {
    using workspace = new Workspace();
    for (const path of driverPaths()) symlinkSync(path, join(workspace.path, basename(path)));
    // Below the root, so that the script finds the packages.
    const directory = join(root, "target", "test-examples");
    mkdirSync(directory, { recursive: true });
    const script = join(directory, `${title.replaceAll(/\W+/g, "-")}.ts`);
    const module = pathToFileURL(join(root, "mod.ts")).href;
    writeFileSync(script, code.replace(`"${PACKAGE}"`, `"${module}"`));
    const result = await runScript(script, { cwd: workspace.path });
    assert.equal(result.code, 0, result.stderr);
    const printed = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
    assert.ok(printed.length > 0);
    assert.deepEqual(result.stdout.trim().split("\n"), printed);
  });
}
