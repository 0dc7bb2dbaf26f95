#include "memory_initialise.h"

#include "memory_guard.h"
#include "memory_trailer.h"
#include "memory_view.h"
#include "status.h"

/* The initialisers that run in this process. The guard is a mutex, and would let its
 * owner in a second time. */
typedef struct memory_initialise__frame {
  struct memory_initialise__frame *next;
  const wchar_t *name;
  DWORD thread;
} memory_initialise__frame;

static memory_initialise__frame *memory_initialise__running;
static SRWLOCK memory_initialise__lock = SRWLOCK_INIT;

static bool memory_initialise__is_running(const wchar_t *name) {
  bool found = false;
  AcquireSRWLockShared(&memory_initialise__lock);
  for (const memory_initialise__frame *f = memory_initialise__running; f; f = f->next)
    found |= f->thread == GetCurrentThreadId() && !wcscmp(f->name, name);
  ReleaseSRWLockShared(&memory_initialise__lock);
  return found;
}

static void memory_initialise__enter(memory_initialise__frame *frame) {
  AcquireSRWLockExclusive(&memory_initialise__lock);
  frame->next = memory_initialise__running;
  memory_initialise__running = frame;
  ReleaseSRWLockExclusive(&memory_initialise__lock);
}

static void memory_initialise__leave(memory_initialise__frame *frame) {
  AcquireSRWLockExclusive(&memory_initialise__lock);
  memory_initialise__frame **link = &memory_initialise__running;
  while (*link != frame) link = &(*link)->next;
  *link = frame->next;
  ReleaseSRWLockExclusive(&memory_initialise__lock);
}

static bool memory_initialise__done(const memory *m) {
  memory_trailer trailer;
  return memory_trailer_read(m->section, m->whole, &trailer) && trailer.initialised;
}

static winipc_status memory_initialise__run(memory *m, const wchar_t *name,
                                            const memory_initialiser *initialiser) {
  void *address;
  memory_initialise__frame frame = {NULL, name ? name : L"", GetCurrentThreadId()};
  winipc_status status = memory_view_map(m, 0, m->bytes, m->protection, &address);
  if (status) return status;
  memory_initialise__enter(&frame);
  status = initialiser->call(address, m->bytes, initialiser->user);
  memory_initialise__leave(&frame);
  memory_view_unmap(m, address);
  if (status < 0)
    return status_fail(status, "the initialiser failed with %s (%d)",
                       winipc_status_name(status), status);
  return memory_trailer_set_initialised(m->section, m->whole);
}

winipc_status memory_initialise(memory *m, const wchar_t *name,
                                const winipc_memory_options *options,
                                const memory_initialiser *initialiser) {
  memory_guard guard;
  if (!m->has_trailer)
    return status_fail(
        WINIPC_E_UNSUPPORTED,
        "memory of a file, or that another library made, has no place to "
        "note that it was initialised");
  if (memory_initialise__done(m)) return WINIPC_OK;
  if (name && memory_initialise__is_running(name))
    return status_fail(WINIPC_E_DEADLOCK,
                       "the initialiser of this memory is running on this very thread");
  deadline end = deadline_in(initialiser->timeout_ms);
  winipc_status status = memory_guard_lock(&guard, name, options, &end);
  if (status) return status;
  if (!memory_initialise__done(m))
    status = memory_initialise__run(m, name, initialiser);
  memory_guard_unlock(&guard);
  return status;
}
