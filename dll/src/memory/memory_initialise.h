/* The initialiser of shared memory: exactly once, whoever dies. */
#ifndef WINIPC_MEMORY_INITIALISE_H
#define WINIPC_MEMORY_INITIALISE_H

#include "memory/memory.h"

typedef struct memory_initialiser {
  winipc_memory_initialise call;
  void *user;
  uint32_t timeout_ms; /* for another's to end */
} memory_initialiser;

/* Returns once the memory is initialised, by us or another. */
winipc_status memory_initialise(memory *m, const wchar_t *name,
                                const winipc_memory_options *options,
                                const memory_initialiser *initialiser);

#endif
