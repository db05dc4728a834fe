/**
 * Several chunks of a vector as one array: the C data interface has no chunks, but apache-arrow's vectors do, and so do
 * dictionaries that a stream has added to. This copies.
 */

import { BowstringError } from "../errors.ts";
import {
  childOf,
  emptyData,
  type ForeignArray,
  type ForeignData,
  type ForeignType,
  type ForeignVector,
  TYPE,
  widthOf,
} from "./foreign.ts";

const DENSE = 1;
const VIEW_BYTES = 16;
/** Values of up to this many bytes are in the view itself. */
const INLINE_BYTES = 12;

type Parts = Partial<Omit<ForeignData, "type" | "length" | "offset" | "slice">>;

/** The chunks, all of this type, as one array. */
export function concatenate(type: ForeignType, chunks: readonly ForeignData[]): ForeignData {
  const filled = chunks.filter(({ length }) => length > 0);
  if (filled.length === 0) return chunks[0] ?? emptyData(type);
  if (filled.length === 1) return filled[0]!;
  const length = filled.reduce((sum, chunk) => sum + chunk.length, 0);
  const data: ForeignData = {
    type,
    length,
    offset: 0,
    children: [],
    ...validityOf(filled, length),
    ...partsOf(type, filled, length),
    slice() {
      throw new BowstringError("UNSUPPORTED", "a concatenation cannot be sliced");
    },
  };
  return data;
}

function validityOf(chunks: readonly ForeignData[], length: number): Parts {
  const nullable = ({ _nullCount, nullBitmap }: ForeignData) =>
    _nullCount !== 0 && nullBitmap !== undefined && nullBitmap !== null && nullBitmap.length > 0;
  if (!chunks.some(nullable)) return { _nullCount: 0 };
  const bitmap = new Uint8Array(Math.ceil(length / 8));
  let at = 0;
  for (const chunk of chunks) {
    copyBits(
      bitmap,
      at,
      chunk.length,
      nullable(chunk) ? chunk.nullBitmap! : undefined,
      chunk.offset,
    );
    at += chunk.length;
  }
  return { _nullCount: -1, nullBitmap: bitmap as unknown as ForeignArray };
}

/** Copies bits, all ones when there is no source. */
function copyBits(
  target: Uint8Array,
  at: number,
  count: number,
  source: ForeignArray | undefined,
  from: number,
): void {
  for (let index = 0; index < count; index++) {
    const bit = from + index;
    const set = source === undefined || ((source[bit >>> 3] as number) >> (bit & 7) & 1) !== 0;
    if (set) target[(at + index) >>> 3]! |= 1 << ((at + index) & 7);
  }
}

function partsOf(type: ForeignType, chunks: readonly ForeignData[], length: number): Parts {
  switch (type.typeId) {
    case TYPE.Null:
      return {};
    case TYPE.Bool: {
      const bits = new Uint8Array(Math.ceil(length / 8));
      let at = 0;
      for (const chunk of chunks) {
        copyBits(bits, at, chunk.length, chunk.values!, chunk.offset);
        at += chunk.length;
      }
      return { values: bits as unknown as ForeignArray };
    }
    case TYPE.Utf8:
    case TYPE.Binary:
    case TYPE.LargeUtf8:
    case TYPE.LargeBinary: {
      const { valueOffsets, ranges } = offsetsOf(chunks, length);
      const values = join(
        chunks.map(({ values }, index) => bytesOf(values!, ranges[index]![0], ranges[index]![1])),
      );
      return { valueOffsets, values };
    }
    case TYPE.List:
    case TYPE.LargeList:
    case TYPE.Map: {
      const { valueOffsets, ranges } = offsetsOf(chunks, length);
      const items = chunks.map((chunk, index) => {
        const [first, last] = ranges[index]!;
        return childOf(chunk, 0).slice(first, last - first);
      });
      return { valueOffsets, children: [concatenate(type.children![0]!.type, items)] };
    }
    case TYPE.Utf8View:
    case TYPE.BinaryView:
      return views(chunks);
    case TYPE.Struct:
      return { children: childrenOf(type, chunks, 1) };
    case TYPE.FixedSizeList:
      return { children: childrenOf(type, chunks, type.listSize!) };
    case TYPE.Union:
      return type.mode === DENSE ? denseUnion(type, chunks) : {
        typeIds: join(chunks.map(({ typeIds, length }) => bytesOf(typeIds!, 0, length))),
        children: childrenOf(type, chunks, 1),
      };
    case TYPE.Dictionary:
      return dictionary(type, chunks, length);
    default: {
      const width = widthOf(type);
      if (width === undefined) {
        throw new BowstringError("UNSUPPORTED", `chunks of ${type} cannot be joined`);
      }
      return {
        values: join(chunks.map((chunk) => bytesOf(chunk.values!, 0, chunk.length * width))),
      };
    }
  }
}

const bytesOf = (view: ForeignArray, first: number, end: number): Uint8Array => {
  if (end > view.byteLength) {
    throw new BowstringError(
      "INVALID_ARROW",
      `expected a buffer of ${end} bytes but found ${view.byteLength}`,
    );
  }
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset + first, end - first);
};

function join(parts: readonly Uint8Array[]): ForeignArray {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes as unknown as ForeignArray;
}

