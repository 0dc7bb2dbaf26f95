/* The client's end of a named pipe. */
#include "connection/address.h"
#include "core/platform.h"
#include "core/security.h"
#include "core/status.h"
#include "core/structure.h"
#include "core/text.h"
#include "pipe/pipe.h"

enum {
  PIPE_CLIENT__FIRST_PAUSE_MS = 1, /* between two attempts, doubled each time */
  PIPE_CLIENT__LAST_PAUSE_MS = 32,
};

static const DWORD pipe_client__read = GENERIC_READ | FILE_WRITE_ATTRIBUTES;

/* GENERIC_WRITE would ask for FILE_CREATE_PIPE_INSTANCE too, which a server gives to
 * nobody but its own user. Wine looks at the generic rights alone when it checks the
 * direction of a one-way pipe, and at no DACL. */
static DWORD pipe_client__write(void) {
  if (platform_is_wine()) return GENERIC_WRITE | FILE_READ_ATTRIBUTES;
  return (FILE_GENERIC_WRITE & ~(DWORD)FILE_CREATE_PIPE_INSTANCE) |
         FILE_READ_ATTRIBUTES;
}

winipc_status WINIPC_CALL
winipc_pipe_client_options_init(winipc_pipe_client_options *options) {
  if (!options) return status_fail(WINIPC_E_INVALID_ARGUMENT, "options is NULL");
  *options = (winipc_pipe_client_options){
      .size = sizeof *options,
      .framing = WINIPC_FRAMING_AUTO,
      .max_message = WINIPC_DEFAULT_MAX_MESSAGE,
      .impersonation = WINIPC_PIPE_IDENTIFICATION,
  };
  return WINIPC_OK;
}

static winipc_status pipe_client__check(const winipc_pipe_client_options *o) {
  const struct {
    uint32_t value, most;
    const char *name;
  } ranges[] = {
      {o->direction, WINIPC_PIPE_OUTBOUND, "direction"},
      {o->read_mode, WINIPC_PIPE_READ_BYTE, "read_mode"},
      {o->nowait, 1, "nowait"},
      {o->impersonation, WINIPC_PIPE_DELEGATION, "impersonation"},
      {o->inheritable, 1, "inheritable"},
      {o->must_exist, 1, "must_exist"},
      {o->write_through, 1, "write_through"},
      {o->reserved, 0, "reserved"},
  };
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
    if (ranges[i].value > ranges[i].most)
      return status_fail(WINIPC_E_INVALID_ARGUMENT, "%s is %u: at most %u is known",
                         ranges[i].name, ranges[i].value, ranges[i].most);
  if (o->server_user && strcmp(o->server_user, "self") &&
      !text_begins(o->server_user, "S-1-"))
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "server_user is \"%.60s\": neither \"self\" nor a SID, S-1-...",
                       o->server_user);
  return WINIPC_OK;
}

static HANDLE pipe_client__create_file(const wchar_t *path, DWORD access,
                                       const winipc_pipe_client_options *o) {
  SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, (BOOL)o->inheritable};
  DWORD flags = FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | o->impersonation << 16;
  if (o->write_through) flags |= FILE_FLAG_WRITE_THROUGH;
  return CreateFileW(path, access, 0, &inherit, OPEN_EXISTING, flags, NULL);
}

/* A duplex client of a one-way pipe is refused; it then takes the way that is open. */
static HANDLE pipe_client__open_once(const wchar_t *path,
                                     const winipc_pipe_client_options *o) {
  const DWORD read = pipe_client__read, write = pipe_client__write();
  const DWORD duplex[] = {read | write, read, write, 0};
  const DWORD inbound[] = {write, 0}, outbound[] = {read, 0};
  const DWORD *ways[] = {duplex, inbound, outbound}, *access = ways[o->direction];
  HANDLE file;
  do file = pipe_client__create_file(path, *access++, o);
  while (file == INVALID_HANDLE_VALUE && GetLastError() == ERROR_ACCESS_DENIED &&
         *access);
  return file;
}

static bool pipe_client__may_come(DWORD error, const winipc_pipe_client_options *o) {
  return error == ERROR_PIPE_BUSY || (error == ERROR_FILE_NOT_FOUND && !o->must_exist);
}

/* Sleeps until the next attempt, longer each time and by a random part, so that many
 * clients do not knock in step. WaitNamedPipe would wait for the server's idea of
 * time, not ours, and not at all for a server that is yet to come. */
static winipc_status pipe_client__pause(DWORD *pause, const deadline *end) {
  DWORD left = deadline_left(end);
  DWORD time = *pause + (GetTickCount() ^ GetCurrentThreadId()) % (*pause + 1);
  if (!left) return WINIPC_E_TIMEOUT;
  if (*pause < PIPE_CLIENT__LAST_PAUSE_MS) *pause *= 2;
  deadline next = deadline_in(time < left ? time : left);
  winipc_status status = waiters_sleep(&next);
  return status == WINIPC_E_TIMEOUT ? WINIPC_OK : status;
}

