/* The cancel tokens that a thread heeds while it waits. */
#ifndef WINIPC_CANCEL_H
#define WINIPC_CANCEL_H

#include "core/thread.h"
#include "core/win.h"

/* With a reference on each token, until they are released. None is on its id, so that
 * winipc_cancel_close does not wait for those who wait. */
typedef struct cancel_tokens {
  DWORD count;
  HANDLE events[THREAD_TOKENS];
  struct cancel_token *held[THREAD_TOKENS];
} cancel_tokens;

void cancel_tokens_acquire(cancel_tokens *tokens);
void cancel_tokens_release(const cancel_tokens *tokens);

bool cancel_tokens_fired(const cancel_tokens *tokens);

#endif
