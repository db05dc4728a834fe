/** What a native reader of an ArrowArrayStream is given: tables, record batches, and iterables of them. */

import type { RecordBatch, Table } from "apache-arrow";
import type { ArrowSchema } from "../arrow.ts";
import { BowstringError } from "../errors.ts";
import type { Address } from "./addresses.ts";
import type { ExportOptions } from "./exporter.ts";
import { asBatch, asTable, isSchema } from "./foreign.ts";
import type { Lease } from "./lease.ts";
import { type BatchSource, type ExportedStream, exportStream, exportTable } from "./stream_out.ts";

/**
 * Record batches for a native reader: a record batch, a table, or anything that gives record batches one after the other,
 * such as what a query gives. A lease that is given itself stays the caller's; one that a stream gives is released when its
 * batch has been taken over.
 */
export type IngestSource =
  | RecordBatch
  | Table
  | Lease<RecordBatch>
  | Lease<Table>
  | BatchSource;

/** How a source is exported. */
export interface InputOptions extends ExportOptions {
  /** The schema of all batches, where the source does not say and gives none. */
  readonly schema?: ArrowSchema;
  /** The address of an `ArrowArrayStream` of the caller's; see `StreamExportOptions`. */
  readonly into?: Address;
}

/** A stream for a reader, and what ends it before its source does. */
export interface Input {
  /** The stream, for its reader to take. */
  readonly stream: ExportedStream;
  /** What the source threw, if it did. */
  readonly failure: { readonly reason: unknown } | undefined;
  /** Makes whoever reads the stream fail, even while its source is being waited for. */
  stop(reason: unknown): void;
}

class SourceInput implements Input {
  readonly stream: ExportedStream;
  failure: { readonly reason: unknown } | undefined;
  readonly #stoppable: StoppableSource | undefined;

  constructor(stream: ExportedStream, stoppable?: StoppableSource) {
    this.stream = stream;
    this.#stoppable = stoppable;
    stream.finished.catch((reason) => this.failure = { reason });
  }

  stop(reason: unknown): void {
    this.#stoppable?.stop(reason);
  }
}

/** Exports what is all there already. */
export function exportNow(source: IngestSource, options: InputOptions): ExportedStream | undefined {
  const value = isLease(source) ? source.value : source;
  if (isTable(value)) return exportTable(asTable(value) as unknown as Table, options);
  if (isBatch(value)) {
    const batch = asBatch(value);
    const table = { schema: batch.schema, batches: [batch] };
    return exportTable(table as unknown as Table, options);
  }
  return undefined;
}

/** Exports a source of which the schema is known without waiting. */
export function exportSource(source: IngestSource, options: InputOptions): Input {
  const stream = exportNow(source, options);
  if (stream) return new SourceInput(stream);
  const batches = source as BatchSource;
  if (!isAsync(batches)) {
    if (typeof batches?.[Symbol.iterator] !== "function") throw notASource(source);
    return new SourceInput(exportStream(batches, options));
  }
  const known = options.schema ?? (batches as { schema?: unknown }).schema;
  if (!isSchema(known)) {
    throw new BowstringError(
      "INVALID_ARGUMENT",
      "an async source of parameters needs a property schema",
    );
  }
  const stoppable = new StoppableSource(batches[Symbol.asyncIterator]());
  const schema = known as unknown as ArrowSchema;
  return new SourceInput(exportStream(stoppable, { ...options, schema }), stoppable);
}

/** Exports any source. Waits for the schema of an async one: for its property, or else for its first batch. */
export async function exportAnySource(
  source: IngestSource,
  options: InputOptions,
): Promise<Input> {
  const batches = source as BatchSource;
  if (exportable(source) || !isAsync(batches) || options.schema) {
    return exportSource(source, options);
  }
  const known = await (batches as { schema?: unknown }).schema;
  const iterator = batches[Symbol.asyncIterator]();
  let first: IteratorResult<RecordBatch | Lease<RecordBatch>> | undefined;
  let schema = known;
  if (!isSchema(schema)) {
    first = await iterator.next();
    if (first.done) {
      throw new BowstringError(
        "INVALID_ARGUMENT",
        "the source gave no batches and has no property schema that says what they would be",
      );
    }
    const { value } = first;
    schema = asBatch(isLease(value) ? value.value : value).schema;
  }
  const stoppable = new StoppableSource(iterator, first);
  const exported = exportStream(stoppable, {
    ...options,
    schema: schema as unknown as ArrowSchema,
  });
  return new SourceInput(exported, stoppable);
}

/** An async source that can be ended although it is being waited for. */
class StoppableSource implements AsyncIterable<RecordBatch | Lease<RecordBatch>> {
  readonly #batches: AsyncIterator<RecordBatch | Lease<RecordBatch>>;
  #first: IteratorResult<RecordBatch | Lease<RecordBatch>> | undefined;
  #stopped: { readonly reason: unknown } | undefined;
  #reject: ((reason: unknown) => void) | undefined;

  constructor(
    batches: AsyncIterator<RecordBatch | Lease<RecordBatch>>,
    first?: IteratorResult<RecordBatch | Lease<RecordBatch>>,
  ) {
    this.#batches = batches;
    this.#first = first;
  }

  stop(reason: unknown): void {
    this.#stopped ??= { reason };
    this.#reject?.(reason);
    if (this.#first && !this.#first.done) releaseLease(this.#first.value);
    this.#first = undefined;
  }

  [Symbol.asyncIterator](): AsyncIterator<RecordBatch | Lease<RecordBatch>> {
    return {
      next: () => this.#next(),
      return: () => {
        // Not awaited: a generator that is in the middle of something would not answer before it is through with that.
        this.#batches.return?.().catch(() => {});
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  #next(): Promise<IteratorResult<RecordBatch | Lease<RecordBatch>>> {
    if (this.#stopped) return Promise.reject(this.#stopped.reason);
    if (this.#first) {
      const first = this.#first;
      this.#first = undefined;
      return Promise.resolve(first);
    }
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      this.#batches.next().then((result) => {
        this.#reject = undefined;
        // Nobody is there to take it any more.
        if (this.#stopped && !result.done) releaseLease(result.value);
        resolve(result);
      }, reject);
    });
  }
}

function releaseLease(item: unknown): void {
  if (isLease(item)) item.release();
}

function exportable(source: IngestSource): boolean {
  const value = isLease(source) ? source.value : source;
  return isTable(value) || isBatch(value);
}

/** Also of what is no object, and so has no operator `in`. */
function isAsync(source: BatchSource): source is Extract<BatchSource, AsyncIterable<unknown>> {
  return typeof (source as Partial<AsyncIterable<unknown>> | null | undefined)
    ?.[Symbol.asyncIterator] === "function";
}

function isTable(value: unknown): boolean {
  return Array.isArray((value as { batches?: unknown } | null)?.batches);
}

function isBatch(value: unknown): boolean {
  const { schema, data } = (value ?? {}) as { schema?: unknown; data?: unknown };
  return isSchema(schema) && typeof data === "object" && data !== null && !Array.isArray(data);
}

function isLease(item: unknown): item is Lease<RecordBatch | Table> {
  const lease = item as Partial<Lease<RecordBatch>> | null | undefined;
  return typeof lease?.release === "function" && typeof lease.hold === "function";
}

function notASource(source: unknown): BowstringError {
  return new BowstringError(
    "INVALID_ARGUMENT",
    `expected a record batch, a table, a lease of one or an iterable of record batches but found ${typeof source}`,
  );
}
