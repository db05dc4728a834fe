/**
 * Streams for other libraries: an iterable of record batches as an ArrowArrayStream. Its reader blocks, on a thread of its
 * own, until a batch is there; so batches are pushed from here when the library says that some are wanted.
 */

import type { RecordBatch, Table } from "apache-arrow";
import { setTimeout } from "node:timers";
import { CONSTANTS, STATUS, STRUCTS } from "../abi.ts";
import type { ArrowSchema } from "../arrow.ts";
import { type Context, currentContext, TABLE_SIZE, type Waiter } from "../context.ts";
import { BowstringError } from "../errors.ts";
import type { Scratch } from "../runtime.ts";
import { type Address, toAddress } from "./addresses.ts";
import { exporterOf, type ExportOptions } from "./exporter.ts";
import { asBatch, asSchema, asTable, type ForeignSchema, isSchema } from "./foreign.ts";
import type { Lease } from "./lease.ts";

/** What a stream is made of. A lease that it gives is released as soon as its batch has been exported. */
export type BatchSource =
  | Iterable<RecordBatch | Lease<RecordBatch>>
  | AsyncIterable<RecordBatch | Lease<RecordBatch>>;

/** How a stream is exported, and where to. */
export interface StreamExportOptions extends ExportOptions {
  /**
   * The schema of all batches. By default that of the source, if it has a property `schema`, or that of the first batch;
   * an async source whose schema is not known needs it.
   */
  readonly schema?: ArrowSchema;
  /**
   * The address of an `ArrowArrayStream` of the caller's, who then owns what is exported. By default this allocates one.
   */
  readonly into?: Address;
}

/** An exported stream. */
export interface ExportedStream extends Disposable {
  /** The address of the `ArrowArrayStream`. */
  readonly address: number;
  /**
   * Settles when nothing more will be read from the source: after its end, or when the reader has released the stream.
   * Rejects when the source threw; the reader was given the message.
   */
  readonly finished: Promise<void>;
  /** Releases the struct if nobody has taken it. Doing so again has no effect. */
  release(): void;
}

/** How long, in milliseconds, until a stream asks again whether batches are wanted, if no event says so. */
const SHORTEST_MILLIS = 1;
const LONGEST_MILLIS = 16;

type BatchIterator =
  | Iterator<RecordBatch | Lease<RecordBatch>>
  | AsyncIterator<RecordBatch | Lease<RecordBatch>>;

/** Pushes the batches of one source. It does not keep the process alive: whoever waits for the reader does. */
class Feeder implements Waiter {
  readonly #context: Context;
  readonly #stream: number;
  readonly #table: Scratch;
  readonly #options: ExportOptions;
  #wake: (() => void) | undefined;

  constructor(context: Context, stream: number, options: ExportOptions) {
    this.#context = context;
    this.#stream = stream;
    this.#options = options;
    this.#table = context.runtime.scratch(TABLE_SIZE);
  }

