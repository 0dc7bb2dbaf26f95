#include "channel/channel.h"

#include "core/status.h"
#include "core/structure.h"

uint64_t channel_now(void) {
  FILETIME now;
  GetSystemTimePreciseAsFileTime(&now);
  return (uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime;
}

/* ---- making ---- */

winipc_status channel_make_events(channel *ch) {
  if (ch->sends) ch->out.room = CreateEventW(NULL, FALSE, FALSE, NULL);
  if (ch->sends && !ch->out.room) return status_from_last("CreateEventW");
  if (ch->receives) ch->in.data = CreateEventW(NULL, FALSE, FALSE, NULL);
  if (ch->receives && !ch->in.data) return status_from_last("CreateEventW");
  return WINIPC_OK;
}

static winipc_status channel__prepare(channel *ch, const winipc_channel_options *o) {
  ch->options = *o;
  ch->options.sddl = ch->options.server_user = NULL; /* the caller's */
  ch->since = channel_now();
  ch->sends = channel_role_sends(o->role);
  ch->receives = channel_role_receives(o->role);
  ch->shared = o->role == WINIPC_CHANNEL_PUBLISHER;
  ch->most = channel_role_hosts_many(o->role) ? o->max_peers : 1;
  ch->members = calloc(ch->most, sizeof *ch->members);
  ch->out.places = calloc(ch->most, sizeof *ch->out.places);
  if (!ch->members || !ch->out.places) return status_no_memory();
  spin_init(&ch->in.patience, o->spin_us);
  spin_init(&ch->out.patience, o->spin_us);
  return WINIPC_OK;
}

static void channel__free(channel *ch) {
  region_unmap(&ch->mine);
  if (ch->out.room) CloseHandle(ch->out.room);
  if (ch->in.data) CloseHandle(ch->in.data);
  if (ch->section) CloseHandle(ch->section);
  free((void *)(uintptr_t)ch->members);
  free(ch->out.places);
  free(ch);
}

winipc_status channel_new(const winipc_channel_options *options, connection **out) {
  connection *c;
  winipc_connection_options known = {sizeof known, WINIPC_FRAMING_MESSAGE,
                                     options->max_message};
  winipc_status status = connection_new(&channel_transport, &known, &c);
  if (status) return status;
  channel *ch = c->state = calloc(1, sizeof *ch);
  status = ch ? channel__prepare(ch, options) : status_no_memory();
  if (status) {
    if (ch) channel__free(ch);
    connection_discard(c);
    return status;
  }
  ch->connection = c;
  c->overlapped = true;
  *out = c;
  return WINIPC_OK;
}

/* ---- members ---- */

winipc_status channel_member_new(channel *ch, uint32_t role, channel_member **out) {
  channel_member *m = calloc(1, sizeof *m);
  if (!m) return status_no_memory();
  m->channel = ch;
  m->role = role;
  m->since = channel_now();
  m->reads = ch->sends;
  m->writes = ch->receives;
  *out = m;
  return WINIPC_OK;
}

void channel_member_free(channel_member *m) {
  watch_stop(&m->watch);
  region_unmap(&m->mine);
  region_unmap(&m->theirs);
  if (m->data) CloseHandle(m->data);
  if (m->room) CloseHandle(m->room);
  buffer_free(&m->partial);
  free(m);
}

winipc_status channel_start_writing(channel *ch) {
  uint64_t features = ch->options.fields;
  if (ch->options.full == WINIPC_FULL_OVERWRITE_OLDEST) features |= RING_OVERWRITE;
  if (ring_writer_init(&ch->out.ring, region_ring(&ch->mine),
                       region_ring_size(&ch->mine), features, ch->out.places, ch->most))
    return status_fail(WINIPC_E_CORRUPT, "the memory of the channel is no ring");
  return WINIPC_OK;
}

static bool channel__find_place(const channel *ch, uint32_t *place) {
  for (*place = 0; *place < ch->most; ++*place)
    if (!ch->members[*place]) return true;
  return false;
}

/* Where a hostile reader said that it had detached, the ring's place is free though its
 * member is still there. */
static bool channel__admit_to_ring(channel *ch, channel_member *m, uint64_t *start) {
  if (ring_writer_admit(&ch->out.ring, region_control(&m->theirs), &m->place, start))
    return false;
  if (!ch->members[m->place]) return true;
  ring_writer_dismiss(&ch->out.ring, m->place);
  return false;
}

bool channel_is_full(channel *ch) {
  uint32_t place;
  AcquireSRWLockShared(&ch->lock);
  bool found = channel__find_place(ch, &place);
  ReleaseSRWLockShared(&ch->lock);
  return !found;
}

winipc_status channel_admit(channel *ch, channel_member *m, uint64_t *start) {
  *start = 0;
  AcquireSRWLockExclusive(&ch->lock);
  bool found = channel__find_place(ch, &m->place);
  if (found && m->reads) found = channel__admit_to_ring(ch, m, start);
  if (found) InterlockedExchangePointer((PVOID volatile *)&ch->members[m->place], m);
  ReleaseSRWLockExclusive(&ch->lock);
  return found ? WINIPC_OK
               : status_fail(WINIPC_E_BUSY, "the channel has all the peers it takes");
}

void channel_dismiss(channel *ch, channel_member *m) {
  AcquireSRWLockExclusive(&ch->lock);
  if (m->reads) ring_writer_dismiss(&ch->out.ring, m->place);
  InterlockedExchangePointer((PVOID volatile *)&ch->members[m->place], NULL);
  ReleaseSRWLockExclusive(&ch->lock);
}

winipc_status channel_start_reading(channel *ch, channel_member *m, region *control,
                                    uint64_t start) {
  if (!region_has_ring(&m->theirs))
    return status_fail(WINIPC_E_CORRUPT, "the peer has no ring to read");
  const ring_header *header = region_ring(&m->theirs);
  uint64_t magic = ring_load(&header->magic), layout = ring_load(&header->layout);
  if (magic == RING_DATA_MAGIC && layout != RING_DATA_LAYOUT)
    return status_fail(WINIPC_E_VERSION, "the peer's ring has another layout");
  /* Nobody has kept a place in a ring that overwrites: what counts is when we look. */
  if (m->role == WINIPC_CHANNEL_PUBLISHER &&
      (ring_load(&header->features) & RING_OVERWRITE))
    start = ch->options.from_oldest ? RING_OLDEST : RING_NOW;
  if (ring_reader_attach(&m->in, header, region_ring_size(&m->theirs),
                         region_control(control), start))
    return status_fail(WINIPC_E_CORRUPT, "the peer's memory is no ring");
  return WINIPC_OK;
}

/* ---- ending ---- */

/* The sender may wait for just that subscriber, and the host's thread be busy with a
 * newcomer. */
static void channel__stop_waiting_for(channel *ch, const channel_member *m) {
  AcquireSRWLockExclusive(&ch->lock);
  if (m->watch.gone && ch->members[m->place] == m)
    ring_writer_dismiss(&ch->out.ring, m->place);
  ReleaseSRWLockExclusive(&ch->lock);
}

void channel_stir(void *member) {
  channel_member *m = member;
  channel *ch = m->channel;
  if (ch->shared) channel__stop_waiting_for(ch, m);
  if (ch->host) channel_host_reap(ch->host);
  if (ch->out.room) SetEvent(ch->out.room);
  if (ch->in.data) SetEvent(ch->in.data);
}

winipc_status channel_end(channel *ch, winipc_status why) {
  ch->connection->in.broken = ch->connection->out.broken = why;
  return status_error(why);
}

static void channel__abort(connection *c) {
  channel *ch = c->state;
  AcquireSRWLockShared(&ch->lock);
  for (uint32_t i = 0; i < ch->most; i++)
    if (ch->members[i]) watch_break(&ch->members[i]->watch);
  ReleaseSRWLockShared(&ch->lock);
}

static void channel__close(connection *c, bool detach) {
  channel *ch = c->state;
  (void)detach;
  if (ch->host && ch->owns_host) channel_host_stop(ch->host);
  if (ch->host) channel_host_forget(ch->host, ch);
  for (uint32_t i = 0; i < ch->most; i++)
    if (ch->members[i]) channel_member_free(ch->members[i]);
  if (ch->host) channel_host_release(ch->host);
  channel__free(ch);
}

void channel_free(connection *c) {
  channel__close(c, false);
  connection_discard(c);
}

static HANDLE channel__native(connection *c) {
  const channel *ch = c->state;
  return ch->in.data ? ch->in.data : ch->out.room;
}

static winipc_status channel__peer(connection *c, winipc_peer *peer) {
  const channel_member *m = channel_only_member(c->state);
  if (!m)
    return status_fail(WINIPC_E_UNSUPPORTED,
                       "the channel may have several peers: winipc_channel_inspect");
  *peer = m->peer;
  return WINIPC_OK;
}

const transport channel_transport = {
    .send = channel_send,
    .send_many = channel_send_many,
    .receive = channel_receive,
    .receive_alloc = channel_receive_alloc,
    .arm = channel_arm,
    .peer = channel__peer,
    .peek = channel_peek,
    .drain = channel_drain,
    .abort = channel__abort,
    .native = channel__native,
    .close = channel__close,
};
