/**
 * Finding the native library. The order is: the override `BOWSTRING_LIBRARY`, the package for this platform, a local
 * build. The first that exists is used, and is checked before any function but its version is called.
 */

import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { ABI_VERSION } from "./abi.ts";
import { LibraryLoadError } from "./errors.ts";
import type { NativeLibrary, Probe, Runtime } from "./runtime.ts";

/** The version of this package. The library must be of the same. */
export const VERSION = "0.1.0";

const OVERRIDE = "BOWSTRING_LIBRARY";

/** The name of this platform in package names: `linux-x64`, `darwin-arm64`, `win32-x64`. */
const PLATFORM = `${process.platform}-${process.arch}`;

const FILE_NAMES: Readonly<Record<string, string>> = {
  darwin: "libbowstring.dylib",
  win32: "bowstring.dll",
};

const FILE_NAME = FILE_NAMES[process.platform] ?? "libbowstring.so";

const ADVICE = `set ${OVERRIDE} to the path of ${FILE_NAME}, or build it with "make build"`;

/** Opens and checks the library. Throws `LibraryLoadError`. */
export function openLibrary(runtime: Runtime): NativeLibrary {
  const path = findLibrary(runtime);
  checkVersions(runtime, path, explained(path, () => runtime.probe(path)));
  return explained(path, () => runtime.open(path));
}

function explained<T>(path: string, open: () => T): T {
  try {
    return open();
  } catch (cause) {
    throw new LibraryLoadError(explain(path, cause), { cause });
  }
}

/** The path of the library that `openLibrary` would open. Throws `LibraryLoadError` when there is none. */
export function findLibrary(runtime: Runtime): string {
  const override = runtime.environment(OVERRIDE);
  if (override !== undefined && override !== "") {
    // Not looked at first: under Deno that would take a permission to read, which loading does not need.
    return resolve(override);
  }
  const candidates = [...packageSlots(), ...localBuilds(runtime)];
  const found = candidates.find((path) => existsSync(path));
  if (found === undefined) {
    throw new LibraryLoadError(
      `the Bowstring library for ${PLATFORM} was not found: ${ADVICE}; looked for ${
        candidates.join(", ")
      }`,
    );
  }
  return found;
}

/** The directory of this package, when it lies in the file system. */
function packageRoot(): string | undefined {
  const { url } = import.meta;
  return url.startsWith("file:") ? dirname(dirname(fileURLToPath(url))) : undefined;
}

/** `node_modules/@bowstring/<platform>` in the directories above this package and above the working directory. */
function packageSlots(): string[] {
  const starts = [packageRoot(), process.cwd()].filter((start) => start !== undefined);
  const slots = starts.flatMap(ancestors).map((directory) =>
    join(directory, "node_modules", "@bowstring", PLATFORM, FILE_NAME)
  );
  return [...new Set(slots)];
}

function ancestors(start: string): string[] {
  const parent = dirname(start);
  return parent === start ? [start] : [start, ...ancestors(parent)];
}

/** What Cargo builds in a checkout. A release build is preferred, since a debug build is many times slower. */
function localBuilds(runtime: Runtime): string[] {
  const root = packageRoot();
  if (root === undefined) return [];
  const target = runtime.environment("CARGO_TARGET_DIR") || join(root, "target");
  return ["release", "debug"].map((profile) => resolve(target, profile, FILE_NAME));
}

function checkVersions(runtime: Runtime, path: string, probe: Probe): void {
  const abi = probe.abiVersion();
  if (abi !== ABI_VERSION) {
    throw new LibraryLoadError(
      `${path} has ABI version ${abi}, but this package needs ABI version ${ABI_VERSION}: ` +
        `install the library of version ${VERSION}, or ${ADVICE}`,
    );
  }
  const text = runtime.scratch(64);
  const length = runtime.scratch(4);
  probe.version(text.pointer, text.bytes.length, length.pointer, null);
  const version = new TextDecoder().decode(text.bytes.subarray(0, length.view.getUint32(0, true)));
  if (version !== VERSION) {
    throw new LibraryLoadError(
      `${path} is version ${version || "unknown"}, but this package is version ${VERSION}: ` +
        `install the library of version ${VERSION}, or ${ADVICE}`,
    );
  }
}

/** One sentence for a library that could not be opened. The system's own words are the error's cause. */
function explain(path: string, cause: unknown): string {
  if (cause instanceof Error && cause.name === "NotCapable") {
    return `Deno may not load ${path}: run with --allow-ffi, or with --allow-ffi=${path} and { copy: true }`;
  }
  if (!existsSync(path)) return `${path}, named by ${OVERRIDE}, does not exist: ${ADVICE}`;
  const platform = platformOf(path);
  if (platform === undefined) return `${path} is not a shared library: ${ADVICE}`;
  if (platform !== PLATFORM) {
    return `${path} was built for ${platform}, but this is ${PLATFORM}: ${ADVICE}`;
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return /bow_\w+/.test(reason)
    ? `${path} lacks functions of Bowstring ${VERSION}, so it is another library or an unfinished one: ${ADVICE}`
    : `${path} could not be loaded (${reason}): ${ADVICE}`;
}

const ELF_MACHINES: Readonly<Record<number, string>> = { 0x03: "ia32", 0x3e: "x64", 0xb7: "arm64" };
const MACH_CPUS: Readonly<Record<number, string>> = { 0x01000007: "x64", 0x0100000c: "arm64" };

/** The platform that a shared library was built for, from its header; `undefined` when it is not one. */
function platformOf(path: string): string | undefined {
  const header = new DataView(new ArrayBuffer(20));
  const file = openSync(path, "r");
  try {
    if (readSync(file, new Uint8Array(header.buffer), 0, 20, 0) < 20) return undefined;
  } finally {
    closeSync(file);
  }
  if (header.getUint32(0) === 0x7f454c46) { // \x7fELF; e_machine is the u16 at 18
    return `linux-${ELF_MACHINES[header.getUint16(18, true)] ?? "unknown"}`;
  }
  if (header.getUint32(0, true) === 0xfeedfacf) { // Mach-O of 64 bits; cputype is the u32 at 4
    return `darwin-${MACH_CPUS[header.getUint32(4, true)] ?? "unknown"}`;
  }
  if (header.getUint16(0) === 0x4d5a) return "win32-x64"; // MZ
  return undefined;
}