  /** Pushes a batch; `false` when the reader wants no more. */
  push(item: unknown): boolean {
    const context = this.#context;
    const { native, handle, error } = context;
    const { pointer } = this.#table;
    const lease = isLease(item) ? item : undefined;
    try {
      const table = context.runtime.tableAt(this.#table.address);
      exporterOf(context).batch(asBatch(lease ? lease.value : item), this.#options, table);
    } finally {
      lease?.release();
    }
    const status = native.bow_stream_push(handle, this.#stream, pointer, error.pointer);
    return context.check(status) !== STATUS.DONE;
  }

  /** Ends the stream, with an error if there is a message. */
  end(message = ""): void {
    const { native, handle, runtime } = this.#context;
    const bytes = new TextEncoder().encode(message);
    const scratch = runtime.scratch(Math.max(bytes.length, 1));
    scratch.bytes.set(bytes);
    native.bow_stream_end(handle, this.#stream, scratch.pointer, bytes.length, null);
  }

  /** Gives the handle back. */
  close(): void {
    this.#context.native.bow_stream_close(this.#context.handle, this.#stream, null);
  }

  /** Pushes batches as they are wanted, to the end of the source or until the reader has gone. */
  async feed(batches: BatchIterator): Promise<void> {
    this.#context.listen(this);
    let ended = false;
    try {
      while (await this.#wanted()) {
        const next = await batches.next();
        if (next.done) {
          ended = true;
          break;
        }
        if (!this.push(next.value)) break;
      }
      this.end();
    } catch (reason) {
      this.end(reason instanceof Error ? reason.message || reason.name : String(reason));
      throw reason;
    } finally {
      this.#context.unlisten(this);
      this.close();
      if (!ended) await batches.return?.();
    }
  }

  /** Waits until batches are wanted; `false` when none ever will be. */
  async #wanted(): Promise<boolean> {
    const { native, handle, out, error } = this.#context;
    for (let millis = SHORTEST_MILLIS;; millis = Math.min(2 * millis, LONGEST_MILLIS)) {
      const status = native.bow_stream_demand(handle, this.#stream, out.pointer, error.pointer);
      this.#context.check(status);
      if (status !== STATUS.PENDING) return status === STATUS.OK;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, millis).unref();
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  onEvent(): void {
    this.#wake?.();
  }
}

function isLease(item: unknown): item is Lease<RecordBatch> {
  const lease = item as Partial<Lease<RecordBatch>> | null | undefined;
  return typeof lease?.release === "function" && typeof lease.hold === "function";
}

/** Structs that were dropped without a release, and that perhaps nobody has taken. */
const dropped = new FinalizationRegistry<{ context: Context; scratch: Scratch }>(
  ({ context, scratch }) => context.native.bow_stream_release(scratch.address, null),
);

/** A stream in memory of these bindings', or in somebody else's, who then releases it. */
class PushedStream implements ExportedStream {
  readonly address: number;
  readonly finished: Promise<void>;
  readonly #own: { readonly context: Context; readonly scratch: Scratch } | undefined;

  constructor(
    address: number,
    finished: Promise<void>,
    own: { readonly context: Context; readonly scratch: Scratch } | undefined,
  ) {
    this.address = address;
    this.finished = finished;
    this.#own = own;
    // The reader was told; who does not look at the promise need not be told again.
    finished.catch(() => {});
    if (own) dropped.register(this, own, this);
  }

  release(): void {
    if (!this.#own) return;
    const { native, pins } = this.#own.context;
    dropped.unregister(this);
    native.bow_stream_release(this.address, null);
    pins.drain();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** A stream that was made, and what pushes into it. */
interface Opened {
  readonly feeder: Feeder;
  readonly stream: (finished: Promise<void>) => ExportedStream;
  /** Releases the struct, wherever it is. */
  readonly giveUp: () => void;
}

function open(schema: ForeignSchema, options: StreamExportOptions): Opened {
  const context = currentContext();
  const { native, handle, out, error, runtime } = context;
  const registered = exporterOf(context).schema(schema);
  const own = options.into === undefined
    ? { context, scratch: runtime.scratch(STRUCTS.ArrowArrayStream.size) }
    : undefined;
  const address = own ? own.scratch.address : toAddress(options.into!, "ArrowArrayStream");
  const flags = options.restore === false ? 0 : CONSTANTS.BUILD_RESTORE;
  context.check(
    native.bow_stream_export(handle, registered, flags, address, out.pointer, error.pointer),
  );
  return {
    feeder: new Feeder(context, context.outValue(), options),
    stream: (finished) => new PushedStream(address, finished, own),
    giveUp: () => native.bow_stream_release(address, null),
  };
}

function fed(
  schema: ForeignSchema,
  options: StreamExportOptions,
  batches: BatchIterator,
): ExportedStream {
  const { feeder, stream } = open(schema, options);
  return stream(feeder.feed(batches));
}

/**
 * Exports record batches as an `ArrowArrayStream`, which native code may pull from any thread but this one: here its
 * `get_next` would wait for ever, so it answers `EDEADLK`. The source is read as batches are wanted, and told to stop
 * when the reader releases the stream. Batches may be of any copy or version of apache-arrow.
 *
 * The stream does not keep the process alive by itself: await what reads it.
 *
 * @example
 * ```ts
 * import { exportStream, importTable } from "@bowstring/bowstring";
 * import { tableFromArrays } from "apache-arrow";
 *
 * const table = tableFromArrays({ id: Int32Array.of(1, 2, 3) });
 * async function* batches() {
 *   for (let round = 0; round < 4; round++) yield* table.batches;
 * }
 * using exported = exportStream(batches(), { schema: table.schema });
 * using lease = await importTable(exported.address);
 * console.log(lease.value.numRows); // 12
 * ```
 */
export function exportStream(
  source: BatchSource,
  options: StreamExportOptions = {},
): ExportedStream {
  const known = options.schema ?? (source as { schema?: unknown }).schema;
  if (isSchema(known)) {
    return fed(asSchema(known), options, iteratorOf(source));
  }
  if (!(Symbol.iterator in source)) {
    throw new BowstringError(
      "INVALID_ARGUMENT",
      "an async source without a property schema needs the option schema",
    );
  }
  const batches = source[Symbol.iterator]();
  const first = batches.next();
  if (first.done) {
    throw new BowstringError(
      "INVALID_ARGUMENT",
      "the source gave no batches and has no property schema that says what they would be",
    );
  }
  const batch = asBatch(isLease(first.value) ? first.value.value : first.value);
  return fed(batch.schema, options, after(first, batches));
}

function iteratorOf(source: BatchSource): BatchIterator {
  return Symbol.asyncIterator in source
    ? source[Symbol.asyncIterator]()
    : source[Symbol.iterator]();
}

/** An iterator from which one element was taken already. */
function after<T>(taken: IteratorResult<T>, rest: Iterator<T>): Iterator<T> {
  let next: IteratorResult<T> | undefined = taken;
  return {
    next() {
      const result = next ?? rest.next();
      next = undefined;
      return result;
    },
    return(value?: unknown) {
      return rest.return?.(value) ?? { done: true, value };
    },
  };
}

/**
 * Exports a table as an `ArrowArrayStream` of its batches. All of them are exported at once, so that the stream may be
 * read on any thread, this one too. The table may be of any copy or version of apache-arrow.
 *
 * @example
 * ```ts
 * import { exportTable, importStream } from "@bowstring/bowstring";
 * import { tableFromArrays } from "apache-arrow";
 *
 * using exported = exportTable(tableFromArrays({ id: Int32Array.of(1, 2, 3) }));
 * const { fields } = await importStream(exported.address).schema;
 * console.log(fields.length); // 1
 * ```
 */
export function exportTable(
  table: Table,
  options: Omit<StreamExportOptions, "schema"> = {},
): ExportedStream {
  const { schema, batches } = asTable(table);
  const { feeder, stream, giveUp } = open(schema, options);
  try {
    for (const batch of batches) feeder.push(batch);
    feeder.end();
  } catch (reason) {
    giveUp();
    throw reason;
  } finally {
    feeder.close();
  }
  return stream(Promise.resolve());
}
