#ifndef WINIPC_CANCEL_H
#define WINIPC_CANCEL_H

#include "win.h"

/* The event of the token that this thread heeds, with a reference on the token, or
 * NULL. Give it back by cancel_token_release with the same `token`. */
HANDLE cancel_token_acquire(const winipc_cancel_token **token);
void cancel_token_release(const winipc_cancel_token *token);

#endif
