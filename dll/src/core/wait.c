#include "core/wait.h"

#include <realtimeapiset.h>

#include "core/cancel.h"
#include "core/handle.h"
#include "core/status.h"
#include "core/thread.h"

enum { WAIT__UNITS_PER_MS = 10000 };

static uint64_t wait__now(void) {
  ULONGLONG now;
  QueryUnbiasedInterruptTime(&now);
  return now;
}

deadline deadline_in(uint32_t timeout_ms) {
  deadline end = {.timeout_ms = timeout_ms};
  if (timeout_ms != WINIPC_NO_WAIT && timeout_ms != WINIPC_FOREVER)
    end.end = wait__now() + (uint64_t)timeout_ms * WAIT__UNITS_PER_MS;
  return end;
}

deadline deadline_for(const waiters *list, uint32_t timeout_ms) {
  deadline end = deadline_in(timeout_ms);
  end.list = list;
  end.cancels = list->cancels;
  return end;
}

DWORD deadline_left(const deadline *end) {
  if (end->timeout_ms == WINIPC_FOREVER) return INFINITE;
  if (end->timeout_ms == WINIPC_NO_WAIT) return 0;
  uint64_t now = wait__now();
  if (now >= end->end) return 0;
  return (DWORD)((end->end - now + WAIT__UNITS_PER_MS - 1) / WAIT__UNITS_PER_MS);
}

bool deadline_is_over(const deadline *end) {
  return (end->list && end->list->cancels != end->cancels) || !deadline_left(end);
}

static winipc_status waiters__enter(waiters *list, waiter *self, const deadline *end) {
  winipc_status status = WINIPC_OK;
  AcquireSRWLockExclusive(&list->lock);
  if (list->closed)
    status = WINIPC_E_CLOSED;
  else if (end->list == list && end->cancels != list->cancels)
    status = list->reason;
  else {
    self->previous = NULL;
    self->next = list->first;
    if (list->first) list->first->previous = self;
    list->first = self;
  }
  ReleaseSRWLockExclusive(&list->lock);
  return status;
}

static void waiters__leave(waiters *list, waiter *self) {
  AcquireSRWLockExclusive(&list->lock);
  if (self->previous)
    self->previous->next = self->next;
  else
    list->first = self->next;
  if (self->next) self->next->previous = self->previous;
  ReleaseSRWLockExclusive(&list->lock);
}

static void waiters__wake_all(waiters *list, winipc_status reason, bool closed) {
  AcquireSRWLockExclusive(&list->lock);
  list->closed |= closed;
  list->cancels++;
  list->reason = reason;
  for (waiter *w = list->first; w; w = w->next) {
    *w->reason = reason;
    SetEvent(w->wake);
  }
  ReleaseSRWLockExclusive(&list->lock);
}

void waiters_cancel(waiters *list, winipc_status reason) {
  waiters__wake_all(list, reason, false);
}

void waiters_close(waiters *list) {
  waiters__wake_all(list, WINIPC_E_CLOSED, true);
}

static winipc_status wait__wake_event(HANDLE *wake) {
  thread_slot *slot = thread_slot_get();
  if (!slot) return WINIPC_E_OUT_OF_MEMORY;
  if (!slot->wake) slot->wake = CreateEventW(NULL, FALSE, FALSE, NULL);
  *wake = slot->wake;
  return *wake ? WINIPC_OK : status_from_last("CreateEventW");
}

/* What a wait came to; an index past the handles is the token's. */
static winipc_status wait__result(DWORD result, DWORD count, DWORD *index) {
  if (result == WAIT_FAILED) return status_from_last("WaitForMultipleObjects");
  if (result == WAIT_TIMEOUT) return status_plain(WINIPC_E_TIMEOUT);
  bool abandoned = result >= WAIT_ABANDONED_0;
  *index = result - (abandoned ? WAIT_ABANDONED_0 : WAIT_OBJECT_0);
  if (*index < count) return abandoned ? WINIPC_ABANDONED : WINIPC_OK;
  return status_fail(WINIPC_E_CANCELLED, "the cancel token fired");
}

static winipc_status wait__any(const HANDLE *handles, DWORD count, HANDLE wake,
                               const volatile winipc_status *reason,
                               const deadline *end, DWORD *index) {
  cancel_tokens tokens;
  HANDLE all[MAXIMUM_WAIT_OBJECTS];
  cancel_tokens_acquire(&tokens);
  if (count) memcpy(all, handles, count * sizeof *handles);
  all[count] = wake;
  memcpy(&all[count + 1], tokens.events, tokens.count * sizeof *all);
  DWORD result =
      WaitForMultipleObjects(count + 1 + tokens.count, all, FALSE, deadline_left(end));
  cancel_tokens_release(&tokens);
  if (result == WAIT_OBJECT_0 + count) return status_plain(*reason);
  return wait__result(result, count, index);
}

static void CALLBACK wait__nothing(ULONG_PTR thread) {
  (void)thread;
}

static void CALLBACK wait__nudge(void *thread, BOOLEAN timed_out) {
  (void)timed_out;
  QueueUserAPC(wait__nothing, thread, 0);
}

/* A wait for all cannot also be for any: the wake-up and the tokens are watched by the
 * thread pool, which nudges the sleeper out of its alertable wait. */
