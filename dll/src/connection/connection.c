#include "connection/connection.h"

#include "connection/framing.h"
#include "connection/listener.h"
#include "core/status.h"
#include "core/structure.h"

enum { CONNECTION__MOST_PARTS = 1024 };

static waiters *connection__waiters(void *object) {
  return &((connection *)object)->waiters;
}

static HANDLE connection__native(void *object) {
  connection *c = object;
  return c->transport->native(c);
}

static void connection__destroy_as(connection *c, bool detach) {
  c->transport->close(c, detach);
  connection_discard(c);
}

static void connection__destroy(void *object) {
  connection__destroy_as(object, false);
}

const handle_class connection_class = {
    .kind = HANDLE_CONNECTION,
    .name = "a connection",
    .waiters = connection__waiters,
    .native = connection__native,
    .destroy = connection__destroy,
};

/* ---- making ---- */

winipc_status connection_options_read(winipc_connection_options *options,
                                      const winipc_connection_options *given) {
  winipc_connection_options_init(options);
  winipc_status status = structure_read(options, sizeof *options, given);
  if (status) return status;
  if (options->framing > WINIPC_FRAMING_NONE)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "framing %u is not known",
                       options->framing);
  if (!options->max_message || options->max_message > UINT32_MAX)
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "max_message is not within 1 and 2^32 - 1");
  return WINIPC_OK;
}

winipc_status connection_new(const transport *transport,
                             const winipc_connection_options *options,
                             connection **out) {
  connection *c = calloc(1, sizeof *c);
  if (!c) return status_no_memory();
  c->transport = transport;
  c->framing = options->framing;
  c->max_message = options->max_message;
  bool bytes = transport->read || transport->write;
  winipc_status status = bytes ? operation_init(&c->in.op) : WINIPC_OK;
  if (!status && bytes) status = operation_init(&c->out.op);
  if (status) return connection_discard(c), status;
  *out = c;
  return WINIPC_OK;
}

void connection_discard(connection *c) {
  operation_free(&c->in.op);
  operation_free(&c->out.op);
  buffer_free(&c->kept);
  buffer_free(&c->outgoing);
  free(c);
}

winipc_status connection_settle(connection *c, bool messages) {
  if (c->framing == WINIPC_FRAMING_AUTO)
    c->framing = messages ? WINIPC_FRAMING_MESSAGE : WINIPC_FRAMING_NONE;
  if (c->framing == WINIPC_FRAMING_MESSAGE && !messages)
    return status_fail(WINIPC_E_FRAMING,
                       "the framing `message` needs a pipe of message type that is "
                       "read in message mode");
  return WINIPC_OK;
}

winipc_status connection_publish(connection *c, winipc_connection **id) {
  winipc_status status = handle_open(&connection_class, c, id);
  if (status) connection__destroy(c);
  return status;
}

/* ---- the rule of one reader and one writer ---- */

/* `end` is taken before the look at `broken`: of an abort this call sees the one or
 * the other. */
winipc_status connection_enter(const void *id, bool out, uint32_t timeout_ms,
                               connection **entered, deadline *end) {
  connection *c;
  winipc_status status =
      handle_enter(id, &connection_class, out ? HANDLE_OUT : HANDLE_IN, &c);
  if (status == WINIPC_E_BUSY)
    return status_fail(WINIPC_E_BUSY, "another thread is %s on this connection",
                       out ? "sending" : "receiving");
  if (status) return status;
  *entered = c;
  *end = deadline_for(&c->waiters, timeout_ms);
  winipc_status broken = out ? c->out.broken : c->in.broken;
  if (!broken) return WINIPC_OK;
  connection_leave(id, out);
  return status_plain(broken);
}

void connection_leave(const void *id, bool out) {
  handle_leave(id, out ? HANDLE_OUT : HANDLE_IN);
}

/* ---- the verbs ---- */

winipc_status WINIPC_CALL winipc_send_parts(winipc_connection *connection_id,
                                            const winipc_part *parts, uint32_t count,
                                            uint32_t timeout_ms) {
  connection *c;
  if ((!parts && count) || count > CONNECTION__MOST_PARTS)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "parts is NULL or more than %d",
                       CONNECTION__MOST_PARTS);
  deadline end;
  winipc_status status = connection_enter(connection_id, true, timeout_ms, &c, &end);
  if (status) return status;
  status = c->transport->send(c, parts, count, &end);
  connection_leave(connection_id, true);
  return status;
}

