/** The report of `bowstring quantize`: what is in it, and where it may be. */

import assert from "node:assert/strict";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { renderReport } from "../cli/report.ts";
import { bowstring } from "./support/command.ts";
import { eighths } from "./support/layers.ts";
import { float32, MODEL, model } from "./support/model.ts";
import { type ChildResult, SLOW } from "./support/process.ts";
import type { Workspace } from "./support/workspace.ts";

/** Quantizes a model with a report. */
function report(
  workspace: Workspace,
  to: string,
  input = "model.safetensors",
): Promise<ChildResult> {
  return bowstring(workspace.path, "quantize", input, "--to", "out.parquet", "--report", to);
}

test("quantize: a report in one file, with names that cannot break it", SLOW, async () => {
  const name = `<img src=x onerror="alert('&amp;')">`;
  using workspace = model({ ...MODEL, [name]: float32([2, 32], eighths(64, 9)) });
  const { code, stderr } = await report(workspace, "report.html");
  assert.equal(code, 0, stderr);
  const html = readFileSync(join(workspace.path, "report.html"), "utf8");
  assert.ok(!html.includes("<img"));
  assert.ok(html.includes("&lt;img src=x onerror=&quot;alert(&#39;&amp;amp;&#39;)&quot;&gt;"));
  assert.equal(html.match(/<svg /g)!.length, 2);
  assert.equal(html.match(/<circle /g)!.length, 2 * 3, "a point for each quantized tensor");
  // Nothing is loaded: no address, no script, no import.
  assert.ok(!/https?:|src=|href=|@import|url\(|<script/.test(html.replaceAll("src=x", "")));
});

test("quantize: a report is no model, and has a directory", SLOW, async () => {
  using workspace = model();
  const before = readFileSync(join(workspace.path, "model.safetensors"));
  for (
    const [to, message] of [
      ["model.safetensors", "expected another file for the report than the model's"],
      ["./out.parquet", "expected another file for the report than the model's"],
      ["nowhere/report.html", "there is no such directory to write the report to"],
    ] as const
  ) {
    const { code, stdout, stderr } = await report(workspace, to);
    assert.deepEqual([code, stdout, stderr], [2, "", `bowstring: ${to}: ${message}\n`]);
    assert.deepEqual(readdirSync(workspace.path), ["model.safetensors"], "before any work");
  }
  assert.deepEqual(readFileSync(join(workspace.path, "model.safetensors")), before);
});

test("quantize: a report is no file of a model in several, and follows no link", SLOW, async () => {
  using workspace = model();
  const path = (name: string) => join(workspace.path, name);
  const before = readFileSync(path("model.safetensors"));
  const weights = Object.keys(MODEL).map((name) => [name, "model.safetensors"]);
  writeFileSync(
    path("model.safetensors.index.json"),
    JSON.stringify({ weight_map: Object.fromEntries(weights) }),
  );
  linkSync(path("model.safetensors"), path("linked.html"));
  symlinkSync("out.parquet", path("dangling.html"));
  for (
    const [input, to] of [
      [".", "model.safetensors"],
      [".", "model.safetensors.index.json"],
      ["model.safetensors.index.json", "model.safetensors"],
      ["model.safetensors", "linked.html"],
    ] as const
  ) {
    const { code, stderr } = await report(workspace, to, input);
    assert.deepEqual(
      [code, stderr],
      [2, `bowstring: ${to}: expected another file for the report than the model's\n`],
    );
  }
  assert.equal((await report(workspace, ".")).code, 2, "a directory");
  assert.equal((await report(workspace, "dangling.html")).code, 0);
  assert.match(readFileSync(path("dangling.html"), "utf8"), /^<!doctype html>/i);
  assert.equal(readFileSync(path("out.parquet"), "latin1").slice(0, 4), "PAR1");
  assert.deepEqual(readFileSync(path("model.safetensors")), before);
  assert.deepEqual(readdirSync(workspace.path).filter((name) => name.endsWith(".part")), []);
});

test("quantize: a report of nothing measured, of what is exact, and of what failed", () => {
  const layer = {
    name: "a",
    dtype: "F32",
    shape: [2],
    outcome: "quantized",
    message: undefined,
    bytesIn: 8,
    bytesOut: 7,
    bitWidth: 4,
    rmse: 0,
    cosine: 1,
  } as const;
  const summary = { out: "/out.parquet", bytesIn: 8, bytesOut: 7 };
  const exact = renderReport("in", "4 bits", { ...summary, layers: [layer] });
  assert.ok(!exact.includes("NaN") && !exact.includes("Infinity"), exact);
  assert.equal(exact.match(/<circle /g)!.length, 2);
  const failed = {
    ...layer,
    outcome: "failed",
    message: "it is <bad>",
    rmse: undefined,
    cosine: undefined,
  } as const;
  const nothing = renderReport("in", "4 bits", { ...summary, layers: [failed] });
  assert.equal(nothing.match(/Nothing was measured\./g)!.length, 2);
  assert.ok(nothing.includes("failed: it is &lt;bad&gt;"));
  // HTML has neither NUL nor other control characters, and a reader is not to be led astray by the order of text.
  const controls = ["\0", "\u001b", "\u202e"];
  const odd = { ...layer, name: `a${controls[0]}b${controls[1]}${controls[2]}c` };
  const shown = renderReport("in", "4 bits", { ...summary, layers: [odd] });
  for (const control of controls) assert.ok(!shown.includes(control));
  assert.equal(shown.match(/a\\u\{0\}b\\u\{1b\}\\u\{202e\}c/g)!.length, 3);
});

test(
  "quantize: a report is not the result either, by whatever links they are named",
  SLOW,
  async () => {
    using workspace = model();
    mkdirSync(join(workspace.path, "results"));
    symlinkSync("results", join(workspace.path, "linked"));
    const args = ["quantize", "model.safetensors", "--to", "results/out.parquet"];
    const { code, stderr } = await bowstring(
      workspace.path,
      ...args,
      "--report",
      "linked/out.parquet",
    );
    assert.deepEqual(
      [code, stderr],
      [
        2,
        "bowstring: linked/out.parquet: expected another file for the report than the model's\n",
      ],
    );
    assert.deepEqual(readdirSync(join(workspace.path, "results")), []);
  },
);

test("quantize: a report may have as long a name as a file may", SLOW, async () => {
  using workspace = model();
  const name = `${"r".repeat(250)}.html`;
  const { code, stderr } = await report(workspace, name);
  assert.equal(code, 0, stderr);
  assert.deepEqual(readdirSync(workspace.path).sort(), [
    "model.safetensors",
    "out.parquet",
    name,
  ]);
});

// Where nobody can make a file, whoever runs this.
const UNWRITABLE = "/proc";

test("quantize: a report that cannot be written fails beside its model", {
  ...SLOW,
  skip: !existsSync(join(UNWRITABLE, "self")),
}, async () => {
  using workspace = model();
  const name = join(UNWRITABLE, "report.html");
  const { code, stdout, stderr } = await report(workspace, name);
  assert.equal(code, 1, stderr);
  const message = "the model was quantized, but the report could not be written: ";
  assert.ok(stderr.startsWith(`bowstring: ${name}: ${message}`), stderr);
  assert.equal(stderr.trimEnd().split("\n").length, 1, "one sentence");
  assert.match(stdout, /^quantized 2 of 4 tensors: /m);
  assert.ok(existsSync(join(workspace.path, "out.parquet")));
});
