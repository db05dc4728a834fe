// The C ABI of libbowstring as data: the same functions, structs and constants as in bowstring.h.
// Generated from the sources of the library by `cargo run -p xtask -- generate`; do not edit.

/** The version of the ABI that this table describes. */
export const ABI_VERSION = 1;

/**
 * The library's functions. `buffer` is memory of the caller's, or null, that the call reads or writes;
 * `usize` is a number, also where it is an address.
 */
export const SYMBOLS = {
  bow_abi_version: {
    parameters: [],
    result: "u32",
  },
  bow_memory_address: {
    parameters: ["buffer"],
    result: "f64",
  },
  bow_version: {
    parameters: ["buffer", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_context_open: {
    parameters: ["buffer", "buffer"],
    result: "i32",
  },
  bow_context_close: {
    parameters: ["u32", "buffer"],
    result: "i32",
  },
  bow_context_set_waker: {
    parameters: ["u32", "usize", "buffer"],
    result: "i32",
  },
  bow_context_wait: {
    parameters: ["u32", "u32", "buffer"],
    result: "i32",
  },
  bow_context_released: {
    parameters: ["u32", "buffer", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_context_stats: {
    parameters: ["u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_lease_import: {
    parameters: ["u32", "buffer", "u32", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_lease_adopt: {
    parameters: ["u32", "usize", "usize", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_lease_adopt_described: {
    parameters: ["u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_lease_describe: {
    parameters: ["u32", "u32", "buffer", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_lease_schemas: {
    parameters: ["u32", "u32", "buffer", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_lease_copy: {
    parameters: ["u32", "u32", "u32", "buffer", "u32", "buffer"],
    result: "i32",
  },
  bow_lease_retain: {
    parameters: ["u32", "u32", "buffer"],
    result: "i32",
  },
  bow_lease_retain_many: {
    parameters: ["u32", "u32", "u32", "buffer"],
    result: "i32",
  },
  bow_lease_release: {
    parameters: ["u32", "u32", "buffer"],
    result: "i32",
  },
  bow_lease_drop: {
    parameters: ["usize", "usize"],
    result: "void",
  },
  bow_lease_export: {
    parameters: ["u32", "u32", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_lease_report: {
    parameters: ["u32", "u32", "u32", "f64", "buffer"],
    result: "i32",
  },
  bow_schema_read: {
    parameters: ["usize", "u32", "buffer", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_schema_release: {
    parameters: ["usize", "buffer"],
    result: "i32",
  },
  bow_schema_register: {
    parameters: ["u32", "buffer", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_schema_export: {
    parameters: ["u32", "u32", "u32", "usize", "buffer"],
    result: "i32",
  },
  bow_schema_close: {
    parameters: ["u32", "u32", "buffer"],
    result: "i32",
  },
  bow_table_build: {
    parameters: ["u32", "u32", "buffer", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_table_move: {
    parameters: ["buffer", "usize", "usize", "buffer"],
    result: "i32",
  },
  bow_table_release: {
    parameters: ["buffer", "buffer"],
    result: "i32",
  },
  bow_array_release: {
    parameters: ["usize", "buffer"],
    result: "i32",
  },
  bow_job_next: {
    parameters: ["u32", "u32", "buffer", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_job_lease: {
    parameters: ["u32", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_job_state: {
    parameters: ["u32", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_job_wait: {
    parameters: ["u32", "u32", "u32", "buffer"],
    result: "i32",
  },
  bow_job_cancel: {
    parameters: ["u32", "u32", "buffer"],
    result: "i32",
  },
  bow_job_close: {
    parameters: ["u32", "u32", "buffer"],
    result: "i32",
  },
  bow_stream_import: {
    parameters: ["u32", "usize", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_stream_export: {
    parameters: ["u32", "u32", "u32", "usize", "buffer", "buffer"],
    result: "i32",
  },
  bow_stream_demand: {
    parameters: ["u32", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_stream_push: {
    parameters: ["u32", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_stream_end: {
    parameters: ["u32", "u32", "buffer", "u32", "buffer"],
    result: "i32",
  },
  bow_stream_close: {
    parameters: ["u32", "u32", "buffer"],
    result: "i32",
  },
  bow_stream_release: {
    parameters: ["usize", "buffer"],
    result: "i32",
  },
  bow_library_open: {
    parameters: ["buffer", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_library_symbol: {
    parameters: ["u32", "buffer", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_call_start: {
    parameters: ["u32", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  bow_adbc_open: {
    parameters: ["u32", "buffer", "u32", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  bow_adbc_start: {
    parameters: ["u32", "u32", "buffer", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_adbc_start_with: {
    parameters: ["u32", "u32", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  bow_adbc_close: {
    parameters: ["u32", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_extract_start: {
    parameters: ["u32", "buffer", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_store_open: {
    parameters: ["u32", "buffer", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_store_close: {
    parameters: ["u32", "u32", "buffer"],
    result: "i32",
  },
  bow_store_begin: {
    parameters: ["u32", "u32", "buffer", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_store_write: {
    parameters: ["u32", "u32", "buffer", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_store_commit: {
    parameters: ["u32", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_store_abandon: {
    parameters: ["u32", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_store_query: {
    parameters: ["u32", "u32", "buffer", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_quantize_start: {
    parameters: ["u32", "buffer", "buffer", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_dequantize_start: {
    parameters: ["u32", "buffer", "buffer", "u32", "buffer", "buffer"],
    result: "i32",
  },
  bow_quantize_validate: {
    parameters: ["usize", "buffer", "u32", "buffer"],
    result: "i32",
  },
  bow_quantize_with: {
    parameters: ["buffer", "buffer", "buffer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  bow_weights_quantize: {
    parameters: ["u32", "buffer", "u32", "buffer", "buffer"],
    result: "i32",
  },
} as const;

/** What a function answers; from 16 up an error. */
export const STATUS = {
  OK: 0,
  PENDING: 1,
  DONE: 2,
  INVALID_ARGUMENT: 16,
  STALE_HANDLE: 17,
  LEASE_RELEASED: 18,
  OUT_OF_MEMORY: 19,
  BATCH_TOO_LARGE: 20,
  CANCELLED: 21,
  IO: 22,
  INVALID_ARROW: 23,
  UNSUPPORTED: 24,
  STORE: 25,
  BUSY: 26,
  BUFFER_TOO_SMALL: 27,
  PANIC: 28,
  ADBC: 29,
  LAYER: 30,
} as const;

/** The numbers that arguments and structs are made of. */
export const CONSTANTS = {
  BUFFER_NONE: 0,
  BUFFER_BORROW: 1,
  BUFFER_COPY: 2,
  VALUE_NONE: 0,
  VALUE_TABLE: 1,
  VALUE_STREAM: 2,
  VALIDATE_NONE: 0,
  VALIDATE_MINIMAL: 1,
  VALIDATE_DEFAULT: 2,
  VALIDATE_FULL: 3,
  IMPORT_CONVERT: 4,
  IMPORT_ANY: 8,
  IMPORT_STRICT: 16,
  BUILD_RESTORE: 1,
  CODE_INT8: 0,
  CODE_UINT8: 1,
  CODE_INT4: 2,
  CODE_UINT4: 3,
  CODE_INT2: 4,
  CODE_UINT2: 5,
} as const;

/** The structs on 64-bit targets: size and field offsets in bytes. */
export const STRUCTS = {
  bow_error: {
    size: 512,
    offsets: {
      size: 0,
      code: 4,
      length: 8,
      message: 12,
    },
  },
  bow_stats: {
    size: 88,
    offsets: {
      size: 0,
      reserved: 4,
      live_leases: 8,
      live_jobs: 16,
      live_stores: 24,
      bytes_viewed: 32,
      bytes_copied: 40,
      leaks: 48,
      violations: 56,
      live_pins: 64,
      live_streams: 72,
      live_connections: 80,
    },
  },
  ArrowSchema: {
    size: 72,
    offsets: {
      format: 0,
      name: 8,
      metadata: 16,
      flags: 24,
      n_children: 32,
      children: 40,
      dictionary: 48,
      release: 56,
      private_data: 64,
    },
  },
  ArrowArray: {
    size: 80,
    offsets: {
      length: 0,
      null_count: 8,
      offset: 16,
      n_buffers: 24,
      n_children: 32,
      buffers: 40,
      children: 48,
      dictionary: 56,
      release: 64,
      private_data: 72,
    },
  },
  bow_table: {
    size: 152,
    offsets: {
      schema: 0,
      array: 72,
    },
  },
  bow_adoption: {
    size: 48,
    offsets: {
      size: 0,
      flags: 4,
      schema: 8,
      array: 16,
      words: 24,
      capacity: 32,
      lease: 36,
      word_count: 40,
      reserved: 44,
    },
  },
  bow_job_state: {
    size: 48,
    offsets: {
      size: 0,
      state: 4,
      files_total: 8,
      bytes_total: 16,
      files_done: 24,
      bytes_done: 32,
      results_queued: 40,
    },
  },
  ArrowArrayStream: {
    size: 40,
    offsets: {
      get_schema: 0,
      get_next: 8,
      get_last_error: 16,
      release: 24,
      private_data: 32,
    },
  },
  bow_content: {
    size: 152,
    offsets: {
      table: 0,
      stream: 0,
    },
  },
  bow_value: {
    size: 160,
    offsets: {
      kind: 0,
      reserved: 4,
      content: 8,
    },
  },
  bow_call: {
    size: 48,
    offsets: {
      size: 0,
      input_count: 4,
      function: 8,
      inputs: 16,
      options: 24,
      options_length: 32,
      output: 36,
      flags: 40,
      reserved: 44,
    },
  },
  bow_adbc_request: {
    size: 24,
    offsets: {
      size: 0,
      options_length: 4,
      options: 8,
      input: 16,
    },
  },
  bow_tensor: {
    size: 192,
    offsets: {
      size: 0,
      code_type: 4,
      axis: 8,
      block_size: 16,
      value_count: 24,
      scale_count: 32,
      zero_point_count: 40,
      code_bytes: 48,
      rank: 56,
      reserved: 60,
      shape: 64,
    },
  },
} as const;
