/* Loads winipc.dll while the program runs: nothing of it is linked. A program names the
 * functions that it uses, without "winipc_", and finds them in the structure `ipc`:
 *
 *   #define USED(f) f(connect) f(send) f(connection_close)
 *   #include "../load.h"
 *   ...
 *   load_winipc();
 *   check("connect", ipc.connect("pipe:prices", NULL, 1000, &server));
 *
 * Each pointer has its type from winipc.h (__typeof__: gcc, clang, MSVC 17.9 or newer).
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>

#include "winipc.h"

#define LOAD_POINTER(name) __typeof__(&winipc_##name) name;
static struct {
  USED(LOAD_POINTER)
  LOAD_POINTER(last_error)
  LOAD_POINTER(status_name)
} ipc;

typedef void (*load_function)(void);

static inline load_function load_find(HMODULE dll, const char *name) {
  load_function found = (load_function)GetProcAddress(dll, name);
  if (found) return found;
  fprintf(stderr, "this winipc.dll has no function %s; is it older?\n", name);
  exit(1);
}

/* Fills `ipc`, or ends the program. */
static inline void load_winipc(void) {
  HMODULE dll = LoadLibraryW(L"winipc.dll"); /* looks beside the program first */
  if (!dll) {
    fprintf(stderr, "winipc.dll cannot be loaded (Win32 error %lu); put it beside %s\n",
            GetLastError(), "this program");
    exit(1);
  }
#define LOAD_ONE(name) \
  ipc.name = (__typeof__(&winipc_##name))load_find(dll, "winipc_" #name);
  USED(LOAD_ONE)
  LOAD_ONE(last_error)
  LOAD_ONE(status_name)
  setvbuf(stdout, NULL, _IONBF, 0); /* a reader at a pipe sees each line at once */
}

/* Ends the program with what the library has to say when `doing` failed. Otherwise the
 * status is handed back: it may bring news. */
static inline winipc_status check(const char *doing, winipc_status status) {
  winipc_error error = {.size = sizeof error};
  if (status >= 0) return status;
  ipc.last_error(&error);
  fprintf(stderr, "%s: %s (%s)\n", doing, error.text, ipc.status_name(status));
  exit(1);
}

#endif
