/**
 * From the description of a lease to apache-arrow RecordBatches over its blocks. Nothing is read but the description,
 * so the time does not depend on the number of rows.
 *
 * A description is a run of f64 words:
 *
 *     table_count block_count total_bytes
 *     block_count x { address byte_length }
 *     table_count x { schema_fingerprint node }
 *     node = length null_count offset buffer_count child_count has_dictionary
 *            buffer_count x { block byte_offset byte_length }     block -1: no buffer
 *            child_count x node, then the dictionary's node
 */

import { Data, RecordBatch, Schema, Struct, Vector } from "apache-arrow";
import { BowstringError } from "../errors.ts";
import type { Block } from "../runtime.ts";
import { type BufferLayout, type BufferView, VALIDITY } from "./layout.ts";
import type { ArrayPlan, NodePlan } from "./schema.ts";

const HEADER_WORDS = 3;
const BLOCK_WORDS = 2;
const NODE_WORDS = 6;
const BUFFER_WORDS = 3;

/** The blocks of a description. */
export function readBlocks(words: Float64Array): Block[] {
  const blocks: Block[] = [];
  for (let block = 0; block < words[1]!; block++) {
    const at = HEADER_WORDS + BLOCK_WORDS * block;
    blocks.push({ address: words[at]!, byteLength: words[at + 1]! });
  }
  return blocks;
}

/** The total size of a description's blocks, in bytes. */
export function readTotalBytes(words: Float64Array): number {
  return words[2]!;
}

/** One array of an import. */
export interface ImportedArray {
  /** Its schema, and how it was imported. */
  readonly plan: ArrayPlan;
  /** The array. */
  readonly data: Data;
}

/** What an import gave out. */
export interface ImportedArrays {
  /** The arrays. */
  readonly arrays: ImportedArray[];
  /** Every `Data` in them. */
  readonly data: Data[];
  /** Bytes that had to be copied, because a buffer was not aligned to its elements. */
  readonly bytesCopied: number;
}

/** Builds the arrays of a description over `blocks`, one ArrayBuffer for each block. */
export function importArrays(
  words: Float64Array,
  blocks: readonly ArrayBuffer[],
  planOf: (fingerprint: number, table: number) => ArrayPlan,
): ImportedArrays {
  const importer = new Importer(words, blocks);
  const arrays: ImportedArray[] = [];
  for (let table = 0; table < words[0]!; table++) {
    const plan = planOf(importer.word(), table);
    arrays.push({ plan, data: importer.node(plan.root, 0, -1) });
  }
  return { arrays, data: importer.data, bytesCopied: importer.bytesCopied };
}

const EMPTY_SCHEMA = new Schema([]);
const EMPTY_DATA = new Data(new Struct([]), 0, 0, 0) as Data<Struct>;

/**
 * A RecordBatch of these columns. Its constructor rebuilds the schema and the struct: it would merge columns of the same
 * name, and give each batch another `Schema`. So it is given nothing to rebuild.
 */
export function makeBatch(schema: Schema, data: Data): RecordBatch {
  const batch = new RecordBatch(EMPTY_SCHEMA, EMPTY_DATA);
  (batch as { schema: Schema }).schema = schema;
  (batch as { data: Data }).data = data;
  return batch;
}

/**
 * Stands in for the buffers of empty columns, whose one offset is 0. Shared, because allocating a buffer while a large one
 * over native memory is young makes V8 collect garbage at once.
 */
const NO_BYTES = new ArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT);

const NO_BUFFERS: readonly Uint8Array[] = [];

class Importer {
  readonly data: Data[] = [];
  bytesCopied = 0;
  readonly #words: Float64Array;
  readonly #blocks: readonly ArrayBuffer[];
  #at: number;

  constructor(words: Float64Array, blocks: readonly ArrayBuffer[]) {
    this.#words = words;
    this.#blocks = blocks;
    this.#at = HEADER_WORDS + BLOCK_WORDS * blocks.length;
  }

  /** The next word. */
  word(): number {
    return this.#words[this.#at++]!;
  }

