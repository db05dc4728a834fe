/* The traffic of a binding, replayed through bowstring.h by a program whose memory tools can watch: everything that
 * crosses lies in an allocation of its own and is freed the moment that the rules allow it, so that a reader that comes
 * too late, a release that comes twice and one that never comes are all seen by valgrind and AddressSanitizer, and by
 * the counts that each part compares here.
 *
 *     traffic [ROUNDS]
 */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bowstring.h"

#define THREADS 8
#define ROWS 100

static _Thread_local struct bow_error error = {.size = sizeof(struct bow_error)};

#define EXPECT(condition) expect((condition), #condition, __LINE__)
#define CHECK(call) check((call), #call, __LINE__)

static void expect(int condition, const char *text, int line) {
  if (condition) return;
  fprintf(stderr, "traffic.c:%d: expected %s\n", line, text);
  exit(1);
}

/* Ends the program when a call fails. */
static int32_t check(int32_t status, const char *call, int line) {
  if (status < BOW_INVALID_ARGUMENT) return status;
  fprintf(stderr, "traffic.c:%d: %s: status %d: %.*s\n", line, call, status, (int)error.length,
          (const char *)error.message);
  exit(1);
}

/* ---- A producer: structs in allocations of their own, counted --------------------------------------------------- */

static atomic_long structs_alive;

static void *make(size_t bytes) {
  void *made = calloc(1, bytes > 0 ? bytes : 1);
  EXPECT(made != NULL);
  return made;
}

static void release_schema(struct ArrowSchema *schema) {
  EXPECT(schema->release != NULL);
  for (int64_t i = 0; i < schema->n_children; i++) {
    if (schema->children[i]->release != NULL) schema->children[i]->release(schema->children[i]);
    free(schema->children[i]);
  }
  free(schema->children);
  if (schema->dictionary != NULL) {
    if (schema->dictionary->release != NULL) schema->dictionary->release(schema->dictionary);
    free(schema->dictionary);
  }
  free((char *)schema->format);
  free((char *)schema->name);
  memset(schema, 0, sizeof *schema);
  atomic_fetch_sub(&structs_alive, 1);
}

static void release_array(struct ArrowArray *array) {
  EXPECT(array->release != NULL);
  for (int64_t i = 0; i < array->n_children; i++) {
    if (array->children[i]->release != NULL) array->children[i]->release(array->children[i]);
    free(array->children[i]);
  }
  free(array->children);
  if (array->dictionary != NULL) {
    if (array->dictionary->release != NULL) array->dictionary->release(array->dictionary);
    free(array->dictionary);
  }
  for (int64_t i = 0; i < array->n_buffers; i++) free((void *)array->buffers[i]);
  free(array->buffers);
  memset(array, 0, sizeof *array);
  atomic_fetch_sub(&structs_alive, 1);
}

static char *text(const char *source) { return strcpy(make(strlen(source) + 1), source); }

static void make_schema(struct ArrowSchema *schema, const char *format, const char *name, int64_t children) {
  memset(schema, 0, sizeof *schema);
  schema->format = text(format);
  schema->name = text(name);
  schema->flags = ARROW_FLAG_NULLABLE;
  schema->n_children = children;
  schema->children = make(sizeof(void *) * (size_t)children);
  for (int64_t i = 0; i < children; i++) schema->children[i] = make(sizeof *schema);
  schema->release = release_schema;
  atomic_fetch_add(&structs_alive, 1);
}

static void make_array(struct ArrowArray *array, int64_t length, int64_t buffers, int64_t children) {
  memset(array, 0, sizeof *array);
  array->length = length;
  array->n_buffers = buffers;
  array->buffers = make(sizeof(void *) * (size_t)buffers);
  array->n_children = children;
  array->children = make(sizeof(void *) * (size_t)children);
  for (int64_t i = 0; i < children; i++) array->children[i] = make(sizeof *array);
  array->release = release_array;
  atomic_fetch_add(&structs_alive, 1);
}

static void make_numbers(struct ArrowArray *array) {
  make_array(array, ROWS, 2, 0);
  int32_t *numbers = make(sizeof *numbers * ROWS);
  for (int i = 0; i < ROWS; i++) numbers[i] = i;
  array->buffers[1] = numbers;
}

