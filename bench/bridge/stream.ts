/** A stream of many small batches, against importing each and three times the producer's own `get_next`. */

import { importStream } from "../../mod.ts";
import { compare, type Measured, turn } from "../measure.ts";
import { give, giveStream, importAndLook, native } from "./native.ts";
import { residentBytes } from "./resident.ts";

const ROWS = 1_000;
const TURN_BATCHES = 1_000;
const GET_NEXT = 3;
/** More than the collector's own coming and going. */
const MAX_GROWTH = 32 * 1024 ** 2;

/** Reads a stream to its end, and says how many microseconds each batch took. */
async function read(batches: number, during?: (batch: number) => void): Promise<number> {
  const stream = importStream(giveStream(batches));
  await stream.schema;
  const started = performance.now();
  let count = 0;
  for await (const lease of stream) {
    lease.value;
    lease.release();
    during?.(++count);
  }
  return 1000 * (performance.now() - started) / batches;
}

/** Microseconds to import, look at and release a batch: the mean, as for a stream, so that pauses count on both sides. */
async function importEach(): Promise<number> {
  let sum = 0;
  for (let index = 0; index < TURN_BATCHES; index++) {
    give();
    const started = performance.now();
    importAndLook().release();
    sum += performance.now() - started;
    if (index % 50 === 0) await turn();
  }
  return 1000 * sum / TURN_BATCHES;
}

/** Streams by turns, and one of `batches` during which the process must not grow. */
export async function streams(turns: number, batches: number): Promise<Measured[]> {
  native.bench_make(ROWS);
  const times = { ours: [] as number[], theirs: [] as number[] };
  await read(TURN_BATCHES);
  for (let index = 0; index < turns; index++) {
    times.ours.push(await read(TURN_BATCHES));
    const next = native.bench_get_next(TURN_BATCHES) / 1000;
    times.theirs.push(await importEach() + GET_NEXT * next);
  }
  const against = `import + ${GET_NEXT} get_next`;
  const measured = compare("stream, per batch", ROWS, against, times, { bound: 1 });

  let early = 0;
  await read(batches, (batch) => {
    if (batch === Math.ceil(batches / 4)) early = residentBytes();
  });
  const growth = residentBytes() - early;
  console.log(
    `stream of ${batches} batches: ${
      (growth / 2 ** 20).toFixed(1)
    } MiB more resident than after a quarter of it`,
  );
  if (growth > MAX_GROWTH) throw new Error(`expected at most ${MAX_GROWTH} bytes more`);
  return [measured];
}
