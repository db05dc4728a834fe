/*
 * A foreign producer of Arrow data for the tests: it knows the C data interface and nothing of Bowstring.
 *
 * A table is described by a run of bytes, little-endian, that the tests write:
 *
 *     node   = text format, text name, i64 flags, i64 length, i64 null_count, i64 offset,
 *              u32 n_buffers, n_buffers x { u32 present, u32 byte_length, bytes }, u32 n_children, n_children x node
 *     text   = u32 byte_length, bytes
 *
 * Every buffer is an allocation of its own, aligned to 64 bytes, and overwritten before it is freed, so that a read
 * after the release gives wrong values.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct ArrowSchema {
  const char *format, *name, *metadata;
  int64_t flags, n_children;
  struct ArrowSchema **children, *dictionary;
  void (*release)(struct ArrowSchema *);
  void *private_data;
};

struct ArrowArray {
  int64_t length, null_count, offset, n_buffers, n_children;
  const void **buffers;
  struct ArrowArray **children, *dictionary;
  void (*release)(struct ArrowArray *);
  void *private_data;
};

struct table {
  struct ArrowSchema schema;
  struct ArrowArray array;
};

static int64_t live_buffers;
static int64_t live_schemas;
static int64_t live_arrays;

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
  free((void *)schema->format);
  free((void *)schema->name);
  schema->release = NULL;
  __atomic_sub_fetch(&live_schemas, 1, __ATOMIC_SEQ_CST);
}

/* The sizes of the buffers, so that they can be overwritten. */
struct sizes {
  uint32_t bytes[4];
};

static void release_array(struct ArrowArray *array) {
  struct sizes *sizes = array->private_data;
  for (int64_t i = 0; i < array->n_children; i++) {
    if (array->children[i]->release) array->children[i]->release(array->children[i]);
    free(array->children[i]);
  }
  free(array->children);
  for (int64_t i = 0; i < array->n_buffers; i++) {
    if (!array->buffers[i]) continue;
    memset((void *)array->buffers[i], 0xdb, sizes->bytes[i]);
    free((void *)array->buffers[i]);
    __atomic_sub_fetch(&live_buffers, 1, __ATOMIC_SEQ_CST);
  }
  free(array->buffers);
  free(sizes);
  array->release = NULL;
  __atomic_sub_fetch(&live_arrays, 1, __ATOMIC_SEQ_CST);
}

static void read_node(const uint8_t **at, struct ArrowSchema *schema, struct ArrowArray *array) {
  memset(schema, 0, sizeof *schema);
  memset(array, 0, sizeof *array);
  schema->format = read_text(at);
  schema->name = read_text(at);
  schema->flags = read_i64(at);
  array->length = read_i64(at);
  array->null_count = read_i64(at);
  array->offset = read_i64(at);
  array->n_buffers = read_u32(at);
  array->buffers = calloc(4, sizeof(void *));
  struct sizes *sizes = calloc(1, sizeof *sizes);
  array->private_data = sizes;
  for (int64_t i = 0; i < array->n_buffers; i++) {
    uint32_t present = read_u32(at);
    uint32_t length = read_u32(at);
    if (present) {
      size_t size = ((size_t)length + 127) / 64 * 64;
      uint8_t *buffer = aligned_alloc(64, size);
      memset(buffer, 0xcd, size);
      memcpy(buffer, *at, length);
      array->buffers[i] = buffer;
      sizes->bytes[i] = (uint32_t)size;
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
  schema->release = release_schema;
  array->release = release_array;
  __atomic_add_fetch(&live_schemas, 1, __ATOMIC_SEQ_CST);
  __atomic_add_fetch(&live_arrays, 1, __ATOMIC_SEQ_CST);
}

/* Makes the table that `description` describes. */
void producer_make(const uint8_t *description, struct table *out) {
  read_node(&description, &out->schema, &out->array);
}

/* Buffers, arrays and schemas that were made and not released. */
void producer_live(double *out) {
  out[0] = (double)__atomic_load_n(&live_buffers, __ATOMIC_SEQ_CST);
  out[1] = (double)__atomic_load_n(&live_arrays, __ATOMIC_SEQ_CST);
  out[2] = (double)__atomic_load_n(&live_schemas, __ATOMIC_SEQ_CST);
}

/* A byte that native code reads, to see whether it changed under it. */
uint32_t producer_read(double address) { return *(volatile uint8_t *)(uintptr_t)address; }
