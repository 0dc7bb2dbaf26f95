/* The one place that includes the Windows headers, in the one order that works. */
#ifndef WINIPC_WIN_H
#define WINIPC_WIN_H

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#endif
#include <windows.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "winipc.h"

#ifdef WINIPC_TEST_HOOKS
#include "hooks.h" /* of tests/hooks: goes before every system call */
#endif

#endif
