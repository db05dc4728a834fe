/**
 * Every type at every offset: an array of arrow-rs's whose offset is not 0 arrives with the values of its rows, sliced in
 * JavaScript too, and goes back to where arrow-rs compares. The types are those of the integration data, one column each,
 * repeated to more rows than a bitmap's word has. Needs `../shared/conformance`.
 */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { exportArray, importArray, stats } from "../mod.ts";
import type { JsonCase } from "./support/integration.ts";
import { Kept, Structs } from "./support/peer.ts";
import { root, SLOW } from "./support/process.ts";
import { plainVector } from "./support/values.ts";

const directory = join(root, "..", "shared", "conformance", "arrow-cpp-21.0.0");
const SUFFIX = ".json.gz";
const names = existsSync(directory)
  ? readdirSync(directory).filter((name) => name.endsWith(SUFFIX)).sort()
  : [];
const OFFSETS = [0, 1, 7, 8, 9, 63, 64, 65];
const LENGTHS = [70, 1, 0];
const ROWS = 140;

test("offset: there are cases", { skip: names.length === 0 && "no ../shared" }, () => {
  assert.ok(names.length > 0);
});

/** Rows `from .. to` in JavaScript of what came in, and back. */
function returned(kept: Kept, all: readonly unknown[], start: number, length: number): void {
  const given = kept.slice(start, length);
  using lease = importArray(given.schema, given.array);
  const vector = lease.value;
  const expected = all.slice(start, start + length);
  assert.deepEqual(plainVector(vector), expected);
  for (const [from, to] of [[0, length], [3, length - 2], [length, length]] as const) {
    if (from > to) continue;
    const slice = vector.slice(from, to);
    assert.deepEqual(plainVector(slice), expected.slice(from, to));
    for (const mode of ["borrow", "copy"] as const) {
      const into = new Structs();
      exportArray(slice, { mode, into });
      kept.compare(into, to - from, 0, start + from);
    }
  }
}

for (const name of names) {
  const title = name.slice("generated_".length, -SUFFIX.length);
  test(`offset: ${title}`, SLOW, () => {
    const bytes = new Uint8Array(gunzipSync(readFileSync(join(directory, name))));
    const json: JsonCase = JSON.parse(new TextDecoder().decode(bytes));
    using kept = Kept.case(bytes);
    const batch = json.batches.findIndex(({ count }) => count > 0);
    if (batch < 0) return;
    const before = stats().liveLeases;
    json.schema.fields.forEach((field, index) => {
      using column = kept.column(batch, index, ROWS);
      const { schema, array } = column.give();
      using lease = importArray(schema, array);
      const all = plainVector(lease.value);
      for (const start of OFFSETS) {
        for (const length of LENGTHS) {
          try {
            returned(column, all, start, length);
          } catch (reason) {
            throw new Error(`${field.name}, offset ${start}, length ${length}`, { cause: reason });
          }
        }
      }
    });
    assert.equal(stats().liveLeases, before);
  });
}
