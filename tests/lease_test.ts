/** What a lease promises: nothing reads its memory after the release, and nothing frees it before. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Data, StructRowProxy, Vector } from "apache-arrow";
import { LeaseReleasedError, stats } from "../mod.ts";
import { RecordBatchLease, type TableLease } from "../bindings/cdata/lease.ts";
import { CASES, fixed, utf8 } from "./support/columns.ts";
import { isDeno } from "./support/process.ts";
import { live, NOTHING, peek, produce } from "./support/producer.ts";

const RELEASED = new LeaseReleasedError("this table was read after its lease was released");

const numbers = () => produce([[fixed("I", Uint32Array, [7, 8, 9])]]);

/** The values of a table's first column, which is one of Uint32. */
const valuesOf = (lease: TableLease, column = 0) =>
  lease.table(0).getChildAt(column)!.toArray() as Uint32Array<ArrayBuffer>;

for (const [title, column] of CASES) {
  test(`lease: reading ${title} after the release throws`, () => {
    const lease = produce([[column]]);
    const batch = lease.table(0);
    const vector = batch.getChildAt(0)!;
    const row = batch.get(0)!;
    const data = batch.data;
    const columnData = data.children[0]!;
    lease.release();

    const reads: Record<string, () => unknown> = {
      "lease.table": () => lease.table(0),
      "batch.get": () => batch.get(0),
      "batch.at": () => batch.at(0),
      "batch.getChild": () => batch.getChild(column.name),
      "batch.getChildAt": () => batch.getChildAt(0),
      "batch iteration": () => [...batch],
      "batch.toArray": () => batch.toArray(),
      "batch.slice": () => batch.slice(0, 1),
      "batch.select": () => batch.select([column.name]),
      "batch.numRows": () => batch.numRows,
      "vector.get": () => vector.get(0),
      "vector.at": () => vector.at(-1),
      "vector iteration": () => [...vector],
      "vector.toArray": () => vector.toArray(),
      "vector.slice": () => vector.slice(0, 1),
      "vector.toJSON": () => vector.toJSON(),
      "vector.indexOf": () => vector.indexOf(column.values[0]),
      "row.toJSON": () => row.toJSON(),
      "row column": () => (row as Record<string, unknown>)[column.name],
      "vector.nullCount": () => vector.nullCount,
      "vector.byteLength": () => vector.byteLength,
      "data.getValid": () => columnData.getValid(0),
      "data.values": () => columnData.values.length,
      "data.valueOffsets": () => columnData.valueOffsets[0],
      "data.nullBitmap": () => columnData.nullBitmap.subarray(0),
      "data.typeIds": () => [...columnData.typeIds],
      "data.children": () => data.children[0],
    };
    for (const [name, read] of Object.entries(reads)) assert.throws(read, RELEASED, name);
    assert.deepEqual(live(), NOTHING);
  });
}

test("lease: children of a struct throw after the release", () => {
  const column = CASES.find(([title]) => title === "Struct")![1];
  const lease = produce([[column]]);
  const vector = lease.table(0).getChildAt(0)!;
  const row = vector.get(0) as StructRowProxy;
  const child = vector.getChildAt(0)!;
  lease.release();
  assert.throws(() => vector.getChildAt(0), RELEASED);
  assert.throws(() => child.get(0), RELEASED);
  assert.throws(() => row.toJSON(), RELEASED);
});

test("lease: typed arrays and slices taken earlier become empty", () => {
  const lease = produce([[fixed("I", Uint32Array, [7, 8, 9])]]);
  const vector = lease.table(0).getChildAt(0)!;
  const values = valuesOf(lease);
  const slice = vector.slice(1);
  assert.deepEqual([...values], [7, 8, 9]);
  lease.release();
  assert.equal(values.length, 0);
  assert.equal(values.buffer.detached, true);
  assert.equal((slice.data[0] as Data).values.length, 0);
});

test("lease: a second release, and a release before the first look, have no effect", () => {
  const read = numbers();
  read.table(0);
  read.release();
  read.release();
  const unread = numbers();
  assert.equal(unread.released, false);
  unread.release();
  unread.release();
  assert.equal(unread.released, true);
  assert.deepEqual(live(), NOTHING);
  assert.equal(stats().liveLeases, 0);
});

test("lease: a release does not touch another lease of the same tables", () => {
  const [first, second] = [numbers(), numbers()];
  const vector = second.table(0).getChildAt(0)!;
  first.table(0);
  first.release();
  assert.deepEqual([...vector], [7, 8, 9]);
  second.release();
});

