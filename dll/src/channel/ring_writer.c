#include "channel/ring.h"

enum { RING__FRAGMENT_MOST = 1 << 18 }; /* the reader copies one, we copy the next */

uint64_t ring_inline_most(uint64_t capacity, uint64_t features) {
  ring_shape s;
  return ring_shape_of(&s, capacity, features) ? capacity / 4 - RING__WORD - s.fields
                                               : 0;
}

static ring_word *ring__word(const ring_writer *w, uint64_t position) {
  return (ring_word *)(w->records + ring_offset(&w->shape, position));
}

static bool ring__overwrites(const ring_writer *w) {
  return w->shape.features & RING_OVERWRITE;
}

ring_status ring_writer_init(ring_writer *w, void *data, uint64_t size,
                             uint64_t features, ring_peer *peers, uint32_t places) {
  uint64_t capacity = RING_CAPACITY_MOST;
  if (features & RING_OVERWRITE) features |= RING_SEQUENCE;
  memset(w, 0, sizeof *w);
  if (size < RING_HEADER_SIZE) return RING_INVALID;
  while (capacity > size - RING_HEADER_SIZE) capacity /= 2;
  if (!ring_shape_of(&w->shape, capacity, features)) return RING_INVALID;
  memset(data, 0, RING_HEADER_SIZE);
  memset(peers, 0, places * sizeof *peers);
  w->header = data;
  w->records = (char *)data + RING_HEADER_SIZE;
  w->limit = capacity;
  w->peers = peers;
  w->places = places;
  ring_store_relaxed(ring__word(w, 0), 0);
  ring_store_relaxed(&w->header->layout, RING_DATA_LAYOUT);
  ring_store_relaxed(&w->header->capacity, capacity);
  ring_store_relaxed(&w->header->features, features);
  ring_store(&w->header->magic, RING_DATA_MAGIC);
  return RING_OK;
}

ring_status ring_writer_admit(ring_writer *w, const ring_control *control,
                              uint32_t *index, uint64_t *start) {
  for (uint32_t i = 0; i < w->places; i++)
    if (!w->peers[i].control) {
      w->peers[i] = (ring_peer){control, w->written, 0};
      *index = i;
      *start = w->written;
      return RING_OK;
    }
  return RING_WOULD_BLOCK;
}

void ring_writer_dismiss(ring_writer *w, uint32_t index) {
  w->peers[index].control = NULL;
}

/* ----------------------------------- room ----------------------------------- */

/* Looks at the cursor of a reader, who may have written anything there. */
static bool ring__follow(const ring_writer *w, ring_peer *peer) {
  uint64_t state = ring_load(&peer->control->state);
  if (!state) return true; /* admitted, and not there yet: it begins where we said */
  if (state == RING_DETACHED) {
    peer->control = NULL;
    return true;
  }
  uint64_t cursor = ring_load(&peer->control->cursor);
  if (state != RING_ATTACHED || cursor < peer->cursor || cursor > w->written ||
      (cursor & 7))
    return false;
  peer->cursor = cursor;
  return true;
}

/* Finds the slowest reader. Where there is none, nothing is kept. */
static ring_status ring__refresh(ring_writer *w) {
  uint64_t tail = w->written;
  for (uint32_t i = 0; i < w->places; i++) {
    ring_peer *peer = &w->peers[i];
    if (peer->control && !ring__follow(w, peer)) {
      w->culprit = i;
      return RING_CORRUPT;
    }
    if (peer->control && peer->cursor < tail) tail = peer->cursor;
  }
  w->limit = tail + w->shape.capacity;
  return RING_OK;
}

/* Gives up the oldest records up to `target`, and a little more: every step of `oldest`
 * costs each reader a line, and a reader that was overrun shall not be so again at
 * once. Readers are told before the first byte is overwritten. */
static ring_status ring__overwrite(ring_writer *w, uint64_t target) {
  if (target > w->written) ring_writer_publish(w); /* a batch longer than the ring */
  uint64_t goal = target + w->shape.capacity / 16;
  while (w->oldest < goal && w->oldest < w->written) {
    ring_record record;
    uint64_t word = ring_load_relaxed(ring__word(w, w->oldest));
    if (!ring_parse(&w->shape, w->oldest, word, &record)) return RING_CORRUPT;
    w->oldest += record.size;
  }
  ring_store_relaxed(&w->header->oldest, w->oldest);
  atomic_thread_fence(memory_order_release);
  w->limit = w->oldest + w->shape.capacity;
  return RING_OK;
}

