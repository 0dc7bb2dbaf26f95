/* A thread of the library's: it makes one system call at a time which can only block,
 * so that its caller can have a timeout and be cancelled; or it runs one long call. */
#ifndef WINIPC_WORKER_H
#define WINIPC_WORKER_H

#include "core/wait.h"
#include "core/win.h"

typedef struct worker worker;

typedef void (*worker_call)(void *argument);

winipc_status worker_start(worker **out);

/* Runs call(argument) on the worker. When the wait ends early the call is cancelled by
 * CancelSynchronousIo, over and over until it has returned: the argument is the
 * worker's until then. The status is that of the wait; whether the call got through
 * all the same, the argument tells. One caller at a time. */
winipc_status worker_run(worker *w, worker_call call, void *argument, waiters *list,
                         const deadline *end);

/* Begins call(argument) on the worker, and does not wait. Once for a worker, which is
 * then only to be stopped. */
void worker_begin(worker *w, worker_call call, void *argument);

/* Ends the thread, when its call has returned. NULL is fine. */
void worker_stop(worker *w);

/* Start, run, stop. */
winipc_status worker_run_once(worker_call call, void *argument, waiters *list,
                              const deadline *end);

#endif
