/** Reading a column that was imported, against one that belongs to JavaScript. */

import type { Vector } from "apache-arrow";
import { alternate, compare, type Measured } from "../measure.ts";
import { give, importGiven, native, ownBatch } from "./native.ts";

const ROWS = 300_000;

/** By `get`, which looks at the validity bitmap too. */
function scanNumbers(vector: Vector): number {
  let sum = 0;
  for (let row = 0; row < vector.length; row++) sum += vector.get(row) ?? 0;
  return sum;
}

function scanTexts(vector: Vector): number {
  let sum = 0;
  for (let row = 0; row < vector.length; row++) sum += vector.get(row)?.length ?? 0;
  return sum;
}

/** By the typed array. */
function scanArray(vector: Vector): number {
  const values = vector.data[0]!.values as Float64Array;
  let sum = 0;
  for (let row = 0; row < values.length; row++) sum += values[row]!;
  return sum;
}

const SCANS: readonly [string, string, (vector: Vector) => number][] = [
  ["scan float64 by get", "price", scanNumbers],
  ["scan float64 array", "price", scanArray],
  ["scan utf8 by get", "name", scanTexts],
];

/** Scans of both. */
export async function scans(turns: number): Promise<Measured[]> {
  native.bench_make(ROWS);
  const own = ownBatch();
  give();
  using lease = importGiven();
  const measured: Measured[] = [];
  for (const [name, column, scan] of SCANS) {
    const [imported, owned] = [lease.value.getChild(column)!, own.getChild(column)!];
    if (scan(imported) !== scan(owned)) throw new Error(`${name}: expected the same values`);
    const times = await alternate(
      { run: () => scan(imported) },
      { run: () => scan(owned) },
      turns,
    );
    measured.push(compare(name, ROWS, "JavaScript's own", times, { bound: 1.05 }));
  }
  return measured;
}
