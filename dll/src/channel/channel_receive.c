/* The reading side of a channel. */
#include "channel/channel.h"
#include "core/status.h"
#include "core/structure.h"

/* What a look at a member came to. */
typedef enum channel__found {
  CHANNEL__NOTHING,
  CHANNEL__MESSAGE, /* in the ring, in one piece */
  CHANNEL__BEGUN,   /* the first fragment of one, in the ring */
  CHANNEL__WHOLE,   /* in m->partial */
  CHANNEL__BAD      /* the member has broken the rules */
} channel__found;

enum {
  CHANNEL__LOOKS = 64,  /* before the time is looked at, where it is not anyway */
  CHANNEL__TRIES = 1024 /* records without a message, before others get a turn */
};

/* ---- one member ---- */

static bool channel__ready(const channel_member *m) {
  return m->whole || m->watch.gone || ring_reader_ready(&m->in);
}

/* What was read is free again; its writer may wait for that. */
static void channel__wake_writer(channel_member *m) {
  if (ring_reader_wakes_writer(&m->in)) SetEvent(m->room);
}

static winipc_message_info channel__about(const channel_member *m,
                                          const ring_message *message) {
  return (winipc_message_info){
      .size = sizeof(winipc_message_info),
      .sender = m->peer.pid,
      .lost = message->lost,
      .sequence = message->sequence,
      .time = message->time,
      .tag = message->tag,
  };
}

static void channel__forget_partial(channel_member *m) {
  buffer_drop(&m->partial, buffer_size(&m->partial));
  m->whole = false;
}

/* A fragment whose beginning was lost for want of memory. */
static channel__found channel__skip(channel_member *m) {
  ring_reader_release(&m->in);
  channel__wake_writer(m);
  return CHANNEL__NOTHING;
}

/* Takes a fragment over into m->partial. */
static channel__found channel__absorb(channel_member *m, const ring_message *message) {
  if (message->offset != buffer_size(&m->partial)) channel__forget_partial(m);
  if (message->offset != buffer_size(&m->partial)) return channel__skip(m);
  char *room = buffer_room(&m->partial, (size_t)message->size);
  if (!room) return CHANNEL__BAD;
  memcpy(room, message->data, (size_t)message->size);
  winipc_message_info about = channel__about(m, message);
  ring_status status = ring_reader_release(&m->in);
  channel__wake_writer(m);
  if (status) return channel__forget_partial(m), CHANNEL__NOTHING; /* overrun */
  buffer_grow(&m->partial, (size_t)message->size);
  m->whole = !message->more;
  m->about = about;
  return m->whole ? CHANNEL__WHOLE : CHANNEL__NOTHING;
}

static channel__found channel__judge(const channel_member *m,
                                     const ring_message *message) {
  if (message->total > m->channel->options.max_message) {
    status_fail(WINIPC_E_MESSAGE_TOO_LARGE,
                "a message of %llu bytes of the peer is larger than max_message",
                (unsigned long long)message->total);
    return CHANNEL__BAD;
  }
  if (message->offset) return CHANNEL__NOTHING;
  return message->more ? CHANNEL__BEGUN : CHANNEL__MESSAGE;
}

/* Looks at what is next. The fragments after the first are taken over on the way. */
static channel__found channel__look(channel_member *m, ring_message *message) {
  for (int i = 0; i < CHANNEL__TRIES; i++) {
    if (m->whole) return CHANNEL__WHOLE;
    ring_status status = ring_reader_peek(&m->in, message);
    if (status == RING_EMPTY) {
      channel__wake_writer(m); /* padding was skipped */
      return CHANNEL__NOTHING;
    }
    if (status == RING_AGAIN) continue;
    if (status) {
      status_fail(WINIPC_E_CORRUPT, "the peer has broken the rules of the ring");
      return CHANNEL__BAD;
    }
    channel__found found = channel__judge(m, message);
    if (found) return found;
    found = channel__absorb(m, message);
    if (found) return found;
  }
  return CHANNEL__NOTHING;
}

/* ---- all members ---- */

