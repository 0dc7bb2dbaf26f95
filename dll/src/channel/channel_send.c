/* The writing side of a channel. */
#include "channel/channel.h"
#include "connection/framing.h"
#include "core/status.h"

enum {
  CHANNEL__WAKE_MOST = 64,
  CHANNEL__CHUNK_MOST = 1 << 18, /* of a long message; then its reader may begin */
  CHANNEL__OVERHEAD = 64,        /* of a record, at most */
  CHANNEL__FIRST_SLEEP_MS = 2    /* of a drain */
};

/* ---- the ring, which a publisher shares with its host ---- */

static void channel__lock(channel *ch) {
  if (ch->shared) AcquireSRWLockExclusive(&ch->lock);
}

static void channel__unlock(channel *ch) {
  if (ch->shared) ReleaseSRWLockExclusive(&ch->lock);
}

/* With the lock. A member that could not be woken because it is just leaving needs no
 * waking. */
static void channel__wake(channel *ch) {
  uint32_t sleepers[CHANNEL__WAKE_MOST], count;
  do {
    count = ring_writer_sleepers(&ch->out.ring, sleepers, CHANNEL__WAKE_MOST);
    for (uint32_t i = 0; i < count; i++) {
      const channel_member *m = ch->members[sleepers[i]];
      if (m && m->data) SetEvent(m->data);
    }
  } while (count == CHANNEL__WAKE_MOST);
}

static void channel__mark(channel *ch) {
  if (!(ch->options.fields & (WINIPC_FIELD_TIME | WINIPC_FIELD_TAG))) return;
  bool time = ch->options.fields & WINIPC_FIELD_TIME;
  ring_writer_mark(&ch->out.ring, time ? channel_now() : 0, ch->out.tag);
}

/* With the lock. Somebody has written into its control block what it never could have:
 * a pair is at its end, a publisher goes on without that subscriber. */
static winipc_status channel__corrupt(channel *ch) {
  channel_member *m = ch->members[ch->out.ring.culprit];
  winipc_status status =
      status_fail(WINIPC_E_CORRUPT, "the peer has broken the rules of the ring");
  ring_writer_dismiss(&ch->out.ring, ch->out.ring.culprit);
  if (m) watch_break(&m->watch);
  if (ch->shared) return WINIPC_OK;
  return channel_end(ch, status);
}

static bool channel__peer_gone(const channel *ch) {
  const channel_member *m = channel_only_member(ch);
  return m && m->watch.gone;
}

/* What the peer had sent before it went can still be received. */
static winipc_status channel__disconnected(channel *ch) {
  return ch->connection->out.broken = status_plain(WINIPC_E_DISCONNECTED);
}

/* ---- waiting for room ---- */

/* With the lock. */
static bool channel__has_room(channel *ch) {
  return channel__peer_gone(ch) || ring_writer_ready(&ch->out.ring);
}

static bool channel__spin_for_room(channel *ch, spin_turn *turn) {
  do {
    channel__lock(ch);
    bool ready = channel__has_room(ch);
    channel__unlock(ch);
    if (ready) return spin_hit(&ch->out.patience), true;
  } while (spin_again(turn));
  return false;
}

static bool channel__prepare_sleep(channel *ch) {
  channel__lock(ch);
  bool sleeps = ring_writer_prepare_wait(&ch->out.ring);
  channel__unlock(ch);
  return sleeps;
}

static void channel__end_sleep(channel *ch) {
  channel__lock(ch);
  ring_writer_end_wait(&ch->out.ring);
  channel__unlock(ch);
}

/* OK: look again. */
static winipc_status channel__await_room(channel *ch, const deadline *end) {
  spin_turn turn = spin_begin(&ch->out.patience, end);
  if (end->timeout_ms == WINIPC_NO_WAIT) return status_plain(WINIPC_E_TIMEOUT);
  if (channel__spin_for_room(ch, &turn) || !channel__prepare_sleep(ch))
    return WINIPC_OK;
  winipc_status status = waiters_wait(&ch->connection->waiters, ch->out.room, end);
  channel__end_sleep(ch);
  if (!status) spin_learn(&ch->out.patience, &turn);
  return status;
}

/* What a ring without room means to a message, by the channel's policy. OK: wait. */
static winipc_status channel__full(channel *ch) {
  if (ch->options.full == WINIPC_FULL_FAIL)
    return status_fail(WINIPC_E_WOULD_BLOCK, "the ring of the channel is full");
  return ch->options.full == WINIPC_FULL_DROP_NEWEST ? WINIPC_LOST : WINIPC_OK;
}

