/* How a channel comes to be: options, names, and the functions that open one. */
#include "channel/channel.h"
#include "channel/meeting.h"
#include "connection/listener.h"
#include "core/platform.h"
#include "core/status.h"
#include "core/structure.h"
#include "core/text.h"

enum {
  CHANNEL__CAPACITY = 1 << 20,
  CHANNEL__CAPACITY_LEAST = 4096,
  CHANNEL__CAPACITY_LIMIT = 64 << 20, /* of what a peer may ask for */
  CHANNEL__PEERS = 64,
  CHANNEL__PEERS_MOST = 1024,
  CHANNEL__FIRST_PAUSE_MS = 1, /* between two attempts, doubled each time */
  CHANNEL__LAST_PAUSE_MS = 32,
  CHANNEL__NAME_MOST = 180 /* bytes */
};

/* ---- options ---- */

winipc_status WINIPC_CALL winipc_channel_options_init(winipc_channel_options *options) {
  if (!options) return status_fail(WINIPC_E_INVALID_ARGUMENT, "options is NULL");
  *options = (winipc_channel_options){
      .size = sizeof *options,
      .role = WINIPC_CHANNEL_PAIR,
      .max_message = WINIPC_DEFAULT_MAX_MESSAGE,
      .capacity = CHANNEL__CAPACITY,
      .spin_us = WINIPC_SPIN_AUTO,
      .max_peers = CHANNEL__PEERS,
      .scope = WINIPC_SCOPE_LOCAL,
      .numa_node = WINIPC_ANY_NODE,
      .security = WINIPC_SECURITY_CURRENT_USER,
  };
  return WINIPC_OK;
}

static winipc_status channel__check_ranges(const winipc_channel_options *o) {
  const uint32_t any = WINIPC_FIELD_SEQUENCE | WINIPC_FIELD_TIME | WINIPC_FIELD_TAG;
  const struct {
    uint64_t value, least, most;
    const char *name;
  } ranges[] = {
      {o->role, 0, WINIPC_CHANNEL_LANE, "role"},
      {o->max_message, 1, UINT32_MAX, "max_message"},
      {o->capacity, CHANNEL__CAPACITY_LEAST, RING_CAPACITY_MOST, "capacity"},
      {o->capacity_limit, 0, RING_CAPACITY_MOST, "capacity_limit"},
      {o->full, 0, WINIPC_FULL_OVERWRITE_OLDEST, "full"},
      {o->fields, 0, any, "fields"},
      {o->from_oldest, 0, 1, "from_oldest"},
      {o->max_peers, 1, CHANNEL__PEERS_MOST, "max_peers"},
      {o->scope, 0, WINIPC_SCOPE_GLOBAL, "scope"},
      {o->large_pages, 0, 1, "large_pages"},
      {o->prefault, 0, 1, "prefault"},
  };
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
    if (ranges[i].value < ranges[i].least || ranges[i].value > ranges[i].most)
      return status_fail(
          WINIPC_E_INVALID_ARGUMENT, "%s is %llu: not within %llu and %llu",
          ranges[i].name, (unsigned long long)ranges[i].value,
          (unsigned long long)ranges[i].least, (unsigned long long)ranges[i].most);
  return WINIPC_OK;
}

static winipc_status channel__settle(winipc_channel_options *o) {
  bool publishes = o->role == WINIPC_CHANNEL_PUBLISHER;
  if (o->full == WINIPC_FULL_OVERWRITE_OLDEST && !publishes)
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "only a publisher can overwrite what was not read");
  if (o->full == WINIPC_FULL_AUTO)
    o->full = publishes ? WINIPC_FULL_OVERWRITE_OLDEST : WINIPC_FULL_BLOCK;
  uint64_t capacity = CHANNEL__CAPACITY_LEAST;
  while (capacity < o->capacity) capacity *= 2;
  o->capacity = capacity;
  if (!o->capacity_limit) o->capacity_limit = CHANNEL__CAPACITY_LIMIT;
  if (o->capacity_limit < capacity) o->capacity_limit = capacity;
  return WINIPC_OK;
}

