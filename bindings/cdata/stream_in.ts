/** Streams of other libraries: an ArrowArrayStream as an async iterable of record batches. */

import { type RecordBatch, type Schema, Table } from "apache-arrow";
import type { ArrowSchema } from "../arrow.ts";
import { currentContext } from "../context.ts";
import { BowstringError } from "../errors.ts";
import { Job } from "../job.ts";
import { type Address, type ArrowImportOptions, importFlags, toAddress } from "./addresses.ts";
import {
  checkImportOptions,
  type Hold,
  type Lease,
  RecordBatchLease,
  type TableLease,
} from "./lease.ts";

/** How a stream is read. */
export interface StreamOptions extends ArrowImportOptions {
  /** Stops the reading. What waits for a batch then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Record batches that native code produces on a thread of its own, a few ahead of their reader. Each batch is the
 * reader's to release. Read it once; leaving the loop, also by `break` or `throw`, stops the producer.
 */
export interface RecordBatchStream extends AsyncIterable<Lease<RecordBatch>>, AsyncDisposable {
  /** The schema of all batches. Rejects when the producer fails before it gives one. */
  readonly schema: Promise<ArrowSchema>;
  /** Stops the producer. What waits for a batch, and every later read, rejects with `reason`. */
  cancel(reason?: unknown): void;
}

/** Reads a job whose first result has the schema and no rows. `wrap` makes what is given out of each other result. */
export class JobStream<T extends Lease<RecordBatch> = Lease<RecordBatch>>
  implements RecordBatchStream {
  readonly #job: Job;
  readonly #wrap: (tables: TableLease) => T;
  #schema: Promise<Schema> | undefined;

  constructor(job: Job, wrap: (tables: TableLease) => T) {
    this.#job = job;
    this.#wrap = wrap;
  }

  /** One whose results are nothing but record batches. */
  static ofBatches(job: Job): JobStream {
    return new JobStream(job, (tables) => new RecordBatchLease(tables));
  }

  get schema(): Promise<Schema> {
    return this.#schema ??= this.#readSchema();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    try {
      await this.schema;
      for (;;) {
        const tables = await this.#job.next(true);
        if (tables === undefined) return;
        yield this.#wrap(tables);
      }
    } finally {
      this.#job.close();
    }
  }

  /** Reads everything; each element is the caller's to release. Releases what it has read when it throws. */
  async readAll(): Promise<{ schema: Schema; leases: TableLease[] }> {
    const leases: TableLease[] = [];
    try {
      const schema = await this.schema;
      for (;;) {
        const tables = await this.#job.next(true);
        if (tables === undefined) return { schema, leases };
        leases.push(tables);
      }
    } catch (reason) {
      for (const lease of leases) lease.release();
      throw reason;
    } finally {
      this.#job.close();
    }
  }

  cancel(reason?: unknown): void {
    this.#job.cancel(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#job.close();
    return Promise.resolve();
  }

  async #readSchema(): Promise<Schema> {
    const first = await this.#job.next(true);
    if (first === undefined) {
      throw new BowstringError("CANCELLED", "this stream was closed before its schema was read");
    }
    const { schema } = first.plan(0);
    first.release();
    return schema;
  }
}

function start(address: Address, options: StreamOptions): JobStream {
  const stream = toAddress(address, "ArrowArrayStream");
  const context = currentContext();
  const { native, handle, out, error } = context;
  try {
    checkImportOptions(context, options);
    const flags = importFlags(options);
    return JobStream.ofBatches(
      new Job(
        context,
        options,
        () => native.bow_stream_import(handle, stream, flags, out.pointer, error.pointer),
      ),
    );
  } catch (reason) {
    // The struct is taken over whatever happens; one that was already is not released again.
    native.bow_stream_release(stream, null);
    throw reason;
  }
}

/**
 * Imports an `ArrowArrayStream`. The struct is moved from: its `release` is null afterwards, also when this throws. It is
 * read on a native thread.
 *
 * @example
 * ```ts
 * import { exportStream, importStream } from "@bowstring/bowstring";
 * import { tableFromArrays } from "apache-arrow";
 *
 * using exported = exportStream(tableFromArrays({ id: Int32Array.of(1, 2, 3) }).batches);
 * const stream = importStream(exported.address);
 * for await (const batch of stream) {
 *   console.log(batch.value.numRows); // 3
 *   batch.release();
 * }
 * ```
 *
 * @param address Of the struct, which this takes over.
 */
export function importStream(address: Address, options: StreamOptions = {}): RecordBatchStream {
  return start(address, options);
}

/** The first tables of some leases, as one table. */
export class TableOfLeases implements Lease<Table> {
  readonly byteLength: number;
  readonly #schema: Schema;
  readonly #leases: readonly TableLease[];
  #table: Table | undefined;

  constructor(schema: Schema, leases: readonly TableLease[]) {
    this.#schema = schema;
    this.#leases = leases;
    this.byteLength = leases.reduce((sum, lease) => sum + lease.byteLength, 0);
  }

  get value(): Table {
    return this.#table ??= new Table(
      this.#schema,
      this.#leases.map((lease) => lease.table(0)),
    );
  }

  get released(): boolean {
    return this.#leases.some((lease) => lease.released);
  }

  release(): void {
    for (const lease of this.#leases) lease.release();
    if (this.released) this.#table = undefined;
  }

  hold(): Hold {
    const holds = this.#leases.map((lease) => lease.hold());
    const release = () => {
      for (const hold of holds) hold.release();
    };
    return { release, [Symbol.dispose]: release };
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/**
 * Imports an `ArrowArrayStream` as a `Table` of all its batches, under one lease. The struct is moved from: its `release`
 * is null afterwards, also when this throws. It is read on a native thread.
 *
 * @example
 * ```ts
 * import { exportTable, importTable } from "@bowstring/bowstring";
 * import { tableFromArrays } from "apache-arrow";
 *
 * using exported = exportTable(tableFromArrays({ id: Int32Array.of(1, 2, 3) }));
 * using lease = await importTable(exported.address);
 * console.log(lease.value.numRows); // 3
 * ```
 *
 * @param address Of the struct, which this takes over.
 */
export async function importTable(
  address: Address,
  options: StreamOptions = {},
): Promise<Lease<Table>> {
  const { schema, leases } = await start(address, options).readAll();
  return new TableOfLeases(schema, leases);
}
