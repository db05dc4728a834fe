/* bowstring.h: exchange Arrow tables with native engines, without copying them.
 *
 * Generated from the sources of the library; do not edit. SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Tables cross this boundary as the structs of the Arrow C Data Interface
 * (https://arrow.apache.org/docs/format/CDataInterface.html). Whoever holds a struct whose release callback is not
 * null owns it and calls release exactly once. A function that takes tables moves them: afterwards release is null
 * in the caller's structs, also when the function failed. A function that gives tables overwrites what the caller's
 * structs held and makes the caller the owner.
 *
 * Everything long-lived is named by a handle, a uint32_t that is never 0. A handle belongs to a context, and names
 * one kind of object there. A handle of something that is gone is recognised and answered with BOW_STALE_HANDLE.
 *
 * Every function but bow_abi_version and bow_lease_drop returns one of enum bow_status: BOW_OK, BOW_PENDING or
 * BOW_DONE, or from 16 up an error. Out parameters are written on BOW_OK only, unless the function says otherwise.
 * The last parameter, error, may be null; otherwise its size is set by the caller, and when the function fails it
 * receives the status and a message. Beside the statuses that a function lists, any function may answer
 * BOW_INVALID_ARGUMENT (a pointer is null or misaligned) and BOW_PANIC (a defect in the library; nothing is unwound
 * into the caller).
 *
 * Addresses of structs that may be anybody's are numbers, uintptr_t: 0 is none, and like a pointer one must be aligned.
 *
 * All functions may be called from any thread, at the same time. None of them calls back into the caller, except for
 * the callbacks of tables and streams that were given away, the functions that bow_call_start is given, and the waker
 * that bow_context_set_waker registers.
 *
 * The library must not be unloaded: release callbacks and native threads need its code.
 */

#ifndef BOWSTRING_H
#define BOWSTRING_H

#include <stdint.h>

/* The Arrow C Data Interface, as the specification has it for inclusion. Another header's copy may come first. */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
  const char *format;
  const char *name;
  const char *metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema **children;
  struct ArrowSchema *dictionary;
  void (*release)(struct ArrowSchema *);
  void *private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void **buffers;
  struct ArrowArray **children;
  struct ArrowArray *dictionary;
  void (*release)(struct ArrowArray *);
  void *private_data;
};

#endif /* ARROW_C_DATA_INTERFACE */

/* The Arrow C Stream Interface, likewise. */
#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
  int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
  const char *(*get_last_error)(struct ArrowArrayStream *);
  void (*release)(struct ArrowArrayStream *);
  void *private_data;
};

#endif /* ARROW_C_STREAM_INTERFACE */

/**
 * In the words of bow_table_build: the buffer is absent, a null pointer in the array.
 */
#define BOW_BUFFER_NONE 0

/**
 * In the words of bow_table_build: the array points to the caller's memory.
 */
#define BOW_BUFFER_BORROW 1

/**
 * In the words of bow_table_build: the array points to a copy, which is made before the call returns.
 */
#define BOW_BUFFER_COPY 2

/**
 * There is nothing in a bow_value.
 */
#define BOW_VALUE_NONE 0

/**
 * A bow_value is a table.
 */
#define BOW_VALUE_TABLE 1

/**
 * A bow_value is a stream.
 */
#define BOW_VALUE_STREAM 2

/**
 * In the flags of an import: nothing is checked that can be read past. For tables of this library's own making.
 */
#define BOW_VALIDATE_NONE 0

/**
 * In the flags of an import: what the structs say is checked, such as lengths, counts, null pointers and names.
 */
#define BOW_VALIDATE_MINIMAL 1

/**
 * In the flags of an import: the first and last offsets are checked too.
 */
#define BOW_VALIDATE_DEFAULT 2

/**
 * In the flags of an import: all offsets, text and null counts are checked too.
 */
#define BOW_VALIDATE_FULL 3

/**
 * In the flags of an import: columns of types that JavaScript's Arrow library cannot hold are converted to ones that it
 * can, and say in their metadata what they were. The bytes count as bytes_copied in the context's stats.
 */
#define BOW_IMPORT_CONVERT 4

/**
 * In the flags of an import: the type may be any, and what comes in is one array of that type. Otherwise it must be a
 * struct, without null rows and with the offset 0: a record batch.
 */
#define BOW_IMPORT_ANY 8

/**
 * In the flags of an import: what BOW_IMPORT_CONVERT would convert is refused with BOW_UNSUPPORTED.
 */
#define BOW_IMPORT_STRICT 16

/**
 * In the flags of a build or an export: give fields that were converted at import their original types, names and
 * metadata.
 */
#define BOW_BUILD_RESTORE 1

/**
 * The version of the ABI that this header describes.
 */
#define BOW_ABI_VERSION 1

/**
 * Codes of 8 bits, -128 to 127.
 */
#define BOW_CODE_INT8 0

/**
 * Codes of 8 bits, 0 to 255.
 */
#define BOW_CODE_UINT8 1

/**
 * Codes of 4 bits, -8 to 7, two to a byte.
 */
#define BOW_CODE_INT4 2

/**
 * Codes of 4 bits, 0 to 15, two to a byte.
 */
#define BOW_CODE_UINT4 3

/**
 * Codes of 2 bits, -2 to 1, four to a byte.
 */
#define BOW_CODE_INT2 4

/**
 * Codes of 2 bits, 0 to 3, four to a byte.
 */
#define BOW_CODE_UINT2 5

/**
 * What a function answers. Anything from 16 up is an error and is described in the caller's bow_error.
 */
enum bow_status {
  /**
   * Done; every out parameter is written.
   */
  BOW_OK = 0,
  /**
   * Nothing to hand out yet; ask again after the context's next event.
   */
  BOW_PENDING = 1,
  /**
   * Nothing will come any more.
   */
  BOW_DONE = 2,
  /**
   * An argument is null, misaligned, out of range or not what the function's options allow.
   */
  BOW_INVALID_ARGUMENT = 16,
  /**
   * The handle was never given out, or what it named has been closed.
   */
  BOW_STALE_HANDLE = 17,
  /**
   * The lease has been released.
   */
  BOW_LEASE_RELEASED = 18,
  /**
   * Memory, a thread or a handle could not be had.
   */
  BOW_OUT_OF_MEMORY = 19,
  /**
   * One batch was asked for and it would exceed its bound; the message names the streaming form.
   */
  BOW_BATCH_TOO_LARGE = 20,
  /**
   * The job was cancelled, or its context or store was closed.
   */
  BOW_CANCELLED = 21,
  /**
   * A file could not be opened, read or written.
   */
  BOW_IO = 22,
  /**
   * An Arrow struct breaks the specification; the message names the column and what was expected.
   */
  BOW_INVALID_ARROW = 23,
  /**
   * The operation or the Arrow type is valid but not supported.
   */
  BOW_UNSUPPORTED = 24,
  /**
   * The store failed; the message says how.
   */
  BOW_STORE = 25,
  /**
   * Something else is using what the call needs; try again later.
   */
  BOW_BUSY = 26,
  /**
   * The caller's buffer is too small; the needed length has been written to the length's out parameter.
   */
  BOW_BUFFER_TOO_SMALL = 27,
  /**
   * A defect in this library: a panic was caught at the boundary. Nothing was unwound into the caller.
   */
  BOW_PANIC = 28,
  /**
   * A database's driver failed. The message begins with a line of the ADBC status' name, the database's own code (0 when
   * it gave none) and the SQLSTATE (- when it gave none), with one space between; the driver's message follows.
   */
  BOW_ADBC = 29,
  /**
   * A layer cannot be quantized. The message begins with a line of JSON, {"row": number, "layer": string, "index": number
   * or null}: the row in the input, the layer's name (its first 256 characters), and which of its values is meant; a sentence
   * follows.
   */
  BOW_LAYER = 30,
};