winipc_status channel_options_read(winipc_channel_options *options,
                                   const winipc_channel_options *given) {
  winipc_channel_options_init(options);
  winipc_status status = structure_read(options, sizeof *options, given);
  if (!status) status = channel__check_ranges(options);
  return status ? status : channel__settle(options);
}

/* The verbs have their own options, of which one means something here. */
static winipc_status channel__options_of(const winipc_connection_options *given,
                                         winipc_channel_options *options) {
  winipc_connection_options known;
  winipc_status status = connection_options_read(&known, given);
  if (status) return status;
  if (known.framing > WINIPC_FRAMING_MESSAGE)
    return status_fail(WINIPC_E_FRAMING, "a channel carries messages of its own");
  winipc_channel_options_init(options);
  options->max_message = known.max_message;
  return WINIPC_OK;
}

/* ---- names ---- */

/* The session is in the name, since the names of pipes are the whole machine's. */
static void channel__prefix(uint32_t scope, char *prefix, size_t size) {
  DWORD session = 0;
  ProcessIdToSessionId(GetCurrentProcessId(), &session);
  if (scope == WINIPC_SCOPE_GLOBAL)
    snprintf(prefix, size, "pipe:winipc.channel.global.");
  else
    snprintf(prefix, size, "pipe:winipc.channel.%lu.", session);
}

static const char *channel__scoped_name(const char *name, uint32_t *scope) {
  static const char local[] = "Local\\", global[] = "Global\\";
  if (text_begins(name, local)) {
    *scope = WINIPC_SCOPE_LOCAL;
    return name + sizeof local - 1;
  }
  if (!text_begins(name, global)) return name;
  *scope = WINIPC_SCOPE_GLOBAL;
  return name + sizeof global - 1;
}

winipc_status channel_pipe_address(const char *address, uint32_t scope, char **pipe) {
  char prefix[64];
  *pipe = NULL;
  if (!address) return status_fail(WINIPC_E_INVALID_ARGUMENT, "the address is NULL");
  const char *name = address + strlen("channel:");
  if (text_begins(address, "channel:")) name = channel__scoped_name(name, &scope);
  if (!text_begins(address, "channel:") || !*name || strpbrk(name, "\\/") ||
      strlen(name) > CHANNEL__NAME_MOST)
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "\"%.80s\" is not channel:NAME, of at most %d bytes and without "
                       "a slash (channels are of one machine) or backslash",
                       address, CHANNEL__NAME_MOST);
  channel__prefix(scope, prefix, sizeof prefix);
  size_t size = strlen(prefix) + strlen(name) + 1;
  *pipe = malloc(size);
  if (!*pipe) return status_no_memory();
  snprintf(*pipe, size, "%s%s", prefix, name);
  return WINIPC_OK;
}

/* What goes wrong below is told in terms of the pipe; the caller knows a channel. */
static winipc_status channel__explain(winipc_status status, const char *address) {
  const thread_slot *slot = thread_slot_peek();
  DWORD code = slot ? slot->error.win32 : 0;
  if (status == WINIPC_E_EXISTS)
    return status_fail_win32(status, code, "", "\"%.100s\" is in use already", address);
  if (status == WINIPC_E_NOT_FOUND)
    return status_fail_win32(status, code, "", "there is no \"%.100s\"", address);
  if (status == WINIPC_E_BUSY)
    return status_fail_win32(status, code, "", "\"%.100s\" has all the peers it takes",
                             address);
  return status;
}

/* ---- joining ---- */

static winipc_status channel__knock_at(const char *pipe,
                                       const winipc_channel_options *o, bool must_exist,
                                       const deadline *end, HANDLE *file) {
  winipc_pipe_client_options client;
  pipe_facts facts;
  winipc_pipe_client_options_init(&client);
  client.framing = WINIPC_FRAMING_MESSAGE;
  client.must_exist = must_exist;
  client.server_user = o->server_user ? o->server_user : "self";
  if (!strcmp(client.server_user, "any")) client.server_user = NULL;
  return pipe_client_open(pipe, &client, end, file, &facts);
}

