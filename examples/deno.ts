// deno run --allow-all examples/deno.ts DIRECTORY: how many definitions of each kind there are
import { extractWorkspace } from "../mod.ts";

const counts: Record<string, number> = {};
for await (const batch of extractWorkspace(Deno.args[0] ?? ".")) {
  using _ = batch; // at the end of the turn the memory goes back to the library
  const kinds = batch.symbols.getChild("kind")!; // an apache-arrow Vector over memory that Rust filled
  for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1;
}
console.table(counts);
