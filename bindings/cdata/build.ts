/**
 * From apache-arrow arrays to the words that the library builds a table from (`bow_table_build` in bowstring.h):
 *
 *     token flags lease_count leases... node
 *     node = length null_count buffer_count child_count has_dictionary
 *            buffer_count x { mode address byte_length bit_offset }
 *            child_count x node, then the dictionary's node
 *
 * apache-arrow keeps values, offsets and type ids sliced, so what is written has no offsets but the bits of bitmaps. Sizes
 * follow from lengths and types: builders allocate more than they fill.
 */

import { CONSTANTS } from "../abi.ts";
import { BowstringError } from "../errors.ts";
import type { Pins } from "../pins.ts";
import type { Pointer, Runtime, Scratch } from "../runtime.ts";
import { concatenate } from "./concat.ts";
import {
  childOf,
  type ForeignArray,
  type ForeignData,
  type ForeignType,
  TYPE,
  widthOf,
} from "./foreign.ts";
import { leaseOf } from "./origin.ts";

/** How memory crosses to native code; see `ExportOptions`. */
export type ExportMode = "borrow" | "move" | "copy";

const { BUFFER_NONE, BUFFER_BORROW, BUFFER_COPY, BUILD_RESTORE } = CONSTANTS;

/** Up to this size a buffer is copied: the engines move the memory of small typed arrays. */
export const COPY_BYTES = 8 * 1024;
/** As deep as the library lets schemas nest. */
const MAX_DEPTH = 64;
/** Words before the nodes: token, flags, the number of leases, and room for their handles. */
const HEADER_WORDS = 3;
const HEADER_ROOM = HEADER_WORDS + 61;
/** Words of a node without its buffers, and of each of these. */
const HEAD_WORDS = 5;
const BUFFER_WORDS = 4;
/** The bytes of one view of a view type. */
const VIEW_BYTES = 16;
const DENSE = 1;

/** What a table is made of besides its words. */
export interface Built {
  /** How many words there are. */
  readonly count: number;
  /** What the borrowed memory is to be pinned under, at once when the library has built the table; 0 if there is none. */
  readonly token: number;
  /** ArrayBuffers that native code will read; one of which it reads several parts may come more than once. */
  readonly borrowed: readonly ArrayBufferLike[];
  /** In the mode move: all of JavaScript's own ArrayBuffers, borrowed or not. */
  readonly touched: ReadonlySet<ArrayBufferLike>;
}

/** How the arrays of a type that has no children and no dictionary are laid out. */
interface Layout {
  readonly type: ForeignType;
  /** What follows the validity bitmap: values of one width, bits, or offsets and bytes; nothing here for any other. */
  readonly kind: "fixed" | "bits" | "variable" | undefined;
  /** The bytes of one value, if it is fixed. */
  readonly width: number;
}

function layoutOf(type: ForeignType): Layout {
  switch (type.typeId) {
    case TYPE.Bool:
      return { type, kind: "bits", width: 0 };
    case TYPE.Utf8:
    case TYPE.Binary:
    case TYPE.LargeUtf8:
    case TYPE.LargeBinary:
      return { type, kind: "variable", width: 0 };
    default: {
      const width = widthOf(type);
      return { type, kind: width === undefined ? undefined : "fixed", width: width ?? 0 };
    }
  }
}

const ZERO = new BigInt64Array(1);
const NONE: ReadonlySet<ArrayBufferLike> = new Set();

/** Writes words. One for each context, used for one table at a time. */
export class TableBuilder {
  readonly #runtime: Runtime;
  readonly #pins: Pins;
  #scratch: Scratch;
  #words: Float64Array;
  /** Where the words of the last table begin: for most tables at the same place. */
  #start = 0;
  #pointer: Pointer | undefined;
  #at = HEADER_ROOM;
  #mode: ExportMode = "borrow";
  #leases: Set<number> = new Set();
  #borrowed: ArrayBufferLike[] = [];
  #touched: Set<ArrayBufferLike> | undefined;
  /** What native code copies: some of it nobody else refers to. */
  #copied: ArrayBufferLike[] | undefined;
  /** The names of the fields above and of the one at hand, below the column. */
  #path: string[] = [];
  /** Which column of a record batch is at hand; -1 for an array. */
  #column = -1;
  /** How many levels there may be below it. */
  #deepest = MAX_DEPTH;
  /** The type of the record batch. */
  #batchType: ForeignType | undefined;
  /** Of the columns of the last record batch: the next one's are mostly the same, and types are slow to ask. */
  readonly #layouts: Layout[] = [];

  constructor(runtime: Runtime, pins: Pins) {
    this.#runtime = runtime;
    this.#pins = pins;
    this.#scratch = runtime.scratch(4096 * Float64Array.BYTES_PER_ELEMENT);
    this.#words = new Float64Array(this.#scratch.bytes.buffer);
  }

