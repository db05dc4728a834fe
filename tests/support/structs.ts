/** Memory for the structs of the C data interface. */

import { currentContext } from "../../bindings/context.ts";

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
    this.schema = currentContext().runtime.addressOf(this.bytes);
    this.array = this.schema + 72;
  }
}
