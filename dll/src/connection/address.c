#include "connection/address.h"

#include "channel/channel.h"
#include "connection/stream.h"
#include "core/status.h"
#include "core/text.h"
#include "pipe/pipe.h"

typedef struct address__scheme {
  const char *prefix;
  winipc_status (*connect)(const char *address,
                           const winipc_connection_options *options,
                           uint32_t timeout_ms, winipc_connection **connection);
  winipc_status (*listen)(const char *address, const winipc_connection_options *options,
                          winipc_listener **listener);
} address__scheme;

/* Every transport that an address can name. */
static const address__scheme address__schemes[] = {
    {"pipe:", pipe_connect_address, pipe_listen_address},
    {"\\\\", pipe_connect_address, pipe_listen_address},
    {"channel:", channel_connect_address, channel_listen_address},
    {"stdio:", stream_connect_stdio, NULL},
};

static const wchar_t address__local[] = L"\\\\.\\pipe\\";
enum { ADDRESS__LONGEST_PATH = 256 };

static winipc_status address__scheme_of(const char *address,
                                        const address__scheme **scheme) {
  if (!address) return status_fail(WINIPC_E_INVALID_ARGUMENT, "the address is NULL");
  for (size_t i = 0; i < sizeof address__schemes / sizeof *address__schemes; i++) {
    *scheme = &address__schemes[i];
    if (text_begins(address, (*scheme)->prefix)) return WINIPC_OK;
  }
  return status_fail(WINIPC_E_INVALID_ARGUMENT,
                     "the address \"%.80s\" does not begin with pipe:, pipe://, "
                     "channel: or stdio:",
                     address);
}

winipc_status WINIPC_CALL winipc_connect(const char *address,
                                         const winipc_connection_options *options,
                                         uint32_t timeout_ms,
                                         winipc_connection **connection) {
  const address__scheme *scheme;
  if (!connection) return status_fail(WINIPC_E_INVALID_ARGUMENT, "connection is NULL");
  *connection = NULL;
  winipc_status status = address__scheme_of(address, &scheme);
  return status ? status : scheme->connect(address, options, timeout_ms, connection);
}

winipc_status WINIPC_CALL winipc_listen(const char *address,
                                        const winipc_connection_options *options,
                                        winipc_listener **listener) {
  const address__scheme *scheme;
  if (!listener) return status_fail(WINIPC_E_INVALID_ARGUMENT, "listener is NULL");
  *listener = NULL;
  winipc_status status = address__scheme_of(address, &scheme);
  if (status) return status;
  if (!scheme->listen)
    return status_fail(WINIPC_E_UNSUPPORTED, "\"%s\" can only be connected to",
                       scheme->prefix);
  return scheme->listen(address, options, listener);
}

/* HOST/NAME */
static winipc_status address__remote_path(wchar_t *rest, wchar_t **path) {
  wchar_t head[ADDRESS__LONGEST_PATH];
  wchar_t *slash = wcschr(rest, L'/');
  if (!slash) return text_join(L"", L"", path); /* to be refused as a whole */
  *slash = 0;
  if (swprintf(head, ADDRESS__LONGEST_PATH, L"\\\\%ls\\pipe\\", rest) < 0)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "the host's name is too long");
  return text_join(head, slash + 1, path);
}

/* "//HOST/NAME" or "NAME", after "pipe:". */
static winipc_status address__pipe_from_name(const char *rest, wchar_t **path) {
  wchar_t *wide;
  winipc_status status = text_to_wide(rest, "the address", &wide);
  if (status) return status;
  if (wcsncmp(wide, L"//", 2))
    status = text_join(address__local, wide, path);
  else
    status = address__remote_path(wide + 2, path);
  free(wide);
  return status;
}

static const wchar_t *address__name_in(const wchar_t *path) {
  if (wcsncmp(path, L"\\\\", 2)) return L"";
  const wchar_t *end_of_host = wcschr(path + 2, L'\\');
  if (!end_of_host || end_of_host == path + 2 || _wcsnicmp(end_of_host, L"\\pipe\\", 6))
    return L"";
  return end_of_host + 6;
}

winipc_status address_pipe_path(const char *address, wchar_t **path) {
  winipc_status status;
  *path = NULL;
  if (!address) return status_fail(WINIPC_E_INVALID_ARGUMENT, "the address is NULL");
  if (text_begins(address, "pipe:"))
    status = address__pipe_from_name(address + strlen("pipe:"), path);
  else
    status = text_to_wide(address, "the address", path);
  if (status) return status;
  if (*address__name_in(*path) && wcslen(*path) <= ADDRESS__LONGEST_PATH)
    return WINIPC_OK;
  free(*path);
  *path = NULL;
  return status_fail(
      WINIPC_E_INVALID_ARGUMENT,
      "\"%.80s\" is not pipe:NAME, pipe://HOST/NAME or \\\\HOST\\pipe\\NAME "
      "of at most %d characters",
      address, ADDRESS__LONGEST_PATH);
}

bool address_path_is_local(const wchar_t *path) {
  return !_wcsnicmp(path, address__local, wcslen(address__local));
}
