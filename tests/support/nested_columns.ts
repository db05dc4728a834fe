/**
 * Nested columns as a foreign producer may lay them out: each array has an offset of its own, rows before its first one
 * and after its last one, null rows that refer to something, and lists, views and runs in an order of their own. What
 * belongs to no row is filled with other values, so that reading it shows.
 */

import { bitmap, bytesOf } from "./bits.ts";
import type { Column } from "./columns.ts";
import {
  type KeyFormat,
  type Layout,
  type Leaf,
  leafValue,
  type List,
  plain,
  type Shape,
  type Union,
  valueOf,
  valuesOf,
  type Variant,
} from "./nested.ts";

type Parts = Pick<Column, "format" | "buffers"> & Partial<Column>;

/** A column of these values. */
export function columnOf(
  shape: Shape,
  values: readonly unknown[],
  layout: Layout,
  name = "column",
  nullable = true,
): Column {
  const { lead, messy, random } = layout;
  const offset = lead();
  const tail = messy ? random.below(3) : 0;
  const filler = (count: number) => valuesOf(shape, count, nullable, random);
  const all = [...filler(offset), ...values, ...filler(tail)];
  const nulls = values.filter((value) => value === null).length;
  const parts = encode(shape, all, layout);
  const [first, ...rest] = parts.buffers;
  const hasNulls = all.some((value) => value === null);
  const without = !hasNulls || (nulls === 0 && random.chance(0.5));
  const hasValidity = first === VALIDITY;
  return {
    name,
    nullable,
    length: values.length,
    nullCount: !hasValidity
      ? shape.kind === "null" ? values.length : 0
      : messy && random.chance(0.3) && !without
      ? -1
      : nulls,
    offset,
    children: [],
    values: values.map(plain),
    ...parts,
    buffers: hasValidity
      ? [without ? null : bitmap(all.map((value) => value !== null)), ...rest]
      : parts.buffers,
  };
}

/** Stands for the validity bitmap, which all types that have one have first. */
const VALIDITY = new Uint8Array(0);

function encode(shape: Shape, all: readonly unknown[], layout: Layout): Parts {
  switch (shape.kind) {
    case "list":
    case "large list":
      return list(shape, all, layout);
    case "list view":
    case "large list view":
      return listView(shape, all, layout);
    case "fixed-size list": {
      const { item, size } = shape;
      const filler = () => valuesOf(item, size, true, layout.random);
      const items = all.flatMap((value) => (value as unknown[] | null) ?? filler());
      return {
        format: `+w:${size}`,
        buffers: [VALIDITY],
        children: [columnOf(item, items, layout, "item")],
      };
    }
    case "map":
      return map(shape, all, layout);
    case "struct": {
      const rows = all as readonly ([string, unknown][] | null)[];
      const children = shape.fields.map((field, index) => {
        const filler = () => valueOf(field, true, layout.random);
        const items = rows.map((row) => row === null ? filler() : row[index]![1]);
        return columnOf(field, items, layout, `f${index}`);
      });
      return { format: "+s", buffers: [VALIDITY], children };
    }
    case "dense union":
    case "sparse union":
      return union(shape, all as readonly Variant[], layout);
    case "dictionary":
      return dictionary(shape, all, layout);
    case "run-end encoded":
      return runs(shape, all, layout);
    default:
      return leaf(shape.kind, all, layout);
  }
}

/** Offsets and the items that they cut; null rows refer to items too, and the first offset need not be 0. */
function ranges(item: Shape, all: readonly unknown[], { messy, random }: Layout) {
  const filler = () => messy ? valuesOf(item, random.below(3), true, random) : [];
  const items: unknown[] = filler();
  const offsets = [items.length];
  for (const value of all) {
    items.push(...(value as unknown[] | null) ?? filler());
    offsets.push(items.length);
  }
  return { items, offsets };
}

function list(
  { kind, item }: Extract<Shape, { kind: List }>,
  all: readonly unknown[],
  layout: Layout,
): Parts {
  const { items, offsets } = ranges(item, all, layout);
  const large = kind === "large list";
  return {
    format: large ? "+L" : "+l",
    buffers: [VALIDITY, integers(large ? "l" : "i", offsets)],
    children: [columnOf(item, items, layout, "item")],
  };
}

