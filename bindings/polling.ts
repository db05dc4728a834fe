/** Wake-ups of a worker. */

import type { NativeFunctions, Waker } from "./runtime.ts";
import { STATUS } from "./abi.ts";

const SHORTEST_MILLIS = 1;
const LONGEST_MILLIS = 8;

/**
 * Polls from a timer while somebody waits, and less often the longer nothing happens. The timer keeps the worker alive;
 * a poll takes nanoseconds.
 */
export class PollingWaker implements Waker {
  readonly #native: NativeFunctions;
  readonly #context: number;
  readonly #wake: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(native: NativeFunctions, context: number, wake: () => void) {
    this.#native = native;
    this.#context = context;
    this.#wake = wake;
  }

  arm(): void {
    if (this.#timer === undefined) this.#schedule(SHORTEST_MILLIS);
  }

  disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(millis: number): void {
    this.#timer = setTimeout(() => this.#poll(millis), millis);
  }

  #poll(millis: number): void {
    const status = this.#native.bow_context_wait(this.#context, 0, null);
    if (status === STATUS.PENDING) this.#schedule(Math.min(2 * millis, LONGEST_MILLIS));
    else this.#wake();
  }
}