/**
 * The caller's place for a description of what went wrong. The caller owns it and sets size before the call; a
 * call that succeeds leaves it untouched. Any function accepts null in its place. A caller that has more room behind the
 * struct, and says so in size, is given longer messages.
 */
struct bow_error {
  /**
   * Set by the caller to sizeof(struct bow_error), so that the struct can grow.
   */
  uint32_t size;
  /**
   * The status that the call returned.
   */
  int32_t code;
  /**
   * How many bytes of message were written, not counting the NUL that follows them.
   */
  uint32_t length;
  /**
   * What went wrong, in UTF-8; cut at a character's boundary to fit.
   */
  uint8_t message[500];
};

/**
 * What a context has alive and has done. All numbers are whole.
 */
struct bow_stats {
  /**
   * Set by the caller to sizeof(struct bow_stats), so that the struct can grow.
   */
  uint32_t size;
  /**
   * Not used; written as 0.
   */
  uint32_t reserved;
  /**
   * Leases whose memory has not been freed, including those that only an exported table keeps alive.
   */
  double live_leases;
  /**
   * Jobs that have not been closed.
   */
  double live_jobs;
  /**
   * Stores that have not been closed.
   */
  double live_stores;
  /**
   * Bytes of native memory that live leases hold.
   */
  double bytes_viewed;
  /**
   * Bytes copied so far: blocks by bow_lease_copy, conversions, buffers that bow_table_build copied, offsets of
   * tables that an engine read, and what the binding reported.
   */
  double bytes_copied;
  /**
   * Leases that were lost so far, as the binding reported.
   */
  double leaks;
  /**
   * Breaches of the rules of a lease so far, as the binding reported.
   */
  double violations;
  /**
   * Tables built with a token of which some struct has not been released.
   */
  double live_pins;
  /**
   * Streams given out that have not been closed.
   */
  double live_streams;
  /**
   * Connections to databases that have not been closed.
   */
  double live_connections;
};

/**
 * A record batch as it crosses the boundary: a struct array and its schema. Each struct whose release is not null
 * is owned by whoever holds the table, and is released by them exactly once; a function that takes tables moves
 * them, which sets release to null in the source, also when the function then fails.
 */
struct bow_table {
  /**
   * The columns' names and types; its format is +s.
   */
  struct ArrowSchema schema;
  /**
   * The rows.
   */
  struct ArrowArray array;
};

/**
 * What bow_lease_adopt_described is asked, and what it answers. A caller may use one for all its calls: what it asks stays
 * as it is.
 */
struct bow_adoption {
  /**
   * Set by the caller to sizeof(struct bow_adoption), so that the struct can grow.
   */
  uint32_t size;
  /**
   * How the table is imported: the flags of bow_lease_import.
   */
  uint32_t flags;
  /**
   * The address of the ArrowSchema.
   */
  uintptr_t schema;
  /**
   * The address of the ArrowArray.
   */
  uintptr_t array;
  /**
   * Room for the description.
   */
  double *words;
  /**
   * How many numbers fit there.
   */
  uint32_t capacity;
  /**
   * Written: the handle of the lease.
   */
  uint32_t lease;
  /**
   * Written: how many numbers the description has.
   */
  uint32_t word_count;
  /**
   * Not used.
   */
  uint32_t reserved;
};

/**
 * How far a job is. All numbers but size and state are whole doubles; 0 where a job does not count them.
 */
struct bow_job_state {
  /**
   * Set by the caller to sizeof(struct bow_job_state), so that the struct can grow.
   */
  uint32_t size;
  /**
   * 0 running (or waiting for its turn), 1 finished, 2 failed, 3 cancelled. Results may be queued in states 0 to 2.
   */
  uint32_t state;
  /**
   * Files to process; 0 until they have been counted.
   */
  double files_total;
  /**
   * Their sizes together, in bytes.
   */
  double bytes_total;
  /**
   * Files processed, whatever the outcome.
   */
  double files_done;
  /**
   * Their sizes together, in bytes.
   */
  double bytes_done;
  /**
   * Results that can be taken without waiting.
   */
  double results_queued;
};

/**
 * What a bow_value is.
 */
union bow_content {
  /**
   * A table, if the kind is BOW_VALUE_TABLE.
   */
  struct bow_table table;
  /**
   * A stream, if the kind is BOW_VALUE_STREAM.
   */
  struct ArrowArrayStream stream;
};

/**
 * What goes into a bow_function and comes out of it: a table, a stream or nothing.
 */
struct bow_value {
  /**
   * BOW_VALUE_NONE, BOW_VALUE_TABLE or BOW_VALUE_STREAM.
   */
  uint32_t kind;
  /**
   * Not used; 0.
   */
  uint32_t reserved;
  /**
   * The table or the stream.
   */
  union bow_content content;
};

/**
 * A call of a bow_function.
 */
struct bow_call {
  /**
   * Set by the caller to sizeof(struct bow_call), so that the struct can grow.
   */
  uint32_t size;
  /**
   * How many inputs there are.
   */
  uint32_t input_count;
  /**
   * The address of the bow_function.
   */
  uintptr_t function;
  /**
   * The inputs; may be null when there are none.
   */
  struct bow_value *inputs;
  /**
   * Options for the function, copied before bow_call_start returns; may be null when options_length is 0.
   */
  const uint8_t *options;
  /**
   * How many bytes of options there are.
   */
  uint32_t options_length;
  /**
   * The kind of output that is expected: BOW_VALUE_NONE, BOW_VALUE_TABLE or BOW_VALUE_STREAM.
   */
  uint32_t output;
  /**
   * How the output is imported: the flags of bow_lease_import.
   */
  uint32_t flags;
  /**
   * Not used; 0.
   */
  uint32_t reserved;
};

/**
 * An operation of a connection that reads a stream.
 */
struct bow_adbc_request {
  /**
   * Set by the caller to sizeof(struct bow_adbc_request), so that the struct can grow.
   */
  uint32_t size;
  /**
   * How many bytes of options there are.
   */
  uint32_t options_length;
  /**
   * The operation, as in bow_adbc_start.
   */
  const uint8_t *options;
  /**
   * The address of the ArrowArrayStream.
   */
  uintptr_t input;
};

/**
 * A tensor for bow_quantize_with: its shape, and how long the arrays are that go with it.
 */
struct bow_tensor {
  /**
   * Set by the caller to sizeof(struct bow_tensor), so that the struct can grow.
   */
  uint32_t size;
  /**
   * The type of the codes: one of BOW_CODE_INT8, _UINT8, _INT4, _UINT4, _INT2, _UINT2.
   */
  uint32_t code_type;
  /**
   * The axis that several scales run along, from the end if negative. It is of no matter with one scale.
   */
  int64_t axis;
  /**
   * 0: one scale, or one for each index along the axis. Otherwise one for each run of so many values along it, of which
   * the last may be shorter; the scales then have the values' shape but for the axis.
   */
  uint64_t block_size;
  /**
   * How many values there are: the product of the shape.
   */
  uint64_t value_count;
  /**
   * How many scales there are.
   */
  uint64_t scale_count;
  /**
   * How many zero points there are: as many as scales, or none, which means 0 for all.
   */
  uint64_t zero_point_count;
  /**
   * How many bytes there is room for at codes.
   */
  uint64_t code_bytes;
  /**
   * How many axes there are, at most 16.
   */
  uint32_t rank;
  /**
   * Not used; 0.
   */
  uint32_t reserved;
  /**
   * The size of each axis.
   */
  uint64_t shape[16];
};

/**
 * A function that takes and gives Arrow data, of any library. It answers 0, or from 16 up one of enum bow_status (such
 * as BOW_INVALID_ARGUMENT, BOW_INVALID_ARROW, BOW_UNSUPPORTED or BOW_IO) and then describes the failure in error.
 *
 * It takes over the inputs that it wants to keep, by setting the release of their structs to null; the others it may
 * read until it returns, and the caller releases them then. output is BOW_VALUE_NONE when it is called; on success what
 * it is then is the caller's to release, on failure it is BOW_VALUE_NONE still. options, which may be null when
 * options_length is 0, are bytes of any meaning, readable until it returns.
 *
 * It may run on any thread, several times at once. Nothing may be unwound out of it.
 */
