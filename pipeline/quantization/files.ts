/** Models in files: one into the other, layer by layer. */

import type { RecordBatch } from "apache-arrow";
import { currentContext } from "../../bindings/context.ts";
import { finish, Job } from "../../bindings/job.ts";
import { absolutePath } from "../extract.ts";
import { withProgress } from "../progress.ts";
import { progressReporter } from "./jobs.ts";
import { nativeOptions, type QuantizeOptions } from "./options.ts";

/** What `quantizeFile` takes. */
export interface QuantizeFileOptions
  extends Omit<QuantizeOptions, "copy" | "onCollect" | "maxLiveBytes"> {
  /**
   * Quantize tensors of one axis too. Biases and norms are small, and models sensitive to them; by default they stay as they
   * are. Tables of layers (Parquet, Arrow) are quantized as a whole in any case.
   */
  readonly vectors?: boolean;
}

/** What became of one tensor. */
export interface LayerReport {
  /** Its name. */
  readonly name: string;
  /** The type of its values, as safetensors calls it: `F32`, `BF16`, `I64` and so on. */
  readonly dtype: string;
  /** The sizes of its axes, outermost first; none for a layer of a table that failed. */
  readonly shape: readonly number[];
  /**
   * `quantized`; `copied` as it was, since it is of no type that is quantized, or has less than two axes; `left out` of a
   * result that can only hold quantized tensors; or `failed`, with `continueOnError` or `onInvalid: "skip"`.
   */
  readonly outcome: "quantized" | "copied" | "left out" | "failed";
  /** Why it failed. */
  readonly message: string | undefined;
  /** Its bytes in the input. */
  readonly bytesIn: number;
  /** Its bytes in the result, with scales, zero points and biases. */
  readonly bytesOut: number;
  /** Bits of a code, if it was quantized. */
  readonly bitWidth: number | undefined;
  /** The root of the mean squared error, if it was quantized and statistics were not turned off. */
  readonly rmse: number | undefined;
  /** The cosine similarity of the values with what they come back as, as above. */
  readonly cosine: number | undefined;
}

/** What `quantizeFile` did. */
export interface QuantizeFileSummary {
  /** The absolute path of the result. */
  readonly out: string;
  /** The size of the input, in bytes: of all its files. */
  readonly bytesIn: number;
  /** The size of the result. */
  readonly bytesOut: number;
  /** The tensors, in the order of the input. */
  readonly layers: readonly LayerReport[];
}

const LAYERS = 0;
const SIZES = 1;

/**
 * Quantizes a model in files into one file, on native threads. Formats are those that the names say: safetensors (one file,
 * an index of several, or a directory with either), Parquet and Arrow IPC in; safetensors, Parquet and Arrow IPC out. The
 * input is mapped into memory and read where it is; it must not be changed meanwhile. Layers are read and written one after
 * the other, so that memory does not grow with the model.
 *
 * The result appears when it is complete: when this rejects, what was at `output` before is still there. Aborted, it rejects
 * when nothing of the result is left, or resolves where that was complete. Only what `onProgress` throws when it is told of
 * the end rejects although the result is there. Rejects as `quantizeArrow` does, and with the code `IO` when a file cannot be
 * read or written or breaks its format; the code is `INVALID_ARGUMENT` also where a name says no format, and where `output` is
 * a file that is read. `docs/quantization.md` describes the tensors of a safetensors result.
 *
 * @example
 * ```ts no-run
 * import { quantizeFile } from "@bowstring/bowstring";
 *
 * const { layers, bytesIn, bytesOut } = await quantizeFile("model.safetensors", "model-4.parquet", {
 *   bitWidth: 4,
 *   overrides: [{ pattern: "*.embed*", bitWidth: 8 }],
 * });
 * console.log(`${layers.length} tensors, ${(bytesIn / bytesOut).toFixed(1)} times smaller`);
 * ```
 *
 * @param input A path, or a `file:` URL.
 * @param output The file to write: a path, or a `file:` URL.
 */
export async function quantizeFile(
  input: string | URL,
  output: string | URL,
  options: QuantizeFileOptions = {},
): Promise<QuantizeFileSummary> {
  options.signal?.throwIfAborted();
  const context = currentContext();
  const { native, handle, out, error } = context;
  const [from, to] = [absolutePath(input), absolutePath(output)];
  const request = nativeOptions(context, { ...options, input: from, output: to });
  // A small report, which needs no view of native memory.
  const job = new Job(
    context,
    { ...(options.signal && { signal: options.signal }), copy: true, maxLiveBytes: Infinity },
    () =>
      native.bow_weights_quantize(
        handle,
        request.pointer,
        request.bytes.length,
        out.pointer,
        error.pointer,
      ),
    // So that there is no file when this rejects, and nothing of one.
    "requested",
  );
  const work = async () => (await finish(job))!;
  const tables = await withProgress(
    progressReporter(job, options),
    (reason) => job.cancel(reason),
    work,
  );
  const [sizes] = tables.table(SIZES);
  return {
    out: to,
    bytesIn: Number(sizes!.bytes_in),
    bytesOut: Number(sizes!.bytes_out),
    layers: [...reportsOf(tables.table(LAYERS))],
  };
}

function* reportsOf(batch: RecordBatch): Generator<LayerReport> {
  for (const row of batch) {
    yield {
      name: row.layer_name,
      dtype: row.dtype,
      shape: Array.from(row.shape as Iterable<bigint>, Number),
      outcome: row.outcome,
      message: row.message ?? undefined,
      bytesIn: Number(row.bytes_in),
      bytesOut: Number(row.bytes_out),
      bitWidth: row.bit_width ?? undefined,
      rmse: row.rmse ?? undefined,
      cosine: row.cosine ?? undefined,
    };
  }
}