/* As many letters as there are rows, one in each. */
static void make_letters(struct ArrowArray *array) {
  make_array(array, ROWS, 3, 0);
  int32_t *offsets = make(sizeof *offsets * (ROWS + 1));
  char *letters = make(ROWS);
  for (int i = 0; i < ROWS; i++) letters[i] = (char)('a' + i % 26), offsets[i + 1] = i + 1;
  array->buffers[1] = offsets;
  array->buffers[2] = letters;
}

enum { NUMBER, LETTER, KEYED };

static void make_table_schema(struct ArrowSchema *schema) {
  make_schema(schema, "+s", "", 3);
  make_schema(schema->children[NUMBER], "i", "number", 0);
  make_schema(schema->children[LETTER], "u", "letter", 0);
  /* Keys of 64 bits are converted on request. */
  make_schema(schema->children[KEYED], "l", "keyed", 0);
  schema->children[KEYED]->dictionary = make(sizeof *schema);
  make_schema(schema->children[KEYED]->dictionary, "u", "", 0);
}

static void make_table_array(struct ArrowArray *array) {
  make_array(array, ROWS, 1, 3);
  make_numbers(array->children[NUMBER]);
  make_letters(array->children[LETTER]);
  make_array(array->children[KEYED], ROWS, 2, 0);
  int64_t *keys = make(sizeof *keys * ROWS);
  for (int i = 0; i < ROWS; i++) keys[i] = ROWS - 1 - i;
  array->children[KEYED]->buffers[1] = keys;
  array->children[KEYED]->dictionary = make(sizeof *array);
  make_letters(array->children[KEYED]->dictionary);
}

static void make_table(struct bow_table *table) {
  make_table_schema(&table->schema);
  make_table_array(&table->array);
}

static void release_table(struct bow_table *table) { CHECK(bow_table_move(table, 0, 0, &error)); }

/* ---- Import ----------------------------------------------------------------------------------------------------- */

/* The bytes of all blocks added up, where they are or from copies. */
static unsigned long checksum(uint32_t context, uint32_t lease, int by_copy) {
  double words[256];
  uint32_t length;
  CHECK(bow_lease_describe(context, lease, words, 256, &length, &error));
  unsigned long sum = 0;
  for (uint32_t block = 0; block < (uint32_t)words[1]; block++) {
    const uintptr_t address = (uintptr_t)words[3 + 2 * block];
    const uint32_t bytes = (uint32_t)words[4 + 2 * block];
    uint8_t *copy = NULL;
    if (by_copy) {
      copy = make(bytes);
      CHECK(bow_lease_copy(context, lease, block, copy, bytes, &error));
    }
    const uint8_t *source = by_copy ? copy : (const uint8_t *)address;
    for (uint32_t i = 0; i < bytes; i++) sum += source[i];
    free(copy);
  }
  return sum;
}

static uint32_t import_table(uint32_t context, uint32_t flags) {
  struct bow_table table;
  uint32_t lease;
  make_table(&table);
  CHECK(bow_lease_import(context, &table, 1, flags, &lease, &error));
  EXPECT(table.schema.release == NULL && table.array.release == NULL);
  return lease;
}

static void imports(uint32_t context) {
  for (uint32_t level = BOW_VALIDATE_NONE; level <= BOW_VALIDATE_FULL; level++) {
    for (uint32_t flags = level; flags <= (level | BOW_IMPORT_CONVERT); flags += BOW_IMPORT_CONVERT) {
      const uint32_t lease = import_table(context, flags);
      const unsigned long viewed = checksum(context, lease, 0);
      EXPECT(viewed > 0 && viewed == checksum(context, lease, 1));
      /* The original, which outlives the lease, and a reference more than one. */
      struct bow_table original;
      CHECK(bow_lease_export(context, lease, 0, &original, &error));
      CHECK(bow_lease_retain(context, lease, &error));
      CHECK(bow_lease_release(context, lease, &error));
      EXPECT(viewed == checksum(context, lease, 0));
      CHECK(bow_lease_release(context, lease, &error));
      EXPECT(bow_lease_release(context, lease, &error) == BOW_LEASE_RELEASED);
      EXPECT(strcmp(original.schema.children[KEYED]->format, "l") == 0);
      EXPECT(((const int64_t *)original.array.children[KEYED]->buffers[1])[0] == ROWS - 1);
      release_table(&original);
      EXPECT(structs_alive == 0);
    }
  }
}

