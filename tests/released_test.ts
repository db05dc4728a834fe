/**
 * Reading an array of any type after its lease was released throws: one row for each column of the integration data. Needs
 * `../shared/conformance`.
 */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { exportArray, importArray, LeaseReleasedError, stats } from "../mod.ts";
import type { JsonCase } from "./support/integration.ts";
import { Kept } from "./support/peer.ts";
import { root, SLOW } from "./support/process.ts";
import { plainVector } from "./support/values.ts";

const directory = join(root, "..", "shared", "conformance", "arrow-cpp-21.0.0");
const SUFFIX = ".json.gz";
const names = existsSync(directory)
  ? readdirSync(directory).filter((name) => name.endsWith(SUFFIX)).sort()
  : [];

test("released: there are cases", { skip: names.length === 0 && "no ../shared" }, () => {
  assert.ok(names.length > 0);
});

for (const name of names) {
  const bytes = new Uint8Array(gunzipSync(readFileSync(join(directory, name))));
  const json: JsonCase = JSON.parse(new TextDecoder().decode(bytes));
  const batch = json.batches.findIndex(({ count }) => count > 0);
  if (batch < 0) continue;
  const title = name.slice("generated_".length, -SUFFIX.length);
  test(`released: ${title}`, SLOW, () => {
    using kept = Kept.case(bytes);
    const before = stats().liveLeases;
    json.schema.fields.forEach((field, index) => {
      using column = kept.column(batch, index, 10);
      const { schema, array } = column.give();
      const lease = importArray(schema, array);
      const vector = lease.value;
      const [data] = vector.data;
      plainVector(vector);
      lease.release();
      const reads: Record<string, () => unknown> = {
        value: () => lease.value,
        get: () => vector.get(0),
        at: () => vector.at(-1),
        iteration: () => [...vector],
        toArray: () => vector.toArray().length,
        slice: () => vector.slice(0, 1),
        nullCount: () => vector.nullCount,
        isValid: () => vector.isValid(0),
        values: () => data!.values.length,
        offsets: () => data!.valueOffsets[0],
        bitmap: () => data!.nullBitmap[0],
        typeIds: () => data!.typeIds[0],
        children: () => data!.children[0],
        dictionary: () => data!.dictionary!.get(0),
        variadicBuffers: () => data!.variadicBuffers[0],
        export: () => exportArray(vector),
      };
      for (const [what, read] of Object.entries(reads)) {
        assert.throws(read, LeaseReleasedError, `${field.name} (${vector.type}): ${what}`);
      }
    });
    assert.equal(stats().liveLeases, before);
  });
}
