/** What JavaScript made arrives in arrow-rs with its values; nothing reads its memory after the release, or frees it before. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Binary,
  Bool,
  Data,
  Dictionary,
  Field,
  FixedSizeList,
  Float64,
  Int32,
  Int8,
  List,
  makeBuilder,
  makeData,
  makeVector,
  Null,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableFromArrays,
  Utf8,
  Vector,
  vectorFromArray,
} from "apache-arrow";
import {
  allocate,
  exportArray,
  exportRecordBatch,
  exportSchema,
  exportStream,
  exportTable,
  importArray,
  importRecordBatch,
  importSchema,
  importStream,
  importTable,
  LeaseReleasedError,
  stats,
} from "../mod.ts";
import { Kept, releaseApart, Structs } from "./support/peer.ts";
import { collectUntil, SLOW } from "./support/process.ts";
import { plainVector } from "./support/values.ts";

/** More than is copied whatever the mode. */
const LARGE = 5_000;

const numbers = (length = LARGE) => {
  const values = Float64Array.from({ length }, (_, index) => index / 2);
  return new RecordBatch({ x: makeData({ type: new Float64(), data: values }) });
};

/** Through arrow-rs and back, as values. */
function returned(vector: Vector, mode: "borrow" | "move" | "copy"): unknown[] {
  const out = new Structs();
  exportArray(vector, { mode, into: out });
  using kept = Kept.take(out);
  const { schema, array } = kept.give();
  using lease = importArray(schema, array, { validate: "full" });
  return plainVector(lease.value);
}

const words = ["plain", null, "zwölf", "", "日本", "plain"];

const delta = (): Vector => {
  const type = new Dictionary(new Utf8(), new Int8(), 70_001);
  const values = [vectorFromArray(["a", "b"], new Utf8()), vectorFromArray(["c"], new Utf8())];
  const dictionary = values[0]!.concat(values[1]!);
  return new Vector([
    makeData({ type, data: Int8Array.of(0, 1), dictionary: values[0]! }),
    makeData({ type, data: Int8Array.of(2, 0, 1), dictionary }),
  ]);
};

const apart = (): Vector => {
  const type = new Dictionary(new Utf8(), new Int8(), 70_002);
  return new Vector([["a", "b"], ["c", "a"]].map((values) =>
    makeData({
      type,
      data: Int8Array.of(1, 0),
      dictionary: vectorFromArray(values, new Utf8()),
    })
  ));
};

const built = (): Vector => {
  const builder = makeBuilder({ type: new Utf8(), nullValues: [null] });
  for (let index = 0; index < 1_000; index++) {
    builder.append(index % 3 === 0 ? null : `row ${index}`);
  }
  return builder.finish().toVector();
};

const lists = () =>
  vectorFromArray(
    [[1, 2], null, [], [3, null]],
    new List(new Field("item", new Int32(), true)),
  );

const structs = () =>
  vectorFromArray(
    [{ a: 1, b: "x" }, null, { a: 3, b: null }],
    new Struct([new Field("a", new Int32(), true), new Field("b", new Utf8(), true)]),
  );

/** Vectors as programs make them. */
const VECTORS: readonly (readonly [string, () => Vector])[] = [
  ["Utf8", () => vectorFromArray(words, new Utf8())],
  ["Utf8, sliced", () => vectorFromArray(words, new Utf8()).slice(1, 5)],
  ["Utf8 of a builder", built],
  ["Utf8 of a builder, sliced", () => built().slice(601, 900)],
  ["Utf8, several chunks", () => vectorFromArray(words, new Utf8()).concat(built())],
  ["Utf8, empty", () => makeVector(makeData({ type: new Utf8() }))],
  ["Binary, all null", () => vectorFromArray([null, null], new Binary())],
  ["Bool", () => vectorFromArray([true, null, false, true], new Bool())],
  [
    "Bool, several slices",
    () => {
      const vector = vectorFromArray([true, null, false, true, false], new Bool());
      return vector.slice(1, 3).concat(vector.slice(2), vector);
    },
  ],
  ["Null", () => makeVector(makeData({ type: new Null(), length: 3 }))],
  ["Int32 of a large array", () => makeVector(Int32Array.from({ length: 9_999 }, (_, i) => -i))],
  [
    "Int32, sliced out of a large array",
    () => makeVector(new Int32Array(9_999).fill(7)).slice(4_000),
  ],
  ["List", lists],
  ["List, sliced", () => lists().slice(2)],
  ["List, several chunks", () => lists().slice(2).concat(lists())],
  ["Struct", structs],
  ["Struct, several slices", () => {
    return structs().slice(1).concat(structs());
  }],
  ["Dictionary", () => vectorFromArray(["a", "b", null, "a"])],
  ["Dictionary, sliced", () => vectorFromArray(["a", "b", null, "a"]).slice(1)],
  ["Dictionary, which a stream has added to", delta],
  ["Dictionary, another one in each chunk", apart],
];

