/** Terminates workers in the middle of jobs, and goes on working. The argument is a workspace; `--only-workers` keeps
 * the main thread from loading the library itself. */

import process from "node:process";

const [path, flag] = process.argv.slice(2);

for (let round = 0; round < 6; round++) {
  const workers = [0, 1].map(() =>
    new Worker(new URL("./worker_busy.ts", import.meta.url), { type: "module" })
  );
  await Promise.all(workers.map((worker) =>
    new Promise((resolve, reject) => {
      worker.onmessage = resolve;
      worker.onerror = reject;
      worker.postMessage({ path });
    })
  ));
  await new Promise((resolve) => setTimeout(resolve, 7 * round));
  for (const worker of workers) worker.terminate();
}
await new Promise((resolve) => setTimeout(resolve, 100));

if (flag !== "--only-workers") {
  const { extractFilesToArrow, stats } = await import("../../mod.ts");
  using batch = await extractFilesToArrow(["source/file00000.ts"], path!);
  console.log(`main thread: ${batch.fileData.numRows} file, ${stats().liveLeases} lease`);
}
console.log("done");
