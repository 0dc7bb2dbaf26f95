/* Bytes that have been read and not yet been asked for. */
#ifndef WINIPC_BUFFER_H
#define WINIPC_BUFFER_H

#include "core/win.h"

typedef struct buffer {
  char *memory;
  size_t start, end, capacity;
} buffer;

static inline size_t buffer_size(const buffer *b) {
  return b->end - b->start;
}
static inline char *buffer_data(const buffer *b) {
  return b->memory + b->start;
}

/* Room for `more` bytes behind the last one, or NULL (recorded). */
char *buffer_room(buffer *b, size_t more);

/* Says that `count` bytes were put into that room. */
static inline void buffer_grow(buffer *b, size_t count) {
  b->end += count;
}

winipc_status buffer_append(buffer *b, const void *data, size_t size);

/* Moves up to `capacity` bytes out of the front; returns how many. */
size_t buffer_take(buffer *b, void *out, size_t capacity);

/* Forgets `count` bytes at the front. */
void buffer_drop(buffer *b, size_t count);

void buffer_free(buffer *b);

#endif
