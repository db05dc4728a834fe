/** Ends the process in one of the ways that its first argument names. The second is a workspace. */

import process from "node:process";
import { currentContext } from "../../bindings/context.ts";
import { extractFilesToArrow, extractWorkspace, indexWorkspace } from "../../mod.ts";

const [way, path] = process.argv.slice(2) as [keyof typeof WAYS, string];
const options = { chunkRows: 2_000 };
const held: unknown[] = [];

async function holdBatches(count: number): Promise<void> {
  for await (const batch of extractWorkspace(path, options)) {
    held.push(batch, batch.symbols, batch.identifiers);
    if (held.length >= 3 * count) break;
  }
}

const WAYS = {
  "leases, normal end": () => holdBatches(3),
  "leases, process.exit": async () => {
    await holdBatches(3);
    process.exit(0);
  },
  "leases, uncollected, exit after collection": async () => {
    await holdBatches(3);
    held.length = 0;
    (globalThis as { gc?: () => void }).gc?.();
    process.exit(0);
  },
  "idle job, normal end": () => {
    held.push(extractWorkspace(path, options));
  },
  "idle job after one batch, normal end": async () => {
    const iterator = extractWorkspace(path, options)[Symbol.asyncIterator]();
    held.push(iterator, await iterator.next());
  },
  "running job, process.exit": async () => {
    const iterator = extractWorkspace(path, options)[Symbol.asyncIterator]();
    held.push(await iterator.next(), iterator.next());
    process.exit(0);
  },
  "waiting job, process.exit from a timer": () => {
    held.push(extractWorkspace(path)[Symbol.asyncIterator]().next());
    setTimeout(() => process.exit(0), 10);
  },
  "aborted job, normal end": () => {
    const controller = new AbortController();
    const reading = extractWorkspace(path, { signal: controller.signal })
      [Symbol.asyncIterator]().next();
    setTimeout(() => controller.abort(), 10);
    reading.catch(({ name }) => console.log(name));
  },
  "wait taken back, normal end": () => {
    const context = currentContext();
    const waiter = { onEvent() {} };
    context.wait(waiter);
    context.unwait(waiter);
  },
  "pending job keeps the process": () => {
    extractFilesToArrow(["source/file00000.ts"], path).then((batch) =>
      console.log(`${batch.fileData.numRows} file`)
    );
  },
  "index, process.exit": async () => {
    indexWorkspace(path, { out: `${path}/exit.db` }).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.exit(0);
  },
};

await WAYS[way]();
console.log("end of the program");
