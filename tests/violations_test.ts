/** The violations that `docs/ownership.md` lists, each beside its safe mode, in the order of the page. */

import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, write } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { Float64, Int32, makeData, RecordBatch, type Vector } from "apache-arrow";
import {
  allocate,
  exportRecordBatch,
  exportStream,
  type Hold,
  importArray,
  type ImportOptions,
  importRecordBatch,
  type Lease,
  LeaseReleasedError,
  stats,
} from "../mod.ts";
import { fixed, table } from "./support/columns.ts";
import { around, LEAVES, NESTED, valuesOf as makeValues } from "./support/nested.ts";
import { columnOf } from "./support/nested_columns.ts";
import { Kept, Structs } from "./support/peer.ts";
import { collectUntil, isDeno, SLOW } from "./support/process.ts";
import { live, make, NOTHING } from "./support/producer.ts";
import { Random } from "./support/random.ts";
import { plainVector } from "./support/values.ts";

/** More than is copied whatever the mode. */
const LARGE = 5_000;

const imported = (options: ImportOptions = {}, values = [7, 8, 9]): Lease<RecordBatch> => {
  const { schema, array } = make(table([fixed("i", Int32Array, values)]));
  return importRecordBatch(schema, array, options);
};

const columnOfLease = (lease: Lease<RecordBatch>): Vector => lease.value.getChildAt(0)!;
const valuesOf = (lease: Lease<RecordBatch>) =>
  columnOfLease(lease).data[0]!.values as Int32Array<ArrayBuffer>;

const doubles = (values: Float64Array = new Float64Array(LARGE).fill(0.5)) =>
  new RecordBatch({
    x: makeData({ type: new Float64(), data: values as Float64Array<ArrayBuffer> }),
  });

const shapes = [
  ...LEAVES.map((kind) => ({ kind })),
  ...NESTED.map((kind) => around(kind, { kind: "int32" as const }, new Random(1))),
];

for (const shape of shapes) {
  test(`violation: reading ${shape.kind} after the release; safe: copy`, () => {
    const values = makeValues(shape, 10, true, new Random(9));
    const column = () =>
      columnOf(shape, values, { lead: () => 4, messy: true, random: new Random(9) });
    const [first, second] = [make(column()), make(column())];
    const lease = importArray(first.schema, first.array);
    const vector = lease.value;
    const [data] = vector.data;
    const expected = plainVector(vector);
    lease.release();
    lease.release();
    const reads: Record<string, () => unknown> = {
      value: () => lease.value,
      get: () => vector.get(0),
      iteration: () => [...vector],
      slice: () => vector.slice(0, 0),
      nullCount: () => vector.nullCount,
      values: () => data!.values.length,
      children: () => data!.children[0],
      hold: () => lease.hold(),
    };
    for (const [what, read] of Object.entries(reads)) {
      assert.throws(read, LeaseReleasedError, what);
    }
    const copied = importArray(second.schema, second.array, { copy: true });
    const copy = copied.value;
    copied.release();
    copied.release();
    assert.deepEqual(plainVector(copy), expected);
    assert.deepEqual(live(), NOTHING);
  });
}

test("violation: a view that was taken before the release is empty; safe: copy", () => {
  const lease = imported();
  const values = valuesOf(lease);
  const slice = columnOfLease(lease).slice(1);
  lease.release();
  assert.equal(values.length, 0);
  assert.equal(values[0], undefined);
  assert.equal((slice.data[0]!.values as Int32Array).length, 0);

  const copied = imported({ copy: true });
  const kept = valuesOf(copied);
  copied.release();
  assert.deepEqual([...kept], [7, 8, 9]);
});

/** Writes a column to a file, and releases it while that runs. */
async function release(
  file: number,
  values: readonly number[],
  how: "hold" | "copy" | "neither",
): Promise<void> {
  const lease = imported({ copy: how === "copy" }, [...values]);
  const view = valuesOf(lease);
  const written = promisify(write)(file, view, 0, view.byteLength, 0);
  const hold = how === "hold" ? lease.hold() : undefined;
  lease.release();
  assert.equal(live().buffers, how === "copy" ? 0 : 1, "what is written is there");
  await written;
  hold?.release();
}

test("violation: a release while I/O reads a view; safe: hold, copy", SLOW, async () => {
  const directory = mkdtempSync(join(tmpdir(), "bowstring-test-"));
  const path = join(directory, "column");
  const file = openSync(path, "w");
  const values = Array.from({ length: 100_000 }, (_, index) => index);
  const expected = new Uint8Array(Int32Array.from(values).buffer);
  try {
    // Without either, Deno would write freed memory; Bun keeps what its I/O reads.
    for (const how of isDeno ? ["hold", "copy"] as const : ["hold", "copy", "neither"] as const) {
      await release(file, values, how);
      assert.ok(readFileSync(path).equals(expected), how);
      if (isDeno) assert.deepEqual(live(), NOTHING);
      else await collectUntil(() => live().buffers === 0, "the freed memory");
    }
  } finally {
    closeSync(file);
    rmSync(directory, { recursive: true });
  }
  // What unprotected I/O would go on reading is gone at once.
  const lease = imported();
  valuesOf(lease);
  lease.release();
  assert.deepEqual(live(), NOTHING);
});

