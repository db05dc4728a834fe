/** Schemas that the library was told of, so that a table is built by naming its schema's handle. */

import type { Context } from "../context.ts";
import type { SchemaJson } from "./schema_json.ts";

/** A schema that the library knows. */
export interface RegisteredSchema {
  /** The library's handle. */
  readonly handle: number;
  /** Whether the handle was given back, to make room for others. */
  closed: boolean;
}

/** More schemas than a program exports at once; a bound so that a producer of ever new ones does not fill memory. */
const MAX_SCHEMAS = 256;

/** The schemas of one context. */
export class RegisteredSchemas {
  readonly #context: Context;
  /** By the object that describes the schema in JavaScript, which is taken not to change. */
  readonly #byObject: WeakMap<object, RegisteredSchema> = new WeakMap();
  /** By the JSON; in the order of their last use. */
  readonly #byText: Map<string, RegisteredSchema> = new Map();

  /** What was asked for last: mostly what is asked for next. */
  #last: { readonly key: object; readonly schema: RegisteredSchema } | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  /** The handle of the schema that `key` describes, if it was asked for before. */
  known(key: object): number | undefined {
    if (this.#last === undefined || this.#last.key !== key) {
      const schema = this.#byObject.get(key);
      if (schema === undefined) return undefined;
      this.#last = { key, schema };
    }
    const { closed, handle } = this.#last.schema;
    return closed ? undefined : handle;
  }

  /** The handle of the schema that `key` describes, by `json` the first time. */
  handle(key: object, json: () => SchemaJson): number {
    const known = this.known(key);
    if (known !== undefined) return known;
    const text = JSON.stringify(json());
    const schema = this.#byText.get(text) ?? this.#register(text);
    this.#byText.delete(text);
    this.#byText.set(text, schema);
    this.#byObject.set(key, schema);
    return schema.handle;
  }

  #register(text: string): RegisteredSchema {
    const { native, handle, runtime, out, error } = this.#context;
    if (this.#byText.size >= MAX_SCHEMAS) {
      const [oldest, schema] = this.#byText.entries().next().value!;
      this.#byText.delete(oldest);
      schema.closed = true;
      native.bow_schema_close(handle, schema.handle, null);
    }
    const bytes = new TextEncoder().encode(text);
    const scratch = runtime.scratch(bytes.length);
    scratch.bytes.set(bytes);
    this.#context.check(
      native.bow_schema_register(handle, scratch.pointer, bytes.length, out.pointer, error.pointer),
    );
    return { handle: this.#context.outValue(), closed: false };
  }
}
