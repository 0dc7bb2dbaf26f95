/* What winipc_counted.dll exports beside the functions of winipc.dll: the counts of
 * its system calls, and one fault at a time. */
#ifndef WINIPC_TEST_COUNTED_H
#define WINIPC_TEST_COUNTED_H

#include "winipc.h"

/* How often the system call was made since the reset; NULL: all that enter the kernel
 * together. -1 for a name that is not hooked. */
WINIPC_API int64_t WINIPC_CALL winipc_test_calls(const char *name);

/* How many pieces of memory and views are not given back at the moment. */
WINIPC_API int64_t WINIPC_CALL winipc_test_outstanding(void);

/* The hooked names, from 0 on; NULL at the end. `fails`: it may be told to fail. */
WINIPC_API const char *WINIPC_CALL winipc_test_name(uint32_t index, int32_t *fails);

/* Lets the nth call from now on fail with the Win32 error; nth 0: none. */
WINIPC_API void WINIPC_CALL winipc_test_fail(const char *name, uint32_t nth,
                                             uint32_t error);

/* Whether that call has come. */
WINIPC_API int32_t WINIPC_CALL winipc_test_failed(void);

/* No fault, and all counts 0. */
WINIPC_API void WINIPC_CALL winipc_test_reset(void);

#endif
