/**
 * Uses a database under whatever permissions there are and prints how each call went. The arguments are a driver that may
 * be loaded, with SQLite's entry point, and one that may not.
 */

import process from "node:process";
import { tableFromArrays } from "apache-arrow";
import { adbc, stats } from "../../mod.ts";
import { attempt } from "../support/attempt.ts";

const [driver, denied] = process.argv.slice(2) as [string, string];

await attempt("connect to the denied one", () => adbc.connect({ driver: denied }));
const connection = await adbc.connect({ driver, options: { uri: ":memory:" } });

async function values(...[sql, parameters, options]: Parameters<typeof connection.query>) {
  const values: unknown[] = [];
  for await (const batch of connection.query(sql, parameters, options)) {
    for (const value of batch.value.getChildAt(0)!) values.push(value);
    batch.release();
  }
  return values.join();
}

await attempt("execute", async () => {
  await connection.execute("CREATE TABLE t (a INTEGER)");
  return await connection.execute("INSERT INTO t VALUES (1), (2)");
});
const sql = "SELECT a FROM t";
await attempt("query by copy", () => values(sql, undefined, { copy: true }));
await attempt("query", () => values(sql));
await attempt("query with parameters", () => values("SELECT ?", [1], { copy: true }));
await attempt("execute with parameters", () => connection.execute("SELECT ?", [1]));
const table = tableFromArrays({ a: Int32Array.of(3) });
for (const mode of ["borrow", "copy"] as const) {
  await attempt(`ingest, ${mode}`, () => connection.ingest("t", table, "append", { mode }));
}
await attempt("tableSchema", async () => (await connection.tableSchema("t")).fields[0]!.name);
await attempt("tableTypes", () => connection.tableTypes());
await attempt(
  "transaction",
  () => connection.transaction(() => values(sql, undefined, { copy: true })),
);
await connection.close();
const { liveLeases, livePins, liveStreams, liveJobs, liveConnections } = stats();
console.log(`alive: ${liveLeases} ${livePins} ${liveStreams} ${liveJobs} ${liveConnections}`);
