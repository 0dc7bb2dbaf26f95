#include "pipe/pipe.h"

#include <winternl.h>

#include "connection/framing.h"
#include "core/platform.h"
#include "core/security.h"
#include "core/status.h"
#include "core/structure.h"
#include "core/thread.h"
#include "core/worker.h"

static DWORD pipe__dword(size_t size) {
  return size > MAXDWORD ? MAXDWORD : (DWORD)size;
}

/* PIPE_NOWAIT: the system's "no data" means not now, where it else means never. */
static winipc_status pipe__nowait_status(const connection *c, winipc_status status) {
  const thread_slot *slot = thread_slot_peek();
  bool no_data =
      status == WINIPC_E_TIMEOUT ||
      (status == WINIPC_E_DISCONNECTED && slot && slot->error.win32 == ERROR_NO_DATA);
  return c->nowait && no_data ? status_plain(WINIPC_E_WOULD_BLOCK) : status;
}

static winipc_status pipe__read(connection *c, void *data, size_t capacity,
                                size_t *size, const deadline *end) {
  DWORD got;
  deadline at_once = deadline_in(WINIPC_NO_WAIT);
  BOOL started = ReadFile(c->handle, data, pipe__dword(capacity), NULL,
                          operation_begin(&c->in.op));
  winipc_status status = operation_end(&c->in.op, c->handle, started, &c->waiters,
                                       c->nowait ? &at_once : end, "ReadFile", &got);
  *size = got;
  return status < 0 ? pipe__nowait_status(c, status) : status;
}

/* A non-blocking pipe reports success for what it did not write. */
static winipc_status pipe__check_written(size_t size, DWORD put) {
  if (put == size) return WINIPC_OK;
  return status_plain(put ? WINIPC_E_INCOMPLETE : WINIPC_E_WOULD_BLOCK);
}

static winipc_status pipe__write(connection *c, const void *data, size_t size,
                                 const deadline *end) {
  DWORD put;
  BOOL started =
      WriteFile(c->handle, data, pipe__dword(size), NULL, operation_begin(&c->out.op));
  winipc_status status = operation_end(&c->out.op, c->handle, started, &c->waiters, end,
                                       "WriteFile", &put);
  return status || !c->nowait ? status : pipe__check_written(size, put);
}

static winipc_status pipe__transact(connection *c, const winipc_part *request,
                                    void *reply, size_t capacity, size_t *size,
                                    const deadline *end) {
  DWORD got;
  BOOL started = TransactNamedPipe(
      c->handle, (void *)(uintptr_t)request->data, pipe__dword(request->size), reply,
      pipe__dword(capacity), NULL, operation_begin(&c->in.op));
  winipc_status status = operation_end(&c->in.op, c->handle, started, &c->waiters, end,
                                       "TransactNamedPipe", &got);
  *size = got;
  return status;
}

/* FilePipeLocalInformation; documented in the driver kit, not in <winternl.h>. */
typedef struct pipe__local_information {
  ULONG type, configuration, max_instances, instances;
  ULONG in_quota, read_available, out_quota, write_available;
  ULONG state, end;
} pipe__local_information;

/* While the peer waits in a read as large as the pipe's buffer, the system counts the
 * room as taken: the answer may be "no" too often, never "yes" too often. Wine does not
 * tell, nor does Windows tell a server's end that only writes; there the write is
 * tried. */
bool pipe_handle_has_room(HANDLE handle, size_t size) {
  enum { PIPE__LOCAL_INFORMATION = 24 };
  const NTSTATUS access_denied = (NTSTATUS)0xC0000022;
  if (platform_is_wine()) return true;
  pipe__local_information information;
  IO_STATUS_BLOCK block;
  NTSTATUS status =
      NtQueryInformationFile(handle, &block, &information, sizeof information,
                             (FILE_INFORMATION_CLASS)PIPE__LOCAL_INFORMATION);
  if (status == access_denied) return true;
  return status >= 0 && size <= information.write_available;
}

static bool pipe__has_room(connection *c, size_t size) {
  return pipe_handle_has_room(c->handle, size);
}

