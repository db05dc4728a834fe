/** The pipeline from source files to tables. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { RecordBatch } from "apache-arrow";
import {
  extractFilesToArrow,
  type ExtractionBatch,
  extractStream,
  extractWorkspace,
  LeaseReleasedError,
  stats,
} from "../mod.ts";
import { Workspace } from "./support/workspace.ts";

const column = (batch: RecordBatch, name: string): unknown[] => [...batch.getChild(name)!];

/** Column names, with `?` for nullable and the type where it is not Utf8. */
const COLUMNS: Record<"symbols" | "identifiers" | "relationships" | "fileData" | "errors", string> =
  {
    symbols: "id, name, kind, language, file_path, start_line Uint32, end_line Uint32, " +
      "signature?, doc_comment?, parent_id?, code_context?, start_column Uint32, " +
      "end_column Uint32, start_byte Uint32, end_byte Uint32, qualified_name, visibility?, " +
      "flags Uint32",
    identifiers: "id, name, kind, language, file_path, start_line Uint32, start_column Uint32, " +
      "end_line Uint32, end_column Uint32, containing_symbol_id?, target_symbol_id?, " +
      "confidence Float32, start_byte Uint32, end_byte Uint32, access, resolution",
    relationships: "id, from_symbol_id, to_symbol_id?, to_name, kind, file_path, " +
      "line_number Uint32, confidence Float32",
    fileData: "path, language, content?, hash, size Uint32, line_count Uint32, " +
      "parse_error_count Uint32",
    errors: "path, severity, stage, code, message, byte_offset? Uint32",
  };

function describe({ schema }: RecordBatch): string {
  return schema.fields.map(({ name, nullable, type }) => {
    const suffix = `${type}` === "Utf8" ? "" : ` ${type}`;
    return `${name}${nullable ? "?" : ""}${suffix}`;
  }).join(", ");
}

test("extract: the tables and columns of the contract", async () => {
  using workspace = new Workspace();
  const path = workspace.write("a.ts", "export function greet(name: string) { return name; }\n");
  using batch = await extractFilesToArrow([path], workspace.path);
  for (const [table, columns] of Object.entries(COLUMNS)) {
    assert.equal(describe(batch[table as keyof typeof COLUMNS]), columns, table);
  }
  assert.ok(column(batch.symbols, "name").includes("greet"));
  assert.deepEqual(column(batch.symbols, "start_line")[0], 1);
  assert.ok(column(batch.identifiers, "name").includes("name"));
  assert.deepEqual(column(batch.fileData, "path"), ["a.ts"]);
  assert.deepEqual(column(batch.fileData, "content"), [null]);
  assert.equal(batch.errors.numRows, 0);
});

test("extract: options reach the engine", async () => {
  using workspace = new Workspace();
  workspace.write("a.ts", "export const a = 1;\n");
  workspace.write("long.ts", `export const b = "${"x".repeat(200)}";\n`);
  using batch = await extractFilesToArrow(["a.ts", "long.ts"], pathToFileURL(workspace.path), {
    content: true,
    codeContext: 1,
    maxFileBytes: 100,
    threads: 1,
  });
  assert.deepEqual(column(batch.fileData, "content"), ["export const a = 1;\n"]);
  assert.notEqual(column(batch.symbols, "code_context")[0], null);
  assert.deepEqual(column(batch.errors, "path"), ["long.ts"]);
  assert.deepEqual(column(batch.errors, "severity"), ["skipped"]);
});

test("extract: no files are an empty batch", async () => {
  using workspace = new Workspace();
  using batch = await extractFilesToArrow([], workspace.path);
  assert.equal(batch.symbols.numRows, 0);
  assert.equal(batch.fileData.numRows, 0);
  assert.equal(batch.errors.numRows, 0);
});

test("extract: what is wrong with a call is thrown, what is wrong with a file is a row", async () => {
  using workspace = new Workspace();
  const missing = join(workspace.path, "no-such-directory");
  await assert.rejects(extractFilesToArrow([], missing), { code: "INVALID_ARGUMENT" });
  using batch = await extractFilesToArrow(["missing.ts"], workspace.path);
  assert.deepEqual(column(batch.errors, "path"), ["missing.ts"]);
  assert.equal(stats().liveJobs, 0);
});

test("extract: a single batch that would be too large names the streaming form", async () => {
  using workspace = Workspace.of(4, 50);
  const paths = [0, 1, 2, 3].map((file) => `source/file0000${file}.ts`);
  await assert.rejects(
    extractFilesToArrow(paths, workspace.path, { chunkRows: 60 }),
    (error: Error) =>
      error.name === "BatchTooLargeError" && /extractStream|streaming/.test(error.message),
  );
  assert.equal(stats().liveJobs, 0);
  assert.equal(stats().liveLeases, 0);
});

