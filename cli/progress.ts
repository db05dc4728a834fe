/** How far some work has come: a bar that is redrawn on a terminal, a plain line now and then elsewhere. */

import process from "node:process";
import { performance } from "node:perf_hooks";
import type { Progress } from "../mod.ts";
import { canRedraw, columns, note } from "./output.ts";

/** Shows progress while something runs. */
export interface ProgressDisplay {
  /** Shows the counters. */
  update(progress: Progress): void;
  /** Removes what should not stay. */
  end(): void;
}

/** What the work is about. */
export interface Words {
  /** What is counted. */
  readonly unit: string;
  /** What is done before anything can be counted. */
  readonly start: string;
  /** What is done when everything has been counted. */
  readonly end: string;
}

const INDEXING: Words = { unit: "files", start: "looking for files", end: "writing the index" };

/** The display that suits standard error. */
export function progressDisplay(words: Words = INDEXING): ProgressDisplay {
  return canRedraw() ? new Bar(words) : new Lines(words);
}

/** Between two plain lines. */
const LINE_SECONDS = 5;
/** The speed shown is the mean over about this time: steady enough to read, and it follows a change. */
const SMOOTHING_SECONDS = 3;
const ERASE_LINE = "\r\x1b[K";

class Bar implements ProgressDisplay {
  readonly #speed = new Speed();
  readonly #words: Words;

  constructor(words: Words) {
    this.#words = words;
  }

  update(progress: Progress): void {
    const width = columns(process.stderr, 80);
    const speed = this.#speed.measure(progress, seconds());
    process.stderr.write(ERASE_LINE + renderBar(progress, speed, width, this.#words));
  }

  end(): void {
    process.stderr.write(ERASE_LINE);
  }
}

class Lines implements ProgressDisplay {
  readonly #speed = new Speed();
  readonly #words: Words;
  #last = seconds();

  constructor(words: Words) {
    this.#words = words;
  }

  update(progress: Progress): void {
    const now = seconds();
    const speed = this.#speed.measure(progress, now);
    if (now - this.#last < LINE_SECONDS) return;
    this.#last = now;
    note(renderText(progress, speed, this.#words).join("  "));
  }

  end(): void {}
}

const seconds = (): number => performance.now() / 1000;

/** Bytes per second, smoothed. */
export class Speed {
  #previous: { time: number; bytes: number } | undefined;
  #speed = 0;

  /** The speed after a measurement at `time`, in seconds; 0 until there are two. */
  measure({ bytesDone }: Progress, time: number): number {
    const previous = this.#previous;
    this.#previous = { time, bytes: bytesDone };
    if (previous === undefined || time <= previous.time) return this.#speed;
    const elapsed = time - previous.time;
    const current = (bytesDone - previous.bytes) / elapsed;
    const weight = this.#speed === 0 ? 1 : 1 - Math.exp(-elapsed / SMOOTHING_SECONDS);
    this.#speed += weight * (current - this.#speed);
    return this.#speed;
  }
}

/** The parts that every display shows, the most important first. */
export function renderText(progress: Progress, speed: number, words = INDEXING): string[] {
  const { filesTotal, filesDone, bytesTotal, bytesDone } = progress;
  const { unit, start, end } = words;
  if (filesTotal === 0) return [start];
  if (filesDone === filesTotal) return [`${filesDone}/${filesTotal} ${unit}`, end];
  const parts = [`${filesDone}/${filesTotal} ${unit}`];
  if (speed > 0) {
    parts.push(
      `${(speed / 1e6).toFixed(1)} MB/s`,
      `${duration((bytesTotal - bytesDone) / speed)} left`,
    );
  }
  return parts;
}

/** What a terminal adds to the line at Ctrl-C (`^C`), and the last column, at which it may wrap. */
const MARGIN = 3;

/** One line that fits a terminal of `width` columns; the bar takes what the text leaves. */
export function renderBar(
  progress: Progress,
  speed: number,
  width: number,
  words = INDEXING,
): string {
  const text = renderText(progress, speed, words);
  const space = Math.max(0, width - MARGIN);
  if (progress.filesTotal === 0) return text[0].slice(0, space);
  const done = progress.bytesTotal === 0 ? 1 : progress.bytesDone / progress.bytesTotal;
  const percent = `${Math.floor(done * 100)}%`.padStart(4);
  while (text.length > 1 && line(percent, text).length > space) text.pop();
  const room = Math.min(40, space - line(percent, text).length - "[] ".length);
  if (room < 5) return line(percent, text).slice(0, space);
  const filled = Math.floor(done * room);
  const head = filled < room ? ">" : "";
  const bar = ("=".repeat(filled) + head).padEnd(room);
  return `[${bar}] ${line(percent, text)}`;
}

function line(percent: string, parts: readonly string[]): string {
  return [percent, ...parts].join("  ");
}

/** Seconds in the two largest units that matter. */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
