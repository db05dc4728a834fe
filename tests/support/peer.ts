/** The other side: arrow-rs behind the C data interface (`core/testing`), built when it is first needed. */

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { open } from "./native.ts";
import { root } from "./process.ts";
import { Structs } from "./structs.ts";

export { Structs };

execFileSync("cargo", ["build", "--quiet", "--locked", "--package", "bowstring-testing"], {
  cwd: root,
  stdio: ["ignore", "inherit", "inherit"],
});
const directory = process.env.CARGO_TARGET_DIR || join(root, "target");

const native = await open(join(directory, "debug", "libbowstring_testing.so"), {
  peer_case: ["buffer", "u32", "buffer", "u32"],
  peer_batches: ["u32", "buffer", "u32"],
  peer_drop: ["u32", "void"],
  peer_give: ["u32", "u32", "buffer", "buffer", "u32"],
  peer_column: ["u32", "u32", "u32", "u32", "buffer", "u32"],
  peer_slice: ["u32", "u32", "u32", "buffer", "buffer", "u32"],
  peer_take: ["buffer", "buffer", "u32"],
  peer_compare: ["u32", "u32", "u32", "u32", "buffer", "buffer", "u32"],
  peer_give_stream: ["u32", "buffer", "buffer", "u32"],
  peer_read: ["buffer", "u32"],
  peer_read_here: ["buffer", "buffer", "u32"],
  peer_read_ended: ["u32", "u32"],
  peer_read_result: ["u32", "buffer", "u32"],
  peer_same: ["u32", "u32", "buffer", "u32"],
  peer_release_apart: ["buffer", "u32"],
});

const message = new Uint8Array(new ArrayBuffer(4096));

/** Throws what the peer complains of. */
function checked(value: number): number {
  if (value !== 0) return value;
  throw new Error(new TextDecoder().decode(message.subarray(0, message.indexOf(0))));
}

/** What the peer keeps under a number. */
export class Kept implements Disposable {
  readonly #key: number;

  private constructor(key: number) {
    this.#key = key;
  }

  /** A case of the integration format. */
  static case(json: Uint8Array<ArrayBuffer>): Kept {
    return new Kept(checked(native.peer_case(json, json.length, message)));
  }

  /** An array that is taken out of structs. */
  static take(structs: Structs): Kept {
    return new Kept(checked(native.peer_take(structs.bytes, message)));
  }

  /** What a stream has, read on this thread. */
  static readHere(structs: Structs): Kept {
    return new Kept(checked(native.peer_read_here(structs.bytes, message)));
  }

  /** What a stream has, read on a thread of the peer's. */
  static async read(structs: Structs): Promise<Kept> {
    const reading = native.peer_read(structs.bytes);
    while (native.peer_read_ended(reading) === 0) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return new Kept(checked(native.peer_read_result(reading, message)));
  }

  /** How many batches there are. */
  get batches(): number {
    message.fill(0);
    return native.peer_batches(this.#key, message);
  }

  /** A batch, or the array, as structs. */
  give(batch = 0): Structs {
    const structs = new Structs();
    checked(native.peer_give(this.#key, batch, structs.bytes, message));
    return structs;
  }

  /** One column of a batch, repeated until it has at least some number of rows. */
  column(batch: number, column: number, rows: number): Kept {
    return new Kept(checked(native.peer_column(this.#key, batch, column, rows, message)));
  }

  /** Rows of the array, as structs whose array has the offset `start`. */
  slice(start: number, length: number): Structs {
    const structs = new Structs();
    checked(native.peer_slice(this.#key, start, length, structs.bytes, message));
    return structs;
  }

  /** All batches as a stream. */
  stream(): Structs {
    const structs = new Structs(40);
    checked(native.peer_give_stream(this.#key, structs.bytes, message));
    return structs;
  }

  /** Throws unless what is in the structs, which are taken, is rows `start .. start + length` of this. */
  compare(structs: Structs, length: number, batch = 0, start = 0): void {
    checked(native.peer_compare(this.#key, batch, start, length, structs.bytes, message));
  }

  /** Throws unless the other has the same schema and batches. */
  same(other: Kept): void {
    checked(native.peer_same(this.#key, other.#key, message));
  }

  [Symbol.dispose](): void {
    native.peer_drop(this.#key);
  }
}

/** Takes an array apart: each child is released on a thread of its own, and then the rest. Returns how many there were. */
export function releaseApart(structs: Structs): number {
  return native.peer_release_apart(structs.bytes.subarray(72));
}
