/** Tables of weights in, exact and self-describing quantized tables out. */

import type { RecordBatch, Table } from "apache-arrow";
import type { Lease } from "../../bindings/cdata/lease.ts";
import type { BatchSource } from "../../bindings/cdata/stream_out.ts";
import { type LayerStream, runBatch, runTable, SourceStream } from "./jobs.ts";
import type { QuantizeOptions } from "./options.ts";
import { type Quantized, QuantizedBatch, QuantizedTable } from "./results.ts";

/**
 * Quantizes the layers of a table, one a row, on native threads. The weights are read where they are: memory of the table
 * must not be written to or detached before the promise settles, which it does when it is aborted, too, once they are read no
 * more.
 *
 * The columns of `table` are `layer_name` (utf8 or large utf8), `weights` (list, large list or fixed-size list of float32,
 * float16, or uint16 with the extension name `bowstring.bfloat16`; or `arrow.fixed_shape_tensor`,
 * `arrow.variable_shape_tensor` of these) and, optionally, `shape` (list<int64>, whose product is the number of weights).
 * Those of the result, in the order of the input's rows and each a batch for a batch: `layer_name`, `quantized_data`
 * (large binary), `scales` (list<float32>), `zero_points` (list<int16>), `shape` (list<int64>), `bit_width` (uint8), `biases`
 * (list<float32>, nullable), `scheme`, `group_size` (int32), `axis` (int32), `layout`, and `rmse`, `max_abs_error`,
 * `sqnr_db`, `cosine` (float32). The metadata of its schema says how to dequantize a row; `docs/quantization.md` says more.
 *
 * Rejects with `LayerError` for a layer that cannot be quantized, `BowstringError` with the code `INVALID_ARGUMENT` for an
 * option or for columns that do not fit, `BatchTooLargeError`, and the signal's reason.
 *
 * @example
 * ```ts
 * import { quantizeArrow } from "@bowstring/bowstring";
 * import { Field, Float32, List, Table, Utf8, vectorFromArray } from "apache-arrow";
 *
 * const weights = Array.from({ length: 1024 }, (_, at) => Math.sin(at));
 * const table = new Table({
 *   layer_name: vectorFromArray(["embedding"], new Utf8()),
 *   weights: vectorFromArray([weights], new List(new Field("item", new Float32()))),
 * });
 * using quantized = await quantizeArrow(table, { bitWidth: 4, groupSize: 32 });
 * const [row] = quantized.value;
 * console.log(row!.quantized_data.length, row!.scales.length); // 512 32
 * ```
 *
 * @returns A table that the caller owns, and the layers that are not in it.
 */
export async function quantizeArrow(
  table: Table | Lease<Table>,
  options: QuantizeOptions = {},
): Promise<Quantized<Table>> {
  return await runTable(
    "bow_quantize_start",
    table,
    options,
    (schema, leases) => new QuantizedTable(schema, leases),
  );
}

/**
 * Quantizes the layers of one record batch. Otherwise as `quantizeArrow`.
 *
 * @example
 * ```ts
 * import { quantizeArrowBatch } from "@bowstring/bowstring";
 * import { Field, Float32, List, Table, Utf8, vectorFromArray } from "apache-arrow";
 *
 * const table = new Table({
 *   layer_name: vectorFromArray(["good", "bad"], new Utf8()),
 *   weights: vectorFromArray([[1, 2], [3, NaN]], new List(new Field("item", new Float32()))),
 * });
 * using quantized = await quantizeArrowBatch(table.batches[0]!, { onInvalid: "skip" });
 * console.log(quantized.value.numRows); // 1
 * for (const { layer, index } of quantized.failures) console.log(layer, index); // bad 1
 * ```
 *
 * @returns A batch that the caller owns, and the layers that are not in it.
 */
export async function quantizeArrowBatch(
  batch: RecordBatch | Lease<RecordBatch>,
  options: QuantizeOptions = {},
): Promise<Quantized<RecordBatch>> {
  return await runBatch(
    "bow_quantize_start",
    batch,
    options,
    (tables) => new QuantizedBatch(tables),
  );
}

/**
 * Quantizes batch by batch: of the source, at most sixteen batches wait for their turn, and two results, while a third
 * is being made. A lease that
 * the source gives is released when its batch has been taken over. Otherwise as `quantizeArrow`; what the source throws, the
 * reader is thrown.
 *
 * @example
 * ```ts
 * import { quantizeStream } from "@bowstring/bowstring";
 * import { Field, Float32, List, Table, Utf8, vectorFromArray } from "apache-arrow";
 *
 * async function* layers() {
 *   for (const name of ["first", "second"]) {
 *     yield* new Table({
 *       layer_name: vectorFromArray([name], new Utf8()),
 *       weights: vectorFromArray([[0.5, -1, 0.25]], new List(new Field("item", new Float32()))),
 *     }).batches;
 *   }
 * }
 * for await (const batch of quantizeStream(layers(), { bitWidth: 8 })) {
 *   console.log(batch.value.get(0)!.layer_name);
 *   batch.release();
 * }
 * ```
 *
 * @param batches Whatever gives record batches one after the other, or a table. What may give none needs a property
 *   `schema`.
 * @returns A stream whose batches are each the reader's to release.
 */
export function quantizeStream(
  batches: BatchSource | Table,
  options: QuantizeOptions = {},
): LayerStream<Quantized<RecordBatch>> {
  return new SourceStream(
    "bow_quantize_start",
    batches,
    options,
    (tables) => new QuantizedBatch(tables),
  );
}
