/** The native side: arrow-rs, which makes the batches and takes them back (bench/native). */

import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { RecordBatch } from "apache-arrow";
import { importRecordBatch, type Lease } from "../../mod.ts";
import { STRUCTS } from "../../bindings/abi.ts";
import { currentContext } from "../../bindings/context.ts";
import type { Scratch } from "../../bindings/runtime.ts";
import { open } from "../../tests/support/native.ts";
import { root } from "../../tests/support/process.ts";

const target = process.env.CARGO_TARGET_DIR || join(root, "target");
const path = join(target, "release", "libbowstring_bench.so");
if (!existsSync(path)) {
  throw new Error(`${path} is missing: cargo build --release --package bowstring-bench`);
}

/** The library's functions. */
export const native = await open(path, {
  bench_make: ["u32", "f64"],
  bench_give: ["buffer", "void"],
  bench_take: ["f64", "f64", "f64"],
  bench_ipc_write: ["buffer", "void"],
  bench_ipc_free: ["void"],
  bench_ipc_read: ["buffer", "u32", "f64"],
  bench_stream: ["u32", "buffer", "void"],
  bench_get_next: ["u32", "f64"],
  bench_pin: ["buffer", "u32", "f64"],
  bench_unpin: ["f64", "void"],
});

/** The bindings' context. */
export const context = currentContext();

const { bow_table: TABLE, ArrowArrayStream: STREAM } = STRUCTS;

/** Room for a table and for a stream, whose addresses do not change. */
const table: Scratch = context.runtime.scratch(TABLE.size);
const stream: Scratch = context.runtime.scratch(STREAM.size);
const schema = table.address + TABLE.offsets.schema;
const array = table.address + TABLE.offsets.array;
const streamAddress = stream.address;

/** Puts fresh structs of the batch where `importGiven` takes them from. */
export const give = (): void => void native.bench_give(table.bytes);

/** Imports what `give` gave. */
export function importGiven(options: { copy?: boolean } = {}): Lease<RecordBatch> {
  return importRecordBatch(schema, array, options);
}

/** Imports what `give` gave, and looks at it. */
export function importAndLook(): Lease<RecordBatch> {
  const lease = importGiven();
  lease.value;
  return lease;
}

/** The address of a stream of so many times the batch. */
export function giveStream(batches: number): number {
  native.bench_stream(batches, stream.bytes);
  return streamAddress;
}

/** The batch in memory of JavaScript's own. */
export function ownBatch(): RecordBatch {
  give();
  return importGiven({ copy: true }).value;
}