/* A lane that has ended, or has broken the rules, and has nothing left to give. */
static void channel__retire(channel *ch, channel_member *m) {
  channel_dismiss(ch, m);
  channel_member_free(m);
}

/* Looks at the lanes in turn, beginning behind the one that was served last. A long
 * message is put together beside the others, so that a lane that stops in the midst of
 * one holds up nobody. */
static channel__found channel__look_at_lane(channel *ch, channel_member *m,
                                            ring_message *message) {
  bool gone = m->watch.gone;
  channel__found found = channel__look(m, message);
  for (int i = 0; found == CHANNEL__BEGUN && i < CHANNEL__TRIES; i++) {
    found = channel__absorb(m, message);
    if (!found) found = channel__look(m, message);
  }
  if (found == CHANNEL__BAD || (found == CHANNEL__NOTHING && gone)) {
    channel__retire(ch, m);
    return CHANNEL__NOTHING;
  }
  return found == CHANNEL__BEGUN ? CHANNEL__NOTHING : found;
}

static channel__found channel__look_at_lanes(channel *ch, channel_member **from,
                                             ring_message *message) {
  for (uint32_t i = 0; i < ch->most; i++) {
    uint32_t place = (ch->in.turn + i) % ch->most;
    channel_member *m = ch->members[place];
    channel__found found = m ? channel__look_at_lane(ch, m, message) : CHANNEL__NOTHING;
    if (!found) continue;
    ch->in.turn = place + 1;
    *from = m;
    return found;
  }
  return CHANNEL__NOTHING;
}

static channel__found channel__look_at_all(channel *ch, channel_member **from,
                                           ring_message *message) {
  *from = channel_only_member(ch);
  return *from ? channel__look(*from, message)
               : channel__look_at_lanes(ch, from, message);
}

/* ---- waiting ---- */

static bool channel__any_ready(const channel *ch) {
  for (uint32_t i = 0; i < ch->most; i++) {
    const channel_member *m = ch->members[i];
    if (m && channel__ready(m)) return true;
  }
  return false;
}

static void channel__end_sleep(channel *ch, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    if (ch->members[i]) ring_reader_end_wait(&ch->members[i]->in);
}

/* True: all members know that we sleep. A member that is new from now on sets the event
 * itself. */
static bool channel__prepare_sleep(channel *ch) {
  for (uint32_t i = 0; i < ch->most; i++) {
    channel_member *m = ch->members[i];
    if (!m || (!channel__ready(m) && ring_reader_prepare_wait(&m->in))) {
      if (m) channel__wake_writer(m);
      continue;
    }
    channel__end_sleep(ch, i);
    return false;
  }
  return true;
}

/* OK: look again. */
static winipc_status channel__await_data(channel *ch, const deadline *end) {
  spin_turn turn = spin_begin(&ch->in.patience, end);
  if (end->timeout_ms == WINIPC_NO_WAIT) return status_plain(WINIPC_E_TIMEOUT);
  do {
    if (channel__any_ready(ch)) return spin_hit(&ch->in.patience), WINIPC_OK;
  } while (spin_again(&turn));
  if (!channel__prepare_sleep(ch)) return WINIPC_OK;
  winipc_status status = waiters_wait(&ch->connection->waiters, ch->in.data, end);
  channel__end_sleep(ch, ch->most);
  if (!status) spin_learn(&ch->in.patience, &turn);
  return status;
}

static winipc_status channel__bad(channel *ch, channel_member *m) {
  const thread_slot *slot = thread_slot_peek();
  watch_break(&m->watch);
  return channel_end(ch, slot ? slot->error.status : WINIPC_E_CORRUPT);
}

/* Looks that come to nothing although there is always something, since its writer
 * overwrites it each time or sends what is no message, end with the time of the call.
 */
static winipc_status channel__in_time(channel *ch, const deadline *end) {
  if (++ch->in.looks % CHANNEL__LOOKS || !deadline_is_over(end)) return WINIPC_OK;
  return waiters_wait(&ch->connection->waiters, ch->in.data, end);
}

/* Waits until there is a message, or the beginning of one. `gone` is looked at before
 * the ring: whatever was sent before the end is given out before the end is told. */
