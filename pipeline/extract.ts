/** Source code in, Arrow tables out. */

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { RecordBatch } from "apache-arrow";
import { checkImportOptions, type Hold, type TableLease } from "../bindings/cdata/lease.ts";
import { currentContext } from "../bindings/context.ts";
import { encodeOptions, finish, Job, type JobOptions, type Progress } from "../bindings/job.ts";

/** What an extraction may be asked. */
export interface ExtractOptions extends JobOptions {
  /** Native worker threads. 0, the default, means one per core. */
  readonly threads?: number;
  /** Files above this size, in bytes, are skipped and reported in `errors`. 4 MiB by default. */
  readonly maxFileBytes?: number;
  /** The most time, in milliseconds, that parsing one file may take before it is reported as failed. 5,000 by default. */
  readonly maxParseMillis?: number;
  /** A batch is closed before one of its tables would hold more rows than this. 262,144 by default. */
  readonly chunkRows?: number;
  /** A batch is closed before one of its columns would hold more bytes than this. 64 MiB by default. */
  readonly chunkBytes?: number;
  /** Fill `fileData.content`. Off by default. */
  readonly content?: boolean;
  /** Lines of source around a definition for `symbols.code_context`. 0, the default, leaves the column null. */
  readonly codeContext?: number;
}

/**
 * What was found in some files: five tables under one lease. Who receives a batch owns it and releases it; a batch that is
 * dropped instead is freed some time after it was garbage-collected.
 *
 * The tables are imported when one of them is looked at first, so a batch that is only passed on costs nothing. Their
 * columns are Utf8 and not null unless said otherwise; lines are 1-based, columns are 0-based bytes, paths are relative
 * to the workspace root and have forward slashes. Looking at a table after `release` throws `LeaseReleasedError`.
 */
export interface ExtractionBatch extends Disposable {
  /**
   * Definitions and imports: id, name, kind, language, file_path, start_line u32, end_line u32, signature (nullable),
   * doc_comment (nullable), parent_id (nullable), code_context (nullable), start_column u32, end_column u32, start_byte
   * u32, end_byte u32, qualified_name, visibility (nullable), flags u32.
   */
  readonly symbols: RecordBatch;
  /**
   * Every identifier that is not a definition's own name: id, name, kind, language, file_path, start_line u32,
   * start_column u32, end_line u32, end_column u32, containing_symbol_id (nullable), target_symbol_id (nullable),
   * confidence f32 (0 when there is no target), start_byte u32, end_byte u32, access, resolution.
   */
  readonly identifiers: RecordBatch;
  /**
   * Edges from a symbol to a symbol or to a name: id, from_symbol_id, to_symbol_id (nullable), to_name, kind, file_path,
   * line_number u32, confidence f32.
   */
  readonly relationships: RecordBatch;
  /**
   * The files that were read: path, language, content (nullable), hash (blake3 of the bytes, in hexadecimal), size u32,
   * line_count u32, parse_error_count u32.
   */
  readonly fileData: RecordBatch;
  /** What was skipped, degraded or failed: path, severity, stage, code, message, byte_offset u32 (nullable). */
  readonly errors: RecordBatch;
  /** The size of the tables in native memory, in bytes. */
  readonly byteLength: number;
  /** Whether `release` was called. */
  readonly released: boolean;
  /**
   * Gives the memory back: every view of it becomes empty at once, and reading the tables throws `LeaseReleasedError`.
   * Doing so again has no effect. Tables that were copied are not taken away.
   */
  release(): void;
  /** Keeps the memory from being freed until the hold is released, whatever happens to the batch. */
  hold(): Hold;
}

/**
 * A running extraction. Iterate it once for its batches, in the order of the files; leaving the loop early stops it. It
 * runs on native threads and gets at most two batches ahead of the reader. While a read waits, the process stays alive;
 * a job that nobody reads does not keep it.
 */
export interface ExtractionJob extends AsyncIterable<ExtractionBatch>, AsyncDisposable {
  /** How far it has come; also after the end. */
  progress(): Progress;
  /**
   * Stops it within milliseconds. A read that waits, and every later one, rejects with `reason`, or else with `CANCELLED`.
   */
  cancel(reason?: unknown): void;
}

/**
 * Extracts some files, all into one batch. `paths` are absolute or relative to `workspaceRoot`. A file that cannot be
 * read or parsed is a row of `errors`, not an exception.
 *
 * Throws `BatchTooLargeError` when one table or column would exceed its bound (use `extractStream`), the signal's reason
 * when it is aborted, `LibraryLoadError` without the native library.
 *
 * @example
 * ```ts
 * import { extractFilesToArrow } from "@bowstring/bowstring";
 *
 * using batch = await extractFilesToArrow(["src/greet.ts"], ".");
 * for (const { name, kind, start_line } of batch.symbols) {
 *   console.log(`${start_line}: ${kind} ${name}`);
 * }
 * ```
 *
 * @param paths The files, absolute or relative to `workspaceRoot`.
 * @param workspaceRoot The directory that reported paths are relative to: a path, or a `file:` URL.
 * @returns A batch that the caller owns.
 */
