#include "stream.h"

#include <winternl.h>

#include "pipe.h"
#include "status.h"
#include "worker.h"

typedef struct stream__direction {
  HANDLE handle;
  DWORD type; /* of GetFileType */
  worker *thread;
} stream__direction;

typedef struct stream__state {
  stream__direction in, out;
  bool owned; /* the handles are closed with the connection */
} stream__state;

typedef struct stream__io {
  HANDLE handle;
  void *data;
  DWORD size;
  DWORD moved;
  DWORD error;
} stream__io;

static void stream__do_read(void *argument) {
  stream__io *io = argument;
  BOOL ok = ReadFile(io->handle, io->data, io->size, &io->moved, NULL);
  io->error = ok ? ERROR_SUCCESS : GetLastError();
}

static void stream__do_write(void *argument) {
  stream__io *io = argument;
  BOOL ok = WriteFile(io->handle, io->data, io->size, &io->moved, NULL);
  io->error = ok ? ERROR_SUCCESS : GetLastError();
}

/* Cannot block on a disk; on a pipe and on the console one can see in advance. */
static bool stream__would_wait(const stream__direction *d) {
  transport_view view = {0};
  if (d->type == FILE_TYPE_PIPE)
    return !pipe_peek_handle(d->handle, NULL, 0, &view) && !view.available;
  if (d->type == FILE_TYPE_CHAR)
    return WaitForSingleObject(d->handle, 0) != WAIT_OBJECT_0;
  return false;
}

static winipc_status stream__run(connection *c, stream__direction *d, worker_call call,
                                 stream__io *io, const deadline *end) {
  winipc_status status = d->thread ? WINIPC_OK : worker_start(&d->thread);
  if (!status) status = worker_run(d->thread, call, io, &c->waiters, end);
  return io->error == ERROR_OPERATION_ABORTED || io->error == ERROR_IO_PENDING
             ? status
             : WINIPC_OK; /* it got through, if late */
}

static winipc_status stream__read(connection *c, void *data, size_t capacity,
                                  size_t *size, const deadline *end) {
  stream__state *s = c->state;
  stream__io io = {s->in.handle, data, capacity > MAXDWORD ? MAXDWORD : (DWORD)capacity,
                   0, ERROR_IO_PENDING};
  deadline patient = deadline_in(WINIPC_FOREVER);
  bool at_once = end->timeout_ms == WINIPC_NO_WAIT;
  if (at_once && stream__would_wait(&s->in)) return status_plain(WINIPC_E_TIMEOUT);
  winipc_status status =
      stream__run(c, &s->in, stream__do_read, &io, at_once ? &patient : end);
  *size = io.moved;
  if (status) return status;
  if (io.error == ERROR_MORE_DATA) return WINIPC_MORE;
  if (io.error) return status_from_win32(io.error, "ReadFile");
  if (io.moved || c->messages || s->in.type == FILE_TYPE_PIPE) return WINIPC_OK;
  return status_plain(WINIPC_E_DISCONNECTED); /* the end of a file, or Ctrl-Z */
}

static winipc_status stream__write(connection *c, const void *data, size_t size,
                                   const deadline *end) {
  stream__state *s = c->state;
  stream__io io = {s->out.handle, (void *)(uintptr_t)data, (DWORD)size, 0,
                   ERROR_IO_PENDING};
  winipc_status status = stream__run(c, &s->out, stream__do_write, &io, end);
  if (status) return status;
  if (io.error) return status_from_win32(io.error, "WriteFile");
  return io.moved == size ? WINIPC_OK : status_plain(WINIPC_E_INCOMPLETE);
}

static winipc_status stream__peek(connection *c, void *data, size_t capacity,
                                  transport_view *view) {
  stream__state *s = c->state;
  if (s->in.type == FILE_TYPE_PIPE)
    return pipe_peek_handle(s->in.handle, data, capacity, view);
  return status_fail(WINIPC_E_UNSUPPORTED, "only a pipe can be looked into");
}

static void stream__flush(void *handle) {
  FlushFileBuffers(handle);
}

