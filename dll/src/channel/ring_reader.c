#include "channel/ring.h"

enum { RING__SKIPS = 64 }; /* records without a message, in one call */

static const ring_word *ring__word(const ring_reader *r, uint64_t position) {
  return (const ring_word *)(r->records + ring_offset(&r->shape, position));
}

static bool ring__overwrites(const ring_reader *r) {
  return r->shape.features & RING_OVERWRITE;
}

static ring_status ring__corrupt(ring_reader *r) {
  r->corrupt = true;
  return RING_CORRUPT;
}

static void ring__lose(ring_reader *r, uint64_t count) {
  if (!count) return;
  r->lost += count;
  ring_store_relaxed(&r->control->lost, ring_load_relaxed(&r->control->lost) + count);
}

/* Moves on, and says so to the writer. */
static void ring__advance(ring_reader *r, uint64_t to) {
  r->cursor = r->next = to;
  ring_store(&r->control->cursor, to);
}

/* ------------------------------ coming and going ------------------------------ */

/* Copies what never changes, and believes none of it. */
static bool ring__read_header(ring_reader *r, const ring_header *h, uint64_t size) {
  if (size < RING_HEADER_SIZE || ring_load(&h->magic) != RING_DATA_MAGIC ||
      ring_load_relaxed(&h->layout) != RING_DATA_LAYOUT)
    return false;
  return ring_shape_of(&r->shape, ring_load_relaxed(&h->capacity),
                       ring_load_relaxed(&h->features)) &&
         r->shape.capacity <= size - RING_HEADER_SIZE;
}

/* Joins a ring whose writer takes no notice of its readers. */
static uint64_t ring__join(ring_reader *r, bool now) {
  uint64_t start = ring_load(now ? &r->header->written : &r->header->oldest);
  r->expected = ring_load(&r->header->messages);
  return start;
}

ring_status ring_reader_attach(ring_reader *r, const void *data, uint64_t size,
                               ring_control *control, uint64_t start) {
  memset(r, 0, sizeof *r);
  if (!ring__read_header(r, data, size)) return ring__corrupt(r);
  r->header = data;
  r->records = (const char *)data + RING_HEADER_SIZE;
  r->control = control;
  if (start == RING_NOW || start == RING_OLDEST) {
    if (!ring__overwrites(r)) return RING_INVALID;
    start = ring__join(r, start == RING_NOW);
  }
  if (start & 7) return ring__corrupt(r);
  ring_store_relaxed(&control->waiting, 0);
  ring_store_relaxed(&control->lost, 0);
  ring_store_relaxed(&control->magic, RING_CONTROL_MAGIC);
  ring_store_relaxed(&control->layout, RING_CONTROL_LAYOUT);
  ring__advance(r, start);
  ring_store(&control->state, RING_ATTACHED);
  return RING_OK;
}

void ring_reader_detach(ring_reader *r) {
  if (!r->control) return; /* never was attached */
  ring_store(&r->control->state, RING_DETACHED);
  r->cursor = r->next = UINT64_MAX - 7; /* whatever the writer waits for, it has it */
  r->corrupt = true;
}

/* ----------------------------------- records ----------------------------------- */

/* What a record says beside its word: each value is read once. */
typedef struct ring__fields {
  uint64_t values[3]; /* sequence, time, tag */
  uint64_t first;     /* the total size, or a count of losses */
  const char *data;
} ring__fields;

static void ring__read_fields(const ring_reader *r, const ring_record *record,
                              ring__fields *f) {
  const ring_word *at = ring__word(r, r->cursor) + 1;
  memset(f, 0, sizeof *f);
  if (record->flags & (RING__PADDING | RING__ABORT)) return;
  for (int i = 0; i < 3 && record->flags != RING__LOSS; i++)
    if (r->shape.features >> i & 1) f->values[i] = ring_load_relaxed(at++);
  if (record->flags == RING__MORE || record->flags == RING__LOSS)
    f->first = ring_load_relaxed(at++);
  f->data = (const char *)at;
}

/* To be asked after anything was read and before it is believed. */
static bool ring__overrun(ring_reader *r) {
  if (!ring__overwrites(r)) return false;
  atomic_thread_fence(memory_order_acquire);
  uint64_t oldest = ring_load_relaxed(&r->header->oldest);
  if (oldest < r->oldest || (oldest & 7)) r->corrupt = true;
  r->oldest = oldest;
  return r->corrupt || oldest > r->cursor;
}

static ring_status ring__skip_to_oldest(ring_reader *r, ring_status status) {
  if (r->corrupt) return RING_CORRUPT;
  r->open = false;
  ring__advance(r, r->oldest);
  return status;
}

/* Messages are counted from their numbers where the oldest may vanish, elsewhere from
 * what the writer says. */
static void ring__count(ring_reader *r, uint64_t sequence) {
  r->settled = true;
  if (!ring__overwrites(r)) return;
  if (sequence > r->expected) ring__lose(r, sequence - r->expected);
  r->expected = sequence;
}

