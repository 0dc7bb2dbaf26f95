/* The server's end of a named pipe.
 *
 * The name must never be free while the listener lives, or another program could take
 * it between two clients. So the next instance is created before the last one is given
 * out, and before it is closed where max_instances stands against more at once: the
 * system is told one instance more than the caller allows. */
#include "connection/address.h"
#include "core/security.h"
#include "core/status.h"
#include "core/structure.h"
#include "core/text.h"
#include "pipe/pipe.h"

struct pipe_instance {
  SRWLOCK lock;
  volatile LONG references; /* the listener, and each connection that it gave out */
  wchar_t *path;
  winipc_pipe_options options;
  SECURITY_ATTRIBUTES security;
  HANDLE listening; /* the instance that waits for a client, or NULL */
  HANDLE freed;     /* auto-reset: a connection has ended */
  uint32_t connected;
  bool closed;
  operation op;
};

enum {
  PIPE_SERVER__BUFFER = 65536,
  PIPE_SERVER__ALLOWED_ACCESS = WRITE_DAC | WRITE_OWNER | ACCESS_SYSTEM_SECURITY,
  PIPE_SERVER__BAD_CLIENTS = 64, /* failed connects in a row before we tell */
};

winipc_status WINIPC_CALL winipc_pipe_options_init(winipc_pipe_options *options) {
  if (!options) return status_fail(WINIPC_E_INVALID_ARGUMENT, "options is NULL");
  *options = (winipc_pipe_options){
      .size = sizeof *options,
      .framing = WINIPC_FRAMING_AUTO,
      .max_message = WINIPC_DEFAULT_MAX_MESSAGE,
      .max_instances = WINIPC_PIPE_UNLIMITED_INSTANCES,
      .out_buffer = PIPE_SERVER__BUFFER,
      .in_buffer = PIPE_SERVER__BUFFER,
      .first_instance = 1,
      .security = WINIPC_SECURITY_CURRENT_USER,
  };
  return WINIPC_OK;
}

static winipc_status pipe_server__check_modes(const winipc_pipe_options *o) {
  bool byte_type = o->type == WINIPC_PIPE_BYTE;
  if (byte_type && o->read_mode == WINIPC_PIPE_READ_MESSAGE)
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "a pipe of byte type cannot be read in message mode");
  if (byte_type && o->framing == WINIPC_FRAMING_MESSAGE)
    return status_fail(WINIPC_E_FRAMING, "a pipe of byte type carries no messages");
  if (o->extra_access & ~(uint32_t)PIPE_SERVER__ALLOWED_ACCESS)
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "extra_access is more than WRITE_DAC, WRITE_OWNER and "
                       "ACCESS_SYSTEM_SECURITY");
  return WINIPC_OK;
}

static winipc_status pipe_server__check(const winipc_pipe_options *o) {
  const struct {
    uint32_t value, least, most;
    const char *name;
  } ranges[] = {
      {o->direction, 0, WINIPC_PIPE_OUTBOUND, "direction"},
      {o->type, 0, WINIPC_PIPE_BYTE, "type"},
      {o->read_mode, 0, WINIPC_PIPE_READ_BYTE, "read_mode"},
      {o->nowait, 0, 1, "nowait"},
      {o->accept_remote, 0, 1, "accept_remote"},
      {o->max_instances, 1, WINIPC_PIPE_UNLIMITED_INSTANCES, "max_instances"},
      {o->first_instance, 0, 1, "first_instance"},
      {o->inheritable, 0, 1, "inheritable"},
      {o->write_through, 0, 1, "write_through"},
  };
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
    if (ranges[i].value < ranges[i].least || ranges[i].value > ranges[i].most)
      return status_fail(WINIPC_E_INVALID_ARGUMENT, "%s is %u: not within %u and %u",
                         ranges[i].name, ranges[i].value, ranges[i].least,
                         ranges[i].most);
  return pipe_server__check_modes(o);
}

/* ---- instances ---- */

static DWORD pipe_server__open_mode(const winipc_pipe_options *o, bool first) {
  DWORD mode =
      pipe_server_access(o->direction) | FILE_FLAG_OVERLAPPED | o->extra_access;
  if (first && o->first_instance) mode |= FILE_FLAG_FIRST_PIPE_INSTANCE;
  if (o->write_through) mode |= FILE_FLAG_WRITE_THROUGH;
  return mode;
}

static DWORD pipe_server__pipe_mode(const winipc_pipe_options *o) {
  DWORD mode = pipe_server_mode(o);
  if (!o->accept_remote) mode |= PIPE_REJECT_REMOTE_CLIENTS;
  return mode; /* PIPE_NOWAIT comes with the client: it would keep us from waiting */
}

static DWORD pipe_server__instances(const winipc_pipe_options *o) {
  uint32_t most = o->max_instances + 1;
  return most > PIPE_UNLIMITED_INSTANCES ? PIPE_UNLIMITED_INSTANCES : most;
}

