/** Whether tables can be quantized at all. */

import type { ArrowSchema } from "../../bindings/arrow.ts";
import { exportSchema } from "../../bindings/cdata/to_native.ts";
import { currentContext } from "../../bindings/context.ts";
import { nativeOptions, type QuantizeOptions } from "./options.ts";

/**
 * Checks that tables of a schema have the columns that `quantizeArrow` needs. Throws one `BowstringError`, with the code
 * `INVALID_ARGUMENT`, whose message lists every column that does not fit, what is expected and what was found.
 *
 * @example
 * ```ts
 * import { validateQuantizationSchema } from "@bowstring/bowstring";
 * import { Field, Int32, Schema } from "apache-arrow";
 *
 * try {
 *   validateQuantizationSchema(new Schema([new Field("layer_name", new Int32())]));
 * } catch (error) {
 *   // It names layer_name, which is no text, and weights, which is missing.
 *   console.log((error as Error).message);
 * }
 * ```
 *
 * @param options Those of the quantization: with `importance` that column is needed, too.
 */
export function validateQuantizationSchema(
  schema: ArrowSchema,
  options: QuantizeOptions = {},
): void {
  const context = currentContext();
  const { native, error } = context;
  using exported = exportSchema(schema);
  const { pointer, bytes } = nativeOptions(context, options);
  context.check(
    native.bow_quantize_validate(exported.address, pointer, bytes.length, error.pointer),
  );
}
