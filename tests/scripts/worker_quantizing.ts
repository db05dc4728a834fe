/** A worker whose job quantizes a table that it leased, long enough to be ended in the middle. */

import { Table } from "apache-arrow";
import { dequantizeArrow, quantizeArrow } from "../../mod.ts";
import { eighths, layerBatch } from "../support/layers.ts";

const scope = globalThis as unknown as { postMessage(message: unknown): void };

const layers = new Table([layerBatch([{ name: "layer", values: eighths(1 << 23) }])]);
const quantized = await quantizeArrow(layers, { bitWidth: 8 });
// Native memory, which a second job reads while it lasts.
const leased = await dequantizeArrow(quantized);
let begun = false;
await quantizeArrow(leased, {
  search: "mse",
  bitWidth: 8,
  threads: 1,
  onProgress: ({ valuesDone }) => {
    if (begun || valuesDone === 0) return;
    begun = true;
    scope.postMessage("quantizing");
  },
});
scope.postMessage("through");