typedef int32_t (*bow_function)(struct bow_value *inputs,
                                uint32_t input_count,
                                struct bow_value *output,
                                const uint8_t *options,
                                uint32_t options_length,
                                struct bow_error *error);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/* ---- What this library is ------------------------------------------------
 */

/**
 * The version of the library's ABI, BOW_ABI_VERSION when it is the one of this header. A binding checks it right after
 * opening the library, before any other call, and gives up when it is not the one that the binding was made for.
 */
uint32_t bow_abi_version(void);

/**
 * The address of memory, as a number: for runtimes that pass memory to a function faster than they tell where it is.
 */
double bow_memory_address(const uint8_t *memory);

/**
 * Writes the library's own version, such as "0.1.0", to out: UTF-8, without a NUL, its length to out_length. When
 * capacity is too small, out_length says what is needed and the answer is BOW_BUFFER_TOO_SMALL.
 */
int32_t bow_version(uint8_t *out,
                    uint32_t capacity,
                    uint32_t *out_length,
                    struct bow_error *error);

/* ---- Contexts ------------------------------------------------------------
 * A library is loaded once per process, while its users may be many: each isolate of a JavaScript engine, each
 * independent part of a program. A context is one user's own: its leases, jobs, stores, schemas and streams are named
 * by handles that mean something in this context only, it is told of its own events, it counts what it holds, and when
 * it is closed all of that ends.
 */

/**
 * Opens a context and writes its handle to out_context. Everything else belongs to a context: leases, jobs, stores
 * and counters. Open one per isolate. It is closed by bow_context_close, or when the thread that opened it exits (a
 * worker that was terminated), as bow_context_close says except that nothing waits for stores.
 *
 * BOW_OUT_OF_MEMORY: all handles are in use.
 */
int32_t bow_context_open(uint32_t *out_context,
                         struct bow_error *error);

/**
 * Closes a context and all that belongs to it. Its handle and those of what belongs to it are stale from then on; waits
 * return BOW_STALE_HANDLE; the waker is not called any more. Jobs are cancelled. Stores are closed, which this waits
 * for. Streams that were given out and have not been ended answer their consumers ECANCELED. Each lease loses the
 * reference that it started with; memory with references taken by bow_lease_retain, and memory behind exported tables,
 * stays valid until bow_lease_drop or the table's release gives them back. Memory that was pinned by bow_table_build
 * stays pinned until the tables are released; their tokens are dropped.
 *
 * BOW_STALE_HANDLE: there is no such context.
 */
int32_t bow_context_close(uint32_t context,
                          struct bow_error *error);

/**
 * Registers waker, the address of a function void (*)(uint32_t context), or with 0 unregisters it. It is called, from
 * any thread, when something happens in the context: a job has a result or has ended, a stream wants batches or has been
 * released, a token has come into the queue of released pins. After a call there is none until bow_context_wait has returned BOW_OK (a timeout of 0 will do), so a burst of events makes
 * one call; ask every job for results then. An event from before the registration makes no call: ask once after
 * registering.
 *
 * The function must return at once and must not call bow_context_set_waker or bow_context_close. When this call
 * returns, a function that was registered before is not running and will not be called again.
 */
int32_t bow_context_set_waker(uint32_t context,
                              uintptr_t waker,
                              struct bow_error *error);

/**
 * Waits until something has happened in the context since the last time this returned BOW_OK: a job has a result or has
 * ended, a stream wants batches or has been released, a token has come into the queue of released pins. Events are not
 * counted: on BOW_OK ask every job and stream. A timeout_ms of 0 does not wait, UINT32_MAX waits without bound.
 *
 * BOW_PENDING: the timeout came first. BOW_STALE_HANDLE: there is no such context, or it was closed meanwhile.
 */
int32_t bow_context_wait(uint32_t context,
                         uint32_t timeout_ms,
                         struct bow_error *error);

/**
 * Takes tokens out of the context's queue of released pins: those of tables made by bow_table_build of which every
 * struct has been released. Writes as many as there are, at most capacity, to out_tokens, and their number to out_count.
 * The memory that was pinned under a token is the caller's again. When the first token comes into an empty queue the
 * context has an event.
 *
 * BOW_OK: out_count tokens were taken, and there may be more when it is capacity. BOW_PENDING: there are none; out_count
 * is 0. BOW_STALE_HANDLE: there is no such context.
 */
int32_t bow_context_released(uint32_t context,
                             uint32_t *out_tokens,
                             uint32_t capacity,
                             uint32_t *out_count,
                             struct bow_error *error);

/**
 * Writes the context's counters to out, as many of them as out->size, set by the caller, has room for.
 *
 * BOW_INVALID_ARGUMENT: out is null or its size is not set. BOW_STALE_HANDLE: there is no such context.
 */
int32_t bow_context_stats(uint32_t context,
                          struct bow_stats *out,
                          struct bow_error *error);

/* ---- Leases --------------------------------------------------------------
 * A lease makes the memory of tables readable for as long as somebody says that they read it. It takes over the tables
 * of one result, whoever made them, and counts references; with the last one the tables are released. A reader that
 * cannot follow pointers cheaply gets all that it needs in two calls: the schemas, once, and a description of where
 * in a few blocks of memory each buffer lies.
 */

/**
 * Takes count tables over and writes the handle of a lease of them to out_lease. Their memory is valid until the
 * lease's references, of which there is one to begin with, have been given back. The tables are moved: the release
 * of every struct in tables is null afterwards, also when the call fails; on failure they have been released.
 *
 * flags says how much of the tables is checked (one of BOW_VALIDATE_NONE, _MINIMAL, _DEFAULT, _FULL) and how they come
 * in (any of BOW_IMPORT_CONVERT, _ANY, _STRICT). A lease of tables that were converted shows the converted ones and
 * keeps the originals, which bow_lease_export gives.
 *
 * BOW_INVALID_ARROW, BOW_UNSUPPORTED: a table breaks the specification, has null rows or an offset, or has a column
 * of a type that is not supported; the message names the column. BOW_INVALID_ARGUMENT: flags cannot be.
 * BOW_OUT_OF_MEMORY: all handles are in use, or there is no memory for a conversion.
 */
int32_t bow_lease_import(uint32_t context,
                         struct bow_table *tables,
                         uint32_t count,
                         uint32_t flags,
                         uint32_t *out_lease,
                         struct bow_error *error);

/**
 * As bow_lease_import for one table, whose two structs are at any addresses: schema is that of an ArrowSchema, array
 * that of an ArrowArray. Both are moved: their release is null afterwards, also when the call fails.
 */
int32_t bow_lease_adopt(uint32_t context,
                        uintptr_t schema,
                        uintptr_t array,
                        uint32_t flags,
                        uint32_t *out_lease,
                        struct bow_error *error);

/**
 * As bow_lease_adopt and then bow_lease_describe, in one call: the import of a small table takes little more than its calls.
 * adoption says where the structs are and how they come in, and has room for the description; its lease and word_count are
 * written. When the description does not fit, the call succeeds, nothing is written to words, and bow_lease_describe gives it;
 * when it does, the lease does not keep it, and bow_lease_describe makes it again. Both structs are moved, also when the
 * call fails, unless adoption is not one.
 *
 * Fails as bow_lease_adopt does. BOW_INVALID_ARGUMENT: adoption is null or too small, or its words are null.
 */
int32_t bow_lease_adopt_described(uint32_t context,
                                  struct bow_adoption *adoption,
                                  struct bow_error *error);

