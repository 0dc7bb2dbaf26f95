/* Hosting a channel: a thread that meets whoever comes to the name.
 *
 * It makes a pair for each (of a listener), or gives the peer to the one channel that
 * it works for (a publisher's, a funnel's). It makes all memory and events, and puts
 * handles of them into the peer's process. It also tells those who only look. */
#include "channel/channel.h"
#include "channel/meeting.h"
#include "core/platform.h"
#include "core/status.h"
#include "core/text.h"
#include "core/worker.h"

enum {
  CHANNEL__BACKLOG = 64,  /* pairs that wait for accept */
  CHANNEL__PAUSE_MS = 50, /* after the system failed us */
  CHANNEL__PIPE_BUFFER = 4096
};

struct channel_host {
  volatile LONG references; /* its owner, and each pair that came from it */
  pipe_server *server;
  HANDLE guard; /* see channel__guard */
  winipc_channel_options options;
  bool one_only; /* a single pair */
  bool patient;  /* the peer may let us wait for its hello: it has yet to be started */
  channel *channel; /* of a publisher or funnel */
  worker *thread;
  waiters waiters; /* of the thread, between two visits: it can be called to reap */
  waiters meeting; /* of the thread, while somebody is there */
  volatile LONG closing;
  SRWLOCK lock;
  channel *pairs; /* all that live */
  connection *ready[CHANNEL__BACKLOG];
  uint32_t ready_count;
  HANDLE ready_event; /* auto-reset */
  uint32_t met;
  volatile winipc_status failed; /* why nobody will come any more */
};

/* ---- what a peer gets ---- */

typedef struct channel__visit {
  channel_host *host;
  HANDLE pipe;
  meeting_hello hello;
  DWORD pid;
  deadline end;
  channel *channel;
  connection *made; /* of a new pair */
  channel_member *member;
  HANDLE mine, theirs; /* sections, from the peer's point of view */
} channel__visit;

static uint32_t channel__role_of_guest(uint32_t host) {
  if (host == WINIPC_CHANNEL_PUBLISHER) return WINIPC_CHANNEL_SUBSCRIBER;
  return host == WINIPC_CHANNEL_FUNNEL ? WINIPC_CHANNEL_LANE : WINIPC_CHANNEL_PAIR;
}

static uint64_t channel__power_of_two(uint64_t size) {
  uint64_t power = RING_CAPACITY_LEAST;
  while (power < size) power *= 2;
  return power;
}

static winipc_status channel__guest_capacity(const channel__visit *v,
                                             uint64_t *capacity) {
  uint64_t wanted = v->hello.capacity;
  *capacity = 0;
  if (!channel_role_sends(v->hello.role)) return WINIPC_OK;
  if (wanted > v->host->options.capacity_limit)
    return status_fail(WINIPC_E_LIMIT, "a peer wants a ring of %llu bytes",
                       (unsigned long long)wanted);
  *capacity = channel__power_of_two(wanted);
  return WINIPC_OK;
}

/* The memory that the peer writes; we only look at it. */
static winipc_status channel__make_theirs(channel__visit *v) {
  uint64_t capacity;
  winipc_status status = channel__guest_capacity(v, &capacity);
  if (status) return status;
  return region_create(&v->member->theirs, region_size(capacity), false,
                       &v->host->options, &v->mine);
}

/* The memory that we write: a pair's with its ring, for a lane a page. A publisher's
 * has been there all the time. */
static winipc_status channel__make_mine(channel__visit *v) {
  channel *ch = v->channel;
  if (ch->options.role == WINIPC_CHANNEL_FUNNEL)
    return region_create(&v->member->mine, region_size(0), true, &v->host->options,
                         &v->theirs);
  if (ch->options.role == WINIPC_CHANNEL_PAIR) {
    winipc_status status = region_create(&ch->mine, region_size(ch->options.capacity),
                                         true, &v->host->options, &v->theirs);
    return status ? status : channel_start_writing(ch);
  }
  if (DuplicateHandle(GetCurrentProcess(), ch->section, GetCurrentProcess(), &v->theirs,
                      0, FALSE, DUPLICATE_SAME_ACCESS))
    return WINIPC_OK;
  return status_from_last("DuplicateHandle");
}

