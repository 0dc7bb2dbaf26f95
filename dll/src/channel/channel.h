/* A channel: messages through rings in shared memory, as a connection.
 *
 * Every shape is made of the same parts. A channel writes one ring, or none; it has
 * members, the parties that it has met: they read that ring, or write rings that it
 * reads, or both.
 *
 *   PAIR        writes a ring; one member, who reads it and writes one
 *   PUBLISHER   writes a ring; a member for each subscriber
 *   SUBSCRIBER  one member, the publisher
 *   FUNNEL      a member for each lane
 *   LANE        writes a ring; one member, the funnel
 *
 * Who touches what: the sending thread the ring that is written, the receiving thread
 * those that are read. The host's thread adds members, and those of a publisher go by
 * it too; so what a publisher's sender and its host share lies under `lock`. The
 * members of a funnel go by the receiving thread, under `lock` because others may look
 * at them. A peer's death reaches us by its watch, which sets `gone` and then the
 * events that our threads may sleep on. */
#ifndef WINIPC_CHANNEL_H
#define WINIPC_CHANNEL_H

#include "channel/region.h"
#include "channel/ring.h"
#include "channel/spin.h"
#include "channel/watch.h"
#include "connection/connection.h"

typedef struct channel channel;
typedef struct channel_host channel_host;

/* Somebody at the other side. */
typedef struct channel_member {
  channel *channel;
  watch watch;
  uint32_t role;
  uint32_t place; /* in `members`, and in the ring that we write */
  uint64_t since;
  winipc_peer peer;
  char image[sizeof((winipc_channel_member *)0)->image];
  HANDLE data;   /* wakes it when there is something to read */
  HANDLE room;   /* wakes it when there is room to write */
  region mine;   /* a funnel's: with the control block of `in` */
  region theirs; /* what it writes */
  bool reads;    /* the ring that we write */
  bool writes;   /* a ring that we read: */
  ring_reader in;
  buffer partial; /* a message of several fragments, as far as it came, or ... */
  bool whole;     /* ... all of it, or what was not given out yet */
  winipc_message_info about; /* the message in `partial` */
} channel_member;

/* The reading side: the receiving thread's. */
typedef struct channel_in {
  HANDLE data; /* auto-reset: a member has written; NULL: this end does not receive */
  spin patience;
  channel_member *loan;      /* whose message is peeked at */
  winipc_message_info about; /* the last message */
  uint32_t turn;             /* a funnel: whom to ask first */
  uint32_t looks;            /* for a message, in the call that is in */
  bool armed;                /* somebody else may sleep on `data` for us */
} channel_in;

/* The writing side: the sending thread's, but for what a publisher's host does. */
typedef struct channel_out {
  ring_writer ring;
  ring_peer *places;
  HANDLE room; /* auto-reset: the ring has room again; NULL: this end does not send */
  spin patience;
  uint64_t tag;
  bool reserved;
} channel_out;

struct channel {
  channel_in in;
  connection *connection;
  winipc_channel_options options;
  channel_host *host; /* NULL: we have joined */
  channel *next;      /* of the pairs of a host */
  SRWLOCK lock;
  uint64_t since;
  region mine; /* our ring, and the control block of a pair's or subscriber's reader */
  HANDLE section; /* a publisher's: of `mine`, for those who are yet to come */
  /* Places for max_peers of a publisher or funnel, one for the others. */
  channel_member *volatile *members;
  uint32_t most;
  bool sends, receives;
  bool shared;    /* a publisher: `out` is shared with the host's thread */
  bool owns_host; /* the name is ours as long as this lives */
  channel_out out;
};

extern const transport channel_transport;

static inline bool channel_role_sends(uint32_t role) {
  return role == WINIPC_CHANNEL_PAIR || role == WINIPC_CHANNEL_PUBLISHER ||
         role == WINIPC_CHANNEL_LANE;
}
static inline bool channel_role_receives(uint32_t role) {
  return role == WINIPC_CHANNEL_PAIR || role == WINIPC_CHANNEL_SUBSCRIBER ||
         role == WINIPC_CHANNEL_FUNNEL;
}
static inline bool channel_role_hosts_many(uint32_t role) {
  return role == WINIPC_CHANNEL_PUBLISHER || role == WINIPC_CHANNEL_FUNNEL;
}

/* The one that a pair, subscriber or lane has; it never changes while calls are in. */
static inline channel_member *channel_only_member(const channel *ch) {
  return channel_role_hosts_many(ch->options.role) ? NULL : ch->members[0];
}

