/** Memory of JavaScript's that native code reads: which token keeps what, and for how long. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { currentContext } from "../bindings/context.ts";
import { STATUS } from "../bindings/abi.ts";
import { Pins } from "../bindings/pins.ts";
import type { NativeFunctions } from "../bindings/runtime.ts";
import { collectGarbage, collectUntil, SLOW } from "./support/process.ts";

/** Pins of a library that gives back what a test says. */
function pinsOf(released: number[]): Pins {
  const native = {
    bow_context_released(_: number, tokens: Uint8Array, room: number, count: Uint8Array) {
      const taken = released.splice(0, room);
      const words = new DataView(tokens.buffer);
      taken.forEach((token, index) => words.setUint32(4 * index, token, true));
      new DataView(count.buffer).setUint32(0, taken.length, true);
      return STATUS.OK;
    },
  };
  const { runtime } = currentContext();
  // What the library would be passed is the memory itself here.
  const scratch = (byteLength: number) => {
    const bytes = new Uint8Array(byteLength);
    return { bytes, view: new DataView(bytes.buffer), pointer: bytes };
  };
  return new Pins({ ...runtime, scratch } as never, native as unknown as NativeFunctions, 0);
}

/** The tokens of buffers that were collected. */
const collected = new Set<number>();
const buffers = new FinalizationRegistry<number>((token) => collected.add(token));

/** Pins a buffer that nobody else refers to. */
function pinned(pins: Pins): number {
  const token = pins.token();
  const buffer = new ArrayBuffer(64);
  buffers.register(buffer, token);
  pins.pin(token, [buffer]);
  return token;
}

test("pins: a token that comes back again lets go of nothing else", SLOW, async () => {
  const released: number[] = [];
  const pins = pinsOf(released);
  const first = pinned(pins);
  released.push(first);
  pins.drain();
  const second = pinned(pins);
  assert.notEqual(second, first, "the place is used again, its token is not");
  released.push(first, 0, 12345);
  pins.drain();
  await collectUntil(() => collected.has(first), "the first buffer");
  for (let round = 0; round < 5; round++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(!collected.has(second));
  released.push(second);
  pins.drain();
  await collectUntil(() => collected.has(second), "the second buffer");
});

test("pins: tokens are never 0, whatever was given back before", () => {
  const released: number[] = [];
  const pins = pinsOf(released);
  const seen = new Set<number>();
  for (let round = 0; round < 5000; round++) {
    const token = pinned(pins);
    assert.ok(Number.isInteger(token) && token > 0 && token < 2 ** 32, `${token}`);
    if (round < 4096) assert.ok(!seen.has(token));
    seen.add(token);
    released.push(token);
    pins.drain();
  }
});

test("pins: several at once, given back in any order", () => {
  const released: number[] = [];
  const pins = pinsOf(released);
  const tokens = Array.from({ length: 3000 }, () => pinned(pins));
  assert.equal(new Set(tokens).size, tokens.length);
  released.push(...tokens.filter((_, index) => index % 3 === 0).reverse());
  pins.drain();
  const more = Array.from({ length: 3000 }, () => pinned(pins));
  const alive = [...tokens.filter((_, index) => index % 3 !== 0), ...more];
  assert.equal(new Set(alive).size, alive.length);
});

test("pins: as many as can be told apart, and then an error that harms none of them", () => {
  const released: number[] = [];
  const pins = pinsOf(released);
  const buffers = [new ArrayBuffer(8)];
  const pin = () => {
    const token = pins.token();
    pins.pin(token, buffers);
    return token;
  };
  const tokens = new Set<number>();
  for (let count = 1; count < 2 ** 20; count++) tokens.add(pin());
  assert.equal(tokens.size, 2 ** 20 - 1);
  const refused = {
    code: "UNSUPPORTED",
    message: "native code holds the memory of 1048575 exports, and no more can be told apart",
  };
  assert.throws(pin, refused);
  released.push(77);
  pins.drain();
  assert.ok(!tokens.has(pin()));
  assert.throws(pin, refused);
});
