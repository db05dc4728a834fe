/** Sends messages to workers before they have loaded the package. */

import assert from "node:assert/strict";

for (let round = 0; round < 4; round++) {
  const worker = new Worker(new URL("./worker_echo.ts", import.meta.url), { type: "module" });
  const answer = await new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = reject;
    worker.postMessage(round);
  });
  worker.terminate();
  assert.deepEqual(answer, [round, "function"]);
}
console.log("done");
