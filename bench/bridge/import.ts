/** Native batches into JavaScript: against the objects that they need at least, and against what programs do without a bridge. */

import { tableFromIPC } from "apache-arrow";
import { readBlocks } from "../../bindings/cdata/import.ts";
import { stats } from "../../mod.ts";
import { detach, floor, rawView, recipe } from "../floor.ts";
import { alternate, compare, type Measured } from "../measure.ts";
import { context, give, importAndLook, native } from "./native.ts";

/** From 10 to 10,000,000 rows. */
const ROWS = [10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];
/** About 64 MiB of the batch. */
export const ROWS_OF_64_MIB = 1_650_000;

/** Import with the default validation, against the floor. */
export async function imports(turns: number): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const rows of ROWS) {
    native.bench_make(rows);
    give();
    const known = importAndLook();
    // The description is still in the context from the look.
    const blocks = readBlocks(new Float64Array(context.words.bytes.buffer));
    const least = recipe([known.value], blocks);
    const copied = stats().bytesCopied;
    const times = await alternate(
      { before: give, run: importAndLook, done: (lease) => lease.release() },
      { run: () => floor(least), done: detach },
      turns,
    );
    if (stats().bytesCopied !== copied) throw new Error("expected no byte to be copied");
    known.release();
    measured.push(compare("import", rows, "objects", times, { bound: 2 }));
  }
  return measured;
}

/** The same data over the IPC format: written by arrow-rs, read by apache-arrow. */
export async function importsByIpc(turns: number): Promise<Measured[]> {
  const rows = ROWS_OF_64_MIB;
  native.bench_make(rows);
  const out = context.runtime.scratch(2 * Float64Array.BYTES_PER_ELEMENT);
  const [address, length] = [
    () => out.view.getFloat64(0, true),
    () => out.view.getFloat64(8, true),
  ];
  const times = await alternate(
    {
      run: () => {
        native.bench_ipc_write(out.bytes);
        const message = rawView(address(), length());
        return { message, batches: tableFromIPC(new Uint8Array(message)).batches };
      },
      done: ({ message }) => {
        message.transfer(0);
        native.bench_ipc_free();
      },
    },
    { before: give, run: importAndLook, done: (lease) => lease.release() },
    turns,
  );
  return [
    compare("Rust IPC + tableFromIPC", rows, "import", times, { bound: 100, atLeast: true }),
  ];
}
