import type { Shape } from "./shape";
import { type Size, area } from "./size";
import fs = require("fs");

/** Merged. */
export interface Box<T extends Shape = Shape> extends Shape, Size {
  readonly width: number;
  open?(key: string): T;
  new (width: number): Box<T>;
  [key: string]: unknown;
}
export const Box: { <T extends Shape>(value: T): Box<T> } = (value: any) => value;
export class Crate {}
export interface Crate {
  lid: Box;
}

export type Part<K, V = K> = K extends Array<infer U>
  ? U
  : K extends Set<infer U>
    ? { [P in keyof V]: V[P] } & { [P in keyof U]?: P }
    : never;
type Fn = (this: Crate, value: Size) => asserts value is Size;
type Ctor = abstract new (box: Box) => Crate;
type Name = `${Lowercase<string>}-${Size}`;
type Both = typeof Box | typeof import("./shape");

enum Flags {
  None = 0,
  Read = 1 << 0,
  Write = Read << 1,
  Both = Read | Write,
}
const enum Level { Low, High = Level.Low }

namespace Geo.Plane {
  export type Line = Shape;
  export namespace Deep {
    export const line: Line = null!;
  }
  export function draw(line: Line) {}
}
const line: Geo.Plane.Line = Geo.Plane.Deep.line;
Geo.Plane.draw(line satisfies Shape as Shape);

declare module "ext" {
  interface Ext {}
  export default Ext;
}
declare global {
  interface Window { box: Box }
  var counter: number;
}
declare function ambient(n: number): void;

function over(a: string): string;
function over(a: number): number;
/** The body. */
function over(a: any) {
  return over(a);
}

function isBox(value: unknown): value is Box {
  return value instanceof Crate && "lid" in (value as Crate) && area(fs);
}
function narrow<const T extends readonly unknown[]>(list: T, mixin: typeof Crate) {
  class Local extends mixin {}
  return new Local();
}

export { line as path, type Part as Piece };
export type { Shape } from "./shape";
export { over };