winipc_status channel_knock(const char *address, const winipc_channel_options *options,
                            bool must_exist, const deadline *end, HANDLE *file) {
  winipc_channel_options known;
  char *pipe;
  winipc_status status = channel_options_read(&known, options);
  if (!status) status = channel_pipe_address(address, known.scope, &pipe);
  if (status) return status;
  status = channel__knock_at(pipe, &known, must_exist, end, file);
  free(pipe);
  return channel__explain(status, address);
}

/* Who does not want to wait for a host may still wait for its answer. */
static deadline channel__meeting_end(const deadline *end) {
  return end->timeout_ms == WINIPC_NO_WAIT ? deadline_in(MEETING_PATIENCE_MS) : *end;
}

static winipc_status channel__join_once(const char *pipe,
                                        const winipc_channel_options *o,
                                        bool must_exist, const deadline *end,
                                        connection **c) {
  HANDLE file;
  winipc_status status = channel__knock_at(pipe, o, must_exist, end, &file);
  if (status) return status;
  deadline meeting = channel__meeting_end(end);
  status = channel_join_pipe(file, o, &meeting, c);
  if (status) CloseHandle(file);
  return status;
}

/* What may be otherwise at the next attempt: the host is about to end, or to have room
 * again. */
static bool channel__may_pass(winipc_status status) {
  return status == WINIPC_E_DISCONNECTED || status == WINIPC_E_BUSY ||
         status == WINIPC_E_NOT_FOUND;
}

/* An attempt that ran out of time tells less than the one before it. */
static winipc_status channel__reason(winipc_status status, winipc_status before) {
  if (status != WINIPC_E_TIMEOUT || !before) return status;
  return status_plain(before);
}

/* Longer each time and by a random part. `why` is what the call returns at the end. */
static winipc_status channel__pause(DWORD *pause, winipc_status why,
                                    const deadline *end) {
  DWORD left = deadline_left(end);
  DWORD time = *pause + (GetTickCount() ^ GetCurrentThreadId()) % (*pause + 1);
  if (!left) return status_plain(why);
  if (*pause < CHANNEL__LAST_PAUSE_MS) *pause *= 2;
  deadline next = deadline_in(time < left ? time : left);
  winipc_status status = waiters_sleep(&next);
  return status == WINIPC_E_TIMEOUT ? WINIPC_OK : status;
}

static winipc_status channel__join(const char *pipe, const winipc_channel_options *o,
                                   const deadline *end, connection **c) {
  DWORD pause = CHANNEL__FIRST_PAUSE_MS;
  for (winipc_status before = WINIPC_OK;;) {
    winipc_status status = channel__join_once(pipe, o, false, end, c);
    if (!status || !channel__may_pass(status)) return channel__reason(status, before);
    before = status;
    status = channel__pause(&pause, status, end);
    if (status) return status;
  }
}

/* ---- hosting ---- */

static winipc_status channel__host_one_pair(const char *pipe,
                                            const winipc_channel_options *o,
                                            const deadline *end, connection **c) {
  channel_host *host;
  waiters list = WAITERS_INIT;
  winipc_status status = channel_host_new(pipe, o, NULL, true, false, &host);
  if (status) return status;
  status = channel_host_accept(host, &list, end, c);
  if (status)
    channel_host_stop(host); /* with the one who has come in this very moment */
  else
    ((channel *)(*c)->state)->owns_host = true;
  channel_host_release(host);
  return status;
}

/* A publisher's ring is there before its first subscriber. */
static winipc_status channel__prepare_host(channel *ch) {
  winipc_status status = channel_make_events(ch);
  if (status || !ch->sends) return status;
  status = region_create(&ch->mine, region_size(ch->options.capacity), true,
                         &ch->options, &ch->section);
  return status ? status : channel_start_writing(ch);
}

