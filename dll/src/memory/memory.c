#include "memory/memory.h"

#include "core/platform.h"
#include "core/status.h"
#include "core/structure.h"
#include "lock/kernel_object.h"
#include "memory/memory_guard.h"
#include "memory/memory_initialise.h"
#include "memory/memory_section.h"
#include "memory/memory_trailer.h"
#include "memory/memory_view.h"

static HANDLE memory__native(void *object) {
  return ((memory *)object)->section;
}

static void memory__destroy(void *object) {
  memory *m = object;
  memory_view_unmap_all(m);
  CloseHandle(m->section);
  free(m);
}

const handle_class memory_class = {
    .kind = HANDLE_MEMORY,
    .name = "shared memory",
    .native = memory__native,
    .destroy = memory__destroy,
};

/* ---- options ---- */

winipc_status WINIPC_CALL winipc_memory_options_init(winipc_memory_options *options) {
  if (!options) return status_fail(WINIPC_E_INVALID_ARGUMENT, "options is NULL");
  *options = (winipc_memory_options){
      .size = sizeof *options,
      .protection = WINIPC_MEMORY_READ_WRITE,
      .scope = WINIPC_SCOPE_LOCAL,
      .security = WINIPC_SECURITY_CURRENT_USER,
  };
  return WINIPC_OK;
}

static winipc_status memory__options_check(const winipc_memory_options *o) {
  if (!memory_protection_of(o->protection))
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "protection %u is not known",
                       o->protection);
  if (o->scope > WINIPC_SCOPE_GLOBAL)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "scope %u is not known", o->scope);
  if (o->inheritable > 1 || o->large_pages > 1)
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "inheritable or large_pages is not 0 or 1");
  if (o->security > WINIPC_SECURITY_CURRENT_USER)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "security preset %u is not known",
                       o->security);
  if (o->large_pages && o->path)
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "memory of a file cannot have large pages");
  return WINIPC_OK;
}

static winipc_status memory__options_read(winipc_memory_options *known,
                                          const winipc_memory_options *options,
                                          bool creates) {
  winipc_memory_options_init(known);
  winipc_status status = structure_read(known, sizeof *known, options);
  if (!status) status = memory__options_check(known);
  if (!status && known->path && !creates)
    status = status_fail(WINIPC_E_INVALID_ARGUMENT,
                         "a path is for creating memory; what exists has its file");
  return status;
}

/* ---- making ---- */

/* Only what can be written has room for a trailer: the rest, of the page file, is zero
 * for ever. */
static bool memory__wants_trailer(const winipc_memory_options *options) {
  return !options->path && memory_protection_of(options->protection)->writes;
}

/* What to ask the system for. */
static winipc_status memory__section_size(uint64_t bytes,
                                          const winipc_memory_options *options,
                                          uint64_t *whole) {
  uint64_t page = platform_info().dwPageSize;
  *whole = bytes;
  if (!bytes && !options->path)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "shared memory of 0 bytes");
  if (options->large_pages) page = GetLargePageMinimum();
  if (!page) return status_fail(WINIPC_E_UNSUPPORTED, "this system has no large pages");
  if (bytes > INT64_MAX - MEMORY_TRAILER_SIZE - page)
    return status_fail(WINIPC_E_TOO_LARGE,
                       "%llu bytes are more than any system can share",
                       (unsigned long long)bytes);
  if (memory__wants_trailer(options)) *whole += MEMORY_TRAILER_SIZE;
  if (!options->path) *whole = (*whole + page - 1) / page * page;
  return WINIPC_OK;
}

/* Whoever opens it before the trailer is there waits for the guard. */
static winipc_status memory__create(const wchar_t *name, uint64_t bytes, uint64_t whole,
                                    const winipc_memory_options *options, bool may_open,
                                    HANDLE *section, bool *created) {
  winipc_status status =
      memory_section_create(name, whole, options, may_open, section, created);
  if (status || !*created || !memory__wants_trailer(options)) return status;
  status = memory_trailer_write(*section, whole, bytes);
  if (status) CloseHandle(*section);
  return status;
}

