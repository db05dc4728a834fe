/** What the command's exit codes mean. `docs/cli.md` says the same to its users. */

/** It did what was asked. */
export const OK = 0;
/** Something failed, or nothing was found. */
export const FAILED = 1;
/** The command line makes no sense. */
export const USAGE = 2;
/** Stopped by a signal: 128 + the signal's number, as shells do. */
export const INTERRUPTED = 130;
/** As `INTERRUPTED`, for SIGTERM. */
export const TERMINATED = 143;

/** What a command line cannot mean, in one sentence. */
export class UsageError extends Error {
  /** Makes an error with the sentence to print. */
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** A failure that one sentence explains; no stack trace helps. */
export class CommandError extends Error {
  /** Makes an error with the sentence to print. */
  constructor(message: string) {
    super(message);
    this.name = "CommandError";
  }
}