test("extract: a stream gives the files in order, chunk by chunk", async () => {
  using workspace = Workspace.of(40, 20);
  const paths: unknown[] = [];
  let batches = 0;
  const job = extractWorkspace(workspace.path, { chunkRows: 200 });
  for await (const batch of job) {
    paths.push(...column(batch.fileData, "path"));
    batches++;
    batch.release();
  }
  const expected = Array.from(
    { length: 40 },
    (_, file) => `source/file${String(file).padStart(5, "0")}.ts`,
  );
  assert.deepEqual(paths, expected);
  assert.ok(batches > 1, `${batches} batches`);
  const { filesDone, filesTotal, bytesDone, bytesTotal } = job.progress();
  assert.deepEqual([filesDone, filesTotal], [40, 40]);
  assert.equal(bytesDone, bytesTotal);
  assert.ok(bytesTotal > 0);
  assert.equal(stats().liveJobs, 0);
  assert.equal(stats().liveLeases, 0);
});

test("extract: the result does not depend on the number of threads", async () => {
  using workspace = Workspace.of(12, 20);
  const paths = Array.from(
    { length: 12 },
    (_, file) => `source/file000${file + 100}.ts`.replace("0001", "000"),
  );
  const read = async (threads: number) => {
    using batch = await extractFilesToArrow(paths, workspace.path, { threads });
    return [batch.symbols, batch.identifiers, batch.relationships].map((table) =>
      table.toArray().map((row) => row.toJSON())
    );
  };
  assert.deepEqual(await read(1), await read(4));
});

test("extract: one batch is one lease", async () => {
  using workspace = Workspace.of(3, 3);
  const batch = await extractFilesToArrow(["source/file00000.ts"], workspace.path);
  assert.equal(stats().liveLeases, 1);
  assert.equal(stats().bytesViewed, batch.byteLength);
  assert.equal(stats().bytesCopied, 0);
  const { symbols, identifiers } = batch;
  const names = symbols.getChild("name")!;
  assert.equal(batch.symbols, symbols, "a table is imported once");
  assert.equal(new Set(buffersOf(batch)).size, 1, "one ArrayBuffer for the whole batch");
  const hold = batch.hold();
  batch.release();
  assert.equal(batch.released, true);
  assert.throws(() => batch.errors, LeaseReleasedError);
  assert.throws(() => names.get(0), LeaseReleasedError);
  assert.throws(() => identifiers.numRows, LeaseReleasedError);
  assert.equal(stats().liveLeases, 1);
  hold.release();
  assert.equal(stats().liveLeases, 0);
});

/** The ArrayBuffers behind a batch's values. */
function buffersOf(batch: ExtractionBatch): ArrayBufferLike[] {
  const tables = [batch.symbols, batch.identifiers, batch.relationships, batch.fileData];
  return tables.flatMap(({ data }) =>
    data.children.flatMap(({ values, valueOffsets, length }) =>
      length === 0 ? [] : [values, valueOffsets].filter((view) => view?.byteLength > 0)
    ).map(({ buffer }) => buffer)
  );
}

test("extract: copies need no release", async () => {
  using workspace = Workspace.of(2, 5);
  const before = stats();
  const batches: ExtractionBatch[] = [];
  for await (const batch of extractWorkspace(workspace.path, { copy: true })) batches.push(batch);
  const { liveLeases, bytesViewed, bytesCopied } = stats();
  assert.deepEqual([liveLeases, bytesViewed], [before.liveLeases, before.bytesViewed]);
  const bytes = batches.reduce((sum, { byteLength }) => sum + byteLength, 0);
  assert.equal(bytesCopied, before.bytesCopied + bytes);
  assert.equal(column(batches[0]!.symbols, "name").length, batches[0]!.symbols.numRows);
});

test("extract: two streams at once", async () => {
  using first = Workspace.of(20, 10);
  using second = Workspace.of(30, 10);
  const count = async (workspace: Workspace) => {
    let files = 0;
    for await (
      const batch of extractStream(all(workspace, 50), workspace.path, { chunkRows: 100 })
    ) {
      files += batch.fileData.numRows;
      batch.release();
    }
    return files;
  };
  assert.deepEqual(await Promise.all([count(first), count(second)]), [20, 30]);
  assert.equal(stats().liveJobs, 0);
});

/** The paths of a generated workspace, and some that are not there. */
function all(_workspace: Workspace, count: number): string[] {
  return Array.from(
    { length: count },
    (_, file) => `source/file${String(file).padStart(5, "0")}.ts`,
  );
}
