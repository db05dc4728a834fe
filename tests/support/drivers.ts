/** The ADBC drivers that `scripts/drivers` has fetched. */

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { adbc } from "../../mod.ts";
import { root, SLOW } from "./process.ts";

export type DriverName = "duckdb" | "sqlite";

const paths = new Map<string, string>(
  execFileSync(join(root, "scripts", "drivers"), ["--list"], { encoding: "utf8" })
    .split("\n").filter(Boolean).map((line) => line.split(/ (.*)/, 2) as [string, string]),
);

/** Whether a driver has not been fetched. */
export const isMissing = (name: DriverName): boolean => !paths.has(name);

/** The libraries that have been fetched. */
export const driverPaths = (): string[] => [...paths.values()];

/** How each driver is opened; SQLite's shares one database in memory by default. */
const ENTRYPOINTS: Record<DriverName, Partial<adbc.ConnectOptions>> = {
  duckdb: { entrypoint: "duckdb_adbc_init" },
  sqlite: { options: { uri: ":memory:" } },
};

/** What to connect to a driver with. */
export function driverOptions(name: DriverName): adbc.ConnectOptions {
  const driver = paths.get(name);
  if (driver === undefined) throw new Error(`no driver ${name}: run "make drivers"`);
  return { driver, ...ENTRYPOINTS[name] };
}

/** An in-memory database. */
export function connect(name: DriverName): Promise<adbc.Connection> {
  return adbc.connect(driverOptions(name));
}

/** A test with one driver; skipped, and said so, where the driver has not been fetched. */
export function driverTest(name: DriverName, title: string, run: () => Promise<void>): void {
  const skip = isMissing(name) && `no driver ${name}: run "make drivers"`;
  test(`adbc: ${name}: ${title}`, { ...SLOW, skip }, run);
}

/** A test with each driver. */
export function eachDriver(title: string, run: (name: DriverName) => Promise<void>): void {
  for (const name of ["duckdb", "sqlite"] as const) driverTest(name, title, () => run(name));
}