test("violation: transfer() of a leased buffer; safe: slice(), copy", () => {
  const lease = imported();
  const { buffer } = valuesOf(lease);
  const safe = buffer.slice().transfer();
  if (isDeno) {
    assert.throws(() => buffer.transfer(), TypeError);
    lease.release();
  } else {
    const moved = buffer.transfer();
    lease.release();
    assert.equal(live().buffers, 1, "the new owner has it");
    moved.transfer(0);
  }
  assert.deepEqual([...new Int32Array(safe, 0, 3)], [7, 8, 9]);
  const copied = imported({ copy: true });
  assert.deepEqual([...new Int32Array(valuesOf(copied).buffer.transfer(), 0, 3)], [7, 8, 9]);
  assert.deepEqual(live(), NOTHING);
});

test("violation: writing into a leased table is seen by later readers; safe: copy", () => {
  for (const [options, seen] of [[{}, 99], [{ copy: true }, 7]] as const) {
    const { schema, array } = make(table([fixed("i", Int32Array, [7])]));
    using source = importRecordBatch(schema, array);
    using exported = exportRecordBatch(source.value);
    using lease = importRecordBatch(exported.schema, exported.array, options);
    valuesOf(source)[0] = 99;
    const found = columnOfLease(lease).get(0);
    assert.equal(found, seen);
  }
  assert.deepEqual(live(), NOTHING);
});

/** In a function of its own, so that no local keeps what it makes. */
function forget(): Hold {
  return imported().hold();
}

test("violation: a hold that is never released keeps the memory; safe: using", SLOW, async () => {
  const before = stats().liveLeases;
  {
    const lease = imported();
    using _hold = lease.hold();
    lease.release();
    assert.equal(stats().liveLeases, before + 1);
  }
  assert.equal(stats().liveLeases, before);
  const { buffers } = live();
  const hold = forget();
  for (let turn = 0; turn < 5; turn++) {
    await collectUntil(() => stats().liveLeases === before + 1, "no release of what is held");
    assert.equal(live().buffers, buffers + 1);
  }
  hold.release();
  assert.equal(stats().liveLeases, before);
  assert.equal(live().buffers, buffers);
});

test("violation: detaching a borrowed buffer is counted; safe: move, copy, allocate", () => {
  const detach = (batch: RecordBatch) => {
    const { buffer } = batch.data.children[0]!.values as Float64Array<ArrayBuffer>;
    if (!buffer.detached) structuredClone(buffer, { transfer: [buffer] });
  };
  const start = stats().violations;
  for (const mode of ["borrow", "move", "copy"] as const) {
    const before = stats().violations;
    const batch = doubles();
    const exported = exportRecordBatch(batch, { mode });
    detach(batch);
    if (mode !== "borrow") {
      using lease = importRecordBatch(exported.schema, exported.array);
      assert.equal(columnOfLease(lease).get(LARGE - 1), 0.5);
    }
    exported.release();
    assert.equal(stats().violations - before, mode === "borrow" ? 1 : 0, mode);
  }
  const fixedMemory = doubles(new Float64Array(allocate(8 * LARGE).buffer).fill(0.5));
  using exported = exportRecordBatch(fixedMemory);
  assert.throws(() => detach(fixedMemory));
  exported.release();
  assert.equal(stats().violations, start + 1);
  assert.equal(stats().livePins, 0);
});

test("violation: resizing a buffer; such buffers are copied in every mode", () => {
  const buffer = new ArrayBuffer(8 * LARGE, { maxByteLength: 16 * LARGE });
  const batch = doubles(new Float64Array(buffer).fill(0.5));
  using exported = exportRecordBatch(batch);
  assert.equal(stats().livePins, 0);
  buffer.resize(0);
  using lease = importRecordBatch(exported.schema, exported.array);
  assert.equal(columnOfLease(lease).get(LARGE - 1), 0.5);
});

test("violation: writing to a borrowed buffer; safe: move, copy", () => {
  for (const [mode, seen] of [["borrow", 99], ["move", 0.5], ["copy", 0.5]] as const) {
    const batch = doubles();
    using exported = exportRecordBatch(batch, { mode });
    (batch.data.children[0]!.values as Float64Array)[0] = 99;
    using lease = importRecordBatch(exported.schema, exported.array);
    assert.equal(columnOfLease(lease).get(0), seen, mode);
  }
});

/** In a function of its own, so that nothing keeps what it exports. */
function dropExports(count: number): [number, number][] {
  return Array.from({ length: count }, () => {
    const { schema, array } = exportRecordBatch(doubles());
    return [schema, array];
  });
}

test(
  "violation: an export that is dropped is released; safe: structs of one's own",
  SLOW,
  async () => {
    const into = new Structs();
    exportRecordBatch(doubles(), { into });
    const pinned = stats().livePins;
    dropExports(20);
    await collectUntil(() => stats().livePins === pinned, "the release of what was dropped");
    using kept = Kept.take(into);
    const { schema, array } = kept.give();
    using lease = importRecordBatch(schema, array);
    assert.equal(lease.value.numRows, LARGE);
  },
);

test("violation: taking an export twice, or after its release, fails", () => {
  const exported = exportRecordBatch(doubles());
  exported.release();
  exported.release();
  assert.throws(() => importRecordBatch(exported.schema, exported.array), {
    code: "INVALID_ARROW",
  });
  assert.equal(stats().livePins, 0);
});

test(
  "violation: reading a stream on the thread that feeds it; safe: another thread",
  SLOW,
  async () => {
    const source =
      () => [new RecordBatch({ x: makeData({ type: new Int32(), data: Int32Array.of(1) }) })];
    const here = new Structs(40);
    exportStream(source(), { into: here.schema });
    assert.throws(() => Kept.readHere(here), /EDEADLK|deadlock|thread/i);
    const there = new Structs(40);
    exportStream(source(), { into: there.schema });
    using kept = await Kept.read(there);
    assert.equal(kept.batches, 1);
  },
);
