#include "channel/meeting.h"

#include "core/operation.h"
#include "core/status.h"
#include "process/hand_over.h"

static const char meeting__magic[8] = {'w', 'i', 'n', 'i', 'p', 'c', 'C', 'H'};

enum { MEETING__LARGEST = 1024 }; /* bytes of any version's message */

winipc_status meeting_send(HANDLE pipe, const void *message, size_t size, waiters *list,
                           const deadline *end) {
  operation op;
  DWORD put;
  winipc_status status = operation_init(&op);
  if (status) return status;
  BOOL started = WriteFile(pipe, message, (DWORD)size, NULL, operation_begin(&op));
  status = operation_end(&op, pipe, started, list, end, "WriteFile", &put);
  operation_free(&op);
  return status;
}

winipc_status meeting_receive(HANDLE pipe, void *message, size_t capacity, size_t *size,
                              waiters *list, const deadline *end) {
  operation op;
  DWORD got;
  *size = 0;
  winipc_status status = operation_init(&op);
  if (status) return status;
  BOOL started = ReadFile(pipe, message, (DWORD)capacity, NULL, operation_begin(&op));
  status = operation_end(&op, pipe, started, list, end, "ReadFile", &got);
  operation_free(&op);
  if (status == WINIPC_MORE)
    status = status_fail(WINIPC_E_CORRUPT, "the peer's message is too long");
  if (!status) *size = got;
  return status;
}

/* A message that begins as ours do, with `size` bytes at least. */
static winipc_status meeting__await(HANDLE pipe, void *message, size_t size,
                                    waiters *list, const deadline *end) {
  char room[MEETING__LARGEST];
  size_t got;
  winipc_status status = meeting_receive(pipe, room, sizeof room, &got, list, end);
  if (status) return status;
  if (got < size || memcmp(room, meeting__magic, sizeof meeting__magic))
    return status_fail(WINIPC_E_CORRUPT, "the peer does not speak as a channel does");
  memcpy(message, room, size);
  return WINIPC_OK;
}

/* ---- the host ---- */

winipc_status meeting_welcome_with(HANDLE pipe, meeting_welcome *welcome, waiters *list,
                                   const deadline *end) {
  memcpy(welcome->magic, meeting__magic, sizeof welcome->magic);
  welcome->version = MEETING_VERSION;
  return meeting_send(pipe, welcome, sizeof *welcome, list, end);
}

winipc_status meeting_refuse(HANDLE pipe, winipc_status why, uint32_t role,
                             waiters *list, const deadline *end) {
  meeting_welcome welcome = {.status = why, .role = role};
  return meeting_welcome_with(pipe, &welcome, list, end);
}

winipc_status meeting_await_hello(HANDLE pipe, meeting_hello *hello, uint32_t role,
                                  waiters *list, const deadline *end) {
  winipc_status status = meeting__await(pipe, hello, sizeof *hello, list, end);
  if (status) return status;
  if (hello->oldest <= MEETING_VERSION && hello->version >= MEETING_OLDEST)
    return WINIPC_OK;
  status = status_fail(WINIPC_E_VERSION, "a peer speaks the versions %u to %u, not %u",
                       hello->oldest, hello->version, MEETING_VERSION);
  meeting_refuse(pipe, status, role, list, end);
  return status;
}

winipc_status meeting_await_ready(HANDLE pipe, waiters *list, const deadline *end) {
  meeting_ready ready;
  return meeting__await(pipe, &ready, sizeof ready, list, end);
}

/* ---- the one that joins ---- */

static const char *meeting__shape(uint32_t role) {
  static const char *const shapes[] = {
      [WINIPC_CHANNEL_PAIR] = "a pair",
      [WINIPC_CHANNEL_PUBLISHER] = "a publisher's",
      [WINIPC_CHANNEL_FUNNEL] = "a funnel",
  };
  bool known = role < sizeof shapes / sizeof *shapes && shapes[role];
  return known ? shapes[role] : "of another shape";
}

static winipc_status meeting__understand(const meeting_welcome *welcome) {
  if (welcome->status > 0 || welcome->status <= WINIPC_E_LAST)
    return status_fail(WINIPC_E_CORRUPT, "the host answers with an unknown status");
  if (welcome->status == WINIPC_E_UNSUPPORTED)
    return status_fail(WINIPC_E_UNSUPPORTED, "the channel is %s",
                       meeting__shape(welcome->role));
  if (welcome->status)
    return status_fail(welcome->status, "the host of the channel refused: %s",
                       winipc_status_text(welcome->status));
  if (welcome->version < MEETING_OLDEST)
    return status_fail(WINIPC_E_VERSION, "the host speaks version %u, not %u",
                       welcome->version, MEETING_VERSION);
  return WINIPC_OK;
}

winipc_status meeting_say_hello(HANDLE pipe, uint32_t role, uint64_t capacity,
                                meeting_welcome *welcome, waiters *list,
                                const deadline *end) {
  meeting_hello hello = {.version = MEETING_VERSION,
                         .oldest = MEETING_OLDEST,
                         .role = role,
                         .pid = GetCurrentProcessId(),
                         .capacity = capacity};
  memcpy(hello.magic, meeting__magic, sizeof hello.magic);
  winipc_status status = meeting_send(pipe, &hello, sizeof hello, list, end);
  if (!status) status = meeting__await(pipe, welcome, sizeof *welcome, list, end);
  return status ? status : meeting__understand(welcome);
}

winipc_status meeting_say_ready(HANDLE pipe, waiters *list, const deadline *end) {
  meeting_ready ready;
  memcpy(ready.magic, meeting__magic, sizeof ready.magic);
  return meeting_send(pipe, &ready, sizeof ready, list, end);
}

/* ---- handles ---- */

winipc_status handout_begin(handout *h, DWORD pid) {
  *h = (handout){.process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, pid)};
  if (h->process) return WINIPC_OK;
  return status_fail_win32(status_of_win32(GetLastError()), GetLastError(),
                           "OpenProcess",
                           "the host of a channel must be allowed to open its peers "
                           "(PROCESS_DUP_HANDLE), and process %lu refuses",
                           pid);
}

void handout_put(handout *h, HANDLE handle, DWORD access, uint64_t *value,
                 winipc_status *status) {
  HANDLE remote;
  *value = 0;
  if (*status || !handle) return;
  if (!DuplicateHandle(GetCurrentProcess(), handle, h->process, &remote, access, FALSE,
                       0)) {
    *status = status_from_last("DuplicateHandle");
    return;
  }
  *value = h->given[h->count++] = (uintptr_t)remote;
}

void handout_end(handout *h, bool take_back) {
  for (uint32_t i = 0; take_back && i < h->count; i++)
    hand_over_take_back(h->process, (HANDLE)(uintptr_t)h->given[i]);
  if (h->process) CloseHandle(h->process);
  h->process = NULL;
}
