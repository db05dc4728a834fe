/** Parameters of a query: values of JavaScript as one row of Arrow columns. */

import {
  Binary,
  Bool,
  Float64,
  Int64,
  Null,
  type RecordBatch,
  Table,
  TimestampMillisecond,
  Utf8,
  type Vector,
  vectorFromArray,
} from "apache-arrow";
import { BowstringError } from "../errors.ts";
import type { IngestSource } from "../cdata/source.ts";

/**
 * A value of one parameter. A whole number within the safe range is an Int64, any other number a Float64, a bigint an
 * Int64, a Date a timestamp in milliseconds without a zone, bytes a Binary.
 */
export type ParameterValue = null | boolean | number | bigint | string | Date | Uint8Array;

/**
 * The parameters of a query, in order: values, or Arrow data with a column for each, of any type. The query is run for each
 * row of it, where the driver can; DuckDB's takes one row.
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
    columnOf(value, index),
  ]);
  return new Table(Object.fromEntries(columns)).batches[0]!;
}

function columnOf(value: ParameterValue, index: number): Vector {
  if (value === null) return vectorFromArray([null], new Null());
  if (value instanceof Date) return vectorFromArray([value.getTime()], new TimestampMillisecond());
  if (value instanceof Uint8Array) return vectorFromArray([value], new Binary());
  switch (typeof value) {
    case "boolean":
      return vectorFromArray([value], new Bool());
    case "bigint":
      return int64(value, index);
    case "number":
      // Zero has a sign in floats only.
      return Number.isSafeInteger(value) && !Object.is(value, -0)
        ? int64(BigInt(value), index)
        : vectorFromArray([value], new Float64());
    case "string":
      return vectorFromArray([value], new Utf8());
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

function int64(value: bigint, index: number): Vector {
  if (BigInt.asIntN(64, value) !== value) {
    throw new BowstringError(
      "INVALID_ARGUMENT",
      `parameter ${index + 1}: expected a bigint of 64 bits but found ${value}`,
    );
  }
  return vectorFromArray([value], new Int64());
}