winipc_status pipe_peek_handle(HANDLE handle, void *data, size_t capacity,
                               transport_view *view) {
  DWORD copied = 0, available = 0, left = 0;
  if (!PeekNamedPipe(handle, capacity ? data : NULL, pipe__dword(capacity), &copied,
                     &available, &left))
    return status_from_last("PeekNamedPipe");
  view->copied = copied;
  view->available = available;
  view->message = left ? (size_t)copied + left : copied;
  view->waiting = available != 0;
  if (!view->message) view->message = available;
  return WINIPC_OK;
}

static winipc_status pipe__peek(connection *c, void *data, size_t capacity,
                                transport_view *view) {
  return pipe_peek_handle(c->handle, data, capacity, view);
}

typedef struct pipe__flush_call {
  HANDLE handle;
  DWORD error;
} pipe__flush_call;

static void pipe__flush(void *argument) {
  pipe__flush_call *call = argument;
  call->error = FlushFileBuffers(call->handle) ? ERROR_SUCCESS : GetLastError();
}

winipc_status pipe_flush_handle(HANDLE handle, waiters *list, const deadline *end) {
  pipe__flush_call call = {handle, ERROR_IO_PENDING};
  winipc_status status = worker_run_once(pipe__flush, &call, list, end);
  if (!call.error) return WINIPC_OK; /* it got through, if late */
  return status ? status : status_from_win32(call.error, "FlushFileBuffers");
}

static winipc_status pipe__drain(connection *c, const deadline *end) {
  return pipe_flush_handle(c->handle, &c->waiters, end);
}

static void pipe__abort(connection *c) {
  if (c->server) DisconnectNamedPipe(c->handle);
}

static HANDLE pipe__native(connection *c) {
  return c->handle;
}

static void pipe__close(connection *c, bool detach) {
  if (c->instance && detach)
    pipe_instance_forget(c->instance);
  else if (c->instance)
    pipe_instance_close(c->instance, c->handle);
  else if (!detach)
    CloseHandle(c->handle);
}

static winipc_status pipe__peer(connection *c, winipc_peer *peer) {
  return pipe_peer(c->handle, c->server, peer);
}

const transport pipe_transport = {
    .send = framing_send,
    .receive = framing_receive,
    .receive_alloc = framing_receive_alloc,
    .peer = pipe__peer,
    .read = pipe__read,
    .write = pipe__write,
    .has_room = pipe__has_room,
    .peek = pipe__peek,
    .transact = pipe__transact,
    .drain = pipe__drain,
    .abort = pipe__abort,
    .native = pipe__native,
    .close = pipe__close,
};

DWORD pipe_read_mode(uint32_t asked, uint32_t framing, bool message_type) {
  bool messages = asked == WINIPC_PIPE_READ_MESSAGE;
  if (asked == WINIPC_PIPE_READ_AUTO)
    messages = message_type &&
               (framing == WINIPC_FRAMING_AUTO || framing == WINIPC_FRAMING_MESSAGE);
  return messages ? PIPE_READMODE_MESSAGE : PIPE_READMODE_BYTE;
}

DWORD pipe_server_read_mode(const winipc_pipe_options *o) {
  return pipe_read_mode(o->read_mode, o->framing, o->type == WINIPC_PIPE_MESSAGE);
}

DWORD pipe_server_mode(const winipc_pipe_options *o) {
  DWORD type = o->type == WINIPC_PIPE_MESSAGE ? PIPE_TYPE_MESSAGE : PIPE_TYPE_BYTE;
  return type | pipe_server_read_mode(o);
}

DWORD pipe_server_access(uint32_t direction) {
  if (direction == WINIPC_PIPE_INBOUND) return PIPE_ACCESS_INBOUND;
  return direction == WINIPC_PIPE_OUTBOUND ? PIPE_ACCESS_OUTBOUND : PIPE_ACCESS_DUPLEX;
}

winipc_status pipe_ask(HANDLE handle, pipe_facts *facts) {
  DWORD flags, state;
  if (!GetNamedPipeInfo(handle, &flags, NULL, NULL, NULL))
    return status_from_last("GetNamedPipeInfo");
  if (!GetNamedPipeHandleStateW(handle, &state, NULL, NULL, NULL, NULL, 0))
    return status_from_last("GetNamedPipeHandleState");
  facts->server = (flags & PIPE_SERVER_END) != 0;
  facts->messages = (state & PIPE_READMODE_MESSAGE) != 0;
  facts->nowait = (state & PIPE_NOWAIT) != 0;
  return WINIPC_OK;
}