static winipc_status channel__await(channel *ch, channel_member **from,
                                    ring_message *message, channel__found *found,
                                    const deadline *end) {
  for (;;) {
    const channel_member *only = channel_only_member(ch);
    bool gone = only && only->watch.gone;
    winipc_status status = channel__in_time(ch, end);
    if (status) return status;
    *found = channel__look_at_all(ch, from, message);
    if (*found == CHANNEL__BAD) return channel__bad(ch, *from);
    if (*found) return WINIPC_OK;
    if (gone) return status_plain(channel_end(ch, WINIPC_E_DISCONNECTED));
    status = channel__await_data(ch, end);
    if (status) return status;
  }
}

/* ---- giving out ---- */

static winipc_status channel__news(channel *ch, const winipc_message_info *about) {
  ch->in.about = *about;
  return about->lost ? WINIPC_LOST : WINIPC_OK;
}

static winipc_status channel__too_large(void) {
  return status_fail(WINIPC_E_MESSAGE_TOO_LARGE,
                     "the message is larger than the buffer");
}

/* Internal: the message has vanished under our hands; wait for the next. */
enum { CHANNEL__VANISHED = 1000 };

static winipc_status channel__give_message(channel *ch, channel_member *m,
                                           const ring_message *message, void *data) {
  winipc_message_info about = channel__about(m, message);
  ring_copy_out(data, message->data, (size_t)message->size, true);
  ring_status status = ring_reader_release(&m->in);
  channel__wake_writer(m);
  return status ? CHANNEL__VANISHED : channel__news(ch, &about);
}

static winipc_status channel__give_whole(channel *ch, channel_member *m, void *data,
                                         size_t capacity, size_t *size) {
  *size = buffer_take(&m->partial, data, capacity);
  winipc_status news = channel__news(ch, &m->about);
  if (buffer_size(&m->partial)) return WINIPC_MORE;
  m->whole = false;
  m->about.lost = 0;
  return news;
}

/* The fragment that goes on at `done`. CHANNEL__VANISHED: its writer has given it up,
 * or it was overwritten. */
static winipc_status channel__next_fragment(channel *ch, channel_member *m,
                                            ring_message *message, size_t done,
                                            const deadline *end) {
  for (;;) {
    bool gone = m->watch.gone;
    ring_status status = ring_reader_peek(&m->in, message);
    if (!status) return message->offset == done ? WINIPC_OK : CHANNEL__VANISHED;
    if (status != RING_EMPTY && status != RING_AGAIN)
      return CHANNEL__VANISHED; /* the next look tells why */
    if (gone && status == RING_EMPTY)
      return status_plain(channel_end(ch, WINIPC_E_DISCONNECTED));
    winipc_status waited =
        status == RING_AGAIN ? channel__in_time(ch, end) : channel__await_data(ch, end);
    if (waited) return waited;
  }
}

/* What came of a message when the time ran out is kept; the next look goes on there. */
static winipc_status channel__keep(channel_member *m, const char *data, size_t done,
                                   winipc_status why) {
  channel__forget_partial(m);
  return buffer_append(&m->partial, data, done) ? WINIPC_E_OUT_OF_MEMORY : why;
}

/* A long message straight into the caller's buffer, fragment by fragment. */
static winipc_status channel__give_long(channel *ch, channel_member *m,
                                        ring_message *message, char *data, size_t *size,
                                        const deadline *end) {
  winipc_message_info about = channel__about(m, message);
  size_t done = 0, total = (size_t)message->total;
  for (;;) {
    memcpy(data + done, message->data, (size_t)message->size);
    ring_status released = ring_reader_release(&m->in);
    channel__wake_writer(m);
    if (released) return CHANNEL__VANISHED;
    done += (size_t)message->size;
    if (done == total) break;
    winipc_status status = channel__next_fragment(ch, m, message, done, end);
    if (status == CHANNEL__VANISHED) return status;
    if (status) return channel__keep(m, data, done, status);
  }
  *size = total;
  return channel__news(ch, &about);
}