/* ERROR_FILE_NOT_FOUND when there is none. */
static DWORD memory__look(const wchar_t *name, const winipc_memory_options *options,
                          bool may_open, HANDLE *section) {
  if (!name) return ERROR_FILE_NOT_FOUND;
  DWORD error = memory_section_open(name, options, section);
  if (error || may_open) return error;
  CloseHandle(*section);
  return ERROR_ALREADY_EXISTS;
}

/* Under the guard nobody of ours creates it between our look and our creating it. */
static winipc_status memory__look_and_create(const wchar_t *name, uint64_t bytes,
                                             const winipc_memory_options *options,
                                             bool may_open, HANDLE *section,
                                             bool *created, DWORD *looked) {
  memory_guard guard;
  uint64_t whole;
  winipc_status status = memory__section_size(bytes, options, &whole);
  if (status) return status;
  deadline end = memory_guard_patience();
  status = memory_guard_lock(&guard, name, options, &end);
  if (status) return status;
  *looked = memory__look(name, options, may_open, section);
  if (*looked == ERROR_FILE_NOT_FOUND) {
    status = memory__create(name, bytes, whole, options, may_open, section, created);
    *looked = ERROR_SUCCESS;
  }
  memory_guard_unlock(&guard);
  return status;
}

/* Opening comes first: it asks for no right that is not needed, and the file of what
 * exists already is left alone. */
static winipc_status memory__create_or_open(const wchar_t *name, uint64_t bytes,
                                            const winipc_memory_options *options,
                                            bool may_open, HANDLE *section,
                                            bool *created) {
  winipc_status status = WINIPC_OK;
  *created = false;
  DWORD looked = memory__look(name, options, may_open, section);
  if (looked == ERROR_FILE_NOT_FOUND)
    status = memory__look_and_create(name, bytes, options, may_open, section, created,
                                     &looked);
  if (!status && looked)
    status = kernel_object_failed(looked, "OpenFileMapping", "shared memory", name);
  return status;
}

static void memory__take_trailer(memory *m, const memory_trailer *trailer) {
  m->has_trailer = true;
  m->exact = true;
  m->bytes = trailer->bytes;
  m->creator = trailer->creator;
  m->creator_start = trailer->creator_start;
}

/* A trailer that is not there may be on its way. */
static winipc_status memory__find_trailer(memory *m, const wchar_t *name) {
  memory_trailer trailer;
  bool found;
  winipc_status status = memory_trailer_read(m->section, m->whole, &trailer, &found);
  if (!status && !found && name) {
    status = memory_guard_await(name);
    if (!status) status = memory_trailer_read(m->section, m->whole, &trailer, &found);
  }
  if (!status && found) memory__take_trailer(m, &trailer);
  return status;
}

static winipc_status memory__measure(memory *m, const wchar_t *name) {
  memory_section_size size;
  winipc_status status = memory_section_measure(m->section, &size);
  if (status) return status;
  m->whole = m->bytes = size.bytes;
  m->exact = size.exact;
  return size.file ? WINIPC_OK : memory__find_trailer(m, name);
}

/* On failure the section stays the caller's. `bytes`: what its creator has asked for,
 * else 0. */
static winipc_status memory__new(HANDLE section, const wchar_t *name, uint64_t bytes,
                                 const winipc_memory_options *options, bool created,
                                 memory **out) {
  memory *m = calloc(1, sizeof *m);
  if (!m) return status_no_memory();
  m->section = section;
  m->protection = options->protection;
  m->large_pages = options->large_pages != 0;
  m->created = created;
  winipc_status status = memory__measure(m, created ? NULL : name);
  if (status) return free(m), status;
  if (created) {
    m->exact = true;
    m->creator = GetCurrentProcessId();
    m->creator_start = memory_trailer_process_start(GetCurrentProcess());
    if (bytes) m->bytes = bytes;
  }
  *out = m;
  return WINIPC_OK;
}

