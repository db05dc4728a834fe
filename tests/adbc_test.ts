/** Databases: what goes in comes out, whatever fails says why, and nothing stays alive. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import {
  Field,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableFromArrays,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import {
  adbc,
  AdbcError,
  BowstringError,
  type RecordBatchStream,
  StaleHandleError,
  stats,
} from "../mod.ts";
import { connect, driverOptions, driverTest, eachDriver } from "./support/drivers.ts";
import { collectGarbage, collectUntil } from "./support/process.ts";
import { Workspace } from "./support/workspace.ts";

/** The rows of a query, as plain values. */
async function rows(stream: RecordBatchStream): Promise<Record<string, unknown>[]> {
  const all: Record<string, unknown>[] = [];
  for await (const batch of stream) {
    for (const row of batch.value) {
      all.push(
        Object.fromEntries(Object.entries(row.toJSON()).map(([name, it]) => [name, own(it)])),
      );
    }
    batch.release();
  }
  return all;
}

/** A value that does not lie in the batch's memory. */
function own(value: unknown): unknown {
  if (value instanceof Uint8Array) return value.slice();
  // apache-arrow's decimals, of which DuckDB's sums are.
  if (ArrayBuffer.isView(value)) return BigInt(String(value));
  if (typeof value !== "object" || value === null) return value;
  const plain = JSON.stringify(value, (_, it) => typeof it === "bigint" ? Number(it) : it);
  return JSON.parse(plain);
}

/** The one value of a query. */
async function value(stream: RecordBatchStream): Promise<unknown> {
  const all = await rows(stream);
  assert.equal(all.length, 1);
  return Object.values(all[0]!)[0];
}

const LIVE = ["liveConnections", "liveJobs", "liveLeases", "livePins", "liveStreams"] as const;

function live(): number[] {
  const now = stats();
  return [...LIVE.map((name) => now[name]), now.bytesViewed, now.leaks, now.violations];
}

/** Checks that nothing which `run` made is alive when it is through. */
async function leavesNothing(run: () => Promise<void>): Promise<void> {
  const before = live();
  await run();
  // What the driver releases on threads of its own may come a moment after the answer.
  await collectUntil(
    () => live().every((count, index) => count <= before[index]!),
    `${LIVE.join(", ")}, bytesViewed, leaks and violations as before: ${before}; now ${live()}`,
  );
  assert.deepEqual(live(), before);
}

/** Columns of JavaScript's: from a few thousand rows on, larger than what is copied rather than borrowed. */
function numbers(count: number): Table {
  const id = Int32Array.from({ length: count }, (_, index) => index);
  const columns = tableFromArrays({ id, half: Float64Array.from(id, (number) => number / 2) });
  const names = Array.from(id, (number) => number % 3 ? `n${number}` : null);
  return columns.assign(new Table({ name: vectorFromArray(names, new Utf8()) }));
}

function sum(count: number): number {
  return count * (count - 1) / 2;
}

eachDriver("a query's rows, and their schema", (driver) =>
  leavesNothing(async () => {
    await using connection = await connect(driver);
    const stream = connection.query(
      "SELECT 42 AS answer, 'x' AS letter, 1.5e0 AS number, NULL AS no",
    );
    const { fields } = await stream.schema;
    assert.deepEqual(fields.map(({ name }) => name), ["answer", "letter", "number", "no"]);
    const [row] = await rows(stream);
    assert.equal(Number(row!.answer), 42);
    assert.deepEqual([row!.letter, row!.number, row!.no], ["x", 1.5, null]);
  }));

eachDriver(
  "a query without rows has a schema and no batch of rows",
  (driver) =>
    leavesNothing(async () => {
      await using connection = await connect(driver);
      const stream = connection.query("SELECT 1 AS one WHERE 1 = 0");
      assert.deepEqual((await stream.schema).fields.map(({ name }) => name), ["one"]);
      assert.deepEqual(await rows(stream), []);
    }),
);

