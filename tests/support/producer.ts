/** The foreign producer: makes tables in C, hands them to the library, and knows which of them are still alive. */

import { type ImportOptions, TableLease } from "../../bindings/cdata/lease.ts";
import { currentContext } from "../../bindings/context.ts";
import { type Column, table } from "./columns.ts";
import { compile, open } from "./native.ts";

const native = await open(compile("producer"), {
  producer_make: ["buffer", "buffer", "void"],
  producer_live: ["buffer", "void"],
  producer_read: ["f64", "u32"],
});

const NULLABLE = 2n;
/** Tables from outside are checked in full. */
const VALIDATION = 3;

/** Writes the description that `producer_make` reads. */
function describe(column: Column, out: number[]): void {
  const u32 = (value: number) => out.push(...new Uint8Array(new Uint32Array([value]).buffer));
  const i64 = (value: bigint) => out.push(...new Uint8Array(new BigInt64Array([value]).buffer));
  const bytes = (value: Uint8Array) => {
    u32(value.length);
    for (const byte of value) out.push(byte);
  };
  bytes(new TextEncoder().encode(column.format));
  bytes(new TextEncoder().encode(column.name));
  i64(column.nullable ? NULLABLE : 0n);
  i64(BigInt(column.length));
  i64(BigInt(column.nullCount));
  i64(BigInt(column.offset));
  u32(column.buffers.length);
  for (const buffer of column.buffers) {
    u32(buffer === null ? 0 : 1);
    bytes(buffer ?? new Uint8Array(0));
  }
  u32(column.children.length);
  for (const child of column.children) describe(child, out);
}

/** Makes tables, each given by its columns or by its whole struct, and takes a lease of them. */
export function produce(
  tables: readonly (readonly Column[] | Column)[],
  options: ImportOptions = {},
): TableLease {
  const context = currentContext();
  tables.forEach((content, index) => {
    const description: number[] = [];
    describe("format" in content ? content : table(content), description);
    const struct = new Uint8Array(new ArrayBuffer(152));
    const input = new Uint8Array(new ArrayBuffer(description.length));
    input.set(description);
    native.producer_make(input, struct);
    context.tables.bytes.set(struct, 152 * index);
  });
  return TableLease.take(context, tables.length, options, VALIDATION);
}

function counters(): Float64Array {
  const counters = new Float64Array(new ArrayBuffer(24));
  native.producer_live(new Uint8Array(counters.buffer));
  return counters;
}

/** What a test file before this one left alive in the same process, on purpose. */
const before = counters();

/** What the producer has made and nobody has released. */
export function live(): { buffers: number; arrays: number; schemas: number } {
  const [buffers, arrays, schemas] = counters().map((count, at) => count - before[at]!);
  return { buffers: buffers!, arrays: arrays!, schemas: schemas! };
}

/** Nothing is alive. */
export const NOTHING = { buffers: 0, arrays: 0, schemas: 0 } as const;

/** A byte at an address, as native code sees it. */
export function peek(address: number): number {
  return native.producer_read(address);
}
