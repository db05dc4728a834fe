/**
 * Typed errors. Every failure that comes from the library carries a stable `code`; the classes exist for the failures
 * that a caller is likely to tell apart.
 */

/** What went wrong, as a stable string. */
export type ErrorCode =
  /** An argument is out of range or malformed. */
  | "INVALID_ARGUMENT"
  /** A handle names something that was closed. */
  | "STALE_HANDLE"
  /** A table was read after its lease was released. */
  | "LEASE_RELEASED"
  /** Memory could not be reserved. */
  | "OUT_OF_MEMORY"
  /** A result exceeds what one batch may hold; the message names the streaming form. */
  | "BATCH_TOO_LARGE"
  /** The job was cancelled. */
  | "CANCELLED"
  /** A file could not be read or written. */
  | "IO"
  /** An Arrow structure breaks the specification. */
  | "INVALID_ARROW"
  /** A type or combination that this version does not handle. */
  | "UNSUPPORTED"
  /** The index file is damaged, of another format, or used in the wrong order. */
  | "STORE"
  /** Another operation holds the resource. */
  | "BUSY"
  /** A buffer handed to native code was too small (a defect of these bindings). */
  | "BUFFER_TOO_SMALL"
  /** Native code panicked; the call had no effect beyond what the message says. */
  | "PANIC"
  /** The native library could not be loaded. */
  | "LIBRARY_LOAD"
  /** More leased memory is alive than `maxLiveBytes` allows. */
  | "LIVE_BYTES_EXCEEDED"
  /** The status is unknown to this version of the bindings. */
  | "UNKNOWN";

/** The base of every error that Bowstring throws. */
export class BowstringError extends Error {
  /** What went wrong, as a stable string. */
  readonly code: ErrorCode;

  /** Makes an error with a stable code. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BowstringError";
    this.code = code;
  }
}

/** A table, or a batch, was used after its lease was released. */
export class LeaseReleasedError extends BowstringError {
  /** Makes the error; without a message it speaks of reading a table. */
  constructor(message = "this table was read after its lease was released") {
    super("LEASE_RELEASED", message);
    this.name = "LeaseReleasedError";
  }
}

/** A handle names a job, lease, store or context that is closed. */
export class StaleHandleError extends BowstringError {
  /** Makes the error with the library's message. */
  constructor(message: string) {
    super("STALE_HANDLE", message);
    this.name = "StaleHandleError";
  }
}

/** A result does not fit one batch; use the streaming form that the message names. */
export class BatchTooLargeError extends BowstringError {
  /** Makes the error with the library's message. */
  constructor(message: string) {
    super("BATCH_TOO_LARGE", message);
    this.name = "BatchTooLargeError";
  }
}

/** The native library is missing, of another version, for another platform, or not a Bowstring library. */
export class LibraryLoadError extends BowstringError {
  /** Makes the error; the message says what to do. */
  constructor(message: string, options?: ErrorOptions) {
    super("LIBRARY_LOAD", message, options);
    this.name = "LibraryLoadError";
  }
}

/** The codes of the statuses from 16 on, in order; the statuses are those of `bowstring.h`. */
const CODES: readonly ErrorCode[] = [
  "INVALID_ARGUMENT",
  "STALE_HANDLE",
  "LEASE_RELEASED",
  "OUT_OF_MEMORY",
  "BATCH_TOO_LARGE",
  "CANCELLED",
  "IO",
  "INVALID_ARROW",
  "UNSUPPORTED",
  "STORE",
  "BUSY",
  "BUFFER_TOO_SMALL",
  "PANIC",
];

/** Statuses that are not errors. */
export const OK = 0;
/** Nothing yet; ask again after the next wake-up. */
export const PENDING = 1;
/** No more results. */
export const DONE = 2;
/** The first status that is an error. */
export const FIRST_ERROR = 16;
/** The room for a run of elements was too small; the function has written how much it needs. */
export const BUFFER_TOO_SMALL = 27;

/** The typed error for a status and the message that came with it. */
export function errorFromStatus(status: number, message: string): BowstringError {
  const code = CODES[status - FIRST_ERROR] ?? "UNKNOWN";
  switch (code) {
    case "LEASE_RELEASED":
      return new LeaseReleasedError(message);
    case "STALE_HANDLE":
      return new StaleHandleError(message);
    case "BATCH_TOO_LARGE":
      return new BatchTooLargeError(message);
    default:
      return new BowstringError(code, message);
  }
}
