/* A listener: accept over a transport. */
#ifndef WINIPC_LISTENER_H
#define WINIPC_LISTENER_H

#include "core/handle.h"
#include "core/wait.h"
#include "core/win.h"

typedef struct connection connection;

typedef struct listener listener;

typedef struct listener_transport {
  winipc_status (*accept)(listener *l, const deadline *end, connection **c);
  HANDLE (*native)(listener *l);
  void (*close)(listener *l);
} listener_transport;

struct listener {
  const listener_transport *transport;
  waiters waiters;
  volatile LONG busy;
  void *state; /* the transport's */
};

/* Makes a listener of the transport's state and gives it its id; on failure the state
 * stays the caller's. */
winipc_status listener_publish(const listener_transport *transport, void *state,
                               winipc_listener **id);

#endif