winipc_status WINIPC_CALL winipc_send(winipc_connection *connection_id,
                                      const void *data, size_t size,
                                      uint32_t timeout_ms) {
  winipc_part part = {data, size};
  return winipc_send_parts(connection_id, &part, 1, timeout_ms);
}

static winipc_status connection__receive(winipc_connection *id, void *buffer,
                                         size_t capacity, size_t *size, bool part,
                                         uint32_t timeout_ms) {
  connection *c;
  if (!size || (!buffer && capacity))
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "buffer or size is NULL");
  *size = 0;
  deadline end;
  winipc_status status = connection_enter(id, false, timeout_ms, &c, &end);
  if (status) return status;
  status = c->transport->receive(c, buffer, capacity, size, part, &end);
  connection_leave(id, false);
  return status;
}

winipc_status WINIPC_CALL winipc_receive(winipc_connection *connection_id, void *buffer,
                                         size_t capacity, size_t *size,
                                         uint32_t timeout_ms) {
  return connection__receive(connection_id, buffer, capacity, size, false, timeout_ms);
}

winipc_status WINIPC_CALL winipc_receive_part(winipc_connection *connection_id,
                                              void *buffer, size_t capacity,
                                              size_t *size, uint32_t timeout_ms) {
  return connection__receive(connection_id, buffer, capacity, size, true, timeout_ms);
}

winipc_status WINIPC_CALL winipc_receive_alloc(winipc_connection *connection_id,
                                               void **data, size_t *size,
                                               uint32_t timeout_ms) {
  connection *c;
  if (!data || !size)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "data or size is NULL");
  *data = NULL;
  *size = 0;
  deadline end;
  winipc_status status = connection_enter(connection_id, false, timeout_ms, &c, &end);
  if (status) return status;
  status = c->transport->receive_alloc(c, data, size, &end);
  if (status < 0) *size = 0;
  connection_leave(connection_id, false);
  return status;
}

static bool connection__can_transact(const connection *c) {
  return c->transport->transact && c->framing == WINIPC_FRAMING_MESSAGE;
}

static winipc_status connection__exchange(connection *c, const winipc_part *request,
                                          void *reply, size_t capacity, size_t *size,
                                          const deadline *end) {
  if (buffer_size(&c->kept) || c->message_open)
    return status_fail(WINIPC_E_BUSY, "there is an unread message");
  if (!connection__can_transact(c)) {
    winipc_status status = c->transport->send(c, request, 1, end);
    if (status < 0) return status;
    return c->transport->receive(c, reply, capacity, size, false, end);
  }
  size_t total;
  winipc_status status = framing_total(c, request, 1, &total);
  if (status) return status;
  status = c->transport->transact(c, request, reply, capacity, size, end);
  return status == WINIPC_MORE ? framing_keep_head(c, reply, *size, size) : status;
}

winipc_status WINIPC_CALL winipc_transact(winipc_connection *connection_id,
                                          const void *request, size_t request_size,
                                          void *reply, size_t capacity, size_t *size,
                                          uint32_t timeout_ms) {
  connection *c, *same;
  if (!size || (!reply && capacity) || (!request && request_size))
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "request, reply or size is NULL");
  *size = 0;
  deadline end;
  winipc_status status = connection_enter(connection_id, true, timeout_ms, &c, &end);
  if (status) return status;
  status = connection_enter(connection_id, false, timeout_ms, &same, &end);
  if (!status) {
    winipc_part part = {request, request_size};
    status = connection__exchange(c, &part, reply, capacity, size, &end);
    connection_leave(connection_id, false);
  }
  connection_leave(connection_id, true);
  return status;
}

/* ---- looking ---- */

/* What was kept comes first, then what the transport holds. */
static winipc_status connection__look(connection *c, void *buffer, size_t capacity,
                                      winipc_peek_info *info) {
  size_t kept = buffer_size(&c->kept), head = kept < capacity ? kept : capacity;
  transport_view view = {0};
  if (head) memcpy(buffer, buffer_data(&c->kept), head);
  winipc_status status = c->transport->peek(c, (char *)buffer + head,
                                            kept > head ? 0 : capacity - head, &view);
  if (status && !kept) return status;
  info->waiting = kept || c->message_open || view.waiting;
  info->copied = head + view.copied;
  info->available = kept + view.available;
  bool whole = c->framing != WINIPC_FRAMING_MESSAGE;
  bool goes_on = !kept || c->message_open;
  info->message = kept + (whole ? view.available : goes_on ? view.message : 0);
  return WINIPC_OK;
}

