/**
 * Schemas in. The library describes each as JSON; the apache-arrow objects made from it, and the plan by which arrays of
 * that schema are imported, are cached by the library's fingerprint, so that a stream pays for its schema once.
 */

import { type DataType, Dictionary, Field, Schema } from "apache-arrow";
import { BowstringError } from "../errors.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { DICTIONARY_ORDERED, NULLABLE, type SchemaJson } from "./schema_json.ts";

/** How a node is imported: its type, its buffers, its children. */
export interface NodePlan {
  /** The apache-arrow type, shared by all arrays of the schema. */
  readonly type: DataType;
  /** Its buffers; for a dictionary-encoded node those of its keys. */
  readonly layout: Layout;
  /** The plans of its children. */
  readonly children: readonly NodePlan[];
  /** The plan of its dictionary's values. */
  readonly dictionary: NodePlan | undefined;
}

/** How a whole array is imported. */
export interface ArrayPlan {
  /** The array's own field. */
  readonly field: Field;
  /** The schema of a record batch whose columns are the children, shared by all batches. */
  readonly schema: Schema;
  /** The plan of the array itself. */
  readonly root: NodePlan;
  /** Whether the library converted something, or renamed a column. */
  readonly converted: boolean;
}

/** Keys of 64 bits are converted by the library: apache-arrow cannot look values up by them. */
const KEY_FORMATS = "cCsSiI";
/** How the library marks what it converted or renamed. */
const CONVERSION_KEYS: ReadonlySet<string> = new Set([
  "bowstring:original_type",
  "bowstring:original_name",
]);

/** Compiles a schema. Throws `UNSUPPORTED`, naming the place, for a type that is not imported. */
export function compile(json: SchemaJson): ArrayPlan {
  const { field, plan } = compileField(json, undefined);
  const children = json.dictionary === null ? field.type.children as Field[] | null : null;
  return {
    field,
    schema: new Schema(children ?? [], new Map(json.metadata)),
    root: plan,
    converted: isConverted(json),
  };
}

const fields = new WeakMap<object, Field>();

/**
 * The field that a type was imported with: a vector has only the type, and whether that was converted, or is an extension
 * type's storage, is in the field's metadata.
 */
export function fieldOf(type: object): Field | undefined {
  return fields.get(type);
}

function isConverted(json: SchemaJson): boolean {
  return json.metadata?.some(([key]) => CONVERSION_KEYS.has(key)) === true ||
    json.children.some(isConverted) ||
    (json.dictionary !== null && isConverted(json.dictionary));
}

function pathBelow(path: string | undefined, json: SchemaJson, index: number): string {
  return path === undefined ? `column[${index}] "${json.name}"` : `${path} -> ${json.name}`;
}

function compileField(
  json: SchemaJson,
  path: string | undefined,
): { field: Field; plan: NodePlan } {
  const layout = layoutOf(json.format);
  if (layout === undefined) refuse(path, `format "${json.format}"`);
  const below = json.children.map((child, at) => compileField(child, pathBelow(path, child, at)));
  let type = layout.type(below.map(({ field }) => field), json.flags);
  let dictionary: NodePlan | undefined;
  if (json.dictionary !== null) {
    if (!KEY_FORMATS.includes(json.format)) refuse(path, `a dictionary key "${json.format}"`);
    dictionary = compileField(json.dictionary, `${path ?? "array"} -> dictionary`).plan;
    const ordered = (json.flags & DICTIONARY_ORDERED) !== 0;
    type = new Dictionary(dictionary.type, type as Dictionary["indices"], null, ordered);
  }
  const field = new Field(
    json.name,
    type,
    (json.flags & NULLABLE) !== 0,
    new Map(json.metadata),
  );
  fields.set(type, field);
  return {
    field,
    plan: { type, layout, children: below.map(({ plan }) => plan), dictionary },
  };
}

function refuse(path: string | undefined, what: string): never {
  throw new BowstringError(
    "UNSUPPORTED",
    `${path ?? "array"}: ${what} is not a type that can be imported`,
  );
}

/** More schemas than a program has alive at once; a bound so that a producer of ever new ones does not fill memory. */
const MAX_PLANS = 256;

const plans = new Map<number, ArrayPlan>();

/** The plan for a fingerprint. On a miss, `read` gives the schema. */
export function planFor(fingerprint: number, read: () => SchemaJson): ArrayPlan {
  let plan = plans.get(fingerprint);
  if (plan === undefined) {
    plan = compile(read());
    if (plans.size >= MAX_PLANS) plans.clear();
    plans.set(fingerprint, plan);
  }
  return plan;
}
