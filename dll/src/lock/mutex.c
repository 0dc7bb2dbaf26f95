#include "core/status.h"
#include "lock/lock.h"

enum { MUTEX__ACCESS = SYNCHRONIZE | MUTEX_MODIFY_STATE };

static HANDLE mutex__create(SECURITY_ATTRIBUTES *security, const wchar_t *name,
                            const void *initial) {
  (void)initial;
  return CreateMutexExW(security, name, 0, MUTEX__ACCESS);
}

static const lock_kind mutex__kind = {
    .class = LOCK_CLASS(HANDLE_MUTEX, "a mutex"),
    .type = L"Mutant",
    .create = mutex__create,
    .open = OpenMutexW,
    .access = MUTEX__ACCESS,
    .create_call = "CreateMutexEx",
    .open_call = "OpenMutex",
};

winipc_status WINIPC_CALL winipc_mutex_open(const char *name,
                                            const winipc_lock_options *options,
                                            int32_t *created, winipc_mutex **mutex) {
  if (created) *created = 0;
  if (!mutex) return status_fail(WINIPC_E_INVALID_ARGUMENT, "mutex is NULL");
  *mutex = NULL;
  return lock_open(&mutex__kind, name, NULL, options, created, mutex);
}

winipc_status WINIPC_CALL winipc_mutex_from_handle(void *handle, winipc_mutex **mutex) {
  if (!mutex) return status_fail(WINIPC_E_INVALID_ARGUMENT, "mutex is NULL");
  *mutex = NULL;
  return lock_from_handle(&mutex__kind, handle, mutex);
}

winipc_status WINIPC_CALL winipc_mutex_lock(winipc_mutex *mutex, uint32_t timeout_ms) {
  return lock_wait(&mutex__kind, mutex, true, timeout_ms);
}

winipc_status WINIPC_CALL winipc_mutex_unlock(winipc_mutex *mutex) {
  return lock_apply(&mutex__kind, mutex, ReleaseMutex, "ReleaseMutex");
}

/* A thread that still owns it goes on owning it, in as far as others have it open: so
 * the system would have it, and only that thread could unlock it. */
winipc_status WINIPC_CALL winipc_mutex_close(winipc_mutex *mutex) {
  return handle_close(mutex, &mutex__kind.class);
}
