/** The command line: what there is to say, and what it means. */

import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { BowstringError, type LayerOverride, VERSION } from "../mod.ts";
import { CommandError, FAILED, OK, USAGE, UsageError } from "./exit.ts";
import { index, type IndexFlags } from "./indexing.ts";
import { endQuietlyOnClosedPipe, note, printable } from "./output.ts";
import { quantize, type QuantizeFlags } from "./quantizing.ts";
import { defs, type DefsFlags, outline, type QueryFlags, refs } from "./queries.ts";

const EXIT_CODES = `
Exit codes: 0 done; 1 something failed, or nothing was found; 2 the command
line is wrong; 130 interrupted (Ctrl-C); 143 terminated.`;

const INDEX_NOTES = `
Files that git ignores are left out. Files that are binary or too large are
skipped; source that is not UTF-8 is read as well as it can be (degraded); what
cannot be read or parsed has failed. The summary counts them. Until the new
index is complete the previous one stays readable, also if this is interrupted.
${EXIT_CODES}
A file that failed makes it 1; with --strict, one that was skipped or degraded
does too.`;

const QUERY_NOTES = `
With --json every result is one line: an object with the index's columns, and
with line, text and state. State is "found" when text is that line of the file;
"modified" when the file changed after it was indexed and the name is no longer
there; "gone" when the file cannot be read.
${EXIT_CODES}`;

const QUANTIZE_NOTES = `
IN is a .safetensors file, the .safetensors.index.json of several, a directory
with either, a .parquet file or an .arrow file; OUT a .safetensors, .parquet or
.arrow file. Of safetensors, F32, F16 and BF16 tensors of two axes and more are
quantized. The others are copied to a .safetensors result; tables cannot hold
them, so a .parquet or .arrow result is without them, as the table says. OUT
appears when it is complete; when anything fails, what was there is still there.
Ways to say what differs for some layers: --override "*.embed*=8" takes 8 bits
for layers whose name matches; it may be given several times, later ones win.
${EXIT_CODES}
A layer that failed makes it 1, also with --continue-on-error.`;

/** Runs the command with its arguments and returns the exit code. Never throws what a person should not see. */
export async function run(args: readonly string[]): Promise<number> {
  endQuietlyOnClosedPipe();
  let exitCode = OK;
  const program = build((code) => exitCode = code);
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (reason) {
    if (reason instanceof CommanderError) return reason.exitCode === 0 ? OK : USAGE;
    if (reason instanceof UsageError) {
      note(`bowstring: ${printable(reason.message)}`);
      return USAGE;
    }
    if (reason instanceof CommandError || reason instanceof BowstringError) {
      note(`bowstring: ${printable(reason.message)}`);
      return FAILED;
    }
    const system = systemMessage(reason);
    if (system === undefined) throw reason;
    note(`bowstring: ${printable(system)}`);
    return FAILED;
  }
}

/** The message of an error that the operating system gave, or Deno for want of a permission. */
function systemMessage(reason: unknown): string | undefined {
  if (!(reason instanceof Error)) return undefined;
  const isExpected = "syscall" in reason || reason.name === "NotCapable";
  return isExpected ? reason.message : undefined;
}

function build(end: (exitCode: number) => void): Command {
  const program = new Command("bowstring")
    .description("Indexes source code and answers questions about it; quantizes model weights.")
    .version(VERSION)
    .helpCommand(false)
    .exitOverride()
    .addHelpText("after", EXIT_CODES);
  program.command("index")
    .description("index a directory")
    .argument("[DIR]", "the directory", ".")
    .option("--out <FILE>", "the file of the index (default: DIR/.bowstring/index.db)")
    .option(
      "--max-file-size <SIZE>",
      "skip larger files: bytes, or as in 500K, 4M (default: 4M)",
      size,
    )
    .option("--threads <N>", "native threads (default: one per core)", count)
    .option("--strict", "files that were skipped or degraded are failures too")
    .option("--verbose", "list the files that were skipped, degraded or failed")
    .option("--json", "print the summary as JSON")
    .addHelpText("after", INDEX_NOTES)
    .action(async (directory: string, flags: IndexFlags) => end(await index(directory, flags)));
  query(
    program,
    "defs",
    "<NAME>",
    "find the definitions of a name, plain (open) or qualified (Store.open)",
  )
    .option("--kind <KIND>", "only symbols of this kind: function, class, method ...")
    .option("--locals", "local variables and parameters too")
    .action(async (name: string, flags: DefsFlags) => end(await defs(name, flags)));
  query(program, "refs", "<NAME>", "find the places where a name is used")
    .action(async (name: string, flags: QueryFlags) => end(await refs(name, flags)));
  query(program, "outline", "<FILE>", "list the symbols of a file")
    .action(async (file: string, flags: QueryFlags) => end(await outline(file, flags)));
  quantization(program, end);
  return program;
}

