/** Models in files, by `quantizeFile` and by the command. */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { tableFromIPC } from "apache-arrow";
import { dequantizeArrow, type QuantizationProgress, quantizeFile, stats } from "../mod.ts";
import { renderTable } from "../cli/quantizing.ts";
import { renderReport } from "../cli/report.ts";
import { bowstring, ended, startBowstring } from "./support/command.ts";
import { eighths, quantizedRows } from "./support/layers.ts";
import { float32, MODEL, model, readModel, type Tensor } from "./support/model.ts";
import { SLOW } from "./support/process.ts";

/** A model that takes its time: so many layers of this shape. */
function layers(count: number, shape: readonly [number, number]): Record<string, Tensor> {
  const layer = float32(shape, eighths(shape[0] * shape[1]));
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`layer ${at}`, layer]));
}

test("quantizeFile: a model becomes a table that apache-arrow reads", SLOW, async () => {
  using workspace = model();
  const [from, to] = ["model.safetensors", "model.arrow"].map((name) => join(workspace.path, name));
  const seen: QuantizationProgress[] = [];
  const summary = await quantizeFile(from!, to!, {
    bitWidth: 8,
    overrides: [{ pattern: "layers.*", bitWidth: 4 }],
    onProgress: (progress) => seen.push(progress),
  });
  assert.equal(summary.out, to);
  assert.equal(summary.bytesIn, readFileSync(from!).length);
  assert.equal(summary.bytesOut, readFileSync(to!).length);
  assert.deepEqual(
    summary.layers.map((
      { name, dtype, shape, outcome, bitWidth, bytesIn, bytesOut },
    ) => [name, dtype, shape.join(), outcome, bitWidth, bytesIn, bytesOut]),
    [
      ["embed.weight", "F32", "10,64", "quantized", 8, 2560, 640 + 60],
      ["layers.0.weight", "F32", "4,64", "quantized", 4, 1024, 128 + 24],
      ["layers.0.norm", "F32", "64", "left out", undefined, 256, 0],
      ["position_ids", "I64", "2", "left out", undefined, 16, 0],
    ],
  );
  assert.ok(summary.layers[0]!.cosine! > 0.999 && summary.layers[0]!.rmse! > 0);
  assert.deepEqual(seen.at(-1), {
    layersTotal: 4,
    valuesTotal: 640 + 256 + 64 + 2,
    layersDone: 4,
    valuesDone: 640 + 256 + 64 + 2,
  });

  const table = tableFromIPC(readFileSync(to!));
  assert.deepEqual(quantizedRows(table).map(({ layer_name }) => layer_name), [
    "embed.weight",
    "layers.0.weight",
  ]);
  using back = await dequantizeArrow(table);
  const weights = back.value.getChild("weights")!.get(0)!.toArray();
  eighths(640, 1).forEach((value, at) => assert.ok(Math.abs(weights[at] - value) < 0.1));
  const { liveJobs, bytesViewed } = stats();
  assert.deepEqual({ liveJobs, bytesViewed }, { liveJobs: 0, bytesViewed: back.byteLength });
});

test("quantizeFile: what is wrong with options and files", SLOW, async () => {
  using workspace = model();
  const path = (name: string) => join(workspace.path, name);
  const run = (options: object) =>
    quantizeFile(path("model.safetensors"), path("out.parquet"), options);
  await assert.rejects(run({ bitWidth: 5 }), {
    code: "INVALID_ARGUMENT",
    message: "bitWidth: expected 2, 4 or 8 but found 5",
  });
  await assert.rejects(run({ vectors: 1 }), {
    code: "INVALID_ARGUMENT",
    message: "vectors: expected true or false but found 1",
  });
  await assert.rejects(quantizeFile(path("nothing.safetensors"), path("out.parquet")), {
    code: "IO",
    message: `${path("nothing.safetensors")}: No such file or directory (os error 2)`,
  });
  const reason = new Error("not today");
  await assert.rejects(run({ signal: AbortSignal.abort(reason) }), reason);
  assert.deepEqual(readdirSync(workspace.path), ["model.safetensors"]);
});

