import React, { useState as us, useEffect } from "react";
import * as fs from "fs";
export { a as b } from "./c";
/** A class. */
@Dec({ x: 1 })
export abstract class Foo<T> extends Base<T> implements I, J {
  private x: number = 1;
  constructor(private readonly y: Bar, z?: T) { super(); this.x = z; us(this.y); }
  static async go(a: string, { b, c: d }: Opts = {}): Promise<Foo> { const e = a + b + d; return new Foo(e); }
  get v(): number { return this.x; }
}
/** fn */
export const f = <T>(a: T): a is string => { for (const i of a) { i.z.w = 1; } useEffect(() => f(a)); };
const { p, q: [r] } = fs.readFileSync("x"), s = 1;
enum E { A, B = 2 }
interface I { m(a: number): E.A; p: string }
type U<K> = { [P in keyof K]: K[P] } & Foo<K>;
namespace N.M { export function g() { return E.A; } }
declare module "mod" { export const z: number; }
label: for (let i = 0; i < 1; i++) { break label; }