/**
 * Describes a lease's memory as out_length numbers in out, in this order:
 *
 *     number of tables, number of blocks, bytes of all blocks
 *     per block: address, bytes
 *     per table: fingerprint of its schema, then its nodes in pre-order, beginning with the struct array itself;
 *         per node: length, null count (-1 when not known), offset, number of buffers, number of children,
 *                   1 if a dictionary follows after the children, else 0
 *             per buffer: index of its block, its byte offset in the block, bytes
 *
 * A buffer without bytes has the block index -1, also an offsets buffer when length and offset are 0. Buffers that
 * this library allocated together share a block; any other buffer is a block of its own. Bytes are what length and
 * offset need, which may be less than was allocated. Equal schemas have equal fingerprints within a process, below
 * 2^53, and different ones different ones: get a schema once by bow_lease_schemas and keep it under its fingerprint.
 *
 * BOW_BUFFER_TOO_SMALL: capacity, in numbers, is less than out_length. BOW_LEASE_RELEASED, BOW_STALE_HANDLE.
 */
int32_t bow_lease_describe(uint32_t context,
                           uint32_t lease,
                           double *out,
                           uint32_t capacity,
                           uint32_t *out_length,
                           struct bow_error *error);

/**
 * Writes the schemas of a lease's tables to out as JSON in UTF-8, out_length bytes without a NUL: an array with one
 * object per table, {"format": string, "name": string, "metadata": [[key, value], ...] or null, "flags": number,
 * "children": [the same], "dictionary": null or the same}. Format and flags are those of the Arrow C Data Interface.
 *
 * BOW_BUFFER_TOO_SMALL: capacity, in bytes, is less than out_length. BOW_LEASE_RELEASED, BOW_STALE_HANDLE.
 */
int32_t bow_lease_schemas(uint32_t context,
                          uint32_t lease,
                          uint8_t *out,
                          uint32_t capacity,
                          uint32_t *out_length,
                          struct bow_error *error);

/**
 * Copies one block of a lease, by its index in the description, to out: memory of the caller's own, which needs no
 * lease. The bytes count as bytes_copied in the context's stats.
 *
 * BOW_BUFFER_TOO_SMALL: capacity is less than the block's bytes. BOW_INVALID_ARGUMENT: there is no such block.
 * BOW_LEASE_RELEASED, BOW_STALE_HANDLE.
 */
int32_t bow_lease_copy(uint32_t context,
                       uint32_t lease,
                       uint32_t block,
                       uint8_t *out,
                       uint32_t capacity,
                       struct bow_error *error);

/**
 * Takes one more reference to a lease, to be given back by bow_lease_drop or bow_lease_release. Unlike the reference
 * that a lease starts with, it does not end with the context: memory that somebody may still read stays valid.
 *
 * BOW_LEASE_RELEASED, BOW_STALE_HANDLE.
 */
int32_t bow_lease_retain(uint32_t context,
                         uint32_t lease,
                         struct bow_error *error);

/**
 * As bow_lease_retain, count times.
 */
int32_t bow_lease_retain_many(uint32_t context,
                              uint32_t lease,
                              uint32_t count,
                              struct bow_error *error);

/**
 * Gives one reference to a lease back: the one that it started with, or when that is gone a retained one. With the
 * last reference the handle becomes stale and the tables are released, unless exported tables still hold them.
 *
 * BOW_LEASE_RELEASED: all references have been given back already. BOW_STALE_HANDLE.
 */
int32_t bow_lease_release(uint32_t context,
                          uint32_t lease,
                          struct bow_error *error);

/**
 * Gives a reference taken by bow_lease_retain back, in the shape of a deallocator: bytes is ignored, and token is
 * context * 2^32 + lease. May be called from any thread, also after the context was closed. A token that names
 * nothing any more is ignored.
 */
void bow_lease_drop(void *_bytes,
                    void *token);

/**
 * Exports one table of a lease, by its index, to out: the original arrays, not a copy, as they were before they were
 * converted. The caller owns the structs and releases them, on any thread; until then they hold the lease's memory.
 * What out held before is overwritten without being released.
 *
 * BOW_INVALID_ARGUMENT: there is no such table. BOW_LEASE_RELEASED, BOW_STALE_HANDLE.
 */
int32_t bow_lease_export(uint32_t context,
                         uint32_t lease,
                         uint32_t table,
                         struct bow_table *out,
                         struct bow_error *error);

/**
 * Adds what the binding has seen to the context's stats: leases that it lost (leaks), breaches of a lease's rules
 * (violations), and bytes that it copied itself (bytes, a whole number).
 *
 * BOW_STALE_HANDLE.
 */
int32_t bow_lease_report(uint32_t context,
                         uint32_t leaks,
                         uint32_t violations,
                         double bytes,
                         struct bow_error *error);

/* ---- Schemas -------------------------------------------------------------
 * A schema at any address is read as JSON, without moving it. A schema that tables are built with, or that a stream
 * has, is registered first: it is parsed and checked once and then named by a handle.
 */

/**
 * Writes the ArrowSchema at the address schema to out as JSON in UTF-8, out_length bytes without a NUL: one object as
 * bow_lease_schemas has them. The schema is only read, and stays its owner's. flags are those of bow_lease_import; with
 * BOW_IMPORT_CONVERT the schema is written as tables that have it are shown.
 *
 * BOW_BUFFER_TOO_SMALL: capacity, in bytes, is less than out_length. BOW_INVALID_ARROW, BOW_UNSUPPORTED: the schema
 * breaks the specification or has a type that is not supported; the message names the field.
 */
int32_t bow_schema_read(uintptr_t schema,
                        uint32_t flags,
                        uint8_t *out,
                        uint32_t capacity,
                        uint32_t *out_length,
                        struct bow_error *error);

/**
 * Releases the ArrowSchema at the address schema if it has not been released. An address of 0 is ignored.
 */
int32_t bow_schema_release(uintptr_t schema,
                           struct bow_error *error);

/**
 * Registers a schema and writes its handle to out_schema. json is one object as bow_lease_schemas has them, in UTF-8;
 * "name", "metadata", "flags" (2, nullable), "children" and "dictionary" may be left out where they are empty. The
 * type may be any, not only a struct.
 *
 * BOW_INVALID_ARGUMENT: json is not such JSON. BOW_INVALID_ARROW, BOW_UNSUPPORTED: a format or a number of children
 * breaks the specification or is not supported; the message names the field. BOW_STALE_HANDLE, BOW_OUT_OF_MEMORY.
 */
int32_t bow_schema_register(uint32_t context,
                            const uint8_t *json,
                            uint32_t length,
                            uint32_t *out_schema,
                            struct bow_error *error);

/**
 * Exports a registered schema to the address out, where an ArrowSchema fits; what was there is overwritten without
 * being released. The caller owns the struct and releases it, on any thread. flags: BOW_BUILD_RESTORE gives fields that
 * were converted at import their original types, names and metadata; 0 gives the schema as it was registered.
 *
 * BOW_STALE_HANDLE: there is no such context or schema. BOW_INVALID_ARROW: what the metadata says of an original type
 * cannot be.
 */
int32_t bow_schema_export(uint32_t context,
                          uint32_t schema,
                          uint32_t flags,
                          uintptr_t out,
                          struct bow_error *error);

/**
 * Forgets a registered schema. Tables and streams that were made with it keep what they need of it.
 *
 * BOW_STALE_HANDLE.
 */
int32_t bow_schema_close(uint32_t context, uint32_t schema, struct bow_error *error);

/* ---- Tables built from memory of the caller's ----------------------------
 * A caller that has a garbage collector cannot be called when native code is done with its memory: it would have to be
 * called on the one thread that may run it. So memory that a table borrows is pinned under a number of the caller's
 * choice, its token, and once every struct of the table has been released, on whatever threads, the token is in the
 * context's queue of released pins, from which the caller takes it when it likes.
 */

