/**
 * Memory of JavaScript's that native code reads. It stays reachable, and so where it is, until the library says that every
 * struct over it has been released. That may happen on any thread, so the library only puts the pin's token in a queue,
 * which is drained at the next call, at a wake-up, and from a timer while something is pinned. The timer does not keep the
 * process alive, and stops when it finds nothing pinned: to start one for each pin takes longer than to pin.
 */

import { setInterval } from "node:timers";
import { STATUS } from "./abi.ts";
import type { NativeFunctions, Runtime, Scratch } from "./runtime.ts";

/** How often the timer looks, in milliseconds. */
const DRAIN_MILLIS = 20;
/** Tokens taken in one call. */
const BATCH = 1024;
const MAX_TOKEN = 0xffff_ffff;

/** The pins of one context. */
export class Pins {
  readonly #native: NativeFunctions;
  readonly #context: number;
  readonly #tokens: Scratch;
  readonly #count: Scratch;
  readonly #pins: Map<number, readonly ArrayBufferLike[]> = new Map();
  #last = 0;
  /** Whether tokens come a second time, some of which may still be in use. */
  #again = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(runtime: Runtime, native: NativeFunctions, context: number) {
    this.#native = native;
    this.#context = context;
    this.#tokens = runtime.scratch(BATCH * Uint32Array.BYTES_PER_ELEMENT);
    this.#count = runtime.scratch(Uint32Array.BYTES_PER_ELEMENT);
  }

  /** A token that nothing is pinned under. */
  token(): number {
    do {
      if (this.#last === MAX_TOKEN) {
        this.#last = 0;
        this.#again = true;
      }
      this.#last++;
    } while (this.#again && this.#pins.has(this.#last));
    return this.#last;
  }

  /** Keeps buffers, none of which is empty or can be resized, until the library gives the token back. */
  pin(token: number, buffers: readonly ArrayBufferLike[]): void {
    this.#pins.set(token, buffers);
    this.#timer ??= setInterval(() => this.#tick(), DRAIN_MILLIS).unref();
  }

  #tick(): void {
    this.drain();
    if (this.#pins.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Lets go of what the library has released. */
  drain(): void {
    if (this.#pins.size === 0) return;
    const { view, pointer } = this.#tokens;
    let taken: number;
    let violations = 0;
    do {
      const status = this.#native.bow_context_released(
        this.#context,
        pointer,
        BATCH,
        this.#count.pointer,
        null,
      );
      taken = status === STATUS.OK ? this.#count.view.getUint32(0, true) : 0;
      for (let index = 0; index < taken; index++) {
        violations += this.#unpin(view.getUint32(index * Uint32Array.BYTES_PER_ELEMENT, true));
      }
    } while (taken === BATCH);
    if (violations > 0) this.#native.bow_lease_report(this.#context, 0, violations, 0, null);
  }

  /** How many of a pin's buffers were detached, which left native code with an address of other memory. */
  #unpin(token: number): number {
    const buffers = this.#pins.get(token);
    if (buffers === undefined) return 0;
    this.#pins.delete(token);
    let detached: Set<ArrayBufferLike> | undefined;
    for (const buffer of buffers) {
      if (buffer.byteLength === 0) (detached ??= new Set()).add(buffer);
    }
    return detached?.size ?? 0;
  }
}
