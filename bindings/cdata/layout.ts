/**
 * From the format strings of the C data interface to apache-arrow types, and to the buffers and children that an array of
 * each has. A format is imported if and only if `layoutOf` knows it; others are converted by the library before they come
 * here (`docs/types.md`).
 *
 * The buffers are in the order of the interface:
 * https://arrow.apache.org/docs/format/CDataInterface.html
 */

import {
  Binary,
  BinaryView,
  Bool,
  type DataType,
  DateDay,
  DateMillisecond,
  Decimal,
  DenseUnion,
  Duration,
  type Field,
  FixedSizeBinary,
  FixedSizeList,
  Float16,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  IntervalDayTime,
  IntervalMonthDayNano,
  IntervalYearMonth,
  LargeBinary,
  LargeList,
  LargeUtf8,
  List,
  Map_,
  Null,
  SparseUnion,
  Struct,
  TimeMicrosecond,
  TimeMillisecond,
  TimeNanosecond,
  TimeSecond,
  Timestamp,
  TimeUnit,
  Uint16,
  Uint32,
  Uint64,
  Uint8,
  Utf8,
  Utf8View,
} from "apache-arrow";
import { MAP_KEYS_SORTED } from "./schema_json.ts";

/** A typed array over a part of an ArrayBuffer. */
export type BufferView = InstanceType<ViewConstructor>;

/** Any of the typed arrays that apache-arrow reads values from. */
export type ViewConstructor =
  | Int8ArrayConstructor
  | Int16ArrayConstructor
  | Int32ArrayConstructor
  | Uint8ArrayConstructor
  | Uint16ArrayConstructor
  | Uint32ArrayConstructor
  | Float32ArrayConstructor
  | Float64ArrayConstructor
  | BigInt64ArrayConstructor
  | BigUint64ArrayConstructor;

/** Where apache-arrow's `Data` keeps a buffer: its `BufferType`. */
export const OFFSETS = 0;
/** The values, or the bytes that offsets point into. */
export const VALUES = 1;
/** The validity bitmap. */
export const VALIDITY = 2;
/** The type ids of a union. */
export const TYPE_IDS = 3;

/** How one buffer is cut out of native memory. */
export interface BufferLayout {
  /** Where `Data` keeps it. */
  readonly slot: typeof OFFSETS | typeof VALUES | typeof VALIDITY | typeof TYPE_IDS;
  /** The element type. */
  readonly view: ViewConstructor;
  /** Elements in one row. */
  readonly stride: number;
  /**
   * Which part of the buffer belongs to a node of `length` rows from row `offset` on:
   * - `rows`: rows `offset .. offset + length`;
   * - `fences`: rows `offset .. offset + length + 1`, as offsets have one more than rows;
   * - `whole`: all of it, since its bits or bytes are addressed by offset later.
   */
  readonly extent: "rows" | "fences" | "whole";
}

/** The layout of a type: its buffers, in the order of the C data interface, and its children. */
export interface Layout {
  /** The apache-arrow type; `children` are the fields of nested types, `flags` those of the field itself. */
  readonly type: (children: Field[], flags: number) => DataType;
  /** The buffers, but for the data buffers of views. */
  readonly buffers: readonly BufferLayout[];
  /** Whether any number of data buffers follow, which the views among the values point into. */
  readonly variadic: boolean;
  /**
   * How many rows of each child belong to one row: apache-arrow wants such children cut to their parent's rows.
   * `undefined` when offsets point into the children, which are then given whole.
   */
  readonly childRows: number | undefined;
}

const validity: BufferLayout = { slot: VALIDITY, view: Uint8Array, stride: 1, extent: "whole" };
const bits: BufferLayout = { slot: VALUES, view: Uint8Array, stride: 1, extent: "whole" };
const bytes: BufferLayout = { slot: VALUES, view: Uint8Array, stride: 1, extent: "whole" };
const typeIds: BufferLayout = { slot: TYPE_IDS, view: Int8Array, stride: 1, extent: "rows" };
const offsets32: BufferLayout = { slot: OFFSETS, view: Int32Array, stride: 1, extent: "fences" };
const offsets64: BufferLayout = { ...offsets32, view: BigInt64Array };
const denseOffsets: BufferLayout = { ...offsets32, extent: "rows" };
const values = (view: ViewConstructor, stride: number): BufferLayout => (
  { slot: VALUES, view, stride, extent: "rows" }
);

/** A type without parameters or children. */
type Plain = new () => DataType;

const layout = (
  type: Layout["type"],
  buffers: readonly BufferLayout[],
  childRows?: number,
  variadic = false,
): Layout => ({ type, buffers, childRows, variadic });

const fixedWidth = (type: () => DataType, view: ViewConstructor, stride = 1): Layout =>
  layout(type, [validity, values(view, stride)]);

const plain = (type: Plain, view: ViewConstructor, stride = 1): Layout =>
  fixedWidth(() => new type(), view, stride);

