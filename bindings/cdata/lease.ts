/**
 * Leases: native memory in use by JavaScript.
 *
 * A lease is counted natively and starts with one reference. As long as nobody looked at its memory, the `TableLease`
 * owns that reference, and a registry watches the `TableLease`. The first look makes an ArrayBuffer for each block, and from
 * then on those own it: what keeps the memory alive is exactly what can read it. `release` takes the reference back at once,
 * collection some time later.
 */

import { type Data, type RecordBatch, Vector } from "apache-arrow";
import { STATUS } from "../abi.ts";
import { type Context, Room, TABLE_SIZE } from "../context.ts";
import { BowstringError, LeaseReleasedError } from "../errors.ts";
import type { TablePointer, View } from "../runtime.ts";
import {
  importArrays,
  type ImportedArray,
  makeBatch,
  readBlocks,
  readTotalBytes,
} from "./import.ts";
import { markBatch, markBuffer } from "./origin.ts";
import { invalidate } from "./released.ts";
import { addPlan, type ArrayPlan, planFor } from "./schema.ts";
import type { SchemaJson } from "./schema_json.ts";

/** How tables come over from native memory. */
export interface ImportOptions {
  /**
   * `true` copies the tables into memory that belongs to JavaScript: they can be kept, transferred to a worker, and read
   * after `release()`. `false`, the default, shows native memory without copying, for as long as the lease lasts. Under
   * Deno the default needs `--allow-ffi` without a path; with a path only `true` works.
   */
  readonly copy?: boolean;
  /**
   * What happens under Deno to native memory whose tables were garbage-collected without a release. `"free"`, the
   * default, frees it. `"leak"` keeps it and counts it in `stats().leaks`: safe even if a buffer was moved with
   * `structuredClone` or `postMessage`, which Deno cannot notice at collection. Bun notices, and always frees.
   */
  readonly onCollect?: "free" | "leak";
  /**
   * The most bytes of leased memory that may be alive in this isolate, 2 GiB by default. Above it the library lets
   * finalizers run before it takes another result, and throws `LIVE_BYTES_EXCEEDED` if that frees too little.
   */
  readonly maxLiveBytes?: number;
}

/** A claim that keeps native memory from being freed while something else still reads it. */
export interface Hold extends Disposable {
  /** Gives the claim up. Doing so again has no effect. */
  release(): void;
}

/** One or more tables in native memory, lent to JavaScript. */
export interface Lease<T> extends Disposable {
  /** The tables. Throws `LeaseReleasedError` after `release`. */
  readonly value: T;
  /** The size of the tables in native memory, in bytes. */
  readonly byteLength: number;
  /** Whether `release` was called. */
  readonly released: boolean;
  /**
   * Gives the memory back: every view of it becomes empty at once, and reading the tables throws `LeaseReleasedError`.
   * Doing so again has no effect. Tables that were copied are not taken away.
   */
  release(): void;
  /** Keeps the memory from being freed until the hold is released, whatever happens to the lease. */
  hold(): Hold;
}

/** Throws if these options cannot work here: better before a job starts than at its first result. */
export function checkImportOptions(context: Context, options: ImportOptions): void {
  if (!options.copy && !context.runtime.canView) {
    throw new BowstringError(
      "UNSUPPORTED",
      "Deno shows native memory only to programs that run with --allow-ffi without a path: " +
        "run with that, or pass { copy: true }",
    );
  }
}

/** Leases that were dropped before anybody looked at their tables. */
const abandoned = new FinalizationRegistry<{ context: Context; handle: number }>(
  ({ context, handle }) => context.native.bow_lease_release(context.handle, handle, null),
);

/** Tables in native memory. All tables of one lease are released together. */
export class TableLease {
  readonly #context: Context;
  readonly #handle: number;
  readonly #leak: boolean;
  #state: "unread" | "read" | "copied" | "released" = "unread";
  /** Whether the registry knows of this. */
  #watched = false;
  #view: View | undefined;
  #arrays: ImportedArray[] = [];
  #batches: RecordBatch[] = [];
  #vectors: Vector[] = [];
  #data: Data[] = [];
  /** Known from the first look. */
  #byteLength: number | undefined;

  /**
   * Takes over the first `count` tables in `context.tables`, by the flags of the C ABI. Nothing native remains when it
   * throws.
   */
  static take(
    context: Context,
    count: number,
    options: ImportOptions,
    flags: number,
  ): TableLease {
    const { native, handle, tables, out, error } = context;
    context.check(
      native.bow_lease_import(handle, tables.pointer, count, flags, out.pointer, error.pointer),
    );
    return TableLease.of(context, context.outValue(), options);
  }

