/** Columns with known values, as a foreign producer would lay them out. */

import { bitmap, bytesOf } from "./bits.ts";

/** A node of the C data interface, and the values that apache-arrow should read from it. */
export interface Column {
  readonly format: string;
  readonly name: string;
  readonly nullable: boolean;
  readonly length: number;
  readonly nullCount: number;
  readonly offset: number;
  readonly buffers: readonly (Uint8Array | null)[];
  readonly children: readonly Column[];
  readonly values: readonly unknown[];
  /** Flags besides the one for nullable. */
  readonly flags?: number;
  /** Metadata as its bytes. */
  readonly metadata?: Uint8Array;
  /** Instead of the name, its bytes; `null` for no name at all. */
  readonly nameBytes?: Uint8Array | null;
  /** By how many bytes the buffers miss an alignment of 64. */
  readonly misaligned?: number;
  readonly dictionary?: Column;
}

type Maybe<T> = T | null;

interface Shape {
  /** Rows before the first one, as a slice of a longer array has them. */
  readonly lead?: number;
  /** What the producer says of the number of nulls; the truth if it is absent. */
  readonly nullCount?: number;
}

/** The parts that all columns have; rows of the lead-in are alternately null and not. */
function base(format: string, name: string, values: readonly unknown[], shape: Shape) {
  const { lead = 0 } = shape;
  const nulls = values.filter((value) => value === null).length;
  const leading = Array.from({ length: lead }, (_, index) => index % 2 === 0);
  const validity = nulls === 0 ? null : bitmap([...leading, ...values.map((v) => v !== null)]);
  return {
    validity,
    column: {
      format,
      name,
      nullable: nulls > 0,
      length: values.length,
      nullCount: shape.nullCount ?? nulls,
      offset: lead,
      children: [],
      values,
    },
  };
}

type NumericArray =
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** A column of fixed-width values. `encode` gives the stored form of a value. */
export function fixed<T extends number | bigint>(
  format: string,
  view: new (length: number) => NumericArray,
  values: readonly Maybe<T>[],
  shape: Shape = {},
  encode: (value: T) => number | bigint = (value) => value,
): Column {
  const { lead = 0 } = shape;
  const stored = new view(lead + values.length);
  const filler = stored instanceof BigInt64Array || stored instanceof BigUint64Array ? 99n : 99;
  stored.fill(filler as never);
  values.forEach((value, index) => {
    if (value !== null) stored[lead + index] = encode(value) as never;
  });
  const { validity, column } = base(format, `fixed ${format}`, values, shape);
  return { ...column, buffers: [validity, bytesOf(stored)] };
}

/** A column of Bool. */
export function bool(values: readonly Maybe<boolean>[], shape: Shape = {}): Column {
  const leading = Array.from({ length: shape.lead ?? 0 }, () => true);
  const { validity, column } = base("b", "bool", values, shape);
  return { ...column, buffers: [validity, bitmap([...leading, ...values.map((v) => v === true)])] };
}

/** A column of Utf8. */
export function utf8(values: readonly Maybe<string>[], shape: Shape = {}, name = "utf8"): Column {
  const leading = Array.from({ length: shape.lead ?? 0 }, () => "lead-in");
  const encoded = [...leading, ...values].map((value) => new TextEncoder().encode(value ?? ""));
  const offsets = new Int32Array(encoded.length + 1);
  encoded.forEach((bytes, index) => offsets[index + 1] = offsets[index]! + bytes.length);
  const text = new Uint8Array(offsets.at(-1)!);
  encoded.forEach((bytes, index) => text.set(bytes, offsets[index]));
  const { validity, column } = base("u", name, values, shape);
  return { ...column, buffers: [validity, bytesOf(offsets), text.length > 0 ? text : null] };
}

/** A column of Struct. The children have as many rows as the struct and its lead-in. */
export function struct(
  children: readonly Column[],
  valid: readonly boolean[],
  shape: Shape = {},
): Column {
  const { lead = 0 } = shape;
  const values = valid.map((isValid, row) =>
    isValid
      ? Object.fromEntries(children.map(({ name, values }) => [name, values[lead + row]]))
      : null
  );
  const { validity, column } = base("+s", "struct", values, shape);
  return { ...column, children, buffers: [validity] };
}

/** A table of columns with the same number of rows. */
export function table(columns: readonly Column[]): Column {
  return {
    format: "+s",
    name: "",
    nullable: false,
    length: columns[0]?.length ?? 0,
    nullCount: 0,
    offset: 0,
    buffers: [null],
    children: columns,
    values: [],
  };
}

/** The bits of some numbers in half precision. */
const HALVES = new Map([[0, 0], [1, 0x3c00], [-2, 0xc000]]);

const text = ["plain", "", "zwölf Boxkämpfer", null, "日本", "\u{1f9f5}"];

/** One column of each supported type, without nulls, with nulls, and as a slice. */
export const CASES: readonly (readonly [title: string, column: Column])[] = [
  ["Bool", bool([true, false, false, true])],
  ["Bool with nulls", bool([true, null, false, null])],
  ["Bool, sliced by 11", bool([false, true, null, true, false], { lead: 11 })],
  ["Int8", fixed("c", Int8Array, [-128, 0, 127])],
  ["Uint8", fixed("C", Uint8Array, [0, 200, 255])],
  ["Int16", fixed("s", Int16Array, [-32768, null, 32767])],
  ["Uint16", fixed("S", Uint16Array, [0, 65535, null])],
  ["Int32", fixed("i", Int32Array, [-(2 ** 31), 0, 2 ** 31 - 1])],
  ["Uint32", fixed("I", Uint32Array, [0, 1, 2 ** 32 - 1])],
  ["Uint32 with nulls", fixed("I", Uint32Array, [null, 1, null, 3])],
  ["Uint32, sliced by 3", fixed("I", Uint32Array, [4, null, 6], { lead: 3 })],
  ["Uint32, nulls not counted", fixed("I", Uint32Array, [4, null, 6], { nullCount: -1 })],
  ["Int64", fixed("l", BigInt64Array, [-(2n ** 63n), 0n, 2n ** 63n - 1n])],
  ["Int64, sliced by 9", fixed("l", BigInt64Array, [null, 5n, -5n], { lead: 9 })],
  ["Uint64", fixed("L", BigUint64Array, [0n, null, 2n ** 64n - 1n])],
  ["Float16", fixed("e", Uint16Array, [0, 1, -2], {}, (value) => HALVES.get(value)!)],
  ["Float32", fixed("f", Float32Array, [0.5, -0.25, Infinity])],
  ["Float32, sliced by 1", fixed("f", Float32Array, [0.5, null, 2], { lead: 1 })],
  ["Float64", fixed("g", Float64Array, [Math.PI, null, -Number.MAX_VALUE])],
  ["Utf8", utf8(text.filter((value) => value !== null))],
  ["Utf8 with nulls", utf8(text)],
  ["Utf8, sliced by 2", utf8(text, { lead: 2 })],
  ["Utf8, all empty", utf8(["", "", ""])],
  ["Utf8, all null", utf8([null, null])],
  [
    "Struct",
    struct([fixed("I", Uint32Array, [1, 2, 3]), utf8(["a", null, "c"])], [true, false, true]),
  ],
  [
    "Struct, sliced by 2 over sliced children",
    struct(
      [
        fixed("I", Uint32Array, [1, 2, 3, null], { lead: 3 }),
        utf8(["a", "b", "c", "d"], { lead: 1 }),
        bool([true, false, true, false], { lead: 5 }),
      ],
      [true, true],
      { lead: 2 },
    ),
  ],
];
