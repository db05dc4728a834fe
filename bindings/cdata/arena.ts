/** Explicit ArrayBuffers that small buffers are copied into, since the engines move the memory of small typed arrays. */

import type { Runtime, Scratch } from "../runtime.ts";

const CHUNK_BYTES = 256 * 1024;
/** What is copied starts at a multiple of this, so that native code may read it as elements of any type. */
const ALIGNMENT = 16;

/** Memory for the time of one call. */
export class Arena {
  readonly #runtime: Runtime;
  #chunk: Scratch;
  #address: number;
  #used = 0;
  /** Chunks that are full, kept until the call has been made. */
  #full: Scratch[] = [];

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#chunk = runtime.scratch(CHUNK_BYTES);
    this.#address = this.#chunk.address;
  }

  /** Copies the bytes and returns where they are until `clear`. */
  copy(source: ArrayBufferView, byteOffset: number, byteLength: number): number {
    const at = this.#reserve(byteLength);
    this.#chunk.bytes.set(
      new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset + byteOffset, byteLength),
      at,
    );
    return this.#address + at;
  }

  /** Forgets everything. */
  clear(): void {
    this.#used = 0;
    if (this.#full.length > 0) this.#full = [];
  }

  #reserve(byteLength: number): number {
    if (this.#used + byteLength > this.#chunk.bytes.length) {
      this.#full.push(this.#chunk);
      this.#chunk = this.#runtime.scratch(Math.max(CHUNK_BYTES, byteLength));
      this.#address = this.#chunk.address;
      this.#used = 0;
    }
    const at = this.#used;
    this.#used = Math.ceil((at + byteLength) / ALIGNMENT) * ALIGNMENT;
    return at;
  }
}
