/** `bowstring defs`, `bowstring refs` and `bowstring outline`. */

import { isAbsolute, join, relative, resolve, sep } from "node:path";
import process from "node:process";
import type { RecordBatch } from "apache-arrow";
import type { Lease } from "../mod.ts";
import { type Database, openDatabase, type Row, rows, total } from "./database.ts";
import { FAILED, OK } from "./exit.ts";
import { columns, note, plural, print, printable, printJson } from "./output.ts";
import { excerpt, type Place, type SourceLine, SourceReader } from "./source.ts";

/** What every query takes. */
export interface QueryFlags {
  /** The index; the nearest at or above the working directory if not given. */
  readonly db?: string;
  /** One JSON object per result instead of text. */
  readonly json?: boolean;
  /** The most results; 0 means all. */
  readonly limit?: number;
}

/** What `defs` takes. */
export interface DefsFlags extends QueryFlags {
  /** Only symbols of this kind. */
  readonly kind?: string;
  /** Local variables and parameters too. */
  readonly locals?: boolean;
}

/** Prints the definitions of a name. */
export async function defs(name: string, flags: DefsFlags): Promise<number> {
  using database = await openDatabase(flags.db);
  const { kind, locals, limit } = flags;
  using answer = await database.store.defs(name, { kind, locals, limit });
  if (answer.value.numRows === 0) {
    const what = kind === undefined ? "definition" : `definition of kind ${kind}`;
    return nothing(`no ${what} of "${name}" in ${database.path}`);
  }
  return show(database, answer, flags, (row, source) => ({
    source: source.definition(placeOf(row)),
    about: `${row.kind} ${row.qualified_name}`,
  }));
}

/** Prints the places where a name is used. */
export async function refs(name: string, flags: QueryFlags): Promise<number> {
  using database = await openDatabase(flags.db);
  using answer = await database.store.refs(name, { limit: flags.limit });
  if (answer.value.numRows === 0) return nothing(`no reference to "${name}" in ${database.path}`);
  return show(database, answer, flags, (row, source) => ({
    source: source.reference(placeOf(row)),
    about: aboutReference(row, (path) => pathFromHere(database.root, path)),
  }));
}

/** Prints the symbols of a file, indented by nesting. */
export async function outline(file: string, flags: QueryFlags): Promise<number> {
  using database = await openDatabase(flags.db);
  for (const path of namesOf(file, database.root)) {
    using answer = await database.store.outline(path, { limit: flags.limit });
    if (answer.value.numRows > 0) {
      return show(database, answer, flags, (row, source) => ({
        source: source.definition(placeOf(row)),
        about: `${row.kind} ${row.name}`,
        depth: Number(row.depth),
      }));
    }
    if (await isIndexed(database, path)) {
      note(`${path} has no symbols`);
      return OK;
    }
  }
  return nothing(`${file} is not in ${database.path}`);
}

/** How one result is shown. */
interface Shown {
  readonly source: SourceLine;
  readonly about: string;
  /** Nesting; only an outline has it, and shows each symbol as its source line, indented. */
  readonly depth?: number;
}

/** Without a terminal's width to fit, a line of source is cut at this many characters. */
const LINE_WIDTH = 240;
const INDENT = "    ";

function show(
  database: Database,
  answer: Lease<RecordBatch>,
  flags: QueryFlags,
  describe: (row: Row, source: SourceReader) => Shown,
): number {
  const source = new SourceReader(database.root, database.createdAt);
  const width = columns(process.stdout, LINE_WIDTH + INDENT.length) - INDENT.length;
  const stale = new Set<string>();
  let previous: string | undefined;
  for (const row of rows(answer.value)) {
    const shown = describe(row, source);
    const path = String(row.file_path);
    if (shown.source.state !== "found") stale.add(path);
    if (flags.json) {
      const { state, line } = shown.source;
      const text = shown.source.state === "found" ? shown.source.text : null;
      printJson({ ...row, line, text, state });
    } else {
      // An outline shows lines, and one line may hold several symbols.
      const where = `${pathFromHere(database.root, path)}:${shown.source.line}`;
      const isRepeated = shown.depth !== undefined && shown.source.state === "found" &&
        where === previous;
      if (!isRepeated) printText(where, shown, Math.max(width, 20));
      previous = where;
    }
  }
  const all = total(answer.value);
  const { numRows } = answer.value;
  if (all > numRows) note(`${numRows} of ${plural(all, "result")}; --limit 0 shows all`);
  if (stale.size > 0) {
    note(
      `${
        plural(stale.size, "file")
      } changed after ${database.path} was made: run "bowstring index"`,
    );
  }
  return OK;
}

function printText(place: string, { source, about, depth }: Shown, width: number): void {
  const where = printable(place);
  const text = source.state === "found"
    ? printable(excerpt(source.text, source.column, width))
    : source.state === "modified"
    ? "(the file was modified after it was indexed)"
    : "(the file cannot be read any more)";
  if (depth === undefined) {
    print(`${where}  ${printable(about)}\n${INDENT}${text}`);
  } else {
    const shown = source.state === "found" ? text : `${printable(about)} ${text}`;
    print(`${where}  ${"  ".repeat(depth)}${shown}`);
  }
}

function aboutReference(row: Row, pathFromHere: (path: string) => string): string {
  const parts = [String(row.kind)];
  if (row.containing_name !== null) parts.push(`in ${row.containing_name}`);
  if (row.target_path !== null) {
    parts.push(`-> ${pathFromHere(String(row.target_path))}:${row.target_line}`);
  }
  return parts.join(" ");
}

function placeOf(row: Row): Place {
  return {
    path: String(row.file_path),
    name: String(row.name),
    startLine: Number(row.start_line),
    endLine: Number(row.end_line),
    startColumn: Number(row.start_column),
  };
}

/** A path of an index as a person in the working directory would write it, so that it can be opened from there. */
function pathFromHere(root: string, path: string): string {
  const here = process.cwd();
  const isNear = isBelow(here, root) || isBelow(root, here);
  const absolute = join(root, path);
  return isNear ? relative(here, absolute) : absolute;
}

/** Whether `path` is `directory` or lies below it. */
function isBelow(path: string, directory: string): boolean {
  const below = relative(directory, path);
  return !isAbsolute(below) && below !== ".." && !below.startsWith(`..${sep}`);
}

/** What an index may call a file that a person named: by its place on disk first, then as the index prints it. */
function namesOf(file: string, root: string): string[] {
  const absolute = resolve(file);
  const names = isBelow(absolute, root) ? [relative(root, absolute), file] : [file];
  return [...new Set(names.map((name) => name.replaceAll(sep, "/")))];
}

async function isIndexed({ store }: Database, path: string): Promise<boolean> {
  using files = await store.files({ limit: 0 });
  const paths = files.value.getChild("path")!;
  for (let index = 0; index < files.value.numRows; index++) {
    if (paths.get(index) === path) return true;
  }
  return false;
}

function nothing(message: string): number {
  note(printable(message));
  return FAILED;
}
