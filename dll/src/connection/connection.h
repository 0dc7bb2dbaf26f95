/* A connection: the five verbs over a transport.
 *
 * A transport sends and receives messages (the table of operations below): one that
 * moves bytes lets the framing (framing.c) make messages of them. This file keeps the
 * rules that hold for all: one reader and one writer, broken ends, handles. */
#ifndef WINIPC_CONNECTION_H
#define WINIPC_CONNECTION_H

#include "core/buffer.h"
#include "core/handle.h"
#include "core/operation.h"
#include "core/wait.h"
#include "core/win.h"

typedef struct connection connection;

typedef struct transport_view {
  size_t copied, message, available;
  bool waiting;
} transport_view;

/* What a transport can do. Each operation runs on one thread at a time, but reading
 * and writing may run side by side. A NULL member is WINIPC_E_UNSUPPORTED. */
typedef struct transport {
  /* The verbs; framing_send and the like for a transport that reads and writes. */
  winipc_status (*send)(connection *c, const winipc_part *parts, uint32_t count,
                        const deadline *end);
  winipc_status (*receive)(connection *c, void *data, size_t capacity, size_t *size,
                           bool part, const deadline *end);
  winipc_status (*receive_alloc)(connection *c, void **data, size_t *size,
                                 const deadline *end);
  /* Sends several; NULL: one after the other. `sent` tells how many went. */
  winipc_status (*send_many)(connection *c, const winipc_part *messages, uint32_t count,
                             uint32_t *sent, const deadline *end);
  winipc_status (*arm)(connection *c, HANDLE *handle);
  winipc_status (*peer)(connection *c, winipc_peer *peer);
  /* Reads at least a byte, or one message; WINIPC_MORE: its first part. */
  winipc_status (*read)(connection *c, void *data, size_t capacity, size_t *size,
                        const deadline *end);
  /* Writes it all, or fails; after WINIPC_E_TIMEOUT, _CANCELLED and _CLOSED a part of
   * it may have gone, unless the transport carries messages. */
  winipc_status (*write)(connection *c, const void *data, size_t size,
                         const deadline *end);
  /* Whether a write of so many bytes surely goes through at once. */
  bool (*has_room)(connection *c, size_t size);
  winipc_status (*peek)(connection *c, void *data, size_t capacity,
                        transport_view *view);
  /* Sends and receives in one call; NULL: the two verbs do it. */
  winipc_status (*transact)(connection *c, const winipc_part *request, void *reply,
                            size_t capacity, size_t *size, const deadline *end);
  winipc_status (*drain)(connection *c, const deadline *end);
  void (*abort)(connection *c);
  HANDLE (*native)(connection *c);
  /* Frees what the transport keeps. `detach`: but not the native handle. */
  void (*close)(connection *c, bool detach);
} transport;

/* One direction. */
typedef struct connection_way {
  winipc_status broken; /* what every later call returns */
  operation op;
} connection_way;

/* An anonymous pipe's peer until its end has gone to a child. */
enum { CONNECTION_PEER_UNKNOWN = -1 };

struct connection {
  const transport *transport;
  waiters waiters;
  connection_way in, out;
  uint32_t framing; /* never AUTO */
  uint64_t max_message;
  bool server;
  /* Received and kept: the head of the current message (MESSAGE), or the stream from
   * the start of the current frame on. */
  buffer kept;
  bool message_open;   /* MESSAGE: the pipe holds the rest of the current message */
  size_t frame_left;   /* U32, LINE: bytes of a frame that is given out in parts */
  size_t line_scanned; /* LINE: so much of `kept` is known to hold no '\n' */
  buffer outgoing;     /* room to put a frame together */
  /* The transport's own state. */
  HANDLE handle;
  void *state;
  bool overlapped, nowait;
  struct pipe_instance *instance; /* a listener's account of this end, or NULL */
  DWORD peer_pid; /* where the pipe itself would name who made it, not who has it */
};

extern const handle_class connection_class;

/* A connection without an id yet, in which the transport then fills its state;
 * connection_discard undoes it (it does not call transport->close). */
winipc_status connection_new(const transport *transport,
                             const winipc_connection_options *options, connection **c);
void connection_discard(connection *c);

/* Checks the options and settles AUTO once `messages` is known. */
winipc_status connection_settle(connection *c, bool messages);

/* The connection of that id with a reference on it, for the one thread that sends
 * (`out`) or receives; and the end of its call. */
winipc_status connection_enter(const void *id, bool out, uint32_t timeout_ms,
                               connection **c, deadline *end);
void connection_leave(const void *id, bool out);

/* Gives it its id; on failure closes it. */
winipc_status connection_publish(connection *c, winipc_connection **id);

/* The defaults with the caller's options over them. */
winipc_status connection_options_read(winipc_connection_options *options,
                                      const winipc_connection_options *given);

#endif
