/* Joining a channel that somebody else hosts. */
#include "channel/channel.h"
#include "channel/meeting.h"
#include "core/platform.h"
#include "core/status.h"

/* The handles that the welcome tells of: the host, which was found to be whom we trust,
 * has put them into this process. */
typedef struct channel__gifts {
  HANDLE mine, theirs;
  HANDLE data, room, their_data, their_room;
} channel__gifts;

static channel__gifts channel__unpack(const meeting_welcome *w) {
  return (channel__gifts){
      (HANDLE)(uintptr_t)w->mine,       (HANDLE)(uintptr_t)w->theirs,
      (HANDLE)(uintptr_t)w->data,       (HANDLE)(uintptr_t)w->room,
      (HANDLE)(uintptr_t)w->their_data, (HANDLE)(uintptr_t)w->their_room,
  };
}

static void channel__close_gift(HANDLE *handle) {
  if (*handle) CloseHandle(*handle);
  *handle = NULL;
}

static void channel__take_event(HANDLE *place, HANDLE *gift) {
  *place = *gift;
  *gift = NULL;
}

static winipc_status channel__map(channel *ch, channel_member *m,
                                  const channel__gifts *g, const meeting_welcome *w) {
  winipc_status status =
      region_map(&ch->mine, g->mine, w->mine_size, true, &ch->options);
  if (status) return status;
  return region_map(&m->theirs, g->theirs, w->theirs_size, false, &ch->options);
}

static void channel__keep_gifts(channel *ch, channel_member *m, channel__gifts *g) {
  channel__close_gift(&g->mine); /* the views hold the sections */
  channel__close_gift(&g->theirs);
  channel__take_event(&ch->in.data, &g->data);
  channel__take_event(&ch->out.room, &g->room);
  channel__take_event(&m->data, &g->their_data);
  channel__take_event(&m->room, &g->their_room);
}

static bool channel__fit(uint32_t role, uint32_t host) {
  if (role == WINIPC_CHANNEL_SUBSCRIBER) return host == WINIPC_CHANNEL_PUBLISHER;
  if (role == WINIPC_CHANNEL_LANE) return host == WINIPC_CHANNEL_FUNNEL;
  return host == role;
}

static winipc_status channel__check_welcome(const channel *ch,
                                            const meeting_welcome *w) {
  if (!channel__fit(ch->options.role, w->role))
    return status_fail(WINIPC_E_CORRUPT, "the host of the channel has another role");
  if (!w->mine || !w->theirs || (ch->receives && !w->data) || (ch->sends && !w->room) ||
      (ch->sends && w->mine_size <= REGION_PAGE))
    return status_fail(WINIPC_E_CORRUPT, "the host did not give what it has to");
  return WINIPC_OK;
}

static winipc_status channel__set_up(channel *ch, channel_member *m,
                                     const meeting_welcome *w) {
  uint64_t ignored;
  winipc_status status = WINIPC_OK;
  if (ch->sends) status = channel_start_writing(ch);
  if (!status) status = channel_admit(ch, m, &ignored);
  if (!status && ch->receives)
    status = channel_start_reading(ch, m, &ch->mine, w->start);
  return status;
}

/* The handles are ours once we have said that we are ready, or when the host has gone
 * before. If we leave without a word, it takes them back. */
static winipc_status channel__meet(channel *ch, channel_member *m, HANDLE pipe,
                                   const deadline *end) {
  meeting_welcome w;
  uint64_t capacity = ch->sends ? ch->options.capacity : 0;
  winipc_status status =
      meeting_say_hello(pipe, ch->options.role, capacity, &w, NULL, end);
  if (status) return status;
  channel__gifts gifts = channel__unpack(&w);
  m->role = w.role;
  status = channel__check_welcome(ch, &w);
  if (!status) status = channel__map(ch, m, &gifts, &w);
  if (!status) status = channel__set_up(ch, m, &w);
  if (!status) status = pipe_peer(pipe, false, &m->peer);
  if (status) return status;
  channel_find_image(m->peer.pid, m->image, sizeof m->image);
  status = meeting_say_ready(pipe, NULL, end);
  if (!status || status == WINIPC_E_DISCONNECTED) channel__keep_gifts(ch, m, &gifts);
  return status;
}

winipc_status channel_join_pipe(HANDLE pipe, const winipc_channel_options *options,
                                const deadline *end, connection **c) {
  channel_member *m;
  winipc_status status = channel_new(options, c);
  if (status) return status;
  channel *ch = (*c)->state;
  status = channel_member_new(ch, WINIPC_CHANNEL_PAIR, &m);
  if (!status) {
    status = channel__meet(ch, m, pipe, end);
    if (!status) status = watch_start(&m->watch, pipe, NULL, channel_stir, m);
    if (status && ch->members[0]) channel_dismiss(ch, m);
    if (status) channel_member_free(m);
  }
  if (!status) return WINIPC_OK;
  channel_free(*c);
  return status;
}
