/** Tables of weights for the tests of quantization. */

import {
  type Data,
  Field,
  FixedSizeList,
  Float16,
  Float32,
  Int32,
  Int64,
  List,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Uint16,
  Utf8,
  vectorFromArray,
} from "apache-arrow";

/** The types of a weight, and how values that all of them hold become bits. */
export const ELEMENTS = {
  float32: (name = "item") => new Field(name, new Float32()),
  float16: (name = "item") => new Field(name, new Float16()),
  bfloat16: (name = "item") =>
    new Field(
      name,
      new Uint16(),
      true,
      new Map([["ARROW:extension:name", "bowstring.bfloat16"]]),
    ),
} as const;

export type ElementName = keyof typeof ELEMENTS;

/** How a column holds tensors. */
export type Holder = "list" | "fixed-size list" | "fixed_shape_tensor" | "variable_shape_tensor";

/** One layer; `null` for no list at all. */
export interface Layer {
  readonly name: string | null;
  readonly values: readonly (number | null)[] | Float32Array | null;
  readonly shape?: readonly number[] | null;
  readonly importance?: readonly number[];
}

/** The bits of values, half of which are in the high half of a float32 for bfloat16. */
export function bitsOf(element: ElementName, values: Float32Array): Float32Array | Uint16Array {
  switch (element) {
    case "float32":
      return values;
    case "float16":
      return Uint16Array.from(values, (value) => {
        const view = new DataView(new ArrayBuffer(2));
        view.setFloat16(0, value);
        return view.getUint16(0);
      });
    case "bfloat16":
      return Uint16Array.from(
        new Uint32Array(values.buffer, values.byteOffset, values.length),
        (bits) => bits >>> 16,
      );
  }
}

function bitmap(valid: readonly boolean[]): Uint8Array | null {
  if (valid.every(Boolean)) return null;
  const bytes = new Uint8Array(Math.ceil(valid.length / 64) * 8);
  valid.forEach((is, at) => bytes[at >> 3]! |= Number(is) << (at & 7));
  return bytes;
}

function items(layers: readonly Layer[], element: ElementName): { field: Field; data: Data } {
  const field = ELEMENTS[element]();
  const lists = layers.map(({ values }) => values ?? []);
  const count = lists.reduce((sum, { length }) => sum + length, 0);
  const all = new Float32Array(count);
  const valid: boolean[] = [];
  let at = 0;
  for (const list of lists) {
    if (list instanceof Float32Array) {
      all.set(list, at);
    } else {
      list.forEach((value, index) => {
        all[at + index] = value ?? 0;
        if (value === null) valid[at + index] = false;
      });
    }
    at += list.length;
  }
  const nullBitmap = valid.length > 0
    ? bitmap(Array.from({ length: count }, (_, index) => valid[index] ?? true))
    : null;
  const data = makeData({
    type: field.type as Float32,
    length: count,
    data: bitsOf(element, all) as Float32Array,
    nullBitmap,
    nullCount: nullBitmap ? -1 : 0,
  });
  return { field, data };
}

function weights(layers: readonly Layer[], element: ElementName, holder: Holder) {
  const { field, data } = items(layers, element);
  const nulls = bitmap(layers.map(({ values }) => values !== null));
  const common = { length: layers.length, nullBitmap: nulls, nullCount: nulls ? -1 : 0 };
  const offsets = new Int32Array(layers.length + 1);
  layers.forEach(({ values }, at) => offsets[at + 1] = offsets[at]! + (values?.length ?? 0));
  const list = () =>
    makeData({ type: new List(field), ...common, valueOffsets: offsets, child: data });
  const size = layers[0]?.values?.length ?? 1;
  const fixed = () => makeData({ type: new FixedSizeList(size, field), ...common, child: data });
  const extension = (name: string, metadata: object) =>
    new Map([
      ["ARROW:extension:name", name],
      ["ARROW:extension:metadata", JSON.stringify(metadata)],
    ]);
  switch (holder) {
    case "list":
      return { data: list(), metadata: undefined };
    case "fixed-size list":
      return { data: fixed(), metadata: undefined };
    case "fixed_shape_tensor":
      return {
        data: fixed(),
        metadata: extension("arrow.fixed_shape_tensor", { shape: layers[0]!.shape }),
      };
    case "variable_shape_tensor": {
      const inner = list();
      const rank = layers[0]!.shape!.length;
      const sizes = new FixedSizeList(rank, new Field("item", new Int32()));
      const shapes = makeData({
        type: sizes,
        length: layers.length,
        child: makeData({
          type: new Int32(),
          data: Int32Array.from(layers.flatMap(({ shape }) => shape!)),
        }),
      });
      const fields = [new Field("data", inner.type), new Field("shape", sizes)];
      return {
        data: makeData({
          type: new Struct(fields),
          length: layers.length,
          children: [inner, shapes] as Data[],
        }),
        metadata: extension("arrow.variable_shape_tensor", {}),
      };
    }
  }
}