winipc_status WINIPC_CALL winipc_peek(winipc_connection *connection_id, void *buffer,
                                      size_t capacity, winipc_peek_info *info) {
  connection *c;
  winipc_peek_info found = {.size = sizeof found};
  if (!info || (!buffer && capacity))
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "buffer or info is NULL");
  deadline end;
  winipc_status status =
      connection_enter(connection_id, false, WINIPC_NO_WAIT, &c, &end);
  if (status) return status;
  if (!c->transport->peek)
    status = status_plain(WINIPC_E_UNSUPPORTED);
  else
    status = connection__look(c, buffer, capacity, &found);
  if (!status) status = structure_write(info, &found, sizeof found);
  connection_leave(connection_id, false);
  return status;
}

winipc_status WINIPC_CALL winipc_connection_peer(winipc_connection *connection_id,
                                                 winipc_peer *peer) {
  connection *c = handle_acquire(connection_id, &connection_class);
  winipc_peer found = {.size = sizeof found};
  if (!c) return WINIPC_E_INVALID_HANDLE;
  winipc_status status = c->transport->peer(c, &found);
  if (!status) status = structure_write(peer, &found, sizeof found);
  handle_release(connection_id);
  return status;
}

winipc_status WINIPC_CALL winipc_connection_get_info(winipc_connection *connection_id,
                                                     winipc_connection_info *info) {
  connection *c = handle_acquire(connection_id, &connection_class);
  if (!c) return WINIPC_E_INVALID_HANDLE;
  winipc_connection_info found = {
      .size = sizeof found,
      .framing = c->framing,
      .max_message = c->max_message,
      .server = c->server,
      .overlapped = c->overlapped,
  };
  winipc_status status = structure_write(info, &found, sizeof found);
  handle_release(connection_id);
  return status;
}

/* ---- ending ---- */

winipc_status WINIPC_CALL winipc_drain(winipc_connection *connection_id,
                                       uint32_t timeout_ms) {
  connection *c;
  deadline end;
  winipc_status status = connection_enter(connection_id, true, timeout_ms, &c, &end);
  if (status) return status;
  status = c->transport->drain ? c->transport->drain(c, &end)
                               : status_plain(WINIPC_E_UNSUPPORTED);
  connection_leave(connection_id, true);
  return status;
}

winipc_status WINIPC_CALL winipc_connection_abort(winipc_connection *connection_id) {
  connection *c = handle_acquire(connection_id, &connection_class);
  if (!c) return WINIPC_E_INVALID_HANDLE;
  c->in.broken = c->out.broken = WINIPC_E_DISCONNECTED;
  c->transport->abort(c);
  waiters_cancel(&c->waiters, WINIPC_E_DISCONNECTED);
  handle_release(connection_id);
  return WINIPC_OK;
}

winipc_status WINIPC_CALL winipc_connection_close(winipc_connection *connection_id) {
  return handle_close(connection_id, &connection_class);
}

static winipc_status connection__may_detach(winipc_connection *id, HANDLE *handle) {
  connection *c = handle_acquire(id, &connection_class);
  if (!c) return WINIPC_E_INVALID_HANDLE;
  *handle = c->transport->native(c);
  bool kept = buffer_size(&c->kept) != 0, bytes = c->transport->read != NULL;
  handle_release(id);
  if (!bytes)
    return status_fail(WINIPC_E_UNSUPPORTED, "a channel is more than one handle");
  return kept ? status_fail(WINIPC_E_BUSY, "received bytes wait in the connection")
              : WINIPC_OK;
}

winipc_status WINIPC_CALL winipc_connection_detach(winipc_connection *connection_id,
                                                   void **handle) {
  void *object;
  HANDLE native;
  if (!handle) return status_fail(WINIPC_E_INVALID_ARGUMENT, "handle is NULL");
  *handle = NULL;
  winipc_status status = connection__may_detach(connection_id, &native);
  if (!status) status = handle_withdraw(connection_id, &connection_class, &object);
  if (status) return status;
  connection__destroy_as(object, true);
  *handle = native;
  return WINIPC_OK;
}

winipc_status WINIPC_CALL
winipc_connection_options_init(winipc_connection_options *options) {
  if (!options) return status_fail(WINIPC_E_INVALID_ARGUMENT, "options is NULL");
  *options = (winipc_connection_options){
      .size = sizeof *options,
      .framing = WINIPC_FRAMING_AUTO,
      .max_message = WINIPC_DEFAULT_MAX_MESSAGE,
  };
  return WINIPC_OK;
}
