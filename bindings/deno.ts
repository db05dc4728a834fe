/** Deno's FFI. Nothing here may be called outside Deno. */

import { SYMBOLS } from "./abi.ts";
import type {
  Block,
  NativeFunctions,
  NativeLibrary,
  Probe,
  Runtime,
  Scratch,
  TablePointer,
  View,
  Viewer,
  Waker,
} from "./runtime.ts";

/**
 * How long one nonblocking wait may last, in milliseconds. It ends at the first event. One that nobody needs any more cannot
 * be taken back, and keeps the process, or a worker that is being closed, for as long as is left of it.
 */
const WAIT_MILLIS = 250;

type WaitFunction = (context: number, timeout: number, error: null) => Promise<number>;

interface DenoLibrary extends NativeLibrary {
  /** `bow_context_wait` on another thread. */
  readonly wait: WaitFunction;
}

/**
 * Which parameter of a function is the `bow_table` that it writes, moves or releases. It is passed as an address: most are
 * parts of a larger buffer, and a typed array for each costs more than the call. Deno takes an address as a bigint in 40 ns,
 * as a number in 140.
 */
const TABLE_PARAMETER = {
  bow_table_build: 4,
  bow_table_move: 0,
  bow_table_release: 0,
  bow_lease_export: 3,
} as const;

export type TableParameter = typeof TABLE_PARAMETER;

/** The functions on tables, with the address of the table in place of a buffer. */
function onTables(): Deno.ForeignLibraryInterface {
  const names = Object.keys(TABLE_PARAMETER) as (keyof typeof TABLE_PARAMETER)[];
  return Object.fromEntries(names.map((name) => {
    const { parameters, result } = SYMBOLS[name];
    const types: Deno.NativeType[] = [...parameters];
    types[TABLE_PARAMETER[name]] = "usize";
    return [name, { parameters: types, result }];
  }));
}

function open(path: string): DenoLibrary {
  const { symbols } = Deno.dlopen(path, {
    ...(SYMBOLS as unknown as Deno.ForeignLibraryInterface),
    ...onTables(),
    wait: {
      name: "bow_context_wait",
      parameters: SYMBOLS.bow_context_wait.parameters,
      result: SYMBOLS.bow_context_wait.result,
      nonblocking: true,
    },
  });
  const functions = symbols as unknown as NativeFunctions;
  locate = functions.bow_memory_address as (view: ArrayBufferView) => number;
  return { path, functions, wait: symbols.wait as unknown as WaitFunction };
}

/** Tells an address thirty times faster than Deno does; there as soon as the library is open. */
let locate: ((view: ArrayBufferView) => number) | undefined;

function probe(path: string): Probe {
  const { symbols } = Deno.dlopen(path, {
    bow_abi_version: SYMBOLS.bow_abi_version,
    bow_version: SYMBOLS.bow_version,
  });
  return {
    abiVersion: () => symbols.bow_abi_version(),
    version: (out, capacity, length, error) =>
      symbols.bow_version(
        out as Uint8Array<ArrayBuffer>,
        capacity,
        length as Uint8Array<ArrayBuffer>,
        error as Uint8Array<ArrayBuffer>,
      ),
  };
}

function scratch(byteLength: number): Scratch {
  const buffer = new ArrayBuffer(byteLength);
  const bytes = new Uint8Array(buffer);
  return new DenoScratch(buffer, bytes);
}

class DenoScratch implements Scratch {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;

  constructor(buffer: ArrayBuffer, bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
    this.view = new DataView(buffer);
  }

  get pointer(): Uint8Array<ArrayBuffer> {
    return this.bytes;
  }

  at(byteOffset: number): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(byteOffset);
  }

  get address(): number {
    return addressOf(this.bytes);
  }
}

function addressOf(view: ArrayBufferView): number {
  if (locate !== undefined) return locate(view);
  // Typed as if only unshared memory had addresses.
  return Number(Deno.UnsafePointer.value(Deno.UnsafePointer.of(view as Uint8Array<ArrayBuffer>)));
}

/** `transfer` would hand the memory to a buffer that a release cannot reach, so leased buffers refuse it. */
function refuseTransfer(): never {
  throw new TypeError(
    "a leased ArrayBuffer cannot be transferred: copy it with slice(), or import with { copy: true }",
  );
}

const transfer = ArrayBuffer.prototype.transfer;

/** Lets a derived class add its private field to an object that exists. */
class Existing {
  constructor(existing: object) {
    return existing;
  }
}

/** Makes an ArrayBuffer refer to the guard of its lease, where nobody can take the reference away. */
class Guarded extends Existing {
  readonly #guard: object;

  constructor(buffer: ArrayBuffer, guard: object) {
    super(buffer);
    this.#guard = guard;
  }
}

