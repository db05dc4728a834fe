/** From a directory to an index of it. */

import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import type { Progress } from "../bindings/job.ts";
import { absolutePath, type ExtractOptions, extractWorkspace } from "./extract.ts";
import { withProgress } from "./progress.ts";
import { type IndexCounts, openStore } from "./store.ts";

/** What `indexWorkspace` takes. */
export interface IndexOptions extends Omit<ExtractOptions, "copy" | "onCollect" | "maxLiveBytes"> {
  /** The file of the index, `.bowstring/index.db` below the root by default. Its directory is made if there is none. */
  readonly out?: string | URL;
  /** Called a few times a second while it works, and when all files are done. An error that it throws ends the work. */
  readonly onProgress?: (progress: Progress) => void;
}

/** What `indexWorkspace` did. */
export interface IndexSummary extends IndexCounts {
  /** The absolute path of the index. */
  readonly out: string;
  /** How long it took. */
  readonly seconds: number;
}

/**
 * Extracts every file below `root` that git does not ignore and whose language is known, and makes the result the index.
 * Batches go from one native engine to the other as they are: JavaScript holds one at a time and reads none.
 *
 * When it fails or the signal is aborted, the previous index stays as it was. Rejects with the signal's reason, and else
 * as `extractWorkspace` and `Store` do.
 *
 * @example
 * ```ts
 * import { indexWorkspace } from "@bowstring/bowstring";
 *
 * const { files, symbols, seconds } = await indexWorkspace("src", {
 *   out: "greet.db",
 *   onProgress: ({ filesDone, filesTotal }) => console.log(`${filesDone}/${filesTotal}`),
 * });
 * console.log(`${files} files, ${symbols} symbols in ${seconds} s`);
 * ```
 *
 * @param root The directory: a path, or a `file:` URL.
 */
export async function indexWorkspace(
  root: string | URL,
  options: IndexOptions = {},
): Promise<IndexSummary> {
  const started = performance.now();
  const { onProgress, signal } = options;
  const directory = absolutePath(root);
  const out = absolutePath(options.out ?? join(directory, ".bowstring", "index.db"));
  signal?.throwIfAborted();
  await mkdir(dirname(out), { recursive: true });
  using store = openStore(out, { mode: "create" });
  await store.begin(directory);
  await using job = extractWorkspace(directory, options);
  let counts: IndexCounts;
  try {
    const report = onProgress && (() => onProgress(job.progress()));
    await withProgress(report, (reason) => job.cancel(reason), async () => {
      for await (const batch of job) {
        const written = store.write(batch);
        batch.release();
        await written;
      }
    });
    signal?.throwIfAborted();
    counts = await store.commit();
  } catch (reason) {
    await store.abandon().catch(() => {}); // the first failure is the one to report
    throw reason;
  }
  return { ...counts, out, seconds: (performance.now() - started) / 1000 };
}
