/** The examples in the documentation. */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root, runScript } from "./process.ts";
import type { Workspace } from "./workspace.ts";

/** As what the examples import the module. */
export const PACKAGE = "@bowstring/bowstring";

/** A block of TypeScript. */
export interface Example {
  readonly title: string;
  readonly code: string;
}

/** The examples in prose, or in the comments of a file. */
export function examplesIn(file: string): Example[] {
  const text = readFileSync(join(root, file), "utf8");
  const blocks = file.endsWith(".md")
    ? text.matchAll(/^```ts\n(.*?)^```$/gms)
    : text.matchAll(/^ *\* ```ts\n((?: *\*.*\n)*?) *\* ```$/gm);
  return [...blocks].map((match, index) => ({
    title: `${file}, example ${index + 1}`,
    code: file.endsWith(".md") ? match[1]! : match[1]!.replaceAll(/^ *\* ?/gm, ""),
  }));
}

/** Runs an example in a directory: what it printed, and the lines that it says it prints. */
export async function runExample(
  { title, code }: Example,
  workspace: Workspace,
): Promise<{ readonly stdout: string; readonly promised: readonly string[] }> {
  // Below the root, so that the script finds the packages.
  const directory = join(root, "target", "test-examples");
  mkdirSync(directory, { recursive: true });
  const script = join(directory, `${title.replaceAll(/\W+/g, "-")}.ts`);
  const module = pathToFileURL(join(root, "mod.ts")).href;
  writeFileSync(script, code.replace(`"${PACKAGE}"`, `"${module}"`));
  const { code: exitCode, stdout, stderr } = await runScript(script, { cwd: workspace.path });
  assert.equal(exitCode, 0, stderr);
  const promised = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text!);
  return { stdout, promised };
}
