/**
 * What one index costs in memory: the peak of the process, and what is alive on the JavaScript heap afterwards.
 *
 *     memory.ts DIRECTORY INDEX     indexes in this process and prints one row
 *     memory.ts --header            prints the header of the rows
 *     memory.ts --judge             reads rows and says whether the figures grow with the rows of the index
 */

import { readFileSync } from "node:fs";
import process from "node:process";
import { indexWorkspace, stats } from "../mod.ts";

/** Native memory of the chunks in flight and of the store's cache, whatever is indexed, in bytes. */
const PEAK_BOUND = 1024 ** 3;
/** Of the largest index against the smallest: objects that grew with rows would grow by the ratio of their rows. */
const OBJECTS_BOUND = 1.1;

const HEADERS = ["files", "rows", "seconds", "peak MB", "JS heap MB", "JS objects"];
const WIDTH = 11;

const row = (cells: readonly (string | number)[]): string =>
  cells.map((cell) => String(cell).padStart(WIDTH)).join(" ");

/** The largest resident set that this process ever had, in bytes. */
function peak(): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(/VmHWM:\s*(\d+) kB/.exec(status)![1]) * 1024;
}

/** Live bytes and objects on the JavaScript heap, after a full collection. V8 does not count objects: 0. */
async function heap(): Promise<{ bytes: number; objects: number }> {
  // Finalizers run between collections, and what they free goes with the next.
  for (let turn = 0; turn < 5; turn++) {
    (globalThis as unknown as { gc(): void }).gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  if ("Bun" in globalThis) {
    const specifier: string = "bun:jsc";
    const { heapStats } = await import(specifier);
    const { heapSize, objectCount } = heapStats();
    return { bytes: heapSize, objects: objectCount };
  }
  return { bytes: process.memoryUsage().heapUsed, objects: 0 };
}

async function measure(directory: string, out: string): Promise<void> {
  const summary = await indexWorkspace(directory, { out });
  const { bytes, objects } = await heap();
  const { liveLeases, liveJobs, liveStores, bytesViewed } = stats();
  if (liveLeases + liveJobs + liveStores + bytesViewed > 0) {
    throw new Error(`something is alive after the index: ${JSON.stringify(stats())}`);
  }
  const rows = summary.symbols + summary.identifiers + summary.relationships;
  const megabytes = (count: number) => (count / 1e6).toFixed(1);
  console.log(
    row([
      summary.files,
      rows,
      summary.seconds.toFixed(2),
      megabytes(peak()),
      megabytes(bytes),
      objects || "-",
    ]),
  );
}

function judge(table: string): boolean {
  const rows = table.trim().split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  const [first, last] = [rows[0], rows.at(-1)!];
  const growth = (column: number) => last[column] / first[column];
  console.log(
    `  rows grew ${growth(1).toFixed(1)} times, the peak ${growth(3).toFixed(2)} times, ` +
      `the JavaScript heap ${growth(4).toFixed(2)} times (bound ${OBJECTS_BOUND})` +
      (Number.isNaN(last[5])
        ? ""
        : `, its objects ${growth(5).toFixed(2)} times (bound ${OBJECTS_BOUND})`),
  );
  const objectsHold = Number.isNaN(last[5]) || growth(5) <= OBJECTS_BOUND;
  return objectsHold && growth(4) <= OBJECTS_BOUND && last[3] * 1e6 <= PEAK_BOUND;
}

const [first, second] = process.argv.slice(2);
if (first === "--header") console.log(row(HEADERS));
else if (first === "--judge") process.exitCode = judge(readFileSync(0, "utf8")) ? 0 : 1;
else await measure(first, second);
