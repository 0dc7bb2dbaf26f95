/* What keeps processes that create or initialise the same memory out of each other's
 * way: a mutex that goes with the memory's name, because the system frees a mutex when
 * its owner dies. It exists only while somebody needs it. */
#ifndef WINIPC_MEMORY_GUARD_H
#define WINIPC_MEMORY_GUARD_H

#include "core/wait.h"
#include "core/win.h"

typedef struct memory_guard {
  HANDLE mutex; /* NULL: the memory has no name, and nobody else knows it */
} memory_guard;

winipc_status memory_guard_lock(memory_guard *guard, const wchar_t *name,
                                const winipc_memory_options *options,
                                const deadline *end);
void memory_guard_unlock(memory_guard *guard);

/* Lets a creator that is at work finish. Nobody at work: returns at once. */
winipc_status memory_guard_await(const wchar_t *name);

/* How long a creation may take; it takes microseconds. */
deadline memory_guard_patience(void);

#endif
