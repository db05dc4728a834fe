/**
 * What it costs to hand a table of weights to the threads that quantize it, however large it is. Run by bench/run.
 *
 *   bench/handover.ts
 *
 * One row of 4, 40 and 400 MB of float32, by turns: as memory of JavaScript's own, and as a leased table, which is what
 * dequantizeArrow gives. Timed is the call of quantizeArrow until it returns its promise; the work that it began is awaited
 * and not timed. No byte of weights may be copied. BENCH_SCALE=small takes fewer turns. Exit code 1 when a bound is missed.
 */

import process from "node:process";
import { Table } from "apache-arrow";
import { dequantizeArrow, type Lease, quantizeArrow, stats } from "../mod.ts";
import { eighths, layerBatch } from "../tests/support/layers.ts";
import { median, quantile, turn } from "./measure.ts";

const MEGABYTES = [4, 40, 400] as const;
const turns = process.env.BENCH_SCALE === "small" ? 15 : 45;
/** The most that the largest may take, against the smallest. */
const MOST_TIMES = 1.5;
/**
 * What is copied of a layer, whatever its size: text and offsets, so that what was checked stays so. A table in JavaScript's
 * memory has one name and the offsets of two columns, and buffers so small are copied on the way out, too, since the
 * runtimes move them; a leased one has the offsets of its shape besides.
 */
const NAME = "layer";
const OFFSETS_BYTES = 2 * Int32Array.BYTES_PER_ELEMENT;
const IN_JAVASCRIPT = 2 * (NAME.length + 2 * OFFSETS_BYTES);
const IN_A_LEASE = NAME.length + 3 * OFFSETS_BYTES;

interface Timed {
  /** Microseconds of each turn. */
  readonly micros: number[];
  /** The most bytes that a turn copied. */
  copied: number;
}

async function handOver(table: Table | Lease<Table>, timed: Timed | undefined): Promise<void> {
  const before = stats().bytesCopied;
  const started = performance.now();
  // One thread, so that there is a core for this one.
  const quantizing = quantizeArrow(table, { bitWidth: 8, statistics: false, threads: 1 });
  const micros = 1000 * (performance.now() - started);
  using _ = await quantizing;
  timed?.micros.push(micros);
  if (timed) timed.copied = Math.max(timed.copied, stats().bytesCopied - before);
}

/** Measures tables of all sizes by turns. True when they are handed over as they have to be. */
async function measure(
  what: string,
  tables: readonly (Table | Lease<Table>)[],
  words: number,
): Promise<boolean> {
  const sizes = tables.map((): Timed => ({ micros: [], copied: 0 }));
  for (let index = -Math.ceil(turns / 4); index < turns; index++) {
    for (const at of tables.keys()) {
      // None always comes behind the same one.
      const size = (at + Math.abs(index)) % tables.length;
      await handOver(tables[size]!, index < 0 ? undefined : sizes[size]);
      await turn();
    }
  }
  sizes.forEach(({ micros, copied }, at) => {
    const [half, most] = [median(micros), quantile(micros, 0.99)].map((it) => it.toFixed(0));
    console.log(
      `${what.padEnd(22)} ${String(MEGABYTES[at]).padStart(6)} ${half!.padStart(8)} ` +
        `${most!.padStart(8)} ${String(copied).padStart(8)}`,
    );
  });
  const ratio = median(sizes.at(-1)!.micros) / median(sizes[0]!.micros);
  const weights = Math.max(...sizes.map(({ copied }) => copied)) - words;
  const met = ratio <= MOST_TIMES && weights <= 0;
  console.log(
    `${what}: ${MEGABYTES.at(-1)} MB take ${ratio.toFixed(2)} times as long as ${
      MEGABYTES[0]
    } MB (at most ${MOST_TIMES}); ${weights} bytes copied beside name and offsets (at most 0): ${
      met ? "ok" : "MISSED"
    }`,
  );
  return met;
}

const tables = MEGABYTES.map((megabytes) =>
  new Table([layerBatch([{ name: NAME, values: eighths(megabytes * 250_000) }])])
);
const leases: Lease<Table>[] = [];
for (const table of tables) {
  using quantized = await quantizeArrow(table, { bitWidth: 8 });
  leases.push(await dequantizeArrow(quantized));
}
console.log(
  `${"".padEnd(22)} ${"MB".padStart(6)} ${"p50 us".padStart(8)} ${"p99 us".padStart(8)} ` +
    "copied".padStart(8),
);
const met = [
  await measure("JavaScript's memory", tables, IN_JAVASCRIPT),
  await measure("a leased table", leases, IN_A_LEASE),
];
for (const lease of leases) lease.release();
if (met.includes(false)) process.exitCode = 1;
