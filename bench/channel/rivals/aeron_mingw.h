/* Put before every file of Aeron's, whose code for Windows knows no compiler but
 * Microsoft's: the system's headers come first, as mingw-w64 has them, and what follows
 * takes that branch. */
#ifndef WINIPC_BENCH_AERON_MINGW_H
#define WINIPC_BENCH_AERON_MINGW_H

#include <winsock2.h>

#include <ws2tcpip.h>

#include <windows.h>

#include <assert.h>
#include <direct.h>
#include <errno.h>
#include <fcntl.h>
#include <intrin.h>
#include <inttypes.h>
#include <io.h>
#include <iphlpapi.h>
#include <limits.h>
#include <math.h>
#include <mswsock.h>
#include <process.h>
#include <psapi.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#define _MSC_VER 1930
#define _ReturnAddress() __builtin_return_address(0)
#define _InlineInterlockedAdd(target, value) \
  (_InterlockedExchangeAdd(target, value) + (value))
#define _InlineInterlockedAdd64(target, value) \
  (_InterlockedExchangeAdd64(target, value) + (value))

#endif
