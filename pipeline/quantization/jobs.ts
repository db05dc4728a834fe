/** The jobs behind quantization and its inverse: what goes in as a `bow_value`, what comes out, and how it is stopped. */

import type { RecordBatch, Schema, Table } from "apache-arrow";
import { CONSTANTS, STRUCTS } from "../../bindings/abi.ts";
import type { ArrowSchema } from "../../bindings/arrow.ts";
import { exporterOf } from "../../bindings/cdata/exporter.ts";
import { asBatch, asTable } from "../../bindings/cdata/foreign.ts";
import { checkImportOptions, type Lease, type TableLease } from "../../bindings/cdata/lease.ts";
import { exportAnySource, type IngestSource, type Input } from "../../bindings/cdata/source.ts";
import { JobStream } from "../../bindings/cdata/stream_in.ts";
import { exportTable } from "../../bindings/cdata/stream_out.ts";
import { type Context, currentContext } from "../../bindings/context.ts";
import { BowstringError } from "../../bindings/errors.ts";
import { finish, Job } from "../../bindings/job.ts";
import type { Scratch, TablePointer } from "../../bindings/runtime.ts";
import { withProgress } from "../progress.ts";
import { nativeOptions, type QuantizationProgress, type QuantizeOptions } from "./options.ts";

/** The function that starts a job. */
export type Operation = "bow_quantize_start" | "bow_dequantize_start";

/**
 * A running quantization, or its inverse. Iterate it once for its batches, one for each of the source, in order; leaving the
 * loop early stops it. It begins when it is first read, runs on native threads, and gets at most three batches ahead.
 */
export interface LayerStream<T extends Lease<RecordBatch>>
  extends AsyncIterable<T>, AsyncDisposable {
  /** The schema of all batches. Asking for it begins the work. */
  readonly schema: Promise<ArrowSchema>;
  /** How far it has come; also after the end. */
  progress(): QuantizationProgress;
  /**
   * Stops it within milliseconds. A read that waits, and every later one, rejects with `reason`, or else with `CANCELLED`,
   * when native code has let go of what the source gave.
   */
  cancel(reason?: unknown): void;
}

const { bow_value: VALUE } = STRUCTS;
const NOTHING: QuantizationProgress = {
  layersTotal: 0,
  valuesTotal: 0,
  layersDone: 0,
  valuesDone: 0,
};

/** In a job's state, files are layers and their sizes numbers of values. */
function progressOf(job: Job): QuantizationProgress {
  const { filesTotal, bytesTotal, filesDone, bytesDone } = job.progress();
  return {
    layersTotal: filesTotal,
    valuesTotal: bytesTotal,
    layersDone: filesDone,
    valuesDone: bytesDone,
  };
}

/** Room for an input, which native code takes over. */
class InputValue {
  readonly #context: Context;
  readonly #scratch: Scratch;

  constructor(context: Context) {
    this.#context = context;
    // First, since it tells plainly that permissions allow no addresses.
    exporterOf(context);
    this.#scratch = context.runtime.scratch(VALUE.size);
  }

  /** Where a stream, or a table, is written. */
  get address(): number {
    return this.#scratch.address + VALUE.offsets.content;
  }

