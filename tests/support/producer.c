/*
 * A foreign producer of Arrow data for the tests: it knows the C data interface and nothing of Bowstring.
 *
 * A table is described by a run of bytes, little-endian, that the tests write:
 *
 *     node   = text format, text name, text metadata, i64 flags, i64 length, i64 null_count, i64 offset,
 *              u32 n_buffers, n_buffers x { u32 place, u32 byte_length, bytes }, u32 n_children, n_children x node,
 *              u32 has_dictionary, the dictionary's node
 *     text   = u32 byte_length, bytes; the length 0xffffffff is a null pointer
 *     place  = 0 for a null pointer, else 1 + the bytes by which the buffer misses an alignment of 64
 *
 * Every buffer is an allocation of its own, and overwritten before it is freed, so that a read after the release gives
 * wrong values; so are the messages of streams.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cdata.h"

struct table {
  struct ArrowSchema schema;
  struct ArrowArray array;
};

static int64_t live_buffers;
static int64_t live_schemas;
static int64_t live_arrays;
static int64_t live_streams;

static uint32_t read_u32(const uint8_t **at) {
  uint32_t value;
  memcpy(&value, *at, 4);
  *at += 4;
  return value;
}

static int64_t read_i64(const uint8_t **at) {
  int64_t value;
  memcpy(&value, *at, 8);
  *at += 8;
  return value;
}

static char *read_text(const uint8_t **at) {
  uint32_t length = read_u32(at);
  if (length == UINT32_MAX) return NULL;
  char *text = malloc((size_t)length + 1);
  memcpy(text, *at, length);
  text[length] = 0;
  *at += length;
  return text;
}

static void release_schema(struct ArrowSchema *schema) {
  for (int64_t i = 0; i < schema->n_children; i++) {
    if (schema->children[i]->release) schema->children[i]->release(schema->children[i]);
    free(schema->children[i]);
  }
  free(schema->children);
  if (schema->dictionary) {
    if (schema->dictionary->release) schema->dictionary->release(schema->dictionary);
    free(schema->dictionary);
  }
  free((void *)schema->format);
  free((void *)schema->name);
  free((void *)schema->metadata);
  schema->release = NULL;
  __atomic_sub_fetch(&live_schemas, 1, __ATOMIC_SEQ_CST);
}

/* Where a buffer was allocated, and its size, so that it can be overwritten. */
struct allocation {
  void *start;
  size_t size;
};

static void release_array(struct ArrowArray *array) {
  struct allocation *allocations = array->private_data;
  for (int64_t i = 0; i < array->n_children; i++) {
    if (array->children[i]->release) array->children[i]->release(array->children[i]);
    free(array->children[i]);
  }
  free(array->children);
  if (array->dictionary) {
    if (array->dictionary->release) array->dictionary->release(array->dictionary);
    free(array->dictionary);
  }
  for (int64_t i = 0; i < array->n_buffers; i++) {
    if (!array->buffers[i]) continue;
    memset(allocations[i].start, 0xdb, allocations[i].size);
    free(allocations[i].start);
    __atomic_sub_fetch(&live_buffers, 1, __ATOMIC_SEQ_CST);
  }
  free(array->buffers);
  free(allocations);
  array->release = NULL;
  __atomic_sub_fetch(&live_arrays, 1, __ATOMIC_SEQ_CST);
}

static void read_node(const uint8_t **at, struct ArrowSchema *schema, struct ArrowArray *array) {
  memset(schema, 0, sizeof *schema);
  memset(array, 0, sizeof *array);
  schema->format = read_text(at);
  schema->name = read_text(at);
  schema->metadata = read_text(at);
  schema->flags = read_i64(at);
  array->length = read_i64(at);
  array->null_count = read_i64(at);
  array->offset = read_i64(at);
  array->n_buffers = read_u32(at);
  array->buffers = calloc((size_t)array->n_buffers + 1, sizeof(void *));
  struct allocation *allocations = calloc((size_t)array->n_buffers + 1, sizeof *allocations);
  array->private_data = allocations;
  for (int64_t i = 0; i < array->n_buffers; i++) {
    uint32_t place = read_u32(at);
    uint32_t length = read_u32(at);
    if (place) {
      size_t size = ((size_t)length + place + 126) / 64 * 64;
      uint8_t *buffer = aligned_alloc(64, size);
      memset(buffer, 0xcd, size);
      memcpy(buffer + place - 1, *at, length);
      array->buffers[i] = buffer + place - 1;
      allocations[i] = (struct allocation){buffer, size};
      __atomic_add_fetch(&live_buffers, 1, __ATOMIC_SEQ_CST);
    }
    *at += length;
  }
  uint32_t n_children = read_u32(at);
  schema->n_children = array->n_children = n_children;
  schema->children = calloc(n_children + 1, sizeof *schema->children);
  array->children = calloc(n_children + 1, sizeof *array->children);
  for (uint32_t i = 0; i < n_children; i++) {
    schema->children[i] = malloc(sizeof(struct ArrowSchema));
    array->children[i] = malloc(sizeof(struct ArrowArray));
    read_node(at, schema->children[i], array->children[i]);
  }
  if (read_u32(at)) {
    schema->dictionary = malloc(sizeof(struct ArrowSchema));
    array->dictionary = malloc(sizeof(struct ArrowArray));
    read_node(at, schema->dictionary, array->dictionary);
  }
  schema->release = release_schema;
  array->release = release_array;
  __atomic_add_fetch(&live_schemas, 1, __ATOMIC_SEQ_CST);
  __atomic_add_fetch(&live_arrays, 1, __ATOMIC_SEQ_CST);
}

