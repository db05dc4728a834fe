/** The import of one table in one call: where its structs are goes in, the lease and its description come out. */

import { STRUCTS } from "./abi.ts";
import type { Context, Room } from "./context.ts";
import type { Runtime, Scratch } from "./runtime.ts";

const { size: SIZE, offsets: OFFSETS } = STRUCTS.bow_adoption;

/** Where a field is among numbers of 32 bits. */
const at = (offset: number): number => offset / Uint32Array.BYTES_PER_ELEMENT;

const FLAGS = at(OFFSETS.flags);
const SCHEMA = at(OFFSETS.schema);
const ARRAY = at(OFFSETS.array);
const WORDS = at(OFFSETS.words);
const CAPACITY = at(OFFSETS.capacity);
const LEASE = at(OFFSETS.lease);
const WORD_COUNT = at(OFFSETS.word_count);

/** One context's `bow_adoption`, for one call after another. */
export class Adoption {
  readonly #scratch: Scratch;
  readonly #fields: Uint32Array;
  readonly #room: Room;
  /** The room's memory when its address was last asked for. */
  #bytes: Uint8Array | undefined;

  /** `room` takes the description's words. */
  constructor(runtime: Runtime, room: Room) {
    this.#scratch = runtime.scratch(SIZE);
    this.#fields = new Uint32Array(this.#scratch.bytes.buffer);
    this.#fields[at(OFFSETS.size)] = SIZE;
    this.#room = room;
  }

  /** Takes over the structs at these addresses, and returns the handle of their lease. They are moved, also when it throws. */
  take(context: Context, schema: number, array: number, flags: number): number {
    const { bytes } = this.#room;
    if (bytes !== this.#bytes) {
      this.#setAddress(WORDS, this.#room.address);
      this.#fields[CAPACITY] = bytes.length / Float64Array.BYTES_PER_ELEMENT;
      this.#bytes = bytes;
    }
    this.#fields[FLAGS] = flags;
    this.#setAddress(SCHEMA, schema);
    this.#setAddress(ARRAY, array);
    const { native, handle, error } = context;
    context.check(
      native.bow_lease_adopt_described(handle, this.#scratch.pointer, error.pointer),
    );
    return this.#fields[LEASE]!;
  }

  /** The description of what was taken last; `undefined` if there was no room for it. */
  described(): Float64Array | undefined {
    return this.#fields[WORD_COUNT]! <= this.#fields[CAPACITY]! ? this.#room.numbers : undefined;
  }

  /** In two halves, since a number of 64 bits would have to be a bigint. */
  #setAddress(field: number, address: number): void {
    this.#fields[field] = address;
    this.#fields[field + 1] = address / 2 ** 32;
  }
}
