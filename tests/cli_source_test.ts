/** The lines of source that the command shows. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { utimesSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { printable } from "../cli/output.ts";
import { excerpt, type Place, type SourceLine, SourceReader } from "../cli/source.ts";
import { Workspace } from "./support/workspace.ts";

const INDEXED_AT = Date.UTC(2024, 0, 1);
const BEFORE = new Date(INDEXED_AT - 60_000);
const AFTER = new Date(INDEXED_AT + 60_000);

const place = (
  name: string,
  startLine: number,
  startColumn: number,
  endLine = startLine,
): Place => ({
  path: "file",
  name,
  startLine,
  endLine,
  startColumn,
});

const utf16 = (text: string, mark: number[], swap: boolean): Uint8Array => {
  const bytes = Buffer.from(text, "utf16le");
  return Buffer.concat([Buffer.from(mark), swap ? bytes.swap16() : bytes]);
};

interface SourceCase {
  readonly title: string;
  readonly content: string | Uint8Array | undefined;
  readonly modified?: Date;
  readonly kind?: "reference" | "definition";
  readonly place: Place;
  readonly expected: SourceLine;
}

const CASES: SourceCase[] = [
  {
    title: "a line in the middle",
    content: "one\n  two = three\nfour\n",
    place: place("three", 2, 8),
    expected: { state: "found", line: 2, text: "  two = three", column: 8 },
  },
  {
    title: "the last line, without an end",
    content: "one\ntwo",
    place: place("two", 2, 0),
    expected: { state: "found", line: 2, text: "two", column: 0 },
  },
  {
    title: "a line that ends in CR LF",
    content: "one\r\ntwo\r\n",
    place: place("one", 1, 0),
    expected: { state: "found", line: 1, text: "one", column: 0 },
  },
  {
    title: "a column behind characters of several bytes",
    content: "öä = größe\n",
    place: place("größe", 1, 7),
    expected: { state: "found", line: 1, text: "öä = größe", column: 5 },
  },
  {
    title: "bytes that are not UTF-8",
    content: new Uint8Array([0x61, 0xff, 0x20, 0x62, 0x0a]),
    place: place("b", 1, 3),
    expected: { state: "found", line: 1, text: "a\ufffd b", column: 3 },
  },
  {
    title: "UTF-16, little-endian",
    content: utf16("one\nzwölf = two\n", [0xff, 0xfe], false),
    place: place("two", 2, 9),
    expected: { state: "found", line: 2, text: "zwölf = two", column: 8 },
  },
  {
    title: "UTF-16, big-endian",
    content: utf16("one\nzwölf = two\n", [0xfe, 0xff], true),
    place: place("two", 2, 9),
    expected: { state: "found", line: 2, text: "zwölf = two", column: 8 },
  },
  {
    title: "a file that was touched, with the name where it was",
    content: "one\ntwo\n",
    modified: AFTER,
    place: place("two", 2, 0),
    expected: { state: "found", line: 2, text: "two", column: 0 },
  },
  {
    title: "a file that was edited above the name",
    content: "zero\none\ntwo\n",
    modified: AFTER,
    place: place("two", 2, 0),
    expected: { state: "modified", line: 2 },
  },
  {
    title: "a file that was cut before the line",
    content: "one\n",
    modified: AFTER,
    place: place("two", 7, 0),
    expected: { state: "modified", line: 7 },
  },
  {
    title: "a file that is gone",
    content: undefined,
    place: place("two", 2, 0),
    expected: { state: "gone", line: 2 },
  },
  {
    title: "a definition on its first line",
    content: "def one(): pass\n",
    kind: "definition",
    place: place("one", 1, 0),
    expected: { state: "found", line: 1, text: "def one(): pass", column: 4 },
  },
  {
    title: "a definition below its annotations",
    content: '@Override\n@Named("runs")\npublic void run() {\n}\n',
    kind: "definition",
    place: place("run", 1, 0, 4),
    expected: { state: "found", line: 3, text: "public void run() {", column: 12 },
  },
  {
    title: "a definition whose name is not in the text",
    content: "operator bool() const;\n",
    kind: "definition",
    place: place("operator<bool>", 1, 0),
    expected: { state: "found", line: 1, text: "operator bool() const;", column: 0 },
  },
  {
    title: "a definition that was edited away",
    content: "def two(): pass\n",
    modified: AFTER,
    kind: "definition",
    place: place("one", 1, 0),
    expected: { state: "modified", line: 1 },
  },
  {
    title: "a definition after another on its line",
    content: "int run; int run_all; void run();\n",
    kind: "definition",
    place: place("run", 1, 22),
    expected: { state: "found", line: 1, text: "int run; int run_all; void run();", column: 27 },
  },
];

for (const { title, content, modified = BEFORE, kind = "reference", place, expected } of CASES) {
  test(`source line: ${title}`, () => {
    using workspace = new Workspace();
    if (content !== undefined) {
      workspace.write("file", content);
      utimesSync(join(workspace.path, "file"), modified, modified);
    }
    const reader = new SourceReader(workspace.path, INDEXED_AT);
    assert.deepEqual(reader[kind](place), expected);
  });
}

const EXCERPTS: [text: string, column: number, width: number, expected: string][] = [
  ["    short  ", 4, 20, "short"],
  ["abcdefghijklmnopqrstuvwxyz", 0, 10, "abcdefghi…"],
  ["abcdefghijklmnopqrstuvwxyz", 25, 10, "…rstuvwxyz"],
  ["abcdefghijklmnopqrstuvwxyz", 13, 10, "…lmnopqrs…"],
  ["          abcdefghijklmnopqrstuvwxyz", 10, 10, "abcdefghi…"],
];

for (const [text, column, width, expected] of EXCERPTS) {
  test(`excerpt: ${width} columns around ${column} of ${JSON.stringify(text)}`, () => {
    const shown = excerpt(text, column, width);
    assert.equal(shown, expected);
    assert.ok(shown.length <= width);
  });
}

const PRINTABLE: [text: string, expected: string][] = [
  ["plain größe 名前", "plain größe 名前"],
  ["a\tb", "a  b"],
  ["\x1b[2Jgone", "\\u{1b}[2Jgone"],
  ["one\ntwo\r", "one\\u{a}two\\u{d}"],
  ["\x9b31m", "\\u{9b}31m"],
  ["a\u202eb", "a\\u{202e}b"],
];

for (const [text, expected] of PRINTABLE) {
  test(`printable: ${JSON.stringify(expected)}`, () => {
    assert.equal(printable(text), expected);
  });
}
