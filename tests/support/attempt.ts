/** For scripts that print how each of several calls went. */

import { stats } from "../../mod.ts";

/** Prints what came of a call, and whether it copied; or how it failed. */
export async function attempt(what: string, body: () => unknown): Promise<void> {
  const before = stats().bytesCopied;
  try {
    const result = await body();
    const copied = stats().bytesCopied > before ? ", copied" : "";
    console.log(`${what}: ${result}${copied}`);
  } catch (reason) {
    const { name, code, message } = reason as Error & { code?: string };
    console.log(`${what}: ${name} ${code}: ${message}`);
  }
}