static winipc_status memory__publish(memory *m, winipc_memory **id) {
  winipc_status status = handle_open(&memory_class, m, id);
  if (status) memory__destroy(m);
  return status;
}

static winipc_status memory__check_size(const memory *m, uint64_t bytes) {
  if (bytes <= m->bytes) return WINIPC_OK;
  return status_fail(WINIPC_E_TOO_LARGE,
                     "the memory exists already, with %llu bytes: less than %llu",
                     (unsigned long long)m->bytes, (unsigned long long)bytes);
}

/* `initialiser` may be NULL. */
static winipc_status memory__obtain(const wchar_t *name, uint64_t bytes,
                                    const winipc_memory_options *options, bool may_open,
                                    const memory_initialiser *initialiser,
                                    memory **out) {
  HANDLE section;
  memory *m;
  bool created;
  winipc_status status =
      memory__create_or_open(name, bytes, options, may_open, &section, &created);
  if (status) return status;
  status = memory__new(section, name, bytes, options, created, &m);
  if (status) return CloseHandle(section), status;
  status = memory__check_size(m, bytes);
  if (!status && initialiser) status = memory_initialise(m, name, options, initialiser);
  if (status)
    memory__destroy(m);
  else
    *out = m;
  return status;
}

/* ---- the functions ---- */

static winipc_status memory__make(const char *name, uint64_t bytes,
                                  const winipc_memory_options *options, bool may_open,
                                  const memory_initialiser *initialiser,
                                  int32_t *created, winipc_memory **id) {
  winipc_memory_options known;
  wchar_t *wide = NULL;
  memory *m = NULL;
  winipc_status status = memory__options_read(&known, options, true);
  if (!status && initialiser && !memory_protection_of(known.protection)->writes)
    status = status_fail(WINIPC_E_INVALID_ARGUMENT,
                         "an initialiser takes a protection that writes");
  if (!status) status = kernel_object_name(name, known.scope, &wide);
  if (!status) status = memory__obtain(wide, bytes, &known, may_open, initialiser, &m);
  free(wide);
  if (status) return status;
  bool is_new = m->created;
  status = memory__publish(m, id);
  if (!status && created) *created = is_new;
  return status;
}

winipc_status WINIPC_CALL winipc_memory_create(const char *name, uint64_t bytes,
                                               const winipc_memory_options *options,
                                               winipc_memory **memory) {
  if (!memory) return status_fail(WINIPC_E_INVALID_ARGUMENT, "memory is NULL");
  *memory = NULL;
  return memory__make(name, bytes, options, false, NULL, NULL, memory);
}

winipc_status WINIPC_CALL winipc_memory_create_or_open(
    const char *name, uint64_t bytes, const winipc_memory_options *options,
    winipc_memory_initialise initialise, void *user, uint32_t timeout_ms,
    int32_t *created, winipc_memory **memory) {
  memory_initialiser initialiser = {initialise, user, timeout_ms};
  if (created) *created = 0;
  if (!memory) return status_fail(WINIPC_E_INVALID_ARGUMENT, "memory is NULL");
  *memory = NULL;
  return memory__make(name, bytes, options, true, initialise ? &initialiser : NULL,
                      created, memory);
}

static winipc_status memory__open(const wchar_t *name,
                                  const winipc_memory_options *options, memory **out) {
  HANDLE section;
  DWORD error = memory_section_open(name, options, &section);
  if (error)
    return status_error(
        kernel_object_failed(error, "OpenFileMapping", "shared memory", name));
  winipc_status status = memory__new(section, name, 0, options, false, out);
  if (status) CloseHandle(section);
  return status;
}

