#include "memory/memory_section.h"

#include <psapi.h>
#include <winternl.h>

#include "core/platform.h"
#include "core/security.h"
#include "core/status.h"
#include "core/text.h"
#include "lock/kernel_object.h"

static const memory_protection memory__protections[] = {
    [WINIPC_MEMORY_READ_WRITE] = {PAGE_READWRITE, FILE_MAP_READ | FILE_MAP_WRITE,
                                  FILE_MAP_READ | FILE_MAP_WRITE,
                                  GENERIC_READ | GENERIC_WRITE, true, false},
    [WINIPC_MEMORY_READ] = {PAGE_READONLY, FILE_MAP_READ, FILE_MAP_READ, GENERIC_READ,
                            false, false},
    [WINIPC_MEMORY_COPY_ON_WRITE] = {PAGE_WRITECOPY, FILE_MAP_COPY, FILE_MAP_READ,
                                     GENERIC_READ, false, false},
    [WINIPC_MEMORY_EXECUTE_READ] = {PAGE_EXECUTE_READ, FILE_MAP_READ | FILE_MAP_EXECUTE,
                                    FILE_MAP_READ | FILE_MAP_EXECUTE,
                                    GENERIC_READ | GENERIC_EXECUTE, false, true},
    [WINIPC_MEMORY_EXECUTE_READ_WRITE] =
        {PAGE_EXECUTE_READWRITE, FILE_MAP_READ | FILE_MAP_WRITE | FILE_MAP_EXECUTE,
         FILE_MAP_READ | FILE_MAP_WRITE | FILE_MAP_EXECUTE,
         GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE, true, true},
    [WINIPC_MEMORY_EXECUTE_COPY_ON_WRITE] = {PAGE_EXECUTE_WRITECOPY,
                                             FILE_MAP_COPY | FILE_MAP_EXECUTE,
                                             FILE_MAP_READ | FILE_MAP_EXECUTE,
                                             GENERIC_READ | GENERIC_EXECUTE, false,
                                             true},
};

const memory_protection *memory_protection_of(uint32_t protection) {
  return protection < sizeof memory__protections / sizeof *memory__protections
             ? &memory__protections[protection]
             : NULL;
}

/* The right to ask for the size spares us a view of it all; it is not insisted on. */
DWORD memory_section_open(const wchar_t *name, const winipc_memory_options *options,
                          HANDLE *section) {
  DWORD access = memory_protection_of(options->protection)->open;
  BOOL inherit = options->inheritable != 0;
  *section = OpenFileMappingW(access | SECTION_QUERY, inherit, name);
  if (!*section && GetLastError() == ERROR_ACCESS_DENIED)
    *section = OpenFileMappingW(access, inherit, name);
  return *section ? ERROR_SUCCESS : GetLastError();
}

/* ---- creating ---- */

/* A file that is not there is only made when it shall have a size. */
static winipc_status memory__open_file(const winipc_memory_options *options,
                                       uint64_t bytes, HANDLE *file) {
  const memory_protection *p = memory_protection_of(options->protection);
  wchar_t *path;
  winipc_status status = text_to_wide(options->path, "the path", &path);
  if (status) return status;
  *file =
      CreateFileW(path, p->file, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                  NULL, p->writes && bytes ? OPEN_ALWAYS : OPEN_EXISTING, 0, NULL);
  DWORD error = GetLastError();
  free(path);
  if (*file != INVALID_HANDLE_VALUE) return WINIPC_OK;
  status = status_of_win32(error);
  return status_fail_win32(status, error, "CreateFile",
                           "the file \"%.120s\" cannot be opened: %s", options->path,
                           winipc_status_text(status));
}

static winipc_status memory__check_file(HANDLE file, uint64_t bytes,
                                        const winipc_memory_options *options) {
  bool writes = memory_protection_of(options->protection)->writes;
  LARGE_INTEGER size;
  if (!GetFileSizeEx(file, &size)) return status_from_last("GetFileSizeEx");
  if (!size.QuadPart && !(bytes && writes))
    return status_fail_win32(WINIPC_E_EMPTY_FILE, ERROR_FILE_INVALID, "",
                             "the file \"%.120s\" is empty, and a file of zero length "
                             "cannot be mapped",
                             options->path);
  if (bytes > (uint64_t)size.QuadPart && !writes)
    return status_fail(WINIPC_E_TOO_LARGE,
                       "the file \"%.120s\" has %lld bytes, and can only be extended "
                       "under a protection that writes",
                       options->path, size.QuadPart);
  return WINIPC_OK;
}

/* Windows says no more than "denied" when the privilege is missing to make one for the
 * whole machine; but a section that denies itself to us can be seen to be there. */
static bool memory__lacks_privilege(DWORD error, const wchar_t *name) {
  if (error != ERROR_ACCESS_DENIED || !name || !kernel_object_is_global(name))
    return false;
  HANDLE there = OpenFileMappingW(FILE_MAP_READ, FALSE, name);
  bool absent = !there && GetLastError() == ERROR_FILE_NOT_FOUND;
  if (there) CloseHandle(there);
  return absent;
}

