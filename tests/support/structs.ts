/** Memory for the structs of the C data interface. */

import { currentContext } from "../../bindings/context.ts";

/**
 * Most tests go on with the addresses alone, which keep nothing alive: memory that the collector took before the other side
 * has read the structs would be read after its end. So that of the last structs is kept.
 */
const KEPT = 4_096;
const kept: Uint8Array[] = [];
let count = 0;

/** Structs that one side writes and the other takes. */
export class Structs {
  /** The memory. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where an ArrowSchema is, or an ArrowArrayStream. */
  readonly schema: number;
  /** Where an ArrowArray is. */
  readonly array: number;

  constructor(byteLength = 152) {
    this.bytes = new Uint8Array(new ArrayBuffer(byteLength));
    kept[count++ % KEPT] = this.bytes;
    this.schema = currentContext().runtime.addressOf(this.bytes);
    this.array = this.schema + 72;
  }
}
