/**
 * Functions of other libraries that take and give Arrow data. They have one shape in C, `bow_function` in bowstring.h, so
 * that a library needs no bindings of its own; the crate `bowstring-abi` makes such a function from a Rust one.
 */

import type { RecordBatch, Table } from "apache-arrow";
import { resolve } from "node:path";
import { CONSTANTS, STRUCTS } from "./abi.ts";
import { importFlags } from "./cdata/addresses.ts";
import { exporterOf, type ExportOptions } from "./cdata/exporter.ts";
import { asBatch, asTable } from "./cdata/foreign.ts";
import { checkImportOptions, type Lease, RecordBatchLease } from "./cdata/lease.ts";
import { JobStream, type RecordBatchStream, type StreamOptions } from "./cdata/stream_in.ts";
import { type BatchSource, exportStream, exportTable } from "./cdata/stream_out.ts";
import { type Context, currentContext } from "./context.ts";
import { BowstringError, LibraryLoadError } from "./errors.ts";
import { finish, Job } from "./job.ts";
import type { Scratch, TablePointer } from "./runtime.ts";

/** What a function takes: one record batch, or a stream of them. */
export type ParameterKind = "batch" | "stream";
/** What a function gives: one record batch, a stream of them, or nothing. */
export type ResultKind = "batch" | "stream" | "none";

/** What a function of a library takes and gives. */
export interface FunctionDeclaration {
  /** The symbol in the library; the function's own name by default. */
  readonly symbol?: string;
  /** Its inputs. */
  readonly parameters: readonly ParameterKind[];
  /** Its output. */
  readonly result: ResultKind;
}

/** How one call is made. */
export interface CallOptions extends StreamOptions, ExportOptions {
  /** What the function is told besides its inputs: bytes as they are, anything else as JSON in UTF-8. */
  readonly options?: unknown;
}

/** An input of each kind. A lease that is given for a batch stays the caller's. */
export interface FunctionInputs {
  /** A record batch. */
  readonly batch: RecordBatch | Lease<RecordBatch>;
  /** A table, or anything that gives record batches one after the other. */
  readonly stream: Table | BatchSource;
}

/** What a call gives for each kind of output. */
export interface FunctionResults {
  /** A record batch, which is the caller's to release. */
  readonly batch: Promise<Lease<RecordBatch>>;
  /** Record batches, each of which is the reader's to release. */
  readonly stream: RecordBatchStream;
  /** Nothing; settles when the function has returned. */
  readonly none: Promise<void>;
}

/** A function of a library, as declared. It runs on a native thread. */
export type LibraryFunction<D extends FunctionDeclaration> = (
  ...args: FunctionArguments<D["parameters"]>
) => FunctionResults[D["result"]];

/** The arguments of a function with these parameters. */
export type FunctionArguments<P extends readonly ParameterKind[]> = [
  ...inputs: { -readonly [K in keyof P]: FunctionInputs[P[K]] },
  options?: CallOptions,
];

/** The functions of a library, by their names in the declarations. */
export type Library<D extends Readonly<Record<string, FunctionDeclaration>>> = {
  readonly [K in keyof D]: LibraryFunction<D[K]>;
};

const { bow_value: VALUE, bow_call: CALL } = STRUCTS;

/**
 * Opens a shared library whose functions have the shape `bow_function` of `bowstring.h`: structs of the Arrow C data
 * interface in, one out, and options. Each call runs on a native thread, as a job, and the event loop stays free. The
 * library is never closed.
 *
 * Under Deno the library's path needs `--allow-ffi`, as any library does.
 *
 * @example
 * ```ts no-run
 * import { openLibrary } from "@bowstring/bowstring";
 * import { tableFromArrays } from "apache-arrow";
 *
 * const library = openLibrary("./target/release/libexample.so", {
 *   filter: { parameters: ["batch"], result: "batch" },
 * });
 * const [batch] = tableFromArrays({ id: Int32Array.of(1, 2, 3) }).batches;
 * using kept = await library.filter(batch!, { options: { column: "id", min: 2 } });
 * console.log(kept.value.numRows);
 * ```
 *
 * @param path The path of the library; a relative one is below the working directory.
 * @param declarations What its functions take and give. Throws `INVALID_ARGUMENT` when the library lacks one.
 */
export function openLibrary<const D extends Readonly<Record<string, FunctionDeclaration>>>(
  path: string,
  declarations: D,
): Library<D> {
  const context = currentContext();
  const { native, runtime, out, error } = context;
  const absolute = resolve(path);
  // Native code that opens a library is not stopped by the runtime, so it is asked here.
  if (!runtime.mayLoad(absolute)) {
    throw new LibraryLoadError(
      `Deno may not load ${absolute}: run with --allow-ffi, or with --allow-ffi=${absolute}`,
    );
  }
  const name = encode(context, absolute);
  context.check(
    native.bow_library_open(name.pointer, name.bytes.length, out.pointer, error.pointer),
  );
  const library = context.outValue();
  const functions = Object.entries(declarations).map(([name, declaration]) => {
    const address = symbol(context, library, declaration.symbol ?? name);
    const call = (...args: unknown[]) => new Call(context, name, declaration, args).start(address);
    return [name, call];
  });
  return Object.fromEntries(functions);
}

function encode(context: Context, text: string | Uint8Array): Scratch {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const scratch = context.runtime.scratch(bytes.length);
  scratch.bytes.set(bytes);
  return scratch;
}

