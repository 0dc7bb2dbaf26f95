/* One overlapped I/O at a time. The caller's buffer is the kernel's until
 * operation_end returns: cancelling is a request, completion is the truth. */
#ifndef WINIPC_OPERATION_H
#define WINIPC_OPERATION_H

#include "core/wait.h"
#include "core/win.h"

typedef struct operation {
  OVERLAPPED overlapped;
  HANDLE event; /* manual-reset */
} operation;

winipc_status operation_init(operation *op);
void operation_free(operation *op);

/* Prepares the next I/O; give the result to ReadFile and the like. */
OVERLAPPED *operation_begin(operation *op);

/* Sees the I/O on `file` through, after the call that started it returned `started`
 * and set the last error. OK, or WINIPC_MORE when a message was longer than its
 * buffer. When the time runs out or the wait is cancelled, the I/O is cancelled too;
 * but if its data won, that is success. `bytes` tells what went through in any
 * case. */
winipc_status operation_end(operation *op, HANDLE file, BOOL started, waiters *list,
                            const deadline *end, const char *call, DWORD *bytes);

/* Asks for the end of an I/O that is under way, and returns when it has ended: what
 * GetOverlappedResult says then is the truth. */
void operation_cancel(operation *op, HANDLE file);

#endif
