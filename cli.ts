#!/usr/bin/env bun
/**
 * The `bowstring` command: `deno run --allow-all cli.ts`, or `bun cli.ts`.
 *
 * @module
 */

import process from "node:process";
import { run } from "./cli/program.ts";

process.exitCode = await run(process.argv.slice(2));
