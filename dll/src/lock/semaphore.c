#include "core/status.h"
#include "lock/lock.h"

enum { SEMAPHORE__ACCESS = SYNCHRONIZE | SEMAPHORE_MODIFY_STATE };

typedef struct semaphore__initial {
  LONG count, limit;
} semaphore__initial;

/* A semaphore that exists keeps its own count and limit. */
static HANDLE semaphore__create(SECURITY_ATTRIBUTES *security, const wchar_t *name,
                                const void *initial) {
  const semaphore__initial *i = initial;
  return CreateSemaphoreExW(security, i->count, i->limit, name, 0, SEMAPHORE__ACCESS);
}

static const lock_kind semaphore__kind = {
    .class = LOCK_CLASS(HANDLE_SEMAPHORE, "a semaphore"),
    .type = L"Semaphore",
    .create = semaphore__create,
    .open = OpenSemaphoreW,
    .access = SEMAPHORE__ACCESS,
    .create_call = "CreateSemaphoreEx",
    .open_call = "OpenSemaphore",
};

winipc_status WINIPC_CALL winipc_semaphore_open(const char *name, uint32_t count,
                                                uint32_t limit,
                                                const winipc_lock_options *options,
                                                int32_t *created,
                                                winipc_semaphore **semaphore) {
  if (created) *created = 0;
  if (!semaphore) return status_fail(WINIPC_E_INVALID_ARGUMENT, "semaphore is NULL");
  *semaphore = NULL;
  if (!limit || limit > INT32_MAX || count > limit)
    return status_fail(WINIPC_E_INVALID_ARGUMENT,
                       "count %u and limit %u are not 0 <= count <= limit and "
                       "1 <= limit <= 2^31 - 1",
                       count, limit);
  semaphore__initial initial = {(LONG)count, (LONG)limit};
  return lock_open(&semaphore__kind, name, &initial, options, created, semaphore);
}

winipc_status WINIPC_CALL winipc_semaphore_from_handle(void *handle,
                                                       winipc_semaphore **semaphore) {
  if (!semaphore) return status_fail(WINIPC_E_INVALID_ARGUMENT, "semaphore is NULL");
  *semaphore = NULL;
  return lock_from_handle(&semaphore__kind, handle, semaphore);
}

winipc_status WINIPC_CALL winipc_semaphore_acquire(winipc_semaphore *semaphore,
                                                   uint32_t timeout_ms) {
  return lock_wait(&semaphore__kind, semaphore, true, timeout_ms);
}

static winipc_status semaphore__release(HANDLE handle, uint32_t count, LONG *before) {
  if (!count) return status_fail(WINIPC_E_INVALID_ARGUMENT, "count is 0");
  if (count > INT32_MAX)
    return status_fail(WINIPC_E_LIMIT, "no semaphore's limit is as high as %u", count);
  return ReleaseSemaphore(handle, (LONG)count, before)
             ? WINIPC_OK
             : status_from_last("ReleaseSemaphore");
}

winipc_status WINIPC_CALL winipc_semaphore_release(winipc_semaphore *semaphore,
                                                   uint32_t count, uint32_t *previous) {
  LONG before = 0;
  if (previous) *previous = 0;
  lock *l = handle_acquire(semaphore, &semaphore__kind.class);
  if (!l) return WINIPC_E_INVALID_HANDLE;
  winipc_status status = semaphore__release(l->handle, count, &before);
  handle_release(semaphore);
  if (!status && previous) *previous = (uint32_t)before;
  return status;
}

winipc_status WINIPC_CALL winipc_semaphore_close(winipc_semaphore *semaphore) {
  return handle_close(semaphore, &semaphore__kind.class);
}
