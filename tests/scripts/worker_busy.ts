/** A worker that never ends by itself: it holds leases, and waits for a job that takes long. */

import { type ExtractionBatch, extractWorkspace } from "../../mod.ts";

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent) => void;
  postMessage(message: unknown): void;
};

const held: ExtractionBatch[] = [];

scope.onmessage = async ({ data }) => {
  for (;;) {
    for await (const batch of extractWorkspace(data.path, { chunkRows: 2_000 })) {
      held.push(batch);
      if (held.length > 8) held.shift()!.release();
      if (batch.symbols.getChild("name")!.get(0) === null) return;
      if (held.length === 4) scope.postMessage("busy");
    }
  }
};