/* What is refused is released all the same, exactly once. */
static void refusals(uint32_t context) {
  for (int defect = 0; defect < 6; defect++) {
    struct bow_table table;
    uint32_t lease;
    make_table(&table);
    struct ArrowArray *letters = table.array.children[LETTER];
    uint32_t flags = BOW_VALIDATE_FULL;
    switch (defect) {
      case 0: ((int32_t *)letters->buffers[1])[ROWS / 2] = -7; break;
      case 1: letters->length = -1; break;
      case 2: letters->n_buffers = 2, free((void *)letters->buffers[2]); break;
      case 3: letters->release(letters); break;
      case 4: flags |= BOW_IMPORT_STRICT; break;
      case 5: flags |= 64; break;
    }
    EXPECT(bow_lease_import(context, &table, 1, flags, &lease, &error) >= BOW_INVALID_ARGUMENT);
    EXPECT(table.schema.release == NULL && table.array.release == NULL);
    EXPECT(structs_alive == 0);
    make_table(&table);
    EXPECT(bow_lease_adopt(0, (uintptr_t)&table.schema, (uintptr_t)&table.array, 0, &lease, &error) ==
           BOW_STALE_HANDLE);
    EXPECT(structs_alive == 0);
  }
}

/* ---- Export ----------------------------------------------------------------------------------------------------- */

/* What a binding pins: the memory that stays until its token comes. */
#define PINS 4096
static int32_t *pinned[PINS];
static uint32_t pins_made;

static uint32_t register_schema(uint32_t context) {
  static const char json[] =
      "{\"format\": \"+s\", \"children\": ["
      "{\"format\": \"i\", \"name\": \"a\"}, {\"format\": \"i\", \"name\": \"b\"}]}";
  uint32_t schema;
  CHECK(bow_schema_register(context, (const uint8_t *)json, sizeof json - 1, &schema, &error));
  return schema;
}

static double number_of(const void *pointer) { return (double)(uintptr_t)pointer; }

/* A table of two columns over one allocation, which lives until the token comes. With a lease, b is the lease's. */
static void build(uint32_t context, uint32_t schema, uint32_t lease, const int32_t *leased, struct bow_table *out) {
  const uint32_t token = ++pins_made;
  EXPECT(token < PINS);
  int32_t *const numbers = pinned[token] = make(sizeof *numbers * 2 * ROWS);
  for (int i = 0; i < 2 * ROWS; i++) numbers[i] = i % ROWS;
  double words[64];
  int count = 0;
  words[count++] = token;
  words[count++] = 0;
  words[count++] = lease != 0;
  if (lease != 0) words[count++] = lease;
  const double *const end = (const double[]){
      ROWS, 0, 1, 2, 0, BOW_BUFFER_NONE, 0, 0, 0,
      ROWS, 0, 2, 0, 0, BOW_BUFFER_NONE, 0, 0, 0, BOW_BUFFER_BORROW, number_of(numbers), sizeof *numbers * ROWS, 0,
      ROWS, 0, 2, 0, 0, BOW_BUFFER_NONE, 0, 0, 0, BOW_BUFFER_BORROW,
      number_of(lease != 0 ? leased : numbers + ROWS), sizeof *numbers * ROWS, 0,
  };
  memcpy(words + count, end, sizeof *end * 35);
  CHECK(bow_table_build(context, schema, words, (uint32_t)count + 35, out, &error));
}

/* Takes the tokens that there are, and frees what they pinned: from here on nobody may read it. */
static uint32_t drain(uint32_t context) {
  uint32_t tokens[16], count, total = 0;
  while (CHECK(bow_context_released(context, tokens, 16, &count, &error)) == BOW_OK) {
    for (uint32_t i = 0; i < count; i++) {
      EXPECT(pinned[tokens[i]] != NULL);
      free(pinned[tokens[i]]);
      pinned[tokens[i]] = NULL;
    }
    total += count;
  }
  return total;
}