static winipc_status
channel__host_many(const char *pipe, const winipc_channel_options *o, connection **c) {
  winipc_status status = channel_new(o, c);
  if (status) return status;
  channel *ch = (*c)->state;
  (*c)->server = true;
  status = channel__prepare_host(ch);
  if (!status) status = channel_host_new(pipe, o, ch, false, false, &ch->host);
  if (status) return channel_free(*c), status;
  ch->owns_host = true;
  return WINIPC_OK;
}

/* Whoever comes first is the host; the other may come in the very same moment, or
 * before one that has just gone has left the name. */
static winipc_status channel__open_pair(const char *pipe,
                                        const winipc_channel_options *o,
                                        const deadline *end, connection **c) {
  DWORD pause = CHANNEL__FIRST_PAUSE_MS;
  for (winipc_status before = WINIPC_OK;; before = WINIPC_E_BUSY) {
    winipc_status status = channel__host_one_pair(pipe, o, end, c);
    if (status != WINIPC_E_EXISTS) return status;
    status = channel__join_once(pipe, o, true, end, c);
    if (!status || !channel__may_pass(status)) return channel__reason(status, before);
    status = channel__pause(&pause, WINIPC_E_BUSY, end);
    if (status) return status;
  }
}

static winipc_status channel__open(const char *pipe, const winipc_channel_options *o,
                                   const deadline *end, connection **c) {
  switch (o->role) {
  case WINIPC_CHANNEL_PAIR:
    return channel__open_pair(pipe, o, end, c);
  case WINIPC_CHANNEL_PUBLISHER:
  case WINIPC_CHANNEL_FUNNEL:
    return channel__host_many(pipe, o, c);
  default:
    return channel__join(pipe, o, end, c);
  }
}

typedef winipc_status (*channel__way)(const char *pipe, const winipc_channel_options *o,
                                      const deadline *end, connection **c);

/* By options that were read. */
static winipc_status channel__come_by(channel__way way, const char *address,
                                      const winipc_channel_options *known,
                                      uint32_t timeout_ms,
                                      winipc_connection **connection) {
  struct connection *c;
  char *pipe;
  winipc_status status = channel_pipe_address(address, known->scope, &pipe);
  if (status) return status;
  deadline end = deadline_in(timeout_ms);
  status = way(pipe, known, &end, &c);
  free(pipe);
  return status ? channel__explain(status, address) : connection_publish(c, connection);
}

winipc_status WINIPC_CALL winipc_channel_open(const char *address,
                                              const winipc_channel_options *options,
                                              uint32_t timeout_ms,
                                              winipc_connection **connection) {
  winipc_channel_options known;
  if (!connection) return status_fail(WINIPC_E_INVALID_ARGUMENT, "connection is NULL");
  *connection = NULL;
  winipc_status status = channel_options_read(&known, options);
  if (status) return status;
  return channel__come_by(channel__open, address, &known, timeout_ms, connection);
}

/* ---- the verbs ---- */

winipc_status WINIPC_CALL winipc_channel_connect(const char *address,
                                                 const winipc_channel_options *options,
                                                 uint32_t timeout_ms,
                                                 winipc_connection **connection) {
  winipc_channel_options known;
  if (!connection) return status_fail(WINIPC_E_INVALID_ARGUMENT, "connection is NULL");
  *connection = NULL;
  winipc_status status = channel_options_read(&known, options);
  if (status) return status;
  if (channel_role_hosts_many(known.role))
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "a publisher or funnel is opened; others connect to it");
  return channel__come_by(channel__join, address, &known, timeout_ms, connection);
}

winipc_status channel_connect_address(const char *address,
                                      const winipc_connection_options *options,
                                      uint32_t timeout_ms,
                                      winipc_connection **connection) {
  winipc_channel_options given;
  winipc_status status = channel__options_of(options, &given);
  if (status) return status;
  return winipc_channel_connect(address, &given, timeout_ms, connection);
}

static winipc_status channel__accept(listener *l, const deadline *end, connection **c) {
  return channel_host_accept(l->state, &l->waiters, end, c);
}

static HANDLE channel__listener_native(listener *l) {
  return channel_host_native(l->state);
}

static void channel__listener_close(listener *l) {
  channel_host_stop(l->state);
  channel_host_release(l->state);
}

