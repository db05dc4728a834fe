/** Addresses as callers write them, and the options that say how what is there comes in. */

import { CONSTANTS } from "../abi.ts";
import { BowstringError } from "../errors.ts";
import type { ImportOptions } from "./lease.ts";

/** The address of a struct of the Arrow C interfaces, as a whole number. */
export type Address = bigint | number;

/**
 * How far tables from outside are checked before they are shown:
 *
 * - `"none"`: what could not be described otherwise, such as the numbers of buffers and children;
 * - `"minimal"`: what the structs say, such as lengths, null counts, missing buffers and names;
 * - `"default"`: the first and last offset of each column too, in constant time per column;
 * - `"full"`: all offsets, all text and all null counts too, which reads the data once.
 */
export type Validation = "none" | "minimal" | "default" | "full";

/** How arrays of other libraries come in. */
export interface ArrowImportOptions extends ImportOptions {
  /** How far they are checked; `"default"` by default. */
  readonly validate?: Validation;
  /**
   * `true` throws `UNSUPPORTED`, naming the column, where a type or a name would have to be converted; otherwise it is,
   * and the field's metadata says what it was. `docs/types.md` lists the conversions.
   */
  readonly strict?: boolean;
}

const LEVELS: Readonly<Record<Validation, number>> = {
  none: CONSTANTS.VALIDATE_NONE,
  minimal: CONSTANTS.VALIDATE_MINIMAL,
  default: CONSTANTS.VALIDATE_DEFAULT,
  full: CONSTANTS.VALIDATE_FULL,
};

/** The flags of the C ABI for these options. */
export function importFlags({ validate = "default", strict = false }: ArrowImportOptions): number {
  const level: number | undefined = LEVELS[validate];
  if (level === undefined) {
    throw new BowstringError(
      "INVALID_ARGUMENT",
      `expected "none", "minimal", "default" or "full" for validate but found ${
        JSON.stringify(validate)
      }`,
    );
  }
  return level | (strict ? CONSTANTS.IMPORT_STRICT : CONSTANTS.IMPORT_CONVERT);
}

/** The address as a number. Throws `INVALID_ARGUMENT` for what can be none. */
export function toAddress(address: Address, what: string): number {
  const number = Number(address);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new BowstringError(
    "INVALID_ARGUMENT",
    `expected the address of an ${what} but found ${String(address)}`,
  );
}
