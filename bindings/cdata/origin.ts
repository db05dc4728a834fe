/**
 * Where memory and batches that JavaScript has come from: so that what was imported can be exported as it is, with a
 * reference to its lease rather than a claim on an ArrayBuffer that a release would detach.
 */

import type { RecordBatch } from "apache-arrow";
import type { TableLease } from "./lease.ts";

/** A property, since a WeakMap would cost every import more than its ArrayBuffers do. */
const LEASE = Symbol("bowstring lease");
/** As above. */
const ORIGIN = Symbol("bowstring origin");

interface Marked {
  [LEASE]?: number;
  [ORIGIN]?: Origin;
}

/** Notes that an ArrayBuffer shows memory of a lease. */
export function markBuffer(buffer: ArrayBuffer, lease: number): void {
  (buffer as Marked)[LEASE] = lease;
}

/** The handle of the lease whose memory an ArrayBuffer shows; `undefined` for JavaScript's own memory. */
export function leaseOf(buffer: ArrayBufferLike): number | undefined {
  return (buffer as Marked)[LEASE];
}

/** The native table that a batch was made from. */
export interface Origin {
  /** The lease. */
  readonly lease: TableLease;
  /** Which of its tables. */
  readonly index: number;
  /** Whether the batch shows a conversion of the table. */
  readonly converted: boolean;
}

/** Notes what a batch was made from. */
export function markBatch(batch: RecordBatch, origin: Origin): void {
  (batch as Marked)[ORIGIN] = origin;
}

/** What a batch was made from, if it is one of a lease. */
export function originOf(batch: object): Origin | undefined {
  return (batch as Marked)[ORIGIN];
}
