/** An index in a database file: batches of an extraction go in, answers to queries come out. */

import type { RecordBatch } from "apache-arrow";
import {
  checkImportOptions,
  type ImportOptions,
  type Lease,
  RecordBatchLease,
} from "../bindings/cdata/lease.ts";
import { type Context, currentContext } from "../bindings/context.ts";
import { encodeOptions, finish, Job, type JobOptions } from "../bindings/job.ts";
import { absolutePath, type ExtractionBatch, tablesOf } from "./extract.ts";

/** How a store is opened. */
export interface StoreOptions extends ImportOptions {
  /** `"read"`, the default, needs the file to exist. `"create"` reads and writes, and makes the file if there is none. */
  readonly mode?: "create" | "read";
}

/** What a query takes beside what it asks for. */
export interface QueryOptions {
  /** The most rows to return, 1,000 by default; 0 means all. */
  readonly limit?: number;
  /** Stops the query. It then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What `Store.defs` takes. */
export interface DefsOptions extends QueryOptions {
  /** Only symbols of this kind, such as `function`. */
  readonly kind?: string;
  /** Local variables and parameters too. Off by default. */
  readonly locals?: boolean;
}

/** What a commit put into the index: its generation, and its rows in each table. */
export interface IndexCounts {
  /** The number of the generation, 1 for the first that the file ever held. */
  readonly generation: number;
  /** Files that were read. */
  readonly files: number;
  /** Definitions and imports. */
  readonly symbols: number;
  /** Identifiers that are not a definition's own name. */
  readonly identifiers: number;
  /** Edges between symbols. */
  readonly relationships: number;
  /** What was skipped, degraded or failed. */
  readonly errors: number;
}

/**
 * An open index. Its calls run one after another on a thread of the store's own.
 *
 * Rows are written under a new generation, and readers see the committed one whole until `commit`. A query's answer is
 * one table under a lease that the caller owns; its schema metadata holds `bowstring:total`, the number of rows there
 * would be without the limit. Rows come in the order of path, then position.
 *
 * Every call rejects with `STORE` or `IO` when the file cannot be used, with `BUSY` when another writer holds it, and with
 * `StaleHandleError` after `close`.
 */
export interface Store extends Disposable {
  /** Starts a generation for the index of the directory `root`. Needs mode `"create"`. */
  begin(root: string | URL): Promise<void>;
  /**
   * Writes a batch. The store keeps the memory it needs by itself: the batch may be released as soon as this returns its
   * promise. Throws `LeaseReleasedError` for a batch that was released before.
   */
  write(batch: ExtractionBatch): Promise<void>;
  /** Makes what was written since `begin` the index that readers see. */
  commit(): Promise<IndexCounts>;
  /** Drops what was written since `begin`; the previous index stays. */
  abandon(): Promise<void>;
  /**
   * The definitions of a name (`open`) or of the last parts of a qualified name (`Store.open`, or `Store::open` where the
   * language writes it so): rows of `symbols`.
   */
  defs(name: string, options?: DefsOptions): Promise<Lease<RecordBatch>>;
  /**
   * The places where a name is used: rows of `identifiers`, then containing_name, target_path and target_line u32, all
   * nullable.
   */
  refs(name: string, options?: QueryOptions): Promise<Lease<RecordBatch>>;
  /**
   * The symbols of one file in source order, without local variables and parameters: rows of `symbols`, then depth u32. The
   * file is named as in `files`: relative to the root, with forward slashes.
   */
  outline(file: string, options?: QueryOptions): Promise<Lease<RecordBatch>>;
  /** The files: rows of `fileData` without the column `content`. */
  files(options?: QueryOptions): Promise<Lease<RecordBatch>>;
  /** What was skipped, degraded or failed: rows of `errors`. */
  errors(options?: QueryOptions): Promise<Lease<RecordBatch>>;
  /**
   * One row about the index: workspace_id, root (nullable), generation i64, created_at (nullable), then files, symbols,
   * identifiers, relationships and errors, i64 counts.
   */
  info(options?: Omit<QueryOptions, "limit">): Promise<Lease<RecordBatch>>;
  /** Closes the file; what was not committed is dropped. Doing so again has no effect. */
  close(): void;
}

/**
 * Opens an index. Throws `IO` or `STORE` when the file cannot be opened or is no index, and `LibraryLoadError` without
 * the native library.
 *
 * @example Write an index by hand, and ask it
 * ```ts
 * import { extractWorkspace, openStore } from "@bowstring/bowstring";
 *
 * using store = openStore("greet.db", { mode: "create" });
 * await store.begin("src");
 * for await (const batch of extractWorkspace("src")) {
 *   await store.write(batch);
 *   batch.release();
 * }
 * console.log(await store.commit());
 *
 * using callers = await store.refs("greet", { limit: 10 });
 * console.log(callers.value.numRows);
 * ```
 *
 * @param path The file of the index: a path, or a `file:` URL.
 * @returns A store that the caller closes.
 */
export function openStore(path: string | URL, options: StoreOptions = {}): Store {
  const context = currentContext();
  checkImportOptions(context, options);
  const { mode = "read" } = options;
  const { pointer, bytes } = encodeOptions(context, { path: absolutePath(path), mode });
  const { native, handle, out, error } = context;
  context.check(
    native.bow_store_open(handle, pointer, bytes.length, out.pointer, error.pointer),
  );
  return new OpenStore(context, context.outValue(), options);
}

/** Stores that were dropped without being closed. */
const abandoned = new FinalizationRegistry<{ context: Context; handle: number }>(
  ({ context, handle }) => context.native.bow_store_close(context.handle, handle, null),
);

/** Jobs that give no tables, or one row of counts, are not what the budget for leased memory is about. */
const UNBOUNDED: JobOptions = { maxLiveBytes: Infinity };

const COUNTS = [
  "generation",
  "files",
  "symbols",
  "identifiers",
  "relationships",
  "errors",
] as const;

class OpenStore implements Store {
  readonly #context: Context;
  readonly #handle: number;
  readonly #options: ImportOptions;
  #closed = false;