static winipc_status pipe_server__create_failed(const pipe_server *s, bool first) {
  DWORD error = GetLastError();
  bool taken = error == ERROR_PIPE_BUSY ||
               (error == ERROR_ACCESS_DENIED && first && s->options.first_instance);
  if (!taken) return status_from_win32(error, "CreateNamedPipe");
  return status_fail_win32(WINIPC_E_EXISTS, error, "CreateNamedPipe",
                           "the pipe name \"%s\" is in use by another server",
                           TEXT_SHOW(s->path));
}

/* With s->lock held, or before anyone else knows s. */
static winipc_status pipe_server__add_instance(pipe_server *s, bool first) {
  const winipc_pipe_options *o = &s->options;
  HANDLE pipe = CreateNamedPipeW(s->path, pipe_server__open_mode(o, first),
                                 pipe_server__pipe_mode(o), pipe_server__instances(o),
                                 o->out_buffer, o->in_buffer, o->default_timeout_ms,
                                 &s->security);
  if (pipe == INVALID_HANDLE_VALUE) return pipe_server__create_failed(s, first);
  s->listening = pipe;
  return WINIPC_OK;
}

static void pipe_server__release(pipe_server *s) {
  if (InterlockedDecrement(&s->references)) return;
  if (s->listening) CloseHandle(s->listening);
  if (s->freed) CloseHandle(s->freed);
  operation_free(&s->op);
  security_free(&s->security);
  free(s->path);
  free(s);
}

static void pipe_server__end_one(pipe_server *s, HANDLE handle) {
  AcquireSRWLockExclusive(&s->lock);
  if (!s->closed && !s->listening) pipe_server__add_instance(s, false);
  s->connected--;
  ReleaseSRWLockExclusive(&s->lock);
  if (handle) CloseHandle(handle);
  SetEvent(s->freed);
  pipe_server__release(s);
}

void pipe_instance_close(struct pipe_instance *instance, HANDLE handle) {
  pipe_server__end_one(instance, handle);
}

void pipe_instance_forget(struct pipe_instance *instance) {
  pipe_server__end_one(instance, NULL);
}

/* ---- accept ---- */

/* Sees to it that an instance is listening, once max_instances allows one. */
static winipc_status pipe_server__await_instance(pipe_server *s, waiters *list,
                                                 const deadline *end) {
  for (;;) {
    winipc_status status = WINIPC_OK;
    AcquireSRWLockExclusive(&s->lock);
    bool full = s->connected >= s->options.max_instances &&
                s->options.max_instances != WINIPC_PIPE_UNLIMITED_INSTANCES;
    if (!full && !s->listening) status = pipe_server__add_instance(s, false);
    ReleaseSRWLockExclusive(&s->lock);
    if (!full) return status;
    status = waiters_wait(list, s->freed, end);
    if (status) return status;
  }
}

/* ERROR_NO_DATA: the client came, may have written, and is gone again; it is a client
 * all the same. */
static winipc_status pipe_server__connect(pipe_server *s, waiters *list,
                                          const deadline *end) {
  DWORD bytes;
  BOOL started = ConnectNamedPipe(s->listening, operation_begin(&s->op));
  if (!started &&
      (GetLastError() == ERROR_PIPE_CONNECTED || GetLastError() == ERROR_NO_DATA))
    return WINIPC_OK;
  return operation_end(&s->op, s->listening, started, list, end, "ConnectNamedPipe",
                       &bytes);
}

static bool pipe_server__ends_accept(winipc_status status) {
  return status == WINIPC_E_TIMEOUT || status == WINIPC_E_CANCELLED ||
         status == WINIPC_E_CLOSED || status == WINIPC_E_OUT_OF_MEMORY;
}

/* A client that failed to connect costs its instance, never the listener. */
static winipc_status pipe_server__await_client(pipe_server *s, waiters *list,
                                               const deadline *end) {
  winipc_status status = WINIPC_OK;
  for (int bad = 0; bad < PIPE_SERVER__BAD_CLIENTS; bad++) {
    status = pipe_server__await_instance(s, list, end);
    if (!status) status = pipe_server__connect(s, list, end);
    if (!status || pipe_server__ends_accept(status)) return status;
    AcquireSRWLockExclusive(&s->lock);
    HANDLE failed = s->listening;
    s->listening = NULL;
    if (failed) pipe_server__add_instance(s, false);
    ReleaseSRWLockExclusive(&s->lock);
    if (failed) CloseHandle(failed);
  }
  return status;
}

/* Takes the connected instance out, with its successor in place. */
static HANDLE pipe_server__hand_over(pipe_server *s) {
  AcquireSRWLockExclusive(&s->lock);
  HANDLE pipe = s->listening;
  s->listening = NULL;
  s->connected++;
  InterlockedIncrement(&s->references);
  if (s->connected < s->options.max_instances ||
      s->options.max_instances == WINIPC_PIPE_UNLIMITED_INSTANCES)
    pipe_server__add_instance(s,
                              false); /* else, or if it fails, the next accept does */
  ReleaseSRWLockExclusive(&s->lock);
  return pipe;
}

