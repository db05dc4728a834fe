/** What the tests need of the process they run in. */

import { spawn } from "node:child_process";
import { resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Whether the tests run under Deno; else they run under Bun. */
export const isDeno = "Deno" in globalThis;

/** The root of the checkout. */
export const root: string = fileURLToPath(new URL("../../", import.meta.url));

/** For tests that wait for other processes, for jobs or for the collector: Bun would give them five seconds. */
export const SLOW = { timeout: 120_000 } as const;

/** Runs a full garbage collection. */
export function collectGarbage(): void {
  const { gc, Bun } = globalThis as unknown as {
    gc?: () => void;
    Bun?: { gc(force: boolean): void };
  };
  if (Bun) return Bun.gc(true);
  if (!gc) throw new Error("run the tests with --v8-flags=--expose-gc");
  gc();
}

/** Collects garbage and lets finalizers run until `condition` holds. Throws when it does not come to hold. */
export async function collectUntil(condition: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (condition()) return;
  }
  throw new Error(`garbage collection did not bring about: ${what}`);
}

/** How a child process ended. */
export interface ChildResult {
  /** Its exit code; `null` when a signal ended it. */
  readonly code: number | null;
  /** The signal that ended it. */
  readonly signal: string | null;
  /** What it wrote. */
  readonly stdout: string;
  /** What it wrote to standard error. */
  readonly stderr: string;
}

/** Runs a script, given as an absolute path or one below `tests/`, in a new process of this runtime. */
export function runScript(
  script: string,
  options: {
    args?: string[];
    env?: Record<string, string>;
    cwd?: string;
    denoFlags?: string[];
  } = {},
): Promise<ChildResult> {
  const path = resolve(root, "tests", script);
  const { args = [], env = {}, cwd = root, denoFlags = ["--allow-all", "--v8-flags=--expose-gc"] } =
    options;
  const flags = isDeno ? ["run", "--no-prompt", ...denoFlags] : ["run"];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...flags, path, ...args], {
      cwd,
      env: { ...process.env, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => stdout += chunk);
    child.stderr.on("data", (chunk) => stderr += chunk);
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
