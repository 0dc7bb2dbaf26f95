#include "process/inheritance.h"

#include "core/status.h"
#include "process/hand_over.h"

enum { INHERITANCE__MOST = 65536 };

static void inheritance__add(inheritance *i, HANDLE handle) {
  for (DWORD n = 0; n < i->count; n++)
    if (i->list[n] == handle) return; /* the system refuses a handle listed twice */
  i->list[i->count++] = handle;
}

static winipc_status inheritance__check(HANDLE handle, uint32_t number) {
  DWORD flags;
  if (!handle || handle == INVALID_HANDLE_VALUE ||
      !GetHandleInformation(handle, &flags))
    return status_fail_win32(WINIPC_E_INVALID_HANDLE, ERROR_INVALID_HANDLE,
                             "GetHandleInformation", "inherited[%u] is no open handle",
                             number);
  if (flags & HANDLE_FLAG_INHERIT) return WINIPC_OK;
  return status_fail(
      WINIPC_E_INVALID_ARGUMENT,
      "inherited[%u] is not inheritable: SetHandleInformation makes it so", number);
}

winipc_status inheritance_init(inheritance *i, HANDLE parent, void *const *listed,
                               uint32_t count) {
  *i = (inheritance){.parent = parent};
  if ((!listed && count) || count > INHERITANCE__MOST)
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "inherited is NULL, or its count more than %d",
                       INHERITANCE__MOST);
  i->list = malloc((count + INHERITANCE_STREAMS) * sizeof *i->list);
  winipc_status status = i->list ? WINIPC_OK : status_no_memory();
  for (uint32_t n = 0; !status && n < count; n++) {
    if (!parent) status = inheritance__check(listed[n], n);
    inheritance__add(i, listed[n]);
  }
  return status;
}

winipc_status inheritance_add_stream(inheritance *i, HANDLE handle, HANDLE *as) {
  DWORD flags;
  *as = NULL;
  if (!handle || handle == INVALID_HANDLE_VALUE) return WINIPC_OK;
  if (!GetHandleInformation(handle, &flags))
    return status_from_last("GetHandleInformation");
  if (!i->parent && (flags & HANDLE_FLAG_INHERIT))
    *as = handle;
  else {
    HANDLE parent = i->parent ? i->parent : GetCurrentProcess();
    if (!DuplicateHandle(GetCurrentProcess(), handle, parent, as, 0, TRUE,
                         DUPLICATE_SAME_ACCESS))
      return status_from_last("DuplicateHandle");
    i->temporary[i->temporaries++] = *as;
  }
  inheritance__add(i, *as);
  return WINIPC_OK;
}

void inheritance_free(inheritance *i) {
  for (DWORD n = 0; n < i->temporaries; n++)
    if (i->parent)
      hand_over_take_back(i->parent, i->temporary[n]);
    else
      CloseHandle(i->temporary[n]);
  free(i->list);
  *i = (inheritance){0};
}
