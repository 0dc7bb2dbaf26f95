/* What every C test program shares: named tests, each with a watchdog; checks that say
 * where they failed; children that are this same program.
 *
 *   static void receives_nothing(void) { CHECK(...); }
 *   static void child_echo(const char *argument) { ... }
 *   int main(int argc, char **argv) {
 *     static const test tests[] = {TEST(receives_nothing), CHILD(child_echo), END};
 *     return harness_main(argc, argv, tests);
 *   }
 */
#ifndef WINIPC_TEST_HARNESS_H
#define WINIPC_TEST_HARNESS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>

#include "winipc.h"

enum { HARNESS_SECONDS = 45 }; /* one test; ctest's own limit lies above it */

typedef struct test {
  const char *name;
  void (*run)(void);
  void (*child)(const char *argument);
} test;

#define TEST(name) {#name, name, NULL}
#define CHILD(name) {#name, NULL, name}
#define END {NULL, NULL, NULL}

static int harness__failures;        /* of the test that runs */
static const char *harness__current; /* its name */
static volatile LONG harness__left;  /* seconds until the watchdog bites */

static void harness_fail(const char *file, int line, const char *format, ...) {
  va_list arguments;
  harness__failures++;
  printf("%s:%d: %s: ", file, line, harness__current);
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  printf("\n");
  fflush(stdout);
}

#define CHECK(condition) \
  ((condition) ? (void)0 : harness_fail(__FILE__, __LINE__, "not so: %s", #condition))

#define CHECK_EQUAL(actual, expected)                                    \
  harness__check_equal(__FILE__, __LINE__, #actual, (long long)(actual), \
                       (long long)(expected))

/* The status of a call of winipc, with what the library says of it. */
#define CHECK_STATUS(call, expected) \
  harness__check_status(__FILE__, __LINE__, #call, (call), (expected))
#define CHECK_OK(call) CHECK_STATUS(call, WINIPC_OK)

static inline void harness__check_equal(const char *file, int line, const char *what,
                                        long long actual, long long expected) {
  if (actual != expected)
    harness_fail(file, line, "%s is %lld, not %lld", what, actual, expected);
}

static inline void harness__check_status(const char *file, int line, const char *call,
                                         winipc_status actual, winipc_status expected) {
  winipc_error error = {.size = sizeof error};
  if (actual == expected) return;
  winipc_last_error(&error);
  harness_fail(file, line, "%s is %s, not %s (the last error: %s, Win32 %u)", call,
               winipc_status_name(actual), winipc_status_name(expected), error.text,
               error.win32);
}

/* A name that no other test uses at the same time. */
static inline const char *harness_name(const char *prefix, const char *stem) {
  static char names[8][128];
  static int next;
  char *name = names[next++ % 8];
  snprintf(name, sizeof names[0], "%s%s-%lu", prefix, stem, GetCurrentProcessId());
  return name;
}

static DWORD WINAPI harness__watchdog(void *nothing) {
  (void)nothing;
  do Sleep(1000);
  while (InterlockedDecrement(&harness__left) > 0);
  printf("%s: hangs: no end after %d s\n", harness__current, HARNESS_SECONDS);
  fflush(stdout);
  return (DWORD)TerminateProcess(GetCurrentProcess(), 99);
}

/* Starts this program again, to run one of its children. */
static inline HANDLE harness_spawn(const char *child, const char *argument) {
  char path[MAX_PATH], line[2 * MAX_PATH + 256];
  STARTUPINFOA startup = {.cb = sizeof startup};
  PROCESS_INFORMATION process;
  GetModuleFileNameA(NULL, path, sizeof path);
  snprintf(line, sizeof line, "\"%s\" %s \"%s\"", path, child, argument);
  if (!CreateProcessA(path, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup,
                      &process)) {
    printf("CreateProcess: %lu\n", GetLastError());
    exit(98);
  }
  CloseHandle(process.hThread);
  return process.hProcess;
}

/* Waits for a child and checks that it ended well. */
#define CHECK_CHILD(process) harness__check_child(__FILE__, __LINE__, (process))

static inline void harness__check_child(const char *file, int line, HANDLE process) {
  DWORD code = 97;
  WaitForSingleObject(process, INFINITE); /* the watchdog watches */
  GetExitCodeProcess(process, &code);
  CloseHandle(process);
  if (code) harness_fail(file, line, "the child ended with %lu", code);
}

static inline int harness__run_child(const test *tests, const char *name,
                                     const char *argument) {
  for (const test *t = tests; t->name; t++) {
    if (!t->child || strcmp(t->name, name)) continue;
    harness__current = t->name;
    t->child(argument);
    return harness__failures ? 1 : 0;
  }
  printf("there is no child %s\n", name);
  return 96;
}

static inline int harness_main(int count, char **arguments, const test *tests) {
  int passed = 0, failed = 0;
  harness__left = HARNESS_SECONDS;
  harness__current = "start";
  CloseHandle(CreateThread(NULL, 0, harness__watchdog, NULL, 0, NULL));
  if (count > 2) return harness__run_child(tests, arguments[1], arguments[2]);
  for (const test *t = tests; t->name; t++) {
    if (!t->run || (count == 2 && strcmp(arguments[1], t->name))) continue;
    harness__current = t->name;
    harness__failures = 0;
    InterlockedExchange(&harness__left, HARNESS_SECONDS);
    t->run();
    printf("%s %s\n", harness__failures ? "FAILED" : "ok", t->name);
    fflush(stdout);
    harness__failures ? failed++ : passed++;
  }
  printf("%d passed, %d failed\n", passed, failed);
  return failed || !passed;
}

/* The handles that this process has open. Under Wine 8 GetProcessHandleCount tells 0;
 * there they are tried one after the other. The system's table of all handles is no
 * substitute: Wine's server crashes over a process that has none yet, as one has that
 * is just starting, and every program loses its server. */
static inline DWORD harness_count_handles(void) {
  enum { GAP = 64 }; /* a new handle is the lowest free one, so a leak is within it */
  DWORD flags, count = 0;
  if (GetProcessHandleCount(GetCurrentProcess(), &count) && count) return count;
  for (uintptr_t value = 4, end = 4 * GAP; value < end; value += 4) {
    if (!GetHandleInformation((HANDLE)value, &flags)) continue;
    end = value + 4 * GAP;
    count++;
  }
  return count;
}

/* Waits so long for what has to come soon. */
enum { SOON = 10000 };

#endif