const variable = (type: Plain, offsets: BufferLayout): Layout =>
  layout(() => new type(), [validity, offsets, bytes]);

const views = (type: Plain): Layout =>
  layout(() => new type(), [validity, values(Uint8Array, 16)], undefined, true);

const duration = (unit: TimeUnit): Layout => fixedWidth(() => new Duration(unit), BigInt64Array);

/** The layouts of types without parameters, by format string. */
const LAYOUTS: ReadonlyMap<string, Layout> = new Map<string, Layout>([
  ["n", layout(() => new Null(), [])],
  ["b", layout(() => new Bool(), [validity, bits])],
  ["c", plain(Int8, Int8Array)],
  ["C", plain(Uint8, Uint8Array)],
  ["s", plain(Int16, Int16Array)],
  ["S", plain(Uint16, Uint16Array)],
  ["i", plain(Int32, Int32Array)],
  ["I", plain(Uint32, Uint32Array)],
  ["l", plain(Int64, BigInt64Array)],
  ["L", plain(Uint64, BigUint64Array)],
  ["e", plain(Float16, Uint16Array)], // apache-arrow decodes the half-precision bits
  ["f", plain(Float32, Float32Array)],
  ["g", plain(Float64, Float64Array)],
  ["u", variable(Utf8, offsets32)],
  ["U", variable(LargeUtf8, offsets64)],
  ["z", variable(Binary, offsets32)],
  ["Z", variable(LargeBinary, offsets64)],
  ["vu", views(Utf8View)],
  ["vz", views(BinaryView)],
  ["tdD", plain(DateDay, Int32Array)],
  ["tdm", plain(DateMillisecond, BigInt64Array)],
  ["tts", plain(TimeSecond, Int32Array)],
  ["ttm", plain(TimeMillisecond, Int32Array)],
  ["ttu", plain(TimeMicrosecond, BigInt64Array)],
  ["ttn", plain(TimeNanosecond, BigInt64Array)],
  ["tDs", duration(TimeUnit.SECOND)],
  ["tDm", duration(TimeUnit.MILLISECOND)],
  ["tDu", duration(TimeUnit.MICROSECOND)],
  ["tDn", duration(TimeUnit.NANOSECOND)],
  ["tiM", plain(IntervalYearMonth, Int32Array)],
  ["tiD", plain(IntervalDayTime, Int32Array, 2)],
  ["tin", plain(IntervalMonthDayNano, Int32Array, 4)],
  ["+l", layout(([item]) => new List(item!), [validity, offsets32])],
  ["+L", layout(([item]) => new LargeList(item!), [validity, offsets64])],
  ["+s", layout((fields) => new Struct(fields), [validity], 1)],
  ["+m", layout(map, [validity, offsets32])],
]);

/** apache-arrow renames the fields below a map when it makes one; what the producer called them is put back. */
function map([entries]: Field[], flags: number): DataType {
  const fields = [entries!, ...entries!.type.children as Field[]];
  const names = fields.map(({ name }) => name);
  const type = new Map_(entries!, (flags & MAP_KEYS_SORTED) !== 0);
  fields.forEach((field, index) => (field as { name: string }).name = names[index]!);
  return type;
}

const TIME_UNITS: Readonly<Record<string, TimeUnit>> = {
  tss: TimeUnit.SECOND,
  tsm: TimeUnit.MILLISECOND,
  tsu: TimeUnit.MICROSECOND,
  tsn: TimeUnit.NANOSECOND,
};

/** The layout of a format; `undefined` for one that apache-arrow has no type for, or reads wrong. */
export function layoutOf(format: string): Layout | undefined {
  return LAYOUTS.get(format) ?? parametric(format);
}

function parametric(format: string): Layout | undefined {
  const colon = format.indexOf(":");
  if (colon < 0) return undefined;
  const head = format.slice(0, colon);
  const rest = format.slice(colon + 1);
  const numbers = () => rest === "" ? [] : rest.split(",").map(Number);
  switch (head) {
    case "tss":
    case "tsm":
    case "tsu":
    case "tsn": {
      const timezone = rest === "" ? null : rest;
      return fixedWidth(() => new Timestamp(TIME_UNITS[head]!, timezone), BigInt64Array);
    }
    case "w": {
      const width = Number(rest);
      return fixedWidth(() => new FixedSizeBinary(width), Uint8Array, width);
    }
    case "d": {
      const [precision, scale, bitWidth = 128] = numbers();
      // apache-arrow reads the other widths wrong.
      if (bitWidth !== 128) return undefined;
      return fixedWidth(() => new Decimal(scale!, precision!, 128), Uint32Array, 4);
    }
    case "+w": {
      const size = Number(rest);
      return layout(([item]) => new FixedSizeList(size, item!), [validity], size);
    }
    case "+ud":
      return layout((fields) => new DenseUnion(numbers(), fields), [typeIds, denseOffsets]);
    case "+us":
      return layout((fields) => new SparseUnion(numbers(), fields), [typeIds], 1);
    default:
      return undefined;
  }
}