/* Tries until it is done, or may not wait any longer. `step` runs with the lock. */
typedef ring_status (*channel__step)(channel *ch, void *context);

static winipc_status channel__step_once(channel *ch, channel__step step, void *context,
                                        ring_status *result) {
  winipc_status status = WINIPC_OK;
  channel__lock(ch);
  *result = step(ch, context);
  if (*result == RING_CORRUPT) {
    status = channel__corrupt(ch);
    *result = RING_AGAIN;
  } else
    channel__wake(ch);
  channel__unlock(ch);
  return status;
}

/* One more try after the time is up: the ring may have had room all the while, but less
 * than a writer is woken for. */
static winipc_status channel__persist(channel *ch, channel__step step, void *context,
                                      const deadline *end) {
  ring_status result;
  for (winipc_status waited = WINIPC_OK;;) {
    if (channel__peer_gone(ch)) return channel__disconnected(ch);
    winipc_status status = channel__step_once(ch, step, context, &result);
    if (status || result == RING_OK) return status;
    if (result == RING_TOO_LARGE || result == RING_INVALID)
      return status_fail(WINIPC_E_MESSAGE_TOO_LARGE,
                         "more than a quarter of the ring in one piece");
    if (result != RING_WOULD_BLOCK) continue;
    status = channel__full(ch);
    if (status || waited) return status ? status : waited;
    waited = channel__await_room(ch, end);
    if (waited && waited != WINIPC_E_TIMEOUT) return waited;
  }
}

/* ---- messages in one piece ---- */

typedef struct channel__message {
  const winipc_part *parts;
  uint32_t count;
} channel__message;

_Static_assert(sizeof(winipc_part) == sizeof(ring_part), "the same two members");
_Static_assert(offsetof(winipc_part, size) == offsetof(ring_part, size), "as well");

static ring_status channel__try_send(channel *ch, void *context) {
  const channel__message *message = context;
  channel__mark(ch);
  return ring_writer_try_send(&ch->out.ring, (const ring_part *)message->parts,
                              message->count);
}

static void channel__drop(channel *ch) {
  channel__lock(ch);
  ring_writer_drop(&ch->out.ring);
  channel__unlock(ch);
}

/* ---- long ones, in several ---- */

typedef struct channel__piece {
  const char *data;
  size_t size;
  uint64_t taken;
} channel__piece;

static ring_status channel__try_append(channel *ch, void *context) {
  channel__piece *piece = context;
  ring_status status =
      ring_writer_append(&ch->out.ring, piece->data, piece->size, &piece->taken);
  piece->data += piece->taken;
  piece->size -= piece->taken;
  return status;
}

static size_t channel__chunk(const channel *ch) {
  uint64_t chunk = ch->out.ring.shape.capacity / 8 - CHANNEL__OVERHEAD;
  return chunk < CHANNEL__CHUNK_MOST ? (size_t)chunk : CHANNEL__CHUNK_MOST;
}

static winipc_status channel__append(channel *ch, const winipc_part *part,
                                     const deadline *end) {
  const char *data = part->data;
  size_t left = part->size, chunk = channel__chunk(ch);
  winipc_status status = WINIPC_OK;
  while (left && !status) {
    channel__piece piece = {data, left < chunk ? left : chunk, 0};
    data += piece.size;
    left -= piece.size;
    status = channel__persist(ch, channel__try_append, &piece, end);
  }
  return status;
}

/* What has begun and does not end is void for the readers; they count it as lost. */
static void channel__give_up(channel *ch, winipc_status why) {
  channel__lock(ch);
  bool begun = ch->out.ring.begun;
  ring_writer_abandon(&ch->out.ring);
  if (why == WINIPC_LOST && !begun) ring_writer_drop(&ch->out.ring);
  channel__wake(ch);
  channel__unlock(ch);
}

static winipc_status channel__send_long(channel *ch, const winipc_part *parts,
                                        uint32_t count, size_t total,
                                        const deadline *end) {
  channel__lock(ch);
  channel__mark(ch);
  ring_writer_begin(&ch->out.ring, total);
  channel__unlock(ch);
  winipc_status status = WINIPC_OK;
  for (uint32_t i = 0; i < count && !status; i++)
    status = channel__append(ch, &parts[i], end);
  if (status) channel__give_up(ch, status);
  return status;
}

