/**
 * Calls the bridge under whatever permissions there are and prints how each call went. The arguments are a library of the
 * tests that makes structs (see `support/producer.c`) and a description of a record batch, in hexadecimal.
 */

import process from "node:process";
import { Int32, makeData, RecordBatch, Schema, Table, Vector } from "apache-arrow";
import {
  exportArray,
  exportRecordBatch,
  exportSchema,
  exportStream,
  exportTable,
  importArray,
  importRecordBatch,
  importSchema,
  importStream,
  importTable,
  openLibrary,
  stats,
} from "../../mod.ts";
import { open } from "../support/native.ts";

const [path, description] = process.argv.slice(2);
const native = await open(path!, {
  producer_place: ["buffer", "u32", "f64"],
});
const input = new Uint8Array(new ArrayBuffer(description!.length / 2));
input.set(description!.match(/../g)!.map((byte) => parseInt(byte, 16)));

/** Structs that the other library has allocated: it says where. */
const schemaAndArray = () => {
  const schema = native.producer_place(input, input.length);
  return [schema, schema + 72] as const;
};
const streamOf = () => schemaAndArray()[0] + 152;

async function attempt(what: string, body: () => unknown): Promise<void> {
  const before = stats().bytesCopied;
  try {
    const result = await body();
    const copied = stats().bytesCopied > before ? ", copied" : "";
    console.log(`${what}: ${result}${copied}`);
  } catch (reason) {
    const { name, code, message } = reason as Error & { code?: string };
    console.log(`${what}: ${name} ${code}: ${message}`);
  }
}

const copy = { copy: true } as const;
await attempt("importSchema", () => importSchema(schemaAndArray()[0]).fields.length);
for (const options of [copy, {}]) {
  const how = options === copy ? " by copy" : "";
  await attempt(`importArray${how}`, () => importArray(...schemaAndArray(), options).value.length);
  await attempt(`importRecordBatch${how}`, () => {
    const lease = importRecordBatch(...schemaAndArray(), options);
    const values = [...lease.value.getChildAt(0)!].join();
    lease.release();
    return `${values}, ${lease.value.numRows} rows`;
  });
  await attempt(`importStream${how}`, async () => {
    let rows = 0;
    for await (const batch of importStream(streamOf(), options)) rows += batch.value.numRows;
    return `${rows} rows`;
  });
  await attempt(`importTable${how}`, async () => {
    return `${(await importTable(streamOf(), options)).value.numRows} rows`;
  });
}

const data = makeData({ type: new Int32(), data: Int32Array.of(1, 2, 3) });
const batch = new RecordBatch({ x: data });
await attempt("exportSchema", () => exportSchema(new Schema([])) && "done");
await attempt("exportArray", () => exportArray(new Vector([data])) && "done");
await attempt("exportRecordBatch", () => exportRecordBatch(batch, { mode: "copy" }) && "done");
await attempt("exportTable", () => exportTable(new Table([batch])) && "done");
await attempt("exportStream", () => exportStream([batch]) && "done");
await attempt("openLibrary", () => openLibrary("/no/such/library.so", {}) && "done");
const { liveLeases, livePins, liveStreams, liveJobs } = stats();
console.log(`alive: ${liveLeases} ${livePins} ${liveStreams} ${liveJobs}`);
