/* timespec_get() of C11, for a rival that asks for it where the C runtime has none. */
#ifndef WINIPC_BENCH_TIMESPEC_H
#define WINIPC_BENCH_TIMESPEC_H

#include <time.h>

#ifndef TIME_UTC
#include <windows.h>

#define TIME_UTC 1

static inline int timespec_get(struct timespec *now, int base) {
  FILETIME time;
  GetSystemTimeAsFileTime(&time);
  unsigned long long units =
      ((unsigned long long)time.dwHighDateTime << 32 | time.dwLowDateTime) -
      116444736000000000ull;
  now->tv_sec = (time_t)(units / 10000000);
  now->tv_nsec = (long)(units % 10000000 * 100);
  return base;
}
#endif

#endif
