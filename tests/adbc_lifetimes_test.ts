/** Databases: transactions, cancelling, closing, collection, and that nothing stays alive. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { tableFromArrays } from "apache-arrow";
import { adbc, AdbcError, stats } from "../mod.ts";
import { leavesNothing, numbers, rows, value } from "./support/databases.ts";
import { connect, driverOptions, driverTest, eachDriver } from "./support/drivers.ts";
import { collectGarbage, collectUntil } from "./support/process.ts";

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

for (const by of ["the connection", "one signal"]) {
  driverTest(
    "duckdb",
    `what waits does not begin when ${by} cancels it and what runs`,
    () =>
      leavesNothing(async () => {
        await using connection = await connect("duckdb");
        const controller = new AbortController();
        const { signal } = controller;
        // Whoever stops listening last is held: time for the connection's thread to go on.
        signal.removeEventListener = () => {
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
        };
        const options = by === "one signal" ? { signal } : {};
        const running = connection.execute(endless("duckdb"), undefined, options);
        const waiting = connection.execute("CREATE TABLE never (a INTEGER)", undefined, { signal });
        const reason = new Error("no longer wanted");
        const cancel = () =>
          by === "one signal" ? controller.abort(reason) : connection.cancel(reason);
        setTimeout(cancel, 50);
        await assert.rejects(running, (error) => error === reason);
        await assert.rejects(waiting, (error) => error === reason);
        await assert.rejects(connection.tableSchema("never"), AdbcError);
      }),
  );
}

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
