/**
 * What it costs to import a batch into TypeScript, against the floor: the external ArrayBuffer, the typed arrays, and the
 * `Data` and `RecordBatch` objects that the same batch needs at least, made by straight-line code that already knows where
 * everything lies. The two take turns on the same native memory.
 *
 * Bounds: at most twice the floor, the same from 1,000 to 1,000,000 rows, and no byte copied.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { extractFilesToArrow, stats } from "../mod.ts";
import { TableLease } from "../bindings/cdata/lease.ts";
import { readBlocks } from "../bindings/cdata/import.ts";
import { currentContext } from "../bindings/context.ts";
import { tablesOf } from "../pipeline/extract.ts";
import { detach, floor, recipe } from "./floor.ts";
import { median } from "./measure.ts";

const MAX_RATIO = 2;
/** How much larger the ratio of the largest batch may be than that of the smallest: noise, and nothing else. */
const MAX_GROWTH = 1.5;
const ROWS = [1_000, 10_000, 100_000, 1_000_000];
const ROUNDS = 20;
const IMPORTS_PER_ROUND = 50;
const TABLES = 5;

const context = currentContext();

/** A batch whose `identifiers` has about `rows` rows, from generated source. */
async function batchOf(rows: number) {
  const directory = mkdtempSync(join(tmpdir(), "bowstring-bench-"));
  try {
    const perFile = Math.min(rows, 20_000);
    const paths = Array.from({ length: rows / perFile }, (_, file) => `file${file}.ts`);
    const lines = Array.from(
      { length: perFile / 2 },
      (_, line) => `const x${line} = first + second;`,
    );
    for (const path of paths) writeFileSync(join(directory, path), lines.join("\n"));
    return await extractFilesToArrow(paths, directory, {
      chunkRows: 4_000_000,
      chunkBytes: 2 ** 30,
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function importOnce(): TableLease {
  const lease = TableLease.take(context, TABLES, {}, 0);
  lease.table(0);
  return lease;
}

const micros = (millis: number): string => (1000 * millis).toFixed(2);

console.log("     rows      bytes   floor us  import us   ratio");
const ratios: number[] = [];
let missed = false;
for (const rows of ROWS) {
  const batch = await batchOf(rows);
  const source = tablesOf(batch);
  const tables = [0, 1, 2, 3, 4].map((table) => source.table(table));
  // The description is still in the context from the first look.
  const known = recipe(tables, readBlocks(new Float64Array(context.words.bytes.buffer)));
  const copied = stats().bytesCopied;
  const times: { floor: number[]; import: number[] } = { floor: [], import: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (let turn = 0; turn < IMPORTS_PER_ROUND; turn++) {
      source.export(TABLES);
      let started = performance.now();
      const lease = importOnce();
      times.import.push(performance.now() - started);
      lease.release();
      started = performance.now();
      const batches = floor(known);
      times.floor.push(performance.now() - started);
      detach(batches);
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  // Of single imports: a pause of the machine or of the collector is an outlier, not a part of the cost.
  const [floorMillis, importMillis] = [median(times.floor), median(times.import)];
  const ratio = importMillis / floorMillis;
  ratios.push(ratio);
  console.log(
    `${String(batch.identifiers.numRows).padStart(9)}  ${String(batch.byteLength).padStart(9)}  ` +
      `${micros(floorMillis).padStart(9)}  ${micros(importMillis).padStart(9)}  ${
        ratio.toFixed(2).padStart(6)
      }`,
  );
  if (ratio > MAX_RATIO) {
    missed = true;
    console.log(`expected a ratio of at most ${MAX_RATIO}`);
  }
  if (stats().bytesCopied !== copied) {
    missed = true;
    console.log(`expected no byte to be copied, but found ${stats().bytesCopied - copied}`);
  }
  batch.release();
}
const growth = ratios.at(-1)! / ratios[0]!;
console.log(`from ${ROWS[0]} to ${ROWS.at(-1)} rows: ${growth.toFixed(2)} times the ratio`);
if (growth > MAX_GROWTH) {
  missed = true;
  console.log(`expected at most ${MAX_GROWTH} times`);
}
process.exitCode = missed ? 1 : 0;
