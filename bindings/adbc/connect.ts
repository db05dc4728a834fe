/** Opening a connection. */

import { resolve } from "node:path";
import { currentContext } from "../context.ts";
import { LibraryLoadError } from "../errors.ts";
import { encodeOptions, finish, Job, type JobOptions } from "../job.ts";
import { type Connection, OpenConnection } from "./connection.ts";
import type { DriverOptions } from "./operations.ts";

/** Which database is connected to, and how. */
export interface ConnectOptions {
  /** The path of the driver's library; a relative one is below the working directory. It is never closed. */
  readonly driver: string;
  /**
   * The name of the driver's entry point. By default the one that ADBC derives from the library's name
   * (`AdbcDriverSqliteInit` for `libadbc_driver_sqlite.so`), or else `AdbcDriverInit`.
   */
  readonly entrypoint?: string;
  /** Options of the database, such as `uri` or, for DuckDB, `path`. */
  readonly options?: DriverOptions;
  /** Options of the connection, such as `adbc.connection.readonly`. */
  readonly connectionOptions?: DriverOptions;
  /** Gives up waiting. The driver goes on to the end of what it is at, and is then closed. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a database and a connection to it. The driver's library is loaded, and everything is done, on a native thread of
 * the connection's own.
 *
 * Under Deno the library's path needs `--allow-ffi`, as any library does, which is checked before native code opens it:
 * throws `LibraryLoadError`. Rejects with `IO` when the library cannot be opened, with `INVALID_ARGUMENT` when it has no
 * such entry point, and with `AdbcError` when the driver fails.
 *
 * @example
 * ```ts
 * import { adbc } from "@bowstring/bowstring";
 *
 * await using connection = await adbc.connect({
 *   driver: "libadbc_driver_sqlite.so",
 *   options: { uri: ":memory:" },
 * });
 * console.log(await connection.tableTypes()); // [ "table", "view" ]
 * ```
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const context = currentContext();
  const { native, runtime, handle, out, error } = context;
  const driver = resolve(options.driver);
  if (!runtime.mayLoad(driver)) {
    throw new LibraryLoadError(
      `Deno may not load ${driver}: run with --allow-ffi, or with --allow-ffi=<Bowstring's library>,${driver}`,
    );
  }
  const { entrypoint, options: database, connectionOptions, signal } = options;
  const { pointer, bytes } = encodeOptions(context, {
    driver,
    entrypoint,
    options: database,
    connectionOptions,
  });
  const opened = runtime.scratch(Uint32Array.BYTES_PER_ELEMENT);
  const jobOptions: JobOptions = { maxLiveBytes: Infinity, ...(signal && { signal }) };
  const job = new Job(
    context,
    jobOptions,
    () =>
      native.bow_adbc_open(
        handle,
        pointer,
        bytes.length,
        opened.pointer,
        out.pointer,
        error.pointer,
      ),
  );
  const connection = new OpenConnection(context, opened.view.getUint32(0, true));
  try {
    await finish(job);
    return connection;
  } catch (reason) {
    // Not awaited: a driver that hangs would keep the reason from its caller.
    connection.close().catch(() => {});
    throw reason;
  }
}
