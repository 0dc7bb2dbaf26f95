/* Handing handles to other processes: put there by DuplicateHandle, told by value. */
#include "process/hand_over.h"

#include "core/status.h"
#include "process/process.h"

/* What tells of a handle, on the wire. */
typedef struct hand_over__message {
  char magic[8];
  uint32_t version;
  uint32_t reserved; /* 0 */
  uint64_t value;
} hand_over__message;

static const char hand_over__magic[8] = {'w', 'i', 'n', 'i', 'p', 'c', 'H', 'D'};
enum { HAND_OVER__VERSION = 1 };

/* -1 is what a failed CreateFile returns, and what GetCurrentProcess returns too: to
 * duplicate it would give our whole process away. */
static winipc_status hand_over__check(HANDLE handle) {
  if (handle && handle != INVALID_HANDLE_VALUE) return WINIPC_OK;
  return status_fail(WINIPC_E_INVALID_HANDLE,
                     "the handle is NULL or INVALID_HANDLE_VALUE (for this process "
                     "itself, duplicate GetCurrentProcess() first)");
}

static winipc_status hand_over__put(HANDLE process, HANDLE handle, DWORD access,
                                    HANDLE *remote) {
  if (DuplicateHandle(GetCurrentProcess(), handle, process, remote, access, FALSE,
                      access ? 0 : DUPLICATE_SAME_ACCESS))
    return WINIPC_OK;
  return status_from_last("DuplicateHandle");
}

/* Windows would close it without giving us a copy; Wine would not. */
void hand_over_take_back(HANDLE process, HANDLE remote) {
  HANDLE copy = NULL;
  DuplicateHandle(process, remote, GetCurrentProcess(), &copy, 0, FALSE,
                  DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE);
  if (copy) CloseHandle(copy);
}

winipc_status WINIPC_CALL winipc_process_give_handle(winipc_process *process_id,
                                                     void *handle, uint32_t access,
                                                     uint64_t *value) {
  HANDLE remote = NULL;
  if (!value) return status_fail(WINIPC_E_INVALID_ARGUMENT, "value is NULL");
  *value = 0;
  process *p = handle_acquire(process_id, &process_class);
  if (!p) return WINIPC_E_INVALID_HANDLE;
  winipc_status status = hand_over__check(handle);
  if (!status) status = hand_over__put(p->handle, handle, access, &remote);
  if (!status) *value = (uintptr_t)remote;
  handle_release(process_id);
  return status;
}

/* ---- over a connection ---- */

/* A message that could arrive in pieces, or within another, is none. */
static winipc_status hand_over__check_framing(const connection *c) {
  if (c->framing == WINIPC_FRAMING_MESSAGE || c->framing == WINIPC_FRAMING_U32)
    return WINIPC_OK;
  return status_fail(WINIPC_E_FRAMING,
                     "handles go over connections with the framing `message` or `u32`");
}

static winipc_status hand_over__peer_of(connection *c, DWORD *pid) {
  winipc_peer peer = {.size = sizeof peer};
  winipc_status status = c->transport->peer(c, &peer);
  *pid = peer.pid;
  return status;
}

static winipc_status hand_over__peer_pid(connection *c, DWORD *pid) {
  HANDLE pipe = c->transport->native(c);
  ULONG found = 0;
  *pid = c->peer_pid;
  if (*pid == (DWORD)CONNECTION_PEER_UNKNOWN)
    return status_fail(WINIPC_E_UNSUPPORTED,
                       "an anonymous pipe does not know its peer: use "
                       "winipc_process_give_handle");
  if (*pid) return WINIPC_OK;
  if (!GetNamedPipeInfo(pipe, NULL, NULL, NULL, NULL))
    return hand_over__peer_of(c, pid);
  if (!(c->server ? GetNamedPipeClientProcessId(pipe, &found)
                  : GetNamedPipeServerProcessId(pipe, &found)))
    return status_from_last("GetNamedPipeClientProcessId");
  *pid = found;
  return WINIPC_OK;
}

static winipc_status hand_over__open_peer(const winipc_connection *id, HANDLE *peer) {
  DWORD pid;
  connection *c = handle_acquire(id, &connection_class);
  if (!c) return WINIPC_E_INVALID_HANDLE;
  winipc_status status = hand_over__check_framing(c);
  if (!status) status = hand_over__peer_pid(c, &pid);
  handle_release(id);
  if (status) return status;
  *peer = OpenProcess(PROCESS_DUP_HANDLE, FALSE, pid);
  if (*peer) return WINIPC_OK;
  if (GetLastError() == ERROR_INVALID_PARAMETER)
    return status_fail_win32(WINIPC_E_DISCONNECTED, ERROR_INVALID_PARAMETER,
                             "OpenProcess", "the peer's process %lu has ended", pid);
  return status_from_last("OpenProcess");
}

static winipc_status hand_over__tell(winipc_connection *id, HANDLE remote,
                                     uint32_t timeout_ms) {
  hand_over__message message = {.version = HAND_OVER__VERSION,
                                .value = (uintptr_t)remote};
  memcpy(message.magic, hand_over__magic, sizeof message.magic);
  return winipc_send(id, &message, sizeof message, timeout_ms);
}

winipc_status WINIPC_CALL winipc_send_handle(winipc_connection *connection_id,
                                             void *handle, uint32_t timeout_ms) {
  HANDLE peer, remote;
  winipc_status status = hand_over__check(handle);
  if (!status) status = hand_over__open_peer(connection_id, &peer);
  if (status) return status;
  status = hand_over__put(peer, handle, 0, &remote);
  if (!status) {
    status = hand_over__tell(connection_id, remote, timeout_ms);
    if (status) hand_over_take_back(peer, remote);
  }
  CloseHandle(peer);
  return status;
}

static winipc_status hand_over__read(const void *data, size_t size, HANDLE *handle) {
  hand_over__message message;
  DWORD flags;
  if (size == sizeof message) {
    memcpy(&message, data, sizeof message);
    *handle = (HANDLE)(uintptr_t)message.value;
    if (!memcmp(message.magic, hand_over__magic, sizeof message.magic) &&
        message.version == HAND_OVER__VERSION && !message.reserved &&
        (int64_t)message.value > 0 && GetHandleInformation(*handle, &flags))
      return WINIPC_OK;
  }
  *handle = NULL;
  return status_fail(WINIPC_E_CORRUPT, "the message tells of no handle");
}

winipc_status WINIPC_CALL winipc_receive_handle(winipc_connection *connection_id,
                                                void **handle, uint32_t timeout_ms) {
  void *data;
  size_t size;
  if (!handle) return status_fail(WINIPC_E_INVALID_ARGUMENT, "handle is NULL");
  *handle = NULL;
  connection *c = handle_acquire(connection_id, &connection_class);
  if (!c) return WINIPC_E_INVALID_HANDLE;
  winipc_status status = hand_over__check_framing(c);
  handle_release(connection_id);
  if (!status) status = winipc_receive_alloc(connection_id, &data, &size, timeout_ms);
  if (status < 0) return status;
  status = hand_over__read(data, size, handle);
  winipc_free(data);
  return status;
}