  /**
   * The next node, and those below it.
   *
   * A parent whose rows are its children's rows `parentOffset ..` has `parentLength` of them; all when it is -1.
   * apache-arrow wants values, offsets and type ids already sliced: only bitmaps are addressed by `Data.offset`.
   */
  node(plan: NodePlan, parentOffset: number, parentLength: number): Data {
    const words = this.#words;
    const at = this.#at;
    const ownLength = words[at]!;
    const length = parentLength < 0 ? ownLength : parentLength;
    const offset = parentOffset + words[at + 2]!;
    const bufferCount = words[at + 3]!;
    let nullCount = words[at + 1]!;
    if (length !== ownLength && nullCount !== 0) nullCount = -1;

    const { buffers, variadic, childRows } = plan.layout;
    if (
      (variadic ? bufferCount < buffers.length : bufferCount !== buffers.length) ||
      words[at + 4] !== plan.children.length ||
      (words[at + 5] !== 0) !== (plan.dictionary !== undefined)
    ) {
      throw new BowstringError(
        "INVALID_ARROW",
        `expected ${buffers.length} buffers and ${plan.children.length} children for ${plan.type}, ` +
          `but found ${bufferCount} and ${words[at + 4]}`,
      );
    }
    const views: (BufferView | undefined)[] = [undefined, undefined, undefined, undefined];
    for (let index = 0; index < buffers.length; index++) {
      const buffer = buffers[index]!;
      const start = at + NODE_WORDS + BUFFER_WORDS * index;
      if (buffer.slot === VALIDITY) {
        if (words[start]! < 0) nullCount = 0;
        if (nullCount === 0) continue;
      }
      views[buffer.slot] = this.#view(buffer, start, offset, length);
    }
    // A type that has no validity at all: every row of Null is null, and a union's rows are as null as its children's.
    if (buffers.length === 0) nullCount = length;
    const dataBuffers = variadic ? this.#dataBuffers(at, buffers.length, bufferCount) : NO_BUFFERS;
    this.#at = at + NODE_WORDS + BUFFER_WORDS * bufferCount;

    const children: Data[] = [];
    for (const child of plan.children) {
      children.push(
        childRows === undefined
          ? this.node(child, 0, -1)
          : this.node(child, offset * childRows, length * childRows),
      );
    }
    const dictionary = plan.dictionary && new Vector([this.node(plan.dictionary, 0, -1)]);

    const data = new Data(
      plan.type,
      offset,
      length,
      nullCount,
      // deno-lint-ignore no-explicit-any -- the buffers' element types follow from the layout, which types cannot say
      views as any,
      children,
      dictionary,
      dataBuffers,
    );
    this.data.push(data);
    return data;
  }

  #view(layout: BufferLayout, at: number, offset: number, length: number): BufferView {
    const block = this.#words[at]!;
    const byteOffset = this.#words[at + 1]!;
    const byteLength = this.#words[at + 2]!;
    const { view, extent, stride } = layout;
    const count = extent === "whole" ? byteLength : (length + Number(extent === "fences")) * stride;
    if (block < 0) {
      // An empty array needs no offsets, and apache-arrow reads one all the same.
      if (count > 0 && extent !== "whole" && length > 0) {
        throw new BowstringError(
          "INVALID_ARROW",
          `expected a buffer for ${length} rows, but found none`,
        );
      }
      return new view(NO_BYTES, 0, extent === "fences" ? 1 : 0);
    }
    const first = extent === "whole" ? 0 : offset * stride * view.BYTES_PER_ELEMENT;
    const start = byteOffset + first;
    const buffer = this.#blocks[block]!;
    if (start % view.BYTES_PER_ELEMENT === 0) return new view(buffer, start, count);
    // JavaScript has no view of elements that are not aligned to the start of their ArrayBuffer.
    const bytes = count * view.BYTES_PER_ELEMENT;
    this.bytesCopied += bytes;
    return new view(buffer.slice(start, start + bytes), 0, count);
  }

  /** The buffers that the views of a node point into, which follow the others. */
  #dataBuffers(at: number, first: number, end: number): readonly Uint8Array[] {
    const buffers: Uint8Array[] = [];
    for (let index = first; index < end; index++) {
      const start = at + NODE_WORDS + BUFFER_WORDS * index;
      const block = this.#words[start]!;
      buffers.push(
        block < 0
          ? new Uint8Array(NO_BYTES, 0, 0)
          : new Uint8Array(this.#blocks[block]!, this.#words[start + 1]!, this.#words[start + 2]!),
      );
    }
    return buffers;
  }
}
