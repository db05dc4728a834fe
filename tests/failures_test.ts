/**
 * Mistakes that other implementations of the C data interface made, each with a test that fails on the naive code.
 *
 * These are seen from TypeScript. Native tests show the same for native code alone:
 *
 * | mistake | native test |
 * |---|---|
 * | moved children released twice, on other threads too | `core/runtime/tests/build_lifetimes.rs`, `the_token_comes_when_...` |
 * | moved dictionary released twice | `core/abi/tests/pitfalls.rs`, `a_moved_dictionary_outlives_...` |
 * | release from foreign threads | `core/runtime/tests/build_lifetimes.rs`, `eight_threads_release_...` |
 * | misaligned values on the way out | `core/runtime/tests/builds.rs`, `misaligned_values_are_copied` |
 * | an error's words and errno | `core/runtime/tests/streams_in.rs`, `an_error_has_the_producers_words_...` |
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Bool,
  DenseUnion,
  type Dictionary,
  Field,
  Float64,
  Int32,
  makeData,
  type Map_,
  Null,
  RecordBatch,
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
  importStream,
  importTable,
  stats,
} from "../mod.ts";
import { bool, CASES, type Column, fixed, struct, table, utf8 } from "./support/columns.ts";
import { around, columnOf, LEAVES, NESTED, type Shape } from "./support/nested.ts";
import { Kept, releaseApart, Structs } from "./support/peer.ts";
import { collectGarbage, SLOW } from "./support/process.ts";
import {
  live,
  make,
  makeStream,
  moveChild,
  NOTHING,
  peekWord,
  releaseArray,
} from "./support/producer.ts";
import { Random } from "./support/random.ts";
import { plainVector } from "./support/values.ts";

/** Fields of an ArrowArray, by their offsets. */
const ARRAY = { length: 0, nullCount: 8, offset: 16, bufferCount: 24, buffers: 40, children: 48 };
/** Fields of an ArrowSchema. */
const SCHEMA = { name: 8, metadata: 16, flags: 24, children: 40 };

const word = (address: number, field: number) => peekWord(address + field);
const child = (address: number, field: number, index: number) =>
  peekWord(word(address, field) + 8 * index);
const buffer = (array: number, index: number) => peekWord(word(array, ARRAY.buffers) + 8 * index);

const int32 = (values: readonly (number | null)[], lead = 0) =>
  fixed("i", Int32Array, values, { lead });

/** What is read of a column, which is then released. */
function read(column: Column): unknown[] {
  const { schema, array } = make(column);
  using lease = importArray(schema, array, { validate: "full" });
  return plainVector(lease.value);
}

const one: readonly Shape[] = [
  ...LEAVES.map((kind) => ({ kind })),
  ...NESTED.map((kind) => around(kind, { kind: "int32" }, new Random(1))),
];

test("failures: an offset applied twice", () => {
  // Rows 2 and 3 of the struct are rows 2 + 3 and 3 + 3 of the first child's buffer; twice would be past its end.
  const children = [int32([10, 11, 12, 13], 3), bool([true, false, false, true], { lead: 1 })];
  assert.deepEqual(read(struct(children, [true, true], { lead: 2 })), [
    [["fixed i", 12], ["bool", false]],
    [["fixed i", 13], ["bool", true]],
  ]);
});

test("failures: an offset ignored", () => {
  for (const [title, column] of CASES) {
    if (column.offset === 0 || column.format === "+s") continue;
    const { schema, array } = make(column);
    using lease = importArray(schema, array);
    assert.deepEqual([...lease.value], column.values, title);
    const out = new Structs();
    exportArray(lease.value, { into: out });
    using kept = Kept.take(out);
    const again = kept.give();
    using second = importArray(again.schema, again.array);
    assert.deepEqual([...second.value], column.values, title);
  }
});

test("failures: misaligned decimals", () => {
  const words = new BigInt64Array([1n, 0n, -2n, -1n, 3n, 0n]);
  const values = new Uint8Array(words.buffer);
  const column: Column = {
    ...int32([0, 0, 0]),
    format: "d:38,0",
    buffers: [null, values],
  };
  for (const misaligned of [1, 2, 4, 8, 12]) {
    assert.deepEqual(read({ ...column, misaligned }), ["1", "-2", "3"], `by ${misaligned} bytes`);
  }
});

