/* What the tests of channels share: opening them, checking what comes, threads. */
#ifndef WINIPC_TEST_CHANNELS_H
#define WINIPC_TEST_CHANNELS_H

#include "child.h"
#include "harness.h"

enum { SMALL_RING = 4096 };

static inline winipc_channel_options channel_as(uint32_t role) {
  winipc_channel_options options;
  CHECK_OK(winipc_channel_options_init(&options));
  options.role = role;
  return options;
}

static inline winipc_connection *open_with(const char *address,
                                           const winipc_channel_options *options) {
  winipc_connection *connection = NULL;
  CHECK_OK(winipc_channel_open(address, options, SOON, &connection));
  return connection;
}

static inline winipc_connection *open_as(const char *address, uint32_t role) {
  winipc_channel_options options = channel_as(role);
  return open_with(address, &options);
}

/* A listener's pair, whose ends have these options. */
typedef struct ends {
  winipc_listener *listener;
  winipc_connection *server, *client;
} ends;

static inline ends open_ends(const winipc_channel_options *options) {
  ends e = {0};
  const char *address = harness_name("channel:", "ends");
  CHECK_OK(winipc_channel_listen(address, options, &e.listener));
  CHECK_OK(winipc_connect(address, NULL, SOON, &e.client));
  CHECK_OK(winipc_accept(e.listener, SOON, &e.server));
  return e;
}

static inline void close_ends(ends *e) {
  CHECK_OK(winipc_connection_close(e->client));
  CHECK_OK(winipc_connection_close(e->server));
  CHECK_OK(winipc_listener_close(e->listener));
}

static inline void send_number(winipc_connection *to, uint32_t number) {
  CHECK_OK(winipc_send(to, &number, sizeof number, SOON));
}

/* A message that begins with a number. */
static inline winipc_status receive_number(winipc_connection *from, uint32_t *number,
                                           uint32_t timeout_ms) {
  static _Thread_local char room[SMALL_RING];
  size_t size = 0;
  winipc_status status = winipc_receive(from, room, sizeof room, &size, timeout_ms);
  if (status >= 0) memcpy(number, room, sizeof *number);
  return status;
}

#define CHECK_NUMBER(from, expected) \
  check_number(__FILE__, __LINE__, (from), (expected))

static inline void check_number(const char *file, int line, winipc_connection *from,
                                uint32_t expected) {
  uint32_t number = 0;
  winipc_status status = receive_number(from, &number, SOON);
  if (status || number != expected)
    harness_fail(file, line, "%s, number %u, not %u", winipc_status_name(status),
                 number, expected);
}

/* The next receive says so. */
#define CHECK_RECEIVES(from, timeout_ms, expected)                             \
  do {                                                                         \
    uint32_t ignored_;                                                         \
    CHECK_STATUS(receive_number((from), &ignored_, (timeout_ms)), (expected)); \
  } while (0)

/* How many messages were lost before the last one. */
static inline uint64_t lost_before(winipc_connection *connection) {
  winipc_message_info info = {.size = sizeof info};
  CHECK_OK(winipc_channel_received(connection, &info));
  return info.lost;
}

static inline HANDLE thread_of(LPTHREAD_START_ROUTINE routine, const void *argument) {
  return CreateThread(NULL, 0, routine, (void *)(uintptr_t)argument, 0, NULL);
}

static inline DWORD join(HANDLE thread) {
  DWORD code = 0;
  WaitForSingleObject(thread, INFINITE);
  GetExitCodeThread(thread, &code);
  CloseHandle(thread);
  return code;
}

/* Ends a child of harness_spawn, however it is at the moment. */
static inline void kill_child(HANDLE process) {
  TerminateProcess(process, 7);
  WaitForSingleObject(process, INFINITE);
  CloseHandle(process);
}

/* ---- the meeting, by hand: plain Win32 calls on the pipe of a channel ---- */

typedef struct raw_hello {
  char magic[8];
  uint32_t version, oldest, role, pid;
  uint64_t capacity;
} raw_hello;

typedef struct raw_welcome {
  char magic[8];
  uint32_t version;
  int32_t status;
  uint64_t mine, theirs, data, room, their_data, their_room;
  uint64_t mine_size, theirs_size, start;
  uint32_t role, unused;
} raw_welcome;

static inline const char *pipe_path(const char *address) {
  static char path[200];
  DWORD session = 0;
  ProcessIdToSessionId(GetCurrentProcessId(), &session);
  snprintf(path, sizeof path, "\\\\.\\pipe\\winipc.channel.%lu.%s", session,
           address + strlen("channel:"));
  return path;
}

static inline HANDLE knock(const char *address) {
  DWORD mode = PIPE_READMODE_MESSAGE;
  HANDLE pipe = INVALID_HANDLE_VALUE;
  for (int i = 0; i < SOON / 5 && pipe == INVALID_HANDLE_VALUE; i++) {
    if (i) Sleep(5);
    pipe = CreateFileA(pipe_path(address), GENERIC_READ | GENERIC_WRITE, 0, NULL,
                       OPEN_EXISTING, 0, NULL);
  }
  CHECK(pipe != INVALID_HANDLE_VALUE);
  SetNamedPipeHandleState(pipe, &mode, NULL, NULL);
  return pipe;
}

static inline raw_hello hello_as(uint32_t role, uint32_t version, uint32_t oldest) {
  raw_hello hello = {"", version, oldest, role, GetCurrentProcessId(), SMALL_RING};
  memcpy(hello.magic, "winipcCH", 8);
  return hello;
}

static inline bool pipe_write(HANDLE pipe, const void *data, size_t size) {
  DWORD done;
  return WriteFile(pipe, data, (DWORD)size, &done, NULL) && done == size;
}

static inline bool pipe_read(HANDLE pipe, void *data, size_t size) {
  DWORD done;
  return ReadFile(pipe, data, (DWORD)size, &done, NULL) && done == size;
}

/* ---- who is there ---- */

/* Who is there, as others see it; -1: nobody answers. */
static inline int members_of(const char *address) {
  static winipc_channel_member members[80];
  uint32_t count = 0;
  members[0].size = sizeof members[0];
  winipc_status status =
      winipc_channel_inspect(address, NULL, 1000, members, 80, &count);
  return status ? -1 : (int)count;
}

/* Waits until there are so many. */
static inline void await_members(const char *address, int count) {
  ULONGLONG end = GetTickCount64() + SOON;
  int seen;
  while ((seen = members_of(address)) != count && GetTickCount64() < end) Sleep(2);
  CHECK_EQUAL(seen, count);
}

#endif
