/* Data in and out through bowstring.h: a table over this program's memory is built and taken over again, a stream is
 * fed here and pulled on another thread, a stream is read by a job, a function is called. Prints what it finds. */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bowstring.h"

static struct bow_error error = {.size = sizeof(struct bow_error)};

/* Ends the program when a call fails. */
#define CHECK(call) check((call), #call)

static int32_t check(int32_t status, const char *call) {
  if (status < BOW_INVALID_ARGUMENT) return status;
  fprintf(stderr, "%s: status %d: %.*s\n", call, status, (int)error.length, (const char *)error.message);
  exit(1);
}

/* Three rows: numbers, of which the second is null, and text. */
static const int32_t numbers[] = {1, 2, 3};
static const uint8_t validity[] = {5};
static const int32_t offsets[] = {0, 1, 1, 4};
static const uint8_t text[] = {'a', 'b', 'c', 'd'};

static const char schema_json[] =
    "{\"format\": \"+s\", \"children\": ["
    "{\"format\": \"i\", \"name\": \"number\"}, {\"format\": \"u\", \"name\": \"text\"}]}";

static uint32_t register_schema(uint32_t context) {
  uint32_t schema;
  CHECK(bow_schema_register(context, (const uint8_t *)schema_json, sizeof schema_json - 1, &schema, &error));
  return schema;
}

static double address(const void *pointer) { return (double)(uintptr_t)pointer; }

static int32_t build(uint32_t context, uint32_t schema, uint32_t token, struct bow_table *out) {
  const double words[] = {
      token, 0, 0,                                                          /* no flags, no leases */
      3, 0, 1, 2, 0, BOW_BUFFER_NONE, 0, 0, 0,                              /* the rows */
      3, 1, 2, 0, 0, BOW_BUFFER_BORROW, address(validity), 1, 0,            /* number */
      BOW_BUFFER_BORROW, address(numbers), sizeof numbers, 0,
      3, 0, 3, 0, 0, BOW_BUFFER_NONE, 0, 0, 0,                              /* text */
      BOW_BUFFER_BORROW, address(offsets), sizeof offsets, 0,
      BOW_BUFFER_COPY, address(text), sizeof text, 0,
  };
  return bow_table_build(context, schema, words, sizeof words / sizeof *words, out, &error);
}

static void print_released(uint32_t context) {
  uint32_t tokens[8], count;
  const int32_t status = CHECK(bow_context_released(context, tokens, 8, &count, &error));
  printf("released:");
  for (uint32_t i = 0; i < count; i++) printf(" %u", tokens[i]);
  printf(status == BOW_PENDING ? " none\n" : "\n");
}

static void build_and_adopt(uint32_t context, uint32_t schema) {
  struct bow_table table;
  CHECK(build(context, schema, 1, &table));

  struct ArrowSchema moved_schema;
  struct ArrowArray moved_array;
  CHECK(bow_table_move(&table, (uintptr_t)&moved_schema, (uintptr_t)&moved_array, &error));
  uint8_t json[512];
  uint32_t length;
  CHECK(bow_schema_read((uintptr_t)&moved_schema, BOW_VALIDATE_FULL, json, sizeof json, &length, &error));
  printf("schema: %u columns\n", (unsigned)moved_schema.n_children);

  uint32_t lease;
  CHECK(bow_lease_adopt(context, (uintptr_t)&moved_schema, (uintptr_t)&moved_array, BOW_VALIDATE_FULL, &lease,
                        &error));
  printf("moved: %s\n", moved_schema.release == NULL && moved_array.release == NULL ? "yes" : "no");
  double words[64];
  CHECK(bow_lease_describe(context, lease, words, 64, &length, &error));
  int borrowed = 0;
  for (uint32_t block = 0; block < (uint32_t)words[1]; block++)
    borrowed += words[3 + 2 * block] == address(numbers) || words[3 + 2 * block] == address(offsets);
  printf("borrowed: %d\n", borrowed);
  print_released(context);
  CHECK(bow_lease_release(context, lease, &error));
  print_released(context);
}

/* Pulls a stream to its end and releases it. */
static void *consume(void *argument) {
  struct ArrowArrayStream *stream = argument;
  struct ArrowArray array;
  long long *sum = calloc(1, sizeof *sum);
  while (stream->get_next(stream, &array) == 0 && array.release != NULL) {
    const int32_t *values = array.children[0]->buffers[1];
    for (int64_t i = 0; i < array.length; i++) *sum += values[i];
    array.release(&array);
  }
  stream->release(stream);
  return sum;
}

static void feed(uint32_t context, uint32_t schema, uint32_t stream, uint32_t batches) {
  for (uint32_t pushed = 0; pushed < batches;) {
    uint32_t wanted;
    if (CHECK(bow_stream_demand(context, stream, &wanted, &error)) == BOW_PENDING) {
      CHECK(bow_context_wait(context, UINT32_MAX, &error));
      continue;
    }
    for (; wanted > 0 && pushed < batches; wanted--, pushed++) {
      struct bow_table table;
      CHECK(build(context, schema, 100 + pushed, &table));
      CHECK(bow_stream_push(context, stream, &table, &error));
    }
  }
  CHECK(bow_stream_end(context, stream, NULL, 0, &error));
  CHECK(bow_stream_close(context, stream, &error));
}

