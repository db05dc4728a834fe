/** The examples in the documentation run. */

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { root, runScript, SLOW } from "./support/process.ts";
import { Workspace } from "./support/workspace.ts";

const PACKAGE = "@bowstring/bowstring";

interface Example {
  readonly title: string;
  readonly code: string;
}

/** The blocks of TypeScript in prose, or in the comments of a file. */
function examplesIn(file: string): Example[] {
  const text = readFileSync(join(root, file), "utf8");
  const blocks = file.endsWith(".md")
    ? text.matchAll(/^```ts\n(.*?)^```$/gms)
    : text.matchAll(/^ *\* ```ts\n((?: *\*.*\n)*?) *\* ```$/gm);
  return [...blocks].map((match, index) => ({
    title: `${file}, example ${index + 1}`,
    code: file.endsWith(".md") ? match[1]! : match[1]!.replaceAll(/^ *\* ?/gm, ""),
  }));
}

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

for (const { title, code } of examples) {
  test(`documentation: ${title}`, SLOW, async () => {
    using workspace = new Workspace();
    workspace.write("src/greet.ts", "export function greet() {}\ngreet();\n");
    // Below the root, so that the script finds the packages.
    const directory = join(root, "target", "test-examples");
    mkdirSync(directory, { recursive: true });
    const script = join(directory, `${title.replaceAll(/\W+/g, "-")}.ts`);
    const module = pathToFileURL(join(root, "mod.ts")).href;
    writeFileSync(script, code.replace(`"${PACKAGE}"`, `"${module}"`));
    const result = await runScript(script, { cwd: workspace.path });
    assert.equal(result.code, 0, result.stderr);
    if (code.includes("console.log")) assert.notEqual(result.stdout, "");
    for (const [, printed] of code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)) {
      assert.ok(result.stdout.includes(`${printed}\n`), `expected ${printed} in ${result.stdout}`);
    }
  });
}