static winipc_status stream__drain(connection *c, const deadline *end) {
  stream__state *s = c->state;
  return worker_run_once(stream__flush, s->out.handle, &c->waiters, end);
}

static void stream__abort(connection *c) {
  (void)c;
}

static HANDLE stream__native(connection *c) {
  return ((stream__state *)c->state)->in.handle;
}

static void stream__close(connection *c, bool detach) {
  stream__state *s = c->state;
  worker_stop(s->in.thread);
  worker_stop(s->out.thread);
  if (s->owned && !detach) CloseHandle(s->in.handle);
  free(s);
}

static const transport stream__transport = {
    .name = "stream",
    .read = stream__read,
    .write = stream__write,
    .peek = stream__peek,
    .drain = stream__drain,
    .abort = stream__abort,
    .native = stream__native,
    .close = stream__close,
};

static bool stream__reads_messages(HANDLE handle) {
  DWORD state;
  return GetNamedPipeHandleStateW(handle, &state, NULL, NULL, NULL, NULL, 0) &&
         (state & PIPE_READMODE_MESSAGE);
}

static winipc_status stream__new(HANDLE in, HANDLE out, bool owned,
                                 const winipc_connection_options *options,
                                 connection **made) {
  connection *c;
  winipc_status status = connection_new(&stream__transport, options, &c);
  if (status) return status;
  stream__state *s = calloc(1, sizeof *s);
  status = s ? connection_settle(c, stream__reads_messages(in)) : status_no_memory();
  if (status) return free(s), connection_discard(c), status;
  s->in = (stream__direction){in, GetFileType(in), NULL};
  s->out = (stream__direction){out, GetFileType(out), NULL};
  s->owned = owned;
  c->state = s;
  *made = c;
  return WINIPC_OK;
}

winipc_status stream_connect_stdio(const char *address,
                                   const winipc_connection_options *options,
                                   uint32_t timeout_ms,
                                   winipc_connection **connection) {
  (void)timeout_ms;
  struct connection *c;
  winipc_connection_options known;
  if (strcmp(address, "stdio:"))
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "nothing goes behind \"stdio:\"");
  winipc_status status = connection_options_read(&known, options);
  if (!status)
    status = stream__new(GetStdHandle(STD_INPUT_HANDLE),
                         GetStdHandle(STD_OUTPUT_HANDLE), false, &known, &c);
  return status ? status : connection_publish(c, connection);
}

/* ---- foreign handles ---- */

static bool stream__is_overlapped(HANDLE handle) {
  enum {
    STREAM__MODE_INFORMATION = 16,    /* FileModeInformation */
    STREAM__SYNCHRONOUS = 0x10 | 0x20 /* FILE_SYNCHRONOUS_IO_ALERT, _NONALERT */
  };
  ULONG mode = 0;
  IO_STATUS_BLOCK block;
  NTSTATUS status =
      NtQueryInformationFile(handle, &block, &mode, sizeof mode,
                             (FILE_INFORMATION_CLASS)STREAM__MODE_INFORMATION);
  return status >= 0 && !(mode & STREAM__SYNCHRONOUS);
}

winipc_status WINIPC_CALL
winipc_connection_from_handle(void *handle, const winipc_connection_options *options,
                              winipc_connection **connection) {
  struct connection *c;
  winipc_connection_options known;
  if (!connection) return status_fail(WINIPC_E_INVALID_ARGUMENT, "connection is NULL");
  *connection = NULL;
  winipc_status status = connection_options_read(&known, options);
  if (status) return status;
  SetLastError(NO_ERROR);
  if (GetFileType(handle) == FILE_TYPE_UNKNOWN && GetLastError() != NO_ERROR)
    return status_from_last("GetFileType");
  pipe_facts facts;
  if (stream__is_overlapped(handle) && !pipe_ask(handle, &facts))
    status = pipe_connection_new(handle, &known, facts, &c);
  else
    status = stream__new(handle, handle, true, &known, &c);
  if (status) return status;
  status = handle_open(&connection_class, c, connection);
  if (!status) return status;
  c->transport->close(c, true); /* the handle stays the caller's */
  connection_discard(c);
  return status;
}