  constructor(context: Context, handle: number, options: ImportOptions) {
    this.#context = context;
    this.#handle = handle;
    this.#options = options;
    abandoned.register(this, { context, handle }, this);
  }

  async begin(root: string | URL): Promise<void> {
    const { native, handle, out, error } = this.#context;
    const { pointer, bytes } = encodeOptions(this.#context, { root: absolutePath(root) });
    await this.#run(() =>
      native.bow_store_begin(
        handle,
        this.#handle,
        pointer,
        bytes.length,
        out.pointer,
        error.pointer,
      )
    );
  }

  async write(batch: ExtractionBatch): Promise<void> {
    const { native, handle, tables, out, error } = this.#context;
    await this.#run(() => {
      tablesOf(batch).export(TABLES);
      return native.bow_store_write(
        handle,
        this.#handle,
        tables.pointer,
        TABLES,
        out.pointer,
        error.pointer,
      );
    });
  }

  async commit(): Promise<IndexCounts> {
    const { native, handle, out, error } = this.#context;
    const answer = await this.#run(() =>
      native.bow_store_commit(handle, this.#handle, out.pointer, error.pointer)
    );
    using summary = new RecordBatchLease(answer!);
    const count = (name: string) => Number(summary.value.getChild(name)!.get(0));
    return Object.fromEntries(COUNTS.map((name) => [name, count(name)])) as unknown as IndexCounts;
  }

  async abandon(): Promise<void> {
    const { native, handle, out, error } = this.#context;
    await this.#run(() =>
      native.bow_store_abandon(handle, this.#handle, out.pointer, error.pointer)
    );
  }

  defs(name: string, options: DefsOptions = {}): Promise<Lease<RecordBatch>> {
    const { kind, locals, limit } = options;
    return this.#query({ query: "defs", name, kind, locals, limit }, options);
  }

  refs(name: string, options: QueryOptions = {}): Promise<Lease<RecordBatch>> {
    return this.#query({ query: "refs", name, limit: options.limit }, options);
  }

  outline(file: string, options: QueryOptions = {}): Promise<Lease<RecordBatch>> {
    return this.#query({ query: "outline", file, limit: options.limit }, options);
  }

  files(options: QueryOptions = {}): Promise<Lease<RecordBatch>> {
    return this.#query({ query: "files", limit: options.limit }, options);
  }

  errors(options: QueryOptions = {}): Promise<Lease<RecordBatch>> {
    return this.#query({ query: "errors", limit: options.limit }, options);
  }

  info(options: Omit<QueryOptions, "limit"> = {}): Promise<Lease<RecordBatch>> {
    return this.#query({ query: "info" }, options);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    abandoned.unregister(this);
    this.#context.native.bow_store_close(this.#context.handle, this.#handle, null);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #query(query: object, { signal }: QueryOptions): Promise<Lease<RecordBatch>> {
    const { native, handle, out, error } = this.#context;
    const { pointer, bytes } = encodeOptions(this.#context, query);
    const answer = await this.#run(
      () =>
        native.bow_store_query(
          handle,
          this.#handle,
          pointer,
          bytes.length,
          out.pointer,
          error.pointer,
        ),
      { ...this.#options, signal },
    );
    return new RecordBatchLease(answer!);
  }

  #run(start: () => number, options: JobOptions = UNBOUNDED): ReturnType<typeof finish> {
    return finish(new Job(this.#context, options, start));
  }
}

/** The tables of a batch. */
const TABLES = 5;
