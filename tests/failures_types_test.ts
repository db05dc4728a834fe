/**
 * Mistakes that other implementations of the C data interface made with types and what schemas say of them, each with a test
 * that fails on the naive code. `failures_test.ts` has the others.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DenseUnion,
  type Dictionary,
  Field,
  Int32,
  makeData,
  type Map_,
  Null,
  type RecordBatch,
  Struct,
  Utf8,
  Vector,
  vectorFromArray,
} from "apache-arrow";
import {
  exportArray,
  exportRecordBatch,
  exportSchema,
  importArray,
  importRecordBatch,
} from "../mod.ts";
import { type Column, fixed, struct, table, utf8 } from "./support/columns.ts";
import { ARRAY, child, int32, read, SCHEMA, word } from "./support/fields.ts";
import type { Shape } from "./support/nested.ts";
import { columnOf } from "./support/nested_columns.ts";
import { Kept, Structs } from "./support/peer.ts";
import { live, make, NOTHING, peekWord } from "./support/producer.ts";
import { Random } from "./support/random.ts";
import { plainVector } from "./support/values.ts";

test("failures: names and metadata that are null or not UTF-8", () => {
  const bytes = (...entries: number[][]) => {
    const parts = entries.flatMap((entry) => [entry.length, 0, 0, 0, ...entry]);
    return Uint8Array.of(entries.length / 2, 0, 0, 0, ...parts);
  };
  const good = { ...int32([1]), nameBytes: null, metadata: bytes([107], [0xc3, 0xa9]) };
  const { schema, array } = make(table([good]));
  using lease = importRecordBatch(schema, array);
  const [field] = lease.value.schema.fields;
  assert.equal(field!.name, "");
  assert.deepEqual([...field!.metadata], [["k", "é"]]);

  const refused = [
    { ...int32([1]), nameBytes: Uint8Array.of(0x66, 0xff) },
    { ...int32([1]), metadata: bytes([107], [0xff]) },
    { ...int32([1]), metadata: bytes([0xfe], [107]) },
    { ...int32([1]), metadata: Uint8Array.of(255, 255, 255, 255) },
  ];
  for (const column of refused) {
    const { schema, array } = make(table([column]));
    assert.throws(
      () => importRecordBatch(schema, array),
      (reason: Error & { code: string }) =>
        reason.code === "INVALID_ARROW" && /column\[0\]/.test(reason.message),
    );
  }
  lease.release();
  assert.deepEqual(live(), NOTHING);
});

test("failures: a struct's own nulls dropped", () => {
  const column = struct([int32([1, 2, 3])], [true, false, true]);
  assert.deepEqual(read(column), [[["fixed i", 1]], null, [["fixed i", 3]]]);
  const type = new Struct([new Field("x", new Int32(), true)]);
  const vector = vectorFromArray([{ x: 1 }, null, { x: 3 }], type);
  const out = new Structs();
  exportArray(vector, { into: out });
  assert.equal(word(out.array, ARRAY.nullCount), 1);
  using kept = Kept.take(out);
  const { schema, array } = kept.give();
  using lease = importArray(schema, array);
  assert.deepEqual(plainVector(lease.value), [[["x", 1]], null, [["x", 3]]]);
});

const ORDERED = 1;
const NULLABLE = 2;
const KEYS_SORTED = 4;

const pairs = (flags: number): Column => ({
  ...struct([utf8(["a", "b"], {}, "k"), { ...int32([1, null]), name: "v", nullable: true }], [
    true,
    true,
  ]),
  format: "+m",
  name: "map",
  flags,
  length: 1,
  buffers: [null, new Uint8Array(Int32Array.of(0, 2).buffer)],
  children: [{
    ...struct([utf8(["a", "b"], {}, "k"), { ...int32([1, null]), name: "v" }], [true, true]),
    name: "pairs",
  }],
});

test("failures: the flags ordered, nullable and keys-sorted", () => {
  const encoded: Column = {
    ...fixed("c", Int8Array, [0, 1]),
    flags: ORDERED,
    dictionary: utf8(["low", "high"], {}, ""),
  };
  const flagged = [
    [encoded, ORDERED],
    [{ ...encoded, flags: 0 }, 0],
    [{ ...int32([1]), nullable: true }, NULLABLE],
    [int32([1]), 0],
    [{ ...pairs(KEYS_SORTED), nullable: true }, KEYS_SORTED | NULLABLE],
    [pairs(0), 0],
  ] as const;
  for (const [column, flags] of flagged) {
    const { schema, array } = make(table([column]));
    using lease = importRecordBatch(schema, array);
    const { fields } = lease.value.schema;
    assert.equal(fields[0]!.nullable, (flags & NULLABLE) !== 0);
    const { type } = fields[0]!;
    if (column.dictionary) assert.equal((type as Dictionary).isOrdered, (flags & ORDERED) !== 0);
    if (column.format === "+m") {
      assert.equal((type as Map_).keysSorted, (flags & KEYS_SORTED) !== 0);
    }
    using exported = exportSchema(lease.value.schema);
    assert.equal(word(child(exported.address, SCHEMA.children, 0), SCHEMA.flags), flags);
  }
  assert.deepEqual(live(), NOTHING);
});

test("failures: a map's entries lose their names and become nullable", () => {
  const structs = make(table([pairs(0)]));
  const lease = importRecordBatch(structs.schema, structs.array);
  const { schema, data } = lease.value;
  const [entries] = (schema.fields[0]!.type as Map_).children;
  // apache-arrow knows maps by these names only; the producer's are in the metadata.
  assert.deepEqual([entries!.name, entries!.nullable], ["entries", false]);
  assert.equal(entries!.metadata.get("bowstring:original_name"), "pairs");
  assert.deepEqual(
    entries!.type.children.map(({ name, nullable }: Field) => [name, nullable]),
    [["key", false], ["value", true]],
  );
  // Built anew from what JavaScript has, not the array that came in.
  using exported = exportRecordBatch({ schema, data } as RecordBatch);
  const raw = child(child(exported.schema, SCHEMA.children, 0), SCHEMA.children, 0);
  const key = child(raw, SCHEMA.children, 0);
  assert.equal(word(raw, SCHEMA.flags), 0);
  assert.equal(word(key, SCHEMA.flags), 0);
  // "pairs" and "k" with their NUL, as little-endian words.
  assert.equal(peekWord(word(raw, SCHEMA.name)) % 2 ** 48, 0x7372696170);
  assert.equal(peekWord(word(key, SCHEMA.name)) % 2 ** 16, 0x6b);
  assert.equal(word(child(raw, SCHEMA.children, 1), SCHEMA.flags), NULLABLE);
  lease.release();
});

test("failures: a map's keys are declared nullable, and are null", () => {
  const map = pairs(0);
  const [entries] = map.children;
  const [keys, values] = entries!.children;
  const declared = (more: Partial<Column>) => ({
    ...map,
    children: [{
      ...entries!,
      nullable: true,
      children: [{ ...keys!, nullable: true, ...more }, values!],
    }],
  });
  // Some producers say so, and none of the keys is null.
  const structs = make(table([declared({})]));
  using lease = importRecordBatch(structs.schema, structs.array, { validate: "full" });
  assert.deepEqual([...lease.value.getChildAt(0)!.get(0)!], [["a", 1], ["b", null]]);
  // The specification forbids it, and other readers refuse it: what is made here does not.
  const { schema, data } = lease.value;
  using exported = exportRecordBatch({ schema, data } as RecordBatch);
  const raw = child(child(exported.schema, SCHEMA.children, 0), SCHEMA.children, 0);
  const flags = [raw, child(raw, SCHEMA.children, 0), child(raw, SCHEMA.children, 1)];
  assert.deepEqual(flags.map((at) => word(at, SCHEMA.flags)), [0, 0, NULLABLE]);

  const nulls = { nullCount: 1, buffers: [Uint8Array.of(1), ...keys!.buffers.slice(1)] };
  const bad = make(table([declared(nulls)]));
  assert.throws(() => importRecordBatch(bad.schema, bad.array), {
    code: "INVALID_ARROW",
    message: 'column[0] "map" -> pairs -> k: expected no nulls among the keys of a map but found 1',
  });
  lease.release();
  exported.release();
  assert.deepEqual(live(), NOTHING);
});

test("failures: numbers of buffers of null and of unions", () => {
  const counts = (vector: Vector) => {
    using exported = exportArray(vector);
    return word(exported.array, ARRAY.bufferCount);
  };
  assert.equal(counts(new Vector([makeData({ type: new Null(), length: 2 })])), 0);
  for (const [kind, count] of [["dense union", 2], ["sparse union", 1]] as const) {
    const shape: Shape = { kind, fields: [{ kind: "int32" }, { kind: "utf8" }] };
    const layout = { lead: () => 0, messy: false, random: new Random(3) };
    const column = columnOf(shape, [], layout);
    const { schema, array } = make(column);
    using lease = importArray(schema, array);
    assert.equal(counts(lease.value), count, kind);
    // With a validity bitmap, as before version 1.0 of the format.
    const old = make({ ...column, buffers: [null, ...column.buffers] });
    assert.throws(() => importArray(old.schema, old.array), { code: "INVALID_ARROW" });
  }
  const nulls = { ...int32([null]), format: "n" };
  const one = make({ ...nulls, buffers: [null] });
  assert.throws(() => importArray(one.schema, one.array), { code: "INVALID_ARROW" });
  assert.deepEqual(read({ ...nulls, buffers: [] }), [null]);
  assert.deepEqual(live(), NOTHING);
});

test("failures: a union is given nulls of its own", () => {
  const type = new DenseUnion([0, 1], [
    new Field("a", new Int32(), true),
    new Field("b", new Utf8(), true),
  ]);
  const vector = new Vector([makeData({
    type,
    typeIds: Int8Array.of(0, 1, 0),
    valueOffsets: Int32Array.of(0, 0, 1),
    children: [
      vectorFromArray([null, 7], new Int32()).data[0]!,
      vectorFromArray(["x"], new Utf8()).data[0]!,
    ],
  })]);
  const out = new Structs();
  exportArray(vector, { into: out });
  assert.equal(word(out.array, ARRAY.nullCount), 0);
  using kept = Kept.take(out);
  const { schema, array } = kept.give();
  using lease = importArray(schema, array);
  assert.deepEqual(plainVector(lease.value), [null, "x", 7]);
});

test("failures: duplicate column names", () => {
  const same = (value: number) => ({ ...int32([value]), name: "x" });
  const inner = { ...struct([same(3), same(4)], [true]), name: "x" };
  const columns = [same(1), same(2), inner];
  const structs = make(table(columns));
  using lease = importRecordBatch(structs.schema, structs.array);
  const batch = lease.value;
  const names = batch.schema.fields.map(({ name }) => name);
  assert.equal(new Set(names).size, 3, `${names}`);
  assert.equal(names[0], "x");
  const row = batch.get(0)!;
  assert.deepEqual(names.slice(0, 2).map((name) => row[name]), [1, 2]);
  const fields = [...batch.getChildAt(2)!.get(0)] as [string, number][];
  assert.equal(new Set(fields.map(([name]) => name)).size, 2);
  assert.deepEqual(fields.map(([, value]) => value), [3, 4]);

  // Back under their own names, from what JavaScript has.
  const out = new Structs();
  exportRecordBatch({ schema: batch.schema, data: batch.data } as RecordBatch, { into: out });
  using expected = Kept.take(make(table(columns)));
  expected.compare(out, 1);

  const again = make(table(columns));
  assert.throws(() => importRecordBatch(again.schema, again.array, { strict: true }), {
    code: "UNSUPPORTED",
  });
});
