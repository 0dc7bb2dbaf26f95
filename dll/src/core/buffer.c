#include "core/buffer.h"

#include "core/status.h"

enum { BUFFER__KEPT = 1 << 16 }; /* an emptied buffer keeps no more than this */

static void buffer__to_front(buffer *b) {
  if (!b->start) return;
  memmove(b->memory, b->memory + b->start, buffer_size(b));
  b->end -= b->start;
  b->start = 0;
}

char *buffer_room(buffer *b, size_t more) {
  if (b->capacity - b->end < more) buffer__to_front(b);
  if (b->capacity - b->end < more) {
    size_t capacity = 2 * b->capacity > b->end + more ? 2 * b->capacity : b->end + more;
    char *memory = realloc(b->memory, capacity);
    if (!memory) return status_no_memory(), NULL;
    b->memory = memory;
    b->capacity = capacity;
  }
  return b->memory + b->end;
}

winipc_status buffer_append(buffer *b, const void *data, size_t size) {
  if (!size) return WINIPC_OK;
  char *room = buffer_room(b, size);
  if (!room) return WINIPC_E_OUT_OF_MEMORY;
  memcpy(room, data, size);
  buffer_grow(b, size);
  return WINIPC_OK;
}

size_t buffer_take(buffer *b, void *out, size_t capacity) {
  size_t size = buffer_size(b) < capacity ? buffer_size(b) : capacity;
  if (size) memcpy(out, buffer_data(b), size);
  buffer_drop(b, size);
  return size;
}

void buffer_drop(buffer *b, size_t count) {
  b->start += count;
  if (b->start == b->end) {
    b->start = b->end = 0;
    if (b->capacity > BUFFER__KEPT) buffer_free(b);
  }
}

void buffer_free(buffer *b) {
  free(b->memory);
  memset(b, 0, sizeof *b);
}
