/* The one place where the library sleeps.
 *
 * A thread that has to wait enters itself into the list of its object, and sleeps
 * on three things at once: what it waits for, its own wake-up event, and the cancel
 * token that it heeds. winipc_cancel and the closing of the object go through the
 * list; so no wake-up is lost, and none reaches a call that began later. */
#ifndef WINIPC_WAIT_H
#define WINIPC_WAIT_H

#include "core/thread.h"
#include "core/win.h"

/* The end of a wait, as a point in time: a call may consist of several waits. */
typedef struct deadline {
  uint32_t timeout_ms;
  uint64_t end; /* in 100 ns of the interrupt time; unused for NO_WAIT, FOREVER */
  const struct waiters *list; /* NULL, or the list whose cancels end the call */
  uint32_t cancels;           /* how many there had been when the call began */
} deadline;

deadline deadline_in(uint32_t timeout_ms);

/* The same for a call that may wait several times in `list`: a waiters_cancel between
 * two of its waits ends the later one. */
deadline deadline_for(const struct waiters *list, uint32_t timeout_ms);

/* Milliseconds that are left, rounded up; INFINITE for FOREVER. */
DWORD deadline_left(const deadline *end);

/* Nothing is left, or a cancel or a close has ended the call: whoever is busy may stop,
 * and learn by the wait that follows why. */
bool deadline_is_over(const deadline *end);

typedef struct waiter {
  struct waiter *next;
  struct waiter *previous;
  HANDLE wake;
  volatile winipc_status *reason; /* why it was woken; OK: it was not */
} waiter;

typedef struct waiters {
  SRWLOCK lock;
  waiter *first;
  bool closed;
  volatile uint32_t cancels;
  winipc_status reason; /* of the last one */
} waiters;

#define WAITERS_INIT {SRWLOCK_INIT, NULL, false, 0, WINIPC_OK}

/* Waits until `handle` is signalled: WINIPC_OK, WINIPC_ABANDONED, or an error that is
 * recorded: WINIPC_E_TIMEOUT, WINIPC_E_CANCELLED (by winipc_cancel or by a token),
 * WINIPC_E_CLOSED. `list` may be NULL. */
winipc_status waiters_wait(waiters *list, HANDLE handle, const deadline *end);

/* The same for 1 to WAIT_MOST handles with a list each. `index` gets the handle that
 * ended a wait for any. */
enum { WAIT_MOST = MAXIMUM_WAIT_OBJECTS - 1 - THREAD_TOKENS };
winipc_status waiters_wait_many(waiters *const *lists, const HANDLE *handles,
                                DWORD count, bool all, const deadline *end,
                                DWORD *index);

/* Waits for nothing: WINIPC_E_TIMEOUT at the end, or earlier WINIPC_E_CANCELLED. */
winipc_status waiters_sleep(const deadline *end);

/* Ends the waits that are in the list now: they return `reason`. */
void waiters_cancel(waiters *list, winipc_status reason);

/* Ends them, and every later one at once. */
void waiters_close(waiters *list);

#endif