function listView(
  { kind, item }: Extract<Shape, { kind: List }>,
  all: readonly unknown[],
  layout: Layout,
): Parts {
  const { messy, random } = layout;
  const items: unknown[] = [];
  const offsets: number[] = [];
  const sizes: number[] = [];
  const order = all.map((_, row) => row);
  if (messy) order.reverse();
  for (const row of order) {
    const value = (all[row] as unknown[] | null) ??
      (messy ? valuesOf(item, random.below(3), true, random) : []);
    offsets[row] = items.length;
    sizes[row] = value.length;
    items.push(...value);
  }
  const large = kind === "large list view";
  const format = large ? "l" : "i";
  return {
    format: large ? "+vL" : "+vl",
    buffers: [VALIDITY, integers(format, offsets), integers(format, sizes)],
    children: [columnOf(item, items, layout, "item")],
  };
}

function map(
  { item }: Extract<Shape, { kind: "map" }>,
  all: readonly unknown[],
  layout: Layout,
): Parts {
  const entry: Shape = { kind: "struct", fields: [{ kind: "utf8" }, item] };
  const { messy, random } = layout;
  const entries: unknown[] = [];
  const offsets = [0];
  for (const value of all) {
    const pairs = (value as [string, unknown][] | null) ??
      (messy && random.chance(0.5) ? [["unused", valueOf(item, true, random)]] : []);
    entries.push(...pairs.map(([key, value]) => [["f0", key], ["f1", value]]));
    offsets.push(entries.length);
  }
  const struct = columnOf(entry, entries, layout, "pairs", false);
  const [keys, values] = struct.children;
  return {
    format: "+m",
    buffers: [VALIDITY, integers("i", offsets)],
    children: [{
      ...struct,
      children: [{ ...keys!, name: "k", nullable: false }, { ...values!, name: "v" }],
    }],
  };
}

function union(
  { kind, fields }: Union,
  all: readonly Variant[],
  layout: Layout,
): Parts {
  const { messy, random } = layout;
  // Type ids need not count from 0.
  const ids = fields.map((_, index) => 5 + 2 * index);
  const typeIds = Uint8Array.from(all, ({ type }) => ids[type]!);
  const format = (letter: string) => `+u${letter}:${ids.join()}`;
  if (kind === "sparse union") {
    const children = fields.map((field, index) => {
      const items = all.map(({ type, value }) =>
        type === index ? value : valueOf(field, true, random)
      );
      return columnOf(field, items, layout, `f${index}`);
    });
    return { format: format("s"), buffers: [typeIds], children };
  }
  const items: unknown[][] = fields.map((field) =>
    messy ? valuesOf(field, random.below(3), true, random) : []
  );
  const offsets = all.map(({ type, value }) => items[type]!.push(value) - 1);
  const children = fields.map((field, index) =>
    columnOf(field, items[index]!, layout, `f${index}`)
  );
  return { format: format("d"), buffers: [typeIds, integers("i", offsets)], children };
}

function dictionary(
  { item, keys }: Extract<Shape, { kind: "dictionary" }>,
  all: readonly unknown[],
  layout: Layout,
): Parts {
  const { messy, random } = layout;
  const values: unknown[] = messy ? valuesOf(item, 2, false, random) : [];
  const places = new Map<string, number>();
  const found = all.map((value) => {
    if (value === null) return messy ? random.below(100) : 0;
    const text = JSON.stringify(value);
    const place = places.get(text) ?? values.push(value) - 1;
    places.set(text, place);
    return place;
  });
  return {
    format: keys,
    buffers: [VALIDITY, integers(keys, found)],
    dictionary: columnOf(item, values, layout, ""),
  };
}

