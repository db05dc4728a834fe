/** Bytes as buffers of arrays have them. */

/** The bytes of a typed array. */
export const bytesOf = (view: ArrayBufferView): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** A bitmap, the first bit lowest. */
export function bitmap(bits: readonly boolean[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, index) => bytes[index >> 3]! |= Number(bit) << (index & 7));
  return bytes;
}
