/**
 * The one interface that each JavaScript runtime implements, and the choice among the implementations. Nothing outside
 * `deno.ts` and `bun.ts` names a runtime's FFI, and nothing outside them relies on a callback from another thread.
 */

import type { SYMBOLS } from "./abi.ts";
import { runtime as bun } from "./bun.ts";
import { runtime as deno, type TableParameter } from "./deno.ts";
import { LibraryLoadError } from "./errors.ts";

/** Memory to pass to native code within one call. Only the runtime that made it knows what `pointer` is. */
export interface Scratch {
  /** The memory. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same memory, for reading and writing structs. */
  readonly view: DataView<ArrayBuffer>;
  /** What to pass where a function takes a pointer. */
  readonly pointer: Pointer;
  /** What to pass for the memory from `byteOffset` on. */
  at(byteOffset: number): Pointer;
  /** Where the memory is. Under Deno this needs `--allow-ffi` without a path. */
  readonly address: number;
}

/** An argument that native code sees as a pointer. `null` is the null pointer. */
export type Pointer = Uint8Array<ArrayBuffer> | number | null;

declare const isTable: unique symbol;

/** What the functions that write, move or release a `bow_table` are passed for it. Only the runtime knows what it is. */
export interface TablePointer {
  readonly [isTable]: true;
}

type Argument<T> = T extends "buffer" ? Pointer : number;
type Arguments<Name, T extends readonly string[]> = {
  -readonly [K in keyof T]: Name extends keyof TableParameter
    ? K extends `${TableParameter[Name]}` ? TablePointer : Argument<T[K]>
    : Argument<T[K]>;
};

/** The library's functions, blocking, with the parameters of the generated table. */
export type NativeFunctions = {
  readonly [K in keyof typeof SYMBOLS]: (
    ...args: Arguments<K, (typeof SYMBOLS)[K]["parameters"]>
  ) => number;
};

/** The library as one runtime opened it. */
export interface NativeLibrary {
  /** Where it was found. */
  readonly path: string;
  /** Its functions. */
  readonly functions: NativeFunctions;
}

/** Tells the context that something happened to one of its jobs. Armed exactly while somebody waits for a job. */
export interface Waker {
  /** Somebody waits: call back at the next event, and keep the process alive until then. */
  arm(): void;
  /** Nobody waits any more: let the process end. */
  disarm(): void;
}

/** A stretch of native memory, shown by one ArrayBuffer. */
export interface Block {
  /** Where it starts. */
  readonly address: number;
  /** Its length in bytes; never 0. */
  readonly byteLength: number;
}

/** The ArrayBuffers over the native memory of one lease. They keep it alive until they are released or collected. */
export interface View {
  /** One buffer for each block. */
  readonly buffers: readonly ArrayBuffer[];
  /** Detaches the buffers, so that everything that shows them has length 0, and gives the lease up. Called once. */
  release(): void;
}

/** Makes the views of one context. */
export interface Viewer {
  /**
   * Shows the blocks, of which there is at least one. The view takes over the reference that the lease started with; when
   * this throws, the reference is still the caller's. `leak` says that memory which is collected without a release is
   * kept, and counted as a leak, rather than freed.
   */
  show(lease: number, blocks: readonly Block[], leak: boolean): View;
}

/** What the bindings need of a JavaScript runtime. */
export interface Runtime {
  /** Its name. */
  readonly name: "deno" | "bun";
  /** The value of an environment variable; `undefined` when it is not set or may not be read. */
  environment(name: string): string | undefined;
  /** Opens the library once to read its versions: `null` for a function that it does not have. */
  probe(path: string): Probe;
  /** Opens the library for good. It is never closed: a finalizer that is still to come would call unmapped code. */
  open(path: string): NativeLibrary;
  /** Zeroed memory from an explicit ArrayBuffer, whose address holds as long as the scratch is reachable. */
  scratch(byteLength: number): Scratch;
  /** What functions are passed for the `bow_table` at an address, whose memory stays reachable meanwhile. */
  tableAt(address: number): TablePointer;
  /** Whether permissions allow ArrayBuffers over native memory, and addresses of JavaScript's. */
  readonly canView: boolean;
  /** Whether permissions allow native code to load the library at an absolute path. */
  mayLoad(path: string): boolean;
  /**
   * The address of the first byte of a view that has one. It holds for as long as the view's ArrayBuffer is reachable and not detached, if
   * it was made as an ArrayBuffer or has more than 8 KiB: both engines move the memory of smaller typed arrays.
   */
  addressOf(view: ArrayBufferView): number;
  /** ArrayBuffers over the native memory of one context. */
  viewer(library: NativeLibrary, context: number): Viewer;
  /** The wake-ups of the main thread's context; `wake` is called on this thread. */
  waker(library: NativeLibrary, context: number, wake: () => void): Waker;
  /** Makes a garbage collection likely, at the latest when the event loop turns a few times. */
  collect(): void;
}

/** The library's two version functions, enough to decide whether the rest may be called. */
export interface Probe {
  /** `bow_abi_version()`. */
  abiVersion(): number;
  /** `bow_version(out, capacity, out_length, error)`. */
  version(out: Pointer, capacity: number, length: Pointer, error: Pointer): number;
}

/** The runtime whose global object this is. Throws `LibraryLoadError` for anything but Deno and Bun. */
export function detectRuntime(scope: object): Runtime {
  if ("Bun" in scope) return bun;
  if ("Deno" in scope) return deno;
  throw new LibraryLoadError(
    "Bowstring runs in Deno 2.9 or later and in Bun 1.4 or later; this is another JavaScript runtime",
  );
}
