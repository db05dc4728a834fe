/** Arrow data for other libraries, as structs of the C data interface at addresses that they may take it from. */

import { setInterval } from "node:timers";
import type { RecordBatch } from "apache-arrow";
import { CONSTANTS, STRUCTS } from "../abi.ts";
import type { ArrowField, ArrowSchema, ArrowVector } from "../arrow.ts";
import { type Context, currentContext, TABLE_SIZE } from "../context.ts";
import type { Scratch, TablePointer } from "../runtime.ts";
import { type Address, toAddress } from "./addresses.ts";
import { exporterOf, type ExportOptions } from "./exporter.ts";
import { asBatch, asField, asSchema, asVector, isSchema } from "./foreign.ts";
import { fieldJson } from "./schema_write.ts";

const { ArrowSchema: SCHEMA, bow_table: TABLE } = STRUCTS;

/** An exported schema. */
export interface ExportedSchema extends Disposable {
  /** The address of the `ArrowSchema`. */
  readonly address: number;
  /** Releases the struct if nobody has taken it. Doing so again has no effect. */
  release(): void;
}

/** An exported array or record batch. */
export interface ExportedArray extends Disposable {
  /** The address of the `ArrowSchema`. */
  readonly schema: number;
  /** The address of the `ArrowArray`. */
  readonly array: number;
  /** Releases what nobody has taken of the two structs. Doing so again has no effect. */
  release(): void;
}

/** Where structs go that somebody else allocated; they overwrite what is there. */
export interface ArrayDestination {
  /** The address of room for an `ArrowSchema`. */
  readonly schema: Address;
  /** The address of room for an `ArrowArray`. */
  readonly array: Address;
}

/** How an array is exported, and where to. */
export interface ArrayExportOptions extends ExportOptions {
  /** Structs of the caller's, who then owns what is exported. By default this allocates them. */
  readonly into?: ArrayDestination;
}

/** How a schema is exported, and where to. */
export interface SchemaExportOptions extends Pick<ExportOptions, "restore"> {
  /** The address of an `ArrowSchema` of the caller's, who then owns what is exported. By default this allocates one. */
  readonly into?: Address;
}

/** Room for a table. */
interface Slot {
  readonly context: Context;
  /** What the room is part of; it keeps the memory where it is. */
  readonly scratch: Scratch;
  readonly pointer: TablePointer;
  readonly address: number;
}

/** Tables in one ArrayBuffer: to make one for each takes longer than to build a small table. */
const SLOTS = 64;
/** How long an export may be there before a collection can release it, in milliseconds. */
const YOUNG_MILLIS = 20;

/** Gives each slot once. */
class Slots {
  readonly #context: Context;
  #scratch: Scratch | undefined;
  #address = 0;
  #used = SLOTS;

  constructor(context: Context) {
    this.#context = context;
  }

  next(): Slot {
    if (this.#scratch === undefined || this.#used === SLOTS) {
      this.#scratch = this.#context.runtime.scratch(SLOTS * TABLE_SIZE);
      this.#address = this.#scratch.address;
      this.#used = 0;
    }
    const at = TABLE_SIZE * this.#used++;
    return {
      context: this.#context,
      scratch: this.#scratch,
      pointer: this.#context.runtime.tableAt(this.#address + at),
      address: this.#address + at,
    };
  }
}

let slots: Slots | undefined;

/**
 * Releases structs that were dropped without a release, and that perhaps nobody has taken. Most are released soon, and to
 * register them and take that back costs more than to pin: so what is new is registered when it has been there for some
 * milliseconds, or when there are many, if it was not released by then.
 */
class Dropped {
  readonly #registry: FinalizationRegistry<Slot> = new FinalizationRegistry(
    ({ context, pointer }) => context.native.bow_table_release(pointer, null),
  );
  #young: OwnArray[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  add(array: OwnArray): void {
    if (this.#young.push(array) === SLOTS) this.#register();
    this.#timer ??= setInterval(() => this.#tick(), YOUNG_MILLIS).unref();
  }

  remove(array: OwnArray): void {
    this.#registry.unregister(array);
    array.registered = false;
  }

  #tick(): void {
    if (this.#young.length > 0) return this.#register();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #register(): void {
    for (const array of this.#young) {
      if (array.released) continue;
      this.#registry.register(array, array.slot, array);
      array.registered = true;
    }
    this.#young = [];
  }
}

const droppedTables = new Dropped();
const droppedSchemas = new FinalizationRegistry<Structs>(({ context, scratch }) =>
  context.native.bow_schema_release(scratch.address, null)
);

interface Structs {
  readonly context: Context;
  readonly scratch: Scratch;
}

/** Structs in memory of these bindings'. */
class OwnArray implements ExportedArray {
  readonly schema: number;
  readonly array: number;
  readonly slot: Slot;
  released = false;
  /** Whether a collection would release it. */
  registered = false;

  constructor(slot: Slot) {
    this.slot = slot;
    this.schema = slot.address + TABLE.offsets.schema;
    this.array = slot.address + TABLE.offsets.array;
    droppedTables.add(this);
  }

