/* A ring of records in shared memory: the bytes, and who may touch them when.
 *
 * One writer, one or several readers. Each party writes only to memory of its own:
 *
 *   the data block, written by the writer, mapped read-only by the readers
 *        0  magic, layout, capacity, features   never change after the beginning
 *      128  written, messages, dropped          for late joiners and tools
 *      256  oldest                              the oldest position that is kept
 *      384  wanted, waiting                     the writer waits for space
 *      400  sleeps, wakes                       how often it slept and woke others
 *     4096  the records                         capacity bytes, a power of two
 *   a control block for each reader, written by it, read-only for the writer
 *        0  magic, layout
 *      128  waiting                             the reader waits for a message
 *      136  sleeps, wakes                       how often it slept and woke the writer
 *      256  cursor, state, lost                 how far it has read
 *
 * What different parties touch at different times lies 128 bytes apart: processors
 * fetch lines of 64 bytes in pairs.
 *
 * Positions count bytes since the beginning and never wrap; a power of two makes the
 * offset a mask, and the mask is at the same time the bounds check that no value from
 * the other side gets around. A record is contiguous, 8-byte aligned and at most a
 * quarter of the ring, so that padding at the wrap never costs more than that:
 *
 *   word 0       length (32 bits) | flags (8) | lap (24): 0 = not published yet
 *   then         sequence number, time stamp, tag: 8 bytes each, if the ring has them
 *   then         total size: 8 bytes, in the first of several fragments only
 *   then         the bytes, padded to a multiple of 8
 *
 * Padding, a note of losses (its count in 8 bytes) and the end of an abandoned message
 * have no such fields.
 *
 * Publication. A reader polls word 0 of the record that it expects, and nothing else:
 * a small message costs the line or two that it fills. What lies there before is a
 * leftover of an earlier lap, or bytes of an old message that some third party chose;
 * so the lap alone would not do. The writer therefore stores 0 into the word BEHIND a
 * record before it publishes the record (room for that word is part of every
 * reservation), and a reader gets to that word only by way of the record: what it sees
 * there is the 0 or a later publication. The lap is a check: another one is damage.
 * A batch is published by its first word alone: nobody gets past a 0. A writer that
 * dies leaves the 0, so nobody ever sees half a record.
 *
 * The orderings, all of them:
 *
 * 1. Word 0 is stored with release after the bytes, the fields and the next 0; it is
 *    loaded with acquire before they are read.
 * 2. The cursor is stored with release after the last read of a record, and loaded with
 *    acquire before the writer overwrites it.
 * 3. Overwriting (a ring that never waits): seqlock [Boehm, "Can seqlocks get along
 *    with programming language memory models?"]. The writer stores `oldest`, then a
 *    release fence, then the new bytes. A reader reads a word, fields or bytes, then an
 *    acquire fence, then loads `oldest`: had any of what it read been new, the fences
 *    would make it see the new `oldest`, which is behind its record. So whatever was
 *    read is used only when `oldest` is not. The bytes are copied by memcpy; between
 *    the fences no compiler moves it, but the language calls it a race, so a build
 *    under ThreadSanitizer copies them as relaxed atomic bytes.
 * 4. Sleep and wake-up [Dekker]. The sleeper stores `waiting`, then a full fence, then
 *    looks for the event (a word, a cursor) again. The waker stores the event, then a
 *    full fence, then loads `waiting`. The two fences are in one order: the sleeper's
 *    first, then the waker sees `waiting` and signals; the waker's first, then the
 *    sleeper sees the event and does not sleep. `waiting` holds a ticket, new for each
 *    sleep: the waker answers each ticket once, and no sleep costs two signals. One
 *    that comes after its sleeper has changed its mind only causes a look in vain.
 *    The full fence is the waker's price, since nothing cheaper is sound without the
 *    help of the system; it is asked for by a call of its own, so that a batch, or
 *    whoever only spins, does not pay it each time. Measured on x64: 5 ns when there
 *    is nothing to drain, and a line's transfer where there is (a stream of 64 bytes:
 *    25 ns a message without, 42 ns with a fence on each side).
 *    A writer that waits for room waits until the reader has passed a multiple of an
 *    eighth of the ring (a step): so the reader needs the fence only when its cursor
 *    passes one, and a writer that was woken can write for a while. Whatever a writer
 *    waits for, a reader that reads everything comes by it: a record and its padding
 *    are no more than half of the ring. A drain waits for the very end, which is no
 *    step: there the reader only loads `waiting` after each release, and has its fence
 *    when it goes to sleep. What it misses so is no more than what the two have in
 *    their store buffers at one moment, and so a drain's first sleep is a short one.
 * 5. `wanted` needs no order of its own: like `waiting` it is stored before the fence
 *    of the writer, so who sees an old one has stored a cursor that the writer sees
 *    then; and who wakes it for an old wish makes it look, and wait with a new ticket.
 * 6. `messages` is stored before `written` (release) and loaded after it (acquire): a
 *    late joiner starts to count at a message that is not older than its position.
 *
 * Nothing of this depends on x64; there, only the full fences cost an instruction.
 *
 * Ideas from: Aeron (a record's length, stored last, commits it; padding records), LMAX
 * Disruptor (private copies of cursors, cursors on lines of their own, batches),
 * MengRao's SPSC_Queue (the shared cursor is looked at only when seemingly full). */
