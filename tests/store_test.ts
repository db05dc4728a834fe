/** An index: batches in, answers out, and nothing half-done to see. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { RecordBatch } from "apache-arrow";
import {
  extractFilesToArrow,
  type ExtractionBatch,
  type Lease,
  LeaseReleasedError,
  openStore,
  stats,
  type Store,
} from "../mod.ts";
import { collectUntil, SLOW } from "./support/process.ts";
import { Workspace } from "./support/workspace.ts";

const SOURCE = `/** Says hello. */
export function greet(name: string): string {
  return "hello " + name;
}

export class Greeter {
  greet(): string {
    return greet("you");
  }
}
`;

/** A workspace with one file and an index of it. */
class Indexed implements Disposable {
  readonly workspace = new Workspace();
  readonly store: Store;

  constructor() {
    this.workspace.write("a.ts", SOURCE);
    this.store = openStore(this.path, { mode: "create" });
  }

  get path(): string {
    return join(this.workspace.path, "index.db");
  }

  extract(): Promise<ExtractionBatch> {
    return extractFilesToArrow(["a.ts"], this.workspace.path);
  }

  async fill(): Promise<void> {
    await this.store.begin(this.workspace.path);
    using batch = await this.extract();
    await this.store.write(batch);
    await this.store.commit();
  }

  [Symbol.dispose](): void {
    this.store.close();
    this.workspace.remove();
  }
}

/** Some columns of an answer, row by row, and releases it. */
function rows(answer: Lease<RecordBatch>, ...names: string[]): unknown[][] {
  using lease = answer;
  const columns = names.map((name) => lease.value.getChild(name)!);
  return Array.from(
    { length: lease.value.numRows },
    (_, row) => columns.map((column) => column.get(row)),
  );
}

const nothingIsAlive = () => {
  const { liveLeases, liveJobs, liveStores } = stats();
  assert.deepEqual({ liveLeases, liveJobs, liveStores }, {
    liveLeases: 0,
    liveJobs: 0,
    liveStores: 0,
  });
};

test("store: what goes in comes out", SLOW, async () => {
  {
    using index = new Indexed();
    const { store, workspace } = index;
    await store.begin(workspace.path);
    const batch = await index.extract();
    const expected = {
      generation: 1,
      files: batch.fileData.numRows,
      symbols: batch.symbols.numRows,
      identifiers: batch.identifiers.numRows,
      relationships: batch.relationships.numRows,
      errors: 0,
    };
    const written = store.write(batch);
    batch.release(); // the store has what it needs
    await written;
    assert.deepEqual(await store.commit(), expected);

    assert.deepEqual(
      rows(await store.defs("greet"), "name", "kind", "file_path", "start_line"),
      [["greet", "function", "a.ts", 2], ["greet", "method", "a.ts", 7]],
    );
    assert.deepEqual(
      rows(await store.defs("Greeter.greet", { kind: "method" }), "qualified_name", "start_line"),
      [["Greeter.greet", 7]],
    );
    assert.deepEqual(rows(await store.defs("greet", { kind: "class" }), "name"), []);
    assert.deepEqual(
      rows(await store.refs("greet"), "kind", "start_line", "containing_name", "target_line"),
      [["call", 8, "Greeter.greet", 2]],
    );
    assert.deepEqual(
      rows(await store.outline("a.ts"), "name", "depth"),
      [["greet", 0], ["Greeter", 0], ["greet", 1]],
    );
    assert.deepEqual(rows(await store.files(), "path", "line_count"), [["a.ts", 10]]);
    assert.deepEqual(rows(await store.errors(), "path"), []);
    assert.deepEqual(
      rows(await store.info(), "root", "generation", "files", "symbols"),
      [[workspace.path, 1n, 1n, BigInt(expected.symbols)]],
    );
  }
  nothingIsAlive();
});

test("store: a limit cuts the rows and tells how many there are", SLOW, async () => {
  using index = new Indexed();
  await index.fill();
  using answer = await index.store.defs("greet", { limit: 1 });
  assert.equal(answer.value.numRows, 1);
  assert.equal(answer.value.schema.metadata.get("bowstring:total"), "2");
});

test("store: an answer is a lease", SLOW, async () => {
  using index = new Indexed();
  await index.fill();
  const answer = await index.store.defs("greet");
  const names = answer.value.getChild("name")!;
  assert.equal(stats().liveLeases, 1);
  assert.equal(answer.byteLength, stats().bytesViewed);
  index.store.close();
  assert.equal(names.get(0), "greet", "it does not need the store any more");
  answer.release();
  assert.equal(answer.released, true);
  assert.throws(() => answer.value, LeaseReleasedError);
  assert.throws(() => names.get(0), LeaseReleasedError);
});

test("store: answers can be copies", SLOW, async () => {
  using index = new Indexed();
  await index.fill();
  using store = openStore(index.path, { copy: true });
  const answer = await store.defs("greet");
  assert.equal(stats().liveLeases, 0);
  assert.equal(answer.value.getChild("name")!.get(0), "greet");
});

test("store: readers see the committed generation until the next commit", SLOW, async () => {
  using index = new Indexed();
  await index.fill();
  using reader = openStore(index.path);
  const generation = async () => rows(await reader.info(), "generation", "files");
  assert.deepEqual(await generation(), [[1n, 1n]]);
  const { store, workspace } = index;
  workspace.write("b.ts", "export const b = 1;\n");
  await store.begin(workspace.path);
  using batch = await extractFilesToArrow(["a.ts", "b.ts"], workspace.path);
  await store.write(batch);
  assert.deepEqual(await generation(), [[1n, 1n]]);
  await store.abandon();
  assert.deepEqual(await generation(), [[1n, 1n]]);
  await store.begin(workspace.path);
  await store.write(batch);
  await store.commit();
  assert.equal((await generation())[0]![1], 2n);
});

test("store: what cannot be written is refused before anything moves", SLOW, async () => {
  using index = new Indexed();
  const { store, workspace } = index;
  await store.begin(workspace.path);
  const released = await index.extract();
  released.release();
  await assert.rejects(store.write(released), LeaseReleasedError);
  const copied = await extractFilesToArrow(["a.ts"], workspace.path, { copy: true });
  await assert.rejects(store.write(copied), {
    code: "UNSUPPORTED",
    message:
      "a batch imported with { copy: true } cannot be passed back to native code: import it without",
  });
  const { symbols, identifiers, relationships, fileData, errors } = copied;
  const lookalike = { symbols, identifiers, relationships, fileData, errors };
  await assert.rejects(
    store.write(lookalike as unknown as ExtractionBatch),
    new TypeError("expected an ExtractionBatch that an extraction gave out"),
  );
  await store.abandon();
  assert.equal(stats().liveLeases, 0);
});

test("store: a batch can be written twice, and read while it is written", SLOW, async () => {
  using index = new Indexed();
  const { store, workspace } = index;
  using batch = await index.extract();
  const names = [...batch.symbols.getChild("name")!];
  for (let generation = 0; generation < 2; generation++) {
    await store.begin(workspace.path);
    const written = store.write(batch);
    assert.deepEqual([...batch.symbols.getChild("name")!], names);
    await written;
    await store.commit();
  }
  assert.equal(rows(await store.info(), "files")[0]![0], 1n);
});

test("store: calls in the wrong order", SLOW, async () => {
  using index = new Indexed();
  const { store, workspace } = index;
  using batch = await index.extract();
  await assert.rejects(store.write(batch), { name: "BowstringError" });
  await assert.rejects(store.commit(), { name: "BowstringError" });
  await store.begin(workspace.path);
  using second = openStore(index.path, { mode: "create" });
  await assert.rejects(second.begin(workspace.path), { code: "BUSY" });
  await store.abandon();
  await store.begin(workspace.path);
  await store.abandon();
});

test("store: a reader cannot write", SLOW, async () => {
  using index = new Indexed();
  await index.fill();
  using reader = openStore(index.path, { mode: "read" });
  await assert.rejects(reader.begin(index.workspace.path), { name: "BowstringError" });
});

test("store: files that cannot be opened", () => {
  using workspace = new Workspace();
  const missing = join(workspace.path, "missing.db");
  const code = (error: Error & { code: string }) => ["IO", "STORE"].includes(error.code);
  assert.throws(() => openStore(missing), code);
  const text = join(workspace.path, "text.db");
  writeFileSync(text, "this is no database, but it is long enough to look like one\n".repeat(100));
  assert.throws(() => openStore(text), code);
  assert.throws(() => openStore(join(workspace.path, "no", "x.db"), { mode: "create" }), code);
  nothingIsAlive();
});

test("store: after close every call is refused", SLOW, async () => {
  using index = new Indexed();
  const { store, workspace } = index;
  using batch = await index.extract();
  store.close();
  store.close();
  const stale = { name: "StaleHandleError", code: "STALE_HANDLE" };
  await assert.rejects(store.begin(workspace.path), stale);
  await assert.rejects(store.write(batch), stale);
  await assert.rejects(store.commit(), stale);
  await assert.rejects(store.defs("greet"), stale);
  assert.equal(stats().liveLeases, 1, "the refused write gave its references back");
});

test("store: close in the middle of a generation drops it", SLOW, async () => {
  using index = new Indexed();
  await index.fill();
  using writer = openStore(index.path, { mode: "create" });
  await writer.begin(index.workspace.path);
  writer.close();
  assert.deepEqual(rows(await index.store.info(), "generation"), [[1n]]);
});

test("store: a signal stops a query", SLOW, async () => {
  using index = new Indexed();
  await index.fill();
  const reason = new Error("no longer needed");
  await assert.rejects(index.store.defs("greet", { signal: AbortSignal.abort(reason) }), reason);
  const controller = new AbortController();
  const query = index.store.defs("greet", { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(query, reason);
  assert.equal((await index.store.files()).value.numRows, 1, "the store goes on");
});

test("store: a store that is dropped is closed by the collector", SLOW, async () => {
  using index = new Indexed();
  await index.fill();
  (() => {
    openStore(index.path);
  })();
  await collectUntil(() => stats().liveStores === 1, "the closed store");
});
