#include "memory/memory_guard.h"

#include "core/security.h"
#include "core/status.h"
#include "lock/kernel_object.h"

enum {
  MEMORY_GUARD__ACCESS = SYNCHRONIZE | MUTEX_MODIFY_STATE,
  MEMORY_GUARD__PATIENCE = 5000
};

deadline memory_guard_patience(void) {
  return deadline_in(MEMORY_GUARD__PATIENCE);
}

static winipc_status memory_guard__name(const wchar_t *name, wchar_t **companion) {
  return kernel_object_companion(name, L"winipc.memory.", companion);
}

/* An owner that died in it leaves it to us: what it had not done we find undone. */
static winipc_status memory_guard__wait(HANDLE mutex, const deadline *end) {
  winipc_status status = waiters_wait(NULL, mutex, end);
  return status < 0 ? status : WINIPC_OK;
}

static winipc_status memory_guard__make(const wchar_t *name,
                                        const winipc_memory_options *options,
                                        HANDLE *mutex) {
  SECURITY_ATTRIBUTES security;
  winipc_status status =
      security_init(&security, options->security, options->sddl, false);
  if (status) return status;
  *mutex = CreateMutexExW(&security, name, 0, MEMORY_GUARD__ACCESS);
  if (!*mutex)
    status = kernel_object_failed(GetLastError(), "CreateMutexEx", "a mutex", name);
  security_free(&security);
  return status;
}

winipc_status memory_guard_lock(memory_guard *guard, const wchar_t *name,
                                const winipc_memory_options *options,
                                const deadline *end) {
  wchar_t *companion;
  guard->mutex = NULL;
  if (!name) return WINIPC_OK;
  winipc_status status = memory_guard__name(name, &companion);
  if (status) return status;
  status = memory_guard__make(companion, options, &guard->mutex);
  free(companion);
  if (!status) status = memory_guard__wait(guard->mutex, end);
  if (status && guard->mutex) {
    CloseHandle(guard->mutex);
    guard->mutex = NULL;
  }
  return status;
}

void memory_guard_unlock(memory_guard *guard) {
  if (!guard->mutex) return;
  ReleaseMutex(guard->mutex);
  CloseHandle(guard->mutex);
}

winipc_status memory_guard_await(const wchar_t *name) {
  wchar_t *companion;
  winipc_status status = memory_guard__name(name, &companion);
  if (status) return status;
  HANDLE mutex = OpenMutexW(MEMORY_GUARD__ACCESS, FALSE, companion);
  free(companion);
  if (!mutex) return WINIPC_OK;
  deadline end = memory_guard_patience();
  status = memory_guard__wait(mutex, &end);
  if (!status) ReleaseMutex(mutex);
  CloseHandle(mutex);
  return status;
}