static winipc_status memory__create_failed(DWORD error, const wchar_t *name,
                                           uint64_t bytes, bool large_pages) {
  static const char call[] = "CreateFileMapping";
  if (memory__lacks_privilege(error, name))
    return status_fail_win32(WINIPC_E_PRIVILEGE, error, call,
                             "shared memory for the whole machine (Global\\) can only "
                             "be created with SeCreateGlobalPrivilege");
  if (error == ERROR_PRIVILEGE_NOT_HELD && large_pages)
    return status_fail_win32(WINIPC_E_PRIVILEGE, error, call,
                             "large pages take SeLockMemoryPrivilege, enabled in the "
                             "token of the process");
  if (error == ERROR_NOT_ENOUGH_MEMORY || error == ERROR_OUTOFMEMORY ||
      error == ERROR_COMMITMENT_LIMIT || error == ERROR_DISK_FULL)
    return status_fail_win32(WINIPC_E_TOO_LARGE, error, call,
                             "the system has no room for shared memory of %llu bytes",
                             (unsigned long long)bytes);
  return kernel_object_failed(error, call, "shared memory", name);
}

static winipc_status memory__create(const wchar_t *name, uint64_t bytes, HANDLE file,
                                    const winipc_memory_options *options, bool may_open,
                                    HANDLE *section, bool *created) {
  SECURITY_ATTRIBUTES security;
  DWORD page = memory_protection_of(options->protection)->page;
  winipc_status status = security_init(&security, options->security, options->sddl,
                                       options->inheritable != 0);
  if (status) return status;
  if (options->large_pages) page |= SEC_COMMIT | SEC_LARGE_PAGES;
  SetLastError(ERROR_SUCCESS);
  *section = CreateFileMappingW(file, &security, page, (DWORD)(bytes >> 32),
                                (DWORD)bytes, name);
  DWORD error = GetLastError();
  security_free(&security);
  *created = *section && error != ERROR_ALREADY_EXISTS;
  if (*section && (*created || may_open)) return WINIPC_OK;
  if (*section) CloseHandle(*section);
  *section = NULL;
  return memory__create_failed(error, name, bytes, options->large_pages != 0);
}

winipc_status memory_section_create(const wchar_t *name, uint64_t bytes,
                                    const winipc_memory_options *options, bool may_open,
                                    HANDLE *section, bool *created) {
  HANDLE file = INVALID_HANDLE_VALUE;
  if (!options->path)
    return memory__create(name, bytes, file, options, may_open, section, created);
  winipc_status status = memory__open_file(options, bytes, &file);
  if (status) return status;
  status = memory__check_file(file, bytes, options);
  if (!status)
    status = memory__create(name, bytes, file, options, may_open, section, created);
  CloseHandle(file); /* the section holds the file by itself */
  return status;
}

/* ---- measuring ---- */

typedef struct memory__basic_information {
  void *base;
  ULONG attributes;
  LARGE_INTEGER size;
} memory__basic_information;

NTSTATUS NTAPI NtQuerySection(HANDLE section, int information, void *result,
                              SIZE_T size, SIZE_T *needed);

enum { MEMORY__BASIC_INFORMATION = 0 };

static uint64_t memory__whole_pages(uint64_t bytes) {
  uint64_t page = platform_info().dwPageSize;
  return (bytes + page - 1) / page * page;
}

/* A view may fall into regions of several states, as in a section that is reserved and
 * committed bit by bit. */
static uint64_t memory__view_size(const char *view) {
  MEMORY_BASIC_INFORMATION region;
  uint64_t size = 0;
  while (VirtualQuery(view + size, &region, sizeof region) &&
         region.AllocationBase == view)
    size += region.RegionSize;
  return size;
}

/* A view of all of it: address space only, no memory; and any handle has the right. */
static winipc_status memory__measure_view(HANDLE section, memory_section_size *size) {
  wchar_t file[2];
  char *view = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
  if (!view) return status_from_last("MapViewOfFile");
  winipc_status status = WINIPC_OK;
  size->bytes = memory__view_size(view);
  if (!size->bytes) status = status_from_last("VirtualQuery");
  SetLastError(ERROR_SUCCESS);
  size->file = K32GetMappedFileNameW(GetCurrentProcess(), view, file, 2) ||
               GetLastError() == ERROR_INSUFFICIENT_BUFFER;
  size->exact = false;
  UnmapViewOfFile(view);
  return status;
}

/* The system knows the size, but tells it only to a handle with SECTION_QUERY, which
 * one that was opened by other programs, or came by inheritance, may lack. */
winipc_status memory_section_measure(HANDLE section, memory_section_size *size) {
  memory__basic_information basic;
  if (NtQuerySection(section, MEMORY__BASIC_INFORMATION, &basic, sizeof basic, NULL) <
      0)
    return memory__measure_view(section, size);
  size->bytes = (uint64_t)basic.size.QuadPart;
  size->file = (basic.attributes & (SEC_FILE | SEC_IMAGE)) != 0;
  size->exact = size->file;
  if (!size->file) size->bytes = memory__whole_pages(size->bytes);
  return WINIPC_OK;
}