static ring_status ring__accept(ring_reader *r, const ring_record *record,
                                const ring__fields *f) {
  bool first = !(record->flags & RING__CONTINUED), more = record->flags & RING__MORE;
  uint64_t size = record->length - (first && more ? RING__WORD : 0);
  uint64_t total = !first ? r->total : more ? f->first : size;
  uint64_t offset = first ? 0 : r->done;
  if (more ? size >= total - offset : size != total - offset) return ring__corrupt(r);
  if (first)
    ring__count(r, f->values[0]);
  else if (ring__overwrites(r) && f->values[0] != r->expected)
    return ring__corrupt(r);
  r->peeked = (ring_message){f->data, size,         total,        offset,      more,
                             r->lost, f->values[0], f->values[1], f->values[2]};
  r->next = r->cursor + record->size;
  return RING_OK;
}

/* The end of a message of which only the beginning was sent. */
static void ring__aborted(ring_reader *r) {
  if (r->open && !ring__overwrites(r)) ring__lose(r, 1);
  r->open = false;
}

/* A record that is published and still there. RING_AGAIN: it was no message. */
static ring_status ring__understand(ring_reader *r, const ring_record *record,
                                    const ring__fields *f) {
  if (record->flags == RING__LOSS)
    ring__lose(r, f->first);
  else if (record->flags == RING__ABORT)
    ring__aborted(r);
  else if (record->flags != RING__PADDING) {
    bool first = !(record->flags & RING__CONTINUED);
    if (first != r->open) return ring__accept(r, record, f);
    /* Whoever joined or was overrun may come into the middle of a message. */
    if (first || (r->settled && !ring__overwrites(r))) return ring__corrupt(r);
  }
  ring__advance(r, r->cursor + record->size);
  return RING_AGAIN;
}

static ring_status ring__look(ring_reader *r) {
  ring_record record;
  ring__fields fields;
  uint64_t word = ring_load(ring__word(r, r->cursor));
  bool sane = ring_parse(&r->shape, r->cursor, word, &record);
  if (sane) ring__read_fields(r, &record, &fields);
  if (ring__overrun(r)) return ring__skip_to_oldest(r, RING_AGAIN);
  if (!word) return RING_EMPTY;
  return sane ? ring__understand(r, &record, &fields) : ring__corrupt(r);
}

/* ----------------------------------- reading ----------------------------------- */

ring_status ring_reader_peek(ring_reader *r, ring_message *message) {
  ring_status status = r->corrupt ? RING_CORRUPT : RING_OK;
  if (!status && r->next == r->cursor) {
    status = RING_AGAIN;
    for (int i = 0; i < RING__SKIPS && status == RING_AGAIN; i++)
      status = ring__look(r);
  }
  if (!status) *message = r->peeked;
  return status;
}

ring_status ring_reader_release(ring_reader *r) {
  if (r->corrupt) return RING_CORRUPT;
  if (r->next == r->cursor) return RING_INVALID;
  if (ring__overrun(r)) return ring__skip_to_oldest(r, RING_OVERRUN);
  r->open = r->peeked.more;
  r->total = r->peeked.total;
  r->done = r->peeked.offset + r->peeked.size;
  if (!r->open) {
    r->expected++;
    r->lost = 0;
  }
  ring__advance(r, r->next);
  return RING_OK;
}

ring_status ring_reader_receive(ring_reader *r, void *buffer, uint64_t capacity,
                                ring_message *message) {
  do {
    ring_status status = ring_reader_peek(r, message);
    if (status) return status;
    if (message->total > capacity) return RING_TOO_SMALL;
    ring_copy_out((char *)buffer + message->offset, message->data,
                  (size_t)message->size, ring__overwrites(r));
    status = ring_reader_release(r);
    if (status) return status;
  } while (message->more);
  return RING_OK;
}

uint64_t ring_reader_lag(const ring_reader *r) {
  if (r->corrupt) return 0;
  uint64_t written = ring_load(&r->header->written);
  if (written < r->cursor) return 0;
  return written - r->cursor < r->shape.capacity ? written - r->cursor
                                                 : r->shape.capacity;
}

/* ----------------------------------- waiting ----------------------------------- */

/* Whether what was released since the last fence may be what the writer waits for. */
static bool ring__passed_a_step(const ring_reader *r) {
  return (r->cursor ^ r->told) >= ring_step(&r->shape);
}

bool ring_reader_wakes_writer(ring_reader *r) {
  if (!r->control || ring__overwrites(r)) return false;
  if (ring__passed_a_step(r)) {
    r->told = r->cursor;
    ring_fence_full();
  }
  uint64_t ticket = ring_load_relaxed(&r->header->waiting);
  if (!ticket || ticket == r->woken) return false;
  if (ring_load_relaxed(&r->header->wanted) > r->cursor) return false;
  r->woken = ticket;
  ring_count(&r->control->wakes);
  return true;
}

bool ring_reader_prepare_wait(ring_reader *r) {
  if (r->corrupt) return false;
  ring_store_relaxed(&r->control->waiting, ++r->ticket);
  ring_fence_full();
  uint64_t word = ring_load(ring__word(r, r->next));
  if (!word && !ring__overrun(r)) {
    ring_count(&r->control->sleeps);
    return true;
  }
  ring_reader_end_wait(r);
  return false;
}

void ring_reader_end_wait(ring_reader *r) {
  ring_store_relaxed(&r->control->waiting, 0);
}
