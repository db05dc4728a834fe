/** What a quantization may be asked. The library checks it, and names what is wrong with it. */

import type { Context } from "../../bindings/context.ts";
import { encodeOptions, type JobOptions } from "../../bindings/job.ts";
import type { Scratch } from "../../bindings/runtime.ts";

/** How far a quantization has come. The layers of a stream come to be known batch by batch. */
export interface QuantizationProgress {
  /** Layers to process. */
  readonly layersTotal: number;
  /** Their values. A layer that has to be done again, for `minCosine` or `onInvalid`, adds its values again. */
  readonly valuesTotal: number;
  /** Layers finished, whatever the outcome. */
  readonly layersDone: number;
  /** Values finished. */
  readonly valuesDone: number;
}

/** What every quantization and dequantization takes. */
export interface QuantizationJobOptions extends JobOptions {
  /** Native worker threads. 0, the default, means one per core. The result does not depend on it. */
  readonly threads?: number;
  /** The instruction set, by default the best that the machine has. The result does not depend on it. */
  readonly instructionSet?: "portable" | "avx2" | "avx512";
  /** Called a few times a second while it works, and with each result. An error that it throws ends the work. */
  readonly onProgress?: (progress: QuantizationProgress) => void;
}

/** What may be said of layers by their names as well as of all. */
export interface LayerOptions {
  /** Bits of a code, 4 by default. */
  readonly bitWidth?: 2 | 4 | 8;
  /**
   * Which values share a scale: `"tensor"`, all; `"channel"`, those of one index along `axis`; `"group"`, the default, runs
   * of `groupSize` values along the last axis, of which the last may be shorter.
   */
  readonly granularity?: "tensor" | "channel" | "group";
  /** The axis of granularity `"channel"`, from the end if negative. 0 by default. */
  readonly axis?: number;
  /** The length of groups, 128 by default and 32 in layout `"ggml"`. */
  readonly groupSize?: 32 | 64 | 128 | 256;
  /**
   * How a range becomes codes: `"asymmetric"`, the default, unsigned codes of a range that includes 0; `"symmetric"`, codes
   * within plus or minus 2^(bitWidth - 1) - 1. ggml's 8 bits are symmetric.
   */
  readonly scheme?: "asymmetric" | "symmetric";
  /**
   * How codes are stored: `"onnx"`, the default, packed, the first in the low bits; `"ggml"`, blocks Q8_0, Q4_0 and Q4_1;
   * `"mlx"`, 32-bit words with float biases; `"unpacked"`, one byte a code.
   */
  readonly layout?: "onnx" | "ggml" | "mlx" | "unpacked";
  /** `"mse"` searches for scales of the least mean squared error; `"none"`, the default, covers the range. */
  readonly search?: "none" | "mse";
  /** A layer whose cosine similarity with its original is below this is done again with wider codes, up to 8 bits. */
  readonly minCosine?: number;
  /** Whether scales are to be exact in float16, too. `"float32"` by default. */
  readonly scaleType?: "float32" | "float16";
}

/** Options for the layers whose name matches a pattern. */
export interface LayerOverride extends LayerOptions {
  /**
   * A glob over the whole name: `*` any run of characters, `?` one, `[abc]` one of these, `{a,b}` either. Outside of ASCII `?`
   * and `[abc]` stand for a byte of UTF-8, of which a character has several.
   */
  readonly pattern: string;
}

/** What a quantization takes. */
export interface QuantizeOptions extends LayerOptions, QuantizationJobOptions {
  /**
   * The name of a list<float32> column that weights the squared errors of the search: one weight for each index along the
   * last axis, or one for each value.
   */
  readonly importance?: string;
  /**
   * What to do about null lists, null elements, NaN and infinities: `"error"`, the default, throws `LayerError`; `"skip"`
   * leaves the layer out and reports it; `"clip"` takes null and NaN for 0, and infinities for the layer's largest finite
   * magnitude (a null list is still an error).
   */
  readonly onInvalid?: "error" | "skip" | "clip";
  /** Leaves out and reports layers that fail, for whatever reason, instead of throwing. */
  readonly continueOnError?: boolean;
  /** Other options for some layers. Where several patterns match, later ones win, option by option. */
  readonly overrides?: readonly LayerOverride[];
  /** Whether to fill the columns rmse, max_abs_error, sqnr_db and cosine, `true` by default. */
  readonly statistics?: boolean;
}

/** What a dequantization takes. */
export type DequantizeOptions = QuantizationJobOptions;

/** The options that are native code's, as it reads them. What it does not know it refuses by name. */
export function nativeOptions<T extends QuantizationJobOptions>(
  context: Context,
  options: T,
): Scratch {
  const { signal: _, copy: _1, onCollect: _2, maxLiveBytes: _3, onProgress: _4, ...native } =
    options;
  return encodeOptions(context, native, (_, value: unknown) => {
    // JSON has no such values; as text they are refused with what was found.
    if (typeof value === "function" || typeof value === "symbol") return typeof value;
    if (typeof value === "bigint") return `${value}n`;
    return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  });
}