/* An end that only reads has not the access to change its mode; the transport sees to
 * it that its reads do not wait. */
static winipc_status pipe_server__set_nowait(const winipc_pipe_options *o,
                                             HANDLE pipe) {
  DWORD mode = PIPE_NOWAIT | pipe_server_read_mode(o);
  if (!o->nowait || o->direction == WINIPC_PIPE_INBOUND) return WINIPC_OK;
  if (SetNamedPipeHandleState(pipe, &mode, NULL, NULL)) return WINIPC_OK;
  return status_from_last("SetNamedPipeHandleState");
}

winipc_status pipe_server_accept(pipe_server *s, waiters *list, const deadline *end,
                                 HANDLE *pipe) {
  winipc_status status = pipe_server__await_client(s, list, end);
  if (!status) *pipe = pipe_server__hand_over(s);
  return status;
}

static winipc_status pipe_server__accept(listener *l, const deadline *end,
                                         connection **c) {
  pipe_server *s = l->state;
  const winipc_pipe_options *o = &s->options;
  HANDLE pipe;
  winipc_status status = pipe_server_accept(s, &l->waiters, end, &pipe);
  if (status) return status;
  winipc_connection_options options = {sizeof options, o->framing, o->max_message};
  pipe_facts facts = {true, pipe_server_read_mode(o) == PIPE_READMODE_MESSAGE,
                      o->nowait != 0};
  status = pipe_server__set_nowait(o, pipe);
  if (!status) status = pipe_connection_new(pipe, &options, facts, c);
  if (status) return pipe_instance_close(s, pipe), status;
  (*c)->instance = s;
  return WINIPC_OK;
}

static HANDLE pipe_server__native(listener *l) {
  return ((pipe_server *)l->state)->listening;
}

void pipe_server_close(pipe_server *s) {
  AcquireSRWLockExclusive(&s->lock);
  s->closed = true;
  HANDLE listening = s->listening;
  s->listening = NULL;
  ReleaseSRWLockExclusive(&s->lock);
  if (listening) CloseHandle(listening);
  pipe_server__release(s);
}

static void pipe_server__close(listener *l) {
  pipe_server_close(l->state);
}

static const listener_transport pipe_server__transport = {
    .accept = pipe_server__accept,
    .native = pipe_server__native,
    .close = pipe_server__close,
};

/* ---- listen ---- */

static winipc_status pipe_server__start(pipe_server *s, const char *address) {
  winipc_connection_options options,
      given = {sizeof given, s->options.framing, s->options.max_message};
  winipc_status status = connection_options_read(&options, &given);
  if (!status) status = pipe_server__check(&s->options);
  if (!status) status = address_pipe_path(address, &s->path);
  if (!status && !address_path_is_local(s->path))
    status =
        status_fail(WINIPC_E_INVALID_ARGUMENT, "one can listen on this machine only");
  if (!status)
    status = security_init(&s->security, s->options.security, s->options.sddl,
                           s->options.inheritable != 0);
  if (!status) status = operation_init(&s->op);
  if (!status) s->freed = CreateEventW(NULL, FALSE, FALSE, NULL);
  if (!status && !s->freed) status = status_from_last("CreateEventW");
  return status ? status : pipe_server__add_instance(s, true);
}

winipc_status pipe_server_new(const char *address, const winipc_pipe_options *options,
                              pipe_server **server) {
  pipe_server *s = calloc(1, sizeof *s);
  if (!s) return status_no_memory();
  s->references = 1;
  winipc_pipe_options_init(&s->options);
  winipc_status status = structure_read(&s->options, sizeof s->options, options);
  if (!status) status = pipe_server__start(s, address);
  s->options.sddl = NULL; /* the caller's; it has done its work */
  if (status)
    pipe_server__release(s);
  else
    *server = s;
  return status;
}

winipc_status WINIPC_CALL winipc_pipe_listen(const char *address,
                                             const winipc_pipe_options *options,
                                             winipc_listener **listener) {
  pipe_server *s;
  if (!listener) return status_fail(WINIPC_E_INVALID_ARGUMENT, "listener is NULL");
  *listener = NULL;
  winipc_status status = pipe_server_new(address, options, &s);
  if (status) return status;
  status = listener_publish(&pipe_server__transport, s, listener);
  if (status) pipe_server_close(s);
  return status;
}

winipc_status pipe_listen_address(const char *address,
                                  const winipc_connection_options *options,
                                  winipc_listener **listener) {
  winipc_connection_options known;
  winipc_pipe_options pipe;
  winipc_status status = connection_options_read(&known, options);
  if (status) return status;
  winipc_pipe_options_init(&pipe);
  pipe.framing = known.framing;
  pipe.max_message = known.max_message;
  return winipc_pipe_listen(address, &pipe, listener);
}