/* Makes sure that everything up to `end` may be written. */
static ring_status ring__make_room(ring_writer *w, uint64_t end) {
  if (end <= w->limit) return RING_OK;
  if (ring__overwrites(w)) return ring__overwrite(w, end - w->shape.capacity);
  ring_status status = ring__refresh(w);
  if (status || end <= w->limit) return status;
  ring_writer_publish(w); /* nobody makes room for what nobody sees */
  uint64_t step = ring_step(&w->shape);
  w->wanted = (end - w->shape.capacity + step - 1) & ~(step - 1);
  return RING_WOULD_BLOCK;
}

bool ring_writer_ready(ring_writer *w) {
  return ring__refresh(w) || w->limit >= w->wanted + w->shape.capacity;
}

bool ring_writer_prepare_wait(ring_writer *w) {
  ring_store_relaxed(&w->header->wanted, w->wanted);
  ring_store_relaxed(&w->header->waiting, ++w->ticket);
  ring_fence_full();
  if (!ring_writer_ready(w)) {
    ring_count(&w->header->sleeps);
    return true;
  }
  ring_writer_end_wait(w);
  return false;
}

void ring_writer_end_wait(ring_writer *w) {
  ring_store_relaxed(&w->header->waiting, 0);
}

/* ---------------------------------- records ---------------------------------- */

/* Completes a record. The first word of a batch is kept back, the others may be stored:
 * nobody gets there. */
static void ring__stage(ring_writer *w, uint64_t flags, uint64_t length) {
  uint64_t word = ring_word_of(&w->shape, w->staged, flags, length);
  if (w->staged == w->written)
    w->first_word = word;
  else
    ring_store_relaxed(ring__word(w, w->staged), word);
  w->staged += ring_record_size(&w->shape, flags, length);
}

/* Where a record of `size` bytes lies if the one before ends at `position`. */
static uint64_t ring__place(const ring_writer *w, uint64_t position, uint64_t size) {
  uint64_t left = w->shape.capacity - ring_offset(&w->shape, position);
  return left < size ? position + left : position;
}

static void ring__pad(ring_writer *w, uint64_t to) {
  if (w->staged < to) ring__stage(w, RING__PADDING, to - w->staged - RING__WORD);
}

static void ring__tell_loss(ring_writer *w) {
  ring__pad(w, ring__place(w, w->staged, RING__NOTE));
  ring_store_relaxed(ring__word(w, w->staged) + 1, w->untold);
  ring__stage(w, RING__LOSS, RING__WORD);
  w->untold = 0;
}

/* Room at w->staged for a record with `length` bytes behind its fields, for a note of
 * losses before it, for the next word, and for `spare` bytes of an abort. */
static ring_status ring__reserve(ring_writer *w, uint64_t length, uint64_t spare) {
  uint64_t size = ring_record_size(&w->shape, 0, length), at = w->staged;
  if (size > w->shape.capacity / 4) return RING_TOO_LARGE;
  if (w->untold) at = ring__place(w, at, RING__NOTE) + RING__NOTE;
  at = ring__place(w, at, size);
  ring_status status = ring__make_room(w, at + size + RING__WORD + spare);
  if (status) return status;
  if (w->untold) ring__tell_loss(w);
  ring__pad(w, at);
  return RING_OK;
}

/* Fills in the optional fields; returns where the bytes go. */
static char *ring__fields(ring_writer *w) {
  uint64_t values[] = {w->current, w->time, w->tag};
  ring_word *field = ring__word(w, w->staged) + 1;
  for (int i = 0; i < 3; i++)
    if (w->shape.features >> i & 1) ring_store_relaxed(field++, values[i]);
  return (char *)field;
}

static char *ring__begin_record(ring_writer *w) {
  w->current = w->sequence++;
  return ring__fields(w);
}

void ring_writer_publish(ring_writer *w) {
  if (w->staged == w->written) return;
  ring_store_relaxed(ring__word(w, w->staged), 0);
  ring_store(ring__word(w, w->written), w->first_word);
  w->written = w->staged;
  ring_store_relaxed(&w->header->messages, w->sequence);
  ring_store(&w->header->written, w->written);
}

/* ------------------------------- whole messages ------------------------------- */

ring_status ring_writer_reserve(ring_writer *w, uint64_t size, void **data) {
  if (w->open || size > UINT32_MAX) return w->open ? RING_INVALID : RING_TOO_LARGE;
  ring_status status = ring__reserve(w, size, 0);
  w->reserved = !status;
  w->room = size;
  if (!status) *data = (char *)ring__word(w, w->staged) + RING__WORD + w->shape.fields;
  return status;
}

