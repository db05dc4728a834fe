/** JavaScript's batches to native code: against keeping their buffers, and against what programs do without a bridge. */

import { type RecordBatch, Table, tableToIPC } from "apache-arrow";
import { exportRecordBatch } from "../../mod.ts";
import { alternate, compare, type Measured } from "../measure.ts";
import { context, native, ownBatch } from "./native.ts";
import { ROWS_OF_64_MIB } from "./import.ts";

const ROWS = [10, 1_000, 100_000, 1_000_000];

/**
 * The least that lending a batch's buffers takes: the address of each, for native code to keep, and a table in which the
 * ArrayBuffers stay reachable under a token.
 */
class Floor {
  readonly #words = context.runtime.scratch(64 * Float64Array.BYTES_PER_ELEMENT);
  readonly #numbers = new Float64Array(this.#words.bytes.buffer);
  readonly #pins = new Map<number, ArrayBufferLike[]>();
  #last = 0;

  pin(batch: RecordBatch): { token: number; pin: number } {
    const buffers: ArrayBufferLike[] = [];
    let count = 0;
    for (const { nullBitmap, valueOffsets, values } of batch.data.children) {
      for (const array of [nullBitmap, valueOffsets, values] as (Uint8Array | undefined)[]) {
        if (array === undefined || array.byteLength === 0) continue;
        this.#numbers[count++] = context.runtime.addressOf(array);
        buffers.push(array.buffer);
      }
    }
    const token = ++this.#last;
    this.#pins.set(token, buffers);
    return { token, pin: native.bench_pin(this.#words.bytes, count) };
  }

  unpin({ token, pin }: { token: number; pin: number }): void {
    native.bench_unpin(pin);
    this.#pins.delete(token);
  }
}

/** Export by borrowing, against the floor. */
export async function exports(turns: number): Promise<Measured[]> {
  const measured: Measured[] = [];
  const floor = new Floor();
  for (const rows of ROWS) {
    native.bench_make(rows);
    const batch = ownBatch();
    const times = await alternate(
      { run: () => exportRecordBatch(batch), done: (exported) => exported.release() },
      { run: () => floor.pin(batch), done: (pinned) => floor.unpin(pinned) },
      turns,
    );
    measured.push(compare("export", rows, "pins", times, { bound: 3 }));
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