export async function extractFilesToArrow(
  paths: readonly string[],
  workspaceRoot: string | URL,
  options: ExtractOptions = {},
): Promise<ExtractionBatch> {
  const tables = await finish(start(paths, workspaceRoot, options, true));
  return new LeasedExtraction(tables!);
}

/**
 * Extracts some files, batch by batch, with bounded memory. Otherwise as `extractFilesToArrow`.
 *
 * @example Stop after the first batch that has what is looked for
 * ```ts
 * import { extractStream } from "@bowstring/bowstring";
 *
 * const signal = AbortSignal.timeout(60_000);
 * for await (const batch of extractStream(["src/greet.ts"], ".", { signal })) {
 *   using current = batch;
 *   if (current.symbols.getChild("name")!.indexOf("greet") >= 0) break;
 * }
 * ```
 *
 * @param paths The files, absolute or relative to `workspaceRoot`.
 * @param workspaceRoot The directory that reported paths are relative to: a path, or a `file:` URL.
 * @returns A job that runs already. Each of its batches is the reader's to release.
 */
export function extractStream(
  paths: readonly string[],
  workspaceRoot: string | URL,
  options: ExtractOptions = {},
): ExtractionJob {
  return new RunningExtraction(start(paths, workspaceRoot, options, false));
}

/**
 * Extracts every file below `workspaceRoot` that git does not ignore and whose language is known, batch by batch. Otherwise
 * as `extractStream`.
 *
 * @example Follow the progress
 * ```ts
 * import { extractWorkspace } from "@bowstring/bowstring";
 *
 * const job = extractWorkspace("src", { chunkRows: 50_000 });
 * for await (const batch of job) {
 *   batch.release();
 *   const { filesDone, filesTotal } = job.progress();
 *   console.log(`${filesDone} of ${filesTotal} files`);
 * }
 * ```
 *
 * @param workspaceRoot The directory: a path, or a `file:` URL.
 * @returns A job that runs already. Each of its batches is the reader's to release.
 */
export function extractWorkspace(
  workspaceRoot: string | URL,
  options: ExtractOptions = {},
): ExtractionJob {
  return new RunningExtraction(start(undefined, workspaceRoot, options, false));
}

/** The lease behind a batch. Throws `TypeError` for an object that no extraction gave out. */
export function tablesOf(batch: ExtractionBatch): TableLease {
  if (batch instanceof LeasedExtraction) return batch.tables;
  throw new TypeError("expected an ExtractionBatch that an extraction gave out");
}

/** A path or file URL as an absolute path. */
export function absolutePath(path: string | URL): string {
  return resolve(path instanceof URL ? fileURLToPath(path) : path);
}

function start(
  paths: readonly string[] | undefined,
  workspaceRoot: string | URL,
  options: ExtractOptions,
  single: boolean,
): Job {
  const { threads, maxFileBytes, maxParseMillis, chunkRows, chunkBytes, content, codeContext } =
    options;
  const context = currentContext();
  checkImportOptions(context, options);
  const { pointer, bytes } = encodeOptions(context, {
    root: absolutePath(workspaceRoot),
    paths,
    threads,
    maxFileBytes,
    maxParseMillis,
    chunkRows,
    chunkBytes,
    content,
    codeContext,
    single,
  });
  const { native, handle, out, error } = context;
  return new Job(
    context,
    options,
    () => native.bow_extract_start(handle, pointer, bytes.length, out.pointer, error.pointer),
  );
}

/** The tables of an extraction, in the order in which native code gives them. */
const SYMBOLS = 0;
const IDENTIFIERS = 1;
const RELATIONSHIPS = 2;
const FILES = 3;
const ERRORS = 4;

class LeasedExtraction implements ExtractionBatch {
  readonly #tables: TableLease;

  constructor(tables: TableLease) {
    this.#tables = tables;
  }

  get tables(): TableLease {
    return this.#tables;
  }

  get symbols(): RecordBatch {
    return this.#tables.table(SYMBOLS);
  }

  get identifiers(): RecordBatch {
    return this.#tables.table(IDENTIFIERS);
  }

  get relationships(): RecordBatch {
    return this.#tables.table(RELATIONSHIPS);
  }

  get fileData(): RecordBatch {
    return this.#tables.table(FILES);
  }

  get errors(): RecordBatch {
    return this.#tables.table(ERRORS);
  }

  get byteLength(): number {
    return this.#tables.byteLength;
  }

  get released(): boolean {
    return this.#tables.released;
  }

  release(): void {
    this.#tables.release();
  }

  hold(): Hold {
    return this.#tables.hold();
  }

  [Symbol.dispose](): void {
    this.#tables.release();
  }
}

class RunningExtraction implements ExtractionJob {
  readonly #job: Job;

  constructor(job: Job) {
    this.#job = job;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ExtractionBatch, void, undefined> {
    try {
      for (;;) {
        const tables = await this.#job.next();
        if (tables === undefined) return;
        yield new LeasedExtraction(tables);
      }
    } finally {
      this.#job.close();
    }
  }

  progress(): Progress {
    return this.#job.progress();
  }

  cancel(reason?: unknown): void {
    this.#job.cancel(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#job.close();
    return Promise.resolve();
  }
}
