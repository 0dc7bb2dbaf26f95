#include "process/process.h"

#include "core/status.h"
#include "process/communicate.h"
#include "process/pseudo_console.h"

static waiters *process__waiters(void *object) {
  return &((process *)object)->waiters;
}

static HANDLE process__native(void *object) {
  return ((process *)object)->handle;
}

static void process__destroy(void *object) {
  process_discard(object);
}

const handle_class process_class = {
    .kind = HANDLE_PROCESS,
    .name = "a process",
    .waiters = process__waiters,
    .native = process__native,
    .waitable = true,
    .destroy = process__destroy,
};

process *process_new(void) {
  process *p = calloc(1, sizeof *p);
  if (!p) status_no_memory();
  return p;
}

static void process__close_stream(connection *c) {
  if (!c) return;
  c->transport->close(c, false);
  connection_discard(c);
}

void process_discard(process *p) {
  communicate_close_input(p);
  for (int i = 0; i < PROCESS_STREAMS; i++) process__close_stream(p->streams[i]);
  pseudo_console_close(p->console);
  if (p->job) CloseHandle(p->job); /* the end of the tree, with kill_with_parent */
  if (p->thread) CloseHandle(p->thread);
  if (p->handle) CloseHandle(p->handle);
  free(p);
}

winipc_status WINIPC_CALL winipc_process_close(winipc_process *process_id) {
  return handle_close(process_id, &process_class);
}

/* ---- opening ---- */

static winipc_status process__not_found(uint32_t pid) {
  return status_fail(WINIPC_E_NOT_FOUND, "there is no process %u", pid);
}

/* With all the rights that the functions here need, or those that one is given. */
static winipc_status process__open_handle(uint32_t pid, HANDLE *handle) {
  const DWORD least = SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION;
  *handle = OpenProcess(least | PROCESS_TERMINATE | PROCESS_DUP_HANDLE, FALSE, pid);
  if (!*handle && GetLastError() == ERROR_ACCESS_DENIED)
    *handle = OpenProcess(least, FALSE, pid);
  if (*handle) return WINIPC_OK;
  return GetLastError() == ERROR_INVALID_PARAMETER ? process__not_found(pid)
                                                   : status_from_last("OpenProcess");
}

static winipc_status process__open(process *p, uint32_t pid) {
  winipc_status status = process__open_handle(pid, &p->handle);
  if (status) return status;
  p->pid = GetProcessId(p->handle);
  return p->pid == pid ? WINIPC_OK : process__not_found(pid); /* it rounds the pid */
}

winipc_status WINIPC_CALL winipc_process_open(uint32_t pid, winipc_process **id) {
  if (!id) return status_fail(WINIPC_E_INVALID_ARGUMENT, "process is NULL");
  *id = NULL;
  process *p = process_new();
  if (!p) return WINIPC_E_OUT_OF_MEMORY;
  winipc_status status = process__open(p, pid);
  if (!status) status = handle_open(&process_class, p, id);
  if (status) process_discard(p);
  return status;
}

/* ---- its life and its end ---- */

winipc_status WINIPC_CALL winipc_process_pid(winipc_process *process_id,
                                             uint32_t *pid) {
  if (!pid) return status_fail(WINIPC_E_INVALID_ARGUMENT, "pid is NULL");
  *pid = 0;
  process *p = handle_acquire(process_id, &process_class);
  if (!p) return WINIPC_E_INVALID_HANDLE;
  *pid = p->pid;
  handle_release(process_id);
  return WINIPC_OK;
}

static winipc_status process__exit_code(const process *p, uint32_t *exit_code) {
  DWORD code;
  if (!GetExitCodeProcess(p->handle, &code))
    return status_from_last("GetExitCodeProcess");
  *exit_code = code;
  return WINIPC_OK;
}

winipc_status WINIPC_CALL winipc_process_wait(winipc_process *process_id,
                                              uint32_t timeout_ms,
                                              uint32_t *exit_code) {
  if (!exit_code) return status_fail(WINIPC_E_INVALID_ARGUMENT, "exit_code is NULL");
  *exit_code = 0;
  process *p = handle_acquire(process_id, &process_class);
  if (!p) return WINIPC_E_INVALID_HANDLE;
  deadline end = deadline_for(&p->waiters, timeout_ms);
  winipc_status status = waiters_wait(&p->waiters, p->handle, &end);
  if (!status) status = process__exit_code(p, exit_code);
  handle_release(process_id);
  return status;
}

static bool process__has_ended(const process *p) {
  return WaitForSingleObject(p->handle, 0) == WAIT_OBJECT_0;
}