test("lease: `using` releases, also when the block throws", () => {
  let vector: Vector | undefined;
  assert.throws(() => {
    using lease = new RecordBatchLease(numbers());
    vector = lease.value.getChildAt(0)!;
    assert.equal(vector.get(0), 7);
    throw new RangeError("from the block");
  }, new RangeError("from the block"));
  assert.throws(() => vector!.get(0), RELEASED);
  assert.deepEqual(live(), NOTHING);
});

test("lease: a hold defers the free, not the detaching", () => {
  const lease = numbers();
  const values = valuesOf(lease);
  const address = addressOf(values);
  const hold = lease.hold();
  lease.release();
  assert.equal(values.length, 0);
  assert.equal(stats().liveLeases, 1);
  assert.equal(peek(address), 7, "native code still reads the values");
  hold.release();
  assert.deepEqual(live(), NOTHING);
  assert.equal(stats().liveLeases, 0);
  hold.release();
  assert.equal(stats().liveLeases, 0);
});

test("lease: several holds, in any order, around the release", () => {
  const lease = numbers();
  const holds = [lease.hold(), lease.hold(), lease.hold()];
  holds[1]!.release();
  lease.table(0);
  holds[0]!.release();
  lease.release();
  assert.equal(stats().liveLeases, 1);
  holds[2]![Symbol.dispose]();
  assert.deepEqual(live(), NOTHING);
});

test("lease: a released lease cannot be held", () => {
  const lease = numbers();
  lease.release();
  assert.throws(
    () => lease.hold(),
    new LeaseReleasedError("this lease was released, so its memory can no longer be held"),
  );
});

test("lease: a copy is JavaScript's own", () => {
  const before = stats();
  const lease = produce([[utf8(["a", null, "c"]), fixed("I", Uint32Array, [7, 8, 9])]], {
    copy: true,
  });
  assert.deepEqual(live(), NOTHING, "the native memory is free before the first look");
  assert.deepEqual(stats(), {
    ...before,
    bytesCopied: before.bytesCopied + lease.byteLength,
  });
  const batch = lease.table(0);
  lease.hold().release();
  lease.release();
  assert.equal(lease.released, false);
  assert.deepEqual([...batch.getChildAt(0)!], ["a", null, "c"]);
  const values = valuesOf(lease, 1);
  const moved = structuredClone(values, { transfer: [values.buffer] });
  assert.deepEqual([...moved], [7, 8, 9]);
});

test("lease: Deno refuses transfer; Bun frees a moved buffer with its new owner", () => {
  const lease = numbers();
  const buffer = valuesOf(lease).buffer;
  if (isDeno) {
    const refusal = new TypeError(
      "a leased ArrayBuffer cannot be transferred: copy it with slice(), or import with { copy: true }",
    );
    assert.throws(() => buffer.transfer(), refusal);
    assert.throws(() => buffer.transferToFixedLength(), refusal);
    assert.equal(stats().liveLeases, 1);
    lease.release();
  } else {
    const moved = buffer.transfer();
    lease.release();
    assert.equal(stats().liveLeases, 1, "the new owner still has it");
    assert.deepEqual([...new Uint32Array(moved, 0, 3)], [7, 8, 9]);
    moved.transfer(0);
  }
  assert.equal(stats().liveLeases, 0);
  assert.equal(stats().leaks, 0);
  assert.deepEqual(live(), NOTHING);
});

test("lease: a buffer moved by structuredClone is leaked and counted by Deno, freed by Bun", () => {
  const before = stats();
  const lease = numbers();
  const { buffer } = valuesOf(lease);
  const moved: ArrayBuffer = structuredClone(buffer, { transfer: [buffer] });
  lease.release();
  assert.deepEqual([...new Uint32Array(moved, 0, 3)], [7, 8, 9]);
  if (isDeno) {
    assert.equal(stats().leaks, before.leaks + 1);
    assert.equal(stats().liveLeases, before.liveLeases + 1);
    assert.equal(live().buffers, 1, "the memory is lost, not freed under its new reader");
  } else {
    assert.equal(stats().leaks, before.leaks);
    moved.transfer(0);
    assert.deepEqual(stats(), before);
    assert.deepEqual(live(), NOTHING);
  }
});

/** The address of a typed array's first byte. */
function addressOf(values: Uint32Array<ArrayBuffer>): number {
  if (isDeno) return Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(values)));
  return bunPointer(values);
}

const bunFFI: string = "bun:ffi";
const bunPointer: (view: ArrayBufferView) => number = isDeno ? () => 0 : (await import(bunFFI)).ptr;
