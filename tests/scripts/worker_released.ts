/** A worker whose exports, which are copies, are released and read by threads that are not the runtime's. */

import { handOver } from "../support/releaser.ts";

const scope = globalThis as unknown as {
  onmessage: () => void;
  postMessage(message: unknown): void;
};

scope.onmessage = async () => {
  await handOver(["copy"]);
  scope.postMessage("handed over");
};
