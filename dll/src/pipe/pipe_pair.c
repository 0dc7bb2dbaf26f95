/* An anonymous pipe: in truth a named one that nobody can find or join, because
 * CreatePipe makes ends that cannot be overlapped. */

#include "pipe/pipe_pair.h"
#include "core/platform.h"
#include "core/security.h"
#include "core/status.h"
#include "core/structure.h"
#include "pipe/pipe.h"

enum { PIPE_PAIR__NAME = 64 };

/* 128 random bits: not to be guessed, and so not to be taken before us. */
static winipc_status pipe_pair__name(wchar_t name[PIPE_PAIR__NAME]) {
  uint32_t random[4];
  winipc_status status = platform_random(random, sizeof random);
  if (!status)
    swprintf(name, PIPE_PAIR__NAME, L"\\\\.\\pipe\\winipc-%08x%08x%08x%08x", random[0],
             random[1], random[2], random[3]);
  return status;
}

static winipc_status pipe_pair__create_ours(const wchar_t *name,
                                            const winipc_pipe_options *o,
                                            HANDLE *ours) {
  SECURITY_ATTRIBUTES security;
  winipc_status status =
      security_init(&security, WINIPC_SECURITY_CURRENT_USER, NULL, false);
  if (status) return status;
  *ours = CreateNamedPipeW(name,
                           pipe_server_access(o->direction) | FILE_FLAG_OVERLAPPED |
                               FILE_FLAG_FIRST_PIPE_INSTANCE,
                           pipe_server_mode(o) | PIPE_REJECT_REMOTE_CLIENTS, 1,
                           o->out_buffer, o->in_buffer, 0, &security);
  if (*ours == INVALID_HANDLE_VALUE) status = status_from_last("CreateNamedPipe");
  security_free(&security);
  return status;
}

/* The one instance is taken by this open: nobody else can come in. */
static winipc_status pipe_pair__open_theirs(const wchar_t *name,
                                            const winipc_pipe_options *o,
                                            HANDLE *theirs) {
  const DWORD ways[] = {GENERIC_READ | GENERIC_WRITE,
                        GENERIC_WRITE | FILE_READ_ATTRIBUTES,
                        GENERIC_READ | FILE_WRITE_ATTRIBUTES};
  SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
  *theirs = CreateFileW(name, ways[o->direction], 0, &inherit, OPEN_EXISTING, 0, NULL);
  if (*theirs == INVALID_HANDLE_VALUE) return status_from_last("CreateFile");
  DWORD mode = pipe_server_read_mode(o);
  if (!mode || SetNamedPipeHandleState(*theirs, &mode, NULL, NULL)) return WINIPC_OK;
  winipc_status status = status_from_last("SetNamedPipeHandleState");
  CloseHandle(*theirs);
  return status;
}

winipc_status pipe_pair_open(const winipc_pipe_options *options, connection **c,
                             HANDLE *other_end) {
  wchar_t name[PIPE_PAIR__NAME];
  HANDLE ours;
  winipc_connection_options known,
      given = {sizeof given, options->framing, options->max_message};
  winipc_status status = connection_options_read(&known, &given);
  if (!status) status = pipe_pair__name(name);
  if (!status) status = pipe_pair__create_ours(name, options, &ours);
  if (status) return status;
  DWORD mode = pipe_server_read_mode(options);
  pipe_facts facts = {true, mode == PIPE_READMODE_MESSAGE, false};
  status = pipe_pair__open_theirs(name, options, other_end);
  if (!status) {
    status = pipe_connection_new(ours, &known, facts, c);
    if (status) CloseHandle(*other_end);
    if (!status) (*c)->peer_pid = (DWORD)CONNECTION_PEER_UNKNOWN;
  }
  if (status) CloseHandle(ours);
  return status;
}

winipc_status pipe_pair_options_init(winipc_pipe_options *options) {
  winipc_status status = winipc_pipe_options_init(options);
  if (!status) options->type = WINIPC_PIPE_BYTE;
  return status;
}

static winipc_status pipe_pair__check(const winipc_pipe_options *o) {
  if (o->direction > WINIPC_PIPE_OUTBOUND || o->type > WINIPC_PIPE_BYTE ||
      o->read_mode > WINIPC_PIPE_READ_BYTE)
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "direction, type or read_mode is not known");
  if (o->type == WINIPC_PIPE_BYTE && o->read_mode == WINIPC_PIPE_READ_MESSAGE)
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "a pipe of byte type cannot be read in message mode");
  return WINIPC_OK;
}

winipc_status WINIPC_CALL winipc_pipe_pair(const winipc_pipe_options *options,
                                           winipc_connection **connection,
                                           void **other_end) {
  winipc_pipe_options known;
  HANDLE theirs;
  struct connection *c;
  if (!connection || !other_end)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "connection or other_end is NULL");
  *connection = NULL;
  *other_end = NULL;
  pipe_pair_options_init(&known);
  winipc_status status = structure_read(&known, sizeof known, options);
  if (!status) status = pipe_pair__check(&known);
  if (!status) status = pipe_pair_open(&known, &c, &theirs);
  if (status) return status;
  status = connection_publish(c, connection);
  if (status)
    CloseHandle(theirs);
  else
    *other_end = theirs;
  return status;
}
