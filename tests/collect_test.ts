/** What is dropped without a release is freed by the garbage collector, once nothing can read it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Vector } from "apache-arrow";
import { stats } from "../mod.ts";
import type { ImportOptions } from "../bindings/cdata/lease.ts";
import { bool, fixed, utf8 } from "./support/columns.ts";
import { collectGarbage, collectUntil, isDeno } from "./support/process.ts";
import { live, NOTHING, produce } from "./support/producer.ts";

const columns = () => [
  fixed("I", Uint32Array, [7, 8, 9]),
  utf8(["a", null, "c"]),
  bool([true, false, null]),
];

/** Makes leases and lets go of them; in a function of its own so that no local keeps them. */
function drop(count: number, look: boolean, options: ImportOptions = {}): void {
  for (let index = 0; index < count; index++) {
    const lease = produce([columns()], options);
    if (look) assert.equal(lease.table(0).getChildAt(0)!.get(2), 9);
  }
}

const settled = () => stats().liveLeases === 0;

for (const look of [true, false]) {
  test(`collect: leases dropped ${look ? "after" : "before"} the first look are freed`, async () => {
    const before = stats();
    drop(100, look);
    await collectUntil(settled, "100 freed leases");
    assert.deepEqual(stats(), before);
    assert.deepEqual(live(), NOTHING);
  });
}

/** Keeps one column of a lease, and lets go of the lease and of the other columns. */
function keepColumn(index: number): Vector {
  return produce([columns()]).table(0).getChildAt(index)!;
}

test("collect: one column that is still in use keeps the whole lease alive", async () => {
  const kept: { vector?: Vector } = { vector: keepColumn(1) };
  drop(10, true);
  await collectUntil(() => stats().liveLeases === 1, "10 freed leases of 11");
  assert.deepEqual([...kept.vector!], ["a", null, "c"]);
  delete kept.vector;
  await collectUntil(settled, "the last freed lease");
  assert.deepEqual(live(), NOTHING);
});

/** Keeps a typed array over the memory of a lease, and lets go of everything else. */
function keepValues(): Uint32Array {
  return produce([columns()]).table(0).getChildAt(0)!.toArray();
}

test("collect: a typed array that is still in use keeps the lease alive", async () => {
  const kept: { values?: Uint32Array } = { values: keepValues() };
  for (let turn = 0; turn < 5; turn++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual([...kept.values!], [7, 8, 9]);
  }
  assert.equal(stats().liveLeases, 1);
  delete kept.values;
  await collectUntil(settled, "the freed lease");
  assert.deepEqual(live(), NOTHING);
});

test("collect: a lease that was released is not freed a second time", async () => {
  for (let index = 0; index < 50; index++) {
    const lease = produce([columns()]);
    lease.table(0);
    lease.release();
  }
  const witness = produce([columns()]);
  for (let turn = 0; turn < 5; turn++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.equal(stats().liveLeases, 1);
  assert.deepEqual([...witness.table(0).getChildAt(1)!], ["a", null, "c"]);
  witness.release();
  assert.deepEqual(live(), NOTHING);
});

test("collect: copies leave nothing native to collect", () => {
  drop(10, true, { copy: true });
  assert.equal(stats().liveLeases, 0);
  assert.deepEqual(live(), NOTHING);
});

test('collect: onCollect "leak" keeps the memory and counts it; Bun frees it', async () => {
  const before = stats();
  drop(10, true, { onCollect: "leak" });
  if (isDeno) {
    await collectUntil(() => stats().leaks === before.leaks + 10, "10 counted leaks");
    assert.equal(stats().liveLeases, before.liveLeases + 10);
    assert.equal(live().arrays, 10 * 4);
  } else {
    await collectUntil(settled, "10 freed leases");
    assert.equal(stats().leaks, before.leaks);
  }
});