  get #table(): TablePointer {
    return this.#context.runtime.tableAt(this.address);
  }

  /** Writes a record batch. */
  write(batch: RecordBatch): void {
    exporterOf(this.#context).batch(asBatch(batch), {}, this.#table);
  }

  /** Starts a job. Nothing is left in the input, also when this throws. */
  start(operation: Operation, kind: "table" | "stream", options: QuantizeOptions): Job {
    const context = this.#context;
    const { native, handle, out, error } = context;
    const { view, pointer } = this.#scratch;
    try {
      checkImportOptions(context, options);
      const { pointer: json, bytes } = nativeOptions(context, options);
      const value = kind === "table" ? CONSTANTS.VALUE_TABLE : CONSTANTS.VALUE_STREAM;
      view.setUint32(VALUE.offsets.kind, value, true);
      return new Job(
        context,
        options,
        () => native[operation](handle, pointer, json, bytes.length, out.pointer, error.pointer),
        // Whoever is told that it was stopped may write to the weights.
        "awaited",
      );
    } catch (reason) {
      this.release(kind);
      throw reason;
    }
  }

  /** Releases what native code has not taken. */
  release(kind: "table" | "stream"): void {
    const { native } = this.#context;
    if (kind === "stream") native.bow_stream_release(this.address, null);
    else native.bow_table_move(this.#table, 0, 0, null);
  }
}

/** Tells the caller how far a job is, if that is asked for. */
export function progressReporter(
  job: Job,
  { onProgress }: QuantizeOptions,
): (() => void) | undefined {
  return onProgress && (() => onProgress(progressOf(job)));
}

function valueOf<T>(input: T | Lease<T>): T {
  const lease = input as Partial<Lease<T>> | null | undefined;
  return typeof lease?.hold === "function" ? (input as Lease<T>).value : input as T;
}

/** Does one batch. */
export function runBatch<T extends Disposable>(
  operation: Operation,
  input: RecordBatch | Lease<RecordBatch>,
  options: QuantizeOptions,
  wrap: (tables: TableLease) => T,
): Promise<T> {
  options.signal?.throwIfAborted();
  const value = new InputValue(currentContext());
  value.write(valueOf(input));
  const job = value.start(operation, "table", options);
  const work = async () => wrap((await finish(job))!);
  return withProgress(progressReporter(job, options), (reason) => job.cancel(reason), work);
}

/** Does all batches of a table. */
export function runTable<T extends Disposable>(
  operation: Operation,
  input: Table | Lease<Table>,
  options: QuantizeOptions,
  wrap: (schema: Schema, leases: readonly TableLease[]) => T,
): Promise<T> {
  options.signal?.throwIfAborted();
  const value = new InputValue(currentContext());
  const table = asTable(valueOf(input)) as unknown as Table;
  exportTable(table, { into: value.address });
  const job = value.start(operation, "stream", options);
  const work = async () => {
    const { schema, leases } = await new JobStream(job, noBatches).readAll();
    return wrap(schema, leases);
  };
  return withProgress(progressReporter(job, options), (reason) => job.cancel(reason), work);
}

/** Of a stream that is read as a whole, nothing is asked for batch by batch. */
function noBatches(): never {
  throw new TypeError("this stream is not iterated");
}

/** A stream that begins when it is first read. */
export class SourceStream<T extends Lease<RecordBatch>> implements LayerStream<T> {
  readonly #operation: Operation;
  readonly #source: IngestSource;
  readonly #options: QuantizeOptions;
  readonly #wrap: (tables: TableLease) => T;
  #begun: Promise<JobStream<T>> | undefined;
  #job: Job | undefined;
  #input: Input | undefined;
  #stopped: { readonly reason: unknown } | undefined;
  /** Ends the wait for the source's first batch. */
  #giveUp: ((reason: unknown) => void) | undefined;
  /** Ends listening to the signal, which goes on from the first read until the stream is stopped or closed, whoever reads. */
  #unlisten: (() => void) | undefined;

  constructor(
    operation: Operation,
    source: IngestSource,
    options: QuantizeOptions,
    wrap: (tables: TableLease) => T,
  ) {
    options.signal?.throwIfAborted();
    this.#operation = operation;
    this.#source = source;
    this.#options = options;
    this.#wrap = wrap;
  }

  get schema(): Promise<ArrowSchema> {
    return this.#failing(async () => await (await this.#begin()).schema);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    try {
      const batches = (await this.#failing(() => this.#begin()))[Symbol.asyncIterator]();
      const report = progressReporter(this.#job!, this.#options);
      const next = async () => {
        const { done, value } = await batches.next();
        return done ? undefined : value;
      };
      for (;;) {
        const batch = await this.#failing(() =>
          withProgress(report, (reason) => this.cancel(reason), next)
        );
        if (batch === undefined) return;
        yield batch;
      }
    } finally {
      await this.#close();
    }
  }

  progress(): QuantizationProgress {
    return this.#job ? progressOf(this.#job) : NOTHING;
  }

  cancel(
    reason: unknown = new BowstringError("CANCELLED", "the quantization was cancelled"),
  ): void {
    this.#unlisten?.();
    if (this.#stopped || this.#job?.closed) return;
    this.#stopped = { reason };
    this.#job?.cancel(reason);
    this.#input?.stop(reason);
    this.#giveUp?.(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }

  async #close(): Promise<void> {
    this.cancel(new BowstringError("CANCELLED", "the stream was closed before its end"));
    await this.#job?.ended();
  }

  /** What the source threw, or why this was stopped, comes before what native code makes of it. */
  async #failing<R>(work: () => Promise<R>): Promise<R> {
    try {
      if (this.#stopped) throw this.#stopped.reason;
      return await work();
    } catch (reason) {
      if (this.#input?.failure) throw this.#input.failure.reason;
      this.#input?.stop(reason);
      throw reason;
    }
  }

  #listen(): void {
    const { signal } = this.#options;
    if (signal === undefined) return;
    const onAbort = () => this.cancel(signal.reason);
    signal.addEventListener("abort", onAbort);
    this.#unlisten = () => {
      signal.removeEventListener("abort", onAbort);
      this.#unlisten = undefined;
    };
  }

  #begin(): Promise<JobStream<T>> {
    return this.#begun ??= this.#start();
  }

  async #start(): Promise<JobStream<T>> {
    this.#options.signal?.throwIfAborted();
    const value = new InputValue(currentContext());
    const exporting = exportAnySource(this.#source, { into: value.address });
    this.#listen();
    try {
      this.#input = await new Promise<Input>((resolve, reject) => {
        this.#giveUp = reject;
        exporting.then(resolve, reject);
      });
      // After the source's answer, but before this heard of it.
      if (this.#stopped) throw this.#stopped.reason;
      this.#job = value.start(this.#operation, "stream", this.#options);
      return new JobStream(this.#job, this.#wrap);
    } catch (reason) {
      this.#unlisten?.();
      // When the source has answered at last, nobody reads on.
      exporting.then((input) => {
        input.stop(reason);
        value.release("stream");
      }, () => {});
      throw reason;
    } finally {
      this.#giveUp = undefined;
    }
  }
}
