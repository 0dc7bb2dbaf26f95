#include "core/worker.h"

#include "core/status.h"

enum { WORKER__CANCEL_AGAIN_MS = 10 };

struct worker {
  HMODULE self; /* with the thread's reference */
  HANDLE thread;
  HANDLE request;   /* auto-reset */
  HANDLE done;      /* auto-reset */
  worker_call call; /* NULL: leave */
  void *argument;
};

static DWORD WINAPI worker__main(void *context) {
  worker *w = context;
  HMODULE self = w->self;
  for (;;) {
    WaitForSingleObject(w->request, INFINITE);
    worker_call call = w->call; /* once: worker_stop may change it meanwhile */
    if (!call) break;
    call(w->argument);
    SetEvent(w->done);
  }
  FreeLibraryAndExitThread(self, 0); /* the reference that worker_start took */
}

static void worker__free(worker *w) {
  if (w->thread) CloseHandle(w->thread);
  if (w->request) CloseHandle(w->request);
  if (w->done) CloseHandle(w->done);
  free(w);
}

static winipc_status worker__spawn(worker *w) {
  w->request = CreateEventW(NULL, FALSE, FALSE, NULL);
  if (!w->request) return status_from_last("CreateEventW");
  w->done = CreateEventW(NULL, FALSE, FALSE, NULL);
  if (!w->done) return status_from_last("CreateEventW");
  if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                          (LPCWSTR)(uintptr_t)&worker__main, &w->self))
    return status_from_last("GetModuleHandleEx");
  w->thread = CreateThread(NULL, 0, worker__main, w, 0, NULL);
  if (w->thread) return WINIPC_OK;
  winipc_status status = status_from_last("CreateThread");
  FreeLibrary(w->self);
  return status;
}

winipc_status worker_start(worker **out) {
  worker *w = calloc(1, sizeof *w);
  if (!w) return status_no_memory();
  winipc_status status = worker__spawn(w);
  if (status)
    worker__free(w);
  else
    *out = w;
  return status;
}

void worker_begin(worker *w, worker_call call, void *argument) {
  w->call = call;
  w->argument = argument;
  SetEvent(w->request);
}

winipc_status worker_run(worker *w, worker_call call, void *argument, waiters *list,
                         const deadline *end) {
  w->call = call;
  w->argument = argument;
  SetEvent(w->request);
  winipc_status status = waiters_wait(list, w->done, end);
  if (!status) return status;
  do CancelSynchronousIo(w->thread);
  while (WaitForSingleObject(w->done, WORKER__CANCEL_AGAIN_MS) == WAIT_TIMEOUT);
  return status;
}

void worker_stop(worker *w) {
  if (!w) return;
  w->call = NULL;
  SetEvent(w->request);
  WaitForSingleObject(w->thread, INFINITE);
  worker__free(w);
}

winipc_status worker_run_once(worker_call call, void *argument, waiters *list,
                              const deadline *end) {
  worker *w;
  winipc_status status = worker_start(&w);
  if (status) return status;
  status = worker_run(w, call, argument, list, end);
  worker_stop(w);
  return status;
}
