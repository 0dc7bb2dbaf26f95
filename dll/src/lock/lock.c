#include "lock/lock.h"

#include "core/security.h"
#include "core/status.h"
#include "core/structure.h"
#include "lock/kernel_object.h"

waiters *lock_waiters(void *object) {
  return &((lock *)object)->waiters;
}

HANDLE lock_native(void *object) {
  return ((lock *)object)->handle;
}

void lock_destroy(void *object) {
  lock *l = object;
  CloseHandle(l->handle);
  free(l);
}

winipc_status WINIPC_CALL winipc_lock_options_init(winipc_lock_options *options) {
  if (!options) return status_fail(WINIPC_E_INVALID_ARGUMENT, "options is NULL");
  *options = (winipc_lock_options){
      .size = sizeof *options,
      .mode = WINIPC_CREATE_OR_OPEN,
      .scope = WINIPC_SCOPE_LOCAL,
      .security = WINIPC_SECURITY_CURRENT_USER,
  };
  return WINIPC_OK;
}

static winipc_status lock__options_read(winipc_lock_options *known,
                                        const winipc_lock_options *options,
                                        const char *name) {
  winipc_lock_options_init(known);
  winipc_status status = structure_read(known, sizeof *known, options);
  if (status) return status;
  if (known->mode > WINIPC_OPEN)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "mode %u is not known", known->mode);
  if (known->mode == WINIPC_OPEN && !name)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "the name is NULL: nothing to open");
  if (known->inheritable > 1)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "inheritable is %u: not 0 or 1",
                       known->inheritable);
  if (known->reserved)
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "a reserved member is not 0");
  return WINIPC_OK;
}

/* On failure the handle stays the caller's. */
static winipc_status lock__publish(const lock_kind *kind, HANDLE handle, void *id) {
  lock *l = malloc(sizeof *l);
  if (!l) return status_no_memory();
  *l = (lock){handle, WAITERS_INIT};
  winipc_status status = handle_open(&kind->class, l, id);
  if (status) free(l);
  return status;
}

static winipc_status lock__create(const lock_kind *kind, const wchar_t *name,
                                  const void *initial, const winipc_lock_options *o,
                                  HANDLE *handle, bool *created) {
  SECURITY_ATTRIBUTES security;
  winipc_status status =
      security_init(&security, o->security, o->sddl, o->inheritable != 0);
  if (status) return status;
  SetLastError(ERROR_SUCCESS);
  *handle = kind->create(&security, name, initial);
  DWORD error = GetLastError();
  security_free(&security);
  *created = error != ERROR_ALREADY_EXISTS;
  if (*handle && (*created || o->mode == WINIPC_CREATE_OR_OPEN)) return WINIPC_OK;
  if (*handle) CloseHandle(*handle);
  return kernel_object_failed(error, kind->create_call, kind->class.name, name);
}

static winipc_status lock__get(const lock_kind *kind, const wchar_t *name,
                               const void *initial, const winipc_lock_options *o,
                               HANDLE *handle, bool *created) {
  if (o->mode != WINIPC_OPEN)
    return lock__create(kind, name, initial, o, handle, created);
  *created = false;
  *handle = kind->open(kind->access, o->inheritable != 0, name);
  if (*handle) return WINIPC_OK;
  return kernel_object_failed(GetLastError(), kind->open_call, kind->class.name, name);
}

winipc_status lock_open(const lock_kind *kind, const char *name, const void *initial,
                        const winipc_lock_options *options, int32_t *created,
                        void *id) {
  winipc_lock_options known;
  wchar_t *wide = NULL;
  HANDLE handle = NULL;
  bool is_new = false;
  winipc_status status = lock__options_read(&known, options, name);
  if (!status) status = kernel_object_name(name, known.scope, &wide);
  if (!status) status = lock__get(kind, wide, initial, &known, &handle, &is_new);
  if (!status) {
    status = lock__publish(kind, handle, id);
    if (status) CloseHandle(handle);
  }
  if (!status && created) *created = is_new;
  free(wide);
  return status;
}

winipc_status lock_from_handle(const lock_kind *kind, HANDLE handle, void *id) {
  winipc_status status = kernel_object_check(handle, kind->type, kind->class.name);
  return status ? status : lock__publish(kind, handle, id);
}

winipc_status lock_wait(const lock_kind *kind, const void *id, bool try_first,
                        uint32_t timeout_ms) {
  lock *l = handle_acquire(id, &kind->class);
  if (!l) return WINIPC_E_INVALID_HANDLE;
  winipc_status status;
  DWORD tried = WAIT_TIMEOUT;
  if (try_first && timeout_ms != WINIPC_NO_WAIT)
    tried = WaitForSingleObject(l->handle, 0);
  if (tried == WAIT_OBJECT_0)
    status = WINIPC_OK;
  else if (tried == WAIT_ABANDONED)
    status = WINIPC_ABANDONED;
  else {
    deadline end = deadline_in(timeout_ms);
    status = waiters_wait(&l->waiters, l->handle, &end);
  }
  handle_release(id);
  return status;
}

winipc_status lock_apply(const lock_kind *kind, const void *id,
                         BOOL(WINAPI *change)(HANDLE), const char *call) {
  lock *l = handle_acquire(id, &kind->class);
  if (!l) return WINIPC_E_INVALID_HANDLE;
  winipc_status status = change(l->handle) ? WINIPC_OK : status_from_last(call);
  handle_release(id);
  return status;
}
