/* Views of shared memory: the address of any byte, however the system aligns them. */
#ifndef WINIPC_MEMORY_VIEW_H
#define WINIPC_MEMORY_VIEW_H

#include "memory/memory.h"

winipc_status memory_view_map(memory *m, uint64_t offset, uint64_t bytes,
                              uint32_t protection, void **address);
winipc_status memory_view_unmap(memory *m, void *address);
winipc_status memory_view_flush(memory *m, void *address, uint64_t bytes);
void memory_view_unmap_all(memory *m);

#endif
