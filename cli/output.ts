/** Writing to the two streams: results to standard output, everything else to standard error. */

import process from "node:process";

/** Prints a line of a result. */
export function print(line: string): void {
  process.stdout.write(line + "\n");
}

/** Prints an object as one line of JSON. */
export function printJson(value: object): void {
  print(JSON.stringify(value));
}

/** Says something that is no result. */
export function note(line: string): void {
  process.stderr.write(line + "\n");
}

/** Whether standard error is a terminal that can redraw a line. */
export function canRedraw(): boolean {
  const { TERM, CI } = process.env;
  return process.stderr.isTTY === true && TERM !== "dumb" && !CI;
}

/** The width of a terminal in columns, or `otherwise` when the stream is none. */
export function columns(stream: { isTTY?: boolean; columns?: number }, otherwise: number): number {
  return stream.isTTY && stream.columns ? stream.columns : otherwise;
}

/**
 * A reader that has seen enough closes the pipe (`bowstring refs x | head`). That is no failure, and there is nobody left
 * to write to.
 */
export function endQuietlyOnClosedPipe(): void {
  process.stdout.on("error", (error: { code?: string }) => {
    if (error.code === "EPIPE") process.exit();
    throw error;
  });
}

// deno-lint-ignore no-control-regex -- these are what must not reach the terminal
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text from a file or a file name, safe to show: control characters, which could move the cursor or worse, and those that
 * reorder text are written as escapes; tabs become blanks.
 */
export function printable(text: string): string {
  return text.replaceAll("\t", "  ").replace(
    CONTROL,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/** `1 file`, `2 files`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** `12.3 MB`, with three digits. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  for (; count >= 999.5 && unit < units.length - 1; unit++) count /= 1000;
  return `${unit === 0 ? count : count.toPrecision(3)} ${units[unit]}`;
}
