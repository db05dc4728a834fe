/** `bowstring quantize`. */

import { existsSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import {
  type LayerOverride,
  type LayerReport,
  quantizeFile,
  type QuantizeFileOptions,
  type QuantizeFileSummary,
} from "../mod.ts";
import { CommandError, FAILED, OK } from "./exit.ts";
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
  if (flags.report !== undefined) checkReport(flags.report, [input, flags.to]);
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
    if (interruption.exitCode === undefined) throw reason;
    display.end();
    note("interrupted: nothing was written");
    return interruption.exitCode;
  } finally {
    display.end();
    interruption.ignore();
  }
  const seconds = (performance.now() - started) / 1000;
  if (flags.json) printJson({ input: resolve(input), ...summary, seconds });
  else printSummary(summary, seconds);
  if (flags.report !== undefined) {
    writeFileSync(flags.report, renderReport(input, describe(flags), summary));
  }
  return summary.layers.some(({ outcome }) => outcome === "failed") ? FAILED : OK;
}

/** Refuses a report that would take the place of a model, or has none, before any work is done. */
function checkReport(report: string, models: readonly string[]): void {
  const path = resolve(report);
  if (!existsSync(dirname(path))) {
    throw new CommandError(`${report}: there is no such directory to write the report to`);
  }
  const real = (path: string) => existsSync(path) ? realpathSync(path) : resolve(path);
  if (models.some((model) => real(model) === real(path))) {
    throw new CommandError(`${report}: expected another file for the report than the model's`);
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
  const widths = COLUMNS.map((_, at) => Math.max(...rows.map((row) => row[at]!.length)));
  return rows.map((row) =>
    row.map((cell, at) => COLUMNS[at]![2] ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))
      .join("  ").trimEnd()
  );
}

function printSummary({ out, bytesIn, bytesOut, layers }: QuantizeFileSummary, seconds: number) {
  for (const line of renderTable(layers)) print(line);
  for (const { name, message } of layers) {
    if (message !== undefined) print(printable(`failed: ${shortened(name)}: ${message}`));
  }
  const leftOut = layers.filter(({ outcome }) => outcome === "left out").length;
  if (leftOut > 0) {
    print(`left out: ${leftOut}, which only a .safetensors file can hold as they are`);
  }
  const quantized = layers.filter(({ outcome }) => outcome === "quantized");
  const grown = quantized.filter(({ bytesIn, bytesOut }) => bytesOut >= bytesIn).length;
  if (grown > 0) {
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
