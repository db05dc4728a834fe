/** The types of apache-arrow that the public functions take and give, besides `RecordBatch` and `Table`. */

import type { RecordBatch } from "apache-arrow";

/** A `Schema` of apache-arrow. */
export type ArrowSchema = RecordBatch["schema"];
/** A `Field` of apache-arrow. */
export type ArrowField = ArrowSchema["fields"][number];
/** A `Vector` of apache-arrow. */
export type ArrowVector = NonNullable<ReturnType<RecordBatch["getChildAt"]>>;
