/** Which index a query goes to, and where that index's files are. */

import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import type { RecordBatch } from "apache-arrow";
import { openStore, type Store } from "../mod.ts";
import { CommandError } from "./exit.ts";

/** Where an index lies below the directory that it is about, unless told otherwise. */
export const DEFAULT_INDEX = join(".bowstring", "index.db");

/** An index that is open for reading. */
export interface Database extends Disposable {
  /** The path of its file. */
  readonly path: string;
  /** Answers queries. */
  readonly store: Store;
  /** The absolute path of the directory that its paths are relative to. */
  readonly root: string;
  /** When its rows were written, in milliseconds since 1970. */
  readonly createdAt: number;
}

/** Opens the named index, or the nearest at or above the working directory. Throws `CommandError` if there is none. */
export async function openDatabase(name: string | undefined): Promise<Database> {
  const path = name === undefined ? nearest(process.cwd()) : resolve(name);
  if (!existsSync(path)) {
    throw new CommandError(`${path} does not exist: make it with "bowstring index"`);
  }
  const store = openStore(path, { mode: "read" });
  try {
    using info = await store.info();
    const root = cell(info.value, "root");
    const createdAt = cell(info.value, "created_at");
    if (root === null || createdAt === null) {
      throw new CommandError(
        `${path} holds no index yet: the first "bowstring index" did not end`,
      );
    }
    return {
      path,
      store,
      root: String(root),
      createdAt: Date.parse(String(createdAt)),
      [Symbol.dispose]: () => store.close(),
    };
  } catch (reason) {
    store.close();
    throw reason;
  }
}

function nearest(start: string): string {
  for (let directory = start;; directory = dirname(directory)) {
    const path = join(directory, DEFAULT_INDEX);
    if (existsSync(path)) return path;
    if (dirname(directory) === directory) {
      throw new CommandError(
        `neither ${start} nor a directory above it has ${DEFAULT_INDEX}: ` +
          'make it with "bowstring index", or name an index with --db',
      );
    }
  }
}

function cell(batch: RecordBatch, column: string): unknown {
  return batch.getChild(column)?.get(0) ?? null;
}

/** The rows of a table as objects whose values JSON can hold. */
export function* rows(batch: RecordBatch): Generator<Row> {
  const columns = batch.schema.fields.map((field, index) =>
    [field.name, batch.getChildAt(index)!] as const
  );
  for (let index = 0; index < batch.numRows; index++) {
    yield Object.fromEntries(columns.map(([name, column]) => {
      const value: unknown = column.get(index);
      return [name, typeof value === "bigint" ? Number(value) : value];
    })) as Row;
  }
}

/** One row of an answer, by column name. */
export type Row = Readonly<Record<string, string | number | null>>;

/** How many rows there are without the limit. */
export function total(batch: RecordBatch): number {
  return Number(batch.schema.metadata.get("bowstring:total") ?? batch.numRows);
}
