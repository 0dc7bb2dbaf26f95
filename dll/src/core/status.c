#include "core/status.h"

#include <stdarg.h>

#include "core/thread.h"

typedef struct status__entry {
  winipc_status status;
  const char *name;
  const char *text;
} status__entry;

#define STATUS__ENTRY(name, value, text) {value, "WINIPC_" #name, text},
static const status__entry status__table[] = {WINIPC_STATUS_TABLE(STATUS__ENTRY)};

static const struct {
  DWORD win32;
  winipc_status status;
} status__win32[] = {
    {ERROR_FILE_NOT_FOUND, WINIPC_E_NOT_FOUND},
    {ERROR_PATH_NOT_FOUND, WINIPC_E_NOT_FOUND},
    {ERROR_BAD_NETPATH, WINIPC_E_NOT_FOUND},
    {ERROR_BAD_NET_NAME, WINIPC_E_NOT_FOUND},
    {ERROR_NOT_FOUND, WINIPC_E_NOT_FOUND},
    {ERROR_ACCESS_DENIED, WINIPC_E_ACCESS_DENIED},
    {ERROR_INVALID_HANDLE, WINIPC_E_INVALID_HANDLE},
    {ERROR_NOT_ENOUGH_MEMORY, WINIPC_E_OUT_OF_MEMORY},
    {ERROR_OUTOFMEMORY, WINIPC_E_OUT_OF_MEMORY},
    {ERROR_NO_SYSTEM_RESOURCES, WINIPC_E_OUT_OF_MEMORY},
    {ERROR_NOT_ENOUGH_QUOTA, WINIPC_E_OUT_OF_MEMORY},
    {ERROR_COMMITMENT_LIMIT, WINIPC_E_OUT_OF_MEMORY},
    {ERROR_TOO_MANY_OPEN_FILES, WINIPC_E_OUT_OF_MEMORY},
    {ERROR_INVALID_FUNCTION, WINIPC_E_UNSUPPORTED},
    {ERROR_NOT_SUPPORTED, WINIPC_E_UNSUPPORTED},
    {ERROR_CALL_NOT_IMPLEMENTED, WINIPC_E_UNSUPPORTED},
    {ERROR_INVALID_PARAMETER, WINIPC_E_INVALID_ARGUMENT},
    {ERROR_INVALID_NAME, WINIPC_E_INVALID_ARGUMENT},
    {ERROR_BAD_PATHNAME, WINIPC_E_INVALID_ARGUMENT},
    {ERROR_FILENAME_EXCED_RANGE, WINIPC_E_INVALID_ARGUMENT},
    {ERROR_INVALID_ACL, WINIPC_E_INVALID_ARGUMENT},
    {ERROR_INVALID_SID, WINIPC_E_INVALID_ARGUMENT},
    {ERROR_BROKEN_PIPE, WINIPC_E_DISCONNECTED},
    {ERROR_BAD_PIPE, WINIPC_E_DISCONNECTED}, /* TransactNamedPipe, the peer has gone */
    {ERROR_NO_DATA, WINIPC_E_DISCONNECTED},
    {ERROR_PIPE_NOT_CONNECTED, WINIPC_E_DISCONNECTED},
    {ERROR_HANDLE_EOF, WINIPC_E_DISCONNECTED},
    {ERROR_NETNAME_DELETED, WINIPC_E_DISCONNECTED},
    {ERROR_VC_DISCONNECTED, WINIPC_E_DISCONNECTED},
    {ERROR_CONNECTION_ABORTED, WINIPC_E_DISCONNECTED},
    {ERROR_INSUFFICIENT_BUFFER, WINIPC_E_BUFFER_TOO_SMALL},
    {ERROR_SEM_TIMEOUT, WINIPC_E_TIMEOUT},
    {WAIT_TIMEOUT, WINIPC_E_TIMEOUT},
    {ERROR_TIMEOUT, WINIPC_E_TIMEOUT},
    {ERROR_ALREADY_EXISTS, WINIPC_E_EXISTS},
    {ERROR_FILE_EXISTS, WINIPC_E_EXISTS},
    {ERROR_PIPE_BUSY, WINIPC_E_BUSY},
    {ERROR_SHARING_VIOLATION, WINIPC_E_BUSY},
    {ERROR_LOCK_VIOLATION, WINIPC_E_BUSY},
    {ERROR_BUSY, WINIPC_E_BUSY},
    {ERROR_NOT_OWNER, WINIPC_E_NOT_OWNER},
    {ERROR_TOO_MANY_POSTS, WINIPC_E_LIMIT},
    {ERROR_OPERATION_ABORTED, WINIPC_E_CANCELLED},
    {ERROR_FILE_INVALID, WINIPC_E_EMPTY_FILE},
    {ERROR_PRIVILEGE_NOT_HELD, WINIPC_E_PRIVILEGE},
    {ERROR_NO_UNICODE_TRANSLATION, WINIPC_E_INVALID_TEXT},
    {ERROR_DISK_FULL, WINIPC_E_TOO_LARGE},
};

