/** The `bowstring` command, as a person runs it. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import process from "node:process";
import { promisify } from "node:util";
import { exitCodeFor, type Trouble } from "../cli/indexing.ts";
import { openStore } from "../mod.ts";
import { bowstring, bowstringWords, ended, startBowstring } from "./support/command.ts";
import { Workspace } from "./support/workspace.ts";

const SHAPES = `export class Circle {
  constructor(readonly radius: number) {}

  area(): number {
    return square(this.radius) * 3;
  }
}

export function square(value: number): number {
  return value * value;
}
`;

const MAIN = `def greet(name):
    return "hello " + name


print(greet("world"))
`;

/** The files of the workspace, and an index of them. */
function makeWorkspace(): Workspace {
  const workspace = new Workspace();
  workspace.write("src/shapes.ts", SHAPES);
  workspace.write("src/main.py", MAIN);
  workspace.write("src/ignored.py", "def ignored(): pass\n");
  workspace.write("src/.gitignore", "ignored.py\n");
  workspace.write("data/table.py", new Uint8Array([0, 1, 2, 3]));
  workspace.write("README", "no language\n");
  return workspace;
}

const SUMMARY =
  /^indexed 2 files: [1-9]\d* symbols, [1-9]\d* identifiers, [1-9]\d* relationships in \d+\.\d\d s$/;

let indexed: Workspace;

before(async () => {
  indexed = makeWorkspace();
  const { code, stderr } = await bowstring(indexed.path, "index");
  assert.equal(code, 0, stderr);
});

after(() => indexed.remove());

test("index: prints what it found and ends with the summary", async () => {
  using workspace = makeWorkspace();
  const { code, stdout, stderr } = await bowstring(workspace.path, "index");
  const lines = stdout.split("\n");
  assert.deepEqual(lines.slice(0, -2), [
    `${workspace.path} -> ${workspace.path}/.bowstring/index.db`,
    "  typescript         1 file         11 lines",
    "  python             1 file          5 lines",
    "skipped: 1 binary",
  ]);
  assert.match(lines.at(-2)!, SUMMARY);
  assert.equal(lines.at(-1), "");
  assert.equal(stderr, "");
  assert.equal(code, 0);
});

test("index: --verbose lists what was skipped", async () => {
  using workspace = makeWorkspace();
  const { stdout } = await bowstring(workspace.path, "index", "--verbose");
  assert.ok(
    stdout.includes("\nskipped: 1 binary\n  data/table.py: the file holds binary data\n"),
    stdout,
  );
});

test("index: --strict makes a skipped file a failure", async () => {
  using workspace = makeWorkspace();
  const { code, stdout } = await bowstring(workspace.path, "index", "--strict");
  assert.match(stdout.trimEnd().split("\n").at(-1)!, SUMMARY);
  assert.equal(code, 1);
});

test("index: --out and --max-file-size", async () => {
  using workspace = makeWorkspace();
  const out = join(workspace.path, "elsewhere", "code.db");
  const { code, stdout } = await bowstring(
    workspace.path,
    "index",
    ".",
    "--out",
    out,
    "--max-file-size",
    "100",
    "--verbose",
  );
  assert.ok(stdout.startsWith(`${workspace.path} -> ${out}\n`), stdout);
  assert.ok(
    stdout.includes("  src/shapes.ts: the file has 201 bytes, more than the limit of 100\n"),
    stdout,
  );
  assert.equal(code, 0);
  const found = await bowstring(workspace.path, "defs", "greet", "--db", out);
  assert.equal(found.code, 0, found.stderr);
});

test("index: --json", async () => {
  using workspace = makeWorkspace();
  const { code, stdout } = await bowstring(workspace.path, "index", "--json", "--verbose");
  const { symbols, identifiers, relationships, seconds, ...rest } = JSON.parse(stdout);
  for (const count of [symbols, identifiers, relationships, seconds]) {
    assert.ok(typeof count === "number" && count > 0, stdout);
  }
  assert.deepEqual(rest, {
    root: workspace.path,
    generation: 1,
    files: 2,
    out: join(workspace.path, ".bowstring", "index.db"),
    skipped: 1,
    degraded: 0,
    failed: 0,
    errors: [{
      path: "data/table.py",
      severity: "skipped",
      code: "binary",
      message: "the file holds binary data",
    }],
  });
  assert.equal(code, 0);
});

