#include "memory/memory_trailer.h"

#include "core/platform.h"
#include "core/status.h"

#define MEMORY_TRAILER__MAGIC 0x4D536370696E6977ull /* "winipcSM" */

enum { MEMORY_TRAILER__VERSION = 1 };

/* As it lies in the memory. A program of another version, or of another machine type,
 * reads it: it may never change. */
typedef struct memory_trailer__raw {
  uint64_t magic;
  uint32_t version;
  uint32_t checksum; /* of all but itself and the last member */
  uint64_t bytes;
  uint64_t creator_start;
  uint32_t creator;
  uint32_t reserved[6];
  volatile LONG initialised;
} memory_trailer__raw;

_Static_assert(sizeof(memory_trailer__raw) == MEMORY_TRAILER_SIZE, "trailer");

typedef struct memory_trailer__view {
  void *base;
  memory_trailer__raw *trailer;
} memory_trailer__view;

/* FNV-1a. */
static uint32_t memory_trailer__checksum(const memory_trailer__raw *raw) {
  memory_trailer__raw copy = *raw;
  const unsigned char *bytes = (const unsigned char *)&copy;
  uint32_t sum = 2166136261u;
  copy.checksum = 0;
  copy.initialised = 0;
  for (size_t i = 0; i < sizeof copy; i++) sum = (sum ^ bytes[i]) * 16777619u;
  return sum;
}

static winipc_status memory_trailer__map(HANDLE section, uint64_t whole, DWORD access,
                                         memory_trailer__view *view) {
  uint64_t granularity = platform_info().dwAllocationGranularity;
  uint64_t position = whole - MEMORY_TRAILER_SIZE;
  uint64_t offset = position - position % granularity;
  view->base = MapViewOfFile(section, access, (DWORD)(offset >> 32), (DWORD)offset, 0);
  if (!view->base) return status_from_last("MapViewOfFile");
  view->trailer = (memory_trailer__raw *)((char *)view->base + (position - offset));
  return WINIPC_OK;
}

/* To look at a page that is only reserved would be to fault. */
static winipc_status memory_trailer__copy(const memory_trailer__raw *from,
                                          memory_trailer__raw *to) {
  MEMORY_BASIC_INFORMATION region;
  memset(to, 0, sizeof *to);
  if (!VirtualQuery(from, &region, sizeof region))
    return status_from_last("VirtualQuery");
  if (region.State == MEM_COMMIT) *to = *from; /* others may write while we look */
  MemoryBarrier();
  return WINIPC_OK;
}

/* Behind the user's bytes lies the trailer, and between them less than a page. */
static bool memory_trailer__fits(uint64_t bytes, uint64_t whole) {
  uint64_t page = platform_info().dwPageSize, large = GetLargePageMinimum();
  uint64_t room = whole - MEMORY_TRAILER_SIZE;
  if (large && whole % large == 0) page = large;
  return bytes && bytes <= room && room - bytes < page;
}

static bool memory_trailer__valid(const memory_trailer__raw *raw, uint64_t whole) {
  return raw->magic == MEMORY_TRAILER__MAGIC &&
         raw->version == MEMORY_TRAILER__VERSION &&
         raw->checksum == memory_trailer__checksum(raw) &&
         memory_trailer__fits(raw->bytes, whole);
}

winipc_status memory_trailer_read(HANDLE section, uint64_t whole,
                                  memory_trailer *trailer, bool *found) {
  memory_trailer__view view;
  memory_trailer__raw raw;
  *found = false;
  if (whole < MEMORY_TRAILER_SIZE) return WINIPC_OK;
  winipc_status status = memory_trailer__map(section, whole, FILE_MAP_READ, &view);
  if (status) return status;
  status = memory_trailer__copy(view.trailer, &raw);
  UnmapViewOfFile(view.base);
  if (status) return status;
  *found = memory_trailer__valid(&raw, whole);
  *trailer =
      (memory_trailer){raw.bytes, raw.creator_start, raw.creator, raw.initialised == 1};
  return WINIPC_OK;
}

uint64_t memory_trailer_process_start(HANDLE process) {
  FILETIME start, ignored;
  if (!GetProcessTimes(process, &start, &ignored, &ignored, &ignored)) return 0;
  return (uint64_t)start.dwHighDateTime << 32 | start.dwLowDateTime;
}

winipc_status memory_trailer_write(HANDLE section, uint64_t whole, uint64_t bytes) {
  memory_trailer__view view;
  memory_trailer__raw raw = {
      .magic = MEMORY_TRAILER__MAGIC,
      .version = MEMORY_TRAILER__VERSION,
      .bytes = bytes,
      .creator_start = memory_trailer_process_start(GetCurrentProcess()),
      .creator = GetCurrentProcessId(),
  };
  raw.checksum = memory_trailer__checksum(&raw);
  winipc_status status = memory_trailer__map(section, whole, FILE_MAP_WRITE, &view);
  if (status) return status;
  *view.trailer = raw;
  UnmapViewOfFile(view.base);
  return WINIPC_OK;
}

winipc_status memory_trailer_set_initialised(HANDLE section, uint64_t whole) {
  memory_trailer__view view;
  winipc_status status = memory_trailer__map(section, whole, FILE_MAP_WRITE, &view);
  if (status) return status;
  InterlockedExchange(&view.trailer->initialised, 1);
  UnmapViewOfFile(view.base);
  return WINIPC_OK;
}
