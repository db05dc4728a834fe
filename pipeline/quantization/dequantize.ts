/** Quantized tables back to weights. */

import type { RecordBatch, Table } from "apache-arrow";
import { type Lease, RecordBatchLease } from "../../bindings/cdata/lease.ts";
import { TableOfLeases } from "../../bindings/cdata/stream_in.ts";
import type { BatchSource } from "../../bindings/cdata/stream_out.ts";
import { type LayerStream, runBatch, runTable, SourceStream } from "./jobs.ts";
import type { DequantizeOptions } from "./options.ts";

/**
 * Takes a table of `quantizeArrow`'s back to layers: `layer_name` (utf8), `weights` (list<float32>) and `shape`
 * (list<int64>). The table may have been stored and read again, if its schema kept its metadata.
 *
 * Rejects with `LayerError` for a row whose parts contradict each other, `BowstringError` with the code `INVALID_ARGUMENT`
 * for columns that do not fit, `BatchTooLargeError`, and the signal's reason.
 *
 * @example
 * ```ts
 * import { dequantizeArrow, quantizeArrow } from "@bowstring/bowstring";
 * import { Field, Float32, List, Table, Utf8, vectorFromArray } from "apache-arrow";
 *
 * const table = new Table({
 *   layer_name: vectorFromArray(["bias"], new Utf8()),
 *   weights: vectorFromArray([[-1, 0, 1]], new List(new Field("item", new Float32()))),
 * });
 * using quantized = await quantizeArrow(table, { bitWidth: 8, scheme: "symmetric" });
 * using back = await dequantizeArrow(quantized);
 * console.log([...back.value.get(0)!.weights].join()); // -1,0,1
 * ```
 *
 * @returns A table that the caller owns.
 */
export async function dequantizeArrow(
  table: Table | Lease<Table>,
  options: DequantizeOptions = {},
): Promise<Lease<Table>> {
  return await runTable(
    "bow_dequantize_start",
    table,
    options,
    (schema, leases) => new TableOfLeases(schema, leases),
  );
}

/** Takes one record batch back to layers. Otherwise as `dequantizeArrow`. */
export async function dequantizeArrowBatch(
  batch: RecordBatch | Lease<RecordBatch>,
  options: DequantizeOptions = {},
): Promise<Lease<RecordBatch>> {
  return await runBatch(
    "bow_dequantize_start",
    batch,
    options,
    (tables) => new RecordBatchLease(tables),
  );
}

/**
 * Takes batch by batch back to layers, as `quantizeStream` does. Otherwise as `dequantizeArrow`; what the source throws, the
 * reader is thrown. What `quantizeStream` gives may be read by this directly.
 */
export function dequantizeStream(
  batches: BatchSource | Table,
  options: DequantizeOptions = {},
): LayerStream<Lease<RecordBatch>> {
  return new SourceStream(
    "bow_dequantize_start",
    batches,
    options,
    (tables) => new RecordBatchLease(tables),
  );
}
