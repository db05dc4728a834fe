/** A worker gives a leased buffer away and ends; the buffer must still be good. For Bun, which can know. */

import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import process from "node:process";

if (isMainThread) {
  const path = process.argv[2];
  const worker = new Worker(new URL(import.meta.url), { workerData: path });
  const [buffer, byteOffset, expected] = await new Promise<[ArrayBuffer, number, number[]]>(
    (resolve) => worker.on("message", resolve),
  );
  await worker.terminate();
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
  const values = [...new Uint32Array(buffer, byteOffset, expected.length)];
  console.log(
    JSON.stringify(values) === JSON.stringify(expected) ? "intact" : `damaged: ${values}`,
  );
} else {
  const { extractFilesToArrow } = await import("../../mod.ts");
  const batch = await extractFilesToArrow(["source/file00000.ts"], workerData);
  const values = batch.symbols.getChild("start_line")!.toArray() as Uint32Array<ArrayBuffer>;
  const { buffer, byteOffset } = values;
  parentPort!.postMessage([buffer, byteOffset, [...values]], [buffer]);
  setInterval(() => {}, 1000);
}
