/* Structures that cross the border begin with their own size, so that either side
 * may be the older one. */
#ifndef WINIPC_STRUCTURE_H
#define WINIPC_STRUCTURE_H

#include "core/win.h"

/* Copies the caller's options over `known`, which holds the defaults of this
 * version. What the caller's version does not have keeps its default; what this
 * version does not have must be zero. NULL options leave the defaults. */
winipc_status structure_read(void *known, uint32_t known_size, const void *options);

/* Copies `known` (size member included) into the caller's structure, as much as its
 * size member has room for, and zeroes what this version does not have. */
winipc_status structure_write(void *result, const void *known, uint32_t known_size);

#endif
