/** Quantization by given scales and zero points. */

import { CONSTANTS, STRUCTS } from "../../bindings/abi.ts";
import { currentContext } from "../../bindings/context.ts";
import { BowstringError } from "../../bindings/errors.ts";

/** The type of a code: two's complement or unsigned, of 8, 4 or 2 bits. */
export type CodeType = "int8" | "uint8" | "int4" | "uint4" | "int2" | "uint2";

/** How values relate to codes and scales, in the terms of ONNX's QuantizeLinear. */
export interface QuantizeWithOptions {
  /** The type of the codes. */
  readonly type: CodeType;
  /** The axis that several scales run along, from the end if negative; the last one by default. */
  readonly axis?: number;
  /**
   * 0, the default: one scale, or one for each index along `axis`. From 1 on: one for each run of so many values along
   * `axis`, of which the last may be shorter; the scales then have the values' shape but for the axis.
   */
  readonly blockSize?: number;
  /** The sizes of the tensor's axes, outermost first; by default one axis. */
  readonly shape?: readonly number[];
}

const CODE_TYPES: Readonly<Record<CodeType, { readonly code: number; readonly bits: number }>> = {
  int8: { code: CONSTANTS.CODE_INT8, bits: 8 },
  uint8: { code: CONSTANTS.CODE_UINT8, bits: 8 },
  int4: { code: CONSTANTS.CODE_INT4, bits: 4 },
  uint4: { code: CONSTANTS.CODE_UINT4, bits: 4 },
  int2: { code: CONSTANTS.CODE_INT2, bits: 2 },
  uint2: { code: CONSTANTS.CODE_UINT2, bits: 2 },
};

const { bow_tensor: TENSOR } = STRUCTS;
const MOST_AXES = (TENSOR.size - TENSOR.offsets.shape) / BigUint64Array.BYTES_PER_ELEMENT;

/**
 * Quantizes a row-major tensor by given scales and zero points, as ONNX's QuantizeLinear does:
 * `saturate(round_half_even(value / scale) + zero_point)`, the division in float32. It does so at once, on this thread.
 *
 * Throws `BowstringError` with the code `INVALID_ARGUMENT` when sizes do not go together, a scale is 0, infinite or NaN, a
 * zero point is beyond the type, or a value is NaN.
 *
 * @example
 * ```ts
 * import { quantizeWith } from "@bowstring/bowstring";
 *
 * const values = Float32Array.of(1, -3, 2.5, 100);
 * const codes = quantizeWith(values, Float32Array.of(0.5), null, { type: "int4" });
 * console.log([...codes].join()); // 162,117
 * ```
 *
 * @param values The tensor.
 * @param scales One; or one for each index along the axis, or for each block.
 * @param zeroPoints As many as scales; `null` means 0 for all.
 * @returns The codes, packed, the first in the lowest bits, the last byte filled with zeros.
 */
export function quantizeWith(
  values: Float32Array,
  scales: Float32Array,
  zeroPoints: Int16Array | Int8Array | Uint8Array | null | undefined,
  options: QuantizeWithOptions,
): Uint8Array<ArrayBuffer> {
  const { type, axis = -1, blockSize = 0, shape = [values.length] } = options;
  expectTyped("values", values, Float32Array);
  expectTyped("scales", scales, Float32Array);
  if (zeroPoints) expectTyped("zeroPoints", zeroPoints, Int16Array, Int8Array, Uint8Array);
  const codeType = Object.hasOwn(CODE_TYPES, type) ? CODE_TYPES[type] : undefined;
  if (codeType === undefined) {
    const names = Object.keys(CODE_TYPES).map((name) => `"${name}"`).join(", ");
    throw expected("type", `one of ${names}`, type);
  }
  expectWhole("axis", axis, -MOST_AXES);
  expectWhole("blockSize", blockSize, 0);
  if (shape.length > MOST_AXES) {
    throw expected("shape", `at most ${MOST_AXES} axes`, shape.length);
  }
  shape.forEach((size, at) => expectWhole(`shape[${at}]`, size, 0));

  const context = currentContext();
  const { native, runtime, error } = context;
  const codes = runtime.scratch(Math.ceil(values.length * codeType.bits / 8));
  const points = zeroPoints && new Int16Array(zeroPoints);
  const { view, pointer } = runtime.scratch(TENSOR.size);
  const { offsets } = TENSOR;
  view.setUint32(offsets.size, TENSOR.size, true);
  view.setUint32(offsets.code_type, codeType.code, true);
  view.setBigInt64(offsets.axis, BigInt(axis), true);
  const counts = {
    block_size: blockSize,
    value_count: values.length,
    scale_count: scales.length,
    zero_point_count: points?.length ?? 0,
    code_bytes: codes.bytes.length,
  };
  for (const [name, count] of Object.entries(counts)) {
    view.setBigUint64(offsets[name as keyof typeof counts], BigInt(count), true);
  }
  view.setUint32(offsets.rank, shape.length, true);
  shape.forEach((size, at) =>
    view.setBigUint64(offsets.shape + at * BigUint64Array.BYTES_PER_ELEMENT, BigInt(size), true)
  );
  context.check(
    native.bow_quantize_with(
      pointer,
      bytesOf(values),
      bytesOf(scales),
      points ? bytesOf(points) : null,
      codes.pointer,
      error.pointer,
    ),
  );
  return codes.bytes;
}

function bytesOf(view: ArrayBufferView): Uint8Array<ArrayBuffer> | null {
  // Neither runtime passes the address of no bytes.
  if (view.byteLength === 0) return null;
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
}

type TypedArrayClass = { readonly name: string; new (length: number): ArrayBufferView };

function expectTyped(name: string, value: unknown, ...classes: TypedArrayClass[]): void {
  if (classes.some((it) => value instanceof it)) return;
  throw expected(name, classes.map((it) => it.name).join(" or "), kindOf(value));
}

function expectWhole(name: string, value: unknown, least: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= least) return;
  throw expected(name, `a whole number from ${least} on`, value);
}

function kindOf(value: unknown): string {
  return typeof value === "object" && value !== null
    ? value.constructor?.name ?? "an object"
    : String(value);
}

function expected(name: string, what: string, found: unknown): BowstringError {
  const text = typeof found === "string" && name === "type" ? JSON.stringify(found) : String(found);
  return new BowstringError("INVALID_ARGUMENT", `${name}: expected ${what} but found ${text}`);
}
