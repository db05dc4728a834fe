/** `examples/native-filter`, built when it is first needed. */

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { root } from "./process.ts";

execFileSync("cargo", ["build", "--quiet", "--locked", "--package", "native-filter"], {
  cwd: root,
  stdio: ["ignore", "inherit", "inherit"],
});

/** The path of the library. */
export const nativeFilter: string = join(
  process.env.CARGO_TARGET_DIR || join(root, "target"),
  "debug",
  "libnative_filter.so",
);
