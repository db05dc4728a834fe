/** `bowstring index`. */

import { statSync } from "node:fs";
import { resolve } from "node:path";
import { type IndexSummary, indexWorkspace, openStore, type Store } from "../mod.ts";
import { rows } from "./database.ts";
import { CommandError, FAILED, OK } from "./exit.ts";
import { Interruption } from "./interruption.ts";
import { note, print, printable, printJson } from "./output.ts";
import { progressDisplay } from "./progress.ts";

/** What `index` takes. */
export interface IndexFlags {
  /** The file of the index. */
  readonly out?: string;
  /** Whether anything skipped or degraded counts as a failure too. */
  readonly strict?: boolean;
  /** Files above this size, in bytes, are skipped. */
  readonly maxFileSize?: number;
  /** Native threads; 0 means one per core. */
  readonly threads?: number;
  /** Lists every file that was skipped, degraded or failed. */
  readonly verbose?: boolean;
  /** One JSON object instead of text. */
  readonly json?: boolean;
}

/** Indexes a directory and prints what was found. */
export async function index(directory: string, flags: IndexFlags): Promise<number> {
  const root = resolve(directory);
  checkDirectory(root);
  const interruption = new Interruption();
  const display = progressDisplay();
  let summary: IndexSummary;
  try {
    summary = await indexWorkspace(root, {
      out: flags.out,
      threads: flags.threads,
      maxFileBytes: flags.maxFileSize,
      signal: interruption.signal,
      onProgress: (progress) => display.update(progress),
    });
  } catch (reason) {
    if (interruption.exitCode === undefined) throw reason;
    display.end();
    note("interrupted: the index is as it was before");
    return interruption.exitCode;
  } finally {
    display.end();
    interruption.ignore();
  }
  using store = openStore(summary.out, { mode: "read" });
  const troubles = await readTroubles(store);
  if (flags.json) printJson(asJson(root, summary, troubles, flags));
  else await printSummary(root, summary, troubles, store, flags);
  return exitCodeFor(troubles, flags.strict ?? false);
}

/** What a run that came to its end exits with. */
export function exitCodeFor(troubles: readonly Trouble[], strict: boolean): number {
  const bad = strict ? troubles.length > 0 : troubles.some(({ severity }) => severity === "failed");
  return bad ? FAILED : OK;
}

function checkDirectory(root: string): void {
  let isDirectory;
  try {
    isDirectory = statSync(root).isDirectory();
  } catch {
    throw new CommandError(`${root} does not exist`);
  }
  if (!isDirectory) throw new CommandError(`${root} is not a directory`);
}

/** A row of `errors`. */
export interface Trouble {
  /** The file. */
  readonly path: string;
  /** `skipped`, `degraded` or `failed`. */
  readonly severity: string;
  /** The kind of reason. */
  readonly code: string;
  /** The reason. */
  readonly message: string;
}

const SEVERITIES = ["skipped", "degraded", "failed"] as const;
/** Failures are listed without being asked for, since they decide the exit code; but not without end. */
const LISTED_FAILURES = 20;

async function readTroubles(store: Store): Promise<Trouble[]> {
  using answer = await store.errors({ limit: 0 });
  return [...rows(answer.value)].map((row) => ({
    path: String(row.path),
    severity: String(row.severity),
    code: String(row.code),
    message: String(row.message),
  }));
}

async function printSummary(
  root: string,
  summary: IndexSummary,
  troubles: readonly Trouble[],
  store: Store,
  flags: IndexFlags,
): Promise<void> {
  print(printable(`${root} -> ${summary.out}`));
  for (const line of await languageLines(store)) print(line);
  for (const severity of SEVERITIES) {
    const those = troubles.filter((trouble) => trouble.severity === severity);
    if (those.length === 0) continue;
    print(`${severity}: ${reasons(those)}`);
    const limit = flags.verbose ? Infinity : severity === "failed" ? LISTED_FAILURES : 0;
    for (const { path, message } of those.slice(0, limit)) {
      print(printable(`  ${path}: ${message}`));
    }
    if (those.length > limit && limit > 0) {
      print(`  and ${those.length - limit} more; --verbose lists them`);
    }
  }
  const { files, symbols, identifiers, relationships, seconds } = summary;
  print(
    `indexed ${files} files: ${symbols} symbols, ${identifiers} identifiers, ` +
      `${relationships} relationships in ${seconds.toFixed(2)} s`,
  );
}

/** `2 too_large, 1 binary`: the most frequent first. */
function reasons(troubles: readonly Trouble[]): string {
  const counts = new Map<string, number>();
  for (const { code } of troubles) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([code, count]) => `${count} ${code}`)
    .join(", ");
}

/** Files and lines of each language, the largest first. */
async function languageLines(store: Store): Promise<string[]> {
  using answer = await store.files({ limit: 0 });
  const { value } = answer;
  const languages = value.getChild("language")!;
  const lineCounts = value.getChild("line_count")!;
  const totals = new Map<string, { files: number; lines: number }>();
  for (let index = 0; index < value.numRows; index++) {
    const language = String(languages.get(index));
    const entry = totals.get(language) ?? { files: 0, lines: 0 };
    entry.files++;
    entry.lines += lineCounts.get(index);
    totals.set(language, entry);
  }
  return [...totals].sort(([, a], [, b]) => b.lines - a.lines).map(([language, { files, lines }]) =>
    `  ${language.padEnd(12)} ${String(files).padStart(7)} ${files === 1 ? "file " : "files"} ` +
    `${String(lines).padStart(9)} lines`
  );
}

function asJson(
  root: string,
  summary: IndexSummary,
  troubles: readonly Trouble[],
  flags: IndexFlags,
): object {
  const { errors: _, ...counts } = summary;
  const bySeverity = Object.fromEntries(SEVERITIES.map((severity) => [
    severity,
    troubles.filter((trouble) => trouble.severity === severity).length,
  ]));
  return { root, ...counts, ...bySeverity, ...(flags.verbose ? { errors: troubles } : {}) };
}
