/** Runs the `bowstring` command in a process of its own. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { type ChildResult, isDeno, root } from "./process.ts";

const CLI = join(root, "cli.ts");
const RUN = isDeno ? ["run", "--no-prompt", "--allow-all", CLI] : [CLI];

/** The words of a command line that runs `bowstring` in this runtime. */
export const bowstringWords: readonly string[] = [process.execPath, ...RUN];

/** Starts `bowstring` in the working directory `cwd`. */
export function startBowstring(cwd: string, ...args: string[]): ChildProcessWithoutNullStreams {
  const [command, ...rest] = bowstringWords;
  return spawn(command, [...rest, ...args], { cwd, env: { ...process.env, NO_COLOR: "1" } });
}

/** Waits for the end of a process and collects what it writes. */
export function ended(child: ChildProcessWithoutNullStreams): Promise<ChildResult> {
  return new Promise((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    child.stdin.end();
    child.stdout.on("data", (chunk) => stdout += chunk);
    child.stderr.on("data", (chunk) => stderr += chunk);
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Runs `bowstring` in the working directory `cwd` to its end. */
export function bowstring(cwd: string, ...args: string[]): Promise<ChildResult> {
  return ended(startBowstring(cwd, ...args));
}
