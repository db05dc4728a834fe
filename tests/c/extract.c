/* Extracts one file and walks the tables, in plain C11: the interface of libbowstring is a C interface.
 *
 *     extract FILE
 *
 * prints the symbols of FILE, one per line as "line kind name", then the rows of each table and whether everything
 * was given back.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bowstring.h"

static struct bow_error error = {.size = sizeof(struct bow_error)};

/* Ends the program when a call failed. */
static int32_t check(const char *call, int32_t status) {
  if (status >= BOW_INVALID_ARGUMENT) {
    fprintf(stderr, "%s: status %" PRId32 ": %s\n", call, status, (const char *)error.message);
    exit(1);
  }
  return status;
}
#define CHECK(call) check(#call, call)

static void require(int condition, const char *what) {
  if (!condition) {
    fprintf(stderr, "extract: %s\n", what);
    exit(1);
  }
}

/* The index of a column, by its name. */
static int64_t column(const struct bow_table *table, const char *name, const char *format) {
  for (int64_t i = 0; i < table->schema.n_children; i++) {
    if (strcmp(table->schema.children[i]->name, name) == 0) {
      require(strcmp(table->schema.children[i]->format, format) == 0, "a column has another type");
      return i;
    }
  }
  require(0, "a column is missing");
  return -1;
}

static void print_text(const struct ArrowArray *array, int64_t row) {
  const int32_t *offsets = array->buffers[1];
  const char *data = array->buffers[2];
  int64_t at = array->offset + row;
  printf("%.*s", (int)(offsets[at + 1] - offsets[at]), data + offsets[at]);
}

static void print_symbols(const struct bow_table *symbols) {
  const struct ArrowArray *name = symbols->array.children[column(symbols, "name", "u")];
  const struct ArrowArray *kind = symbols->array.children[column(symbols, "kind", "u")];
  const struct ArrowArray *line = symbols->array.children[column(symbols, "start_line", "I")];
  for (int64_t row = 0; row < symbols->array.length; row++) {
    const uint32_t *lines = line->buffers[1];
    printf("%" PRIu32 " ", lines[line->offset + row]);
    print_text(kind, row);
    printf(" ");
    print_text(name, row);
    printf("\n");
  }
}

static void release(struct bow_table *table) {
  table->array.release(&table->array);
  table->schema.release(&table->schema);
  require(table->array.release == NULL && table->schema.release == NULL, "release did not mark its struct");
}

/* JSON of the options: the file's directory, and its name. Only characters that JSON takes as they are. */
static uint32_t write_options(char *out, size_t capacity, const char *file) {
  const char *slash = strrchr(file, '/');
  require(file[0] == '/' && slash != NULL, "the file's path must be absolute");
  require(strpbrk(file, "\"\\") == NULL, "the file's path has a quote or a backslash");
  int length = snprintf(out, capacity, "{\"root\": \"%.*s/\", \"paths\": [\"%s\"], \"threads\": 1}",
                        (int)(slash - file), file, slash + 1);
  require(length > 0 && (size_t)length < capacity, "the file's path is too long");
  return (uint32_t)length;
}

int main(int argc, char **argv) {
  static const char *const names[5] = {"symbols", "identifiers", "relationships", "files", "errors"};
  require(argc == 2, "usage: extract FILE");
  require(bow_abi_version() == BOW_ABI_VERSION, "the library has another version");

  char options[8192];
  uint32_t options_length = write_options(options, sizeof options, argv[1]);
  uint32_t context, job;
  CHECK(bow_context_open(&context, &error));
  CHECK(bow_extract_start(context, (const uint8_t *)options, options_length, &job, &error));

  int64_t rows[5] = {0};
  for (;;) {
    struct bow_table tables[5];
    uint32_t count = 0;
    CHECK(bow_job_wait(context, job, UINT32_MAX, &error));
    if (CHECK(bow_job_next(context, job, tables, 5, &count, &error)) == BOW_DONE) {
      break;
    }
    require(count == 5, "a result has not five tables");
    print_symbols(&tables[0]);
    for (uint32_t i = 0; i < count; i++) {
      rows[i] += tables[i].array.length;
      release(&tables[i]);
    }
  }
  for (int i = 0; i < 5; i++) {
    printf("%s: %" PRId64 "\n", names[i], rows[i]);
  }

  CHECK(bow_job_close(context, job, &error));
  require(bow_job_close(context, job, &error) == BOW_STALE_HANDLE, "a closed job is not stale");
  printf("%s\n", (const char *)error.message);

  struct bow_stats stats = {.size = sizeof stats};
  CHECK(bow_context_stats(context, &stats, &error));
  require(stats.live_jobs == 0 && stats.live_leases == 0 && stats.live_stores == 0, "something is still alive");
  require(stats.bytes_viewed == 0 && stats.bytes_copied == 0, "bytes are still held, or were copied");
  CHECK(bow_context_close(context, &error));
  printf("everything was given back\n");
  return 0;
}
