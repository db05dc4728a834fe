/**
 * Jobs: long native calls on threads of their own. All runtimes share one protocol. Starting a job gives a handle;
 * results queue up natively, two at most; `bow_job_next` takes one or says that there is none yet; a wake-up says when
 * to ask again; `bow_job_close` stops whatever still runs and frees the rest.
 */

import { setImmediate } from "node:timers";
import { type ImportOptions, TableLease } from "./cdata/lease.ts";
import type { Context, Waiter } from "./context.ts";
import { STATUS, STRUCTS } from "./abi.ts";
import { BowstringError } from "./errors.ts";
import type { Scratch } from "./runtime.ts";
import { stopOnAbort } from "./signal.ts";

/** How far a job has come. The totals are 0 until the job knows them. */
export interface Progress {
  /** Files to process. */
  readonly filesTotal: number;
  /** Their sizes on disk, in bytes. */
  readonly bytesTotal: number;
  /** Files finished, whatever the outcome. */
  readonly filesDone: number;
  /** The sizes on disk of the finished files, in bytes. */
  readonly bytesDone: number;
}

/** What every job takes. */
export interface JobOptions extends ImportOptions {
  /** Stops the job. Reading from it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * What becomes of a job that is cancelled:
 *
 * - `"prompt"`: reads reject at once; the work ends on its own.
 * - `"awaited"`: reads reject when the work has ended, for work that reads memory of the caller's.
 * - `"requested"`: it ends as its work does, badly or, where it was too late, well; for work that leaves something behind.
 */
export type Cancellation = "prompt" | "awaited" | "requested";

const { bow_job_state: STATE } = STRUCTS;

const DEFAULT_MAX_LIVE_BYTES = 2 * 1024 ** 3;
/** How long a reader over its budget waits for finalizers before it gives up: four seconds, in growing steps. */
const COLLECTION_WAITS: readonly number[] = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048];

/** Jobs that were dropped before their end. */
const abandoned = new FinalizationRegistry<{ context: Context; handle: number }>(
  ({ context, handle }) => context.native.bow_job_close(context.handle, handle, null),
);

const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A reader of a stream lets the event loop turn at least this often, in milliseconds, even if batches are always ready. */
const LOOP_MILLIS = 1;

/** A running job whose results are read one at a time. Each result is the caller's to release. */
export class Job implements Waiter {
  readonly #context: Context;
  readonly #handle: number;
  readonly #options: JobOptions;
  readonly #cancellation: Cancellation;
  #failure: { readonly reason: unknown } | undefined;
  /** Why the work was asked to stop, if its end is waited for. */
  #asked: { readonly reason: unknown } | undefined;
  #closed = false;
  /** Reads that wait: one, unless somebody iterates twice at once. */
  #readers: (() => void)[] = [];
  #progress: Progress = { filesTotal: 0, bytesTotal: 0, filesDone: 0, bytesDone: 0 };
  #unlisten: (() => void) | undefined;
  #turned = 0;

