/** Imports what it is told of, releases it, and gives what it makes of it: the number in it, and one more. */

import { tableFromArrays } from "apache-arrow";
import { exportRecordBatch, importRecordBatch, stats } from "../../mod.ts";

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent) => void;
  postMessage(message: unknown): void;
};

/** What another isolate may still have to take. */
let given: ReturnType<typeof exportRecordBatch> | undefined;

scope.onmessage = async ({ data }) => {
  switch (data.do) {
    case "pass": {
      const lease = importRecordBatch(data.structs.schema, data.structs.array);
      const number = lease.value.getChildAt(0)!.get(0) + 1;
      lease.release();
      const { batches: [batch] } = tableFromArrays({ id: new Float64Array(5_000).fill(number) });
      given = exportRecordBatch(batch!);
      return scope.postMessage({ schema: given.schema, array: given.array });
    }
    case "collect":
      given?.release();
      given = undefined;
      return scope.postMessage({});
    case "end": {
      // Tokens of pins are taken a few times a second.
      while (stats().livePins > 0) await new Promise((resolve) => setTimeout(resolve, 1));
      const { liveLeases, livePins, bytesViewed, leaks, violations } = stats();
      return scope.postMessage({ liveLeases, livePins, bytesViewed, leaks, violations });
    }
  }
};