for (const [title, make] of VECTORS) {
  for (const mode of ["borrow", "copy", "move"] as const) {
    test(`export: ${title}, ${mode}`, () => {
      const expected = plainVector(make());
      const before = stats();
      assert.deepEqual(returned(make(), mode), expected);
      const { livePins, liveLeases, violations } = stats();
      assert.deepEqual([livePins, liveLeases, violations], [
        0,
        before.liveLeases,
        before.violations,
      ]);
    });
  }
}

/** The same objects as another copy of apache-arrow would make: of no class that this program knows. */
function foreign<T extends object>(value: T): T {
  const seen = new Map<object, object>();
  const copy = (item: unknown): unknown => {
    if (typeof item !== "object" || item === null || ArrayBuffer.isView(item)) return item;
    if (item instanceof Map) return item;
    const known = seen.get(item);
    if (known) return known;
    if (Array.isArray(item)) return item.map(copy);
    const result: Record<string, unknown> = {};
    seen.set(item, result);
    for (const key of [...Object.keys(item), "children", "mode", "slice"]) {
      const property = (item as Record<string, unknown>)[key];
      if (property === undefined) continue;
      result[key] = typeof property === "function"
        ? (...args: number[]) =>
          copy((property as (...args: number[]) => unknown).apply(item, args))
        : copy(property);
    }
    return result;
  };
  return copy(value) as T;
}

test("export: objects of another copy of apache-arrow", () => {
  for (const [title, make] of VECTORS) {
    const vector = foreign(make());
    const classes: unknown[] = [vector, vector.data[0]];
    assert.ok(!(classes[0] instanceof Vector) && !(classes[1] instanceof Data));
    assert.deepEqual(returned(vector, "borrow"), plainVector(make()), title);
  }
  const batch = tableFromArrays({ id: Int32Array.of(1, 2), name: ["a", "b"] }).batches[0]!;
  using exported = exportRecordBatch(foreign(batch));
  using lease = importRecordBatch(exported.schema, exported.array);
  assert.deepEqual(lease.value.toArray().map((row) => row.toJSON()), [
    { id: 1, name: "a" },
    { id: 2, name: "b" },
  ]);
});

test("export: what is not of apache-arrow is refused", () => {
  const refusal = { code: "INVALID_ARGUMENT" };
  for (const value of [undefined, null, 1, {}, [], { data: [] }] as never[]) {
    assert.throws(() => exportRecordBatch(value), refusal);
    assert.throws(() => exportTable(value), refusal);
    assert.throws(() => exportSchema(value), refusal);
    assert.throws(() => exportArray(value), refusal);
  }
});

test("export: a buffer that is too short is refused, with its place", () => {
  const type = new Struct([new Field("a", new Int32())]);
  const a = makeData({ type: new Int32(), data: Int32Array.of(1, 2), length: 3 });
  const data = makeData({ type, children: [a], length: 3 });
  assert.throws(() => exportArray(new Vector([data])), {
    code: "INVALID_ARROW",
    message: "a: expected a buffer of 12 bytes but found 8",
  });
});

test("export: borrowed memory is read where it is, and pinned until the release", () => {
  const batch = numbers();
  const exported = exportRecordBatch(batch);
  assert.equal(stats().livePins, 1);
  batch.data.children[0]!.values[0] = 99;
  const lease = importRecordBatch(exported.schema, exported.array);
  assert.equal(lease.value.getChildAt(0)!.get(0), 99, "the same memory");
  exported.release();
  assert.equal(stats().livePins, 1, "the lease has it");
  lease.release();
  assert.equal(stats().livePins, 0);
  assert.equal(stats().violations, 0);
});