/** Each value goes in as a parameter and comes out again. */
const VALUES: readonly (readonly [adbc.ParameterValue, (back: unknown) => unknown, unknown])[] = [
  [null, (back) => back, null],
  [7, Number, 7],
  [-0.5, (back) => back, -0.5],
  [2n ** 40n, BigInt as (back: unknown) => unknown, 2n ** 40n],
  ["gr\u00fc\u00df \u{1f600}", (back) => back, "gr\u00fc\u00df \u{1f600}"],
  ["", (back) => back, ""],
  [Uint8Array.of(0, 255, 7), (back) => [...back as Uint8Array], [0, 255, 7]],
  [true, (back) => Boolean(Number(back)), true],
];

eachDriver("values as parameters", (driver) =>
  leavesNothing(async () => {
    await using connection = await connect(driver);
    for (const [parameter, back, expected] of VALUES) {
      const answer = await value(connection.query("SELECT ? AS v", [parameter]));
      assert.deepEqual(back(answer), expected, String(parameter));
    }
    const both = await rows(connection.query("SELECT ? AS a, ? AS b", ["1", 2]));
    assert.deepEqual(both.map(({ a, b }) => [a, Number(b)]), [["1", 2]]);
  }));

driverTest("duckdb", "a Date as a parameter", () =>
  leavesNothing(async () => {
    await using connection = await connect("duckdb");
    const date = new Date(Date.UTC(2024, 1, 29, 12, 30, 15, 250));
    const answer = await value(connection.query("SELECT CAST(? AS VARCHAR)", [date]));
    assert.equal(answer, "2024-02-29 12:30:15.25");
  }));

eachDriver("Arrow data as parameters", (driver) =>
  leavesNothing(async () => {
    await using connection = await connect(driver);
    await connection.execute("CREATE TABLE t (a INTEGER, b VARCHAR)");
    const insert = "INSERT INTO t VALUES (?, ?)";
    const a = vectorFromArray([1n, 2n, 3n], new Int64());
    const b = vectorFromArray(["x", null, "z"], new Utf8());
    const table = new Table({ a, b });
    const found = async () => {
      const all = await rows(connection.query("SELECT a, b FROM t ORDER BY a"));
      await connection.execute("DELETE FROM t");
      return all.map(({ a, b }) => [Number(a), b]);
    };
    const row = table.slice(1, 2);
    for (const one of [row, row.batches, row.batches[0]!]) {
      await connection.execute(insert, one);
      assert.deepEqual(await found(), [[2, null]]);
    }
    if (driver === "duckdb") {
      // It takes one row at a time, and says so.
      await assert.rejects(connection.execute(insert, table), { status: "NOT_IMPLEMENTED" });
      return;
    }
    for (const all of [table, table.batches, table.batches[0]!]) {
      await connection.execute(insert, all);
      assert.deepEqual(await found(), [[1, "x"], [2, null], [3, "z"]]);
    }
  }));

test("adbc: a value that is none is refused before anything starts", async () => {
  const before = live();
  for (const [bad, message] of [[2n ** 63n, /64 bits/], [() => 1, /parameter 1: .* function/]]) {
    const { OpenConnection } = await import("../bindings/adbc/connection.ts");
    const { currentContext } = await import("../bindings/context.ts");
    const connection = new OpenConnection(currentContext(), 0);
    const parameters = [bad] as unknown as adbc.Parameters;
    assert.throws(() => connection.query("SELECT ?", parameters), {
      code: "INVALID_ARGUMENT",
      message: message as RegExp,
    });
    await assert.rejects(connection.close(), StaleHandleError);
  }
  assert.deepEqual(live(), before);
});

eachDriver("a table that JavaScript built is ingested", (driver) =>
  leavesNothing(async () => {
    await using connection = await connect(driver);
    const table = numbers(5000);
    assert.equal(await connection.ingest("t", table), 5000);
    const [row] = await rows(
      connection.query("SELECT count(*) c, sum(id) s, sum(half) h, count(name) n FROM t"),
    );
    assert.deepEqual(
      [row!.c, row!.s, row!.h, row!.n].map(Number),
      [5000, sum(5000), sum(5000) / 2, 3333],
    );
    const { fields } = await connection.tableSchema("t");
    assert.deepEqual(fields.map(({ name }) => name), ["id", "half", "name"]);
  }));

