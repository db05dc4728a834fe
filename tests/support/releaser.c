/*
 * A foreign consumer of Arrow data that minds nobody's end: its threads release arrays and read streams while the runtime
 * that exported them goes away, and what is left is released when the process exits, after the runtime.
 */

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cdata.h"

enum { ROOM = 4096, THREADS = 4 };
static struct ArrowArray taken[ROOM];
static uint32_t count, next, batches_read;

/* Takes an array, as a consumer does: by moving it. */
void releaser_take(double address) {
  struct ArrowArray *array = (struct ArrowArray *)(uintptr_t)address;
  if (count == ROOM) abort();
  taken[count++] = *array;
  array->release = NULL;
}

static int release_one(void) {
  uint32_t index = __atomic_fetch_add(&next, 1, __ATOMIC_SEQ_CST);
  if (index >= count) return 0;
  taken[index].release(&taken[index]);
  return 1;
}

static void *release_slowly(void *unused) {
  const struct timespec moment = {0, 100 * 1000};
  while (release_one()) nanosleep(&moment, NULL);
  return unused;
}

static void release_the_rest(void) {
  int rest = 0;
  while (release_one()) rest++;
  const char *said = rest ? "some were left\n" : "none were left\n";
  if (write(STDOUT_FILENO, said, strlen(said)) < 0) abort();
}

static void start(void *(*work)(void *), void *argument) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, work, argument) || pthread_detach(thread)) abort();
}

/* Begins to release what was taken, on several threads, for about a tenth of a second; at the exit, the rest. */
void releaser_start(void) {
  if (atexit(release_the_rest)) abort();
  for (int i = 0; i < THREADS; i++) start(release_slowly, NULL);
}

/* Reads a stream to its end, if it has one. */
static void *read_on(void *stream) {
  struct ArrowArrayStream *self = stream;
  struct ArrowArray array;
  while (self->get_next(self, &array) == 0 && array.release) {
    array.release(&array);
    __atomic_add_fetch(&batches_read, 1, __ATOMIC_SEQ_CST);
  }
  self->release(self);
  free(self);
  return NULL;
}

/* Moves a stream to a thread that reads it. */
void releaser_read(double address) {
  struct ArrowArrayStream *source = (struct ArrowArrayStream *)(uintptr_t)address;
  struct ArrowArrayStream *stream = malloc(sizeof *stream);
  *stream = *source;
  source->release = NULL;
  start(read_on, stream);
}

/* How many batches were read of streams. */
uint32_t releaser_batches(void) { return __atomic_load_n(&batches_read, __ATOMIC_SEQ_CST); }
