#ifndef WINIPC_ENVIRONMENT_BLOCK_H
#define WINIPC_ENVIRONMENT_BLOCK_H

#include "core/win.h"

/* "NAME=value" strings as CreateProcess wants them: UTF-16, sorted, one behind the
 * other. free() it. */
winipc_status environment_block_of(const char *const *entries, uint32_t count,
                                   wchar_t **block);

#endif