test("failures: misaligned decimals on the way out", () => {
  // Views of 32-bit words are aligned to 4 bytes; native code reads 128 bits at a time.
  const words = new Uint32Array(4 * 3_000 + 4);
  for (let row = 0; row < 3_000; row++) words[4 * row + 1] = row;
  const { schema, array } = make({ ...int32([]), format: "d:38,0", buffers: [null, null] });
  using empty = importArray(schema, array);
  const { type } = empty.value;
  const data = makeData({ type: type as never, data: words.subarray(1, 12_001), length: 3_000 });
  for (const mode of ["borrow", "copy"] as const) {
    using exported = exportArray(new Vector([data]) as Vector, { mode });
    assert.equal(buffer(exported.array, 1) % 16, 0, mode);
    using lease = importArray(exported.schema, exported.array);
    assert.equal(plainVector(lease.value)[2_999], "2999");
  }
});

test("failures: null pointers for empty buffers", () => {
  const layout = { lead: () => 0, messy: false, random: new Random(1) };
  for (const shape of one) {
    const column = columnOf(shape, [], layout);
    const empty = (node: Column): Column => ({
      ...node,
      // Views without buffers that they point into, so that nobody needs the sizes of those.
      buffers: node.buffers.slice(0, node.format.startsWith("v") ? 3 : undefined).map(() => null),
      children: node.children.map(empty),
      ...(node.dictionary && { dictionary: empty(node.dictionary) }),
    });
    const { schema, array } = make(empty(column));
    using lease = importArray(schema, array, { validate: "full" });
    assert.deepEqual(plainVector(lease.value), [], shape.kind);
    // Not all readers accept null pointers for what is not the validity, so none are written.
    using exported = exportArray(lease.value, { restore: false });
    for (let index = 1; index < word(exported.array, ARRAY.bufferCount); index++) {
      assert.notEqual(buffer(exported.array, index), 0, `${shape.kind}: buffer ${index}`);
    }
  }
});

test("failures: a length of zero at an offset that is not", () => {
  const layout = { lead: () => 5, messy: true, random: new Random(2) };
  for (const shape of one) {
    assert.deepEqual(read(columnOf(shape, [], layout)), [], shape.kind);
  }
  const vector = vectorFromArray(["a", "b", "c"], new Utf8());
  using exported = exportArray(vector.slice(3));
  assert.equal(word(exported.array, ARRAY.length), 0);
  assert.equal(word(exported.array, ARRAY.offset), 0);
  using lease = importArray(exported.schema, exported.array, { validate: "full" });
  assert.deepEqual([...lease.value], []);
});

test("failures: empty imports that leak", () => {
  const before = stats().liveLeases;
  const tables = [table([]), table([utf8([]), int32([])]), table([struct([bool([])], [])])];
  for (const content of tables) {
    for (const copy of [false, true]) {
      for (const look of [false, true]) {
        const { schema, array } = make(content);
        const lease = importRecordBatch(schema, array, { copy });
        if (look) assert.equal(lease.value.numRows, 0);
        lease.release();
        assert.deepEqual(live(), NOTHING);
      }
    }
  }
  assert.equal(stats().liveLeases, before);
});

test("failures: children that were moved out are released twice", () => {
  const structs = make(table([int32([1, 2]), utf8(["a", "b"])]));
  const moved = moveChild(structs, 0);
  // Without its child the array is not whole, so it is refused and released; the child is somebody else's.
  assert.throws(() => importRecordBatch(structs.schema, structs.array), { code: "INVALID_ARROW" });
  assert.deepEqual(live(), { ...NOTHING, buffers: 1, arrays: 1 });
  releaseArray(moved);
  assert.deepEqual(live(), NOTHING);
});

test("failures: an export whose children were moved out", () => {
  const column = () => makeData({ type: new Float64(), data: new Float64Array(5_000).fill(7) });
  const out = new Structs();
  exportRecordBatch(new RecordBatch({ x: column(), y: column() }), { into: out });
  const moved = moveChild(out, 1);
  releaseArray(out);
  assert.equal(stats().livePins, 1, "the child has its memory");
  assert.equal(peekWord(buffer(moved.array, 1)), 0x401c000000000000, "7, as its bits");
  releaseArray(moved);
  assert.equal(stats().livePins, 0);
  releaseArray(moved);
});

