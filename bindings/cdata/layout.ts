/**
 * One table from Arrow format strings to apache-arrow types and to the buffers that a node of that type has. A type is
 * supported if and only if it is listed here.
 *
 * The buffers are those of the C data interface, in its order:
 * https://arrow.apache.org/docs/format/CDataInterface.html
 */

import {
  Bool,
  type DataType,
  type Field,
  Float16,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  Struct,
  Uint16,
  Uint32,
  Uint64,
  Uint8,
  Utf8,
} from "apache-arrow";

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

/** How one buffer is cut out of native memory. */
export interface BufferLayout {
  /** Where `Data` keeps it. */
  readonly slot: typeof OFFSETS | typeof VALUES | typeof VALIDITY;
  /** The element type. */
  readonly view: ViewConstructor;
  /**
   * Which part of the buffer belongs to a node of `length` rows from row `offset` on:
   * - `rows`: elements `offset .. offset + length`;
   * - `fences`: elements `offset .. offset + length + 1`, as offsets have one more than rows;
   * - `whole`: all of it, since its bits or bytes are addressed by offset later.
   */
  readonly extent: "rows" | "fences" | "whole";
}

/** The layout of a type: its buffers, in the order of the C data interface. */
export interface Layout {
  /** The apache-arrow type; `children` are the fields of nested types. */
  readonly type: (children: Field[]) => DataType;
  /** The buffers. */
  readonly buffers: readonly BufferLayout[];
}

const validity: BufferLayout = { slot: VALIDITY, view: Uint8Array, extent: "whole" };
const bits: BufferLayout = { slot: VALUES, view: Uint8Array, extent: "whole" };
const bytes: BufferLayout = { slot: VALUES, view: Uint8Array, extent: "whole" };
const offsets32: BufferLayout = { slot: OFFSETS, view: Int32Array, extent: "fences" };
const values = (view: ViewConstructor): BufferLayout => ({ slot: VALUES, view, extent: "rows" });

const fixedWidth = (type: new () => DataType, view: ViewConstructor): Layout => ({
  type: () => new type(),
  buffers: [validity, values(view)],
});

/** The layouts of the supported types by format string. */
export const LAYOUTS: ReadonlyMap<string, Layout> = new Map<string, Layout>([
  ["b", { type: () => new Bool(), buffers: [validity, bits] }],
  ["c", fixedWidth(Int8, Int8Array)],
  ["C", fixedWidth(Uint8, Uint8Array)],
  ["s", fixedWidth(Int16, Int16Array)],
  ["S", fixedWidth(Uint16, Uint16Array)],
  ["i", fixedWidth(Int32, Int32Array)],
  ["I", fixedWidth(Uint32, Uint32Array)],
  ["l", fixedWidth(Int64, BigInt64Array)],
  ["L", fixedWidth(Uint64, BigUint64Array)],
  ["e", fixedWidth(Float16, Uint16Array)], // apache-arrow decodes the half-precision bits
  ["f", fixedWidth(Float32, Float32Array)],
  ["g", fixedWidth(Float64, Float64Array)],
  ["u", { type: () => new Utf8(), buffers: [validity, offsets32, bytes] }],
  ["+s", { type: (children) => new Struct(children), buffers: [validity] }],
]);
