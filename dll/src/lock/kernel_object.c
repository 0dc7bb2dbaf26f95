#include "lock/kernel_object.h"

#include <winternl.h>

#include "core/status.h"
#include "core/text.h"

static const wchar_t kernel_object__global[] = L"Global\\";

enum {
  KERNEL_OBJECT__TYPE_INFORMATION = 2, /* of OBJECT_INFORMATION_CLASS */
  KERNEL_OBJECT__TYPE_ROOM = 512
};

/* Puts the scope in front, unless the name begins with one; in the system's own
 * spelling, which is the only one that it knows. */
static winipc_status kernel_object__place(const char *name, uint32_t scope,
                                          wchar_t **wide) {
  static const char local[] = "Local\\", global[] = "Global\\";
  const char *bare = name;
  if (text_begins(name, local)) {
    scope = WINIPC_SCOPE_LOCAL;
    bare += sizeof local - 1;
  } else if (text_begins(name, global)) {
    scope = WINIPC_SCOPE_GLOBAL;
    bare += sizeof global - 1;
  }
  if (!*bare) return status_fail(WINIPC_E_INVALID_ARGUMENT, "the name is empty");
  if (strchr(bare, '\\'))
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "the name \"%.100s\" has a backslash that does not belong to "
                       "\"Local\\\" or \"Global\\\" at its beginning",
                       name);
  wchar_t *plain;
  winipc_status status = text_to_wide(bare, "the name", &plain);
  if (status) return status;
  status = text_join(scope == WINIPC_SCOPE_GLOBAL ? kernel_object__global : L"", plain,
                     wide);
  free(plain);
  return status;
}

winipc_status kernel_object_name(const char *name, uint32_t scope, wchar_t **wide) {
  *wide = NULL;
  if (scope > WINIPC_SCOPE_GLOBAL)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "scope %u is not known", scope);
  return name ? kernel_object__place(name, scope, wide) : WINIPC_OK;
}

bool kernel_object_is_global(const wchar_t *wide) {
  return !wcsncmp(wide, kernel_object__global, wcslen(kernel_object__global));
}

winipc_status kernel_object_companion(const wchar_t *wide, const wchar_t *prefix,
                                      wchar_t **companion) {
  bool global = kernel_object_is_global(wide);
  size_t skip = global ? wcslen(kernel_object__global) : 0;
  wchar_t *placed;
  winipc_status status =
      text_join(global ? kernel_object__global : L"", prefix, &placed);
  if (status) return status;
  status = text_join(placed, wide + skip, companion);
  free(placed);
  return status;
}

winipc_status kernel_object_failed(DWORD code, const char *call, const char *what,
                                   const wchar_t *wide) {
  if (wide && code == ERROR_INVALID_HANDLE)
    return status_fail_win32(WINIPC_E_EXISTS, code, call,
                             "the name \"%s\" is that of another kind of object, "
                             "not of %s",
                             TEXT_SHOW(wide), what);
  if (wide && code == ERROR_ALREADY_EXISTS)
    return status_fail_win32(WINIPC_E_EXISTS, code, call,
                             "%s named \"%s\" exists already", what, TEXT_SHOW(wide));
  if (wide && code == ERROR_FILE_NOT_FOUND)
    return status_fail_win32(WINIPC_E_NOT_FOUND, code, call,
                             "%s named \"%s\" does not exist", what, TEXT_SHOW(wide));
  return status_from_win32(code, call);
}

winipc_status kernel_object_check(HANDLE handle, const wchar_t *type,
                                  const char *what) {
  struct {
    PUBLIC_OBJECT_TYPE_INFORMATION head;
    wchar_t room[KERNEL_OBJECT__TYPE_ROOM];
  } found;
  ULONG size;
  NTSTATUS result =
      NtQueryObject(handle, (OBJECT_INFORMATION_CLASS)KERNEL_OBJECT__TYPE_INFORMATION,
                    &found, sizeof found, &size);
  if (result < 0)
    return status_fail_win32(WINIPC_E_INVALID_HANDLE, RtlNtStatusToDosError(result),
                             "NtQueryObject", "that is no HANDLE of this process");
  const UNICODE_STRING *name = &found.head.TypeName;
  size_t length = wcslen(type);
  if (name->Length == length * sizeof *type &&
      !memcmp(name->Buffer, type, length * sizeof *type))
    return WINIPC_OK;
  return status_fail(WINIPC_E_INVALID_HANDLE,
                     "the HANDLE is of the kind %.*ls, not that of %s",
                     (int)(name->Length / sizeof *type), name->Buffer, what);
}
