/** Lines of the files that an index is about, read when they are shown. */

import { Buffer } from "node:buffer";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** A line as its file has it now. */
export type SourceLine =
  /** The text, with nothing removed but the end of the line. */
  | {
    readonly state: "found";
    readonly line: number;
    readonly text: string;
    readonly column: number;
  }
  /** The file was modified after it was indexed, and what was asked for is no longer there. */
  | { readonly state: "modified"; readonly line: number }
  /** The file cannot be read any more. */
  | { readonly state: "gone"; readonly line: number };

/** A name's place in an index. */
export interface Place {
  /** The file, relative to the root. */
  readonly path: string;
  /** The name. */
  readonly name: string;
  /** 1-based. */
  readonly startLine: number;
  /** 1-based. */
  readonly endLine: number;
  /** In bytes, 0-based. */
  readonly startColumn: number;
}

/** A definition's own name stands in one of its first lines: attributes and modifiers come before it. */
const LINES_BEFORE_NAME = 40;
const NEWLINE = 0x0a;

/**
 * Reads lines below a root. Rows come ordered by path, so that one file at a time is kept.
 *
 * A file is taken to be as it was if it was not modified since the index was made. Otherwise a line is shown only if the
 * name still stands where it stood.
 */
export class SourceReader {
  readonly #root: string;
  readonly #indexedAt: number;
  #path: string | undefined;
  #file: SourceFile | undefined;

  /** Reads below `root`; `indexedAt` is in milliseconds since 1970. */
  constructor(root: string, indexedAt: number) {
    this.#root = root;
    this.#indexedAt = indexedAt;
  }

  /** The line of a reference: the name stands exactly at the place. */
  reference(place: Place): SourceLine {
    const { startLine: line, startColumn, name } = place;
    const file = this.#open(place.path);
    if (file === undefined) return { state: "gone", line };
    const bytes = file.line(line);
    const isThere = bytes !== undefined &&
      bytes.subarray(startColumn).indexOf(name) === 0;
    if (bytes === undefined || (file.modified && !isThere)) return { state: "modified", line };
    return found(line, bytes, startColumn);
  }

  /** The line of a definition: the first of its lines that has its name. */
  definition(place: Place): SourceLine {
    const { startLine, endLine, startColumn, name } = place;
    const file = this.#open(place.path);
    if (file === undefined) return { state: "gone", line: startLine };
    for (let line = startLine; line <= Math.min(endLine, startLine + LINES_BEFORE_NAME); line++) {
      const bytes = file.line(line);
      if (bytes === undefined) break;
      const column = wordAt(bytes, name, line === startLine ? startColumn : 0);
      if (column >= 0) return found(line, bytes, column);
    }
    const bytes = file.line(startLine);
    if (bytes === undefined || file.modified) return { state: "modified", line: startLine };
    return found(startLine, bytes, startColumn);
  }

  #open(path: string): SourceFile | undefined {
    if (path !== this.#path) {
      this.#path = path;
      this.#file = SourceFile.read(join(this.#root, path), this.#indexedAt);
    }
    return this.#file;
  }
}

class SourceFile {
  readonly modified: boolean;
  readonly #bytes: Buffer;
  readonly #starts: number[] = [0];

  private constructor(bytes: Buffer, modified: boolean) {
    this.#bytes = bytes;
    this.modified = modified;
  }

  static read(path: string, indexedAt: number): SourceFile | undefined {
    try {
      return new SourceFile(asUtf8(readFileSync(path)), statSync(path).mtimeMs > indexedAt);
    } catch {
      return undefined;
    }
  }

  /** The bytes of a 1-based line without its end, or `undefined` past the last. */
  line(number: number): Buffer | undefined {
    while (this.#starts.length <= number) {
      const end = this.#bytes.indexOf(NEWLINE, this.#starts.at(-1));
      if (end < 0) break;
      this.#starts.push(end + 1);
    }
    const start = this.#starts[number - 1];
    if (start === undefined) return undefined;
    const end = this.#starts[number];
    return this.#bytes.subarray(start, end === undefined ? undefined : end - 1);
  }
}

/** The extraction transcodes UTF-16 with a byte-order mark; its columns count bytes of UTF-8. */
function asUtf8(bytes: Buffer): Buffer {
  const mark = bytes.length >= 2 ? bytes.readUInt16BE(0) : 0;
  if (mark === 0xfffe) return Buffer.from(new TextDecoder("utf-16le").decode(bytes));
  if (mark === 0xfeff) return Buffer.from(new TextDecoder("utf-16be").decode(bytes));
  return bytes;
}

/** Where `name` stands as a whole word in `line` at or after `from`, in bytes; -1 if it does not. */
function wordAt(line: Buffer, name: string, from: number): number {
  const length = Buffer.byteLength(name);
  for (let at = line.indexOf(name, from); at >= 0; at = line.indexOf(name, at + 1)) {
    if (!isWord(line[at - 1]) && !isWord(line[at + length])) return at;
  }
  return -1;
}

/** ASCII letters, digits and underscore, and every byte of another character. */
function isWord(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return byte >= 0x80 || byte === 0x5f || (byte >= 0x30 && byte <= 0x39) ||
    ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a);
}

function found(line: number, bytes: Buffer, column: number): SourceLine {
  // Columns are bytes there and UTF-16 units here.
  const text = bytes.toString("utf8").replace(/\r$/, "");
  return { state: "found", line, text, column: bytes.subarray(0, column).toString("utf8").length };
}

/** The part of a line around a column that fits `width`, without the blanks at its start. */
export function excerpt(text: string, column: number, width: number): string {
  const trimmed = text.trimStart();
  const line = trimmed.trimEnd();
  if (line.length <= width) return line;
  const at = column - (text.length - trimmed.length);
  const start = Math.max(0, Math.min(at - Math.floor(width / 3), line.length - width));
  const end = start + width;
  return (start > 0 ? "…" : "") +
    line.slice(start > 0 ? start + 1 : 0, end < line.length ? end - 1 : end) +
    (end < line.length ? "…" : "");
}
