/** Tables out: from apache-arrow objects to structs of the C data interface that native code may keep. */

import type { Context } from "../context.ts";
import { BowstringError } from "../errors.ts";
import type { TablePointer } from "../runtime.ts";
import { type Built, type ExportMode, TableBuilder } from "./build.ts";
import { concatenate } from "./concat.ts";
import type { ForeignBatch, ForeignSchema, ForeignVector } from "./foreign.ts";
import { originOf } from "./origin.ts";
import { fieldOf } from "./schema.ts";
import { RegisteredSchemas } from "./registered.ts";
import { fieldJson, schemaJson } from "./schema_write.ts";

/** How tables are exported. */
export interface ExportOptions {
  /**
   * What happens to the memory of columns. Buffers of 8 KiB or less are copied in every mode, and so are buffers that
   * can be resized; memory of a lease gets a reference of its own in the first two modes, and is copied in the third.
   *
   * - `"borrow"`, the default: native code reads it where it is. It must not be detached or written to before native
   *   code has released it.
   * - `"move"`: native code gets it, and every view that JavaScript has of it becomes empty, also of columns that are not
   *   exported but lie in the same ArrayBuffer. Nothing that JavaScript does later can reach it.
   * - `"copy"`: native code gets a copy.
   */
  readonly mode?: ExportMode;
  /**
   * Whether types that an import converted become what they were before, as the fields' metadata says. `true` by default.
   */
  readonly restore?: boolean;
}

/** What these bindings keep for the exports of one context. */
export class Exporter {
  /** The schemas that the library knows. */
  readonly schemas: RegisteredSchemas;
  readonly #context: Context;
  readonly #builder: TableBuilder;

  constructor(context: Context) {
    if (!context.runtime.canView) {
      throw new BowstringError(
        "UNSUPPORTED",
        "Deno gives the addresses of memory only to programs that run with --allow-ffi without a path",
      );
    }
    this.#context = context;
    this.#builder = new TableBuilder(context.runtime, context.pins);
    this.schemas = new RegisteredSchemas(context);
  }

  /** The handle of a record batch's schema. */
  schema(schema: ForeignSchema): number {
    return this.schemas.known(schema) ?? this.schemas.handle(schema, () => schemaJson(schema));
  }

  /** Writes the ArrowSchema and the ArrowArray of a record batch to `out`. */
  batch(batch: ForeignBatch, options: ExportOptions, out: TablePointer): void {
    const { mode = "borrow", restore = true } = options;
    this.#context.pins.drain();
    const origin = originOf(batch);
    if (origin !== undefined && mode !== "copy" && (restore || !origin.converted)) {
      this.#context.check(origin.lease.exportTo(origin.index, out));
      return;
    }
    const schema = this.schema(batch.schema);
    this.#finish(schema, this.#builder.build(batch.data, true, mode, restore), mode, out);
  }

  /** Writes the ArrowSchema and the ArrowArray of one array to `out`. */
  array(vector: ForeignVector, options: ExportOptions, out: TablePointer): void {
    const { mode = "borrow", restore = true } = options;
    this.#context.pins.drain();
    const { type } = vector;
    const field = fieldOf(type) ?? { name: "", type, nullable: true };
    const data = vector.data.length === 1 ? vector.data[0]! : concatenate(type, vector.data);
    const schema = this.schemas.handle(type, () => fieldJson(field, "array"));
    this.#finish(schema, this.#builder.build(data, false, mode, restore), mode, out);
  }

  /** Has the library build the table, and pins what it borrows. */
  #finish(schema: number, built: Built, mode: ExportMode, out: TablePointer): void {
    const { native, handle, error, pins, runtime } = this.#context;
    const { count, token, borrowed, touched } = built;
    const { words } = this.#builder;
    const status = native.bow_table_build(handle, schema, words, count, out, error.pointer);
    this.#builder.forget();
    this.#context.check(status);
    // At once: from here on the library gives the token back, whatever happens.
    if (borrowed.length > 0) pins.pin(token, borrowed);
    if (mode !== "move") return;
    try {
      const moved = take(touched, new Set(borrowed), (view) => runtime.addressOf(view));
      if (moved.length > 0) pins.pin(token, moved);
    } catch (reason) {
      native.bow_table_release(out, null);
      throw reason;
    }
  }
}

/** Moves ArrayBuffers to where only these bindings see them. Those that were borrowed are returned. */
function take(
  touched: ReadonlySet<ArrayBufferLike>,
  borrowed: ReadonlySet<ArrayBufferLike>,
  addressOf: (view: Uint8Array) => number,
): ArrayBufferLike[] {
  const kept: ArrayBufferLike[] = [];
  for (const buffer of touched) {
    const lent = borrowed.has(buffer);
    if (!(buffer instanceof ArrayBuffer)) {
      // Shared memory cannot be detached, by anybody.
      if (lent) kept.push(buffer);
      continue;
    }
    const before = lent ? addressOf(new Uint8Array(buffer)) : 0;
    const moved = buffer.transfer();
    if (!lent) continue;
    kept.push(moved);
    if (addressOf(new Uint8Array(moved)) !== before) {
      throw new BowstringError("UNKNOWN", "this runtime moved the memory of an ArrayBuffer");
    }
  }
  return kept;
}

/** The exporter of the one context that an isolate has. */
let current: { readonly context: Context; readonly exporter: Exporter } | undefined;

/** The exporter of a context. Throws `UNSUPPORTED` where permissions allow no addresses. */
export function exporterOf(context: Context): Exporter {
  if (current?.context !== context) current = { context, exporter: new Exporter(context) };
  return current.exporter;
}