static winipc_log_callback status__log;
static void *status__log_user;
static SRWLOCK status__log_lock = SRWLOCK_INIT;

static const status__entry *status__find(winipc_status status) {
  static const status__entry unknown = {0, "WINIPC_E_UNKNOWN",
                                        "a status that this version does not know"};
  for (size_t i = 0; i < sizeof status__table / sizeof *status__table; i++)
    if (status__table[i].status == status) return &status__table[i];
  return &unknown;
}

static void status__tell_log(const winipc_error *error) {
  AcquireSRWLockShared(&status__log_lock);
  winipc_log_callback log = status__log;
  void *user = status__log_user;
  ReleaseSRWLockShared(&status__log_lock);
  if (log) log(error, user);
}

/* A text that was cut may end, or have a gap, in the middle of a character. */
static void status__mend_utf8(char *text) {
  wchar_t wide[2];
  while (*text) {
    int left = (int)strnlen(text, 4), size = 1;
    while ((unsigned char)*text >= 0x80 && size <= left &&
           !MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, size, wide, 2))
      size++;
    if (size > left) *text = '?', size = 1;
    text += size;
  }
}

static winipc_status status__keep(winipc_status status, DWORD code, const char *call,
                                  const char *format, va_list arguments) {
  thread_slot *slot = thread_slot_get();
  if (!slot) return status;
  winipc_error *error = &slot->error;
  memset(error, 0, sizeof *error);
  error->size = sizeof *error;
  error->status = status;
  error->win32 = code;
  snprintf(error->call, sizeof error->call, "%s", call);
  vsnprintf(error->text, sizeof error->text, format, arguments);
  status__mend_utf8(error->text);
  status__tell_log(error);
  return status;
}

winipc_status status_record(winipc_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  status__keep(status, 0, "", format, arguments);
  va_end(arguments);
  return status;
}

/* Callers ask time and again for what is not there yet: nothing is formatted here. */
winipc_status status_record_plain(winipc_status status) {
  const char *text = winipc_status_text(status);
  thread_slot *slot = thread_slot_get();
  if (!slot) return status;
  winipc_error *error = &slot->error;
  error->size = sizeof *error;
  error->status = status;
  error->win32 = error->reserved = 0;
  error->call[0] = 0;
  memcpy(error->text, text, strlen(text) + 1);
  status__tell_log(error);
  return status;
}

winipc_status status_record_win32(winipc_status status, DWORD code, const char *call,
                                  const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  status__keep(status, code, call, format, arguments);
  va_end(arguments);
  return status;
}

winipc_status status_of_win32(DWORD code) {
  for (size_t i = 0; i < sizeof status__win32 / sizeof *status__win32; i++)
    if (status__win32[i].win32 == code) return status__win32[i].status;
  return WINIPC_E_SYSTEM;
}

winipc_status status_record_code(DWORD code, const char *call) {
  winipc_status status = status_of_win32(code);
  return status_fail_win32(status, code, call, "%s failed with Win32 error %lu: %s",
                           call, code, winipc_status_text(status));
}

const char *WINIPC_CALL winipc_status_name(winipc_status status) {
  return status__find(status)->name;
}

const char *WINIPC_CALL winipc_status_text(winipc_status status) {
  return status__find(status)->text;
}

winipc_status WINIPC_CALL winipc_last_error(winipc_error *error) {
  if (!error || error->size < sizeof(uint32_t)) return WINIPC_E_INVALID_ARGUMENT;
  const thread_slot *slot = thread_slot_peek();
  winipc_error none = {.size = sizeof none};
  uint32_t size = error->size < sizeof none ? error->size : sizeof none;
  memset((char *)error + sizeof error->size, 0, error->size - sizeof error->size);
  memcpy((char *)error + sizeof error->size,
         (const char *)(slot ? &slot->error : &none) + sizeof error->size,
         size - sizeof error->size);
  return WINIPC_OK;
}

winipc_status WINIPC_CALL winipc_log_set(winipc_log_callback log, void *user) {
  AcquireSRWLockExclusive(&status__log_lock);
  status__log = log;
  status__log_user = user;
  ReleaseSRWLockExclusive(&status__log_lock);
  return WINIPC_OK;
}
