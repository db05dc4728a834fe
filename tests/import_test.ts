/** Tables of a foreign producer arrive in apache-arrow with the values they have, and without a copy. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { RecordBatch, Table, type Vector } from "apache-arrow";
import { stats } from "../mod.ts";
import { BowstringError } from "../bindings/errors.ts";
import { bool, CASES, type Column, fixed, struct, table, utf8 } from "./support/columns.ts";
import { live, NOTHING, produce } from "./support/producer.ts";

/** A value as the columns' tables write it. */
function plain(value: unknown): unknown {
  const row = value as { toJSON?: () => Record<string, unknown> } | null;
  return typeof row?.toJSON === "function" ? row.toJSON() : value;
}

const read = (vector: Vector): unknown[] =>
  Array.from({ length: vector.length }, (_, index) => plain(vector.get(index)));

for (const [title, column] of CASES) {
  test(`import: ${title}`, () => {
    const before = stats();
    const lease = produce([[column]]);
    const batch = lease.table(0);
    const vector = batch.getChildAt(0)!;

    assert.equal(batch.numRows, column.length);
    assert.equal(batch.schema.fields[0]!.name, column.name);
    assert.equal(batch.schema.fields[0]!.nullable, column.nullable);
    assert.deepEqual(read(vector), column.values, "get");
    assert.deepEqual([...vector].map(plain), column.values, "iteration");
    assert.deepEqual(read(vector.slice(1)), column.values.slice(1), "slice");
    assert.deepEqual(read(vector.slice(1).slice(0, 1)), column.values.slice(1, 2), "slice twice");
    assert.deepEqual(
      [...batch].map((row) => plain(row.toArray()[0])),
      column.values,
      "rows",
    );
    assert.equal(vector.nullCount, column.values.filter((value) => value === null).length);
    if (vector.nullCount === 0 && column.format !== "e") {
      assert.deepEqual([...vector.toArray()].map(plain), column.values, "toArray");
    }

    assert.equal(stats().bytesCopied, before.bytesCopied, "nothing is copied");
    assert.equal(stats().liveLeases, before.liveLeases + 1);
    assert.equal(stats().bytesViewed, before.bytesViewed + lease.byteLength);
    lease.release();
    assert.deepEqual(stats(), before);
    assert.deepEqual(live(), NOTHING);
  });
}

test("import: a table of every type, as one Table of two batches", () => {
  const columns = CASES.map(([, column]) => column).filter(({ length }) => length === 3);
  const [first, second] = [produce([columns]), produce([columns])];
  const joined = new Table([first.table(0), second.table(0)]);
  assert.equal(joined.numRows, 6);
  columns.forEach((column, index) => {
    assert.deepEqual(read(joined.getChildAt(index)!), [...column.values, ...column.values]);
  });
  assert.equal(first.table(0).schema, second.table(0).schema, "the schema is made once");
  first.release();
  second.release();
  assert.deepEqual(live(), NOTHING);
});

test("import: several tables under one lease", () => {
  const lease = produce([[bool([true])], [utf8(["a", "b"])], []]);
  assert.deepEqual([0, 1, 2].map((index) => lease.table(index).numRows), [1, 2, 0]);
  assert.equal(stats().liveLeases, 1);
  lease.release();
  assert.deepEqual(live(), NOTHING);
});

test("import: empty columns", () => {
  const columns = [
    bool([]),
    utf8([]),
    fixed("I", Uint32Array, []),
    fixed("l", BigInt64Array, []),
    struct([bool([])], []),
  ];
  const lease = produce([columns]);
  const batch = lease.table(0);
  assert.equal(batch.numRows, 0);
  assert.equal(batch.numCols, 5);
  for (let index = 0; index < 5; index++) assert.deepEqual([...batch.getChildAt(index)!], []);
  lease.release();
  assert.deepEqual(live(), NOTHING);
  assert.equal(stats().liveLeases, 0);
});

test("import: a schema and a description that outgrow the room kept for them", () => {
  const columns = Array.from(
    { length: 700 },
    (_, index) => utf8([`${index}`], {}, `c${index}`.padEnd(150, "x")),
  );
  const lease = produce([columns]);
  const batch = lease.table(0);
  assert.equal(batch.numCols, 700);
  assert.deepEqual(
    columns.map((_, index) => batch.getChildAt(index)!.get(0)),
    columns.map((column) => column.values[0]),
  );
  lease.release();
  assert.deepEqual(live(), NOTHING);
});

test("import: columns of the same name stay apart", () => {
  const lease = produce([[utf8(["a"], {}, "same"), utf8(["b"], {}, "same")]]);
  const batch = lease.table(0);
  assert.equal(batch.numCols, 2);
  assert.deepEqual([batch.getChildAt(0)!.get(0), batch.getChildAt(1)!.get(0)], ["a", "b"]);
  lease.release();
});

test("import: the batch is what apache-arrow itself would make", () => {
  const lease = produce([[utf8(["a", null]), fixed("I", Uint32Array, [1, 2])]]);
  const batch = lease.table(0);
  assert.ok(batch instanceof RecordBatch);
  const rebuilt = new RecordBatch(batch.schema, batch.data);
  assert.deepEqual(rebuilt.toArray().map(plain), batch.toArray().map(plain));
  assert.deepEqual(batch.select(["utf8"]).toArray().map(plain), [{ utf8: "a" }, { utf8: null }]);
  assert.equal(batch.slice(1).get(0)!["fixed I"], 2);
  assert.deepEqual([...batch.metadata], []);
  lease.release();
});

/** Formats that apache-arrow cannot hold, where no conversion was asked for; on their own and below a struct. */
const UNSUPPORTED: readonly (readonly [column: Column, message: string])[] = [
  [
    { ...fixed("I", Uint32Array, [1]), format: "d:9,2,32", name: "price" },
    'column[0] "price": format "d:9,2,32" is not a type that can be imported',
  ],
  [
    struct([{ ...fixed("I", Uint32Array, [1]), format: "d:9,2,32", name: "price" }], [true]),
    'column[0] "struct" -> price: format "d:9,2,32" is not a type that can be imported',
  ],
];

for (const [column, message] of UNSUPPORTED) {
  test(`import: refuses ${message}`, () => {
    const lease = produce([[column]]);
    assert.throws(() => lease.table(0), new BowstringError("UNSUPPORTED", message));
    lease.release();
    assert.deepEqual(live(), NOTHING);
    assert.equal(stats().liveLeases, 0);
  });
}

test("import: refuses a table with nulls or with an offset", () => {
  const whole = table([bool([true, false])]);
  for (const root of [{ ...whole, offset: 1, length: 1 }, { ...whole, nullCount: 1 }]) {
    assert.throws(() => produce([root]), { code: "INVALID_ARROW" });
    assert.deepEqual(live(), NOTHING, "the table was taken and released");
  }
  assert.equal(stats().liveLeases, 0);
});
