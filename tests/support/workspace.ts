/** Directories of made-up source code. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory with source files that is removed at the end of the scope. */
export class Workspace implements Disposable {
  /** Its absolute path. */
  readonly path: string = mkdtempSync(join(tmpdir(), "bowstring-test-"));

  /** A workspace of `count` files, each with `functions` functions that call one another. */
  static of(count: number, functions: number): Workspace {
    const workspace = new Workspace();
    for (let file = 0; file < count; file++) {
      workspace.write(`source/file${String(file).padStart(5, "0")}.ts`, source(functions));
    }
    return workspace;
  }

  /** Writes a file and returns its path relative to the workspace. */
  write(path: string, content: string | Uint8Array): string {
    const absolute = join(this.path, path);
    mkdirSync(join(absolute, ".."), { recursive: true });
    writeFileSync(absolute, content);
    return path;
  }

  /** Removes the directory. */
  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  [Symbol.dispose](): void {
    this.remove();
  }
}

/** A TypeScript file of `functions` functions; each but the first calls the one before. */
export function source(functions: number): string {
  const lines = Array.from(
    { length: functions },
    (_, index) =>
      index === 0
        ? "export function f0(value: number): number {\n  return value;\n}\n"
        : `export function f${index}(value: number): number {\n  return f${
          index - 1
        }(value) + 1;\n}\n`,
  );
  return lines.join("\n");
}
