#include "core/text.h"

#include "core/status.h"

winipc_status text_to_wide(const char *text, const char *what, wchar_t **wide) {
  *wide = NULL;
  if (!text) return status_fail(WINIPC_E_INVALID_ARGUMENT, "%s is NULL", what);
  int count = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
  if (!count) return status_fail(WINIPC_E_INVALID_TEXT, "%s is not valid UTF-8", what);
  wchar_t *copy = malloc((size_t)count * sizeof *copy);
  if (!copy) return status_no_memory();
  if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, copy, count)) {
    *wide = copy;
    return WINIPC_OK;
  }
  free(copy);
  return status_from_last("MultiByteToWideChar");
}

winipc_status text_from_wide(const wchar_t *wide, char **text) {
  *text = NULL;
  int count = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
  char *copy = malloc((size_t)count + 1);
  if (!copy) return status_no_memory();
  copy[0] = copy[count] = 0;
  WideCharToMultiByte(CP_UTF8, 0, wide, -1, copy, count, NULL, NULL);
  *text = copy;
  return WINIPC_OK;
}

const char *text_show(const wchar_t *wide, char shown[TEXT_SHOWN]) {
  int size = 0;
  for (int count = (int)wcsnlen(wide, TEXT_SHOWN - 1); count && !size; count--)
    size =
        WideCharToMultiByte(CP_UTF8, 0, wide, count, shown, TEXT_SHOWN - 1, NULL, NULL);
  shown[size] = 0;
  return shown;
}

winipc_status text_join(const wchar_t *prefix, const wchar_t *text, wchar_t **joined) {
  size_t head = wcslen(prefix), tail = wcslen(text) + 1;
  *joined = malloc((head + tail) * sizeof **joined);
  if (!*joined) return status_no_memory();
  memcpy(*joined, prefix, head * sizeof **joined);
  memcpy(*joined + head, text, tail * sizeof **joined);
  return WINIPC_OK;
}

bool text_begins(const char *text, const char *prefix) {
  return _strnicmp(text, prefix, strlen(prefix)) == 0;
}
