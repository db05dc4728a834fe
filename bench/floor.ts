/**
 * The least that a batch over native memory costs in JavaScript: the external ArrayBuffers, the typed arrays, and the `Data`
 * and `RecordBatch` objects, made by straight-line code that already knows where everything lies.
 */

import { Data, RecordBatch, type Schema, type Struct } from "apache-arrow";

/** An ArrayBuffer over native memory, without anything that would free it. */
export type RawView = (address: number, byteLength: number) => ArrayBuffer;

async function rawViews(): Promise<RawView> {
  if ("Deno" in globalThis) {
    const { UnsafePointer, UnsafePointerView } = Deno;
    return (address, byteLength) =>
      UnsafePointerView.getArrayBuffer(
        UnsafePointer.create(address as unknown as bigint)!,
        byteLength,
      );
  }
  const specifier: string = "bun:ffi";
  const { toArrayBuffer } = await import(specifier);
  return (address, byteLength) => toArrayBuffer(address, 0, byteLength);
}

/** Makes raw views in this runtime. */
export const rawView: RawView = await rawViews();

/** A stretch of native memory. */
interface Block {
  readonly address: number;
  readonly byteLength: number;
}

/** Where a typed array lies. */
interface Place {
  readonly view: new (buffer: ArrayBuffer, byteOffset: number, length: number) => unknown;
  readonly block: number;
  readonly byteOffset: number;
  readonly length: number;
}

/** Everything that the floor may know beforehand of flat tables. */
export interface Recipe {
  readonly blocks: readonly Block[];
  readonly tables: readonly {
    readonly schema: Schema;
    readonly type: Struct;
    readonly length: number;
    readonly columns: readonly {
      readonly type: Data["type"];
      readonly length: number;
      readonly nullCount: number;
      readonly places: readonly (Place | undefined)[];
    }[];
  }[];
}

/** The recipe of imported tables, whose memory is at `blocks`. */
export function recipe(tables: readonly RecordBatch[], blocks: readonly Block[]): Recipe {
  const buffers: ArrayBufferLike[] = [];
  const placeOf = (array: Uint8Array | undefined): Place | undefined => {
    if (array === undefined || array.byteLength === 0) return undefined;
    if (!buffers.includes(array.buffer)) buffers.push(array.buffer);
    return {
      view: array.constructor as Place["view"],
      block: buffers.indexOf(array.buffer),
      byteOffset: array.byteOffset,
      length: array.length,
    };
  };
  const found = tables.map(({ schema, data }) => ({
    schema,
    type: data.type,
    length: data.length,
    columns: data.children.map((child) => ({
      type: child.type,
      length: child.length,
      nullCount: child.nullCount,
      // In the order of the C data interface, in which blocks are numbered.
      places: [child.nullBitmap, child.valueOffsets, child.values].map(placeOf),
    })),
  }));
  const inBlock = buffers.every(({ byteLength }, index) =>
    byteLength === blocks[index]?.byteLength
  );
  if (!inBlock || buffers.length !== blocks.length) {
    throw new Error("expected the buffers of the tables to be the blocks, in their order");
  }
  return { blocks, tables: found };
}

/** The objects that the tables need at least. */
export function floor({ blocks, tables }: Recipe): RecordBatch[] {
  const buffers = blocks.map(({ address, byteLength }) => rawView(address, byteLength));
  return tables.map(({ schema, type, length, columns }) => {
    const children = columns.map(({ type, length, nullCount, places }) => {
      const [validity, offsets, values] = places.map((place) =>
        place && new place.view(buffers[place.block]!, place.byteOffset, place.length)
      );
      // deno-lint-ignore no-explicit-any -- the types of the buffers follow from the column's
      return new Data(type, 0, length, nullCount, [offsets, values, validity] as any);
    });
    const data = new Data(type, 0, length, 0, undefined, children) as Data<Struct>;
    return new RecordBatch(schema as Schema, data);
  });
}

/** Lets go of the floor's buffers, as a release does of the import's. */
export function detach(tables: readonly RecordBatch[]): void {
  for (const { data } of tables) {
    for (const { values, valueOffsets, nullBitmap } of data.children) {
      for (const array of [values, valueOffsets, nullBitmap]) {
        const buffer = array?.buffer as ArrayBuffer | undefined;
        if (buffer && buffer.byteLength > 0 && !buffer.detached) buffer.transfer(0);
      }
    }
  }
}