  /** What to pass for the words of the last table. */
  get words(): Pointer {
    return this.#pointer ??= this.#scratch.at(this.#start * Float64Array.BYTES_PER_ELEMENT);
  }

  /**
   * Writes the words of a table. `root` is its array, or for a record batch its struct, whose validity is left out. They
   * and the addresses in them hold until `forget`, if nobody detaches what is there.
   */
  build(root: ForeignData, isBatch: boolean, mode: ExportMode, restore: boolean): Built {
    this.#at = HEADER_ROOM;
    this.#mode = mode;
    this.forget();
    if (this.#leases.size > 0) this.#leases.clear();
    this.#borrowed = [];
    this.#touched = mode === "move" ? new Set() : undefined;
    if (this.#path.length > 0) this.#path = [];
    this.#column = -1;
    this.#deepest = isBatch ? MAX_DEPTH - 1 : MAX_DEPTH;
    if (isBatch) this.#struct(root);
    else this.#node(root, root.length);

    const end = this.#at;
    // Last, since to read a user's objects may run a user's code, and that may export.
    const token = this.#borrowed.length > 0 ? this.#pins.token() : 0;
    const start = this.#header(token, restore);
    if (start !== this.#start) this.#pointer = undefined;
    this.#start = start;
    return {
      count: end - start,
      token,
      borrowed: this.#borrowed,
      touched: this.#touched ?? NONE,
    };
  }

  /** Lets go of what was only to be copied. */
  forget(): void {
    this.#copied = undefined;
  }

  /** Writes the header just before the nodes, and returns where it begins. */
  #header(token: number, restore: boolean): number {
    const size = HEADER_WORDS + this.#leases.size;
    if (size > HEADER_ROOM) {
      throw new BowstringError(
        "UNSUPPORTED",
        `a table over the memory of ${this.#leases.size} leases, more than ${
          HEADER_ROOM - HEADER_WORDS
        }: export it with { mode: "copy" }`,
      );
    }
    const start = HEADER_ROOM - size;
    this.#words[start] = token;
    this.#words[start + 1] = restore ? BUILD_RESTORE : 0;
    this.#words[start + 2] = this.#leases.size;
    let at = start + HEADER_WORDS;
    for (const lease of this.#leases) this.#words[at++] = lease;
    return start;
  }

  /** The struct of a record batch: every row is there. */
  #struct(data: ForeignData): void {
    const { children = [], length } = data;
    this.#head(length, 0, 1, children.length, false);
    this.#none();
    this.#batchType = data.type;
    for (let index = 0; index < children.length; index++) {
      this.#column = index;
      const child = children[index]!;
      let layout = this.#layouts[index];
      if (layout === undefined || layout.type !== child.type) {
        layout = this.#layouts[index] = layoutOf(child.type);
      }
      this.#columnOf(layout, child, length);
    }
  }

  #columnOf({ kind, width }: Layout, data: ForeignData, length: number): void {
    if (kind === undefined) return this.#node(data, length);
    this.#expectRows(data, length);
    if (kind === "variable") return this.#variable(data, length);
    this.#begin(data, length, 2, 0, false);
    if (kind === "bits") this.#bits(data.values, data.offset, length);
    else this.#put(data.values, length * width);
  }

  #expectRows(data: ForeignData, length: number): void {
    if (length > data.length) this.#fail(`expected ${length} rows but found ${data.length}`);
  }