/* Events to wake the peer by; the channel's own are there. */
static winipc_status channel__make_its_events(channel_member *m) {
  if (m->reads) m->data = CreateEventW(NULL, FALSE, FALSE, NULL);
  if (m->reads && !m->data) return status_from_last("CreateEventW");
  if (m->writes) m->room = CreateEventW(NULL, FALSE, FALSE, NULL);
  if (m->writes && !m->room) return status_from_last("CreateEventW");
  return WINIPC_OK;
}

static void channel__refuse(channel__visit *v, winipc_status why) {
  meeting_refuse(v->pipe, why, v->host->options.role, &v->host->meeting, &v->end);
}

static winipc_status channel__make_pair(channel__visit *v) {
  winipc_status status = channel_new(&v->host->options, &v->made);
  if (status) return status;
  v->channel = v->made->state;
  v->made->server = true;
  return channel_make_events(v->channel);
}

static winipc_status channel__make_member(channel__visit *v) {
  winipc_status status = WINIPC_OK;
  if (!v->host->channel) status = channel__make_pair(v);
  if (!status) status = channel_member_new(v->channel, v->hello.role, &v->member);
  if (!status) status = pipe_peer(v->pipe, true, &v->member->peer);
  if (status) return status;
  v->member->peer.pid = v->pid;
  channel_find_image(v->pid, v->member->image, sizeof v->member->image);
  status = channel__make_theirs(v);
  if (!status) status = channel__make_mine(v);
  return status ? status : channel__make_its_events(v->member);
}

/* With no more rights than the peer needs. Its own events it also sets itself, when it
 * notices that we have gone. */
static winipc_status channel__pack(const channel__visit *v, handout *h,
                                   meeting_welcome *w) {
  const DWORD look = SECTION_MAP_READ | SECTION_QUERY, write = look | SECTION_MAP_WRITE;
  const DWORD own = SYNCHRONIZE | EVENT_MODIFY_STATE, wake = EVENT_MODIFY_STATE;
  const channel_member *m = v->member;
  winipc_status status = handout_begin(h, v->pid);
  handout_put(h, v->mine, write, &w->mine, &status);
  handout_put(h, v->theirs, look, &w->theirs, &status);
  handout_put(h, m->data, own, &w->data, &status);
  handout_put(h, m->room, own, &w->room, &status);
  handout_put(h, v->channel->in.data, wake, &w->their_data, &status);
  handout_put(h, v->channel->out.room, wake, &w->their_room, &status);
  w->role = v->host->options.role;
  w->mine_size = m->theirs.size;
  w->theirs_size = m->mine.base ? m->mine.size : v->channel->mine.size;
  return status;
}

/* ---- one visit ---- */

/* The kernel knows the process; but where the other end was opened by us to be handed
 * on, it knows ours, and who has it says who it is. */
static winipc_status channel__find_pid(channel__visit *v) {
  ULONG pid;
  if (!GetNamedPipeClientProcessId(v->pipe, &pid))
    return status_from_last("GetNamedPipeClientProcessId");
  v->pid = v->host->patient && pid == GetCurrentProcessId() ? v->hello.pid : pid;
  return WINIPC_OK;
}

static winipc_status channel__may_come(const channel__visit *v) {
  const channel_host *h = v->host;
  if (h->channel && h->channel->connection->out.broken)
    return status_fail(WINIPC_E_DISCONNECTED, "the channel has been aborted");
  if (v->hello.role != channel__role_of_guest(h->options.role))
    return status_fail(WINIPC_E_UNSUPPORTED, "a peer wants another role");
  if ((h->one_only && h->met) || (!h->channel && h->ready_count == CHANNEL__BACKLOG) ||
      (h->channel && channel_is_full(h->channel)))
    return status_fail(WINIPC_E_BUSY, "the channel has all the peers it takes");
  return WINIPC_OK;
}

/* From the welcome on the handles are the peer's, which may have closed them, and be
 * using their values anew. But a peer that leaves without a word has not touched them.
 */
