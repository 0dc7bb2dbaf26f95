/* winipc_wait: any or all of several objects. */
#include "core/handle.h"
#include "core/platform.h"
#include "core/status.h"
#include "core/wait.h"

typedef struct wait_objects {
  uint32_t count;             /* objects that a reference is held on */
  const void *ids[WAIT_MOST]; /* a copy: the caller's may change meanwhile */
  waiters *lists[WAIT_MOST];
  HANDLE handles[WAIT_MOST];
} wait_objects;

static winipc_status wait_objects__copy(wait_objects *w, const void *const *objects,
                                        uint32_t count, int32_t all) {
  if (!objects) return status_fail(WINIPC_E_INVALID_ARGUMENT, "objects is NULL");
  if (!count || count > WAIT_MOST)
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "one can wait for 1 to %d objects, not for %u", WAIT_MOST,
                       count);
  if (all & ~1) return status_fail(WINIPC_E_INVALID_ARGUMENT, "all is not 0 or 1");
  memcpy(w->ids, objects, count * sizeof *objects);
  for (uint32_t i = 0; i < count; i++)
    for (uint32_t j = 0; j < i; j++)
      if (w->ids[i] == w->ids[j])
        return status_fail(WINIPC_E_INVALID_ARGUMENT,
                           "the objects at %u and %u are the same", j, i);
  return WINIPC_OK;
}

static void wait_objects__release(wait_objects *w) {
  for (uint32_t i = 0; i < w->count; i++) handle_release(w->ids[i]);
}

static winipc_status wait_objects__acquire_one(wait_objects *w, const void *id) {
  void *object = handle_acquire(id, NULL);
  if (!object) return WINIPC_E_INVALID_HANDLE;
  const handle_class *kind = handle_class_of(id);
  w->lists[w->count] = kind->waiters ? kind->waiters(object) : NULL;
  w->handles[w->count] = kind->waitable ? kind->native(object) : NULL;
  if (w->handles[w->count++]) return WINIPC_OK;
  return status_fail(WINIPC_E_UNSUPPORTED, "%s cannot be waited for", kind->name);
}

static winipc_status wait_objects__acquire(wait_objects *w, uint32_t count) {
  winipc_status status = WINIPC_OK;
  for (uint32_t i = 0; i < count && !status; i++)
    status = wait_objects__acquire_one(w, w->ids[i]);
  return status;
}

/* Two objects of ours may be one to the system. Windows refuses to wait for it twice;
 * Wine's server, which all programs share, would come to its end. */
static winipc_status wait_objects__check_handles(const wait_objects *w) {
  if (!platform_is_wine()) return WINIPC_OK;
  BOOL(WINAPI * same)(HANDLE, HANDLE);
  FARPROC found =
      GetProcAddress(GetModuleHandleW(L"kernelbase.dll"), "CompareObjectHandles");
  memcpy(&same, &found, sizeof same);
  for (uint32_t i = 0; same && i < w->count; i++)
    for (uint32_t j = 0; j < i; j++)
      if (handle_class_of(w->ids[i]) == handle_class_of(w->ids[j]) &&
          same(w->handles[i], w->handles[j]))
        return status_fail_win32(WINIPC_E_INVALID_ARGUMENT, ERROR_INVALID_PARAMETER,
                                 "CompareObjectHandles",
                                 "the objects at %u and %u are the same", j, i);
  return WINIPC_OK;
}

winipc_status WINIPC_CALL winipc_wait(const void *const *objects, uint32_t count,
                                      int32_t all, uint32_t timeout_ms,
                                      uint32_t *index) {
  wait_objects w = {.count = 0};
  DWORD ended = 0;
  if (index) *index = 0;
  deadline end = deadline_in(timeout_ms);
  winipc_status status = wait_objects__copy(&w, objects, count, all);
  if (status) return status;
  status = wait_objects__acquire(&w, count);
  if (!status && all) status = wait_objects__check_handles(&w);
  if (!status)
    status = waiters_wait_many(w.lists, w.handles, w.count, all != 0, &end, &ended);
  wait_objects__release(&w);
  if (status >= 0 && index) *index = ended;
  return status;
}
