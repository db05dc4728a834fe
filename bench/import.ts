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
import { Data, RecordBatch, type Schema, type Struct } from "apache-arrow";
import { extractFilesToArrow, stats } from "../mod.ts";
import { TableLease } from "../bindings/cdata/lease.ts";
import { readBlocks } from "../bindings/cdata/import.ts";
import { currentContext } from "../bindings/context.ts";
import { tablesOf } from "../pipeline/extract.ts";

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

/** An ArrayBuffer over native memory, without anything that would free it. */
async function rawViews(): Promise<(address: number, byteLength: number) => ArrayBuffer> {
  if ("Deno" in globalThis) {
    const { UnsafePointer, UnsafePointerView } = Deno;
    return (address, byteLength) =>
      UnsafePointerView.getArrayBuffer(
        UnsafePointer.create(address as unknown as bigint)!,
        byteLength,
      );
  }
  const specifier: string = "bun:ffi";
  const { toArrayBuffer } = await import(specifier);
  return (address, byteLength) => toArrayBuffer(address, 0, byteLength);
}

const rawView = await rawViews();

/** Where a typed array lies. */
interface Place {
  readonly view: new (buffer: ArrayBuffer, byteOffset: number, length: number) => unknown;
  readonly byteOffset: number;
  readonly length: number;
}

const placeOf = (array: Uint8Array | undefined): Place | undefined =>
  array && array.byteLength > 0
    ? {
      view: array.constructor as Place["view"],
      byteOffset: array.byteOffset,
      length: array.length,
    }
    : undefined;

/** Everything the floor may know beforehand. */
function recipe(tables: readonly RecordBatch[]) {
  return tables.map(({ schema, data }) => ({
    schema,
    type: data.type,
    length: data.length,
    columns: data.children.map((child) => ({
      type: child.type,
      length: child.length,
      nullCount: child.nullCount,
      places: [child.valueOffsets, child.values, child.nullBitmap].map(placeOf),
    })),
  }));
}

/** The objects that a batch needs at least. */
function floor(
  address: number,
  byteLength: number,
  tables: ReturnType<typeof recipe>,
): RecordBatch[] {
  const buffer = rawView(address, byteLength);
  return tables.map(({ schema, type, length, columns }) => {
    const children = columns.map(({ type, length, nullCount, places }) => {
      const views = places.map((place) =>
        place && new place.view(buffer, place.byteOffset, place.length)
      );
      // deno-lint-ignore no-explicit-any -- the types of the buffers follow from the column's
      return new Data(type, 0, length, nullCount, views as any);
    });
    const data = new Data(type, 0, length, 0, undefined, children) as Data<Struct>;
    return new RecordBatch(schema as Schema, data);
  });
}

/** Lets go of the floor's buffer, as a release does of the import's. */
function detach([, identifiers]: RecordBatch[]): void {
  (identifiers!.data.children[0]!.values.buffer as ArrayBuffer).transfer(0);
}

function importOnce(): TableLease {
  const lease = TableLease.take(context, TABLES, {}, 0);
  lease.table(0);
  return lease;
}

/** Of single imports: a pause of the machine or of the collector is an outlier, not a part of the cost. */
const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;
const micros = (millis: number): string => (1000 * millis).toFixed(2);

console.log("     rows      bytes   floor us  import us   ratio");
const ratios: number[] = [];
let missed = false;
for (const rows of ROWS) {
  const batch = await batchOf(rows);
  const source = tablesOf(batch);
  const tables = recipe([0, 1, 2, 3, 4].map((table) => source.table(table)));
  // The description is still in the context from the first look.
  const [block] = readBlocks(new Float64Array(context.words.bytes.buffer));
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
      const batches = floor(block!.address, block!.byteLength, tables);
      times.floor.push(performance.now() - started);
      detach(batches);
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
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
