/**
 * The context of this isolate. Everything that JavaScript holds of the library belongs to one: leases, jobs, stores and
 * their handles mean nothing in another worker. It is opened at the first use and never closed by hand: when a worker
 * ends, so does the thread that opened its context, and native code then closes it.
 */

import { isMainThread } from "node:worker_threads";
import { STATUS, STRUCTS } from "./abi.ts";
import { errorFromStatus, isError } from "./errors.ts";
import { openLibrary } from "./library.ts";
import { Pins } from "./pins.ts";
import { PollingWaker } from "./polling.ts";
import {
  detectRuntime,
  type NativeFunctions,
  type NativeLibrary,
  type Pointer,
  type Runtime,
  type Scratch,
  type Viewer,
  type Waker,
} from "./runtime.ts";

const { bow_error: ERROR, bow_stats: STATS, bow_table: TABLE } = STRUCTS;

/** The size of the struct that one table crosses in, in bytes. */
export const TABLE_SIZE = TABLE.size;
/** Room for a message beyond that in the struct, which databases need. */
const LONG_MESSAGE = 8192;
/** The most tables that one call is given. */
const MAX_TABLES = 5;

/** What is alive in this isolate's context, and what has happened in it. */
export interface Stats {
  /** Leases whose memory is not freed yet. */
  readonly liveLeases: number;
  /** Jobs that were started and not closed. */
  readonly liveJobs: number;
  /** Stores that are open. */
  readonly liveStores: number;
  /** Exported tables that native code has not released yet, and that keep memory of JavaScript's or of leases. */
  readonly livePins: number;
  /** Exported streams that native code has not released yet, or that are still fed. */
  readonly liveStreams: number;
  /** Connections to databases that are open, or that are being opened. */
  readonly liveConnections: number;
  /** Bytes of native memory in live leases. */
  readonly bytesViewed: number;
  /** Bytes copied out of native memory so far. */
  readonly bytesCopied: number;
  /** Leases whose memory will never be freed: a buffer was moved, or they were collected under `onCollect: "leak"`. */
  readonly leaks: number;
  /** Breaches of the rules for shared memory that were noticed. */
  readonly violations: number;
}

/** Whoever waits for an event. */
export interface Waiter {
  /** Called once, at the next event of the context. */
  onEvent(): void;
}

/** One isolate's share of the library. */
export class Context {
  /** The runtime this isolate belongs to. */
  readonly runtime: Runtime;
  /** The library's functions. */
  readonly native: NativeFunctions;
  /** The handle that the functions take first. */
  readonly handle: number;
  /** ArrayBuffers over native memory. */
  readonly viewer: Viewer;
  /** Memory that native code reads. */
  readonly pins: Pins;
  /** Room for the tables of one result, to pass them from one function to the next. */
  readonly tables: Scratch;
  /** Room for the description of a lease. */
  readonly words: Room;
  /** Room for one u32 that a function writes. */
  readonly out: Scratch;
  /** The error struct that every call of this isolate's thread is given. */
  readonly error: Scratch;
  readonly #stats: Scratch;
  readonly #waker: Waker;
  readonly #waiters: Set<Waiter> = new Set();
  readonly #listeners: Set<Waiter> = new Set();

  constructor(runtime: Runtime, library: NativeLibrary) {
    this.runtime = runtime;
    this.native = library.functions;
    this.error = runtime.scratch(ERROR.size + LONG_MESSAGE);
    this.error.view.setUint32(ERROR.offsets.size, ERROR.size + LONG_MESSAGE, true);
    this.out = runtime.scratch(4);
    this.#stats = runtime.scratch(STATS.size);
    this.words = new Room(runtime, Float64Array.BYTES_PER_ELEMENT, 1024);
    this.tables = runtime.scratch(MAX_TABLES * TABLE.size);
    this.check(this.native.bow_context_open(this.out.pointer, this.error.pointer));
    this.handle = this.outValue();
    this.viewer = runtime.viewer(library, this.handle);
    this.pins = new Pins(runtime, this.native, this.handle);
    const wake = () => this.#wake();
    // A worker must not register a callback: a native thread that still called it after the worker was terminated
    // would crash the process.
    this.#waker = isMainThread
      ? runtime.waker(library, this.handle, wake)
      : new PollingWaker(this.native, this.handle, wake);
  }

  /** Throws the typed error if `status` is one, and returns it otherwise. */
  check(status: number): number {
    if (isError(status)) throw this.#takeError(status);
    return status;
  }

  /** The u32 that the last call wrote to `out`. */
  outValue(): number {
    return this.out.view.getUint32(0, true);
  }

