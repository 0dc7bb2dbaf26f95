/* What mutexes, events and semaphores share: all but what makes them differ. */
#ifndef WINIPC_LOCK_H
#define WINIPC_LOCK_H

#include "core/handle.h"
#include "core/wait.h"
#include "core/win.h"

typedef struct lock {
  HANDLE handle;
  waiters waiters;
} lock;

typedef struct lock_kind {
  handle_class class; /* its functions are the lock_... ones below */
  const wchar_t *type;
  /* Creates it, or opens the one that has the name; with the rights that the verbs
   * take and no others, so that a stranger's object need grant no more. */
  HANDLE (*create)(SECURITY_ATTRIBUTES *security, const wchar_t *name,
                   const void *initial);
  HANDLE(WINAPI *open)(DWORD access, BOOL inherit, const wchar_t *name);
  DWORD access;
  const char *create_call, *open_call; /* what they call, for errors */
} lock_kind;

waiters *lock_waiters(void *object);
HANDLE lock_native(void *object);
void lock_destroy(void *object);

#define LOCK_CLASS(kind_, name_) \
  {.kind = (kind_),              \
   .name = (name_),              \
   .waiters = lock_waiters,      \
   .native = lock_native,        \
   .waitable = true,             \
   .destroy = lock_destroy}

/* `id` gets the new object, `created` (or NULL) whether it is new to the system. */
winipc_status lock_open(const lock_kind *kind, const char *name, const void *initial,
                        const winipc_lock_options *options, int32_t *created, void *id);
winipc_status lock_from_handle(const lock_kind *kind, HANDLE handle, void *id);

/* Waits for the lock. `try_first`: it is likely to be had at once, which costs one
 * cheap kernel call; a longer way is gone only when that fails. */
winipc_status lock_wait(const lock_kind *kind, const void *id, bool try_first,
                        uint32_t timeout_ms);

/* A call on the native handle that does not wait. */
winipc_status lock_apply(const lock_kind *kind, const void *id,
                         BOOL(WINAPI *change)(HANDLE), const char *call);

#endif
