#include "connection/stream.h"

#include <winternl.h>

#include "connection/framing.h"
#include "core/status.h"
#include "core/worker.h"
#include "pipe/pipe.h"

/* How long NO_WAIT waits for a call that looked as if it would not block. */
enum { STREAM__AT_ONCE_MS = 50 };

typedef struct stream__direction {
  HANDLE handle; /* NULL: the program has no such stream */
  DWORD type;    /* of GetFileType */
  bool console;
  bool overlapped; /* somebody opened it so: it needs no worker, and works with none */
  worker *thread;  /* from the first call on */
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

static winipc_status stream__check(const stream__direction *d, const char *name) {
  return d->handle ? WINIPC_OK
                   : status_fail(WINIPC_E_UNSUPPORTED, "this program has no %s", name);
}

/* A file never makes one wait; with a pipe and a console one can see it in advance. */
static bool stream__would_wait(const stream__direction *d) {
  transport_view view = {0};
  if (d->console) return WaitForSingleObject(d->handle, 0) != WAIT_OBJECT_0;
  return d->type == FILE_TYPE_PIPE && !pipe_peek_handle(d->handle, NULL, 0, &view) &&
         !view.available;
}

static winipc_status stream__run(connection *c, stream__direction *d, worker_call call,
                                 stream__io *io, const deadline *end) {
  deadline soon = deadline_for(&c->waiters, STREAM__AT_ONCE_MS);
  winipc_status status = d->thread ? WINIPC_OK : worker_start(&d->thread);
  if (!status)
    status = worker_run(d->thread, call, io, &c->waiters,
                        end->timeout_ms == WINIPC_NO_WAIT ? &soon : end);
  return io->error == ERROR_OPERATION_ABORTED || io->error == ERROR_IO_PENDING
             ? status
             : WINIPC_OK; /* it got through, if late */
}

static winipc_status stream__read_overlapped(connection *c, const stream__direction *d,
                                             stream__io *io, const deadline *end) {
  BOOL started =
      ReadFile(d->handle, io->data, io->size, NULL, operation_begin(&c->in.op));
  return operation_end(&c->in.op, d->handle, started, &c->waiters, end, "ReadFile",
                       &io->moved);
}

static winipc_status stream__read_waiting(connection *c, stream__direction *d,
                                          stream__io *io, const deadline *end) {
  if (end->timeout_ms == WINIPC_NO_WAIT && stream__would_wait(d))
    return status_plain(WINIPC_E_TIMEOUT);
  winipc_status status = stream__run(c, d, stream__do_read, io, end);
  if (status) return status;
  if (io->error == ERROR_MORE_DATA) return WINIPC_MORE;
  return io->error ? status_from_win32(io->error, "ReadFile") : WINIPC_OK;
}

static winipc_status stream__read(connection *c, void *data, size_t capacity,
                                  size_t *size, const deadline *end) {
  stream__direction *d = &((stream__state *)c->state)->in;
  stream__io io = {d->handle, data, capacity > MAXDWORD ? MAXDWORD : (DWORD)capacity, 0,
                   ERROR_IO_PENDING};
  winipc_status status = stream__check(d, "standard input");
  if (!status)
    status = d->overlapped ? stream__read_overlapped(c, d, &io, end)
                           : stream__read_waiting(c, d, &io, end);
  *size = io.moved;
  if (status || io.moved || d->type == FILE_TYPE_PIPE) return status;
  return status_plain(WINIPC_E_DISCONNECTED); /* the end of a file, or Ctrl-Z */
}

static winipc_status stream__write_overlapped(connection *c, const stream__direction *d,
                                              stream__io *io, const deadline *end) {
  BOOL started =
      WriteFile(d->handle, io->data, io->size, NULL, operation_begin(&c->out.op));
  return operation_end(&c->out.op, d->handle, started, &c->waiters, end, "WriteFile",
                       &io->moved);
}

static winipc_status stream__write_waiting(connection *c, stream__direction *d,
                                           stream__io *io, const deadline *end) {
  winipc_status status = stream__run(c, d, stream__do_write, io, end);
  if (status) return status;
  return io->error ? status_from_win32(io->error, "WriteFile") : WINIPC_OK;
}

static winipc_status stream__write(connection *c, const void *data, size_t size,
                                   const deadline *end) {
  stream__direction *d = &((stream__state *)c->state)->out;
  stream__io io = {d->handle, (void *)(uintptr_t)data, (DWORD)size, 0,
                   ERROR_IO_PENDING};
  winipc_status status = stream__check(d, "standard output");
  if (!status)
    status = d->overlapped ? stream__write_overlapped(c, d, &io, end)
                           : stream__write_waiting(c, d, &io, end);
  if (status) return status;
  return io.moved == size ? WINIPC_OK : status_plain(WINIPC_E_INCOMPLETE);
}

static bool stream__has_room(connection *c, size_t size) {
  const stream__direction *d = &((stream__state *)c->state)->out;
  return d->type != FILE_TYPE_PIPE || pipe_handle_has_room(d->handle, size);
}

static winipc_status stream__peek(connection *c, void *data, size_t capacity,
                                  transport_view *view) {
  stream__state *s = c->state;
  if (s->in.type == FILE_TYPE_PIPE)
    return pipe_peek_handle(s->in.handle, data, capacity, view);
  return status_fail(WINIPC_E_UNSUPPORTED, "only a pipe can be looked into");
}

/* What is no pipe has taken everything when the write returns. */
static winipc_status stream__drain(connection *c, const deadline *end) {
  const stream__direction *d = &((stream__state *)c->state)->out;
  if (d->type != FILE_TYPE_PIPE) return WINIPC_OK;
  return pipe_flush_handle(d->handle, &c->waiters, end);
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

static winipc_status stream__peer(connection *c, winipc_peer *peer) {
  return pipe_peer(stream__native(c), c->server, peer);
}

static const transport stream__transport = {
    .send = framing_send,
    .receive = framing_receive,
    .receive_alloc = framing_receive_alloc,
    .peer = stream__peer,
    .read = stream__read,
    .write = stream__write,
    .has_room = stream__has_room,
    .peek = stream__peek,
    .drain = stream__drain,
    .abort = stream__abort,
    .native = stream__native,
    .close = stream__close,
};

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

/* As pipe_ask, but a handle that may not be asked is read as bytes. */
static void stream__ask(HANDLE handle, pipe_facts *facts) {
  DWORD flags = 0, state = 0;
  GetNamedPipeInfo(handle, &flags, NULL, NULL, NULL);
  GetNamedPipeHandleStateW(handle, &state, NULL, NULL, NULL, NULL, 0);
  facts->server = (flags & PIPE_SERVER_END) != 0;
  facts->messages = (state & PIPE_READMODE_MESSAGE) != 0;
}

static stream__direction stream__direction_of(HANDLE handle) {
  DWORD mode;
  if (handle == INVALID_HANDLE_VALUE) handle = NULL;
  stream__direction d = {.handle = handle};
  if (!handle) return d;
  d.type = GetFileType(handle);
  d.console = d.type == FILE_TYPE_CHAR && GetConsoleMode(handle, &mode);
  d.overlapped = stream__is_overlapped(handle);
  return d;
}

static winipc_status stream__new(HANDLE in, HANDLE out, bool owned,
                                 const winipc_connection_options *options,
                                 connection **made) {
  pipe_facts facts = {0};
  connection *c;
  winipc_status status = connection_new(&stream__transport, options, &c);
  if (status) return status;
  stream__state *s = calloc(1, sizeof *s);
  if (!s) return connection_discard(c), status_no_memory();
  *s = (stream__state){stream__direction_of(in), stream__direction_of(out), owned};
  if (s->in.type == FILE_TYPE_PIPE) stream__ask(s->in.handle, &facts);
  status = connection_settle(c, facts.messages);
  if (status) return free(s), connection_discard(c), status;
  c->server = facts.server;
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
  if (status) return status;
  HANDLE in = GetStdHandle(STD_INPUT_HANDLE), out = GetStdHandle(STD_OUTPUT_HANDLE);
  if (!GetFileType(in) && !GetFileType(out))
    return status_fail(WINIPC_E_NOT_FOUND, "this program has no standard streams");
  status = stream__new(in, out, false, &known, &c);
  return status ? status : connection_publish(c, connection);
}

/* ---- foreign handles ---- */

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
  bool overlapped = stream__is_overlapped(handle);
  if (overlapped && GetFileType(handle) == FILE_TYPE_DISK)
    return status_fail(WINIPC_E_UNSUPPORTED,
                       "a file that was opened with FILE_FLAG_OVERLAPPED has no end to "
                       "write at");
  pipe_facts facts;
  if (overlapped && !pipe_ask(handle, &facts))
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
