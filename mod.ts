/**
 * Bowstring: Arrow data between Deno or Bun and native code, without copying and without N-API, and a native engine
 * behind that boundary that turns source code into Arrow tables.
 *
 * @module
 */

export { type Stats, stats } from "./bindings/context.ts";
export {
  BatchTooLargeError,
  BowstringError,
  type ErrorCode,
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
  type DefsOptions,
  type IndexCounts,
  openStore,
  type QueryOptions,
  type Store,
  type StoreOptions,
} from "./pipeline/store.ts";