test("failures: an error string that is owned twice, is null, or is not UTF-8", SLOW, async () => {
  const words = {
    "message": /the disk is on fire/,
    "no message": /./,
    "not UTF-8": /caf� is � closed/,
  };
  for (const [ending, expected] of Object.entries(words)) {
    for (const batches of [0, 2]) {
      const stream = importStream(
        makeStream([int32([1])], batches, ending as keyof typeof words).schema,
      );
      let read = 0;
      await assert.rejects(
        async () => {
          for await (const batch of stream) {
            read++;
            batch.release();
          }
        },
        (reason: Error & { code: string }) => reason.code === "IO" && expected.test(reason.message),
      );
      assert.equal(read, batches, "what came before the error was read");
      assert.deepEqual(live(), NOTHING, "the message is the producer's, which freed it once");
    }
  }
  await assert.rejects(importTable(makeStream([int32([1])], 1, "no schema").schema), /no columns/);
  assert.deepEqual(live(), NOTHING);
});

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

test("failures: a release on a foreign thread", SLOW, async () => {
  const columns = Object.fromEntries(
    Array.from({ length: 8 }, (_, index) => [
      `c${index}`,
      makeData({ type: new Float64(), data: new Float64Array(5_000) }),
    ]),
  );
  const out = new Structs();
  exportRecordBatch(new RecordBatch(columns), { into: out });
  assert.equal(stats().livePins, 1);
  assert.equal(releaseApart(out), 8);
  // No thread but this one may touch its objects; it learns of the release when it looks, or a moment later.
  for (let turn = 0; turn < 100 && stats().livePins > 0; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(stats().livePins, 0);
});

test("failures: pointers to small typed arrays that go stale", SLOW, async () => {
  // Both engines keep small arrays where the collector moves them.
  const exports = Array.from({ length: 200 }, (_, index) => {
    const out = new Structs();
    const data = Int32Array.of(index, index + 1, index + 2);
    exportArray(new Vector([makeData({ type: new Int32(), data })]) as Vector, { into: out });
    return out;
  });
  for (let turn = 0; turn < 3; turn++) {
    collectGarbage();
    const litter = Array.from({ length: 20_000 }, (_, index) => Int32Array.of(-index, -1, -1));
    assert.equal(litter.length, 20_000);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  exports.forEach((out, index) => {
    using kept = Kept.take(out);
    const { schema, array } = kept.give();
    using lease = importArray(schema, array);
    assert.deepEqual([...lease.value], [index, index + 1, index + 2]);
  });
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

test("failures: an offset of a parent, which not all readers heed", () => {
  const offsets = (array: number): number[] => [
    word(array, ARRAY.offset),
    ...Array.from(
      { length: word(array, ARRAY.bufferCount + 8) },
      (_, index) => offsets(child(array, ARRAY.children, index)),
    ).flat(),
  ];
  const layout = { lead: () => 9, messy: true, random: new Random(4) };
  for (const kind of NESTED) {
    const shape = around("struct", around(kind, { kind: "utf8" }, layout.random), layout.random);
    const column = columnOf(shape, [], layout);
    const { schema, array } = make({ ...column });
    using lease = importArray(schema, array);
    using exported = exportArray(lease.value, { restore: false });
    assert.ok(offsets(exported.array).every((offset) => offset === 0), kind);
  }
  const type = new Struct([
    new Field("flag", new Bool(), true),
    new Field("text", new Utf8(), true),
  ]);
  const rows = Array.from(
    { length: 20 },
    (_, row) => row % 5 === 0 ? null : { flag: row % 2 === 0, text: `row ${row}` },
  );
  const slice = vectorFromArray(rows, type).slice(9, 14);
  using exported = exportArray(slice);
  assert.deepEqual(offsets(exported.array), [0, 0, 0]);
  const flags = child(exported.array, ARRAY.children, 0);
  assert.equal(word(flags, ARRAY.length), 5);
  assert.equal(peekWord(buffer(flags, 1)) & 0b00010, 0, "row 10 is null");
  using lease = importArray(exported.schema, exported.array);
  assert.deepEqual(plainVector(lease.value), plainVector(slice));
});

test("failures: structs that are not taken over when an import is refused early", () => {
  const options = { validate: "thoroughly" } as never;
  for (const take of [importArray, importRecordBatch]) {
    const { schema, array } = make(table([int32([1])]));
    assert.throws(() => take(schema, array, options), { code: "INVALID_ARGUMENT" });
    assert.deepEqual(live(), NOTHING);
  }
  const stream = makeStream([int32([1])], 1, "end");
  assert.throws(() => importStream(stream.schema, options), { code: "INVALID_ARGUMENT" });
  const signal = AbortSignal.abort(new RangeError("too late"));
  const late = makeStream([int32([1])], 1, "end");
  assert.throws(() => importStream(late.schema, { signal }), new RangeError("too late"));
  assert.deepEqual(live(), NOTHING);
});
