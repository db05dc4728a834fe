/** The words of C structs, for tests that look at them. */

import { importArray } from "../../mod.ts";
import { type Column, fixed } from "./columns.ts";
import { make, peekWord } from "./producer.ts";
import { plainVector } from "./values.ts";

/** Fields of an ArrowArray, by their offsets. */
export const ARRAY = {
  length: 0,
  nullCount: 8,
  offset: 16,
  bufferCount: 24,
  buffers: 40,
  children: 48,
};
/** Fields of an ArrowSchema. */
export const SCHEMA = { name: 8, metadata: 16, flags: 24, children: 40 };

/** The word at an offset of a struct. */
export const word = (address: number, field: number) => peekWord(address + field);
/** The address of a child, by the offset of the list of them. */
export const child = (address: number, field: number, index: number) =>
  peekWord(word(address, field) + 8 * index);
/** The address of a buffer of an ArrowArray. */
export const buffer = (array: number, index: number) =>
  peekWord(word(array, ARRAY.buffers) + 8 * index);

/** A column of int32. */
export const int32 = (values: readonly (number | null)[], lead = 0) =>
  fixed("i", Int32Array, values, { lead });

/** What is read of a column, which is then released. */
export function read(column: Column): unknown[] {
  const { schema, array } = make(column);
  using lease = importArray(schema, array, { validate: "full" });
  return plainVector(lease.value);
}