/* Times as in winipc_message_info. */
uint64_t channel_now(void);

/* ---- making (channel.c) ---- */

/* A channel without members, memory and events, and its connection, without an id. */
winipc_status channel_new(const winipc_channel_options *options, connection **c);
winipc_status channel_make_events(channel *ch);

/* Undoes it, with all that it has come to have. */
void channel_free(connection *c);

/* Begins to write the ring in ch->mine. */
winipc_status channel_start_writing(channel *ch);

/* A member that is nobody's yet; channel_member_free undoes it. */
winipc_status channel_member_new(channel *ch, uint32_t role, channel_member **m);
void channel_member_free(channel_member *m);

bool channel_is_full(channel *ch);

/* Gives it its place, and lets it read our ring if it does: from *start. */
winipc_status channel_admit(channel *ch, channel_member *m, uint64_t *start);

/* Takes it out again. The caller frees it, without the lock. */
void channel_dismiss(channel *ch, channel_member *m);

/* Begins to read what it writes, from `start`. `control` is a page of ours. */
winipc_status channel_start_reading(channel *ch, channel_member *m, region *control,
                                    uint64_t start);

/* To be called by watches: the thread that may sleep shall look. */
void channel_stir(void *member);

/* The connection has come to its end: says so to every later call. */
winipc_status channel_end(channel *ch, winipc_status why);

/* ---- the verbs ---- */

winipc_status channel_send(connection *c, const winipc_part *parts, uint32_t count,
                           const deadline *end);
winipc_status channel_send_many(connection *c, const winipc_part *messages,
                                uint32_t count, uint32_t *sent, const deadline *end);
winipc_status channel_drain(connection *c, const deadline *end);
winipc_status channel_receive(connection *c, void *data, size_t capacity, size_t *size,
                              bool part, const deadline *end);
winipc_status channel_receive_alloc(connection *c, void **data, size_t *size,
                                    const deadline *end);
winipc_status channel_peek(connection *c, void *data, size_t capacity,
                           transport_view *view);
winipc_status channel_arm(connection *c, HANDLE *handle);

/* ---- looking (channel_info.c) ---- */

/* With the lock held. `m` NULL: the channel's own end. */
void channel_describe(const channel *ch, const channel_member *m,
                      winipc_channel_member *out);
void channel_find_image(DWORD pid, char *image, size_t size);

/* ---- meeting (channel_host.c, channel_join.c) ---- */

/* Options with everything settled: sizes rounded, AUTO resolved, all checked. */
winipc_status channel_options_read(winipc_channel_options *options,
                                   const winipc_channel_options *given);

/* "channel:NAME" as the address of a pipe; free() it. */
winipc_status channel_pipe_address(const char *address, uint32_t scope, char **pipe);

/* Serves the name from now on: for the publisher or funnel `ch`, or where that is NULL
 * for pairs, or for `one_only`. `patient`: a peer may take its time to say hello. */
winipc_status channel_host_new(const char *pipe, const winipc_channel_options *options,
                               channel *ch, bool one_only, bool patient,
                               channel_host **host);

/* Waits in `list` for a pair. */
winipc_status channel_host_accept(channel_host *h, waiters *list, const deadline *end,
                                  connection **c);

/* Ends serving; waits for the thread. Pairs that were accepted live on, and hold
 * references. */
void channel_host_stop(channel_host *h);
void channel_host_release(channel_host *h);

/* A pair ends. */
void channel_host_forget(channel_host *h, channel *pair);

/* A peer has gone: the thread takes it out, or leaves the name of a pair. */
void channel_host_reap(channel_host *h);

/* An event that is signalled while accept has something to give. */
HANDLE channel_host_native(channel_host *h);

/* Opens the pipe of a host. */
winipc_status channel_knock(const char *address, const winipc_channel_options *options,
                            bool must_exist, const deadline *end, HANDLE *pipe);

/* Joins over a connected pipe, which then belongs to the channel. */
winipc_status channel_join_pipe(HANDLE pipe, const winipc_channel_options *options,
                                const deadline *end, connection **c);

/* ---- the verbs that make connections ---- */

winipc_status channel_connect_address(const char *address,
                                      const winipc_connection_options *options,
                                      uint32_t timeout_ms,
                                      winipc_connection **connection);
winipc_status channel_listen_address(const char *address,
                                     const winipc_connection_options *options,
                                     winipc_listener **listener);

#endif