#ifndef WINIPC_RING_LAYOUT_H
#define WINIPC_RING_LAYOUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef _Atomic uint64_t ring_word;

typedef struct ring_header {
  ring_word magic, layout, capacity, features;
  uint8_t unused_1[96];
  ring_word written;  /* end of what is published; trails a little */
  ring_word messages; /* the sequence number of the next message */
  ring_word dropped;  /* messages that found no room */
  uint8_t unused_2[104];
  ring_word oldest;
  uint8_t unused_3[120];
  ring_word wanted;  /* the cursor that would make room */
  ring_word waiting; /* 0 or a ticket */
  ring_word sleeps;  /* for tools */
  ring_word wakes;
  uint8_t unused_4[96];
} ring_header;

typedef struct ring_control {
  ring_word magic, layout;
  uint8_t unused_1[112];
  ring_word waiting; /* 0 or a ticket */
  ring_word sleeps;  /* for tools */
  ring_word wakes;
  uint8_t unused_2[104];
  ring_word cursor;
  ring_word state; /* 0, RING_ATTACHED, RING_DETACHED */
  ring_word lost;  /* messages that this reader has missed, for tools */
  uint8_t unused_3[104];
} ring_control;

#define RING_HEADER_SIZE 4096
#define RING_CAPACITY_LEAST 256
#define RING_CAPACITY_MOST ((uint64_t)1 << 34)
#define RING_DATA_MAGIC 0x474E495250495757u    /* "WWIPRING" */
#define RING_CONTROL_MAGIC 0x4C52544350495757u /* "WWIPCTRL" */
#define RING_VERSION 1
#define RING_ATTACHED 0x4445484341545441u /* "ATTACHED" */
#define RING_DETACHED 0x4445484341544544u /* "DETACHED" */
#define RING_DATA_LAYOUT ((uint64_t)RING_HEADER_SIZE << 32 | RING_VERSION)
#define RING_CONTROL_LAYOUT ((uint64_t)sizeof(ring_control) << 32 | RING_VERSION)

_Static_assert(sizeof(ring_word) == 8, "an atomic word is a plain word");
_Static_assert(offsetof(ring_header, capacity) == 16, "layout");
_Static_assert(offsetof(ring_header, features) == 24, "layout");
_Static_assert(offsetof(ring_header, written) == 128, "layout");
_Static_assert(offsetof(ring_header, dropped) == 144, "layout");
_Static_assert(offsetof(ring_header, oldest) == 256, "layout");
_Static_assert(offsetof(ring_header, wanted) == 384, "layout");
_Static_assert(offsetof(ring_header, waiting) == 392, "layout");
_Static_assert(offsetof(ring_header, wakes) == 408, "layout");
_Static_assert(sizeof(ring_header) == 512, "layout");
_Static_assert(offsetof(ring_control, waiting) == 128, "layout");
_Static_assert(offsetof(ring_control, wakes) == 144, "layout");
_Static_assert(offsetof(ring_control, cursor) == 256, "layout");
_Static_assert(offsetof(ring_control, state) == 264, "layout");
_Static_assert(sizeof(ring_control) == 384, "layout");