  /**
   * Starts a job; `start` calls the native function, which writes the handle to `context.out`. Where `cancellation` is not
   * `"prompt"`, the native job has to be one that is awaited.
   */
  constructor(
    context: Context,
    options: JobOptions,
    start: () => number,
    cancellation: Cancellation = "prompt",
  ) {
    options.signal?.throwIfAborted();
    context.check(start());
    this.#context = context;
    this.#handle = context.outValue();
    this.#options = options;
    this.#cancellation = cancellation;
    abandoned.register(this, { context, handle: this.#handle }, this);
    if (options.signal) this.#unlisten = stopOnAbort(options.signal, this);
  }

  /** Whether it has ended, for whatever reason. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The counters, also after the end. */
  progress(): Progress {
    if (!this.#closed) this.#progress = this.#readProgress();
    return this.#progress;
  }

  /**
   * The next result, or `undefined` after the last. The event loop turns for each, so that timers and finalizers run even
   * if results are always ready. Those of a stream (`streamed`) may be so small that a turn costs more: there it turns
   * once a millisecond. They are looked at at once, too; see `TableLease.of`.
   */
  async next(streamed = false): Promise<TableLease | undefined> {
    if (!streamed || performance.now() - this.#turned > LOOP_MILLIS) {
      await turnOfTheLoop();
      this.#turned = performance.now();
    }
    if (this.#isOverBudget() && !this.#isDiscarding) await this.#respectBudget();
    const { native, handle, out, error } = this.#context;
    for (;;) {
      if (this.#failure) throw this.#failure.reason;
      if (this.#closed) return undefined;
      const status = native.bow_job_lease(handle, this.#handle, out.pointer, error.pointer);
      switch (status) {
        case STATUS.OK: {
          const lease = this.#context.outValue();
          if (!this.#isDiscarding) {
            return TableLease.of(this.#context, lease, this.#options, streamed);
          }
          native.bow_lease_release(handle, lease, null);
          break;
        }
        case STATUS.PENDING:
          await this.#event();
          break;
        case STATUS.DONE:
          if (this.#isDiscarding) this.#fail(this.#asked!.reason);
          else this.close();
          break;
        default:
          try {
            this.#context.check(status);
          } catch (reason) {
            this.#fail(status === STATUS.CANCELLED && this.#asked ? this.#asked.reason : reason);
          }
      }
    }
  }

  /**
   * Stops the job. A read that waits, and every later one, rejects with `reason`; see `Cancellation` for when. No effect
   * after the end.
   */
  cancel(reason: unknown = new BowstringError("CANCELLED", "the job was cancelled")): void {
    if (this.#closed) return;
    if (this.#cancellation === "prompt") return this.#fail(reason);
    if (this.#asked) return;
    this.#asked = { reason };
    this.#context.native.bow_job_cancel(this.#context.handle, this.#handle, null);
    // Also if nobody reads on.
    if (this.#isDiscarding) this.next().catch(() => {});
  }

  /** Waits until it has ended and everything native is free; what it still gives is released. */
  async ended(): Promise<void> {
    while (!this.#closed) await this.next().then((lease) => lease?.release(), () => {});
  }

  /** Stops the job if it still runs and frees everything native. A read that waits, and every later one, ends. */
  close(): void {
    if (this.#closed) return;
    this.#progress = this.#readProgress();
    this.#closed = true;
    this.#unlisten?.();
    abandoned.unregister(this);
    this.#context.native.bow_job_close(this.#context.handle, this.#handle, null);
    this.#context.unwait(this);
    this.onEvent();
  }

  /** Lets the reads that wait look again. */
  onEvent(): void {
    const readers = this.#readers;
    this.#readers = [];
    for (const resolve of readers) resolve();
  }

  get #isDiscarding(): boolean {
    return this.#asked !== undefined && this.#cancellation === "awaited";
  }

  #fail(reason: unknown): void {
    this.#failure = { reason };
    this.close();
  }

  #event(): Promise<void> {
    return new Promise((resolve) => {
      this.#readers.push(resolve);
      this.#context.wait(this);
    });
  }

  /**
   * Leases that nobody released are freed by finalizers, and those need the event loop. Lets them run while too much
   * memory is alive, and refuses to take another result if that does not help.
   */
  async #respectBudget(): Promise<void> {
    for (const millis of COLLECTION_WAITS) {
      if (!this.#isOverBudget() || this.#closed) return;
      this.#context.runtime.collect();
      await new Promise((resolve) => setTimeout(resolve, millis));
    }
    if (!this.#isOverBudget()) return;
    const budget = this.#options.maxLiveBytes ?? DEFAULT_MAX_LIVE_BYTES;
    this.cancel(
      new BowstringError(
        "LIVE_BYTES_EXCEEDED",
        `${this.#context.bytesViewed()} bytes of leased tables are alive, more than maxLiveBytes (${budget}): ` +
          "release batches when done with them, or raise maxLiveBytes",
      ),
    );
  }

  #isOverBudget(): boolean {
    return this.#context.bytesViewed() > (this.#options.maxLiveBytes ?? DEFAULT_MAX_LIVE_BYTES);
  }

  #readProgress(): Progress {
    const { native, handle, runtime, error } = this.#context;
    const { view, pointer } = runtime.scratch(STATE.size);
    view.setUint32(STATE.offsets.size, STATE.size, true);
    this.#context.check(native.bow_job_state(handle, this.#handle, pointer, error.pointer));
    const counter = (name: "files_total" | "bytes_total" | "files_done" | "bytes_done") =>
      view.getFloat64(STATE.offsets[name], true);
    return {
      filesTotal: counter("files_total"),
      bytesTotal: counter("bytes_total"),
      filesDone: counter("files_done"),
      bytesDone: counter("bytes_done"),
    };
  }
}

/** Runs a job that has at most one result, and waits for its end. */
export async function finish(job: Job): Promise<TableLease | undefined> {
  try {
    return await job.next();
  } finally {
    job.close();
  }
}

/** Options as JSON in memory that native code can read. `replacer` is that of `JSON.stringify`. */
export function encodeOptions(
  context: Context,
  options: object,
  replacer?: (key: string, value: unknown) => unknown,
): Scratch {
  const text = new TextEncoder().encode(JSON.stringify(options, replacer));
  const scratch = context.runtime.scratch(text.length);
  scratch.bytes.set(text);
  return scratch;
}