  release(): void {
    const { context, pointer } = this.slot;
    if (this.registered) droppedTables.remove(this);
    this.released = true;
    context.native.bow_table_release(pointer, null);
    context.pins.drain();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** Structs of somebody else's: nothing is left to release here. */
class GivenArray implements ExportedArray {
  readonly schema: number;
  readonly array: number;

  constructor(schema: number, array: number) {
    this.schema = schema;
    this.array = array;
  }

  release(): void {}

  [Symbol.dispose](): void {}
}

function finish(slot: Slot, into?: ArrayDestination): ExportedArray {
  if (into === undefined) return new OwnArray(slot);
  const { context, pointer } = slot;
  const schema = toAddress(into.schema, "ArrowSchema");
  const array = toAddress(into.array, "ArrowArray");
  context.check(
    context.native.bow_table_move(pointer, schema, array, context.error.pointer),
  );
  return new GivenArray(schema, array);
}

/**
 * Exports a record batch as an `ArrowSchema` and an `ArrowArray`. A batch of a lease that was not rebuilt since goes out
 * as the very array that came in. The batch may be of any copy or version of apache-arrow.
 *
 * @example
 * ```ts
 * import { exportRecordBatch, importRecordBatch } from "@bowstring/bowstring";
 * import { tableFromArrays } from "apache-arrow";
 *
 * const table = tableFromArrays({ id: Int32Array.of(1, 2, 3) });
 * using exported = exportRecordBatch(table.batches[0]!, { mode: "copy" });
 * using lease = importRecordBatch(exported.schema, exported.array);
 * console.log(lease.value.getChild("id")?.get(1)); // 2
 * ```
 *
 * @returns The structs, which are the caller's until another library takes them. They must stay reachable until then:
 * whoever drops them gives up what nobody took.
 */
export function exportRecordBatch(
  batch: RecordBatch,
  options: ArrayExportOptions = {},
): ExportedArray {
  const context = currentContext();
  // First, since it tells plainly that permissions allow no addresses.
  const exporter = exporterOf(context);
  const slot = (slots ??= new Slots(context)).next();
  exporter.batch(asBatch(batch), options, slot.pointer);
  return finish(slot, options.into);
}

/**
 * Exports a vector as an `ArrowSchema` and an `ArrowArray`. The chunks of a vector that has several are joined, which
 * copies them. The vector may be of any copy or version of apache-arrow.
 *
 * @example
 * ```ts
 * import { exportArray, importArray } from "@bowstring/bowstring";
 * import { vectorFromArray } from "apache-arrow";
 *
 * using exported = exportArray(vectorFromArray(["a", null, "c"]).slice(1));
 * using lease = importArray(exported.schema, exported.array);
 * console.log(lease.value.length, lease.value.nullCount); // 2 1
 * ```
 *
 * @returns The structs, which are the caller's until another library takes them.
 */
export function exportArray(vector: ArrowVector, options: ArrayExportOptions = {}): ExportedArray {
  const context = currentContext();
  // First, since it tells plainly that permissions allow no addresses.
  const exporter = exporterOf(context);
  const slot = (slots ??= new Slots(context)).next();
  exporter.array(asVector(vector), options, slot.pointer);
  return finish(slot, options.into);
}

/** A schema in memory of these bindings'. */
class OwnSchema implements ExportedSchema {
  readonly address: number;
  readonly #structs: Structs;

  constructor(context: Context, scratch: Scratch) {
    this.#structs = { context, scratch };
    this.address = scratch.address;
    droppedSchemas.register(this, this.#structs, this);
  }

  release(): void {
    droppedSchemas.unregister(this);
    this.#structs.context.native.bow_schema_release(this.address, null);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

class GivenSchema implements ExportedSchema {
  readonly address: number;

  constructor(address: number) {
    this.address = address;
  }

  release(): void {}

  [Symbol.dispose](): void {}
}

/**
 * Exports a schema, or one field, as an `ArrowSchema`. It may be of any copy or version of apache-arrow.
 *
 * @example
 * ```ts
 * import { exportSchema, importSchema } from "@bowstring/bowstring";
 * import { Field, Int32, Schema } from "apache-arrow";
 *
 * using exported = exportSchema(new Schema([new Field("id", new Int32())]));
 * console.log(`${importSchema(exported.address).fields[0]?.type}`); // Int32
 * ```
 *
 * @returns The struct, which is the caller's until another library takes it.
 */
export function exportSchema(
  schema: ArrowSchema | ArrowField,
  options: SchemaExportOptions = {},
): ExportedSchema {
  const context = currentContext();
  const { native, handle, error, runtime } = context;
  const exporter = exporterOf(context);
  const registered = isSchema(schema)
    ? exporter.schema(asSchema(schema))
    : exporter.schemas.handle(schema, () => fieldJson(asField(schema), "field"));
  const scratch = options.into === undefined ? runtime.scratch(SCHEMA.size) : undefined;
  const address = scratch ? scratch.address : toAddress(options.into!, "ArrowSchema");
  const flags = options.restore === false ? 0 : CONSTANTS.BUILD_RESTORE;
  context.check(native.bow_schema_export(handle, registered, flags, address, error.pointer));
  return scratch ? new OwnSchema(context, scratch) : new GivenSchema(address);
}

/**
 * Memory for data that is built to be exported: bytes of a `SharedArrayBuffer`, which nobody can detach, so that native
 * code may borrow it without any rule but that it must not be written to meanwhile.
 *
 * @example
 * ```ts
 * import { allocate, exportRecordBatch } from "@bowstring/bowstring";
 * import { makeData, Float64, RecordBatch, Struct, Schema, Field } from "apache-arrow";
 *
 * const values = new Float64Array(allocate(8 * 10_000).buffer).fill(0.5);
 * const fields = [new Field("x", new Float64())];
 * const column = makeData({ type: new Float64(), data: values });
 * const batch = new RecordBatch(
 *   new Schema(fields),
 *   makeData({ type: new Struct(fields), children: [column] }),
 * );
 * using exported = exportRecordBatch(batch);
 * console.log(exported.array > 0); // true
 * ```
 *
 * @param byteLength How many bytes; they are 0.
 */
export function allocate(byteLength: number): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(new SharedArrayBuffer(byteLength));
}