static winipc_status channel__exchange(channel__visit *v, meeting_welcome *w,
                                       bool *given) {
  winipc_status status = meeting_welcome_with(v->pipe, w, &v->host->meeting, &v->end);
  if (status) return status;
  status = meeting_await_ready(v->pipe, &v->host->meeting, &v->end);
  *given = status != WINIPC_E_DISCONNECTED;
  return status;
}

/* A reader of our ring has its place before it learns where to begin. */
static winipc_status channel__receive_guest(channel__visit *v, meeting_welcome *w) {
  handout h = {0};
  bool given = false;
  winipc_status status = channel__pack(v, &h, w);
  if (!status && v->member->reads)
    status = channel_admit(v->channel, v->member, &w->start);
  if (status)
    channel__refuse(v, status);
  else
    status = channel__exchange(v, w, &given);
  handout_end(&h, status && !given);
  return status;
}

static void channel__close_sections(channel__visit *v) {
  if (v->mine) CloseHandle(v->mine);
  if (v->theirs) CloseHandle(v->theirs);
  v->mine = v->theirs = NULL;
}

static void channel__undo(channel__visit *v) {
  channel_member *m = v->member;
  if (m && v->channel->members[m->place] == m) channel_dismiss(v->channel, m);
  if (m) channel_member_free(m);
  if (v->made) channel_free(v->made);
}

static void channel__queue(channel__visit *v) {
  channel_host *h = v->host;
  channel *ch = v->channel;
  InterlockedIncrement(&h->references);
  AcquireSRWLockExclusive(&h->lock);
  ch->host = h;
  ch->next = h->pairs;
  h->pairs = ch;
  h->ready[h->ready_count++] = v->made;
  ReleaseSRWLockExclusive(&h->lock);
  SetEvent(h->ready_event);
}

static winipc_status channel__watch(channel__visit *v) {
  winipc_status status =
      watch_start(&v->member->watch, v->pipe, v->host->server, channel_stir, v->member);
  if (!status) v->pipe = NULL; /* the watch has it */
  return status;
}

/* A lane gets its place last, since from then on the receiver may end it at any time;
 * and the receiver, which may sleep, shall look at it. */
static winipc_status channel__settle_guest(channel__visit *v) {
  channel *ch = v->channel;
  channel_member *m = v->member;
  uint64_t ignored;
  winipc_status status = WINIPC_OK;
  if (m->writes)
    status = channel_start_reading(ch, m, m->mine.base ? &m->mine : &ch->mine, 0);
  if (!status) status = channel__watch(v);
  if (status || m->reads) return status;
  status = channel_admit(ch, m, &ignored);
  if (!status) SetEvent(ch->in.data);
  return status;
}

static winipc_status channel__welcome(channel__visit *v) {
  meeting_welcome w = {0};
  v->channel = v->host->channel;
  winipc_status status = channel__make_member(v);
  if (status)
    channel__refuse(v, status);
  else
    status = channel__receive_guest(v, &w);
  channel__close_sections(v);
  if (!status) status = channel__settle_guest(v);
  if (status) return channel__undo(v), status;
  v->host->met++;
  if (v->made) channel__queue(v);
  return WINIPC_OK;
}

/* ---- those who only look ---- */

static uint32_t channel__count_members(const channel *ch) {
  uint32_t count = 1;
  for (uint32_t i = 0; i < ch->most; i++) count += ch->members[i] != NULL;
  return count;
}

static uint32_t channel__describe_all(channel *ch, winipc_channel_member *out,
                                      uint32_t room) {
  uint32_t count = 0;
  AcquireSRWLockShared(&ch->lock);
  if (room) channel_describe(ch, NULL, &out[count++]);
  for (uint32_t i = 0; i < ch->most && count < room; i++)
    if (ch->members[i]) channel_describe(ch, ch->members[i], &out[count++]);
  ReleaseSRWLockShared(&ch->lock);
  return count;
}

/* All of the host's channels at this moment. */
static winipc_channel_member *channel__snapshot(channel_host *h, uint32_t *count) {
  uint32_t room = h->channel ? 1 + h->channel->most : 0;
  AcquireSRWLockShared(&h->lock);
  for (channel *ch = h->pairs; ch; ch = ch->next) room += channel__count_members(ch);
  winipc_channel_member *all = calloc(room + 1, sizeof *all);
  *count = 0;
  if (all && h->channel) *count = channel__describe_all(h->channel, all, room);
  for (channel *ch = h->pairs; all && ch; ch = ch->next)
    *count += channel__describe_all(ch, all + *count, room - *count);
  ReleaseSRWLockShared(&h->lock);
  return all;
}

