#include "connection/listener.h"

#include "connection/connection.h"
#include "core/status.h"

static waiters *listener__waiters(void *object) {
  return &((listener *)object)->waiters;
}

static HANDLE listener__native(void *object) {
  listener *l = object;
  return l->transport->native(l);
}

static void listener__destroy(void *object) {
  listener *l = object;
  l->transport->close(l);
  free(l);
}

static const handle_class listener__class = {
    .kind = HANDLE_LISTENER,
    .name = "a listener",
    .waiters = listener__waiters,
    .native = listener__native,
    .destroy = listener__destroy,
};

winipc_status listener_publish(const listener_transport *transport, void *state,
                               winipc_listener **id) {
  listener *l = calloc(1, sizeof *l);
  if (!l) return status_no_memory();
  l->transport = transport;
  l->state = state;
  winipc_status status = handle_open(&listener__class, l, id);
  if (status) free(l);
  return status;
}

static winipc_status listener__accept(listener *l, uint32_t timeout_ms,
                                      winipc_connection **id) {
  connection *c;
  deadline end = deadline_for(&l->waiters, timeout_ms);
  winipc_status status = l->transport->accept(l, &end, &c);
  return status ? status : connection_publish(c, id);
}

winipc_status WINIPC_CALL winipc_accept(winipc_listener *listener_id,
                                        uint32_t timeout_ms,
                                        winipc_connection **connection) {
  if (!connection) return status_fail(WINIPC_E_INVALID_ARGUMENT, "connection is NULL");
  *connection = NULL;
  listener *l = handle_acquire(listener_id, &listener__class);
  if (!l) return WINIPC_E_INVALID_HANDLE;
  winipc_status status;
  if (InterlockedExchange(&l->busy, 1))
    status = status_fail(WINIPC_E_BUSY, "another thread is accepting on this listener");
  else {
    status = listener__accept(l, timeout_ms, connection);
    InterlockedExchange(&l->busy, 0);
  }
  handle_release(listener_id);
  return status;
}

winipc_status WINIPC_CALL winipc_listener_close(winipc_listener *listener_id) {
  return handle_close(listener_id, &listener__class);
}