/* ---- send ---- */

static winipc_status channel__may_send(const channel *ch) {
  if (!ch->sends)
    return status_fail(WINIPC_E_UNSUPPORTED, "this end of the channel only receives");
  if (ch->out.reserved)
    return status_fail(WINIPC_E_BUSY, "there is a reservation to commit or abandon");
  return WINIPC_OK;
}

static bool channel__is_long(const channel *ch, size_t size) {
  return size >
         ring_inline_most(ch->out.ring.shape.capacity, ch->out.ring.shape.features);
}

winipc_status channel_send(connection *c, const winipc_part *parts, uint32_t count,
                           const deadline *end) {
  channel *ch = c->state;
  size_t total;
  winipc_status status = channel__may_send(ch);
  if (!status) status = framing_total(c, parts, count, &total);
  if (status) return status;
  if (channel__is_long(ch, total))
    return channel__send_long(ch, parts, count, total, end);
  channel__message message = {parts, count};
  status = channel__persist(ch, channel__try_send, &message, end);
  if (status == WINIPC_LOST) channel__drop(ch);
  return status;
}

/* ---- several at once: staged, and published together ---- */

typedef struct channel__batch {
  const winipc_part *messages;
  uint32_t count, sent;
  uint32_t staged;
} channel__batch;

static ring_status channel__stage(channel *ch, const winipc_part *message) {
  void *room;
  ring_status status = ring_writer_reserve(&ch->out.ring, message->size, &room);
  if (status) return status;
  if (message->size) memcpy(room, message->data, message->size);
  return ring_writer_stage(&ch->out.ring, message->size);
}

/* All that there is room for. */
static ring_status channel__try_batch(channel *ch, void *context) {
  channel__batch *batch = context;
  ring_status status = RING_OK;
  channel__mark(ch);
  while (!status && batch->sent < batch->count &&
         !channel__is_long(ch, batch->messages[batch->sent].size)) {
    status = channel__stage(ch, &batch->messages[batch->sent]);
    if (!status) batch->sent++;
  }
  ring_writer_publish(&ch->out.ring);
  return status;
}

winipc_status channel_send_many(connection *c, const winipc_part *messages,
                                uint32_t count, uint32_t *sent, const deadline *end) {
  channel *ch = c->state;
  channel__batch batch = {.messages = messages, .count = count};
  size_t total;
  winipc_status status = channel__may_send(ch), news = WINIPC_OK;
  for (uint32_t i = 0; i < count && !status; i++)
    status = framing_total(c, &messages[i], 1, &total);
  while (status >= 0 && batch.sent < count) {
    status = channel__persist(ch, channel__try_batch, &batch, end);
    if (status < 0 || batch.sent == count) break;
    status = channel_send(c, &messages[batch.sent], 1, end); /* long, or to be lost */
    if (status > 0) news = status;
    batch.sent += status >= 0;
  }
  *sent = batch.sent;
  return status < 0 ? status : news;
}

/* ---- drain ---- */

static ring_status channel__try_drain(channel *ch, void *context) {
  (void)context;
  ring_writer_want_all(&ch->out.ring);
  return ring_writer_ready(&ch->out.ring) ? RING_OK : RING_WOULD_BLOCK;
}

/* The first sleep is short: see the orderings of the ring, 4. */
static winipc_status channel__await_drained(channel *ch, bool first,
                                            const deadline *end) {
  if (!first || deadline_left(end) <= CHANNEL__FIRST_SLEEP_MS)
    return channel__await_room(ch, end);
  deadline soon = *end, in = deadline_in(CHANNEL__FIRST_SLEEP_MS);
  soon.timeout_ms = in.timeout_ms;
  soon.end = in.end;
  winipc_status status = channel__await_room(ch, &soon);
  return status == WINIPC_E_TIMEOUT ? WINIPC_OK : status;
}

winipc_status channel_drain(connection *c, const deadline *end) {
  channel *ch = c->state;
  ring_status result;
  if (!ch->sends || ch->options.full == WINIPC_FULL_OVERWRITE_OLDEST)
    return status_fail(WINIPC_E_UNSUPPORTED,
                       "nobody tells the writer of this ring how far it was read");
  for (bool first = true;; first = false) {
    bool gone = channel__peer_gone(ch); /* it may have read everything before */
    winipc_status status = channel__step_once(ch, channel__try_drain, NULL, &result);
    if (status || result == RING_OK) return status;
    if (gone) return channel__disconnected(ch);
    if (result == RING_WOULD_BLOCK) status = channel__await_drained(ch, first, end);
    if (status) return status;
  }
}

