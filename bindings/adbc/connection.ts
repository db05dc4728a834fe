/** A connection to a database, and what can be done with it. */

import { importFlags } from "../cdata/addresses.ts";
import type { ArrowSchema } from "../arrow.ts";
import type { ExportOptions } from "../cdata/exporter.ts";
import { checkImportOptions, RecordBatchLease } from "../cdata/lease.ts";
import { exportAnySource, exportSource, type IngestSource, type Input } from "../cdata/source.ts";
import { JobStream, type RecordBatchStream, type StreamOptions } from "../cdata/stream_in.ts";
import type { Context } from "../context.ts";
import type { Job, JobOptions } from "../job.ts";
import { type DriverOptions, Operations } from "./operations.ts";
import { areValues, type Parameters, rowOf } from "./parameters.ts";

/** How a query is run, and how its rows come in. */
export interface QueryOptions extends StreamOptions {
  /** Options of the statement. */
  readonly options?: DriverOptions;
}

/** How a statement is executed. */
export interface ExecuteOptions {
  /** Options of the statement. */
  readonly options?: DriverOptions;
  /** Stops it. The promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A table that is not in the connection's own catalog and schema. */
export interface TableOptions {
  /** The catalog. */
  readonly catalog?: string;
  /** The schema. */
  readonly schema?: string;
}

/** How a table is filled. */
export interface IngestOptions extends TableOptions, ExecuteOptions, ExportOptions {
  /** Whether it is a temporary table. */
  readonly temporary?: boolean;
  /** The schema of the rows, for a source that gives no batch and has no property `schema`. */
  readonly rowSchema?: ArrowSchema;
}

/**
 * What becomes of the table: `"create"` makes it, and it must not exist; `"append"` needs it to exist; `"replace"` makes it
 * anew; `"createAppend"` makes it if it does not exist. Drivers of ADBC 1.0.0 have the first two.
 */
export type IngestMode = "create" | "append" | "replace" | "createAppend";

/** What to tell of a database. The patterns are those of SQL's `LIKE`. */
export interface ObjectsOptions extends StreamOptions {
  /** How deep to go; `"columns"` by default. */
  readonly depth?: "catalogs" | "schemas" | "tables" | "columns";
  /** Only this catalog. */
  readonly catalog?: string;
  /** Only schemas that match. */
  readonly schema?: string;
  /** Only tables that match. */
  readonly table?: string;
  /** Only these kinds of tables. */
  readonly tableTypes?: readonly string[];
  /** Only columns that match. */
  readonly column?: string;
}

/**
 * A connection to a database. Everything is done on a native thread of its own, one after the other in the order of the
 * calls, and nothing has to be awaited for that.
 *
 * A query runs ahead of its reader by 64 batches or 64 MiB. It gives way to whatever is called after it: then it is read
 * to its end into memory, so that a loop over its batches may use the same connection. Beyond 1 GiB it fails with `BUSY`;
 * such a loop needs a second connection.
 *
 * Everything rejects with `AdbcError` when the driver fails, and with `StaleHandleError` when the connection is closed. A
 * connection that is collected without being closed is closed then.
 */
export interface Connection extends AsyncDisposable {
  /**
   * Runs a query and gives its rows. It starts at once; each batch is the reader's to release.
   *
   * @param sql The query, in the database's language.
   * @param parameters What its parameters are, in order.
   */
  query(sql: string, parameters?: Parameters, options?: QueryOptions): RecordBatchStream;
  /**
   * Runs a query without its rows.
   *
   * @returns How many rows were affected, or `undefined` if the driver does not say.
   */
  execute(
    sql: string,
    parameters?: Parameters,
    options?: ExecuteOptions,
  ): Promise<number | undefined>;
  /**
   * Puts rows into a table. The driver reads them where they are: what is exported in mode `"borrow"`, the default, must not
   * be written to or detached until the promise settles or, if it was stopped by its signal, until the connection is closed.
   * Leases may be released at any time.
   *
   * Rejects with what the source throws, if it does. What the driver had read by then may be in the table already: use a
   * transaction where that matters.
   *
   * @param table The name of the table, as it is: nothing in it is quoted or parsed.
   * @param mode `"create"` by default.
   * @returns How many rows there were, or `undefined` if the driver does not say.
   */
  ingest(
    table: string,
    source: IngestSource,
    mode?: IngestMode,
    options?: IngestOptions,
  ): Promise<number | undefined>;
  /** Begins a transaction. Without one, each statement is one. */
  begin(): Promise<void>;
  /** Keeps what was done since `begin`. When it rejects, the transaction has not ended. */
  commit(): Promise<void>;
  /** Undoes what was done since `begin`. */
  rollback(): Promise<void>;
  /**
   * Runs a function in a transaction, and commits; rolls back if the function throws or the commit fails. Whatever is called
   * on this connection meanwhile is part of the transaction.
   */
  transaction<T>(run: (connection: Connection) => T | Promise<T>): Promise<T>;
  /** The schema of a table. */
  tableSchema(table: string, options?: TableOptions): Promise<ArrowSchema>;
  /** The kinds of tables that the database has. */
  tableTypes(): Promise<string[]>;
  /** What the database holds: a row per catalog, in the nested columns that ADBC defines for `GetObjects`. */
  objects(options?: ObjectsOptions): RecordBatchStream;
  /**
   * Cancels what runs and what waits. Each rejects at once, with `reason`; what waits does not begin, and what runs is
   * stopped if the driver can, and else goes on to its end before anything else runs.
   */
  cancel(reason?: unknown): void;
  /**
   * Closes the connection: cancels what runs and what waits, and releases connection and database when that has stopped.
   * Doing so again has no effect. Batches that were read stay valid.
   */
  close(): Promise<void>;
}

/** Connections that were dropped without being closed. */
const abandoned = new FinalizationRegistry<{ context: Context; handle: number }>(
  ({ context, handle }) => {
    const { native, out } = context;
    if (native.bow_adbc_close(context.handle, handle, out.pointer, null) === 0) {
      native.bow_job_close(context.handle, context.outValue(), null);
    }
  },
);

/** A query's rows. They keep the connection from being collected. */
class ConnectionStream extends JobStream {
  readonly connection: OpenConnection;