static winipc_status pipe_client__open(const wchar_t *path,
                                       const winipc_pipe_client_options *o,
                                       const deadline *end, HANDLE *file) {
  DWORD pause = PIPE_CLIENT__FIRST_PAUSE_MS;
  for (;;) {
    *file = pipe_client__open_once(path, o);
    if (*file != INVALID_HANDLE_VALUE) return WINIPC_OK;
    DWORD error = GetLastError();
    if (!pipe_client__may_come(error, o)) return status_from_win32(error, "CreateFile");
    winipc_status status = pipe_client__pause(&pause, end);
    if (status == WINIPC_E_TIMEOUT)
      return status_fail_win32(status_of_win32(error), error, "CreateFile",
                               error == ERROR_PIPE_BUSY
                                   ? "every instance of the pipe \"%s\" is busy"
                                   : "there is no pipe \"%s\"",
                               TEXT_SHOW(path));
    if (status) return status;
  }
}

/* A process that we may not ask, another user's or an elevated one, cannot show that it
 * is the right one. */
static winipc_status pipe_client__server_user(DWORD pid, char user[SECURITY_SID_TEXT]) {
  winipc_status status = security_user_of(pid, user);
  if (status != WINIPC_E_ACCESS_DENIED) return status;
  return status_fail_win32(WINIPC_E_WRONG_PEER, ERROR_ACCESS_DENIED, "OpenProcess",
                           "the server (process %lu) does not tell its user", pid);
}

static winipc_status pipe_client__check_server(HANDLE file, const char *user) {
  ULONG pid;
  char wanted[SECURITY_SID_TEXT], found[SECURITY_SID_TEXT];
  const char *sid = user;
  if (!user) return WINIPC_OK;
  winipc_status status = WINIPC_OK;
  if (!strcmp(user, "self")) {
    status = security_current_user(wanted);
    sid = wanted;
  }
  if (!status && !GetNamedPipeServerProcessId(file, &pid))
    status = status_from_last("GetNamedPipeServerProcessId");
  if (!status) status = pipe_client__server_user(pid, found);
  if (status || !_stricmp(sid, found)) return status;
  return status_fail(WINIPC_E_WRONG_PEER, "the server (process %lu) runs as %s", pid,
                     found);
}

static winipc_status pipe_client__set_mode(HANDLE file,
                                           const winipc_pipe_client_options *o,
                                           pipe_facts *facts) {
  DWORD flags;
  if (!GetNamedPipeInfo(file, &flags, NULL, NULL, NULL))
    return status_from_last("GetNamedPipeInfo");
  bool message_type = (flags & PIPE_TYPE_MESSAGE) != 0;
  DWORD mode = pipe_read_mode(o->read_mode, o->framing, message_type);
  if (mode == PIPE_READMODE_MESSAGE && !message_type)
    return status_fail(WINIPC_E_FRAMING, "the pipe is of byte type");
  *facts = (pipe_facts){false, mode == PIPE_READMODE_MESSAGE, o->nowait != 0};
  if (o->nowait) mode |= PIPE_NOWAIT;
  if (mode && !SetNamedPipeHandleState(file, &mode, NULL, NULL))
    return status_from_last("SetNamedPipeHandleState");
  return WINIPC_OK;
}

winipc_status pipe_client_open(const char *address,
                               const winipc_pipe_client_options *options,
                               const deadline *end, HANDLE *file, pipe_facts *facts) {
  winipc_pipe_client_options known;
  wchar_t *path;
  winipc_pipe_client_options_init(&known);
  winipc_status status = structure_read(&known, sizeof known, options);
  if (!status) status = pipe_client__check(&known);
  if (!status) status = address_pipe_path(address, &path);
  if (status) return status;
  status = pipe_client__open(path, &known, end, file);
  free(path);
  if (status) return status;
  status = pipe_client__check_server(*file, known.server_user);
  if (!status) status = pipe_client__set_mode(*file, &known, facts);
  if (status) CloseHandle(*file);
  return status;
}

static winipc_status pipe_client__adopt(HANDLE file, pipe_facts facts,
                                        const winipc_connection_options *options,
                                        winipc_connection **id) {
  connection *c;
  winipc_status status = pipe_connection_new(file, options, facts, &c);
  if (status) return CloseHandle(file), status;
  return connection_publish(c, id);
}

winipc_status WINIPC_CALL winipc_pipe_connect(const char *address,
                                              const winipc_pipe_client_options *options,
                                              uint32_t timeout_ms,
                                              winipc_connection **connection) {
  winipc_pipe_client_options known;
  winipc_connection_options framing;
  HANDLE file;
  pipe_facts facts;
  if (!connection) return status_fail(WINIPC_E_INVALID_ARGUMENT, "connection is NULL");
  *connection = NULL;
  winipc_pipe_client_options_init(&known);
  winipc_status status = structure_read(&known, sizeof known, options);
  if (status) return status;
  winipc_connection_options given = {sizeof given, known.framing, known.max_message};
  status = connection_options_read(&framing, &given);
  if (status) return status;
  deadline end = deadline_in(timeout_ms);
  status = pipe_client_open(address, &known, &end, &file, &facts);
  return status ? status : pipe_client__adopt(file, facts, &framing, connection);
}

winipc_status pipe_connect_address(const char *address,
                                   const winipc_connection_options *options,
                                   uint32_t timeout_ms,
                                   winipc_connection **connection) {
  winipc_connection_options known;
  winipc_pipe_client_options pipe;
  winipc_status status = connection_options_read(&known, options);
  if (status) return status;
  winipc_pipe_client_options_init(&pipe);
  pipe.framing = known.framing;
  pipe.max_message = known.max_message;
  return winipc_pipe_connect(address, &pipe, timeout_ms, connection);
}
