// bun examples/bun.ts DIRECTORY NAME: where a name is defined
import { argv } from "node:process";
import { indexWorkspace, openStore } from "../mod.ts";

const [directory = ".", name = "main"] = argv.slice(2);
const { files, seconds, out } = await indexWorkspace(directory);
console.log(`${files} files in ${seconds.toFixed(2)} s`);
using store = openStore(out);
using answer = await store.defs(name);
for (const { file_path, start_line, kind } of answer.value) {
  console.log(`${file_path}:${start_line}: ${kind} ${name}`);
}
