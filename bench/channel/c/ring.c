/* The yardstick: a ring of one writer and one reader in a named mapping. It checks
 * nothing, so it is what a channel would cost that trusted its peer blindly.
 *
 * Each index has a cache line of its own, and each side works on a private copy of
 * the other's until that says full or empty. A frame is its size and its bytes; a size
 * of 0 sends the reader back to the start. A waiter may spin and then sleep: it sets a
 * flag, looks once more, and waits for an event; who has moved an index looks at the
 * flag, and makes a kernel call only if it is set. */
#include "harness.h"

#include <stdatomic.h>

enum { LEAST_RING = 256 << 10, MESSAGES_IN_RING = 4 };

#define FOREVER UINT64_MAX

typedef struct index_line {
  _Alignas(64) atomic_uint_fast64_t at; /* bytes, ever */
  _Alignas(64) atomic_int awaited;      /* somebody sleeps until it moves */
} index_line;

typedef struct ring {
  index_line written, read;
  _Alignas(64) char bytes[];
} ring;

typedef struct side {
  ring *shared;
  uint64_t capacity, own, other, next;
  HANDLE data, room; /* events */
} side;

typedef struct duplex {
  side out, in;
  uint64_t budget; /* of ticks to spin before sleeping, or FOREVER */
  char *copy;      /* where a message is copied to, or NULL */
} duplex;

/* ---- waiting ---- */

static void spin(const index_line *index, uint64_t old, uint64_t budget) {
  uint64_t start = ticks();
  while (atomic_load_explicit(&index->at, memory_order_acquire) == old) {
    if (budget != FOREVER && ticks() - start >= budget) return;
    YieldProcessor();
  }
}

/* Until the other side's index is no more what we know of it. */
static uint64_t await(index_line *index, uint64_t old, HANDLE event, uint64_t budget) {
  spin(index, old, budget);
  while (atomic_load_explicit(&index->at, memory_order_acquire) == old) {
    atomic_store(&index->awaited, 1);
    if (atomic_load(&index->at) == old) WaitForSingleObject(event, INFINITE);
    atomic_store(&index->awaited, 0);
  }
  return atomic_load_explicit(&index->at, memory_order_acquire);
}

static void move(index_line *index, uint64_t to, HANDLE event, uint64_t budget) {
  atomic_store_explicit(&index->at, to, memory_order_release);
  if (budget == FOREVER) return;
  atomic_thread_fence(memory_order_seq_cst);
  if (atomic_load_explicit(&index->awaited, memory_order_relaxed)) SetEvent(event);
}

/* ---- writing and reading ---- */

static uint64_t frame_size(uint32_t size) {
  return 8 + (((uint64_t)size + 7) & ~UINT64_C(7));
}

static void await_room(side *s, uint64_t bytes, uint64_t budget) {
  while (s->own + bytes - s->other > s->capacity)
    s->other = await(&s->shared->read, s->other, s->room, budget);
}

static void ring_send(void *link, const void *data, uint32_t size) {
  duplex *d = link;
  side *s = &d->out;
  uint64_t frame = frame_size(size), offset = s->own & (s->capacity - 1);
  if (offset + frame > s->capacity) {
    await_room(s, s->capacity - offset, d->budget);
    *(uint64_t *)(s->shared->bytes + offset) = 0;
    s->own += s->capacity - offset;
    offset = 0;
    move(&s->shared->written, s->own, s->data, d->budget);
  }
  await_room(s, frame, d->budget);
  *(uint64_t *)(s->shared->bytes + offset) = size;
  memcpy(s->shared->bytes + offset + 8, data, size);
  s->own += frame;
  move(&s->shared->written, s->own, s->data, d->budget);
}

static void release(side *s, uint64_t budget) {
  if (s->own == s->next) return;
  s->own = s->next;
  move(&s->shared->read, s->own, s->room, budget);
}

/* The message is lent until here is asked for the next one, or copied out. */
static const void *ring_receive(void *link, uint32_t size) {
  duplex *d = link;
  side *s = &d->in;
  for (;;) {
    release(s, d->budget);
    if (s->other == s->own)
      s->other = await(&s->shared->written, s->own, s->data, d->budget);
    uint64_t offset = s->own & (s->capacity - 1);
    const char *frame = s->shared->bytes + offset;
    uint64_t length = *(const uint64_t *)frame;
    s->next = s->own + (length ? frame_size(size) : s->capacity - offset);
    if (!length) continue;
    if (!d->copy) return frame + 8;
    memcpy(d->copy, frame + 8, size);
    release(s, d->budget);
    return d->copy;
  }
}

/* ---- meeting ---- */

static HANDLE event(const job *j, int direction, const char *what) {
  char name[128];
  snprintf(name, sizeof name, "%s-%d-%s", j->name, direction, what);
  HANDLE made = CreateEventA(NULL, FALSE, FALSE, name);
  if (!made) broken("CreateEvent");
  return made;
}

static uint64_t capacity(const job *j) {
  uint64_t least = MESSAGES_IN_RING * (uint64_t)j->size, size = LEAST_RING;
  while (size < least) size *= 2;
  return size;
}

static side open_side(const job *j, int direction) {
  char name[128];
  side s = {.capacity = capacity(j)};
  uint64_t size = sizeof(ring) + s.capacity;
  snprintf(name, sizeof name, "%s-%d", j->name, direction);
  HANDLE mapping = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
                                      (DWORD)size, name);
  s.shared = mapping ? MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, 0) : NULL;
  if (!s.shared) broken("a mapping");
  if (j->serves) memset(s.shared, 0, size); /* so that no page is missing later */
  s.data = event(j, direction, "data");
  s.room = event(j, direction, "room");
  return s;
}

static void *open_duplex(const job *j, uint64_t budget) {
  duplex *d = calloc(1, sizeof *d);
  d->out = open_side(j, j->serves);
  d->in = open_side(j, !j->serves);
  d->budget = budget;
  return d;
}

static void *open_spinning(const job *j) {
  return open_duplex(j, FOREVER);
}

static void *open_copying(const job *j) {
  duplex *d = open_duplex(j, FOREVER);
  d->copy = new_message(j->size);
  return d;
}

static void *open_spinning_a_little(const job *j) {
  return open_duplex(j, (uint64_t)(20 * ticks_a_us()));
}

static void *open_sleeping(const job *j) {
  return open_duplex(j, 0);
}

static void *same_link(void *server, const job *j) {
  (void)j;
  return server;
}

#define RING(title, open) \
  {.name = title,         \
   .serve = open,         \
   .accept = same_link,   \
   .join = open,          \
   .send = ring_send,     \
   .receive = ring_receive}

static const peer peers[] = {
    RING("ring_spin", open_spinning),
    RING("ring_spin_copy", open_copying),
    RING("ring_spin_event", open_spinning_a_little),
    RING("ring_event", open_sleeping),
};

int main(int words, char **arguments) {
  return harness_main(peers, sizeof peers / sizeof *peers, words, arguments);
}
