/** `bun:ffi`. Nothing here may be called outside Bun. */

import process from "node:process";
import { SYMBOLS } from "./abi.ts";
import type {
  Block,
  NativeFunctions,
  NativeLibrary,
  Pointer,
  Probe,
  Runtime,
  Scratch,
  TablePointer,
  View,
  Viewer,
  Waker,
} from "./runtime.ts";

/** The part of `bun:ffi` in use. Declared here so that the program type-checks without Bun's types. */
interface BunFFI {
  dlopen(
    path: string,
    symbols: Record<string, FunctionSpec>,
  ): { symbols: Record<string, BunFunction> };
  ptr(bytes: ArrayBufferView): number;
  toArrayBuffer(
    address: number,
    byteOffset: number,
    byteLength: number,
    deallocatorContext: bigint,
    deallocator: number,
  ): ArrayBuffer;
  JSCallback: new (
    callback: (context: number) => void,
    options: { args: string[]; returns: string; threadsafe: boolean },
  ) => { readonly ptr: number };
}

interface FunctionSpec {
  readonly args: readonly string[];
  readonly returns: string;
}

type BunFunction = ((...args: unknown[]) => number) & { readonly ptr: number };

// Not an import statement: Deno loads this file too, and has no such module. Nor an awaited import: a worker whose module
// is still being awaited loses the messages that were sent to it, in both runtimes.
const ffi = process.getBuiltinModule("bun:ffi") as unknown as BunFFI;

interface BunLibrary extends NativeLibrary {
  /** The address of `bow_lease_drop`. */
  readonly drop: number;
}

const BUN_TYPES: Record<string, string> = { buffer: "ptr", usize: "ptr" };
const bunType = (type: string): string => BUN_TYPES[type] ?? type;

function link(path: string, names: readonly (keyof typeof SYMBOLS)[]): Record<string, BunFunction> {
  const specs = names.map((name) => {
    const { parameters, result } = SYMBOLS[name];
    return [name, { args: parameters.map(bunType), returns: bunType(result) }] as const;
  });
  return ffi.dlopen(path, Object.fromEntries(specs)).symbols;
}

function open(path: string): BunLibrary {
  const symbols = link(path, Object.keys(SYMBOLS) as (keyof typeof SYMBOLS)[]);
  return {
    path,
    functions: symbols as unknown as NativeFunctions,
    drop: symbols.bow_lease_drop.ptr,
  };
}

function probe(path: string): Probe {
  const { bow_abi_version, bow_version } = link(path, ["bow_abi_version", "bow_version"]);
  return {
    abiVersion: () => bow_abi_version(),
    version: (...args: Pointer[]) => bow_version(...args),
  };
}

function scratch(byteLength: number): Scratch {
  // Explicitly an ArrayBuffer: Bun moves the memory of a small typed array that was made without one.
  const buffer = new ArrayBuffer(byteLength);
  const bytes = new Uint8Array(buffer);
  const address = byteLength === 0 ? 0 : ffi.ptr(bytes);
  return {
    bytes,
    view: new DataView(buffer),
    pointer: address,
    at: (byteOffset) => address + byteOffset,
    address,
  };
}

const transfer = ArrayBuffer.prototype.transfer;

/**
 * A buffer's deallocator is the only thing that gives up its reference, so a buffer that was moved is freed with its new
 * owner. Each buffer has a retained reference, which outlives the context: a worker may end before a buffer it gave away.
 */
class BunViewer implements Viewer {
  readonly #functions: NativeFunctions;
  readonly #context: number;
  readonly #drop: number;

  constructor(library: BunLibrary, context: number) {
    this.#functions = library.functions;
    this.#context = context;
    this.#drop = library.drop;
  }

  show(lease: number, blocks: readonly Block[]): View {
    const token = (BigInt(this.#context) << 32n) | BigInt(lease);
    const view = new BunView();
    const { buffers } = view;
    this.#functions.bow_lease_retain_many(this.#context, lease, blocks.length, null);
    try {
      for (const { address, byteLength } of blocks) {
        buffers.push(ffi.toArrayBuffer(address, 0, byteLength, token, this.#drop));
      }
    } catch (reason) {
      // What the buffers that were made hold, they give back; the rest is given back here. What is left is the caller's.
      for (let owed = blocks.length - buffers.length; owed > 0; owed--) {
        this.#functions.bow_lease_release(this.#context, lease, null);
      }
      view.release();
      throw reason;
    }
    this.#functions.bow_lease_release(this.#context, lease, null);
    return view;
  }
}

class BunView implements View {
  readonly buffers: ArrayBuffer[] = [];

  release(): void {
    for (const buffer of this.buffers) {
      // Runs the deallocator before it returns. A buffer that was moved is its new owner's to free.
      if (!buffer.detached) transfer.call(buffer, 0);
    }
  }
}

/** One coalesced callback. It does not keep the process alive, so a timer does while somebody waits. */
class BunWaker implements Waker {
  readonly #functions: NativeFunctions;
  readonly #context: number;
  readonly #wake: () => void;
  #callback: { readonly ptr: number } | undefined;
  #keepAlive: ReturnType<typeof setInterval> | undefined;

  constructor(library: NativeLibrary, context: number, wake: () => void) {
    this.#functions = library.functions;
    this.#context = context;
    this.#wake = wake;
  }

  arm(): void {
    this.#keepAlive ??= setInterval(() => {}, 0x7fffffff);
    if (this.#callback === undefined) this.#register();
  }

  disarm(): void {
    clearInterval(this.#keepAlive);
    this.#keepAlive = undefined;
  }

  #register(): void {
    this.#callback = new ffi.JSCallback(() => this.#onWake(), {
      args: ["u32"],
      returns: "void",
      threadsafe: true,
    });
    this.#functions.bow_context_set_waker(this.#context, this.#callback.ptr, null);
    // An event from before the registration called nobody.
    setTimeout(() => this.#onWake(), 0);
    // A native thread that calls back while the process tears down its JavaScript would crash it.
    process.on("exit", () => this.#functions.bow_context_set_waker(this.#context, 0, null));
  }

  #onWake(): void {
    // Consumes the events, which allows the next call.
    this.#functions.bow_context_wait(this.#context, 0, null);
    this.#wake();
  }
}

/** Bun, by `bun:ffi`. */
export const runtime: Runtime = {
  name: "bun",
  environment: (name) => process.env[name],
  probe,
  open,
  scratch,
  tableAt: (address) => address as unknown as TablePointer,
  canView: true,
  mayLoad: () => true,
  addressOf: (view) => ffi.ptr(view),
  viewer: (library, context) => new BunViewer(library as BunLibrary, context),
  waker: (library, context, wake) => new BunWaker(library, context, wake),
  collect: () => (globalThis as unknown as { Bun: { gc(force: boolean): void } }).Bun.gc(true),
};
