/** The examples in the documentation run. */

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { examplesIn, PACKAGE, runExample } from "./support/examples.ts";
import { root, SLOW } from "./support/process.ts";
import { Workspace } from "./support/workspace.ts";

const files = [
  "docs/quantization.md",
  "mod.ts",
  "bindings/context.ts",
  "bindings/functions.ts",
  "bindings/cdata",
  "pipeline",
  "pipeline/quantization",
].flatMap((path) =>
  /\.\w+$/.test(path)
    ? [path]
    : readdirSync(join(root, path)).filter((name) => name.endsWith(".ts"))
      .map((name) => `${path}/${name}`)
);
const examples = files.flatMap(examplesIn);

test("documentation: there are examples", () => {
  assert.ok(examples.length >= 8, `${examples.length} examples`);
  for (const { title, code } of examples) assert.ok(code.includes(`from "${PACKAGE}"`), title);
});

for (const example of examples) {
  test(`documentation: ${example.title}`, SLOW, async () => {
    using workspace = new Workspace();
    workspace.write("src/greet.ts", "export function greet() {}\ngreet();\n");
    const { stdout, promised } = await runExample(example, workspace);
    if (example.code.includes("console.log")) assert.notEqual(stdout, "");
    for (const line of promised) {
      assert.ok(stdout.includes(`${line}\n`), `expected ${line} in ${stdout}`);
    }
  });
}