test("index: an empty directory", async () => {
  using workspace = new Workspace();
  const { code, stdout } = await bowstring(workspace.path, "index");
  assert.match(
    stdout,
    /\nindexed 0 files: 0 symbols, 0 identifiers, 0 relationships in \d+\.\d\d s\n$/,
  );
  assert.equal(code, 0);
});

const trouble = (severity: string): Trouble => ({ path: "a", severity, code: "b", message: "c" });

const VERDICTS: [troubles: string[], strict: boolean, expected: number][] = [
  [[], false, 0],
  [[], true, 0],
  [["skipped", "degraded"], false, 0],
  [["skipped"], true, 1],
  [["degraded"], true, 1],
  [["skipped", "failed"], false, 1],
  [["failed"], true, 1],
];

for (const [troubles, strict, expected] of VERDICTS) {
  test(`index: exits with ${expected} for [${troubles}]${strict ? " and --strict" : ""}`, () => {
    assert.equal(exitCodeFor(troubles.map(trouble), strict), expected);
  });
}

const RESULTS: [args: string[], stdout: string][] = [
  [
    ["defs", "square"],
    `src/shapes.ts:9  function square
    export function square(value: number): number {
`,
  ],
  [
    ["defs", "Circle.area"],
    `src/shapes.ts:4  method Circle.area
    area(): number {
`,
  ],
  [
    ["defs", "value", "--locals"],
    `src/shapes.ts:9  variable square.value
    export function square(value: number): number {
`,
  ],
  [
    ["defs", "greet", "--kind", "function"],
    `src/main.py:1  function greet
    def greet(name):
`,
  ],
  [
    ["refs", "square"],
    `src/shapes.ts:5  call in Circle.area -> src/shapes.ts:9
    return square(this.radius) * 3;
`,
  ],
  [
    ["refs", "greet"],
    `src/main.py:5  call -> src/main.py:1
    print(greet("world"))
`,
  ],
  [
    ["outline", "src/shapes.ts"],
    `src/shapes.ts:1  export class Circle {
src/shapes.ts:2    constructor(readonly radius: number) {}
src/shapes.ts:4    area(): number {
src/shapes.ts:9  export function square(value: number): number {
`,
  ],
];

for (const [args, expected] of RESULTS) {
  test(`bowstring ${args.join(" ")}`, async () => {
    const { code, stdout, stderr } = await bowstring(indexed.path, ...args);
    assert.equal(stdout, expected);
    assert.equal(stderr, "");
    assert.equal(code, 0);
  });
}

test("outline: a file is named as the shell knows it", async () => {
  const directory = join(indexed.path, "src");
  for (const name of ["main.py", "./main.py", join(directory, "main.py"), "src/main.py"]) {
    const { code, stdout } = await bowstring(directory, "outline", name);
    assert.equal(stdout, "main.py:1  def greet(name):\n", name);
    assert.equal(code, 0);
  }
});

test("paths can be opened from the working directory", async () => {
  using elsewhere = new Workspace();
  const database = join(indexed.path, ".bowstring", "index.db");
  const cases: [cwd: string, prefix: string][] = [
    [indexed.path, "src/"],
    [join(indexed.path, "src"), ""],
    [join(indexed.path, "data"), "../src/"],
    [join(indexed.path, ".."), `${basename(indexed.path)}/src/`],
    [elsewhere.path, `${indexed.path}/src/`],
  ];
  for (const [cwd, prefix] of cases) {
    const { stdout } = await bowstring(cwd, "refs", "square", "--db", database);
    const [first] = stdout.split("\n");
    assert.equal(first, `${prefix}shapes.ts:5  call in Circle.area -> ${prefix}shapes.ts:9`);
  }
});

test("--json: every result is one object with the index's columns and the line", async () => {
  const { stdout } = await bowstring(indexed.path, "refs", "square", "--json");
  const { id, containing_symbol_id, target_symbol_id, ...rest } = JSON.parse(stdout);
  for (const each of [id, containing_symbol_id, target_symbol_id]) {
    assert.match(each, /^[\w-]{22}$/);
  }
  assert.deepEqual(rest, {
    name: "square",
    kind: "call",
    language: "typescript",
    file_path: "src/shapes.ts",
    start_line: 5,
    start_column: 11,
    end_line: 5,
    end_column: 17,
    confidence: 1,
    start_byte: 95,
    end_byte: 101,
    access: "call",
    resolution: "lexical",
    containing_name: "Circle.area",
    target_path: "src/shapes.ts",
    target_line: 9,
    line: 5,
    text: "    return square(this.radius) * 3;",
    state: "found",
  });
});