test("export: a copy is not touched by later writes", () => {
  const batch = numbers();
  using exported = exportRecordBatch(batch, { mode: "copy" });
  batch.data.children[0]!.values[0] = 99;
  using lease = importRecordBatch(exported.schema, exported.array);
  assert.equal(lease.value.getChildAt(0)!.get(0), 0);
  assert.equal(stats().livePins, 0);
});

test("export: what is moved is JavaScript's no more", () => {
  const batch = numbers();
  const { values } = batch.data.children[0]!;
  using exported = exportRecordBatch(batch, { mode: "move" });
  assert.equal(values.length, 0);
  assert.equal(values.buffer.detached, true);
  using lease = importRecordBatch(exported.schema, exported.array);
  assert.equal(lease.value.getChildAt(0)!.get(LARGE - 1), (LARGE - 1) / 2);
});

test("export: a borrowed buffer that is detached counts as a violation", () => {
  const before = stats().violations;
  const batch = numbers();
  const exported = exportRecordBatch(batch);
  const { buffer } = batch.data.children[0]!.values;
  const kept = structuredClone(buffer, { transfer: [buffer] });
  exported.release();
  assert.equal(kept.byteLength, 8 * LARGE);
  assert.equal(stats().violations, before + 1);
  assert.equal(stats().livePins, 0);
});

test("export: memory of allocate() cannot be detached", () => {
  const values = new Float64Array(allocate(8 * LARGE).buffer).fill(0.5);
  const batch = new RecordBatch({ x: makeData({ type: new Float64(), data: values }) });
  for (const mode of ["borrow", "move"] as const) {
    using exported = exportRecordBatch(batch, { mode });
    using lease = importRecordBatch(exported.schema, exported.array);
    assert.equal(lease.value.getChildAt(0)!.get(LARGE - 1), 0.5);
    assert.equal(values.length, LARGE);
  }
  assert.equal(stats().livePins, 0);
});

test("export: leased memory outlives its lease, and an untouched batch goes out as it came", () => {
  using source = exportRecordBatch(numbers(), { mode: "copy" });
  const lease = importRecordBatch(source.schema, source.array);
  using original = exportRecordBatch(lease.value);
  using sliced = exportRecordBatch(lease.value.slice(1));
  lease.release();
  using first = importRecordBatch(original.schema, original.array);
  using second = importRecordBatch(sliced.schema, sliced.array);
  assert.equal(first.value.getChildAt(0)!.get(2), 1);
  assert.equal(second.value.getChildAt(0)!.get(0), 0.5);
});

test("export: a released batch is refused", () => {
  using source = exportRecordBatch(numbers());
  const lease = importRecordBatch(source.schema, source.array);
  const { value } = lease;
  lease.release();
  assert.throws(() => exportRecordBatch(value), LeaseReleasedError);
  assert.throws(() => exportArray(source as never), { code: "INVALID_ARGUMENT" });
});

test("export: children released on threads of their own, then the parent", () => {
  const columns = Object.fromEntries(
    Array.from({ length: 8 }, (_, index) => [
      `c${index}`,
      makeData({ type: new Float64(), data: new Float64Array(LARGE).fill(index) }),
    ]),
  );
  const out = new Structs();
  exportRecordBatch(new RecordBatch(columns), { into: out });
  assert.equal(stats().livePins, 1);
  assert.equal(releaseApart(out), 8);
  assert.equal(stats().livePins, 0);
});

/** In a function of its own, so that no local keeps what it makes. */
function drop(count: number): void {
  for (let index = 0; index < count; index++) exportRecordBatch(numbers());
}

// What is new is registered after a while, or with others when there are many.
for (const count of [1, 20, 200]) {
  test(`export: structs that are dropped are released: ${count}`, SLOW, async () => {
    drop(count);
    await collectUntil(() => stats().livePins === 0, `the release of ${count} dropped exports`);
  });
}

test("export: a release twice, and after a consumer took it, has no effect", () => {
  const exported = exportRecordBatch(numbers());
  const lease = importRecordBatch(exported.schema, exported.array);
  exported.release();
  exported.release();
  assert.equal(lease.value.getChildAt(0)!.get(2), 1);
  lease.release();
  assert.throws(() => importRecordBatch(exported.schema, exported.array), {
    code: "INVALID_ARROW",
  });
  assert.equal(stats().livePins, 0);
});