/* Takes every token there is and will be. */
static void drain(uint32_t context, uint32_t expected) {
  uint32_t tokens[64], count, total = 0;
  while (total < expected) {
    if (CHECK(bow_context_released(context, tokens, 64, &count, &error)) == BOW_PENDING)
      CHECK(bow_context_wait(context, UINT32_MAX, &error));
    total += count;
  }
  printf("tokens: %u\n", total);
}

static void stream_out(uint32_t context, uint32_t schema) {
  struct ArrowArrayStream stream;
  uint32_t handle;
  CHECK(bow_stream_export(context, schema, 0, (uintptr_t)&stream, &handle, &error));
  struct ArrowArray array;
  const int code = stream.get_next(&stream, &array);
  printf("on this thread: %s, %.15s\n", code == EDEADLK ? "EDEADLK" : "another code", stream.get_last_error(&stream));

  pthread_t thread;
  void *sum;
  pthread_create(&thread, NULL, consume, &stream);
  feed(context, schema, handle, 1000);
  pthread_join(thread, &sum);
  printf("sum: %lld\n", *(long long *)sum);
  free(sum);
  drain(context, 1000);
}

static void stream_in(uint32_t context, uint32_t schema) {
  struct ArrowArrayStream stream;
  uint32_t handle, job, lease, results = 0;
  CHECK(bow_stream_export(context, schema, 0, (uintptr_t)&stream, &handle, &error));
  CHECK(bow_stream_import(context, (uintptr_t)&stream, BOW_VALIDATE_FULL, &job, &error));
  printf("stream moved: %s\n", stream.release == NULL ? "yes" : "no");
  feed(context, schema, handle, 20);
  for (;;) {
    CHECK(bow_job_wait(context, job, UINT32_MAX, &error));
    if (CHECK(bow_job_lease(context, job, &lease, &error)) == BOW_DONE) break;
    CHECK(bow_lease_release(context, lease, &error));
    results++;
  }
  CHECK(bow_job_close(context, job, &error));
  printf("results: %u\n", results);
  drain(context, 20);
}

/* Gives its input back, or fails when there are options. */
static int32_t identity(struct bow_value *inputs, uint32_t input_count, struct bow_value *output,
                        const uint8_t *options, uint32_t options_length, struct bow_error *out_error) {
  if (input_count != 1 || options_length > 0) {
    out_error->code = BOW_UNSUPPORTED;
    out_error->length = options_length;
    memcpy(out_error->message, options, options_length);
    return BOW_UNSUPPORTED;
  }
  *output = inputs[0];
  inputs[0].content.table.schema.release = NULL;
  inputs[0].content.table.array.release = NULL;
  return BOW_OK;
}

static void call(uint32_t context, uint32_t schema, const char *options) {
  struct bow_value input = {.kind = BOW_VALUE_TABLE};
  CHECK(build(context, schema, 7, &input.content.table));
  const struct bow_call call = {
      .size = sizeof call,
      .input_count = 1,
      .function = (uintptr_t)identity,
      .inputs = &input,
      .options = (const uint8_t *)options,
      .options_length = (uint32_t)strlen(options),
      .output = BOW_VALUE_TABLE,
      .flags = BOW_VALIDATE_DEFAULT,
  };
  uint32_t job, count;
  CHECK(bow_call_start(context, &call, &job, &error));
  CHECK(bow_job_wait(context, job, UINT32_MAX, &error));
  struct bow_table table;
  const int32_t status = bow_job_next(context, job, &table, 1, &count, &error);
  if (status == BOW_OK) {
    printf("called: %lld rows\n", (long long)table.array.length);
    CHECK(bow_table_move(&table, 0, 0, &error));
  } else {
    printf("status %d: %.*s\n", status, (int)error.length, (const char *)error.message);
  }
  CHECK(bow_job_close(context, job, &error));
  print_released(context);
}

int main(void) {
  uint32_t context;
  CHECK(bow_context_open(&context, &error));
  const uint32_t schema = register_schema(context);
  build_and_adopt(context, schema);
  stream_out(context, schema);
  stream_in(context, schema);
  call(context, schema, "");
  call(context, schema, "no such thing");

  struct bow_stats stats = {.size = sizeof stats};
  CHECK(bow_context_stats(context, &stats, &error));
  const double live = stats.live_leases + stats.live_jobs + stats.live_pins + stats.live_streams;
  printf("%s\n", live == 0 ? "everything was given back" : "something is still alive");
  CHECK(bow_schema_close(context, schema, &error));
  CHECK(bow_context_close(context, &error));
  return 0;
}