  constructor(connection: OpenConnection, job: Job) {
    super(job, (tables) => new RecordBatchLease(tables));
    this.connection = connection;
  }
}

/** A connection, by its handle. */
export class OpenConnection implements Connection {
  readonly #context: Context;
  readonly #operations: Operations;
  #closing: Promise<void> | undefined;

  constructor(context: Context, handle: number) {
    this.#context = context;
    this.#operations = new Operations(context, handle);
    abandoned.register(this, { context, handle }, this);
  }

  query(sql: string, parameters?: Parameters, options: QueryOptions = {}): RecordBatchStream {
    const flags = importFlags(options);
    const operation = { operation: "query", sql, options: options.options, flags };
    const input = parametersOf(parameters);
    return this.#stream(operation, options, input);
  }

  async execute(
    sql: string,
    parameters?: Parameters,
    { options, signal }: ExecuteOptions = {},
  ): Promise<number | undefined> {
    const input = parametersOf(parameters);
    return await this.#rows({ operation: "execute", sql, options }, signal, input);
  }

  async ingest(
    table: string,
    source: IngestSource,
    mode: IngestMode = "create",
    options: IngestOptions = {},
  ): Promise<number | undefined> {
    const { catalog, schema, temporary, rowSchema, signal } = options;
    signal?.throwIfAborted();
    const input = await exportAnySource(source, {
      ...(options.mode && { mode: options.mode }),
      ...(options.restore !== undefined && { restore: options.restore }),
      ...(rowSchema && { schema: rowSchema }),
    });
    const operation = {
      operation: "ingest",
      table,
      mode,
      catalog,
      schema,
      temporary,
      options: options.options,
    };
    return await this.#rows(operation, signal, input);
  }

  async begin(): Promise<void> {
    await this.#operations.run({ operation: "begin" });
  }

  async commit(): Promise<void> {
    await this.#operations.run({ operation: "commit" });
  }

  async rollback(): Promise<void> {
    await this.#operations.run({ operation: "rollback" });
  }

  async transaction<T>(run: (connection: Connection) => T | Promise<T>): Promise<T> {
    await this.begin();
    try {
      const result = await run(this);
      await this.commit();
      return result;
    } catch (reason) {
      // The first failure is the one that matters, and often the transaction has ended with it.
      await this.rollback().catch(() => {});
      throw reason;
    }
  }

  async tableSchema(table: string, options: TableOptions = {}): Promise<ArrowSchema> {
    const { catalog, schema } = options;
    const flags = importFlags({});
    const operation = { operation: "tableSchema", table, catalog, schema, flags };
    const answer = (await this.#operations.run(operation))!;
    const { schema: found } = answer.plan(0);
    answer.release();
    return found;
  }

  async tableTypes(): Promise<string[]> {
    const operation = { operation: "tableTypes", flags: importFlags({}) };
    const types: string[] = [];
    for await (const batch of this.#stream(operation, { copy: true })) {
      const column = batch.value.getChildAt<import("apache-arrow").Utf8>(0);
      for (const type of column ?? []) if (type !== null) types.push(type);
      batch.release();
    }
    return types;
  }

  objects(options: ObjectsOptions = {}): RecordBatchStream {
    const { depth, catalog, schema, table, tableTypes, column } = options;
    const flags = importFlags(options);
    const filter = { depth, catalog, schema, table, tableTypes, column };
    return this.#stream({ operation: "objects", ...filter, flags }, options);
  }

  cancel(reason?: unknown): void {
    this.#operations.cancel(reason);
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      abandoned.unregister(this);
      this.#closing = this.#operations.close();
    }
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #stream(operation: object, options: StreamOptions, input?: Input): RecordBatchStream {
    const { signal, copy, onCollect, maxLiveBytes } = options;
    checkImportOptions(this.#context, options);
    const jobOptions: JobOptions = {
      ...(signal && { signal }),
      ...(copy !== undefined && { copy }),
      ...(onCollect && { onCollect }),
      ...(maxLiveBytes !== undefined && { maxLiveBytes }),
    };
    return new ConnectionStream(
      this,
      this.#operations.start(operation, jobOptions, input?.stream),
    );
  }

  async #rows(
    operation: object,
    signal: AbortSignal | undefined,
    input: Input | undefined,
  ): Promise<number | undefined> {
    try {
      const answer = await this.#operations.run(operation, { signal }, input?.stream);
      // One row, copied, of one column.
      const rows = answer?.table(0).getChildAt(0)?.get(0) as bigint | null | undefined;
      return rows === null || rows === undefined ? undefined : Number(rows);
    } catch (reason) {
      // What the source threw is the cause of what the driver says; and it is known first.
      if (input?.failure) throw input.failure.reason;
      input?.stop(reason);
      throw reason;
    }
  }
}

function parametersOf(parameters: Parameters | undefined): Input | undefined {
  if (parameters === undefined) return undefined;
  if (!areValues(parameters)) return exportSource(parameters, {});
  return parameters.length === 0 ? undefined : exportSource(rowOf(parameters), {});
}