/* Makes the table that `description` describes. */
void producer_make(const uint8_t *description, struct table *out) {
  read_node(&description, &out->schema, &out->array);
}

/* Takes child `index` out of an array, as a consumer may: the parent has a released struct in its place. */
void producer_move_child(struct ArrowArray *array, uint32_t index, struct ArrowArray *out) {
  *out = *array->children[index];
  array->children[index]->release = NULL;
}

/* Releases an array as its consumer, unless that was done. */
void producer_release(struct ArrowArray *array) {
  if (array->release) array->release(array);
}

/* How a stream ends. */
enum ending { END, MESSAGE, NO_MESSAGE, NOT_UTF8, NO_SCHEMA };

struct stream {
  uint8_t *description;
  uint32_t batches;
  enum ending ending;
  char *message;
};

static int fail(struct stream *stream) {
  static const char *const messages[] = {NULL, "the disk is on fire", NULL, "caf\xe9 is \xff closed", "no columns"};
  const char *message = messages[stream->ending];
  stream->message = message ? strdup(message) : NULL;
  return EIO;
}

static int stream_schema(struct ArrowArrayStream *self, struct ArrowSchema *out) {
  struct stream *stream = self->private_data;
  if (stream->ending == NO_SCHEMA) return fail(stream);
  struct ArrowArray array;
  const uint8_t *at = stream->description;
  read_node(&at, out, &array);
  array.release(&array);
  return 0;
}

static int stream_next(struct ArrowArrayStream *self, struct ArrowArray *out) {
  struct stream *stream = self->private_data;
  if (stream->batches == 0) {
    memset(out, 0, sizeof *out);
    return stream->ending == END ? 0 : fail(stream);
  }
  stream->batches--;
  struct ArrowSchema schema;
  const uint8_t *at = stream->description;
  read_node(&at, &schema, out);
  schema.release(&schema);
  return 0;
}

static const char *stream_error(struct ArrowArrayStream *self) {
  return ((struct stream *)self->private_data)->message;
}

static void stream_release(struct ArrowArrayStream *self) {
  struct stream *stream = self->private_data;
  if (stream->message) memset(stream->message, 0xdb, strlen(stream->message));
  free(stream->message);
  free(stream->description);
  free(stream);
  self->release = NULL;
  __atomic_sub_fetch(&live_streams, 1, __ATOMIC_SEQ_CST);
}

/* Makes a stream that gives the table of a description some times, and then ends in one of the ways. */
void producer_stream(const uint8_t *description, uint32_t length, uint32_t batches, uint32_t ending,
                     struct ArrowArrayStream *out) {
  struct stream *stream = calloc(1, sizeof *stream);
  stream->description = malloc(length);
  memcpy(stream->description, description, length);
  stream->batches = batches;
  stream->ending = ending;
  *out = (struct ArrowArrayStream){stream_schema, stream_next, stream_error, stream_release, stream};
  __atomic_add_fetch(&live_streams, 1, __ATOMIC_SEQ_CST);
}

/* Makes a schema, an array and a stream of two batches, one after the other in memory that is never freed, and says where:
 * for a caller that does not know addresses. */
double producer_place(const uint8_t *description, uint32_t length) {
  struct {
    struct table table;
    struct ArrowArrayStream stream;
  } *place = calloc(1, sizeof *place);
  producer_make(description, &place->table);
  producer_stream(description, length, 2, END, &place->stream);
  return (double)(uintptr_t)place;
}

/* Buffers, arrays, schemas and streams that were made and not released. */
void producer_live(double *out) {
  out[0] = (double)__atomic_load_n(&live_buffers, __ATOMIC_SEQ_CST);
  out[1] = (double)__atomic_load_n(&live_arrays, __ATOMIC_SEQ_CST);
  out[2] = (double)__atomic_load_n(&live_schemas, __ATOMIC_SEQ_CST);
  out[3] = (double)__atomic_load_n(&live_streams, __ATOMIC_SEQ_CST);
}

/* A byte that native code reads, to see whether it changed under it. */
uint32_t producer_read(double address) { return *(volatile uint8_t *)(uintptr_t)address; }
