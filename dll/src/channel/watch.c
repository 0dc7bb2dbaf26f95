#include "channel/watch.h"

#include "core/status.h"

enum { WATCH__CANCEL_AGAIN_MS = 20 };

void watch_close_pipe(HANDLE pipe, pipe_server *instance) {
  if (instance)
    pipe_instance_close(instance, pipe);
  else
    CloseHandle(pipe);
}

/* Nobody sends anything: this ends with the pipe. One that fails at once leaves
 * `overlapped` as if it were still pending, and the event unset. */
static bool watch__read(watch *w) {
  memset(&w->overlapped, 0, sizeof w->overlapped);
  w->overlapped.hEvent = w->event;
  w->reads = !ReadFile(w->pipe, &w->byte, 1, NULL, &w->overlapped) &&
             GetLastError() == ERROR_IO_PENDING;
  return w->reads;
}

/* An I/O ends with the thread that began it: then it begins anew, on the thread that
 * runs this, which stays as long as there is a registration. */
static bool watch__goes_on(watch *w) {
  DWORD bytes;
  return w->reads && !w->asked &&
         !GetOverlappedResult(w->pipe, &w->overlapped, &bytes, FALSE) &&
         GetLastError() == ERROR_OPERATION_ABORTED && watch__read(w);
}

/* The read may still be the kernel's: it ends before its memory goes. */
static void watch__cancel(watch *w) {
  while (w->reads && !HasOverlappedIoCompleted(&w->overlapped)) {
    CancelIoEx(w->pipe, &w->overlapped);
    WaitForSingleObject(w->event, WATCH__CANCEL_AGAIN_MS);
  }
}

/* With the lock held. The pipe goes at once, so that its name is free for others. */
static void watch__end(watch *w) {
  watch__cancel(w);
  watch_close_pipe(w->pipe, w->instance);
  w->pipe = NULL;
  InterlockedExchange(&w->gone, 1);
}

static void CALLBACK watch__completed(void *context, BOOLEAN timed_out) {
  watch *w = context;
  (void)timed_out;
  AcquireSRWLockExclusive(&w->lock);
  bool ends = w->pipe && !watch__goes_on(w);
  if (ends) watch__end(w);
  ReleaseSRWLockExclusive(&w->lock);
  if (ends) w->notice(w->user);
}

winipc_status watch_start(watch *w, HANDLE pipe, pipe_server *instance,
                          void (*notice)(void *user), void *user) {
  w->notice = notice;
  w->user = user;
  w->event = CreateEventW(NULL, FALSE, FALSE, NULL);
  if (!w->event) return status_from_last("CreateEventW");
  if (!RegisterWaitForSingleObject(&w->registration, w->event, watch__completed, w,
                                   INFINITE, WT_EXECUTEINWAITTHREAD)) {
    winipc_status status = status_from_last("RegisterWaitForSingleObject");
    CloseHandle(w->event);
    w->event = NULL;
    return status;
  }
  AcquireSRWLockExclusive(&w->lock);
  w->pipe = pipe;
  w->instance = instance;
  /* It has ended already, or somebody has asked for that before there was a pipe. */
  if (w->asked || !watch__read(w)) SetEvent(w->event);
  ReleaseSRWLockExclusive(&w->lock);
  return WINIPC_OK;
}

void watch_break(watch *w) {
  AcquireSRWLockExclusive(&w->lock);
  w->asked = true;
  if (w->pipe && !CancelIoEx(w->pipe, &w->overlapped)) SetEvent(w->event);
  ReleaseSRWLockExclusive(&w->lock);
}

void watch_stop(watch *w) {
  if (!w->event) return;
  UnregisterWaitEx(w->registration, INVALID_HANDLE_VALUE);
  if (w->pipe) watch__end(w);
  CloseHandle(w->event);
  memset(w, 0, sizeof *w);
}