/**
 * Builds a table over the caller's memory, of a registered schema, and writes it to out; the caller owns it. words is
 * count numbers, in this order:
 *
 *     token (a whole number below 2^32; 0: nothing is pinned), flags (BOW_BUILD_RESTORE or 0)
 *     number of leases, their handles
 *     the nodes in pre-order, beginning with the schema's own, dictionaries after the children;
 *         per node: length, null count (-1 when not known), number of buffers, number of children,
 *                   1 if a dictionary follows after the children, else 0
 *             per buffer: mode (BOW_BUFFER_NONE, BOW_BUFFER_BORROW or BOW_BUFFER_COPY), address, bytes, bit offset
 *
 * Arrays have the offset 0. A validity or boolean bitmap whose first bit is not the lowest of its first byte has a bit
 * offset, and is copied shifted, whatever its mode; other buffers have the bit offset 0. Buffers are those of the Arrow
 * C Data Interface, except that a view type has no buffer of sizes: it is made from the bytes of the variadic buffers.
 * bytes may be more than length and type need.
 *
 * Borrowed memory must stay where it is, and must not be written to, until the token comes out of
 * bow_context_released. Leases that are named, in whose memory borrowed buffers may lie, are kept until then too, also
 * if they are released before. Children and dictionaries that a consumer moves out of the table count as parts of it.
 * When the call fails nothing is pinned, and the token does not come.
 *
 * The words are checked as structs from outside are: BOW_INVALID_ARROW when counts, bytes or offsets are not what
 * schema and lengths need, with the place in the message. BOW_INVALID_ARGUMENT: there are too few words or too many, or
 * one is not a number that can be there. BOW_LEASE_RELEASED, BOW_STALE_HANDLE, BOW_OUT_OF_MEMORY.
 */
int32_t bow_table_build(uint32_t context,
                        uint32_t schema,
                        const double *words,
                        uint32_t count,
                        struct bow_table *out,
                        struct bow_error *error);

/**
 * Moves a table's structs to other addresses: its schema to schema, its array to array, where what was is overwritten
 * without being released. With an address of 0 that struct is released instead. The release of both structs in table
 * is null afterwards.
 */
int32_t bow_table_move(struct bow_table *table,
                       uintptr_t schema,
                       uintptr_t array,
                       struct bow_error *error);

/**
 * Releases what has not been released of a table's two structs. A null table is ignored.
 */
int32_t bow_table_release(struct bow_table *table, struct bow_error *error);

/**
 * Releases the ArrowArray at the address array if it has not been released. An address of 0 is ignored.
 */
int32_t bow_array_release(uintptr_t array,
                          struct bow_error *error);

/* ---- Jobs ----------------------------------------------------------------
 * Whatever may take long runs on a thread of the library's own. Starting it gives a job. Its results, groups of tables,
 * wait in a short queue until they are taken; a job whose queue is full waits, so that memory stays bounded. A caller
 * that may block uses bow_job_wait; one that has an event loop registers a waker, or waits for the context's events on
 * a thread that may block, or asks from time to time.
 */

/**
 * Takes a job's next result, a group of tables, without waiting. The tables are moved into tables, which has room for
 * capacity of them, and their number is written to out_count; the caller owns them. What tables held before is
 * overwritten without being released.
 *
 * BOW_PENDING: there is no result yet. BOW_DONE: there will be no more. BOW_BUFFER_TOO_SMALL: the group has
 * out_count tables; it stays queued. BOW_CANCELLED: the job was cancelled. BOW_STALE_HANDLE: there is no such job.
 * A job that failed answers with its own error, after the results that it had queued before.
 */
int32_t bow_job_next(uint32_t context,
                     uint32_t job,
                     struct bow_table *tables,
                     uint32_t capacity,
                     uint32_t *out_count,
                     struct bow_error *error);

/**
 * Takes a job's next result, without waiting, and writes the handle of a lease of its tables to out_lease. That is
 * bow_job_next and bow_lease_import in one, and quicker: results of streams and calls have been checked, converted and
 * described on the job's thread as their flags said, and the library's own results need no checks.
 *
 * BOW_PENDING, BOW_DONE, BOW_CANCELLED, BOW_STALE_HANDLE and a failed job's own error as from bow_job_next.
 * BOW_OUT_OF_MEMORY: all handles are in use; the result has been released.
 */
int32_t bow_job_lease(uint32_t context,
                      uint32_t job,
                      uint32_t *out_lease,
                      struct bow_error *error);

/**
 * Writes where a job stands to out, as much of it as out->size, set by the caller, has room for.
 *
 * BOW_INVALID_ARGUMENT: out is null or its size is not set. BOW_STALE_HANDLE: there is no such job.
 */
int32_t bow_job_state(uint32_t context,
                      uint32_t job,
                      struct bow_job_state *out,
                      struct bow_error *error);

/**
 * Blocks the calling thread until bow_job_next would not answer BOW_PENDING. A timeout_ms of UINT32_MAX waits
 * without bound. Not for a thread that has an event loop; see bow_context_wait and bow_context_set_waker.
 *
 * BOW_PENDING: the timeout came first. BOW_STALE_HANDLE: there is no such job.
 */
int32_t bow_job_wait(uint32_t context,
                     uint32_t job,
                     uint32_t timeout_ms,
                     struct bow_error *error);

/**
 * Cancels a job: its queued results are released, bow_job_next answers BOW_CANCELLED from now on, and the work stops
 * within milliseconds, on its own. Does nothing to a job that has ended and whose results have all been taken. The jobs of
 * quantizations end as their work does instead; see bow_quantize_start and bow_weights_quantize.
 *
 * BOW_STALE_HANDLE: there is no such job.
 */
int32_t bow_job_cancel(uint32_t context,
                       uint32_t job,
                       struct bow_error *error);

/**
 * Cancels a job if it has not ended, and frees its handle. Every job must be closed, whatever became of it.
 *
 * BOW_STALE_HANDLE: there is no such job.
 */
int32_t bow_job_close(uint32_t context,
                      uint32_t job,
                      struct bow_error *error);

/* ---- Streams -------------------------------------------------------------
 * A stream of the Arrow C Stream Interface is pulled: whoever reads it blocks in get_next until there is a batch. A
 * stream that comes in is read by a job, on a thread of its own. A stream that goes out is fed by pushing batches: its
 * reader, on any other thread, blocks in get_next, and the feeder is told by the context's event that one is wanted.
 */

/**
 * Moves the ArrowArrayStream at the address stream (its release is null afterwards, also when the call fails) and
 * starts a job that reads it. The job's first result is a table without rows that has the stream's schema; then there
 * is one result, of one table, for each batch. flags are those of bow_lease_import and hold for every batch, which is
 * checked, converted and described on the job's thread: take results by bow_job_lease to have that.
 *
 * Up to 64 results wait, and no more once they have 64 MiB. When the producer answers with an error the job fails with
 * BOW_IO, and the message has the producer's own, if there is one, and its errno. Batches that are refused make it fail
 * with BOW_INVALID_ARROW or BOW_UNSUPPORTED. A cancelled job ends at once for its caller; the stream is released when a
 * get_next that blocks has returned.
 *
 * BOW_INVALID_ARGUMENT: the stream has been released, or flags cannot be. BOW_STALE_HANDLE, BOW_OUT_OF_MEMORY.
 */
int32_t bow_stream_import(uint32_t context,
                          uintptr_t stream,
                          uint32_t flags,
                          uint32_t *out_job,
                          struct bow_error *error);

/**
 * Makes an ArrowArrayStream at the address out, where what was is overwritten without being released, and writes the
 * handle that it is fed through to out_stream. The consumer owns the struct and may use and release it on any one
 * thread at a time. The stream has a registered schema, with BOW_BUILD_RESTORE in flags as bow_schema_export restores
 * it.
 *
 * get_next blocks until a batch is pushed or the stream is ended. On the thread that opened the context, where nobody
 * could push meanwhile, it does not block but answers EDEADLK. Closing the handle or the context before the end makes
 * it answer ECANCELED. Of all these there is a message.
 *
 * BOW_STALE_HANDLE: there is no such context or schema. BOW_OUT_OF_MEMORY: all handles are in use.
 */
