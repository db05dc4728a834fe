/** Nested types, and values of theirs. `nested_columns.ts` lays them out. */

import type { Random } from "./random.ts";

/** A type. */
export type Shape =
  | { readonly kind: Leaf }
  | { readonly kind: List; readonly item: Shape }
  | { readonly kind: "fixed-size list"; readonly item: Shape; readonly size: number }
  | { readonly kind: "map"; readonly item: Shape }
  | { readonly kind: "struct"; readonly fields: readonly Shape[] }
  | Union
  | { readonly kind: "dictionary"; readonly item: Shape; readonly keys: KeyFormat }
  | { readonly kind: "run-end encoded"; readonly item: Shape; readonly ends: "s" | "i" | "l" };

export interface Union {
  readonly kind: "dense union" | "sparse union";
  readonly fields: readonly Shape[];
}

/** Types without children. */
export const LEAVES = [
  "null",
  "bool",
  "int32",
  "int64",
  "float64",
  "decimal128",
  "utf8",
  "large utf8",
  "utf8 view",
  "binary view",
  "fixed-size binary",
] as const;
/** Lists whose rows may be of any length. */
export const LISTS = ["list", "large list", "list view", "large list view"] as const;
/** All types with children. */
export const NESTED = [
  ...LISTS,
  "fixed-size list",
  "struct",
  "map",
  "dictionary",
  "dense union",
  "sparse union",
  "run-end encoded",
] as const;

export type Leaf = (typeof LEAVES)[number];
export type List = (typeof LISTS)[number];
/** A type with children. */
export type Nested = (typeof NESTED)[number];
export type KeyFormat = "c" | "C" | "s" | "i" | "l";

/** How a column is laid out. */
export interface Layout {
  /** The offset of the next array. */
  readonly lead: () => number;
  /** Whether there are rows after the last one, null rows that refer to something, and so on. */
  readonly messy: boolean;
  readonly random: Random;
}

/** A nested type of this kind around another. */
export function around(kind: Nested, item: Shape, random: Random): Shape {
  switch (kind) {
    case "struct":
    case "dense union":
    case "sparse union":
      return { kind, fields: [{ kind: random.pick(LEAVES) }, item] };
    case "fixed-size list":
      return { kind, item, size: random.below(3) + 1 };
    case "dictionary":
      return { kind, item, keys: random.pick(["c", "C", "s", "i", "l"]) };
    case "run-end encoded":
      return { kind, item, ends: random.pick(["s", "i", "l"]) };
    default:
      return { kind, item };
  }
}

/** The type in words. */
export function nameOf(shape: Shape): string {
  if ("item" in shape) return `${shape.kind}<${nameOf(shape.item)}>`;
  if ("fields" in shape) return `${shape.kind}<${shape.fields.map(nameOf).join(", ")}>`;
  return shape.kind;
}

const WORDS = [
  "",
  "a",
  "zwölf",
  "日本",
  "a text that is longer than a view",
  "another, not shorter one",
];
const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("").toUpperCase();

export function leafValue(kind: Leaf, random: Random): unknown {
  const small = random.below(2_000) - 1_000;
  switch (kind) {
    case "null":
      return null;
    case "bool":
      return random.chance(0.5);
    case "int32":
      return small;
    case "float64":
      return small / 8;
    case "int64":
      return `${BigInt(small) * 10_000_000_000n}`;
    case "decimal128":
      return `${BigInt(small) * 10n ** 25n}`;
    case "binary view":
      return hex(new TextEncoder().encode(random.pick(WORDS)));
    case "fixed-size binary":
      return hex(Uint8Array.of(random.below(256), random.below(256), random.below(256)));
    default:
      return random.pick(WORDS);
  }
}

/** Values of a type, in the form of `plainValue`. */
export function valuesOf(shape: Shape, count: number, nulls: boolean, random: Random): unknown[] {
  const values: unknown[] = [];
  for (let row = 0; row < count; row++) {
    // Runs and dictionaries are about equal values.
    const repeat = row > 0 && random.chance(shape.kind === "run-end encoded" ? 0.6 : 0.1);
    values.push(repeat ? values[row - 1] : valueOf(shape, nulls, random));
  }
  return values;
}

export function valueOf(shape: Shape, nulls: boolean, random: Random): unknown {
  // Unions and run-end encoded arrays are as null as what they hold.
  const own = shape.kind !== "run-end encoded" && !shape.kind.endsWith("union");
  if (own && nulls && random.chance(0.25)) return null;
  switch (shape.kind) {
    case "list":
    case "large list":
    case "list view":
    case "large list view":
      return valuesOf(shape.item, random.below(4), nulls, random);
    case "fixed-size list":
      return valuesOf(shape.item, shape.size, nulls, random);
    case "map": {
      const items = valuesOf(shape.item, random.below(3), nulls, random);
      return items.map((item, index) => [`k${index}`, item]);
    }
    case "struct":
      return shape.fields.map((field, index) => [`f${index}`, valueOf(field, nulls, random)]);
    case "dense union":
    case "sparse union": {
      const type = random.below(shape.fields.length);
      return new Variant(type, valueOf(shape.fields[type]!, nulls, random));
    }
    case "dictionary":
    case "run-end encoded":
      return valueOf(shape.item, nulls, random);
    default:
      return leafValue(shape.kind, random);
  }
}

/** The value of a union, which knows the child that it is in. */
export class Variant {
  readonly type: number;
  readonly value: unknown;

  constructor(type: number, value: unknown) {
    this.type = type;
    this.value = value;
  }
}

/** Values as they are read: those of unions do not say which child they are in. */
export function plain(value: unknown): unknown {
  if (value instanceof Variant) return plain(value.value);
  return Array.isArray(value) ? value.map(plain) : value;
}