winipc_status WINIPC_CALL winipc_memory_open(const char *name,
                                             const winipc_memory_options *options,
                                             winipc_memory **memory) {
  winipc_memory_options known;
  wchar_t *wide = NULL;
  struct memory *m = NULL;
  if (!memory) return status_fail(WINIPC_E_INVALID_ARGUMENT, "memory is NULL");
  *memory = NULL;
  if (!name) return status_fail(WINIPC_E_INVALID_ARGUMENT, "the name is NULL");
  winipc_status status = memory__options_read(&known, options, false);
  if (!status) status = kernel_object_name(name, known.scope, &wide);
  if (!status) status = memory__open(wide, &known, &m);
  free(wide);
  return status ? status : memory__publish(m, memory);
}

static winipc_status memory__adopt(HANDLE handle, const winipc_memory_options *options,
                                   winipc_memory **id) {
  memory *m;
  winipc_status status = memory__new(handle, NULL, 0, options, false, &m);
  if (status) return status;
  status = handle_open(&memory_class, m, id);
  if (status) return free(m), status;
  if (options->inheritable)
    SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
  return WINIPC_OK;
}

/* On an error the handle stays the caller's. */
winipc_status WINIPC_CALL winipc_memory_from_handle(
    void *handle, const winipc_memory_options *options, winipc_memory **memory) {
  winipc_memory_options known;
  if (!memory) return status_fail(WINIPC_E_INVALID_ARGUMENT, "memory is NULL");
  *memory = NULL;
  winipc_status status = memory__options_read(&known, options, false);
  if (!status) status = kernel_object_check(handle, L"Section", "shared memory");
  return status ? status : memory__adopt(handle, &known, memory);
}

/* 0 when another process has got the creator's pid since. */
static uint32_t memory__creator(const memory *m) {
  if (!m->creator) return 0;
  HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, m->creator);
  if (!process) return m->creator;
  uint64_t start = memory_trailer_process_start(process);
  CloseHandle(process);
  return start && start != m->creator_start ? 0 : m->creator;
}

winipc_status WINIPC_CALL winipc_memory_get_info(winipc_memory *memory,
                                                 winipc_memory_info *info) {
  const struct memory *m = handle_acquire(memory, &memory_class);
  if (!m) return WINIPC_E_INVALID_HANDLE;
  winipc_memory_info known = {
      .size = sizeof known,
      .exact = m->exact,
      .bytes = m->bytes,
      .creator = memory__creator(m),
      .created = m->created,
  };
  handle_release(memory);
  return structure_write(info, &known, sizeof known);
}

winipc_status WINIPC_CALL winipc_memory_map(winipc_memory *memory, uint64_t offset,
                                            uint64_t bytes, uint32_t protection,
                                            void **address) {
  if (!address) return status_fail(WINIPC_E_INVALID_ARGUMENT, "address is NULL");
  *address = NULL;
  struct memory *m = handle_acquire(memory, &memory_class);
  if (!m) return WINIPC_E_INVALID_HANDLE;
  winipc_status status = memory_view_map(m, offset, bytes, protection, address);
  handle_release(memory);
  return status;
}

winipc_status WINIPC_CALL winipc_memory_unmap(winipc_memory *memory, void *address) {
  struct memory *m = handle_acquire(memory, &memory_class);
  if (!m) return WINIPC_E_INVALID_HANDLE;
  winipc_status status = memory_view_unmap(m, address);
  handle_release(memory);
  return status;
}

winipc_status WINIPC_CALL winipc_memory_flush(winipc_memory *memory, void *address,
                                              uint64_t bytes) {
  struct memory *m = handle_acquire(memory, &memory_class);
  if (!m) return WINIPC_E_INVALID_HANDLE;
  winipc_status status = memory_view_flush(m, address, bytes);
  handle_release(memory);
  return status;
}

winipc_status WINIPC_CALL winipc_memory_close(winipc_memory *memory) {
  return handle_close(memory, &memory_class);
}
