#include "memory/memory_initialise.h"

#include "core/status.h"
#include "memory/memory_guard.h"
#include "memory/memory_trailer.h"
#include "memory/memory_view.h"

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

static winipc_status memory_initialise__look(const memory *m, bool *done) {
  memory_trailer trailer;
  bool found;
  winipc_status status = memory_trailer_read(m->section, m->whole, &trailer, &found);
  *done = !status && found && trailer.initialised;
  return status;
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

static winipc_status memory_initialise__guarded(memory *m, const wchar_t *name,
                                                const winipc_memory_options *options,
                                                const memory_initialiser *initialiser) {
  memory_guard guard;
  bool done;
  deadline end = deadline_in(initialiser->timeout_ms);
  winipc_status status = memory_guard_lock(&guard, name, options, &end);
  if (status) return status;
  status = memory_initialise__look(m, &done);
  if (!status && !done) status = memory_initialise__run(m, name, initialiser);
  memory_guard_unlock(&guard);
  return status;
}

winipc_status memory_initialise(memory *m, const wchar_t *name,
                                const winipc_memory_options *options,
                                const memory_initialiser *initialiser) {
  bool done;
  if (!m->has_trailer)
    return status_fail(
        WINIPC_E_UNSUPPORTED,
        "memory of a file, or that another library made, has no place to "
        "note that it was initialised");
  winipc_status status = memory_initialise__look(m, &done);
  if (status || done) return status;
  if (name && memory_initialise__is_running(name))
    return status_fail(WINIPC_E_DEADLOCK,
                       "the initialiser of this memory is running on this very thread");
  return memory_initialise__guarded(m, name, options, initialiser);
}
