/**
 * What a released table reads as. A detached typed array is not enough: apache-arrow would read `false`, `null`, `0` or
 * `NaN` from it without a word.
 */

import type { Data, RecordBatch } from "apache-arrow";
import { LeaseReleasedError } from "../errors.ts";

function refuse(): never {
  throw new LeaseReleasedError();
}

/**
 * Stands where a buffer or the children were, and throws at whatever is done with it. It is assigned, which is a hundred
 * times cheaper than defining getters in its place, and leaves the objects as fast to allocate and to read as before
 * (docs/decisions/0005-released-tables.md).
 */
const RELEASED = new Proxy(Object.freeze({}), {
  get: refuse,
  set: refuse,
  has: refuse,
  deleteProperty: refuse,
  defineProperty: refuse,
  getOwnPropertyDescriptor: refuse,
  getPrototypeOf: refuse,
  setPrototypeOf: refuse,
  isExtensible: refuse,
  preventExtensions: refuse,
  ownKeys: refuse,
}) as never;

/** What `Data` reads its rows from. */
interface Readable {
  values: unknown;
  valueOffsets: unknown;
  nullBitmap: unknown;
  typeIds: unknown;
  children: unknown;
  dictionary: unknown;
  variadicBuffers: unknown;
  _nullCount: number;
}

/** Makes every read through these tables, and through vectors and rows taken from them, throw. */
export function invalidate(batches: readonly RecordBatch[], data: readonly Data[]): void {
  for (const item of data) {
    const readable = item as unknown as Readable;
    readable.values = RELEASED;
    readable.valueOffsets = RELEASED;
    readable.nullBitmap = RELEASED;
    readable.typeIds = RELEASED;
    readable.children = RELEASED;
    readable.dictionary = RELEASED;
    readable.variadicBuffers = RELEASED;
    // Unknown, so that the bitmap is looked at before any row is made: a row of a struct is made without reading one.
    readable._nullCount = -1;
  }
  for (const batch of batches) (batch as { data: Data }).data = RELEASED;
}
