/**
 * Databases that speak Arrow, through their [ADBC](https://arrow.apache.org/adbc/) drivers: shared libraries with one set
 * of functions for all of them. What a query gives is record batches in the driver's own memory, and what is ingested is
 * read where JavaScript has it; nothing is copied in between.
 *
 * @example
 * ```ts
 * import { adbc } from "@bowstring/bowstring";
 *
 * await using connection = await adbc.connect({
 *   driver: "libduckdb.so",
 *   entrypoint: "duckdb_adbc_init",
 * });
 * for await (const batch of connection.query("SELECT 6 * 7 AS answer")) {
 *   console.log(batch.value.getChild("answer")?.get(0)); // 42
 *   batch.release();
 * }
 * ```
 *
 * @module
 */

export { connect, type ConnectOptions } from "./connect.ts";
export type {
  Connection,
  ExecuteOptions,
  IngestMode,
  IngestOptions,
  ObjectsOptions,
  QueryOptions,
  TableOptions,
} from "./connection.ts";
export type { DriverOptions } from "./operations.ts";
export type { IngestSource } from "../cdata/source.ts";
export type { Parameters, ParameterValue } from "./parameters.ts";
