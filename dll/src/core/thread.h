/* What the library keeps for each thread: its last error, the cancel tokens that it
 * heeds, and the event that wakes it out of a wait. Made on first need, freed when
 * the thread ends or the DLL is unloaded. */
#ifndef WINIPC_THREAD_H
#define WINIPC_THREAD_H

#include "core/win.h"

enum { THREAD_TOKENS = 2 }; /* winipc_cancel_use, winipc_cancel_use_also */

typedef struct thread_slot {
  winipc_error error;
  const winipc_cancel_token *tokens[THREAD_TOKENS];
  HANDLE wake; /* auto-reset; NULL until the first wait */
} thread_slot;

bool thread_slots_init(void);
void thread_slots_free(void);

/* This thread's slot, or NULL when there is none yet. Leaves GetLastError alone. */
thread_slot *thread_slot_peek(void);

/* This thread's slot, made if need be; NULL when memory has run out. */
thread_slot *thread_slot_get(void);

#endif
