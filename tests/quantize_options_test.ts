/** The options of `bowstring quantize`, as its results show them, and what a terminal shows of a run. */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { tableFromIPC } from "apache-arrow";
import { quantizeFile, type QuantizeFileOptions } from "../mod.ts";
import { bowstring } from "./support/command.ts";
import { eighths, type QuantizedRow, quantizedRows } from "./support/layers.ts";
import { float32, model as modelOf } from "./support/model.ts";
import { SLOW } from "./support/process.ts";
import { noTerminal, type OnTerminal, onTerminal } from "./support/terminal.ts";
import type { Workspace } from "./support/workspace.ts";

/** 4 rows of 256 values, whose scales a float16 does not hold. */
const WEIGHTS = eighths(4 * 256, 7).map((value) => value / 3);

const model = (values = WEIGHTS) =>
  modelOf({ "up.weight": float32([4, 256], values), "down.weight": float32([4, 256], WEIGHTS) });

function rowsOf(path: string): QuantizedRow[] {
  return quantizedRows(tableFromIPC(readFileSync(path)));
}

/** The first layer of what the command makes with these arguments. */
async function result(workspace: Workspace, args: readonly string[]): Promise<QuantizedRow> {
  const { code, stderr } = await bowstring(
    workspace.path,
    "quantize",
    "model.safetensors",
    "--to",
    "out.arrow",
    ...args,
  );
  assert.equal(code, 0, stderr);
  return rowsOf(join(workspace.path, "out.arrow"))[0]!;
}

/** How codes are and what shares a scale, and their sizes. */
const said = (row: QuantizedRow) => ({
  bits: row.bit_width,
  scheme: row.scheme,
  layout: row.layout,
  group_size: row.group_size,
  axis: row.axis,
  bytes: row.quantized_data.length,
  scales: row.scales.length,
  biases: row.biases?.length ?? 0,
});

const DEFAULT: ReturnType<typeof said> = {
  bits: 4,
  scheme: "asymmetric",
  layout: "onnx",
  group_size: 128,
  axis: 1,
  bytes: 512,
  scales: 8,
  biases: 0,
};

const isFloat16 = (value: number): boolean => {
  const view = new DataView(new ArrayBuffer(2));
  view.setFloat16(0, value);
  return view.getFloat16(0) === value;
};

/** Arguments, the options of `quantizeFile` that they stand for, and what differs from the result by default. */
const OPTIONS: [
  args: string,
  options: QuantizeFileOptions,
  differs: Partial<typeof DEFAULT>,
  holds?: (row: QuantizedRow, byDefault: QuantizedRow) => boolean,
][] = [
  ["--bits 2", { bitWidth: 2 }, { bits: 2, bytes: 256 }],
  ["--bits 8", { bitWidth: 8 }, { bits: 8, bytes: 1024 }],
  ["--group-size 32", { groupSize: 32 }, { group_size: 32, scales: 32 }],
  ["--group-size 256", { groupSize: 256 }, { group_size: 256, scales: 4 }],
  ["--granularity tensor", { granularity: "tensor" }, { group_size: 0, axis: -1, scales: 1 }],
  ["--granularity channel", { granularity: "channel" }, { group_size: 0, axis: 0, scales: 4 }],
  [
    "--granularity channel --axis 1",
    { granularity: "channel", axis: 1 },
    { group_size: 0, axis: 1, scales: 256 },
  ],
  [
    "--granularity channel --axis -1",
    { granularity: "channel", axis: -1 },
    { group_size: 0, axis: 1, scales: 256 },
  ],
  [
    "--scheme symmetric",
    { scheme: "symmetric" },
    { scheme: "symmetric" },
    (row, byDefault) =>
      row.zero_points.every((zero) => zero === 0) && byDefault.zero_points.some((zero) => zero > 0),
  ],
  ["--layout mlx", { layout: "mlx" }, { layout: "mlx", biases: 8 }],
  ["--layout unpacked", { layout: "unpacked" }, { layout: "unpacked", bytes: 1024 }],
  [
    "--layout ggml",
    { layout: "ggml" },
    { layout: "ggml", group_size: 32, bytes: 640, scales: 32, biases: 32 },
  ],
  ["--search mse", { search: "mse" }, {}, (row, byDefault) => row.rmse! < byDefault.rmse!],
  [
    "--min-cosine 0.9999",
    { minCosine: 0.9999 },
    { bits: 8, bytes: 1024 },
    (row, byDefault) => row.cosine! >= 0.9999 && byDefault.cosine! < 0.9999,
  ],
  [
    "--scale-type float16",
    { scaleType: "float16" },
    {},
    (row, byDefault) => row.scales.every(isFloat16) && !byDefault.scales.every(isFloat16),
  ],
];

test("quantize: every option reaches the result", SLOW, async () => {
  using workspace = model();
  const byDefault = await result(workspace, []);
  assert.deepEqual(said(byDefault), DEFAULT);
  for (const [args, options, differs, holds] of OPTIONS) {
    const row = await result(workspace, args.split(" "));
    assert.deepEqual(said(row), { ...DEFAULT, ...differs }, args);
    assert.ok(holds === undefined || holds(row, byDefault), args);
    const [from, to] = ["model.safetensors", "program.arrow"];
    await quantizeFile(join(workspace.path, from), join(workspace.path, to), options);
    assert.deepEqual(row, rowsOf(join(workspace.path, to))[0], `${args}, from a program`);
  }
});

