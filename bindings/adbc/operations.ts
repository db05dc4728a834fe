/** Operations of a connection: what they are told, and the jobs that do them. */

import { STRUCTS } from "../abi.ts";
import type { ExportedStream } from "../cdata/stream_out.ts";
import type { TableLease } from "../cdata/lease.ts";
import type { Context } from "../context.ts";
import { encodeOptions, finish, Job, type JobOptions } from "../job.ts";
import { BowstringError } from "../errors.ts";

/**
 * Options of a driver's own, by the names that its documentation gives. Booleans are the texts `true` and `false` of ADBC;
 * whole numbers and other numbers go to the driver as such, and as text to one that takes only text.
 */
export type DriverOptions = Readonly<Record<string, string | number | boolean>>;

const { bow_adbc_request: REQUEST } = STRUCTS;

/** A result of one row needs no view of native memory, and jobs without tables no budget for leased memory. */
const SMALL: JobOptions = { copy: true, maxLiveBytes: Infinity };

/** The jobs of one connection. */
export class Operations {
  readonly #context: Context;
  readonly #connection: number;
  /** Weakly: a stream that was dropped ends when it is collected. */
  #jobs: WeakRef<Job>[] = [];

  constructor(context: Context, connection: number) {
    this.#context = context;
    this.#connection = connection;
  }

  /** Starts an operation. The stream is native code's afterwards, also when this throws. */
  start(operation: object, options: JobOptions, input?: ExportedStream): Job {
    try {
      const job = new Job(
        this.#context,
        options,
        () => input ? this.#startWith(operation, input) : this.#start(operation),
      );
      this.#jobs = this.#jobs.filter((known) => known.deref()?.closed === false);
      this.#jobs.push(new WeakRef(job));
      return job;
    } finally {
      input?.release();
    }
  }

  /** Does an operation that has one small result, or none. */
  run(
    operation: object,
    { signal }: { signal?: AbortSignal | undefined } = {},
    input?: ExportedStream,
  ): Promise<TableLease | undefined> {
    return finish(this.start(operation, signal ? { ...SMALL, signal } : SMALL, input));
  }

  /** Cancels all that run or wait; the last one first, so that nothing begins when what it waits for is stopped. */
  cancel(reason: unknown): void {
    const jobs = this.#jobs;
    this.#jobs = [];
    for (const job of jobs.reverse()) job.deref()?.cancel(reason);
  }

  /** Closes the connection, after cancelling all that run or wait. */
  async close(): Promise<void> {
    this.cancel(new BowstringError("CANCELLED", "the connection was closed"));
    const { native, handle, out, error } = this.#context;
    await finish(
      new Job(
        this.#context,
        SMALL,
        () => native.bow_adbc_close(handle, this.#connection, out.pointer, error.pointer),
      ),
    );
  }

  #start(operation: object): number {
    const { native, handle, out, error } = this.#context;
    const { pointer, bytes } = encodeOptions(this.#context, operation);
    return native.bow_adbc_start(
      handle,
      this.#connection,
      pointer,
      bytes.length,
      out.pointer,
      error.pointer,
    );
  }

  #startWith(operation: object, input: ExportedStream): number {
    const { native, handle, out, error, runtime } = this.#context;
    const options = encodeOptions(this.#context, operation);
    const { view, pointer } = runtime.scratch(REQUEST.size);
    view.setUint32(REQUEST.offsets.size, REQUEST.size, true);
    view.setUint32(REQUEST.offsets.options_length, options.bytes.length, true);
    view.setBigUint64(REQUEST.offsets.options, BigInt(options.address), true);
    view.setBigUint64(REQUEST.offsets.input, BigInt(input.address), true);
    return native.bow_adbc_start_with(
      handle,
      this.#connection,
      pointer,
      out.pointer,
      error.pointer,
    );
  }
}