/** The offsets of all chunks as those of one array, and the range of each chunk's own. */
function offsetsOf(
  chunks: readonly ForeignData[],
  length: number,
): { valueOffsets: ForeignArray; ranges: (readonly [number, number])[] } {
  const ranges = chunks.map(({ valueOffsets, length }) =>
    [Number(valueOffsets![0]), Number(valueOffsets![length])] as const
  );
  const wide = chunks[0]!.valueOffsets instanceof BigInt64Array;
  const offsets = wide ? new BigInt64Array(length + 1) : new Int32Array(length + 1);
  let at = 0;
  let end = 0;
  chunks.forEach((chunk, index) => {
    const [first, last] = ranges[index]!;
    for (let row = 1; row <= chunk.length; row++) {
      const offset = end + Number(chunk.valueOffsets![row]) - first;
      if (!wide && offset > 0x7fff_ffff) {
        throw new BowstringError("BATCH_TOO_LARGE", "the chunks have more than 2 GiB together");
      }
      offsets[at + row] = (wide ? BigInt(offset) : offset) as never;
    }
    at += chunk.length;
    end += last - first;
  });
  return { valueOffsets: offsets as unknown as ForeignArray, ranges };
}

function childrenOf(
  type: ForeignType,
  chunks: readonly ForeignData[],
  childRows: number,
): ForeignData[] {
  return type.children!.map((field, index) =>
    concatenate(
      field.type,
      chunks.map((chunk) => {
        const child = childOf(chunk, index);
        const rows = chunk.length * childRows;
        return child.length === rows ? child : child.slice(0, rows);
      }),
    )
  );
}

function denseUnion(type: ForeignType, chunks: readonly ForeignData[]): Parts {
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const indexOf = new Map(Array.from(type.typeIds!, (id, index) => [id, index]));
  const offsets = new Int32Array(length);
  const shifts = new Array<number>(type.children!.length).fill(0);
  let at = 0;
  for (const chunk of chunks) {
    const { typeIds, valueOffsets, length } = chunk;
    for (let row = 0; row < length; row++) {
      const child = indexOf.get(Number(typeIds![row]))!;
      offsets[at++] = Number(valueOffsets![row]) + shifts[child]!;
    }
    for (let index = 0; index < shifts.length; index++) {
      shifts[index]! += childOf(chunk, index).length;
    }
  }
  return {
    typeIds: join(chunks.map(({ typeIds, length }) => bytesOf(typeIds!, 0, length))),
    valueOffsets: offsets as unknown as ForeignArray,
    children: type.children!.map((field, index) =>
      concatenate(field.type, chunks.map((chunk) => childOf(chunk, index)))
    ),
  };
}

/** The views of later chunks point to their buffers by numbers that follow those of earlier ones. */
function views(chunks: readonly ForeignData[]): Parts {
  const values = join(chunks.map((chunk) => bytesOf(chunk.values!, 0, chunk.length * VIEW_BYTES)));
  const view = new DataView(values.buffer);
  const buffers: ForeignArray[] = [];
  let at = 0;
  for (const { variadicBuffers = [], length } of chunks) {
    for (let row = 0; row < length; row++, at += VIEW_BYTES) {
      if (view.getInt32(at, true) <= INLINE_BYTES) continue;
      view.setInt32(at + 8, view.getInt32(at + 8, true) + buffers.length, true);
    }
    buffers.push(...variadicBuffers);
  }
  return { values, variadicBuffers: buffers };
}

/** Chunks that share a dictionary keep it; others get one that has all of theirs, and keys into that. */
function dictionary(type: ForeignType, chunks: readonly ForeignData[], length: number): Parts {
  const width = widthOf(type.indices!)!;
  const longest = chunks.map((chunk) => chunk.dictionary!).reduce((left, right) =>
    right.data.length > left.data.length ? right : left
  );
  if (chunks.every((chunk) => isPrefix(chunk.dictionary!, longest))) {
    return {
      values: join(chunks.map((chunk) => bytesOf(chunk.values!, 0, chunk.length * width))),
      dictionary: longest,
    };
  }
  const keys = new (chunks[0]!.values!.constructor as new (length: number) => Int32Array)(length);
  const values: ForeignData[] = [];
  let shift = 0;
  let at = 0;
  for (const chunk of chunks) {
    for (let row = 0; row < chunk.length; row++) {
      const key = Number(chunk.values![row]) + shift;
      keys[at] = key;
      if (keys[at] !== key && isValid(chunk, row)) {
        throw new BowstringError(
          "UNSUPPORTED",
          `the chunks' dictionaries have more than ${key} values together, more than keys of ${type.indices} can name`,
        );
      }
      at++;
    }
    values.push(...chunk.dictionary!.data);
    shift += chunk.dictionary!.data.reduce((sum, { length }) => sum + length, 0);
  }
  return {
    values: keys as unknown as ForeignArray,
    dictionary: { type: type.dictionary!, data: values },
  };
}

function isPrefix(dictionary: ForeignVector, longest: ForeignVector): boolean {
  return dictionary === longest ||
    dictionary.data.every((chunk, index) => chunk === longest.data[index]);
}

function isValid({ _nullCount, nullBitmap, offset }: ForeignData, row: number): boolean {
  if (_nullCount === 0 || !nullBitmap || nullBitmap.length === 0) return true;
  const bit = offset + row;
  return ((nullBitmap[bit >>> 3] as number) >> (bit & 7) & 1) !== 0;
}
