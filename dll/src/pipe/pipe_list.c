/* Which pipes exist. */
#include "connection/address.h"
#include "core/buffer.h"
#include "core/platform.h"
#include "core/status.h"
#include "core/text.h"

typedef winipc_status (*pipe_list__visit)(const wchar_t *name, void *context);

static winipc_status pipe_list__walk(pipe_list__visit visit, void *context) {
  WIN32_FIND_DATAW found;
  if (platform_is_wine())
    return status_fail(WINIPC_E_UNSUPPORTED, "Wine cannot list pipes");
  HANDLE search = FindFirstFileW(L"\\\\.\\pipe\\*", &found);
  if (search == INVALID_HANDLE_VALUE) return status_from_last("FindFirstFile");
  winipc_status status;
  do status = visit(found.cFileName, context);
  while (!status && FindNextFileW(search, &found));
  FindClose(search);
  return status;
}

typedef struct pipe_list__names {
  buffer text;
  uint32_t count;
} pipe_list__names;

static winipc_status pipe_list__collect(const wchar_t *name, void *context) {
  pipe_list__names *names = context;
  char *text;
  winipc_status status = text_from_wide(name, &text);
  if (status) return status;
  status = buffer_append(&names->text, text, strlen(text) + 1);
  free(text);
  names->count++;
  return status;
}

winipc_status WINIPC_CALL winipc_pipe_list(char **names, uint32_t *count) {
  pipe_list__names all = {0};
  if (!names || !count)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "names or count is NULL");
  *names = NULL;
  *count = 0;
  winipc_status status = pipe_list__walk(pipe_list__collect, &all);
  if (!status) status = buffer_append(&all.text, "", 1);
  if (status) return buffer_free(&all.text), status;
  *names = all.text.memory; /* nothing was ever taken from its front */
  *count = all.count;
  return WINIPC_OK;
}

typedef struct pipe_list__search {
  const wchar_t *name;
  int32_t found;
} pipe_list__search;

static winipc_status pipe_list__compare(const wchar_t *name, void *context) {
  pipe_list__search *search = context;
  if (!_wcsicmp(name, search->name)) search->found = 1;
  return WINIPC_OK;
}

winipc_status WINIPC_CALL winipc_pipe_exists(const char *address, int32_t *exists) {
  wchar_t *path;
  if (!exists) return status_fail(WINIPC_E_INVALID_ARGUMENT, "exists is NULL");
  *exists = 0;
  winipc_status status = address_pipe_path(address, &path);
  if (status) return status;
  pipe_list__search search = {wcsrchr(path, L'\\') + 1, 0};
  if (address_path_is_local(path)) {
    search.name = path + wcslen(L"\\\\.\\pipe\\");
    status = pipe_list__walk(pipe_list__compare, &search);
  } else
    status = status_fail(WINIPC_E_UNSUPPORTED, "only this machine's pipes are listed");
  free(path);
  if (!status) *exists = search.found;
  return status;
}
