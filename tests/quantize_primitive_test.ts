/** quantizeWith, the bare primitive: ONNX's golden data, block sizes, and what is refused. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { quantizeWith } from "../mod.ts";
import { root } from "./support/process.ts";

interface Tensor {
  readonly type: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly packed_hex?: string;
}

interface GoldenCase {
  readonly name: string;
  readonly op: string;
  readonly attrs: { readonly axis?: number; readonly block_size?: number };
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

const golden: GoldenCase[] = JSON.parse(
  readFileSync(join(root, "core/quantize/testdata/onnx-cases.json"), "utf8"),
);
const IN_SCOPE = ["INT8", "UINT8", "INT4", "UINT4", "INT2", "UINT2"];
const linear = golden.filter(({ op, outputs }) =>
  op !== "DequantizeLinear" && IN_SCOPE.includes(outputs[0]!.type)
);

test("quantizeWith: there is golden data", () => {
  assert.deepEqual([...new Set(linear.map(({ outputs }) => outputs[0]!.type))].sort(), [
    "INT2",
    "INT4",
    "UINT2",
    "UINT4",
    "UINT8",
  ]);
});

for (const { name, op, attrs, inputs, outputs } of linear) {
  test(`quantizeWith: ONNX's ${name}`, () => {
    const [values, ...rest] = inputs;
    const [scales, zeroPoints] = op === "DynamicQuantizeLinear" ? outputs.slice(1) : rest;
    const codes = quantizeWith(
      Float32Array.from(values!.values),
      Float32Array.from(scales!.values),
      zeroPoints ? Int16Array.from(zeroPoints.values) : null,
      {
        type: outputs[0]!.type.toLowerCase() as "int8",
        axis: attrs.axis ?? 1,
        blockSize: attrs.block_size ?? 0,
        shape: values!.shape,
      },
    );
    const { packed_hex, values: expected } = outputs[0]!;
    const bytes = packed_hex === undefined
      ? expected.map((code) => code & 0xff)
      : packed_hex.match(/../g)!.map((digits) => parseInt(digits, 16));
    assert.deepEqual([...codes], bytes);
  });
}

test("quantizeWith: any block size, views, and no values", () => {
  const values = Float32Array.of(9, 1, 2, 3, 4, 5, 9).subarray(1, 6);
  const scales = Float32Array.of(1, 2, 4, 5, 1);
  const codes = (blockSize: number, scales: Float32Array) => [
    ...quantizeWith(values, scales, null, { type: "uint8", blockSize }),
  ];
  assert.deepEqual(codes(1, scales), [1, 1, 1, 1, 5]); // 2 / 2, 3 / 4 and 4 / 5 round to 1
  assert.deepEqual(codes(2, scales.subarray(0, 3)), [1, 2, 2, 2, 1]); // ties go to the even
  assert.deepEqual(codes(7, scales.subarray(1, 2)), [0, 1, 2, 2, 2]);
  assert.deepEqual(
    [...quantizeWith(new Float32Array(0), scales.subarray(0, 1), null, { type: "int4" })],
    [],
  );
  const zeroPoints = [Uint8Array.of(250), Int16Array.of(250)];
  for (const zeroPoint of zeroPoints) {
    const found = quantizeWith(values, scales.subarray(0, 1), zeroPoint, { type: "uint8" });
    assert.deepEqual([...found], [251, 252, 253, 254, 255]);
  }
});

test("quantizeWith: codes of int8 have a sign, and zero points of each kind", () => {
  const values = Float32Array.of(-3, 200, -200);
  for (const zeroPoint of [null, Int8Array.of(0), Int16Array.of(0), Uint8Array.of(0)]) {
    const codes = quantizeWith(values, Float32Array.of(1), zeroPoint, { type: "int8" });
    assert.deepEqual([...new Int8Array(codes.buffer)], [-3, 127, -128]);
  }
  const shifted = quantizeWith(values, Float32Array.of(1), Int8Array.of(-5), { type: "int8" });
  assert.deepEqual([...new Int8Array(shifted.buffer)], [-8, 127, -128]);
});

test("quantizeWith: the last byte is filled with zeros", () => {
  const values = Float32Array.of(1, 2, 3, 1, 2);
  const codes = (type: "int4" | "uint2", count: number) => [
    ...quantizeWith(values.subarray(0, count), Float32Array.of(1), null, { type }),
  ];
  assert.deepEqual(codes("int4", 3), [0x21, 0x03]);
  assert.deepEqual(codes("uint2", 5), [0b01_11_10_01, 0b10]);
  assert.deepEqual(codes("uint2", 1), [0b01]);
});

test("quantizeWith: an axis from the end, by default the last, and one of as many as there may be", () => {
  const values = Float32Array.of(8, 8, 8, 8, 8, 8);
  const scales = [Float32Array.of(1, 2, 4), Float32Array.of(1, 2)] as const;
  const codes = (scales: Float32Array, options: { axis?: number; shape?: number[] }) => [
    ...quantizeWith(values, scales, null, { type: "uint8", shape: [2, 3], ...options }),
  ];
  assert.deepEqual(codes(scales[0], {}), [8, 4, 2, 8, 4, 2]);
  assert.deepEqual(codes(scales[0], { axis: -1 }), [8, 4, 2, 8, 4, 2]);
  assert.deepEqual(codes(scales[1], { axis: -2 }), [8, 8, 8, 4, 4, 4]);
  const shape = [2, ...Array(14).fill(1), 3];
  assert.deepEqual(codes(scales[1], { axis: -16, shape }), [8, 8, 8, 4, 4, 4]);
  const empty = { type: "uint8", shape: [2, 0] } as const;
  assert.deepEqual([...quantizeWith(new Float32Array(0), Float32Array.of(1), null, empty)], []);
});

const one = Float32Array.of(1);
const WITH_REFUSED: readonly [() => unknown, string][] = [
  [
    () => quantizeWith([1] as never, one, null, { type: "int8" }),
    "values: expected Float32Array but found Array",
  ],
  [
    () => quantizeWith(one, new Float64Array(1) as never, null, { type: "int8" }),
    "scales: expected Float32Array but found Float64Array",
  ],
  [
    () => quantizeWith(one, one, [0] as never, { type: "int8" }),
    "zeroPoints: expected Int16Array or Int8Array or Uint8Array but found Array",
  ],
  [
    () => quantizeWith(one, one, null, { type: "int16" as never }),
    'type: expected one of "int8", "uint8", "int4", "uint4", "int2", "uint2" but found "int16"',
  ],
  [
    () => quantizeWith(one, one, null, { type: "toString" as never }),
    'type: expected one of "int8", "uint8", "int4", "uint4", "int2", "uint2" but found "toString"',
  ],
  [
    () => quantizeWith(Object.create(null), one, null, { type: "int8" }),
    "values: expected Float32Array but found an object",
  ],
  [
    () => quantizeWith(one, one, null, { type: "int8", axis: 0.5 }),
    "axis: expected a whole number from -16 on but found 0.5",
  ],
  [
    () => quantizeWith(one, one, null, { type: "int8", shape: [1, -1] }),
    "shape[1]: expected a whole number from 0 on but found -1",
  ],
  [
    () => quantizeWith(one, one, null, { type: "int8", shape: Array(17).fill(1) }),
    "shape: expected at most 16 axes but found 17",
  ],
  [
    () => quantizeWith(one, one, null, { type: "int8", blockSize: -1 }),
    "blockSize: expected a whole number from 0 on but found -1",
  ],
  [
    () => quantizeWith(one, one, null, { type: "int8", shape: [2] }),
    "shape: expected sizes whose product is 1 but found [2]",
  ],
  [
    () => quantizeWith(one, Float32Array.of(1, 2), null, { type: "int8" }),
    "scales: expected 1 but found 2",
  ],
  [
    () => quantizeWith(one, one, null, { type: "int8", axis: 1, blockSize: 1 }),
    "axis: expected one of a tensor of 1 axes but found 1",
  ],
  [
    () => quantizeWith(one, Float32Array.of(0), null, { type: "int8" }),
    "scales[0]: expected a finite number other than 0 but found 0",
  ],
  [
    () => quantizeWith(one, one, Int16Array.of(8), { type: "int4" }),
    "zeroPoints[0]: expected -8 to 7 but found 8",
  ],
  [
    () => quantizeWith(one, one, Int16Array.of(1, 2), { type: "int4" }),
    "zeroPoints: expected 1, one a scale, but found 2",
  ],
  [
    () => quantizeWith(Float32Array.of(NaN), one, null, { type: "int8" }),
    "values[0]: expected a number but found NaN",
  ],
];

for (const [call, message] of WITH_REFUSED) {
  test(`quantizeWith: ${message}`, () => {
    assert.throws(call, { name: "BowstringError", code: "INVALID_ARGUMENT", message });
  });
}