static void channel__tell(channel__visit *v) {
  uint32_t count;
  waiters *list = &v->host->meeting;
  winipc_channel_member *all = channel__snapshot(v->host, &count);
  meeting_welcome w = {.start = count, .role = v->host->options.role};
  winipc_status status = all ? WINIPC_OK : status_no_memory();
  if (!status) status = meeting_welcome_with(v->pipe, &w, list, &v->end);
  for (uint32_t i = 0; i < count && !status; i++)
    status = meeting_send(v->pipe, &all[i], sizeof all[i], list, &v->end);
  size_t ignored;
  if (!status) meeting_receive(v->pipe, &w, sizeof w, &ignored, list, &v->end);
  free(all);
}

/* ---- the thread ---- */

static winipc_status channel__meet(channel__visit *v) {
  winipc_status status = channel__find_pid(v);
  if (!status && v->hello.role != MEETING_INSPECT) status = channel__may_come(v);
  if (status) {
    channel__refuse(v, status);
    return status;
  }
  if (v->hello.role != MEETING_INSPECT) return channel__welcome(v);
  channel__tell(v);
  return WINIPC_E_DISCONNECTED; /* the pipe has done its work */
}

/* Nobody but the one who has just failed could come to a channel without a name. */
static void channel__give_up(channel_host *h, winipc_status why) {
  h->failed = why;
  SetEvent(h->ready_event);
}

static void channel__visit_by(channel_host *h, HANDLE pipe) {
  channel__visit v = {.host = h, .pipe = pipe};
  uint32_t patience = h->patient ? WINIPC_FOREVER : MEETING_PATIENCE_MS;
  deadline hello_end = deadline_in(patience);
  winipc_status status =
      meeting_await_hello(pipe, &v.hello, h->options.role, &h->meeting, &hello_end);
  v.end = deadline_in(MEETING_PATIENCE_MS);
  if (!status) status = channel__meet(&v);
  if (status && v.pipe) watch_close_pipe(pipe, h->server);
  if (status && h->patient) channel__give_up(h, status);
}

/* Subscribers that have gone. */
static void channel__reap(channel *ch) {
  for (uint32_t i = 0; i < ch->most; i++) {
    channel_member *m = ch->members[i];
    if (!m || !m->watch.gone) continue;
    channel_dismiss(ch, m);
    channel_member_free(m);
    SetEvent(ch->out.room); /* the sender may have waited for just that one */
  }
}

static void channel__leave_name(channel_host *h) {
  if (h->server) pipe_server_close(h->server);
  h->server = NULL;
  if (h->guard) CloseHandle(h->guard);
  h->guard = NULL;
}

/* The only pair that there was to be has lost its peer. */
static bool channel__has_ended(channel_host *h) {
  AcquireSRWLockShared(&h->lock);
  bool ended = h->one_only && h->pairs && channel_only_member(h->pairs)->watch.gone;
  ReleaseSRWLockShared(&h->lock);
  return ended;
}

/* What `closing` and `gone` say is looked at after the deadline was taken: a nudge that
 * comes later ends the wait. */
static void channel__serve(void *context) {
  channel_host *h = context;
  HANDLE pipe;
  for (;;) {
    deadline end = deadline_for(&h->waiters, WINIPC_FOREVER);
    if (h->closing) return;
    if (channel__has_ended(h)) {
      channel__leave_name(h); /* others may have it */
      return;
    }
    if (h->channel && h->channel->shared) channel__reap(h->channel);
    winipc_status status = pipe_server_accept(h->server, &h->waiters, &end, &pipe);
    if (!status)
      channel__visit_by(h, pipe);
    else if (status != WINIPC_E_CANCELLED && !h->closing) {
      deadline pause = deadline_in(CHANNEL__PAUSE_MS);
      waiters_sleep(&pause);
    }
  }
}

void channel_host_reap(channel_host *h) {
  waiters_cancel(&h->waiters, WINIPC_E_CANCELLED);
}