ring_status ring_writer_stage(ring_writer *w, uint64_t size) {
  if (!w->reserved || size > w->room) return RING_INVALID;
  w->reserved = false;
  ring__begin_record(w);
  ring__stage(w, 0, size);
  return RING_OK;
}

ring_status ring_writer_commit(ring_writer *w, uint64_t size) {
  ring_status status = ring_writer_stage(w, size);
  if (!status) ring_writer_publish(w);
  return status;
}

static bool ring__sum(const ring_part *parts, size_t count, uint64_t *size) {
  *size = 0;
  for (size_t i = 0; i < count; i++) {
    if (parts[i].size > UINT32_MAX - *size) return false;
    *size += parts[i].size;
  }
  return true;
}

ring_status ring_writer_try_send(ring_writer *w, const ring_part *parts, size_t count) {
  uint64_t size;
  if (w->open) return RING_INVALID;
  if (!ring__sum(parts, count, &size)) return RING_TOO_LARGE;
  ring_status status = ring__reserve(w, size, 0);
  if (status) return status;
  char *to = ring__begin_record(w);
  for (size_t i = 0; i < count; to += parts[i++].size)
    ring_copy_in(to, parts[i].data, parts[i].size, ring__overwrites(w));
  ring__stage(w, 0, size);
  ring_writer_publish(w);
  w->reserved = false;
  return RING_OK;
}

void ring_writer_drop(ring_writer *w) {
  w->sequence++;
  if (!ring__overwrites(w)) w->untold++; /* there the numbers tell */
  ring_store_relaxed(&w->header->dropped, ++w->dropped);
}

/* ------------------------------ in several pieces ------------------------------ */

ring_status ring_writer_begin(ring_writer *w, uint64_t total) {
  if (w->open) return RING_INVALID;
  w->open = true;
  w->begun = w->reserved = false;
  w->total = total;
  w->done = 0;
  return RING_OK;
}

/* How many of `size` bytes go into the next record. */
static uint64_t ring__fragment_size(const ring_writer *w, uint64_t size) {
  uint64_t most = ring_inline_most(w->shape.capacity, w->shape.features);
  if (!w->begun && size == w->total && size <= most) return size;
  most -= RING__WORD; /* for the total size */
  if (most > w->shape.capacity / 8) most = w->shape.capacity / 8;
  if (most > RING__FRAGMENT_MOST) most = RING__FRAGMENT_MOST;
  return size < most ? size : most;
}

static ring_status ring__send_fragment(ring_writer *w, const char *data,
                                       uint64_t size) {
  bool last = w->done + size == w->total;
  uint64_t head = w->begun || last ? 0 : RING__WORD;
  ring_status status = ring__reserve(w, head + size, last ? 0 : RING__WORD);
  if (status) return status;
  char *to = w->begun ? ring__fields(w) : ring__begin_record(w);
  if (head) ring_store_relaxed((ring_word *)to, w->total);
  ring_copy_in(to + head, data, (size_t)size, ring__overwrites(w));
  ring__stage(w, (w->begun ? RING__CONTINUED : 0) | (last ? 0 : RING__MORE),
              head + size);
  ring_writer_publish(w);
  w->begun = true;
  w->open = !last;
  w->done += size;
  return RING_OK;
}

ring_status ring_writer_append(ring_writer *w, const void *data, uint64_t size,
                               uint64_t *taken) {
  *taken = 0;
  if (!w->open || size > w->total - w->done || (!size && w->total)) return RING_INVALID;
  do {
    uint64_t piece = ring__fragment_size(w, size - *taken);
    ring_status status = ring__send_fragment(w, (const char *)data + *taken, piece);
    if (status) return status;
    *taken += piece;
  } while (*taken < size);
  return RING_OK;
}

void ring_writer_abandon(ring_writer *w) {
  if (w->open && w->begun) {
    ring__stage(w, RING__ABORT, 0);
    ring_writer_publish(w);
  }
  w->reserved = w->open = false;
}

/* ---------------------------------- waking ---------------------------------- */

uint32_t ring_writer_sleepers(ring_writer *w, uint32_t *indices, uint32_t most) {
  uint32_t count = 0;
  ring_fence_full();
  for (uint32_t i = 0; i < w->places && count < most; i++) {
    ring_peer *peer = &w->peers[i];
    if (!peer->control) continue;
    uint64_t ticket = ring_load_relaxed(&peer->control->waiting);
    if (!ticket || ticket == peer->woken) continue;
    peer->woken = ticket;
    indices[count++] = i;
    ring_count(&w->header->wakes);
  }
  return count;
}