  /** The first `length` rows of an array. */
  #node(data: ForeignData, length: number): void {
    const { type } = data;
    this.#expectRows(data, length);
    switch (type.typeId) {
      case TYPE.Null:
        // Nothing would be read; but an array that was released is refused like any other.
        this.#nulls(data, length);
        return this.#head(length, length, 0, 0, false);
      case TYPE.Bool:
        this.#begin(data, length, 2, 0, false);
        return this.#bits(data.values, data.offset, length);
      case TYPE.Utf8:
      case TYPE.Binary:
      case TYPE.LargeUtf8:
      case TYPE.LargeBinary:
        return this.#variable(data, length);
      case TYPE.Utf8View:
      case TYPE.BinaryView:
        return this.#views(data, length);
      case TYPE.List:
      case TYPE.Map:
      case TYPE.LargeList:
        return this.#list(data, length);
      case TYPE.Struct:
        return this.#nested(data, length, 1);
      case TYPE.FixedSizeList:
        return this.#nested(data, length, type.listSize!);
      case TYPE.Union:
        return this.#union(data, length);
      case TYPE.Dictionary:
        return this.#dictionary(data, length);
      default: {
        const width = widthOf(type);
        if (width === undefined) {
          this.#fail(`${type} (type id ${type.typeId}) is not a type that can be exported`);
        }
        this.#begin(data, length, 2, 0, false);
        return this.#put(data.values, length * width);
      }
    }
  }

  #variable(data: ForeignData, length: number): void {
    this.#begin(data, length, 3, 0, false);
    const [first, last] = this.#fences(data, length);
    const { valueOffsets } = data;
    if (this.#mode === "copy" && first > 0) {
      // A slice of a large column is copied as the rows that it has.
      this.#put(rebased(valueOffsets!, length), (length + 1) * valueOffsets!.BYTES_PER_ELEMENT);
      return this.#put(data.values, last - first, first);
    }
    this.#offsets(data, length);
    this.#put(data.values, last);
  }

  #list(data: ForeignData, length: number): void {
    const child = childOf(data, 0);
    this.#begin(data, length, 2, 1, false);
    const [first, last] = this.#fences(data, length);
    if (this.#mode === "copy" && first > 0) {
      const offsets = data.valueOffsets!;
      this.#put(rebased(offsets, length), (length + 1) * offsets.BYTES_PER_ELEMENT);
      return this.#child(data.type, 0, child.slice(first, last - first), last - first);
    }
    this.#offsets(data, length);
    this.#child(data.type, 0, child, child.length);
  }

  /** The first and the last offset. */
  #fences({ valueOffsets }: ForeignData, length: number): [number, number] {
    if (length === 0) return [0, 0];
    if (valueOffsets === undefined || valueOffsets.length <= length) {
      this.#fail(`expected ${length + 1} offsets but found ${valueOffsets?.length ?? 0}`);
    }
    return [Number(valueOffsets[0]), Number(valueOffsets[length])];
  }

  /** The offsets buffer. One of no rows has the one offset 0: not all readers accept that there is none. */
  #offsets({ type, valueOffsets }: ForeignData, length: number): void {
    const wide = type.typeId === TYPE.LargeUtf8 || type.typeId === TYPE.LargeBinary ||
      type.typeId === TYPE.LargeList;
    const width = wide ? BigInt64Array.BYTES_PER_ELEMENT : Int32Array.BYTES_PER_ELEMENT;
    if (length === 0) return this.#put(ZERO as unknown as ForeignArray, width);
    this.#put(valueOffsets, (length + 1) * width);
  }

  #views(data: ForeignData, length: number): void {
    const buffers = data.variadicBuffers ?? [];
    this.#begin(data, length, 2 + buffers.length, 0, false);
    this.#put(data.values, length * VIEW_BYTES);
    for (const buffer of buffers) this.#put(buffer, buffer.byteLength);
  }

  /** A struct, or a list of a fixed size: `childRows` rows of each child belong to one row. */
  #nested(data: ForeignData, length: number, childRows: number): void {
    const fields = data.type.children ?? [];
    this.#begin(data, length, 1, fields.length, false);
    this.#children(data, length * childRows);
  }

  #union(data: ForeignData, length: number): void {
    const dense = data.type.mode === DENSE;
    this.#head(length, 0, dense ? 2 : 1, data.type.children!.length, false);
    this.#put(data.typeIds, length);
    if (dense) this.#put(data.valueOffsets, length * Int32Array.BYTES_PER_ELEMENT);
    this.#children(data, dense ? undefined : length);
  }

  #dictionary(data: ForeignData, length: number): void {
    const { indices, dictionary } = data.type;
    this.#begin(data, length, 2, 0, true);
    this.#put(data.values, length * widthOf(indices!)!);
    const chunks = data.dictionary?.data ?? [];
    const values = chunks.length === 1 ? chunks[0]! : concatenate(dictionary!, chunks);
    this.#below("dictionary", values, values.length);
  }

  #children(data: ForeignData, length: number | undefined): void {
    const fields = data.type.children ?? [];
    for (let index = 0; index < fields.length; index++) {
      const child = childOf(data, index);
      this.#child(data.type, index, child, length ?? child.length);
    }
  }

  #child(type: ForeignType, index: number, child: ForeignData, length: number): void {
    this.#below(type.children![index]!.name, child, length);
  }

  #below(name: string, data: ForeignData, length: number): void {
    if (this.#path.length === this.#deepest) this.#fail(`nested deeper than ${MAX_DEPTH} levels`);
    this.#path.push(name);
    this.#node(data, length);
    this.#path.pop();
  }

  /** What a node begins with, and its validity bitmap. */
  #begin(
    data: ForeignData,
    length: number,
    buffers: number,
    children: number,
    dictionary: boolean,
  ): void {
    const nulls = this.#nulls(data, length);
    this.#head(length, nulls, buffers, children, dictionary);
    if (nulls === 0) this.#none();
    else this.#bits(data.nullBitmap!, data.offset, length);
  }

  /** The null count of the first `length` rows; -1 when nobody counted. */
  #nulls(data: ForeignData, length: number): number {
    // First of all, since an array that was released refuses to show it.
    const { nullBitmap } = data;
    const count = data._nullCount ?? -1;
    if (count === 0 || length === 0 || !nullBitmap || nullBitmap.byteLength === 0) return 0;
    return length === data.length ? count : -1;
  }

  /** `length` bits from bit `offset` on. */
  #bits(bitmap: ForeignArray | undefined, offset: number, length: number): void {
    const bit = length === 0 ? 0 : offset & 7;
    const first = length === 0 ? 0 : offset >>> 3;
    this.#put(bitmap, Math.ceil((bit + length) / 8), first, bit);
  }

  /** A buffer of `byteLength` bytes of `view`, from byte `first` of it on. */
  #put(view: ForeignArray | undefined, byteLength: number, first = 0, bitOffset = 0): void {
    // Not a null pointer: not all readers accept one.
    if (byteLength === 0) return this.#buffer(BUFFER_COPY, 0, 0, 0);
    if (view === undefined || first + byteLength > view.byteLength) {
      this.#fail(
        `expected a buffer of ${first + byteLength} bytes but found ${view?.byteLength ?? "none"}`,
      );
    }
    // Before the address: both engines move the memory of a small typed array into an ArrayBuffer when that is asked for,
    // and nowhere else after that.
    const { buffer } = view;
    const address = this.#runtime.addressOf(view) + first;
    const small = byteLength <= COPY_BYTES;
    // Memory that can shrink cannot be lent.
    const copied = small || this.#mode === "copy" || (buffer as ArrayBuffer).resizable === true;
    if (this.#touched !== undefined && (small || !copied)) this.#touch(buffer);
    if (copied) (this.#copied ??= []).push(buffer);
    else this.#borrow(buffer);
    this.#buffer(copied ? BUFFER_COPY : BUFFER_BORROW, address, byteLength, bitOffset);
  }

  #borrow(buffer: ArrayBufferLike): void {
    const lease = leaseOf(buffer);
    const borrowed = this.#borrowed;
    const last = borrowed.length - 1;
    if (lease !== undefined) this.#leases.add(lease);
    // To ask for the place -1 would make every later look slow.
    else if (last < 0 || borrowed[last] !== buffer) borrowed.push(buffer);
  }

  #touch(buffer: ArrayBufferLike): void {
    if (leaseOf(buffer) === undefined && buffer !== ZERO.buffer) this.#touched!.add(buffer);
  }

  #head(
    length: number,
    nullCount: number,
    buffers: number,
    children: number,
    dictionary: boolean,
  ): void {
    this.#room(HEAD_WORDS + buffers * BUFFER_WORDS);
    const words = this.#words;
    let at = this.#at;
    words[at++] = length;
    words[at++] = nullCount;
    words[at++] = buffers;
    words[at++] = children;
    words[at++] = Number(dictionary);
    this.#at = at;
  }

  #none(): void {
    this.#buffer(BUFFER_NONE, 0, 0, 0);
  }

  /** Writes where a buffer is; `#head` made room for it. */
  #buffer(mode: number, address: number, byteLength: number, bitOffset: number): void {
    const words = this.#words;
    let at = this.#at;
    words[at++] = mode;
    words[at++] = address;
    words[at++] = byteLength;
    words[at++] = bitOffset;
    this.#at = at;
  }

  /** Makes room for some more words. */
  #room(words: number): void {
    if (this.#at + words <= this.#words.length) return;
    const count = Math.max(2 * this.#words.length, this.#at + words);
    const larger = this.#runtime.scratch(count * Float64Array.BYTES_PER_ELEMENT);
    larger.bytes.set(this.#scratch.bytes);
    this.#scratch = larger;
    this.#words = new Float64Array(larger.bytes.buffer);
    this.#pointer = undefined;
  }

  #fail(message: string): never {
    const name = this.#batchType?.children?.[this.#column]?.name ?? "";
    const path = this.#column < 0
      ? this.#path
      : [`column[${this.#column}] "${name}"`, ...this.#path];
    throw new BowstringError("INVALID_ARROW", `${path.join(" -> ") || "array"}: ${message}`);
  }
}

/** The first `length` + 1 offsets, counted from the first. */
function rebased(offsets: ForeignArray, length: number): ForeignArray {
  if (offsets instanceof BigInt64Array) {
    const first = offsets[0]!;
    return offsets.subarray(0, length + 1).map((offset) => offset - first);
  }
  const first = (offsets as Int32Array)[0]!;
  return (offsets as Int32Array).subarray(0, length + 1).map((offset) => offset - first);
}
