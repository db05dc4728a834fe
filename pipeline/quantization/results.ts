/** What a quantization gives: leased tables, and the layers that are not in them. */

import type { RecordBatch, Schema, Table } from "apache-arrow";
import { type Lease, RecordBatchLease, type TableLease } from "../../bindings/cdata/lease.ts";
import { TableOfLeases } from "../../bindings/cdata/stream_in.ts";
import { LayerError } from "../../bindings/errors.ts";

/** Quantized layers, lent by the library. */
export interface Quantized<T> extends Lease<T> {
  /** The layers that were left out, for `onInvalid: "skip"` or `continueOnError`, in the order of the input. */
  readonly failures: readonly LayerError[];
}

/** The tables of one result. */
const FAILURES = 1;

/** The layers that are not in a result. */
function failuresOf(tables: TableLease): LayerError[] {
  const batch = tables.table(FAILURES);
  const column = (name: string) => batch.getChild(name)!;
  const [rows, names, indices, messages] = ["row", "layer_name", "index", "message"].map(column);
  return Array.from({ length: batch.numRows }, (_, at) => {
    const index: bigint | null = indices!.get(at);
    return new LayerError(
      messages!.get(at),
      Number(rows!.get(at)),
      names!.get(at),
      index === null ? undefined : Number(index),
    );
  });
}

/** One batch. */
export class QuantizedBatch extends RecordBatchLease implements Quantized<RecordBatch> {
  readonly failures: readonly LayerError[];

  constructor(tables: TableLease) {
    super(tables);
    this.failures = failuresOf(tables);
  }
}

/** All batches of a table. */
export class QuantizedTable extends TableOfLeases implements Quantized<Table> {
  readonly failures: readonly LayerError[];

  constructor(schema: Schema, leases: readonly TableLease[]) {
    super(schema, leases);
    this.failures = leases.flatMap(failuresOf);
  }
}
