/**
 * Schemas. The library describes each as JSON; the apache-arrow `Schema` made from it, and the plan by which tables of
 * that schema are imported, are cached by the library's fingerprint, so that a stream pays for its schema once.
 */

import { type DataType, Field, Schema, Struct } from "apache-arrow";
import { BowstringError } from "../errors.ts";
import { type Layout, LAYOUTS } from "./layout.ts";

/** An ArrowSchema as the library writes it. */
export interface SchemaJson {
  /** The format string of the C data interface. */
  readonly format: string;
  /** The field's name. */
  readonly name: string;
  /** Key-value metadata. */
  readonly metadata: readonly (readonly [string, string])[] | null;
  /** The flags of the C data interface. */
  readonly flags: number;
  /** The child fields. */
  readonly children: readonly SchemaJson[];
  /** The type of the dictionary's values, for a dictionary-encoded field. */
  readonly dictionary: SchemaJson | null;
}

/** `ARROW_FLAG_NULLABLE` */
const NULLABLE = 2;

/** How a node is imported: its type, its buffers, its children. */
export interface NodePlan {
  /** The apache-arrow type, shared by all tables of the schema. */
  readonly type: DataType;
  /** Its buffers. */
  readonly layout: Layout;
  /** The plans of its children. */
  readonly children: readonly NodePlan[];
}

/** How a table is imported. */
export interface TablePlan {
  /** The schema, shared by all its tables. */
  readonly schema: Schema;
  /** The plan of the struct whose children are the columns. */
  readonly root: NodePlan;
}

/** Compiles a schema. Throws `UNSUPPORTED`, naming the column, for a type that is not imported. */
export function compileTable(json: SchemaJson): TablePlan {
  if (json.format !== "+s") {
    throw new BowstringError(
      "UNSUPPORTED",
      `expected a struct (format "+s") as the type of a table, but found format "${json.format}"`,
    );
  }
  const columns = json.children.map((child, index) =>
    compileField(child, `column[${index}] "${child.name}"`)
  );
  const fields = columns.map(({ field }) => field);
  return {
    schema: new Schema(fields, new Map(json.metadata)),
    root: {
      type: new Struct(fields),
      layout: LAYOUTS.get("+s")!,
      children: columns.map(({ plan }) => plan),
    },
  };
}

function compileField(json: SchemaJson, path: string): { field: Field; plan: NodePlan } {
  const layout = LAYOUTS.get(json.format);
  if (json.dictionary !== null || layout === undefined) {
    const what = json.dictionary === null ? `format "${json.format}"` : "a dictionary encoding";
    throw new BowstringError("UNSUPPORTED", `${path}: ${what} is not a type that can be imported`);
  }
  const children = json.children.map((child) => compileField(child, `${path} -> ${child.name}`));
  const type = layout.type(children.map(({ field }) => field));
  return {
    field: new Field(json.name, type, (json.flags & NULLABLE) !== 0, new Map(json.metadata)),
    plan: { type, layout, children: children.map(({ plan }) => plan) },
  };
}

/** More schemas than a program has alive at once; a bound so that a producer of ever new ones does not fill memory. */
const MAX_PLANS = 256;

const plans = new Map<number, TablePlan>();

/** The plan for a fingerprint. On a miss, `read` gives the schema. */
export function planFor(fingerprint: number, read: () => SchemaJson): TablePlan {
  let plan = plans.get(fingerprint);
  if (plan === undefined) {
    plan = compileTable(read());
    if (plans.size >= MAX_PLANS) plans.clear();
    plans.set(fingerprint, plan);
  }
  return plan;
}
