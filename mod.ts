/**
 * Bowstring: Arrow tables that native code fills and Deno or Bun reads in place, without copying and without N-API; and an
 * engine behind that boundary that turns source code into tables of its definitions, its identifiers and what they refer to.
 *
 * @example Count the definitions of a directory, batch by batch
 * ```ts
 * import { extractWorkspace } from "@bowstring/bowstring";
 *
 * let definitions = 0;
 * for await (const batch of extractWorkspace("src")) {
 *   definitions += batch.symbols.numRows;
 *   batch.release(); // the memory is the native library's, and goes back to it
 * }
 * console.log(definitions);
 * ```
 *
 * @example Index a directory and look a name up
 * ```ts
 * import { indexWorkspace, openStore } from "@bowstring/bowstring";
 *
 * const { out, files } = await indexWorkspace("src");
 * console.log(`${files} files`);
 *
 * using store = openStore(out);
 * using answer = await store.defs("greet");
 * for (const { file_path, start_line } of answer.value) {
 *   console.log(`${file_path}:${start_line}`);
 * }
 * ```
 *
 * Tables are [apache-arrow](https://www.npmjs.com/package/apache-arrow) `RecordBatch`es over native memory. Whoever is
 * given a batch or a {@link Lease} owns it and gives it back with `release()` or `using`; afterwards, reading the tables
 * throws {@link LeaseReleasedError}. `docs/ownership.md` has the rules, and what happens when one is broken. Options of
 * {@link ImportOptions} copy the data into JavaScript's own memory instead, where no rule applies.
 *
 * The native library is loaded at the first use, from `BOWSTRING_LIBRARY`, the package for the platform, or a local build;
 * {@link LibraryLoadError} says what to do when there is none. Deno needs `--allow-ffi`, and `--allow-read` and
 * `--allow-env` to find the library.
 *
 * @module
 */

export * as adbc from "./bindings/adbc/mod.ts";
export type { ArrowField, ArrowSchema, ArrowVector } from "./bindings/arrow.ts";
export type { Address, ArrowImportOptions, Validation } from "./bindings/cdata/addresses.ts";
export type { ExportMode } from "./bindings/cdata/build.ts";
export type { ExportOptions } from "./bindings/cdata/exporter.ts";
export { importArray, importRecordBatch, importSchema } from "./bindings/cdata/from_native.ts";
export {
  importStream,
  importTable,
  type RecordBatchStream,
  type StreamOptions,
} from "./bindings/cdata/stream_in.ts";
export {
  type BatchSource,
  type ExportedStream,
  exportStream,
  exportTable,
  type StreamExportOptions,
} from "./bindings/cdata/stream_out.ts";
export {
  allocate,
  type ArrayDestination,
  type ArrayExportOptions,
  exportArray,
  type ExportedArray,
  type ExportedSchema,
  exportRecordBatch,
  exportSchema,
  type SchemaExportOptions,
} from "./bindings/cdata/to_native.ts";
export { type Stats, stats } from "./bindings/context.ts";
export {
  type CallOptions,
  type FunctionArguments,
  type FunctionDeclaration,
  type FunctionInputs,
  type FunctionResults,
  type Library,
  type LibraryFunction,
  openLibrary,
  type ParameterKind,
  type ResultKind,
} from "./bindings/functions.ts";
export {
  AdbcError,
  BatchTooLargeError,
  BowstringError,
  type ErrorCode,
  LayerError,
  LeaseReleasedError,
  LibraryLoadError,
  StaleHandleError,
} from "./bindings/errors.ts";
export type { Hold, ImportOptions, Lease } from "./bindings/cdata/lease.ts";
export type { JobOptions, Progress } from "./bindings/job.ts";
export { VERSION } from "./bindings/library.ts";
export {
  extractFilesToArrow,
  type ExtractionBatch,
  type ExtractionJob,
  type ExtractOptions,
  extractStream,
  extractWorkspace,
} from "./pipeline/extract.ts";
export { type IndexOptions, type IndexSummary, indexWorkspace } from "./pipeline/indexer.ts";
export {
  dequantizeArrow,
  dequantizeArrowBatch,
  dequantizeStream,
} from "./pipeline/quantization/dequantize.ts";
export {
  type LayerReport,
  quantizeFile,
  type QuantizeFileOptions,
  type QuantizeFileSummary,
} from "./pipeline/quantization/files.ts";
export type { LayerStream } from "./pipeline/quantization/jobs.ts";
export type {
  DequantizeOptions,
  LayerOptions,
  LayerOverride,
  QuantizationJobOptions,
  QuantizationProgress,
  QuantizeOptions,
} from "./pipeline/quantization/options.ts";
export {
  type CodeType,
  quantizeWith,
  type QuantizeWithOptions,
} from "./pipeline/quantization/primitive.ts";
export {
  quantizeArrow,
  quantizeArrowBatch,
  quantizeStream,
} from "./pipeline/quantization/quantize.ts";
export type { Quantized } from "./pipeline/quantization/results.ts";
export { validateQuantizationSchema } from "./pipeline/quantization/schema.ts";
export {
  type DefsOptions,
  type IndexCounts,
  openStore,
  type QueryOptions,
  type Store,
  type StoreOptions,
} from "./pipeline/store.ts";