function quantization(program: Command, end: (exitCode: number) => void): void {
  const among = (flags: string, description: string, ...names: string[]) =>
    new Option(flags, description).choices(names);
  program.command("quantize")
    .description("quantize a model's weights")
    .argument("<IN>", "the model")
    .requiredOption("--to <OUT>", "the file to write")
    .addOption(among("--bits <N>", "bits of a code", "2", "4", "8").default("4"))
    .addOption(
      among("--granularity <G>", "what shares a scale", "tensor", "channel", "group")
        .default("group"),
    )
    .addOption(
      among(
        "--group-size <N>",
        "values of a group (default: 128; 32 in layout ggml)",
        "32",
        "64",
        "128",
        "256",
      ),
    )
    .option("--axis <N>", "the axis of granularity channel (default: 0)", axis)
    .addOption(
      among(
        "--scheme <S>",
        "how a range becomes codes (default: asymmetric; symmetric for 8 bits in layout ggml)",
        "asymmetric",
        "symmetric",
      ),
    )
    .addOption(
      among("--layout <L>", "how codes are stored", "onnx", "ggml", "mlx", "unpacked")
        .default("onnx"),
    )
    .addOption(among("--search <S>", "search for better scales", "none", "mse").default("none"))
    .option("--min-cosine <X>", "wider codes for layers less similar than this", fraction)
    .addOption(
      among("--scale-type <T>", "precision of scales", "float32", "float16").default("float32"),
    )
    .addOption(
      among("--on-invalid <WHAT>", "on NaN, infinities and nulls", "error", "skip", "clip")
        .default("error"),
    )
    .option("--continue-on-error", "leave out layers that fail, and go on")
    .addOption(
      new Option("--override <PATTERN=BITS>", "other bits for some layers").argParser(override)
        .default([], "none"),
    )
    .option("--vectors", "quantize tensors of one axis too")
    .option("--threads <N>", "native threads (default: one per core)", count)
    .option("--report <FILE>", "write a report with plots of the errors, as HTML")
    .option("--json", "print the result as JSON")
    .addHelpText("after", QUANTIZE_NOTES)
    .action(async (input: string, flags: QuantizeFlags) => end(await quantize(input, flags)));
}

function axis(text: string): number {
  if (!/^-?\d{1,9}$/.test(text)) throw new InvalidArgumentError("Expected a whole number.");
  return Number(text);
}

function fraction(text: string): number {
  const number = Number(text);
  if (text.trim() === "" || !(Math.abs(number) <= 1)) {
    throw new InvalidArgumentError("Expected a number from -1 to 1.");
  }
  return number;
}

function override(text: string, before: readonly LayerOverride[]): LayerOverride[] {
  const match = /^(.+)=([248])$/.exec(text);
  if (match === null) {
    throw new InvalidArgumentError("Expected a pattern and 2, 4 or 8 bits, such as *.embed*=8.");
  }
  return [...before, { pattern: match[1]!, bitWidth: Number(match[2]) as 2 | 4 | 8 }];
}

function query(program: Command, name: string, argument: string, description: string): Command {
  return program.command(name)
    .description(description)
    .argument(argument)
    .option("--db <FILE>", "the index (default: the nearest .bowstring/index.db, here or above)")
    .addOption(
      new Option("--limit <N>", "the most results; 0 shows all").argParser(count).default(1000),
    )
    .option("--json", "print each result as one line of JSON")
    .addHelpText("after", QUERY_NOTES);
}

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("Expected a whole number.");
  return Number(text);
}

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

function size(text: string): number {
  const match = /^(\d{1,9})(k|m|g|)(?:i?b)?$/i.exec(text);
  if (match === null) throw new InvalidArgumentError("Expected a size such as 65536, 500K or 4M.");
  return Number(match[1]) * UNITS[match[2].toLowerCase()];
}
