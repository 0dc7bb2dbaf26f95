#include "process/process_streams.h"

#include "core/status.h"
#include "core/text.h"
#include "pipe/pipe_pair.h"

static const char *const process_streams__names[] = {
    "standard input", "standard output", "standard error"};

static winipc_status process_streams__check(const winipc_stream *o, int i) {
  const char *name = process_streams__names[i];
  if (o->kind > WINIPC_STREAM_MERGE)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "kind %u of %s is not known", o->kind,
                       name);
  if ((o->kind == WINIPC_STREAM_MERGE && i != WINIPC_STDERR) ||
      (o->kind == WINIPC_STREAM_APPEND && i == WINIPC_STDIN))
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "%s cannot be %s", name,
                       o->kind == WINIPC_STREAM_MERGE ? "merged" : "appended to");
  return WINIPC_OK;
}

static winipc_status process_streams__open_file(const wchar_t *path, bool input,
                                                bool append, HANDLE *file) {
  SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
  DWORD access = input    ? GENERIC_READ
                 : append ? FILE_APPEND_DATA | FILE_READ_ATTRIBUTES | SYNCHRONIZE
                          : GENERIC_WRITE | FILE_READ_ATTRIBUTES;
  DWORD creation = input ? OPEN_EXISTING : append ? OPEN_ALWAYS : CREATE_ALWAYS;
  *file =
      CreateFileW(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                  &inherit, creation, FILE_ATTRIBUTE_NORMAL, NULL);
  if (*file != INVALID_HANDLE_VALUE) return WINIPC_OK;
  DWORD error = GetLastError();
  *file = NULL;
  return status_fail_win32(status_of_win32(error), error, "CreateFile",
                           "the file \"%s\" cannot be opened (Win32 error %lu)",
                           TEXT_SHOW(path), error);
}

static winipc_status process_streams__open_path(const winipc_stream *o, int i,
                                                HANDLE *file) {
  wchar_t *path;
  winipc_status status = text_to_wide(o->path, "the path of a stream", &path);
  if (!status)
    status = process_streams__open_file(path, i == WINIPC_STDIN,
                                        o->kind == WINIPC_STREAM_APPEND, file);
  free(path);
  return status;
}

static winipc_status process_streams__open_pipe(const winipc_stream *o, int i,
                                                process_streams *s) {
  winipc_pipe_options options;
  winipc_status status = pipe_pair_options_init(&options);
  options.direction = i == WINIPC_STDIN ? WINIPC_PIPE_OUTBOUND : WINIPC_PIPE_INBOUND;
  options.framing = o->framing;
  return status ? status : pipe_pair_open(&options, &s->ours[i], &s->theirs[i]);
}

static winipc_status process_streams__lend(const winipc_stream *o, int i,
                                           HANDLE *handle) {
  DWORD flags;
  *handle = o->handle;
  if (*handle && *handle != INVALID_HANDLE_VALUE &&
      GetHandleInformation(*handle, &flags))
    return WINIPC_OK;
  *handle = NULL;
  return status_fail(WINIPC_E_INVALID_HANDLE, "the handle for %s is not open",
                     process_streams__names[i]);
}

static winipc_status process_streams__open_one(process_streams *s,
                                               const winipc_stream *o, int i) {
  static const DWORD own[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
  HANDLE *theirs = &s->theirs[i];
  s->opened[i] = o->kind == WINIPC_STREAM_NULL || o->kind == WINIPC_STREAM_PIPE ||
                 o->kind == WINIPC_STREAM_FILE || o->kind == WINIPC_STREAM_APPEND;
  switch (o->kind) {
  case WINIPC_STREAM_INHERIT:
    *theirs = GetStdHandle(own[i]); /* NULL in a program that has no console */
    return WINIPC_OK;
  case WINIPC_STREAM_NULL:
    return process_streams__open_file(L"NUL", i == WINIPC_STDIN, false, theirs);
  case WINIPC_STREAM_PIPE:
    return process_streams__open_pipe(o, i, s);
  case WINIPC_STREAM_HANDLE:
    return process_streams__lend(o, i, theirs);
  case WINIPC_STREAM_MERGE:
    *theirs = s->theirs[WINIPC_STDOUT];
    return WINIPC_OK;
  default:
    return process_streams__open_path(o, i, theirs);
  }
}

/* What files and pipes are there already is not touched before all is known to be
 * right. */
winipc_status process_streams_open(process_streams *s, const winipc_stream *options) {
  winipc_status status = WINIPC_OK;
  *s = (process_streams){0};
  for (int i = 0; !status && i < PROCESS_STREAMS; i++)
    status = process_streams__check(&options[i], i);
  for (int i = 0; !status && i < PROCESS_STREAMS; i++) {
    status = process_streams__open_one(s, &options[i], i);
    if (status) s->theirs[i] = NULL;
  }
  if (status) process_streams_close(s);
  return status;
}

void process_streams_close_theirs(process_streams *s) {
  for (int i = 0; i < PROCESS_STREAMS; i++) {
    if (s->opened[i] && s->theirs[i]) CloseHandle(s->theirs[i]);
    s->theirs[i] = NULL;
  }
}

void process_streams_close(process_streams *s) {
  process_streams_close_theirs(s);
  for (int i = 0; i < PROCESS_STREAMS; i++) {
    if (!s->ours[i]) continue;
    s->ours[i]->transport->close(s->ours[i], false);
    connection_discard(s->ours[i]);
    s->ours[i] = NULL;
  }
}

void process_streams_move(process_streams *s, process *p) {
  for (int i = 0; i < PROCESS_STREAMS; i++) {
    p->streams[i] = s->ours[i];
    s->ours[i] = NULL;
    if (p->streams[i]) p->streams[i]->peer_pid = p->pid;
  }
}
