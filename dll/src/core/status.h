/* How errors arise: each is recorded for the calling thread at the point where it
 * is first known, and then travels up as a plain winipc_status. */
#ifndef WINIPC_STATUS_H
#define WINIPC_STATUS_H

#include "core/win.h"

#if defined(__MINGW32__)
#define STATUS_PRINTF(text, first) \
  __attribute__((format(__MINGW_PRINTF_FORMAT, text, first)))
#else
#define STATUS_PRINTF(text, first)
#endif

/* Records `status` with a text of its own (printf format) and returns it. */
winipc_status status_record(winipc_status status, const char *format, ...)
    STATUS_PRINTF(2, 3);

/* The same with the text of the public table. */
winipc_status status_record_plain(winipc_status status);

/* The same, for a failure of a system call whose meaning is known better here than
 * in the table. */
winipc_status status_record_win32(winipc_status status, DWORD code, const char *call,
                                  const char *format, ...) STATUS_PRINTF(4, 5);

/* Records the failure of `call` with the Win32 code, mapped by the table. */
winipc_status status_record_code(DWORD code, const char *call);

/* What is recorded is an error, and errors are negative: said here once, so that
 * neither a reader nor an analyzer has to wonder whether a failure may be WINIPC_OK. */
static inline winipc_status status_error(winipc_status status) {
  return status < 0 ? status : WINIPC_E_SYSTEM;
}

/* What the library fails by. */
#define status_fail(...) status_error(status_record(__VA_ARGS__))
#define status_fail_win32(...) status_error(status_record_win32(__VA_ARGS__))

static inline winipc_status status_from_win32(DWORD code, const char *call) {
  return status_error(status_record_code(code, call));
}

/* With GetLastError(). */
static inline winipc_status status_from_last(const char *call) {
  return status_from_win32(GetLastError(), call);
}

static inline winipc_status status_plain(winipc_status status) {
  return status_error(status_record_plain(status));
}

static inline winipc_status status_no_memory(void) {
  return status_plain(WINIPC_E_OUT_OF_MEMORY);
}

/* The status that a Win32 code stands for, recording nothing. */
winipc_status status_of_win32(DWORD code);

#endif