static void drain_all(uint32_t context) {
  for (;;) {
    drain(context);
    uint32_t left = 0;
    for (uint32_t token = 1; token <= pins_made; token++) left += pinned[token] != NULL;
    if (left == 0) break;
    CHECK(bow_context_wait(context, UINT32_MAX, &error));
  }
  pins_made = 0;
}

static long sum(const struct ArrowArray *column) {
  const int32_t *values = column->buffers[1];
  long total = 0;
  for (int64_t i = 0; i < column->length; i++) total += values[i];
  return total;
}

#define SUM ((long)ROWS * (ROWS - 1) / 2)

/* Moves a child out, releases the parent, and reads the child: the order that needs a share for each struct. */
static void *take_apart(void *argument) {
  struct bow_table *tables = argument;
  for (int i = 0; i < 16; i++) {
    struct ArrowArray moved = *tables[i].array.children[1];
    tables[i].array.children[1]->release = NULL;
    EXPECT(sum(tables[i].array.children[0]) == SUM);
    tables[i].array.release(&tables[i].array);
    tables[i].schema.release(&tables[i].schema);
    EXPECT(tables[i].array.release == NULL && tables[i].schema.release == NULL);
    EXPECT(sum(&moved) == SUM);
    moved.release(&moved);
  }
  return NULL;
}

static void exports(uint32_t context, uint32_t schema) {
  struct bow_table *tables[THREADS];
  pthread_t threads[THREADS];
  for (int thread = 0; thread < THREADS; thread++) {
    tables[thread] = make(sizeof **tables * 16);
    for (int i = 0; i < 16; i++) build(context, schema, 0, NULL, &tables[thread][i]);
    EXPECT(pthread_create(&threads[thread], NULL, take_apart, tables[thread]) == 0);
    drain(context);
  }
  drain_all(context);
  for (int thread = 0; thread < THREADS; thread++) pthread_join(threads[thread], NULL), free(tables[thread]);
}

/* What is built over a lease's memory keeps that lease, though everybody else has given it back. */
static void exports_of_leases(uint32_t context, uint32_t schema) {
  const uint32_t lease = import_table(context, BOW_VALIDATE_DEFAULT);
  struct bow_table original, built;
  CHECK(bow_lease_export(context, lease, 0, &original, &error));
  build(context, schema, lease, original.array.children[NUMBER]->buffers[1], &built);
  release_table(&original);
  CHECK(bow_lease_release(context, lease, &error));
  EXPECT(structs_alive > 0);
  EXPECT(sum(built.array.children[1]) == SUM);
  release_table(&built);
  EXPECT(structs_alive == 0);
  drain_all(context);
}

/* ---- Streams ---------------------------------------------------------------------------------------------------- */

struct producer {
  int left;
  int fails;
  /* When not null: get_next waits for it. */
  pthread_mutex_t *gate;
  char *message;
};

static int producer_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
  (void)stream;
  make_table_schema(out);
  return 0;
}

static int producer_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
  struct producer *producer = stream->private_data;
  if (producer->gate != NULL) {
    pthread_mutex_lock(producer->gate);
    pthread_mutex_unlock(producer->gate);
  }
  if (producer->left-- > 0) {
    make_table_array(out);
  } else if (producer->fails) {
    free(producer->message);
    producer->message = text("out of paper");
    return EIO;
  } else {
    memset(out, 0, sizeof *out);
  }
  return 0;
}

static const char *producer_error(struct ArrowArrayStream *stream) {
  return ((struct producer *)stream->private_data)->message;
}

static void producer_release(struct ArrowArrayStream *stream) {
  struct producer *producer = stream->private_data;
  free(producer->message);
  free(producer);
  stream->release = NULL;
  atomic_fetch_sub(&structs_alive, 1);
}

static void make_stream(struct ArrowArrayStream *stream, int batches, int fails, pthread_mutex_t *gate) {
  struct producer *producer = make(sizeof *producer);
  *producer = (struct producer){.left = batches, .fails = fails, .gate = gate};
  *stream = (struct ArrowArrayStream){producer_schema, producer_next, producer_error, producer_release, producer};
  atomic_fetch_add(&structs_alive, 1);
}

