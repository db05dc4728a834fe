/**
 * What it costs to cross the bridge, each side by turns with its peer or its floor. Run by bench/run.
 *
 *   bench/bridge.ts [PART]...      all parts if none is named
 *
 * BENCH_SCALE=small takes fewer turns, BRIDGE_BATCHES batches for the long stream. BRIDGE_RESULTS names a directory for the
 * numbers as JSON, from which bench/bridge/report.ts makes the table and the plot of docs/bridge-benchmarks.md.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { exports, exportsByIpc } from "./bridge/export.ts";
import { imports, importsByIpc } from "./bridge/import.ts";
import { againstArrowJsFfi } from "./bridge/arrow_js_ffi.ts";
import { resident } from "./bridge/resident.ts";
import { scans } from "./bridge/scan.ts";
import { streams } from "./bridge/stream.ts";
import type { Measured } from "./measure.ts";

const small = process.env.BENCH_SCALE === "small";
const turns = (number: number): number => small ? Math.ceil(number / 5) : number;
const batches = Number(process.env.BRIDGE_BATCHES ?? 100_000);

const PARTS: Readonly<Record<string, () => Promise<Measured[]>>> = {
  import: () => imports(turns(1_000)),
  "import-ipc": () => importsByIpc(turns(15)),
  export: () => exports(turns(20_000)),
  "export-ipc": () => exportsByIpc(turns(15)),
  scan: () => scans(turns(50)),
  stream: () => streams(turns(50), batches),
  "arrow-js-ffi": () => againstArrowJsFfi(turns(1_000)),
};

const micros = (value: number): string => value.toFixed(value < 1000 ? 2 : 0).padStart(9);

function print(measured: Measured): boolean {
  const { name, rows, against, ours, theirs, ratio, ratio99, bound, atLeast } = measured;
  const missed = bound !== undefined && (atLeast ? ratio < bound : ratio > bound);
  const limit = bound === undefined ? "" : `(${atLeast ? "at least" : "at most"} ${bound})`;
  console.log(
    `${name.padEnd(24)} ${String(rows).padStart(9)}  ${against.padEnd(21)} ` +
      `${ours.map(micros).join(" ")} ${theirs.map(micros).join(" ")} ` +
      `${ratio.toFixed(2).padStart(8)} ${ratio99.toFixed(2).padStart(8)} ${limit}${
        missed ? "  MISSED" : ""
      }`,
  );
  return !missed;
}

const selected = process.argv.slice(2);
console.log(
  `${"".padEnd(24)} ${"rows".padStart(9)}  ${"against".padEnd(21)} ` +
    `${["p50 us", "p99 us", "p50 us", "p99 us"].map((text) => text.padStart(9)).join(" ")} ` +
    `${"ratio".padStart(8)} ${"of p99".padStart(8)}`,
);
const results: Measured[] = [];
let missed = false;
for (const [part, run] of Object.entries(PARTS)) {
  if (selected.length > 0 && !selected.includes(part)) continue;
  for (const measured of await run()) {
    results.push(measured);
    if (!print(measured)) missed = true;
  }
}
if (selected.length === 0 || selected.includes("resident")) {
  if (!await resident()) missed = true;
}
const directory = process.env.BRIDGE_RESULTS;
if (directory) {
  mkdirSync(directory, { recursive: true });
  const runtime = "Deno" in globalThis ? "deno" : "bun";
  writeFileSync(join(directory, `${runtime}.json`), JSON.stringify(results, undefined, 2));
}
process.exitCode = missed ? 1 : 0;
