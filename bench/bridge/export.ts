/** JavaScript's batches to native code: against keeping their buffers, and against what programs do without a bridge. */

import { type RecordBatch, Table, tableToIPC } from "apache-arrow";
import { type ExportedArray, exportRecordBatch } from "../../mod.ts";
import { alternate, compare, type Measured, turn } from "../measure.ts";
import { context, native, ownBatch } from "./native.ts";
import { ROWS_OF_64_MIB } from "./import.ts";

const ROWS = [10, 1_000, 100_000, 1_000_000];

/**
 * The least that lending a batch's buffers takes: where each is and how long, for native code to keep, and a table in which
 * the ArrayBuffers stay reachable under a token, which native code gives back. Small buffers it copies, as it does in an
 * export: where they are holds for one call only.
 */
class Floor {
  readonly #words = context.runtime.scratch(64 * Float64Array.BYTES_PER_ELEMENT);
  readonly #numbers = new Float64Array(this.#words.bytes.buffer);
  readonly #pins = new Map<number, ArrayBufferLike[]>();
  #last = 0;

  pin(batch: RecordBatch): number {
    const buffers: ArrayBufferLike[] = [];
    let count = 0;
    for (const { nullBitmap, valueOffsets, values } of batch.data.children) {
      for (const array of [nullBitmap, valueOffsets, values] as (Uint8Array | undefined)[]) {
        if (array === undefined || array.byteLength === 0) continue;
        buffers.push(array.buffer);
        this.#numbers[2 * count] = context.runtime.addressOf(array);
        this.#numbers[2 * count + 1] = array.byteLength;
        count++;
      }
    }
    const token = ++this.#last;
    this.#pins.set(token, buffers);
    return native.bench_pin(this.#words.bytes, count, token);
  }

  unpin(pin: number): void {
    native.bench_unpin(pin);
    this.#pins.delete(native.bench_released());
  }
}

/** Export by borrowing, against the floor. */
export async function exports(turns: number): Promise<Measured[]> {
  const measured: Measured[] = [];
  const floor = new Floor();
  const sides = ROWS.map((rows) => {
    native.bench_make(rows);
    const batch = ownBatch();
    return {
      ours: {
        run: () => exportRecordBatch(batch),
        done: (exported: ExportedArray) => exported.release(),
      },
      theirs: { run: () => floor.pin(batch), done: (pinned: number) => floor.unpin(pinned) },
    };
  });
  // Small buffers take another way than large ones, and code that meets the other is compiled anew.
  for (let index = 0; index < turns; index++) {
    const { ours, theirs } = sides[index % sides.length]!;
    ours.done(ours.run());
    theirs.done(theirs.run());
    if (index % 50 === 0) await turn();
  }
  for (const [index, { ours, theirs }] of sides.entries()) {
    const times = await alternate(ours, theirs, turns);
    measured.push(compare("export", ROWS[index]!, "pins", times, { bound: 3 }));
  }
  return measured;
}

/** The same data over the IPC format: written by apache-arrow, read by arrow-rs. */
export async function exportsByIpc(turns: number): Promise<Measured[]> {
  const rows = ROWS_OF_64_MIB;
  native.bench_make(rows);
  const batch = ownBatch();
  const table = new Table([batch]);
  const times = await alternate(
    {
      run: () => {
        const message = tableToIPC(table) as Uint8Array<ArrayBuffer>;
        return native.bench_ipc_read(message, message.byteLength);
      },
    },
    {
      run: () => {
        const exported = exportRecordBatch(batch);
        native.bench_take(exported.schema, exported.array);
        exported.release();
      },
    },
    turns,
  );
  return [compare("tableToIPC + Rust read", rows, "export + Rust import", times)];
}
