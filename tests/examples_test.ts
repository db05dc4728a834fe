/** The examples are what the README shows, and they run. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isDeno, root, runScript } from "./support/process.ts";
import { Workspace } from "./support/workspace.ts";

const readme = readFileSync(join(root, "README.md"), "utf8");
const blocks = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);

for (const [index, name] of ["deno", "bun"].entries()) {
  test(`examples/${name}.ts is what the README shows`, () => {
    assert.equal(blocks[index], readFileSync(join(root, "examples", `${name}.ts`), "utf8"));
  });
}

test("the README shows no other program", () => {
  assert.equal(blocks.length, 2);
});

test(`the example for ${isDeno ? "Deno" : "Bun"} runs`, async () => {
  using workspace = Workspace.of(2, 3);
  const name = isDeno ? "deno" : "bun";
  const args = isDeno ? [workspace.path] : [workspace.path, "f1"];
  const { code, stdout, stderr } = await runScript(`../examples/${name}.ts`, { args });
  assert.equal(stderr, "");
  assert.equal(code, 0);
  // A table of kinds: six functions with one parameter each. And two definitions of f1.
  assert.match(
    stdout,
    isDeno
      ? /│ function │ +6 │\n│ variable │ +6 │/
      : /^2 files in \d+\.\d\d s\nsource\/file00000\.ts:5: function f1\nsource\/file00001\.ts:5: function f1\n$/,
  );
});
