/** What is still alive, for tests of jobs. */

import assert from "node:assert/strict";
import { stats } from "../../mod.ts";

/** Checks that neither a job nor anything lent by the library is alive. */
export const nothingIsAlive = () => {
  const { liveLeases, liveJobs, bytesViewed, liveStreams } = stats();
  assert.deepEqual(
    { liveLeases, liveJobs, bytesViewed, liveStreams },
    { liveLeases: 0, liveJobs: 0, bytesViewed: 0, liveStreams: 0 },
  );
};

/** Waits for what native threads give back on their own. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 2000; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`waited in vain for: ${what}`);
}

/** Waits until native code has given back what it borrowed. */
export const noPins = () => until(() => stats().livePins === 0, "the input to be released");
