/** Loads the library and prints how that went. */

import { stats } from "../../mod.ts";

try {
  console.log(JSON.stringify(stats()));
} catch (error) {
  const { name, code, message } = error as Error & { code: string };
  console.log(`${name} ${code}: ${message}`);
}
