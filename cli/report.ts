/** The report of a quantization, as one HTML file without anything outside it. */

import type { LayerReport, QuantizeFileSummary } from "../mod.ts";
import { bytes, printable } from "./output.ts";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as HTML, in elements and in attributes. Control characters, which HTML has no place for, are shown as escapes. */
export function escape(text: string): string {
  return printable(text).replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);
}

const STYLE = `
body { font: 14px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 72em; padding: 0 1em; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #ddd; padding: .2em .6em; text-align: right; }
th:first-child, td:first-child { overflow-wrap: anywhere; text-align: left; }
svg { height: auto; width: 100%; }
svg text { fill: #444; font: 11px system-ui, sans-serif; }
circle { fill: #1668b8; }
line { stroke: #ccc; }`;

const WIDTH = 900;
const HEIGHT = 240;
const LEFT = 80;
const BOTTOM = 20;
const TOP = 10;

/** How a measure is shown: its logarithm, since it spans orders of magnitude. */
interface Plot {
  readonly title: string;
  readonly value: (layer: LayerReport) => number | undefined;
}

const PLOTS: readonly Plot[] = [
  { title: "Root mean squared error, by tensor", value: ({ rmse }) => rmse },
  {
    title: "Distance from the original (1 - cosine similarity), by tensor",
    value: ({ cosine }) => cosine === undefined ? undefined : 1 - cosine,
  },
];

interface Point {
  readonly layer: LayerReport;
  readonly at: number;
  readonly value: number;
}

function renderPlot({ title, value }: Plot, layers: readonly LayerReport[]): string {
  const points: Point[] = layers.flatMap((layer, at) => {
    const found = value(layer);
    return found === undefined || !Number.isFinite(found) ? [] : [{ layer, at, value: found }];
  });
  const heading = `<h2>${escape(title)}</h2>`;
  if (points.length === 0) return `${heading}<p>Nothing was measured.</p>`;
  const positive = points.filter((point) => point.value > 0).map((point) => point.value);
  // One after the other: there may be more layers than a call takes arguments.
  const least = positive.reduce((least, value) => Math.min(least, value), 1);
  const most = positive.reduce((most, value) => Math.max(most, value), 1e-300);
  const low = Math.floor(Math.log10(least));
  const high = Math.max(low + 1, Math.ceil(Math.log10(most)));
  const span = HEIGHT - TOP - BOTTOM;
  const y = (exponent: number) => TOP + span * (1 - (exponent - low) / (high - low));
  const x = (at: number) => LEFT + (WIDTH - LEFT - 10) * (at + 0.5) / layers.length;
  const step = Math.max(1, Math.ceil((high - low) / 8));
  const parts: string[] = [];
  for (let exponent = low; exponent <= high; exponent += step) {
    const at = y(exponent).toFixed(1);
    parts.push(
      `<line x1="${LEFT}" x2="${WIDTH - 10}" y1="${at}" y2="${at}"/>`,
      `<text x="${
        LEFT - 8
      }" y="${at}" text-anchor="end" dominant-baseline="middle">1e${exponent}</text>`,
    );
  }
  for (const { layer, at, value: found } of points) {
    // What is exact lies on the lowest line.
    const height = y(found > 0 ? Math.log10(found) : low).toFixed(1);
    parts.push(
      `<circle cx="${x(at).toFixed(1)}" cy="${height}" r="3">` +
        `<title>${escape(layer.name)}: ${found.toExponential(3)}</title></circle>`,
    );
  }
  return `${heading}<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${
    escape(title)
  }">${parts.join("")}</svg>`;
}

function renderRow(layer: LayerReport): string {
  const { name, dtype, shape, outcome, bitWidth, bytesIn, bytesOut, rmse, cosine, message } = layer;
  const cells = [
    escape(name),
    escape(dtype),
    shape.join(" x "),
    escape(message === undefined ? outcome : `${outcome}: ${message}`),
    bitWidth ?? "",
    bytes(bytesIn),
    bytes(bytesOut),
    rmse?.toExponential(3) ?? "",
    cosine?.toFixed(6) ?? "",
  ];
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
}

const TITLES = ["tensor", "type", "shape", "", "bits", "before", "after", "rmse", "cosine"];

/** The report. `options` says in words how it was quantized. */
export function renderReport(
  input: string,
  options: string,
  { out, bytesIn, bytesOut, layers }: QuantizeFileSummary,
): string {
  const title = `Quantization of ${input}`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>${STYLE}
</style>
<h1>${escape(title)}</h1>
<p>${escape(options)}. ${bytes(bytesIn)} to ${bytes(bytesOut)}, in ${escape(out)}.</p>
${PLOTS.map((plot) => renderPlot(plot, layers)).join("\n")}
<h2>Tensors</h2>
<table>
<tr>${TITLES.map((name) => `<th>${name}</th>`).join("")}</tr>
${layers.map(renderRow).join("\n")}
</table>
</html>
`;
}
