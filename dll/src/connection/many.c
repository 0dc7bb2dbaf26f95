/* Several messages in one call, and waiting in somebody else's loop. */
#include "connection/connection.h"
#include "core/status.h"

enum { MANY__ALIGNMENT = 8 };

static winipc_status many__send(connection *c, const winipc_part *messages,
                                uint32_t count, uint32_t *sent, const deadline *end) {
  winipc_status status = WINIPC_OK, news = WINIPC_OK;
  for (*sent = 0; *sent < count; ++*sent) {
    status = c->transport->send(c, &messages[*sent], 1, end);
    if (status < 0) return status;
    if (status) news = status;
  }
  return news;
}

winipc_status WINIPC_CALL winipc_send_many(winipc_connection *connection_id,
                                           const winipc_part *messages, uint32_t count,
                                           uint32_t timeout_ms, uint32_t *sent) {
  connection *c;
  deadline end;
  uint32_t ignored;
  if (!sent) sent = &ignored;
  *sent = 0;
  if (!messages && count)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "messages is NULL");
  winipc_status status = connection_enter(connection_id, true, timeout_ms, &c, &end);
  if (status) return status;
  status = c->transport->send_many
               ? c->transport->send_many(c, messages, count, sent, &end)
               : many__send(c, messages, count, sent, &end);
  connection_leave(connection_id, true);
  return status;
}

/* What came after the first message is news of the same call; what did not come, or
 * does not fit any more, is none. */
static winipc_status many__receive(connection *c, char *buffer, size_t capacity,
                                   winipc_part *messages, uint32_t most,
                                   uint32_t *count, const deadline *end) {
  winipc_status news = WINIPC_OK;
  deadline at_once = *end;
  at_once.timeout_ms = WINIPC_NO_WAIT;
  for (size_t start = 0, size; *count < most && start <= capacity; ++*count) {
    winipc_status status = c->transport->receive(c, buffer + start, capacity - start,
                                                 &size, false, *count ? &at_once : end);
    messages[*count] = (winipc_part){buffer + start, size};
    if (status < 0) return *count ? news : status;
    if (status) news = status;
    start = (start + size + MANY__ALIGNMENT - 1) & ~(size_t)(MANY__ALIGNMENT - 1);
  }
  return news;
}

winipc_status WINIPC_CALL winipc_receive_many(winipc_connection *connection_id,
                                              void *buffer, size_t capacity,
                                              winipc_part *messages, uint32_t most,
                                              uint32_t *count, uint32_t timeout_ms) {
  connection *c;
  deadline end;
  if (!count || !most || !messages || (!buffer && capacity))
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "buffer, messages or count is NULL, or most is 0");
  *count = 0;
  winipc_status status = connection_enter(connection_id, false, timeout_ms, &c, &end);
  if (status) return status;
  status = many__receive(c, buffer, capacity, messages, most, count, &end);
  connection_leave(connection_id, false);
  return status;
}

winipc_status WINIPC_CALL winipc_connection_arm(winipc_connection *connection_id,
                                                void **handle) {
  connection *c;
  deadline end;
  if (!handle) return status_fail(WINIPC_E_INVALID_ARGUMENT, "handle is NULL");
  *handle = NULL;
  winipc_status status =
      connection_enter(connection_id, false, WINIPC_NO_WAIT, &c, &end);
  if (status) return status;
  status = c->transport->arm ? c->transport->arm(c, handle)
                             : status_plain(WINIPC_E_UNSUPPORTED);
  connection_leave(connection_id, false);
  return status;
}
