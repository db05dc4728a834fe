/** The foreign producer: makes tables in C, hands them to the library, and knows which of them are still alive. */

import { type ImportOptions, TableLease } from "../../bindings/cdata/lease.ts";
import { currentContext } from "../../bindings/context.ts";
import { type Column, table } from "./columns.ts";
import { compile, open } from "./native.ts";
import { Structs } from "./structs.ts";

const native = await open(compile("producer"), {
  producer_make: ["buffer", "buffer", "void"],
  producer_live: ["buffer", "void"],
  producer_read: ["f64", "u32"],
  producer_move_child: ["buffer", "u32", "buffer", "void"],
  producer_release: ["buffer", "void"],
  producer_stream: ["buffer", "u32", "u32", "u32", "buffer", "void"],
});

const NULLABLE = 2n;
/** The length of a text that is a null pointer. */
const NONE = 0xffffffff;
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
  const { nameBytes = new TextEncoder().encode(column.name), metadata } = column;
  if (nameBytes === null) u32(NONE);
  else bytes(nameBytes);
  if (metadata === undefined) u32(NONE);
  else bytes(metadata);
  i64((column.nullable ? NULLABLE : 0n) | BigInt(column.flags ?? 0));
  i64(BigInt(column.length));
  i64(BigInt(column.nullCount));
  i64(BigInt(column.offset));
  u32(column.buffers.length);
  for (const buffer of column.buffers) {
    u32(buffer === null ? 0 : 1 + (column.misaligned ?? 0));
    bytes(buffer ?? new Uint8Array(0));
  }
  u32(column.children.length);
  for (const child of column.children) describe(child, out);
  u32(column.dictionary ? 1 : 0);
  if (column.dictionary) describe(column.dictionary, out);
}

/** The description of an array, as `producer.c` reads it. */
export function described(column: Column): Uint8Array<ArrayBuffer> {
  const description: number[] = [];
  describe(column, description);
  const bytes = new Uint8Array(new ArrayBuffer(description.length));
  bytes.set(description);
  return bytes;
}

/** Makes an array of any type, as structs that whoever takes them owns. */
export function make(column: Column): Structs {
  const structs = new Structs();
  native.producer_make(described(column), structs.bytes);
  return structs;
}

/** How a stream ends: well, or in an error with such a message, or before its schema is known. */
export const ENDINGS = ["end", "message", "no message", "not UTF-8", "no schema"] as const;

/** Makes a stream that gives one table some times over. */
export function makeStream(
  columns: readonly Column[],
  batches: number,
  ending: (typeof ENDINGS)[number],
): Structs {
  const structs = new Structs(40);
  const description = described(table(columns));
  const { length } = description;
  native.producer_stream(description, length, batches, ENDINGS.indexOf(ending), structs.bytes);
  return structs;
}

/** Takes a child out of an array, as a consumer may. */
export function moveChild(structs: Structs, index: number): Structs {
  const moved = new Structs();
  native.producer_move_child(structs.bytes.subarray(72), index, moved.bytes.subarray(72));
  return moved;
}

/** Releases an array as its consumer, unless that was done. */
export function releaseArray(structs: Structs): void {
  native.producer_release(structs.bytes.subarray(72));
}

/** Makes tables, each given by its columns or by its whole struct, and takes a lease of them. */
export function produce(
  tables: readonly (readonly Column[] | Column)[],
  options: ImportOptions = {},
): TableLease {
  const context = currentContext();
  tables.forEach((content, index) => {
    const { bytes } = make("format" in content ? content : table(content));
    context.tables.bytes.set(bytes, 152 * index);
  });
  return TableLease.take(context, tables.length, options, VALIDATION);
}

function counters(): Float64Array {
  const counters = new Float64Array(new ArrayBuffer(32));
  native.producer_live(new Uint8Array(counters.buffer));
  return counters;
}

/** What a test file before this one left alive in the same process: on purpose, or until it is collected, which may be now. */
const before = counters();

/** What the producer has made and nobody has released. */
export function live(): { buffers: number; arrays: number; schemas: number; streams: number } {
  const now = counters();
  now.forEach((count, at) => before[at] = Math.min(before[at]!, count));
  const [buffers, arrays, schemas, streams] = now.map((count, at) => count - before[at]!);
  return { buffers: buffers!, arrays: arrays!, schemas: schemas!, streams: streams! };
}

/** Nothing is alive. */
export const NOTHING = { buffers: 0, arrays: 0, schemas: 0, streams: 0 } as const;

/** A byte at an address, as native code sees it. */
export function peek(address: number): number {
  return native.producer_read(address);
}

/** A pointer, or an integer of 64 bits, at an address. */
export function peekWord(address: number): number {
  let word = 0;
  for (let byte = 7; byte >= 0; byte--) word = 256 * word + peek(address + byte);
  return word;
}
