/** Databases: whatever fails says why, with its status, and leaves the connection as it was. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { adbc, AdbcError, BowstringError, StaleHandleError } from "../mod.ts";
import { leavesNothing, numbers, rows, value } from "./support/databases.ts";
import { connect, driverOptions, driverTest, eachDriver } from "./support/drivers.ts";
import { Workspace } from "./support/workspace.ts";

eachDriver("a driver's error has its message and status", (driver) =>
  leavesNothing(async () => {
    await using connection = await connect(driver);
    for (
      const operation of [
        () => rows(connection.query("SELEC 1")),
        () => connection.execute("SELEC 1"),
        () => connection.query("SELEC 1").schema,
        () => rows(connection.query("SELECT * FROM missing")),
      ]
    ) {
      await assert.rejects(operation, (error) => {
        assert.ok(error instanceof AdbcError && error instanceof BowstringError);
        assert.equal(error.code, "ADBC");
        assert.equal(error.status, driver === "duckdb" ? "INTERNAL" : "INVALID_ARGUMENT");
        assert.match(error.message, /SELEC|missing/);
        return true;
      });
    }
    await assert.rejects(connection.tableSchema("missing"), AdbcError);
    // The connection is as good as before.
    assert.equal(Number(await value(connection.query("SELECT 1"))), 1);
  }));

driverTest("duckdb", "an error in the middle of a stream", () =>
  leavesNothing(async () => {
    await using connection = await connect("duckdb");
    const sql = "SELECT CASE WHEN i = 150000 THEN error('here') ELSE i END FROM range(200000) r(i)";
    await assert.rejects(rows(connection.query(sql)), (error) => {
      assert.ok(error instanceof AdbcError, String(error));
      assert.match(error.message, /here/);
      return true;
    });
  }));

driverTest(
  "duckdb",
  "a message longer than the struct of errors is whole",
  () =>
    leavesNothing(async () => {
      await using connection = await connect("duckdb");
      const long = "x".repeat(3000);
      await assert.rejects(connection.execute(`SELECT error('${long}')`), (error) => {
        assert.ok((error as Error).message.includes(long));
        return true;
      });
    }),
);

test("adbc: an error's parts", () => {
  const error = new AdbcError("NOT_FOUND -7 42P01\nno such table\nat all");
  assert.deepEqual(
    [error.name, error.code, error.status, error.vendorCode, error.sqlState, error.message],
    ["AdbcError", "ADBC", "NOT_FOUND", -7, "42P01", "no such table\nat all"],
  );
  const bare = new AdbcError("UNKNOWN 0 -\n");
  assert.deepEqual([bare.vendorCode, bare.sqlState, bare.message], [undefined, undefined, ""]);
});

eachDriver("drivers and entry points that are not there", (driver) =>
  leavesNothing(async () => {
    const options = driverOptions(driver);
    await assert.rejects(adbc.connect({ driver: "/nowhere/libnone.so" }), {
      code: "IO",
      message: "/nowhere/libnone.so: cannot open shared object file: No such file or directory",
    });
    const source = import.meta.filename!;
    await assert.rejects(adbc.connect({ ...options, driver: source }), {
      code: "IO",
      message: `${source}: invalid ELF header`,
    });
    await assert.rejects(adbc.connect({ ...options, entrypoint: "no_such_init" }), {
      code: "INVALID_ARGUMENT",
      message: /has no entry point no_such_init/,
    });
    await assert.rejects(
      adbc.connect({ ...options, options: { "no.such.option": "x" } }),
      (error) => {
        assert.ok(error instanceof AdbcError);
        assert.match(error.message, /no\.such\.option/);
        return true;
      },
    );
  }));

eachDriver("a file that cannot be opened", (driver) =>
  leavesNothing(async () => {
    const path = "/nowhere/database.db";
    const options: adbc.DriverOptions = driver === "duckdb"
      ? { path }
      : { uri: `file:${path}?mode=ro` };
    await assert.rejects(adbc.connect({ ...driverOptions(driver), options }), AdbcError);
  }));

eachDriver(
  "a file keeps what was written, and is free when the connection is closed",
  (driver) =>
    leavesNothing(async () => {
      const workspace = new Workspace();
      try {
        const path = join(workspace.path, "data.db");
        const options: adbc.DriverOptions = driver === "duckdb" ? { path } : { uri: path };
        for (const mode of ["create", "append"] as const) {
          const connection = await adbc.connect({ ...driverOptions(driver), options });
          await connection.ingest("t", numbers(10), mode);
          await connection.close();
        }
        await using connection = await adbc.connect({ ...driverOptions(driver), options });
        assert.equal(Number(await value(connection.query("SELECT count(*) FROM t"))), 20);
      } finally {
        workspace.remove();
      }
    }),
);

eachDriver("a closed connection", (driver) =>
  leavesNothing(async () => {
    const connection = await connect(driver);
    const pending = connection.execute("SELECT 1");
    const unread = connection.query("SELECT 1");
    const closing = connection.close();
    await pending.catch((error) => assert.equal(error.code, "CANCELLED"));
    await assert.rejects(rows(unread), { code: "CANCELLED" });
    await closing;
    await connection.close();
    await connection[Symbol.asyncDispose]();
    await assert.rejects(connection.execute("SELECT 1"), StaleHandleError);
    await assert.rejects(connection.ingest("t", numbers(10)), StaleHandleError);
    await assert.rejects(connection.begin(), StaleHandleError);
    await assert.rejects(connection.tableSchema("t"), StaleHandleError);
    assert.throws(() => connection.query("SELECT 1"), StaleHandleError);
    assert.throws(() => connection.query("SELECT ?", [1]), StaleHandleError);
    connection.cancel();
  }));