test("quantize: what is by default can be said", SLOW, async () => {
  using workspace = model();
  const words = "--bits 4 --granularity group --group-size 128 --scheme asymmetric --layout onnx " +
    "--search none --scale-type float32 --on-invalid error --threads 1";
  assert.deepEqual(await result(workspace, words.split(" ")), await result(workspace, []));
});

test("quantize: --on-invalid skip leaves out the layer, and says so", SLOW, async () => {
  using workspace = model(WEIGHTS.map((value, at) => at === 5 ? NaN : value));
  const args = ["quantize", "model.safetensors", "--to", "out.arrow", "--on-invalid", "skip"];
  const { code, stdout } = await bowstring(workspace.path, ...args);
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^failed: up\.weight: weights\[5\]: expected a finite number but found NaN$/m,
  );
  const rows = rowsOf(join(workspace.path, "out.arrow"));
  assert.deepEqual(rows.map(({ layer_name }) => layer_name), ["down.weight"]);
});

test("quantize: a report says the options", SLOW, async () => {
  using workspace = model();
  const report = async (args: string) => {
    await result(workspace, ["--report", "report.html", ...args.split(" ")]);
    return readFileSync(join(workspace.path, "report.html"), "utf8");
  };
  const channels = await report(
    "--bits 2 --granularity channel --axis 1 --scheme symmetric --layout unpacked --search mse " +
      "--scale-type float16 --override down.*=8 --override up.*=4",
  );
  assert.ok(
    channels.includes(
      "2 bits, channel, axis 1, symmetric, layout unpacked, search mse, float16 scales, " +
        "down.*=8, up.*=4",
    ),
    channels,
  );
  const groups = await report("--group-size 64");
  assert.ok(groups.includes("4 bits, groups of 64, layout onnx, float32 scales"), groups);
  const blocks = await report("--layout ggml");
  assert.ok(blocks.includes("4 bits, groups of 32, layout ggml, float32 scales"), blocks);
});

const WRONG: [args: string, message: string][] = [
  ["--scheme even", "Allowed choices are asymmetric, symmetric."],
  ["--layout gguf", "Allowed choices are onnx, ggml, mlx, unpacked."],
  ["--scale-type bfloat16", "Allowed choices are float32, float16."],
  ["--search best", "Allowed choices are none, mse."],
  ["--granularity row", "Allowed choices are tensor, channel, group."],
  ["--group-size 16", "Allowed choices are 32, 64, 128, 256."],
  ["--on-invalid zero", "Allowed choices are error, skip, clip."],
  ["--min-cosine 1.5", "Expected a number from -1 to 1."],
  ["--min-cosine much", "Expected a number from -1 to 1."],
  ["--axis last", "Expected a whole number."],
  ["--threads -1", "Expected a whole number."],
];

test("quantize: options that cannot be are refused before any work", SLOW, async () => {
  using workspace = model();
  for (const [args, message] of WRONG) {
    const { code, stdout, stderr } = await bowstring(
      workspace.path,
      "quantize",
      "model.safetensors",
      "--to",
      "out.arrow",
      ...args.split(" "),
    );
    assert.deepEqual([code, stdout], [2, ""], args);
    assert.ok(stderr.endsWith(`${message}\n`), stderr);
    assert.ok(!existsSync(join(workspace.path, "out.arrow")), args);
  }
});

const RUN = ["quantize", "model.safetensors", "--to", "out.arrow"];
const ERASE_LINE = "\r\x1b[K";

/** Expects the table alone, without what moves a cursor. */
function isTable(text: string): void {
  assert.ok(!text.includes("\x1b"), JSON.stringify(text));
  assert.match(text, /^tensor +type .*\nquantized 2 of 2 tensors: .*\n$/s);
}

test("quantize: a terminal shows a bar, and keeps nothing of it", {
  ...SLOW,
  skip: noTerminal,
}, async () => {
  using workspace = model();
  const { code, stdout } = await onTerminal(workspace.path, RUN);
  assert.equal(code, 0, stdout);
  const drawn = stdout.split(ERASE_LINE);
  // Whatever was drawn meanwhile, in the end everything is done.
  assert.match(drawn.at(-2)!, /^\[=+\] 100% {2}2\/2 tensors {2}writing the file$/);
  isTable(drawn.at(-1)!);
});

test("quantize: where nothing can be redrawn there is no bar", {
  ...SLOW,
  skip: noTerminal,
}, async () => {
  using workspace = model();
  const cases: OnTerminal[] = [
    { env: { TERM: "dumb" } },
    { env: { CI: "true" } },
    { redirection: "2>progress" },
  ];
  for (const options of cases) {
    const { code, stdout } = await onTerminal(workspace.path, RUN, options);
    assert.equal(code, 0, stdout);
    isTable(stdout);
  }
  assert.equal(readFileSync(join(workspace.path, "progress"), "utf8"), "");
  const piped = await bowstring(workspace.path, ...RUN);
  assert.deepEqual([piped.code, piped.stderr], [0, ""]);
});

test("quantize: the bar is shown beside a result that goes elsewhere", {
  ...SLOW,
  skip: noTerminal,
}, async () => {
  using workspace = model();
  const options = { redirection: ">table" };
  const { code, stdout } = await onTerminal(workspace.path, RUN, options);
  assert.equal(code, 0, stdout);
  assert.ok(stdout.startsWith(ERASE_LINE) && stdout.endsWith(ERASE_LINE), JSON.stringify(stdout));
  isTable(readFileSync(join(workspace.path, "table"), "utf8"));
});
