/**
 * arrow-js-ffi, which reads the C data interface out of the memory of a WebAssembly module: structs with addresses of 32
 * bits, in one ArrayBuffer. Here they are written there by hand, over the same columns.
 */

import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import type { Data, Field, RecordBatch } from "apache-arrow";
import { alternate, compare, type Measured } from "../measure.ts";
import { give, importAndLook, native, ownBatch } from "./native.ts";

interface Peer {
  parseRecordBatch(buffer: ArrayBuffer, array: number, schema: number, copy: boolean): RecordBatch;
}

const ROWS = [1_000, 100_000];
/** The columns of the batch, by their formats. */
const FORMATS = ["l", "i", "g", "u", "b", "tsm:", "tdD", "C"];
const NULLABLE = 2n;

/** Structs of wasm32 over the columns of a batch. */
class Memory {
  readonly buffer: ArrayBuffer;
  readonly #view: DataView;
  #used = 64;

  constructor(byteLength: number) {
    this.buffer = new ArrayBuffer(byteLength);
    this.#view = new DataView(this.buffer);
  }

  #reserve(byteLength: number): number {
    const at = this.#used;
    this.#used = Math.ceil((at + byteLength) / 64) * 64;
    return at;
  }

  #bytes(bytes: Uint8Array): number {
    const at = this.#reserve(bytes.length);
    new Uint8Array(this.buffer).set(bytes, at);
    return at;
  }

  #text = (text: string): number => this.#bytes(new TextEncoder().encode(`${text}\0`));

  #pointers(addresses: number[]): number {
    return this.#bytes(new Uint8Array(Uint32Array.from(addresses).buffer));
  }

  #longs(at: number, numbers: readonly (number | bigint)[]): void {
    numbers.forEach((number, index) =>
      this.#view.setBigInt64(at + 8 * index, BigInt(number), true)
    );
  }

  /** An ArrowSchema. */
  schema(format: string, name: string, children: number[]): number {
    const at = this.#reserve(48);
    this.#view.setUint32(at, this.#text(format), true);
    this.#view.setUint32(at + 4, this.#text(name), true);
    this.#longs(at + 16, [NULLABLE, children.length]);
    this.#view.setUint32(at + 32, this.#pointers(children), true);
    return at;
  }

  /** An ArrowArray. */
  array(length: number, nullCount: number, buffers: number[], children: number[]): number {
    const at = this.#reserve(64);
    this.#longs(at, [length, nullCount, 0, buffers.length, children.length]);
    this.#view.setUint32(at + 40, this.#pointers(buffers), true);
    this.#view.setUint32(at + 44, this.#pointers(children), true);
    return at;
  }

  column({ length, nullCount, nullBitmap, valueOffsets, values }: Data): number {
    const arrays = [
      nullBitmap ?? new Uint8Array(0),
      valueOffsets,
      values,
    ] as (Uint8Array | undefined)[];
    const buffers = arrays.filter((array) => array !== undefined).map((array) =>
      array.byteLength === 0
        ? 0
        : this.#bytes(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    );
    return this.array(length, nullCount, buffers, []);
  }
}

function inMemory(batch: RecordBatch): { memory: Memory; array: number; schema: number } {
  const { children, length } = batch.data;
  const bytes = children.reduce((sum, child) => sum + child.byteLength, 0);
  const memory = new Memory(2 * bytes + 65_536);
  const array = memory.array(length, 0, [0], children.map((child) => memory.column(child)));
  const fields = batch.schema.fields.map(({ name }: Field, at) =>
    memory.schema(FORMATS[at]!, name, [])
  );
  return { memory, array, schema: memory.schema("+s", "", fields) };
}

/** The same batch by both, which parse the schema, or know it, in the way that is theirs. */
export async function againstArrowJsFfi(turns: number): Promise<Measured[]> {
  const directory = process.env.ARROW_JS_FFI;
  if (!directory) {
    throw new Error("ARROW_JS_FFI names no directory: run this with bench/run bridge");
  }
  const { parseRecordBatch } = createRequire(join(directory, "/"))("arrow-js-ffi") as Peer;
  const measured: Measured[] = [];
  for (const rows of ROWS) {
    native.bench_make(rows);
    const batch = ownBatch();
    const { memory, array, schema } = inMemory(batch);
    const theirs = () => parseRecordBatch(memory.buffer, array, schema, false);
    const found = theirs();
    for (const { name } of batch.schema.fields) {
      const last = rows - 2;
      const [expected, got] = [batch, found].map((from) => `${from.getChild(name)!.get(last)}`);
      if (expected !== got) throw new Error(`${name}: expected ${expected} but found ${got}`);
    }
    const times = await alternate(
      { before: give, run: importAndLook, done: (lease) => lease.release() },
      { run: theirs },
      turns,
    );
    measured.push(compare("import", rows, "arrow-js-ffi", times, { bound: 1 }));
  }
  return measured;
}