eachDriver("modes of ingestion", (driver) =>
  leavesNothing(async () => {
    await using connection = await connect(driver);
    const table = numbers(10);
    const count = () => value(connection.query("SELECT count(*) FROM t")).then(Number);
    await assert.rejects(connection.ingest("t", table, "append"), AdbcError);
    await connection.ingest("t", table, "create");
    assert.equal(await count(), 10);
    await assert.rejects(connection.ingest("t", table, "create"), AdbcError);
    await connection.ingest("t", table, "append");
    assert.equal(await count(), 20);
    await connection.ingest("t", table, "replace");
    assert.equal(await count(), 10);
    await connection.ingest("t", table, "createAppend");
    assert.equal(await count(), 20);
    await assert.rejects(connection.ingest("t", table, "other" as adbc.IngestMode), {
      code: "INVALID_ARGUMENT",
    });
    await connection.ingest("passing", table, "create", { temporary: true });
    assert.equal(Number(await value(connection.query("SELECT count(*) FROM passing"))), 10);
  }));

eachDriver(
  "sources of batches are read as the driver wants them",
  (driver) =>
    leavesNothing(async () => {
      await using connection = await connect(driver);
      const table = numbers(100);
      async function* batches() {
        for (let round = 0; round < 50; round++) {
          await null;
          yield* table.batches;
        }
      }
      assert.equal(await connection.ingest("t", batches()), 5000);
      const none = Object.assign([] as RecordBatch[], { schema: table.schema });
      await connection.ingest("t", none, "append");
      assert.equal(Number(await value(connection.query("SELECT count(*) FROM t"))), 5000);
    }),
);

eachDriver(
  "a source that throws fails the ingestion with its reason",
  (driver) =>
    leavesNothing(async () => {
      await using connection = await connect(driver);
      const table = numbers(10);
      const reason = new Error("the source is broken");
      async function* later() {
        yield* table.batches;
        await null;
        throw reason;
      }
      function* atOnce() {
        yield* table.batches;
        throw reason;
      }
      for (const source of [Object.assign(later(), { schema: table.schema }), later(), atOnce()]) {
        // Some drivers, DuckDB's for one, take an error for the end of the stream.
        await assert.rejects(
          connection.ingest("t", source, "replace"),
          (error) => error === reason,
        );
        assert.equal(Number(await value(connection.query("SELECT 1"))), 1);
      }
      const rolledBack = connection.transaction(() => connection.ingest("u", later()));
      await assert.rejects(rolledBack, (error) => error === reason);
      await assert.rejects(connection.tableSchema("u"), AdbcError);
    }),
);

for (const from of ["duckdb", "sqlite"] as const) {
  driverTest(
    "duckdb",
    `what a query of ${from} gives is ingested in place`,
    () =>
      leavesNothing(async () => {
        await using source = await connect(from);
        await using target = await connect("duckdb");
        await source.ingest("t", numbers(5000));
        assert.equal(await target.ingest("copy", source.query("SELECT * FROM t")), 5000);
        assert.equal(Number(await value(target.query("SELECT sum(id) FROM copy"))), sum(5000));
      }),
  );
}

eachDriver("a query of the same connection is ingested", (driver) =>
  leavesNothing(async () => {
    await using connection = await connect(driver);
    await connection.ingest("t", numbers(100_000));
    await connection.ingest("copy", connection.query("SELECT * FROM t"));
    assert.equal(Number(await value(connection.query("SELECT sum(id) FROM copy"))), sum(100_000));
  }));

/** A leased batch, of memory that the driver gave, large enough to be shown without copying. */
async function leased(connection: adbc.Connection) {
  await connection.ingest("source", numbers(2000));
  for await (const batch of connection.query("SELECT id, half, name FROM source ORDER BY id")) {
    return batch;
  }
  throw new Error("no batch");
}