function runs(
  { item, ends }: Extract<Shape, { kind: "run-end encoded" }>,
  all: readonly unknown[],
  layout: Layout,
): Parts {
  const found: number[] = [];
  const values: unknown[] = [];
  all.forEach((value, row) => {
    const same = row > 0 && JSON.stringify(value) === JSON.stringify(all[row - 1]);
    if (same && !(layout.messy && layout.random.chance(0.2))) {
      found[found.length - 1] = row + 1;
    } else {
      found.push(row + 1);
      values.push(value);
    }
  });
  const runEnds: Column = {
    format: ends,
    name: "run_ends",
    nullable: false,
    length: found.length,
    nullCount: 0,
    offset: 0,
    buffers: [null, integers(ends, found)],
    children: [],
    values: [],
  };
  return {
    format: "+r",
    buffers: [],
    children: [runEnds, columnOf(item, values, layout, "values")],
  };
}

function integers(format: KeyFormat, values: readonly number[]): Uint8Array {
  switch (format) {
    case "c":
    case "C":
      return Uint8Array.from(values);
    case "s":
      return bytesOf(Int16Array.from(values));
    case "i":
      return bytesOf(Int32Array.from(values));
    case "l":
      return bytesOf(BigInt64Array.from(values, BigInt));
  }
}

/** Integers of 128 bits. */
function decimals(values: readonly bigint[]): Uint8Array {
  const words = values.flatMap((value) => [BigInt.asIntN(64, value), value >> 64n]);
  return bytesOf(BigInt64Array.from(words));
}

const unhex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16));

function leaf(kind: Leaf, all: readonly unknown[], { random }: Layout): Parts {
  // Below null rows there is something else.
  const stored = kind === "null" ? [] : all.map((value) => value ?? leafValue(kind, random));
  switch (kind) {
    case "null":
      return { format: "n", buffers: [] };
    case "bool":
      return { format: "b", buffers: [VALIDITY, bitmap(stored as boolean[])] };
    case "int32":
      return { format: "i", buffers: [VALIDITY, integers("i", stored as number[])] };
    case "float64":
      return { format: "g", buffers: [VALIDITY, bytesOf(Float64Array.from(stored as number[]))] };
    case "int64": {
      const values = BigInt64Array.from(stored as string[], BigInt);
      return { format: "l", buffers: [VALIDITY, bytesOf(values)] };
    }
    case "decimal128":
      return { format: "d:38,2", buffers: [VALIDITY, decimals((stored as string[]).map(BigInt))] };
    case "fixed-size binary": {
      return { format: "w:3", buffers: [VALIDITY, unhex(stored.join(""))] };
    }
    case "utf8":
    case "large utf8": {
      const text = (stored as string[]).map((value) => new TextEncoder().encode(value));
      const offsets = [0];
      for (const { length } of text) offsets.push(offsets.at(-1)! + length);
      const large = kind === "large utf8";
      return {
        format: large ? "U" : "u",
        buffers: [VALIDITY, integers(large ? "l" : "i", offsets), joined(text)],
      };
    }
    case "utf8 view":
      return views("vu", (stored as string[]).map((value) => new TextEncoder().encode(value)));
    case "binary view":
      return views("vz", (stored as string[]).map(unhex));
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Views of values; those that are not inlined alternate between two buffers. */
function views(format: string, values: readonly Uint8Array[]): Parts {
  const stored = new DataView(new ArrayBuffer(16 * values.length));
  const buffers: Uint8Array[][] = [[], []];
  const sizes = [0, 0];
  values.forEach((value, row) => {
    const at = 16 * row;
    stored.setInt32(at, value.length, true);
    value.subarray(0, value.length > 12 ? 4 : 12).forEach((byte, index) =>
      stored.setUint8(at + 4 + index, byte)
    );
    if (value.length <= 12) return;
    const buffer = row % 2;
    stored.setInt32(at + 8, buffer, true);
    stored.setInt32(at + 12, sizes[buffer]!, true);
    buffers[buffer]!.push(value);
    sizes[buffer]! += value.length;
  });
  const lengths = bytesOf(BigInt64Array.from(sizes, BigInt));
  return {
    format,
    buffers: [VALIDITY, bytesOf(stored), ...buffers.map(joined), lengths],
  };
}
