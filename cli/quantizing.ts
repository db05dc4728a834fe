/** `bowstring quantize`. */

import {
  existsSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import {
  BowstringError,
  type LayerOverride,
  type LayerReport,
  quantizeFile,
  type QuantizeFileOptions,
  type QuantizeFileSummary,
} from "../mod.ts";
import { CommandError, FAILED, OK, UsageError } from "./exit.ts";
import { Interruption } from "./interruption.ts";
import { bytes, note, print, printable, printJson } from "./output.ts";
import { progressDisplay } from "./progress.ts";
import { renderReport } from "./report.ts";

/** What `quantize` takes. Choices come as text. */
export interface QuantizeFlags {
  /** The file to write. */
  readonly to: string;
  /** 2, 4 or 8. */
  readonly bits: string;
  /** What shares a scale. */
  readonly granularity: "tensor" | "channel" | "group";
  /** 32, 64, 128 or 256. */
  readonly groupSize?: string;
  /** The axis of channels. */
  readonly axis?: number;
  /** How a range becomes codes. */
  readonly scheme?: "asymmetric" | "symmetric";
  /** How codes are stored. */
  readonly layout: "onnx" | "ggml" | "mlx" | "unpacked";
  /** Whether scales are searched for. */
  readonly search: "none" | "mse";
  /** Layers less similar get wider codes. */
  readonly minCosine?: number;
  /** The precision of scales. */
  readonly scaleType: "float32" | "float16";
  /** What to do about values that cannot be quantized. */
  readonly onInvalid: "error" | "skip" | "clip";
  /** Whether layers that fail are left out. */
  readonly continueOnError?: boolean;
  /** Other bits for some layers. */
  readonly override: readonly LayerOverride[];
  /** Whether tensors of one axis are quantized. */
  readonly vectors?: boolean;
  /** Native threads; 0 means one per core. */
  readonly threads?: number;
  /** The file of the report. */
  readonly report?: string;
  /** One JSON object instead of text. */
  readonly json?: boolean;
}

const WORDS = { unit: "tensors", start: "reading", end: "writing the file" };
/** Progress counts values, and is shown as bytes of float32. */
const VALUE_BYTES = 4;

/** Quantizes a model and prints what became of its tensors. */
export async function quantize(input: string, flags: QuantizeFlags): Promise<number> {
  if (flags.report !== undefined) checkReport(flags.report, input, flags.to);
  const started = performance.now();
  const interruption = new Interruption();
  const display = progressDisplay(WORDS);
  let summary: QuantizeFileSummary;
  try {
    summary = await quantizeFile(resolve(input), resolve(flags.to), {
      ...optionsOf(flags),
      signal: interruption.signal,
      onProgress: ({ layersTotal, layersDone, valuesTotal, valuesDone }) =>
        display.update({
          filesTotal: layersTotal,
          filesDone: layersDone,
          bytesTotal: VALUE_BYTES * valuesTotal,
          bytesDone: VALUE_BYTES * valuesDone,
        }),
    });
  } catch (reason) {
    if (interruption.exitCode === undefined) {
      // Options that do not go together; what is wrong with a file has another code.
      const isUsage = reason instanceof BowstringError && reason.code === "INVALID_ARGUMENT";
      throw isUsage ? new UsageError(reason.message) : reason;
    }
    display.end();
    note("interrupted: nothing was written");
    return interruption.exitCode;
  } finally {
    display.end();
    interruption.ignore();
  }
  const seconds = (performance.now() - started) / 1000;
  if (flags.json) printJson({ input: resolve(input), ...summary, seconds });
  else printSummary(summary, seconds, flags.granularity === "group");
  if (flags.report !== undefined) {
    writeReport(flags.report, renderReport(input, describe(flags), summary));
  }
  return summary.layers.some(({ outcome }) => outcome === "failed") ? FAILED : OK;
}

/** Refuses a report that would take the place of a model, or has none, before any work is done. */
function checkReport(report: string, input: string, output: string): void {
  const path = resolve(report);
  if (report === "" || !existsSync(dirname(path))) {
    throw new UsageError(`${report}: there is no such directory to write the report to`);
  }
  const found = existing(path);
  if (found?.isDirectory()) {
    throw new UsageError(`${report}: expected a file for the report but found a directory`);
  }
  const isSame = (model: string) => {
    if (place(model) === place(path)) return true;
    const file = existing(model);
    if (file === undefined || found === undefined) return false;
    return realpathSync(model) === realpathSync(path) ||
      (file.ino !== 0 && file.ino === found.ino && file.dev === found.dev);
  };
  if ([...filesOf(resolve(input)), resolve(output)].some(isSame)) {
    throw new UsageError(`${report}: expected another file for the report than the model's`);
  }
}

function existing(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

/** Where a file is or would be, whatever links lead to its directory. */
function place(path: string): string {
  const directory = dirname(path);
  return join(existsSync(directory) ? realpathSync(directory) : directory, basename(path));
}

/** The files that may be read of a model: all there are in its directory, if it may be in several. */
function filesOf(input: string): string[] {
  const isDirectory = existing(input)?.isDirectory() ?? false;
  if (!isDirectory && !input.endsWith(".index.json")) return [input];
  const directory = isDirectory ? input : dirname(input);
  if (!existsSync(directory)) return [input];
  const isModel = (name: string) => /\.(safetensors|json)$/.test(name);
  return [input, ...readdirSync(directory).filter(isModel).map((name) => join(directory, name))];
}

/** Writes the report beside its place and moves it there, so that it replaces nothing by halves and follows no link. */
function writeReport(report: string, text: string): void {
  const path = resolve(report);
  const temporary = join(
    dirname(path),
    `.${basename(path).slice(0, 32)}.${crypto.randomUUID()}.part`,
  );
  try {
    writeFileSync(temporary, text, { flag: "wx" });
    renameSync(temporary, path);
  } catch (reason) {
    // Where a directory is only for reading there is nothing to remove, and removing it fails.
    if (existsSync(temporary)) rmSync(temporary, { force: true });
    const message = reason instanceof Error ? reason.message : String(reason);
    throw new CommandError(
      `${report}: the model was quantized, but the report could not be written: ${message}`,
    );
  }
}

function optionsOf(flags: QuantizeFlags): QuantizeFileOptions {
  const { granularity, axis, scheme, layout, search, minCosine, scaleType, onInvalid } = flags;
  const { continueOnError, vectors, threads, groupSize } = flags;
  const options = {
    bitWidth: Number(flags.bits) as 2 | 4 | 8,
    granularity,
    axis,
    groupSize: groupSize === undefined ? undefined : Number(groupSize) as 32 | 64 | 128 | 256,
    scheme,
    layout,
    search,
    minCosine,
    scaleType,
    onInvalid,
    continueOnError,
    overrides: flags.override,
    vectors,
    threads,
  };
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as QuantizeFileOptions;
}

/** The options that matter to whoever reads the result. */
function describe(flags: QuantizeFlags): string {
  const { bits, granularity, groupSize, axis, scheme, layout, search, scaleType } = flags;
  const parts = [
    `${bits} bits`,
    granularity === "group"
      ? `groups of ${groupSize ?? (layout === "ggml" ? 32 : 128)}`
      : granularity,
    axis === undefined ? "" : `axis ${axis}`,
    scheme ?? "",
    `layout ${layout}`,
    search === "none" ? "" : `search ${search}`,
    `${scaleType} scales`,
    ...flags.override.map(({ pattern, bitWidth }) => `${pattern}=${bitWidth}`),
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** A name in the table has no more characters than this; reports have the whole. */
const LONGEST_NAME = 64;

/** A name without its middle, if it is long: models tell tensors apart at both ends. */
function shortened(name: string): string {
  const characters = [...name];
  if (characters.length <= LONGEST_NAME) return name;
  const kept = LONGEST_NAME - 3;
  const half = Math.ceil(kept / 2);
  return [...characters.slice(0, half), "...", ...characters.slice(half - kept)].join("");
}

/** The columns of the table, and what they show of a tensor. */
const COLUMNS: readonly [title: string, cell: (layer: LayerReport) => string, left: boolean][] = [
  ["tensor", ({ name }) => printable(shortened(name)), true],
  ["type", ({ dtype }) => dtype, true],
  ["shape", ({ shape }) => shape.join("x"), true],
  ["bits", ({ bitWidth, outcome }) => bitWidth === undefined ? outcome : `${bitWidth}`, false],
  ["size", ({ bytesOut, outcome }) => hasBytes(outcome) ? bytes(bytesOut) : "-", false],
  ["rmse", ({ rmse }) => rmse === undefined ? "-" : rmse.toExponential(3), false],
  ["cosine", ({ cosine }) => cosine === undefined ? "-" : cosine.toFixed(6), false],
];

function hasBytes(outcome: LayerReport["outcome"]): boolean {
  return outcome === "quantized" || outcome === "copied";
}

/** The lines of the table. */
export function renderTable(layers: readonly LayerReport[]): string[] {
  const rows = [
    COLUMNS.map(([title]) => title),
    ...layers.map((layer) => COLUMNS.map(([, cell]) => cell(layer))),
  ];
  // One after the other: there may be more layers than a call takes arguments.
  const widths = COLUMNS.map((_, at) =>
    rows.reduce((width, row) => Math.max(width, row[at]!.length), 0)
  );
  return rows.map((row) =>
    row.map((cell, at) => COLUMNS[at]![2] ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))
      .join("  ").trimEnd()
  );
}

function printSummary(
  { out, bytesIn, bytesOut, layers }: QuantizeFileSummary,
  seconds: number,
  isInGroups: boolean,
) {
  for (const line of renderTable(layers)) print(line);
  for (const { name, message } of layers) {
    if (message !== undefined) print(printable(`failed: ${shortened(name)}: ${message}`));
  }
  const leftOut = layers.filter(({ outcome }) => outcome === "left out").length;
  if (leftOut > 0) {
    print(`left out: ${leftOut}, which only a .safetensors file can hold as they are`);
  }
  const quantized = layers.filter(({ outcome }) => outcome === "quantized");
  const grown =
    quantized.filter(({ bytesIn, bytesOut }) => bytesIn > 0 && bytesOut >= bytesIn).length;
  if (grown > 0 && isInGroups) {
    print(
      `not smaller than before: ${grown}, with as much for scales as for codes: ` +
        "a group ends with its row; try --granularity channel or tensor",
    );
  }
  print(
    `quantized ${quantized.length} of ${layers.length} tensors: ${bytes(bytesIn)} to ${
      bytes(bytesOut)
    } in ` +
      `${seconds.toFixed(2)} s: ${printable(out)}`,
  );
}
