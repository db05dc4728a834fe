/** What an import adds to the memory of the process, above what its source takes. */

import { readFileSync } from "node:fs";
import { collectGarbage } from "../../tests/support/process.ts";
import { turn } from "../measure.ts";
import { give, importGiven, native } from "./native.ts";

const ROWS = 10_000_000;
const MAX_PART = 0.01;
const PAGE = 4096;

/** The resident memory of this process, in bytes. */
export function residentBytes(): number {
  return Number(readFileSync("/proc/self/statm", "utf8").split(" ")[1]) * PAGE;
}

async function settled(): Promise<number> {
  for (let index = 0; index < 4; index++) {
    collectGarbage();
    await turn();
  }
  return residentBytes();
}

/** How much of the batch an import of it takes; true when that is little enough. */
export async function resident(): Promise<boolean> {
  const bytes = native.bench_make(ROWS);
  const readAll = () => {
    give();
    const lease = importGiven();
    let sum = 0;
    for (const { values } of lease.value.data.children) {
      for (let at = 0; at < values.length; at += 512) sum += Number(values[at]);
    }
    if (!(sum > 0)) throw new Error("expected values");
    return lease;
  };
  // The code is compiled, and every page of the source is there, before anything counts.
  readAll().release();
  const before = await settled();
  const lease = readAll();
  const after = await settled();
  lease.release();
  const part = (after - before) / bytes;
  console.log(
    `resident above the source: ${((after - before) / 2 ** 20).toFixed(2)} MiB for a batch of ` +
      `${(bytes / 2 ** 20).toFixed(0)} MiB: ${(100 * part).toFixed(3)} % (bound ${
        100 * MAX_PART
      } %)`,
  );
  return part < MAX_PART;
}