typedef struct wait__watch {
  HANDLE thread;
  HANDLE registration[1 + THREAD_TOKENS];
} wait__watch;

static winipc_status wait__watch_event(wait__watch *watch, int place, HANDLE event) {
  if (RegisterWaitForSingleObject(&watch->registration[place], event, wait__nudge,
                                  watch->thread, INFINITE, WT_EXECUTEONLYONCE))
    return WINIPC_OK;
  return status_from_last("RegisterWaitForSingleObject");
}

static winipc_status wait__watch_begin(wait__watch *watch, HANDLE wake,
                                       const cancel_tokens *tokens) {
  memset(watch, 0, sizeof *watch);
  if (!DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
                       &watch->thread, 0, FALSE, DUPLICATE_SAME_ACCESS))
    return status_from_last("DuplicateHandle");
  winipc_status status = wait__watch_event(watch, 0, wake);
  for (DWORD i = 0; !status && i < tokens->count; i++)
    status = wait__watch_event(watch, 1 + (int)i, tokens->events[i]);
  return status;
}

static void wait__watch_end(wait__watch *watch) {
  for (int i = 0; i <= THREAD_TOKENS; i++)
    if (watch->registration[i])
      UnregisterWaitEx(watch->registration[i], INVALID_HANDLE_VALUE);
  if (watch->thread) CloseHandle(watch->thread);
  SleepEx(0, TRUE); /* a nudge that came late must not outlive this call */
}

static winipc_status wait__all_watched(const HANDLE *handles, DWORD count,
                                       const cancel_tokens *tokens,
                                       const volatile winipc_status *reason,
                                       const deadline *end) {
  for (;;) {
    DWORD ignored, result = WaitForMultipleObjectsEx(count, handles, TRUE,
                                                     deadline_left(end), TRUE);
    if (result != WAIT_IO_COMPLETION) return wait__result(result, count, &ignored);
    if (*reason) return status_plain(*reason);
    if (cancel_tokens_fired(tokens))
      return status_fail(WINIPC_E_CANCELLED, "the cancel token fired");
  }
}

static winipc_status wait__all_patiently(const HANDLE *handles, DWORD count,
                                         HANDLE wake,
                                         const volatile winipc_status *reason,
                                         const deadline *end) {
  cancel_tokens tokens;
  wait__watch watch;
  cancel_tokens_acquire(&tokens);
  winipc_status status = wait__watch_begin(&watch, wake, &tokens);
  if (!status) status = wait__all_watched(handles, count, &tokens, reason, end);
  wait__watch_end(&watch);
  cancel_tokens_release(&tokens);
  return status;
}

static winipc_status wait__all(const HANDLE *handles, DWORD count, HANDLE wake,
                               const volatile winipc_status *reason,
                               const deadline *end) {
  DWORD ignored, result = WaitForMultipleObjects(count, handles, TRUE, 0);
  if (result != WAIT_TIMEOUT || end->timeout_ms == WINIPC_NO_WAIT)
    return wait__result(result, count, &ignored);
  return wait__all_patiently(handles, count, wake, reason, end);
}

/* A list may be NULL. Returns how many of them were entered. */
static DWORD wait__enter_lists(waiters *const *lists, waiter *selves, DWORD count,
                               const waiter *self, const deadline *end,
                               winipc_status *status) {
  DWORD entered = 0;
  for (*status = WINIPC_OK; entered < count; entered++) {
    selves[entered] = *self;
    if (!lists[entered]) continue;
    *status = waiters__enter(lists[entered], &selves[entered], end);
    if (*status) break;
  }
  return entered;
}

static void wait__leave_lists(waiters *const *lists, waiter *selves, DWORD entered) {
  for (DWORD i = 0; i < entered; i++)
    if (lists[i]) waiters__leave(lists[i], &selves[i]);
}

winipc_status waiters_wait_many(waiters *const *lists, const HANDLE *handles,
                                DWORD count, bool all, const deadline *end,
                                DWORD *index) {
  waiter selves[WAIT_MOST];
  volatile winipc_status reason = WINIPC_OK;
  waiter self = {.reason = &reason};
  *index = 0;
  winipc_status status = wait__wake_event(&self.wake);
  if (status) return status;
  DWORD entered = wait__enter_lists(lists, selves, count, &self, end, &status);
  if (status)
    status_plain(status);
  else if (all && count > 1)
    status = wait__all(handles, count, self.wake, &reason, end);
  else
    status = wait__any(handles, count, self.wake, &reason, end, index);
  wait__leave_lists(lists, selves, entered);
  if (reason) ResetEvent(self.wake); /* it may have come while we left */
  return status;
}

winipc_status waiters_sleep(const deadline *end) {
  DWORD index;
  return waiters_wait_many(NULL, NULL, 0, false, end, &index);
}

winipc_status waiters_wait(waiters *list, HANDLE handle, const deadline *end) {
  DWORD index;
  if (end->timeout_ms == WINIPC_NO_WAIT) {
    DWORD result = WaitForSingleObject(handle, 0);
    return wait__result(result, 1, &index);
  }
  return waiters_wait_many(&list, &handle, 1, false, end, &index);
}