static size_t channel__size(const channel_member *m, channel__found found,
                            const ring_message *message) {
  return found == CHANNEL__WHOLE ? buffer_size(&m->partial) : (size_t)message->total;
}

static winipc_status channel__give(channel *ch, channel_member *m, channel__found found,
                                   ring_message *message, void *data, size_t capacity,
                                   size_t *size, bool part, const deadline *end) {
  *size = channel__size(m, found, message);
  bool fits = *size <= capacity;
  if (!fits && !part) return channel__too_large();
  if (found == CHANNEL__WHOLE) return channel__give_whole(ch, m, data, capacity, size);
  if (fits && found == CHANNEL__MESSAGE)
    return channel__give_message(ch, m, message, data);
  if (fits) return channel__give_long(ch, m, message, data, size, end);
  channel__absorb(m, message); /* it goes out in parts from there, once it is whole */
  return CHANNEL__VANISHED;
}

/* ---- the verbs ---- */

static winipc_status channel__may_receive(channel *ch) {
  if (!ch->receives)
    return status_fail(WINIPC_E_UNSUPPORTED, "this end of the channel only sends");
  if (ch->in.loan)
    return status_fail(WINIPC_E_BUSY, "there is a peeked message to release");
  if (ch->in.armed) channel__end_sleep(ch, ch->most);
  ch->in.armed = false;
  ch->in.looks = 0;
  return WINIPC_OK;
}

winipc_status channel_receive(connection *c, void *data, size_t capacity, size_t *size,
                              bool part, const deadline *end) {
  channel *ch = c->state;
  channel_member *m;
  ring_message message;
  channel__found found;
  winipc_status status = channel__may_receive(ch);
  if (status) return status;
  do {
    status = channel__await(ch, &m, &message, &found, end);
    if (status) return *size = 0, status;
    status = channel__give(ch, m, found, &message, data, capacity, size, part, end);
  } while (status == CHANNEL__VANISHED);
  if (status < 0 && status != WINIPC_E_MESSAGE_TOO_LARGE) *size = 0;
  return status;
}

/* A NUL goes behind it. */
static winipc_status channel__give_new(channel *ch, channel_member *m,
                                       channel__found found, ring_message *message,
                                       void **data, size_t *size, const deadline *end) {
  size_t capacity = channel__size(m, found, message);
  *data = malloc(capacity + 1);
  if (!*data) return status_no_memory();
  winipc_status status =
      channel__give(ch, m, found, message, *data, capacity, size, false, end);
  if (status >= 0 && status != CHANNEL__VANISHED) {
    ((char *)*data)[*size] = 0;
    return status;
  }
  free(*data);
  *data = NULL;
  return status;
}

winipc_status channel_receive_alloc(connection *c, void **data, size_t *size,
                                    const deadline *end) {
  channel *ch = c->state;
  channel_member *m;
  ring_message message;
  channel__found found;
  winipc_status status = channel__may_receive(ch);
  if (status) return status;
  do {
    status = channel__await(ch, &m, &message, &found, end);
    if (status) return status;
    status = channel__give_new(ch, m, found, &message, data, size, end);
  } while (status == CHANNEL__VANISHED);
  return status;
}

winipc_status channel_peek(connection *c, void *data, size_t capacity,
                           transport_view *view) {
  channel *ch = c->state;
  channel_member *m;
  ring_message message;
  winipc_status status = channel__may_receive(ch);
  if (status) return status;
  const channel_member *only = channel_only_member(ch);
  bool gone = only && only->watch.gone;
  channel__found found = channel__look_at_all(ch, &m, &message);
  if (found == CHANNEL__BAD) return channel__bad(ch, m);
  if (!found) return gone ? status_plain(WINIPC_E_DISCONNECTED) : WINIPC_OK;
  bool whole = found == CHANNEL__WHOLE;
  const void *from = whole ? buffer_data(&m->partial) : message.data;
  size_t there = whole ? buffer_size(&m->partial) : (size_t)message.size;
  view->copied = there < capacity ? there : capacity;
  if (view->copied) memcpy(data, from, view->copied);
  view->message = channel__size(m, found, &message);
  view->available = there;
  view->waiting = true;
  return WINIPC_OK;
}