test("export: a schema keeps names, nullability, flags and metadata", () => {
  const dictionary = new Dictionary(new Utf8(), new Int8(), null, true);
  const schema = new Schema(
    [
      new Field("a", new Int32(), false, new Map([["k", "v"]])),
      new Field("ordered", dictionary, true),
    ],
    new Map([["schema", "metadata"]]),
  );
  using exported = exportSchema(schema);
  const read = importSchema(exported.address);
  assert.deepEqual([...read.metadata], [["schema", "metadata"]]);
  const [a, ordered] = read.fields;
  assert.deepEqual([a!.name, a!.nullable, [...a!.metadata]], ["a", false, [["k", "v"]]]);
  assert.equal((ordered!.type as Dictionary).isOrdered, true);
  assert.equal(ordered!.nullable, true);
});

test("export: vectors that were made of no values have no children", async () => {
  const item = new Field("item", new Utf8());
  const types = {
    list: new List(item),
    lists: new List(new Field("item", new List(item))),
    fixed: new FixedSizeList(3, item),
    struct: new Struct<{ item: Utf8 }>([item]),
  };
  for (const [name, type] of Object.entries(types)) {
    const empty = vectorFromArray([], type as List<Utf8>);
    const filled = vectorFromArray([null], type as List<Utf8>);
    for (const column of [empty, empty.concat(filled)]) {
      const table = new Table({ column });
      for (const mode of ["borrow", "copy"] as const) {
        using exported = exportTable(table, { mode });
        using lease = await importTable(exported.address);
        assert.equal(lease.value.numRows, column.length, name);
      }
    }
  }
});

test("export: a table as a stream can be read on this thread", async () => {
  const table = new Table([numbers(10), numbers(20)]);
  const out = new Structs(40);
  exportTable(table, { into: out.schema });
  using kept = Kept.readHere(out);
  assert.equal(kept.batches, 2);
  using lease = await importTable(kept.stream().schema);
  assert.equal(lease.value.numRows, 30);
  const { value } = lease;
  lease.release();
  assert.throws(() => value.batches[0]!.numRows, LeaseReleasedError);
});

test(
  "stream: a source is read as it is wanted, and told when its reader has gone",
  SLOW,
  async () => {
    let given = 0;
    let stopped = false;
    function* batches() {
      try {
        for (;;) {
          given++;
          yield numbers(10);
        }
      } finally {
        stopped = true;
      }
    }
    const exported = exportStream(batches());
    const stream = importStream(exported.address);
    let read = 0;
    for await (const batch of stream) {
      batch.release();
      if (++read === 5) break;
    }
    await exported.finished;
    assert.equal(stopped, true);
    assert.ok(given >= 5 && given < 200, `${given} batches for 5 that were read`);
    assert.equal(stats().liveStreams, 0);
  },
);

test("stream: what a source throws reaches its reader", SLOW, async () => {
  async function* batches() {
    yield numbers(10);
    await Promise.resolve();
    throw new RangeError("out of cheese");
  }
  const exported = exportStream(batches(), { schema: numbers(1).schema });
  await assert.rejects(importTable(exported.address), { code: "IO", message: /out of cheese/ });
  await assert.rejects(exported.finished, new RangeError("out of cheese"));
  const peer = new Structs(40);
  exportStream(batches(), { schema: numbers(1).schema, into: peer.schema });
  await assert.rejects(Kept.read(peer), /out of cheese/);
});

test("stream: on this thread, which would have to feed it, a reader gets EDEADLK", () => {
  const peer = new Structs(40);
  exportStream([numbers(10)], { into: peer.schema });
  assert.throws(() => Kept.readHere(peer), /EDEADLK|deadlock|thread/i);
});

test("stream: a schema that nobody can know is asked for", () => {
  async function* none() {}
  assert.throws(() => exportStream(none()), { code: "INVALID_ARGUMENT" });
  assert.throws(() => exportStream([]), { code: "INVALID_ARGUMENT" });
});

test("stream: an import that is cancelled", SLOW, async () => {
  const controller = new AbortController();
  const exported = exportStream([numbers(10), numbers(10)]);
  const stream = importStream(exported.address, { signal: controller.signal });
  await stream.schema;
  controller.abort(new RangeError("enough"));
  await assert.rejects(async () => {
    for await (const batch of stream) batch.release();
  }, new RangeError("enough"));
  await exported.finished;
});
