#include "core/cancel.h"

#include "core/handle.h"
#include "core/status.h"
#include "core/thread.h"

typedef struct cancel_token {
  HANDLE event;             /* manual-reset */
  volatile LONG references; /* its id, and each wait that heeds it */
} cancel_token;

static HANDLE cancel__native(void *object) {
  return ((cancel_token *)object)->event;
}

static void cancel__release(void *object) {
  cancel_token *token = object;
  if (InterlockedDecrement(&token->references)) return;
  CloseHandle(token->event);
  free(token);
}

static const handle_class cancel__class = {
    .kind = HANDLE_CANCEL_TOKEN,
    .name = "a cancel token",
    .native = cancel__native,
    .destroy = cancel__release,
};

static winipc_status cancel__open(HANDLE event, winipc_cancel_token **id) {
  cancel_token *token = malloc(sizeof *token);
  winipc_status status = token ? WINIPC_OK : status_no_memory();
  if (!status) {
    *token = (cancel_token){event, 1};
    status = handle_open(&cancel__class, token, id);
  }
  if (status) {
    CloseHandle(event);
    free(token);
  }
  return status;
}

winipc_status WINIPC_CALL winipc_cancel_create(winipc_cancel_token **token) {
  if (!token) return status_fail(WINIPC_E_INVALID_ARGUMENT, "token is NULL");
  *token = NULL;
  HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
  return event ? cancel__open(event, token) : status_from_last("CreateEventW");
}

winipc_status WINIPC_CALL winipc_cancel_from_event(void *event,
                                                   winipc_cancel_token **token) {
  HANDLE copy;
  if (!token) return status_fail(WINIPC_E_INVALID_ARGUMENT, "token is NULL");
  *token = NULL;
  if (!DuplicateHandle(GetCurrentProcess(), event, GetCurrentProcess(), &copy, 0, FALSE,
                       DUPLICATE_SAME_ACCESS))
    return status_from_last("DuplicateHandle");
  return cancel__open(copy, token);
}

static winipc_status cancel__use(const winipc_cancel_token *token, int place) {
  if (token && !handle_acquire(token, &cancel__class)) return WINIPC_E_INVALID_HANDLE;
  thread_slot *slot = thread_slot_get();
  if (slot) slot->tokens[place] = token;
  if (token) handle_release(token);
  return slot ? WINIPC_OK : status_no_memory();
}

winipc_status WINIPC_CALL winipc_cancel_use(winipc_cancel_token *token) {
  return cancel__use(token, 0);
}

winipc_status WINIPC_CALL winipc_cancel_use_also(winipc_cancel_token *token) {
  return cancel__use(token, 1);
}

typedef BOOL(WINAPI *cancel__change)(HANDLE event);

static winipc_status cancel__apply(const winipc_cancel_token *id,
                                   cancel__change change) {
  cancel_token *token = handle_acquire(id, &cancel__class);
  if (!token) return WINIPC_E_INVALID_HANDLE;
  winipc_status status =
      change(token->event) ? WINIPC_OK : status_from_last("SetEvent or ResetEvent");
  handle_release(id);
  return status;
}

winipc_status WINIPC_CALL winipc_cancel_fire(winipc_cancel_token *token) {
  return cancel__apply(token, SetEvent);
}

winipc_status WINIPC_CALL winipc_cancel_reset(winipc_cancel_token *token) {
  return cancel__apply(token, ResetEvent);
}

/* A wait in progress keeps the token to its end; the id goes at once. */
winipc_status WINIPC_CALL winipc_cancel_close(winipc_cancel_token *token) {
  return handle_close(token, &cancel__class);
}

/* A token that was closed is no error here, and no longer heeded. */
static cancel_token *cancel__acquire(thread_slot *slot, int place) {
  if (!slot->tokens[place]) return NULL;
  winipc_error kept = slot->error;
  cancel_token *token = handle_acquire(slot->tokens[place], &cancel__class);
  if (token) {
    InterlockedIncrement(&token->references);
    handle_release(slot->tokens[place]);
    return token;
  }
  slot->error = kept;
  slot->tokens[place] = NULL;
  return NULL;
}

void cancel_tokens_acquire(cancel_tokens *tokens) {
  thread_slot *slot = thread_slot_peek();
  tokens->count = 0;
  for (int i = 0; slot && i < THREAD_TOKENS; i++) {
    cancel_token *token = cancel__acquire(slot, i);
    if (!token) continue;
    tokens->events[tokens->count] = token->event;
    tokens->held[tokens->count++] = token;
  }
}

void cancel_tokens_release(const cancel_tokens *tokens) {
  for (DWORD i = 0; i < tokens->count; i++) cancel__release(tokens->held[i]);
}

bool cancel_tokens_fired(const cancel_tokens *tokens) {
  for (DWORD i = 0; i < tokens->count; i++)
    if (WaitForSingleObject(tokens->events[i], 0) == WAIT_OBJECT_0) return true;
  return false;
}