winipc_status channel_arm(connection *c, HANDLE *handle) {
  channel *ch = c->state;
  winipc_status status = channel__may_receive(ch);
  if (status) return status;
  if (channel__any_ready(ch) || !channel__prepare_sleep(ch)) return WINIPC_READY;
  ch->in.armed = true;
  *handle = ch->in.data;
  return WINIPC_OK;
}

/* ---- loans ---- */

static winipc_status channel__enter(winipc_connection *id, uint32_t timeout_ms,
                                    connection **c, deadline *end) {
  winipc_status status = connection_enter(id, false, timeout_ms, c, end);
  if (status || (*c)->transport == &channel_transport) return status;
  connection_leave(id, false);
  return status_fail(WINIPC_E_UNSUPPORTED, "the connection is no channel");
}

/* A message of several fragments is put together first. */
static winipc_status channel__borrow(channel *ch, const deadline *end) {
  channel_member *m;
  ring_message message;
  channel__found found;
  for (;;) {
    winipc_status status = channel__await(ch, &m, &message, &found, end);
    if (status) return status;
    if (found != CHANNEL__BEGUN) break;
    channel__absorb(m, &message);
  }
  ch->in.loan = m;
  ch->in.about = found == CHANNEL__WHOLE ? m->about : channel__about(m, &message);
  return ch->in.about.lost ? WINIPC_LOST : WINIPC_OK;
}

static void channel__lend(const channel_member *m, const void **data, size_t *size) {
  *data = m->whole ? buffer_data(&m->partial) : m->in.peeked.data;
  *size = m->whole ? buffer_size(&m->partial) : (size_t)m->in.peeked.size;
}

winipc_status WINIPC_CALL winipc_channel_peek(winipc_connection *connection_id,
                                              uint32_t timeout_ms, const void **data,
                                              size_t *size) {
  connection *c;
  deadline end;
  if (!data || !size)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "data or size is NULL");
  *data = NULL;
  *size = 0;
  winipc_status status = channel__enter(connection_id, timeout_ms, &c, &end);
  if (status) return status;
  channel *ch = c->state;
  if (!ch->in.loan) {
    status = channel__may_receive(ch);
    if (!status) status = channel__borrow(ch, &end);
  }
  if (status >= 0 && ch->in.loan) channel__lend(ch->in.loan, data, size);
  connection_leave(connection_id, false);
  return status;
}

static winipc_status channel__release(channel *ch) {
  channel_member *m = ch->in.loan;
  if (!m) return status_fail(WINIPC_E_INVALID_ARGUMENT, "there is no peeked message");
  ch->in.loan = NULL;
  if (m->whole) return channel__forget_partial(m), WINIPC_OK;
  ring_status status = ring_reader_release(&m->in);
  channel__wake_writer(m);
  return status ? status_plain(WINIPC_E_OVERRUN) : WINIPC_OK;
}

winipc_status WINIPC_CALL winipc_channel_release(winipc_connection *connection_id) {
  connection *c;
  deadline end;
  winipc_status status = channel__enter(connection_id, WINIPC_NO_WAIT, &c, &end);
  if (status) return status;
  status = channel__release(c->state);
  connection_leave(connection_id, false);
  return status;
}

/* Not by connection_enter: it is told even when the connection has come to its end. */
winipc_status WINIPC_CALL winipc_channel_received(winipc_connection *connection_id,
                                                  winipc_message_info *info) {
  connection *c;
  winipc_status status = handle_enter(connection_id, &connection_class, HANDLE_IN, &c);
  if (status == WINIPC_E_BUSY)
    return status_fail(status, "another thread is receiving on this connection");
  if (status) return status;
  if (c->transport == &channel_transport) {
    winipc_message_info about = ((channel *)c->state)->in.about;
    about.size = sizeof about;
    status = structure_write(info, &about, sizeof about);
  } else
    status = status_fail(WINIPC_E_UNSUPPORTED, "the connection is no channel");
  handle_leave(connection_id, HANDLE_IN);
  return status;
}