static void wait_until_freed(void) {
  while (structs_alive > 0) sched_yield();
}

static void streams_in(uint32_t context) {
  for (int fails = 0; fails <= 1; fails++) {
    struct ArrowArrayStream stream;
    uint32_t job, lease;
    make_stream(&stream, 100, fails, NULL);
    CHECK(bow_stream_import(context, (uintptr_t)&stream, BOW_VALIDATE_FULL | BOW_IMPORT_CONVERT, &job, &error));
    EXPECT(stream.release == NULL);
    int results = 0;
    for (;; results++) {
      CHECK(bow_job_wait(context, job, UINT32_MAX, &error));
      const int32_t status = bow_job_lease(context, job, &lease, &error);
      if (status == BOW_DONE) break;
      if (status >= BOW_INVALID_ARGUMENT) {
        EXPECT(fails && status == BOW_IO && strstr((const char *)error.message, "out of paper") != NULL);
        break;
      }
      EXPECT((checksum(context, lease, results % 2) > 0) == (results > 0));
      CHECK(bow_lease_release(context, lease, &error));
    }
    EXPECT(results == 101);
    CHECK(bow_job_close(context, job, &error));
    wait_until_freed();
  }
}

/* A cancel while get_next blocks is answered at once; what it then gives is released when it returns. */
static void cancelled_stream(uint32_t context) {
  pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
  struct ArrowArrayStream stream;
  uint32_t job, lease;
  pthread_mutex_lock(&gate);
  make_stream(&stream, 3, 0, &gate);
  CHECK(bow_stream_import(context, (uintptr_t)&stream, BOW_VALIDATE_DEFAULT, &job, &error));
  CHECK(bow_job_wait(context, job, UINT32_MAX, &error));
  CHECK(bow_job_cancel(context, job, &error));
  EXPECT(bow_job_lease(context, job, &lease, &error) == BOW_CANCELLED);
  CHECK(bow_job_close(context, job, &error));
  EXPECT(structs_alive > 0);
  pthread_mutex_unlock(&gate);
  wait_until_freed();
  pthread_mutex_destroy(&gate);
}

struct consumer {
  struct ArrowArrayStream stream;
  int most;
  int batches;
  int code;
};

static void *consume(void *argument) {
  struct consumer *consumer = argument;
  struct ArrowSchema schema;
  EXPECT(consumer->stream.get_schema(&consumer->stream, &schema) == 0);
  EXPECT(schema.n_children == 2);
  schema.release(&schema);
  while (consumer->batches < consumer->most) {
    struct ArrowArray array;
    consumer->code = consumer->stream.get_next(&consumer->stream, &array);
    if (consumer->code != 0 || array.release == NULL) break;
    EXPECT(sum(array.children[1]) == SUM);
    array.release(&array);
    consumer->batches++;
  }
  if (consumer->code != 0) EXPECT(strlen(consumer->stream.get_last_error(&consumer->stream)) > 0);
  consumer->stream.release(&consumer->stream);
  EXPECT(consumer->stream.release == NULL);
  return NULL;
}

/* Feeds consumers on other threads: one that reads to the end, one that gives up, one that is told of an error. */
static void streams_out(uint32_t context, uint32_t schema) {
  for (int kind = 0; kind < 3; kind++) {
    struct consumer consumer = {.most = kind == 1 ? 3 : 1000};
    uint32_t handle;
    pthread_t thread;
    CHECK(bow_stream_export(context, schema, 0, (uintptr_t)&consumer.stream, &handle, &error));
    EXPECT(pthread_create(&thread, NULL, consume, &consumer) == 0);
    int pushed = 0;
    for (int wants = 1; wants && pushed < 200;) {
      uint32_t wanted;
      switch (CHECK(bow_stream_demand(context, handle, &wanted, &error))) {
        case BOW_PENDING: CHECK(bow_context_wait(context, UINT32_MAX, &error)); break;
        case BOW_DONE: wants = 0; break;
        default:
          for (; wanted > 0 && pushed < 200; wanted--, pushed++) {
            struct bow_table table;
            build(context, schema, 0, NULL, &table);
            CHECK(bow_stream_push(context, handle, &table, &error));
            EXPECT(table.schema.release == NULL && table.array.release == NULL);
          }
      }
      drain(context);
    }
    const char message[] = "enough";
    if (kind == 2) CHECK(bow_stream_end(context, handle, (const uint8_t *)message, sizeof message - 1, &error));
    else CHECK(bow_stream_end(context, handle, NULL, 0, &error));
    CHECK(bow_stream_close(context, handle, &error));
    pthread_join(thread, NULL);
    EXPECT(consumer.batches == (kind == 1 ? 3 : 200));
    EXPECT(consumer.code == (kind == 2 ? EIO : 0));
    drain_all(context);
  }
}