/* Features of a ring: fields of 8 bytes in every record, and how a full ring behaves.
 */
enum {
  RING_SEQUENCE = 1,
  RING_TIME = 2,
  RING_TAG = 4,
  RING_OVERWRITE = 8, /* the oldest message goes; implies RING_SEQUENCE */
  RING_FEATURES = 15
};

/* Flags in a record's word. */
enum {
  RING__PUBLISHED = 1, /* in every word, so that none is 0 */
  RING__MORE = 2,      /* another fragment follows */
  RING__CONTINUED = 4, /* not the first fragment */
  RING__PADDING = 8,
  RING__LOSS = 16, /* a note: so many messages were dropped here */
  RING__ABORT = 32 /* the message whose fragments came before never ends */
};
enum { RING__LENGTH_BITS = 32, RING__LAP_BITS = 24, RING__LAP_SHIFT = 40 };
enum { RING__WORD = 8, RING__NOTE = 16, RING__SMALL = 128 };

/* Every access to shared memory goes through these; a test lets them be steps of a
 * scheduler of its own. */
#ifdef RING_MODEL
uint64_t ring_model_load(const void *at);
void ring_model_store(void *at, uint64_t value);
void ring_model_fence(void);
#define RING__LOAD(at, order) ring_model_load(at)
#define RING__STORE(at, value, order) ring_model_store(at, value)
#define RING__FENCE() ring_model_fence()
#else
#define RING__LOAD(at, order) atomic_load_explicit((ring_word *)(at), order)
#define RING__STORE(at, value, order) atomic_store_explicit(at, value, order)
#define RING__FENCE() atomic_thread_fence(memory_order_seq_cst)
#endif

static inline uint64_t ring_load(const ring_word *at) {
  return RING__LOAD(at, memory_order_acquire);
}
static inline uint64_t ring_load_relaxed(const ring_word *at) {
  return RING__LOAD(at, memory_order_relaxed);
}
static inline void ring_store(ring_word *at, uint64_t value) {
  RING__STORE(at, value, memory_order_release);
}
static inline void ring_store_relaxed(ring_word *at, uint64_t value) {
  RING__STORE(at, value, memory_order_relaxed);
}
/* Counts something for tools: nobody's steps depend on it, so the model leaves it out.
 */
static inline void ring_count(ring_word *at) {
#ifdef RING_MODEL
  (void)at;
#else
  uint64_t before = atomic_load_explicit(at, memory_order_relaxed);
  atomic_store_explicit(at, before + 1, memory_order_relaxed);
#endif
}
static inline void ring_fence_full(void) {
  RING__FENCE();
}

#if defined __SANITIZE_THREAD__
#define RING__COPY_ATOMICALLY
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define RING__COPY_ATOMICALLY
#endif
#endif

/* Copies to or from a ring. `racing`: the ring may be overwritten meanwhile. */
#ifdef RING_MODEL
void ring_model_copy(void *to, const void *from, size_t size, bool in);
#define ring_copy_in(to, from, size, racing) ring_model_copy(to, from, size, true)
#define ring_copy_out(to, from, size, racing) ring_model_copy(to, from, size, false)
#else
/* A call of memcpy costs more than a small message does. */
static inline void ring__copy_small(char *to, const char *from, size_t size) {
  enum { RING__CHUNK = 16 };
  size_t done = 0;
  for (; done + RING__CHUNK <= size; done += RING__CHUNK)
    memcpy(to + done, from + done, RING__CHUNK);
  for (; done < size; done++) to[done] = from[done];
}