/* Whatever is no group of its own would take the break to the whole console. */
static winipc_status process__interrupt(const process *p) {
  if (!p->leads_group)
    return status_fail(
        WINIPC_E_UNSUPPORTED,
        "the process was not started here with CREATE_NEW_PROCESS_GROUP");
  if (process__has_ended(p) || GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, p->pid))
    return WINIPC_OK;
  return status_from_last("GenerateConsoleCtrlEvent");
}

winipc_status WINIPC_CALL winipc_process_interrupt(winipc_process *process_id) {
  process *p = handle_acquire(process_id, &process_class);
  if (!p) return WINIPC_E_INVALID_HANDLE;
  winipc_status status = process__interrupt(p);
  handle_release(process_id);
  return status;
}

static winipc_status process__resume(const process *p) {
  if (!p->thread)
    return status_fail(WINIPC_E_UNSUPPORTED,
                       "the process was not started here with CREATE_SUSPENDED");
  return ResumeThread(p->thread) != (DWORD)-1 ? WINIPC_OK
                                              : status_from_last("ResumeThread");
}

winipc_status WINIPC_CALL winipc_process_resume(winipc_process *process_id) {
  process *p = handle_acquire(process_id, &process_class);
  if (!p) return WINIPC_E_INVALID_HANDLE;
  winipc_status status = process__resume(p);
  handle_release(process_id);
  return status;
}

/* One that has ended by itself is just as well: the system would deny access. */
static winipc_status process__terminate(const process *p, uint32_t exit_code) {
  if (TerminateProcess(p->handle, exit_code)) return WINIPC_OK;
  DWORD error = GetLastError();
  return process__has_ended(p) ? WINIPC_OK
                               : status_from_win32(error, "TerminateProcess");
}

winipc_status WINIPC_CALL winipc_process_terminate(winipc_process *process_id,
                                                   uint32_t exit_code) {
  process *p = handle_acquire(process_id, &process_class);
  if (!p) return WINIPC_E_INVALID_HANDLE;
  winipc_status status = process__terminate(p, exit_code);
  handle_release(process_id);
  return status;
}

static winipc_status process__kill_tree(const process *p, uint32_t exit_code) {
  if (!p->job)
    return status_fail(WINIPC_E_UNSUPPORTED,
                       "the process was opened, not started: what it started is not "
                       "known");
  return TerminateJobObject(p->job, exit_code) ? WINIPC_OK
                                               : status_from_last("TerminateJobObject");
}

winipc_status WINIPC_CALL winipc_process_kill_tree(winipc_process *process_id,
                                                   uint32_t exit_code) {
  process *p = handle_acquire(process_id, &process_class);
  if (!p) return WINIPC_E_INVALID_HANDLE;
  winipc_status status = process__kill_tree(p, exit_code);
  handle_release(process_id);
  return status;
}

/* ---- its streams ---- */

winipc_status process_enter(const void *id, process **entered) {
  process *p = handle_acquire(id, &process_class);
  if (!p) return WINIPC_E_INVALID_HANDLE;
  *entered = p;
  if (!InterlockedExchange(&p->busy, 1)) return WINIPC_OK;
  handle_release(id);
  return status_fail(WINIPC_E_BUSY, "another thread uses the streams of this process");
}

void process_leave(const void *id, process *p) {
  InterlockedExchange(&p->busy, 0);
  handle_release(id);
}

static winipc_status process__take_stream(process *p, uint32_t stream,
                                          winipc_connection **id) {
  static const char *const names[] = {"input", "output", "error"};
  if (!p->streams[stream] || (stream == WINIPC_STDIN && p->feed.begun))
    return status_fail(WINIPC_E_NOT_FOUND,
                       "standard %s is no pipe, was taken, or belongs to communicate",
                       names[stream]);
  connection *c = p->streams[stream];
  winipc_status status = handle_open(&connection_class, c, id);
  if (!status) p->streams[stream] = NULL;
  return status;
}

winipc_status WINIPC_CALL winipc_process_take_stream(winipc_process *process_id,
                                                     uint32_t stream,
                                                     winipc_connection **connection) {
  process *p;
  if (!connection) return status_fail(WINIPC_E_INVALID_ARGUMENT, "connection is NULL");
  *connection = NULL;
  if (stream >= PROCESS_STREAMS)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "stream %u is not known", stream);
  winipc_status status = process_enter(process_id, &p);
  if (status) return status;
  status = process__take_stream(p, stream, connection);
  process_leave(process_id, p);
  return status;
}
