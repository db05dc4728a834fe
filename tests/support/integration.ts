/**
 * Arrow's integration format: the values of a column as `plainValue` writes what apache-arrow reads.
 *
 * https://arrow.apache.org/docs/format/Integration.html#json-test-data-format
 */

interface JsonType {
  readonly name: string;
  readonly bitWidth?: number;
  readonly precision?: string | number;
  readonly unit?: string;
  readonly listSize?: number;
  readonly mode?: string;
  readonly typeIds?: readonly number[];
}

/** A field of a case. */
export interface JsonField {
  readonly name: string;
  readonly nullable: boolean;
  readonly type: JsonType;
  readonly children?: readonly JsonField[];
  readonly dictionary?: { readonly id: number };
}

/** A column of a case. */
export interface JsonColumn {
  readonly count: number;
  readonly VALIDITY?: readonly number[];
  readonly DATA?: readonly never[];
  readonly OFFSET?: readonly (number | string)[];
  readonly SIZE?: readonly (number | string)[];
  readonly TYPE_ID?: readonly number[];
  readonly VIEWS?: readonly {
    readonly SIZE: number;
    readonly INLINED?: string;
    readonly BUFFER_INDEX?: number;
    readonly OFFSET?: number;
  }[];
  readonly VARIADIC_DATA_BUFFERS?: readonly string[];
  readonly children?: readonly JsonColumn[];
}

/** A case. */
export interface JsonCase {
  readonly schema: { readonly fields: readonly JsonField[] };
  readonly batches: readonly { readonly count: number; readonly columns: readonly JsonColumn[] }[];
  readonly dictionaries?: readonly {
    readonly id: number;
    readonly data: { readonly columns: readonly JsonColumn[] };
  }[];
}

/** Thousands of a millisecond's fractions, by unit. */
const PER_MILLISECOND: Readonly<Record<string, bigint>> = {
  MICROSECOND: 1000n,
  NANOSECOND: 1_000_000n,
};

/** What apache-arrow gives for a timestamp: milliseconds. */
function milliseconds(value: bigint, unit: string): number {
  if (unit === "SECOND") return 1000 * Number(value);
  const divisor = PER_MILLISECOND[unit];
  if (divisor === undefined) return Number(value);
  return Number(value / divisor) + Number(value % divisor) / Number(divisor);
}

/** The bytes of an integer in 32 bytes, little-endian. */
function wide(value: bigint): string {
  const digits = BigInt.asUintN(256, value).toString(16).padStart(64, "0");
  return digits.match(/../g)!.reverse().join("").toUpperCase();
}

/** Reads columns of one case. */
export class Decoder {
  readonly #case: JsonCase;
  /** Whether decimals of 256 bits are expected as bytes. */
  readonly #wide: boolean;

  constructor(json: JsonCase, wideDecimals: boolean) {
    this.#case = json;
    this.#wide = wideDecimals;
  }

  /** All values of a column. */
  values(field: JsonField, column: JsonColumn): unknown[] {
    return Array.from({ length: column.count }, (_, row) => this.#value(field, column, row));
  }

  #value(field: JsonField, column: JsonColumn, row: number): unknown {
    const { type, dictionary, children: fields = [] } = field;
    if (column.VALIDITY !== undefined && column.VALIDITY[row] === 0 && type.name !== "union") {
      return null;
    }
    const datum: unknown = column.DATA?.[row];
    if (dictionary !== undefined) {
      const { data } = this.#case.dictionaries!.find(({ id }) => id === dictionary.id)!;
      const { dictionary: _, ...values } = field;
      return this.#value(values, data.columns[0]!, Number(datum));
    }
    const item = (index: number, at: number) =>
      this.#value(fields[index]!, column.children![index]!, at);
    const range = (first: number, count: number) =>
      Array.from({ length: count }, (_, index) => item(0, first + index));
    const offset = (at: number) => Number(column.OFFSET![at]);
    switch (type.name) {
      case "null":
        return null;
      case "bool":
        return Boolean(datum);
      case "int":
        return type.bitWidth === 64 ? `${BigInt(datum as string)}` : datum;
      case "floatingpoint":
        return type.precision === "SINGLE" ? Math.fround(datum as number) : datum;
      case "decimal": {
        const value = BigInt(datum as string);
        return this.#wide && type.bitWidth === 256 ? wide(value) : `${value}`;
      }
      case "utf8":
      case "largeutf8":
      case "binary":
      case "largebinary":
      case "fixedsizebinary":
        return datum;
      case "utf8view":
      case "binaryview": {
        const view = column.VIEWS![row]!;
        if (view.INLINED !== undefined) return view.INLINED;
        const digits = column.VARIADIC_DATA_BUFFERS![view.BUFFER_INDEX!]!;
        const text = digits.slice(2 * view.OFFSET!, 2 * (view.OFFSET! + view.SIZE));
        if (type.name === "binaryview") return text;
        const bytes = text.match(/../g)!.map((digit) => parseInt(digit, 16));
        return new TextDecoder().decode(Uint8Array.from(bytes));
      }
      case "date":
        return type.unit === "DAY" ? 86_400_000 * (datum as number) : Number(datum);
      case "time":
        return type.bitWidth === 64 ? `${BigInt(datum as string)}` : datum;
      case "timestamp":
        return milliseconds(BigInt(datum as string), type.unit!);
      case "duration":
        return `${BigInt(datum as string)}`;
      case "interval":
        return interval(type.unit!, datum);
      case "list":
      case "largelist":
        return range(offset(row), offset(row + 1) - offset(row));
      case "listview":
      case "largelistview":
        return range(offset(row), Number(column.SIZE![row]));
      case "fixedsizelist":
        return range(row * type.listSize!, type.listSize!);
      case "map":
        return range(offset(row), offset(row + 1) - offset(row)).map((entry) =>
          (entry as [string, unknown][]).map(([, value]) => value)
        );
      case "struct":
        return fields.map(({ name }, index) => [name, item(index, row)]);
      case "union": {
        const child = type.typeIds!.indexOf(column.TYPE_ID![row]!);
        return item(child, type.mode === "DENSE" ? offset(row) : row);
      }
      case "runendencoded": {
        const ends = column.children![0]!.DATA! as unknown as readonly (number | string)[];
        return item(1, ends.findIndex((end) => Number(end) > row));
      }
      default:
        throw new TypeError(`an unknown type: ${type.name}`);
    }
  }
}

function interval(unit: string, datum: unknown): number[] {
  switch (unit) {
    case "YEAR_MONTH": {
      const months = datum as number;
      return [Math.trunc(months / 12), months % 12].map((part) => part + 0);
    }
    case "DAY_TIME": {
      const { days, milliseconds } = datum as { days: number; milliseconds: number };
      return [days, milliseconds];
    }
    default: {
      const { months, days, nanoseconds } = datum as Record<string, number>;
      const words = new Int32Array(BigInt64Array.of(BigInt(nanoseconds!)).buffer);
      return [months!, days!, ...words];
    }
  }
}
