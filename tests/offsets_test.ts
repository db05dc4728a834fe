/**
 * Nested columns at every offset: each array of a column, not only the outermost, has an offset of its own, and rows around
 * those that count. What JavaScript reads is compared with the values that the column was made of; what it exports is
 * compared by arrow-rs with a column of the same values that has no offsets at all.
 *
 * `BOWSTRING_SEED=n` runs the generated columns from another seed; a failure names its own.
 */

import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import type { Vector } from "apache-arrow";
import { exportArray, importArray, stats } from "../mod.ts";
import { around, LEAVES, nameOf, NESTED, plain, type Shape, valuesOf } from "./support/nested.ts";
import { columnOf } from "./support/nested_columns.ts";
import { Kept, Structs } from "./support/peer.ts";
import { SLOW } from "./support/process.ts";
import { live, make, NOTHING } from "./support/producer.ts";
import { Random } from "./support/random.ts";
import { plainVector } from "./support/values.ts";

const OFFSETS = [0, 1, 7, 8, 9, 63, 64, 65];
const MODES = ["borrow", "copy"] as const;
/** Rows besides those before the offset. */
const ROWS = 11;
/** Columns of the property test, for each seed. */
const GENERATED = 150;

/** What arrow-rs has for these values without any offset. */
function keep(shape: Shape, values: readonly unknown[], random: Random): Kept {
  return Kept.take(make(columnOf(shape, values, { lead: () => 0, messy: false, random })));
}

/** Compares rows `start ..` of what arrow-rs has with a vector and slices of it, and with what they are exported as. */
function compare(kept: Kept, vector: Vector, expected: readonly unknown[], start = 0): void {
  assert.deepEqual(plainVector(vector), expected);
  const { length } = expected;
  const slices: [number, number][] = [
    [0, length],
    [1, length - 1],
    [Math.min(3, length), length],
    [length, length],
  ];
  for (const [index, [from, to]] of slices.entries()) {
    if (from > to) continue;
    const slice = vector.slice(from, to);
    assert.deepEqual(plainVector(slice), expected.slice(from, to), `rows ${from} to ${to}`);
    for (const mode of index === 0 ? MODES : [MODES[index % 2]!]) {
      const into = new Structs();
      exportArray(slice, { mode, into });
      kept.compare(into, to - from, 0, start + from);
    }
  }
}

/** The same column as a foreign producer lays it out, imported and exported. */
function asLaidOut(shape: Shape, values: readonly unknown[], offset: number, random: Random): void {
  using kept = keep(shape, values, random);
  const inner = OFFSETS.indexOf(offset);
  let arrays = 0;
  const lead = () => OFFSETS[(inner + 3 * arrays++) % OFFSETS.length]!;
  for (const rows of [values, []]) {
    arrays = 0;
    const structs = make(columnOf(shape, rows, { lead, messy: true, random }));
    using lease = importArray(structs.schema, structs.array, { validate: "full" });
    compare(kept, lease.value, rows.map(plain));
  }
}

/** Rows from an offset on of what arrow-rs has, imported and exported. */
function asSliced(shape: Shape, values: readonly unknown[], random: Random): void {
  using kept = keep(shape, values, random);
  const expected = values.map(plain);
  for (const start of OFFSETS) {
    for (const length of [ROWS, 0]) {
      const structs = kept.slice(start, length);
      using lease = importArray(structs.schema, structs.array, { validate: "full" });
      compare(kept, lease.value, expected.slice(start, start + length), start);
    }
  }
}

function place(what: string, body: () => void): void {
  const before = stats().liveLeases;
  try {
    body();
  } catch (cause) {
    throw new Error(what, { cause });
  }
  assert.equal(stats().liveLeases, before, what);
  assert.deepEqual(live(), NOTHING, what);
}

/** apache-arrow has no dictionary of dictionaries, and IPC none either. */
const exists = (outer: string, inner: string) =>
  !(outer === "dictionary" && inner === "dictionary");

NESTED.forEach((outer, index) => {
  test(`offsets: ${outer} of every other nested type, to depth 3`, SLOW, () => {
    NESTED.forEach((middle, at) => {
      if (!exists(outer, middle)) return;
      OFFSETS.forEach((offset, turn) => {
        const random = new Random(1_000 * index + 10 * at + turn);
        const nulls = random.chance(0.5);
        // Every nested type comes to be the innermost one.
        let inner = NESTED[(index + at + turn) % NESTED.length]!;
        if (!exists(middle, inner)) inner = "list";
        const leaf: Shape = { kind: LEAVES[(index + at + 3 * turn) % LEAVES.length]! };
        const shape = around(outer, around(middle, around(inner, leaf, random), random), random);
        const what = `${nameOf(shape)}, offset ${offset}, ${nulls ? "nulls" : "no nulls"}`;
        const values = valuesOf(shape, ROWS, nulls, random);
        place(what, () => asLaidOut(shape, values, offset, random));
      });
    });
  });

  test(`offsets: ${outer}, sliced in arrow-rs`, SLOW, () => {
    NESTED.forEach((middle, at) => {
      if (!exists(outer, middle)) return;
      for (const nulls of [false, true]) {
        const random = new Random(500_000 + 1_000 * index + 10 * at);
        const leaf: Shape = { kind: LEAVES[(index + at) % LEAVES.length]! };
        const shape = around(outer, around(middle, leaf, random), random);
        const values = valuesOf(shape, OFFSETS.at(-1)! + ROWS, nulls, random);
        place(
          `${nameOf(shape)}, ${nulls ? "nulls" : "no nulls"}`,
          () => asSliced(shape, values, random),
        );
      }
    });
  });
});

/** Any type. */
function anyShape(random: Random, depth: number): Shape {
  if (depth === 0 || random.chance(0.2)) return { kind: random.pick(LEAVES) };
  const kind = random.pick(NESTED);
  let item = anyShape(random, depth - 1);
  if (!exists(kind, item.kind)) item = { kind: "utf8" };
  return around(kind, item, random);
}

test("offsets: generated columns", SLOW, () => {
  const first = Number(process.env.BOWSTRING_SEED ?? 1);
  for (let seed = first; seed < first + GENERATED; seed++) {
    const random = new Random(seed);
    const shape = anyShape(random, 4);
    const values = valuesOf(shape, random.below(20), random.chance(0.7), random);
    place(
      `BOWSTRING_SEED=${seed}: ${nameOf(shape)}`,
      () => asLaidOut(shape, values, random.pick(OFFSETS), random),
    );
  }
});
