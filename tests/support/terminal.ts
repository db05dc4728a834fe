/** Runs `bowstring` on a terminal. */

import { spawn, spawnSync } from "node:child_process";
import process from "node:process";
import { bowstringWords, ended } from "./command.ts";
import type { ChildResult } from "./process.ts";

/** Why nothing can be run on a terminal here; `false` when it can. The one that makes them is util-linux's. */
export const noTerminal: string | false =
  /util-linux/.test(spawnSync("script", ["--version"], { encoding: "utf8" }).stdout ?? "")
    ? false
    : "no script(1) of util-linux";

/** A word for the shell. */
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** How a run differs from a plain one on a terminal. */
export interface OnTerminal {
  /** Leads a stream elsewhere, as in a shell. */
  readonly redirection?: string;
  /** Variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs `bowstring` in the working directory `cwd`, with both its streams on one terminal, which is `stdout` of the result.
 */
export function onTerminal(
  cwd: string,
  args: readonly string[],
  { redirection = "", env = {} }: OnTerminal = {},
): Promise<ChildResult> {
  const command = [...bowstringWords, ...args].map(quoted).join(" ");
  const words = ["--quiet", "--return", "--command", `${command} ${redirection}`, "/dev/null"];
  // These tests may themselves run where CI is set, which says that there is nobody to look at a bar.
  const { CI: _, ...rest } = process.env;
  return ended(spawn("script", words, { cwd, env: { ...rest, TERM: "xterm", ...env } }));
}
