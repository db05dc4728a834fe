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
  Field,
  Float64,
  Int32,
  makeData,
  RecordBatch,
  Struct,
  Utf8,
  Vector,
  vectorFromArray,
} from "apache-arrow";
import {
  exportArray,
  exportRecordBatch,
  importArray,
  importRecordBatch,
  importStream,
  importTable,
  stats,
} from "../mod.ts";
import { bool, CASES, type Column, struct, table, utf8 } from "./support/columns.ts";
import { ARRAY, buffer, child, int32, read, word } from "./support/fields.ts";
import { around, LEAVES, NESTED, type Shape } from "./support/nested.ts";
import { columnOf } from "./support/nested_columns.ts";
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