test("--limit: says how many there are", async () => {
  const { code, stdout, stderr } = await bowstring(indexed.path, "refs", "value", "--limit", "1");
  assert.equal(stdout.split("\n").length, 3);
  assert.equal(stderr, "1 of 2 results; --limit 0 shows all\n");
  assert.equal(code, 0);
});

const NOTHING: [args: string[], complaint: string][] = [
  [["defs", "missing"], 'no definition of "missing" in DB\n'],
  [["defs", "greet", "--kind", "class"], 'no definition of kind class of "greet" in DB\n'],
  [["refs", "missing"], 'no reference to "missing" in DB\n'],
  [["outline", "src/missing.py"], "src/missing.py is not in DB\n"],
  [["outline", "src/ignored.py"], "src/ignored.py is not in DB\n"],
  [
    ["defs", "greet", "--db", "no.db"],
    'bowstring: ROOT/no.db does not exist: make it with "bowstring index"\n',
  ],
  [["index", "nowhere"], "bowstring: ROOT/nowhere does not exist\n"],
  [["index", "README"], "bowstring: ROOT/README is not a directory\n"],
];

for (const [args, complaint] of NOTHING) {
  test(`nothing found: bowstring ${args.join(" ")}`, async () => {
    const { code, stdout, stderr } = await bowstring(indexed.path, ...args);
    const database = join(indexed.path, ".bowstring", "index.db");
    assert.equal(stderr, complaint.replace("DB", database).replace("ROOT", indexed.path));
    assert.equal(stdout, "");
    assert.equal(code, 1);
  });
}

test("no index: says where it looked and what to do", async () => {
  using workspace = new Workspace();
  const { code, stderr } = await bowstring(workspace.path, "defs", "greet");
  assert.equal(
    stderr,
    `bowstring: neither ${workspace.path} nor a directory above it has .bowstring/index.db: ` +
      'make it with "bowstring index", or name an index with --db\n',
  );
  assert.equal(code, 1);
});

test("no index yet: the first run did not end", async () => {
  using workspace = new Workspace();
  const path = join(workspace.path, "new.db");
  openStore(path, { mode: "create" }).close();
  const { code, stderr } = await bowstring(workspace.path, "defs", "greet", "--db", path);
  assert.equal(
    stderr,
    `bowstring: ${path} holds no index yet: the first "bowstring index" did not end\n`,
  );
  assert.equal(code, 1);
});

test("index: a file that is no database is left alone", async () => {
  using workspace = makeWorkspace();
  const text = "a text, longer than the header of a database file has to be\n".repeat(9);
  const path = join(workspace.path, workspace.write("notes.txt", text));
  const { code, stdout, stderr } = await bowstring(workspace.path, "index", "--out", path);
  assert.ok(stderr.startsWith(`bowstring: ${path}: `), stderr);
  assert.equal(stderr.split("\n").length, 2);
  assert.equal(stdout, "");
  assert.equal(code, 1);
  assert.equal(readFileSync(path, "utf8"), text);
});

test("index: waits for nobody while another writes", async () => {
  using workspace = makeWorkspace();
  const path = join(workspace.path, ".bowstring", "index.db");
  await bowstring(workspace.path, "index");
  using writer = openStore(path, { mode: "create" });
  await writer.begin(workspace.path);
  const busy = await bowstring(workspace.path, "index");
  assert.ok(busy.stderr.startsWith(`bowstring: ${path}: another process is writing`), busy.stderr);
  assert.equal(busy.code, 1);
  assert.equal((await bowstring(workspace.path, "defs", "square")).code, 0);
});

const USAGE: [args: string[], complaint: string | RegExp][] = [
  [[], /^Usage: bowstring \[options\] \[command\]\n/],
  [["defs"], "error: missing required argument 'NAME'\n"],
  [
    ["defs", "a", "b"],
    "error: too many arguments for 'defs'. Expected 1 argument but got 2: a, b.\n",
  ],
  [["find", "a"], "error: unknown command 'find'\n"],
  [["defs", "a", "--depth"], "error: unknown option '--depth'\n"],
  [
    ["refs", "a", "--limit", "-1"],
    "error: option '--limit <N>' argument '-1' is invalid. Expected a whole number.\n",
  ],
  [
    ["index", "--max-file-size", "4 MB"],
    "error: option '--max-file-size <SIZE>' argument '4 MB' is invalid. Expected a size such as 65536, 500K or 4M.\n",
  ],
  [["index", "--threads"], "error: option '--threads <N>' argument missing\n"],
];

