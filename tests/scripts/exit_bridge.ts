/** Ends the process, by itself ("end") or by process.exit ("exit"), with leases, exports, a stream that nobody reads on
 * and a call alive. The second argument is the path of `libnative_filter`. */

import process from "node:process";
import { tableFromArrays } from "apache-arrow";
import {
  exportRecordBatch,
  exportStream,
  importRecordBatch,
  importStream,
  openLibrary,
} from "../../mod.ts";

const [way, library] = process.argv.slice(2);
const source = tableFromArrays({ id: new Float64Array(5_000).fill(7) }).batches[0]!;
const kept: unknown[] = [];

for (const mode of ["borrow", "copy"] as const) {
  const exported = exportRecordBatch(source, { mode });
  const lease = importRecordBatch(exported.schema, exported.array);
  kept.push(
    lease,
    lease.value,
    exportRecordBatch(source, { mode }),
    exportRecordBatch(lease.value),
  );
}

function* forever() {
  for (;;) yield source;
}
const stream = importStream(exportStream(forever(), { schema: source.schema }).address);
const reader = stream[Symbol.asyncIterator]();
kept.push(stream, reader, await reader.next());

const { filter } = openLibrary(library!, {
  filter: { symbol: "filter_rows", parameters: ["batch"], result: "batch" },
});
const call = filter(source, { options: { column: "id", least: 2 } });
console.log("ends");
if (way === "exit") process.exit(0);
kept.push(await call);
