/** Schemas out: apache-arrow types of any version as the library's JSON. */

import { BowstringError } from "../errors.ts";
import { type ForeignField, type ForeignSchema, type ForeignType, TYPE } from "./foreign.ts";
import { DICTIONARY_ORDERED, MAP_KEYS_SORTED, NULLABLE, type SchemaJson } from "./schema_json.ts";

/** The schema of a record batch: a struct of its columns. */
export function schemaJson(schema: ForeignSchema): SchemaJson {
  return {
    format: "+s",
    name: "",
    metadata: metadataJson(schema.metadata),
    flags: 0,
    children: schema.fields.map((field, index) =>
      fieldJson(field, `column[${index}] "${field.name}"`)
    ),
    dictionary: null,
  };
}

/** The schema of one array. `path` names the place in messages. */
export function fieldJson(field: ForeignField, path: string): SchemaJson {
  const { type } = field;
  const encoded = type.typeId === TYPE.Dictionary;
  const children = encoded ? [] : type.children ?? [];
  let flags = field.nullable ? NULLABLE : 0;
  if (encoded && type.isOrdered) flags |= DICTIONARY_ORDERED;
  if (type.typeId === TYPE.Map && type.keysSorted) flags |= MAP_KEYS_SORTED;
  return {
    format: formatOf(encoded ? type.indices! : type, path),
    name: field.name,
    metadata: metadataJson(field.metadata),
    flags,
    children: children.map((child) => fieldJson(child, `${path} -> ${child.name}`)),
    dictionary: encoded
      ? fieldJson({ name: "", type: type.dictionary!, nullable: true }, `${path} -> dictionary`)
      : null,
  };
}

function metadataJson(
  metadata: ReadonlyMap<string, string> | null | undefined,
): [string, string][] | null {
  return metadata && metadata.size > 0 ? [...metadata] : null;
}

/** By bit width. */
const SIGNED: Readonly<Record<number, string>> = { 8: "c", 16: "s", 32: "i", 64: "l" };
/** By precision: half, single, double. */
const FLOATS = "efg";
/** By unit: day, millisecond. */
const DATES = ["tdD", "tdm"];
/** By unit: second, millisecond, microsecond, nanosecond. */
const TIME_UNITS = "smun";
/** By unit: year and month; day and time; month, day and nanosecond. */
const INTERVALS = ["tiM", "tiD", "tin"];
/** `UnionMode.Dense` */
const DENSE = 1;

const FORMATS: ReadonlyMap<number, string> = new Map<number, string>([
  [TYPE.Null, "n"],
  [TYPE.Bool, "b"],
  [TYPE.Binary, "z"],
  [TYPE.LargeBinary, "Z"],
  [TYPE.BinaryView, "vz"],
  [TYPE.Utf8, "u"],
  [TYPE.LargeUtf8, "U"],
  [TYPE.Utf8View, "vu"],
  [TYPE.List, "+l"],
  [TYPE.LargeList, "+L"],
  [TYPE.Struct, "+s"],
  [TYPE.Map, "+m"],
]);

/** The format string of a type that is not dictionary-encoded. */
export function formatOf(type: ForeignType, path: string): string {
  const format = FORMATS.get(type.typeId) ?? parametric(type);
  if (format !== undefined) return format;
  throw new BowstringError(
    "UNSUPPORTED",
    `${path}: ${type} (type id ${type.typeId}) is not a type that can be exported`,
  );
}

function parametric(type: ForeignType): string | undefined {
  const unit = TIME_UNITS[type.unit ?? -1];
  switch (type.typeId) {
    case TYPE.Int: {
      const format = SIGNED[type.bitWidth!];
      return type.isSigned ? format : format?.toUpperCase();
    }
    case TYPE.Float:
      return FLOATS[type.precision!];
    case TYPE.Decimal: {
      const { precision, scale, bitWidth = 128 } = type;
      return `d:${precision},${scale}${bitWidth === 128 ? "" : `,${bitWidth}`}`;
    }
    case TYPE.Date:
      return DATES[type.unit!];
    case TYPE.Time:
      return unit && `tt${unit}`;
    case TYPE.Timestamp:
      return unit && `ts${unit}:${type.timezone ?? ""}`;
    case TYPE.Duration:
      return unit && `tD${unit}`;
    case TYPE.Interval:
      return INTERVALS[type.unit!];
    case TYPE.FixedSizeBinary:
      return `w:${type.byteWidth}`;
    case TYPE.FixedSizeList:
      return `+w:${type.listSize}`;
    case TYPE.Union:
      return `+u${type.mode === DENSE ? "d" : "s"}:${Array.from(type.typeIds!)}`;
    default:
      return undefined;
  }
}