test("quantizeFile: abort in the middle leaves what was there", SLOW, async () => {
  using workspace = model(layers(12, [1 << 9, 1 << 12]));
  const out = join(workspace.path, "out.parquet");
  writeFileSync(out, "before");
  const controller = new AbortController();
  const reason = new Error("changed my mind");
  setTimeout(() => controller.abort(reason), 30);
  await assert.rejects(
    quantizeFile(join(workspace.path, "model.safetensors"), out, {
      search: "mse",
      threads: 1,
      signal: controller.signal,
    }),
    reason,
  );
  // At once: what it had begun is removed before anybody hears of it.
  assert.deepEqual(readdirSync(workspace.path).sort(), ["model.safetensors", "out.parquet"]);
  assert.equal(readFileSync(out, "utf8"), "before");
});

test("quantizeFile: an error that onProgress throws ends the work", SLOW, async () => {
  // So long that it cannot have ended when it is first told of.
  using workspace = model(layers(24, [1 << 9, 1 << 12]));
  let calls = 0;
  const working = quantizeFile(
    join(workspace.path, "model.safetensors"),
    join(workspace.path, "out.parquet"),
    {
      search: "mse",
      threads: 1,
      onProgress: () => {
        throw new RangeError(`call ${++calls}`);
      },
    },
  );
  await assert.rejects(working, new RangeError("call 1"));
  assert.deepEqual(readdirSync(workspace.path), ["model.safetensors"]);
});

test(
  "quantizeFile: aborted at any moment, it rejects without a file or resolves with one",
  SLOW,
  async () => {
    using workspace = model(layers(24, [1 << 6, 1 << 12]));
    const out = join(workspace.path, "out.safetensors");
    const ends = new Set<string>();
    // From the first of the files that the result goes through to the last, and after it.
    for (let files = 0; files < 12; files++) {
      writeFileSync(out, "before");
      const controller = new AbortController();
      const reason = new Error("changed my mind");
      const end = quantizeFile(join(workspace.path, "model.safetensors"), out, {
        signal: controller.signal,
      }).then(() => "resolved", (error) => error);
      const parts = () =>
        readdirSync(workspace.path).filter((name) => name.endsWith(".part")).length;
      for (let turn = 0; turn < 300 && parts() < Math.min(files, 2); turn++) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      for (let turn = 0; turn < files; turn++) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      controller.abort(reason);
      const found = await end;
      assert.deepEqual(readdirSync(workspace.path).sort(), [
        "model.safetensors",
        "out.safetensors",
      ]);
      const is = readFileSync(out);
      if (found === "resolved") assert.ok(is.length > 1 << 20);
      else assert.deepEqual([found, is.length], [reason, "before".length]);
      ends.add(String(found));
    }
    assert.ok(ends.has("Error: changed my mind"));
  },
);

test("quantize: prints a table of the tensors, and the sizes", SLOW, async () => {
  using workspace = model();
  const { code, stdout, stderr } = await bowstring(
    workspace.path,
    "quantize",
    "model.safetensors",
    "--to",
    "out.safetensors",
    "--bits",
    "4",
    "--group-size",
    "64",
    "--override",
    "embed.*=8",
  );
  assert.equal(code, 0, stderr);
  const lines = stdout.trimEnd().split("\n");
  assert.match(lines[0]!, /^tensor +type +shape +bits +size +rmse +cosine$/);
  assert.match(lines[1]!, /^embed\.weight +F32 +10x64 +8 +700 B +\d\.\d{3}e-\d +0\.99\d{4}$/);
  assert.match(lines[2]!, /^layers\.0\.weight +F32 +4x64 +4 +152 B +\d\.\d{3}e-\d +0\.9\d{5}$/);
  assert.match(lines[3]!, /^layers\.0\.norm +F32 +64 +copied +256 B +- +-$/);
  assert.match(lines[4]!, /^position_ids +I64 +2 +copied +16 B +- +-$/);
  assert.match(
    lines[5]!,
    /^quantized 2 of 4 tensors: 4\.\d\d kB to \d\.\d\d kB in \d+\.\d\d s: .*out\.safetensors$/,
  );
  const { tensors, metadata } = readModel(join(workspace.path, "out.safetensors"));
  assert.deepEqual(tensors.position_ids, MODEL.position_ids);
  assert.equal(tensors["embed.weight"]!.bytes.length, 640);
  assert.equal(JSON.parse(metadata["bowstring:layers"]!)["embed.weight"].bit_width, 8);
});

