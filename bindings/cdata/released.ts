/**
 * What a released table reads as. A detached typed array is not enough: apache-arrow would read `false`, `null`, `0` or
 * `NaN` from it without a word.
 */

import type { Data, RecordBatch } from "apache-arrow";
import { LeaseReleasedError } from "../errors.ts";

const refuse: PropertyDescriptor = {
  get(): never {
    throw new LeaseReleasedError();
  },
  enumerable: false,
  configurable: true,
};

const RELEASED_DATA: PropertyDescriptorMap = {
  values: refuse,
  valueOffsets: refuse,
  nullBitmap: refuse,
  typeIds: refuse,
  children: refuse,
  dictionary: refuse,
  // Read before any value, and the only thing that is read to make a row of a struct.
  _nullCount: refuse,
};

/** Makes every read through these tables, and through vectors and rows taken from them, throw. */
export function invalidate(batches: readonly RecordBatch[], data: readonly Data[]): void {
  for (const item of data) Object.defineProperties(item, RELEASED_DATA);
  for (const batch of batches) Object.defineProperty(batch, "data", refuse);
}
