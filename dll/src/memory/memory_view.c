#include "memory/memory_view.h"

#include "core/platform.h"
#include "core/status.h"
#include "memory/memory_section.h"

struct memory_view {
  memory_view *next;
  char *base;    /* the system's */
  char *address; /* the user's */
  uint64_t bytes;
};

static winipc_status memory_view__check_protection(const memory *m,
                                                   uint32_t protection) {
  const memory_protection *asked = memory_protection_of(protection);
  const memory_protection *has = memory_protection_of(m->protection);
  if (!asked)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "protection %u is not known",
                       protection);
  if ((asked->writes && !has->writes) || (asked->executes && !has->executes))
    return status_fail(WINIPC_E_ACCESS_DENIED,
                       "the memory was opened with a protection that does not allow "
                       "such a view");
  return WINIPC_OK;
}

/* 0 bytes become those up to the end. */
static winipc_status memory_view__check_range(const memory *m, uint64_t offset,
                                              uint64_t *bytes) {
  if (offset >= m->bytes || *bytes > m->bytes - offset)
    return status_fail(WINIPC_E_TOO_LARGE,
                       "%llu bytes from offset %llu do not lie within the %llu bytes "
                       "of the memory",
                       (unsigned long long)*bytes, (unsigned long long)offset,
                       (unsigned long long)m->bytes);
  if (!*bytes) *bytes = m->bytes - offset;
  return WINIPC_OK;
}

static uint64_t memory_view__alignment(const memory *m) {
  uint64_t alignment = platform_info().dwAllocationGranularity;
  uint64_t large = m->large_pages ? GetLargePageMinimum() : 0;
  return large > alignment ? large : alignment;
}

/* Size 0 asks the system for all that is left; where the section ends in the middle
 * of a page that we count in, it would refuse the number. */
static void *memory_view__map(const memory *m, uint64_t start, uint64_t end,
                              uint32_t protection) {
  DWORD access = memory_protection_of(protection)->view;
  uint64_t alignment = memory_view__alignment(m);
  if (m->large_pages) {
    access |= FILE_MAP_LARGE_PAGES;
    end = (end + alignment - 1) / alignment * alignment;
  }
  return MapViewOfFile(m->section, access, (DWORD)(start >> 32), (DWORD)start,
                       end >= m->whole ? 0 : (SIZE_T)(end - start));
}

winipc_status memory_view_map(memory *m, uint64_t offset, uint64_t bytes,
                              uint32_t protection, void **address) {
  winipc_status status = memory_view__check_protection(m, protection);
  if (!status) status = memory_view__check_range(m, offset, &bytes);
  if (status) return status;
  memory_view *view = malloc(sizeof *view);
  if (!view) return status_no_memory();
  uint64_t start = offset - offset % memory_view__alignment(m);
  view->base = memory_view__map(m, start, offset + bytes, protection);
  if (!view->base) {
    status = status_from_last("MapViewOfFile");
    free(view);
    return status;
  }
  view->address = view->base + (offset - start);
  view->bytes = bytes;
  *address = view->address;
  AcquireSRWLockExclusive(&m->lock);
  view->next = m->views;
  m->views = view;
  ReleaseSRWLockExclusive(&m->lock);
  return WINIPC_OK;
}

static memory_view *memory_view__take(memory *m, const void *address) {
  AcquireSRWLockExclusive(&m->lock);
  memory_view **link = &m->views;
  while (*link && (*link)->address != address) link = &(*link)->next;
  memory_view *view = *link;
  if (view) *link = view->next;
  ReleaseSRWLockExclusive(&m->lock);
  return view;
}

winipc_status memory_view_unmap(memory *m, void *address) {
  memory_view *view = memory_view__take(m, address);
  if (!view)
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "no view of this memory begins at that address");
  winipc_status status =
      UnmapViewOfFile(view->base) ? WINIPC_OK : status_from_last("UnmapViewOfFile");
  free(view);
  return status;
}

/* With m->lock held. */
static bool memory_view__has(const memory *m, const char *address, uint64_t *bytes) {
  for (const memory_view *view = m->views; view; view = view->next) {
    uint64_t offset = (uint64_t)((uintptr_t)address - (uintptr_t)view->address);
    if (offset >= view->bytes || *bytes > view->bytes - offset) continue;
    if (!*bytes) *bytes = view->bytes - offset;
    return true;
  }
  return false;
}

winipc_status memory_view_flush(memory *m, void *address, uint64_t bytes) {
  winipc_status status = WINIPC_OK;
  AcquireSRWLockShared(&m->lock); /* the view must not go meanwhile */
  if (!memory_view__has(m, address, &bytes))
    status = status_fail(WINIPC_E_INVALID_ARGUMENT,
                         "those bytes do not lie within a view of this memory");
  else if (!FlushViewOfFile(address, (SIZE_T)bytes))
    status = status_from_last("FlushViewOfFile");
  ReleaseSRWLockShared(&m->lock);
  return status;
}

void memory_view_unmap_all(memory *m) {
  while (m->views) {
    memory_view *view = m->views;
    m->views = view->next;
    UnmapViewOfFile(view->base);
    free(view);
  }
}