  /**
   * Takes over an ArrowSchema and an ArrowArray, by the flags of the C ABI, and looks at them: a lease that waits for that
   * has to be watched, which takes longer. Both are moved, also when it throws.
   */
  static adopt(
    context: Context,
    schema: number,
    array: number,
    options: ImportOptions,
    flags: number,
  ): TableLease {
    if (options.copy) {
      const { native, handle, out, error } = context;
      context.check(
        native.bow_lease_adopt(handle, schema, array, flags, out.pointer, error.pointer),
      );
      return TableLease.of(context, context.outValue(), options);
    }
    const { adoption } = context;
    const lease = new TableLease(context, adoption.take(context, schema, array, flags), options);
    lease.#read(adoption.described());
    return lease;
  }

  /**
   * Takes over the reference that a lease started with, by the lease's handle. Nothing native remains when it throws. `look`
   * says that the tables will be looked at, which is then done at once: a lease that waits for it has to be watched.
   */
  static of(context: Context, handle: number, options: ImportOptions, look = false): TableLease {
    const lease = new TableLease(context, handle, options);
    if (options.copy) lease.#copy();
    else if (look) lease.#read();
    else lease.#watch();
    return lease;
  }

  private constructor(context: Context, handle: number, options: ImportOptions) {
    this.#context = context;
    this.#handle = handle;
    this.#leak = options.onCollect === "leak";
  }

  /** The size of the tables in native memory, in bytes. */
  get byteLength(): number {
    return this.#byteLength ??= readTotalBytes(this.#describe());
  }

  /** Whether `release` was called. */
  get released(): boolean {
    return this.#state === "released";
  }

  /** Table `index`. The first look at anything of the lease imports all of it. */
  table(index: number): RecordBatch {
    const { plan, data } = this.#array(index);
    let batch = this.#batches[index];
    if (batch === undefined) {
      batch = this.#batches[index] = makeBatch(plan.schema, data);
      // A copy has no original any more.
      if (this.#state === "read") {
        markBatch(batch, { lease: this, index, converted: plan.converted });
      }
    }
    return batch;
  }

  /** Array `index`, whatever its type. */
  vector(index: number): Vector {
    const { data } = this.#array(index);
    return this.#vectors[index] ??= new Vector([data]);
  }

  /** What is known of the type of array `index`. */
  plan(index: number): ArrayPlan {
    return this.#array(index).plan;
  }