static const listener_transport channel__listener = {
    .accept = channel__accept,
    .native = channel__listener_native,
    .close = channel__listener_close,
};

static winipc_status channel__listen(const char *pipe, const winipc_channel_options *o,
                                     bool one_only, winipc_listener **listener) {
  channel_host *host;
  if (o->role != WINIPC_CHANNEL_PAIR)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "one can listen for pairs only");
  winipc_status status = channel_host_new(pipe, o, NULL, one_only, one_only, &host);
  if (status) return status;
  status = listener_publish(&channel__listener, host, listener);
  if (status) {
    channel_host_stop(host);
    channel_host_release(host);
  }
  return status;
}

winipc_status WINIPC_CALL winipc_channel_listen(const char *address,
                                                const winipc_channel_options *options,
                                                winipc_listener **listener) {
  winipc_channel_options known;
  char *pipe;
  if (!listener) return status_fail(WINIPC_E_INVALID_ARGUMENT, "listener is NULL");
  *listener = NULL;
  winipc_status status = channel_options_read(&known, options);
  if (!status) status = channel_pipe_address(address, known.scope, &pipe);
  if (status) return status;
  status = channel__listen(pipe, &known, false, listener);
  free(pipe);
  return channel__explain(status, address);
}

winipc_status channel_listen_address(const char *address,
                                     const winipc_connection_options *options,
                                     winipc_listener **listener) {
  winipc_channel_options given;
  winipc_status status = channel__options_of(options, &given);
  return status ? status : winipc_channel_listen(address, &given, listener);
}

/* ---- without a name ---- */

/* 128 random bits: not to be guessed, and so not to be taken before us. */
static winipc_status channel__secret_name(char *pipe, size_t size) {
  uint32_t random[4];
  winipc_status status = platform_random(random, sizeof random);
  if (!status)
    snprintf(pipe, size, "pipe:winipc.channel-%08x%08x%08x%08x", random[0], random[1],
             random[2], random[3]);
  return status;
}

static winipc_status channel__open_other_end(const char *pipe, HANDLE *other_end) {
  winipc_pipe_client_options client;
  pipe_facts facts;
  deadline at_once = deadline_in(WINIPC_NO_WAIT);
  winipc_pipe_client_options_init(&client);
  client.framing = WINIPC_FRAMING_MESSAGE;
  client.inheritable = 1;
  return pipe_client_open(pipe, &client, &at_once, other_end, &facts);
}

winipc_status WINIPC_CALL winipc_channel_create(const winipc_channel_options *options,
                                                winipc_listener **listener,
                                                void **other_end) {
  winipc_channel_options known;
  char pipe[64];
  HANDLE end = NULL;
  if (!listener || !other_end)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "listener or other_end is NULL");
  *listener = NULL;
  *other_end = NULL;
  winipc_status status = channel_options_read(&known, options);
  if (!status) status = channel__secret_name(pipe, sizeof pipe);
  if (!status) status = channel__listen(pipe, &known, true, listener);
  if (status) return status;
  status = channel__open_other_end(pipe, &end);
  if (status) {
    winipc_listener_close(*listener);
    *listener = NULL;
  } else
    *other_end = end;
  return status;
}

winipc_status WINIPC_CALL
winipc_channel_from_handle(void *handle, const winipc_channel_options *options,
                           uint32_t timeout_ms, winipc_connection **connection) {
  winipc_channel_options known;
  struct connection *c;
  DWORD flags;
  if (!connection) return status_fail(WINIPC_E_INVALID_ARGUMENT, "connection is NULL");
  *connection = NULL;
  winipc_status status = channel_options_read(&known, options);
  if (status) return status;
  if (known.role != WINIPC_CHANNEL_PAIR)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "such a channel is a pair");
  if (!GetNamedPipeInfo(handle, &flags, NULL, NULL, NULL))
    return status_from_last("GetNamedPipeInfo");
  deadline end = deadline_in(timeout_ms);
  status = channel_join_pipe(handle, &known, &end, &c);
  return status ? status : connection_publish(c, connection);
}
