/** Jobs: the event loop stays free, whoever leaves early leaves nothing behind, and a failure names its reason. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { extractFilesToArrow, type ExtractionBatch, extractWorkspace, stats } from "../mod.ts";
import { currentContext } from "../bindings/context.ts";
import { finish, Job } from "../bindings/job.ts";
import { collectUntil, SLOW } from "./support/process.ts";
import { Workspace } from "./support/workspace.ts";

const FILES = 200;
/** Takes a while: about 20,000 functions. */
const large = Workspace.of(FILES, 100);
const small = Workspace.of(10, 5);
after(() => {
  large.remove();
  small.remove();
});

const CHUNKS = { chunkRows: 1_000 };

const nothingIsAlive = () => {
  const { liveLeases, liveJobs, liveStores, bytesViewed } = stats();
  assert.deepEqual(
    { liveLeases, liveJobs, liveStores, bytesViewed },
    { liveLeases: 0, liveJobs: 0, liveStores: 0, bytesViewed: 0 },
  );
};

test("job: a signal aborted before the start starts nothing", SLOW, async () => {
  const reason = new Error("not today");
  const signal = AbortSignal.abort(reason);
  assert.throws(() => extractWorkspace(large.path, { signal }), reason);
  await assert.rejects(extractFilesToArrow([], large.path, { signal }), reason);
  nothingIsAlive();
});

test("job: abort while the first read waits", SLOW, async () => {
  const controller = new AbortController();
  const reason = new Error("changed my mind");
  const reading = extractWorkspace(large.path, { signal: controller.signal })
    [Symbol.asyncIterator]().next();
  setTimeout(() => controller.abort(reason), 5);
  await assert.rejects(reading, reason);
  nothingIsAlive();
});

test("job: abort between two batches", SLOW, async () => {
  const controller = new AbortController();
  let batches = 0;
  const job = extractWorkspace(large.path, { ...CHUNKS, signal: controller.signal });
  await assert.rejects(async () => {
    for await (const batch of job) {
      batch.release();
      if (++batches === 2) controller.abort();
    }
  }, { name: "AbortError" });
  assert.equal(batches, 2);
  nothingIsAlive();
  assert.ok(job.progress().filesDone < FILES, "it stopped early");
});

test("job: abort after the end has no effect", SLOW, async () => {
  const controller = new AbortController();
  using batch = await extractFilesToArrow(["source/file00000.ts"], small.path, {
    signal: controller.signal,
  });
  controller.abort();
  assert.equal(batch.fileData.numRows, 1);
});

test("job: cancel rejects the read that waits and every later one", SLOW, async () => {
  const job = extractWorkspace(large.path);
  const iterator = job[Symbol.asyncIterator]();
  const reading = iterator.next();
  setTimeout(() => job.cancel(), 5);
  const cancelled = { name: "BowstringError", code: "CANCELLED", message: "the job was cancelled" };
  await assert.rejects(reading, cancelled);
  await assert.rejects(job[Symbol.asyncIterator]().next(), cancelled);
  nothingIsAlive();
});

/** Ways to leave a loop over a job early. */
const EXITS: Record<string, (batch: ExtractionBatch) => "break" | "return"> = {
  break: () => "break",
  return: () => "return",
  throw: () => {
    throw new RangeError("from the loop");
  },
};

for (const [name, leave] of Object.entries(EXITS)) {
  test(`job: ${name} stops it`, SLOW, async () => {
    let batches = 0;
    const loop = async () => {
      for await (const batch of extractWorkspace(large.path, CHUNKS)) {
        batches++;
        batch.release();
        if (leave(batch) === "break") break;
        return;
      }
    };
    if (name === "throw") await assert.rejects(loop, new RangeError("from the loop"));
    else await loop();
    assert.equal(batches, 1);
    nothingIsAlive();
  });
}

test("job: `await using` stops it, also when nobody reads", SLOW, async () => {
  {
    await using _job = extractWorkspace(large.path, CHUNKS);
    assert.equal(stats().liveJobs, 1);
  }
  nothingIsAlive();
});

test("job: a job that is dropped is stopped by the collector", SLOW, async () => {
  (() => {
    extractWorkspace(large.path, { ...CHUNKS, signal: new AbortController().signal });
  })();
  assert.equal(stats().liveJobs, 1);
  await collectUntil(() => stats().liveJobs === 0, "the closed job");
});

test("job: a second loop over a job that has ended finds nothing", SLOW, async () => {
  const job = extractWorkspace(small.path);
  let files = 0;
  for await (const batch of job) {
    files += batch.fileData.numRows;
    batch.release();
  }
  for await (const _ of job) assert.fail("a batch after the end");
  assert.equal(files, 10);
});

