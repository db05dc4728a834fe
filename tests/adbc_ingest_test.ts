/** Tables into databases: from JavaScript, from leases, from queries of other databases. */

import assert from "node:assert/strict";
import type { RecordBatch } from "apache-arrow";
import { type adbc, AdbcError } from "../mod.ts";
import { leavesNothing, numbers, rows, sum, value } from "./support/databases.ts";
import { connect, driverTest, eachDriver } from "./support/drivers.ts";

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