  /** Waits for the next event; the process stays alive until then. */
  wait(waiter: Waiter): void {
    this.#waiters.add(waiter);
    this.#waker.arm();
  }

  /** Takes back `wait`. */
  unwait(waiter: Waiter): void {
    if (this.#waiters.delete(waiter) && this.#waiters.size === 0) this.#waker.disarm();
  }

  /** Calls `listener` at every event that somebody waits for, without waiting itself. */
  listen(listener: Waiter): void {
    this.#listeners.add(listener);
  }

  /** Takes back `listen`. */
  unlisten(listener: Waiter): void {
    this.#listeners.delete(listener);
  }

  /** The counters. */
  stats(): Stats {
    this.pins.drain();
    const view = this.#readStats();
    const counter = (name: Exclude<keyof typeof STATS.offsets, "size" | "reserved">) =>
      view.getFloat64(STATS.offsets[name], true);
    return {
      liveLeases: counter("live_leases"),
      liveJobs: counter("live_jobs"),
      liveStores: counter("live_stores"),
      livePins: counter("live_pins"),
      liveStreams: counter("live_streams"),
      liveConnections: counter("live_connections"),
      bytesViewed: counter("bytes_viewed"),
      bytesCopied: counter("bytes_copied"),
      leaks: counter("leaks"),
      violations: counter("violations"),
    };
  }

  /** Bytes of native memory in live leases. */
  bytesViewed(): number {
    return this.#readStats().getFloat64(STATS.offsets.bytes_viewed, true);
  }

  #readStats(): DataView {
    const { view, pointer } = this.#stats;
    view.setUint32(STATS.offsets.size, STATS.size, true);
    this.check(this.native.bow_context_stats(this.handle, pointer, this.error.pointer));
    return view;
  }

  #wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    this.#waker.disarm();
    this.pins.drain();
    for (const listener of this.#listeners) listener.onEvent();
    for (const waiter of waiters) waiter.onEvent();
  }

  #takeError(status: number): Error {
    const { view, bytes } = this.error;
    const length = view.getUint32(ERROR.offsets.length, true);
    const start = ERROR.offsets.message;
    const message = new TextDecoder().decode(bytes.subarray(start, start + length));
    return errorFromStatus(status, message);
  }
}

/** Memory for a run of elements of unknown length. It grows to the longest run seen. */
export class Room {
  readonly #runtime: Runtime;
  readonly #elementSize: number;
  #scratch: Scratch;
  #numbers: Float64Array<ArrayBuffer> | undefined;

  /** Room for `capacity` elements of `elementSize` bytes. */
  constructor(runtime: Runtime, elementSize: number, capacity: number) {
    this.#runtime = runtime;
    this.#elementSize = elementSize;
    this.#scratch = runtime.scratch(capacity * elementSize);
  }

  /** The memory. A `fill` that needs more replaces it. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#scratch.bytes;
  }

  /** The memory as numbers, of the longest run seen: what follows the last run is of an earlier one. */
  get numbers(): Float64Array<ArrayBuffer> {
    return this.#numbers ??= new Float64Array(this.#scratch.bytes.buffer);
  }

  /** Lets a function that writes its length to `context.out` fill the memory, and returns the length in elements. */
  fill(context: Context, call: (room: Pointer, capacity: number) => number): number {
    for (;;) {
      const capacity = this.#scratch.bytes.length / this.#elementSize;
      const status = call(this.#scratch.pointer, capacity);
      if (status !== STATUS.BUFFER_TOO_SMALL) {
        context.check(status);
        return context.outValue();
      }
      this.#scratch = this.#runtime.scratch(context.outValue() * this.#elementSize);
      this.#numbers = undefined;
    }
  }
}

let current: Context | undefined;

/** This isolate's context. Loads the library at the first call, and throws `LibraryLoadError` if it cannot. */
export function currentContext(): Context {
  if (current === undefined) {
    const runtime = detectRuntime(globalThis);
    current = new Context(runtime, openLibrary(runtime));
  }
  return current;
}

/**
 * The counters of this isolate. Loads the library if nothing else has; throws `LibraryLoadError` if it cannot.
 *
 * @example
 * ```ts
 * import { extractFilesToArrow, stats } from "@bowstring/bowstring";
 *
 * const batch = await extractFilesToArrow(["src/greet.ts"], ".");
 * console.log(stats().liveLeases, stats().bytesCopied); // 1 0
 * batch.release();
 * console.log(stats().liveLeases); // 0
 * ```
 */
export function stats(): Stats {
  return currentContext().stats();
}