/* ---- Calls ------------------------------------------------------------------------------------------------------ */

/* What the function does is its options' first byte: 'k' keeps the input and gives nothing, 'r' reads it only, 't'
 * gives it back, 's' gives a stream, 'f' fails. */
static int32_t function(struct bow_value *inputs, uint32_t input_count, struct bow_value *output,
                        const uint8_t *options, uint32_t options_length, struct bow_error *out_error) {
  EXPECT(input_count == 1 && options_length == 1);
  EXPECT(sum(inputs[0].content.table.array.children[0]) == SUM);
  struct bow_table *table = &inputs[0].content.table;
  switch (options[0]) {
    case 'k':
      table->array.release(&table->array);
      table->schema.release(&table->schema);
      break;
    case 't':
      *output = inputs[0];
      table->schema.release = NULL;
      table->array.release = NULL;
      break;
    case 's':
      output->kind = BOW_VALUE_STREAM;
      make_stream(&output->content.stream, 10, 0, NULL);
      break;
    case 'f':
      memcpy(out_error->message, "no", out_error->length = 2);
      return BOW_UNSUPPORTED;
  }
  return BOW_OK;
}

static void calls(uint32_t context, uint32_t schema) {
  static const struct { char what; uint32_t output; int results; int32_t end; } cases[] = {
      {'k', BOW_VALUE_NONE, 0, BOW_DONE},          {'r', BOW_VALUE_NONE, 0, BOW_DONE},
      {'t', BOW_VALUE_TABLE, 1, BOW_DONE},         {'s', BOW_VALUE_STREAM, 11, BOW_DONE},
      {'f', BOW_VALUE_TABLE, 0, BOW_UNSUPPORTED},
      /* An output that nobody expected is released. */
      {'t', BOW_VALUE_NONE, 0, BOW_INVALID_ARGUMENT}, {'s', BOW_VALUE_TABLE, 0, BOW_INVALID_ARGUMENT},
      /* A call that does not start releases its input. */
      {'t', 9, 0, -1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct bow_value *input = make(sizeof *input);
    input->kind = BOW_VALUE_TABLE;
    build(context, schema, 0, NULL, &input->content.table);
    char *options = make(1);
    *options = cases[i].what;
    const struct bow_call call = {
        .size = sizeof call, .input_count = 1, .function = (uintptr_t)function, .inputs = input,
        .options = (const uint8_t *)options, .options_length = 1, .output = cases[i].output,
        .flags = BOW_VALIDATE_FULL,
    };
    uint32_t job, lease;
    const int32_t started = bow_call_start(context, &call, &job, &error);
    EXPECT((started == BOW_OK) == (cases[i].end != -1));
    /* Inputs and options are taken before the call returns. */
    free(input);
    free(options);
    for (int results = 0; started == BOW_OK; results++) {
      CHECK(bow_job_wait(context, job, UINT32_MAX, &error));
      const int32_t status = bow_job_lease(context, job, &lease, &error);
      if (status != BOW_OK) {
        EXPECT(status == cases[i].end && results == cases[i].results);
        CHECK(bow_job_close(context, job, &error));
        break;
      }
      checksum(context, lease, 0);
      CHECK(bow_lease_release(context, lease, &error));
    }
    drain_all(context);
    wait_until_freed();
  }
}

/* ---- The end of a context --------------------------------------------------------------------------------------- */

/* A context that ends while everything is alive: what others hold stays readable until they release it. */
static void close_with_everything_alive(void) {
  uint32_t context, job, stream, lease;
  CHECK(bow_context_open(&context, &error));
  const uint32_t schema = register_schema(context);

  import_table(context, BOW_VALIDATE_FULL);
  lease = import_table(context, BOW_VALIDATE_FULL | BOW_IMPORT_CONVERT);
  CHECK(bow_lease_retain(context, lease, &error));
  struct bow_table exported, built;
  CHECK(bow_lease_export(context, lease, 0, &exported, &error));
  build(context, schema, lease, exported.array.children[NUMBER]->buffers[1], &built);

  pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
  struct ArrowArrayStream blocked;
  pthread_mutex_lock(&gate);
  make_stream(&blocked, 3, 0, &gate);
  CHECK(bow_stream_import(context, (uintptr_t)&blocked, BOW_VALIDATE_DEFAULT, &job, &error));
  /* Results that nobody takes. */
  make_stream(&blocked, 100, 0, NULL);
  CHECK(bow_stream_import(context, (uintptr_t)&blocked, BOW_VALIDATE_DEFAULT, &job, &error));
  CHECK(bow_job_wait(context, job, UINT32_MAX, &error));

  struct consumer consumer = {.most = 1000};
  pthread_t thread;
  CHECK(bow_stream_export(context, schema, 0, (uintptr_t)&consumer.stream, &stream, &error));
  EXPECT(pthread_create(&thread, NULL, consume, &consumer) == 0);
  struct bow_table pushed;
  build(context, schema, 0, NULL, &pushed);
  CHECK(bow_stream_push(context, stream, &pushed, &error));

  CHECK(bow_context_close(context, &error));
  pthread_join(thread, NULL);
  EXPECT(consumer.batches == 1 && consumer.code == ECANCELED);
  EXPECT(bow_lease_retain(context, lease, &error) == BOW_STALE_HANDLE);
  EXPECT(sum(built.array.children[1]) == SUM);
  EXPECT(sum(exported.array.children[NUMBER]) == SUM);
  release_table(&exported);
  release_table(&built);
  pthread_mutex_unlock(&gate);
  /* The retained reference is the last thing that is alive. */
  bow_lease_drop(NULL, (void *)(uintptr_t)((uint64_t)context << 32 | lease));
  wait_until_freed();
  pthread_mutex_destroy(&gate);
  /* Tokens of a context that is gone are nobody's; whoever pinned knows what is released. */
  for (; pins_made > 0; pins_made--) free(pinned[pins_made]), pinned[pins_made] = NULL;
}

/* A thread that ends closes the contexts that it opened. */
static void *end_without_closing(void *argument) {
  (void)argument;
  uint32_t context, job;
  CHECK(bow_context_open(&context, &error));
  import_table(context, BOW_VALIDATE_FULL);
  struct ArrowArrayStream stream;
  make_stream(&stream, 100, 0, NULL);
  CHECK(bow_stream_import(context, (uintptr_t)&stream, BOW_VALIDATE_FULL, &job, &error));
  return NULL;
}

static void ends(void) {
  pthread_t thread;
  close_with_everything_alive();
  EXPECT(pthread_create(&thread, NULL, end_without_closing, NULL) == 0);
  pthread_join(thread, NULL);
  wait_until_freed();
}

int main(int argument_count, char **arguments) {
  const int rounds = argument_count > 1 ? atoi(arguments[1]) : 1;
  uint32_t context;
  CHECK(bow_context_open(&context, &error));
  const uint32_t schema = register_schema(context);
  for (int round = 0; round < rounds; round++) {
    imports(context);
    refusals(context);
    exports(context, schema);
    exports_of_leases(context, schema);
    streams_in(context);
    cancelled_stream(context);
    streams_out(context, schema);
    calls(context, schema);
    ends();
    struct bow_stats stats = {.size = sizeof stats};
    CHECK(bow_context_stats(context, &stats, &error));
    EXPECT(stats.live_leases == 0 && stats.live_jobs == 0 && stats.live_pins == 0 && stats.live_streams == 0);
    EXPECT(stats.bytes_viewed == 0 && structs_alive == 0);
  }
  CHECK(bow_schema_close(context, schema, &error));
  CHECK(bow_context_close(context, &error));
  printf("everything was given back\n");
  return 0;
}
