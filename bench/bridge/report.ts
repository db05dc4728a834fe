/**
 * The table and the plot of docs/bridge-benchmarks.md, from the numbers that bench/bridge.ts wrote.
 *
 *   bench/bridge/report.ts DIRECTORY
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root } from "../../tests/support/process.ts";
import type { Measured } from "../measure.ts";

const RUNTIMES = ["deno", "bun"] as const;
const BEGIN = "<!-- table: bench/bridge/report.ts -->";
const END = "<!-- end of the table -->";

const directory = process.argv[2];
if (!directory) throw new Error("expected the directory of the numbers");

const results = new Map<string, Measured[]>();
for (const runtime of RUNTIMES) {
  const path = join(directory, `${runtime}.json`);
  if (existsSync(path)) results.set(runtime, JSON.parse(readFileSync(path, "utf8")));
}

const limit = ({ bound, atLeast }: Measured): string =>
  bound === undefined ? "" : `${atLeast ? "at least" : "at most"} ${bound}`;
const micros = (value: number): string => value < 1000 ? value.toFixed(1) : value.toFixed(0);
const met = ({ ratio, bound, atLeast }: Measured): string =>
  bound === undefined || (atLeast ? ratio >= bound : ratio <= bound) ? "" : " (missed)";

function table(): string {
  const head = ["runtime", "what", "rows", "against", "p50, p99 (us)", "peer p50, p99 (us)"];
  const lines = [
    `| ${[...head, "ratio", "of p99", "bound"].join(" | ")} |`,
    "|---|---|--:|---|--:|--:|--:|--:|---|",
  ];
  for (const [runtime, rows] of results) {
    for (const measured of rows) {
      const { name, rows, against, ours, theirs, ratio, ratio99 } = measured;
      const cells = [runtime, name, rows.toLocaleString("en"), against];
      cells.push(ours.map(micros).join(", "), theirs.map(micros).join(", "));
      cells.push(`${ratio.toFixed(2)}${met(measured)}`, ratio99.toFixed(2), limit(measured));
      lines.push(`| ${cells.join(" | ")} |`);
    }
  }
  return lines.join("\n");
}

const [WIDTH, HEIGHT, LEFT, TOP, PLOT_WIDTH, PLOT_HEIGHT] = [720, 400, 70, 40, 500, 290];
const [MOST_ROWS, LEAST_MICROS, MOST_MICROS] = [1e7, 1, 1e3];
const COLORS = ["#0072b2", "#56b4e9", "#d55e00", "#e69f00"];

/** Where a point lies; both axes are logarithmic. */
function place(rows: number, micros: number): [number, number] {
  const x = (Math.log10(rows) - 1) / (Math.log10(MOST_ROWS) - 1);
  const span = Math.log10(MOST_MICROS / LEAST_MICROS);
  const y = Math.log10(Math.max(micros, LEAST_MICROS) / LEAST_MICROS) / span;
  return [LEFT + x * PLOT_WIDTH, TOP + (1 - y) * PLOT_HEIGHT];
}

/** The median of an import and of its floor, by the number of rows. */
function plot(): string {
  const parts: string[] = [];
  const text = (x: number, y: number, content: string, anchor = "middle") =>
    parts.push(`<text x="${x}" y="${y}" text-anchor="${anchor}">${content}</text>`);
  for (let power = 1; power <= 7; power++) {
    const [x] = place(10 ** power, 1);
    parts.push(`<line x1="${x}" y1="${TOP}" x2="${x}" y2="${TOP + PLOT_HEIGHT}" stroke="#ddd"/>`);
    text(x, TOP + PLOT_HEIGHT + 18, (10 ** power).toLocaleString("en"));
  }
  for (let power = 0; power <= 3; power++) {
    const [, y] = place(10, 10 ** power);
    parts.push(`<line x1="${LEFT}" y1="${y}" x2="${LEFT + PLOT_WIDTH}" y2="${y}" stroke="#ddd"/>`);
    text(LEFT - 8, y + 4, String(10 ** power), "end");
  }
  text(LEFT + PLOT_WIDTH / 2, HEIGHT - 20, "rows of the batch");
  text(LEFT + PLOT_WIDTH / 2, 20, "import of eight columns, microseconds (median)");
  let line = 0;
  for (const [runtime, measured] of results) {
    const imports = measured.filter(({ name, against }) =>
      name === "import" && against === "objects"
    );
    for (const side of ["ours", "theirs"] as const) {
      const points = imports.map((row) => place(row.rows, row[side][0]));
      const color = COLORS[line]!;
      const dash = side === "theirs" ? ' stroke-dasharray="5 4"' : "";
      const path = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
      parts.push(
        `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"${dash}/>`,
      );
      const [x, y] = [LEFT + PLOT_WIDTH + 14, TOP + 20 + 22 * line];
      parts.push(
        `<line x1="${x}" y1="${y}" x2="${
          x + 24
        }" y2="${y}" stroke="${color}" stroke-width="2"${dash}/>`,
      );
      text(x + 30, y + 4, `${runtime}: ${side === "ours" ? "import" : "floor"}`, "start");
      line++;
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
    `font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>\n${
      parts.join("\n")
    }\n</svg>\n`;
}

const page = join(root, "docs", "bridge-benchmarks.md");
const text = readFileSync(page, "utf8");
const [before, rest] = text.split(BEGIN);
const after = rest?.split(END)[1];
if (before === undefined || after === undefined) {
  throw new Error(`${page} has no place for the table`);
}
writeFileSync(page, `${before}${BEGIN}\n\n${table()}\n\n${END}${after}`);
writeFileSync(join(root, "docs", "bridge-import.svg"), plot());