test("job: the event loop turns between any two results, and while one waits", SLOW, async () => {
  let ticks = 0;
  let running = true;
  const tick = () => {
    ticks++;
    if (running) setImmediate(tick);
  };
  setImmediate(tick);
  const ticksAtBatch: number[] = [];
  for await (const batch of extractWorkspace(large.path, CHUNKS)) {
    ticksAtBatch.push(ticks);
    batch.release();
  }
  running = false;
  assert.ok(ticksAtBatch.length > 10);
  ticksAtBatch.reduce((before, now) => {
    assert.ok(now > before, `the loop did not turn between two batches: ${ticksAtBatch}`);
    return now;
  });
});

test("job: at most two results get ahead of the reader", SLOW, async () => {
  await using job = extractWorkspace(large.path, CHUNKS);
  const iterator = job[Symbol.asyncIterator]();
  (await iterator.next()).value!.release();
  // Whatever the native threads do meanwhile, they must not finish.
  let before = -1;
  for (let quiet = 0; quiet < 5;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { filesDone } = job.progress();
    quiet = filesDone === before ? quiet + 1 : 0;
    before = filesDone;
  }
  assert.ok(before < FILES, `${before} of ${FILES} files done without a reader`);
});

test("job: reads of the same job are answered in order", SLOW, async () => {
  const iterator = extractWorkspace(large.path, CHUNKS)[Symbol.asyncIterator]();
  const reads = [iterator.next(), iterator.next(), iterator.next()];
  const first = (await Promise.all(reads)).map(({ value }) => {
    const path = value!.fileData.getChild("path")!.get(0) as string;
    value!.release();
    return path;
  });
  await iterator.return!();
  assert.deepEqual(first, [...first].sort());
  nothingIsAlive();
});

test("job: two loops over one job share its results", SLOW, async () => {
  const job = extractWorkspace(large.path, CHUNKS);
  const count = async () => {
    let files = 0;
    for await (const batch of job) {
      files += batch.fileData.numRows;
      batch.release();
    }
    return files;
  };
  const [first, second] = await Promise.all([count(), count()]);
  assert.equal(first! + second!, FILES);
  nothingIsAlive();
});

test("job: too much live memory is refused with a clear error", SLOW, async () => {
  const batches: ExtractionBatch[] = [];
  const job = extractWorkspace(large.path, { ...CHUNKS, maxLiveBytes: 1_000_000 });
  await assert.rejects(async () => {
    for await (const batch of job) batches.push(batch);
  }, (error: Error & { code: string }) => {
    assert.equal(error.code, "LIVE_BYTES_EXCEEDED");
    assert.match(
      error.message,
      /^\d+ bytes of leased tables are alive, more than maxLiveBytes \(1000000\): release batches when done with them, or raise maxLiveBytes$/,
    );
    return true;
  });
  assert.ok(stats().bytesViewed > 1_000_000);
  assert.equal(stats().bytesViewed, batches.reduce((sum, batch) => sum + batch.byteLength, 0));
  for (const batch of batches) batch.release();
  nothingIsAlive();
});

for (const look of [true, false]) {
  const title = look ? "was looked at" : "was not looked at";
  test(
    `job: live memory that ${title} and dropped is given time to be collected`,
    SLOW,
    async () => {
      // In a function of its own, whose frame does not keep the last batch.
      const loop = async (path: string, isReleased: boolean) => {
        let bytes = 0;
        let batches = 0;
        const job = extractWorkspace(path, { ...CHUNKS, maxLiveBytes: 2_000_000 });
        for await (const batch of job) {
          if (look) assert.ok(batch.symbols.numRows > 0);
          bytes += batch.byteLength;
          batches++;
          if (isReleased) batch.release();
        }
        return { bytes, batches };
      };
      const { bytes, batches } = await loop(large.path, false);
      assert.ok(batches > 10);
      assert.ok(bytes > 8_000_000, `${bytes} bytes went by`);
      // JavaScriptCore takes whatever lies on the stack for a reference. The same calls again leave there what they have
      // released by hand, where the last batch may have been left.
      assert.equal((await loop(small.path, true)).batches, 1);
      await collectUntil(() => stats().liveLeases === 0, "freed leases");
    },
  );
}

test("job: a stale handle is a typed error", SLOW, async () => {
  const { native, handle, error, out } = currentContext();
  const job = new Job(currentContext(), {}, () => {
    out.view.setUint32(0, 0xfffff, true); // no such job
    return 0;
  });
  await assert.rejects(finish(job), { name: "StaleHandleError", code: "STALE_HANDLE" });
  assert.throws(
    () => currentContext().check(native.bow_job_close(handle, 0, error.pointer)),
    { name: "StaleHandleError", code: "STALE_HANDLE" },
  );
});