int32_t bow_stream_export(uint32_t context,
                          uint32_t schema,
                          uint32_t flags,
                          uintptr_t out,
                          uint32_t *out_stream,
                          struct bow_error *error);

/**
 * Asks how many batches a stream takes now, and writes that to out_wanted: none until its consumer has asked for the
 * first, then as many as may wait. When they become wanted, and when the consumer releases the stream, the context has
 * an event.
 *
 * BOW_OK: at least one batch is wanted. BOW_PENDING: none now; out_wanted is 0. BOW_DONE: none any more, since the
 * consumer has released the stream or it has been ended; out_wanted is 0. BOW_STALE_HANDLE: there is no such context or
 * stream.
 */
int32_t bow_stream_demand(uint32_t context,
                          uint32_t stream,
                          uint32_t *out_wanted,
                          struct bow_error *error);

/**
 * Pushes a batch into a stream, also when none is wanted. The table is moved, also when the call fails; its types must
 * be those of the stream's schema. Of its schema nothing else is used.
 *
 * BOW_DONE: the consumer has released the stream; the table has been released. BOW_INVALID_ARGUMENT: the types differ,
 * or the stream has been ended. BOW_STALE_HANDLE.
 */
int32_t bow_stream_push(uint32_t context,
                        uint32_t stream,
                        struct bow_table *table,
                        struct bow_error *error);

/**
 * Ends a stream. Its consumer gets the batches that were pushed before, and then the end; or when length is not 0 the
 * error EIO with the message, in UTF-8. A stream that has been ended stays as it is.
 *
 * BOW_STALE_HANDLE.
 */
int32_t bow_stream_end(uint32_t context,
                       uint32_t stream,
                       const uint8_t *message,
                       uint32_t length,
                       struct bow_error *error);

/**
 * Frees a stream's handle. A stream that has not been ended answers its consumer ECANCELED, after what was pushed; one
 * that has been ended keeps what the consumer has not taken yet. The struct stays the consumer's to release.
 *
 * BOW_STALE_HANDLE.
 */
int32_t bow_stream_close(uint32_t context,
                         uint32_t stream,
                         struct bow_error *error);

/**
 * Releases the ArrowArrayStream at the address stream if it has not been released. An address of 0 is ignored.
 */
int32_t bow_stream_release(uintptr_t stream,
                           struct bow_error *error);

/* ---- Functions of other libraries ----------------------------------------
 * Any library can offer functions of the shape bow_function. They are called on a thread of their own, as jobs, so that
 * they may take their time, and may read streams that the caller feeds.
 */

/**
 * Opens the shared library at path, which is UTF-8 and best absolute, and writes its handle to out_library. A library
 * is opened for the process, not for a context, and never closed: what it allocated may be released at any time. The
 * same path gives the same handle.
 *
 * BOW_IO: it cannot be opened; the message is the system's.
 */
int32_t bow_library_open(const uint8_t *path,
                         uint32_t length,
                         uint32_t *out_library,
                         struct bow_error *error);

/**
 * Writes the address of a library's symbol to out. What is at the address is for the caller to know.
 *
 * BOW_INVALID_ARGUMENT: the library has no such symbol. BOW_STALE_HANDLE: there is no such library.
 */
int32_t bow_library_symbol(uint32_t library,
                           const uint8_t *name,
                           uint32_t length,
                           uintptr_t *out,
                           struct bow_error *error);

/**
 * Starts a job that calls a bow_function. The inputs are moved: the release of each of their structs is null
 * afterwards, also when the call fails. A table that the function gives is the job's one result; a stream is read by
 * the job as bow_stream_import does; without output there is no result. When the function fails, the job fails with
 * its status (BOW_IO when that is none) and message. A function that runs cannot be stopped: a cancelled job ends at
 * once for its caller, and what the function gives is released when it returns.
 *
 * BOW_INVALID_ARGUMENT: the size is not set, the function is 0, or a kind or the flags cannot be. BOW_STALE_HANDLE,
 * BOW_OUT_OF_MEMORY.
 */
int32_t bow_call_start(uint32_t context,
                       const struct bow_call *call,
                       uint32_t *out_job,
                       struct bow_error *error);

/* ---- Databases with ADBC drivers -----------------------------------------
 * ADBC is to databases that speak Arrow what ODBC is to others: any database for which there is a driver, a shared
 * library, is used through the same functions. A connection has a thread of its own, on which everything runs that is
 * started on it, in the order of the calls.
 */

/**
 * Makes a connection to a database, writes its handle to out_connection, and starts the job that opens it, which has no
 * result. options is JSON in UTF-8:
 *
 *     driver              string, required: the path of the driver's library
 *     entrypoint          string: the name of its entry point; by default the one that ADBC derives from the library's
 *                         name, or else AdbcDriverInit
 *     options             object: options of the database, by name: strings, booleans or numbers
 *     connectionOptions   object: options of the connection
 *
 * Operations may be started at once; they run when the connection is open, or fail when it could not be opened. The
 * handle must be closed in both cases. The job fails with BOW_IO when the library cannot be opened, with
 * BOW_INVALID_ARGUMENT when it has no such entry point, and with BOW_ADBC when the driver fails. A library is never
 * closed.
 *
 * BOW_INVALID_ARGUMENT: options is not such JSON. BOW_STALE_HANDLE, BOW_OUT_OF_MEMORY.
 */
int32_t bow_adbc_open(uint32_t context,
                      const uint8_t *options,
                      uint32_t options_length,
                      uint32_t *out_connection,
                      uint32_t *out_job,
                      struct bow_error *error);

/**
 * Starts an operation of a connection, as a job. options is JSON in UTF-8, one of
 *
 *     {"operation": "query", "sql": string, "options": object}
 *         runs a query; the results are those of bow_stream_import: a table without rows, then the batches
 *     {"operation": "execute", "sql": string, "options": object}
 *         runs a query without its rows; the result is a table of one row and one Int64 column, rows_affected, which is null
 *         when the driver does not know
 *     {"operation": "begin"}, {"operation": "commit"}, {"operation": "rollback"}
 *         begin and end a transaction; without one, each statement is one; no result
 *     {"operation": "tableSchema", "table": string, "catalog": string, "schema": string}
 *         the result is a table without rows, of the schema of a table
 *     {"operation": "tableTypes"}
 *         the results are those of a query
 *     {"operation": "objects", "depth": string, "catalog": string, "schema": string, "table": string,
 *      "tableTypes": array of strings, "column": string}
 *         what the database holds, as AdbcConnectionGetObjects says; depth is "catalogs", "schemas", "tables" or "columns";
 *         the results are those of a query
 *
 * of which options (of the statement, as in bow_adbc_open), catalog, schema, depth and what objects are filtered by may
 * be left out. Each may have "flags", a number, those of bow_lease_import, which results are imported by.
 *
 * A query's results wait for their reader as those of bow_stream_import do, but only until something else is started on
 * the connection: from then on the query goes on to its end, so that nothing waits for a reader who waits for it. Up to
 * 1 GiB of its results wait then; beyond that its job fails with BOW_BUSY.
 *
 * A cancelled job ends at once for its caller; what it runs is stopped if the driver can, and else goes on to its end.
 * Jobs fail with BOW_ADBC when the driver does, and with BOW_STALE_HANDLE when the connection was not opened.
 *
 * BOW_INVALID_ARGUMENT: options is not such JSON. BOW_STALE_HANDLE, BOW_OUT_OF_MEMORY.
 */
int32_t bow_adbc_start(uint32_t context,
                       uint32_t connection,
                       const uint8_t *options,
                       uint32_t options_length,
                       uint32_t *out_job,
                       struct bow_error *error);