for (const order of ["before", "after"] as const) {
  eachDriver(
    `a lease that is released ${order} its ingestion ends`,
    (driver) =>
      leavesNothing(async () => {
        await using connection = await connect(driver);
        const batch = await leased(connection);
        const count = batch.value.numRows;
        let given = () => {};
        const gate = new Promise<void>((resolve) => given = resolve);
        const half = batch.value;
        // The batch is exported, then the driver waits for the end of the source while the lease is released.
        async function* source() {
          yield half;
          if (order === "before") batch.release();
          given();
          await null;
        }
        const done = connection.ingest("t", source());
        await gate;
        assert.equal(await done, count);
        batch.release();
        assert.equal(batch.released, true);
        assert.equal(Number(await value(connection.query("SELECT sum(id) FROM t"))), sum(count));
      }),
  );
}

eachDriver(
  "a lease that a stream gives is released when it was taken over",
  (driver) =>
    leavesNothing(async () => {
      await using connection = await connect(driver);
      const batch = await leased(connection);
      await connection.ingest("t", [batch]);
      assert.equal(batch.released, true);
      const other = await firstBatch(connection);
      await connection.ingest("u", other);
      assert.equal(other.released, false);
      other.release();
    }),
);

async function firstBatch(connection: adbc.Connection) {
  for await (const batch of connection.query("SELECT * FROM source")) return batch;
  throw new Error("no batch");
}

eachDriver(
  "batches stay valid when the connection is closed",
  (driver) =>
    leavesNothing(async () => {
      const connection = await connect(driver);
      const batch = await leased(connection);
      await connection.close();
      let total = 0;
      for (const id of batch.value.getChild("id")!) total += Number(id);
      assert.equal(total, sum(batch.value.numRows));
      batch.release();
    }),
);

eachDriver(
  "a loop over a query may use the same connection",
  (driver) =>
    leavesNothing(async () => {
      await using connection = await connect(driver);
      await connection.ingest("t", numbers(100_000));
      await connection.execute("CREATE TABLE seen (n INTEGER)");
      const batches = connection.query("SELECT * FROM t", undefined, {
        ...(driver === "sqlite" && { options: { "adbc.sqlite.query.batch_rows": 512 } }),
      });
      let read = 0;
      for await (const batch of batches) {
        await connection.execute("INSERT INTO seen VALUES (?)", [batch.value.numRows]);
        read += batch.value.numRows;
        batch.release();
      }
      assert.equal(read, 100_000);
      assert.equal(Number(await value(connection.query("SELECT sum(n) FROM seen"))), 100_000);
    }),
);

eachDriver("two queries are read in turns", (driver) =>
  leavesNothing(async () => {
    await using connection = await connect(driver);
    await connection.ingest("t", numbers(100_000));
    const readers = ["SELECT id FROM t", "SELECT id FROM t"].map((sql) =>
      connection.query(sql)[Symbol.asyncIterator]()
    );
    const counts = [0, 0];
    for (let open = 2; open > 0;) {
      open = 0;
      for (const [index, reader] of readers.entries()) {
        const { done, value } = await reader.next();
        if (done) continue;
        open++;
        counts[index]! += value.value.numRows;
        value.release();
      }
    }
    assert.deepEqual(counts, [100_000, 100_000]);
  }));