/* ---- the host ---- */

/* Wine does not heed FILE_FLAG_FIRST_PIPE_INSTANCE; there a mutex of the name tells
 * that it is taken. */
static winipc_status channel__guard(channel_host *h, const char *pipe) {
  wchar_t *name;
  if (!platform_is_wine()) return WINIPC_OK;
  winipc_status status = text_to_wide(pipe + strlen("pipe:"), "the name", &name);
  if (status) return status;
  h->guard = CreateMutexExW(NULL, name, 0, SYNCHRONIZE);
  DWORD error = GetLastError();
  free(name);
  if (!h->guard) return status_from_win32(error, "CreateMutexEx");
  if (error != ERROR_ALREADY_EXISTS) return WINIPC_OK;
  return status_fail_win32(WINIPC_E_EXISTS, error, "CreateMutexEx",
                           "there is a channel \"%.100s\" already", pipe);
}

static winipc_status channel__open_pipe(channel_host *h, const char *pipe,
                                        const winipc_channel_options *o) {
  winipc_pipe_options server;
  winipc_pipe_options_init(&server);
  server.framing = WINIPC_FRAMING_MESSAGE;
  server.in_buffer = server.out_buffer = CHANNEL__PIPE_BUFFER;
  server.security = o->security;
  server.sddl = o->sddl;
  winipc_status status = channel__guard(h, pipe);
  return status ? status : pipe_server_new(pipe, &server, &h->server);
}

winipc_status channel_host_new(const char *pipe, const winipc_channel_options *options,
                               channel *ch, bool one_only, bool patient,
                               channel_host **host) {
  channel_host *h = calloc(1, sizeof *h);
  if (!h) return status_no_memory();
  h->references = 1;
  h->options = *options;
  h->channel = ch;
  h->one_only = one_only;
  h->patient = patient;
  h->ready_event = CreateEventW(NULL, FALSE, FALSE, NULL);
  winipc_status status = h->ready_event ? WINIPC_OK : status_from_last("CreateEventW");
  if (!status) status = channel__open_pipe(h, pipe, options);
  h->options.sddl = h->options.server_user = NULL; /* the caller's */
  if (!status) status = worker_start(&h->thread);
  if (status) return channel_host_release(h), status;
  *host = h; /* before the thread meets anybody, who may be gone at once */
  worker_begin(h->thread, channel__serve, h);
  return WINIPC_OK;
}

void channel_host_stop(channel_host *h) {
  InterlockedExchange(&h->closing, 1);
  waiters_close(&h->waiters);
  waiters_close(&h->meeting);
  worker_stop(h->thread);
  h->thread = NULL;
  while (h->ready_count) channel_free(h->ready[--h->ready_count]);
  channel__leave_name(h);
}

void channel_host_release(channel_host *h) {
  if (InterlockedDecrement(&h->references)) return;
  channel_host_stop(h);
  CloseHandle(h->ready_event);
  free(h);
}

void channel_host_forget(channel_host *h, channel *pair) {
  AcquireSRWLockExclusive(&h->lock);
  channel **link = &h->pairs;
  while (*link && *link != pair) link = &(*link)->next;
  if (*link) *link = pair->next;
  ReleaseSRWLockExclusive(&h->lock);
}

static connection *channel__take_ready(channel_host *h) {
  AcquireSRWLockExclusive(&h->lock);
  connection *c = h->ready_count ? h->ready[0] : NULL;
  if (c) memmove(h->ready, h->ready + 1, --h->ready_count * sizeof *h->ready);
  bool more = h->ready_count != 0;
  ReleaseSRWLockExclusive(&h->lock);
  if (more) SetEvent(h->ready_event);
  return c;
}

winipc_status channel_host_accept(channel_host *h, waiters *list, const deadline *end,
                                  connection **c) {
  for (;;) {
    *c = channel__take_ready(h);
    if (*c) return WINIPC_OK;
    if (h->failed)
      return status_fail(h->failed, "the one who was to come did not join");
    winipc_status status = waiters_wait(list, h->ready_event, end);
    if (status) return status;
  }
}

HANDLE channel_host_native(channel_host *h) {
  return h->ready_event;
}
