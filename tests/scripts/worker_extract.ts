/** A worker that extracts a workspace and tells what it found and what is alive. */

import { extractWorkspace, stats } from "../../mod.ts";

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent) => void;
  postMessage(message: unknown): void;
};

scope.onmessage = async ({ data }) => {
  let symbols = 0;
  const names = new Set<unknown>();
  for await (const batch of extractWorkspace(data.path, { chunkRows: data.chunkRows })) {
    symbols += batch.symbols.numRows;
    names.add(batch.symbols.getChild("name")!.get(0));
    batch.release();
  }
  scope.postMessage({ symbols, names: names.size, stats: stats() });
};