for (const [args, complaint] of USAGE) {
  test(`usage: bowstring ${args.join(" ")}`, async () => {
    const { code, stdout, stderr } = await bowstring(indexed.path, ...args);
    if (typeof complaint === "string") assert.equal(stderr, complaint);
    else assert.match(stderr, complaint);
    assert.equal(stdout, "");
    assert.equal(code, 2);
  });
}

for (const command of [[], ["index"], ["defs"], ["refs"], ["outline"]]) {
  test(`help: bowstring ${[...command, "--help"].join(" ")} names the exit codes`, async () => {
    const { code, stdout, stderr } = await bowstring(indexed.path, ...command, "--help");
    assert.ok(stdout.startsWith(`Usage: ${["bowstring", ...command].join(" ")} [options]`), stdout);
    assert.ok(stdout.includes("Exit codes: 0 done; 1 something failed, or nothing was found;"));
    assert.ok(stdout.split("\n").every((line) => line.length <= 80), stdout);
    assert.equal(stderr, "");
    assert.equal(code, 0);
  });
}

test("files that changed or are gone are not shown wrong", async () => {
  using workspace = makeWorkspace();
  await bowstring(workspace.path, "index");
  const file = join(workspace.path, "src", "main.py");
  const later = new Date(Date.now() + 60_000);

  writeFileSync(file, "# a new first line\n" + MAIN);
  utimesSync(file, later, later);
  const changed = await bowstring(workspace.path, "refs", "greet");
  const advice =
    `1 file changed after ${workspace.path}/.bowstring/index.db was made: run "bowstring index"\n`;
  assert.equal(
    changed.stdout,
    "src/main.py:5  call -> src/main.py:1\n    (the file was modified after it was indexed)\n",
  );
  assert.equal(changed.stderr, advice);
  assert.equal(changed.code, 0);

  rmSync(file);
  const gone = await bowstring(workspace.path, "outline", "src/main.py");
  assert.equal(gone.stdout, "src/main.py:1  function greet (the file cannot be read any more)\n");
  assert.equal(gone.stderr, advice);

  const json = await bowstring(workspace.path, "refs", "greet", "--json");
  const { line, text, state } = JSON.parse(json.stdout);
  assert.deepEqual({ line, text, state }, { line: 5, text: null, state: "gone" });
});

test("a reader that closes the pipe early is no failure", async () => {
  using workspace = Workspace.of(1, 3000);
  await bowstring(workspace.path, "index");
  const words = [...bowstringWords, "outline", "source/file00000.ts", "--limit", "0"];
  const line = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const { stdout, stderr } = await promisify(execFile)(
    "sh",
    ["-c", `{ ${line}; echo "exit $?" >&2; } | head -n 1`],
    { cwd: workspace.path },
  );
  assert.equal(stdout, "source/file00000.ts:1  export function f0(value: number): number {\n");
  assert.equal(stderr, "exit 0\n");
});

for (const [signal, exitCode] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  test(`${signal} leaves the previous index whole`, async () => {
    using workspace = Workspace.of(400, 100);
    const first = await bowstring(workspace.path, "index");
    assert.equal(first.code, 0, first.stderr);
    const all = ["refs", "f7", "--json", "--limit", "0"];
    const before = await bowstring(workspace.path, ...all);

    workspace.write("source/more.ts", "export function more() {}\n");
    const child = startBowstring(workspace.path, "index", "--threads", "1");
    const end = ended(child);
    await until(() => size(join(workspace.path, ".bowstring", "index.db-wal")) > 0);
    process.kill(child.pid!, signal); // Deno's child.kill() reports the signal however the child ended
    const { code, stdout, stderr } = await end;
    assert.equal(stdout, "");
    assert.equal(stderr, "interrupted: the index is as it was before\n");
    assert.equal(code, exitCode);
    assert.equal((await bowstring(workspace.path, ...all)).stdout, before.stdout);
    assert.equal((await bowstring(workspace.path, "defs", "more")).code, 1);
  });
}

/** The size of a file, 0 if there is none. */
function size(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
