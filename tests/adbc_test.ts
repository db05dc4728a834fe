/** Databases: queries and their parameters; what goes in comes out. */

import assert from "node:assert/strict";
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
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import { type adbc, StaleHandleError } from "../mod.ts";
import { leavesNothing, live, numbers, rows, value } from "./support/databases.ts";
import { connect, driverTest, eachDriver } from "./support/drivers.ts";

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