/** A record batch of layers. */
export function layerBatch(
  layers: readonly Layer[],
  { element = "float32", holder = "list" }: { element?: ElementName; holder?: Holder } = {},
): RecordBatch {
  const names = vectorFromArray(layers.map(({ name }) => name), new Utf8());
  const tensors = weights(layers, element, holder);
  const fields = [
    new Field("layer_name", new Utf8(), true),
    new Field("weights", tensors.data.type, true, tensors.metadata),
  ];
  const columns: Data[] = [names.data[0]!, tensors.data as Data];
  // Tensors have a shape of their own.
  if (!holder.endsWith("tensor") && layers.some(({ shape }) => shape)) {
    const type = new List(new Field("item", new Int64()));
    const shapes = vectorFromArray(
      layers.map(({ shape }) => shape ? shape.map(BigInt) : null),
      type,
    );
    fields.push(new Field("shape", type, true));
    columns.push(shapes.data[0]!);
  }
  if (layers.some(({ importance }) => importance)) {
    const type = new List(new Field("item", new Float32()));
    fields.push(new Field("importance", type));
    columns.push(vectorFromArray(layers.map(({ importance }) => importance ?? []), type).data[0]!);
  }
  const data = makeData({ type: new Struct(fields), length: layers.length, children: columns });
  return new RecordBatch(new Schema(fields), data);
}

/** Values from -16 to 16 in steps of an eighth, which every type of weight holds exactly. */
export function eighths(count: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return ((state >>> 16) % 257 - 128) / 8;
  });
}

/** A row of a quantized table, with its lists as typed arrays. */
export interface QuantizedRow {
  readonly layer_name: string;
  readonly quantized_data: Uint8Array;
  readonly scales: Float32Array;
  readonly zero_points: Int16Array;
  readonly shape: BigInt64Array;
  readonly bit_width: number;
  readonly biases: Float32Array | null;
  readonly scheme: string;
  readonly group_size: number;
  readonly axis: number;
  readonly layout: string;
  readonly rmse: number | null;
  readonly max_abs_error: number | null;
  readonly sqnr_db: number | null;
  readonly cosine: number | null;
}

/** The rows of quantized tables, copied out. */
export function quantizedRows(
  rows: Iterable<{ toJSON(): Record<string, unknown> } | null>,
): QuantizedRow[] {
  return [...rows].map((row) => {
    const plain = Object.entries(row!.toJSON()).map(([name, value]) => {
      const vector = value as { toArray?: () => { slice(): unknown } } | null;
      if (value instanceof Uint8Array) return [name, value.slice()];
      return [name, vector?.toArray ? vector.toArray().slice() : value];
    });
    return Object.fromEntries(plain) as QuantizedRow;
  });
}

/** A layer that nothing is wrong with. */
export const GOOD: Layer = { name: "good", values: [1, 2, 3] };

/** Two layers of the same shape, with a ragged last group. */
export const LAYERS: readonly Layer[] = [
  { name: "attention.weight", values: eighths(6 * 40, 1), shape: [6, 40] },
  { name: "mlp.weight", values: eighths(6 * 40, 2), shape: [6, 40] },
];

/** The same in whole groups, as layout mlx takes only. */
export const WHOLE = LAYERS.map((layer, at) => ({
  ...layer,
  values: eighths(6 * 64, at),
  shape: [6, 64],
}));
