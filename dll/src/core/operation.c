#include "core/operation.h"

#include "core/status.h"

/* How often a cancel is asked for again: it can overtake the I/O that it is meant
 * for on its way into the driver. */
enum { OPERATION__CANCEL_AGAIN_MS = 20 };

winipc_status operation_init(operation *op) {
  memset(op, 0, sizeof *op);
  op->event = CreateEventW(NULL, TRUE, FALSE, NULL);
  return op->event ? WINIPC_OK : status_from_last("CreateEventW");
}

void operation_free(operation *op) {
  if (op->event) CloseHandle(op->event);
  op->event = NULL;
}

OVERLAPPED *operation_begin(operation *op) {
  memset(&op->overlapped, 0, sizeof op->overlapped);
  /* The low bit: no packet to a completion port that the handle may belong to. */
  op->overlapped.hEvent = (HANDLE)((uintptr_t)op->event | 1);
  return &op->overlapped;
}

void operation_cancel(operation *op, HANDLE file) {
  do CancelIoEx(file, &op->overlapped);
  while (WaitForSingleObject(op->event, OPERATION__CANCEL_AGAIN_MS) == WAIT_TIMEOUT);
}

static winipc_status operation__result(operation *op, HANDLE file, const char *call,
                                       DWORD *bytes) {
  if (GetOverlappedResult(file, &op->overlapped, bytes, FALSE)) return WINIPC_OK;
  DWORD error = GetLastError();
  if (error == ERROR_MORE_DATA) return WINIPC_MORE;
  return status_from_win32(error, call);
}

winipc_status operation_end(operation *op, HANDLE file, BOOL started, waiters *list,
                            const deadline *end, const char *call, DWORD *bytes) {
  DWORD error = started ? ERROR_SUCCESS : GetLastError();
  *bytes = (DWORD)op->overlapped.InternalHigh;
  if (error == ERROR_SUCCESS) return WINIPC_OK;
  if (error == ERROR_MORE_DATA) return WINIPC_MORE;
  if (error != ERROR_IO_PENDING) return status_from_win32(error, call);

  winipc_status waited = end->timeout_ms == WINIPC_NO_WAIT
                             ? status_plain(WINIPC_E_TIMEOUT)
                             : waiters_wait(list, op->event, end);
  if (!waited) return operation__result(op, file, call, bytes);
  operation_cancel(op, file);
  if (GetOverlappedResult(file, &op->overlapped, bytes, FALSE)) return WINIPC_OK;
  if (GetLastError() == ERROR_MORE_DATA) return WINIPC_MORE;
  if (GetLastError() == ERROR_OPERATION_ABORTED) return waited;
  return status_from_last(call);
}
