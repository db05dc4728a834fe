/**
 * apache-arrow objects as they are found in a user's program: of the copy and the version that the user has, which need
 * not be the ones that these bindings have. So nothing here is told by its class, only by `typeId` and by what it holds.
 */

import { BowstringError } from "../errors.ts";

/** The type ids of apache-arrow, the same in all its versions. */
export const TYPE = {
  Dictionary: -1,
  Null: 1,
  Int: 2,
  Float: 3,
  Binary: 4,
  Utf8: 5,
  Bool: 6,
  Decimal: 7,
  Date: 8,
  Time: 9,
  Timestamp: 10,
  Interval: 11,
  List: 12,
  Struct: 13,
  Union: 14,
  FixedSizeBinary: 15,
  FixedSizeList: 16,
  Map: 17,
  Duration: 18,
  LargeBinary: 19,
  LargeUtf8: 20,
  LargeList: 21,
  BinaryView: 23,
  Utf8View: 24,
} as const;

/** A `DataType`. Which of the properties there are depends on `typeId`. */
export interface ForeignType {
  readonly typeId: number;
  readonly children?: readonly ForeignField[] | null;
  readonly isSigned?: boolean;
  readonly bitWidth?: number;
  readonly precision?: number;
  readonly scale?: number;
  readonly unit?: number;
  readonly timezone?: string | null;
  readonly byteWidth?: number;
  readonly listSize?: number;
  readonly keysSorted?: boolean;
  readonly mode?: number;
  readonly typeIds?: ArrayLike<number>;
  readonly indices?: ForeignType;
  readonly dictionary?: ForeignType;
  readonly isOrdered?: boolean;
}

/** A `Field`. */
export interface ForeignField {
  readonly name: string;
  readonly type: ForeignType;
  readonly nullable: boolean;
  readonly metadata?: ReadonlyMap<string, string> | null;
}

/** A `Schema`. */
export interface ForeignSchema {
  readonly fields: readonly ForeignField[];
  readonly metadata?: ReadonlyMap<string, string> | null;
}

/** A typed array of numbers or of bigints. */
export interface ForeignArray extends ArrayBufferView {
  readonly length: number;
  readonly BYTES_PER_ELEMENT: number;
  readonly [index: number]: number | bigint;
}

/** A `Data`: one array. */
export interface ForeignData {
  readonly type: ForeignType;
  readonly length: number;
  /** The first row's bit in bitmaps. Everything else is sliced already. */
  readonly offset: number;
  /** -1 when it was not counted. */
  readonly _nullCount?: number;
  readonly nullBitmap?: ForeignArray | null;
  readonly values?: ForeignArray;
  readonly valueOffsets?: ForeignArray;
  readonly typeIds?: ForeignArray;
  /** Vectors that were made of no values have none. */
  readonly children?: readonly ForeignData[];
  readonly dictionary?: ForeignVector;
  readonly variadicBuffers?: readonly ForeignArray[];
  slice(offset: number, length: number): ForeignData;
}

/** A `Vector`: arrays of one type, one after the other. */
export interface ForeignVector {
  readonly type: ForeignType;
  readonly data: readonly ForeignData[];
}

/** A `RecordBatch`. */
export interface ForeignBatch {
  readonly schema: ForeignSchema;
  readonly data: ForeignData;
}

/** A `Table`. */
export interface ForeignTable {
  readonly schema: ForeignSchema;
  readonly batches: readonly ForeignBatch[];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

function expected(what: string, value: unknown): never {
  const found = isObject(value) ? value.constructor?.name ?? "an object" : typeof value;
  throw new BowstringError(
    "INVALID_ARGUMENT",
    `expected a ${what} of apache-arrow but found ${found}`,
  );
}

/** Whether this is a `Schema`. */
export function isSchema(value: unknown): value is ForeignSchema {
  return isObject(value) && Array.isArray(value.fields);
}

/** The value as a `Schema`. */
export function asSchema(value: unknown): ForeignSchema {
  return isSchema(value) ? value : expected("Schema", value);
}

/** The value as a `Field`. */
export function asField(value: unknown): ForeignField {
  if (isObject(value) && typeof value.name === "string" && isObject(value.type)) {
    return value as unknown as ForeignField;
  }
  return expected("Schema or Field", value);
}

/** The value as a `Vector`. */
export function asVector(value: unknown): ForeignVector {
  if (isObject(value) && Array.isArray(value.data) && isObject(value.type)) {
    return value as unknown as ForeignVector;
  }
  return expected("Vector", value);
}

/** The value as a `RecordBatch`. Throws `LeaseReleasedError` for one that was released. */
export function asBatch(value: unknown): ForeignBatch {
  if (isObject(value) && isSchema(value.schema) && isObject(value.data)) {
    if (isObject((value.data as unknown as ForeignData).type)) {
      return value as unknown as ForeignBatch;
    }
  }
  return expected("RecordBatch", value);
}

/** The value as a `Table`. */
export function asTable(value: unknown): ForeignTable {
  if (isObject(value) && isSchema(value.schema) && Array.isArray(value.batches)) {
    return value as unknown as ForeignTable;
  }
  return expected("Table", value);
}

/** A child of data, also of data without any. */
export function childOf({ type, children }: ForeignData, index: number): ForeignData {
  return children?.[index] ?? emptyData(type.children![index]!.type);
}

/** An array of this type without rows. */
export function emptyData(type: ForeignType): ForeignData {
  const children = type.typeId === TYPE.Dictionary ? [] : type.children ?? [];
  const data: ForeignData = {
    type,
    length: 0,
    offset: 0,
    _nullCount: 0,
    children: children.map((field) => emptyData(field.type)),
    slice: () => data,
  };
  return data;
}

/** By unit: year and month; day and time; month, day and nanosecond. */
const INTERVAL_BYTES = [4, 8, 16];

/** The bytes of one value of a type of fixed width. */
export function widthOf(type: ForeignType): number | undefined {
  switch (type.typeId) {
    case TYPE.Int:
    case TYPE.Time:
      return type.bitWidth! / 8;
    case TYPE.Float:
      return 2 << type.precision!;
    case TYPE.Decimal:
      return (type.bitWidth ?? 128) / 8;
    case TYPE.Date:
      return type.unit === 0 ? 4 : 8;
    case TYPE.Timestamp:
    case TYPE.Duration:
      return 8;
    case TYPE.Interval:
      return INTERVAL_BYTES[type.unit!];
    case TYPE.FixedSizeBinary:
      return type.byteWidth;
    default:
      return undefined;
  }
}
