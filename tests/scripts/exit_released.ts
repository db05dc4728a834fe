/** Ends the process while threads that are not the runtime's release what it exported and read a stream of it: by itself
 * ("end"), by `process.exit` ("exit"), with a worker that exported ("worker"), or after that ("worker, then exit"). */

import process from "node:process";
import { handOver } from "../support/releaser.ts";

const way = process.argv[2];
if (way?.startsWith("worker")) {
  const worker = new Worker(new URL("./worker_released.ts", import.meta.url), { type: "module" });
  await new Promise((resolve, reject) => {
    worker.onmessage = resolve;
    worker.onerror = reject;
    worker.postMessage("begin");
  });
  worker.terminate();
  if (way !== "worker") await new Promise((resolve) => setTimeout(resolve, 50));
} else {
  await handOver(["borrow", "copy"]);
}
console.log("ends");
if (way?.endsWith("exit")) process.exit(0);
