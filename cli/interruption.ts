/** Ctrl-C. */

import process from "node:process";
import { INTERRUPTED, TERMINATED } from "./exit.ts";

/** The first Ctrl-C stops the work in order; the second ends the process at once, which leaves what was there whole too. */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #onInterrupt = () => this.#stop(INTERRUPTED);
  readonly #onTerminate = () => this.#stop(TERMINATED);
  /** What to exit with, once it has been stopped. */
  exitCode: number | undefined;

  constructor() {
    process.on("SIGINT", this.#onInterrupt);
    process.on("SIGTERM", this.#onTerminate);
  }

  /** Aborted by the first. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends the watch. */
  ignore(): void {
    process.off("SIGINT", this.#onInterrupt);
    process.off("SIGTERM", this.#onTerminate);
  }

  #stop(exitCode: number): void {
    if (this.exitCode !== undefined) process.exit(exitCode);
    this.exitCode = exitCode;
    this.#controller.abort();
  }
}
