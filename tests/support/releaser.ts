/** The foreign consumer whose threads release and read when they like, also while a runtime goes away. */

import { tableFromArrays } from "apache-arrow";
import { exportRecordBatch, exportStream } from "../../mod.ts";
import { compile, open } from "./native.ts";

const native = await open(compile("releaser", "releaser", ["-pthread"]), {
  releaser_take: ["f64", "void"],
  releaser_start: ["void"],
  releaser_read: ["f64", "void"],
  releaser_batches: ["u32"],
});

const ARRAYS = 2_000;
const { batches: [source] } = tableFromArrays({ id: new Float64Array(5_000).fill(7) });

function* forever() {
  for (;;) yield source!;
}

/** Exports many batches and a stream, whose consumer begins to release and to read them; returns when it has. */
export async function handOver(modes: readonly ("borrow" | "copy")[]): Promise<void> {
  const [mode] = modes;
  for (let index = 0; index < ARRAYS; index++) {
    using exported = exportRecordBatch(source!, { mode: modes[index % modes.length]! });
    native.releaser_take(exported.array);
  }
  native.releaser_read(exportStream(forever(), { mode: mode!, schema: source!.schema }).address);
  while (native.releaser_batches() < 10) await new Promise((resolve) => setTimeout(resolve, 1));
  native.releaser_start();
}