test("quantize: --json, and what a table leaves out", SLOW, async () => {
  using workspace = model();
  const args = ["quantize", "model.safetensors", "--to", "out.parquet"];
  const json = await bowstring(workspace.path, ...args, "--json");
  assert.equal(json.code, 0, json.stderr);
  const summary = JSON.parse(json.stdout);
  assert.deepEqual(
    Object.keys(summary).sort(),
    ["bytesIn", "bytesOut", "input", "layers", "out", "seconds"],
  );
  assert.equal(summary.input, join(workspace.path, "model.safetensors"));
  assert.equal(summary.out, join(workspace.path, "out.parquet"));
  assert.ok(summary.seconds > 0);
  assert.deepEqual(summary.layers.map(({ outcome }: { outcome: string }) => outcome), [
    "quantized",
    "quantized",
    "left out",
    "left out",
  ]);
  const { stdout } = await bowstring(workspace.path, ...args, "--vectors");
  assert.match(stdout, /^layers\.0\.norm +F32 +64 +4 /m);
  assert.match(stdout, /^position_ids +I64 +2 +left out +- +- +-$/m);
  assert.match(stdout, /^left out: 1, which only a \.safetensors file can hold as they are$/m);
});

test("quantize: says when a tensor has not become smaller, and why", SLOW, async () => {
  // A convolution whose last axis has one element has a scale for each value. What is empty cannot become smaller.
  const convolution = float32([16, 8, 4, 1], eighths(512, 5));
  const empty = float32([0, 64], new Float32Array());
  using workspace = model({ ...MODEL, "conv.weight": convolution, empty });
  const args = ["quantize", "model.safetensors", "--to", "out.safetensors"];
  const said = /^not smaller than before: 1, .*--granularity channel or tensor$/m;
  assert.match((await bowstring(workspace.path, ...args)).stdout, said);
  const { stdout, code } = await bowstring(workspace.path, ...args, "--granularity", "channel");
  assert.equal(code, 0);
  assert.doesNotMatch(stdout, /not smaller/);

  // 8 bytes a row, and 2 codes, a scale and a zero point.
  using equal = model({ pairs: float32([4, 2], eighths(8, 5)) });
  assert.match((await bowstring(equal.path, ...args, "--bits", "8")).stdout, said);
  const channels = await bowstring(equal.path, ...args, "--bits", "8", "--granularity", "channel");
  assert.doesNotMatch(channels.stdout, /not smaller/, "that advice was taken");
});

