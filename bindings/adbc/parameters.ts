/** Parameters of a query: values of JavaScript as one row of Arrow columns. */

import {
  Binary,
  Bool,
  type DataType,
  Float64,
  Int64,
  Null,
  type RecordBatch,
  Table,
  TimestampMillisecond,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import { BowstringError } from "../errors.ts";
import type { IngestSource } from "./input.ts";

/**
 * A value of one parameter. A whole number within the safe range is an Int64, any other number a Float64, a bigint an
 * Int64, a Date a timestamp in milliseconds without a zone, bytes a Binary.
 */
export type ParameterValue = null | boolean | number | bigint | string | Date | Uint8Array;

/**
 * The parameters of a query, in order: values, or Arrow data with a column for each, of any type. The query is run for each
 * row of it.
 */
export type Parameters = readonly ParameterValue[] | IngestSource;

/** Whether these are values, rather than Arrow data. */
export function areValues(parameters: Parameters): parameters is readonly ParameterValue[] {
  if (!Array.isArray(parameters)) return false;
  const [first] = parameters;
  // An array of record batches, or of leases, is Arrow data.
  return first === undefined || first === null || typeof first !== "object" ||
    first instanceof Date || first instanceof Uint8Array;
}

/** One row of the values, each in a column. */
export function rowOf(values: readonly ParameterValue[]): RecordBatch {
  const columns = values.map((value, index) => [
    `${index + 1}`,
    vectorFromArray([value], typeOf(value, index)),
  ]);
  return new Table(Object.fromEntries(columns)).batches[0]!;
}

function typeOf(value: ParameterValue, index: number): DataType {
  if (value === null) return new Null();
  if (value instanceof Date) return new TimestampMillisecond();
  if (value instanceof Uint8Array) return new Binary();
  switch (typeof value) {
    case "boolean":
      return new Bool();
    case "bigint":
      return new Int64();
    case "number":
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? new Int64() : new Float64();
    case "string":
      return new Utf8();
    default:
      throw new BowstringError(
        "INVALID_ARGUMENT",
        `parameter ${
          index + 1
        }: expected null, a boolean, a number, a bigint, a string, a Date or a Uint8Array ` +
          `but found ${typeof value}`,
      );
  }
}