winipc_status pipe_connection_new(HANDLE handle,
                                  const winipc_connection_options *options,
                                  pipe_facts facts, connection **out) {
  connection *c;
  winipc_status status = connection_new(&pipe_transport, options, &c);
  if (status) return status;
  c->handle = handle;
  c->overlapped = true;
  c->nowait = facts.nowait;
  c->server = facts.server;
  status = connection_settle(c, facts.messages);
  if (status) return connection_discard(c), status;
  *out = c;
  return WINIPC_OK;
}

/* ---- what one can ask about a pipe ---- */

/* The connection with a reference on it, when it is over a pipe. */
static winipc_status pipe__enter(winipc_connection *id, connection **c) {
  *c = handle_acquire(id, &connection_class);
  if (!*c) return WINIPC_E_INVALID_HANDLE;
  if (GetFileType((*c)->transport->native(*c)) == FILE_TYPE_PIPE) return WINIPC_OK;
  handle_release(id);
  return status_fail(WINIPC_E_UNSUPPORTED, "the connection is not over a pipe");
}

static winipc_status pipe__find_info(HANDLE handle, winipc_pipe_info *info) {
  DWORD flags, out, in, most, state, instances;
  if (!GetNamedPipeInfo(handle, &flags, &out, &in, &most))
    return status_from_last("GetNamedPipeInfo");
  if (!GetNamedPipeHandleStateW(handle, &state, &instances, NULL, NULL, NULL, 0))
    return status_from_last("GetNamedPipeHandleState");
  *info = (winipc_pipe_info){
      .size = sizeof *info,
      .type = flags & PIPE_TYPE_MESSAGE ? WINIPC_PIPE_MESSAGE : WINIPC_PIPE_BYTE,
      .read_mode = state & PIPE_READMODE_MESSAGE ? WINIPC_PIPE_READ_MESSAGE
                                                 : WINIPC_PIPE_READ_BYTE,
      .nowait = (state & PIPE_NOWAIT) != 0,
      .max_instances =
          most < PIPE_UNLIMITED_INSTANCES ? most : PIPE_UNLIMITED_INSTANCES,
      .instances = instances,
      .out_buffer = out,
      .in_buffer = in,
  };
  return WINIPC_OK;
}

winipc_status WINIPC_CALL winipc_pipe_get_info(winipc_connection *connection_id,
                                               winipc_pipe_info *info) {
  connection *c;
  winipc_pipe_info found = {0};
  winipc_status status = pipe__enter(connection_id, &c);
  if (status) return status;
  status = pipe__find_info(c->transport->native(c), &found);
  found.nowait |= c->nowait;
  if (!status) status = structure_write(info, &found, sizeof found);
  handle_release(connection_id);
  return status;
}

winipc_status WINIPC_CALL winipc_pipe_get_sddl(winipc_connection *connection_id,
                                               char **sddl) {
  connection *c;
  if (!sddl) return status_fail(WINIPC_E_INVALID_ARGUMENT, "sddl is NULL");
  *sddl = NULL;
  winipc_status status = pipe__enter(connection_id, &c);
  if (status) return status;
  status = security_describe(c->transport->native(c), sddl);
  handle_release(connection_id);
  return status;
}

winipc_status pipe_peer(HANDLE handle, bool server, winipc_peer *peer) {
  ULONG pid = 0, session = 0;
  if (GetFileType(handle) != FILE_TYPE_PIPE)
    return status_fail(WINIPC_E_UNSUPPORTED, "the connection is not over a pipe");
  BOOL found = server ? GetNamedPipeClientProcessId(handle, &pid) &&
                            GetNamedPipeClientSessionId(handle, &session)
                      : GetNamedPipeServerProcessId(handle, &pid) &&
                            GetNamedPipeServerSessionId(handle, &session);
  if (!found) return status_from_last("GetNamedPipeClientProcessId");
  peer->pid = pid;
  peer->session = session;
  /* A process of another user, or an elevated one, may not show its user: the rest is
   * told all the same. */
  winipc_status status = security_user_of(pid, peer->user);
  if (status) peer->user[0] = 0;
  return status == WINIPC_E_ACCESS_DENIED ? WINIPC_OK : status;
}
