/* What differs between the systems that we run on. */
#ifndef WINIPC_PLATFORM_H
#define WINIPC_PLATFORM_H

#include "core/win.h"

bool platform_is_wine(void);

/* The size of a page, and what views are aligned to. */
SYSTEM_INFO platform_info(void);

/* Fills with random bytes fit for secrets. */
winipc_status platform_random(void *data, uint32_t size);

#endif