eachDriver("leaving a query early frees the connection", (driver) =>
  leavesNothing(async () => {
    await using connection = await connect(driver);
    await connection.ingest("t", numbers(50_000));
    for await (const batch of connection.query("SELECT a.id FROM t a, t b")) {
      batch.release();
      break;
    }
    assert.equal(Number(await value(connection.query("SELECT 7"))), 7);
  }));

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
      message: /\/nowhere\/libnone\.so/,
    });
    await assert.rejects(adbc.connect({ ...options, driver: import.meta.filename! }), {
      code: "IO",
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

eachDriver("transactions", (driver) =>
  leavesNothing(async () => {
    await using connection = await connect(driver);
    const count = () => value(connection.query("SELECT count(*) FROM t")).then(Number);
    await connection.execute("CREATE TABLE t (a INTEGER)");
    for (const end of ["commit", "rollback"] as const) {
      await assert.rejects(connection[end](), { status: "INVALID_STATE" });
    }
    await connection.begin();
    await assert.rejects(connection.begin(), { status: "INVALID_STATE" });
    await connection.execute("INSERT INTO t VALUES (1)");
    await connection.rollback();
    assert.equal(await count(), 0);
    await connection.begin();
    await connection.execute("INSERT INTO t VALUES (1)");
    await connection.commit();
    assert.equal(await count(), 1);

    const answer = await connection.transaction(async (inside) => {
      assert.equal(inside, connection);
      await inside.ingest("t", tableFromArrays({ a: Int32Array.of(2, 3) }), "append");
      return "kept";
    });
    assert.equal(answer, "kept");
    assert.equal(await count(), 3);
    const reason = new Error("changed my mind");
    await assert.rejects(
      connection.transaction(async () => {
        await connection.execute("DELETE FROM t");
        assert.equal(await count(), 0);
        throw reason;
      }),
      (error) => error === reason,
    );
    assert.equal(await count(), 3);
    // Each statement is a transaction again.
    await connection.execute("INSERT INTO t VALUES (4)");
    await assert.rejects(connection.rollback(), { status: "INVALID_STATE" });
    assert.equal(await count(), 4);
  }));

const endless = (driver: string) =>
  // SQLite's driver cannot cancel, so there it is a query that ends within moments.
  `WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < ${
    driver === "duckdb" ? "1000000000000" : "1000000"
  }) SELECT count(*) FROM r`;

eachDriver("a running query is cancelled", (driver) =>
  leavesNothing(async () => {
    await using connection = await connect(driver);
    const reason = new Error("no longer wanted");
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 50);
    const { signal } = controller;
    const failsWith = (error: unknown) => error === reason;
    await assert.rejects(connection.execute(endless(driver), undefined, { signal }), failsWith);
    // It has stopped: what comes next is done.
    assert.equal(Number(await value(connection.query("SELECT 1"))), 1);

    const running = rows(connection.query(endless(driver)));
    const waiting = connection.execute("CREATE TABLE never (a INTEGER)");
    setTimeout(() => connection.cancel(reason), 50);
    await assert.rejects(running, failsWith);
    await assert.rejects(waiting, failsWith);
    await assert.rejects(connection.tableSchema("never"), AdbcError);
    assert.throws(() => connection.query("SELECT 1", undefined, { signal }), failsWith);
    await assert.rejects(connection.ingest("t", numbers(1), "create", { signal }), failsWith);
  }));

driverTest("duckdb", "closing stops what runs", () =>
  leavesNothing(async () => {
    const connection = await connect("duckdb");
    const running = connection.execute(endless("duckdb"));
    const check = assert.rejects(running, { code: "CANCELLED" });
    await connection.close();
    await check;
  }));

eachDriver(
  "an ingestion whose source never answers is cancelled",
  (driver) =>
    leavesNothing(async () => {
      await using connection = await connect(driver);
      const table = numbers(10);
      const controller = new AbortController();
      let asked = () => {};
      const waits = new Promise<void>((resolve) => asked = resolve);
      async function* batches() {
        yield* table.batches;
        asked();
        await new Promise(() => {});
      }
      const { signal } = controller;
      const done = connection.ingest("t", batches(), "create", { signal });
      const check = assert.rejects(done, { name: "AbortError" });
      await waits;
      controller.abort();
      await check;
      assert.equal(Number(await value(connection.query("SELECT 1"))), 1);
    }),
);

eachDriver("what was dropped is collected", (driver) =>
  leavesNothing(async () => {
    await (async () => {
      const connection = await connect(driver);
      connection.query("SELECT 1");
      await connection.execute("SELECT 1");
    })();
    await collectUntil(() => stats().liveConnections === 0, "the connection is closed");
  }));

eachDriver("a query's stream keeps its connection", (driver) =>
  leavesNothing(async () => {
    const open = async () => {
      const connection = await connect(driver);
      await connection.ingest("t", numbers(200_000));
      return connection.query("SELECT * FROM t");
    };
    let count = 0;
    let batches = 0;
    await (async () => {
      for await (const batch of await open()) {
        count += batch.value.numRows;
        batch.release();
        if (++batches % 32 !== 1) continue;
        collectGarbage();
        // Finalizers have their turn.
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    })();
    assert.equal(count, 200_000);
    await collectUntil(() => stats().liveConnections === 0, "the connection is closed");
  }));

eachDriver("what a database holds", (driver) =>
  leavesNothing(async () => {
    await using connection = await connect(driver);
    await connection.ingest("t", numbers(10));
    const types = await connection.tableTypes();
    assert.ok(types.some((type) => /table/i.test(type)), String(types));
    const found = JSON.stringify(await rows(connection.objects({ table: "t" })));
    for (const name of ["id", "half", "name"]) {
      assert.ok(found.includes(`"column_name":"${name}"`), found);
    }
    const catalogs = JSON.stringify(await rows(connection.objects({ depth: "catalogs" })));
    assert.ok(!catalogs.includes("column_name"), catalogs);
  }));

driverTest(
  "duckdb",
  "types come in, converted where they must be, and go out again",
  () =>
    leavesNothing(async () => {
      await using connection = await connect("duckdb");
      await connection.execute(`CREATE TABLE t AS SELECT
      i::TINYINT AS i8, i::USMALLINT AS u16, i::UBIGINT AS u64, i::HUGEINT AS huge,
      (i / 4)::FLOAT AS f32, (i * 1.25)::DECIMAL(12, 2) AS dec, i % 2 = 0 AS flag,
      DATE '2024-02-29' + i::INTEGER AS day, TIME '12:30:15.250' AS clock,
      TIMESTAMP '2024-02-29 12:30:15.25' AS moment, TIMESTAMPTZ '2024-02-29 12:30:15+00' AS zoned,
      INTERVAL 2 DAY AS span, 'long enough not to be inlined ' || i AS text, '\\xFF\\x00'::BLOB AS bytes,
      [i, NULL] AS list, {'a': i, 'b': 'x'} AS struct, MAP {'k': i} AS map,
      CASE i % 3 WHEN 0 THEN 'red' WHEN 1 THEN 'green' END::ENUM('red', 'green') AS color,
      CASE WHEN i % 2 = 0 THEN NULL ELSE i END AS hole
      FROM range(100) r(i)`);
      // Ingested as they came, so that DuckDB itself can compare.
      assert.equal(await connection.ingest("copy", connection.query("SELECT * FROM t")), 100);
      const differing = await value(
        connection.query(`SELECT count(*) FROM (
        SELECT * REPLACE (color::VARCHAR AS color) FROM t
        EXCEPT ALL SELECT * REPLACE (color::VARCHAR AS color) FROM copy)`),
      );
      assert.equal(Number(differing), 0);
      const [row] = await rows(
        connection.query("SELECT i8, u16, u64, f32, flag, text, color, hole FROM t WHERE i8 = 7"),
      );
      assert.deepEqual(row, {
        i8: 7,
        u16: 7,
        u64: 7n,
        f32: 1.75,
        flag: false,
        text: "long enough not to be inlined 7",
        color: "green",
        hole: 7n,
      });
    }),
);

eachDriver("a struct of JavaScript's own making", (driver) =>
  leavesNothing(async () => {
    await using connection = await connect(driver);
    const schema = new Schema([new Field("id", new Int32(), false)]);
    const id = makeData({ type: new Int32(), data: Int32Array.of(5, 6), length: 2 });
    const data = makeData({ type: new Struct(schema.fields), children: [id], length: 2 });
    const batch = new RecordBatch(schema, data);
    await connection.ingest("t", batch);
    const found = await rows(connection.query("SELECT id FROM t ORDER BY id"));
    assert.deepEqual(found.map(({ id }) => Number(id)), [5, 6]);
  }));

test(
  "adbc: a hundred thousand rows a hundred times leave nothing",
  { timeout: 120_000 },
  () =>
    leavesNothing(async () => {
      const options = (() => {
        try {
          return driverOptions("duckdb");
        } catch {
          return undefined;
        }
      })();
      if (options === undefined) return;
      await using connection = await adbc.connect(options);
      await connection.ingest("t", numbers(100_000));
      for (let round = 0; round < 100; round++) {
        for await (const batch of connection.query("SELECT * FROM t")) batch.release();
      }
    }),
);