/**
 * Starts an operation that reads a stream. The stream is moved: its release is null afterwards, also when the call
 * fails. It is read on threads of the library's or the driver's. The options are those of bow_adbc_start for "query" and
 * "execute", where the stream has the parameters, one column for each, and the query is run for each row; or
 *
 *     {"operation": "ingest", "table": string, "mode": string, "catalog": string, "schema": string, "temporary": boolean,
 *      "options": object}
 *         puts the stream's rows into a table, which is made from the stream's schema as mode says: "create" (it must not
 *         exist), "append" (it must exist), "replace" or "createAppend"; the result is that of "execute"
 *
 * of which catalog, schema, temporary and options may be left out.
 *
 * When the stream answers with an error the job fails with BOW_IO and the stream's message, whatever the driver made of
 * it: some take it for the stream's end. What the driver had done by then stands, unless it is rolled back.
 *
 * BOW_INVALID_ARGUMENT: the options are not such JSON, or the stream has been released. BOW_STALE_HANDLE,
 * BOW_OUT_OF_MEMORY.
 */
int32_t bow_adbc_start_with(uint32_t context,
                            uint32_t connection,
                            const struct bow_adbc_request *request,
                            uint32_t *out_job,
                            struct bow_error *error);

/**
 * Closes a connection: its handle is stale from now on, what runs on it or waits is cancelled, and the job that is
 * started releases the connection and its database, which may take until a driver has stopped. The job has no result; it
 * fails with BOW_ADBC when the driver does, and the connection is closed all the same. The other jobs' handles are still
 * to be closed.
 *
 * BOW_STALE_HANDLE: there is no such connection.
 */
int32_t bow_adbc_close(uint32_t context,
                       uint32_t connection,
                       uint32_t *out_job,
                       struct bow_error *error);

/* ---- Extraction: source files to tables ----------------------------------
 * Reads files, parses each once and hands out what it found, file by file: the symbols that are defined, every
 * identifier with what it refers to, the relationships between symbols, the files, and what went wrong with which.
 */

/**
 * Starts to extract source files and writes the job's handle to out_job. options is JSON in UTF-8:
 *
 *     root            string, required: absolute path of the directory that reported paths are relative to
 *     paths           array of strings: files to read, absolute or relative to root; by default every file below
 *                     root that git does not ignore and whose language is known
 *     threads         worker threads; 0, the default, means one per core
 *     maxFileBytes    larger files are skipped and reported; default 4194304
 *     maxParseMillis  bound on the parse time of one file; default 5000
 *     chunkRows       bound on the rows of one table of one result; default 65536, or none with single
 *     chunkBytes      bound on the bytes of one column of one result; default 67108864, or with single the most that
 *                     is allowed, 1073741824
 *     single          boolean: everything in one result, or the job fails with BOW_BATCH_TOO_LARGE
 *     content         boolean: fill files.content
 *     codeContext     lines around a definition for symbols.code_context; 0, the default, leaves it null
 *
 * Each result is a group of 5 tables about the same files: symbols, identifiers, relationships, files, errors. There
 * is at least one. Results come in the order of the files, whatever the number of threads. What is wrong with one
 * file is a row of errors; the job as a whole fails with BOW_INVALID_ARGUMENT (the root is not a directory, an
 * option is out of range) or BOW_BATCH_TOO_LARGE.
 *
 * BOW_INVALID_ARGUMENT: options is not such JSON; the message says where. BOW_STALE_HANDLE, BOW_OUT_OF_MEMORY.
 */
int32_t bow_extract_start(uint32_t context,
                          const uint8_t *options,
                          uint32_t options_length,
                          uint32_t *out_job,
                          struct bow_error *error);

/* ---- The store: tables to an index database, and answers from it ---------
 * The database is one SQLite file. What is written belongs to a new generation, which replaces the previous one when
 * it is committed: until then, and if it never is, readers see the previous one whole. The file must not be opened by
 * another copy of SQLite in the same process while a store has it open.
 */

/**
 * Opens an index database and writes the store's handle to out_store. options is JSON in UTF-8:
 *
 *     path   string, required: the file
 *     mode   string, required: "create" to read and write (the file is made when there is none) or "read"
 *
 * The store has a thread of its own. The calls below start jobs that run there one after another, in the order of
 * the calls. A store is used by one writer at a time: begin, any number of writes, then commit or abandon; queries
 * may come at any time and see what was committed last. A job that fails says why when it is asked for its result.
 *
 * BOW_INVALID_ARGUMENT: options is not such JSON. BOW_IO: the file cannot be opened. BOW_STORE: it is not a database
 * of Bowstring's, or of a newer version. BOW_STALE_HANDLE, BOW_OUT_OF_MEMORY.
 */
int32_t bow_store_open(uint32_t context,
                       const uint8_t *options,
                       uint32_t options_length,
                       uint32_t *out_store,
                       struct bow_error *error);

/**
 * Closes a store: its jobs that have not ended are cancelled, a generation that was begun and not committed is
 * abandoned, and the file is closed, which this waits for. The jobs' handles are still to be closed.
 *
 * BOW_STALE_HANDLE: there is no such store.
 */
int32_t bow_store_close(uint32_t context,
                        uint32_t store,
                        struct bow_error *error);

/**
 * Starts a job that begins a new generation of the index of a directory, and that has no result. options is JSON in
 * UTF-8:
 *
 *     root   string, required: the directory's absolute path
 *
 * The job fails with BOW_BUSY when another writer has begun. BOW_STALE_HANDLE, BOW_INVALID_ARGUMENT as ever.
 */
int32_t bow_store_begin(uint32_t context,
                        uint32_t store,
                        const uint8_t *options,
                        uint32_t options_length,
                        uint32_t *out_job,
                        struct bow_error *error);

/**
 * Starts a job that writes one group of tables to the generation that was begun, and that has no result. count is 5:
 * symbols, identifiers, relationships, files, errors, with the columns that extraction gives them. The tables are
 * moved: the release of every struct in tables is null afterwards, also when the call fails; they are released when
 * the job has ended. At most 16 writes of a store wait for their turn, so that batches do not pile up in memory: wait
 * for the job of one before starting more.
 *
 * The tables are checked in full; the job fails with BOW_INVALID_ARROW or BOW_UNSUPPORTED when one breaks the
 * specification, and with BOW_STORE when its columns are not the expected ones or the generation cannot be written.
 * BOW_BUSY: 16 writes wait already. BOW_STALE_HANDLE, BOW_INVALID_ARGUMENT.
 */
int32_t bow_store_write(uint32_t context,
                        uint32_t store,
                        struct bow_table *tables,
                        uint32_t count,
                        uint32_t *out_job,
                        struct bow_error *error);

/**
 * Starts a job that makes the generation that was begun the current one. Its result is a group of one table with one
 * row of Int64 columns: generation, files, symbols, identifiers, relationships, errors.
 *
 * BOW_STALE_HANDLE, BOW_INVALID_ARGUMENT.
 */
int32_t bow_store_commit(uint32_t context,
                         uint32_t store,
                         uint32_t *out_job,
                         struct bow_error *error);

/**
 * Starts a job that drops the generation that was begun, and that has no result. What was committed before stays.
 *
 * BOW_STALE_HANDLE, BOW_INVALID_ARGUMENT.
 */
int32_t bow_store_abandon(uint32_t context,
                          uint32_t store,
                          uint32_t *out_job,
                          struct bow_error *error);

/**
 * Starts a job that asks the committed index a question. Its result is a group of one table. options is JSON in
 * UTF-8, one of
 *
 *     {"query": "defs", "name": string, "kind": string, "locals": boolean, "limit": number}
 *         the definitions of a name, or of a qualified name: rows of symbols
 *     {"query": "refs", "name": string, "limit": number}
 *         the places where a name is used: rows of identifiers and where each leads
 *     {"query": "outline", "file": string, "limit": number}
 *         the symbols of a file in source order, with their depth
 *     {"query": "files", "limit": number}, {"query": "errors", "limit": number}
 *         the rows of files without their content; the rows of errors
 *     {"query": "info"}
 *         one row about the index
 *
 * of which kind, locals and limit (0 for all) may be left out. The table's metadata has "bowstring:total", the number
 * of rows that there would be without the limit.
 *
 * BOW_STALE_HANDLE, BOW_INVALID_ARGUMENT.
 */
