/** Structs as hostile or careless producers make them, of every type: each gives the right values or a typed error. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { exportArray, importArray, importRecordBatch, stats } from "../mod.ts";
import { type Column, fixed, table } from "./support/columns.ts";
import { around, LEAVES, NESTED, plain, type Shape, valuesOf } from "./support/nested.ts";
import { columnOf } from "./support/nested_columns.ts";
import { Kept, Structs } from "./support/peer.ts";
import { SLOW } from "./support/process.ts";
import { live, make, NOTHING } from "./support/producer.ts";
import { Random } from "./support/random.ts";
import { plainVector } from "./support/values.ts";

const SHAPES: readonly Shape[] = [
  ...LEAVES.map((kind) => ({ kind })),
  ...NESTED.map((kind) => around(kind, { kind: "utf8" as const }, new Random(1))),
];
const ROWS = 21;

/** A column, and all below it, changed. */
function changed(column: Column, change: (node: Column) => Partial<Column>): Column {
  const { dictionary } = column;
  return {
    ...column,
    ...change(column),
    children: column.children.map((child) => changed(child, change)),
    ...(dictionary && { dictionary: changed(dictionary, change) }),
  };
}

/** Imports a column, shown and copied, and exports it again: the values, and what arrow-rs makes of them. */
function expectValues(shape: Shape, change: (node: Column) => Partial<Column>, what: string): void {
  const random = new Random(7);
  const values = valuesOf(shape, ROWS, true, random);
  const expected = values.map(plain);
  using kept = Kept.take(
    make(columnOf(shape, values, { lead: () => 0, messy: false, random })),
  );
  for (const copy of [false, true]) {
    const column = columnOf(shape, values, { lead: () => 3, messy: true, random: new Random(8) });
    const { schema, array } = make(changed(column, change));
    using lease = importArray(schema, array, { copy, validate: "full" });
    assert.deepEqual(plainVector(lease.value), expected, `${what}, copy: ${copy}`);
    for (const mode of ["borrow", "copy"] as const) {
      const into = new Structs();
      exportArray(lease.value, { mode, into });
      kept.compare(into, ROWS);
    }
  }
}

for (const shape of SHAPES) {
  test(`hostile: ${shape.kind} at addresses that are aligned to nothing`, SLOW, () => {
    for (const misaligned of [1, 2, 4, 8, 12]) {
      expectValues(shape, () => ({ misaligned }), `by ${misaligned} bytes`);
    }
    assert.deepEqual(live(), NOTHING);
  });

  test(`hostile: ${shape.kind} whose nulls were not counted`, SLOW, () => {
    const uncounted = ({ format }: Column) => format === "+r" ? {} : { nullCount: -1 };
    expectValues(shape, uncounted, "null count -1");
    assert.deepEqual(live(), NOTHING);
  });
}

test("hostile: type ids with gaps, up to the largest", () => {
  for (const kind of ["us", "ud"]) {
    const ids = [127, 0, 5];
    const fields = [1, 2, 3].map((number) => ({
      ...fixed("i", Int32Array, [10 * number, 10 * number + 1, 10 * number + 2, 10 * number + 3]),
      name: `f${number}`,
    }));
    const offsets = new Uint8Array(Int32Array.of(0, 1, 0, 1).buffer);
    const column: Column = {
      ...fixed("i", Int32Array, [0, 0, 0]),
      format: `+${kind}:${ids}`,
      offset: 1,
      buffers: [Uint8Array.of(5, 127, 0, 127), ...kind === "ud" ? [offsets] : []],
      children: fields,
    };
    const { schema, array } = make(column);
    using lease = importArray(schema, array, { validate: "full" });
    const expected = kind === "ud" ? [11, 20, 11] : [11, 22, 13];
    assert.deepEqual([...lease.value], expected, kind);
    assert.deepEqual([...lease.value.slice(1)], expected.slice(1), kind);
    const into = new Structs();
    exportArray(lease.value.slice(1), { into });
    using kept = Kept.take(into);
    const again = kept.give();
    using second = importArray(again.schema, again.array, { validate: "full" });
    assert.deepEqual([...second.value], expected.slice(1), kind);
  }
  assert.deepEqual(live(), NOTHING);
});

const words = (format: string, values: readonly unknown[], dictionary: Column): Column => ({
  ...fixed(format, Int8Array, values.map(() => 0)),
  buffers: [null, Uint8Array.from(values as number[])],
  dictionary,
});

test("hostile: dictionaries inside dictionaries", () => {
  const inner = words("C", [2, 1, 0], { ...fixed("i", Int32Array, [100, 101, 102]), name: "" });
  const outer = words("c", [0, 0, 2, 1], { ...inner, name: "" });
  const { schema, array } = make(outer);
  using lease = importArray(schema, array, { validate: "full" });
  assert.deepEqual([...lease.value], [102, 102, 100, 101]);
  const into = new Structs();
  exportArray(lease.value, { into });
  using kept = Kept.take(into);
  const again = kept.give();
  using second = importArray(again.schema, again.array, { validate: "full" });
  assert.deepEqual([...second.value], [102, 102, 100, 101]);
});

test("hostile: more rows than a number of JavaScript's can count", () => {
  for (const length of [2 ** 53 + 2, 2 ** 62]) {
    const nulls: Column = { ...fixed("n", Int8Array, []), buffers: [], length, nullCount: -1 };
    for (const column of [nulls, { ...nulls, format: "w:0", buffers: [null, null] }]) {
      const { schema, array } = make(column);
      assert.throws(() => importArray(schema, array), { code: "INVALID_ARROW" }, `${length}`);
      const batch = make({ ...table([column]), length });
      assert.throws(() => importRecordBatch(batch.schema, batch.array), { code: "INVALID_ARROW" });
    }
  }
  assert.deepEqual(live(), NOTHING);
  assert.equal(stats().liveLeases, 0);
});
