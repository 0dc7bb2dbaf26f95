#include "core/status.h"
#include "lock/lock.h"

enum { EVENT__ACCESS = SYNCHRONIZE | EVENT_MODIFY_STATE };

/* `initial` is the CREATE_EVENT_... flags; an event that exists keeps its own. */
static HANDLE event__create(SECURITY_ATTRIBUTES *security, const wchar_t *name,
                            const void *initial) {
  return CreateEventExW(security, name, *(const DWORD *)initial, EVENT__ACCESS);
}

static const lock_kind event__kind = {
    .class = LOCK_CLASS(HANDLE_EVENT, "an event"),
    .type = L"Event",
    .create = event__create,
    .open = OpenEventW,
    .access = EVENT__ACCESS,
    .create_call = "CreateEventEx",
    .open_call = "OpenEvent",
};

winipc_status WINIPC_CALL winipc_event_open(const char *name, int32_t manual,
                                            int32_t set,
                                            const winipc_lock_options *options,
                                            int32_t *created, winipc_event **event) {
  if (created) *created = 0;
  if (!event) return status_fail(WINIPC_E_INVALID_ARGUMENT, "event is NULL");
  *event = NULL;
  if ((manual & ~1) || (set & ~1))
    return status_fail(WINIPC_E_INVALID_ARGUMENT, "manual or set is not 0 or 1");
  DWORD flags =
      (manual ? CREATE_EVENT_MANUAL_RESET : 0) | (set ? CREATE_EVENT_INITIAL_SET : 0);
  return lock_open(&event__kind, name, &flags, options, created, event);
}

winipc_status WINIPC_CALL winipc_event_from_handle(void *handle, winipc_event **event) {
  if (!event) return status_fail(WINIPC_E_INVALID_ARGUMENT, "event is NULL");
  *event = NULL;
  return lock_from_handle(&event__kind, handle, event);
}

winipc_status WINIPC_CALL winipc_event_set(winipc_event *event) {
  return lock_apply(&event__kind, event, SetEvent, "SetEvent");
}

winipc_status WINIPC_CALL winipc_event_reset(winipc_event *event) {
  return lock_apply(&event__kind, event, ResetEvent, "ResetEvent");
}

/* Who waits for an event mostly has to: to try first would only be one call more. */
winipc_status WINIPC_CALL winipc_event_wait(winipc_event *event, uint32_t timeout_ms) {
  return lock_wait(&event__kind, event, false, timeout_ms);
}

winipc_status WINIPC_CALL winipc_event_close(winipc_event *event) {
  return handle_close(event, &event__kind.class);
}
