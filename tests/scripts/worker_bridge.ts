/** A worker that imports, exports or calls for ever, with leases and exports alive. Its exports are copies: memory that
 * it lends ends with it, as the documentation says. */

import { tableFromArrays } from "apache-arrow";
import {
  exportRecordBatch,
  exportStream,
  importRecordBatch,
  importStream,
  openLibrary,
} from "../../mod.ts";

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent) => void;
  postMessage(message: unknown): void;
};

const { batches: [source] } = tableFromArrays({ id: new Float64Array(5_000).fill(7) });
const mode = "copy";
const held: Disposable[] = [];

function hold(...things: Disposable[]): void {
  held.push(...things);
  while (held.length > 40) held.shift()![Symbol.dispose]();
}

function* forever() {
  for (;;) yield source!;
}

const WORK: Record<string, (library: string) => Promise<void>> = {
  async import() {
    const exported = exportRecordBatch(source!, { mode });
    const lease = importRecordBatch(exported.schema, exported.array);
    if (lease.value.getChildAt(0)!.get(4_999) !== 7) throw new Error("another value");
    hold(lease);
    await Promise.resolve();
  },
  async export() {
    const exported = exportRecordBatch(source!, { mode });
    const lease = importRecordBatch(exported.schema, exported.array);
    hold(exportRecordBatch(source!, { mode }), exportRecordBatch(lease.value), lease);
    await Promise.resolve();
  },
  async stream() {
    const exported = exportStream(forever(), { mode, schema: source!.schema });
    let read = 0;
    for await (const batch of importStream(exported.address)) {
      if (batch.value.numRows !== 5_000) throw new Error("another length");
      hold(batch);
      if (++read === 100) break;
    }
  },
  async call(path) {
    const { filter } = openLibrary(path, {
      filter: { symbol: "filter_rows", parameters: ["batch"], result: "batch" },
    });
    const lent = exportRecordBatch(source!, { mode });
    const lease = importRecordBatch(lent.schema, lent.array);
    const running = filter(lease, { options: { column: "id", least: 2 } });
    lease.release();
    hold(await running);
  },
};

scope.onmessage = async ({ data }) => {
  for (let round = 0;; round++) {
    await WORK[data.what]!(data.library);
    if (round === 3) scope.postMessage("busy");
    if (round % 16 === 15) await new Promise((resolve) => setTimeout(resolve, 0));
  }
};
