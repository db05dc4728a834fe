/** Extracts a file with and without `copy`, and prints how that went. The argument is a workspace. */

import process from "node:process";
import { extractFilesToArrow, stats } from "../../mod.ts";

for (const copy of [false, true]) {
  try {
    const options = { copy };
    const batch = await extractFilesToArrow(["source/file00000.ts"], process.argv[2]!, options);
    const { liveLeases, liveJobs } = stats();
    console.log(`${batch.symbols.getChild("name")!.get(0)} ${liveLeases} ${liveJobs}`);
  } catch (error) {
    const { code, message } = error as Error & { code: string };
    console.log(`${code}: ${message}`);
  }
}