int32_t bow_store_query(uint32_t context,
                        uint32_t store,
                        const uint8_t *options,
                        uint32_t options_length,
                        uint32_t *out_job,
                        struct bow_error *error);

/* ---- Quantization --------------------------------------------------------
 * Tables of weights, one named tensor a row, become tables of packed codes with their scales and zero points, and come
 * back. What the columns mean is in docs/quantization.md, and in the metadata of the tables themselves.
 */

/**
 * Starts to quantize a table, or each table of a stream, and writes the job's handle to out_job. input is a bow_value of
 * either kind; its structs are moved: the release of each is null afterwards, also when the call fails. The columns of
 * the input are
 *
 *     layer_name   utf8 or large utf8
 *     weights      list, large list or fixed-size list of float32, of float16, or of bfloat16 (uint16 with the extension
 *                  name "bowstring.bfloat16"); or arrow.fixed_shape_tensor or arrow.variable_shape_tensor of these
 *     shape        list or large list of int64, optional; its product is the number of weights
 *
 * options is JSON in UTF-8, all of it optional:
 *
 *     bitWidth         2, 4 or 8; default 4
 *     granularity      "tensor", "channel", "group"; default "group"
 *     axis             the axis of "channel", from the end if negative; default 0
 *     groupSize        32, 64, 128 or 256 values along the last axis; default 128, and 32 for layout "ggml"
 *     scheme           "asymmetric", "symmetric"; default "asymmetric", and "symmetric" for ggml's 8 bits
 *     layout           "onnx", "ggml", "mlx", "unpacked"; default "onnx"
 *     search           "none", "mse"; default "none"
 *     minCosine        a layer whose cosine similarity is below this is done again with wider codes
 *     importance       name of a list of float32 column whose values weight the search
 *     scaleType        "float32", "float16"; default "float32"
 *     onInvalid        "error", "skip", "clip": null lists, null elements, NaN and infinities; default "error"
 *     continueOnError  boolean: leave out layers that fail, whatever the reason, and report them
 *     overrides        array of objects {"pattern": glob, ...} with any of the options from bitWidth to minCosine and
 *                      scaleType, for layers whose name matches; later ones win, field by field
 *     statistics       boolean: fill rmse, max_abs_error, sqnr_db and cosine; default true
 *     threads          worker threads; 0, the default, means one per core
 *     instructionSet   "portable", "avx2", "avx512"; the best there is by default. All give the same bytes
 *
 * Each result is a group of 2 tables: the quantized layers, in the order of the input, and those that were left out, with
 * the columns row int64 (counted over the whole input), layer_name utf8, index int64 (of the value that is meant, or
 * null) and message utf8. A table makes one result; a stream one without rows and then one for each of its batches. The
 * large columns lie in blocks that the library uses again when they have been released.
 *
 * In the job's state, files are layers, and their sizes numbers of values; those of a stream come to be known batch by
 * batch. The job fails with BOW_LAYER (a layer cannot be quantized), BOW_INVALID_ARGUMENT (an option is out of range or
 * does not go with another; the columns do not fit, and the message lists every mismatch), BOW_BATCH_TOO_LARGE, with
 * BOW_INVALID_ARROW or BOW_UNSUPPORTED when the input is refused, and with BOW_IO when the stream fails.
 *
 * bow_job_cancel only asks it to stop: it ends within milliseconds, when it reads its input no more and has released it, and
 * bow_job_next answers BOW_CANCELLED then, after the results that were queued.
 *
 * BOW_INVALID_ARGUMENT: options is not such JSON, the message names the option; input is null or nothing.
 * BOW_STALE_HANDLE, BOW_OUT_OF_MEMORY.
 */
int32_t bow_quantize_start(uint32_t context,
                           struct bow_value *input,
                           const uint8_t *options,
                           uint32_t options_length,
                           uint32_t *out_job,
                           struct bow_error *error);

/**
 * Starts to take a table of bow_quantize_start's making, or each table of a stream of them, back to weights, and writes
 * the job's handle to out_job. Each result is one table with the columns layer_name utf8, weights list of float32 and shape
 * list of int64; a stream makes one without rows first. Otherwise as bow_quantize_start, with the options threads and
 * instructionSet only.
 */
int32_t bow_dequantize_start(uint32_t context,
                             struct bow_value *input,
                             const uint8_t *options,
                             uint32_t options_length,
                             uint32_t *out_job,
                             struct bow_error *error);

/**
 * Checks that tables of the ArrowSchema at the address schema can be quantized with these options, which are those of
 * bow_quantize_start. The schema is only read, and stays its owner's.
 *
 * BOW_INVALID_ARGUMENT: they cannot; the message lists every column that does not fit, what is expected and what is found
 * (give bow_error room). BOW_INVALID_ARROW, BOW_UNSUPPORTED: the schema breaks the specification or has a type that is
 * not supported.
 */
int32_t bow_quantize_validate(uintptr_t schema,
                              const uint8_t *options,
                              uint32_t options_length,
                              struct bow_error *error);

/**
 * Quantizes a row-major tensor with given scales and zero points, on the calling thread, as ONNX's QuantizeLinear does:
 * saturate(round_half_even(value / scale) + zero_point), the division in float32. The codes are packed into codes, the
 * first in the lowest bits, the last byte filled with zeros.
 *
 * BOW_INVALID_ARGUMENT: sizes do not go together, a scale is 0, infinite or NaN, a zero point is beyond the type, a value
 * is NaN; the message says what was expected where. BOW_BUFFER_TOO_SMALL: the codes need more than code_bytes.
 */
int32_t bow_quantize_with(const struct bow_tensor *tensor,
                          const float *values,
                          const float *scales,
                          const int16_t *zero_points,
                          uint8_t *codes,
                          struct bow_error *error);

/* ---- Files of weights ----------------------------------------------------
 * Quantizes a model in files, layer by layer, into one file.
 */

/**
 * Starts to quantize a model in files and writes the job's handle to out_job. options is JSON in UTF-8: those of
 * bow_quantize_start, and
 *
 *     input    string, required: a .safetensors, .safetensors.index.json, .parquet, .arrow, .arrows, .feather or .ipc file,
 *              or a directory with a model.safetensors or its index
 *     output   string, required: a .safetensors, .parquet, .arrow, .feather or .ipc file. It appears when it is complete, and
 *              only then takes the place of what was there
 *     vectors  boolean: quantize tensors of one axis too, which are copied otherwise
 *
 * The one result is a group of 2 tables: the tensors in the order of the input, with the columns layer_name utf8, dtype
 * utf8, shape list of int64, outcome utf8 ("quantized", "copied", "left out", "failed"), message utf8 (of what failed, or
 * null), bytes_in int64, bytes_out int64, bit_width uint8, rmse float32 and cosine float32 (null for what was not
 * quantized); and a row with bytes_in and bytes_out int64, the sizes of all files.
 *
 * The state counts as bow_quantize_start's does. The job fails as that does, and with BOW_IO when a file cannot be read or
 * written or breaks its format. Input files must not be changed meanwhile.
 *
 * bow_job_cancel only asks it to stop: it ends when it has removed what it had begun to write, and bow_job_next answers
 * BOW_CANCELLED then; or it ends well, where it was asked too late and output is there.
 *
 * BOW_INVALID_ARGUMENT: options is not such JSON, the message names the option. BOW_STALE_HANDLE, BOW_OUT_OF_MEMORY.
 */
int32_t bow_weights_quantize(uint32_t context,
                             const uint8_t *options,
                             uint32_t options_length,
                             uint32_t *out_job,
                             struct bow_error *error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* BOWSTRING_H */