  #array(index: number): ImportedArray {
    if (this.#state === "released") throw new LeaseReleasedError();
    if (this.#state === "unread") this.#read();
    return this.#arrays[index]!;
  }

  /** Gives the tables back. Doing so again has no effect. */
  release(): void {
    if (this.#state === "released" || this.#state === "copied") return;
    this.#byteLength = this.byteLength;
    this.#state = "released";
    // Tables that nobody looked at have no batch: they are holes.
    invalidate(this.#batches.filter((batch) => batch !== undefined), this.#data);
    this.#batches = [];
    this.#vectors = [];
    this.#arrays = [];
    this.#data = [];
    this.#giveBack();
  }

  /** Keeps the memory from being freed until the hold is released. */
  hold(): Hold {
    if (this.#state === "released") {
      throw new LeaseReleasedError("this lease was released, so its memory can no longer be held");
    }
    if (this.#state === "copied") return COPIED_HOLD;
    return new NativeHold(this.#context, this.#handle);
  }

  /**
   * Writes the original arrays of the first `count` tables to `context.tables`. Each holds a reference of its own, so
   * whoever takes them need not know what becomes of this lease. Nothing is left there when it throws.
   */
  export(count: number): void {
    if (this.#state === "released") throw new LeaseReleasedError();
    if (this.#state === "copied") {
      throw new BowstringError(
        "UNSUPPORTED",
        "a batch imported with { copy: true } cannot be passed back to native code: import it without",
      );
    }
    const { native, handle, runtime, tables, out } = this.#context;
    const { address } = tables;
    for (let index = 0; index < count; index++) {
      const status = this.exportTo(index, runtime.tableAt(address + index * TABLE_SIZE));
      if (status === STATUS.OK) continue;
      // Those already written hold references: a lease of their own gives them up.
      if (
        native.bow_lease_import(handle, tables.pointer, index, 0, out.pointer, null) === STATUS.OK
      ) {
        native.bow_lease_release(handle, this.#context.outValue(), null);
      }
      this.#context.check(status);
    }
  }

  /** Writes the original of one table to a struct, and returns the status. */
  exportTo(index: number, table: TablePointer): number {
    const { native, handle, error } = this.#context;
    return native.bow_lease_export(handle, this.#handle, index, table, error.pointer);
  }

  /** Sees to it that the reference is given up when this is collected, as long as this is what owns it. */
  #watch(): void {
    abandoned.register(this, { context: this.#context, handle: this.#handle }, this);
    this.#watched = true;
  }

  #unwatch(): void {
    if (this.#watched) abandoned.unregister(this);
    this.#watched = false;
  }

  /**
   * Moves ownership of the memory from this object to ArrayBuffers, and builds the tables over those. `described` is the
   * description if it is known.
   */
  #read(described?: Float64Array): void {
    try {
      const words = described ?? this.#describe();
      this.#byteLength = readTotalBytes(words);
      const blocks = readBlocks(words);
      if (blocks.length > 0) {
        this.#view = this.#context.viewer.show(this.#handle, blocks, this.#leak);
        this.#unwatch();
        for (const buffer of this.#view.buffers) markBuffer(buffer, this.#handle);
      } else if (!this.#watched) {
        this.#watch();
      }
      this.#import(words, this.#view?.buffers ?? []);
      this.#state = "read";
    } catch (reason) {
      this.#state = "released";
      this.#giveBack();
      throw reason;
    }
  }

  /** Copies the blocks into memory of JavaScript's own, and gives the native memory back, also when it throws. */
  #copy(): void {
    const { native, handle, error, runtime } = this.#context;
    try {
      const words = this.#describe();
      this.#byteLength = readTotalBytes(words);
      const buffers = readBlocks(words).map(({ byteLength }, block) => {
        const { bytes, pointer } = runtime.scratch(byteLength);
        this.#context.check(
          native.bow_lease_copy(handle, this.#handle, block, pointer, byteLength, error.pointer),
        );
        return bytes.buffer;
      });
      this.#import(words, buffers);
      this.#data = [];
      this.#state = "copied";
    } finally {
      this.#giveBack();
    }
  }

  #import(words: Float64Array, buffers: readonly ArrayBuffer[]): void {
    let schemas: SchemaJson[] | undefined;
    const { arrays, data, bytesCopied } = importArrays(
      words,
      buffers,
      (fingerprint, table) =>
        planFor(fingerprint) ??
          addPlan(fingerprint, (schemas ??= this.#readSchemas())[table]!),
    );
    this.#arrays = arrays;
    this.#data = data;
    if (bytesCopied > 0) {
      const { native, handle, error } = this.#context;
      native.bow_lease_report(handle, 0, 0, bytesCopied, error.pointer);
    }
  }

  /** The words of the description; the next description of any lease overwrites them. */
  #describe(): Float64Array {
    const { native, handle, out, error, words } = this.#context;
    const lease = this.#handle;
    words.fill(
      this.#context,
      (room, capacity) =>
        native.bow_lease_describe(handle, lease, room, capacity, out.pointer, error.pointer),
    );
    return words.numbers;
  }

  #readSchemas(): SchemaJson[] {
    const { native, handle, out, error, runtime } = this.#context;
    const text = new Room(runtime, 1, 1 << 16);
    const length = text.fill(
      this.#context,
      (room, capacity) =>
        native.bow_lease_schemas(handle, this.#handle, room, capacity, out.pointer, error.pointer),
    );
    return JSON.parse(new TextDecoder().decode(text.bytes.subarray(0, length)));
  }

  /** Gives up the reference, whoever owns it. */
  #giveBack(): void {
    if (this.#view) {
      this.#view.release();
      this.#view = undefined;
    } else {
      this.#unwatch();
      this.#context.native.bow_lease_release(this.#context.handle, this.#handle, null);
    }
  }
}

/** The one array of a lease, as what it is. */
abstract class SingleLease<T> implements Lease<T> {
  /** The lease behind it. */
  protected readonly tables: TableLease;

  constructor(tables: TableLease) {
    this.tables = tables;
  }

  abstract get value(): T;

  get byteLength(): number {
    return this.tables.byteLength;
  }

  get released(): boolean {
    return this.tables.released;
  }

  release(): void {
    this.tables.release();
  }

  hold(): Hold {
    return this.tables.hold();
  }

  [Symbol.dispose](): void {
    this.tables.release();
  }
}

/** One table, as a lease of its own. */
export class RecordBatchLease extends SingleLease<RecordBatch> {
  get value(): RecordBatch {
    return this.tables.table(0);
  }
}

/** One array, as a lease of its own. */
export class VectorLease extends SingleLease<Vector> {
  get value(): Vector {
    return this.tables.vector(0);
  }
}

/** Copied memory needs no hold: it is JavaScript's. */
const COPIED_HOLD: Hold = { release() {}, [Symbol.dispose]() {} };

class NativeHold implements Hold {
  readonly #context: Context;
  readonly #lease: number;
  #released = false;

  constructor(context: Context, lease: number) {
    context.check(
      context.native.bow_lease_retain(context.handle, lease, context.error.pointer),
    );
    this.#context = context;
    this.#lease = lease;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#context.native.bow_lease_release(this.#context.handle, this.#lease, null);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
