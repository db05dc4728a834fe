/** Arrow data of other libraries, at the addresses where they left the structs of the C data interface. */

import type { RecordBatch } from "apache-arrow";
import { CONSTANTS } from "../abi.ts";
import type { ArrowSchema, ArrowVector } from "../arrow.ts";
import { type Context, currentContext, Room } from "../context.ts";
import { type Address, type ArrowImportOptions, importFlags, toAddress } from "./addresses.ts";
import {
  checkImportOptions,
  type Lease,
  RecordBatchLease,
  TableLease,
  VectorLease,
} from "./lease.ts";
import { type ArrayPlan, compile } from "./schema.ts";

/**
 * Imports an `ArrowSchema` that describes a table: a struct whose children are the columns. The struct is moved from: its
 * `release` is null afterwards, also when this throws.
 *
 * @example
 * ```ts
 * import { exportSchema, importSchema } from "@bowstring/bowstring";
 * import { Field, Schema, Utf8 } from "apache-arrow";
 *
 * using exported = exportSchema(new Schema([new Field("name", new Utf8(), true)]));
 * const schema = importSchema(exported.address);
 * console.log(schema.fields[0]?.name); // name
 * ```
 *
 * @param address Of the struct, which this takes over.
 * @returns The schema, which is JavaScript's own.
 */
export function importSchema(
  address: Address,
  options: Pick<ArrowImportOptions, "strict"> = {},
): ArrowSchema {
  return readSchema(currentContext(), toAddress(address, "ArrowSchema"), options).schema;
}

function readSchema(
  context: Context,
  address: number,
  options: Pick<ArrowImportOptions, "strict">,
): ArrayPlan {
  const { native, out, error, runtime } = context;
  try {
    const flags = importFlags(options);
    const text = new Room(runtime, 1, 1 << 16);
    const length = text.fill(
      context,
      (room, capacity) =>
        native.bow_schema_read(address, flags, room, capacity, out.pointer, error.pointer),
    );
    return compile(JSON.parse(new TextDecoder().decode(text.bytes.subarray(0, length))));
  } finally {
    native.bow_schema_release(address, null);
  }
}

function adopt(
  schema: Address,
  array: Address,
  options: ArrowImportOptions,
  flags: number,
): TableLease {
  const context = currentContext();
  const schemaAddress = toAddress(schema, "ArrowSchema");
  const arrayAddress = toAddress(array, "ArrowArray");
  let allFlags: number;
  try {
    checkImportOptions(context, options);
    allFlags = importFlags(options) | flags;
  } catch (reason) {
    // The structs are taken over whatever happens.
    context.native.bow_schema_release(schemaAddress, null);
    context.native.bow_array_release(arrayAddress, null);
    throw reason;
  }
  return TableLease.adopt(context, schemaAddress, arrayAddress, options, allFlags);
}

/**
 * Imports an `ArrowSchema` and an `ArrowArray` of any type as a `Vector`. Both structs are moved from: their `release` is
 * null afterwards, also when this throws.
 *
 * @example
 * ```ts
 * import { exportArray, importArray } from "@bowstring/bowstring";
 * import { vectorFromArray } from "apache-arrow";
 *
 * using exported = exportArray(vectorFromArray([1.5, null, 2.5]));
 * using lease = importArray(exported.schema, exported.array);
 * console.log(lease.value.get(2)); // 2.5
 * ```
 *
 * @param schema The address of the `ArrowSchema`.
 * @param array The address of the `ArrowArray`.
 * @returns A lease of native memory, or with `{ copy: true }` of memory of JavaScript's own.
 */
export function importArray(
  schema: Address,
  array: Address,
  options: ArrowImportOptions = {},
): Lease<ArrowVector> {
  return new VectorLease(adopt(schema, array, options, CONSTANTS.IMPORT_ANY));
}

/**
 * Imports an `ArrowSchema` and an `ArrowArray` of a struct as a `RecordBatch`. Both structs are moved from: their
 * `release` is null afterwards, also when this throws. A struct with null rows or an offset is no record batch: import
 * it with {@link importArray}.
 *
 * @example
 * ```ts
 * import { exportRecordBatch, importRecordBatch } from "@bowstring/bowstring";
 * import { tableFromArrays } from "apache-arrow";
 *
 * const table = tableFromArrays({ id: Int32Array.of(1, 2, 3) });
 * using exported = exportRecordBatch(table.batches[0]!);
 * using lease = importRecordBatch(exported.schema, exported.array);
 * console.log(lease.value.numRows); // 3
 * ```
 *
 * @param schema The address of the `ArrowSchema`.
 * @param array The address of the `ArrowArray`.
 * @returns A lease of native memory, or with `{ copy: true }` of memory of JavaScript's own.
 */
export function importRecordBatch(
  schema: Address,
  array: Address,
  options: ArrowImportOptions = {},
): Lease<RecordBatch> {
  return new RecordBatchLease(adopt(schema, array, options, 0));
}
