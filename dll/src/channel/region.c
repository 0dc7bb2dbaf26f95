#include "channel/region.h"

#include "core/status.h"
#include "memory/memory_section.h"

uint64_t region_size(uint64_t capacity) {
  return REGION_PAGE + (capacity ? RING_HEADER_SIZE + capacity : 0);
}

static uint64_t region__round_up(uint64_t size, uint64_t unit) {
  return unit ? (size + unit - 1) / unit * unit : size;
}

/* The memory is zero until its owner writes, so that it is enough to read. */
static void region__prefault(const region *r) {
  for (uint64_t i = 0; i < r->size; i += REGION_PAGE) {
    volatile char *at = r->base + i;
    char seen = *at;
    if (r->writable) *at = seen;
  }
}

static winipc_status region__view(region *r, HANDLE section, uint64_t size,
                                  bool writable,
                                  const winipc_channel_options *options) {
  DWORD access = writable ? FILE_MAP_READ | FILE_MAP_WRITE : FILE_MAP_READ;
  if (options->large_pages) access |= FILE_MAP_LARGE_PAGES;
  *r = (region){MapViewOfFile(section, access, 0, 0, 0), size, writable};
  if (!r->base && options->large_pages)
    r->base = MapViewOfFile(section, access & ~(DWORD)FILE_MAP_LARGE_PAGES, 0, 0, 0);
  if (!r->base) return status_from_last("MapViewOfFile");
  if (options->prefault) region__prefault(r);
  return WINIPC_OK;
}

static winipc_status region__create_failed(uint64_t size, bool large_pages) {
  DWORD error = GetLastError();
  if (large_pages && error == ERROR_PRIVILEGE_NOT_HELD)
    return status_fail_win32(WINIPC_E_PRIVILEGE, error, "CreateFileMappingNuma",
                             "large pages take SeLockMemoryPrivilege, enabled in the "
                             "token of the process");
  if (error == ERROR_COMMITMENT_LIMIT || error == ERROR_DISK_FULL ||
      error == ERROR_NOT_ENOUGH_MEMORY)
    return status_fail_win32(WINIPC_E_TOO_LARGE, error, "CreateFileMappingNuma",
                             "the system has no room for shared memory of %llu bytes",
                             (unsigned long long)size);
  return status_from_win32(error, "CreateFileMappingNuma");
}

winipc_status region_create(region *r, uint64_t size, bool writable,
                            const winipc_channel_options *options, HANDLE *section) {
  DWORD page = PAGE_READWRITE | SEC_COMMIT;
  if (options->large_pages) page |= SEC_LARGE_PAGES;
  uint64_t whole =
      region__round_up(size, options->large_pages ? GetLargePageMinimum() : 0);
  *section =
      CreateFileMappingNumaW(INVALID_HANDLE_VALUE, NULL, page, (DWORD)(whole >> 32),
                             (DWORD)whole, NULL, options->numa_node);
  if (!*section) return region__create_failed(size, options->large_pages != 0);
  winipc_status status = region__view(r, *section, size, writable, options);
  if (!status) return WINIPC_OK;
  CloseHandle(*section);
  *section = NULL;
  return status;
}

static winipc_status region__check(HANDLE section, uint64_t size) {
  memory_section_size found;
  winipc_status status = memory_section_measure(section, &found);
  if (status) return status;
  if (size < REGION_PAGE || found.file || found.bytes < size)
    return status_fail(WINIPC_E_CORRUPT, "the peer's memory is not what it says");
  return WINIPC_OK;
}

static winipc_status region__check_view(const region *r) {
  MEMORY_BASIC_INFORMATION view;
  if (!VirtualQuery(r->base, &view, sizeof view))
    return status_from_last("VirtualQuery");
  if (view.State == MEM_COMMIT && view.RegionSize >= r->size) return WINIPC_OK;
  return status_fail(WINIPC_E_CORRUPT, "the peer's memory is not all there");
}

winipc_status region_map(region *r, HANDLE section, uint64_t size, bool writable,
                         const winipc_channel_options *options) {
  winipc_channel_options plain = *options;
  plain.prefault = 0; /* not before it is checked */
  winipc_status status = region__check(section, size);
  if (!status) status = region__view(r, section, size, writable, &plain);
  if (status) return status;
  status = region__check_view(r);
  if (status)
    region_unmap(r);
  else if (options->prefault)
    region__prefault(r);
  return status;
}

void region_unmap(region *r) {
  if (r->base) UnmapViewOfFile(r->base);
  r->base = NULL;
}