static inline void ring__copy(void *to, const void *from, size_t size, bool racing) {
#ifdef RING__COPY_ATOMICALLY
  for (size_t i = 0; racing && i < size; i++) {
    unsigned char byte =
        __atomic_load_n((const unsigned char *)from + i, __ATOMIC_RELAXED);
    __atomic_store_n((unsigned char *)to + i, byte, __ATOMIC_RELAXED);
  }
  if (racing) return;
#endif
  (void)racing;
  if (size <= RING__SMALL)
    ring__copy_small(to, from, size);
  else
    memcpy(to, from, size);
}
#define ring_copy_in ring__copy
#define ring_copy_out ring__copy
#endif

/* What both sides know of a ring; a copy of their own, checked once. */
typedef struct ring_shape {
  uint64_t capacity, features;
  uint32_t lap_shift; /* log2 of the capacity */
  uint32_t fields;    /* bytes of the optional fields in a record */
} ring_shape;

static inline uint64_t ring_offset(const ring_shape *s, uint64_t position) {
  return position & (s->capacity - 1);
}

static inline uint64_t ring_lap(const ring_shape *s, uint64_t position) {
  return (position >> s->lap_shift) & (((uint64_t)1 << RING__LAP_BITS) - 1);
}

/* The unit in which room is waited for; a power of two. */
static inline uint64_t ring_step(const ring_shape *s) {
  return s->capacity / 8;
}

static inline uint64_t ring_round_up(uint64_t size) {
  return (size + 7) & ~(uint64_t)7;
}

/* The bytes of a record, its word included. */
static inline uint64_t ring_record_size(const ring_shape *s, uint64_t flags,
                                        uint64_t length) {
  bool bare = flags & (RING__PADDING | RING__LOSS | RING__ABORT);
  return RING__WORD + (bare ? 0 : s->fields) + ring_round_up(length);
}

/* A record's word, taken apart. */
typedef struct ring_record {
  uint64_t flags, length;
  uint64_t size; /* in the ring, its word included */
} ring_record;

static inline uint64_t ring_word_of(const ring_shape *s, uint64_t position,
                                    uint64_t flags, uint64_t length) {
  return length | (flags | RING__PUBLISHED) << RING__LENGTH_BITS |
         ring_lap(s, position) << RING__LAP_SHIFT;
}

/* False unless the word could be one that a writer of this ring has put there. */
static inline bool ring_parse(const ring_shape *s, uint64_t position, uint64_t word,
                              ring_record *record) {
  uint64_t flags = word >> RING__LENGTH_BITS & 0xFF, length = (uint32_t)word;
  record->flags = flags & ~(uint64_t)RING__PUBLISHED;
  record->length = length;
  record->size = ring_record_size(s, flags, length);
  if (!(flags & RING__PUBLISHED) || word >> RING__LAP_SHIFT != ring_lap(s, position))
    return false;
  if (record->size > s->capacity / 4 ||
      record->size > s->capacity - ring_offset(s, position))
    return false;
  switch (record->flags) {
  case 0:
  case RING__CONTINUED:
  case RING__CONTINUED | RING__MORE:
  case RING__PADDING:
    return true;
  case RING__MORE:
    return length >= RING__WORD;
  case RING__LOSS:
    return length == RING__WORD;
  case RING__ABORT:
    return !length;
  default:
    return false;
  }
}

/* Sets up `s`; false: that is no ring that could be. */
static inline bool ring_shape_of(ring_shape *s, uint64_t capacity, uint64_t features) {
  if (capacity < RING_CAPACITY_LEAST || capacity > RING_CAPACITY_MOST ||
      (capacity & (capacity - 1)) || (features & ~(uint64_t)RING_FEATURES) ||
      ((features & RING_OVERWRITE) && !(features & RING_SEQUENCE)))
    return false;
  s->capacity = capacity;
  s->features = features;
  s->lap_shift = 0;
  while ((uint64_t)1 << s->lap_shift < capacity) s->lap_shift++;
  s->fields = 0;
  for (uint64_t bit = RING_SEQUENCE; bit <= RING_TAG; bit <<= 1)
    if (features & bit) s->fields += RING__WORD;
  return true;
}

#endif