/* ---- reservations ---- */

typedef struct channel__reservation {
  uint64_t size;
  void *data;
} channel__reservation;

static ring_status channel__try_reserve(channel *ch, void *context) {
  channel__reservation *r = context;
  return ring_writer_reserve(&ch->out.ring, r->size, &r->data);
}

/* A dropping channel has no room to build in a message that is going to be lost. */
static winipc_status channel__reserve(channel *ch, channel__reservation *r,
                                      const deadline *end) {
  winipc_status status = channel__may_send(ch);
  if (!status && r->size > ch->options.max_message)
    status = status_plain(WINIPC_E_MESSAGE_TOO_LARGE);
  if (!status) status = channel__persist(ch, channel__try_reserve, r, end);
  if (status == WINIPC_LOST) {
    channel__drop(ch);
    return status_fail(WINIPC_E_WOULD_BLOCK, "the ring of the channel is full");
  }
  if (!status) ch->out.reserved = true;
  return status;
}

/* The functions that are a channel's alone enter by these. */
static winipc_status channel__enter(winipc_connection *id, uint32_t timeout_ms,
                                    connection **c, deadline *end) {
  winipc_status status = connection_enter(id, true, timeout_ms, c, end);
  if (status || (*c)->transport == &channel_transport) return status;
  connection_leave(id, true);
  return status_fail(WINIPC_E_UNSUPPORTED, "the connection is no channel");
}

winipc_status WINIPC_CALL winipc_channel_reserve(winipc_connection *connection_id,
                                                 size_t size, uint32_t timeout_ms,
                                                 void **data) {
  connection *c;
  deadline end;
  channel__reservation r = {.size = size};
  if (!data) return status_fail(WINIPC_E_INVALID_ARGUMENT, "data is NULL");
  *data = NULL;
  winipc_status status = channel__enter(connection_id, timeout_ms, &c, &end);
  if (status) return status;
  status = channel__reserve(c->state, &r, &end);
  *data = r.data;
  connection_leave(connection_id, true);
  return status;
}

static winipc_status channel__commit(channel *ch, size_t size) {
  if (!ch->out.reserved)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "there is no reservation");
  channel__lock(ch);
  channel__mark(ch);
  ring_status result = ring_writer_commit(&ch->out.ring, size);
  if (!result) channel__wake(ch);
  channel__unlock(ch);
  if (result)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "more bytes than were reserved");
  ch->out.reserved = false;
  return channel__peer_gone(ch) ? channel__disconnected(ch) : WINIPC_OK;
}

winipc_status WINIPC_CALL winipc_channel_commit(winipc_connection *connection_id,
                                                size_t size) {
  connection *c;
  deadline end;
  winipc_status status = channel__enter(connection_id, WINIPC_NO_WAIT, &c, &end);
  if (status) return status;
  status = channel__commit(c->state, size);
  connection_leave(connection_id, true);
  return status;
}

static winipc_status channel__abandon(channel *ch) {
  if (!ch->out.reserved)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "there is no reservation");
  channel__lock(ch);
  ring_writer_abandon(&ch->out.ring);
  channel__unlock(ch);
  ch->out.reserved = false;
  return WINIPC_OK;
}

winipc_status WINIPC_CALL winipc_channel_abandon(winipc_connection *connection_id) {
  connection *c;
  deadline end;
  winipc_status status = channel__enter(connection_id, WINIPC_NO_WAIT, &c, &end);
  if (status) return status;
  status = channel__abandon(c->state);
  connection_leave(connection_id, true);
  return status;
}

winipc_status WINIPC_CALL winipc_channel_set_tag(winipc_connection *connection_id,
                                                 uint64_t tag) {
  connection *c;
  deadline end;
  winipc_status status = channel__enter(connection_id, WINIPC_NO_WAIT, &c, &end);
  if (status) return status;
  channel *ch = c->state;
  if (ch->sends && (ch->options.fields & WINIPC_FIELD_TAG))
    ch->out.tag = tag;
  else
    status = status_fail(WINIPC_E_UNSUPPORTED, "messages of this end have no tag");
  connection_leave(connection_id, true);
  return status;
}
