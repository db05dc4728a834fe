/**
 * Arrow's own integration data: every case goes from arrow-rs to JavaScript, where each value is compared with the case's
 * JSON, and back, rebuilt from what JavaScript has, where arrow-rs compares. Needs `../shared/conformance`.
 */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { type RecordBatch, Type } from "apache-arrow";
import {
  exportRecordBatch,
  exportStream,
  exportTable,
  importRecordBatch,
  importStream,
  importTable,
  stats,
} from "../mod.ts";
import { makeBatch } from "../bindings/cdata/import.ts";
import { Decoder, type JsonCase } from "./support/integration.ts";
import { Kept, Structs } from "./support/peer.ts";
import { root, SLOW } from "./support/process.ts";
import { plainVector } from "./support/values.ts";

const directory = join(root, "..", "shared", "conformance", "arrow-cpp-21.0.0");
const CASES = 32;
const SUFFIX = ".json.gz";
const names = existsSync(directory)
  ? readdirSync(directory).filter((name) => name.endsWith(SUFFIX)).sort()
  : [];

test("conformance: all cases are there", { skip: names.length === 0 && "no ../shared" }, () => {
  assert.equal(names.length, CASES);
});

/** The columns of a batch, under names that have the library's suffixes, as the case's JSON has them. */
function compareValues(json: JsonCase, batch: RecordBatch, index: number): void {
  json.schema.fields.forEach((field, column) => {
    const vector = batch.getChildAt(column)!;
    const decoder = new Decoder(json, vector.type.typeId === Type.FixedSizeBinary);
    const expected = decoder.values(field, json.batches[index]!.columns[column]!);
    assert.deepEqual(named(plainVector(vector)), named(expected), field.name);
  });
}

/** Struct fields of one name have suffixes in JavaScript; that they were taken away again the native comparison shows. */
const named = (values: unknown): unknown =>
  JSON.parse(JSON.stringify(values, (_, value) => /^_\d+$/.test(value) ? "" : value));

/** The case; nanoseconds of intervals, which JavaScript's numbers cannot hold, as strings. */
const parse = (text: string): JsonCase =>
  JSON.parse(text.replaceAll(/("nanoseconds":\s*)(-?\d+)/g, '$1"$2"'));

/** The same batch as an object that is not known to have come from native code. */
const rebuilt = (batch: RecordBatch): RecordBatch => makeBatch(batch.schema, batch.data);

for (const name of names) {
  const title = name.slice("generated_".length, -SUFFIX.length);
  test(`conformance: ${title}`, SLOW, async () => {
    const before = stats();
    await roundTrip(name);
    const { liveLeases, livePins, liveStreams, violations } = stats();
    assert.deepEqual({ liveLeases, livePins, liveStreams, violations }, {
      liveLeases: before.liveLeases,
      livePins: 0,
      liveStreams: 0,
      violations: before.violations,
    });
  });
}

async function roundTrip(name: string): Promise<void> {
  const bytes = new Uint8Array(gunzipSync(readFileSync(join(directory, name))));
  const json = parse(new TextDecoder().decode(bytes));
  using kept = Kept.case(bytes);
  assert.equal(kept.batches, json.batches.length);

  for (let index = 0; index < kept.batches; index++) {
    for (const copy of [false, true]) {
      const { schema, array } = kept.give(index);
      using lease = importRecordBatch(schema, array, { copy, validate: "full" });
      compareValues(json, lease.value, index);
      const { count } = json.batches[index]!;
      for (const mode of ["borrow", "copy"] as const) {
        const into = new Structs();
        exportRecordBatch(rebuilt(lease.value), { mode, into });
        kept.compare(into, count, index);
      }
      const into = new Structs();
      exportRecordBatch(lease.value, { into });
      kept.compare(into, count, index);
    }
  }

  const stream = importStream(kept.stream().schema);
  const back = new Structs(40);
  exportStream(stream, { schema: await stream.schema, into: back.schema });
  using returned = await Kept.read(back);
  kept.same(returned);

  using table = await importTable(kept.stream().schema);
  const again = new Structs(40);
  exportTable(table.value, { into: again.schema });
  using here = Kept.readHere(again);
  kept.same(here);
}