/** A lease as the registry sees it; it must not refer to the buffers. */
interface Shown {
  readonly lease: number;
  readonly leak: boolean;
}

/**
 * Deno gives an ArrayBuffer over native memory no deallocator, so a registry stands in for it. It watches one guard for each
 * lease, which all ArrayBuffers of the lease refer to and which so lives as long as any of them: a view can be collected
 * while another view of the same buffer is still in use.
 */
class DenoViewer implements Viewer {
  readonly functions: NativeFunctions;
  readonly context: number;
  readonly registry: FinalizationRegistry<Shown>;

  constructor(library: NativeLibrary, context: number) {
    this.functions = library.functions;
    this.context = context;
    this.registry = new FinalizationRegistry((shown) => this.#onCollect(shown));
  }

  show(lease: number, blocks: readonly Block[], leak: boolean): View {
    const guard = {};
    const buffers: ArrayBuffer[] = [];
    for (const { address, byteLength } of blocks) {
      const pointer = Deno.UnsafePointer.create(address as unknown as bigint)!;
      const buffer = Deno.UnsafePointerView.getArrayBuffer(pointer, byteLength);
      // Assigned: to define properties, or another prototype, takes as long as to make the buffer.
      buffer.transfer = refuseTransfer;
      buffer.transferToFixedLength = refuseTransfer;
      new Guarded(buffer, guard);
      buffers.push(buffer);
    }
    this.registry.register(guard, { lease, leak }, guard);
    return new DenoView(this, lease, guard, buffers);
  }

  #onCollect({ lease, leak }: Shown): void {
    if (leak) this.functions.bow_lease_report(this.context, 1, 0, 0, null);
    else this.functions.bow_lease_release(this.context, lease, null);
  }
}

class DenoView implements View {
  readonly buffers: readonly ArrayBuffer[];
  readonly #viewer: DenoViewer;
  readonly #lease: number;
  readonly #guard: object;

  constructor(viewer: DenoViewer, lease: number, guard: object, buffers: readonly ArrayBuffer[]) {
    this.buffers = buffers;
    this.#viewer = viewer;
    this.#lease = lease;
    this.#guard = guard;
  }

  release(): void {
    const { functions, context, registry } = this.#viewer;
    registry.unregister(this.#guard);
    let moved = false;
    for (const buffer of this.buffers) {
      if (buffer.detached) moved = true;
      else transfer.call(buffer, 0);
    }
    // structuredClone or postMessage can move a buffer, and then another one that cannot be reached from here shows the
    // memory: it is lost rather than freed under a reader.
    if (moved) functions.bow_lease_report(context, 1, 0, 0, null);
    else functions.bow_lease_release(context, this.#lease, null);
  }
}

/** One nonblocking wait at a time; the pending call is what keeps the process alive. */
class DenoWaker implements Waker {
  readonly #library: DenoLibrary;
  readonly #context: number;
  readonly #wake: () => void;
  #armed = false;
  #waiting = false;

  constructor(library: DenoLibrary, context: number, wake: () => void) {
    this.#library = library;
    this.#context = context;
    this.#wake = wake;
  }

  arm(): void {
    this.#armed = true;
    if (!this.#waiting) this.#wait();
  }

  disarm(): void {
    this.#armed = false;
  }

  async #wait(): Promise<void> {
    this.#waiting = true;
    try {
      while (this.#armed) {
        await this.#library.wait(this.#context, WAIT_MILLIS, null);
        if (this.#armed) this.#wake();
      }
    } finally {
      this.#waiting = false;
    }
  }
}

function environment(name: string): string | undefined {
  // Asked first, so that a program without the permission is not stopped by a prompt.
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}

/** More than V8 lets external memory grow before it collects. The pages are never touched, so this takes no memory. */
const PRESSURE_BYTES = 512 * 1024 ** 2;

/** V8 cannot be asked to collect, but it does when much memory outside its heap was allocated. */
function collect(): void {
  new ArrayBuffer(PRESSURE_BYTES);
}

/** Whether the permission to show native memory was there when it was last asked for. */
let isGranted = false;

/** Deno, by its own FFI. */
export const runtime: Runtime = {
  name: "deno",
  environment,
  probe,
  open,
  scratch,
  tableAt: (address) => BigInt(address) as unknown as TablePointer,
  // Permission for one path allows calls with buffers, but not pointers made from numbers. To ask takes longer than to show a
  // small table; if the permission is revoked later, Deno's own functions say so.
  get canView() {
    return isGranted ||= Deno.permissions.querySync({ name: "ffi" }).state === "granted";
  },
  mayLoad: (path) => Deno.permissions.querySync({ name: "ffi", path }).state === "granted",
  addressOf,
  viewer: (library, context) => new DenoViewer(library, context),
  waker: (library, context, wake) => new DenoWaker(library as DenoLibrary, context, wake),
  collect,
};
