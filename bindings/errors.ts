/**
 * Typed errors. Every failure that comes from the library carries a stable `code`; the classes exist for the failures
 * that a caller is likely to tell apart.
 */

import { STATUS } from "./abi.ts";

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
  /** A database's driver failed. */
  | "ADBC"
  /** A layer cannot be quantized. */
  | "LAYER"
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

/** A database's driver failed. */
export class AdbcError extends BowstringError {
  /** The ADBC status, without its prefix: `INVALID_ARGUMENT`, `NOT_FOUND`, `ALREADY_EXISTS`, `IO` and so on. */
  readonly status: string;
  /** The database's own code, if the driver gave one. */
  readonly vendorCode: number | undefined;
  /** The SQLSTATE of SQL:2003, five characters, if the driver gave one. */
  readonly sqlState: string | undefined;

  /** Makes the error of what the library says: a line for programs, then the driver's message. */
  constructor(text: string) {
    const [, status = "UNKNOWN", code = "0", sqlState = "-", message = text] =
      /^(\w+) (-?\d+) (\w{5}|-)\n([^]*)$/.exec(text) ?? [];
    super("ADBC", message);
    this.name = "AdbcError";
    this.status = status;
    this.vendorCode = code === "0" ? undefined : Number(code);
    this.sqlState = sqlState === "-" ? undefined : sqlState;
  }
}

/** A layer cannot be quantized, or a quantized one not be read. */
export class LayerError extends BowstringError {
  /** The name of the layer, if it is not null; when the error was thrown, at most its first 256 characters. */
  readonly layer: string;
  /** Its row, counted over the whole input. */
  readonly row: number;
  /**
   * Which element is meant, if one is: of the weights, in the row-major order of the tensor, or of the column that the message
   * names.
   */
  readonly index: number | undefined;

  /** Makes the error of its parts. */
  constructor(message: string, row: number, layer: string, index?: number) {
    super("LAYER", message);
    this.name = "LayerError";
    this.layer = layer;
    this.row = row;
    this.index = index;
  }

  /** Makes the error of what the library says: a line of JSON for programs, then the message. */
  static of(text: string): LayerError {
    const end = text.indexOf("\n");
    const { row, layer, index } = JSON.parse(text.slice(0, end));
    return new LayerError(text.slice(end + 1), row, layer, index ?? undefined);
  }
}

/** The first status that is an error. */
const FIRST_ERROR = STATUS.INVALID_ARGUMENT;

/** The codes are the names of the statuses. */
const CODES: ReadonlyMap<number, ErrorCode> = new Map(
  Object.entries(STATUS)
    .filter(([, status]) => status >= FIRST_ERROR)
    .map(([name, status]) => [status, name as ErrorCode]),
);

/** Whether a status is an error. */
export function isError(status: number): boolean {
  return status >= FIRST_ERROR;
}

/** The typed error for a status and the message that came with it. */
export function errorFromStatus(status: number, message: string): BowstringError {
  switch (status) {
    case STATUS.LEASE_RELEASED:
      return new LeaseReleasedError(message);
    case STATUS.STALE_HANDLE:
      return new StaleHandleError(message);
    case STATUS.ADBC:
      return new AdbcError(message);
    case STATUS.LAYER:
      return LayerError.of(message);
    case STATUS.BATCH_TOO_LARGE:
      return new BatchTooLargeError(message);
    default:
      return new BowstringError(CODES.get(status) ?? "UNKNOWN", message);
  }
}
