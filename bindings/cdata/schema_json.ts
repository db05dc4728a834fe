/** An ArrowSchema as JSON, the form in which schemas cross between the library and these bindings. */

/** An ArrowSchema as the library writes and reads it. */
export interface SchemaJson {
  /** The format string of the C data interface. */
  readonly format: string;
  /** The field's name. */
  readonly name: string;
  /** Key-value metadata. */
  readonly metadata: readonly (readonly [string, string])[] | null;
  /** The flags of the C data interface. */
  readonly flags: number;
  /** The child fields. */
  readonly children: readonly SchemaJson[];
  /** The type of the dictionary's values, for a dictionary-encoded field. */
  readonly dictionary: SchemaJson | null;
}

/** `ARROW_FLAG_DICTIONARY_ORDERED` */
export const DICTIONARY_ORDERED = 1;
/** `ARROW_FLAG_NULLABLE` */
export const NULLABLE = 2;
/** `ARROW_FLAG_MAP_KEYS_SORTED` */
export const MAP_KEYS_SORTED = 4;
