/** A library that cannot be used is explained in one sentence that says what to do. */

import assert from "node:assert/strict";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { LibraryLoadError, VERSION } from "../mod.ts";
import { detectRuntime } from "../bindings/runtime.ts";
import { compile } from "./support/native.ts";
import { isDeno, root, runScript, SLOW } from "./support/process.ts";
import { Workspace } from "./support/workspace.ts";

const platform = `${process.platform}-${process.arch}`;
const advice =
  'set BOWSTRING_LIBRARY to the path of libbowstring.so, or build it with "make build"';

async function load(library: string, denoFlags?: string[]): Promise<string> {
  const env = { BOWSTRING_LIBRARY: library };
  const { code, stdout, stderr } = await runScript("scripts/load.ts", { env, denoFlags });
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

const stub = (abi: number, version: string) =>
  compile("stub", `stub-${abi}-${version}`, [`-DABI=${abi}`, `-DVERSION="${version}"`]);

/** The stub with the machine field of its ELF header set to another architecture. */
function foreign(): string {
  const path = stub(1, "1.0.0-foreign");
  const bytes = readFileSync(path);
  bytes.writeUInt16LE(process.arch === "arm64" ? 0x3e : 0xb7, 18);
  writeFileSync(path, bytes);
  return path;
}

/** What is there instead of the library, and the message after the path. */
const CASES: readonly (readonly [title: string, path: () => string, message: string])[] = [
  [
    "missing",
    () => join(root, "target", "no-such-library.so"),
    `, named by BOWSTRING_LIBRARY, does not exist: ${advice}`,
  ],
  ["not a library", () => join(root, "deno.json"), ` is not a shared library: ${advice}`],
  ["an empty file", emptyFile, ` is not a shared library: ${advice}`],
  [
    "another library",
    () => compile("producer"),
    ` lacks functions of Bowstring ${VERSION}, so it is another library or an unfinished one: ${advice}`,
  ],
  [
    "another ABI version",
    () => stub(99, VERSION),
    ` has ABI version 99, but this package needs ABI version 1: ` +
    `install the library of version ${VERSION}, or ${advice}`,
  ],
  [
    "another version",
    () => stub(1, "9.8.7"),
    ` is version 9.8.7, but this package is version ${VERSION}: ` +
    `install the library of version ${VERSION}, or ${advice}`,
  ],
  [
    "a version without the functions",
    () => stub(1, VERSION),
    ` lacks functions of Bowstring ${VERSION}, so it is another library or an unfinished one: ${advice}`,
  ],
  [
    "another platform",
    foreign,
    ` was built for linux-${process.arch === "arm64" ? "x64" : "arm64"}, ` +
    `but this is ${platform}: ${advice}`,
  ],
];

function emptyFile(): string {
  const path = join(root, "target", "test-libraries", "empty.so");
  compile("producer"); // makes the directory
  writeFileSync(path, "");
  return path;
}

for (const [title, path, message] of CASES) {
  test(`library: ${title}`, SLOW, async () => {
    const library = path();
    assert.equal(await load(library), `LibraryLoadError LIBRARY_LOAD: ${library}${message}`);
  });
}

test(
  "library: the package for the platform is found from the working directory",
  SLOW,
  async () => {
    using workspace = new Workspace();
    const slot = workspace.write(`node_modules/@bowstring/${platform}/libbowstring.so`, "");
    copyFileSync(stub(1, "9.8.7"), join(workspace.path, slot));
    const script = await runScript("scripts/load.ts", {
      cwd: workspace.path,
      env: { BOWSTRING_LIBRARY: "" },
    });
    const library = join(workspace.path, slot);
    assert.equal(
      script.stdout.trim(),
      `LibraryLoadError LIBRARY_LOAD: ${library} is version 9.8.7, but this package is version ` +
        `${VERSION}: install the library of version ${VERSION}, or ${advice}`,
    );
  },
);

test(
  "library: a local build is found in CARGO_TARGET_DIR, release before debug",
  SLOW,
  async () => {
    using workspace = new Workspace();
    const env = { BOWSTRING_LIBRARY: "", CARGO_TARGET_DIR: workspace.path };
    const attempt = async () => (await runScript("scripts/load.ts", { env })).stdout.trim();
    const missing = await attempt();
    assert.ok(
      missing.startsWith(
        `LibraryLoadError LIBRARY_LOAD: the Bowstring library for ${platform} was not found: ` +
          `${advice}; looked for `,
      ),
      missing,
    );
    for (const profile of ["debug", "release"]) {
      const path = join(workspace.path, profile, "libbowstring.so");
      workspace.write(`${profile}/libbowstring.so`, "");
      copyFileSync(stub(1, "9.8.7"), path);
      assert.ok((await attempt()).startsWith(`LibraryLoadError LIBRARY_LOAD: ${path} is version`));
    }
  },
);

test(
  "library: without permission, Deno says which to give",
  { ...SLOW, skip: !isDeno },
  async () => {
    const library = compile("producer");
    assert.equal(
      await load(library, ["--allow-env"]),
      `LibraryLoadError LIBRARY_LOAD: Deno may not load ${library}: run with --allow-ffi, ` +
        `or with --allow-ffi=${library} and { copy: true }`,
    );
  },
);

test("library: in another runtime", () => {
  assert.throws(
    () => detectRuntime({ process: {} }),
    new LibraryLoadError(
      "Bowstring runs in Deno 2.9 or later and in Bun 1.4 or later; this is another JavaScript runtime",
    ),
  );
});

test("library: one version everywhere", () => {
  const read = (file: string) => readFileSync(join(root, file), "utf8");
  assert.equal(JSON.parse(read("deno.json")).version, VERSION);
  assert.equal(JSON.parse(read("package.json")).version, VERSION);
  assert.equal(/^version = "(.*)"$/m.exec(read("Cargo.toml"))![1], VERSION);
});
