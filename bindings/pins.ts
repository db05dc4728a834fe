/**
 * Memory of JavaScript's that native code reads. It stays reachable, and so where it is, until the library says that every
 * struct over it has been released. That may happen on any thread, so the library only puts the pin's token in a queue,
 * which is drained at the next call, at a wake-up, and from a timer while something is pinned. The timer does not keep the
 * process alive, and stops when it finds nothing pinned: to start one for each pin takes longer than to pin.
 */

import { setInterval } from "node:timers";
import { STATUS } from "./abi.ts";
import { BowstringError } from "./errors.ts";
import type { NativeFunctions, Runtime, Scratch } from "./runtime.ts";

/** How often the timer looks, in milliseconds. */
const DRAIN_MILLIS = 20;
/** Tokens taken in one call. */
const BATCH = 1024;
/** The low bits of a token say which place it has; the high ones count how often that was given. */
const PLACES = 2 ** 20;

/** The place of a token: by bits, as the remainder of a number of 32 takes three times as long. */
const placeOf = (token: number): number => token & (PLACES - 1);

/** The pins of one context. */
export class Pins {
  readonly #native: NativeFunctions;
  readonly #context: number;
  readonly #tokens: Scratch;
  readonly #count: Scratch;
  /** By place; the first is nobody's, since no token is 0. */
  readonly #buffers: (readonly ArrayBufferLike[] | undefined)[] = [undefined];
  /** By place: the token that it has, or will have next. */
  readonly #given: number[] = [0];
  readonly #free: number[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(runtime: Runtime, native: NativeFunctions, context: number) {
    this.#native = native;
    this.#context = context;
    this.#tokens = runtime.scratch(BATCH * Uint32Array.BYTES_PER_ELEMENT);
    this.#count = runtime.scratch(Uint32Array.BYTES_PER_ELEMENT);
  }

  get #size(): number {
    return this.#buffers.length - 1 - this.#free.length;
  }

  /** The token of the next pin. */
  token(): number {
    const place = this.#free.at(-1) ?? this.#buffers.length;
    if (place === PLACES) {
      throw new BowstringError(
        "UNSUPPORTED",
        `native code holds the memory of ${PLACES - 1} exports, and no more can be told apart`,
      );
    }
    return this.#given[place] ?? place;
  }

  /** Keeps buffers, none of which is empty or can be resized, until the library gives the token back. */
  pin(token: number, buffers: readonly ArrayBufferLike[]): void {
    const place = placeOf(token);
    if (this.#buffers[place] === undefined) {
      this.#free.pop();
      this.#given[place] = token;
    }
    this.#buffers[place] = buffers;
    this.#timer ??= setInterval(() => this.#tick(), DRAIN_MILLIS).unref();
  }

  #tick(): void {
    this.drain();
    if (this.#size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Lets go of what the library has released. */
  drain(): void {
    if (this.#size === 0) return;
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
    const place = placeOf(token);
    const buffers = this.#buffers[place];
    if (buffers === undefined || this.#given[place] !== token) return 0;
    this.#buffers[place] = undefined;
    this.#given[place] = (token + PLACES) >>> 0;
    this.#free.push(place);
    let detached: Set<ArrayBufferLike> | undefined;
    for (const buffer of buffers) {
      if (buffer.byteLength === 0) (detached ??= new Set()).add(buffer);
    }
    return detached?.size ?? 0;
  }
}