function symbol(context: Context, library: number, name: string): bigint {
  const { native, runtime, error } = context;
  const text = encode(context, name);
  const out = runtime.scratch(BigUint64Array.BYTES_PER_ELEMENT);
  context.check(
    native.bow_library_symbol(
      library,
      text.pointer,
      text.bytes.length,
      out.pointer,
      error.pointer,
    ),
  );
  return out.view.getBigUint64(0, true);
}

/** One call: its inputs as structs, until native code has taken them. */
class Call {
  readonly #context: Context;
  readonly #declaration: FunctionDeclaration;
  readonly #inputs: readonly unknown[];
  readonly #options: CallOptions;
  readonly #values: Scratch;
  readonly #kinds: readonly ParameterKind[];

  constructor(
    context: Context,
    name: string,
    declaration: FunctionDeclaration,
    args: readonly unknown[],
  ) {
    const count = declaration.parameters.length;
    if (args.length < count || args.length > count + 1) {
      throw new BowstringError(
        "INVALID_ARGUMENT",
        `${name}: expected ${count} inputs and perhaps options but found ${args.length} arguments`,
      );
    }
    this.#context = context;
    this.#declaration = declaration;
    this.#kinds = declaration.parameters;
    this.#inputs = args.slice(0, count);
    this.#options = (args[count] ?? {}) as CallOptions;
    this.#values = context.runtime.scratch(Math.max(count, 1) * VALUE.size);
  }

  /** Starts the call. What it gives is the caller's. */
  start(address: bigint): FunctionResults[ResultKind] {
    checkImportOptions(this.#context, this.#options);
    const { result } = this.#declaration;
    const job = this.#job(address);
    switch (result) {
      case "stream":
        return JobStream.ofBatches(job);
      case "batch":
        return onlyBatch(job);
      case "none":
        return theEnd(job);
    }
  }

  #job(address: bigint): Job {
    const context = this.#context;
    const { native, handle, out, error, runtime } = context;
    this.#options.signal?.throwIfAborted();
    let written = 0;
    try {
      for (; written < this.#inputs.length; written++) this.#write(written);
      const options = encode(context, optionBytes(this.#options.options));
      const call = runtime.scratch(CALL.size);
      const { view } = call;
      view.setUint32(CALL.offsets.size, CALL.size, true);
      view.setUint32(CALL.offsets.input_count, this.#inputs.length, true);
      view.setBigUint64(CALL.offsets.function, address, true);
      view.setBigUint64(CALL.offsets.inputs, BigInt(this.#values.address), true);
      const length = options.bytes.length;
      view.setBigUint64(CALL.offsets.options, length > 0 ? BigInt(options.address) : 0n, true);
      view.setUint32(CALL.offsets.options_length, length, true);
      view.setUint32(CALL.offsets.output, OUTPUTS[this.#declaration.result], true);
      view.setUint32(CALL.offsets.flags, importFlags(this.#options), true);
      return new Job(
        context,
        this.#options,
        () => native.bow_call_start(handle, call.pointer, out.pointer, error.pointer),
      );
    } catch (reason) {
      for (let index = 0; index < written; index++) this.#release(index);
      throw reason;
    }
  }

  /** Writes an input as a `bow_value`. */
  #write(index: number): void {
    const input = this.#inputs[index];
    const at = index * VALUE.size;
    const content = at + VALUE.offsets.content;
    const stream = this.#kinds[index] === "stream";
    if (stream) {
      const into = this.#values.address + content;
      if (isTable(input)) {
        exportTable(asTable(input) as unknown as Table, { ...this.#options, into });
      } else exportStream(input as BatchSource, { ...this.#options, into });
    } else {
      const batch = asBatch(isLease(input) ? input.value : input);
      exporterOf(this.#context).batch(batch, this.#options, this.#tableAt(content));
    }
    const kind = stream ? CONSTANTS.VALUE_STREAM : CONSTANTS.VALUE_TABLE;
    this.#values.view.setUint32(at + VALUE.offsets.kind, kind, true);
  }

  #tableAt(byteOffset: number): TablePointer {
    return this.#context.runtime.tableAt(this.#values.address + byteOffset);
  }

  /** Releases an input that the library has not taken. */
  #release(index: number): void {
    const { native } = this.#context;
    const content = index * VALUE.size + VALUE.offsets.content;
    if (this.#kinds[index] === "stream") {
      native.bow_stream_release(this.#values.address + content, null);
    } else {
      native.bow_table_release(this.#tableAt(content), null);
    }
  }
}

async function onlyBatch(job: Job): Promise<Lease<RecordBatch>> {
  const tables = await finish(job);
  return new RecordBatchLease(tables!);
}

async function theEnd(job: Job): Promise<void> {
  await finish(job);
}

const OUTPUTS: Readonly<Record<ResultKind, number>> = {
  batch: CONSTANTS.VALUE_TABLE,
  stream: CONSTANTS.VALUE_STREAM,
  none: CONSTANTS.VALUE_NONE,
};

function optionBytes(options: unknown): string | Uint8Array {
  if (options === undefined) return "";
  return options instanceof Uint8Array ? options : JSON.stringify(options);
}

function isTable(input: unknown): boolean {
  return Array.isArray((input as { batches?: unknown } | null)?.batches);
}

function isLease(input: unknown): input is Lease<RecordBatch> {
  const lease = input as Partial<Lease<RecordBatch>> | null | undefined;
  return typeof lease?.release === "function" && typeof lease.hold === "function";
}
