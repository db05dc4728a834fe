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

import { Data, RecordBatch, Schema, Struct } from "apache-arrow";
import { BowstringError } from "../errors.ts";
import type { Block } from "../runtime.ts";
import { type BufferLayout, type BufferView, VALIDITY } from "./layout.ts";
import type { NodePlan, TablePlan } from "./schema.ts";

const HEADER_WORDS = 3;
const BLOCK_WORDS = 2;
const NODE_WORDS = 6;
const BUFFER_WORDS = 3;

/** The blocks of a description. */
export function readBlocks(words: Float64Array): Block[] {
  return Array.from({ length: words[1]! }, (_, index) => {
    const at = HEADER_WORDS + BLOCK_WORDS * index;
    return { address: words[at]!, byteLength: words[at + 1]! };
  });
}

/** The total size of a description's blocks, in bytes. */
export function readTotalBytes(words: Float64Array): number {
  return words[2]!;
}

/** What an import gave out. */
export interface ImportedTables {
  /** The tables. */
  readonly batches: RecordBatch[];
  /** Every `Data` in them. */
  readonly data: Data[];
}

/** Builds the tables of a description over `blocks`, one ArrayBuffer for each block. */
export function importTables(
  words: Float64Array,
  blocks: readonly ArrayBuffer[],
  planOf: (fingerprint: number, table: number) => TablePlan,
): ImportedTables {
  const importer = new Importer(words, blocks);
  const batches: RecordBatch[] = [];
  for (let table = 0; table < words[0]!; table++) {
    const { schema, root } = planOf(importer.word(), table);
    batches.push(makeBatch(schema, importer.node(root, 0, -1) as Data<Struct>));
  }
  return { batches, data: importer.data };
}

const EMPTY_SCHEMA = new Schema([]);
const EMPTY_DATA = new Data(new Struct([]), 0, 0, 0) as Data<Struct>;

/**
 * The constructor rebuilds the schema and the struct: it would drop struct nulls, merge columns of the same name, and
 * give each batch another `Schema`. So it is given nothing to rebuild.
 */
function makeBatch(schema: Schema, data: Data<Struct>): RecordBatch {
  const batch = new RecordBatch(EMPTY_SCHEMA, EMPTY_DATA);
  (batch as { schema: Schema }).schema = schema;
  (batch as { data: Data<Struct> }).data = data;
  return batch;
}

/**
 * Stands in for the buffers of empty columns, whose one offset is 0. Shared, because allocating a buffer while a large one
 * over native memory is young makes V8 collect garbage at once.
 */
const NO_BYTES = new ArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT);

class Importer {
  readonly data: Data[] = [];
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
   * A parent struct's rows are rows `parentOffset ..` of its children; `parentLength` of them, or all when it is -1.
   * apache-arrow wants values and offsets already sliced: only bitmaps are addressed by `Data.offset`.
   */
  node(plan: NodePlan, parentOffset: number, parentLength: number): Data {
    const words = this.#words;
    const at = this.#at;
    const ownLength = words[at]!;
    const length = parentLength < 0 ? ownLength : parentLength;
    const offset = parentOffset + words[at + 2]!;
    let nullCount = words[at + 1]!;
    if (length !== ownLength && nullCount !== 0) nullCount = -1;

    const { buffers } = plan.layout;
    if (words[at + 3] !== buffers.length || words[at + 4] !== plan.children.length) {
      throw new BowstringError(
        "INVALID_ARROW",
        `expected ${buffers.length} buffers and ${plan.children.length} children for ${plan.type}, ` +
          `but found ${words[at + 3]} and ${words[at + 4]}`,
      );
    }
    const views: (BufferView | undefined)[] = [undefined, undefined, undefined];
    for (let index = 0; index < buffers.length; index++) {
      const buffer = buffers[index]!;
      const start = at + NODE_WORDS + BUFFER_WORDS * index;
      if (buffer.slot === VALIDITY) {
        if (words[start]! < 0) nullCount = 0;
        if (nullCount === 0) continue;
      }
      views[buffer.slot] = this.#view(buffer, start, offset, length);
    }
    this.#at = at + NODE_WORDS + BUFFER_WORDS * buffers.length;

    const children: Data[] = [];
    for (const child of plan.children) children.push(this.node(child, offset, length));

    // deno-lint-ignore no-explicit-any -- the buffers' element types follow from the layout, which types cannot say
    const data = new Data(plan.type, offset, length, nullCount, views as any, children);
    this.data.push(data);
    return data;
  }

  #view(layout: BufferLayout, at: number, offset: number, length: number): BufferView {
    const block = this.#words[at]!;
    const byteOffset = this.#words[at + 1]!;
    const byteLength = this.#words[at + 2]!;
    const { view, extent } = layout;
    const count = extent === "rows" ? length : extent === "fences" ? length + 1 : byteLength;
    if (block < 0) {
      if (length > 0 && extent !== "whole") {
        throw new BowstringError(
          "INVALID_ARROW",
          `expected a buffer for ${length} rows, but found none`,
        );
      }
      return new view(NO_BYTES, 0, extent === "fences" ? 1 : 0);
    }
    const first = extent === "whole" ? 0 : offset * view.BYTES_PER_ELEMENT;
    return new view(this.#blocks[block]!, byteOffset + first, count);
  }
}
