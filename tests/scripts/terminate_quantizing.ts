/** Terminates workers while native threads quantize what they leased. What they borrowed would be freed under the threads. */

import assert from "node:assert/strict";
import { quantizeWith } from "../../mod.ts";

for (let number = 0; number < 4; number++) {
  const worker = new Worker(new URL("./worker_quantizing.ts", import.meta.url), { type: "module" });
  const said = await new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = reject;
  });
  assert.equal(said, "quantizing");
  worker.terminate();
}
await new Promise((resolve) => setTimeout(resolve, 300));
const one = Float32Array.of(1);
assert.deepEqual([...quantizeWith(one, one, null, { type: "int8" })], [1]);
console.log("done");
