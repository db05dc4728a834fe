/** Values of apache-arrow in a form that can be compared: what `get` gives, without its classes. */

import { MapRow, StructRow, Vector } from "apache-arrow";

/** A number of some 32-bit words, little-endian, in two's complement. */
function integer(words: Uint32Array): bigint {
  let value = 0n;
  words.forEach((word, index) => value |= BigInt(word) << BigInt(32 * index));
  return BigInt.asIntN(32 * words.length, value);
}

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("").toUpperCase();

/** A value without apache-arrow's classes. 64-bit integers and decimals are strings, bytes hexadecimal. */
export function plainValue(value: unknown): unknown {
  if (typeof value === "bigint") return `${value}`;
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return hex(value);
  if (value instanceof Int32Array) return [...value];
  if (value instanceof Uint32Array) return `${integer(value)}`;
  if (value instanceof Vector) return plainVector(value);
  if (value instanceof MapRow || value instanceof StructRow) {
    return [...(value as Iterable<[unknown, unknown]>)].map((
      [key, item],
    ) => [plainValue(key), plainValue(item)]);
  }
  throw new TypeError(`a value of an unknown class: ${String(value)}`);
}

/** All values of a vector. */
export function plainVector(vector: Vector): unknown[] {
  return Array.from({ length: vector.length }, (_, index) => plainValue(vector.get(index)));
}