test("quantize: names and paths cannot move the cursor", SLOW, async () => {
  const bad = float32([1, 2], Float32Array.of(NaN, 1));
  using workspace = model({ "up\x1b[2J": float32([4, 2], eighths(8)), "down\x1b[2J": bad });
  const args = ["--to", "out\x1b[2J.parquet", "--continue-on-error"];
  const { code, stdout } = await bowstring(
    workspace.path,
    "quantize",
    "model.safetensors",
    ...args,
  );
  assert.equal(code, 1);
  assert.ok(!stdout.includes("\x1b"), stdout);
  assert.match(stdout, /^up\\u\{1b\}\[2J +F32 /m);
  assert.match(stdout, /^failed: down\\u\{1b\}\[2J: /m);
  assert.match(stdout, /out\\u\{1b\}\[2J\.parquet$/m);
});

test("quantize: a table of more layers than a call takes arguments", () => {
  const layer = {
    name: "a",
    dtype: "F32",
    shape: [2, 2],
    outcome: "quantized",
    message: undefined,
    bytesIn: 16,
    bytesOut: 9,
    bitWidth: 4,
    rmse: 0.1,
    cosine: 0.99,
  } as const;
  const layers = Array.from({ length: 200_000 }, () => layer);
  assert.equal(renderTable(layers).length, 200_001);
  const summary = { out: "/out.parquet", bytesIn: 8, bytesOut: 7, layers };
  assert.match(renderReport("in", "4 bits", summary), /^<!doctype html>/i);
});

test("quantize: a long name loses its middle in the table", () => {
  const layer = {
    name: `first${"x".repeat(2000)}last`,
    dtype: "F32",
    shape: [2, 2],
    outcome: "copied",
    message: undefined,
    bytesIn: 16,
    bytesOut: 16,
    bitWidth: undefined,
    rmse: undefined,
    cosine: undefined,
  } as const;
  const [head, row] = renderTable([layer]);
  assert.equal(
    row,
    `first${"x".repeat(26)}...${"x".repeat(26)}last  F32   2x2    copied  16 B  ` +
      "   -       -",
  );
  assert.equal(head!.indexOf("type"), 66);
  const [, short] = renderTable([{ ...layer, name: "s".repeat(64) }]);
  assert.ok(short!.startsWith(`${"s".repeat(64)}  F32`));
  const [, whole] = renderTable([{ ...layer, name: "\u{1f3f9}".repeat(65) }]);
  const characters = (count: number) => "\u{1f3f9}".repeat(count);
  assert.ok(whole!.startsWith(`${characters(31)}...${characters(30)}  F32`), "no half of one");
});

test("quantize: exit codes", SLOW, async () => {
  const bad = eighths(64, 2);
  bad[5] = NaN;
  using workspace = model({ ...MODEL, "bad.weight": float32([2, 32], bad) });
  const out = join(workspace.path, "out.parquet");
  const run = (...args: string[]) => bowstring(workspace.path, "quantize", ...args);
  const failed = await run("model.safetensors", "--to", "out.parquet");
  assert.equal(failed.code, 1);
  assert.equal(
    failed.stderr,
    'bowstring: layer "bad.weight" (row 4): weights[5]: expected a finite number but found NaN\n',
  );
  assert.ok(!existsSync(out));
  const continued = await run("model.safetensors", "--to", "out.parquet", "--continue-on-error");
  assert.equal(continued.code, 1, "something failed");
  assert.ok(existsSync(out), "but the rest is there");
  assert.match(
    continued.stdout,
    /^failed: bad\.weight: weights\[5\]: expected a finite number but found NaN$/m,
  );
  assert.equal(
    (await run("model.safetensors", "--to", "out.parquet", "--on-invalid", "clip")).code,
    0,
  );

  const together = await run("model.safetensors", "--to", "o.parquet", "--axis", "1");
  assert.deepEqual(
    [together.code, together.stderr],
    [2, 'bowstring: axis: belongs to granularity "channel" but found "group"\n'],
  );

  for (
    const [to, message] of [
      ["o.txt", "the name of a .safetensors, .parquet, .arrow, .feather or .ipc file"],
      ["model.safetensors", "another file than the input"],
    ] as const
  ) {
    const { code, stderr } = await run("model.safetensors", "--to", to);
    const expected = `bowstring: ${join(workspace.path, to)}: expected ${message}\n`;
    assert.deepEqual([code, stderr], [2, expected]);
  }

  truncateSync(join(workspace.path, "model.safetensors"), 700);
  const truncated = await run("model.safetensors", "--to", "out.arrow");
  assert.equal(truncated.code, 1);
  assert.match(
    truncated.stderr,
    /^bowstring: .*model\.safetensors: tensor "\S+": expected data_offsets /,
  );
  assert.ok(!existsSync(join(workspace.path, "out.arrow")));

  for (
    const args of [["in"], ["in", "--to", "o.parquet", "--bits", "3"], [
      "in",
      "--to",
      "o.parquet",
      "--override",
      "x=5",
    ]]
  ) {
    assert.equal((await run(...args)).code, 2, args.join(" "));
  }
  const help = await run("--help");
  assert.equal(help.code, 0);
  assert.match(help.stdout, /--group-size <N>/);
  assert.match(help.stdout, /Exit codes: 0 done; 1 something failed/);
});

test("quantize: Ctrl-C leaves what was there", SLOW, async () => {
  using workspace = model(layers(40, [1 << 9, 1 << 12]));
  writeFileSync(join(workspace.path, "out.parquet"), "before");
  const child = startBowstring(
    workspace.path,
    "quantize",
    "model.safetensors",
    "--to",
    "out.parquet",
    "--search",
    "mse",
    "--threads",
    "1",
  );
  const end = ended(child);
  // It has begun when the result has a file.
  while (readdirSync(workspace.path).length < 3 && child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  process.kill(child.pid!, "SIGINT"); // Deno's child.kill() reports the signal however the child ended
  const { code, signal, stderr } = await end;
  assert.deepEqual({ code, signal }, { code: 130, signal: null }, stderr);
  assert.match(stderr, /interrupted: nothing was written\n$/);
  assert.deepEqual(readdirSync(workspace.path).sort(), ["model.safetensors", "out.parquet"]);
  assert.equal(readFileSync(join(workspace.path, "out.parquet"), "utf8"), "before");
});
