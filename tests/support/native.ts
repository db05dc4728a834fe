/** Native test libraries, compiled from C when they are first needed, and opened by this runtime's FFI. */

import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { isDeno, root } from "./process.ts";

const built = new Map<string, string>();

/** Compiles `tests/support/<source>.c` into a shared library of the given name, and returns its path. */
export function compile(source: string, name = source, flags: string[] = []): string {
  const known = built.get(name);
  if (known) return known;
  const directory = join(root, "target", "test-libraries");
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `lib${name}.so`);
  const unfinished = `${path}.${process.pid}`;
  const input = fileURLToPath(new URL(`./${source}.c`, import.meta.url));
  // Deno closes a library when the isolate that opened it ends, which for a test file is before its thread does: what
  // the thread's end releases must still be there to be called.
  const link = process.platform === "linux" ? ["-Wl,-z,nodelete"] : [];
  execFileSync("cc", ["-O1", "-g", "-shared", "-fPIC", ...link, ...flags, "-o", unfinished, input]);
  renameSync(unfinished, path);
  built.set(name, path);
  return path;
}

type Type = "u32" | "f64" | "buffer" | "void";

/** A function of a test library. Buffers are passed as typed arrays. */
export type TestFunction = (...args: (number | Uint8Array<ArrayBuffer>)[]) => number;

/** Opens a test library; each signature lists the parameters and then the result. */
export async function open<N extends string>(
  path: string,
  signatures: Record<N, Type[]>,
): Promise<Record<N, TestFunction>> {
  const entries = Object.entries<Type[]>(signatures);
  if (isDeno) {
    const table = entries.map(([name, types]) => [
      name,
      { parameters: types.slice(0, -1), result: types.at(-1) },
    ]);
    return Deno.dlopen(path, Object.fromEntries(table)).symbols as Record<N, TestFunction>;
  }
  const specifier: string = "bun:ffi";
  const { dlopen } = await import(specifier);
  const bunType = (type: Type) => type === "buffer" ? "ptr" : type;
  const table = entries.map(([name, types]) => [
    name,
    { args: types.slice(0, -1).map(bunType), returns: bunType(types.at(-1)!) },
  ]);
  return dlopen(path, Object.fromEntries(table)).symbols;
}
